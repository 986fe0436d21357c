/**
 * Ports in memory, for the decision core alone: no Pulumi, no traffic model. Every call passes through `onCall`, where a test
 * may crash it or let another action go first.
 */

import type { FlagPercents } from "../../core/flag-document.ts";
import type { PageMessage } from "../../core/page-message.ts";
import type { HistoryEntry, Page, RolloutRecord } from "../../core/record.ts";
import type { AlarmValues, Snapshot } from "../../core/snapshot.ts";
import {
  type AlarmState,
  type DrillState,
  type ForwardAction,
  type Ports,
  RevisionConflictError,
  type StatisticQuery,
  type TargetHealth,
} from "../../hooks/ports.ts";
import { silentTelemetry } from "../../hooks/telemetry.ts";

export type OnCall = (call: string) => Promise<void>;

type Statistics = (query: StatisticQuery, periodSeconds: number) => number | undefined;

/** Every release alike and in order: 3,000 requests a minute, no error, 40 ms. */
export const healthyStatistics: Statistics = ({ metricName, statistic }, periodSeconds) => {
  if (statistic !== "Sum") return metricName === "TargetResponseTime" ? 0.04 : 40;
  return metricName === "RequestCount" || metricName === "Requests" ? 50 * periodSeconds : 0;
};

export class MemoryCloud {
  nowMs: number;
  readonly rules = new Map<string, ForwardAction>();
  readonly health = new Map<string, TargetHealth>();
  readonly alarms = new Map<string, AlarmState>();
  /** What the flag documents say, by AppConfig application. */
  readonly flags = new Map<string, FlagPercents>();
  /** Thrown by every write of a flag. */
  flagFailure: Error | undefined;
  readonly records = new Map<string, string>();
  readonly heartbeats = new Map<string, number>();
  readonly history: HistoryEntry[] = [];
  readonly pages: Page[] = [];
  readonly resolved: Page[] = [];
  /** All of them as people got them. */
  readonly messages: PageMessage[] = [];
  readonly snapshots = new Map<string, Snapshot>();
  drill: DrillState | undefined;
  /** What the alarms' expressions came to, by alarm name; none: the alarm has no points. */
  readonly alarmValues = new Map<string, AlarmValues>();
  readonly alarmStatesSet: { readonly alarmName: string; readonly state: string }[] = [];
  /** What every point of a metric's statistic comes to; `undefined`: it has none. */
  statistics: Statistics = healthyStatistics;
  /** Requests a minute of each query id. */
  requestsPerMinute: Record<string, number> = { baseline: 3_000, canary: 3_000, reported: 3_000 };
  /** Thrown by every read of the record. */
  recordFailure: Error | undefined;
  /** Every write of a main rule, in order: who wrote which weights. */
  readonly ruleWrites: {
    readonly by: string;
    readonly weights: Readonly<Record<string, number>>;
    readonly at: number;
    readonly seq: number;
  }[] = [];
  /** Every record as it was written, in order. */
  readonly recordWrites: {
    readonly by: string;
    readonly record: RolloutRecord;
    readonly at: number;
    readonly seq: number;
  }[] = [];
  /** The service that the rules are tagged for. */
  private readonly owner = "checkout";
  /** Other regions by name, each with records of its own. */
  readonly peers = new Map<string, MemoryCloud>();
  /** Peers that do not answer. */
  readonly silentPeers = new Set<string>();
  private seq = 0;
  private ids = 0;

  constructor(
    nowMs: number,
    readonly region = "eu-west-1",
  ) {
    this.nowMs = nowMs;
  }

  read(service: string): RolloutRecord | undefined {
    const text = this.records.get(service);
    return text === undefined ? undefined : (JSON.parse(text) as RolloutRecord);
  }

  /** The records of another region, as one that answers has them. */
  private peer(region: string): Ports["records"] {
    const peer = this.peers.get(region);
    if (!peer || this.silentPeers.has(region)) throw new Error(`no answer from ${region}`);
    return peer.ports(`peer of ${region}`).records;
  }

  /** @param by who calls: `up …`, `hook`, `person` */
  ports(by: string, onCall: OnCall = async () => {}): Ports {
    const call = async <T>(name: string, act: () => T): Promise<T> => {
      await onCall(`${name} before`);
      const result = act();
      await onCall(`${name} after`);
      return result;
    };
    const callPeer = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
      await onCall(`${name} before`);
      const result = await act();
      await onCall(`${name} after`);
      return result;
    };
    return {
      clock: {
        now: () => this.nowMs,
        sleep: async (milliseconds) => {
          this.nowMs += milliseconds;
        },
      },
      newId: () => `id-${++this.ids}`,
      telemetry: silentTelemetry,
      elsewhere: {},
      flags: {
        read: (place) =>
          call("flags", () => {
            const percents = this.flags.get(place.applicationId) ?? {};
            return { percents, mostPercents: percents };
          }),
        write: (place, percents) =>
          call("write flags", () => {
            if (this.flagFailure) throw this.flagFailure;
            this.flags.set(place.applicationId, { ...percents });
          }),
      },
      peers: {
        read: (region, service) => callPeer(`read peer ${region}`, () => this.peer(region).read(service)),
        write: (region, record, expected) =>
          callPeer(`write peer ${region}`, () => this.peer(region).write(record, expected)),
        appendHistory: (region, service, entries) =>
          callPeer(`history of peer ${region}`, () => this.peer(region).appendHistory(service, entries)),
      },
      place: { environment: "dev", region: this.region, runbookBase: "docs/runbooks" },
      pager: {
        send: (message) =>
          call("page", () => {
            this.messages.push(message);
            (message.page.action === "resolve" ? this.resolved : this.pages).push(message.page);
            return { deliveredTo: ["memory"], failed: [] };
          }),
      },
      alarms: {
        describe: (names) => call("alarms", () => names.flatMap((name) => this.alarms.get(name) ?? [])),
        values: (names) => call("values", () => names.flatMap((name) => this.alarmValues.get(name) ?? [])),
        setState: (alarmName, state) => call("set alarm", () => void this.alarmStatesSet.push({ alarmName, state })),
      },
      metrics: {
        statistics: (queries, range) =>
          call("metrics", () =>
            Object.fromEntries(
              queries.map((query) => {
                const points: { at: number; value: number }[] = [];
                const step = range.periodSeconds * 1_000;
                const value = this.statistics(query, range.periodSeconds);
                for (let at = Math.floor(range.from / step) * step; at + step <= range.to; at += step) {
                  if (value !== undefined) points.push({ at, value });
                }
                return [query.id, points];
              }),
            ),
          ),
        requestSums: (queries, range) =>
          call("metrics", () =>
            Object.fromEntries(
              queries.map((query) => {
                const points: { at: number; sum: number }[] = [];
                const step = range.periodSeconds * 1_000;
                const perMinute = this.requestsPerMinute[query.id] ?? 0;
                for (let at = Math.floor(range.from / step) * step; at + step <= range.to; at += step) {
                  if (perMinute > 0) points.push({ at, sum: (perMinute * range.periodSeconds) / 60 });
                }
                return [query.id, points];
              }),
            ),
          ),
      },
      traffic: {
        readRules: (arns) =>
          call("rules", () =>
            Object.fromEntries(
              arns.flatMap((arn) => {
                const action = this.rules.get(arn);
                return action ? [[arn, structuredClone(action)]] : [];
              }),
            ),
          ),
        writeRule: (arn, action) => call("write rule", () => this.writeRule(by, arn, action)),
        targetHealth: (arn) =>
          call("health", () => {
            const health = this.health.get(arn);
            if (!health) throw new Error(`TargetGroupNotFound: ${arn}`);
            return { ...health };
          }),
        findMainRules: (query) =>
          call("find rules", () =>
            query.service === this.owner ? [...this.rules.keys()].filter((arn) => arn.endsWith("main")) : [],
          ),
      },
      records: {
        read: (service) =>
          call("read record", () => {
            if (this.recordFailure) throw this.recordFailure;
            return this.read(service);
          }),
        write: (record, expected) =>
          call("write record", () => {
            const stored = this.read(record.service);
            if (stored?.revision !== expected) {
              throw new RevisionConflictError(`${record.service}: revision ${stored?.revision}, expected ${expected}`);
            }
            this.records.set(record.service, JSON.stringify(record));
            this.recordWrites.push({ by, record: structuredClone(record), at: this.nowMs, seq: this.seq++ });
          }),
        list: () => call("list", () => [...this.records.keys()].sort()),
        appendHistory: (_service, entries) => call("history", () => void this.history.push(...entries)),
        history: () => call("read history", () => [...this.history]),
        readHeartbeat: (service) => call("read heartbeat", () => this.heartbeats.get(service)),
        writeHeartbeat: (service, at) => call("heartbeat", () => void this.heartbeats.set(service, at)),
        writeSnapshot: (snapshot) =>
          call("write snapshot", () => void this.snapshots.set(`${snapshot.service}/${snapshot.id}`, snapshot)),
        readSnapshot: (service, id) => call("read snapshot", () => this.snapshots.get(`${service}/${id}`)),
        readDrill: () => call("read drill", () => this.drill),
        writeDrill: (state) =>
          call("write drill", () => {
            this.drill = state;
          }),
      },
    };
  }

  writeRule(by: string, arn: string, action: ForwardAction): void {
    this.rules.set(arn, structuredClone(action));
    if (arn.endsWith("main")) {
      this.ruleWrites.push({ by, weights: { ...action.weights }, at: this.nowMs, seq: this.seq++ });
    }
  }
}
