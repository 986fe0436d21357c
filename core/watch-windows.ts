/** Windows in which bounds are watched: how long one is, how many are looked at, and how many must be bad. */
import type { Bound, Indicator, MetricSource, Severity } from "./objectives.ts";

export interface Window {
  /** Length of one window. Unit: seconds. */
  readonly periodSeconds: number;
  /** N: how many windows are looked at. */
  readonly evaluationPeriods: number;
  /** M: how many of them must be bad. */
  readonly datapointsToAlarm: number;
}

/** Long windows look at two: the newest is cut short by late data, the one before is whole. */
const fiveMinutes: Window = { periodSeconds: 300, evaluationPeriods: 2, datapointsToAlarm: 1 };
const oneMinute: Window = { periodSeconds: 60, evaluationPeriods: 1, datapointsToAlarm: 1 };
const oneMinuteTwoOfThree: Window = { periodSeconds: 60, evaluationPeriods: 3, datapointsToAlarm: 2 };
const oneMinuteTwice: Window = { periodSeconds: 60, evaluationPeriods: 2, datapointsToAlarm: 2 };
const tenSecondsOnce: Window = { periodSeconds: 10, evaluationPeriods: 1, datapointsToAlarm: 1 };
const tenSecondsTwice: Window = { periodSeconds: 10, evaluationPeriods: 2, datapointsToAlarm: 2 };
/**
 * Share of the earlier window in which a release must have been measured before growth since then means anything. A release that warms up
 * takes memory for minutes after its start, and a window that holds those minutes alone makes growth of it: with three quarters of the hour,
 * one that doubles in its first fifteen minutes is seen as growing by 9 % an hour at most, under what the presets allow. Unit: fraction.
 */
export const measuredShare = 0.75;
/** Growth is judged from hour to hour. */
const hourly: Window = { periodSeconds: 3_600, evaluationPeriods: 1, datapointsToAlarm: 1 };

function statedWindow(windowSeconds: number): Window {
  return windowSeconds >= 300
    ? { periodSeconds: windowSeconds, evaluationPeriods: 2, datapointsToAlarm: 1 }
    : { periodSeconds: windowSeconds, evaluationPeriods: 1, datapointsToAlarm: 1 };
}

/** A window, and whether it speaks of what is beyond chance in it, whatever its traffic (`chance.ts`), instead of having fixed floors. */
export interface AskedWindow extends Window {
  readonly beyondChance?: true;
}

/** One is enough: what is beyond chance needs no second window to be believed. */
const tenSecondsBeyondChance: AskedWindow = { ...tenSecondsOnce, beyondChance: true };
const oneMinuteBeyondChance: AskedWindow = { ...oneMinute, beyondChance: true };

/**
 * A small share of the traffic is seen only in a long window, a large one is seen fast: what is critical is watched in both. A warning has
 * time (docs/decisions/0003, 0017, 0023). Sources without 10 s points of their own are asked by the minute.
 */
function ratioWindows({ severity, source, reckonsChance }: WindowQuestion): AskedWindow[] {
  if (severity === "warning") return [fiveMinutes];
  const hasTenSeconds = source === "emf";
  if (reckonsChance) return [...(hasTenSeconds ? [tenSecondsBeyondChance] : []), oneMinuteBeyondChance, fiveMinutes];
  return [...(hasTenSeconds ? [tenSecondsTwice] : []), oneMinuteTwoOfThree, fiveMinutes];
}

/** What windows depend on. */
export interface WindowQuestion {
  readonly indicator: Indicator;
  readonly bound: Bound;
  readonly severity: Severity;
  readonly source: MetricSource;
  /** A ratio with a fixed bound above 0 and floors that nobody stated. */
  readonly reckonsChance: boolean;
}

/** Every window of one bound; each makes a rule of its own. */
export function windowsOf(question: WindowQuestion): AskedWindow[] {
  const { bound, source } = question;
  const windows = plainWindows(question);
  // Datadog has windows on end only for counts with a fixed bound; there an opening's first window may speak (docs/datadog.md).
  const isCompared = bound.reference?.kind === "baseline" && source !== "datadog";
  return isCompared ? windows.map(lasting) : windows;
}

/**
 * Two windows on end. A release's first window holds its first minute, cold and new, beside a baseline that has been warm for days: one window
 * that differs is what an opening looks like, two are what a worse release looks like.
 */
function lasting({ periodSeconds }: Window): Window {
  return { periodSeconds, evaluationPeriods: 2, datapointsToAlarm: 2 };
}

function plainWindows(question: WindowQuestion): AskedWindow[] {
  const { indicator, bound, source } = question;
  if (bound.reference?.kind === "growth") return [hourly];
  if (indicator === "healthy-hosts") return [oneMinuteTwice];
  const isStated = bound.windowSeconds !== undefined;
  switch (indicator) {
    case "error-rate":
    case "success-rate":
    case "availability":
      if (isStated) break;
      return bound.reference ? [fiveMinutes] : ratioWindows(question);
    case "invariant-violations":
      return [source === "emf" ? tenSecondsOnce : oneMinute];
    case "crashes":
    case "circuit-breaker-open":
    case "rate-limit-rejects":
      if (isStated) break;
      return [oneMinute];
    case "dual-run-failures":
      if (isStated) break;
      return [hourly];
  }
  return [statedWindow(bound.windowSeconds ?? 300)];
}
