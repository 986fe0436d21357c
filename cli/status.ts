/**
 * `status`: where every service stands, the worst thing first. Exit 0 however bad it is: a look is no verdict. Exit 3 where there was
 * nothing to look at.
 */
import { messageOf } from "../core/error-message.ts";
import type { EnvironmentStatus } from "../hooks/status.ts";
import { fallbackAfterMilliseconds } from "./call-hook.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { jsonText } from "./json.ts";
import { begin, type OperatorFlags, placeWords, whereWords } from "./operation.ts";
import { readServiceName } from "./place.ts";
import { type HookReach, statusJson } from "./status-json.ts";
import { within } from "./within.ts";

export async function statusCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const operation = await begin("status", flags, surroundings, (problems) =>
    flags.service === undefined ? undefined : readServiceName(flags.service, problems),
  );
  const { connection, outside, place, own: service, out } = operation;
  const [ports, { readStatus }] = await Promise.all([connection.ports(), import("../hooks/status.ts")]);
  const reaching = within(outside.timers, fallbackAfterMilliseconds, "the hook", (signal) =>
    connection.reach("live", signal),
  ).then(
    (): HookReach => ({ isReachable: true }),
    (error: unknown): HookReach => ({ isReachable: false, problem: messageOf(error) }),
  );
  const [status, hook, where] = await Promise.all([
    readStatus(ports, service === undefined ? undefined : [service]),
    reaching,
    whereWords(operation),
  ]);
  const unseen = unseenOf(status, hook);
  if (operation.asksJson) {
    out(jsonText(statusJson(status, hook, (await operation.who).accountId ?? null)));
  } else if (unseen !== "no environment") {
    const { renderStatus } = await import("./status-text.ts");
    for (const line of renderStatus(status, hook, { where, placeWords: placeWords(place) }, surroundings)) out(line);
  }
  if (unseen === "nothing read")
    throw new RefusedError(`tidegate status: nothing of environment ${place.environment} could be read (${where})`);
  if (unseen === "no environment")
    throw new RefusedError(
      `tidegate status: no environment ${place.environment} in ${where}: pulumi up makes it, or check --profile and --region`,
    );
}

/** What is said instead of a status where nothing was seen: no table and no function is an environment that nobody made yet. */
function unseenOf(
  { drill, services }: EnvironmentStatus,
  hook: HookReach,
): "no environment" | "nothing read" | undefined {
  // The drill is in the same table as every record, and always asked for.
  if (drill.kind === "read" || services.some(({ kind }) => kind === "read")) return undefined;
  const isMissing = (problem: string) => problem.includes("got ResourceNotFoundException");
  return !hook.isReachable && isMissing(hook.problem) && isMissing(drill.problem) ? "no environment" : "nothing read";
}
