/**
 * Circuit breakers of one process: how long the one that is worst off has been open, and how long breakers took to close again.
 * However many names come in, what is kept is bounded.
 */

/** Breakers that are told apart; all further names are one breaker together. */
export const maximumBreakers = 100;
const together = Symbol("all further breakers");
/** How many closings are kept: enough, since one that is shorter than a later one is forgotten. */
const maximumClosings = 100;

interface Closing {
  readonly atMilliseconds: number;
  readonly seconds: number;
}

export interface BreakerReading {
  /** How long the one that is open longest has been; 0: all are closed. Unit: seconds. */
  readonly openSeconds: number;
  /** Longest that one was open which closed since then; absent: none closed. Unit: seconds. */
  readonly recoverySeconds?: number;
}

export class Breakers {
  readonly #known = new Set<string>();
  /** Since when those that are open are. */
  readonly #open = new Map<string | symbol, number>();
  /** In order of time, each shorter than the one before: the first within a stretch of time is its longest. */
  #closings: Closing[] = [];

  /** Whether anything was ever told of a breaker. */
  get isUsed(): boolean {
    return this.#known.size > 0;
  }

  /** Makes a breaker known. @returns whether it is told apart; if not, it shares a place with others. */
  know(name: string): boolean {
    if (this.#known.has(name)) return true;
    if (this.#known.size >= maximumBreakers) return false;
    this.#known.add(name);
    return true;
  }

  #keyOf(name: string): string | symbol {
    return this.know(name) ? name : together;
  }

  /** A breaker that is open already stays open since when it was. */
  opened(name: string, nowMilliseconds: number): void {
    const key = this.#keyOf(name);
    if (!this.#open.has(key)) this.#open.set(key, nowMilliseconds);
  }

  closed(name: string, nowMilliseconds: number): void {
    const key = this.#keyOf(name);
    const since = this.#open.get(key);
    if (since === undefined) return;
    this.#open.delete(key);
    const seconds = Math.max(0, nowMilliseconds - since) / 1_000;
    while ((this.#closings.at(-1)?.seconds ?? Number.POSITIVE_INFINITY) <= seconds) this.#closings.pop();
    if (this.#closings.length < maximumClosings) this.#closings.push({ atMilliseconds: nowMilliseconds, seconds });
  }

  /** Forgets closings before `sinceMilliseconds`; ask with rising times. */
  read(sinceMilliseconds: number, nowMilliseconds: number): BreakerReading {
    this.#closings = this.#closings.filter(({ atMilliseconds }) => atMilliseconds >= sinceMilliseconds);
    const recoverySeconds = this.#closings[0]?.seconds;
    let openSeconds = 0;
    for (const since of this.#open.values()) openSeconds = Math.max(openSeconds, (nowMilliseconds - since) / 1_000);
    return { openSeconds, ...(recoverySeconds === undefined ? {} : { recoverySeconds }) };
  }
}
