/**
 * The Lambda's entry: parses what woke it, asks the hook's core, answers.
 *
 * This version commits openings and reconciles every minute: the guard opens no wave without that heartbeat, since nothing would shut
 * it (docs/decisions/0005). Alarm events and messages, which would only make it faster, it refuses by name as a failed run, so that they
 * end in the dead letters and a person is paged. It has no pager of its own: what has to be said stays in the record's outbox, and the
 * run fails after traffic was lowered.
 */
import { z } from "zod";
import type { ServiceDescription } from "../core/declaration.ts";
import { awsPorts } from "./aws/ports.ts";
import { NotYetHandledError, readEvent, UnknownEventError } from "./events.ts";
import { commitOpening } from "./opening.ts";
import type { Ports } from "./ports.ts";
import { reconcileAll } from "./reconcile.ts";

/** What the hook answers; the program keeps it as the opening's result. */
export interface HookAnswer {
  readonly outcome: "committed" | "reconciled" | "nothing-to-do";
  readonly message: string;
}

export interface HandlerParts {
  readonly environment: string;
  readonly ports: Ports;
  readonly commit: (ports: Ports, description: ServiceDescription) => Promise<string>;
  /** Looks at every service; fails when one could not be looked at or told about. */
  readonly reconcile: (ports: Ports) => Promise<void>;
}

const everyMinute = "this version of the deployed hook looks at all alarms once a minute instead";

/** The handler over given parts; `parts` is asked once a container, on the first event that needs it. */
export function makeHandler(parts: () => HandlerParts): (event: unknown) => Promise<HookAnswer> {
  let made: HandlerParts | undefined;
  const ready = (): HandlerParts => {
    made ??= parts();
    return made;
  };
  return async (raw) => {
    const event = readEvent(raw);
    switch (event.kind) {
      case "opening":
        return commitFor(ready(), event.description);
      case "opening-deleted":
        return {
          outcome: "nothing-to-do",
          message: `${event.service}: its opening is removed from the stack; record, holds and weights stay as they are`,
        };
      case "schedule": {
        const { ports, reconcile } = ready();
        await reconcile(ports);
        return { outcome: "reconciled", message: "every service was looked at" };
      }
      case "alarm-event":
        throw new NotYetHandledError(`alarm ${event.alarmName}: alarm events are not handled, ${everyMinute}`);
      case "alarm-action":
        throw new NotYetHandledError(`alarm ${event.alarmName}: direct alarm actions are not handled, ${everyMinute}`);
      case "sns":
        throw new NotYetHandledError(`SNS message: messages are not handled, ${everyMinute}`);
    }
  };
}

async function commitFor(parts: HandlerParts, description: ServiceDescription): Promise<HookAnswer> {
  if (description.environment !== parts.environment) {
    throw new UnknownEventError(
      `opening of ${description.service}: for another environment, got ${description.environment}; expected ${parts.environment}. ` +
        "Call the hook of that environment",
    );
  }
  return { outcome: "committed", message: await parts.commit(parts.ports, description) };
}

/** What the function is deployed with; Lambda sets the region itself. */
const environmentSchema = z.object({
  AWS_REGION: z.string().min(1),
  TIDEGATE_ENVIRONMENT: z.string().min(1),
  TIDEGATE_TABLE: z.string().min(1),
});

/**
 * Parts out of the function's environment variables.
 * @throws Error naming every variable that is missing
 */
export function partsFromEnvironment(variables: Readonly<Record<string, string | undefined>>): HandlerParts {
  const parsed = environmentSchema.safeParse(variables);
  if (!parsed.success) {
    const missing = parsed.error.issues.map((issue) => issue.path.join("."));
    throw new Error(`environment variables: ${missing.join(", ")} missing or empty; deploy the hook with its program`);
  }
  const { AWS_REGION: region, TIDEGATE_ENVIRONMENT: environment, TIDEGATE_TABLE: tableName } = parsed.data;
  return {
    environment,
    ports: awsPorts({ region, tableName }),
    commit: commitOpening,
    reconcile: reconcileAll,
  };
}

export const handler = makeHandler(() => partsFromEnvironment(process.env));
