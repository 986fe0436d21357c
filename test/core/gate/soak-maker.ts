/** Soaks for tests of the comparison: minutes that are all alike unless a test says otherwise. */
import type { SoakMeasurement, SoakWindow } from "../../../core/gate/evidence.ts";

export const openedAt = Date.UTC(2026, 0, 5, 9);
const minuteMs = 60_000;

export type WindowOf = (index: number) => Omit<SoakWindow, "at">;

/** Windows of a minute from the opening on. */
export function minutesOf(count: number, of: WindowOf): SoakWindow[] {
  return Array.from({ length: count }, (_, index) => ({ at: openedAt + index * minuteMs, ...of(index) }));
}

/** A soak of so many minutes; the first tenth is warm-up. */
export function soakOf(minutes: number, canary: WindowOf, baseline: WindowOf): SoakMeasurement {
  return {
    windowSeconds: 60,
    from: openedAt,
    to: openedAt + minutes * minuteMs,
    lookIndex: 0,
    canary: minutesOf(minutes, canary),
    beside: { is: "baseline", windows: minutesOf(minutes, baseline) },
  };
}

/** Percentiles that differ a little from minute to minute, by a fixed pattern of mean 0 on the logarithm. */
export function latencies(index: number, p95: number, wobble = 0.02): NonNullable<SoakWindow["latencyMilliseconds"]> {
  const factor = Math.exp(wobble * ([-1, 0.5, 1, -0.5][index % 4] ?? 0));
  return { p50: (p95 / 3) * factor, p95: p95 * factor, p99: p95 * 1.6 * factor };
}
