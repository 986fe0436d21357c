/**
 * The gate's comparison of a canary with who stands beside it, over the windows of a soak: rules `errors`, `latency` and `health-score`
 * (C1, B7; docs/decisions/0020-the-gate-compares-windows.md).
 * This file says what can be compared and how much error each comparison may make; the comparisons are in files of their own, the
 * sentences in `comparison-texts.ts`.
 */
import type { Plan } from "../plans.ts";
import { aloneFindings, comparedFindings, impossibleFindings } from "./comparison-texts.ts";
import {
  leastWindows,
  leftOut,
  lostWindows,
  measurementProblem,
  mostLostFraction,
  type PreparedSoak,
  prepareSoak,
} from "./comparison-windows.ts";
import { type CanaryErrors, canaryErrors, compareErrors, type ErrorComparison } from "./error-comparison.ts";
import type { GateSettings, SoakMeasurement, Unreadable } from "./evidence.ts";
import { type HealthScore, healthScore } from "./health-score.ts";
import { compareLatencies, type LatencyComparison } from "./latency-comparison.ts";
import { errorShareOf } from "./looks.ts";
import type { Finding } from "./verdict.ts";

/** Where in its rollout the soak is. */
export interface ComparisonContext {
  readonly plan: Plan;
  /** Of the canary. Unit: percent. */
  readonly exposurePercent: number;
}

/** What the windows came to, as numbers. */
export type Comparison =
  | {
      readonly state: "compared";
      readonly level: number;
      readonly soak: PreparedSoak;
      readonly errors: ErrorComparison;
      readonly latency: LatencyComparison;
      readonly healthScore: HealthScore;
    }
  /** At 100 %: nobody stands beside. */
  | { readonly state: "alone"; readonly soak: PreparedSoak; readonly errors: CanaryErrors }
  | {
      readonly state: "impossible";
      readonly measured: "nothing" | "too-little";
      readonly why: string;
      /** The canary by itself, where it was measured: too many errors are too many, whoever stands beside. */
      readonly errors?: CanaryErrors;
    };

/** Chance that the comparisons of a whole rollout say anything against a healthy release: half of the 1 % that the gate may make. */
export const rolloutError = 0.005;
/** Errors, p95, ranks, p99: those that are not made leave theirs unused. */
const comparisonsOfALook = 4;

/** Chance of a false answer that one comparison of a look may have, one-sided: waves, comparisons and looks share the rollout's (Bonferroni). */
export function comparisonLevel(plan: Plan, lookIndex: number): number {
  // At 100 % nobody stands beside, and nothing is compared.
  const waves = plan.waves.filter(({ exposurePercent }) => exposurePercent < 100).length;
  return (rolloutError / Math.max(1, waves) / comparisonsOfALook) * errorShareOf(lookIndex);
}

/**
 * Chance that the looks at one wave take a release twice as slow as what fails for one that is fine: what the decision to go on may be wrong by,
 * where `comparisonLevel` is what the decision to stop may.
 */
const waveMiss = 0.05;

/** The same of one look. */
export function missLevel(lookIndex: number): number {
  return waveMiss * errorShareOf(lookIndex);
}

/** Compares; never throws, whatever the sources say. */
export function compareSoak(
  measurement: SoakMeasurement,
  settings: GateSettings,
  { plan, exposurePercent }: ComparisonContext,
): Comparison {
  const problem = measurementProblem(measurement) ?? settingsProblem(settings);
  if (problem) return { state: "impossible", measured: "nothing", why: `what was measured makes no sense: ${problem}` };
  const soak = prepareSoak(measurement);
  const { windowSeconds, beside } = measurement;
  const errors = canaryErrors(soak.alone, settings);
  if (soak.alone.length === 0) {
    return { state: "impossible", measured: "nothing", why: `no window of the canary has requests${leftOut(soak)}` };
  }
  if (2 * soak.started < soak.possible) {
    const why = `only ${soak.started} of ${soak.possible} windows of the soak have any requests${leftOut(soak)}; expected at least half`;
    return { state: "impossible", measured: "too-little", why, errors };
  }
  if (!beside) {
    if (exposurePercent >= 100) return { state: "alone", soak, errors };
    const why = `nobody was measured beside the canary at ${exposurePercent} %`;
    return { state: "impossible", measured: "nothing", why, errors };
  }
  const short = shortOf(soak, beside.is);
  if (short) return { state: "impossible", ...short, errors };
  const level = comparisonLevel(plan, measurement.lookIndex);
  const compared = compareErrors(soak.pairs, soak.alone, windowSeconds, settings, level);
  const latency = compareLatencies(soak.pairs, settings, { level, miss: missLevel(measurement.lookIndex) });
  const { p99 } = latency;
  const score = healthScore({
    errors: { canaryRate: compared.mine.rate, besideRate: compared.beside.rate, isMore: compared.isMore },
    ...("ratio" in p99 ? { p99: { ratio: p99.ratio.estimate, isSlower: p99.isSlower } } : {}),
  });
  return { state: "compared", level, soak, errors: compared, latency, healthScore: score };
}

/** The same as findings, met ones included. */
export function comparisonFindings(
  measurement: SoakMeasurement | Unreadable,
  settings: GateSettings,
  context: ComparisonContext,
): Finding[] {
  if ("unreadable" in measurement) {
    const why = `canary and baseline could not be read (${measurement.unreadable})`;
    return impossibleFindings({ state: "impossible", measured: "nothing", why }, settings);
  }
  const comparison = compareSoak(measurement, settings, context);
  switch (comparison.state) {
    case "compared":
      return comparedFindings(comparison, settings, measurement.beside?.is ?? "baseline", measurement.windowSeconds);
    case "alone":
      return aloneFindings(comparison.errors, settings);
    case "impossible":
      return impossibleFindings(comparison, settings);
  }
}

function settingsProblem(settings: GateSettings): string | undefined {
  for (const key of ["latencyAllowancePercent", "errorAllowancePercent", "errorCeilingPercent"] as const) {
    const value = settings[key];
    if (!(value > 0 && Number.isFinite(value))) return `${key} of ${value}; expected a number above 0`;
  }
  return undefined;
}

/** Too little to stand side by side. */
function shortOf(
  soak: PreparedSoak,
  beside: "baseline" | "control",
): { readonly measured: "nothing" | "too-little"; readonly why: string } | undefined {
  const { pairs, started, alone } = soak;
  const both = `${pairs.length} of ${started} windows have requests of canary and ${beside}`;
  if (pairs.length === 0) return { measured: "nothing", why: `${both}${leftOut(soak)}` };
  if (2 * pairs.length < started) {
    return { measured: "too-little", why: `only ${both}${leftOut(soak)}; expected at least half` };
  }
  const lost = lostWindows(soak);
  const most = mostLostFraction * started;
  if (lost.canary > most || lost.beside > most) {
    const [who, windows] = lost.canary > most ? ["canary", lost.canary] : [beside, lost.beside];
    const why = `nothing usable of the ${who} in ${windows} of ${started} windows in which it must have had requests${leftOut(soak)}; expected at most ${100 * mostLostFraction} %`;
    return { measured: "nothing", why };
  }
  if (pairs.length >= leastWindows) return undefined;
  const requests = alone.reduce((sum, window) => sum + window.requests, 0);
  const more = Math.ceil(((leastWindows - pairs.length) * requests) / alone.length);
  const why = `needs about ${more} more requests of the canary, so the soak goes on; only ${both}${leftOut(soak)}, expected at least ${leastWindows}`;
  return { measured: "too-little", why };
}
