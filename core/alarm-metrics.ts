/**
 * What CloudWatch calls the signals of a release, and how one measure is put together of them.
 *
 * Arithmetic between metrics reads a missing point as 0, and a division by 0 drops the point (CloudWatch guide, "Using math expressions with
 * CloudWatch metrics", read 2026-11). So errors that nobody published are none, and a release without requests has no ratio.
 */
import type { MetricSource } from "./objectives.ts";
import { cloudWatchName, type ReportedSignal, reportedNamespace, reportedSignals, type Signal } from "./signals.ts";
import type { Measure } from "./watch-rules.ts";

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

/** Metric math by id, in the order in which it builds up. */
export type Expressions = readonly { readonly id: string; readonly expression: string }[];

/** The value of a measure for one release: its metrics, and the expressions that lead to it. */
export interface Valued {
  readonly metrics: readonly AlarmMetric[];
  readonly expressions: Expressions;
  /** The value as an expression; often an id alone. */
  readonly value: string;
  /** Id of the requests or of a ratio's whole, which floors look at; absent: there are no floors. */
  readonly counted?: string;
  /** Id of a ratio's part. */
  readonly part?: string;
}

/** How the ids of one of an alarm's releases are told from those of the others. */
export interface Place {
  readonly release: number;
  /** In front of the name, of a release that another is compared with. @default the release's number behind it, none for the first */
  readonly prefix?: string;
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

/** The load balancer measures in seconds, everybody else in milliseconds. */
const latencyScale = "1000 * ";

const statistics = { mean: "Average", maximum: "Maximum", minimum: "Minimum" } as const;

function idOf(signal: Signal, place: Place): string {
  return placed(ids[signal] ?? signal.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), place);
}

/** An id of one release: `requests`, `requests1`, `baselineRequests`. */
export function placed(id: string, { release, prefix }: Place): string {
  if (prefix !== undefined) return `${prefix}${id.charAt(0).toUpperCase()}${id.slice(1)}`;
  return release === 0 ? id : `${id}${release}`;
}

function isReported(signal: Signal): signal is ReportedSignal {
  return signal in reportedSignals;
}

/** One signal as CloudWatch has it: the load balancer's metric where the source is `alb` or nobody else knows it. */
export function metricOf(signal: Signal, source: MetricSource, place: Place, statistic = "Sum"): AlarmMetric {
  const id = idOf(signal, place);
  const { release } = place;
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

/** One measure of one release. */
export function measured(measure: Measure, source: MetricSource, place: Place): Valued {
  const named = (signal: Signal, statistic?: string): AlarmMetric => metricOf(signal, source, place, statistic);
  switch (measure.kind) {
    case "ratio":
      return ratioOf(measure, named, place);
    case "quotient": {
      const [part, whole] = [named(measure.part), named(measure.whole)];
      return { metrics: [whole, part], expressions: [], value: `${part.id} / ${whole.id}` };
    }
    case "percentile": {
      const counted = named("requests");
      const latency = named("latency", `p${measure.percentile}`);
      const scale = latency.namespace === "AWS/ApplicationELB" ? latencyScale : "";
      return {
        metrics: [counted, latency],
        expressions: [],
        value: `${scale}${latency.id}`,
        counted: counted.id,
      };
    }
    case "sum": {
      const metrics = measure.signals.map((signal) => named(signal));
      return { metrics, expressions: [], value: metrics.map(({ id }) => id).join(" + ") };
    }
    case "gauge": {
      const metric = named(measure.signal, statistics[measure.statistic]);
      return { metrics: [metric], expressions: [], value: metric.id };
    }
  }
}

function ratioOf(
  { part, whole }: Extract<Measure, { kind: "ratio" }>,
  named: (signal: Signal) => AlarmMetric,
  place: Place,
): Valued {
  const wholes = whole.map((signal) => named(signal));
  const parts = part.map((signal) => named(signal));
  const metrics = [...wholes, ...parts.filter(({ id }) => !wholes.some((other) => other.id === id))];
  const [only, ...more] = wholes;
  const isBare = only !== undefined && more.length === 0;
  const counted = isBare ? only.id : placed("counted", place);
  const sums = isBare ? [] : [{ id: counted, expression: wholes.map(({ id }) => id).join(" + ") }];
  const partId = placed(part.includes("errors") ? "errors" : "part", place);
  // `0 * requests` lends the sparse part the timestamps of the whole: arithmetic reads a missing point as 0.
  const partSum = { id: partId, expression: `${parts.map(({ id }) => id).join(" + ")} + 0 * ${counted}` };
  return {
    metrics,
    expressions: [...sums, partSum],
    value: `100 * ${partId} / ${counted}`,
    counted,
    part: partId,
  };
}
