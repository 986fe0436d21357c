/**
 * Windows of a soak out of counters and a histogram as Prometheus answers range queries: one line for requests, one for errors, and one for
 * each bucket, cumulative, each point at the end of its window.
 */
import type { SoakWindow } from "../../core/gate/evidence.ts";
import type { Instant } from "../../core/record.ts";
import { soakPercentiles, windowOf } from "./cloudwatch.ts";

/** One line of an answer. */
export interface RangeLine {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [second: number, value: string])[] | undefined;
}

interface Windows {
  readonly from: Instant;
  readonly to: Instant;
  readonly stepMs: number;
}

/** @throws RangeError on what is no count, and on times that are no window's end */
export function histogramWindows(
  lines: {
    readonly requests: readonly RangeLine[];
    readonly errors: readonly RangeLine[];
    readonly buckets: readonly RangeLine[];
  },
  windows: Windows,
): SoakWindow[] {
  const requests = byWindow(lines.requests, windows);
  const errors = byWindow(lines.errors, windows);
  const buckets = lines.buckets
    .map((line) => ({ bound: boundOf(line), counts: byWindow([line], windows) }))
    .sort((left, right) => left.bound - right.bound);
  return [...requests]
    .sort(([left], [right]) => left - right)
    .flatMap(([at, counted]) => {
      const latencyCounts = countsOf(buckets.map(({ bound, counts }) => [bound, counts.get(at) ?? 0]));
      return windowOf({
        at,
        requests: counted,
        errors: errors.get(at) ?? 0,
        percentiles: soakPercentiles.flatMap((name) => {
          const value = percentileOf(latencyCounts, Number(name.slice(1)) / 100);
          return value === undefined ? [] : [[name, value] as const];
        }),
        latencyCounts: latencyCounts.filter(([, count]) => count !== 0),
      });
    });
}

/** Values by the start of their window. */
function byWindow(lines: readonly RangeLine[], { from, to, stepMs }: Windows): ReadonlyMap<Instant, number> {
  const found = new Map<Instant, number>();
  for (const { values = [] } of lines) {
    for (const [second, text] of values) {
      const at = Math.round(second * 1_000) - stepMs;
      if (at < from || at >= to || (at - from) % stepMs !== 0) {
        throw new RangeError(`point at ${second} s: no end of a window; expected steps of ${stepMs / 1_000} s`);
      }
      if (found.has(at)) throw new RangeError(`point at ${second} s: answered twice; expected one line`);
      // Things that were counted: `increase` gives a hair more than whole ones, since its window is a millisecond longer.
      found.set(at, Math.round(Number(text)));
    }
  }
  return found;
}

function boundOf({ metric }: RangeLine): number {
  const bound = metric.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(metric.le ?? Number.NaN);
  if (Number.isNaN(bound)) throw new RangeError(`bucket: no bound, got ${metric.le}; expected a number or +Inf`);
  return bound;
}

/**
 * Cumulative counts as counts of each bucket, ascending. What lies beyond the last finite bound counts as that bound, as
 * `histogram_quantile` has it; a bucket that has less than one below it counts as that one, since it cannot.
 */
function countsOf(cumulative: readonly (readonly [bound: number, count: number])[]): (readonly [number, number])[] {
  const counts: [number, number][] = [];
  let below = 0;
  for (const [bound, count] of cumulative) {
    const own = Math.max(0, count - below);
    below = Math.max(below, count);
    const last = counts.at(-1);
    if (Number.isFinite(bound)) counts.push([bound, own]);
    else if (last) last[1] += own;
  }
  return counts;
}

/** Interpolated inside its bucket, as `histogram_quantile` does. */
function percentileOf(
  counts: readonly (readonly [bound: number, count: number])[],
  fraction: number,
): number | undefined {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (!(total > 0)) return undefined;
  const rank = fraction * total;
  let below = 0;
  let lower = 0;
  for (const [bound, count] of counts) {
    if (count > 0 && below + count >= rank) return lower + ((bound - lower) * (rank - below)) / count;
    below += count;
    lower = bound;
  }
  return counts.at(-1)?.[0];
}
