/** What a healthy release of the rehearsal comes to, for bounds that are measured against another one. */
import type { Bound, Indicator } from "../../core/objectives.ts";
import { traffic } from "./constants.ts";

/** Standard normal quantiles of the percentiles that objectives know. */
const quantiles: Partial<Record<Indicator, number>> = {
  "latency-p50": 0,
  "latency-p95": 1.6449,
  "latency-p99": 2.3263,
};

/** A percentile of a healthy release. Unit: milliseconds. */
export function healthyPercentileMs(indicator: Indicator): number {
  return traffic.latency.medianMs * Math.exp((quantiles[indicator] ?? 0) * traffic.latency.sigma);
}

/** A healthy release's value, in the indicator's unit; `undefined` for what is counted rather than measured. */
export function healthyValue(indicator: Indicator): number | undefined {
  switch (indicator) {
    case "latency-p50":
    case "latency-p95":
    case "latency-p99":
      return healthyPercentileMs(indicator);
    case "memory":
      return traffic.reported.memoryMegabytes;
    case "cpu":
      return traffic.reported.idleCpuPercent;
    case "cache-hit-ratio":
      return 100 * traffic.reported.cacheHitFraction;
    case "throughput":
      return traffic.reported.itemsPerSecond;
    case "error-rate":
      return 100 * traffic.errors.baseFraction;
    default:
      return undefined;
  }
}

/** A bound as a fixed value, where what it is measured against is as healthy as this. Growth: after an hour. */
export function fixedValue({ value, reference }: Bound, healthy: number): number {
  if (!reference) return value;
  if (reference.kind === "growth") return healthy * (1 + value / 100);
  return reference.form === "factor" ? healthy * value : healthy + value;
}
