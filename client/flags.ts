/**
 * Feature flags of a rollout (A6): whether a flag is on for an id, out of a document that is read in the background. Asking takes a look-up and
 * a hash; it never waits and never throws.
 *
 * Off is what is answered whenever there is no good answer: before the first document, for a flag that nobody knows, for one without an
 * exposure, for who has no id. A source that fails leaves the last document in force, with its age to read (`status`), or to an end
 * (`maximumAgeSeconds`); a document that is broken counts as a source that fails.
 */
import type { CohortOptions } from "./cohorts.ts";
import { readFlagsOptions } from "./flags/options.ts";
import { ReadFlags } from "./flags/read-flags.ts";
import type { FlagRuntime } from "./flags/runtime.ts";
import type { FlagSource } from "./flags/sources.ts";
import type { RequestMetrics } from "./metrics.ts";

export { variableOf } from "./flags/overrides.ts";
export type { FlagRuntime } from "./flags/runtime.ts";
export { type AppConfigAgentOptions, appConfigAgent, type FlagSource, flagFile } from "./flags/sources.ts";

export interface FlagsOptions<Key extends string = string> extends CohortOptions {
  /** Name of the environment, as in the stack config; each has its own flags. */
  readonly environment: string;
  /** `appConfigAgent(…)`, `flagFile(…)`, or a function that returns the document, as text or as a value. */
  readonly source: FlagSource | FlagSource["read"];
  /** The flags that this process asks for; variables that force them are read once, at the start. */
  readonly keys: readonly Key[];
  /** Counts how often flags were asked, and how often the answer was not the configuration's. @default nothing is counted */
  readonly metrics?: RequestMetrics;
  /** Unit: seconds. Range: 1 to 3,600. @default 10, as metrics come */
  readonly refreshSeconds?: number;
  /** Older documents are in force no more: all flags are off. Unit: seconds. Range: 3 refreshes to 604,800. @default no end */
  readonly maximumAgeSeconds?: number;
  /** @default this Node process; tests have another */
  readonly runtime?: FlagRuntime;
}

/**
 * Why a flag is on or off: `split` (the id's bucket), `disabled` (not enabled in the document), `override` (a variable forces it); and, always
 * off: `not-ready` (no document yet), `expired` (the document is too old), `unknown-flag` (not in the document, or not among `keys`),
 * `no-exposure` (enabled without `exposurePercent`), `no-id`.
 */
export type Because =
  | "split"
  | "disabled"
  | "override"
  | "not-ready"
  | "expired"
  | "unknown-flag"
  | "no-exposure"
  | "no-id";

export interface Evaluation {
  readonly isOn: boolean;
  readonly because: Because;
}

/** `stale`: the last read failed, the document before it is in force. */
export type FlagsState = "not-ready" | "fresh" | "stale" | "expired";

export interface FlagsStatus {
  readonly state: FlagsState;
  /** What the flags come from. */
  readonly source: string;
  /** Since the document was last read well; absent without one. Unit: seconds. */
  readonly ageSeconds?: number;
  /** Why the last read failed; absent when it did not. */
  readonly failure?: string;
  /** Flags that a variable forces. */
  readonly forced: Readonly<Record<string, boolean>>;
}

export interface Flags<Key extends string = string> {
  /**
   * Whether the flag is on for this id.
   *
   * @param request the request that is answered by this flag's code path, as the framework has it: its metrics are then the baseline's while
   *   the flag is off (`RequestMetrics.tookPath`). Only for the flag of the rollout
   */
  isOn(flag: Key, id: string, request?: object): boolean;
  /** The same, with the reason. */
  evaluate(flag: Key, id: string, request?: object): Evaluation;
  /** Whether a document is in force, or why not. */
  ready(): { readonly isReady: true } | { readonly isReady: false; readonly because: string };
  state(): FlagsState;
  status(): FlagsStatus;
  /** Reads the source now, or waits for the read that is under way. Never rejects: `ready` tells. */
  refresh(): Promise<void>;
  /** Calls back when the state or the flags have changed. @returns takes it back */
  onChange(act: (change: FlagsChange) => void): () => void;
  /** Says something to the developer, once. */
  warnOnce(key: string, message: string): void;
  /** Reads no more. What is in force stays so, and ages. */
  close(): void;
}

export interface FlagsChange {
  readonly state: FlagsState;
  readonly previous: FlagsState;
  /** Flags among `keys` that the document now says something else of. */
  readonly changedFlags: readonly string[];
}

/**
 * Starts to read flags, and answers from what was read. The first document takes a moment: `await flags.refresh()` where the start may wait for it.
 *
 * @throws TypeError with everything that is wrong with the options and with variables that force flags, one problem a line
 *
 * @example
 * ```ts
 * const rollout = flags({
 *   environment: "production",
 *   source: appConfigAgent({ application: "shop", configuration: "checkout" }),
 *   keys: ["batch-patches-v1"],
 * });
 * const answer = rollout.isOn("batch-patches-v1", user.id) ? batchPatches(request) : legacy(request);
 * ```
 */
export function flags<Key extends string>(options: FlagsOptions<Key>): Flags<Key> {
  return new ReadFlags(options.environment, readFlagsOptions(options));
}
