/**
 * The state CloudWatch gives a metric alarm, from its settings and its newest points (D1, E4).
 *
 * Written to the CloudWatch user guide, "Using Amazon CloudWatch alarms", section "Configuring how CloudWatch alarms treat
 * missing data" (awsdocs/amazon-cloudwatch-user-guide, doc_source/AlarmThatSendsEmail.md, text of 2023-06): its two five-row
 * tables are the oracle. Where prose and tables differ the tables win: the rule against premature transitions, read as prose,
 * would call `0 - X - -` an ALARM for 2 of 3, the table says OK, so it is applied only where every real point is breaching.
 */
import { evaluationRange } from "./alarms.ts";

export const comparisonOperators = [
  "GreaterThanThreshold",
  "GreaterThanOrEqualToThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
] as const;
export type ComparisonOperator = (typeof comparisonOperators)[number];

export const missingDataTreatments = ["missing", "ignore", "breaching", "notBreaching"] as const;
export type MissingDataTreatment = (typeof missingDataTreatments)[number];

export const alarmStateValues = ["OK", "ALARM", "INSUFFICIENT_DATA"] as const;
export type AlarmStateValue = (typeof alarmStateValues)[number];

/** What decides an alarm's state, besides its points. */
export interface AlarmSettings {
  /** N: how many points are judged. Range: 1 and up, whole. */
  readonly evaluationPeriods: number;
  /** M: how many of them must be breaching. Range: 1 to N, whole. */
  readonly datapointsToAlarm: number;
  /** In the metric's unit. */
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  readonly treatMissingData: MissingDataTreatment;
}

/** A point that is no number: a metric either has a value or has no point. */
export class UnusablePointError extends Error {
  override readonly name = "UnusablePointError";

  constructor(index: number, value: number) {
    super(`points[${index}]: not a finite number, got ${value}; expected a finite number, or null for a missing point`);
  }
}

/** Settings that no alarm can have. */
export class UnusableAlarmSettingsError extends Error {
  override readonly name = "UnusableAlarmSettingsError";
}

/** Whether one value is on the bad side of the threshold. */
export function isBreaching(comparison: ComparisonOperator, threshold: number, value: number): boolean {
  switch (comparison) {
    case "GreaterThanThreshold":
      return value > threshold;
    case "GreaterThanOrEqualToThreshold":
      return value >= threshold;
    case "LessThanThreshold":
      return value < threshold;
    case "LessThanOrEqualToThreshold":
      return value <= threshold;
    default: {
      const unknown: never = comparison;
      throw new UnusableAlarmSettingsError(
        `comparison: not a comparison operator, got ${String(unknown)}; expected one of ${comparisonOperators.join(", ")}`,
      );
    }
  }
}

function refuseUnusable(settings: AlarmSettings): void {
  const { evaluationPeriods, datapointsToAlarm, threshold } = settings;
  if (!Number.isInteger(evaluationPeriods) || evaluationPeriods < 1) {
    throw new UnusableAlarmSettingsError(
      `evaluationPeriods: not a count, got ${evaluationPeriods}; expected a whole number from 1`,
    );
  }
  if (!Number.isInteger(datapointsToAlarm) || datapointsToAlarm < 1 || datapointsToAlarm > evaluationPeriods) {
    throw new UnusableAlarmSettingsError(
      `datapointsToAlarm: out of range, got ${datapointsToAlarm}; expected a whole number from 1 to ${evaluationPeriods}`,
    );
  }
  if (!Number.isFinite(threshold)) {
    throw new UnusableAlarmSettingsError(`threshold: not a finite number, got ${threshold}; expected a finite number`);
  }
}

/**
 * The state after one evaluation. Allocates nothing: the rehearsal calls it a million times.
 *
 * Shape: `points` oldest first, `null` for a missing one; the last `evaluationRange(evaluationPeriods)` are looked at, and
 * where there are fewer the older ones count as missing.
 * Assumes, where the guide is silent: under `missing`, breaching points alone that are too few and too young for ALARM
 * (`- - - - X`, 3 of 3) leave the state as it is, since the guide says only that such an alarm "does not go immediately into
 * ALARM state".
 *
 * @throws UnusablePointError when a point in the range is NaN or infinite
 * @throws UnusableAlarmSettingsError when the settings are no alarm's
 */
export function evaluateAlarm(
  settings: AlarmSettings,
  points: readonly (number | null)[],
  current: AlarmStateValue,
): AlarmStateValue {
  refuseUnusable(settings);
  const { evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData } = settings;
  const oldestIndex = Math.max(0, points.length - evaluationRange(evaluationPeriods));

  let realCount = 0;
  let breachingCount = 0;
  // 1 for the newest place in the range; the guide's "at least as old as M" counts places, missing ones too.
  let oldestBreachingAge = 0;
  for (let index = points.length - 1; index >= oldestIndex; index -= 1) {
    const point = points[index] ?? null;
    if (point === null) continue;
    if (!Number.isFinite(point)) throw new UnusablePointError(index, point);
    if (realCount === evaluationPeriods) continue; // enough newer points; older ones are only checked for being numbers
    realCount += 1;
    if (isBreaching(comparison, threshold, point)) {
      breachingCount += 1;
      oldestBreachingAge = points.length - index;
    }
  }

  if (breachingCount >= datapointsToAlarm) return "ALARM";
  if (realCount === evaluationPeriods) return "OK";

  const filledCount = evaluationPeriods - realCount;
  switch (treatMissingData) {
    case "notBreaching":
      return "OK";
    case "breaching":
      return breachingCount + filledCount >= datapointsToAlarm ? "ALARM" : "OK";
    case "missing":
      if (realCount === 0) return "INSUFFICIENT_DATA";
      if (breachingCount < realCount) return "OK";
      return oldestBreachingAge >= datapointsToAlarm ? "ALARM" : current;
    case "ignore":
      // Both tables: a good point decides, breaching points alone or nothing at all do not.
      return breachingCount < realCount ? "OK" : current;
    default: {
      const unknown: never = treatMissingData;
      throw new UnusableAlarmSettingsError(
        `treatMissingData: unknown treatment, got ${String(unknown)}; expected one of ${missingDataTreatments.join(", ")}`,
      );
    }
  }
}
