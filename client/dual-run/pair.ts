/**
 * One call of the pair from its beginning to its end. The returned implementation always runs first and on the caller's own input, so that nothing
 * stands between the caller and what it would have had without us; the other one runs after it, on a copy that was made before.
 */
import { bucket } from "../cohorts.ts";
import { copyOf, copyOfAll } from "./copy.ts";
import { adopted, isThenable, Judge, type Judged, type NotCompared, said } from "./judge.ts";
import { kindName, kindOf, NotUnderstood } from "./kinds.ts";
import { maximumWaiting, Overruns } from "./limits.ts";
import type { Outcome, ReadDualRunOptions, Side } from "./options.ts";

/** Since the start, in this process. */
export interface DualRunStatus {
  readonly agreed: number;
  readonly mismatched: number;
  /** Calls that the old implementation answered because the new one threw; not only of those sampled. */
  readonly fallbacks: number;
  readonly notCompared: Readonly<Record<NotCompared, number>>;
  /** How often the one that is not returned took longer than its budget. */
  readonly overruns: number;
  /** Mismatches that `onMismatch` was not told of. */
  readonly untold: number;
  readonly isPaused: boolean;
  readonly isOver: boolean;
}

interface Call {
  readonly self: unknown;
  readonly args: readonly unknown[];
  readonly returns: Side;
}

/** A call that is to be compared. */
interface SampledCall extends Call {
  /** Absent: it cannot be copied, and the other one does not run. */
  readonly input?: readonly unknown[];
}

export class Pair {
  readonly #options: ReadDualRunOptions;
  readonly #old: ReadDualRunOptions["old"];
  readonly #new: ReadDualRunOptions["new"];
  readonly #alwaysReturnsOld: boolean;
  readonly #judge: Judge;
  readonly #isSampled: (args: readonly unknown[]) => boolean;
  readonly #overruns: Overruns;
  #waiting = 0;
  /** An implementation is running for a comparison: what it calls of this pair is a part of it, not another one. */
  #isInside = false;

  constructor(options: ReadDualRunOptions) {
    this.#options = options;
    this.#old = options.old;
    this.#new = options.new;
    this.#alwaysReturnsOld = options.returns === "old";
    this.#judge = new Judge(options);
    this.#isSampled = this.#sampler();
    this.#overruns = new Overruns(options.overrunsToPause, options.pauseSeconds);
    if (this.#isOver()) this.#warnOver();
  }

  call(self: unknown, args: readonly unknown[]): unknown {
    if (!this.#isInside && this.#isSampled(args)) return this.#sampled(self, args);
    // Most calls, in nanoseconds.
    return this.#alwaysReturnsOld ? Reflect.apply(this.#old, self, args) : this.#plain(self, args);
  }

  #sampled(self: unknown, args: readonly unknown[]): unknown {
    const shut = this.#shut();
    if (shut === undefined) return this.#compared(self, args);
    this.#judge.skip(shut);
    return this.#plain(self, args);
  }

  status(): DualRunStatus {
    const { agreed, mismatched, fallbacks, notCompared, untold } = this.#judge;
    return {
      agreed,
      mismatched,
      fallbacks,
      notCompared: { ...notCompared },
      overruns: this.#overruns.count,
      untold,
      isPaused: this.#overruns.isPaused(this.#options.runtime.monotonicMilliseconds()),
      isOver: this.#isOver(),
    };
  }

  #sampler(): (args: readonly unknown[]) => boolean {
    const { sampleFraction, idOf, random, name } = this.#options;
    if (sampleFraction === 0) return () => false;
    if (sampleFraction === 1) return () => true;
    const percent = Math.round(sampleFraction * 100);
    const isIn = (id: unknown): boolean => {
      if (typeof id === "string" && id !== "") return bucket(id, { salt: name }) < percent;
      const got = id === "" ? "an empty text" : kindName(id);
      this.#judge.warn("id", `no id, got ${got}; expected a text that is not empty. Such calls are not sampled`);
      return false;
    };
    return (args) => {
      try {
        return idOf === undefined ? random() < sampleFraction : isIn(idOf(...args));
      } catch (error) {
        this.#judge.warn(
          "sampling",
          `the sampling threw, got ${said(error)}; expected it not to. Such calls are not sampled`,
        );
        return false;
      }
    };
  }

  #isOver(): boolean {
    return this.#options.runtime.epochMilliseconds() >= this.#options.untilMilliseconds;
  }

  #warnOver(): void {
    const until = new Date(this.#options.untilMilliseconds).toISOString();
    this.#judge.warn(
      "over",
      `its time is over, got a call after ${until}; expected none. Take it out, or say a later date (until)`,
    );
  }

  #shut(): NotCompared | undefined {
    if (this.#isOver()) {
      this.#warnOver();
      return "over";
    }
    if (this.#overruns.isPaused(this.#options.runtime.monotonicMilliseconds())) return "paused";
    if (this.#waiting < maximumWaiting) return undefined;
    this.#judge.warn(
      "waiting",
      `too many comparisons wait at a time, got ${this.#waiting}; expected fewer. Lower sampleFraction or budgetMilliseconds`,
    );
    return "waiting";
  }

  #returns(args: readonly unknown[]): Side {
    const { returns } = this.#options;
    if (typeof returns !== "function") return returns;
    try {
      const side: unknown = returns(...args);
      if (side === "old" || side === "new") return side;
      this.#judge.warn("returns", `no side, got ${kindName(side)}; expected old or new. The old one answers`);
    } catch (error) {
      this.#judge.warn("returns", `returns threw, got ${said(error)}; expected old or new. The old one answers`);
    }
    return "old";
  }

  /** As without us, but for the fallback. */
  #plain(self: unknown, args: readonly unknown[]): unknown {
    if (this.#returns(args) === "old") return Reflect.apply(this.#old, self, args);
    if (this.#options.fallback === "none") return Reflect.apply(this.#new, self, args);
    let answer: unknown;
    try {
      answer = Reflect.apply(this.#new, self, args);
    } catch {
      return this.#answerByOld(self, args);
    }
    return typeof answer === "object" && isPlainPromise(answer) ? this.#orOld(answer, self, args) : answer;
  }

  #orOld(answer: Promise<unknown>, self: unknown, args: readonly unknown[]): Promise<unknown> {
    return answer.then(undefined, () => this.#answerByOld(self, args));
  }

  #compared(self: unknown, args: readonly unknown[]): unknown {
    const returns = this.#returns(args);
    const input = this.#inputOf(args);
    const call: SampledCall = { self, args, returns, ...(input === undefined ? {} : { input }) };
    const outcome = this.#run(returns, self, args);
    if (!outcome.answered || !isPlainPromise(outcome.value)) return this.#answer(call, outcome);
    // The caller gets what follows from the promise, not the promise: whether anybody minds its rejection stays the caller's.
    return outcome.value.then(
      (value) => this.#answer(call, { answered: true, value }),
      (error) => this.#answer(call, { answered: false, error }),
    );
  }

  /** The returned one has ended: the other one runs, and then the caller has its answer. */
  #answer(call: SampledCall, outcome: Outcome<unknown>): unknown {
    if (!outcome.answered && call.returns === "new" && this.#options.fallback === "old") {
      return this.#answerByOld(call.self, call.args, (old) =>
        this.#judge.judge({ returned: "new", input: call.input ?? call.args, old, new: outcome }),
      );
    }
    try {
      if (call.input !== undefined) this.#compare(call, call.input, outcome);
    } catch (error) {
      this.#judge.cannotCompare(error);
    }
    return given(outcome);
  }

  /** `new` threw: the only run of `old`, so it is the comparison, too. */
  #answerByOld(self: unknown, args: readonly unknown[], compare: (old: Outcome<unknown>) => void = () => {}): unknown {
    const ended = (old: Outcome<unknown>): unknown => {
      // Where the old one throws as well nobody answered: an error that is the request's own is no fallback.
      if (old.answered) this.#judge.fellBack();
      compare(old);
      return given(old);
    };
    const outcome = this.#run("old", self, args);
    if (!outcome.answered || !isPlainPromise(outcome.value)) return ended(outcome);
    return outcome.value.then(
      (value) => ended({ answered: true, value }),
      (error) => ended({ answered: false, error }),
    );
  }

  /** Never throws: how it ended is its answer. */
  #run(side: Side, self: unknown, args: readonly unknown[]): Outcome<unknown> {
    const wasInside = this.#isInside;
    this.#isInside = true;
    try {
      return { answered: true, value: Reflect.apply(side === "old" ? this.#old : this.#new, self, args) };
    } catch (error) {
      return { answered: false, error };
    } finally {
      this.#isInside = wasInside;
    }
  }

  #inputOf(args: readonly unknown[]): readonly unknown[] | undefined {
    const { input } = this.#options;
    const wayOut = "Say how to copy it (input)";
    try {
      if (input === "shared") return args;
      if (input === "copied") return copyOfAll(args);
      const copied: unknown = input(...args);
      if (Array.isArray(copied)) return copied;
      this.#judge.skip(
        "input",
        `no copy of the input, got ${kindName(copied)}; expected a list of arguments. ${wayOut}`,
      );
    } catch (error) {
      this.#judge.skip("input", `the input cannot be copied, got ${said(error)}; expected plain data. ${wayOut}`);
    }
    return undefined;
  }

  #compare(call: Call, input: readonly unknown[], returned: Outcome<unknown>): void {
    this.#checkComparable(returned);
    const { runtime, budgetMilliseconds } = this.#options;
    const startedAt = runtime.monotonicMilliseconds();
    const other = this.#run(call.returns === "old" ? "new" : "old", call.self, input);
    const tookMilliseconds = runtime.monotonicMilliseconds() - startedAt;
    if (other.answered && isThenable(other.value)) {
      this.#wait(call, input, returned, adopted(other.value), startedAt);
      return;
    }
    if (tookMilliseconds > budgetMilliseconds) this.#overran();
    this.#judge.judge(judgedOf(call, input, returned, other));
  }

  /**
   * Before the other one runs: a stream that it opens and nobody reads would stay open.
   *
   * @throws NotUnderstood for a result that nothing can be compared with
   */
  #checkComparable(returned: Outcome<unknown>): void {
    if (!returned.answered) return;
    const { value } = returned;
    // A promise of somebody's own may do its work whenever it is asked, each time (query builders do).
    const isAsked = isThenable(value);
    if (isAsked || (kindOf(value) === "opaque" && this.#options.equal === undefined)) {
      throw new NotUnderstood("kind", kindName(value));
    }
  }

  #wait(
    call: Call,
    input: readonly unknown[],
    returned: Outcome<unknown>,
    other: Promise<unknown>,
    startedAt: number,
  ): void {
    // Minded in any case: nobody else minds its rejection, and that would end the process.
    other.catch(() => {});
    const kept = this.#kept(returned);
    if (kept === undefined) return;
    const { runtime, budgetMilliseconds } = this.#options;
    const leftMilliseconds = () => startedAt + budgetMilliseconds - runtime.monotonicMilliseconds();
    let isOpen = true;
    this.#waiting += 1;
    const close = (act: () => void) => {
      if (!isOpen) return;
      isOpen = false;
      this.#waiting -= 1;
      cancel();
      act();
    };
    const giveUp = () => {
      this.#judge.skip("overrun");
      this.#overran();
    };
    const end = (outcome: Outcome<unknown>) =>
      close(() => (leftMilliseconds() < 0 ? giveUp() : this.#judge.judge(judgedOf(call, input, kept, outcome))));
    const cancel = runtime.after(Math.max(0, leftMilliseconds()), () => close(giveUp));
    other.then(
      (value) => end({ answered: true, value }),
      (error) => end({ answered: false, error }),
    );
  }

  /** The answer as it is now: the caller may change its own while the other one is still busy. Absent: it cannot be kept. */
  #kept(returned: Outcome<unknown>): Outcome<unknown> | undefined {
    if (!returned.answered) return returned;
    try {
      return { answered: true, value: copyOf(returned.value) };
    } catch (error) {
      if (this.#options.equal !== undefined) return returned;
      this.#judge.cannotCompare(error);
      return undefined;
    }
  }

  #overran(): void {
    const { budgetMilliseconds, pauseSeconds, overrunsToPause, runtime } = this.#options;
    if (!this.#overruns.add(runtime.monotonicMilliseconds())) return;
    this.#judge.warn(
      "overrun",
      `too slow ${overrunsToPause} times within a minute, got more than ${budgetMilliseconds} ms; expected less. Nothing is compared for ${pauseSeconds} s; raise budgetMilliseconds or lower sampleFraction`,
    );
  }
}

/**
 * A promise and nothing but one, which may be followed without changing what it does. Classes of promises (cancellable ones, query builders) have
 * more to them, and are handed through as they are.
 */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  try {
    return (
      value instanceof Promise &&
      Object.getPrototypeOf(value) === Promise.prototype &&
      // Keys, not symbols: Node itself marks promises with those.
      Object.keys(value).length === 0
    );
  } catch {
    // A proxy that does not let itself be looked at.
    return false;
  }
}

function given(outcome: Outcome<unknown>): unknown {
  if (outcome.answered) return outcome.value;
  throw outcome.error;
}

function judgedOf(
  { returns }: Call,
  input: readonly unknown[],
  returned: Outcome<unknown>,
  other: Outcome<unknown>,
): Judged {
  return returns === "old"
    ? { returned: "old", input, old: returned, new: other }
    : { returned: "new", input, old: other, new: returned };
}
