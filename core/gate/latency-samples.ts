/**
 * Latencies as counted values: quantiles of many windows together, and the chance that a request of one release takes longer than one of
 * another (Mann and Whitney). Values may be samples or the upper bounds of a histogram's buckets.
 */

/** Values of one window, ascending, each with how many there were of it. Unit: milliseconds. */
export type LatencyCounts = readonly (readonly [milliseconds: number, count: number])[];

/** Makes counts ready; `undefined`: one of them cannot be, or there are none. A bucket without an upper bound is `Infinity`. */
export function usableCounts(counts: LatencyCounts | undefined): LatencyCounts | undefined {
  if (!counts) return undefined;
  let isAscending = true;
  let before = -1;
  let total = 0;
  for (const [value, count] of counts) {
    if (!(value >= 0 && count >= 0 && Number.isFinite(count))) return undefined;
    if (value <= before) isAscending = false;
    before = value;
    total += count;
  }
  if (!(total > 0 && total <= Number.MAX_SAFE_INTEGER)) return undefined;
  if (isAscending) return counts;
  const merged = new Map<number, number>();
  for (const [value, count] of counts) merged.set(value, (merged.get(value) ?? 0) + count);
  return [...merged].sort(([left], [right]) => left - right);
}

/** How many samples. */
export function totalOf(counts: LatencyCounts): number {
  let total = 0;
  for (const [, count] of counts) total += count;
  return total;
}

/**
 * Chance that a sample of `left` is above one of `right`, ties counted half: Mann and Whitney's U by the number of pairs (Annals of Mathematical
 * Statistics 18, 1947). Range: 0 to 1.
 * @param rightScale `right` is multiplied by it first: 1.1 asks whether `left` is above even a `right` that is 10 % slower
 */
export function chanceAbove(left: LatencyCounts, right: LatencyCounts, rightScale = 1): number {
  let place = 0;
  let below = 0;
  let wins = 0;
  let total = 0;
  for (const [value, count] of left) {
    let same = 0;
    for (; place < right.length; place += 1) {
      const [other, others] = right[place] ?? [Number.POSITIVE_INFINITY, 0];
      if (other * rightScale > value) break;
      if (other * rightScale === value) same += others;
      else below += others;
    }
    wins += count * (below + same / 2);
    total += count;
    // Ties belong to this value alone; for the next one they are below.
    below += same;
  }
  return wins / (total * totalOf(right));
}

/**
 * Variance of `chanceAbove` by arithmetic, were both releases alike, less for ties (Lehmann, Nonparametrics, 1975, 1.4):
 * (N + 1 − Σ(t³ − t) / (N (N − 1))) / 12mn.
 */
export function chanceVariance(left: LatencyCounts, right: LatencyCounts): number {
  const [m, n] = [totalOf(left), totalOf(right)];
  const all = m + n;
  if (all < 2) return 0.25;
  let ties = 0;
  let place = 0;
  const tie = (count: number): void => {
    ties += count * (count * count - 1);
  };
  for (const [value, count] of left) {
    let same = count;
    for (; place < right.length && (right[place]?.[0] ?? 0) <= value; place += 1) {
      const [other, others] = right[place] ?? [0, 0];
      if (other === value) same += others;
      else tie(others);
    }
    tie(same);
  }
  for (; place < right.length; place += 1) tie(right[place]?.[1] ?? 0);
  return Math.max(0, (all + 1 - ties / (all * (all - 1))) / (12 * m * n));
}

/** All values that occur, ascending, so that counts of many windows can be added place by place. */
export class LatencyGrid {
  readonly values: readonly number[];
  /** Above this many distinct values they are rounded to a thousandth: it is latencies, not money. */
  private readonly isRounded: boolean;
  private readonly places: ReadonlyMap<number, number>;

  constructor(all: Iterable<LatencyCounts>, mostValues = 5_000) {
    const seen = new Set<number>();
    const rounded = new Set<number>();
    for (const counts of all) {
      for (const [value] of counts) {
        if (seen.size <= mostValues) seen.add(value);
        if (seen.size > mostValues) rounded.add(thousandth(value));
      }
    }
    this.isRounded = seen.size > mostValues;
    if (this.isRounded) for (const value of seen) rounded.add(thousandth(value));
    this.values = [...(this.isRounded ? rounded : seen)].sort((left, right) => left - right);
    this.places = new Map(this.values.map((value, place) => [value, place]));
  }

  /** Adds a window's counts. @param into as long as `values` */
  add(counts: LatencyCounts, into: Float64Array): void {
    for (const [value, count] of counts) {
      const place = this.places.get(this.isRounded ? thousandth(value) : value);
      if (place !== undefined) into[place] = (into[place] ?? 0) + count;
    }
  }

  /**
   * A quantile, evenly spread inside each value's step as Prometheus' `histogram_quantile` has it, so that a release does not jump from bucket to
   * bucket. In a bucket without an upper bound it is that bucket's lower bound.
   * @param without counts to take away first
   * @returns `undefined`: nothing is left. Unit: milliseconds
   */
  quantile(counts: Float64Array, fraction: number, without?: Float64Array): number | undefined {
    let total = 0;
    for (let place = 0; place < counts.length; place += 1) total += (counts[place] ?? 0) - (without?.[place] ?? 0);
    if (!(total > 0)) return undefined;
    const rank = fraction * total;
    let below = 0;
    for (let place = 0; place < counts.length; place += 1) {
      const here = (counts[place] ?? 0) - (without?.[place] ?? 0);
      if (here > 0 && below + here >= rank) {
        const step = this.values[place] ?? 0;
        const before = this.values[place - 1] ?? 0;
        return Number.isFinite(step) ? before + ((step - before) * (rank - below)) / here : before;
      }
      below += here;
    }
    return this.values.findLast(Number.isFinite);
  }

  /** Whether a quantile lies in a bucket without an upper bound: all that is known is that it is above the highest. */
  isBeyond(counts: Float64Array, fraction: number): boolean {
    if (this.values.at(-1) !== Number.POSITIVE_INFINITY) return false;
    let total = 0;
    for (const count of counts) total += count;
    return (counts[counts.length - 1] ?? 0) > (1 - fraction) * total;
  }
}

function thousandth(value: number): number {
  return value > 0 && Number.isFinite(value) ? Math.exp(Math.round(Math.log(value) * 1_000) / 1_000) : value;
}
