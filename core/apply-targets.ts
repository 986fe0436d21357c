/**
 * From open breaches, and from holds that peers told of, to a lower exposure: the lowest stored target wins, the receiver is looked at
 * first (B12), and every lowering closes the latch with a hold.
 */

import { runbookOfObjective } from "./breaches.ts";
import { currentAttempt, grantedPercent, holdOf, holdsOnPrevious, lowerCanary, returnToPrevious } from "./lowering.ts";
import { loweringResponses } from "./objectives.ts";
import type { Observation } from "./observation.ts";
import { versionOf } from "./outcome.ts";
import { type Breach, committedPercent, countsNow, type Hold, type Instant, type RolloutRecord } from "./record.ts";
import type { RecordDraft } from "./record-draft.ts";
import { isShared, sparedMilliseconds } from "./shared-fate.ts";

export function applyTargets(draft: RecordDraft, seen: Observation): void {
  applyToBaseline(draft, seen);
  applyToCanary(draft, seen);
  applyPeerHolds(draft, seen);
}

/** Holds of other regions that want traffic away from a release here. Observing, nothing is done (B13). */
export function peerHoldsToApply(record: RolloutRecord, now: Instant): Hold[] {
  if (record.mode === "observe") return [];
  const { canary, baseline, previous } = record;
  const most = canary === undefined ? 0 : grantedPercent(record, canary.digest, now);
  return Object.values(record.holds).filter((hold) => {
    if (hold.cause !== "peer" || hold.acknowledged || !loweringResponses.has(hold.response)) return false;
    if (hold.digest === canary?.digest) return hold.targetPercent < most;
    return hold.digest === baseline && previous !== undefined && previous.until > now;
  });
}

/** Hold and page are there already, put by whoever told: what is left is the lowering, however often this is asked. */
function applyPeerHolds(draft: RecordDraft, seen: Observation): void {
  for (const { digest, targetPercent } of peerHoldsToApply(draft.record, draft.now)) {
    const { baseline, previous } = draft.record;
    if (digest !== baseline) {
      if (!receiverIsLost(draft, seen, baseline, digest)) lowerCanary(draft, targetPercent);
    } else if (
      previous &&
      !previousIsHeld(draft, previous.digest) &&
      !receiverIsLost(draft, seen, previous.digest, baseline)
    ) {
      returnToPrevious(draft);
    }
  }
}

/** Breaches that want traffic away from a release now. */
function driving(draft: RecordDraft, digest: string): Breach[] {
  // A breach of before the switch to observe is recorded and no more.
  if (draft.record.mode === "observe") return [];
  return Object.values(draft.record.breaches).filter(
    (breach) => !breach.observed && breach.digest === digest && loweringResponses.has(breach.response),
  );
}

function applyToCanary(draft: RecordDraft, seen: Observation): void {
  const canary = draft.record.canary;
  if (!canary) return;
  const breaches = driving(draft, canary.digest);
  const worst = breaches.reduce<Breach | undefined>(
    (lowest, breach) => (lowest === undefined || breach.targetPercent < lowest.targetPercent ? breach : lowest),
    undefined,
  );
  if (!worst) return;
  const live = seen.live?.shares[canary.digest] ?? 0;
  const most = Math.max(committedPercent(draft.record), grantedPercent(draft.record, canary.digest, draft.now), live);
  const held = draft.record.holds[worst.id];
  const alreadyApplied = held !== undefined && held.targetPercent <= worst.targetPercent;
  if (worst.targetPercent >= most || (alreadyApplied && committedPercent(draft.record) <= worst.targetPercent)) return;
  const anyway = breaches.some((breach) => breach.disableAnyway);
  if (!anyway && receiverIsLost(draft, seen, draft.record.baseline, canary.digest)) return;
  if (!anyway && dependencyFails(draft, seen, breaches)) return;

  const from = Math.max(live, committedPercent(draft.record));
  const detail = `${worst.objective} (${worst.severity}) of ${versionOf(draft.record, canary.digest)} at ${worst.exposureAtStartPercent} %`;
  lowerCanary(draft, worst.targetPercent);
  draft.putHold(
    holdOf(draft.record, {
      id: worst.id,
      scope: "digest",
      digest: canary.digest,
      at: draft.now,
      cause: "breach",
      detail,
      response: worst.response,
      targetPercent: worst.targetPercent,
    }),
  );
  const done = worst.targetPercent === 0 ? "ROLLED BACK" : "LOWERED";
  draft.page(
    `${worst.id}-to-${worst.targetPercent}`,
    // A release that is out altogether wakes somebody, however it came to that (B2).
    worst.targetPercent === 0 ? "critical" : worst.severity,
    `${draft.record.service}: ${done} from ${from} % to ${worst.targetPercent} %, ${detail}`,
    "look at the release, then acknowledge the hold with a reason",
    { runbook: runbookOfObjective(draft.record, worst.objective), holdId: worst.id },
  );
}

/** (h): inside the rollback window every lowering response of the new baseline means the previous release at 100. */
function applyToBaseline(draft: RecordDraft, seen: Observation): void {
  const bad = draft.record.baseline;
  const previous = draft.record.previous;
  const worst = driving(draft, bad)[0];
  if (!worst || !previous || previous.until <= draft.now) return;
  if (previousIsHeld(draft, previous.digest)) return;
  if (!worst.disableAnyway && receiverIsLost(draft, seen, previous.digest, bad)) return;
  const attempt = currentAttempt(draft.record, bad);
  const detail = `${worst.objective} (${worst.severity}) of ${versionOf(draft.record, bad)} after its finish`;
  returnToPrevious(draft);
  draft.putHold({
    ...holdOf(draft.record, {
      id: worst.id,
      scope: "digest",
      digest: bad,
      at: draft.now,
      cause: "breach",
      detail,
      response: worst.response,
      targetPercent: 0,
    }),
    attempt,
  });
  draft.page(
    `${worst.id}-to-0`,
    "critical",
    `${draft.record.service}: ROLLED BACK to ${versionOf(draft.record, previous.digest)}, ${detail}`,
    "name the previous release as baseline again, then acknowledge the hold with a reason",
    { runbook: runbookOfObjective(draft.record, worst.objective), holdId: worst.id },
  );
}

/** Begins the id of the hold that says so: other holds of its cause say that there is no previous release at all. */
const previousHeld = "previous-held-";

/** Two bad releases and nothing else: which of them is the lesser evil is a human's decision. */
function previousIsHeld(draft: RecordDraft, previous: string): boolean {
  const { record } = draft;
  const holds = holdsOnPrevious(record);
  if (holds.length === 0) return false;
  const ids = holds.map((hold) => hold.id).join(", ");
  const isTold = Object.values(record.holds).some(
    (hold) => hold.id.startsWith(previousHeld) && hold.digest === record.baseline && !hold.acknowledged,
  );
  if (!isTold) {
    const id = `${previousHeld}${draft.now}`;
    const detail = `the previous release ${versionOf(record, previous)} is held (${ids}), so ${versionOf(record, record.baseline)} keeps its traffic`;
    draft.putHold(
      holdOf(record, {
        id,
        scope: "service",
        digest: record.baseline,
        at: draft.now,
        cause: "no-other-release",
        detail,
        response: "freeze",
        targetPercent: 100 - committedPercent(record),
      }),
    );
    draft.page(
      id,
      "critical",
      `${record.service}: FROZEN, ${versionOf(record, record.baseline)} should go back and ${detail}`,
      `roll a third release out; or acknowledge ${ids} if that one may have all traffic: it goes back by itself then`,
      { runbook: "no-other-release", holdId: id },
    );
  }
  return true;
}

/** Only known sickness freezes: the receiver has no healthy host and the giver has some. */
function receiverIsLost(draft: RecordDraft, seen: Observation, receiver: string, giver: string): boolean {
  const there = seen.health[receiver];
  const here = seen.health[giver];
  if (!there || !here || there.healthyCount > 0 || here.healthyCount === 0) return false;
  const standing = Object.values(draft.record.holds).some(
    (hold) => hold.cause === "receiver-lost" && !hold.acknowledged,
  );
  if (!standing) {
    const id = `receiver-lost-${draft.now}`;
    const detail = `${versionOf(draft.record, receiver)} has no healthy host, so ${versionOf(draft.record, giver)} keeps its traffic`;
    draft.putHold(
      holdOf(draft.record, {
        id,
        scope: "service",
        digest: giver,
        at: draft.now,
        cause: "receiver-lost",
        detail,
        response: "freeze",
        targetPercent: committedPercent(draft.record),
      }),
    );
    draft.page(
      id,
      "critical",
      `${draft.record.service}: FROZEN, a breach stands and ${detail}`,
      "bring the receiver back; lowering goes on by itself then",
      { runbook: "receiver-lost", holdId: id },
    );
  }
  return true;
}

/** Both releases fail alike: lowering would help nobody, the dependency's owner can (B10). Judged anew at every look. */
function dependencyFails(draft: RecordDraft, seen: Observation, breaches: readonly Breach[]): boolean {
  const { record } = draft;
  const { alarms, values } = seen;
  const standing = Object.values(record.holds).find((hold) => hold.cause === "dependency" && !hold.acknowledged);
  if (standing && draft.now - standing.at >= sparedMilliseconds) return false;
  const counting = new Set(
    record.alarms.filter((alarm) => countsNow(record, alarm, draft.now)).map(({ alarmName }) => alarmName),
  );
  const speaking = new Set(
    (alarms ?? [])
      .filter(({ state, alarmName }) => state === "ALARM" && counting.has(alarmName))
      .map(({ alarmName }) => alarmName),
  );
  // A hold put for what is over says nothing of a breach that began since.
  const isSpared = (breach: Breach) => standing !== undefined && breach.startedAt <= standing.at;
  const canCompare = alarms !== undefined && values !== undefined;
  const areShared = breaches.every((breach) =>
    canCompare ? isShared(record, breach, speaking, values, draft.now, isSpared(breach)) : isSpared(breach),
  );
  if (!areShared) return false;
  if (!standing) {
    const id = `dependency-${draft.now}`;
    const what = breaches.map((breach) => `${breach.objective} (${breach.severity})`).join(", ");
    const detail = `${what} of both releases alike, so lowering would help nobody`;
    const owner = record.dependencyOwner;
    draft.putHold(
      holdOf(record, {
        id,
        scope: "service",
        digest: breaches[0]?.digest ?? record.baseline,
        at: draft.now,
        cause: "dependency",
        detail,
        response: "freeze",
        targetPercent: committedPercent(record),
      }),
    );
    draft.page(
      id,
      "critical",
      `${record.service}: FROZEN at ${committedPercent(record)} %, ${detail}`,
      `${owner === undefined ? "whoever owns what both depend on" : owner} has to act; the canary is lowered by itself should it become the worse one, or after ${sparedMilliseconds / 60_000} min of this`,
      { runbook: "dependency-outage", holdId: id, ...(owner === undefined ? {} : { owner }) },
    );
  }
  return true;
}
