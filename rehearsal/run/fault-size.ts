/**
 * How large a scenario's fault is for one service: from "twice the critical bound" to the number that the local cloud injects.
 * Sized by the service's own objectives, so that a fault is never made easy to see.
 */
import { BadInputError } from "../../core/bad-input.ts";
import { type Indicator, isMeasurable, type MetricSource, type Objective } from "../../core/objectives.ts";
import type { InjectedFault } from "../cloud/types.ts";
import type { Fault, FaultKind } from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";

/** One request in a hundred breaks the invariant. A bound of 0 has no multiple; this is rare enough to hide in any ratio. */
export const violationsPerRequest = 0.01;

/** Standard normal quantiles of the percentiles that objectives know. */
const quantiles: Partial<Record<Indicator, number>> = {
  "latency-p50": 0,
  "latency-p95": 1.6449,
  "latency-p99": 2.3263,
};

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
      return bound ? [{ objective, value: boundPercentOrMilliseconds(objective, bound.value) }] : [];
    });
    const [first, ...rest] = bounds;
    if (first) return rest.reduce((least, bound) => (bound.value < least.value ? bound : least), first);
  }
  return undefined;
}

/** An availability of 99.9 % is an error rate of 0.1 %. */
function boundPercentOrMilliseconds(objective: Objective, value: number): number {
  return objective.indicator === "availability" ? Number((100 - value).toFixed(6)) : value;
}

/** A percentile of a healthy release. Unit: milliseconds. */
export function healthyPercentileMs(indicator: Indicator): number {
  return traffic.latency.medianMs * Math.exp((quantiles[indicator] ?? 0) * traffic.latency.sigma);
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
  const { kind, timesCriticalBound: times } = fault;
  switch (kind) {
    case "error-spike": {
      const bound =
        strictestBound(service.objectives, service.source, ["error-rate"]) ??
        strictestBound(service.objectives, service.source, ["availability"]);
      if (!bound) throw noBound(service.name, kind, "error-rate or availability");
      const total = Math.min(1, (times * bound.value) / 100);
      return { kind, digest, magnitude: Math.max(0, total - traffic.errors.baseFraction) };
    }
    case "latency-regression": {
      const bound = strictestBound(service.objectives, service.source, ["latency-p50", "latency-p95", "latency-p99"]);
      if (!bound) throw noBound(service.name, kind, "latency-p50, latency-p95 or latency-p99");
      return { kind, digest, magnitude: (times * bound.value) / healthyPercentileMs(bound.objective.indicator) };
    }
    case "invariant-violation":
      return { kind, digest, magnitude: violationsPerRequest };
    case "metrics-outage":
      return { kind, digest, magnitude: 1 };
  }
}

function noBound(service: string, kind: string, expected: string): BadInputError {
  return new BadInputError("scenario has 1 problem:", [
    `services.${service}.objectives: no bound that ${kind} could pass; expected a warning or critical bound on ${expected}. Rehearse another scenario`,
  ]);
}
