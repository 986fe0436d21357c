/** Live against committed: what is above without a grant is lowered, what is below without a hold becomes one. */

import { grantedPercent, holdOf, lowerCanary, returnToPrevious } from "./lowering.ts";
import type { Observation } from "./observation.ts";
import { versionOf } from "./outcome.ts";
import { type Breach, committedPercent, committedShares, holdsOn } from "./record.ts";
import type { RecordDraft } from "./record-draft.ts";

/** @returns whether the main rules must be written from the record, because live has more than it grants */
export function checkDrift(draft: RecordDraft, seen: Observation): boolean {
  const live = seen.live;
  // What cannot be read is not trusted to be low: write what the record grants.
  if (live === undefined) return draft.record !== draft.before && lowered(draft);
  if (live.unknownTargetGroupArns.length > 0) noteStrangers(draft, live.unknownTargetGroupArns);
  noteUnexplainedLowering(draft, live.shares);

  const above = Object.entries(live.shares).filter(
    ([digest, percent]) => digest !== draft.record.baseline && percent > mostAllowed(draft, digest) + 1e-6,
  );
  // Lowered because the flag was: what is exposed is as low already, and its weights have still to follow.
  if (above.length === 0) return draft.record.split !== undefined && draft.record.mode === "act" && lowered(draft);
  if (draft.record.mode === "observe") {
    observeAbove(draft, above[0]?.[0] ?? "", describe(draft, above));
    return false;
  }
  const [digest] = above[0] ?? [""];
  const canary = draft.record.canary;
  if (
    canary?.exposurePercent === 0 &&
    above.some(([over]) => over === canary.digest) &&
    canary.weightsLeftAt !== draft.now
  )
    draft.set({ canary: { ...canary, weightsLeftAt: draft.now } });
  // Nor is a release deleted that is no canary: a baseline whose replacement was never committed.
  const left = above.filter(([over]) => over !== canary?.digest && draft.record.releases[over] !== undefined);
  if (left.some(([over]) => draft.record.leaving[over] !== draft.now))
    draft.set({ leaving: { ...draft.record.leaving, ...Object.fromEntries(left.map(([over]) => [over, draft.now])) } });
  if (draft.record === draft.before || !lowered(draft)) {
    // No lowering was decided here: an up wrote a rule and never came to commit it, or a write of ours was lost.
    draft.tell("above-committed", `live is above the record: ${describe(draft, above)}`);
    if (holdsOn(draft.record, digest).length === 0) {
      // The up that wrote it sends the same description again: without a new generation its opening would not even be invoked.
      draft.bumpReality();
      draft.page(
        `above-${draft.before.revision}-${digest}`,
        "critical",
        `${draft.record.service}: live was above the record (${describe(draft, above)}) and is lowered to ${committedPercent(draft.record)} %`,
        "an up changed the rule without committing it; run it again",
        { runbook: "live-above-record" },
      );
    }
  }
  return true;
}

/** What `observe` says of live above the record; kept as a breach, so that it is said once and not every minute. */
export const aboveRecordObjective = "above-record";

function observeAbove(draft: RecordDraft, digest: string, detail: string): void {
  const { record, now } = draft;
  const key = `${aboveRecordObjective}/warning/${digest}`;
  if (record.breaches[key]) return;
  const percent = mostAllowed(draft, digest);
  const breach: Breach = {
    id: `${aboveRecordObjective}-warning-${now}`,
    digest,
    objective: aboveRecordObjective,
    severity: "warning",
    response: "notify",
    startedAt: now,
    exposureAtStartPercent: percent,
    targetPercent: percent,
    lastStepAt: now,
    settleSeconds: 0,
    disableAnyway: false,
    observed: true,
  };
  draft.set({ breaches: { ...record.breaches, [key]: breach } });
  draft.tell("would-respond", `observing: live is above the record (${detail}); it would be lowered`);
}

function lowered(draft: RecordDraft): boolean {
  return draft.history.some(
    (entry) => entry.kind === "lowered" || entry.kind === "rollback" || entry.kind === "lease-revoked",
  );
}

function mostAllowed(draft: RecordDraft, digest: string): number {
  return grantedPercent(draft.record, digest, draft.now);
}

function describe(draft: RecordDraft, shares: readonly (readonly [string, number])[]): string {
  return shares
    .map(
      ([digest, percent]) =>
        `${versionOf(draft.record, digest)} has ${percent} %, granted ${mostAllowed(draft, digest)} %`,
    )
    .join(", ");
}

function noteStrangers(draft: RecordDraft, arns: readonly string[]): void {
  const { record, now } = draft;
  const standing = Object.values(record.holds).some(
    (hold) => hold.cause === "unknown-target-group" && !hold.acknowledged,
  );
  if (standing || record.mode === "observe") return;
  const id = `unknown-target-group-${now}`;
  const detail = `the live rule sends traffic to ${arns.join(", ")}, which no release of the record has`;
  draft.putHold(
    holdOf(record, {
      id,
      scope: "service",
      digest: record.canary?.digest ?? record.baseline,
      at: now,
      cause: "unknown-target-group",
      detail,
      response: "freeze",
      targetPercent: committedPercent(record),
    }),
  );
  draft.page(
    id,
    "critical",
    `${record.service}: FROZEN, ${detail}`,
    "somebody else writes this rule; restore it, then acknowledge",
    { runbook: "foreign-target-group", holdId: id },
  );
}

/** Live below the record: somebody lowered by hand, or a write of ours outran its record. Either way nothing raises it again. */
function noteUnexplainedLowering(draft: RecordDraft, shares: Readonly<Record<string, number>>): void {
  const { record, now } = draft;
  if (record.lease?.kind === "lowering" && record.lease.expiresAt > now) return;
  const canary = record.canary;
  if (canary && canary.exposurePercent > 0) {
    const live = shares[canary.digest] ?? 0;
    if (live >= canary.exposurePercent - 1e-6) return;
    if (record.mode === "observe") {
      draft.tell("would-respond", `observing: live ${live} % is below the record's ${canary.exposurePercent} %`);
      lowerCanary(draft, Math.floor(live));
      return;
    }
    hold(
      draft,
      canary.digest,
      `live is at ${live} %, the record says ${canary.exposurePercent} %, and nobody said why`,
      Math.floor(live),
      () => lowerCanary(draft, Math.floor(live)),
    );
    return;
  }
  const previous = record.previous;
  if (
    previous &&
    // Rolled out anew as canary, its traffic is an opening's: what was not granted is above, and lowered.
    previous.digest !== canary?.digest &&
    (shares[previous.digest] ?? 0) > 0 &&
    (shares[record.baseline] ?? 0) < (committedShares(record)[record.baseline] ?? 0)
  ) {
    if (record.mode === "observe") {
      draft.tell("would-respond", `observing: live is back on ${versionOf(record, previous.digest)}`);
      returnToPrevious(draft);
      return;
    }
    hold(draft, record.baseline, `live is back on ${versionOf(record, previous.digest)}, and nobody said why`, 0, () =>
      returnToPrevious(draft),
    );
  }
}

function hold(draft: RecordDraft, digest: string, detail: string, targetPercent: number, lower: () => void): void {
  const explained = holdsOn(draft.record, digest).length > 0;
  const made = holdOf(draft.record, {
    id: `unexplained-lowering-${draft.now}`,
    scope: "service",
    digest,
    at: draft.now,
    cause: "unexplained-lowering",
    detail,
    response: "freeze",
    targetPercent,
  });
  lower();
  if (explained) return;
  draft.putHold(made);
  draft.page(
    made.id,
    "critical",
    `${draft.record.service}: HELD, ${detail}`,
    "find out who lowered it, then acknowledge with a reason",
    { runbook: "unexplained-lowering", holdId: made.id },
  );
}
