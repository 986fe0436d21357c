/**
 * Whether a breach is the release's own, or a dependency failing for both releases alike (B10): then taking traffic away helps
 * nobody, and whoever owns the dependency has to be told.
 *
 * Judged on what the very same alarm came to for both releases, point by point. Whatever cannot be compared is the release's own:
 * missing values must never keep a bad release in front of users.
 */

import { parseAlarmName } from "./naming.ts";
import type { Indicator } from "./objectives.ts";
import type { Breach, Instant, RolloutRecord, WatchedAlarm } from "./record.ts";
import type { AlarmValues } from "./snapshot.ts";

/**
 * Most that the canary may be worse than the baseline and still count as failing alike; a ratio. Two releases behind one broken
 * dependency differ by chance: at ten errors a period, the floor below which no ratio alarm speaks, by a third either way. Half as bad again is
 * beyond that for a release with more than the least traffic, and well under twice as bad, where the promotion gate fails a release.
 */
export const alikeFactor = 1.5;

/**
 * For how long a shared breach spares the canary. Unit: milliseconds. A canary that itself wears out what both depend on looks just the
 * same, and only taking its traffic away tells; half an hour is what the dependency's owner has before that is found out.
 */
export const sparedMilliseconds = 30 * 60_000;

/**
 * Bad points older than this say nothing of now. Unit: milliseconds. The longest period in use, the slowest source's delay, and one
 * evaluation: 300 + 180 + 60 s, rounded up.
 */
const staleMilliseconds = 10 * 60_000;

/** Newest bad points of the canary that must each have an equally bad one of the baseline beside them. */
const comparedPoints = 2;

/** Indicators that a dependency can spoil for both; hosts and invariants belong to the release alone. */
const spoilable: ReadonlySet<Indicator> = new Set([
  "error-rate",
  "availability",
  "success-rate",
  "latency-p50",
  "latency-p95",
  "latency-p99",
  "circuit-breaker-open",
]);

/** The canary's alarm and the baseline's own one for the same promise, as far as both exist. */
export function alarmPairs(
  record: RolloutRecord,
  breach: Pick<Breach, "digest" | "objective" | "severity">,
): { readonly own: WatchedAlarm; readonly baseline: WatchedAlarm | undefined }[] {
  const keyOf = (alarm: WatchedAlarm) => parseAlarmName(alarm.alarmName)?.alarmKey;
  // Names that are not ours have no key, and two without a key have nothing in common.
  const areTwins = (one: WatchedAlarm, other: WatchedAlarm) =>
    keyOf(one) !== undefined && keyOf(one) === keyOf(other) && one.objective === other.objective;
  return record.alarms
    .filter(
      (alarm) =>
        alarm.digest === breach.digest && alarm.objective === breach.objective && alarm.severity === breach.severity,
    )
    .map((own) => ({
      own,
      baseline: record.alarms.find((other) => other.digest === record.baseline && areTwins(own, other)),
    }));
}

/** Whether a breach of the canary is shared by the baseline. No alarm of it that speaks may say otherwise, and one must say so. */
export function isShared(
  record: RolloutRecord,
  breach: Breach,
  speaking: ReadonlySet<string>,
  values: readonly AlarmValues[],
  now: Instant,
): boolean {
  if (breach.disableAnyway || breach.digest === record.baseline) return false;
  const pairs = alarmPairs(record, breach).filter(({ own }) => speaking.has(own.alarmName));
  const valuesOf = (alarm: WatchedAlarm | undefined) =>
    values.find((candidate) => candidate.alarmName === alarm?.alarmName);
  const verdicts = pairs.map(({ own, baseline }) =>
    spoilable.has(own.indicator) ? alike(valuesOf(own), valuesOf(baseline), now) : false,
  );
  return verdicts.includes(true) && !verdicts.includes(false);
}

/**
 * `undefined`: nothing to compare yet. A long window speaks on points of the running period, which its own expression answers only when
 * the period is over; a shorter one beside it has to decide.
 */
function alike(own: AlarmValues | undefined, baseline: AlarmValues | undefined, now: Instant): boolean | undefined {
  if (!own || !baseline) return false;
  const bad = own.points
    .filter((point) => isBad(own, point.value) && now - point.at <= staleMilliseconds)
    .slice(-comparedPoints);
  if (bad.length === 0) return undefined;
  const beside = bad.map((point) => baseline.points.find((other) => other.at === point.at)?.value);
  if (beside.some((value) => value === undefined || !isBad(baseline, value))) return false;
  const ownBadness = sum(bad.map((point) => badness(own, point.value)));
  const baselineBadness = sum(beside.map((value) => badness(baseline, value ?? 0)));
  return ownBadness <= alikeFactor * baselineBadness;
}

function isBad({ badWhen, threshold }: AlarmValues, value: number): boolean {
  switch (badWhen) {
    case "above":
      return value > threshold;
    case "atLeast":
      return value >= threshold;
    case "below":
      return value < threshold;
    case "atMost":
      return value <= threshold;
  }
}

/** A number that grows as things get worse. Indicators where less is bad are percentages. */
function badness({ badWhen }: AlarmValues, value: number): number {
  return badWhen === "below" || badWhen === "atMost" ? 100 - value : value;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
