/**
 * Objectives: what a release promises, with bounds and the response to each (B1, B2), and the presets `batch` and `web`.
 * What a metric source can measure is said here once; everything else is refused or listed by name.
 */

/** Metric sources that this version can declare alarms on. */
export const metricSources = ["alb", "emf"] as const;
export type MetricSource = (typeof metricSources)[number];

export const severities = ["critical", "warning"] as const;
export type Severity = (typeof severities)[number];

/** What is done about a breach (B2). No response ever raises exposure. */
export const responses = ["disable", "halve", "previous-wave", "floor", "freeze", "notify"] as const;
export type Response = (typeof responses)[number];

/** Responses that take traffic away; only these escalate. */
export const loweringResponses: ReadonlySet<Response> = new Set(["disable", "halve", "previous-wave", "floor"]);

/** Indicators by name, each with its unit and the sources that carry it. */
export const indicators = {
  "error-rate": { unit: "percent", sources: ["alb", "emf"] },
  availability: { unit: "percent", sources: ["alb", "emf"] },
  "latency-p50": { unit: "milliseconds", sources: ["alb", "emf"] },
  "latency-p95": { unit: "milliseconds", sources: ["alb", "emf"] },
  "latency-p99": { unit: "milliseconds", sources: ["alb", "emf"] },
  "healthy-hosts": { unit: "count", sources: ["alb", "emf"] },
  "invariant-violations": { unit: "count", sources: ["emf"] },
  "success-rate": { unit: "percent", sources: [] },
  throughput: { unit: "per second", sources: [] },
  memory: { unit: "percent", sources: [] },
  cpu: { unit: "percent", sources: [] },
  "cache-hit-ratio": { unit: "percent", sources: [] },
  "rate-limit-rejects": { unit: "per minute", sources: [] },
  "circuit-breaker-open": { unit: "seconds", sources: [] },
  "circuit-breaker-recovery": { unit: "seconds", sources: [] },
  "dual-run-failures": { unit: "per hour", sources: [] },
  "fallback-rate": { unit: "percent", sources: [] },
  "flag-mismatches": { unit: "count", sources: [] },
} as const satisfies Record<string, { unit: string; sources: readonly MetricSource[] }>;
export type Indicator = keyof typeof indicators;

/** A value that must not be passed, and what happens when it is. */
export interface Bound {
  /** In the indicator's unit. Above it is bad, save for availability and healthy hosts, where below is. */
  readonly value: number;
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

export const objectivePresetNames = ["batch", "web"] as const;
export type ObjectivePresetName = (typeof objectivePresetNames)[number];

/** Presets that the source documents name and this version cannot watch yet. */
export const objectivePresetsToCome = ["canary-relative", "migration", "production"] as const;

/** Every release is watched for hosts: the load balancer's own 5xx carry no target group, so a dead release shows here. */
const healthyHosts: Objective = {
  name: "healthy-hosts",
  indicator: "healthy-hosts",
  critical: { value: 1, response: "disable" },
};

/** `batch` is seed 000, `web` is seed 001 (both read 2026-11-21); numbers are the documents' own. */
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
    {
      name: "rate-limit-rejects",
      indicator: "rate-limit-rejects",
      target: 1,
      warning: { value: 10, response: "notify" },
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
