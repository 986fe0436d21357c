/** What counts as a bad request, and which of them a fault is to blame for. */
import { indicators, type Objective } from "../../core/objectives.ts";
import { binOf, type Histogram } from "../cloudwatch/histogram.ts";
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
  }
}

/** The fault as the traffic takes it. */
export function trafficFault({ kind, digest, magnitude }: InjectedFault): Fault {
  switch (kind) {
    case "error-spike":
      return { kind: "error-ratio", digest, addedFraction: magnitude };
    case "latency-regression":
      return { kind: "latency", digest, multiplier: magnitude };
    case "invariant-violation":
      return { kind: "invariant-violations", digest, perRequest: magnitude };
    case "metrics-outage":
      return { kind: "metrics-outage", digest };
  }
}

/** The latency bin from which a request counts as bad: beyond the strictest critical bound, without one the strictest warning. */
export function slowFromBin(objectives: readonly Objective[]): number {
  const latency = objectives.filter((objective) => indicators[objective.indicator].unit === "milliseconds");
  for (const severity of ["critical", "warning"] as const) {
    const bounds = latency.flatMap((objective) => objective[severity]?.value ?? []);
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
