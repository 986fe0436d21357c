/**
 * `kill`: all traffic off the canary, now. The hook does it in one invocation; when it does not answer within 2 s, or fails, the same core
 * does it here with the operator's own credentials in at most four calls in a row. Where no record can be read, a person says who gets
 * the traffic (`without-record.ts`).
 *
 * Nothing that the call does not need is loaded before it: adapters and core only on the way round the hook.
 */
import { oneLine } from "../core/error-message.ts";
import type { Ports } from "../hooks/ports.ts";
import type { ReadService } from "../hooks/status.ts";
import { callHook, fallbackAfterMilliseconds } from "./call-hook.ts";
import { eventOf, noteFallback } from "./change.ts";
import type { Surroundings } from "./command.ts";
import { CommandFailedError } from "./failures.ts";
import { beginChange, type Change, confirmed, type OperatorFlags, placeWords } from "./operation.ts";
import { noRecordWords, readInTime, recordProblem, standing } from "./read-record.ts";
import { report } from "./report.ts";

export async function killCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const change = await beginChange("kill", flags, surroundings);
  if (flags.to !== undefined) {
    const { killTo } = await import("./without-record.ts");
    return killTo(change, flags.to);
  }
  await confirmed(change, () => killQuestion(change));
  const reply = await callHook(change.connection, change.outside.timers, {
    alias: "live",
    event: await eventOf(change, "kill"),
    limitMilliseconds: fallbackAfterMilliseconds,
    done: "done",
  });
  if (reply.kind === "failed") {
    noteFallback(change, reply.why, reply.mayHaveRun);
    return killFromHere(change, reply.why);
  }
  if (reply.kind === "refused") return refusedByHook(change, reply.message);
  return report(change, { outcome: "done", through: "hook", message: reply.message });
}

/** The hook refuses what it has no record for, too: then a person may still have to act. */
async function refusedByHook(change: Change, message: string): Promise<void> {
  const problem = await recordProblem(change);
  if (problem !== undefined) {
    const { refuseWithoutRecord } = await import("./without-record.ts");
    return refuseWithoutRecord(change, problem, `the hook refuses: ${message}`);
  }
  return report(change, { outcome: "refused", through: null, message });
}

async function killFromHere(change: Change, hookFailure: string): Promise<void> {
  const [ports, { kill, CommandRefusedError }] = await Promise.all([
    change.connection.ports(),
    import("../hooks/commands.ts"),
  ]);
  const { watched, problem } = watchingReads(change, ports);
  try {
    const said = { by: (await change.who).by, reason: change.reason };
    const message = await kill(watched, change.service, said);
    change.note("Traffic is off. The page waits in the record until the hook sends it.");
    return await report(change, { outcome: "done", through: "here", message, hookFailure });
  } catch (error) {
    const why = problem();
    if (why !== undefined) {
      const { refuseWithoutRecord } = await import("./without-record.ts");
      return refuseWithoutRecord(change, why, hookFailure);
    }
    if (error instanceof CommandRefusedError)
      return report(change, { outcome: "refused", through: null, message: error.message, hookFailure });
    throw new CommandFailedError(
      `${change.service}: kill: ${hookFailure}, and from here: ${oneLine(error)}. Traffic may be lowered or not; look with npx tidegate status ${placeWords(change.place)} --service ${change.service}, and say kill again: twice does no harm`,
    );
  }
}

/** Ports that remember why the first read of the record gave none: one call less than reading it again. */
function watchingReads(
  change: Change,
  ports: Ports,
): { readonly watched: Ports; readonly problem: () => string | undefined } {
  let problem: string | undefined;
  const read = async (asked: string) => {
    try {
      const record = await readInTime(change, () => ports.records.read(asked));
      problem = record ? undefined : noRecordWords(asked);
      return record;
    } catch (error) {
      problem = oneLine(error);
      throw error;
    }
  };
  return { watched: { ...ports, records: { ...ports.records, read } }, problem: () => problem };
}

/** What will happen, in figures where they can be read soon. */
async function killQuestion(change: Change): Promise<string> {
  const { service, place } = change;
  const where = `${service} in ${place.environment}`;
  let status: ReadService | undefined;
  try {
    status = await standing(change);
  } catch (error) {
    return `kill: takes all traffic off the canary of ${where} (figures could not be read: ${oneLine(error)}).`;
  }
  if (!status) return `kill: no record of ${where} is found from here; the hook is asked all the same.`;
  const { canary, baseline, previous, lease, live } = status;
  const latch = "Openings stay shut until someone acknowledges.";
  const percent = canary?.livePercent ?? canary?.committedPercent ?? 0;
  // As core decides it: inside the window a canary that is merely staged is not what is meant.
  if (canary && (previous === undefined || percent > 0 || lease?.digest === canary.digest))
    return `kill: takes ${canary.version} of ${service} from ${rounded(percent)} % to 0 % in ${place.environment}; ${baseline.version} gets the traffic. ${latch}`;
  if (previous) {
    const has = live.kind === "read" ? (live.sharesPercent[baseline.digest] ?? 0) : 100;
    return `kill: takes ${baseline.version} of ${service} from ${rounded(has)} % to 0 % in ${place.environment}; ${previous.version} gets the traffic back. ${latch}`;
  }
  return `kill: ${where} has no canary and no previous release to go back to; there is nothing to take traffic from.`;
}

function rounded(percent: number): number {
  return Math.round(percent * 10) / 10;
}
