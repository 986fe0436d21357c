/** Time that passes only when everybody waits for it: concurrent work of minutes runs in milliseconds, in the order it would. */

export class VirtualTime {
  #now: number;
  readonly #sleepers: { readonly wakeAt: number; readonly wake: () => void }[] = [];

  /** @param now unit: milliseconds since the epoch */
  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return Promise.resolve();
    return new Promise((wake) => {
      this.#sleepers.push({ wakeAt: this.#now + milliseconds, wake });
    });
  }

  /**
   * Runs work to its end, letting time pass while all of it sleeps.
   * @throws Error where it waits for something that is no sleep of this clock
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    let isDone = false;
    const running = work().finally(() => {
      isDone = true;
    });
    // Awaited below; here only so that an early rejection is nobody's.
    running.catch(() => {});
    for (;;) {
      // Every promise that can go on without time goes on first.
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone) return running;
      if (this.#sleepers.length === 0) throw new Error("virtual time: the work waits, but not for this clock");
      this.#wakeNext();
    }
  }

  #wakeNext(): void {
    this.#now = Math.min(...this.#sleepers.map((sleeper) => sleeper.wakeAt));
    const due = this.#sleepers.filter((sleeper) => sleeper.wakeAt <= this.#now);
    const rest = this.#sleepers.filter((sleeper) => sleeper.wakeAt > this.#now);
    this.#sleepers.splice(0, this.#sleepers.length, ...rest);
    for (const sleeper of due) sleeper.wake();
  }
}
