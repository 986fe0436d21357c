/**
 * What the hook does with an event, over given ports: the deployed function and the rehearsal run this very code. A run that fails is
 * retried by Lambda, ends in the dead letters and pages through an alarm of its own, so nothing here turns a failure into a quiet answer.
 */

import type { ServiceDescription } from "../core/declaration.ts";
import type { FinishedRelease } from "../core/gate/evidence.ts";
import { acknowledgeAliasName } from "../core/naming.ts";
import { onAlarmEvent } from "./alarm-event.ts";
import { Redaction } from "./aws/redaction.ts";
import { acknowledge, CommandRefusedError, kill, pause, resume } from "./commands.ts";
import { oneError } from "./deliver.ts";
import { startDrill } from "./drill.ts";
import { type CommandEvent, type HookEvent, readEvent, UnknownEventError } from "./events.ts";
import { commitOpening } from "./opening.ts";
import type { Ports } from "./ports.ts";
import { reconcileAll, reconcileService } from "./reconcile.ts";
import { selfTest } from "./self-test.ts";

/** What the hook answers; the program keeps it as the opening's result, the commands print it. */
export interface HookAnswer {
  readonly outcome: "committed" | "reconciled" | "nothing-to-do" | "done" | "refused" | "self-tested" | "drill-started";
  readonly message: string;
  /** Of `committed`: releases that finished here, for the environment above. @default none did */
  readonly finished?: readonly FinishedRelease[];
}

/** What Lambda says of the invocation, as far as it matters here. */
export interface InvocationContext {
  /** Ends in the alias or the version that was asked for, where one was. */
  readonly invokedFunctionArn?: string;
  readonly awsRequestId?: string;
}

export interface HandlerParts {
  readonly environment: string;
  readonly ports: Ports;
  /** Fails when the credentials are another account's. Asked before anything that could raise, never before a lowering. */
  readonly checkAccount: () => Promise<void>;
  /** Further checks of the self-test, by name: that the channels' secrets can be read. */
  readonly selfTests: Readonly<Record<string, () => Promise<unknown>>>;
  /** Adds fields to every log line of one invocation. */
  readonly begin: (fields: Readonly<Record<string, string>>) => void;
  /** Writes out what telemetry has gathered; called once an invocation, whatever came of it. */
  readonly flush: () => Promise<void>;
  /** A copy of an error without secrets: the runtime prints what a handler throws. */
  readonly cleanError: (error: unknown) => Error;
}

function cleanWithout(error: unknown): Error {
  return new Redaction([]).error(error);
}

/** The handler over given parts; `parts` is asked once a container, on the first event that needs it. */
export function makeHandler(
  parts: () => HandlerParts,
): (event: unknown, context?: InvocationContext) => Promise<HookAnswer> {
  let made: HandlerParts | undefined;
  return async (raw, context) => {
    let event: HookEvent;
    try {
      event = readEvent(raw);
      made ??= parts();
    } catch (error) {
      // Before the parts are there, only what looks like a secret can be told from the rest.
      throw (made?.cleanError ?? cleanWithout)(error);
    }
    made.begin({ event: event.kind, ...(context?.awsRequestId ? { requestId: context.awsRequestId } : {}) });
    try {
      return await handle(made, event, context);
    } catch (error) {
      const clean = made.cleanError(error);
      made.ports.telemetry.log("error", "run failed", { reason: clean.message });
      throw clean;
    } finally {
      await made.flush();
    }
  };
}

async function handle(
  parts: HandlerParts,
  event: HookEvent,
  context: InvocationContext | undefined,
): Promise<HookAnswer> {
  const { ports } = parts;
  if (event.kind !== "command" && aliasOf(context) === acknowledgeAliasName) {
    throw new UnknownEventError(
      `${event.kind}: not through the alias ${acknowledgeAliasName}, which only acknowledges and resumes; nothing was changed`,
    );
  }
  switch (event.kind) {
    case "opening":
      return commitFor(parts, event.description);
    case "opening-deleted":
      return {
        outcome: "nothing-to-do",
        message: `${event.service}: its opening is removed from the stack; record, holds and weights stay as they are`,
      };
    case "schedule":
      await reconcileAll(ports);
      return { outcome: "reconciled", message: "every service was looked at" };
    case "alarm":
      return { outcome: "reconciled", message: await onAlarmEvent(ports, event.alarmName) };
    case "look":
      return { outcome: "reconciled", message: await lookAt(ports, event.services) };
    case "self-test":
      return {
        outcome: "self-tested",
        message: await selfTest(ports, { account: parts.checkAccount, ...parts.selfTests }),
      };
    case "drill":
      return {
        outcome: "drill-started",
        message: `drill started at ${new Date(await startDrill(ports)).toISOString()}; its page follows`,
      };
    case "command":
      return command(parts, event, context);
  }
}

async function lookAt(ports: Ports, services: readonly string[]): Promise<string> {
  const failures: unknown[] = [];
  for (const service of services) {
    try {
      const what = await reconcileService(ports, service);
      if (what === "unknown")
        throw new UnknownEventError(`${service.slice(0, 100)}: a message names it, and there is no record of it`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw oneError(failures);
  return `${services.join(", ")}: looked at, because a message named it`;
}

async function commitFor(parts: HandlerParts, description: ServiceDescription): Promise<HookAnswer> {
  if (description.environment !== parts.environment) {
    throw new UnknownEventError(
      `opening of ${description.service}: for another environment, got ${description.environment}; expected ${parts.environment}. ` +
        "Call the hook of that environment",
    );
  }
  await parts.checkAccount();
  const { message, finished } = await commitOpening(parts.ports, description);
  return { outcome: "committed", message, ...(finished.length > 0 ? { finished } : {}) };
}

function aliasOf(context: InvocationContext | undefined): string | undefined {
  return context?.invokedFunctionArn?.split(":")[7];
}

const commands = { kill, pause, resume } as const;

/** Opening the latch is another permission than shutting it: it is taken only through an alias of its own. */
async function command(
  { ports, checkAccount }: HandlerParts,
  event: CommandEvent,
  context: InvocationContext | undefined,
): Promise<HookAnswer> {
  const alias = aliasOf(context);
  const opens = event.command === "acknowledge" || event.command === "resume";
  if (opens !== (alias === acknowledgeAliasName)) {
    return {
      outcome: "refused",
      message: opens
        ? `${event.command}: only through the alias ${acknowledgeAliasName}, got ${alias ?? "no alias"}; nothing was changed`
        : `${event.command}: not through the alias ${acknowledgeAliasName}, which only acknowledges and resumes; nothing was changed`,
    };
  }
  const said = { by: event.by, reason: event.reason };
  try {
    if (opens) await checkAccount();
    const message =
      event.command === "acknowledge"
        ? await acknowledge(ports, event.service, said, event.holdId)
        : await commands[event.command](ports, event.service, said);
    return { outcome: "done", message };
  } catch (error) {
    if (error instanceof CommandRefusedError) return { outcome: "refused", message: error.message };
    throw error;
  }
}
