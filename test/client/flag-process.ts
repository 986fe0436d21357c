/** Flags in virtual time, out of a source that a test says the answers of. */
import { type Flags, type FlagsOptions, flags } from "../../client/flags.ts";
import { FakeRuntime } from "./fake-runtime.ts";

export class FlagProcess extends FakeRuntime {
  /** In the middle: pauses are what they are without jitter. */
  chance = 0.5;

  random(): number {
    return this.chance;
  }
}

/** Lets promises settle; nothing waits for time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export const key = "batch-patches-v1";

export interface Asking {
  readonly flags: Flags;
  readonly runtime: FlagProcess;
  /** What the source returns, or throws when it is an error. */
  served: unknown;
  reads: number;
}

/** A process that asks for one flag, enabled at 50 % unless said otherwise; its first read is done. */
export async function asking(
  options: Partial<Omit<FlagsOptions, "runtime">> & { readonly served?: unknown; readonly runtime?: FlagProcess } = {},
): Promise<Asking> {
  const { served = { [key]: { enabled: true, exposurePercent: 50 } }, ...rest } = options;
  const runtime = options.runtime ?? new FlagProcess();
  const state = { served, reads: 0, runtime };
  const source = () => {
    state.reads += 1;
    if (state.served instanceof Error) throw state.served;
    return state.served;
  };
  const asked = flags({ environment: "production", source, keys: [key], ...rest, runtime });
  await settle();
  return Object.assign(state, { flags: asked });
}

/** Time goes by, with what reads make of it. */
export async function pass(runtime: FlagProcess, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    runtime.pass(1_000);
    await settle();
  }
}
