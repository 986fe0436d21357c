/** Recorded previews of the dev stack and the comments on them: written by the real engine, kept true by `test/engine/preview-json.test.ts`. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rehearsed } from "../../../cli/comment/rehearsal.ts";
import { type CommentFlags, commentCommand } from "../../../cli/comment.ts";
import { RefusedError } from "../../../cli/failures.ts";
import type { Outside } from "../../../cli/outside.ts";
import { BadInputError } from "../../../core/bad-input.ts";

export interface Recording {
  /** A case of `test/engine/preview-json/program.ts`. */
  readonly asks: string;
  /** `none`: without a pack. */
  readonly policies: "none" | "quiet" | "loud";
  /** Events, or the one object. */
  readonly streams: boolean;
}

export const recordings: Readonly<Record<string, Recording>> = {
  "blocked-first.jsonl": { asks: "idle", policies: "loud", streams: true },
  "opening.jsonl": { asks: "opening", policies: "quiet", streams: true },
  "opening.json": { asks: "opening", policies: "none", streams: false },
  "refused.jsonl": { asks: "refused", policies: "quiet", streams: true },
  "pinned.jsonl": { asks: "pinned", policies: "quiet", streams: true },
  "blocked.jsonl": { asks: "opening", policies: "loud", streams: true },
  "failed.jsonl": { asks: "broken", policies: "none", streams: true },
};

const root = fileURLToPath(new URL("../../..", import.meta.url));

export function recorded(file: string): string {
  return readFileSync(new URL(`previews/${file}`, import.meta.url), "utf8");
}

/** Stands for the rehearsal, which has tests of its own and takes seconds. */
export async function someFigures(service: string): Promise<Rehearsed> {
  return {
    kind: "rehearsed",
    service,
    outcome: "rolled-back",
    faultPercent: 25,
    secondsFaultToDecision: 61,
    secondsFaultToZero: 71.4,
    badRequests: 50,
    badRequestsWithoutHook: 209,
  };
}

export interface CommentRun {
  readonly code: number;
  readonly comment: string;
  readonly error: string;
}

/** Writes the comment on a preview, as the command does, without AWS unless an outside is given. */
export async function commentOn(
  preview: string,
  { rehearsal, ...flags }: CommentFlags & { readonly rehearsal?: "real" } = {},
  outside?: Outside,
  directory = root,
): Promise<CommentRun> {
  const file = join(mkdtempSync(join(tmpdir(), "tidegate-preview-")), "preview.jsonl");
  writeFileSync(file, preview);
  return runComment(
    { stack: "dev", preview: file, ...(outside ? {} : { aws: false }), ...flags },
    outside,
    directory,
    rehearsal,
  );
}

export async function runComment(
  flags: CommentFlags,
  outside?: Outside,
  directory = root,
  rehearsal?: "real",
): Promise<CommentRun> {
  const out: string[] = [];
  const surroundings = {
    out: (text: string) => out.push(text),
    error: () => {},
    directory,
    colours: false,
    ...(outside ? { outside } : {}),
  };
  const ended = (code: number, error: string) => ({ code, comment: out.join("\n"), error });
  try {
    await commentCommand(flags, surroundings, rehearsal === "real" ? {} : { rehearse: someFigures });
    return ended(0, "");
  } catch (error) {
    if (error instanceof BadInputError) return ended(2, error.message);
    if (error instanceof RefusedError) return ended(3, error.message);
    throw error;
  }
}
