/**
 * One rehearsal from start to report: the same program, guard and hook as in earnest, on a local cloud in virtual time.
 *
 * The outcome and the figures are those of the first attempt. What people do after it (`aftermath.ts`) is in the timeline, so
 * that the refusals and the next attempt can be read, and counts for nothing else.
 */
import { performance } from "node:perf_hooks";
import { loweringResponses } from "../../core/objectives.ts";
import { type Hold, holdsOn, type Instant } from "../../core/record.ts";
import { makeLocalCloud } from "../cloud/local-cloud.ts";
import type { LocalCloud, ReleaseCounts } from "../cloud/types.ts";
import { traffic } from "../traffic/constants.ts";
import { rateAt } from "../traffic/traffic.ts";
import { aftermath } from "./aftermath.ts";
import type { Detection } from "./chronicle.ts";
import { type Ending, firstAttempt, waitForEnd } from "./first-attempt.ts";
import { Operator } from "./operator.ts";
import { hostsPerGroup, type Rehearsal, type RehearsalOptions, readOptions, standInText, startAt } from "./options.ts";
import type { Outcome, RehearsalReport, ReportedHold } from "./report.ts";

/** The report, and what the docs table wants besides it. */
export interface RehearsalResult {
  readonly report: RehearsalReport;
  readonly ending: Ending;
  /** At the end of the first attempt. Unit: percent. */
  readonly finalExposurePercent: number;
  /** Every decision on a breach of the canary after the fault began; before it, or without one, every decision. */
  readonly detections: readonly Detection[];
  readonly pagesOfFirstAttempt: RehearsalReport["pages"];
  /** The canary's live share just before an instant. Unit: percent. */
  readonly exposureAt: (at: Instant) => number;
}

/** As the local cloud is made; tests give a smaller one. */
export type CloudMaker = typeof makeLocalCloud;

/**
 * Runs a rehearsal.
 * @throws BadInputError with every problem of the options
 */
export async function rehearse(options: RehearsalOptions): Promise<RehearsalReport> {
  return (await rehearseInFull(options)).report;
}

/** `rehearse` with what the report leaves out. */
export async function rehearseInFull(
  options: RehearsalOptions,
  makeCloud: CloudMaker = makeLocalCloud,
): Promise<RehearsalResult> {
  const wallStartedAt = performance.now();
  const rehearsal = readOptions(options);
  const { operator, ending } = await attempt(rehearsal, makeCloud);
  const ended = stateAtEnd(operator, ending);

  const compares =
    (options.compareWithoutHook ?? true) && rehearsal.hook === "on" && operator.faultStartedAt !== undefined;
  // A hook that only observes is no hook: what it let through is what there would have been without it.
  const without = !compares
    ? null
    : ended.outcome === "observed"
      ? ended.counts.badRequests
      : await badRequestsWithoutHook({ ...rehearsal, hook: "off", endAt: ended.at }, makeCloud);

  if (rehearsal.aftermath && ended.hold) await aftermath(operator);
  operator.chronicle.tell("end", `the rehearsal ends; of its first attempt: ${outcomeText[ended.outcome]}`);
  const wallSeconds = Number(((performance.now() - wallStartedAt) / 1_000).toFixed(3));
  return {
    ending,
    finalExposurePercent: ended.exposurePercent,
    detections: ended.detections,
    pagesOfFirstAttempt: ended.pages,
    exposureAt: (at) => operator.chronicle.exposureBefore(at),
    report: {
      scenario: rehearsal.scenario.name,
      stack: rehearsal.stack,
      service: rehearsal.rehearsed.name,
      notModelled: standInText(rehearsal) ?? null,
      outcome: ended.outcome,
      faultAt: iso(ended.faultAt),
      breachAt: iso(ended.breachAt),
      detectedAt: iso(ended.detectedAt),
      exposureZeroAt: iso(ended.zeroAt),
      secondsFaultToZero:
        ended.zeroAt === undefined || ended.faultAt === undefined ? null : (ended.zeroAt - ended.faultAt) / 1_000,
      requests: ended.counts.requests,
      badRequests: ended.counts.badRequests,
      badRequestsWithoutHook: without,
      falseRollback: ended.falseRollback,
      hold: ended.hold ? reported(ended.hold) : null,
      pages: operator.chronicle.pages,
      refused: operator.refused,
      timeline: operator.chronicle.timeline(),
      virtualSeconds: (operator.cloud.now() - startAt) / 1_000,
      wallSeconds,
    },
  };
}

const outcomeText: Readonly<Record<Outcome, string>> = {
  completed: "the new release serves everything",
  "rolled-back": "the new release was rolled back to 0 %",
  lowered: "the new release was lowered and keeps a share",
  held: "the new release stays where it was, nobody may raise it",
  observed: "the hook wrote down what it would have done, and did nothing",
};

async function attempt(rehearsal: Rehearsal, makeCloud: CloudMaker): Promise<{ operator: Operator; ending: Ending }> {
  const operator = new Operator(rehearsal, cloudFor(rehearsal, makeCloud));
  const notModelled = standInText(rehearsal);
  if (notModelled !== undefined) operator.chronicle.tell("note", notModelled);
  const ending = await firstAttempt(operator);
  await waitForEnd(operator);
  return { operator, ending };
}

function cloudFor(rehearsal: Rehearsal, makeCloud: CloudMaker): LocalCloud {
  const { recorded, scenario, withoutAlarms } = rehearsal;
  const meanRatePerSecond = scenario.ratePerSecond ?? traffic.meanRatePerSecond;
  return makeCloud({
    seed: rehearsal.seed,
    startAt,
    ratePerSecondAt: recorded ? (at) => recorded.rateAt(at - startAt) : (at) => rateAt(at, meanRatePerSecond),
    hook: rehearsal.hook,
    hostsPerGroup,
    hostsReadyAfterSeconds: 40,
    ...(withoutAlarms ? { withoutAlarms } : {}),
  });
}

/** The same seed and the same people over the same span; nobody answers the alarms. */
async function badRequestsWithoutHook(rehearsal: Rehearsal, makeCloud: CloudMaker): Promise<number> {
  const { operator } = await attempt(rehearsal, makeCloud);
  return canaryCounts(operator).badRequests;
}

function canaryCounts(operator: Operator): ReleaseCounts {
  const counts = operator.cloud.counts(operator.rehearsal.rehearsed.name);
  return counts[operator.canary] ?? { requests: 0, badRequests: 0 };
}

interface AtEnd {
  readonly at: Instant;
  readonly outcome: Outcome;
  readonly exposurePercent: number;
  readonly faultAt: Instant | undefined;
  readonly breachAt: Instant | undefined;
  readonly detectedAt: Instant | undefined;
  readonly zeroAt: Instant | undefined;
  readonly counts: ReleaseCounts;
  readonly falseRollback: boolean;
  readonly hold: Hold | undefined;
  readonly detections: readonly Detection[];
  readonly pages: RehearsalReport["pages"];
}

/** What is known when the first attempt has ended, before anybody goes on. */
function stateAtEnd(operator: Operator, ending: Ending): AtEnd {
  const { chronicle, record, faultStartedAt } = operator;
  const at = operator.cloud.now();
  const loweredAt = chronicle.loweredAt;
  const detections = chronicle.detections.filter((detection) => detection.at >= (faultStartedAt ?? 0));
  const first = decisive(detections);
  const faultAt = faultStartedAt === undefined ? undefined : (chronicle.firstBadAt ?? faultStartedAt);
  const holds = record ? holdsOn(record, operator.canary) : [];
  const exposurePercent = chronicle.exposurePercent;
  return {
    at,
    outcome: outcomeOf(
      ending,
      loweredAt !== undefined,
      exposurePercent,
      record?.mode === "observe" && first !== undefined,
    ),
    exposurePercent,
    faultAt,
    breachAt: first?.breach && chronicle.firstBadPeriodOf(first.breach, faultStartedAt ?? 0, first.at),
    detectedAt: first?.at,
    zeroAt: loweredAt === undefined || exposurePercent > 0 ? undefined : chronicle.zeroAfter(loweredAt),
    counts: canaryCounts(operator),
    falseRollback: loweredAt !== undefined && (faultStartedAt === undefined || loweredAt < faultStartedAt),
    hold: holds.reduce<Hold | undefined>(
      (lowest, hold) => (lowest === undefined || hold.targetPercent < lowest.targetPercent ? hold : lowest),
      undefined,
    ),
    detections,
    pages: [...chronicle.pages],
  };
}

/** The first decision that did most: took traffic away, else closed the latch, else told somebody. */
export function decisive(detections: readonly Detection[]): Detection | undefined {
  return (
    detections.find(({ breach }) => breach && loweringResponses.has(breach.response)) ??
    detections.find(({ breach }) => breach === undefined || breach.response === "freeze") ??
    detections[0]
  );
}

function outcomeOf(ending: Ending, wasLowered: boolean, exposurePercent: number, observed: boolean): Outcome {
  if (ending === "finished") return "completed";
  if (observed) return "observed";
  if (!wasLowered) return "held";
  return exposurePercent === 0 ? "rolled-back" : "lowered";
}

function reported(hold: Hold): ReportedHold {
  const { id, scope, cause, detail, response, targetPercent, at } = hold;
  return { id, scope, cause, detail, response, targetPercent, at: new Date(at).toISOString() };
}

function iso(at: Instant | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
