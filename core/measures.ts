/**
 * How indicators are measured: which signals of a release make one number of a window, in words of no system. CloudWatch, Prometheus,
 * Datadog and reports all measure by this.
 */
import type { Indicator, MetricSource } from "./objectives.ts";
import { latencyBucketsMilliseconds, type Signal } from "./signals.ts";

/** What is behind a target group, as far as its metrics differ. */
export interface TargetKind {
  readonly isLambda: boolean;
  /** Whether the load balancer checks health: always, save for Lambda targets, which come without. */
  readonly hasHealthChecks: boolean;
}

/** Instances and IP addresses. */
export const hostTargets: TargetKind = { isLambda: false, hasHealthChecks: true };

/** How one number comes of the signals of one release in one window. */
export type Measure =
  /** 100 × sum of the parts / sum of the whole. Unit: percent. */
  | { readonly kind: "ratio"; readonly part: readonly Signal[]; readonly whole: readonly Signal[] }
  /** Sum of one / sum of the other; nothing where the other is 0. */
  | { readonly kind: "quotient"; readonly part: Signal; readonly whole: Signal }
  /** Unit: milliseconds. */
  | { readonly kind: "percentile"; readonly signal: "latency"; readonly percentile: number }
  /** Count in the window, scaled to so many seconds where those are given. */
  | { readonly kind: "sum"; readonly signals: readonly Signal[]; readonly perSeconds?: number }
  | { readonly kind: "gauge"; readonly signal: Signal; readonly statistic: "mean" | "maximum" | "minimum" };

/** Samples under which CloudWatch itself calls a percentile low on data: 10 / (1 - p). Source: CloudWatch guide, 2023-06. */
export function percentileSampleFloor(percentile: number): number {
  return Math.ceil(1_000 / (100 - percentile));
}

/**
 * The errors of a release: its own 5xx, and on a load balancer what came to no answer: connections that its targets refused, or runs
 * of a function that failed (there is no connection to a function).
 * Source: "CloudWatch metrics for your Application Load Balancer", ALB user guide, read 2026-11.
 */
export function errorSignals(source: MetricSource, target: TargetKind = hostTargets): Signal[] {
  if (source !== "alb") return ["errors"];
  return target.isLambda ? ["errors", "failed-runs", "refused-runs"] : ["errors", "connection-errors"];
}

/**
 * What a percentile never comes out above on a source; `undefined`: there is no such end. A percentile out of a histogram lies in one of
 * its buckets: what took longer than the last finite bound counts as that bound. Unit: milliseconds.
 * Source: `histogram_quantile`, Prometheus documentation, query functions, read 2026-11.
 */
export function mostMilliseconds(measure: Measure, source: MetricSource): number | undefined {
  return measure.kind === "percentile" && source === "prometheus" ? Math.max(...latencyBucketsMilliseconds) : undefined;
}

/** How an indicator is measured on a source. */
export function measureOf(indicator: Indicator, source: MetricSource, target: TargetKind = hostTargets): Measure {
  const ratio = (part: Signal, ...whole: Signal[]): Measure => ({ kind: "ratio", part: [part], whole });
  switch (indicator) {
    case "error-rate":
    case "success-rate":
    case "availability":
      return { kind: "ratio", part: errorSignals(source, target), whole: ["requests"] };
    case "latency-p50":
      return { kind: "percentile", signal: "latency", percentile: 50 };
    case "latency-p95":
      return { kind: "percentile", signal: "latency", percentile: 95 };
    case "latency-p99":
      return { kind: "percentile", signal: "latency", percentile: 99 };
    case "healthy-hosts":
      return { kind: "gauge", signal: "healthy-hosts", statistic: "minimum" };
    case "invariant-violations":
      return { kind: "sum", signals: ["invariant-violations"] };
    case "throughput":
      return { kind: "quotient", part: "items-processed", whole: "processing-seconds" };
    case "memory":
      return { kind: "gauge", signal: "memory-megabytes", statistic: "mean" };
    case "cpu":
      return { kind: "gauge", signal: "cpu-percent", statistic: "mean" };
    case "cache-hit-ratio":
      return ratio("cache-hits", "cache-hits", "cache-misses");
    case "rate-limit-rejects":
      return { kind: "sum", signals: ["rate-limit-rejects"], perSeconds: 60 };
    case "rate-limit-reject-rate":
      return ratio("rate-limit-rejects", "requests");
    case "circuit-breaker-open":
      return { kind: "gauge", signal: "breaker-open-seconds", statistic: "maximum" };
    case "circuit-breaker-recovery":
      return { kind: "gauge", signal: "breaker-recovery-seconds", statistic: "maximum" };
    case "dual-run-failures":
      return { kind: "sum", signals: ["dual-run-failures"], perSeconds: 3_600 };
    case "fallback-rate":
      return ratio("fallbacks", "requests");
    case "flag-mismatches":
      return { kind: "sum", signals: ["flag-mismatches"] };
    case "flag-coverage":
      return ratio("flag-evaluations", "requests");
    case "crashes":
      return { kind: "sum", signals: ["crashes"] };
  }
}
