/**
 * Latencies, drawn straight into histogram bins: ten days hold 43 million of them, and no one needs the samples themselves.
 * Unit: milliseconds.
 */
import { binCount, binOf, binsPerDecade, type Histogram } from "../cloudwatch/histogram.ts";
import { traffic } from "./constants.ts";
import type { RandomStream } from "./random.ts";

/** A power of two, so that one 32-bit draw gives place and remainder; five decades, over eight sigma to either side. */
const tableSize = 512;
const placeShift = 23;
const remainderMask = 2 ** placeShift - 1;
/** Above this many samples bins are drawn by binomials: the same distribution at a cost that does not grow. */
const mostSingleDraws = 2_000;

/** Walker's alias table of one lognormal, and the plain probabilities it was made from. */
interface LatencyTable {
  readonly firstBin: number;
  readonly probabilities: Float64Array;
  /** Below this of 2^23 the place itself, else its alias. */
  readonly keepBelow: Int32Array;
  readonly alias: Int32Array;
}

/** Abramowitz and Stegun 7.1.26: off by at most 1.5e-7. */
function normalCumulative(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const upper = 0.5 * series * Math.exp(-x * x);
  return z < 0 ? upper : 1 - upper;
}

function makeTable(multiplier: number): LatencyTable {
  const median = traffic.latency.medianMs * multiplier;
  const firstBin = binOf(median) - tableSize / 2;
  const zOf = (bin: number): number =>
    ((bin / binsPerDecade - 4) * Math.LN10 - Math.log(median)) / traffic.latency.sigma;
  const probabilities = Float64Array.from({ length: tableSize }, (_, place) => {
    const bin = firstBin + place;
    return Math.max(0, normalCumulative(zOf(bin + 1)) - normalCumulative(zOf(bin)));
  });
  const total = probabilities.reduce((sum, probability) => sum + probability, 0);
  for (let place = 0; place < tableSize; place += 1) probabilities[place] = (probabilities[place] ?? 0) / total;

  const scaled = probabilities.map((probability) => probability * tableSize);
  const keepBelow = new Int32Array(tableSize).fill(2 ** placeShift);
  const alias = Int32Array.from({ length: tableSize }, (_, place) => place);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((value, place) => {
    (value < 1 ? small : large).push(place);
  });
  for (let under = small.pop(); under !== undefined; under = small.pop()) {
    const over = large.pop();
    if (over === undefined) break;
    const share = scaled[under] ?? 0;
    keepBelow[under] = Math.round(share * 2 ** placeShift);
    alias[under] = over;
    const rest = (scaled[over] ?? 0) - (1 - share);
    scaled[over] = rest;
    (rest < 1 ? small : large).push(over);
  }
  return { firstBin, probabilities, keepBelow, alias };
}

/** Tables by multiplier; a pure memo, a handful in any rehearsal. */
const tables = new Map<number, LatencyTable>();

function tableFor(multiplier: number): LatencyTable {
  let table = tables.get(multiplier);
  if (!table) {
    table = makeTable(multiplier);
    tables.set(multiplier, table);
  }
  return table;
}

/**
 * Adds `count` latencies of a release whose every request takes `multiplier` times as long as a healthy one's.
 * `jitterBins` moves the whole distribution by whole bins of 2.3 %.
 */
export function drawLatencies(
  stream: RandomStream,
  count: number,
  multiplier: number,
  jitterBins: number,
  into: Histogram,
): void {
  if (count <= 0) return;
  const { firstBin, probabilities, keepBelow, alias } = tableFor(multiplier);
  const offset = firstBin + jitterBins;
  if (count <= mostSingleDraws) {
    const { counts } = into;
    let low = binCount;
    let high = -1;
    for (let sample = 0; sample < count; sample += 1) {
      const drawn = stream.nextUint32();
      const place = drawn >>> placeShift;
      const chosen = (drawn & remainderMask) < (keepBelow[place] ?? 0) ? place : (alias[place] ?? 0);
      // The slowest bin also holds what is slower than the histogram reaches (1,000 s); no bound lies there.
      const bin = Math.min(binCount - 1, offset + chosen);
      counts[bin] = (counts[bin] ?? 0) + 1;
      if (bin < low) low = bin;
      if (bin > high) high = bin;
    }
    into.widen(low, high, count);
    return;
  }
  let left = count;
  let leftProbability = 1;
  for (let place = 0; place < tableSize && left > 0; place += 1) {
    const probability = probabilities[place] ?? 0;
    const here = place === tableSize - 1 ? left : stream.binomial(left, Math.min(1, probability / leftProbability));
    if (here > 0) into.addToBin(offset + place, here);
    left -= here;
    leftProbability -= probability;
  }
}
