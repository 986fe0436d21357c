/**
 * When the gate looks at a soak, and how much of the rollout's error each look may use. An engineer may ask the gate a hundred times: between
 * two looks it sees the very same data and gives the same answer, so asking often proves nothing by luck.
 */
import type { Instant } from "../record.ts";

/** One look at a soak. */
export interface Look {
  /** From 0, which is when the minimum soak has been served. */
  readonly index: number;
  /** Where its data ends. */
  readonly endsAt: Instant;
  /** Share of the wave's error that this look may use; over all looks they sum to 1. Range: 0 to 1. */
  readonly errorShare: number;
}

/** Each look waits a quarter longer than the one before, so that what was too little has grown by something that can be seen. */
const growth = 1.25;

/** 6/π² of the inverse squares sum to 1: the first look has 61 %, and there is some for every later one. */
const firstErrorShare = 6 / Math.PI ** 2;

/**
 * The newest look that has ended.
 * @param minimumSoakMinutes above 0
 * @returns `undefined` before the minimum soak is served
 */
export function newestLook(openedAt: Instant, minimumSoakMinutes: number, now: Instant): Look | undefined {
  const soakMilliseconds = minimumSoakMinutes * 60_000;
  const served = (now - openedAt) / soakMilliseconds;
  if (!(served >= 1)) return undefined;
  let index = Math.floor(Math.log(served) / Math.log(growth));
  // Logarithms round; the end decides.
  while (endOf(openedAt, soakMilliseconds, index + 1) <= now) index += 1;
  while (endOf(openedAt, soakMilliseconds, index) > now) index -= 1;
  return { index, endsAt: endOf(openedAt, soakMilliseconds, index), errorShare: errorShareOf(index) };
}

/** Share of the wave's error that a look may use. Range: 0 to 1. @param index from 0 */
export function errorShareOf(index: number): number {
  return firstErrorShare / (index + 1) ** 2;
}

function endOf(openedAt: Instant, soakMilliseconds: number, index: number): Instant {
  return openedAt + Math.floor(soakMilliseconds * growth ** index);
}
