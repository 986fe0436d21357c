/**
 * `advance`: opens the next wave in the stack's file where the gate agrees, by the decision that `up` makes; `up` itself, behind whatever
 * approval the team has, is somebody else's. Exit 3 and no edit where a wave is due and something holds it; exit 1 where the file asks for it
 * already and no `up` has opened it, which nothing would repair by itself.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { oneLine } from "../core/error-message.ts";
import { type Advance, decideAdvances } from "./advance-decision.ts";
import { editWave, type WaveEdit } from "./advance-file.ts";
import type { Surroundings } from "./command.ts";
import { beginDeciding, type DecidingParts } from "./deciding.ts";
import { CommandFailedError, RefusedError } from "./failures.ts";
import { jsonText } from "./json.ts";
import type { Operation, OperatorFlags } from "./operation.ts";
import { stackFile } from "./stack-file.ts";

/** As typed. */
export interface AdvanceFlags extends OperatorFlags {
  readonly automatic?: boolean;
  readonly dryRun?: boolean;
}

/** `--json`. Fields are never renamed or dropped, only added. */
interface AdvanceJson {
  readonly stack: string;
  /**
   * `advanced`: the file was edited, or would have been. `asked`: it asks for the wave already and no `up` has opened it, exit 1. `held`:
   * exit 3. `nothing`: no wave is due.
   */
  readonly outcome: "advanced" | "asked" | "held" | "nothing";
  readonly isDryRun: boolean;
  readonly services: readonly (Advance & { readonly line: number | null })[];
}

export async function advanceCommand(
  flags: AdvanceFlags,
  surroundings: Surroundings,
  parts: DecidingParts = {},
): Promise<void> {
  const { operation, stack, service, config, surveyor } = await beginDeciding("advance", flags, surroundings, parts);
  const path = stackFile(stack, surroundings.directory);
  const before = readFileSync(path, "utf8");
  const advances = await decideAdvances(config, await portsOf(operation), surveyor, {
    automaticOnly: flags.automatic ?? false,
    ...(service === undefined ? {} : { service }),
  });
  const { text, edits } = editAll(before, basename(path), advances);
  const isDryRun = flags.dryRun ?? false;
  if (edits.size > 0 && !isDryRun) replaceFile(path, before, text);

  const kinds = new Set(advances.map(({ kind }) => kind));
  const outcome = edits.size > 0 ? "advanced" : kinds.has("asked") ? "asked" : kinds.has("held") ? "held" : "nothing";
  if (flags.json) {
    const json: AdvanceJson = {
      stack,
      outcome,
      isDryRun,
      services: advances.map((advance) => ({ ...advance, line: edits.get(advance.service)?.line ?? null })),
    };
    operation.out(jsonText(json));
  } else {
    for (const advance of advances)
      operation.out(lineOf(advance, edits.get(advance.service), basename(path), isDryRun));
    if (edits.size > 0 && !isDryRun)
      operation.out(`Nothing is live yet: pulumi up --stack ${stack} opens it, after its own gate and guard.`);
  }
  if (outcome === "asked") {
    throw new CommandFailedError(
      `tidegate advance: ${basename(path)} asks for a wave already that no up has opened; was it not run, or did it fail? Look, then run pulumi up --stack ${stack}`,
    );
  }
  if (outcome === "held") {
    throw new RefusedError(
      `tidegate advance: no wave may open now, and ${basename(path)} stays as it is (stack ${stack})`,
    );
  }
}

async function portsOf({ connection }: Operation) {
  try {
    return await connection.ports();
  } catch (error) {
    throw new CommandFailedError(`tidegate advance: AWS could not be reached: ${oneLine(error)}. Nothing was done`);
  }
}

function editAll(before: string, name: string, advances: readonly Advance[]) {
  const edits = new Map<string, WaveEdit>();
  let text = before;
  for (const advance of advances) {
    if (advance.kind !== "advance") continue;
    const edit = editWave(text, name, advance.service, advance.toPercent);
    edits.set(advance.service, edit);
    text = edit.text;
  }
  return { text, edits };
}

/** Whole or not at all; not over what somebody else wrote meanwhile. */
function replaceFile(path: string, before: string, text: string): void {
  if (readFileSync(path, "utf8") !== before) {
    throw new CommandFailedError(
      `${basename(path)}: changed while the gate was asked; nothing was written. Run it again`,
    );
  }
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, text);
  renameSync(beside, path);
}

function lineOf(advance: Advance, edit: WaveEdit | undefined, file: string, isDryRun: boolean): string {
  const { service } = advance;
  switch (advance.kind) {
    case "nothing":
      return `${service}: nothing to advance: ${advance.reason}`;
    case "asked":
      return `${service}: ${advance.fromPercent} % to ${advance.toPercent} %: asked for already, not open yet; the gate says promote, and the file stays as it is`;
    case "held":
      return [`${service}: held, for now:`, ...advance.reasons.map((reason) => `  ${reason}`)].join("\n");
    case "advance": {
      const change = edit
        ? `${file} line ${edit.line}, "${edit.before}" ${isDryRun ? "would become" : "became"} "${edit.after}"`
        : file;
      return `${service}: ${advance.fromPercent} % to ${advance.toPercent} %: the gate says promote; ${change}`;
    }
  }
}
