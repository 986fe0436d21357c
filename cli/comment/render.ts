/** The whole comment, most important first: what it comes to, each service that changes, what policies said, everything else in counts. */
import type { Checklist } from "../../core/checklist.ts";
import type { PolicyFinding, Preview, PreviewMessage, PreviewStep } from "../preview-json.ts";
import { type Conclusion, isBlocking } from "./conclusion.ts";
import { renderCost } from "./cost.ts";
import { type Block, code, details, joinFitting, list, prose, table } from "./markdown.ts";
import { nameOf } from "./preview-shapes.ts";
import type { RecordReading } from "./record.ts";
import type { Rehearsed } from "./rehearsal.ts";
import { renderRehearsal, renderService } from "./render-service.ts";
import type { PreviewedService } from "./services.ts";

export interface CommentContent {
  readonly stack: string;
  readonly conclusion: Conclusion;
  readonly preview: Preview;
  /** Of these the ones that are no news are named in one line. */
  readonly services: readonly PreviewedService[];
  readonly otherMessages: readonly PreviewMessage[];
  readonly record: RecordReading;
  readonly rehearsed: ReadonlyMap<string, Rehearsed>;
  /** By service. @default none has one */
  readonly checklists?: ReadonlyMap<string, Checklist>;
}

const cutNote =
  "**Cut:** this was longer than GitHub takes in one comment (65,536 characters); the job's log and `npx tidegate comment` have the rest.";

/** The mark by which a workflow finds its own comment and writes it anew instead of a second one. */
export function markerOf(stack: string): string {
  return `<!-- tidegate:${stack} -->`;
}

function head(stack: string, verdict: string, reasons: readonly string[]): Block {
  return {
    rank: 0,
    text: [
      `${markerOf(stack)}\n## Tidegate: stack ${code(stack)}`,
      verdict,
      ...(reasons.length > 0 ? [list(reasons.map(prose))] : []),
    ].join("\n\n"),
  };
}

/** A comment about a whole preview. */
export function renderComment(content: CommentContent): string {
  const { stack, conclusion, preview, services, record, rehearsed } = content;
  const news = services.filter(({ isNews }) => isNews);
  const ordered = [...news].sort((left, right) => right.notices.refusals.length - left.notices.refusals.length);
  const blocks: Block[] = [
    head(stack, conclusionWords(conclusion, preview, news), conclusion.reasons),
    ...ordered.flatMap((service) =>
      renderService(service, {
        stack,
        record,
        rehearsed: rehearsed.get(service.service),
        checklist: content.checklists?.get(service.service),
      }),
    ),
    renderPolicies(preview),
    renderCost(preview),
    renderMessages(content.otherMessages),
    renderDrift(preview),
    renderChanges(preview.steps),
    renderUnchanged(services.filter(({ isNews }) => !isNews)),
    ...(preview.strayLines > 0
      ? [
          {
            rank: 6,
            text: `${preview.strayLines} line(s) before the preview's JSON were passed over; the job's log has them.`,
          },
        ]
      : []),
  ];
  return joinFitting(
    blocks.filter(({ text }) => text !== ""),
    cutNote,
  );
}

function conclusionWords(
  { outcome, reasons }: Conclusion,
  { policies }: Preview,
  news: readonly PreviewedService[],
): string {
  const latched = news.filter(({ notices }) => notices.latch.length > 0).map(({ service }) => code(service));
  const count = reasons.length === 1 ? "1 reason" : `${reasons.length} reasons`;
  switch (outcome) {
    case "refused":
      return `**This up would be REFUSED**, for ${count}; nothing would change:`;
    case "failed":
      return "**The preview FAILED**: whatever is below is not the whole, and no up should follow from it:";
    case "drift":
      return `**DRIFT**: there are changes where none were expected, ${count}:`;
    case "unreadable":
      return "**Not judged**: this preview says nothing about a service of Tidegate:";
    case "goes-through":
      return [
        "**Nothing in this preview speaks against the up.** Right before the weights change a guard looks again (hosts, alarms, the hook, who else opens), and any miss stops it.",
        ...(latched.length > 0
          ? [`**The latch is closed** for ${latched.join(", ")}: the up goes through and opens nothing there.`]
          : []),
        ...(policies
          ? []
          : [
              "**What policies said is not in this form of preview**; `PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true` tells it.",
            ]),
        ...(policies && policies.packs.length === 0
          ? ["**No policy pack judged it.** Run the preview with `--policy-pack policies`."]
          : []),
      ].join("\n\n");
  }
}

/** A comment where the preview cannot be read: better than an older, greener one that stays. */
export function renderUnreadable(stack: string, problem: string): string {
  return head(stack, "**The preview could not be read**, so nothing can be said about this up:", [problem]).text;
}

/** A comment without any preview, for pull requests that get no credentials. */
export function renderWithoutPreview(stack: string, rehearsed: readonly Rehearsed[]): string {
  const blocks: Block[] = [
    head(
      stack,
      "**Not previewed**: this ran without credentials, so nobody has looked at what is live, at the record or at the gate. Somebody who may has to run the preview.",
      [],
    ),
    ...rehearsed.map(
      (each): Block => ({
        rank: 1,
        text: `### ${code(each.service)}\n\n${renderRehearsal(each.service, { rehearsed: each, stack })}`,
      }),
    ),
    ...(rehearsed.length === 0
      ? [{ rank: 1, text: "No service of this stack names a canary, so there is nothing to rehearse." }]
      : []),
  ];
  return joinFitting(blocks, cutNote);
}

function renderPolicies({ policies }: Preview): Block {
  if (!policies || policies.packs.length + policies.findings.length === 0) return { rank: 2, text: "" };
  const { packs, ran, findings } = policies;
  const blocking = findings.filter(isBlocking);
  const advice = findings.filter((finding) => !isBlocking(finding));
  const judged = `${ran.length} ${ran.length === 1 ? "policy" : "policies"} of ${packs.map(code).join(", ")} judged this preview`;
  const words =
    findings.length === 0
      ? `${judged}; none found anything.`
      : `${judged}; ${blocking.length} finding(s) that block, ${advice.length} that advise.`;
  return {
    rank: findings.length > 0 ? 1 : 2,
    text: [
      "### Policies",
      words,
      ...(findings.length > 0 ? [list([...blocking, ...advice].map(findingWords))] : []),
      ...(ran.length > 0 ? [details("The policies that judged", ran.map(code).join(", "))] : []),
    ].join("\n\n"),
  };
}

function findingWords(finding: PolicyFinding): string {
  const effect = finding.couldNotRun
    ? "**could not run, so it counts as blocking**"
    : finding.level === "mandatory"
      ? "**blocks**"
      : finding.level === "advisory"
        ? "advises"
        : `**${prose(finding.level)}**`;
  const on = finding.urn === undefined ? "" : ` on ${code(nameOf(finding.urn))}`;
  return `${code(finding.policy)} ${effect}${on}: ${prose(finding.text)}`;
}

function renderMessages(messages: readonly PreviewMessage[]): Block {
  const shown = messages.filter(({ text }) => text !== "preview failed");
  if (shown.length === 0) return { rank: 2, text: "" };
  const lines = shown.map(
    ({ severity, urn, text }) => `${severity}${urn === undefined ? "" : ` on ${code(nameOf(urn))}`}: ${prose(text)}`,
  );
  return { rank: 2, text: `### Messages\n\n${list(lines)}` };
}

function renderDrift({ drifted }: Preview): Block {
  if (drifted.length === 0) return { rank: 2, text: "" };
  const lines = drifted.map(({ kind, step }) => `${code(step.name)} (${code(step.type)}) is ${kind}`);
  return {
    rank: 2,
    text: `### Found otherwise than Pulumi left it\n\nWeights that the hook lowered are among these after a rollback, and that is as it should be.\n\n${list(lines)}`,
  };
}

function renderChanges(steps: readonly PreviewStep[]): Block {
  const changing = steps.filter(({ isCustom, op }) => isCustom && op !== "same" && op !== "read");
  if (changing.length === 0) return { rank: 2, text: "### Resources\n\nNo resource changes." };
  const byOp = new Map<string, PreviewStep[]>();
  for (const step of changing) byOp.set(wordOf(step.op), [...(byOp.get(wordOf(step.op)) ?? []), step]);
  const rows = [...byOp]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([op, found]) => [op, `${found.length}`, typesWords(found)]);
  const gone = changing.filter(({ op }) => ["replace", "delete"].includes(wordOf(op)));
  return {
    rank: 2,
    text: [
      "### Resources",
      table([["Change", "How many", "Which"], ...rows], ["l", "r", "l"]),
      ...(gone.length > 0
        ? [
            `**Replaced or deleted:**\n\n${list(gone.map((step) => `${wordOf(step.op)}: ${code(step.name)} (${code(step.type)})`))}`,
          ]
        : []),
    ].join("\n\n"),
  };
}

/** A replacement is several steps to the engine and one thing to people. */
function wordOf(op: string): string {
  return op === "create-replacement" || op === "delete-replaced" || op === "import-replacement" ? "replace" : op;
}

const mostTypes = 8;

function typesWords(steps: readonly PreviewStep[]): string {
  const counts = new Map<string, number>();
  for (const { type } of steps) counts.set(type, (counts.get(type) ?? 0) + 1);
  const words = [...counts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([type, count]) => `${count > 1 ? `${count} ` : ""}${code(type)}`);
  return words.length > mostTypes
    ? `${words.slice(0, mostTypes).join(", ")} and ${words.length - mostTypes} more types`
    : words.join(", ");
}

const mostUnchanged = 50;

function renderUnchanged(services: readonly PreviewedService[]): Block {
  if (services.length === 0) return { rank: 5, text: "" };
  const names = services.slice(0, mostUnchanged).map(({ service }) => code(service));
  const left = services.length - names.length;
  return { rank: 5, text: `Unchanged: ${names.join(", ")}${left > 0 ? ` and ${left} more` : ""}.` };
}
