/**
 * How large a scenario's fault is for one service: from "twice the critical bound" to the number that the local cloud injects.
 * Sized by the service's own objectives, so that a fault is never made easy to see.
 */
import { BadInputError } from "../../core/bad-input.ts";
import { type Indicator, isMeasurable, type MetricSource, type Objective } from "../../core/objectives.ts";
import type { InjectedFault } from "../cloud/types.ts";
import type { Fault, FaultKind, ReportedFaultKind } from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";
import { fixedValue, healthyPercentileMs, healthyValue } from "../traffic/healthy.ts";

/** One request in a hundred breaks the invariant. A bound of 0 has no multiple; this is rare enough to hide in any ratio. */
export const violationsPerRequest = 0.01;
/** Bounds of 0 have no multiple: one process a minute crashes, one evaluation in ten seconds is wrong. Unit: a minute. */
const crashesPerMinute = 1;
const mismatchesPerMinute = 6;

/** What is promised high: an availability of 99.9 % is an error rate of 0.1 %. */
const inverted: ReadonlySet<Indicator> = new Set(["availability", "success-rate"]);

/** The bound that a fault is a multiple of: the strictest critical one, else the strictest warning. */
function strictestBound(
  objectives: readonly Objective[],
  source: MetricSource,
  ofIndicator: readonly Indicator[],
): { objective: Objective; value: number } | undefined {
  const candidates = objectives.filter(
    (objective) => ofIndicator.includes(objective.indicator) && isMeasurable(objective.indicator, source),
  );
  for (const severity of ["critical", "warning"] as const) {
    const bounds = candidates.flatMap((objective) => {
      const bound = objective[severity];
      if (!bound) return [];
      const value = fixedValue(bound, healthyValue(objective.indicator) ?? 0);
      return [{ objective, value: inverted.has(objective.indicator) ? Number((100 - value).toFixed(6)) : value }];
    });
    const [first, ...rest] = bounds;
    if (first) return rest.reduce((least, bound) => (bound.value < least.value ? bound : least), first);
  }
  return undefined;
}

/**
 * The fault as the local cloud takes it.
 * @throws BadInputError where the service promises nothing that the fault could break
 */
export function sizeFault(
  fault: Fault<FaultKind>,
  service: { readonly name: string; readonly objectives: readonly Objective[]; readonly source: MetricSource },
  digest: string,
): InjectedFault {
  const { kind, timesCriticalBound: times, timesHealthy } = fault;
  switch (kind) {
    case "error-spike": {
      if (timesHealthy !== undefined) {
        return { kind, digest, magnitude: (timesHealthy - 1) * traffic.errors.baseFraction };
      }
      const bound =
        strictestBound(service.objectives, service.source, ["error-rate"]) ??
        strictestBound(service.objectives, service.source, ["availability"]);
      if (!bound) throw noBound(service.name, kind, "error-rate or availability");
      const total = Math.min(1, (times * bound.value) / 100);
      return { kind, digest, magnitude: Math.max(0, total - traffic.errors.baseFraction) };
    }
    case "latency-regression": {
      if (timesHealthy !== undefined) return { kind, digest, magnitude: timesHealthy };
      const bound = strictestBound(service.objectives, service.source, ["latency-p50", "latency-p95", "latency-p99"]);
      if (!bound) throw noBound(service.name, kind, "latency-p50, latency-p95 or latency-p99");
      return { kind, digest, magnitude: (times * bound.value) / healthyPercentileMs(bound.objective.indicator) };
    }
    case "invariant-violation":
      return { kind, digest, magnitude: violationsPerRequest };
    case "metrics-outage":
    case "breaker-open":
      return { kind, digest, magnitude: 1 };
    case "crash":
      return { kind, digest, magnitude: crashesPerMinute };
    case "flag-mismatch":
      return { kind, digest, magnitude: mismatchesPerMinute };
    case "memory-leak":
    case "memory-step":
    case "cpu-hot":
    case "cache-cold":
    case "rejects":
    case "dual-run-mismatch":
      return { kind, digest, magnitude: reportedMagnitude(kind, times, service) };
  }
}

/** The indicator whose bound a fault of this kind is a multiple of. */
export const indicatorOfFault = {
  "memory-leak": "memory",
  "memory-step": "memory",
  "cpu-hot": "cpu",
  "breaker-open": "circuit-breaker-open",
  "cache-cold": "cache-hit-ratio",
  rejects: "rate-limit-rejects",
  "dual-run-mismatch": "dual-run-failures",
  "flag-mismatch": "flag-mismatches",
  crash: "crashes",
} as const satisfies Record<ReportedFaultKind, Indicator>;

/** Growth that a leak has where no objective bounds growth: what preset `migration` allows. Unit: percent an hour. */
const usualGrowthPercent = 10;

function reportedMagnitude(
  kind: Exclude<ReportedFaultKind, "breaker-open" | "crash" | "flag-mismatch">,
  times: number,
  service: Parameters<typeof sizeFault>[1],
): number {
  const indicator = indicatorOfFault[kind];
  const isGrowth = ({ critical, warning }: Objective) =>
    [critical, warning].some((bound) => bound?.reference?.kind === "growth");
  const growing = service.objectives.find((objective) => objective.indicator === indicator && isGrowth(objective));
  if (kind === "memory-leak") return times * ((growing?.critical ?? growing?.warning)?.value ?? usualGrowthPercent);
  const levels = service.objectives.filter((objective) => !isGrowth(objective));
  const bound = strictestBound(levels, service.source, [indicator]);
  if (!bound) throw noBound(service.name, kind, indicator);
  const healthy = healthyValue(indicator) ?? 1;
  switch (kind) {
    case "memory-step":
    case "cpu-hot":
      return (times * bound.value) / healthy;
    case "cache-cold":
      // Twice as bad as a bound of 70 % is half of it.
      return bound.value / times / healthy;
    case "rejects":
    case "dual-run-mismatch":
      return times * bound.value;
  }
}

function noBound(service: string, kind: string, expected: string): BadInputError {
  return new BadInputError("scenario has 1 problem:", [
    `services.${service}.objectives: no bound that ${kind} could pass; expected a warning or critical bound on ${expected}. Rehearse another scenario`,
  ]);
}
