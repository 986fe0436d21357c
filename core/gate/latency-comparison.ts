/**
 * Is the canary slower? By quantiles, and where the source keeps samples by their ranks as well: ranks see a slower middle that p95 does not, and
 * quantiles see a wider spread that ranks do not (docs/decisions/0020-the-gate-compares-windows.md).
 */
import {
  type Interval,
  type MeanInterval,
  meanInterval,
  studentCritical,
  studentInterval,
} from "./comparison-statistics.ts";
import { blocksOf, leastWindows, mostLostFraction, type WindowPair } from "./comparison-windows.ts";
import type { GateSettings, SoakWindow } from "./evidence.ts";
import { compareRanks, type RankComparison, type SampledPair } from "./latency-ranks.ts";
import { LatencyGrid, usableCounts } from "./latency-samples.ts";
import { type LatencyDesign, latencyPower, leastPower, visibleSlowdownFraction, windowsNeeded } from "./power.ts";

export type ComparedQuantile = "p95" | "p99";

/** One quantile of both. */
export interface QuantileComparison {
  /** Where it is from: the percentiles of each window, or the samples of all of them together. */
  readonly by: "windows" | "samples";
  /** Units: milliseconds; of windows the mean (geometric, weighted by requests). */
  readonly canaryMilliseconds: number;
  readonly besideMilliseconds: number;
  /** Canary's by the other's. */
  readonly ratio: Interval;
  /** The interval leaves no change out. */
  readonly isSlower: boolean;
  readonly isOverAllowance: boolean;
  /** How many windows of both it stands on. */
  readonly windows: number;
  readonly power: LatencyPower;
}

/** What this soak could have seen. Units: fractions above the other's. */
export interface LatencyPower {
  /** Twice what fails. */
  readonly mustSee: number;
  /** It would have stopped a release so slow with `leastPower`, or it rules one out. */
  readonly isEnough: boolean;
  /** A release so slow would have looked slower than this one did. */
  readonly isRuledOut: boolean;
  /** `undefined`: nothing at all. */
  readonly couldSee: number | undefined;
  /** Canary requests missing at the present mix. `undefined`: no number of such windows is enough. */
  readonly moreRequests: number | undefined;
}

/** A quantile that cannot be compared, and why. */
export interface NotCompared {
  readonly measured: "nothing" | "too-little";
  readonly why: string;
}

export interface LatencyComparison {
  readonly p95: QuantileComparison | NotCompared;
  readonly p99: QuantileComparison | NotCompared;
  /** Absent: the source keeps no samples. */
  readonly ranks?: RankComparison;
}

/**
 * Samples below which CloudWatch calls a percentile too little: 10 / (1 − p) (EvaluateLowSampleCountPercentile, read 2026-11-21). Per window where
 * it is of windows, else together.
 */
const leastSamples: Readonly<Record<ComparedQuantile, number>> = { p95: 200, p99: 1_000 };
/** A p95 of fewer is the largest of them. */
const leastForBias = 20;
const fractions: Readonly<Record<ComparedQuantile, number>> = { p95: 0.95, p99: 0.99 };
/** Standard normal quantile of p95, and the density at the quantiles. */
const normalP95 = 1.6449;
const normalDensities: Readonly<Record<ComparedQuantile, number>> = { p95: 0.1031, p99: 0.0267 };
/** Of a latency's logarithm, where p50 is not told. Services lie between 0.3 and 1. */
const assumedSigma = 1;

/** One-sided chances of a false answer that a comparison may have. Range: 0 to 1, both excluded. */
export interface Levels {
  /** That it stops a healthy release. */
  readonly level: number;
  /** That it rules out what is there. */
  readonly miss: number;
}

/** Compares both. @param pairs at least `leastWindows` */
export function compareLatencies(
  pairs: readonly WindowPair[],
  settings: GateSettings,
  levels: Levels,
): LatencyComparison {
  const lost = lostLatencies(pairs);
  if (lost) return { p95: lost, p99: lost };
  const sampled = sampledPairs(pairs);
  // Where only some windows have samples, those of a busy hour may be missing; percentiles are of all.
  if (2 * sampled.length >= pairs.length && sampled.length >= leastWindows) {
    const pooled = pool(sampled);
    return {
      p95: quantileOfSamples(pooled, "p95", settings, levels),
      p99: quantileOfSamples(pooled, "p99", settings, levels),
      ranks: compareRanks(pooled.blocks, settings, levels.level),
    };
  }
  return {
    p95: quantileOfWindows(pairs, "p95", settings, levels),
    p99: quantileOfWindows(pairs, "p99", settings, levels),
  };
}

/** Where requests have no latencies, though others have: whatever was slow there is what nobody saw. */
function lostLatencies(pairs: readonly WindowPair[]): NotCompared | undefined {
  const told = (window: SoakWindow): boolean =>
    percentile(window, "p95") !== undefined || usableCounts(window.latencyCounts) !== undefined;
  const busy = pairs.filter(({ canary, beside }) => Math.min(canary.requests, beside.requests) >= leastForBias);
  const lost = busy.filter(({ canary, beside }) => !told(canary) || !told(beside)).length;
  // None at all is a source without latencies, which is told as such.
  if (lost === busy.length || lost <= mostLostFraction * busy.length) return undefined;
  const why = `latencies are missing in ${lost} of ${busy.length} windows that have requests enough; expected at most ${100 * mostLostFraction} %`;
  return { measured: "nothing", why };
}

function sampledPairs(pairs: readonly WindowPair[]): SampledPair[] {
  const sampled: SampledPair[] = [];
  for (const pair of pairs) {
    const canary = usableCounts(pair.canary.latencyCounts);
    const beside = usableCounts(pair.beside.latencyCounts);
    if (canary && beside) sampled.push({ canary, beside });
  }
  return sampled;
}

/** Per-window percentiles: the mean of the windows' log-ratios, each weighted by what it is worth. */
function quantileOfWindows(
  pairs: readonly WindowPair[],
  name: ComparedQuantile,
  settings: GateSettings,
  levels: Levels,
): QuantileComparison | NotCompared {
  const told = pairs.filter(
    ({ canary, beside }) => percentile(canary, name) !== undefined && percentile(beside, name) !== undefined,
  );
  if (told.length === 0) return { measured: "nothing", why: `no window has a ${name} of both` };
  const least = name === "p95" ? leastForBias : leastSamples[name];
  const usable = told.filter(({ canary, beside }) => canary.requests >= least && beside.requests >= least);
  if (usable.length < leastWindows || 2 * usable.length < pairs.length) {
    const why = `${usable.length} of ${pairs.length} windows have a ${name} of at least ${least} requests of both; expected ${leastWindows} and half of them`;
    return { measured: "too-little", why };
  }
  const logOf = (side: "canary" | "beside") => meanOf(usable, (pair) => Math.log(percentile(pair[side], name) ?? 1));
  const parts = blocksOf(usable).map((block) => ({
    weight: block.reduce((sum, pair) => sum + worth(pair), 0),
    value: meanOf(block, ({ canary, beside }) =>
      Math.log((percentile(canary, name) ?? 1) / (percentile(beside, name) ?? 1)),
    ),
  }));
  const interval = meanInterval(parts, levels.level);
  if (!interval) return { measured: "too-little", why: `fewer than ${leastWindows} windows` };
  const bias = meanOf(usable, (pair) => smallSampleBias(pair.canary, name) - smallSampleBias(pair.beside, name));
  const requests = usable.reduce((sum, { canary }) => sum + canary.requests, 0);
  return quantileComparison("windows", interval, usable.length, requests, settings, levels, {
    canaryMilliseconds: Math.exp(logOf("canary")),
    besideMilliseconds: Math.exp(logOf("beside")),
    bias,
  });
}

function percentile(
  { latencyMilliseconds }: Pick<SoakWindow, "latencyMilliseconds">,
  name: ComparedQuantile,
): number | undefined {
  const value = latencyMilliseconds?.[name];
  return value !== undefined && value > 0 && Number.isFinite(value) ? value : undefined;
}

/** Precision of a ratio of two means is that of the smaller side, nearly. */
function worth({ canary, beside }: WindowPair): number {
  return (canary.requests * beside.requests) / (canary.requests + beside.requests);
}

function meanOf(pairs: readonly WindowPair[], value: (pair: WindowPair) => number): number {
  let weights = 0;
  let sum = 0;
  for (const pair of pairs) {
    weights += worth(pair);
    sum += worth(pair) * value(pair);
  }
  return sum / weights;
}

/**
 * How much a quantile of few requests lies below the true one, at most, on the logarithm: about one rank of n (David and Nagaraja, Order
 * Statistics, 2003, 4.6), by the slope that a lognormal of the same p50 and p95 has there. A canary with a tenth of the requests looks faster by this.
 */
function smallSampleBias({ requests, latencyMilliseconds }: SoakWindow, name: ComparedQuantile): number {
  const { p50, p95 } = latencyMilliseconds ?? {};
  const isTold = p50 !== undefined && p95 !== undefined && p50 > 0 && p95 >= p50 && Number.isFinite(p95);
  const sigma = isTold ? Math.log(p95 / p50) / normalP95 : assumedSigma;
  // One rank of n is 1 / n of probability.
  return sigma / (normalDensities[name] * requests);
}

interface Pooled {
  readonly grid: LatencyGrid;
  readonly blocks: readonly (readonly SampledPair[])[];
  readonly canary: Float64Array;
  readonly beside: Float64Array;
  readonly byBlock: readonly { readonly canary: Float64Array; readonly beside: Float64Array }[];
  readonly windows: number;
  readonly samples: { readonly canary: number; readonly beside: number };
}

function pool(sampled: readonly SampledPair[]): Pooled {
  const grid = new LatencyGrid(sampled.flatMap(({ canary, beside }) => [canary, beside]));
  const empty = (): Float64Array => new Float64Array(grid.values.length);
  const [canary, beside] = [empty(), empty()];
  const blocks = blocksOf(sampled);
  const byBlock = blocks.map((block) => {
    const of = { canary: empty(), beside: empty() };
    for (const pair of block) {
      grid.add(pair.canary, of.canary);
      grid.add(pair.beside, of.beside);
    }
    for (let place = 0; place < grid.values.length; place += 1) {
      canary[place] = (canary[place] ?? 0) + (of.canary[place] ?? 0);
      beside[place] = (beside[place] ?? 0) + (of.beside[place] ?? 0);
    }
    return of;
  });
  const samples = { canary: sumOf(canary), beside: sumOf(beside) };
  return { grid, blocks, canary, beside, byBlock, windows: sampled.length, samples };
}

function sumOf(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** Quantiles of all samples together, made anew without each block. */
function quantileOfSamples(
  pooled: Pooled,
  name: ComparedQuantile,
  settings: GateSettings,
  levels: Levels,
): QuantileComparison | NotCompared {
  const fraction = fractions[name];
  const { grid, samples } = pooled;
  if (Math.min(samples.canary, samples.beside) < leastSamples[name]) {
    const why = `${name} of ${Math.floor(samples.canary)} samples beside ${Math.floor(samples.beside)}; expected at least ${leastSamples[name]} of both`;
    return { measured: "too-little", why };
  }
  if (grid.isBeyond(pooled.beside, fraction)) {
    return { measured: "nothing", why: beyond(name, "who stands beside", grid) };
  }
  const canaryMilliseconds = grid.quantile(pooled.canary, fraction);
  const besideMilliseconds = grid.quantile(pooled.beside, fraction);
  if (!(canaryMilliseconds && besideMilliseconds)) return { measured: "nothing", why: `${name} is 0 ms` };
  const estimate = Math.log(canaryMilliseconds / besideMilliseconds);
  const without = pooled.byBlock.map((block) => {
    const mine = grid.quantile(pooled.canary, fraction, block.canary);
    const theirs = grid.quantile(pooled.beside, fraction, block.beside);
    return mine && theirs ? Math.log(mine / theirs) : estimate;
  });
  const least = Math.hypot(
    quantileError(grid, pooled.canary, samples.canary, fraction),
    quantileError(grid, pooled.beside, samples.beside, fraction),
  );
  const interval = studentInterval(estimate, without, effectiveBlocks(pooled), levels.level, least);
  const compared = quantileComparison("samples", interval, pooled.windows, samples.canary, settings, levels, {
    canaryMilliseconds,
    besideMilliseconds,
    bias: 0,
  });
  // At least so slow, and how slow nobody knows: enough to convict, and never to acquit.
  if ("ratio" in compared && !compared.isOverAllowance && grid.isBeyond(pooled.canary, fraction)) {
    return { measured: "nothing", why: beyond(name, "the canary", grid) };
  }
  return compared;
}

function beyond(name: ComparedQuantile, who: string, { values }: LatencyGrid): string {
  const highest = values.findLast(Number.isFinite) ?? 0;
  return `${name} of ${who} is above the histogram's highest bucket (${highest} ms), so nobody knows how slow it is`;
}

/**
 * What a quantile of so many samples varies by at least, on the logarithm: one standard deviation of its rank, to either side (Woodruff, Journal of the
 * American Statistical Association 47, 1952). Left-out blocks say too little of a p95 of some hundred samples, whose neighbours may lie close by chance:
 * without this 1 % of healthy rollouts with so few were stopped (docs/gate-calibration.md).
 */
function quantileError(grid: LatencyGrid, counts: Float64Array, samples: number, fraction: number): number {
  const rank = Math.sqrt((fraction * (1 - fraction)) / samples);
  const low = grid.quantile(counts, Math.max(0, fraction - rank));
  const high = grid.quantile(counts, Math.min(1, fraction + rank));
  const isTold = low !== undefined && high !== undefined && low > 0 && Number.isFinite(high);
  return isTold ? Math.log(high / low) / 2 : 0;
}

function effectiveBlocks({ byBlock }: Pooled): number {
  let sum = 0;
  let squares = 0;
  for (const { canary } of byBlock) {
    const weight = sumOf(canary);
    sum += weight;
    squares += weight * weight;
  }
  return sum ** 2 / squares;
}

function quantileComparison(
  by: QuantileComparison["by"],
  interval: MeanInterval,
  windows: number,
  requests: number,
  settings: GateSettings,
  levels: Levels,
  told: { readonly canaryMilliseconds: number; readonly besideMilliseconds: number; readonly bias: number },
): QuantileComparison | NotCompared {
  if (interval.effectiveBlocks < leastWindows) {
    const effective = Math.floor(10 * interval.effectiveBlocks) / 10;
    return {
      measured: "too-little",
      why: `nearly all requests came in a few of ${windows} windows, which is worth ${effective} even ones; expected ${leastWindows}`,
    };
  }
  const { bias } = told;
  // A baseline of few requests looks too fast; nobody is convicted by that.
  const lowered = { estimate: interval.estimate + Math.min(0, bias), lower: interval.lower + Math.min(0, bias) };
  const allowanceFraction = settings.latencyAllowancePercent / 100;
  const isSlower = lowered.lower > 0;
  const design: LatencyDesign = {
    slowerFraction: 2 * allowanceFraction,
    allowanceFraction,
    spread: interval.standardError * Math.sqrt(windows),
    bias: Math.abs(bias),
    level: levels.level,
  };
  const needed = windowsNeeded(design, leastPower);
  const degreesOfFreedom = Math.max(1, interval.effectiveBlocks - 1);
  const doubt =
    interval.standardError === 0 ? 0 : studentCritical(levels.miss, degreesOfFreedom) * interval.standardError;
  // A canary of few requests looks too fast; nobody is acquitted by that.
  const isRuledOut = interval.estimate + Math.max(0, bias) + doubt < Math.log1p(design.slowerFraction);
  return {
    by,
    canaryMilliseconds: told.canaryMilliseconds,
    besideMilliseconds: told.besideMilliseconds,
    ratio: {
      estimate: Math.exp(interval.estimate),
      lower: Math.exp(lowered.lower),
      upper: Math.exp(interval.upper + Math.max(0, bias)),
    },
    isSlower,
    isOverAllowance: isSlower && lowered.estimate > Math.log1p(allowanceFraction),
    windows,
    power: {
      mustSee: design.slowerFraction,
      isEnough: isRuledOut || latencyPower(design, windows) >= leastPower,
      isRuledOut,
      couldSee: visibleSlowdownFraction(design, windows),
      moreRequests: needed === undefined ? undefined : Math.ceil((Math.max(0, needed - windows) * requests) / windows),
    },
  };
}
