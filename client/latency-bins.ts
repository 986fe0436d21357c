/**
 * Latencies of one interval without keeping each: log-spaced bins, 100 to the decade, each with how many fell into it and what they came
 * to. A bin is told by its mean, so the sum is right to a thousandth of a millisecond a request, and a percentile off by less than 2.4 %
 * (10^(1/100) - 1), whatever came in; a latency that is always the same is told as it is.
 */

const binsPerDecade = 100;
/** Shortest that is told apart from 0. Unit: milliseconds. */
const shortestMilliseconds = 0.01;
/** Longest that is kept; longer ones count as this. Unit: milliseconds. About 28 hours. */
export const longestMilliseconds = 1e8;
const binCount = 10 * binsPerDecade + 1;
const lowestLog = Math.log10(shortestMilliseconds);

function binOf(milliseconds: number): number {
  if (milliseconds <= shortestMilliseconds) return 0;
  return Math.min(binCount - 1, Math.ceil((Math.log10(milliseconds) - lowestLog) * binsPerDecade));
}

/** Values in rising order, each with how often it came. Unit: milliseconds. */
export interface ValuesAndCounts {
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

export class LatencyBins {
  readonly #counts = new Uint32Array(binCount);
  readonly #sums = new Float64Array(binCount);
  #low = binCount;
  #high = -1;

  /** Range: 0 to `longestMilliseconds`; the caller sees to it. */
  add(milliseconds: number): void {
    const bin = binOf(milliseconds);
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#sums[bin] = (this.#sums[bin] ?? 0) + milliseconds;
    if (bin < this.#low) this.#low = bin;
    if (bin > this.#high) this.#high = bin;
  }

  /** What came since the last time, and starts over. Means are told to a thousandth of a millisecond. */
  take(): ValuesAndCounts {
    const values: number[] = [];
    const counts: number[] = [];
    for (let bin = this.#low; bin <= this.#high; bin += 1) {
      const count = this.#counts[bin] ?? 0;
      if (count === 0) continue;
      values.push(Math.round(((this.#sums[bin] ?? 0) / count) * 1_000) / 1_000);
      counts.push(count);
    }
    if (this.#high >= 0) {
      this.#counts.fill(0, this.#low, this.#high + 1);
      this.#sums.fill(0, this.#low, this.#high + 1);
    }
    this.#low = binCount;
    this.#high = -1;
    return { values, counts };
  }
}
