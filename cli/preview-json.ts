/**
 * What `pulumi preview --json` wrote, as data. It comes in two forms: one object at the end (the default), or one event a line
 * (`PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true`). Only the events tell what policies said: the object of a preview that a policy blocked
 * says "preview failed" and nothing else, and one with an advisory violation says nothing at all (Pulumi 3.248, tried 2026-11).
 *
 * The text may be cut off, begin with warnings, or be something else altogether. What cannot be read whole is refused: half a preview
 * looks like a small one.
 */
import { readDigest } from "./comment/preview-digest.ts";
import { readEvents } from "./comment/preview-events.ts";

/** A resource in the preview, in the words of the engine. */
export interface PreviewStep {
  /** `create`, `update`, `replace`, `delete`, `same`, `refresh`, …; what the engine may add comes through as it is. */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** URN; absent at the top. */
  readonly parent?: string;
  /** False for components and the stack itself: they are nothing in any cloud. */
  readonly isCustom: boolean;
  readonly oldInputs: Fields;
  readonly oldOutputs: Fields;
  readonly newInputs: Fields;
  readonly newOutputs: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A message as a person would have seen it, without the engine's own prefix. */
export interface PreviewMessage {
  readonly severity: "error" | "warning" | "info";
  readonly urn?: string;
  readonly text: string;
}

/** What one policy said of one resource. */
export interface PolicyFinding {
  readonly pack: string;
  readonly policy: string;
  readonly level: "mandatory" | "advisory" | string;
  /** A mandatory policy that meets a value unknown in previews does not run; the engine then calls it advisory. */
  readonly couldNotRun: boolean;
  readonly urn?: string;
  readonly text: string;
}

/** What policies said. */
export interface PolicyResults {
  /** Packs that were loaded, by name. */
  readonly packs: readonly string[];
  /** Policies that judged something, by name, ascending. */
  readonly ran: readonly string[];
  readonly findings: readonly PolicyFinding[];
}

export interface Drifted {
  readonly kind: "changed" | "gone";
  readonly step: PreviewStep;
}

export interface Preview {
  readonly stack: string | undefined;
  /** `unfinished`: the engine gave up before its summary, as when a policy pack does not load. */
  readonly result: "succeeded" | "failed" | "unfinished";
  /** The last thing said of each resource, in the engine's order; what was only refreshed is left out. */
  readonly steps: readonly PreviewStep[];
  /** What a refresh found changed or gone behind Pulumi's back. */
  readonly drifted: readonly Drifted[];
  readonly messages: readonly PreviewMessage[];
  /** `undefined`: this form of preview does not say. */
  readonly policies: PolicyResults | undefined;
  /** Lines before the JSON began. */
  readonly strayLines: number;
}

/** The preview cannot be read; says why and what to do. */
export class UnreadablePreviewError extends Error {
  override readonly name = "UnreadablePreviewError";
}

const wayOut = "Write it with pulumi preview --json > preview.jsonl, and read the job's log where that fails";

/**
 * Reads either form.
 * @throws UnreadablePreviewError for anything that is not one whole preview
 */
export function readPreview(text: string): Preview {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const first = lines.findIndex((line) => line.startsWith("{"));
  if (first < 0) {
    const got = text.trim() === "" ? "nothing" : `${text.trim().length} characters without an object`;
    throw new UnreadablePreviewError(
      `preview: no JSON, got ${got}; expected what pulumi preview --json prints. ${wayOut}`,
    );
  }
  const json = lines.slice(first);
  const events = json.filter((line) => line.trim() !== "");
  const read = isEvent(events[0]) ? readEvents(events) : readDigest(json.join("\n"));
  if (read.steps.length === 0 && read.messages.length === 0 && read.result === "succeeded") {
    throw new UnreadablePreviewError(
      `preview: no resource and no message in it, got an empty preview; expected that of a program. ${wayOut}`,
    );
  }
  return { ...read, strayLines: lines.slice(0, first).filter((line) => line.trim() !== "").length };
}

function isEvent(line: string | undefined): boolean {
  return line !== undefined && /^\{"sequence":\d+,/.test(line);
}
