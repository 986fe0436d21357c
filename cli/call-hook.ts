/** Calling the deployed hook: one invocation with a limit, and its answer told apart without trusting it. */
import { messageOf } from "../core/error-message.ts";
import { type Connection, type HookAlias, HookCallError, NoCredentialsError, type Timers } from "./outside.ts";
import { TooSlowError, within } from "./within.ts";

/** What a person asks for through the hook, as its handler takes it. */
export interface CommandEvent {
  readonly kind: "tidegate:command";
  readonly command: "kill" | "pause" | "resume" | "acknowledge";
  readonly service: string;
  readonly by: string;
  readonly reason: string;
  /** Only for `acknowledge`. @default every standing hold */
  readonly holdId?: string;
}

/** How long kill and pause wait for the hook before they do its work themselves. Unit: milliseconds. Source: requirement B4's 30 s. */
export const fallbackAfterMilliseconds = 2_000;

/** How long is waited where nothing can stand in: under the hook's own time limit. Unit: milliseconds. */
export const patienceMilliseconds = 30_000;

export type HookReply =
  | { readonly kind: "done" | "refused"; readonly message: string }
  /** `mayHaveRun`: the hook may have done it all the same. */
  | { readonly kind: "failed"; readonly why: string; readonly mayHaveRun: boolean };

/** One invocation. Never throws for what the hook did: `failed` says it. @throws NoCredentialsError */
export async function callHook(
  connection: Connection,
  timers: Timers,
  call: {
    readonly alias: HookAlias;
    readonly event: unknown;
    readonly limitMilliseconds: number;
    /** The outcome that counts as done. */
    readonly done: string;
  },
): Promise<HookReply> {
  let answer: unknown;
  try {
    answer = await within(timers, call.limitMilliseconds, "the hook", (signal) =>
      connection.invoke(call.alias, call.event, signal),
    );
  } catch (error) {
    if (error instanceof NoCredentialsError) throw error;
    if (error instanceof HookCallError) return { kind: "failed", why: error.message, mayHaveRun: error.mayHaveRun };
    return {
      kind: "failed",
      why: error instanceof TooSlowError ? error.message : `the hook: not reached, got ${messageOf(error)}`,
      mayHaveRun: true,
    };
  }
  return replyOf(answer, call.done);
}

function replyOf(answer: unknown, done: string): HookReply {
  const fields: { readonly outcome?: unknown; readonly message?: unknown } =
    typeof answer === "object" && answer !== null ? answer : {};
  const { outcome, message } = fields;
  if (typeof message === "string" && (outcome === done || outcome === "refused")) {
    return { kind: outcome === "refused" ? "refused" : "done", message };
  }
  const shown = JSON.stringify(answer) ?? "nothing";
  return {
    kind: "failed",
    why: `the hook: answered something unknown, got ${shown.slice(0, 200)}; expected an outcome ${done} or refused`,
    mayHaveRun: true,
  };
}
