/** One service in the comment: what happens to its traffic, the gate's verdict, how fast a breach ends, and the way back. */

import type { Checklist } from "../../core/checklist.ts";
import { isSlug, maximumServiceLength } from "../../core/naming.ts";
import { countWords, renderSections } from "../checklist-text.ts";
import { type Block, code, commandBlock, details, list, prose, table } from "./markdown.ts";
import type { Judgement } from "./notices.ts";
import { livePercentOf, type RecordOfService, type RecordReading } from "./record.ts";
import { type Rehearsed, rehearsedScenario, rehearsedSeed } from "./rehearsal.ts";
import type { PreviewedService } from "./services.ts";
import { worstCaseWords } from "./worst-case.ts";

export interface ServiceContext {
  readonly stack: string;
  readonly record: RecordReading;
  readonly rehearsed: Rehearsed | undefined;
  /** @default nothing rolls out, or the stack's file could not be read */
  readonly checklist?: Checklist | undefined;
}

const verdictWords: Readonly<Record<Judgement["verdict"], string>> = {
  promote: "**promote**, nothing speaks against it",
  monitor: "**monitor**, not yet",
  "roll-back": "**roll back**, the release misbehaves",
  "cannot-tell": "**cannot tell**, and that never promotes",
  "not-asked": "not asked",
};

/** Everything about one service, the most important block first. */
export function renderService(service: PreviewedService, context: ServiceContext): Block[] {
  const record = context.record.kind === "read" ? context.record.services.get(service.service) : undefined;
  return [
    { rank: 1, text: [`### ${code(service.service)}`, renderTraffic(service, context.record, record)].join("\n\n") },
    { rank: 3, text: renderWorstCase(service) },
    { rank: 4, text: renderRehearsal(service.service, context) },
    { rank: 3, text: renderWayBack(service, context.stack, record) },
    { rank: 5, text: renderChecklist(context.checklist) },
  ].filter(({ text }) => text !== "");
}

function renderChecklist(checklist: Checklist | undefined): string {
  if (!checklist) return "";
  return details("The release's checklist", [countWords(checklist), renderSections(checklist, "####")].join("\n\n"));
}

function renderTraffic(service: PreviewedService, reading: RecordReading, record: RecordOfService | undefined): string {
  const { notices, judgement } = service;
  const said = [...notices.lowers, ...notices.latch, ...notices.otherWarnings];
  return [
    `**${stepWords(service)}**`,
    sharesTable(service, record),
    gateWords(judgement),
    ...(said.length > 0 ? [`The program warns:\n\n${list(said.map(prose))}`] : []),
    recordWords(service, reading, record),
  ].join("\n\n");
}

/** People paste these lines. A name that our config would refuse is left for them to fill in. */
function inShell(service: string): string {
  return isSlug(service, maximumServiceLength) ? service : "SERVICE";
}

/** Each finding that is not met, for everybody to see; those that are met, folded away. */
function gateWords({ verdict, reasons, findings }: Judgement): string {
  const words = verdictWords[verdict];
  if (verdict === "not-asked") return `Gate: ${words}, since ${reasons.join(" and ")}.`;
  const open = findings.filter(({ word }) => word !== "met");
  const met = findings.filter(({ word }) => word === "met");
  const count = met.length === 1 ? "1 finding is met" : `${met.length} findings are met`;
  return [
    open.length === 0
      ? `Gate: ${words}.`
      : `Gate: ${words}:\n\n${list(open.map(({ word, rule, text }) => `**${word}**, ${rule}: ${prose(text)}`))}`,
    ...(met.length === 0 ? [] : [details(count, list(met.map(({ rule, text }) => `${rule}: ${prose(text)}`)))]),
  ].join("\n\n");
}

/** What this `up` does, in words. */
function stepWords(service: PreviewedService): string {
  const { canary, step, exposurePercent, fromPercent, notices, op } = service;
  const name = canary ? code(canary.version) : "the canary";
  if (op === "delete") return "The service leaves the stack.";
  if (notices.refusals.length > 0) return "Nothing moves: this up would be refused.";
  const from = fromPercent === undefined ? "" : ` from ${fromPercent} %`;
  switch (step ?? stepFromShares(service)) {
    case "first":
      return `The first up: ${code(service.baselineVersion ?? "?")} takes everything${canary ? `, ${name} is staged at 0 %` : ""}.`;
    case "opening":
      return `Opens wave ${exposurePercent} %: ${name} rises${from} to ${exposurePercent} %.`;
    case "lowering":
      return exposurePercent === 0
        ? "Takes all traffic off the canary."
        : `Lowers ${name}${from} to ${exposurePercent} %.`;
    case "finish":
      return `Finishes: ${code(service.baselineVersion ?? "?")} becomes the baseline.`;
    case "replace-baseline":
      return `Replaces the baseline: ${code(service.baselineVersion ?? "?")} takes everything.`;
    default:
      return notices.latch.length > 0
        ? "The latch is closed: traffic stays where it is."
        : "Traffic stays as it is; other things of the service change.";
  }
}

/** For the form of preview that does not tell the step. */
function stepFromShares({ shares, op, notices }: PreviewedService): string {
  if (op === "create") return "first";
  if (notices.raises.some((text) => /^\S+: finish, /.test(text))) return "finish";
  const canary = shares.find(({ role }) => role === "canary");
  if (canary?.nowPercent === undefined || canary.afterPercent === undefined) return "none";
  if (canary.afterPercent === canary.nowPercent) return "none";
  return canary.afterPercent > canary.nowPercent ? "opening" : "lowering";
}

function sharesTable(service: PreviewedService, record: RecordOfService | undefined): string {
  const status = record?.status.kind === "read" ? record.status : undefined;
  const isLive = status?.live.kind === "read";
  // What is not in the stack yet has no shares there; 0 % would read as a switch of all traffic.
  const isNew = !isLive && (service.op === "create" || service.step === "first");
  const known = service.nowFrom === "record" ? "Now (record)" : "Now (Pulumi's state)";
  const nowWords = isLive ? "Now (live)" : isNew ? "Now" : known;
  const rows = service.shares.map(({ version, role, nowPercent, afterPercent }) => [
    code(version),
    role,
    isNew ? "not known" : percentWords(status && isLive ? livePercentOf(status, version) : nowPercent),
    percentWords(afterPercent),
  ]);
  return table([["Release", "Role", nowWords, "After this up"], ...rows], ["l", "l", "r", "r"]);
}

function percentWords(percent: number | undefined): string {
  return percent === undefined ? "not known" : `${Math.round(percent * 10) / 10} %`;
}

function recordWords(service: PreviewedService, reading: RecordReading, record: RecordOfService | undefined): string {
  if (reading.kind === "not-read") return `The record was not read for this comment: ${prose(reading.reason)}.`;
  if (!record) return "The record was not read for this comment.";
  const stale = staleWords(service, record);
  const findings = [...(stale === undefined ? [] : [stale]), ...record.findings.map(prose)];
  if (findings.length === 0) return "The record: no hold, no breach, nothing that stands against the service.";
  return `The record says, worst first:\n\n${list(findings)}`;
}

/** A preview is as old as it is; what happened since then, only the record knows. */
function staleWords({ fromPercent, nowFrom }: PreviewedService, { status }: RecordOfService): string | undefined {
  if (status.kind !== "read" || fromPercent === undefined || nowFrom !== "record") return undefined;
  const committed = status.canary?.committedPercent ?? 0;
  return committed === fromPercent
    ? undefined
    : `**the record has moved since the preview**: it had ${fromPercent} % then and has ${committed} % now. Run the preview again`;
}

function renderWorstCase({ notices, exposurePercent, op }: PreviewedService): string {
  if (op === "delete") return "";
  if (exposurePercent === 0)
    return "**From a breach to less traffic:** after this up the canary has no traffic that could be hurt.";
  const { detection } = notices;
  if (!detection) return "**From a breach to less traffic:** the preview does not say how long it takes at worst.";
  const rows = detection.bounds.flatMap(({ objective, response, windows }) =>
    windows.map(({ worstSeconds, fromRatePerSecond, atFactor }) => [
      prose(objective),
      prose(response),
      `${worstSeconds} s`,
      fromRatePerSecond === undefined
        ? "any"
        : `${fromRatePerSecond} requests/s${atFactor === undefined ? "" : ` at ${atFactor} × the bound`}`,
    ]),
  );
  return [
    `**From a breach to less traffic** at ${detection.exposurePercent} %: ${worstCaseWords(detection.bounds)}.`,
    table(
      [["Promise", "What the hook does", "At the latest after", "Needs, of the whole service"], ...rows],
      ["l", "l", "r", "r"],
    ),
  ].join("\n\n");
}

const outcomeWords: Readonly<Record<string, string>> = {
  completed: "the release went through all its waves: nothing of the service saw the fault",
  "rolled-back": "rolled back to 0 %",
  lowered: "lowered, and it keeps a share",
  held: "traffic stays, nobody may raise it, and a person is asked",
  observed: "mode observe: written down, and nothing done",
};

/** Figures of one rehearsal; "" where none was asked for. */
export function renderRehearsal(
  service: string,
  { rehearsed, stack }: Pick<ServiceContext, "rehearsed" | "stack">,
): string {
  if (!rehearsed) return "";
  const again = `npx tidegate rehearse --stack ${stack} --service ${inShell(service)}`;
  if (rehearsed.kind === "not-rehearsed") return `**Not rehearsed:** ${prose(rehearsed.reason)}. Try ${code(again)}.`;
  const seconds = (value: number | null) => (value === null ? "never" : `${Math.round(value)} s`);
  const fault =
    rehearsed.faultPercent === null
      ? "the fault never began"
      : `the release fails requests at ${rehearsed.faultPercent} %`;
  const rows = [
    ["", "With the hook", "Without"],
    ["From the first bad request to the decision", seconds(rehearsed.secondsFaultToDecision), "never"],
    ["From the first bad request to zero exposure", seconds(rehearsed.secondsFaultToZero), "never"],
    [
      "Bad requests in that time",
      `${rehearsed.badRequests}`,
      rehearsed.badRequestsWithoutHook === null ? "not known" : `${rehearsed.badRequestsWithoutHook}`,
    ],
  ];
  return [
    `**Rehearsed with this configuration:** ${fault}; ${outcomeWords[rehearsed.outcome] ?? prose(rehearsed.outcome)}.`,
    table(rows, ["l", "r", "r"]),
    ...(rehearsed.notModelled === undefined ? [] : [`**Not modelled:** ${prose(rehearsed.notModelled)}.`]),
    `A model of AWS with made-up traffic, scenario ${rehearsedScenario}, seed ${rehearsedSeed}: ${code(again)} prints the same with its timeline.`,
  ].join("\n\n");
}

function renderWayBack(service: PreviewedService, stack: string, record: RecordOfService | undefined): string {
  if (service.op === "delete") return "";
  const { mode, exposurePercent, fromPercent, canary } = service;
  const byItself =
    mode === "observe"
      ? "By itself: nothing. The service is in mode observe; the hook writes down what it would do."
      : "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.";
  const wave =
    canary && exposurePercent !== undefined && fromPercent !== undefined && exposurePercent > fromPercent
      ? [
          "By config, once this up is through:",
          commandBlock([
            `pulumi config set --path 'tidegate:services.${inShell(service.service)}.wave' ${fromPercent} && pulumi up`,
          ]),
        ]
      : [];
  const raw = record?.rawLowering;
  const body = [
    byItself,
    "By hand, all traffic off the canary at once:",
    commandBlock([`npx tidegate kill --stack ${stack} --service ${inShell(service.service)} --reason "..."`]),
    ...wave,
    ...(raw === undefined
      ? [
          'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
        ]
      : ["Where nothing of Tidegate runs, with the AWS CLI:", commandBlock([raw])]),
  ];
  return details("The way back", body.join("\n\n"));
}
