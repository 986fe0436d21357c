/**
 * Old and new implementation on the same input while a migration lasts (A9): one answers, the other is compared with it, and how often they differ
 * is a metric that objectives watch and the gate asks for.
 *
 * BOTH RUN. What an implementation does besides answering (a write, a mail, a charge) is done twice.
 *
 * The caller must not notice: it gets what the returned implementation alone would have given, value or error, at once or as a promise. Nothing that
 * the other one does comes through: neither what it throws nor what it rejects, nor what becomes of it once nobody waits any more. A pair that
 * cannot be compared is counted as that, and never as one that agrees.
 */
import { type DualRunOptions, readDualRunOptions } from "./dual-run/options.ts";
import { type DualRunStatus, Pair } from "./dual-run/pair.ts";

export { isSameStructure } from "./dual-run/equal.ts";
export type { NotCompared } from "./dual-run/judge.ts";
export type { DualRunOptions, Mismatch, Outcome, Side } from "./dual-run/options.ts";
export type { DualRunStatus } from "./dual-run/pair.ts";

/** Called as the implementations are. */
export type DualRun<This, Args extends readonly unknown[], Result> = ((this: This, ...args: Args) => Result) & {
  status(): DualRunStatus;
};

/**
 * Makes one function of two.
 *
 * @throws TypeError with everything that is wrong with the options, one problem a line
 *
 * @example
 * ```ts
 * const price = dualRun({ name: "price-engine", old: oldPrice, new: newPrice, returns: "old", metrics });
 * const total = price(basket); // oldPrice's answer; newPrice ran on a copy of the basket
 * ```
 */
export function dualRun<This, Args extends readonly unknown[], Old, New>(
  options: DualRunOptions<This, Args, Old, New> & { readonly returns: "old" },
): DualRun<This, Args, Old>;
export function dualRun<This, Args extends readonly unknown[], Old, New>(
  options: DualRunOptions<This, Args, Old, New>,
): DualRun<This, Args, Old | New>;
export function dualRun<This, Args extends readonly unknown[], Old, New>(
  options: DualRunOptions<This, Args, Old, New>,
): DualRun<This, Args, Old | New> {
  const pair = new Pair(readDualRunOptions(options));
  // A method, not a function: it cannot be constructed.
  const { run } = {
    run(this: This, ...args: Args): Old | New {
      // What comes out is what one of the two gave, as it gave it.
      return pair.call(this, args) as Old | New;
    },
  };
  Object.defineProperties(run, { name: { value: options.name }, length: { value: options.old.length } });
  return Object.assign(run, { status: () => pair.status() });
}
