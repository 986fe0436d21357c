/** `status`: where every service stands, the worst thing first. Exit 0 however bad it is: a look is no verdict. */

import { fallbackAfterMilliseconds } from "./call-hook.ts";
import type { Surroundings } from "./command.ts";
import { messageOf } from "./failures.ts";
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
  if (operation.asksJson) return out(jsonText(statusJson(status, hook, (await operation.who).accountId ?? null)));
  const { renderStatus } = await import("./status-text.ts");
  for (const line of renderStatus(status, hook, { where, placeWords: placeWords(place) }, surroundings)) out(line);
}
