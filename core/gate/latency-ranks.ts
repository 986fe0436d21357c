/** Does a request of the canary take longer than one of who stands beside, more often than not? Sees a slower middle that no high quantile shows. */
import { type Interval, meanInterval } from "./comparison-statistics.ts";
import type { GateSettings } from "./evidence.ts";
import { chanceAbove, chanceVariance, type LatencyCounts, totalOf } from "./latency-samples.ts";

/** The samples of one window. */
export interface SampledPair {
  readonly canary: LatencyCounts;
  readonly beside: LatencyCounts;
}

/** Ranks of both. */
export interface RankComparison {
  /** Chance that a canary's request takes longer than one of the other, ties counted half; 0.5 is no change. */
  readonly chanceSlower: Interval;
  /** The same beside a baseline that is slower by what is allowed. */
  readonly chanceSlowerThanAllowed: number;
  readonly isSlower: boolean;
  /** The canary's requests take longer even beside a baseline that is slower by what is allowed, and no change is left out. */
  readonly isOverAllowance: boolean;
}

/**
 * Mann-Whitney in each window, put together by van Elteren's weights (Bulletin de l'Institut International de
 * Statistique 37, 1960), with the variance that the blocks show and at least the one of arithmetic. Significance alone fails nobody: even a baseline slower by what is
 * allowed must be the faster one.
 */
export function compareRanks(
  blocks: readonly (readonly SampledPair[])[],
  settings: GateSettings,
  level: number,
): RankComparison {
  const scale = 1 + settings.latencyAllowancePercent / 100;
  let weights = 0;
  let variance = 0;
  let beyond = 0;
  const parts = blocks.map((block) => {
    let weight = 0;
    let sum = 0;
    for (const { canary, beside } of block) {
      const [m, n] = [totalOf(canary), totalOf(beside)];
      const own = (m * n) / (m + n + 1);
      weight += own;
      sum += own * chanceAbove(canary, beside);
      beyond += own * chanceAbove(canary, beside, scale);
      variance += own * own * chanceVariance(canary, beside);
    }
    weights += weight;
    return { weight, value: sum / weight };
  });
  const chanceSlower = meanInterval(parts, level, Math.sqrt(variance) / weights) ?? {
    estimate: 0.5,
    lower: 0,
    upper: 1,
  };
  const chanceSlowerThanAllowed = beyond / weights;
  const isSlower = chanceSlower.lower > 0.5;
  return {
    chanceSlower,
    chanceSlowerThanAllowed,
    isSlower,
    isOverAllowance: isSlower && chanceSlowerThanAllowed > 0.5,
  };
}
