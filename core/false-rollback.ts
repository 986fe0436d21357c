/**
 * How often a healthy release is rolled back by chance (B9): arithmetic, not simulation, from the alarms' own floors and windows
 * and from stated traffic. Only ratio alarms are counted: nothing else of a healthy release comes near its bound by chance. A wave's own
 * alarms count on their wave alone. Ratios beside a baseline's are not reckoned, since both are drawn; `unreckoned` names them.
 *
 * Every step is an upper bound, so the answer is one: the tail of one period, M bad ones of N, then the sum over all periods,
 * alarms and waves.
 */
import jStat from "jstat";
import { type AlarmSpec, evaluationIntervalSeconds } from "./alarms.ts";
import { errorsBeyondChance } from "./chance.ts";
import { loweringResponses } from "./objectives.ts";
import type { Plan } from "./plans.ts";

/** A healthy release's errors: a base ratio, times a gamma of mean 1 that is drawn anew for each burst. */
export interface ErrorModel {
  /** Unit: fraction of requests. */
  readonly baseFraction: number;
  /** Shape of the gamma: the smaller, the burstier. */
  readonly gammaShape: number;
  readonly burstSeconds: number;
  /** Added to the requests that are new on the release, for a while after each opening. */
  readonly opening: { readonly addedFraction: number; readonly durationSeconds: number };
}

export interface FalseRollbackQuestion {
  readonly alarms: readonly AlarmSpec[];
  readonly plan: Plan;
  /** Requests a second of the whole service, this long after the first wave opened. */
  readonly ratePerSecondAt: (elapsedSeconds: number) => number;
  readonly errors: ErrorModel;
}

export interface AlarmChance {
  readonly alarmKey: string;
  /** Whether its response takes traffic away; others stop the rollout at most. */
  readonly lowers: boolean;
  /** Upper bound, for one rollout. */
  readonly chance: number;
}

export interface FalseRollbackAnswer {
  /** Upper bound of the chance that a rollout of a healthy release is lowered or rolled back. */
  readonly chance: number;
  readonly byAlarm: readonly AlarmChance[];
}

/** A wave without an end of its own is counted as this long. Unit: minutes. */
const endlessSoakMinutes = 60;
/** Requests of a period vary; fewer than the mean less this many standard deviations is added as a chance of its own. */
const requestDeviations = 7;
const fewerRequestsChance = 1.3e-12;
/** The daily rhythm is sampled this often. Unit: seconds. */
const sampleSeconds = 600;

/** Upper tail of the negative binomial: at least `count` of `mean` expected, a Poisson whose mean is a gamma of that shape. */
export function negativeBinomialTail(count: number, mean: number, shape: number): number {
  if (count <= 0) return 1;
  if (!(mean > 0)) return 0;
  return jStat.ibeta(mean / (shape + mean), count, shape);
}

/** At least `count` where bursty errors and evenly thrown ones come together: summed over the even ones. */
function togetherTail(count: number, burstyMean: number, shape: number, evenMean: number): number {
  let probability = Math.exp(-evenMean);
  let chance = 0;
  for (let even = 0; probability > 0 && (even < count || probability > 1e-18); even += 1) {
    chance += probability * negativeBinomialTail(count - even, burstyMean, shape);
    probability *= evenMean / (even + 1);
  }
  return Math.min(1, chance);
}

/** What an alarm on the ratio of errors asks for before it speaks. */
export interface RatioFloors {
  readonly requests: number;
  /** Of a window with so many requests. */
  readonly errorsOf: (requests: number) => number;
}

/** The floors of an alarm on the ratio of errors; `undefined` for any other alarm. */
export function ratioFloors(alarm: AlarmSpec): RatioFloors | undefined {
  if (!isErrorRatio(alarm) || alarm.rule.reference) return undefined;
  const { usualPercent } = alarm.rule;
  const errorsOf = (requests: number) =>
    Math.max(alarm.errorFloor, usualPercent === undefined ? 0 : errorsBeyondChance(requests, usualPercent));
  return { requests: alarm.requestFloor, errorsOf };
}

function isErrorRatio({ errorFloor, rule }: AlarmSpec): boolean {
  return errorFloor > 0 && rule.measure.kind === "ratio" && rule.measure.part.includes("errors");
}

/** Alarms that lower by a ratio and that the arithmetic says nothing of, by key. */
export function unreckoned(alarms: readonly AlarmSpec[]): string[] {
  return alarms
    .filter((alarm) => loweringResponses.has(alarm.response) && isErrorRatio(alarm) && !ratioFloors(alarm))
    .map(({ key }) => key);
}

/** Chance that one period of an alarm is on the bad side. */
function badPeriodChance(alarm: AlarmSpec, ratePerSecond: number, errors: ErrorModel, addedErrors: number): number {
  const floors = ratioFloors(alarm);
  if (!floors) return 0;
  const requests = ratePerSecond * alarm.periodSeconds;
  const fewest = Math.max(floors.requests, requests - requestDeviations * Math.sqrt(requests));
  // More requests than this would have to come by chance for the floor to be met at all.
  if (requests + requestDeviations * Math.sqrt(requests) + 10 < floors.requests) return fewerRequestsChance;
  const leastErrors = Math.max(floors.errorsOf(fewest), Math.floor((alarm.threshold * fewest) / 100) + 1);
  const bursts = Math.max(1, alarm.periodSeconds / errors.burstSeconds);
  const mean = requests * errors.baseFraction;
  return togetherTail(leastErrors, mean, errors.gammaShape * bursts, addedErrors) + fewerRequestsChance;
}

function choose(from: number, count: number): number {
  let ways = 1;
  for (let index = 1; index <= count; index += 1) ways = (ways * (from - count + index)) / index;
  return ways;
}

/**
 * Chance that the alarm newly fires at one evaluation, from that of one bad period.
 * Periods as long as a burst share no burst and are independent: of the windows with M bad periods each is counted by its
 * oldest one. Shorter ones share it, and Markov's inequality holds whatever they share.
 */
function firingChance(alarm: AlarmSpec, bad: number, burstSeconds: number): number {
  const { datapointsToAlarm, evaluationPeriods, periodSeconds } = alarm;
  return periodSeconds === burstSeconds
    ? choose(evaluationPeriods - 1, datapointsToAlarm - 1) * bad ** datapointsToAlarm
    : bad / datapointsToAlarm;
}

function alarmChance(alarm: AlarmSpec, question: FalseRollbackQuestion): number {
  const { plan, ratePerSecondAt, errors } = question;
  if (!ratioFloors(alarm)) return 0;
  // Periods over a minute slide on by the minute: each evaluation is a chance of its own.
  const evaluationSeconds = evaluationIntervalSeconds(alarm.periodSeconds);
  let chance = 0;
  let elapsed = 0;
  let before = 0;
  for (const wave of plan.waves) {
    const share = wave.exposurePercent / 100;
    const newShare = (wave.exposurePercent - before) / wave.exposurePercent;
    const soakSeconds = (wave.minimumSoakMinutes ?? endlessSoakMinutes) * 60;
    const { atPercents } = alarm.rule;
    const counts = !atPercents || atPercents.includes(wave.exposurePercent);
    for (let at = 0; counts && at < soakSeconds; at += sampleSeconds) {
      const evaluations = Math.min(sampleSeconds, soakSeconds - at) / evaluationSeconds;
      const rate = ratePerSecondAt(elapsed + at) * share;
      const usual = badPeriodChance(alarm, rate, errors, 0);
      // Windows that hold the opening's own errors: all that begin in it, and those that slide over it.
      const disturbed =
        at === 0
          ? Math.min(evaluations, Math.ceil((errors.opening.durationSeconds + alarm.periodSeconds) / evaluationSeconds))
          : 0;
      const added =
        rate * newShare * Math.min(errors.opening.durationSeconds, alarm.periodSeconds) * errors.opening.addedFraction;
      const atOpening = disturbed > 0 ? badPeriodChance(alarm, rate, errors, added) : 0;
      chance +=
        (evaluations - disturbed) * firingChance(alarm, usual, errors.burstSeconds) +
        disturbed * firingChance(alarm, atOpening, errors.burstSeconds);
    }
    elapsed += soakSeconds;
    before = wave.exposurePercent;
  }
  return Math.min(1, chance);
}

/** The false-rollback rate of one rollout, by alarm and in total. */
export function falseRollbackChance(question: FalseRollbackQuestion): FalseRollbackAnswer {
  const byAlarm = question.alarms
    .filter((alarm) => ratioFloors(alarm) !== undefined)
    .map((alarm) => ({
      alarmKey: alarm.key,
      lowers: loweringResponses.has(alarm.response),
      chance: alarmChance(alarm, question),
    }));
  const lowering = byAlarm.filter((alarm) => alarm.lowers);
  return {
    chance: Math.min(
      1,
      lowering.reduce((sum, alarm) => sum + alarm.chance, 0),
    ),
    byAlarm,
  };
}
