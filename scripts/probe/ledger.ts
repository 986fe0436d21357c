/**
 * What a probe made, so that it can be taken away again whatever happens: written down before the call that makes it, because an answer
 * can be lost; taken away last made first; what cannot be taken away is named with the command that does it.
 */
import { messageOf } from "../../core/error-message.ts";

export interface LedgerEntry {
  /** `target group tidegate-probe-1a2b-a` */
  readonly what: string;
  /** Takes it away; does nothing where it is not there. */
  readonly remove: () => Promise<void>;
  /** The same as a line to type. */
  readonly command: string;
}

/** How often removal is tried: a target group is in use until its load balancer is gone for good. */
const mostTries = 20;
const betweenTriesMilliseconds = 15_000;

export class Ledger {
  readonly #entries: LedgerEntry[] = [];

  /** Makes something, and knows of it even where the call fails half way. */
  async make<Made>(entry: LedgerEntry, create: () => Promise<Made>): Promise<Made> {
    this.#entries.push(entry);
    return create();
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Everything that is still there, the last made first. */
  leftovers(): readonly LedgerEntry[] {
    return [...this.#entries].reverse();
  }

  /**
   * Takes everything away, in rounds, because some things wait for others.
   * @param sleep between rounds
   * @returns what is still there, each with the last reason
   */
  async clear(
    sleep: (milliseconds: number) => Promise<void>,
    say: (line: string) => void,
  ): Promise<readonly { readonly entry: LedgerEntry; readonly reason: string }[]> {
    let failed: { entry: LedgerEntry; reason: string }[] = [];
    for (let tries = 1; tries <= mostTries; tries += 1) {
      failed = [];
      for (const entry of this.leftovers()) {
        try {
          await entry.remove();
          this.#entries.splice(this.#entries.indexOf(entry), 1);
          say(`removed ${entry.what}`);
        } catch (error) {
          failed.push({ entry, reason: messageOf(error) });
        }
      }
      if (failed.length === 0 || tries === mostTries) break;
      await sleep(betweenTriesMilliseconds);
    }
    return failed;
  }
}
