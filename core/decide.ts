/**
 * The hook's one decision: record and observation in, record and reasons out. Level-triggered: alarm events only make it
 * run sooner, what counts is what the alarms say now. It only ever lowers.
 */
import { applyTargets } from "./apply-targets.ts";
import { watchBlindness } from "./blindness.ts";
import { closeRecovered, openBreaches } from "./breaches.ts";
import { watchControl } from "./control.ts";
import { checkDrift } from "./drift.ts";
import { watchFlag } from "./flag-watch.ts";
import { resolveIncidents } from "./incidents.ts";
import { loweringResponses } from "./objectives.ts";
import type { Decision, Observation } from "./observation.ts";
import type { Instant, RolloutRecord } from "./record.ts";
import { RecordDraft } from "./record-draft.ts";
import { targetOf } from "./respond.ts";

export function decide(before: RolloutRecord, seen: Observation, now: Instant): Decision {
  if (before.retiredAt !== undefined) return { record: before, history: [], lowersLive: false };
  const draft = new RecordDraft(before, now);
  dropExpiredLease(draft);
  closeRecovered(draft, seen);
  openBreaches(draft, seen);
  watchBlindness(draft, seen);
  escalate(draft, seen);
  applyTargets(draft, seen);
  const lowersLive = checkDrift(draft, seen);
  watchControl(draft, seen);
  watchFlag(draft, seen);
  resolveIncidents(draft);
  return { record: draft.finish(), history: draft.history, lowersLive };
}

function dropExpiredLease(draft: RecordDraft): void {
  const lease = draft.record.lease;
  if (!lease || lease.expiresAt > draft.now) return;
  draft.tell("lease-lapsed", `lease ${lease.id} (${lease.kind} to ${lease.toPercent} %) of ${lease.takenBy} lapsed`);
  draft.drop("lease");
}

/** A second step needs bad points that all lie after the last one; a response that changes nothing becomes `disable` (B2). */
function escalate(draft: RecordDraft, seen: Observation): void {
  const canary = draft.record.canary;
  if (!canary || seen.alarms === undefined) return;
  for (const [key, breach] of Object.entries(draft.record.breaches)) {
    if (breach.observed || breach.digest !== canary.digest || !loweringResponses.has(breach.response)) continue;
    if (canary.exposurePercent === 0 || breach.targetPercent < canary.exposurePercent) continue;
    if (draft.now - breach.lastStepAt < breach.settleSeconds * 1_000) continue;
    const aimed = targetOf(breach.response, canary.exposurePercent, draft.record.plan);
    const targetPercent = aimed < canary.exposurePercent ? aimed : 0;
    draft.set({ breaches: { ...draft.record.breaches, [key]: { ...breach, targetPercent, lastStepAt: draft.now } } });
    draft.tell(
      "escalated",
      `${breach.objective} (${breach.severity}) goes on at ${canary.exposurePercent} %: next step ${targetPercent} %`,
    );
  }
}
