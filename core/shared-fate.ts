/**
 * Whether a breach is the release's own, or a dependency failing for both releases alike (B10): then taking traffic away helps
 * nobody, and whoever owns the dependency has to be told.
 *
 * Judged on what the very same alarm came to for both releases, point by point. To begin with, whatever cannot be compared is the
 * release's own; a canary that is spared already stays so through a look that cannot tell, but never longer than `sparedMilliseconds`.
 */

import { parseAlarmName } from "./naming.ts";
import type { Indicator } from "./objectives.ts";
import type { Breach, Instant, RolloutRecord, WatchedAlarm } from "./record.ts";
import type { AlarmValues } from "./snapshot.ts";
import { waveObjective } from "./watch-rules.ts";

/**
 * Most that the canary may be worse than the baseline and still count as failing alike; a ratio. Two releases behind one broken
 * dependency differ by chance: at ten errors a period by a third either way, at the four from which a short window may speak by half. Half as bad again is
 * beyond that for a release with more than the least traffic, and well under twice as bad, where the promotion gate fails a release.
 */
export const alikeFactor = 1.5;

/**
 * For how long a shared breach spares the canary. Unit: milliseconds. A canary that itself wears out what both depend on looks just the
 * same, and only taking its traffic away tells; half an hour is what the dependency's owner has before that is found out.
 */
export const sparedMilliseconds = 30 * 60_000;

/**
 * Bad points older than this say nothing of now. Unit: milliseconds. The newest whole point began a period before its own end, the next one
 * comes a period later, and both are late: 2 x 300 s (the longest period in use) + 120 s (the slowest source) + 60 s (an evaluation).
 */
const staleMilliseconds = 13 * 60_000;

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

/**
 * The canary's alarm and the baseline's own one for the same promise, as far as both exist; the control's while it has a share, since the
 * baseline's own group may have no traffic then.
 */
export function alarmPairs(
  record: RolloutRecord,
  breach: Pick<Breach, "digest" | "objective" | "severity">,
): { readonly own: WatchedAlarm; readonly baseline: WatchedAlarm | undefined }[] {
  const keyOf = (alarm: WatchedAlarm) => parseAlarmName(alarm.alarmName)?.alarmKey;
  // Names that are not ours have no key, and two without a key have nothing in common.
  const areTwins = (one: WatchedAlarm, other: WatchedAlarm) =>
    keyOf(one) !== undefined && keyOf(one) === keyOf(other) && one.objective === other.objective;
  const controlIsBusy = (record.control?.sharePercent ?? 0) > 0;
  const isControls = ({ alarmName }: WatchedAlarm) =>
    record.control !== undefined && parseAlarmName(alarmName)?.releaseKey === record.control.releaseKey;
  return record.alarms
    .filter(
      (alarm) =>
        alarm.digest === breach.digest && alarm.objective === breach.objective && alarm.severity === breach.severity,
    )
    .map((own) => ({
      own,
      baseline: record.alarms.find(
        (other) => other.digest === record.baseline && areTwins(own, other) && isControls(other) === controlIsBusy,
      ),
    }));
}

type Pair = ReturnType<typeof alarmPairs>[number];

/**
 * A fixed bound of one wave, which the baseline is never watched for. What is measured beside the baseline is another matter: that it speaks
 * says that the canary is the worse one.
 */
function hasNoTwin({ own, baseline }: Pair): boolean {
  const fixed = [waveObjective(own.indicator), waveObjective(own.indicator, "previous-wave")];
  return baseline === undefined && own.atPercents !== undefined && fixed.includes(own.objective);
}

/**
 * Who speaks for such an alarm: those of the same release that watch the same indicator, speak just now and have a twin. Where there are none,
 * nothing can be compared, and the breach is the release's own.
 */
function standIns(record: RolloutRecord, own: WatchedAlarm, speaking: ReadonlySet<string>): Pair[] {
  const found = record.alarms
    .filter(
      ({ alarmName, digest, indicator, atPercents }) =>
        speaking.has(alarmName) && digest === own.digest && indicator === own.indicator && atPercents === undefined,
    )
    .flatMap((alarm) => alarmPairs(record, alarm))
    .filter((pair) => speaking.has(pair.own.alarmName) && pair.baseline !== undefined);
  return found.length > 0 ? found : [{ own, baseline: undefined }];
}

/**
 * Whether a breach of the canary is shared by the baseline.
 *
 * To begin to spare the canary, one alarm that speaks must say so and none may be in doubt. Once it is spared, which is bounded, only an
 * alarm that says otherwise ends it: a judgement taken anew every minute from a few points would end it by chance.
 * @param isSpared whether a hold for it stands already
 */
export function isShared(
  record: RolloutRecord,
  breach: Breach,
  speaking: ReadonlySet<string>,
  values: readonly AlarmValues[],
  now: Instant,
  isSpared = false,
): boolean {
  if (breach.disableAnyway || breach.digest === record.baseline) return false;
  const pairs = alarmPairs(record, breach);
  if (pairs.length === 0) return false;
  const valuesOf = (alarm: WatchedAlarm | undefined) =>
    values.find((candidate) => candidate.alarmName === alarm?.alarmName);
  const verdicts = pairs
    .filter(({ own }) => speaking.has(own.alarmName))
    .flatMap((pair) => (hasNoTwin(pair) ? standIns(record, pair.own, speaking) : [pair]))
    .map(({ own, baseline }) =>
      spoilable.has(own.indicator) && baseline ? compare(valuesOf(own), valuesOf(baseline), now, isSpared) : "own",
    );
  if (verdicts.includes("own")) return false;
  return isSpared || (verdicts.includes("alike") && !verdicts.includes("unknown"));
}

/**
 * What one alarm's points say. `abstains`: nothing to compare yet; a long window speaks on points of the running period, which its own
 * expression answers only when the period is over, and a shorter one beside it has to decide.
 */
type Verdict = "alike" | "own" | "unknown" | "abstains";

function compare(
  own: AlarmValues | undefined,
  baseline: AlarmValues | undefined,
  now: Instant,
  isSpared: boolean,
): Verdict {
  if (!own || !baseline) return "unknown";
  const bad = own.points.filter((point) => isBad(own, point.value) && now - point.at <= staleMilliseconds);
  if (bad.length === 0) return "abstains";
  const beside = (points: AlarmValues["points"]) =>
    points.map((point) => baseline.points.find((other) => other.at === point.at)?.value);
  const newest = bad.slice(-comparedPoints);
  const besideNewest = beside(newest);
  const isGood = (value: number | undefined) => value !== undefined && !isBad(baseline, value);
  if (isSpared ? besideNewest.every(isGood) : besideNewest.some(isGood)) return "own";
  if (besideNewest.some((value) => value === undefined || isGood(value))) return "unknown";
  const judged = isSpared ? bad.filter((_, index) => beside(bad)[index] !== undefined) : newest;
  const ownBadness = sum(judged.map((point) => badness(own, point.value)));
  const baselineBadness = sum(beside(judged).map((value) => badness(baseline, value ?? 0)));
  return ownBadness <= alikeFactor * baselineBadness ? "alike" : "own";
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
