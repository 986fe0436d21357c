/**
 * Reads everything one decision needs. What cannot be read is absent from the observation, never guessed. Hosts and alarm values are
 * read only where something is breached: a quiet service costs three calls, and those are shared by all services of a run.
 */

import { grantedControlPercent } from "../core/control.ts";
import { messageOf } from "../core/error-message.ts";
import { splitOf, withFlag } from "../core/flag-watch.ts";
import { releaseKey } from "../core/naming.ts";
import { loweringResponses } from "../core/objectives.ts";
import type { LiveFlags, Observation } from "../core/observation.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import { alarmPairs } from "../core/shared-fate.ts";
import type { AlarmValues } from "../core/snapshot.ts";
import { groupsOf, sharesOf } from "../core/traffic-shares.ts";
import { visibilityOf, visibilityWindow } from "../core/visibility.ts";
import { portOf, readStates, systemOf } from "./alarm-states.ts";
import type { AlarmState, ForwardAction, Ports, RequestQuery, TargetHealth, WatchElsewhere } from "./ports.ts";

/** What was seen, with the raw rules for the writes that may follow. */
export interface Seen {
  readonly observation: Observation;
  readonly rules: Readonly<Record<string, ForwardAction>> | undefined;
  readonly alarmStates: readonly AlarmState[] | undefined;
  /** What could not be read, and why. */
  readonly failures: readonly string[];
  /** Why rules or alarms could not be read; without them nothing was looked at, and the heartbeat must not say so. */
  readonly blindness: readonly unknown[];
  /** Of the last minutes; absent: not exposed, or not measured. Unit: percent. */
  readonly canaryErrorRatePercent?: number;
}

/** What was read for many services at once; anything absent is read for the service alone. */
export interface ReadAhead {
  readonly rules?: Readonly<Record<string, ForwardAction>>;
  readonly alarms?: readonly AlarmState[];
  /** Sums by query id, where ids are `<service>/<id>`, over the window of this very instant. */
  readonly sums?: Awaited<ReturnType<Ports["metrics"]["requestSums"]>>;
}

/** Values over this long are compared and kept in snapshots. Unit: milliseconds. Three of the longest alarm periods in use. */
export const valuesMilliseconds = 15 * 60_000;

type Attempt = <T>(what: string, read: () => Promise<T>) => Promise<T | undefined>;

export async function observe(ports: Ports, record: RolloutRecord, ahead: ReadAhead = {}): Promise<Seen> {
  const failures: string[] = [];
  const blindness: unknown[] = [];
  const attempt: Attempt = async (what, read) => {
    try {
      return await read();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
      if (what === "rules" || what === "flags") blindness.push(error);
      return undefined;
    }
  };
  const { split } = record;
  const [rules, read, counted, flags] = await Promise.all([
    ahead.rules ?? attempt("rules", () => ports.traffic.readRules(watchedRules(record))),
    readStates(ports, record.alarms, ahead.alarms),
    attempt("metrics", () => readCounts(ports, record, ahead)),
    split && attempt("flags", () => ports.flags.read(split)),
  ]);
  for (const { system, error } of read.failures) {
    const what = system === "cloudwatch" ? "alarms" : `alarms in ${system}`;
    failures.push(`${what}: ${messageOf(error)}`);
    blindness.push(error);
  }
  // One system that does not answer hides nothing of what another one says; none that answers is nothing seen.
  const alarms = read.failures.length > 0 && read.states.length === 0 ? undefined : read.states;
  // Metrics that cannot be read are metrics that are missing: the blind clock runs.
  const visibility = counted?.visibility ?? "all-missing";
  const isQuiet =
    alarms !== undefined &&
    read.unread.length === 0 &&
    !alarms.some((alarm) => alarm.state === "ALARM") &&
    Object.keys(record.breaches).length === 0 &&
    visibility !== "canary-missing";
  const [[health, values], controlHealth] = await Promise.all([
    isQuiet
      ? ([{}, undefined] as const)
      : Promise.all([readHealth(ports, record, attempt), readValues(ports, record, alarms, attempt)]),
    readControlHealth(ports, record, attempt),
  ]);
  return {
    observation: {
      live: liveExposureOf(record, rules, flags, ports.clock.now()),
      ...(flags ? { flags } : {}),
      alarms,
      ...(alarms === undefined || read.unread.length === 0 ? {} : { unreadAlarms: read.unread }),
      ...(values === undefined ? {} : { values }),
      health,
      ...(controlHealth ? { controlHealth } : {}),
      visibility,
    },
    rules,
    alarmStates: alarms,
    failures,
    blindness,
    ...(counted?.canaryErrorRatePercent === undefined
      ? {}
      : { canaryErrorRatePercent: counted.canaryErrorRatePercent }),
  };
}

/** The rules that carry users or testers; the anchor's weights say nothing. */
export function watchedRules(record: RolloutRecord): string[] {
  return record.rules.filter((rule) => rule.role !== "anchor").map((rule) => rule.arn);
}

/**
 * What the releases of a service are exposed to: its live weights with the flag in them, where there is one.
 * @param flags `undefined`: not read, and taken for what the record grants
 */
export function liveExposureOf(
  record: RolloutRecord,
  rules: Readonly<Record<string, ForwardAction>> | undefined,
  flags: LiveFlags | undefined,
  now: number,
): Observation["live"] {
  const weights = liveOf(record, rules);
  return weights && withFlag(record, weights, flags, now);
}

/** The live weights of a service: its main rules, which move together; where they differ, the most anyone has counts. */
export function liveOf(
  record: RolloutRecord,
  rules: Readonly<Record<string, ForwardAction>> | undefined,
): Observation["live"] {
  if (!rules) return undefined;
  const mains = record.rules.filter((rule) => rule.role === "main");
  const shares: Record<string, number> = {};
  let controlPercent = 0;
  const strangers = new Set<string>();
  for (const main of mains) {
    const action = rules[main.arn];
    if (!action) continue;
    const live = sharesOf(action.weights, groupsOf(record), record.control);
    controlPercent = Math.max(controlPercent, live.controlPercent ?? 0);
    for (const arn of live.unknownTargetGroupArns) strangers.add(arn);
    for (const [digest, percent] of Object.entries(live.shares))
      shares[digest] = Math.max(shares[digest] ?? 0, percent);
  }
  if (mains.every((main) => rules[main.arn] === undefined)) return undefined;
  return { shares, unknownTargetGroupArns: [...strangers], ...(controlPercent > 0 ? { controlPercent } : {}) };
}

export async function readHealth(
  ports: Ports,
  record: RolloutRecord,
  attempt: Attempt,
): Promise<Record<string, TargetHealth>> {
  const health: Record<string, TargetHealth> = {};
  const digests = new Set([record.baseline, record.canary?.digest, record.previous?.digest]);
  await Promise.all(
    [...digests].map(async (digest) => {
      const release = digest === undefined ? undefined : record.releases[digest];
      if (!release || digest === undefined) return;
      const read = await attempt(`health of ${release.version}`, () =>
        ports.traffic.targetHealth(release.targetGroupArn),
      );
      if (read) health[digest] = read;
    }),
  );
  return health;
}

/** Its hosts are watched by no alarm: a call a minute, for as long as it may have a share. */
async function readControlHealth(
  ports: Ports,
  record: RolloutRecord,
  attempt: Attempt,
): Promise<TargetHealth | undefined> {
  const { control } = record;
  if (!control || grantedControlPercent(record, ports.clock.now()) === 0) return undefined;
  return attempt("health of the control", () => ports.traffic.targetHealth(control.targetGroupArn));
}

/** What the canary's speaking alarms came to, and the baseline's same ones; nothing to compare where none speaks. */
async function readValues(
  ports: Ports,
  record: RolloutRecord,
  alarms: readonly AlarmState[] | undefined,
  attempt: Attempt,
): Promise<readonly AlarmValues[] | undefined> {
  const canary = record.canary?.digest;
  const speaking = new Set((alarms ?? []).filter((alarm) => alarm.state === "ALARM").map((alarm) => alarm.alarmName));
  const names = record.alarms
    .filter(
      (alarm) => alarm.digest === canary && speaking.has(alarm.alarmName) && loweringResponses.has(alarm.response),
    )
    .flatMap((alarm) => alarmPairs(record, alarm))
    .flatMap(({ own, baseline }) => [own, ...(baseline ? [baseline] : [])])
    // Only CloudWatch tells values; without them nothing is shared (B10), and the release is lowered.
    .filter((alarm) => systemOf(alarm) === "cloudwatch")
    .map((alarm) => alarm.alarmName);
  if (names.length === 0) return undefined;
  const to = ports.clock.now();
  return attempt("values", () => ports.alarms.values([...new Set(names)], { from: to - valuesMilliseconds, to }));
}

interface Counted {
  readonly visibility: Observation["visibility"];
  readonly canaryErrorRatePercent?: number;
}

async function readCounts(ports: Ports, record: RolloutRecord, ahead: ReadAhead): Promise<Counted> {
  const canary = record.canary;
  const wanted = countQueries(record, ports.clock.now());
  if (!canary || !wanted) return { visibility: "not-looked" };
  const known = wanted.queries.map(({ id }) => [id, ahead.sums?.[`${record.service}/${id}`]] as const);
  const sums: ReadAhead["sums"] = known.every(([, points]) => points !== undefined)
    ? Object.fromEntries(known.map(([id, points]) => [id, points ?? []]))
    : await ports.metrics.requestSums(wanted.queries, { ...wanted.window, periodSeconds: 60 });
  const total = (id: string) => {
    const points = sums?.[id] ?? [];
    return points.length === 0 ? undefined : points.reduce((sum, point) => sum + point.sum, 0);
  };
  const elsewhere = await reportedElsewhere(ports, record, canary.digest, wanted.window);
  const canaryRequests = elsewhere ? elsewhere.requests : total(record.source === "emf" ? "reported" : "canary");
  const visibility = visibilityOf({
    baselineRequests: sumOf(total("baseline"), total("control")),
    canaryRequests: servedAs(record, total("canary")),
    canaryReported: canaryRequests,
    exposurePercent:
      wanted.window.from >= canary.waveOpenedAt
        ? canary.exposurePercent
        : Math.min(canary.exposurePercent, canary.openedFromPercent ?? canary.exposurePercent),
  });
  return {
    visibility,
    // Errors are published only when there are some.
    ...(canaryRequests === undefined || canaryRequests === 0
      ? {}
      : { canaryErrorRatePercent: (100 * ((elsewhere ? elsewhere.errors : total("errors")) ?? 0)) / canaryRequests }),
  };
}

/** Of what its processes got, what they served as the canary: the flag is off for the others, who are reported as the baseline's. */
function servedAs(record: RolloutRecord, requests: number | undefined): number | undefined {
  return requests === undefined || splitOf(record)?.by !== "flag"
    ? requests
    : (requests * committedPercent(record)) / 100;
}

/** `undefined` only where neither has a point. */
function sumOf(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0);
}

/**
 * What a release reported to another system than CloudWatch; `undefined`: its source is CloudWatch.
 * @throws NotWiredError where the environment has no way there
 */
export async function reportedElsewhere(
  ports: Pick<Ports, "elsewhere">,
  record: RolloutRecord,
  digest: string,
  window: { readonly from: number; readonly to: number },
): Promise<Awaited<ReturnType<WatchElsewhere["reported"]>> | undefined> {
  const { source, environment, service } = record;
  if (source !== "prometheus" && source !== "datadog") return undefined;
  const release = record.releases[digest];
  if (!release) return { requests: undefined, errors: undefined };
  return portOf(ports, source, "what releases report").reported({
    environment,
    service,
    releaseKey: releaseKey(release),
    ...window,
  });
}

/** The counts that one look at an exposed canary needs, and their window; `undefined` while there is nothing to count. */
export function countQueries(record: RolloutRecord, now: number) {
  const canary = record.canary;
  if (!canary || committedPercent(record) === 0) return undefined;
  const window = visibilityWindow(canary.exposedSince ?? canary.waveOpenedAt, now);
  return (
    window && { window, queries: [...requestQueries(record, canary.digest), ...errorQuery(record, canary.digest)] }
  );
}

/** The request counts of a rollout: baseline and canary as the load balancer counts them, and the canary's own report. */
export function requestQueries(record: RolloutRecord, canaryDigest: string): RequestQuery[] {
  const onLoadBalancer = (id: string, digest: string): RequestQuery[] => {
    const release = record.releases[digest];
    return release ? [inGroup(id, release)] : [];
  };
  const inGroup = (id: string, { targetGroupArnSuffix }: { readonly targetGroupArnSuffix: string }): RequestQuery => ({
    id,
    namespace: "AWS/ApplicationELB",
    metricName: "RequestCount",
    dimensions: { TargetGroup: targetGroupArnSuffix, LoadBalancer: record.loadBalancerArnSuffix },
  });
  const canary = record.releases[canaryDigest];
  return [
    ...onLoadBalancer("baseline", record.baseline),
    // The baseline's as well: from 50 % on, all that the baseline has.
    ...(record.control?.digest === record.baseline ? [inGroup("control", record.control)] : []),
    ...onLoadBalancer("canary", canaryDigest),
    ...(record.source === "emf" && canary
      ? [
          {
            id: "reported",
            namespace: "Tidegate" as const,
            metricName: "Requests" as const,
            dimensions: { Service: record.service, Release: releaseKey(canary) },
          },
        ]
      : []),
  ];
}

/** The canary's errors from the service's own source, for the hook's metrics. */
function errorQuery(record: RolloutRecord, canaryDigest: string): RequestQuery[] {
  const canary = record.releases[canaryDigest];
  if (!canary) return [];
  return record.source === "emf"
    ? [
        {
          id: "errors",
          namespace: "Tidegate",
          metricName: "Errors",
          dimensions: { Service: record.service, Release: releaseKey(canary) },
        },
      ]
    : [
        {
          id: "errors",
          namespace: "AWS/ApplicationELB",
          metricName: "HTTPCode_Target_5XX_Count",
          dimensions: { TargetGroup: canary.targetGroupArnSuffix, LoadBalancer: record.loadBalancerArnSuffix },
        },
      ];
}
