/**
 * The lowest bound that an alarm could have had without ringing more often than people put up with, on recorded metrics.
 *
 * An M-of-N alarm with a fixed bound rings exactly while the M-th worst of its newest N points is past the bound; that value is its level. So
 * the false alarms of every bound at once are the times that the level rises through it outside the labelled windows, and one sweep from the
 * worst level down finds the bound. It goes on only while every worse bound keeps the promise, too: a bound so low that the alarm rings once
 * and for ever is no good one.
 *
 * A bound fitted to all that is known always looks well. So it is fitted to the first two thirds of the time, and what it does in the last
 * third is told beside it.
 */
import type { Instant } from "../record.ts";
import type { LabelledWindow } from "./firings.ts";

/** Share of the time that a bound is fitted to; the rest only judges it. Unit: fraction. */
export const fittedShare = 2 / 3;
/** Every hour of every weekday must have been seen while fitting. Unit: days. */
export const leastFittedDays = 7;
/** Share of that time in which the alarm must have had something to look at. Unit: fraction. */
const leastMeasuredShare = 0.5;

/** What an alarm looked at, evaluation by evaluation; above the bound it rings. */
export interface Levels {
  readonly from: Instant;
  readonly stepMs: number;
  /** -Infinity: too few points to ring, whatever the bound. Of an alarm for which low is bad everything is negated. */
  readonly values: Float64Array;
}

/** The M-th worst of the newest N points that there are. */
export function levelOf(
  points: readonly (number | null)[],
  { evaluationPeriods, datapointsToAlarm }: { readonly evaluationPeriods: number; readonly datapointsToAlarm: number },
  isAbove: boolean,
): number {
  const newest: number[] = [];
  for (let index = points.length - 1; index >= 0 && newest.length < evaluationPeriods; index -= 1) {
    const point = points[index] ?? null;
    if (point !== null) newest.push(isAbove ? point : -point);
  }
  if (newest.length > 1) newest.sort((left, right) => right - left);
  return newest[datapointsToAlarm - 1] ?? Number.NEGATIVE_INFINITY;
}

/** Time outside the labelled windows in which an alarm had something to look at. Unit: milliseconds. */
export function measuredMs(
  { from, stepMs, values }: Levels,
  windows: readonly LabelledWindow[],
  slackMs: number,
  period: { readonly from: Instant; readonly to: Instant },
): number {
  const isOutside = outsideOf(windows, slackMs);
  let count = 0;
  values.forEach((level, index) => {
    const at = from + index * stepMs;
    if (level !== Number.NEGATIVE_INFINITY && at >= period.from && at < period.to && isOutside(at)) count += 1;
  });
  return count * stepMs;
}

/** A bound, and what it was made of. */
export interface Fitted {
  /** In the alarm's own unit, rounded to three digits to the quiet side. */
  readonly threshold: number;
  /** Of the levels outside the labelled windows, in the first two thirds. */
  readonly quantiles: { readonly p50: number; readonly p99: number; readonly p999: number; readonly worst: number };
  /** The bound is what the alarm's floors let it see at all, not what the series asks for. */
  readonly isFloor: boolean;
}

export interface FitOptions {
  readonly period: { readonly from: Instant; readonly to: Instant };
  readonly windows: readonly LabelledWindow[];
  readonly slackMs: number;
  readonly falseAlarmsAWeek: number;
  readonly isAbove: boolean;
  /** Bounds nearer to the good side than this cannot be told apart by the alarm, with its floors. @default none */
  readonly leastThreshold?: number;
}

/** Where the time that a bound is fitted to ends. */
export function fittedUntil({ from, to }: FitOptions["period"]): Instant {
  return from + (to - from) * fittedShare;
}

/** @returns the bound, or why the recording suggests none */
export function fittedBound(levels: Levels, options: FitOptions): Fitted | string {
  const { period, windows, slackMs, falseAlarmsAWeek, isAbove, leastThreshold } = options;
  const until = fittedUntil(period);
  const days = (until - period.from) / 86_400_000;
  if (days < leastFittedDays) {
    const needed = leastFittedDays / fittedShare;
    return `too short, got ${round(days / fittedShare)} days; expected at least ${needed}, so that each hour of each weekday is in the two thirds that it is fitted to`;
  }
  const first = Math.max(0, Math.ceil((period.from - levels.from) / levels.stepMs));
  const end = Math.min(levels.values.length, Math.floor((until - levels.from) / levels.stepMs) + 1);
  const isOutside = outsideOf(windows, slackMs);
  const measured = new Float64Array(Math.max(0, end - first));
  const tops = new Float64Array(measured.length);
  const bottoms = new Float64Array(measured.length);
  let [count, rises, outside] = [0, 0, 0];
  for (let index = first; index < end; index += 1) {
    const level = levels.values[index] ?? Number.NEGATIVE_INFINITY;
    if (!isOutside(levels.from + index * levels.stepMs)) continue;
    outside += 1;
    if (level === Number.NEGATIVE_INFINITY) continue;
    measured[count] = level;
    count += 1;
    const before = levels.values[index - 1] ?? Number.NEGATIVE_INFINITY;
    if (level <= before) continue;
    tops[rises] = level;
    bottoms[rises] = before;
    rises += 1;
  }
  if (count < leastMeasuredShare * outside || count === 0) {
    return `too little measured: it had something to look at in ${outside === 0 ? 0 : Math.floor((100 * count) / outside)} % of the time; expected at least ${100 * leastMeasuredShare} %`;
  }
  const outsideWeeks = (outside * levels.stepMs) / (7 * 86_400_000);
  const bound = lowestBound(
    tops.subarray(0, rises).sort(),
    bottoms.subarray(0, rises).sort(),
    falseAlarmsAWeek * outsideWeeks,
  );
  const sorted = measured.subarray(0, count).sort();
  const sign = isAbove ? 1 : -1;
  const at = (share: number) => sign * (sorted[Math.min(count - 1, Math.floor(share * count))] ?? 0);
  const lowest = bound ?? sorted[0] ?? 0;
  // Counts and shares that never were above nothing are news; a level that never moves was not measured.
  if (sorted[0] === sorted[count - 1] && leastThreshold === undefined) {
    return `it never varies, got ${sign * (sorted[0] ?? 0)} all the time; expected a series that does`;
  }
  const isFloor = leastThreshold !== undefined && sign * lowest < leastThreshold && isAbove;
  return {
    threshold: roundedAway(isFloor ? (leastThreshold ?? 0) : sign * lowest, isAbove),
    quantiles: { p50: at(0.5), p99: at(0.99), p999: at(0.999), worst: at(1) },
    isFloor,
  };
}

/** From the worst level down: each rise counts below its top and no longer below its bottom. Both sorted, rising. */
function lowestBound(tops: Float64Array, bottoms: Float64Array, allowed: number): number | undefined {
  let ended = bottoms.length - 1;
  let ringing = 0;
  for (let index = tops.length - 1; index >= 0; ) {
    const top = tops[index] ?? 0;
    // Just below this level: what rose from here or above no longer counts.
    while (ended >= 0 && (bottoms[ended] ?? 0) >= top) {
      ringing -= 1;
      ended -= 1;
    }
    while (index >= 0 && tops[index] === top) {
      ringing += 1;
      index -= 1;
    }
    if (ringing > allowed) return top;
  }
  return undefined;
}

function outsideOf(windows: readonly LabelledWindow[], slackMs: number): (at: Instant) => boolean {
  return (at) => !windows.some(({ from, to }) => at >= from && at <= to + slackMs);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** To three digits, never to the side on which it would ring. */
export function roundedAway(value: number, isAbove: boolean): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const inUnits = value / unit;
  const whole = isAbove ? Math.ceil(inUnits - 1e-9) : Math.floor(inUnits + 1e-9);
  return Number((whole * unit).toPrecision(3));
}
