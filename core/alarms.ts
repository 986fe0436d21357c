/**
 * Watch rules as CloudWatch alarms, as plain data (D1, B3, B8, B9). `SloAlarms` and `ServiceAlarms` declare exactly these; the record carries
 * what the hook must know of them.
 *
 * No `FILL`: the newest minutes of a load balancer arrive late, and a filled point is a good point, so a filled expression
 * would hide every breach behind two good minutes. Missing errors become 0 by arithmetic instead (docs/decisions/0002).
 */
import type { Indicator, MetricSource, Objective, Response, Severity } from "./objectives.ts";
import { cloudWatchName, type ReportedSignal, reportedNamespace, reportedSignals, type Signal } from "./signals.ts";
import {
  hostTargets,
  type Measure,
  type RuleContext,
  releaseRules,
  serviceRules,
  type TargetKind,
  type WatchRule,
  watchedIn,
} from "./watch-rules.ts";

/** A metric an alarm reads. Dimensions name what the component resolves: ARN suffixes exist only when deployed. */
export interface AlarmMetric {
  readonly id: string;
  readonly namespace: "AWS/ApplicationELB" | typeof reportedNamespace;
  readonly metricName: string;
  readonly dimensions: "target-group-and-load-balancer" | "service-and-release";
  /** A CloudWatch statistic: `Sum`, `Minimum`, `p95`. */
  readonly statistic: string;
  /** Which of the alarm's releases: 0 is the release itself, or the first live one; further ones are what it is compared or put together with. */
  readonly release: number;
}

/** One alarm of one watch rule. */
export interface AlarmSpec {
  /** Unique in the release: `error-rate/critical/60s`. */
  readonly key: string;
  readonly objective: string;
  readonly indicator: Indicator;
  readonly severity: Severity;
  readonly response: Response;
  /** What it watches, in words of no system. */
  readonly rule: WatchRule;
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
 * 2026-11; EMF lines are written every 10 s by the process itself and ingested within seconds (assumed 10). Prometheus: a scrape of 15 s
 * and a rule evaluated every 10 s (assumed 30). Datadog: its agent flushes every 10 s, a monitor is evaluated every minute (assumed 60); its
 * crawler of CloudWatch, 10 to 12 min late, is not what these monitors read.
 */
export const sourceDelaySeconds: Readonly<Record<MetricSource, number>> = {
  alb: 120,
  emf: 10,
  prometheus: 30,
  datadog: 60,
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

/** After a lowering, this long until no retrievable point can be from before it. Unit: seconds. */
export function settleSeconds(
  alarm: Pick<AlarmSpec, "periodSeconds" | "evaluationPeriods">,
  source: MetricSource,
): number {
  return evaluationRange(alarm.evaluationPeriods) * alarm.periodSeconds + sourceDelaySeconds[source];
}

interface Named {
  readonly id: string;
  readonly signal: Signal;
  readonly statistic?: string;
}

/**
 * Source of the load balancer's names: "CloudWatch metrics for your Application Load Balancer", ALB user guide, read 2026-11.
 */
const onBalancer: Partial<Record<Signal, string>> = {
  requests: "RequestCount",
  errors: "HTTPCode_Target_5XX_Count",
  latency: "TargetResponseTime",
  "connection-errors": "TargetConnectionErrorCount",
  "failed-runs": "LambdaUserError",
  "refused-runs": "LambdaInternalError",
  "healthy-hosts": "HealthyHostCount",
};

/** Short ids for expressions that people read in the console. */
const ids: Partial<Record<Signal, string>> = {
  errors: "answered",
  "connection-errors": "unanswered",
  "failed-runs": "failed",
  "refused-runs": "unrun",
  "healthy-hosts": "hosts",
  "invariant-violations": "violations",
};

function idOf(signal: Signal): string {
  return ids[signal] ?? signal.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function isReported(signal: Signal): signal is ReportedSignal {
  return signal in reportedSignals;
}

function metricOf({ id, signal, statistic = "Sum" }: Named, source: MetricSource, release: number): AlarmMetric {
  const balancerName = onBalancer[signal];
  if (balancerName !== undefined && (source === "alb" || !isReported(signal))) {
    return {
      id,
      namespace: "AWS/ApplicationELB",
      metricName: balancerName,
      dimensions: "target-group-and-load-balancer",
      statistic,
      release,
    };
  }
  if (!isReported(signal)) throw new Error(`no metric for the signal ${signal}`);
  return {
    id,
    namespace: reportedNamespace,
    metricName: cloudWatchName(signal),
    dimensions: "service-and-release",
    statistic,
    release,
  };
}

/** The value of a rule's measure for one release: its metrics, and the expressions that lead to `value`. */
interface Valued {
  readonly metrics: readonly AlarmMetric[];
  readonly expressions: AlarmSpec["expressions"];
  /** Id of the value. */
  readonly value: string;
  /** Id of the metric of requests or of a ratio's whole, which floors look at; absent: there are no floors. */
  readonly counted?: string;
  /** Id of a ratio's part. */
  readonly part?: string;
}

const statistics = { mean: "Average", maximum: "Maximum", minimum: "Minimum" } as const;

/** `MAX` of a plain name and its place: ids of the first release are bare. */
function suffixed(id: string, release: number, prefix: string): string {
  if (release === 0) return id;
  return prefix === "" ? `${id}${release}` : `${prefix}${id.charAt(0).toUpperCase()}${id.slice(1)}`;
}

function measured(measure: Measure, source: MetricSource, release: number, prefix: string): Valued {
  const named = (signal: Signal, statistic?: string): AlarmMetric =>
    metricOf(
      { id: suffixed(idOf(signal), release, prefix), signal, ...(statistic === undefined ? {} : { statistic }) },
      source,
      release,
    );
  const id = (name: string) => suffixed(name, release, prefix);
  switch (measure.kind) {
    case "ratio": {
      const whole = measure.whole.map((signal) => named(signal));
      const part = measure.part.map((signal) => named(signal));
      const metrics = [...whole, ...part.filter((metric) => !whole.some((other) => other.id === metric.id))];
      const isBare = whole.length === 1;
      const counted = isBare ? (whole[0]?.id ?? "") : id("counted");
      const sums = isBare ? [] : [{ id: counted, expression: whole.map((metric) => metric.id).join(" + ") }];
      // `0 * requests` lends the sparse error metrics the timestamps of the requests: arithmetic reads a missing point as 0.
      const partId = id("errors");
      const partSum = { id: partId, expression: `${part.map((metric) => metric.id).join(" + ")} + 0 * ${counted}` };
      return {
        metrics,
        expressions: [...sums, partSum],
        value: `100 * ${partId} / ${counted}`,
        counted,
        part: partId,
      };
    }
    case "quotient": {
      const [part, whole] = [named(measure.part), named(measure.whole)];
      return { metrics: [whole, part], expressions: [], value: `${part.id} / ${whole.id}` };
    }
    case "percentile": {
      const counted = named("requests");
      const latency = named("latency", `p${measure.percentile}`);
      return {
        metrics: [counted, latency],
        expressions: [],
        value: latency.namespace === "AWS/ApplicationELB" ? `1000 * ${latency.id}` : latency.id,
        counted: counted.id,
      };
    }
    case "sum": {
      const metrics = measure.signals.map((signal) => named(signal));
      return { metrics, expressions: [], value: metrics.map((metric) => metric.id).join(" + ") };
    }
    case "gauge": {
      const metric = named(measure.signal, statistics[measure.statistic]);
      return { metrics: [metric], expressions: [], value: metric.id };
    }
  }
}

/** Names of results, for people who read the alarm in the console. */
function resultId(measure: Measure): string {
  if (measure.kind === "ratio") return "rate";
  return measure.kind === "percentile" ? "milliseconds" : "value";
}

/** The value that is sure not to be on the bad side, where a floor is not reached. */
function neutral(rule: WatchRule): number {
  return rule.comparison === "above" ? 0 : rule.measure.kind === "ratio" ? 100 : rule.threshold;
}

function floorsOf(rule: WatchRule, valued: Valued): string[] {
  return [
    ...(valued.counted !== undefined && rule.requestFloor > 0 ? [`${valued.counted} >= ${rule.requestFloor}`] : []),
    ...(valued.part !== undefined && rule.errorFloor > 0 ? [`${valued.part} >= ${rule.errorFloor}`] : []),
  ];
}

function guarded(rule: WatchRule, floors: readonly string[], value: string): string {
  return floors.length === 0 ? value : `IF(${floors.join(" AND ")}, ${value}, ${neutral(rule)})`;
}

/** Count of a window as count per `perSeconds`. */
function scaled(rule: WatchRule, value: string): string {
  const { measure, periodSeconds } = rule;
  if (measure.kind !== "sum" || measure.perSeconds === undefined || measure.perSeconds === periodSeconds) return value;
  return `(${value}) * ${measure.perSeconds} / ${periodSeconds}`;
}

type Watched = Pick<AlarmSpec, "metrics" | "expressions" | "threshold">;

function ownValue(rule: WatchRule, source: MetricSource): Watched {
  const valued = measured(rule.measure, source, 0, "");
  const value = scaled(rule, valued.value);
  const [only] = valued.metrics;
  // A lone metric needs no expression.
  if (only?.id === value && valued.metrics.length === 1) {
    return { metrics: valued.metrics, expressions: [], threshold: rule.threshold };
  }
  const result = { id: resultId(rule.measure), expression: guarded(rule, floorsOf(rule, valued), value) };
  return { metrics: valued.metrics, expressions: [...valued.expressions, result], threshold: rule.threshold };
}

/** The release beside its baseline in the same window; a window in which either is not measured says nothing. */
function besideBaseline(rule: WatchRule, form: "factor" | "points", source: MetricSource): Watched {
  const own = measured(rule.measure, source, 0, "");
  const other = measured(rule.measure, source, 1, "baseline");
  const metrics = [...own.metrics, ...other.metrics];
  if (own.counted === undefined || other.counted === undefined) {
    // A missing baseline drops the quotient, and the difference is made of it; a plain difference would read it as 0.
    const expression =
      form === "factor" ? `${own.value} / ${other.value}` : `${own.value} * (1 - ${other.value} / ${own.value})`;
    return {
      metrics,
      expressions: [...own.expressions, ...other.expressions, { id: "beside", expression }],
      threshold: rule.threshold,
    };
  }
  const seen = { id: "baselineCounted", expression: `${other.counted} + 0 * ${own.counted}` };
  const floors = [...floorsOf(rule, own), `baselineCounted >= ${rule.requestFloor}`];
  // Not as a quotient: a baseline without errors would divide by 0, and the point would be dropped.
  const difference =
    form === "factor" ? `${own.value} - ${rule.threshold} * (${other.value})` : `${own.value} - (${other.value})`;
  return {
    metrics,
    expressions: [
      ...own.expressions,
      ...other.expressions,
      seen,
      { id: "beside", expression: `IF(${floors.join(" AND ")}, ${difference}, 0)` },
    ],
    threshold: form === "factor" ? 0 : rule.threshold,
  };
}

/** Percent that a value grew by since the window before it. */
function growth(rule: WatchRule, source: MetricSource): Watched {
  const { metrics, expressions, value } = measured(rule.measure, source, 0, "");
  return {
    metrics,
    expressions: [...expressions, { id: "growth", expression: `100 * DIFF(${value}) / (${value} - DIFF(${value}))` }],
    threshold: rule.threshold,
  };
}

/** The worst of several live releases. */
function worstOf(rule: WatchRule, source: MetricSource, releases: number): Watched {
  if (releases === 1) return ownValue(rule, source);
  const valued = Array.from({ length: releases }, (_, release) => measured(rule.measure, source, release, ""));
  const results = valued.map((one, release) => ({
    id: suffixed(resultId(rule.measure), release, ""),
    expression: guarded(rule, floorsOf(rule, one), scaled(rule, one.value)),
  }));
  const worst = rule.comparison === "above" ? "MAX" : "MIN";
  return {
    metrics: valued.flatMap(({ metrics }) => metrics),
    expressions: [
      ...valued.flatMap(({ expressions }) => expressions),
      ...results,
      { id: "worst", expression: `${worst}([${results.map(({ id }) => id).join(", ")}])` },
    ],
    threshold: rule.threshold,
  };
}

function watchedValue(rule: WatchRule, source: MetricSource, releases: number): Watched {
  if (rule.scope === "service") return worstOf(rule, source, releases);
  switch (rule.reference?.kind) {
    case "baseline":
      return besideBaseline(rule, rule.reference.form, source);
    case "growth":
      return growth(rule, source);
    default:
      return ownValue(rule, source);
  }
}

/** One rule as an alarm. @param releases how many are live, for rules of the whole service. */
export function alarmOf(rule: WatchRule, source: MetricSource, releases = 1): AlarmSpec {
  const { key, objective, indicator, severity, response, requestFloor, errorFloor } = rule;
  return {
    key,
    objective,
    indicator,
    severity,
    response,
    rule,
    ...watchedValue(rule, source, releases),
    comparison: rule.comparison === "above" ? "GreaterThanThreshold" : "LessThanThreshold",
    periodSeconds: rule.periodSeconds,
    evaluationPeriods: rule.evaluationPeriods,
    datapointsToAlarm: rule.datapointsToAlarm,
    treatMissingData: "notBreaching",
    requestFloor,
    errorFloor,
  };
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

/** The CloudWatch alarms that watch a service as a whole and tell people. @param releases how many are live */
export function serviceAlarmsFor(
  objectives: readonly Objective[],
  source: MetricSource,
  releases: number,
  target: TargetKind = hostTargets,
): AlarmSpec[] {
  return serviceRules(objectives, source, target)
    .filter((rule) => watchedIn(rule, source) === "cloudwatch")
    .map((rule) => alarmOf(rule, source, releases));
}
