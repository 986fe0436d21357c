/** Taking traffic away: the only direction in which the record changes without an opening. */

import { versionOf } from "./outcome.ts";
import { type CanaryState, committedPercent, type Hold, type Instant, type RolloutRecord } from "./record.ts";
import type { RecordDraft } from "./record-draft.ts";
import { holdKey, sameHold } from "./releases.ts";

/**
 * Commits a lower exposure of the canary; the ceiling falls with it, any lease is revoked, served soaks are void.
 * Does nothing but revoke when the canary has no more than that already.
 */
export function lowerCanary(draft: RecordDraft, targetPercent: number): void {
  const canary = draft.record.canary;
  if (!canary) return;
  if (draft.record.lease) {
    draft.tell("lease-revoked", `lease ${draft.record.lease.id} (${draft.record.lease.kind}) revoked by a lowering`);
    draft.drop("lease");
    draft.bumpReality();
  }
  if (targetPercent >= canary.exposurePercent) return;
  const from = canary.exposurePercent;
  draft.set({
    canary: {
      ...(targetPercent === 0 ? unexposed(canary) : canary),
      exposurePercent: targetPercent,
      waveOpenedAt: draft.now,
      servedPercents: [],
      ...(targetPercent === 0 ? { weightsLeftAt: draft.now } : {}),
    },
    ceilings: { ...draft.record.ceilings, [canary.digest]: targetPercent },
    breaches: steppedNow(draft.record, canary.digest, draft.now),
    ...(draft.record.split?.by === "flag" && targetPercent > 0 ? { flagDueSince: draft.now } : {}),
  });
  // At 0 the weights vouch for it, whatever the flag does.
  if (targetPercent === 0) draft.drop("flagDueSince");
  draft.bumpReality();
  draft.tell(
    targetPercent === 0 ? "rollback" : "lowered",
    `${versionOf(draft.record, canary.digest)} from ${from} % to ${targetPercent} %`,
  );
}

/** Whoever lowered it: no breach of this release may step again before points from after this lowering are in. */
export function steppedNow(record: RolloutRecord, digest: string, now: Instant): RolloutRecord["breaches"] {
  return Object.fromEntries(
    Object.entries(record.breaches).map(([key, breach]) => [
      key,
      breach.digest === digest ? { ...breach, lastStepAt: now } : breach,
    ]),
  );
}

/** Without traffic there is nothing that a later wave could be measured against. */
function unexposed({
  exposedSince: _since,
  openedFromPercent: _from,
  figures: _figures,
  ...canary
}: CanaryState): CanaryState {
  return canary;
}

/** (h) After a finish every lowering means the previous release at 100; it is the record's baseline again. */
export function returnToPrevious(draft: RecordDraft): void {
  const previous = draft.record.previous;
  if (!previous) return;
  const bad = draft.record.baseline;
  lowerCanary(draft, 0);
  draft.set({
    baseline: previous.digest,
    ceilings: { ...draft.record.ceilings, [bad]: 0, [previous.digest]: 100 },
    leaving: { ...draft.record.leaving, [bad]: draft.now },
  });
  draft.drop("previous", "lease");
  const flagsOn = Object.entries(draft.record.flagsOn ?? {}).filter(([, digest]) => digest !== bad);
  draft.drop("flagsOn");
  if (flagsOn.length > 0) draft.set({ flagsOn: Object.fromEntries(flagsOn) });
  // It was being tried anew as canary; now it has everything.
  if (draft.record.canary?.digest === previous.digest) draft.drop("canary");
  draft.bumpReality();
  draft.tell(
    "rollback",
    `${versionOf(draft.record, bad)} to 0 %: all traffic returns to ${versionOf(draft.record, previous.digest)}`,
  );
}

/**
 * Holds about the previous release itself, whoever put them: while one stands it may not be given everything. A hold that blocks the whole
 * service for another reason says nothing against it: a lost receiver that came back may have the traffic.
 */
export function holdsOnPrevious(record: RolloutRecord): Hold[] {
  const { previous } = record;
  if (!previous) return [];
  return Object.values(record.holds).filter((hold) => !hold.acknowledged && sameHold(hold.digest, previous.digest));
}

/** The attempt that a hold on a digest ends. */
export function currentAttempt(record: RolloutRecord, digest: string): number {
  if (record.canary?.digest === digest) return record.canary.attempt;
  return Math.max(record.attempts[holdKey(digest)] ?? 0, 1);
}

/** A hold with the defaults of a breach-driven one. */
export function holdOf(
  record: RolloutRecord,
  hold: Pick<Hold, "id" | "scope" | "digest" | "cause" | "detail" | "response" | "targetPercent" | "at">,
): Hold {
  return { ...hold, attempt: currentAttempt(record, hold.digest) };
}

/** What an up could at most make live now: the committed exposure, or what a valid opening lease grants. */
export function grantedPercent(record: RolloutRecord, digest: string, now: number): number {
  const committed = record.canary?.digest === digest ? committedPercent(record) : 0;
  const lease = record.lease;
  const granted =
    lease && lease.kind === "opening" && lease.digest === digest && lease.expiresAt > now ? lease.toPercent : 0;
  return Math.max(committed, granted);
}
