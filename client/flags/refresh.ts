/**
 * Reads a source again and again, in the background: one read at a time, each given up after a while, the next one some chance earlier or later
 * so that a fleet does not ask in step, and rarer while reads fail.
 */
import type { FlagRuntime } from "./runtime.ts";
import type { FlagSource } from "./sources.ts";

/** How long a read may take. Unit: milliseconds. */
const longestReadMilliseconds = 5_000;
/** Longest pause after failures, unless reads are rarer anyway: a source that is well again is noticed within a minute. Unit: milliseconds. */
const longestPauseMilliseconds = 60_000;
/** How much earlier or later a read may come. Unit: fraction of the pause. */
const jitter = 0.1;

export interface RefreshOptions {
  readonly source: FlagSource;
  readonly environment: string;
  readonly runtime: FlagRuntime;
  readonly everyMilliseconds: number;
  /** @throws to have the read count as failed */
  readonly take: (served: unknown) => void;
  readonly failed: (error: unknown) => void;
}

export class Refresh {
  readonly #options: RefreshOptions;
  #reading: Promise<void> | undefined;
  #cancelTimer = () => {};
  #failures = 0;
  #isClosed = false;
  #giveUp = (_why: Error) => {};

  constructor(options: RefreshOptions) {
    this.#options = options;
  }

  /** Reads, or waits for the read that is under way. Never rejects. */
  now(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#schedule();
    });
    return this.#reading;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#giveUp(new Error("it was closed"));
  }

  async #read(): Promise<void> {
    this.#cancelTimer();
    const { source, environment, runtime, take, failed } = this.#options;
    const abort = new AbortController();
    let cancelLimit = () => {};
    // What comes after the limit is of nobody's interest: a newer document may have been read by then.
    const limit = new Promise<never>((_, reject) => {
      this.#giveUp = (why) => {
        reject(why);
        abort.abort(why);
      };
      cancelLimit = runtime.after(longestReadMilliseconds, () =>
        this.#giveUp(new Error(`it did not answer in ${longestReadMilliseconds / 1_000} s`)),
      );
    });
    try {
      const served = await Promise.race([Promise.resolve().then(() => source.read(environment, abort.signal)), limit]);
      if (this.#isClosed) return;
      take(served);
      this.#failures = 0;
    } catch (error) {
      if (this.#isClosed) return;
      this.#failures += 1;
      failed(error);
    } finally {
      cancelLimit();
    }
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { runtime, everyMilliseconds } = this.#options;
    const pause = Math.min(
      everyMilliseconds * 2 ** Math.min(this.#failures, 16),
      Math.max(everyMilliseconds, longestPauseMilliseconds),
    );
    this.#cancelTimer = runtime.after(pause * (1 - jitter + 2 * jitter * runtime.random()), () => void this.now());
  }
}
