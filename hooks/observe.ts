/** Reads everything one decision needs. What cannot be read is absent from the observation, never guessed. */

import { releaseKey } from "../core/naming.ts";
import type { Observation } from "../core/observation.ts";
import type { RolloutRecord } from "../core/record.ts";
import { groupsOf, sharesOf } from "../core/traffic-shares.ts";
import { visibilityOf, visibilityWindow } from "../core/visibility.ts";
import type { ForwardAction, Ports, RequestQuery, TargetHealth } from "./ports.ts";

/** What was seen, with the raw rules for the writes that may follow. */
export interface Seen {
  readonly observation: Observation;
  readonly rules: Readonly<Record<string, ForwardAction>> | undefined;
  /** What could not be read, and why. */
  readonly failures: readonly string[];
  /** Why rules or alarms could not be read; without them nothing was looked at, and the heartbeat must not say so. */
  readonly blindness: readonly unknown[];
}

export async function observe(ports: Ports, record: RolloutRecord): Promise<Seen> {
  const failures: string[] = [];
  const blindness: unknown[] = [];
  const attempt = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      if (what === "rules" || what === "alarms") blindness.push(error);
      return undefined;
    }
  };
  const watched = record.rules.filter((rule) => rule.role !== "anchor").map((rule) => rule.arn);
  const rules = await attempt("rules", () => ports.traffic.readRules(watched));
  const alarms = await attempt("alarms", () => ports.alarms.describe(record.alarms.map((alarm) => alarm.alarmName)));
  const health = await readHealth(ports, record, attempt);
  // Metrics that cannot be read are metrics that are missing: the blind clock runs.
  const visibility = (await attempt("metrics", () => readVisibility(ports, record))) ?? "all-missing";
  return { observation: { live: liveOf(record, rules), alarms, health, visibility }, rules, failures, blindness };
}

/** The live traffic of a service: its main rules, which move together; where they differ, the most anyone has counts. */
export function liveOf(
  record: RolloutRecord,
  rules: Readonly<Record<string, ForwardAction>> | undefined,
): Observation["live"] {
  if (!rules) return undefined;
  const mains = record.rules.filter((rule) => rule.role === "main");
  const shares: Record<string, number> = {};
  const strangers = new Set<string>();
  for (const main of mains) {
    const action = rules[main.arn];
    if (!action) continue;
    const live = sharesOf(action.weights, groupsOf(record));
    for (const arn of live.unknownTargetGroupArns) strangers.add(arn);
    for (const [digest, percent] of Object.entries(live.shares))
      shares[digest] = Math.max(shares[digest] ?? 0, percent);
  }
  if (mains.every((main) => rules[main.arn] === undefined)) return undefined;
  return { shares, unknownTargetGroupArns: [...strangers] };
}

async function readHealth(
  ports: Ports,
  record: RolloutRecord,
  attempt: <T>(what: string, read: () => Promise<T>) => Promise<T | undefined>,
): Promise<Record<string, TargetHealth>> {
  const health: Record<string, TargetHealth> = {};
  const digests = [record.baseline, record.canary?.digest, record.previous?.digest];
  for (const digest of digests) {
    const release = digest === undefined ? undefined : record.releases[digest];
    if (!release || digest === undefined) continue;
    const read = await attempt(`health of ${release.version}`, () =>
      ports.traffic.targetHealth(release.targetGroupArn),
    );
    if (read) health[digest] = read;
  }
  return health;
}

async function readVisibility(ports: Ports, record: RolloutRecord): Promise<Observation["visibility"]> {
  const canary = record.canary;
  if (!canary || canary.exposurePercent === 0) return "not-looked";
  const window = visibilityWindow(canary.exposedSince ?? canary.waveOpenedAt, ports.clock.now());
  if (!window) return "not-looked";
  const queries = requestQueries(record, canary.digest);
  const sums = await ports.metrics.requestSums(queries, { ...window, periodSeconds: 60 });
  const total = (id: string) => {
    const points = sums[id] ?? [];
    return points.length === 0 ? undefined : points.reduce((sum, point) => sum + point.sum, 0);
  };
  return visibilityOf({
    baselineRequests: total("baseline"),
    canaryRequests: total("canary"),
    canaryReported: total(record.source === "emf" ? "reported" : "canary"),
    exposurePercent:
      window.from >= canary.waveOpenedAt
        ? canary.exposurePercent
        : Math.min(canary.exposurePercent, canary.openedFromPercent ?? canary.exposurePercent),
  });
}

/** The request counts of a rollout: baseline and canary as the load balancer counts them, and the canary's own report. */
export function requestQueries(record: RolloutRecord, canaryDigest: string): RequestQuery[] {
  const onLoadBalancer = (id: string, digest: string): RequestQuery[] => {
    const release = record.releases[digest];
    if (!release) return [];
    return [
      {
        id,
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        dimensions: { TargetGroup: release.targetGroupArnSuffix, LoadBalancer: record.loadBalancerArnSuffix },
      },
    ];
  };
  const canary = record.releases[canaryDigest];
  return [
    ...onLoadBalancer("baseline", record.baseline),
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
