/** A pair in virtual time that writes down what it counts. Nothing here sleeps. */

import type { DualRunOptions } from "../../client/dual-run/options.ts";
import { dualRun } from "../../client/dual-run.ts";
import { FakeRuntime } from "./fake-runtime.ts";

/** Everything that is due has happened: one turn of the event loop, after all its promises. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class CountedMetrics {
  readonly runs: boolean[] = [];
  fallbacks = 0;
  readonly warnings: string[] = [];
  readonly #warned = new Set<string>();

  dualRun({ agreed }: { readonly agreed: boolean }): void {
    this.runs.push(agreed);
  }

  fallback(): void {
    this.fallbacks += 1;
  }

  warnOnce(key: string, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.warnings.push(message);
  }
}

export const nothingSkipped = {
  input: 0,
  result: 0,
  overrun: 0,
  paused: 0,
  waiting: 0,
  over: 0,
  comparison: 0,
};

type Options<Args extends readonly unknown[], Old, New> = DualRunOptions<unknown, Args, Old, New>;

/** A pair of two functions; the old one is returned unless said otherwise. */
export function aPair<Args extends readonly unknown[], Old, New>(
  old: (...args: Args) => Old,
  new_: (...args: Args) => New,
  options: Partial<Options<Args, Old, New>> = {},
) {
  const metrics = new CountedMetrics();
  const runtime = new FakeRuntime();
  const pair = dualRun<unknown, Args, Old, New>({
    name: "price-engine",
    old,
    new: new_,
    returns: "old",
    metrics,
    runtime,
    ...options,
  } as Options<Args, Old, New>);
  return { pair, metrics, runtime };
}
