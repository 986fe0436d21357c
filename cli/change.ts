/**
 * `pause`, `resume` and `acknowledge`: what people tell the record, through the hook. Pausing only shuts, so it is done from here when the
 * hook does not answer. The other two open something; they have no way round the hook, whose alias is their permission.
 */
import { oneLine } from "../core/error-message.ts";
import { type CommandEvent, callHook, fallbackAfterMilliseconds, patienceMilliseconds } from "./call-hook.ts";
import type { Surroundings } from "./command.ts";
import { CommandFailedError } from "./failures.ts";
import { beginChange, type Change, confirmed, type OperatorFlags, placeWords } from "./operation.ts";
import { standing } from "./read-record.ts";
import { report } from "./report.ts";

export async function pauseCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const change = await beginChange("pause", flags, surroundings);
  await confirmed(
    change,
    async () =>
      `pause: every opening of ${change.service} in ${change.place.environment} is refused until it is resumed; lowering goes on.`,
  );
  const reply = await callHook(change.connection, change.outside.timers, {
    alias: "live",
    event: await eventOf(change, "pause"),
    limitMilliseconds: fallbackAfterMilliseconds,
    done: "done",
  });
  if (reply.kind !== "failed")
    return report(change, {
      outcome: reply.kind,
      through: reply.kind === "done" ? "hook" : null,
      message: reply.message,
    });
  noteFallback(change, reply.why, reply.mayHaveRun);
  const [ports, { pause, CommandRefusedError }] = await Promise.all([
    change.connection.ports(),
    import("../hooks/commands.ts"),
  ]);
  try {
    const message = await pause(ports, change.service, { by: (await change.who).by, reason: change.reason });
    return await report(change, { outcome: "done", through: "here", message, hookFailure: reply.why });
  } catch (error) {
    if (error instanceof CommandRefusedError)
      return report(change, { outcome: "refused", through: null, message: error.message, hookFailure: reply.why });
    throw new CommandFailedError(
      `${change.service}: pause: ${reply.why}, and from here: ${oneLine(error)}. Openings may still be possible; look with npx tidegate status ${placeWords(change.place)} --service ${change.service}`,
    );
  }
}

export async function resumeCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const change = await beginChange("resume", flags, surroundings);
  await confirmed(
    change,
    async () => `resume: waves of ${change.service} in ${change.place.environment} may open again.`,
  );
  await throughHookAlone(change, await eventOf(change, "resume"));
}

export async function acknowledgeCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const change = await beginChange("acknowledge", flags, surroundings);
  await confirmed(change, () => acknowledgeQuestion(change, flags.hold));
  const holdId = flags.hold === undefined ? {} : { holdId: flags.hold };
  await throughHookAlone(change, { ...(await eventOf(change, "acknowledge")), ...holdId });
}

/** What went on instead of the hook, at once: a person waits for it. */
export function noteFallback(change: Change, why: string, mayHaveRun: boolean): void {
  const both = mayHaveRun ? " Should the hook do it too, that does no harm." : "";
  change.note(`${why}. Doing it from here with your own credentials.${both}`);
}

export async function eventOf(change: Change, command: CommandEvent["command"]): Promise<CommandEvent> {
  const { by } = await change.who;
  return { kind: "tidegate:command", command, service: change.service, by, reason: change.reason };
}

async function throughHookAlone(change: Change, event: CommandEvent): Promise<void> {
  const reply = await callHook(change.connection, change.outside.timers, {
    alias: "acknowledge",
    event,
    limitMilliseconds: patienceMilliseconds,
    done: "done",
  });
  if (reply.kind !== "failed")
    return report(change, {
      outcome: reply.kind,
      through: reply.kind === "done" ? "hook" : null,
      message: reply.message,
    });
  const where = `${placeWords(change.place)} --service ${change.service}`;
  const wayOut = `${change.command} opens a latch and has no way round the hook. Bring it back (runbook hook-failing), then say it again`;
  if (!reply.mayHaveRun) {
    const message = `${change.service}: ${change.command}: ${reply.why}; nothing was changed. ${wayOut}`;
    return report(change, { outcome: "refused", through: null, message, hookFailure: reply.why });
  }
  throw new CommandFailedError(
    `${change.service}: ${change.command}: ${reply.why}; it may or may not have been done. Look with npx tidegate status ${where}. ${wayOut}`,
  );
}

/** Names what stands, as far as it can be read with the operator's own credentials. */
async function acknowledgeQuestion(change: Change, holdId: string | undefined): Promise<string> {
  const start = `acknowledge: opens the latch of ${change.service} in ${change.place.environment} for `;
  const asked = holdId === undefined ? "every hold that stands" : `hold ${holdId}`;
  const end = "; ceilings stay where they are.";
  try {
    const holds = ((await standing(change))?.holds ?? []).filter((hold) => holdId === undefined || hold.id === holdId);
    if (holds.length === 0) return `${start}${asked} (the record has none)${end}`;
    return `${start}${holds.map((hold) => `${hold.id} (${hold.cause}: ${hold.detail})`).join(", ")}${end}`;
  } catch (error) {
    return `${start}${asked} (the record could not be read: ${oneLine(error)})${end}`;
  }
}
