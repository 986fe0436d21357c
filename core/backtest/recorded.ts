/**
 * Recorded series made fit to be replayed: sorted, one value a time, on an even grid, in the unit that core has for the quantity. Recordings
 * are not tidy: clocks jump, agents restart, exporters write NaN. What can be set right is, and said in a note; what leaves more than one
 * reading open is not measured, and where that is more than a trifle the series is refused.
 */
import { instantText } from "../instant-text.ts";
import type { Instant } from "../record.ts";
import type { Quantity, Stated } from "./quantities.ts";

/** A series as its file has it. */
export interface RawSeries {
  /** The file's own name, without its folder. */
  readonly file: string;
  /** Column, id or labels. */
  readonly name: string;
  /** Unit: milliseconds since 1970. */
  readonly times: Float64Array;
  /** NaN: not measured. */
  readonly values: Float64Array;
  /** Whether a point's time is where its interval starts (CloudWatch, CSV) or where it ends (Prometheus looks back). */
  readonly stamped: "start" | "end";
  /** Values that are no number and no word for a missing one. */
  readonly unreadable?: { readonly count: number; readonly first: string };
}

/** A series that can be replayed. */
export interface MeasuredSeries {
  readonly quantity: Quantity;
  readonly unit: string;
  /** `file/name`. */
  readonly from: string;
  /** How long one point counts. Unit: milliseconds. */
  readonly stepMs: number;
  /** Points come only where something was counted, so that where there is none nothing was. */
  readonly isSparse: boolean;
  /** Ends of the points' intervals, rising. Unit: milliseconds since 1970. */
  readonly ends: Float64Array;
  /** In core's unit; counts are those of the interval. */
  readonly values: Float64Array;
  /** What was set right or set aside. */
  readonly notes: readonly string[];
}

/** Longest recording. Two years and some; more is a broken clock. Unit: days. */
const mostDays = 800;
/** Share of a series that may be set aside as contradictory. Unit: fraction. */
const mostSetAside = 0.01;
/** How far off its place a point may be, of the step. Unit: fraction. */
const jitter = 0.25;
/** Share of the distances between points that must be alike for them to tell the step. Unit: fraction. */
const evenShare = 0.5;
const dayMs = 86_400_000;

const times = (count: number): string => (count === 1 ? "1 point" : `${count} points`);

/** Times and values alone, on their way. */
interface Points {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** @returns the series, or what is wrong with it in words: `place: …` */
export function measuredOf(
  raw: RawSeries,
  stated: Stated,
  {
    periodSeconds,
    fallbackSeconds,
  }: {
    /** As a person states it. */
    readonly periodSeconds?: number;
    /** The step of the other series, for one whose points are too sparse to tell their own. */
    readonly fallbackSeconds?: number;
  } = {},
): MeasuredSeries | { readonly problem: string; readonly isStepless?: true } {
  const from = `${raw.file}/${raw.name}`;
  const problem = (text: string) => ({ problem: `${from}: ${text}` });
  if (raw.unreadable) {
    const { count, first } = raw.unreadable;
    return problem(
      `values that are no number, got ${count}, the first ${first}; expected numbers, or NaN where not measured`,
    );
  }
  const notes: string[] = [];
  const sorted = inOrder(raw, notes);
  const single = oncePerTime(sorted, notes);
  if (typeof single === "string") return problem(single);
  const length = single.times.length;
  if (length < 2) return problem(`too few points, got ${length}; expected at least 2 with a value`);
  const negative = single.values.findIndex((value) => value < 0);
  if (negative !== -1) {
    return problem(
      `a value below 0, got ${single.values[negative]} at ${instantText(single.times[negative] ?? 0)}; expected numbers from 0`,
    );
  }
  const days = ((single.times[length - 1] ?? 0) - (single.times[0] ?? 0)) / dayMs;
  if (days > mostDays) {
    return problem(
      `its times are too far apart, got ${instantText(single.times[0] ?? 0)} to ${instantText(single.times[length - 1] ?? 0)}; expected at most ${mostDays} days. Look for a broken clock`,
    );
  }
  const ownMs = periodSeconds === undefined ? ownStepMs(single.times) : periodSeconds * 1_000;
  const stepMs = ownMs ?? (fallbackSeconds === undefined ? undefined : fallbackSeconds * 1_000);
  if (stepMs === undefined) {
    return {
      ...problem(
        "how long one of its points counts cannot be told from their times; expected even ones. State --period",
      ),
      isStepless: true,
    };
  }
  const isSparse = periodSeconds === undefined && ownMs === undefined;
  const even = onGrid(single, stepMs, notes, isSparse);
  if (typeof even === "string") return problem(even);
  const counted = accounted(even, stated, stepMs, notes);
  if (counted.times.length === 0) return problem("no point is left of it; expected at least two intervals on end");
  const shift = raw.stamped === "start" && stated.accounting !== "counter" ? stepMs : 0;
  return {
    quantity: stated.quantity,
    unit: stated.unit,
    from,
    stepMs,
    isSparse,
    ends: counted.times.map((at) => at + shift),
    values: counted.values,
    notes,
  };
}

function inOrder({ times: at, values }: Points, notes: string[]): Points {
  const kept: number[] = [];
  let backwards = 0;
  for (let index = 0; index < at.length; index += 1) {
    if (!Number.isFinite(values[index] ?? Number.NaN)) continue;
    if (kept.length > 0 && (at[index] ?? 0) < (at[kept.at(-1) ?? 0] ?? 0)) backwards += 1;
    kept.push(index);
  }
  const missing = at.length - kept.length;
  if (missing > 0) notes.push(`${times(missing)} without a value (empty, NaN or Inf): not measured`);
  // Newest first is a habit of CloudWatch's, not a fault.
  const isReversed = backwards > 0 && backwards === kept.length - 1;
  if (backwards > 0) kept.sort((left, right) => (at[left] ?? 0) - (at[right] ?? 0));
  if (backwards > 0 && !isReversed) notes.push(`${times(backwards)} out of order: sorted`);
  return {
    times: Float64Array.from(kept, (index) => at[index] ?? 0),
    values: Float64Array.from(kept, (index) => values[index] ?? 0),
  };
}

/** Two values of one time contradict each other: neither is believed. */
function oncePerTime({ times: at, values }: Points, notes: string[]): Points | string {
  const kept: number[] = [];
  let twice = 0;
  let setAside = 0;
  let firstAt: Instant | undefined;
  for (let start = 0, end = 0; start < at.length; start = end) {
    let agree = true;
    for (end = start + 1; end < at.length && at[end] === at[start]; end += 1) {
      if (values[end] !== values[start]) agree = false;
    }
    if (agree) {
      kept.push(start);
      twice += end - start - 1;
    } else {
      setAside += end - start;
      firstAt ??= at[start];
    }
  }
  if (twice > 0) notes.push(`${times(twice)} written twice: counted once`);
  if (firstAt !== undefined) {
    const what = `${times(setAside)} with another value at the same time, the first at ${instantText(firstAt)}`;
    if (setAside > mostSetAside * at.length) {
      return `${what}; expected one value a time. Give each source a series of its own`;
    }
    notes.push(`${what}: not measured`);
  }
  return {
    times: Float64Array.from(kept, (index) => at[index] ?? 0),
    values: Float64Array.from(kept, (index) => values[index] ?? 0),
  };
}

/** The distance that most neighbours have, to the second; `undefined`: they do not agree on one. */
function ownStepMs(at: Float64Array): number | undefined {
  const gaps = new Float64Array(at.length - 1);
  for (let index = 1; index < at.length; index += 1) gaps[index - 1] = (at[index] ?? 0) - (at[index - 1] ?? 0);
  const sorted = gaps.toSorted();
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const alike = gaps.reduce((count, gap) => count + (Math.abs(gap - middle) <= middle * jitter ? 1 : 0), 0);
  // One lone distance agrees with itself and tells nothing.
  if (gaps.length < 2 || alike < evenShare * gaps.length) return undefined;
  return Math.max(1, Math.round(middle / 1_000)) * 1_000;
}

/**
 * Points on an even grid, so that a window of whole steps holds whole points. A clock that jumps starts a new grid where it lands; what comes
 * before its turn is set aside.
 */
function onGrid({ times: at, values }: Points, stepMs: number, notes: string[], isSparse: boolean): Points | string {
  const keptTimes: number[] = [];
  const keptValues: number[] = [];
  let moved = 0;
  let jumps = 0;
  let early = 0;
  let gaps = 0;
  let missing = 0;
  let previous = Number.NaN;
  for (let index = 0; index < at.length; index += 1) {
    const now = at[index] ?? 0;
    let place = now;
    if (!Number.isNaN(previous)) {
      const steps = Math.round((now - previous) / stepMs);
      const off = now - (previous + steps * stepMs);
      if (steps < 1) {
        early += 1;
        continue;
      }
      if (Math.abs(off) <= jitter * stepMs) {
        place = previous + steps * stepMs;
        if (off !== 0) moved += 1;
      } else if (now - previous < stepMs) {
        early += 1;
        continue;
      } else {
        jumps += 1;
      }
      if (steps > 1) {
        gaps += 1;
        missing += steps - 1;
      }
    }
    keptTimes.push(place);
    keptValues.push(values[index] ?? 0);
    previous = place;
  }
  if (early > mostSetAside * at.length || jumps > mostSetAside * at.length) {
    return `its times are uneven, got ${times(early)} before their turn and ${jumps} jumps with one every ${stepMs / 1_000} s; expected even ones. State --period`;
  }
  if (early > 0) notes.push(`${times(early)} before their turn: not measured`);
  if (moved > 0) notes.push(`${times(moved)} off by less than ${jitter * 100} % of the step: put in their place`);
  if (jumps > 0) notes.push(`its clock jumped ${jumps === 1 ? "once" : `${jumps} times`}`);
  if (gaps > 0 && !isSparse) notes.push(`${gaps === 1 ? "1 gap" : `${gaps} gaps`}, ${times(missing)} missing`);
  return { times: Float64Array.from(keptTimes), values: Float64Array.from(keptValues) };
}

/** Values in core's unit, counts as those of the interval. */
function accounted(
  { times: at, values }: Points,
  { accounting, factor }: Stated,
  stepMs: number,
  notes: string[],
): Points {
  if (accounting !== "counter") {
    const scale = accounting === "rate" ? (factor * stepMs) / 1_000 : factor;
    return { times: at, values: values.map((value) => value * scale) };
  }
  const keptTimes: number[] = [];
  const increases: number[] = [];
  let resets = 0;
  let across = 0;
  for (let index = 1; index < at.length; index += 1) {
    const [before, now] = [values[index - 1] ?? 0, values[index] ?? 0];
    // What was counted across a gap cannot be told to one interval.
    if ((at[index] ?? 0) - (at[index - 1] ?? 0) > stepMs * (1 + jitter)) {
      across += 1;
      continue;
    }
    if (now < before) resets += 1;
    keptTimes.push(at[index] ?? 0);
    // After a start the whole reading is new, as Prometheus' increase() has it.
    increases.push(factor * (now < before ? now : now - before));
  }
  if (resets > 0) notes.push(`its counter started anew ${resets === 1 ? "once" : `${resets} times`}`);
  if (across > 0) notes.push(`what was counted across ${across === 1 ? "1 gap" : `${across} gaps`}: not measured`);
  return { times: Float64Array.from(keptTimes), values: Float64Array.from(increases) };
}
