/**
 * Runs that take virtual time. A run of the hook ends within one instant, unless a fault makes one of its calls slow; then the others
 * and the traffic go on meanwhile.
 */
import type { Instant } from "../../core/record.ts";

interface Timer {
  readonly at: Instant;
  readonly go: () => void;
}

export class VirtualTime {
  #timers: Timer[] = [];
  #onWait: (() => void) | undefined;

  /** When somebody goes on; infinity while nobody waits. */
  nextAt(): Instant {
    return this.#timers[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Waits until an instant comes. */
  async until(at: Instant): Promise<void> {
    await new Promise<void>((go) => {
      // Sorting is stable: who waits for one instant goes on in the order in which they came.
      this.#timers = [...this.#timers, { at, go }].sort((left, right) => left.at - right.at);
      this.#onWait?.();
    });
  }

  /** Lets the first that waits go on, and come as far as it comes without more time. */
  async go(): Promise<void> {
    this.#timers.shift()?.go();
    await everythingElse();
  }

  /** Starts a run; comes back when it has ended, or waits for time to pass. It must never reject. */
  async start(run: () => Promise<void>): Promise<void> {
    const waits = new Promise<"waits">((resolve) => {
      this.#onWait = () => resolve("waits");
    });
    const ended = await Promise.race([run(), waits]);
    this.#onWait = undefined;
    // One branch of the run waits; the others come as far as they can.
    if (ended === "waits") await everythingElse();
  }
}

/** A turn of the event loop comes after everything that needs no more than promises. */
async function everythingElse(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
