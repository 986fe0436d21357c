/** What people tell the record directly: acknowledge, pause, resume, kill (A4, B4, B5). Config never does. */

import { resolveIncidents } from "./incidents.ts";
import { holdOf, lowerCanary, returnToPrevious } from "./lowering.ts";
import { versionOf } from "./outcome.ts";
import { goesToPeers } from "./peers.ts";
import {
  type CanaryState,
  committedPercent,
  type HistoryEntry,
  type Hold,
  type Instant,
  type RolloutRecord,
} from "./record.ts";
import { RecordDraft } from "./record-draft.ts";

/** Who says so and why; both are recorded. */
export interface Said {
  readonly by: string;
  readonly reason: string;
}

export type CommandResult =
  | {
      readonly kind: "done";
      readonly record: RolloutRecord;
      readonly history: readonly HistoryEntry[];
      readonly message: string;
    }
  | { readonly kind: "refused"; readonly reason: string };

function refused(reason: string): CommandResult {
  return { kind: "refused", reason };
}

function saidProblem(command: string, said: Said): CommandResult | undefined {
  const missing = [
    ...(said.by.trim() === "" ? ["who says so"] : []),
    ...(said.reason.trim() === "" ? ["a reason"] : []),
  ];
  return missing.length === 0
    ? undefined
    : refused(`${command}: ${missing.join(" and ")} is missing; both are recorded`);
}

function done(draft: RecordDraft, message: string): CommandResult {
  return { kind: "done", record: draft.finish(), history: draft.history, message };
}

/** Opens the latch for whatever the holds closed; the ceiling stays where it is. A lowered release soaks anew from here. */
export function acknowledge(before: RolloutRecord, said: Said, now: Instant, holdId?: string): CommandResult {
  const problem = saidProblem("acknowledge", said);
  if (problem) return problem;
  const standing = Object.values(before.holds).filter(
    (hold) => !hold.acknowledged && (holdId === undefined || hold.id === holdId),
  );
  if (standing.length === 0) {
    return refused(
      holdId === undefined
        ? "acknowledge: no hold stands"
        : `acknowledge: no standing hold ${holdId}; standing: ${
            Object.values(before.holds)
              .filter((hold) => !hold.acknowledged)
              .map((hold) => hold.id)
              .join(", ") || "none"
          }`,
    );
  }
  const draft = new RecordDraft(before, now);
  const acknowledged: Hold[] = standing.map((hold) => ({ ...hold, acknowledged: { ...said, at: now } }));
  draft.set({ holds: { ...before.holds, ...Object.fromEntries(acknowledged.map((hold) => [hold.id, hold])) } });
  if (before.canary && before.canary.exposurePercent > 0)
    draft.set({ canary: { ...before.canary, waveOpenedAt: now } });
  if (before.blindSince !== undefined) draft.set({ blindSince: now });
  draft.bumpReality();
  const message = `${standing.map((hold) => hold.id).join(", ")} acknowledged by ${said.by}: ${said.reason}${elsewhere(before, standing)}`;
  draft.tell("acknowledge", message);
  resolveIncidents(draft);
  return done(draft, message);
}

/** A hold is acknowledged by those who looked at the release where it runs: region by region. */
function elsewhere({ peers = [] }: RolloutRecord, holds: readonly Hold[]): string {
  const isToldOf = holds.some((hold) => goesToPeers(hold) || hold.cause === "peer");
  return peers.length > 0 && isToldOf
    ? `. Here alone: ${peers.join(", ")} may hold the release too, acknowledge there`
    : "";
}

/** Refuses openings until resumed; lowering, reconcile, kill and the soak clock go on (j). */
export function pause(before: RolloutRecord, said: Said, now: Instant): CommandResult {
  const problem = saidProblem("pause", said);
  if (problem) return problem;
  if (before.paused) return refused(`pause: already paused by ${before.paused.by} (${before.paused.reason})`);
  const draft = new RecordDraft(before, now);
  draft.set({ paused: { ...said, at: now } });
  draft.tell("pause", `paused by ${said.by}: ${said.reason}`);
  return done(draft, `openings are paused`);
}

export function resume(before: RolloutRecord, said: Said, now: Instant): CommandResult {
  const problem = saidProblem("resume", said);
  if (problem) return problem;
  if (!before.paused) return refused("resume: not paused");
  const draft = new RecordDraft(before, now);
  draft.drop("paused");
  draft.tell("resume", `resumed by ${said.by}: ${said.reason}`);
  return done(draft, "openings are possible again");
}

/** All traffic off the canary now, or inside the rollback window back to the previous release; blocks the service. */
export function kill(before: RolloutRecord, said: Said, now: Instant): CommandResult {
  const problem = saidProblem("kill", said);
  if (problem) return problem;
  const draft = new RecordDraft(before, now);
  const canary = before.canary;
  const inWindow = before.previous !== undefined && before.previous.until > now;
  if (!canary && !inWindow) return refused("kill: there is no canary and no previous release to go back to");
  // A canary that is merely staged has nothing to lose: inside the window it is the new baseline that is meant.
  const isCanaryMeant = canary !== undefined && (!inWindow || hasOrMayHaveTraffic(before, canary));
  const digest = canary && isCanaryMeant ? canary.digest : before.baseline;
  const twin = sameKill(before, said, now);
  if (twin) return { kind: "done", record: before, history: [], message: twin.detail };
  const id = `kill-${now}`;
  const hold = holdOf(before, {
    id,
    scope: "service",
    digest,
    at: now,
    cause: "kill",
    detail: `${versionOf(before, digest)} killed by ${said.by} at ${isCanaryMeant ? committedPercent(before) : 100} %: ${said.reason}`,
    response: "disable",
    targetPercent: 0,
  });
  if (isCanaryMeant) lowerCanary(draft, 0);
  else returnToPrevious(draft);
  draft.putHold(hold);
  draft.page(
    id,
    "critical",
    `${before.service}: KILLED, ${hold.detail}`,
    "acknowledge the hold with a reason when it may be tried again",
    { runbook: "killed", holdId: id },
  );
  return done(draft, hold.detail);
}

/**
 * The operator's own credentials and the hook may both carry out one kill, when the hook answers late: the second writes nothing.
 * Unit: milliseconds; longer than the hook's longest run.
 */
const sameKillMilliseconds = 90_000;

function sameKill(record: RolloutRecord, said: Said, now: Instant): Hold | undefined {
  const words = `killed by ${said.by} at `;
  return Object.values(record.holds).find(
    (hold) =>
      hold.cause === "kill" &&
      !hold.acknowledged &&
      now - hold.at < sameKillMilliseconds &&
      hold.detail.includes(words) &&
      hold.detail.endsWith(`: ${said.reason}`) &&
      committedPercent(record) === 0,
  );
}

/** An opening under way counts: its weights may be live before they are committed. */
function hasOrMayHaveTraffic(record: RolloutRecord, canary: CanaryState): boolean {
  return canary.exposurePercent > 0 || record.lease?.digest === canary.digest;
}
