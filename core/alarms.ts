/**
 * Objectives to alarms: which CloudWatch alarms watch an objective on a source, as plain data (D1, B3, B8, B9).
 * `SloAlarms` declares exactly these; the record carries what the hook must know of them.
 *
 * No `FILL`: the newest minutes of a load balancer arrive late, and a filled point is a good point, so a filled expression
 * would hide every breach behind two good minutes. Missing errors become 0 by arithmetic instead (docs/decisions/0002).
 */
import {
  defaultErrorFloor,
  defaultRequestFloor,
  type Indicator,
  type MetricSource,
  type Objective,
  type Response,
  type Severity,
  severities,
  splitByMeasurability,
} from "./objectives.ts";

/** A metric an alarm reads. Dimensions name what the component resolves: ARN suffixes exist only when deployed. */
export interface AlarmMetric {
  readonly id: string;
  readonly namespace: "AWS/ApplicationELB" | "Tidegate";
  readonly metricName: string;
  readonly dimensions: "target-group-and-load-balancer" | "service-and-release";
  /** A CloudWatch statistic: `Sum`, `Minimum`, `p95`. */
  readonly statistic: string;
}

/** What is behind a target group, as far as its metrics differ. */
export interface TargetKind {
  readonly isLambda: boolean;
  /** Whether the load balancer checks health: always, save for Lambda targets, which come without. */
  readonly hasHealthChecks: boolean;
}

/** Instances and IP addresses. */
export const hostTargets: TargetKind = { isLambda: false, hasHealthChecks: true };

/** One alarm of one objective, severity and window. */
export interface AlarmSpec {
  /** Unique in the release: `error-rate/critical/60s`. */
  readonly key: string;
  readonly objective: string;
  readonly indicator: Indicator;
  readonly severity: Severity;
  readonly response: Response;
  readonly metrics: readonly AlarmMetric[];
  /** Metric math; its value is compared with the threshold. Intermediate results by id. */
  readonly expressions: readonly { readonly id: string; readonly expression: string }[];
  readonly comparison: "GreaterThanThreshold" | "LessThanThreshold";
  readonly threshold: number;
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: "notBreaching" | "breaching" | "ignore" | "missing";
  /** Fewest requests in a period for the alarm to speak. */
  readonly requestFloor: number;
  /** Fewest errors in a period for a ratio to count; 0 where errors are not counted. */
  readonly errorFloor: number;
}

/**
 * How late a source's points are. Unit: seconds.
 * Source: docs.datadoghq.com/integrations/guide/cloud-metric-delay (about two minutes for one-minute CloudWatch metrics), read
 * 2026-11; EMF lines are written every 10 s by the process itself and ingested within seconds (assumed 10).
 */
export const sourceDelaySeconds: Readonly<Record<MetricSource, number>> = { alb: 120, emf: 10 };

/** CloudWatch looks back further than the evaluation periods when points are missing; published: 5 for 3 periods. */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + 2;
}

/** How often CloudWatch evaluates an alarm. Unit: seconds. Source: CloudWatch guide, 2023-06. */
export function evaluationIntervalSeconds(periodSeconds: number): number {
  return periodSeconds < 60 ? 10 : 60;
}

/** After a lowering, this long until no retrievable point can be from before it. Unit: seconds. */
export function settleSeconds(
  alarm: Pick<AlarmSpec, "periodSeconds" | "evaluationPeriods">,
  source: MetricSource,
): number {
  return evaluationRange(alarm.evaluationPeriods) * alarm.periodSeconds + sourceDelaySeconds[source];
}

/** Samples under which CloudWatch itself calls a percentile low on data: 10 / (1 - p). Source: CloudWatch guide, 2023-06. */
export function percentileSampleFloor(percentile: number): number {
  return Math.ceil(1_000 / (100 - percentile));
}

interface Window {
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
}

/** Long windows look at two: the newest is cut short by late data, the one before is whole. */
const fiveMinutes: Window = { periodSeconds: 300, evaluationPeriods: 2, datapointsToAlarm: 1 };
const oneMinuteTwoOfThree: Window = { periodSeconds: 60, evaluationPeriods: 3, datapointsToAlarm: 2 };
const tenSecondsTwice: Window = { periodSeconds: 10, evaluationPeriods: 2, datapointsToAlarm: 2 };

function statedWindow(windowSeconds: number): Window {
  return windowSeconds >= 300
    ? { periodSeconds: windowSeconds, evaluationPeriods: 2, datapointsToAlarm: 1 }
    : { periodSeconds: windowSeconds, evaluationPeriods: 1, datapointsToAlarm: 1 };
}

/** A small share of the traffic is seen only in a long window, a large one is seen fast: ratios are watched in both. */
function ratioWindows(source: MetricSource): Window[] {
  return source === "emf" ? [tenSecondsTwice, oneMinuteTwoOfThree, fiveMinutes] : [oneMinuteTwoOfThree, fiveMinutes];
}

const albDimensions = "target-group-and-load-balancer";
const emfDimensions = "service-and-release";

function requestMetric(source: MetricSource): AlarmMetric {
  return source === "alb"
    ? {
        id: "requests",
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        dimensions: albDimensions,
        statistic: "Sum",
      }
    : { id: "requests", namespace: "Tidegate", metricName: "Requests", dimensions: emfDimensions, statistic: "Sum" };
}

/**
 * The errors of a release: its own 5xx, and on a load balancer what came to no answer: connections that its targets refused, or runs
 * of a function that failed (there is no connection to a function).
 * Source: "CloudWatch metrics for your Application Load Balancer", ALB user guide, read 2026-11.
 */
function errorMetrics(source: MetricSource, target: TargetKind): AlarmMetric[] {
  if (source === "emf") {
    return [
      { id: "answered", namespace: "Tidegate", metricName: "Errors", dimensions: emfDimensions, statistic: "Sum" },
    ];
  }
  const count = (id: string, metricName: string): AlarmMetric => ({
    id,
    namespace: "AWS/ApplicationELB",
    metricName,
    dimensions: albDimensions,
    statistic: "Sum",
  });
  const answered = count("answered", "HTTPCode_Target_5XX_Count");
  return target.isLambda
    ? [answered, count("failed", "LambdaUserError"), count("unrun", "LambdaInternalError")]
    : [answered, count("unanswered", "TargetConnectionErrorCount")];
}

function latencyMetric(source: MetricSource, percentile: number): AlarmMetric {
  return source === "alb"
    ? {
        id: "latency",
        namespace: "AWS/ApplicationELB",
        metricName: "TargetResponseTime",
        dimensions: albDimensions,
        statistic: `p${percentile}`,
      }
    : {
        id: "latency",
        namespace: "Tidegate",
        metricName: "Latency",
        dimensions: emfDimensions,
        statistic: `p${percentile}`,
      };
}

const percentiles: Partial<Record<Indicator, number>> = { "latency-p50": 50, "latency-p95": 95, "latency-p99": 99 };

function alarmsOfBound(
  objective: Objective,
  severity: Severity,
  source: MetricSource,
  target: TargetKind,
): AlarmSpec[] {
  const bound = objective[severity];
  if (!bound) return [];
  const requestFloor = objective.minimumRequests ?? defaultRequestFloor;
  const errorFloor = objective.minimumErrors ?? defaultErrorFloor;
  const spec = (
    window: Window,
    rest: Pick<AlarmSpec, "metrics" | "expressions" | "comparison" | "threshold" | "requestFloor"> & {
      errorFloor?: number;
    },
  ): AlarmSpec => ({
    key: `${objective.name}/${severity}/${window.periodSeconds}s`,
    objective: objective.name,
    indicator: objective.indicator,
    severity,
    response: bound.response,
    ...window,
    treatMissingData: "notBreaching",
    errorFloor: 0,
    ...rest,
  });

  switch (objective.indicator) {
    case "error-rate":
    case "availability": {
      const windows = bound.windowSeconds ? [statedWindow(bound.windowSeconds)] : ratioWindows(source);
      const sum = errorMetrics(source, target)
        .map((metric) => metric.id)
        .join(" + ");
      // `0 * requests` lends the sparse error metrics the timestamps of the requests: arithmetic reads a missing point as 0.
      const expressions = [
        { id: "errors", expression: `${sum} + 0 * requests` },
        {
          id: "rate",
          expression: `IF(requests >= ${requestFloor} AND errors >= ${errorFloor}, 100 * errors / requests, 0)`,
        },
      ];
      const threshold = objective.indicator === "availability" ? roundTo(100 - bound.value, 6) : bound.value;
      return windows.map((window) =>
        spec(window, {
          metrics: [requestMetric(source), ...errorMetrics(source, target)],
          expressions,
          comparison: "GreaterThanThreshold",
          threshold,
          requestFloor,
          errorFloor,
        }),
      );
    }
    case "latency-p50":
    case "latency-p95":
    case "latency-p99": {
      const percentile = percentiles[objective.indicator] ?? 99;
      const floor = Math.max(requestFloor, percentileSampleFloor(percentile));
      const window = statedWindow(bound.windowSeconds ?? 300);
      const toMilliseconds = source === "alb" ? "1000 * latency" : "latency";
      return [
        spec(window, {
          metrics: [requestMetric(source), latencyMetric(source, percentile)],
          expressions: [{ id: "milliseconds", expression: `IF(requests >= ${floor}, ${toMilliseconds}, 0)` }],
          comparison: "GreaterThanThreshold",
          threshold: bound.value,
          requestFloor: floor,
        }),
      ];
    }
    case "invariant-violations":
      return [
        spec(
          { periodSeconds: 10, evaluationPeriods: 1, datapointsToAlarm: 1 },
          {
            metrics: [
              {
                id: "violations",
                namespace: "Tidegate",
                metricName: "InvariantViolations",
                dimensions: emfDimensions,
                statistic: "Sum",
              },
            ],
            expressions: [],
            comparison: "GreaterThanThreshold",
            threshold: bound.value,
            requestFloor: 0,
          },
        ),
      ];
    case "healthy-hosts":
      return [
        spec(
          { periodSeconds: 60, evaluationPeriods: 2, datapointsToAlarm: 2 },
          {
            metrics: [
              {
                id: "hosts",
                namespace: "AWS/ApplicationELB",
                metricName: "HealthyHostCount",
                dimensions: albDimensions,
                statistic: "Minimum",
              },
            ],
            expressions: [],
            comparison: "LessThanThreshold",
            threshold: bound.value,
            requestFloor: 0,
          },
        ),
      ];
    default:
      throw new Error(`no alarm for the indicator ${objective.indicator}: splitByMeasurability keeps it out`);
  }
}

/** 100 - 99.9 is 0.09999999999999432 in binary; thresholds are read by people. */
function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Objectives that cannot be watched on these targets, whatever the source: nobody counts hosts that nobody checks. */
export function uncounted(objectives: readonly Objective[], target: TargetKind): Objective[] {
  return target.hasHealthChecks ? [] : objectives.filter(({ indicator }) => indicator === "healthy-hosts");
}

/** All alarms that watch one release, whatever its role or exposure; they depend on what is behind its target group alone. */
export function alarmsFor(
  objectives: readonly Objective[],
  source: MetricSource,
  target: TargetKind = hostTargets,
): AlarmSpec[] {
  const without = uncounted(objectives, target);
  return splitByMeasurability(objectives, source)
    .watched.filter((objective) => !without.includes(objective))
    .flatMap((objective) => severities.flatMap((severity) => alarmsOfBound(objective, severity, source, target)));
}
