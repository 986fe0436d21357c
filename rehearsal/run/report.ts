/** What a rehearsal hands back: the one object that `tidegate rehearse --json` prints. Times are ISO, in UTC; absent is null. */

import type { Response, Severity } from "../../core/objectives.ts";
import type { HoldCause } from "../../core/record.ts";

/** How the first attempt ended. */
export type Outcome = "completed" | "rolled-back" | "lowered" | "held" | "observed";

/** In the order in which one causes the next, where several fall into one instant. */
export const timelineKinds = [
  "up",
  "note",
  "pinned",
  "refused",
  "finish",
  "opening",
  "commit",
  "acknowledge",
  "fault",
  "fault-over",
  "breach",
  "notice",
  "detected",
  "rollback",
  "lowered",
  "zero",
  "hold",
  "page",
  "recovered",
  "hook",
  "held",
  "end",
] as const;
/**
 * What a line of the timeline is about. `breach`: the first bad alarm period ends; `detected`: the hook decides on it;
 * `zero`: the live share became 0; `notice`: an alarm of the
 * whole service tells people and acts on nothing; `held`: the operator gives up, nobody can tell; `hook`: anything else the hook wrote to its history, or an error of its own.
 */
export type TimelineKind = (typeof timelineKinds)[number];

export interface TimelineEntry {
  readonly at: string;
  readonly kind: TimelineKind;
  readonly message: string;
  /** Live share of the canary just then. Unit: percent. */
  readonly exposurePercent: number;
}

export interface ReportedHold {
  readonly id: string;
  readonly scope: "digest" | "service";
  readonly cause: HoldCause;
  readonly detail: string;
  readonly response: Response;
  readonly targetPercent: number;
  readonly at: string;
}

export interface ReportedPage {
  readonly at: string;
  /** `critical` wakes somebody. */
  readonly severity: Severity;
  readonly summary: string;
  readonly detail: string;
  readonly dedupKey: string;
}

export interface ReportedRefusal {
  readonly at: string;
  readonly who: string;
  readonly asked: string;
  readonly reasons: readonly string[];
}

export interface RehearsalReport {
  readonly scenario: string;
  readonly stack: string;
  readonly service: string;
  /** Where the service's own source was not rehearsed but another one in its place, what that leaves out; null where it was. */
  readonly notModelled: string | null;
  /** Of the first attempt. */
  readonly outcome: Outcome;
  /** The first bad request that the fault caused; for an outage, its start. */
  readonly faultAt: string | null;
  /** End of the first bad period of the alarm that led to the decision; null where no alarm did (missing metrics). */
  readonly breachAt: string | null;
  /** When the hook decided; where several breaches opened, on the one that did most. */
  readonly detectedAt: string | null;
  /** When the live share became 0; null when it was only lowered. */
  readonly exposureZeroAt: string | null;
  readonly secondsFaultToZero: number | null;
  /** What the new release was asked, from the start to the end of the first attempt (settling included, aftermath not). */
  readonly requests: number;
  /** Of those the ones that failed, waited too long or broke an invariant; its base errors included. */
  readonly badRequests: number;
  /** The same span, seed and operator, with a hook that acts on nothing; null without a fault, or when not asked for. */
  readonly badRequestsWithoutHook: number | null;
  /** Lowered or rolled back although no fault had been injected. */
  readonly falseRollback: boolean;
  /** The hold that the first attempt ended with. */
  readonly hold: ReportedHold | null;
  readonly pages: readonly ReportedPage[];
  readonly refused: readonly ReportedRefusal[];
  readonly timeline: readonly TimelineEntry[];
  readonly virtualSeconds: number;
  /** The only field that differs from run to run. */
  readonly wallSeconds: number;
}
