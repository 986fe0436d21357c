/** A preview as the one object that Pulumi prints by default. */
import { z } from "zod";
import { stableJson } from "../../core/stable-json.ts";
import { type Drifted, type Preview, type PreviewStep, UnreadablePreviewError } from "../preview-json.ts";
import { messageOf, stackOf, stateShape, stepOf } from "./preview-shapes.ts";

const digest = z.looseObject({
  steps: z
    .array(
      z.looseObject({
        op: z.string(),
        urn: z.string(),
        provider: z.string().optional(),
        oldState: stateShape,
        newState: stateShape,
      }),
    )
    .nullish(),
  diagnostics: z
    .array(z.looseObject({ urn: z.string().optional(), message: z.string(), severity: z.string() }))
    .nullish(),
  /** Missing where the engine stopped before the end. */
  changeSummary: z.record(z.string(), z.number()).nullish(),
  /** Unit: nanoseconds. In every one of them. */
  duration: z.number(),
});

/** @throws UnreadablePreviewError */
export function readDigest(text: string): Omit<Preview, "strayLines"> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new UnreadablePreviewError(
      `preview: malformed JSON, got ${text.length} characters that begin like it; expected one whole object. Was the command stopped, or the file cut off?`,
    );
  }
  if (text.trim() === "{}") {
    throw new UnreadablePreviewError(
      "preview: an empty object, got {}; expected a preview. Pulumi prints that where it stopped before the program ran, as when a policy pack does not load: the job's log has its words",
    );
  }
  const read = digest.safeParse(raw);
  if (!read.success) {
    const where = read.error.issues[0]?.path.join(".") || "it";
    throw new UnreadablePreviewError(
      `preview: JSON of another shape, got something else in ${where}; expected steps, diagnostics and duration of pulumi preview --json. Give that file`,
    );
  }
  const steps = (read.data.steps ?? []).map((each) => ({
    step: stepOf(each.op, each.urn, each.provider ?? each.newState?.provider?.toString(), each.oldState, each.newState),
    isGone: !each.newState,
    isChanged: stableJson(each.oldState?.outputs ?? {}) !== stableJson(each.newState?.outputs ?? {}),
  }));
  const messages = (read.data.diagnostics ?? []).flatMap(
    (each) => messageOf(each.severity, each.urn, each.message) ?? [],
  );
  return {
    stack: stackOf(steps[0]?.step.urn ?? ""),
    // It has no field for how it ended; every preview that failed ends with an error among its messages.
    result: !read.data.changeSummary
      ? "unfinished"
      : messages.some((message) => message.severity === "error")
        ? "failed"
        : "succeeded",
    steps: unrefreshed(steps.map(({ step }) => step)),
    drifted: steps
      .filter(({ step }) => step.op === "refresh" && step.isCustom)
      .flatMap(({ step, isGone, isChanged }): Drifted[] =>
        isGone ? [{ kind: "gone", step }] : isChanged ? [{ kind: "changed", step }] : [],
      ),
    messages,
    policies: undefined,
  };
}

/** What stays as it is appears only where it was refreshed; it is kept as `same`. */
function unrefreshed(steps: readonly PreviewStep[]): PreviewStep[] {
  const found = new Map<string, PreviewStep>();
  for (const step of steps) {
    if (step.op === "refresh") {
      if (!found.has(step.urn)) found.set(step.urn, { ...step, op: "same" });
      continue;
    }
    if (found.get(step.urn)?.op === "replace" && step.op !== "replace") continue;
    found.set(step.urn, step);
  }
  return [...found.values()];
}
