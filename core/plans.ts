/**
 * Rollout plans: the ordered waves a release is let in by, and the presets of the source documents (A1, A2).
 * Nothing here decides; it is the vocabulary the gate and the record reason about.
 */

import type { Bound, Indicator, Response } from "./objectives.ts";

/** A bound that one wave has of its own, on top of the service's objectives. */
export interface WaveCriterion {
  /** What the document says, in its own numbers. */
  readonly text: string;
  /** Whether it stops the advance or takes traffic away. */
  readonly kind: "advance" | "rollback";
  /** How it is watched. Absent: nobody can, and the preview says so; records of older versions have none. */
  readonly watch?: CriterionWatch;
}

/** A wave's own bound as an objective would have it. */
export interface CriterionWatch {
  readonly indicator: Indicator;
  /** Of an `advance` the response does not matter. */
  readonly bound: Bound;
  /** @default as of an objective */
  readonly minimumRequests?: number;
  /** @default as of an objective; 1 where the document says "any" */
  readonly minimumErrors?: number;
}

/** One step of a plan. */
export interface Wave {
  /** Share of the traffic on the canary. Unit: percent, whole, 1 to 100. */
  readonly exposurePercent: number;
  /** Least time at this exposure before the next wave. Unit: minutes. `null`: no end, only an override finishes it. */
  readonly minimumSoakMinutes: number | null;
  /** How often a person should look. Unit: seconds. Shown in previews; the hook itself looks every minute. */
  readonly lookEverySeconds: number;
  /** Least canary requests during the soak, or the gate cannot tell. @default 1000 (ten alarm floors of 100, B9) */
  readonly minimumRequests: number;
  /** Who may lower this wave: the hook, or a human (every lowering response becomes `freeze`). */
  readonly lowering: "automatic" | "human";
  /** Roles that must have signed before this wave opens (C3). @default nobody is asked */
  readonly approvals?: readonly string[];
  /** Opened by the scheduled workflow, through the same gate as by hand (E8). @default absent: a person changes the config */
  readonly advance?: "automatic";
  /** Bounds of this wave alone. */
  readonly criteria: readonly WaveCriterion[];
}

/** An ordered list of waves; exposure rises strictly and the last is 100. */
export interface Plan {
  readonly name: string;
  readonly waves: readonly Wave[];
  /** How long the finished release is still watched by people. Unit: minutes. */
  readonly watchAfterMinutes: number;
  /** After a rollback, this long until the same release may try again (B5). Unit: minutes. @default 0: at once */
  readonly coolOffMinutes?: number;
}

export const planPresetNames = ["steady", "cautious", "rapid", "migration", "fine"] as const;
export type PlanPresetName = (typeof planPresetNames)[number];

/** Ten alarm floors (B9): a wave seen by fewer requests was not seen. */
export const defaultMinimumRequests = 1_000;
const defaultLookEverySeconds = 300;

const hours = (count: number): number => count * 60;
const days = (count: number): number => count * 24 * 60;

/** Fills what a wave leaves out; used by the presets and by plans spelled out in config. */
export function completeWave(wave: Pick<Wave, "exposurePercent" | "minimumSoakMinutes"> & Partial<Wave>): Wave {
  return {
    lookEverySeconds: defaultLookEverySeconds,
    minimumRequests: defaultMinimumRequests,
    lowering: "automatic",
    criteria: [],
    ...wave,
  };
}

const below = (indicator: Indicator, value: number, text: string, reference?: Bound["reference"]): WaveCriterion => ({
  kind: "advance",
  text,
  watch: { indicator, bound: { value, response: "freeze", ...(reference ? { reference } : {}) } },
});
const rollback = (
  indicator: Indicator,
  value: number,
  text: string,
  response: Response,
  rest: Pick<Bound, "reference" | "windowSeconds"> = {},
  floors: Pick<CriterionWatch, "minimumRequests" | "minimumErrors"> = {},
): WaveCriterion => ({
  kind: "rollback",
  text,
  watch: { indicator, bound: { value, response, ...rest }, ...floors },
});
const overBaseline = { kind: "baseline", form: "factor" } as const;

/** The presets of A2, with the documents' own numbers (seeds 000 to 004, read 2026-11-21). */
export const planPresets: Readonly<Record<PlanPresetName, Plan>> = {
  steady: {
    name: "steady",
    watchAfterMinutes: days(30),
    waves: [
      completeWave({ exposurePercent: 10, minimumSoakMinutes: hours(24) }),
      completeWave({ exposurePercent: 25, minimumSoakMinutes: hours(24) }),
      completeWave({ exposurePercent: 50, minimumSoakMinutes: hours(24) }),
      completeWave({ exposurePercent: 100, minimumSoakMinutes: days(7) }),
    ],
  },
  cautious: {
    name: "cautious",
    watchAfterMinutes: days(14),
    waves: [
      completeWave({
        exposurePercent: 10,
        minimumSoakMinutes: hours(24),
        lookEverySeconds: 900,
        criteria: [
          below("error-rate", 5, "error rate below 5 %"),
          below("latency-p95", 500, "p95 below 500 ms"),
          rollback("error-rate", 10, "error rate above 10 % for 5 min", "disable", { windowSeconds: 300 }),
        ],
      }),
      completeWave({
        exposurePercent: 25,
        minimumSoakMinutes: hours(48),
        lookEverySeconds: 600,
        criteria: [
          rollback("error-rate", 5, "error rate 5 points above wave 1", "disable", {
            reference: { kind: "previous-wave", form: "points" },
          }),
          rollback("latency-p95", 1.5, "p95 50 % above wave 1", "disable", {
            reference: { kind: "previous-wave", form: "factor" },
          }),
        ],
      }),
      completeWave({
        exposurePercent: 50,
        minimumSoakMinutes: hours(48),
        lookEverySeconds: 300,
        criteria: [
          rollback("error-rate", 10, "error rate above 10 %", "disable", { windowSeconds: 300 }),
          // A spike is what the same document calls critical elsewhere.
          rollback("memory", 2, "memory 100 % above the baseline", "disable", { reference: overBaseline }),
          rollback("cpu", 1.8, "CPU 80 % above the baseline", "disable", { reference: overBaseline }),
        ],
      }),
      completeWave({ exposurePercent: 100, minimumSoakMinutes: hours(48), lookEverySeconds: 60 }),
    ],
  },
  rapid: {
    name: "rapid",
    watchAfterMinutes: 0,
    waves: [
      completeWave({ exposurePercent: 5, minimumSoakMinutes: 10, lookEverySeconds: 10 }),
      completeWave({ exposurePercent: 25, minimumSoakMinutes: 10, lookEverySeconds: 10 }),
      completeWave({ exposurePercent: 100, minimumSoakMinutes: 30, lookEverySeconds: 10 }),
    ],
  },
  migration: {
    name: "migration",
    watchAfterMinutes: 0,
    coolOffMinutes: days(7),
    waves: [
      completeWave({
        exposurePercent: 5,
        minimumSoakMinutes: hours(1),
        criteria: [
          below("error-rate", 0.1, "error rate below 0.1 %"),
          below("latency-p95", 1.05, "latency at most 5 % up", overBaseline),
          below("flag-coverage", 95, "feature-flag coverage above 95 %"),
          below("dual-run-failures", 0, "no dual-run failures"),
          rollback(
            "error-rate",
            0,
            "any error",
            "previous-wave",
            { windowSeconds: 60 },
            { minimumRequests: 1, minimumErrors: 1 },
          ),
        ],
      }),
      completeWave({
        exposurePercent: 25,
        minimumSoakMinutes: hours(4),
        criteria: [
          below("error-rate", 0.5, "error rate below 0.5 %"),
          below("latency-p95", 1.1, "latency at most 10 % up", overBaseline),
          below("flag-coverage", 95, "feature-flag coverage above 95 %"),
          below("dual-run-failures", 0, "no dual-run failures"),
          rollback("error-rate", 0.5, "error rate above 0.5 %", "previous-wave", { windowSeconds: 300 }),
        ],
      }),
      completeWave({
        exposurePercent: 50,
        minimumSoakMinutes: hours(8),
        criteria: [
          below("error-rate", 1, "error rate below 1 %"),
          below("latency-p95", 1.15, "latency at most 15 % up", overBaseline),
          below("flag-coverage", 95, "feature-flag coverage above 95 %"),
          below("dual-run-failures", 0, "no dual-run failures"),
          rollback("error-rate", 1, "error rate above 1 %", "previous-wave", { windowSeconds: 300 }),
        ],
      }),
      completeWave({ exposurePercent: 100, minimumSoakMinutes: null, lowering: "human" }),
    ],
  },
  fine: {
    name: "fine",
    watchAfterMinutes: 0,
    waves: [1, 5, 10, 25, 50, 75, 100].map((exposurePercent) =>
      completeWave({ exposurePercent, minimumSoakMinutes: hours(24) }),
    ),
  },
};

/** Exposures of the plan, ascending. */
export function exposuresOf(plan: Plan): number[] {
  return plan.waves.map((wave) => wave.exposurePercent);
}

/** The lowest wave above an exposure; `undefined` at the top. */
export function nextWaveAbove(plan: Plan, exposurePercent: number): Wave | undefined {
  return plan.waves.find((wave) => wave.exposurePercent > exposurePercent);
}

/** The highest wave below an exposure as a percent; 0 below the first wave. */
export function previousExposure(plan: Plan, exposurePercent: number): number {
  return plan.waves.findLast((wave) => wave.exposurePercent < exposurePercent)?.exposurePercent ?? 0;
}

/**
 * The wave whose rules hold at an exposure: the wave itself, or after a lowering to a share between two waves the higher
 * of those two (its soak is the longer one to serve).
 */
export function waveAt(plan: Plan, exposurePercent: number): Wave | undefined {
  if (exposurePercent <= 0) return undefined;
  return plan.waves.find((wave) => wave.exposurePercent >= exposurePercent) ?? plan.waves.at(-1);
}

/** Every reason why a list of waves is no plan (A1); empty when it is one. Paths are relative to the plan. */
export function planProblems(waves: readonly Pick<Wave, "exposurePercent">[]): { index: number; text: string }[] {
  const problems: { index: number; text: string }[] = [];
  waves.forEach((wave, index) => {
    const before = waves[index - 1];
    if (before && wave.exposurePercent <= before.exposurePercent) {
      problems.push({
        index,
        text: `must rise from wave to wave, got ${wave.exposurePercent} after ${before.exposurePercent}; expected more than ${before.exposurePercent}`,
      });
    }
  });
  const last = waves.at(-1);
  if (last && last.exposurePercent !== 100) {
    problems.push({
      index: waves.length - 1,
      text: `the last wave must be 100, got ${last.exposurePercent}; expected 100`,
    });
  }
  return problems;
}
