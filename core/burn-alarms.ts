/**
 * Burn-rate rules as CloudWatch alarms, as plain data (D1): two alarms for each pair of windows, and a composite that asks for both.
 *
 * The budget is the whole service's, so an alarm counts over all releases that it watches. Each looks at one period as long as its window,
 * which CloudWatch slides on by the minute.
 */
import { measured } from "./alarm-metrics.ts";
import { type AlarmShape, overfull } from "./alarms.ts";
import type { BurnRule } from "./burn-rate.ts";
import type { Indicator, MetricSource, Severity } from "./objectives.ts";
import { type Measure, measureOf, type TargetKind } from "./watch-rules.ts";

/** One window of one pair. */
export interface BurnAlarm extends AlarmShape {
  /** `burn/availability/1h/long`. */
  readonly key: string;
  readonly severity: Severity;
  readonly rule: BurnRule;
  readonly window: "long" | "short";
}

/**
 * Longest that an alarm may look back. Unit: seconds. Source: CloudWatch API reference, PutMetricAlarm, Period, read 2026-11: period times
 * evaluation periods at most seven days, and one day with periods under an hour.
 */
export const longestWindowSeconds = { shortPeriods: 86_400, longPeriods: 604_800 } as const;

/** Whether CloudWatch takes a window. */
export function fitsCloudWatch(periodSeconds: number, evaluationPeriods: number): boolean {
  const most = periodSeconds < 3_600 ? longestWindowSeconds.shortPeriods : longestWindowSeconds.longPeriods;
  return periodSeconds * evaluationPeriods <= most;
}

/** Errors of a service, whatever its promise is called. */
const errors: Indicator = "error-rate";

/**
 * The two alarms of one pair.
 * @param targets what is behind each release that is watched
 * @throws RangeError where CloudWatch would refuse one; `overfullBurn` says so beforehand
 */
export function burnAlarmsOf(rule: BurnRule, source: MetricSource, targets: readonly TargetKind[]): BurnAlarm[] {
  const problem = overfullBurn(rule, source, targets);
  if (problem !== undefined) throw new RangeError(problem);
  return (["long", "short"] as const).map((window): BurnAlarm => {
    const periodSeconds = window === "long" ? rule.longSeconds : rule.shortSeconds;
    if (!fitsCloudWatch(periodSeconds, 1)) {
      throw new RangeError(
        `alarm ${rule.key}/${window}: looks back too far, got ${periodSeconds} s; expected at most ${longestWindowSeconds.longPeriods} s`,
      );
    }
    return {
      key: `${rule.key}/${window}`,
      severity: rule.severity,
      rule,
      window,
      ...together(rule, source, targets),
      threshold: rule.thresholdPercent,
      comparison: "GreaterThanThreshold",
      periodSeconds,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      treatMissingData: "notBreaching",
    };
  });
}

/** Why CloudWatch would refuse the alarms of a pair; `undefined`: it would not. */
export function overfullBurn(rule: BurnRule, source: MetricSource, targets: readonly TargetKind[]): string | undefined {
  return overfull(rule.key, together(rule, source, targets));
}

/** Errors of all releases over requests of all releases. */
function together(
  { requestFloor, errorFloor }: BurnRule,
  source: MetricSource,
  targets: readonly TargetKind[],
): Pick<AlarmShape, "metrics" | "expressions"> {
  const valued = targets.map((target, release) => {
    const measure: Measure = measureOf(errors, source, target);
    return measured(measure, source, { release });
  });
  const metrics = valued.flatMap((one) => one.metrics);
  const counts = valued.flatMap(({ counted }) => counted ?? []);
  const parts = metrics.map(({ id }) => id).filter((id) => !counts.includes(id));
  const floors = [
    ...(requestFloor > 0 ? [`allRequests >= ${requestFloor}`] : []),
    ...(errorFloor > 0 ? [`allErrors >= ${errorFloor}`] : []),
  ];
  const ratio = "100 * allErrors / allRequests";
  return {
    metrics,
    expressions: [
      { id: "allRequests", expression: counts.join(" + ") },
      { id: "allErrors", expression: `${parts.join(" + ")} + 0 * allRequests` },
      { id: "rate", expression: floors.length === 0 ? ratio : `IF(${floors.join(" AND ")}, ${ratio}, 0)` },
    ],
  };
}
