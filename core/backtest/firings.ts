/**
 * When an alarm rang, judged against what people say was really wrong: false alarms a week outside the labelled windows, and how long after a
 * window's start its first alarm came.
 */
import type { Instant } from "../record.ts";

/** One time in ALARM. */
export interface Firing {
  readonly from: Instant;
  /** Absent: it still rang when the recording ended. */
  readonly to?: Instant;
}

/** A time in which something was wrong, as people labelled it. */
export interface LabelledWindow {
  readonly from: Instant;
  readonly to: Instant;
}

/** What became of one labelled window. */
export type WindowOutcome =
  | { readonly kind: "seen"; readonly delaySeconds: number }
  | { readonly kind: "missed" }
  /** The alarm rang already when the window began, and not anew within it: nobody would have learnt anything. */
  | { readonly kind: "rang-before" };

export interface Judged {
  /** The window each began in, by its place; absent: in none. */
  readonly firings: readonly (Firing & { readonly window?: number })[];
  readonly falseAlarms: number;
  /** Time outside the windows in which it had something to look at. Unit: weeks. */
  readonly outsideWeeks: number;
  /** False alarms a week; absent: no time was outside. */
  readonly aWeek?: number;
  /** What the count does not rule out: with more than this a week so few would be seen in 1 of 20 recordings at most. */
  readonly atMostAWeek?: number;
  readonly windows: readonly WindowOutcome[];
}

export const weekMs = 7 * 86_400_000;

/**
 * @param slackMs how long after a window's end an alarm still speaks of it: what it needs to see and be told
 * @param outsideMs time outside the windows in which the alarm had something to look at
 */
export function judgeFirings(
  firings: readonly Firing[],
  windows: readonly LabelledWindow[],
  period: { readonly from: Instant; readonly to: Instant },
  slackMs: number,
  outsideMs: number,
): Judged {
  const within = (at: Instant) => windows.findIndex(({ from, to }) => at >= from && at <= to + slackMs);
  const inPeriod = firings.filter(({ from }) => from >= period.from && from < period.to);
  const placed = inPeriod.map((firing) => {
    const window = within(firing.from);
    return window === -1 ? firing : { ...firing, window };
  });
  const falseAlarms = placed.filter((firing) => !("window" in firing)).length;
  const outsideWeeks = outsideMs / weekMs;
  return {
    firings: placed,
    falseAlarms,
    outsideWeeks,
    ...(outsideWeeks > 0
      ? { aWeek: falseAlarms / outsideWeeks, atMostAWeek: mostMean(falseAlarms) / outsideWeeks }
      : {}),
    windows: windows.map(({ from, to }, place): WindowOutcome => {
      const first = placed.find((firing) => "window" in firing && firing.window === place);
      if (first) return { kind: "seen", delaySeconds: (first.from - from) / 1_000 };
      const before = firings.some((firing) => firing.from < from && (firing.to ?? to) > from);
      return { kind: before ? "rang-before" : "missed" };
    }),
  };
}

/** Times in which any of several alarms rang. */
export function together(alarms: readonly (readonly Firing[])[]): Firing[] {
  const all = alarms.flat().toSorted((left, right) => left.from - right.from);
  const joined: Firing[] = [];
  for (const firing of all) {
    const last = joined.at(-1);
    if (!last || (last.to !== undefined && last.to < firing.from)) joined.push(firing);
    else if (last.to !== undefined && (firing.to === undefined || firing.to > last.to)) {
      joined[joined.length - 1] = firing.to === undefined ? { from: last.from } : { from: last.from, to: firing.to };
    }
  }
  return joined;
}

/** The largest mean of a Poisson count with which so few still come in 1 of 20 cases: 3.0 for none, 4.7 for one. */
export function mostMean(count: number): number {
  let low = count;
  let high = count + 10 + 5 * Math.sqrt(count + 1);
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2;
    if (atMost(count, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** Chance of at most so many. In logarithms: e to the minus mean is 0 for large ones. */
function atMost(count: number, mean: number): number {
  let chance = 0;
  let logTerm = -mean;
  for (let number = 0; number <= count; number += 1) {
    if (number > 0) logTerm += Math.log(mean / number);
    chance += Math.exp(logTerm);
  }
  return chance;
}
