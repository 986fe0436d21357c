/** What comes of a pair: they agree, they do not, or nobody can tell, each counted apart, and told in ways that cannot fail the caller. */
import { isSameStructure } from "./equal.ts";
import { kindName, NotUnderstood } from "./kinds.ts";
import { PerMinute } from "./limits.ts";
import type { Outcome, ReadDualRunOptions, Side } from "./options.ts";

/**
 * Why a call that was sampled was not compared.
 * - `input`, `result`: of a kind that can be neither copied nor compared, or beyond the bounds;
 * - `overrun`: the asynchronous answer came too late, or never; `paused`: there were too many of those; `waiting`: too many at a time;
 * - `over`: the time of the dual run is; `comparison`: `equal` threw or did not say true or false, or a getter threw.
 */
export type NotCompared = "input" | "result" | "overrun" | "paused" | "waiting" | "over" | "comparison";

/** Both ways in which one input ended. */
export interface Judged {
  readonly returned: Side;
  readonly input: readonly unknown[];
  readonly old: Outcome<unknown>;
  readonly new: Outcome<unknown>;
}

export class Judge {
  readonly #options: ReadDualRunOptions;
  readonly #told: PerMinute;
  readonly notCompared: Record<NotCompared, number> = {
    input: 0,
    result: 0,
    overrun: 0,
    paused: 0,
    waiting: 0,
    over: 0,
    comparison: 0,
  };
  agreed = 0;
  mismatched = 0;
  fallbacks = 0;
  /** Mismatches that nobody was told of. */
  untold = 0;

  constructor(options: ReadDualRunOptions) {
    this.#options = options;
    this.#told = new PerMinute(options.mismatchesPerMinute);
  }

  /** Compares and counts; never throws. */
  judge(judged: Judged): void {
    let isSame: unknown;
    try {
      isSame = this.#isSame(judged.old, judged.new);
    } catch (error) {
      this.cannotCompare(error);
      return;
    }
    if (typeof isSame !== "boolean") {
      // A promise would be true whatever it comes to.
      quietly(() => isSame);
      this.skip("comparison", `no answer, got ${kindName(isSame)}; expected true or false. Correct equal`);
      return;
    }
    if (isSame) this.agreed += 1;
    else this.mismatched += 1;
    quietly(() => this.#options.metrics.dualRun({ agreed: isSame }));
    if (!isSame) this.#tell(judged);
  }

  #isSame(old: Outcome<unknown>, new_: Outcome<unknown>): unknown {
    const { equal = isSameStructure, equalErrors = isSameStructure } = this.#options;
    if (old.answered && new_.answered) return equal(old.value, new_.value);
    if (!old.answered && !new_.answered) return equalErrors(old.error, new_.error);
    return false;
  }

  #tell(judged: Judged): void {
    const { name, onMismatch, runtime } = this.#options;
    if (onMismatch && this.#told.add(runtime.monotonicMilliseconds())) quietly(() => onMismatch({ name, ...judged }));
    else this.untold += 1;
  }

  /** The new implementation threw, and the old one answered. */
  fellBack(): void {
    this.fallbacks += 1;
    quietly(() => this.#options.metrics.fallback());
  }

  /** Counts a call that is not compared, and names the first of each reason. */
  skip(reason: NotCompared, message?: string): void {
    this.notCompared[reason] += 1;
    if (message !== undefined) this.warn(reason, `${message}. Such calls are not compared`);
  }

  cannotCompare(error: unknown): void {
    if (error instanceof NotUnderstood) {
      this.skip(
        "result",
        `a result cannot be compared, got ${error.message}; expected plain data. Say what is the same (equal)`,
      );
    } else {
      this.skip("comparison", `the comparison threw, got ${said(error)}; expected true or false. Correct equal`);
    }
  }

  warn(key: string, message: string): void {
    const { metrics, name } = this.#options;
    quietly(() => metrics.warnOnce(`dual run ${name} ${key}`, `dualRun ${name}: ${message}`));
  }
}

/** What it throws is dropped, and what it rejects later, too. */
export function quietly(act: () => unknown): void {
  try {
    const answer = act();
    if (isThenable(answer)) adopted(answer).catch(() => {});
  } catch {
    // Whatever this was for, the caller's request is not to fail for it.
  }
}

/** The promise that follows a thenable, whoever made it and whatever its `then` does. */
export function adopted(thenable: unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(thenable));
}

/** Something to wait for; where it cannot be asked, it is not. */
export function isThenable(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof Reflect.get(value, "then") === "function";
  } catch {
    return false;
  }
}

/** What was thrown, in a message, whatever it is. */
export function said(error: unknown): string {
  try {
    return (error instanceof Error ? error.message : String(error)).slice(0, 200);
  } catch {
    return `a ${typeof error}`;
  }
}
