/**
 * The metrics of an OpenSLO indicator: those that Tidegate itself reads, said in the words of their source, and nothing else. A query is known
 * by writing down what ours would be and comparing: what a stranger's query means nobody here can tell.
 *
 * Queries of Prometheus have the window as sloth has it, `[{{.window}}]`.
 */
import { metricOf } from "../../core/alarm-metrics.ts";
import { type Indicator, indicators, isMeasurable, type MetricSource, metricSources } from "../../core/objectives.ts";
import { datadogName, prometheusName, type ReportedSignal, reportedSignals, type Signal } from "../../core/signals.ts";
import { measureOf } from "../../core/watch-rules.ts";
import { isMap } from "../config/problems.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Whose metrics. */
export interface Labels {
  readonly environment: string;
  readonly service: string;
}

const types: Readonly<Record<MetricSource, string>> = {
  alb: "CloudWatch",
  emf: "CloudWatch",
  prometheus: "Prometheus",
  datadog: "Datadog",
};

/** Types of data sources that metrics may come from. */
export const metricTypes = [...new Set(Object.values(types))];

function isReported(signal: Signal): signal is ReportedSignal {
  return signal in reportedSignals;
}

function counted(signals: readonly Signal[], source: MetricSource, { environment, service }: Labels): Fields {
  if (source === "prometheus" || source === "datadog") {
    const one = (signal: ReportedSignal) =>
      source === "prometheus"
        ? `sum(rate(${prometheusName(signal)}{environment="${environment}",service="${service}"}[{{.window}}]))`
        : `sum:${datadogName(signal)}{environment:${environment},service:${service}}.as_count()`;
    return { query: signals.filter(isReported).map(one).join(" + ") };
  }
  return { ...cloudWatch(signals, source, service), statistic: "Sum" };
}

function cloudWatch(signals: readonly Signal[], source: "alb" | "emf", service: string): Fields {
  const metrics = signals.map((signal) => metricOf(signal, source, { release: 0 }));
  const dimensions = source === "alb" ? ["LoadBalancer", "TargetGroup"] : { Service: service };
  return { namespace: metrics[0]?.namespace, metricNames: metrics.map(({ metricName }) => metricName), dimensions };
}

function latency(source: MetricSource, { environment, service }: Labels): Fields {
  if (source === "prometheus") {
    return { query: `${prometheusName("latency")}{environment="${environment}",service="${service}"}` };
  }
  if (source === "datadog") {
    return { query: `${datadogName("latency")}{environment:${environment},service:${service}}` };
  }
  return cloudWatch(["latency"], source, service);
}

/** The spec of an SLI for an indicator; `undefined` where OpenSLO has no way to say it or the source does not measure it. */
export function sliOf(indicator: Indicator, source: MetricSource, labels: Labels): Fields | undefined {
  if (!isMeasurable(indicator, source)) return undefined;
  const measure = measureOf(indicator, source);
  const metric = (spec: Fields) => ({ metricSource: { type: types[source], spec } });
  if (measure.kind === "percentile") return { thresholdMetric: metric(latency(source, labels)) };
  if (measure.kind !== "ratio") return undefined;
  const part = metric(counted(measure.part, source, labels));
  return {
    ratioMetric: {
      counter: source === "prometheus",
      [isBad(indicator) ? "bad" : "good"]: part,
      total: metric(counted(measure.whole, source, labels)),
    },
  };
}

/** Whether an indicator's measure counts what is bad. */
export function isBad(indicator: Indicator): boolean {
  return indicators[indicator].badSide === "above" || indicator === "availability" || indicator === "success-rate";
}

/** Indicators that OpenSLO can speak of, those first that an SLO is most likely to mean. */
export const sayable: readonly Indicator[] = [
  "availability",
  "success-rate",
  "error-rate",
  "latency-p50",
  "latency-p95",
  "latency-p99",
  "cache-hit-ratio",
  "rate-limit-reject-rate",
  "fallback-rate",
  "flag-coverage",
];

/** How many milliseconds the source's latency is counted in. */
export function latencyUnitMilliseconds(source: MetricSource): number {
  return source === "alb" ? 1_000 : 1;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1))) : inner,
  );
}

/** Drops what may be left unsaid. */
function comparable(spec: Fields): string {
  const { ratioMetric } = spec;
  if (!isMap(ratioMetric) || ratioMetric.counter !== undefined) return canonical(spec);
  return canonical({ ...spec, ratioMetric: { counter: "unsaid", ...ratioMetric } });
}

/** What an SLI's metrics are. */
export interface Recognised {
  readonly source: MetricSource;
  /** Everything that the same metrics may be called, likeliest first; of a latency every percentile. */
  readonly indicators: readonly Indicator[];
}

/** Finds out what an SLI measures; `undefined`: something else than what Tidegate reads. */
export function recognise(spec: Fields, service: string): Recognised | undefined {
  const written = JSON.stringify(spec);
  const environment = /environment(?:=\\"|:)([a-z0-9-]+)/.exec(written)?.[1] ?? "";
  const hasCounter = isMap(spec.ratioMetric) && spec.ratioMetric.counter !== undefined;
  const sought = comparable(spec);
  for (const source of metricSources) {
    const found = sayable.filter((indicator) => {
      const own = sliOf(indicator, source, { environment, service });
      if (!own) return false;
      const { ratioMetric } = own;
      const stripped = !hasCounter && isMap(ratioMetric) ? { ratioMetric: { ...ratioMetric, counter: "unsaid" } } : own;
      return canonical(stripped) === sought;
    });
    if (found.length > 0) return { source, indicators: found };
  }
  return undefined;
}
