/**
 * The three intervals that the comparison of two releases stands on, over numbers alone. Distributions are jstat's; tails are always asked
 * for from their small side, so that levels of one in a million keep their digits.
 */
import jStat from "jstat";

/** Above this many the normal approximation is closer than jstat's continued fraction, which stops after 100 steps. */
const mostExactCounts = 5_000;

/** Standard normal quantile that a standard normal exceeds with probability `level`. Range of `level`: 0 to 1, both excluded. */
export function normalCritical(level: number): number {
  return -jStat.normal.inv(level, 0, 1);
}

/** The same of Student's t. */
export function studentCritical(level: number, degreesOfFreedom: number): number {
  return -jStat.studentt.inv(level, degreesOfFreedom);
}

/** Chance that a standard normal stays below. */
export function normalBelow(x: number): number {
  return jStat.normal.cdf(x, 0, 1);
}

/** An estimate with what it may be by chance: each side is left out with probability `level`. */
export interface Interval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

export interface MeanInterval extends Interval {
  readonly standardError: number;
  /** How many equally weighted blocks would tell as much: (Σw)² / Σw² (Kish, Survey Sampling, 1965). */
  readonly effectiveBlocks: number;
}

/** One block's part in a mean. */
export interface BlockPart {
  readonly weight: number;
  readonly value: number;
}

/**
 * A weighted mean of blocks with Student's interval. Blocks, not requests, are what was drawn: the error is how much whole blocks differ, so
 * that bursts and drifts count as what they are (cluster-robust, leave-one-block-out variance: Shao and Tu, The Jackknife and Bootstrap, 1995, 2.3;
 * it is above the plain sandwich's where weights differ). Degrees of freedom: effective blocks less one.
 * @param leastError what is added by arithmetic at least, for values that are themselves estimates. Unit: of the value
 * @returns `undefined` for fewer than two blocks with weight
 */
export function meanInterval(parts: readonly BlockPart[], level: number, leastError = 0): MeanInterval | undefined {
  const weighed = parts.filter(({ weight }) => weight > 0);
  if (weighed.length < 2) return undefined;
  let total = 0;
  let sum = 0;
  let squares = 0;
  for (const { weight, value } of weighed) {
    total += weight;
    sum += weight * value;
    squares += weight * weight;
  }
  const estimate = sum / total;
  const without = weighed.map(({ weight, value }) => (sum - weight * value) / (total - weight));
  return studentInterval(estimate, without, total ** 2 / squares, level, leastError);
}

/**
 * Student's interval of an estimate that was made anew without each of its blocks (as above).
 * @param without the estimate without block i
 */
export function studentInterval(
  estimate: number,
  without: readonly number[],
  effectiveBlocks: number,
  level: number,
  leastError = 0,
): MeanInterval {
  const middle = without.reduce((sum, value) => sum + value, 0) / without.length;
  const spread = without.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const standardError = Math.max(leastError, Math.sqrt(((without.length - 1) / without.length) * spread));
  const margin = standardError === 0 ? 0 : studentCritical(level, Math.max(1, effectiveBlocks - 1)) * standardError;
  return { estimate, lower: estimate - margin, upper: estimate + margin, standardError, effectiveBlocks };
}

/** Errors of some requests. */
export interface Counted {
  readonly requests: number;
  readonly errors: number;
}

/**
 * Ratio of two error rates, with the interval of the exact conditional test: given all errors, the canary's are binomial with its share of the
 * requests (Przyborowski and Wilenski, Biometrika 31, 1940; its interval is Clopper and Pearson's, Biometrika 26, 1934). Errors that come in bursts tell
 * less than their number, so both counts are first made as small as what they tell (Rao and Scott, Biometrics 48, 1992): e / (1 + e·v). Without
 * bursts (v = 0) it is the plain exact test; with many errors it is the F test of two gammas, which bursts of that spread make of it.
 * Strictly monotone: more errors of the canary never lower either limit.
 * @param betweenVariance v: variance of a release's rate over this soak beside the arithmetic one, relative to the rate squared
 */
export function rateRatioInterval(canary: Counted, beside: Counted, betweenVariance: number, level: number): Interval {
  const upper = effective(canary, betweenVariance);
  const lower = effective(beside, betweenVariance);
  const estimate = canary.errors / canary.requests / (beside.errors / beside.requests);
  const scale = lower.requests / upper.requests;
  if (upper.errors + lower.errors > mostExactCounts && upper.errors > 0 && lower.errors > 0) {
    const margin = normalCritical(level) * Math.sqrt(1 / upper.errors + 1 / lower.errors);
    return { estimate, lower: estimate * Math.exp(-margin), upper: estimate * Math.exp(margin) };
  }
  const ratioOf = (share: number): number => (share >= 1 ? Number.POSITIVE_INFINITY : (share / (1 - share)) * scale);
  return {
    estimate: canary.errors === 0 && beside.errors === 0 ? 1 : estimate,
    lower: upper.errors > 0 ? ratioOf(jStat.ibetainv(level, upper.errors, lower.errors + 1)) : 0,
    upper:
      lower.errors > 0 ? ratioOf(1 - jStat.ibetainv(level, lower.errors, upper.errors + 1)) : Number.POSITIVE_INFINITY,
  };
}

function effective({ requests, errors }: Counted, betweenVariance: number): Counted {
  const designEffect = 1 + errors * betweenVariance;
  return { requests: requests / designEffect, errors: errors / designEffect };
}
