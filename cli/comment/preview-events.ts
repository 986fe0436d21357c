/** A preview as one event a line, in the engine's order. */
import { z } from "zod";
import {
  type Drifted,
  type PolicyFinding,
  type Preview,
  type PreviewStep,
  UnreadablePreviewError,
} from "../preview-json.ts";
import { messageOf, stackOf, stateShape, stepOf } from "./preview-shapes.ts";

const metadata = z.looseObject({
  op: z.string(),
  urn: z.string(),
  old: stateShape,
  new: stateShape,
  provider: z.string().optional(),
  diffs: z.array(z.string()).nullish(),
});
const summary = z.looseObject({
  policyPackName: z.string(),
  passed: z.array(z.string()).nullish(),
  failed: z.array(z.string()).nullish(),
});
const event = z.looseObject({
  resourcePreEvent: z.looseObject({ metadata }).optional(),
  resOutputsEvent: z.looseObject({ metadata }).optional(),
  resOpFailedEvent: z.looseObject({ metadata }).optional(),
  diagnosticEvent: z.looseObject({ urn: z.string().optional(), message: z.string(), severity: z.string() }).optional(),
  policyEvent: z
    .looseObject({
      resourceUrn: z.string().optional(),
      message: z.string(),
      policyName: z.string(),
      policyPackName: z.string(),
      enforcementLevel: z.string(),
    })
    .optional(),
  policyAnalyzeSummaryEvent: summary.optional(),
  policyAnalyzeStackSummaryEvent: summary.optional(),
  summaryEvent: z
    .looseObject({
      result: z.string().optional(),
      maybeCorrupt: z.boolean().optional(),
      isPreview: z.boolean().optional(),
      PolicyPacks: z.record(z.string(), z.unknown()).nullish(),
    })
    .optional(),
  cancelEvent: z.unknown().optional(),
});
type Event = z.infer<typeof event>;

/** What the engine says in place of a verdict that needs a value it does not know yet. */
const couldNotRun = /^can't run policy '/;

/** @param lines none of them empty @throws UnreadablePreviewError */
export function readEvents(lines: readonly string[]): Omit<Preview, "strayLines"> {
  const events = lines.map((line, index) => readEvent(line, index, lines.length));
  const end = events.findLast((each) => each.summaryEvent)?.summaryEvent;
  if (!end && !events.some((each) => each.cancelEvent !== undefined)) {
    throw new UnreadablePreviewError(
      `preview: its end is missing, got ${lines.length} events without a summary; expected all of them. Was the command stopped, or the file still being written?`,
    );
  }
  if (end?.isPreview === false) {
    throw new UnreadablePreviewError(
      "preview: not a preview, got the events of an up; expected those of pulumi preview --json. Give the other file",
    );
  }
  const last = lastOfEach(events);
  return {
    stack: stackOf(last.steps[0]?.urn ?? last.refreshed[0]?.step.urn ?? ""),
    result: !end ? "unfinished" : end.result === "succeeded" && !end.maybeCorrupt ? "succeeded" : "failed",
    steps: last.steps,
    drifted: last.refreshed.flatMap(({ step, diffs, isGone }): Drifted[] =>
      isGone ? [{ kind: "gone", step }] : diffs.length > 0 ? [{ kind: "changed", step }] : [],
    ),
    messages: events.flatMap(({ diagnosticEvent: said }) =>
      said ? (messageOf(said.severity, said.urn, said.message) ?? []) : [],
    ),
    policies: policiesOf(events, Object.keys(end?.PolicyPacks ?? {})),
  };
}

function readEvent(line: string, index: number, count: number): Event {
  const place = `preview: event ${index + 1} of ${count}`;
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    throw new UnreadablePreviewError(
      `${place} is no JSON, got ${line.length} characters; expected one object a line. Was the file cut off, or does it hold two outputs?`,
    );
  }
  const read = event.safeParse(raw);
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join(".") ?? "";
  throw new UnreadablePreviewError(
    `${place} has another shape, got something else in ${where}; expected Pulumi 3's events. Which version of Pulumi wrote it?`,
  );
}

interface Refreshed {
  readonly step: PreviewStep;
  readonly diffs: readonly string[];
  readonly isGone: boolean;
}

/** The last event of a resource knows most: a component's outputs come after its inputs. */
function lastOfEach(events: readonly Event[]): { steps: PreviewStep[]; refreshed: Refreshed[] } {
  const steps = new Map<string, PreviewStep>();
  const announced = new Map<string, string>();
  const refreshed = new Map<string, Refreshed>();
  for (const { resourcePreEvent, resOutputsEvent, resOpFailedEvent } of events) {
    const found = (resOutputsEvent ?? resOpFailedEvent ?? resourcePreEvent)?.metadata;
    if (!found) continue;
    const step = stepOf(found.op, found.urn, found.provider, found.old, found.new);
    if (resourcePreEvent) announced.set(found.urn, found.op);
    if (announced.get(found.urn) === "refresh") {
      refreshed.set(found.urn, {
        step,
        diffs: found.op === "update" ? ["…"] : (found.diffs ?? []),
        isGone: found.op === "delete" || (resOutputsEvent !== undefined && !found.new),
      });
      continue;
    }
    // A replacement is several steps on one resource; the one that says so is kept.
    if (steps.get(found.urn)?.op === "replace" && found.op !== "replace") continue;
    steps.delete(found.urn);
    steps.set(found.urn, step);
  }
  return { steps: [...steps.values()], refreshed: [...refreshed.values()] };
}

function policiesOf(events: readonly Event[], packKeys: readonly string[]): Preview["policies"] {
  const summaries = events.flatMap(
    (each) => each.policyAnalyzeSummaryEvent ?? each.policyAnalyzeStackSummaryEvent ?? [],
  );
  const findings = events.flatMap(({ policyEvent: said }): PolicyFinding[] =>
    said
      ? [
          {
            pack: said.policyPackName,
            policy: said.policyName,
            level: said.enforcementLevel,
            couldNotRun: couldNotRun.test(said.message),
            ...(said.resourceUrn ? { urn: said.resourceUrn } : {}),
            text: said.message.trim(),
          },
        ]
      : [],
  );
  // `<name>|local|<path>` in the summary of Pulumi 3.
  const loaded = packKeys.map((key) => key.split("|")[0] ?? key);
  return {
    packs: [...new Set([...loaded, ...summaries.map((each) => each.policyPackName)])].sort(),
    ran: [
      ...new Set([
        ...summaries.flatMap((each) => [...(each.passed ?? []), ...(each.failed ?? [])]),
        ...findings.map((each) => each.policy),
      ]),
    ].sort(),
    // The engine asks resources side by side: without an order, the same preview would be told in two.
    findings: findings.toSorted((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1)),
  };
}

const orderOf = ({ policy, urn = "", text }: PolicyFinding): string => JSON.stringify([policy, urn, text]);
