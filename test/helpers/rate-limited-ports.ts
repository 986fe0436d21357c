/**
 * Any ports behind the rates of AWS's APIs, in virtual time: each method waits as long as the calls that the AWS adapter would make for
 * it. A token bucket stands before each API; who finds it empty waits, as a client that is throttled and tries again does at best.
 * That the calls are counted as the adapters make them is tested against the adapters (`test/hooks/aws/batching.test.ts`).
 */
import type { Ports } from "../../hooks/ports.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface ApiLimit {
  /** Calls a second, sustained. */
  readonly perSecond: number;
  /** Calls that may come at once after a quiet second. @default perSecond */
  readonly burst?: number;
  readonly source: string;
}

const cloudWatchQuotas = "CloudWatch user guide, service quotas (cloudwatch_limits.md), text of 2023-06";
const noElbNumber = "assumed: ELBv2 publishes no rates (looked for 2026-11)";
const onDemand =
  "DynamoDB developer guide, on-demand tables, recalled 2026-11 and not read again: 4,000 writes and 12,000 reads of 4 KB a second; a record has a few";

/** Rates of the APIs that the hook calls, for one account and region. */
export const apiLimits = {
  DescribeAlarms: { perSecond: 9, source: cloudWatchQuotas },
  GetMetricData: { perSecond: 50, source: cloudWatchQuotas },
  SetAlarmState: { perSecond: 3, source: cloudWatchQuotas },
  /** All `Describe…` calls of ELBv2 together. */
  ElbDescribe: { perSecond: 10, source: noElbNumber },
  ModifyRule: { perSecond: 10, source: noElbNumber },
  DynamoDbRead: { perSecond: 1_000, source: onDemand },
  DynamoDbWrite: { perSecond: 500, source: onDemand },
} as const satisfies Readonly<Record<string, ApiLimit>>;
export type Api = keyof typeof apiLimits;

export interface RateLimitOptions {
  readonly limits?: Readonly<Record<Api, ApiLimit>>;
  /** How long each call takes. Unit: milliseconds. @default 100 (a describe call of a few dozen items, rather slow) */
  readonly callMilliseconds?: number;
  /** Metrics and expressions of one alarm, for counting GetMetricData. @default 4 */
  readonly queriesPerAlarm?: number;
}

export interface RateLimited {
  readonly ports: Ports;
  /** Calls so far. */
  calls(): Readonly<Record<Api, number>>;
}

/** Never fewer calls than the rate allows: the theoretical arrival time of the next call, with room for a burst. */
class TokenBucket {
  readonly #intervalMilliseconds: number;
  readonly #burst: number;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor({ perSecond, burst = perSecond }: ApiLimit) {
    this.#intervalMilliseconds = 1_000 / perSecond;
    this.#burst = burst;
  }

  /** Takes a token and says how long to wait for it. Unit: milliseconds. */
  take(now: number): number {
    const at = Math.max(this.#nextAt, now);
    this.#nextAt = at + this.#intervalMilliseconds;
    return Math.max(0, this.#nextAt - now - this.#burst * this.#intervalMilliseconds);
  }
}

/** The same ports, slower. */
export function rateLimitedPorts(ports: Ports, time: VirtualTime, options: RateLimitOptions = {}): RateLimited {
  const { limits = apiLimits, callMilliseconds = 100, queriesPerAlarm = 4 } = options;
  const apis = Object.keys(limits) as Api[];
  const buckets = new Map(apis.map((api) => [api, new TokenBucket(limits[api])]));
  const counts = Object.fromEntries(apis.map((api) => [api, 0])) as Record<Api, number>;

  /** Calls one after the other, as the adapters make them; nothing for no call. */
  async function called(api: Api, times: number): Promise<void> {
    for (let made = 0; made < times; made += 1) {
      counts[api] += 1;
      const wait = buckets.get(api)?.take(time.now()) ?? 0;
      await time.sleep(wait + callMilliseconds);
    }
  }
  const batchesOf = (items: readonly unknown[], size: number) => Math.ceil(new Set(items).size / size);
  const { records, traffic, alarms, metrics } = ports;
  const reading = async <Result>(read: () => Promise<Result>): Promise<Result> => {
    await called("DynamoDbRead", 1);
    return read();
  };
  const writing = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    await called("DynamoDbWrite", 1);
    return write();
  };

  return {
    calls: () => ({ ...counts }),
    ports: {
      ...ports,
      clock: { now: () => time.now(), sleep: (milliseconds) => time.sleep(milliseconds) },
      records: {
        read: (service) => reading(() => records.read(service)),
        write: (record, expected) => writing(() => records.write(record, expected)),
        list: () => reading(() => records.list()),
        async appendHistory(service, entries) {
          await called("DynamoDbWrite", Math.ceil(entries.length / 100));
          await records.appendHistory(service, entries);
        },
        history: (service) => reading(() => records.history(service)),
        readHeartbeat: (service) => reading(() => records.readHeartbeat(service)),
        writeHeartbeat: (service, at) => writing(() => records.writeHeartbeat(service, at)),
        writeSnapshot: (snapshot) => writing(() => records.writeSnapshot(snapshot)),
        readSnapshot: (service, id) => reading(() => records.readSnapshot(service, id)),
        readDrill: () => reading(() => records.readDrill()),
        writeDrill: (state) => writing(() => records.writeDrill(state)),
      },
      traffic: {
        async readRules(ruleArns) {
          await called("ElbDescribe", batchesOf(ruleArns, 20));
          return traffic.readRules(ruleArns);
        },
        async writeRule(ruleArn, action) {
          await called("ModifyRule", 1);
          await traffic.writeRule(ruleArn, action);
        },
        async targetHealth(targetGroupArn) {
          await called("ElbDescribe", 1);
          return traffic.targetHealth(targetGroupArn);
        },
        async findMainRules(query) {
          // Load balancer and listeners where it is named, then rules and their tags; more rules than a page has are not counted.
          await called("ElbDescribe", "arn" in query.listener ? 2 : 4);
          return traffic.findMainRules(query);
        },
      },
      alarms: {
        async describe(alarmNames) {
          await called("DescribeAlarms", batchesOf(alarmNames, 100));
          return alarms.describe(alarmNames);
        },
        async values(alarmNames, range) {
          await called("DescribeAlarms", batchesOf(alarmNames, 100));
          // An alarm's queries stay in one call.
          await called("GetMetricData", batchesOf(alarmNames, Math.floor(500 / queriesPerAlarm)));
          return alarms.values(alarmNames, range);
        },
        async setState(alarmName, state, reason) {
          await called("SetAlarmState", 1);
          await alarms.setState(alarmName, state, reason);
        },
      },
      metrics: {
        async requestSums(queries, range) {
          await called("GetMetricData", Math.ceil(queries.length / 500));
          return metrics.requestSums(queries, range);
        },
        async statistics(queries, range) {
          await called("GetMetricData", Math.ceil(queries.length / 500));
          return metrics.statistics(queries, range);
        },
      },
    },
  };
}
