/**
 * Mergeable histograms: how the local CloudWatch and the traffic keep distributions without keeping samples.
 *
 * Bins are log-spaced, 100 to the decade, so a value is known to within one bin: a percentile read from here is off by at most
 * 2.4 % of its value (10^(1/100) - 1); inside the bin it is interpolated on the log scale, so usually by far less. A unit change
 * by a power of ten is a shift by whole bins and loses nothing.
 */

export const binsPerDecade = 100;
/** Lower edge of the first bin; smaller values, 0 among them, are counted there. 0.1 ms when the unit is seconds. */
export const lowestValue = 1e-4;
/** Upper edge of the last bin; larger values are counted there. 17 minutes when the unit is milliseconds. */
export const highestValue = 1e6;
/** Ten decades. */
export const binCount = 1_000;
const lowestExponent = -4;

/** The bin of a value. */
export function binOf(value: number): number {
  if (!(value > lowestValue)) return 0;
  return Math.min(binCount - 1, Math.floor((Math.log10(value) - lowestExponent) * binsPerDecade));
}

/** The value at a place in the bins: 3 is the lower edge of bin 3, 3.5 its geometric middle. */
export function valueAt(place: number): number {
  return 10 ** (lowestExponent + place / binsPerDecade);
}

/** Counts by bin. Only bins `low` to `high` are ever nonzero, so merging touches those alone. */
export class Histogram {
  readonly counts = new Uint32Array(binCount);
  low = binCount;
  high = -1;
  total = 0;

  clear(): void {
    if (this.high >= 0) this.counts.fill(0, this.low, this.high + 1);
    this.low = binCount;
    this.high = -1;
    this.total = 0;
  }

  add(value: number, count = 1): void {
    this.addToBin(binOf(value), count);
  }

  /** `bin` outside the range is counted at its nearest end. */
  addToBin(bin: number, count: number): void {
    const place = bin < 0 ? 0 : bin >= binCount ? binCount - 1 : bin;
    this.counts[place] = (this.counts[place] ?? 0) + count;
    if (place < this.low) this.low = place;
    if (place > this.high) this.high = place;
    this.total += count;
  }

  /** After `counts` was written directly, for speed: the bins touched and the samples added. */
  widen(low: number, high: number, count: number): void {
    if (low < this.low) this.low = low;
    if (high > this.high) this.high = high;
    this.total += count;
  }

  /** Adds another histogram, its values times ten to the `decades`. Range of `decades`: whole numbers. */
  merge(other: Histogram, decades = 0): void {
    if (other.total === 0) return;
    const shift = decades * binsPerDecade;
    const low = other.low + shift;
    const high = other.high + shift;
    if (low < 0 || high >= binCount) {
      for (let bin = other.low; bin <= other.high; bin += 1) {
        const count = other.counts[bin] ?? 0;
        if (count > 0) this.addToBin(bin + shift, count);
      }
      return;
    }
    const own = this.counts;
    const theirs = other.counts;
    for (let bin = low; bin <= high; bin += 1) own[bin] = (own[bin] ?? 0) + (theirs[bin - shift] ?? 0);
    if (low < this.low) this.low = low;
    if (high > this.high) this.high = high;
    this.total += other.total;
  }

  /** The value that `percent` of the samples do not exceed; NaN without samples. Range: 0 to 100. */
  percentile(percent: number): number {
    if (this.total === 0) return Number.NaN;
    const rank = (percent / 100) * this.total;
    let below = 0;
    for (let bin = this.low; bin <= this.high; bin += 1) {
      const count = this.counts[bin] ?? 0;
      if (count > 0 && below + count >= rank) return valueAt(bin + Math.max(0, rank - below) / count);
      below += count;
    }
    return valueAt(this.high + 1);
  }

  /** Sum of the samples, each taken at the geometric middle of its bin: within 1.2 %. */
  approximateSum(): number {
    let sum = 0;
    for (let bin = this.low; bin <= this.high; bin += 1) sum += (this.counts[bin] ?? 0) * (middles[bin] ?? 0);
    return sum;
  }
}

const middles = Float64Array.from({ length: binCount }, (_, bin) => valueAt(bin + 0.5));
