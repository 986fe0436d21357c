/** What counts as a bad request, and which of them a fault is to blame for. */
import { indicators, type Objective } from "../../core/objectives.ts";
import type { Instant } from "../../core/record.ts";
import { binOf, type Histogram } from "../cloudwatch/histogram.ts";
import { fixedValue, healthyPercentileMs } from "../traffic/healthy.ts";
import type { Fault, ReleaseTraffic } from "../traffic/traffic.ts";
import type { InjectedFault } from "./types.ts";

/** Requests of a step that a fault can have spoilt; at rest a few of them would have failed anyway. */
export function victimsOf(fault: InjectedFault, served: ReleaseTraffic, slow: number): number {
  switch (fault.kind) {
    case "error-spike":
      return served.errors;
    case "latency-regression":
      return slow;
    case "invariant-violation":
      return served.invariantViolations;
    case "metrics-outage":
      // Nothing is wrong with the requests; the first that nobody measured counts.
      return served.requests;
    case "memory-leak":
    case "memory-step":
    case "cpu-hot":
    case "breaker-open":
      // The process is ill, not its answers; the first that such a process gave counts.
      return served.requests;
    case "cache-cold":
      return served.own["cache-misses"];
    case "rejects":
      return served.own["rate-limit-rejects"];
    case "dual-run-mismatch":
      return served.own["dual-run-failures"];
    case "flag-mismatch":
      return served.own["flag-mismatches"];
    case "crash":
      return served.own.crashes;
  }
}

/** The fault as the traffic takes it. @param since when it began */
export function trafficFault({ kind, digest, magnitude }: InjectedFault, since: Instant): Fault {
  switch (kind) {
    case "error-spike":
      return { kind: "error-ratio", digest, addedFraction: magnitude };
    case "latency-regression":
      return { kind: "latency", digest, multiplier: magnitude };
    case "invariant-violation":
      return { kind: "invariant-violations", digest, perRequest: magnitude };
    case "metrics-outage":
      return { kind, digest };
    case "memory-leak":
      return { kind, digest, percentPerHour: magnitude, since };
    case "memory-step":
    case "cpu-hot":
    case "cache-cold":
      return { kind, digest, factor: magnitude };
    case "breaker-open":
      return { kind, digest, since };
    case "rejects":
    case "flag-mismatch":
    case "crash":
      return { kind, digest, perMinute: magnitude };
    case "dual-run-mismatch":
      return { kind, digest, perHour: magnitude };
  }
}

/**
 * The latency bin from which a request counts as bad: beyond the strictest critical bound, without one the strictest warning. A bound
 * that is a multiple of the baseline's is taken as that multiple of a healthy release's.
 */
export function slowFromBin(objectives: readonly Objective[]): number {
  const latency = objectives.filter((objective) => indicators[objective.indicator].unit === "milliseconds");
  for (const severity of ["critical", "warning"] as const) {
    const bounds = latency.flatMap(({ indicator, ...objective }) => {
      const bound = objective[severity];
      return bound ? fixedValue(bound, healthyPercentileMs(indicator)) : [];
    });
    if (bounds.length > 0) return binOf(Math.min(...bounds)) + 1;
  }
  return Number.POSITIVE_INFINITY;
}

/** Samples in this bin and above. */
export function countFrom(latency: Histogram, bin: number): number {
  let count = 0;
  for (let place = Math.max(bin, latency.low); place <= latency.high; place += 1) count += latency.counts[place] ?? 0;
  return count;
}
