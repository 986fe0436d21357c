/**
 * Windows of a soak out of counters and a histogram as Prometheus answers range queries: one line for requests, one for errors, and one for
 * each bucket, cumulative, each point at the end of its window.
 */
import type { SoakWindow } from "../../core/gate/evidence.ts";
import type { Instant } from "../../core/record.ts";
import { type AskedWindows, soakPercentiles, startsOf, windowOf } from "./cloudwatch.ts";

/** One line of an answer. */
export interface RangeLine {
  readonly metric: Readonly<Record<string, string>>;
  /** Absent in what answers no range query, which is refused. */
  readonly values?: readonly (readonly [second: number, value: string])[] | undefined;
}

/** @throws RangeError on what is no count, on times that are no window's end, and on a histogram without its last bucket */
export function histogramWindows(
  lines: {
    readonly requests: readonly RangeLine[];
    readonly errors: readonly RangeLine[];
    readonly buckets: readonly RangeLine[];
  },
  windows: AskedWindows,
): SoakWindow[] {
  const requests = byWindow(lines.requests, windows);
  const errors = byWindow(lines.errors, windows);
  const buckets = lines.buckets
    .map((line) => ({ bound: boundOf(line), counts: byWindow([line], windows) }))
    .sort((left, right) => left.bound - right.bound);
  // Without it nobody knows how many took longer than the bounds say.
  if (buckets.length > 0 && buckets.at(-1)?.bound !== Number.POSITIVE_INFINITY)
    throw new RangeError("buckets: none of them is +Inf; expected the histogram whole");
  return startsOf([requests, errors]).flatMap((at) => {
    const cumulative = buckets.map(({ bound, counts }) => [bound, counts.get(at) ?? 0] as const);
    const absent = buckets.find(({ counts }) => !counts.has(at));
    if (absent && cumulative.some(([, count]) => count > 0)) {
      throw new RangeError(`bucket ${absent.bound} at ${at} ms: absent beside others; expected the histogram whole`);
    }
    const latencyCounts = countsOf(cumulative);
    return windowOf({
      at,
      requests: requests.get(at) ?? 0,
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
function byWindow(lines: readonly RangeLine[], { from, to, stepMs }: AskedWindows): ReadonlyMap<Instant, number> {
  const found = new Map<Instant, number>();
  for (const { values } of lines) {
    if (!values) throw new RangeError("line: no values by time; expected the answer of a range query");
    for (const [second, text] of values) {
      const at = Math.round(second * 1_000) - stepMs;
      if (!(at >= from && at < to && (at - from) % stepMs === 0)) {
        throw new RangeError(`point at ${second} s: no end of a window; expected steps of ${stepMs / 1_000} s`);
      }
      if (found.has(at)) throw new RangeError(`point at ${second} s: answered twice; expected one line`);
      // Things that were counted: `increase` gives a hair more than whole ones, since its window is a millisecond longer.
      found.set(at, wholeOf(text));
    }
  }
  return found;
}

/** Nothing but a number is one: an empty text would be 0. Below 0 stays as it is, for `windowOf` to refuse. */
function wholeOf(text: string): number {
  const value = /^[+-]?[\d.]/.test(text) ? Number(text) : Number.NaN;
  return value < 0 ? value : Math.round(value);
}

function boundOf({ metric }: RangeLine): number {
  const bound = metric.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(metric.le ?? Number.NaN);
  if (Number.isNaN(bound)) throw new RangeError(`bucket: no bound, got ${metric.le}; expected a number or +Inf`);
  return bound;
}

/** Cumulative counts as counts of each bucket, ascending. A bucket that has less than one below it counts as that one, since it cannot. */
function countsOf(cumulative: readonly (readonly [bound: number, count: number])[]): (readonly [number, number])[] {
  const counts: [number, number][] = [];
  let below = 0;
  for (const [bound, count] of cumulative) {
    const own = Math.max(0, count - below);
    below = Math.max(below, count);
    counts.push([bound, own]);
  }
  return counts;
}

/** Interpolated inside its bucket, as `histogram_quantile` does; what lies beyond the last finite bound is at that bound. */
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
    if (bound === Number.POSITIVE_INFINITY) break;
    if (count > 0 && below + count >= rank) return lower + ((bound - lower) * (rank - below)) / count;
    below += count;
    lower = bound;
  }
  return lower;
}
