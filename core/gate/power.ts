/**
 * What a soak can see, and how many requests it takes to see it: normal approximations with a design effect for bursts, for the findings' texts
 * and for the table of docs/gate-calibration.md. Nothing here judges a release by what it did; it says whether the question could be
 * answered at all.
 */
import { normalBelow, normalCritical, studentCritical } from "./comparison-statistics.ts";
import { leastWindows, mostBlocks } from "./comparison-windows.ts";

/** B9: fewer requests or errors of the canary speak against nobody. */
export const leastRequests = 100;
export const leastErrors = 10;

/** A look that sees a release twice as bad as what fails with less than this chance could not have seen it. */
export const leastPower = 0.8;

/**
 * Errors come in bursts of about a minute; how much a minute's error rate varies between minutes, relative to itself, where nothing better is
 * known, and at least where little is (standard deviation, squared). 1 is an exponential: the worst of a hundred minutes has 4.6 times the mean.
 */
export const assumedMinuteVariance = 1;

/** Relative variance of a release's error rate over this much time, beside the arithmetic one, by the assumption above. */
export function assumedBetweenVariance(seconds: number): number {
  return assumedMinuteVariance / Math.max(1, seconds / 60);
}

/** A soak whose error comparison is being planned. */
export interface ErrorDesign {
  /** What is to be seen: the canary's error rate. Unit: fraction of requests. */
  readonly canaryFraction: number;
  /** Of whoever stands beside. Unit: fraction. */
  readonly baseFraction: number;
  /** Error rate that fails whatever the base. Unit: fraction. */
  readonly ceilingFraction: number;
  /** Error rate above the base that is still allowed. Unit: fraction of the base; 1 is twice as many. */
  readonly allowanceFraction: number;
  /** Requests of the other one for each of the canary's. */
  readonly besideRequestsEach: number;
  /** How much windows' own error rates vary beside arithmetic. Unit: standard deviation as a fraction of the rate. */
  readonly spread: number;
  /** The canary's, in a window. */
  readonly requestsPerWindow: number;
  /** Chance of a false answer that this comparison may have, one-sided. */
  readonly level: number;
}

/** Chance that a soak of so many canary requests fails such a canary, by the ceiling or by the comparison, whichever sees it better. */
export function errorPower(design: ErrorDesign, requests: number): number {
  if (!(requests >= leastRequests)) return 0;
  const { canaryFraction, baseFraction, ceilingFraction, allowanceFraction, level } = design;
  const windows = Math.max(1, requests / design.requestsPerWindow);
  const between = design.spread ** 2 / windows;
  const fewest = leastErrors / requests;
  const deviation = Math.sqrt((canaryFraction * (1 - canaryFraction)) / requests + between * canaryFraction ** 2);
  const overCeiling = chanceAbove(canaryFraction - Math.max(ceilingFraction, fewest), deviation);
  // On the logarithm of the ratio, where bursts add up; the base cannot be below half an error.
  const besideErrors = Math.max(0.5, baseFraction * requests * design.besideRequestsEach);
  const base = besideErrors / (requests * design.besideRequestsEach);
  const logDeviation = Math.sqrt(1 / (canaryFraction * requests) + 1 / besideErrors + 2 * between);
  const margin = Math.max(Math.log(1 + allowanceFraction), normalCritical(level) * logDeviation);
  const overBase = Math.min(
    chanceAbove(Math.log(canaryFraction / base) - margin, logDeviation),
    chanceAbove(canaryFraction - fewest, deviation),
  );
  return windows < leastWindows ? overCeiling : Math.max(overCeiling, overBase);
}

function chanceAbove(distance: number, deviation: number): number {
  return deviation > 0 ? normalBelow(distance / deviation) : Number(distance > 0);
}

/**
 * Canary requests that a soak needs for such a canary to fail with this chance; more requests are more windows of the same size.
 * @param power range: 0 to 1, both excluded; 0.8 and 0.95 are tabled
 * @returns `undefined`: no number is enough, since the canary is within what is allowed
 */
export function requestsNeeded(design: ErrorDesign, power: number): number | undefined {
  return leastWhole((requests) => errorPower(design, requests) >= power, leastRequests);
}

/** The smallest error rate that a soak of so many requests sees by the ceiling. Unit: fraction; `undefined`: not even all requests failing. */
export function visibleErrorFraction(design: ErrorDesign, requests: number): number | undefined {
  const sees = (canaryFraction: number): boolean => errorPower({ ...design, canaryFraction }, requests) >= leastPower;
  if (!sees(1)) return undefined;
  let [low, high] = [0, 1];
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (middle > 0 && sees(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** A soak whose latency comparison is being planned. */
export interface LatencyDesign {
  /** What is to be seen, above the other's. Unit: fraction; 0.2 is 20 % slower. */
  readonly slowerFraction: number;
  /** What is allowed. Unit: fraction. */
  readonly allowanceFraction: number;
  /** How much a window's logarithm of the ratio varies. Unit: standard deviation, about a fraction of the latency. */
  readonly spread: number;
  /** What the estimate may be too low by, on the logarithm. @default 0 */
  readonly bias?: number;
  readonly level: number;
}

/** Chance that so many windows fail such a canary. */
export function latencyPower(design: LatencyDesign, windows: number): number {
  if (!(windows >= leastWindows)) return 0;
  const deviation = design.spread / Math.sqrt(windows);
  const critical = studentCritical(design.level, Math.min(windows, mostBlocks) - 1);
  const margin = Math.max(Math.log1p(design.allowanceFraction), deviation === 0 ? 0 : critical * deviation);
  return chanceAbove(Math.log1p(design.slowerFraction) - (design.bias ?? 0) - margin, deviation);
}

/** Windows that a soak needs for such a canary to fail with this chance. @returns `undefined`: no number is enough */
export function windowsNeeded(design: LatencyDesign, power: number): number | undefined {
  return leastWhole((windows) => latencyPower(design, windows) >= power, leastWindows);
}

/** The smallest slow-down that so many windows see. Unit: fraction; `undefined`: not even a hundredfold one. */
export function visibleSlowdownFraction(design: LatencyDesign, windows: number): number | undefined {
  const most = 100;
  const sees = (slowerFraction: number): boolean => latencyPower({ ...design, slowerFraction }, windows) >= leastPower;
  if (!sees(most)) return undefined;
  let [low, high] = [0, most];
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (sees(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The smallest whole number from `least` on for which it holds, where it holds for all above; up to 10^12. */
function leastWhole(holds: (count: number) => boolean, least: number): number | undefined {
  if (holds(least)) return least;
  let [low, high] = [least, least * 2];
  while (!holds(high)) {
    if (high > 1e12) return undefined;
    [low, high] = [high, high * 2];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
