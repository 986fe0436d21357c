/**
 * Objectives: what a release promises, with bounds and the response to each (B1, B2), and the presets of the source documents.
 * What a metric source can measure is said here once; everything else is refused or listed by name. How a bound is watched is
 * `watch-rules.ts`.
 */

/**
 * Where a service's metrics come from. `alb` and `emf` are watched by CloudWatch alarms, `prometheus` by Grafana rules, `datadog` by
 * Datadog monitors.
 */
export const metricSources = ["alb", "emf", "prometheus", "datadog"] as const;
export type MetricSource = (typeof metricSources)[number];

/** Sources of what a release reports of itself; the load balancer knows less. */
export const reportingSources = ["emf", "prometheus", "datadog"] as const satisfies readonly MetricSource[];

export const severities = ["critical", "warning"] as const;
export type Severity = (typeof severities)[number];

/** What is done about a breach (B2). No response ever raises exposure. */
export const responses = ["disable", "halve", "previous-wave", "floor", "freeze", "notify"] as const;
export type Response = (typeof responses)[number];

/** Responses that take traffic away; only these escalate. */
export const loweringResponses: ReadonlySet<Response> = new Set(["disable", "halve", "previous-wave", "floor"]);

/** Indicators by name, each with its unit, its bad side and the sources that carry it. Hosts are counted by the load balancer, always. */
export const indicators = {
  "error-rate": { unit: "percent", badSide: "above", sources: metricSources },
  "success-rate": { unit: "percent", badSide: "below", sources: metricSources },
  availability: { unit: "percent", badSide: "below", sources: metricSources },
  "latency-p50": { unit: "milliseconds", badSide: "above", sources: metricSources },
  "latency-p95": { unit: "milliseconds", badSide: "above", sources: metricSources },
  "latency-p99": { unit: "milliseconds", badSide: "above", sources: metricSources },
  "healthy-hosts": { unit: "count", badSide: "below", sources: metricSources },
  "invariant-violations": { unit: "count", badSide: "above", sources: reportingSources },
  /** Items per second of processing time, so that it does not depend on how much traffic a release has. */
  throughput: { unit: "per second", badSide: "below", sources: reportingSources },
  memory: { unit: "megabytes", badSide: "above", sources: reportingSources },
  cpu: { unit: "percent", badSide: "above", sources: reportingSources },
  "cache-hit-ratio": { unit: "percent", badSide: "below", sources: reportingSources },
  "rate-limit-rejects": { unit: "per minute", badSide: "above", sources: reportingSources },
  "rate-limit-reject-rate": { unit: "percent", badSide: "above", sources: reportingSources },
  "circuit-breaker-open": { unit: "seconds", badSide: "above", sources: reportingSources },
  "circuit-breaker-recovery": { unit: "seconds", badSide: "above", sources: reportingSources },
  "dual-run-failures": { unit: "per hour", badSide: "above", sources: reportingSources },
  "fallback-rate": { unit: "percent", badSide: "above", sources: reportingSources },
  "flag-mismatches": { unit: "count", badSide: "above", sources: reportingSources },
  "flag-coverage": { unit: "percent", badSide: "below", sources: reportingSources },
  crashes: { unit: "count", badSide: "above", sources: reportingSources },
} as const satisfies Record<string, { unit: string; badSide: "above" | "below"; sources: readonly MetricSource[] }>;
export type Indicator = keyof typeof indicators;

/**
 * What a bound is measured against, where that is not a fixed value.
 * - `baseline`: the same indicator of the baseline release (or its control) in the same window; only the canary is watched for it.
 * - `growth`: the release's own value one window earlier.
 * - `previous-wave`: what the canary itself came to in the wave before, read once when the next one opened.
 */
export type BoundReference =
  | { readonly kind: "baseline"; readonly form: "factor" | "points" }
  | { readonly kind: "previous-wave"; readonly form: "factor" | "points" }
  | { readonly kind: "growth" };

/** A value that must not be passed, and what happens when it is. */
export interface Bound {
  /**
   * In the indicator's unit; which side is bad says `indicators`. With a reference: `factor` is a multiple of it (1.5: half as much again),
   * `points` is added to it in the indicator's unit, and of `growth` it is percent an hour.
   */
  readonly value: number;
  /** @default the value stands for itself */
  readonly reference?: BoundReference;
  readonly response: Response;
  /** The document's own window. Unit: seconds. Left out: the finest the source offers, and five minutes beside it. */
  readonly windowSeconds?: number;
}

/** One promise about a release. */
export interface Objective {
  /** Unique in the service; part of alarm names. Usually the indicator's name. */
  readonly name: string;
  readonly indicator: Indicator;
  /** What the team aims for, in the indicator's unit; reports use it. */
  readonly target?: number;
  readonly warning?: Bound;
  readonly critical?: Bound;
  /** Overrides the service's mode for this objective (B13). */
  readonly mode?: "act" | "observe";
  /** Lower even where the receiver has no healthy host (B12). @default false, true for invariants */
  readonly disableAnyway?: boolean;
  /** Fewest requests in a period before a ratio or percentile counts (B9). @default 100 */
  readonly minimumRequests?: number;
  /** Fewest errors in a period before a ratio counts (B9). @default 10 */
  readonly minimumErrors?: number;
}

/** B9: below these a ratio is noise. */
export const defaultRequestFloor = 100;
export const defaultErrorFloor = 10;

export const objectivePresetNames = ["batch", "web", "canary-relative", "migration", "production"] as const;
export type ObjectivePresetName = (typeof objectivePresetNames)[number];

/** Every release is watched for hosts: the load balancer's own 5xx carry no target group, so a dead release shows here. */
export const healthyHosts: Objective = {
  name: "healthy-hosts",
  indicator: "healthy-hosts",
  critical: { value: 1, response: "disable" },
};

const ofBaseline = (value: number, response: Response, windowSeconds?: number): Bound => ({
  value,
  reference: { kind: "baseline", form: "factor" },
  response,
  ...(windowSeconds === undefined ? {} : { windowSeconds }),
});

/**
 * The documents' own numbers: `batch` is seed 000, `web` 001, `canary-relative` 002, `migration` 003, `production` 004 (all read
 * 2026-11-21). Where a document says what it wants to know and not what shall be done, the response is the mildest that keeps its promise.
 */
export const objectivePresets: Readonly<Record<ObjectivePresetName, readonly Objective[]>> = {
  batch: [
    {
      name: "error-rate",
      indicator: "error-rate",
      target: 1,
      warning: { value: 2, response: "halve" },
      critical: { value: 5, response: "disable" },
    },
    { name: "latency-p50", indicator: "latency-p50", target: 50 },
    { name: "latency-p95", indicator: "latency-p95", target: 150 },
    { name: "latency-p99", indicator: "latency-p99", target: 500, warning: { value: 500, response: "floor" } },
    {
      name: "invariant-violations",
      indicator: "invariant-violations",
      target: 0,
      critical: { value: 0, response: "disable" },
      disableAnyway: true,
    },
    { name: "throughput", indicator: "throughput", target: 10_000, critical: { value: 5_000, response: "freeze" } },
    { name: "availability", indicator: "availability", target: 99.9 },
    healthyHosts,
  ],
  web: [
    {
      name: "error-rate",
      indicator: "error-rate",
      target: 0.5,
      warning: { value: 1, response: "notify", windowSeconds: 300 },
      critical: { value: 1, response: "disable" },
    },
    {
      name: "latency-p95",
      indicator: "latency-p95",
      target: 2_000,
      warning: { value: 2_500, response: "notify", windowSeconds: 300 },
      critical: { value: 3_000, response: "freeze", windowSeconds: 60 },
    },
    {
      name: "availability",
      indicator: "availability",
      target: 99.95,
      warning: { value: 99.9, response: "notify", windowSeconds: 300 },
    },
    {
      name: "circuit-breaker-open",
      indicator: "circuit-breaker-open",
      target: 0,
      warning: { value: 60, response: "notify" },
      critical: { value: 300, response: "disable" },
    },
    { name: "circuit-breaker-recovery", indicator: "circuit-breaker-recovery", target: 30 },
    {
      name: "cache-hit-ratio",
      indicator: "cache-hit-ratio",
      target: 80,
      warning: { value: 70, response: "notify" },
    },
    { name: "rate-limit-rejects", indicator: "rate-limit-rejects", warning: { value: 10, response: "notify" } },
    { name: "rate-limit-reject-rate", indicator: "rate-limit-reject-rate", target: 1 },
    healthyHosts,
  ],
  "canary-relative": [
    {
      name: "error-rate",
      indicator: "error-rate",
      target: 5,
      critical: { value: 5, response: "disable", windowSeconds: 300 },
    },
    { name: "latency-p99", indicator: "latency-p99", critical: ofBaseline(1.5, "disable", 300) },
    { name: "success-rate", indicator: "success-rate", target: 95 },
    healthyHosts,
  ],
  migration: [
    {
      name: "error-rate",
      indicator: "error-rate",
      target: 1,
      warning: { value: 2, response: "notify", windowSeconds: 1_800 },
      critical: { value: 5, response: "previous-wave", windowSeconds: 300 },
    },
    { name: "latency-p95", indicator: "latency-p95", warning: ofBaseline(1.5, "notify", 1_800) },
    { name: "latency-p99", indicator: "latency-p99", critical: ofBaseline(2, "freeze", 600) },
    { name: "memory", indicator: "memory", critical: ofBaseline(2, "previous-wave") },
    {
      name: "memory-growth",
      indicator: "memory",
      critical: { value: 10, reference: { kind: "growth" }, response: "freeze" },
    },
    { name: "cpu", indicator: "cpu", warning: { value: 80, response: "notify", windowSeconds: 1_800 } },
    {
      name: "dual-run-failures",
      indicator: "dual-run-failures",
      target: 0,
      critical: { value: 100, response: "freeze" },
    },
    { name: "flag-mismatches", indicator: "flag-mismatches", target: 0, warning: { value: 0, response: "notify" } },
    { name: "flag-coverage", indicator: "flag-coverage", target: 95 },
    { name: "crashes", indicator: "crashes", target: 0, critical: { value: 0, response: "previous-wave" } },
    healthyHosts,
  ],
  production: [
    {
      name: "error-rate",
      indicator: "error-rate",
      target: 2,
      warning: { value: 5, response: "notify" },
      critical: { value: 10, response: "disable", windowSeconds: 300 },
    },
    // 95 and 90 percent are the error rate's own bounds said the other way round, so only the target is kept.
    { name: "success-rate", indicator: "success-rate", target: 98 },
    {
      name: "latency-p95",
      indicator: "latency-p95",
      target: 400,
      warning: { value: 600, response: "notify" },
      critical: { value: 1_000, response: "disable" },
    },
    {
      name: "latency-p99",
      indicator: "latency-p99",
      target: 500,
      warning: { value: 800, response: "notify" },
      critical: { value: 1_500, response: "disable" },
    },
    {
      name: "memory",
      indicator: "memory",
      warning: ofBaseline(1.5, "notify"),
      critical: ofBaseline(2, "disable"),
    },
    { name: "cpu", indicator: "cpu", warning: ofBaseline(1.4, "notify"), critical: ofBaseline(1.8, "disable") },
    {
      name: "invariant-violations",
      indicator: "invariant-violations",
      target: 0,
      warning: { value: 5, response: "notify" },
      critical: { value: 10, response: "disable" },
      disableAnyway: true,
    },
    healthyHosts,
  ],
};

/** Whether a source carries an indicator. */
export function isMeasurable(indicator: Indicator, source: MetricSource): boolean {
  return (indicators[indicator].sources as readonly MetricSource[]).includes(source);
}

/** Splits objectives into what the source can watch and what it cannot, the latter to be named to the user. */
export function splitByMeasurability(
  objectives: readonly Objective[],
  source: MetricSource,
): { watched: Objective[]; unseen: Objective[] } {
  const watched = objectives.filter((objective) => isMeasurable(objective.indicator, source));
  const unseen = objectives.filter((objective) => !isMeasurable(objective.indicator, source));
  return { watched, unseen };
}
