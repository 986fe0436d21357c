/** The tables of docs/gate-calibration.md, computed: each row from its own seeds, so that a test may draw a row anew with fewer of them. */
import { comparisonLevel } from "../../core/gate/comparison.ts";
import { defaultGateSettings, type SoakMeasurement } from "../../core/gate/evidence.ts";
import { type ErrorDesign, errorPower, requestsNeeded } from "../../core/gate/power.ts";
import { verdictOf } from "../../core/gate/verdict.ts";
import { type PlanPresetName, planPresetNames, planPresets } from "../../core/plans.ts";
import { traffic } from "../../rehearsal/traffic/constants.ts";
import { RandomStream } from "../../rehearsal/traffic/random.ts";
import { findingsOf, rolloutCourse } from "./rollout.ts";
import { type Share, shareOf } from "./wilson.ts";
import { type Badness, type CalibrationSource, SoakTrace } from "./world.ts";

/** Which rollouts a row is about. */
export interface HealthyCase {
  readonly plan: PlanPresetName;
  readonly source: CalibrationSource;
  /** Whole service, mean over a day. Unit: requests per second. */
  readonly ratePerSecond: number;
}

export interface HealthyRow extends HealthyCase {
  /** Answered `roll-back` or `monitor` at any look of any wave. */
  readonly blocked: Share;
  /** The comparison could not tell at the first look of at least one wave, and at the last one. */
  readonly undecidedAtFirst: Share;
  readonly undecidedAtLast: Share;
  readonly meanLooks: number;
  readonly blockedBy: readonly string[];
}

export const rates = [5, 50, 500] as const;

/** Seeds of a row of healthy rollouts: enough that none stopped means at most 0.96 %. All samples of whole days cost more to draw. */
export function healthySeeds({ plan, source }: HealthyCase): number {
  return source === "emf" && plan === "steady" ? 40 : 400;
}

/** Rows of one source. Of `emf` the plans whose soaks are short, and one with days. */
export function healthyCases(source: CalibrationSource): HealthyCase[] {
  const plans = source === "alb" ? planPresetNames : (["steady", "rapid", "migration"] as const);
  return plans.flatMap((plan) => rates.map((ratePerSecond) => ({ plan, source, ratePerSecond })));
}

/** One row of healthy rollouts, seeds 1 to `seeds`. */
export function healthyRow(of: HealthyCase, seeds: number): HealthyRow {
  const { plan, source, ratePerSecond } = of;
  const courses = Array.from({ length: seeds }, (_, index) =>
    rolloutCourse(planPresets[plan], { ratePerSecond, source }, index + 1),
  );
  const share = (holds: (course: (typeof courses)[number]) => boolean) => shareOf(courses.filter(holds).length, seeds);
  const looks = courses.flatMap(({ waves }) => waves.map((wave) => wave.looks.length));
  return {
    ...of,
    blocked: share(({ isBlocked }) => isBlocked),
    undecidedAtFirst: share(({ isUndecidedAtFirst }) => isUndecidedAtFirst),
    undecidedAtLast: share(({ isUndecidedAtLast }) => isUndecidedAtLast),
    meanLooks: looks.reduce((sum, count) => sum + count, 0) / Math.max(1, looks.length),
    blockedBy: [...new Set(courses.flatMap(({ blockedBy }) => blockedBy))].sort(),
  };
}

/** A bad release, and the chance that it is stopped. */
export interface BadCase {
  readonly what: string;
  readonly badness: Badness;
}

export const badCases: readonly BadCase[] = [
  ...[1.5, 2, 3, 5, 50, 200].map((errorFactor) => ({
    what: `errors × ${errorFactor}`,
    badness: { errorFactor },
  })),
  ...[1.1, 1.2, 1.5].map((latencyFactor) => ({
    what: `p95 +${Math.round(100 * (latencyFactor - 1))} %`,
    badness: { latencyFactor },
  })),
];

/** Plans whose power is tabled: the shortest soak and the usual one. */
export const powerPlans = ["rapid", "steady"] as const satisfies readonly PlanPresetName[];
/** Days of windows cost more to draw. */
export const badSeeds: Readonly<Record<(typeof powerPlans)[number], number>> = { rapid: 200, steady: 40 };

/** Share of whole rollouts of a bad release that are answered `roll-back`, before 100 %. */
export function badRow(plan: PlanPresetName, ratePerSecond: number, { badness }: BadCase, seeds: number): Share {
  let stopped = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const course = rolloutCourse(planPresets[plan], { ratePerSecond, source: "alb" }, seed, badness);
    if (course.isBlocked) stopped += 1;
  }
  return shareOf(stopped, seeds);
}

/** One soak's size: what it takes to see a release twice as bad as what fails. */
export interface SizeCase {
  /** Of the baseline. Unit: fraction. */
  readonly baseFraction: number;
  /** Of errors between minutes: shape of their gamma; 1 is an exponential. */
  readonly gammaShape: number;
  readonly power: 0.8 | 0.95;
}

export interface SizeRow extends SizeCase {
  /** What is to be seen: twice what fails. Unit: fraction. */
  readonly canaryFraction: number;
  /** By the formula. */
  readonly requests: number;
  /** What the formula says of exactly that many. */
  readonly promised: number;
  /** Share of simulated soaks of that size in which such a canary was answered `roll-back`. */
  readonly seen: Share;
}

export function sizeCases(): SizeCase[] {
  return [0.0002, 0.001, 0.005, 0.01].flatMap((baseFraction) =>
    [1, 4].flatMap((gammaShape) => ([0.8, 0.95] as const).map((power) => ({ baseFraction, gammaShape, power }))),
  );
}

export const sizeSeeds = 200;
/** Sizes are told for a soak at wave 10 of plan `steady`, first look. */
const sizePlan = planPresets.steady;
const sizeExposurePercent = 10;
const windowSeconds = 60;
/** Canary requests in a minute; a soak of any size is so many minutes of them. */
const requestsPerWindow = 300;

/** The formula's plan of such a soak. */
export function designOf({ baseFraction, gammaShape }: SizeCase): ErrorDesign {
  const ceilingFraction = defaultGateSettings.errorCeilingPercent / 100;
  const allowanceFraction = defaultGateSettings.errorAllowancePercent / 100;
  return {
    canaryFraction: 2 * Math.max(ceilingFraction, (1 + allowanceFraction) * baseFraction),
    baseFraction,
    ceilingFraction,
    allowanceFraction,
    besideRequestsEach: 100 / sizeExposurePercent - 1,
    spread: Math.sqrt(1 / gammaShape),
    requestsPerWindow,
    level: comparisonLevel(sizePlan, 0),
  };
}

/** One row: the formula's size, and soaks of that size. */
export function sizeRow(of: SizeCase, seeds: number): SizeRow {
  const design = designOf(of);
  const requests = requestsNeeded(design, of.power);
  if (requests === undefined) throw new Error(`base ${of.baseFraction}: no number of requests is enough`);
  const { canaryFraction } = design;
  const errorFactor = canaryFraction / of.baseFraction;
  const counted = Math.ceil(requests / requestsPerWindow);
  let seen = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const measurement = soakOfWindows(of, counted, errorFactor, seed);
    const { kind } = verdictOf(
      findingsOf(measurement, sizePlan, sizeExposurePercent).filter(({ rule }) => rule === "errors"),
    );
    if (kind === "roll-back") seen += 1;
  }
  return { ...of, canaryFraction, requests, promised: errorPower(design, requests), seen: shareOf(seen, seeds) };
}

/** A soak with so many windows after its warm-up, in the middle of the morning, when traffic is at its mean. */
function soakOfWindows(of: SizeCase, counted: number, errorFactor: number, seed: number): SoakMeasurement {
  // A tenth is warm-up, a minute at least and ten at most (core/gate/comparison-windows.ts).
  let windows = counted + 1;
  while (windows - Math.ceil(Math.min(10, Math.max(1, windows / 10))) < counted) windows += 1;
  const middle = Date.UTC(2026, 0, 5, (traffic.rhythm.peakHour + 18) % 24);
  const openedAt = Math.round((middle - (windows * windowSeconds * 1_000) / 2) / 60_000) * 60_000;
  const service = {
    ratePerSecond: requestsPerWindow / windowSeconds / (sizeExposurePercent / 100),
    source: "alb" as const,
    baseFraction: of.baseFraction,
    gammaShape: of.gammaShape,
  };
  const soak = { openedAt, fromPercent: 0, exposurePercent: sizeExposurePercent, windowSeconds };
  const trace = new SoakTrace(new RandomStream(`size/${seed}`), service, soak, { errorFactor });
  const to = openedAt + windows * windowSeconds * 1_000;
  trace.drawTo(to);
  return {
    windowSeconds,
    from: openedAt,
    to,
    lookIndex: 0,
    canary: trace.canary,
    beside: { is: "baseline", windows: trace.baseline },
  };
}
