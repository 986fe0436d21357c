/**
 * Seeded series for the agreement of all systems that watch (`docs/agreement.md`): what two releases of one service reported, step by step,
 * said once, and from it what CloudWatch, Prometheus and Datadog would have been told.
 *
 * Written to be told apart: values lie clearly on one side of the presets' bounds, since how a system rounds a percentile is not what
 * is asked here. What is near a bound all the same, by the chance of the draw, is left out of the comparison by `reference.ts`.
 */
import { type ReportedSignal, reportedSignals } from "../../core/signals.ts";
import { RandomStream } from "../../rehearsal/traffic/random.ts";

/** Length of one step: a release reports every 10 s, and is scraped as often. Unit: seconds. */
export const stepSeconds = 10;
/** Length of every series: a whole hour must have another one before it, for growth. Unit: steps. */
export const stepCount = (3 * 3_600) / stepSeconds;
/** A whole hour, so that windows of every system begin together. */
export const seriesStartAt = Date.UTC(2026, 0, 5, 9);
/** When what goes wrong begins, if the series does not say otherwise. Unit: steps. */
export const faultStep = 5_400 / stepSeconds;

export type ScalarSignal = Exclude<ReportedSignal, "latency">;

/** What one release reported of one step. */
export interface ReportedStep {
  /** Counters: what was counted in the step, 0 included. Gauges: the value at its end. */
  readonly values: Readonly<Record<ScalarSignal, number>>;
  /** Answers by how long they took, in milliseconds; together as many as requests. */
  readonly latencies: readonly (readonly [milliseconds: number, count: number])[];
}

export interface ReleaseSeries {
  readonly releaseKey: string;
  /** `null`: the release reported nothing in that step, and its process could not be scraped at its end. */
  readonly steps: readonly (ReportedStep | null)[];
  /** Steps before which the process started anew: what it counts since its start begins at 0 again. */
  readonly restarts: readonly number[];
}

export interface AgreementSeries {
  /** `error-burst`, for test titles and files. */
  readonly name: string;
  readonly seed: number;
  /** Exposure that the canary is at; waves' own bounds are for one. Unit: percent. */
  readonly exposurePercent: number;
  readonly canary: ReleaseSeries;
  /** Absent: it reports nothing at all. */
  readonly baseline?: ReleaseSeries;
}

/** Names that every system labels the points with. */
export const agreementPlace = { environment: "rehearsal", service: "checkout" } as const;
export const canaryKey = "2-4-0-11111111";
export const baselineKey = "2-3-1-00000000";

/**
 * A healthy release's answers: share of the requests by milliseconds, each inside a bucket of the histogram. p50 30, p95 90, p99 140, none
 * of them near where one step of this table ends.
 */
const healthyLatencies: readonly (readonly [milliseconds: number, share: number])[] = [
  [30, 0.6],
  [45, 0.25],
  [90, 0.12],
  [140, 0.026],
  [220, 0.004],
];

/** What a release does in a step, before chance. */
interface Course {
  /** Unit: requests a second. */
  ratePerSecond: number;
  errorPercent: number;
  latencyFactor: number;
  memoryMegabytes: number;
  cpuPercent: number;
  cacheHitPercent: number;
  /** Unit: a minute. */
  rejectsPerMinute: number;
  breakerOpenSeconds: number;
  breakerRecoverySeconds: number;
  /** Unit: an hour. */
  dualRunFailuresPerHour: number;
  /** Unit: percent of requests. */
  fallbackPercent: number;
  flagMismatchesPerMinute: number;
  /** Unit: percent of requests. */
  flagCoveragePercent: number;
  crashes: number;
  invariantViolationsPerMinute: number;
  /** Unit: a second of processing time. */
  itemsPerSecond: number;
  isSilent: boolean;
  restartsBefore: boolean;
}

const healthy: Readonly<Course> = {
  ratePerSecond: 25,
  errorPercent: 0.01,
  latencyFactor: 1,
  memoryMegabytes: 400,
  cpuPercent: 35,
  cacheHitPercent: 90,
  rejectsPerMinute: 0,
  breakerOpenSeconds: 0,
  breakerRecoverySeconds: 0,
  dualRunFailuresPerHour: 0,
  fallbackPercent: 0.1,
  flagMismatchesPerMinute: 0,
  flagCoveragePercent: 99,
  crashes: 0,
  invariantViolationsPerMinute: 0,
  itemsPerSecond: 12_000,
  isSilent: false,
  restartsBefore: false,
};

interface Recipe {
  readonly exposurePercent?: number;
  readonly canary?: (step: number) => Partial<Course>;
  /** `"none"`: it reports nothing. @default healthy */
  readonly baseline?: ((step: number) => Partial<Course>) | "none";
}

const minutes = (count: number): number => (count * 60) / stepSeconds;
const during = (from: number, length: number, course: Partial<Course>) => (step: number) =>
  step >= from && step < from + length ? course : {};
const fromThen = (course: Partial<Course>) => during(faultStep, stepCount, course);

/** What there is to see, by name. */
const recipes = {
  healthy: {},
  "error-burst": { canary: during(faultStep, minutes(20), { errorPercent: 30 }) },
  /** Shorter than a window of five minutes, and bad enough to make it bad. */
  "error-blink": { canary: during(faultStep, minutes(1), { errorPercent: 60 }) },
  "slow-burn": { canary: () => ({ errorPercent: 0.7 }) },
  "errors-of-both": {
    canary: during(faultStep, minutes(15), { errorPercent: 20 }),
    baseline: during(faultStep, minutes(15), { errorPercent: 20 }),
  },
  "latency-regression": { canary: during(faultStep, minutes(40), { latencyFactor: 8 }) },
  "latency-collapse": { canary: during(faultStep, minutes(40), { latencyFactor: 42 }) },
  "memory-step": { canary: fromThen({ memoryMegabytes: 1_100 }) },
  /** 25 % an hour, from the start. */
  "memory-growth": { canary: (step) => ({ memoryMegabytes: 400 * 1.25 ** (step / minutes(60)) }) },
  /** Doubles in its first fifteen minutes, and stays there. */
  "warm-up": { canary: (step) => ({ memoryMegabytes: 400 * Math.min(1, 0.5 + (0.5 * step) / minutes(15)) }) },
  "cpu-hot": { canary: fromThen({ cpuPercent: 95 }) },
  rejects: { canary: during(faultStep, minutes(15), { rejectsPerMinute: 40 }) },
  "breaker-open": {
    canary: (step) =>
      step >= faultStep && step < faultStep + minutes(10)
        ? { breakerOpenSeconds: (step - faultStep + 1) * stepSeconds }
        : step >= faultStep + minutes(10) && step < faultStep + minutes(12)
          ? { breakerRecoverySeconds: 600 }
          : {},
  },
  "dual-run-mismatch": { canary: fromThen({ dualRunFailuresPerHour: 600 }) },
  "cache-cold": { canary: during(faultStep, minutes(20), { cacheHitPercent: 40 }) },
  "flag-mismatch": { canary: during(faultStep, minutes(10), { flagMismatchesPerMinute: 20 }) },
  invariants: { canary: during(faultStep, minutes(10), { invariantViolationsPerMinute: 30 }) },
  "slow-items": { canary: during(faultStep, minutes(20), { itemsPerSecond: 2_500 }) },
  /** The process ends by an uncaught error, and another one starts. */
  "crash-loop": {
    canary: (step) =>
      step >= faultStep && step < faultStep + minutes(10) && (step - faultStep) % minutes(2) === 0
        ? { crashes: 1, restartsBefore: step > faultStep }
        : {},
  },
  /** Errors while every fourth minute is not reported at all. */
  gaps: {
    canary: (step) => ({
      isSilent: step >= faultStep - minutes(8) && Math.floor(step / minutes(1)) % 4 === 3,
      ...(step >= faultStep && step < faultStep + minutes(20) ? { errorPercent: 30 } : {}),
    }),
  },
  /** Restarted every five minutes: counters begin at 0 again and again, and nothing is wrong. */
  restarts: { canary: (step) => ({ restartsBefore: step > 0 && step % minutes(5) === 0 }) },
  "restarts-and-errors": {
    canary: (step) => ({
      restartsBefore: step > 0 && step % minutes(5) === 0,
      ...(step >= faultStep && step < faultStep + minutes(20) ? { errorPercent: 30 } : {}),
    }),
  },
  /** 62 requests in five minutes: under the floor of 100, so nothing may speak of ratios. */
  "too-few-requests": { canary: () => ({ ratePerSecond: 62 / 300, errorPercent: 60 }) },
  /** 160 requests in five minutes, of which far more than 10 fail. */
  "just-enough-requests": { canary: () => ({ ratePerSecond: 160 / 300, errorPercent: 60 }) },
  "no-baseline": {
    canary: during(faultStep, minutes(40), { errorPercent: 30, latencyFactor: 42, memoryMegabytes: 1_100 }),
    baseline: "none",
  },
  /** The baseline falls silent while the canary is bad beside it. */
  "baseline-stops": {
    canary: fromThen({ latencyFactor: 42, memoryMegabytes: 1_100, cpuPercent: 95 }),
    baseline: during(faultStep + minutes(15), stepCount, { isSilent: true }),
  },
} as const satisfies Record<string, Recipe>;
export type SeriesName = keyof typeof recipes;
export const seriesNames = Object.keys(recipes) as SeriesName[];

/** What comes to a whole number of times in a step on average so often. */
function countOf(random: RandomStream, mean: number): number {
  return random.poisson(mean);
}

function stepOf(course: Course, random: RandomStream): ReportedStep {
  const requests = random.poisson(course.ratePerSecond * stepSeconds);
  const share = (percent: number): number => random.binomial(requests, percent / 100);
  const lookUps = requests;
  const hits = random.binomial(lookUps, course.cacheHitPercent / 100);
  const values: Record<ScalarSignal, number> = {
    requests,
    errors: share(course.errorPercent),
    "invariant-violations": countOf(random, (course.invariantViolationsPerMinute * stepSeconds) / 60),
    // Half a percent to either side, as a garbage collector makes it.
    "memory-megabytes": course.memoryMegabytes * (1 + 0.005 * (2 * random.uniform() - 1)),
    "cpu-percent": course.cpuPercent * (1 + 0.05 * (2 * random.uniform() - 1)),
    "cache-hits": hits,
    "cache-misses": lookUps - hits,
    "rate-limit-rejects": countOf(random, (course.rejectsPerMinute * stepSeconds) / 60),
    "breaker-open-seconds": course.breakerOpenSeconds,
    "breaker-recovery-seconds": course.breakerRecoverySeconds,
    "dual-runs": share(50),
    "dual-run-failures": countOf(random, (course.dualRunFailuresPerHour * stepSeconds) / 3_600),
    fallbacks: share(course.fallbackPercent),
    "flag-evaluations": share(course.flagCoveragePercent),
    "flag-mismatches": countOf(random, (course.flagMismatchesPerMinute * stepSeconds) / 60),
    crashes: course.crashes,
    "items-processed": Math.round(course.itemsPerSecond * (requests * 0.002)),
    "processing-seconds": requests * 0.002,
  };
  let left = requests;
  let leftShare = 1;
  const latencies = healthyLatencies.map(([milliseconds, part], index) => {
    const here = index === healthyLatencies.length - 1 ? left : random.binomial(left, Math.min(1, part / leftShare));
    left -= here;
    leftShare -= part;
    return [milliseconds * course.latencyFactor, here] as const;
  });
  return { values, latencies: latencies.filter(([, count]) => count > 0) };
}

function releaseSeries(
  releaseKey: string,
  courseAt: (step: number) => Partial<Course>,
  random: RandomStream,
): ReleaseSeries {
  const restarts: number[] = [];
  const steps = Array.from({ length: stepCount }, (_none, step) => {
    const course = { ...healthy, ...courseAt(step) };
    if (course.restartsBefore) restarts.push(step);
    // Drawn all the same, so that silence changes nothing about what comes after it.
    const drawn = stepOf(course, random);
    return course.isSilent ? null : drawn;
  });
  return { releaseKey, steps, restarts };
}

/** One series; the same name and seed give the same numbers. */
export function makeSeries(name: SeriesName, seed: number): AgreementSeries {
  const recipe: Recipe = recipes[name];
  const random = new RandomStream(seed).fork(name);
  const { canary = () => ({}), baseline = () => ({}) } = recipe;
  return {
    name,
    seed,
    exposurePercent: recipe.exposurePercent ?? 50,
    canary: releaseSeries(canaryKey, canary, random.fork("canary")),
    ...(baseline === "none" ? {} : { baseline: releaseSeries(baselineKey, baseline, random.fork("baseline")) }),
  };
}

/** The releases that report. */
export function releasesOf(series: AgreementSeries): ReleaseSeries[] {
  return series.baseline ? [series.canary, series.baseline] : [series.canary];
}

export const scalarSignals = (Object.keys(reportedSignals) as ReportedSignal[]).filter(
  (signal): signal is ScalarSignal => signal !== "latency",
);
