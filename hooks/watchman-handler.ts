/** Entry of the watchman's own function: every minute, one look, whatever the hook is doing. */
import { watchmanPortsFromEnvironment } from "./aws/hook-ports.ts";
import { Redaction } from "./aws/redaction.ts";
import type { Ports } from "./ports.ts";
import { type Finding, watch } from "./watchman.ts";

export interface WatchmanParts {
  readonly ports: Ports;
  /** Writes out what telemetry has gathered. */
  readonly flush: () => Promise<void>;
  /** A copy of an error without secrets: the runtime prints what a handler throws. */
  readonly cleanError: (error: unknown) => Error;
}

/** The handler over given parts. @returns what the log should show: every finding in a line */
export function makeWatchman(parts: () => WatchmanParts): () => Promise<{ readonly findings: readonly string[] }> {
  let made: WatchmanParts | undefined;
  return async () => {
    try {
      made ??= parts();
      return { findings: (await watch(made.ports)).map((finding: Finding) => finding.summary) };
    } catch (error) {
      throw made ? made.cleanError(error) : new Redaction([]).error(error);
    } finally {
      await made?.flush();
    }
  };
}

export const handler = makeWatchman(() => watchmanPortsFromEnvironment(process.env));
