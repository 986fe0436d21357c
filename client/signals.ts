/**
 * What a release reports of itself, and what each metric system calls it. The list and the names are those of the program that watches;
 * a test holds the two together, so that an application needs nothing but this folder.
 */

export type SignalKind = "counter" | "gauge" | "distribution";

/** Order is that of the lines. */
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
export type Counter = {
  [Name in ReportedSignal]: (typeof reportedSignals)[Name]["kind"] extends "counter" ? Name : never;
}[ReportedSignal];
export type Gauge = {
  [Name in ReportedSignal]: (typeof reportedSignals)[Name]["kind"] extends "gauge" ? Name : never;
}[ReportedSignal];
/** Counters that an application adds to by name; the rest comes of adapters, or has a call that keeps two counters together. */
export type PlainCounter = Exclude<
  Counter,
  "requests" | "errors" | "crashes" | "dual-runs" | "dual-run-failures" | "flag-evaluations" | "flag-mismatches"
>;

const names = Object.keys(reportedSignals) as ReportedSignal[];
export const counters: readonly Counter[] = names.filter(
  (name): name is Counter => reportedSignals[name].kind === "counter",
);
export const gauges: readonly Gauge[] = names.filter((name): name is Gauge => reportedSignals[name].kind === "gauge");
export const plainCounters: readonly PlainCounter[] = [
  "invariant-violations",
  "cache-hits",
  "cache-misses",
  "rate-limit-rejects",
  "fallbacks",
  "items-processed",
  "processing-seconds",
];

/** CloudWatch namespace. */
export const reportedNamespace = "Tidegate";
const prefix = "tidegate";

/** `RateLimitRejects`. */
export function cloudWatchName(signal: ReportedSignal): string {
  return signal
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/**
 * `tidegate_rate_limit_rejects`: what an exporter is given, which adds `_total` to counters, and `_bucket`, `_sum` and `_count` to the
 * distribution.
 */
export function prometheusInstrument(signal: ReportedSignal): string {
  const base = `${prefix}_${signal.replaceAll("-", "_")}`;
  const { kind, unit } = reportedSignals[signal];
  return kind === "distribution" ? `${base}_${unit}` : base;
}

/** `tidegate.rate_limit_rejects`. */
export function datadogInstrument(signal: ReportedSignal): string {
  return `${prefix}.${signal.replaceAll("-", "_")}`;
}

/** Upper bounds of the latency histogram's buckets. Unit: milliseconds. Every bound that an objective preset puts on a latency is one. */
export const latencyBucketsMilliseconds: readonly number[] = [
  5, 10, 15, 20, 25, 35, 50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 600, 800, 1_000, 1_250, 1_500, 2_000, 2_500,
  3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 30_000,
];
