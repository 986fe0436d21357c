/**
 * Watch rules as CloudWatch alarms, as plain data (D1, B3, B8, B9). `SloAlarms` and `ServiceAlarms` declare exactly these; the record carries
 * what the hook must know of them.
 *
 * No `FILL`: the newest minutes of a load balancer arrive late, and a filled point is a good point, so a filled expression
 * would hide every breach behind two good minutes. Missing errors become 0 by arithmetic instead (docs/decisions/0002).
 */
import { type Computed, computedOf } from "./alarm-expressions.ts";
import type { Indicator, MetricSource, Objective, Response, Severity } from "./objectives.ts";
import {
  hostTargets,
  type RuleContext,
  releaseRules,
  serviceRules,
  type TargetKind,
  type WatchRule,
  watchedIn,
} from "./watch-rules.ts";

export type { AlarmMetric } from "./alarm-metrics.ts";

/** What CloudWatch has to know of an alarm, whatever it is for. */
export interface AlarmShape extends Computed {
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: "notBreaching" | "breaching" | "ignore" | "missing";
}

/** One alarm of one watch rule. */
export interface AlarmSpec extends AlarmShape {
  /** Unique in the release: `error-rate/critical/60s`. */
  readonly key: string;
  readonly objective: string;
  readonly indicator: Indicator;
  readonly severity: Severity;
  readonly response: Response;
  /** What it watches, in words of no system. */
  readonly rule: WatchRule;
  /** Fewest requests in a period for the alarm to speak. */
  readonly requestFloor: number;
  /** Fewest errors in a period for a ratio to count; 0 where errors are not counted. */
  readonly errorFloor: number;
}

/**
 * How late a source's points are. Unit: seconds.
 * Source: docs.datadoghq.com/integrations/guide/cloud-metric-delay (about two minutes for one-minute CloudWatch metrics), read
 * 2026-11; EMF lines are written every 10 s by the process itself and ingested within seconds (assumed 10). Prometheus: a scrape of 15 s
 * and a rule evaluated every 10 s (assumed 30). Datadog: its agent flushes every 10 s, a monitor looks
 * 60 s back and is evaluated every minute (assumed 130 together); its crawler of CloudWatch, 10 to 12 min late, is not what these monitors read.
 */
export const sourceDelaySeconds: Readonly<Record<MetricSource, number>> = {
  alb: 120,
  emf: 10,
  prometheus: 30,
  datadog: 130,
};

/** Most metrics that the expression of an alarm may read. Source: CloudWatch guide, "Create a CloudWatch alarm based on a metric math expression", read 2026-11. */
export const maximumAlarmMetrics = 10;

/** CloudWatch looks back further than the evaluation periods when points are missing; published: 5 for 3 periods. */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + 2;
}

/** How often CloudWatch evaluates an alarm. Unit: seconds. Source: CloudWatch guide, 2023-06. */
export function evaluationIntervalSeconds(periodSeconds: number): number {
  return periodSeconds < 60 ? 10 : 60;
}

/** How late a rule's points are: hosts are counted by the load balancer, whatever else is measured where. Unit: seconds. */
export function delaySeconds(indicator: Indicator, source: MetricSource): number {
  return sourceDelaySeconds[indicator === "healthy-hosts" ? "alb" : source];
}

/** After a lowering, this long until no retrievable point can be from before it. Unit: seconds. */
export function settleSeconds(
  alarm: Pick<AlarmSpec, "periodSeconds" | "evaluationPeriods" | "indicator">,
  source: MetricSource,
): number {
  return evaluationRange(alarm.evaluationPeriods) * alarm.periodSeconds + delaySeconds(alarm.indicator, source);
}

/**
 * One rule as an alarm.
 * @param targets what is behind each live release, for rules of the whole service
 * @throws RangeError where it would read more metrics than CloudWatch lets an alarm read; `overfullAlarms` says so beforehand
 */
export function alarmOf(
  rule: WatchRule,
  source: MetricSource,
  targets: readonly TargetKind[] = [hostTargets],
): AlarmSpec {
  const { key, objective, indicator, severity, response, requestFloor, errorFloor } = rule;
  const computed = computedOf(rule, source, targets);
  const problem = overfull(key, computed);
  if (problem !== undefined) throw new RangeError(problem);
  return {
    key,
    objective,
    indicator,
    severity,
    response,
    rule,
    ...computed,
    periodSeconds: rule.periodSeconds,
    evaluationPeriods: rule.evaluationPeriods,
    datapointsToAlarm: rule.datapointsToAlarm,
    treatMissingData: "notBreaching",
    requestFloor,
    errorFloor,
  };
}

/** Why CloudWatch would refuse an alarm; `undefined`: it would not. */
export function overfull(key: string, { metrics }: Pick<Computed, "metrics">): string | undefined {
  return metrics.length <= maximumAlarmMetrics
    ? undefined
    : `alarm ${key}: reads too many metrics, got ${metrics.length}; expected at most ${maximumAlarmMetrics}. ` +
        "Watch fewer releases at once: leave the control out";
}

/** Objectives that cannot be watched on these targets, whatever the source: nobody counts hosts that nobody checks. */
export function uncounted(objectives: readonly Objective[], target: TargetKind): Objective[] {
  return target.hasHealthChecks ? [] : objectives.filter(({ indicator }) => indicator === "healthy-hosts");
}

/**
 * The CloudWatch alarms that watch one release; they depend on what is behind its target group, and of a canary also on its wave.
 * Rules that another system watches (`prometheus`, `datadog`) are not among them.
 */
export function alarmsFor(
  objectives: readonly Objective[],
  source: MetricSource,
  target: TargetKind = hostTargets,
  canary?: RuleContext["canary"],
): AlarmSpec[] {
  return releaseRules(objectives, source, { target, ...(canary ? { canary } : {}) })
    .filter((rule) => watchedIn(rule, source) === "cloudwatch")
    .map((rule) => alarmOf(rule, source));
}

/** The service's rules in CloudWatch. */
function serviceWatch(
  objectives: readonly Objective[],
  source: MetricSource,
  targets: readonly TargetKind[],
): readonly WatchRule[] {
  const target = targets.find(({ hasHealthChecks }) => hasHealthChecks) ?? targets[0] ?? hostTargets;
  return serviceRules(objectives, source, target).filter((rule) => watchedIn(rule, source) === "cloudwatch");
}

/**
 * The CloudWatch alarms that watch a service as a whole and tell people.
 * @param targets what is behind each release that is watched, in the order of `AlarmMetric.release`
 * @throws RangeError as `alarmOf` does
 */
export function serviceAlarmsFor(
  objectives: readonly Objective[],
  source: MetricSource,
  targets: readonly TargetKind[],
): AlarmSpec[] {
  return serviceWatch(objectives, source, targets).map((rule) => alarmOf(rule, source, targets));
}

/** Alarms of a service that CloudWatch would refuse for all they read, in words; empty: none. */
export function overfullAlarms(
  objectives: readonly Objective[],
  source: MetricSource,
  targets: readonly TargetKind[],
): string[] {
  return serviceWatch(objectives, source, targets).flatMap(
    (rule) => overfull(rule.key, computedOf(rule, source, targets)) ?? [],
  );
}

/**
 * How many of the live releases the alarms of a whole service can watch together: all where they fit, never fewer than `least`, which is
 * refused where even those do not.
 * @param targets what is behind each, those with traffic first
 * @param problemsWith reasons against watching these
 */
export function mostTogether(
  targets: readonly TargetKind[],
  least: number,
  problemsWith: (targets: readonly TargetKind[]) => readonly string[],
): number {
  for (let count = targets.length; count > least; count -= 1) {
    if (problemsWith(targets.slice(0, count)).length === 0) return count;
  }
  return Math.min(least, targets.length);
}
