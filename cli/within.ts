/** Waiting that ends: a command at 3 a.m. never hangs on one answer. */
import type { Timers } from "./outside.ts";

/** No answer in time; whether the work was done nobody knows. */
export class TooSlowError extends Error {
  override readonly name = "TooSlowError";
}

/**
 * Runs work that must answer in time; when it does not, its signal is aborted and nobody waits for it any more.
 * @param what starts the message: `the hook` becomes `the hook: no answer within 2 s`
 * @throws TooSlowError, or what the work throws
 */
export async function within<Result>(
  timers: Timers,
  milliseconds: number,
  what: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  let takeBack = () => {};
  const limit = new Promise<never>((_resolve, reject) => {
    takeBack = timers.after(milliseconds, () => {
      reject(new TooSlowError(`${what}: no answer within ${milliseconds / 1_000} s`));
      controller.abort();
    });
  });
  try {
    return await Promise.race([work(controller.signal), limit]);
  } finally {
    takeBack();
  }
}
