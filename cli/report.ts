/** How a command that changes a service ends: one line for people or one JSON object, and the exit code that goes with it. */
import { RefusedError } from "./failures.ts";
import { type ChangeJson, jsonText, whereJson } from "./json.ts";
import type { Change } from "./operation.ts";

export type Ending = Pick<ChangeJson, "outcome" | "through" | "message"> &
  Partial<Pick<ChangeJson, "hookFailure" | "withoutRecord">>;

/**
 * Prints how it ended.
 * @throws RefusedError where it was refused, after the JSON object was printed
 */
export async function report(change: Change, ending: Ending): Promise<void> {
  if (change.asksJson) {
    const json: ChangeJson = {
      command: change.command,
      ...whereJson(change.place),
      service: change.service,
      outcome: ending.outcome,
      through: ending.through,
      message: ending.message,
      by: (await change.who).by,
      reason: change.reason,
      hookFailure: ending.hookFailure ?? null,
      withoutRecord: ending.withoutRecord ?? null,
    };
    change.out(jsonText(json));
  } else if (ending.outcome === "done") {
    change.out(ending.message);
  }
  if (ending.outcome === "refused") throw new RefusedError(ending.message);
}
