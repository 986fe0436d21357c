/**
 * Does the canary fail more often? Against a ceiling by its rate, and against whoever stands beside by the ratio of the two rates
 * (docs/decisions/0020-the-gate-compares-windows.md).
 *
 * Strictly monotone in the canary's errors: how much chance may do is taken from whoever stands beside, never from the canary, whose own
 * bursts would else widen the very interval that is to convict it.
 */
import {
  type Counted,
  type Interval,
  meanInterval,
  normalCritical,
  rateRatioInterval,
  studentCritical,
} from "./comparison-statistics.ts";
import { blocksOf, type WindowPair } from "./comparison-windows.ts";
import type { GateSettings, SoakWindow } from "./evidence.ts";
import {
  assumedBetweenVariance,
  assumedMinuteVariance,
  type ErrorDesign,
  errorPower,
  leastErrors,
  leastPower,
  leastRequests,
  requestsNeeded,
  visibleErrorFraction,
} from "./power.ts";

/** Errors of a canary by itself. Rates are fractions of requests. */
export interface CanaryErrors extends Counted {
  readonly rate: number;
  /** Above the ceiling, by enough requests and errors to count (B9). */
  readonly isOverCeiling: boolean;
}

/** Errors of both. Rates are fractions of requests. */
export interface ErrorComparison {
  /** Over all its windows, for the ceiling. */
  readonly canary: CanaryErrors;
  /** Over the windows that both have. */
  readonly mine: Counted & { readonly rate: number };
  readonly beside: Counted & { readonly rate: number };
  /**
   * Canary's rate by the other's: 1 where neither has any, infinite where only the canary has. Its interval is of the canary without its worst
   * blocks.
   */
  readonly ratio: Interval;
  /** The interval leaves no change out: the canary fails more often, allowed or not. */
  readonly isMore: boolean;
  /** More than what is allowed, and no change is left out. */
  readonly isOverAllowance: boolean;
  readonly power: ErrorPower;
}

/** What this soak could have seen. Units: fractions of requests. */
export interface ErrorPower {
  /** Twice what fails; what a look must be able to see. */
  readonly mustSee: number;
  readonly isEnough: boolean;
  /** What it could have seen. `undefined`: nothing at all. */
  readonly couldSee: number | undefined;
  /** Canary requests missing at the present mix. `undefined`: no number is enough. */
  readonly moreRequests: number | undefined;
}

/** The errors of a canary that nobody stands beside, or of all its windows. */
export function canaryErrors(windows: readonly SoakWindow[], { errorCeilingPercent }: GateSettings): CanaryErrors {
  const counted = count(windows);
  const rate = counted.requests > 0 ? counted.errors / counted.requests : 0;
  const isOverCeiling =
    counted.requests >= leastRequests && counted.errors >= leastErrors && rate > errorCeilingPercent / 100;
  return { ...counted, rate, isOverCeiling };
}

/**
 * Compares both.
 * @param alone the canary's windows, for its ceiling; those of `pairs` are among them
 * @param pairs at least `leastWindows`
 */
export function compareErrors(
  pairs: readonly WindowPair[],
  alone: readonly SoakWindow[],
  windowSeconds: number,
  settings: GateSettings,
  level: number,
): ErrorComparison {
  const mine = count(pairs.map(({ canary }) => canary));
  const beside = count(pairs.map((pair) => pair.beside));
  const blocks = blocksOf(pairs);
  const between = betweenVariance(blocks, beside, pairs.length * windowSeconds, level);
  const tempered: Counted = { requests: mine.requests, errors: withoutWorstBlocks(blocks) };
  const ratio = { ...rateRatioInterval(tempered, beside, between, level), estimate: ratioOf(mine, beside) };
  const canary = canaryErrors(alone, settings);
  const isMore = mine.requests >= leastRequests && mine.errors >= leastErrors && ratio.lower > 1;
  return {
    canary,
    mine: { ...mine, rate: mine.errors / mine.requests },
    beside: { ...beside, rate: beside.errors / beside.requests },
    ratio,
    isMore,
    isOverAllowance: isMore && ratio.estimate > 1 + settings.errorAllowancePercent / 100,
    power: powerOf(mine.requests, beside, pairs.length, windowSeconds, settings, level),
  };
}

function count(windows: readonly SoakWindow[]): Counted {
  let requests = 0;
  let errors = 0;
  for (const window of windows) {
    requests += window.requests;
    errors += window.errors;
  }
  return { requests, errors };
}

function ratioOf(canary: Counted, beside: Counted): number {
  if (canary.errors === 0 && beside.errors === 0) return 1;
  return canary.errors / canary.requests / (beside.errors / beside.requests);
}

/**
 * How much a release's rate over this soak varies beside arithmetic, relative to itself, squared: what the other one's blocks show, widened
 * for being seen by few of them (Student's quantile by the normal one), and at least what bursts of a minute make of any release.
 */
function betweenVariance(
  blocks: readonly (readonly WindowPair[])[],
  beside: Counted,
  seconds: number,
  level: number,
): number {
  const least = assumedBetweenVariance(seconds);
  if (beside.errors === 0) return least;
  const parts = blocks.map((block) => {
    const { requests, errors } = count(block.map((pair) => pair.beside));
    return { weight: requests, value: errors / requests };
  });
  const rate = meanInterval(parts, level);
  if (!rate) return least;
  const seen = Math.max(0, (rate.standardError / rate.estimate) ** 2 - 1 / beside.errors);
  const widening = studentCritical(level, Math.max(1, rate.effectiveBlocks - 1)) / normalCritical(level);
  return Math.max(least, seen * widening);
}

/**
 * The canary's errors with its worst tenth of blocks, at least one, no worse than the next: what one bad spell makes of a soak is for the alarms
 * and the ceiling. An order statistic, so more errors never make it less.
 */
function withoutWorstBlocks(blocks: readonly (readonly WindowPair[])[]): number {
  const counted = blocks.map((block) => count(block.map(({ canary }) => canary)));
  const rates = counted.map(({ errors, requests }) => errors / requests).sort((left, right) => right - left);
  const most = rates[Math.max(1, Math.floor(rates.length / 10))] ?? Number.POSITIVE_INFINITY;
  return counted.reduce((sum, { errors, requests }) => sum + Math.min(errors, most * requests), 0);
}

function powerOf(
  requests: number,
  beside: Counted,
  windows: number,
  windowSeconds: number,
  settings: GateSettings,
  level: number,
): ErrorPower {
  const ceilingFraction = settings.errorCeilingPercent / 100;
  const allowanceFraction = settings.errorAllowancePercent / 100;
  const baseFraction = beside.errors / beside.requests;
  const mustSee = Math.min(1, 2 * Math.max(ceilingFraction, (1 + allowanceFraction) * baseFraction));
  const design: ErrorDesign = {
    canaryFraction: mustSee,
    baseFraction,
    ceilingFraction,
    allowanceFraction,
    besideRequestsEach: beside.requests / requests,
    spread: Math.sqrt((assumedMinuteVariance * 60) / windowSeconds),
    requestsPerWindow: requests / windows,
    level,
  };
  const needed = requestsNeeded(design, leastPower);
  return {
    mustSee,
    isEnough: errorPower(design, requests) >= leastPower,
    couldSee: visibleErrorFraction(design, requests),
    moreRequests: needed === undefined ? undefined : Math.max(0, Math.ceil(needed - requests)),
  };
}
