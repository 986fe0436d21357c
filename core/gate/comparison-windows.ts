/**
 * The windows of a soak made ready to be compared: what is nonsense is left out, the first minutes too, and only windows of the same start stand
 * side by side, so that what hits both releases alike (a busy hour, a dependency) cancels.
 */
import type { Instant } from "../record.ts";
import type { SoakMeasurement, SoakWindow } from "./evidence.ts";

/** Two windows of the same start. */
export interface WindowPair {
  readonly at: Instant;
  readonly canary: SoakWindow;
  readonly beside: SoakWindow;
}

/** What is left to compare, and what was not. */
export interface PreparedSoak {
  /** Ascending. */
  readonly pairs: readonly WindowPair[];
  /** Of the canary, whether somebody is beside it or not; for what it has to keep by itself. */
  readonly alone: readonly SoakWindow[];
  /** Starts that count and that at least one side has something for, nonsense included. */
  readonly started: number;
  /** Starts that count, whether anything was measured there or not. */
  readonly possible: number;
  /** Starts left out as the soak's first minutes. */
  readonly warmingWindows: number;
  /** Windows whose numbers cannot be. */
  readonly nonsense: number;
  /** Of starts that one side alone has something usable for: how many requests that side had. */
  readonly unpaired: { readonly ofCanary: readonly number[]; readonly ofBeside: readonly number[] };
  /** Left out from the opening on. Unit: seconds. */
  readonly warmUpSeconds: number;
}

/** Below this a t-interval says next to nothing: with four blocks it is five times as wide as with thirty. */
export const leastWindows = 5;

/**
 * Adjacent windows are taken together until this many blocks are left: bad minutes come in rows, and whole rows then fall into one block. Thirty lose
 * 5 % of the width that endless blocks would have (batch means: Law and Kelton, Simulation Modeling and Analysis, 9.5: 10 to 30).
 */
export const mostBlocks = 30;

/**
 * Share of what was measured that may be missing where it cannot be missing by chance: whatever went wrong there is what nobody saw. A minute of
 * `rapid` is more than that, until its soak is five times as long; of a day it is half an hour.
 */
export const mostLostFraction = 0.02;

/** So many requests were to be expected where none was measured: a chance of less than one in 10^8, were requests independent. */
const surelyThere = 20;

/** Longest and shortest warm-up. Unit: seconds. */
const warmUpBounds = { least: 60, most: 600 };
const warmUpFraction = 0.1;

/**
 * How much of a soak is left out from its opening on: a tenth, at least a minute, at most ten. Caches, pools and just-in-time compilers are cold, and
 * the load balancer takes seconds to split by new weights: every release looks bad then, the baseline beside it does not. Unit: seconds.
 */
export function warmUpSeconds({ from, to }: Pick<SoakMeasurement, "from" | "to">): number {
  return Math.min(warmUpBounds.most, Math.max(warmUpBounds.least, (warmUpFraction * (to - from)) / 1_000));
}

/** Why a measurement is no measurement at all; `undefined` where it may be one. */
export function measurementProblem({ windowSeconds, from, to, lookIndex }: SoakMeasurement): string | undefined {
  if (!(windowSeconds > 0 && Number.isFinite(windowSeconds))) {
    return `windows of ${windowSeconds} s; expected a length above 0`;
  }
  if (!(Number.isFinite(from) && Number.isFinite(to) && to > from)) {
    return `a soak from ${from} to ${to}; expected an end after its start`;
  }
  if (!(Number.isSafeInteger(lookIndex) && lookIndex >= 0)) return `look ${lookIndex}; expected a whole number from 0`;
  return undefined;
}

/** Makes a measurement ready. What `measurementProblem` names has to be refused before. */
export function prepareSoak(measurement: SoakMeasurement): PreparedSoak {
  const { from, to, windowSeconds } = measurement;
  const lengthMs = windowSeconds * 1_000;
  const warming = warmUpSeconds(measurement);
  const begin = from + warming * 1_000;
  const canary = sorted(measurement.canary);
  const beside = sorted(measurement.beside?.windows ?? []);
  const pairs: WindowPair[] = [];
  const alone: SoakWindow[] = [];
  const [ofCanary, ofBeside]: [number[], number[]] = [[], []];
  let started = 0;
  let warmingWindows = 0;
  // Both are ascending, so they are walked side by side: a year has a hundred thousand of each.
  let [mineAt, theirsAt] = [0, 0];
  while (mineAt < canary.windows.length || theirsAt < beside.windows.length) {
    const nextMine = canary.windows[mineAt];
    const nextTheirs = beside.windows[theirsAt];
    const at = Math.min(nextMine?.at ?? Number.POSITIVE_INFINITY, nextTheirs?.at ?? Number.POSITIVE_INFINITY);
    const mine = nextMine?.at === at ? nextMine : undefined;
    const theirs = nextTheirs?.at === at ? nextTheirs : undefined;
    if (mine) mineAt += 1;
    if (theirs) theirsAt += 1;
    // In which nobody asked is no window; one that makes no sense is, since something was measured.
    if ((mine?.requests ?? 0) === 0 && (theirs?.requests ?? 0) === 0) continue;
    if (at < begin) {
      if (at + lengthMs > from) warmingWindows += 1;
      continue;
    }
    if (at + lengthMs > to) continue;
    started += 1;
    const [usable, theirsUsable] = [asked(mine), asked(theirs)];
    if (usable) alone.push(usable);
    if (usable && theirsUsable) pairs.push({ at, canary: usable, beside: theirsUsable });
    else if (usable) ofCanary.push(usable.requests);
    else if (theirsUsable) ofBeside.push(theirsUsable.requests);
  }
  const nonsense = canary.nonsense + beside.nonsense;
  const unpaired = { ofCanary, ofBeside };
  const possible = Math.max(started, Math.floor((to - begin) / lengthMs));
  return { pairs, alone, started, possible, warmingWindows, nonsense, unpaired, warmUpSeconds: warming };
}

/**
 * Windows in which one side must have had requests, as both share them elsewhere, and nothing usable was measured of it: its metrics were lost,
 * or it did not answer at all.
 */
export function lostWindows({ pairs, unpaired }: PreparedSoak): { readonly canary: number; readonly beside: number } {
  let [mine, theirs] = [0, 0];
  for (const { canary, beside } of pairs) {
    mine += canary.requests;
    theirs += beside.requests;
  }
  const lost = (others: readonly number[], each: number): number =>
    others.filter((requests) => requests * each >= surelyThere).length;
  return { canary: lost(unpaired.ofBeside, mine / theirs), beside: lost(unpaired.ofCanary, theirs / mine) };
}

/** A window that has requests, and is not what `sorted` made of nonsense. */
function asked(window: SoakWindow | undefined): SoakWindow | undefined {
  return window && window.requests > 0 ? window : undefined;
}

interface Sorted {
  /** Ascending, one for each start; requests of -1 where something stands there that cannot be. */
  readonly windows: readonly SoakWindow[];
  readonly nonsense: number;
}

function sorted(windows: readonly SoakWindow[]): Sorted {
  const placed = windows.filter(({ at }) => Number.isFinite(at));
  let nonsense = windows.length - placed.length;
  if (placed.some(({ at }, index) => at < (placed[index - 1]?.at ?? at)))
    placed.sort((left, right) => left.at - right.at);
  const kept: SoakWindow[] = [];
  for (const window of placed) {
    const before = kept.at(-1);
    const twice = before?.at === window.at ? before : undefined;
    if (twice) kept.pop();
    // Two answers for one window: neither is to be believed, save where they are the same.
    if (isPossible(window) && (!twice || isSame(twice, window))) {
      kept.push(window);
    } else {
      nonsense += 1;
      kept.push({ at: window.at, requests: -1, errors: 0 });
    }
  }
  return { windows: kept, nonsense };
}

/** Counts are whole in truth, but a source that extrapolates (Prometheus' `increase`) gives fractions. */
function isPossible({ requests, errors }: SoakWindow): boolean {
  const isCount = (value: number): boolean => value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return isCount(requests) && isCount(errors) && errors <= requests;
}

function isSame(left: SoakWindow, right: SoakWindow): boolean {
  return left.requests === right.requests && left.errors === right.errors;
}

/** Puts adjacent ones together to at most `mostBlocks` of the same number; the last may have fewer. */
export function blocksOf<Item>(items: readonly Item[]): Item[][] {
  const size = Math.max(1, Math.ceil(items.length / mostBlocks));
  const blocks: Item[][] = [];
  for (let start = 0; start < items.length; start += size) blocks.push(items.slice(start, start + size));
  return blocks;
}

/** What was not counted, in words; empty where everything was. */
export function leftOut({ warmingWindows, warmUpSeconds, nonsense }: PreparedSoak): string {
  const warming = `the first ${Math.round(warmUpSeconds / 6) / 10} min (${warmingWindows} windows) left out, since every release is cold then`;
  const parts = [
    ...(warmingWindows > 0 ? [warming] : []),
    ...(nonsense > 0 ? [`${nonsense} windows with impossible numbers left out`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}
