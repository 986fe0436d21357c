/**
 * Signals: the raw things that are measured of a release, and what each metric source calls them. One list, so that alarm, dashboard,
 * monitor, report and the middleware that emits them say the same names; nothing else may spell a metric's name.
 *
 * Names follow each field's own rules: CloudWatch `MemoryMegabytes`, Prometheus `tidegate_memory_megabytes` (a counter ends in
 * `_total`, as the OpenTelemetry exporter makes it), Datadog `tidegate.memory_megabytes`.
 */

/** How points of a signal are put together: counters are summed, gauges averaged or their most taken, distributions have percentiles. */
export type SignalKind = "counter" | "gauge" | "distribution";

/** What a release reports of itself, through `client/` or by hand. Sums are of one interval, not since the start. */
export const reportedSignals = {
  requests: { kind: "counter", unit: "count", what: "requests answered" },
  errors: { kind: "counter", unit: "count", what: "requests answered with a 5xx, or that failed" },
  latency: { kind: "distribution", unit: "milliseconds", what: "time to answer a request" },
  "invariant-violations": { kind: "counter", unit: "count", what: "invariants found broken" },
  "memory-megabytes": { kind: "gauge", unit: "megabytes", what: "resident memory of one process" },
  "cpu-percent": { kind: "gauge", unit: "percent", what: "processor time of one process, of one core" },
  "cache-hits": { kind: "counter", unit: "count", what: "cache look-ups that found something" },
  "cache-misses": { kind: "counter", unit: "count", what: "cache look-ups that found nothing" },
  "rate-limit-rejects": { kind: "counter", unit: "count", what: "requests turned away by a rate limit" },
  "breaker-open-seconds": {
    kind: "gauge",
    unit: "seconds",
    what: "how long a circuit breaker has been open; 0: closed",
  },
  "breaker-recovery-seconds": {
    kind: "gauge",
    unit: "seconds",
    what: "how long a breaker was open when it closed again",
  },
  "dual-runs": { kind: "counter", unit: "count", what: "inputs that old and new implementation both ran on" },
  "dual-run-failures": { kind: "counter", unit: "count", what: "dual runs whose results differed" },
  fallbacks: { kind: "counter", unit: "count", what: "requests that the old implementation had to answer" },
  "flag-evaluations": { kind: "counter", unit: "count", what: "requests that asked a feature flag" },
  "flag-mismatches": { kind: "counter", unit: "count", what: "requests whose flag and code path differed" },
  crashes: { kind: "counter", unit: "count", what: "processes that ended by an uncaught error" },
  "items-processed": { kind: "counter", unit: "count", what: "items that work was done on" },
  "processing-seconds": { kind: "counter", unit: "seconds", what: "time spent processing items" },
} as const satisfies Record<string, { readonly kind: SignalKind; readonly unit: string; readonly what: string }>;
export type ReportedSignal = keyof typeof reportedSignals;

/** What the load balancer alone knows. */
export const balancerSignals = {
  "connection-errors": { kind: "counter", unit: "count", what: "requests whose connection to a target failed" },
  "failed-runs": { kind: "counter", unit: "count", what: "runs of a Lambda target that failed" },
  "refused-runs": { kind: "counter", unit: "count", what: "runs of a Lambda target that Lambda refused" },
  "healthy-hosts": { kind: "gauge", unit: "count", what: "targets that pass their health check" },
} as const satisfies Record<string, { readonly kind: SignalKind; readonly unit: string; readonly what: string }>;
export type BalancerSignal = keyof typeof balancerSignals;

export type Signal = ReportedSignal | BalancerSignal;

/** CloudWatch namespace of what releases report of themselves. */
export const reportedNamespace = "Tidegate";
/** What every Prometheus and Datadog name begins with. */
export const reportedPrefix = "tidegate";
/** Labels and tags that every reported point carries, in Prometheus and Datadog; CloudWatch has `Service` and `Release` alone. */
export const reportedLabels = ["environment", "service", "release"] as const;

const words = (signal: ReportedSignal): string[] => signal.split("-");

/** `RateLimitRejects`: metric name in the namespace `Tidegate`. */
export function cloudWatchName(signal: ReportedSignal): string {
  return words(signal)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/**
 * `tidegate_rate_limit_rejects_total`. Of the distribution it is the histogram's base name, `tidegate_latency_milliseconds`, to which
 * `_bucket`, `_sum` and `_count` are added.
 */
export function prometheusName(signal: ReportedSignal): string {
  const { kind, unit } = reportedSignals[signal];
  const base = `${reportedPrefix}_${words(signal).join("_")}`;
  if (kind === "counter") return `${base}_total`;
  return kind === "distribution" ? `${base}_${unit}` : base;
}

/** `tidegate.rate_limit_rejects`: the OpenTelemetry instrument and the Datadog metric. */
export function datadogName(signal: ReportedSignal): string {
  return `${reportedPrefix}.${words(signal).join("_")}`;
}

/**
 * Upper bounds of the latency histogram's buckets. Unit: milliseconds. Every bound that a preset puts on a latency is one of them, since a
 * percentile out of a histogram is exact at its bounds only; between them steps of about a quarter.
 */
export const latencyBucketsMilliseconds = [
  5, 10, 15, 20, 25, 35, 50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 600, 800, 1_000, 1_250, 1_500, 2_000, 2_500,
  3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 30_000,
] as const;
