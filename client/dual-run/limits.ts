/** What is bounded in time: how often a comparison may be late before it rests, and how often somebody is told of a mismatch. */

/** Unit: milliseconds. */
const minuteMilliseconds = 60_000;
/** Comparisons that may wait for an asynchronous answer at a time; further ones are not made. Each holds an input and a result. */
export const maximumWaiting = 100;

/** At most so many a minute; a minute begins with the first. */
export class PerMinute {
  readonly #most: number;
  #startedAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more. @returns whether it is still within the bound */
  add(nowMilliseconds: number): boolean {
    if (nowMilliseconds - this.#startedAt >= minuteMilliseconds) {
      this.#startedAt = nowMilliseconds;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#most;
  }
}

/** Rests for a while after too many overruns within a minute. */
export class Overruns {
  readonly #mostPerMinute: number;
  readonly #pauseMilliseconds: number;
  #perMinute: PerMinute;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  count = 0;

  constructor(toPause: number, pauseSeconds: number) {
    this.#mostPerMinute = toPause - 1;
    this.#pauseMilliseconds = pauseSeconds * 1_000;
    this.#perMinute = new PerMinute(this.#mostPerMinute);
  }

  /** @returns whether a pause begins with this one */
  add(nowMilliseconds: number): boolean {
    this.count += 1;
    if (this.isPaused(nowMilliseconds) || this.#perMinute.add(nowMilliseconds)) return false;
    this.#pausedUntil = nowMilliseconds + this.#pauseMilliseconds;
    this.#perMinute = new PerMinute(this.#mostPerMinute);
    return true;
  }

  isPaused(nowMilliseconds: number): boolean {
    return nowMilliseconds < this.#pausedUntil;
  }
}
