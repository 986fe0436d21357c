/**
 * What the program declares for a service: config (intent) against record and live rules (reality), with the latch between
 * them. The table and the sequences are `docs/record.md`'s; each row has a test of its own.
 */

import type { Declaration, Intent, LiveTraffic, Notice, Reality, Step } from "./declaration.ts";
import { canaryAsk } from "./declare-canary.ts";
import type { SoakEvidence } from "./gate.ts";
import { judge } from "./gate.ts";
import { note, type Outcome, sharesAt, stay, versionOf, warning } from "./outcome.ts";
import { committedPercent, holdsOn, type Instant, type RolloutRecord } from "./record.ts";
import { holdKey, type Release } from "./releases.ts";
import { attemptIsOver, mayStick } from "./traffic-shares.ts";

/** ALB may go on using old weights for a while, so what lost its weights stays this long. Source: argo-rollouts #4595, 2026-01. */
export const leaveAfterSeconds = 120;

/** A forward action takes five target groups, not adjustable. Source: AWS ALB quotas, read 2026-11. */
export const mostReleasesAttached = 5;

/**
 * Decides what one service's rules shall say after this `up`.
 * @param evidence what the soak's measurements were; `undefined` where none were asked for yet: then a raise is only proposed
 *   (`step: "opening"`), and must be declared again with evidence before it may be applied
 */
export function declare(intent: Intent, reality: Reality, now: Instant, evidence?: SoakEvidence): Declaration {
  switch (reality.kind) {
    case "first":
      return declareFirst(intent);
    case "unknown":
      return declareUnknown(intent, reality.reason, reality.live);
    case "record":
      if (reality.record.retiredAt !== undefined) return declareFirst(intent, reality.record);
      return declareKnown(intent, reality.record, reality.live, now, evidence);
  }
}

/** (a), (q): nothing is known and nothing is live: the baseline takes everything, a canary waits at 0. */
function declareFirst(intent: Intent, tombstone?: RolloutRecord): Declaration {
  const notices: Notice[] = [];
  const refusals: string[] = [];
  if (intent.canary && intent.wavePercent > 0) {
    notices.push(
      warning(
        "staged",
        `${intent.service}: first up, so ${intent.canary.version} is staged at 0 %; the next up may open wave ${intent.wavePercent}`,
      ),
    );
  }
  if (tombstone && holdsOn(tombstone, intent.baseline.digest).length > 0) {
    refusals.push(
      `${intent.service}.baseline: release ${intent.baseline.version} is held from before the service was retired; name another release or acknowledge the hold`,
    );
  }
  if (intent.retire && tombstone)
    notices.push(note("note", `${intent.service}: is retired already; the config may drop it`));
  else if (intent.retire) refusals.push(`${intent.service}.retire: there is nothing to retire yet; leave it out`);
  return {
    ...frame(intent, [intent.baseline, ...(intent.canary ? [intent.canary] : [])]),
    step: "first",
    shares: { [intent.baseline.digest]: 100 },
    exposurePercent: 0,
    fromPercent: 0,
    ...(intent.canary
      ? {
          canary: { digest: intent.canary.digest, attempt: intent.attempt },
          testersReach: tombstone
            ? testersAfter(tombstone, intent.baseline.digest, { digest: intent.canary.digest, attempt: intent.attempt })
            : intent.canary.digest,
          intent: { digest: intent.canary.digest, attempt: intent.attempt, wave: 0 },
        }
      : {}),
    ...(tombstone ? { revision: tombstone.revision, realityGeneration: tombstone.realityGeneration } : {}),
    notices,
    refusals,
  };
}

/** Never a raise, exposure stays what is live, the rest goes through. */
function declareUnknown(intent: Intent, reason: string, live: LiveTraffic | undefined): Declaration {
  const known = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
  const base = frame(intent, known);
  const refusals: string[] = [];
  if (live === undefined) {
    refusals.push(
      `${intent.service}: ${reason}, and the live rules could not be read either; nothing can be declared safely. Restore access and run again`,
    );
  } else {
    const strangers = Object.keys(live.shares).filter((digest) => !known.some((release) => release.digest === digest));
    if (strangers.length > 0 || live.unknownTargetGroupArns.length > 0) {
      refusals.push(
        `${intent.service}: ${reason}, and the live rule sends traffic to ${[...strangers, ...live.unknownTargetGroupArns].join(", ")}, which the config does not name. Name it, or restore the record`,
      );
    }
  }
  const shares = live?.shares ?? { [intent.baseline.digest]: 100 };
  const exposurePercent = intent.canary ? (shares[intent.canary.digest] ?? 0) : 0;
  return {
    ...base,
    step: "none",
    shares,
    exposurePercent,
    fromPercent: exposurePercent,
    ...(intent.canary ? { canary: { digest: intent.canary.digest, attempt: intent.attempt } } : {}),
    notices: [
      warning(
        "unreadable",
        `${intent.service}: ${reason}; exposure stays at the live ${exposurePercent} %${intent.wavePercent > exposurePercent ? `, the raise to ${intent.wavePercent} % is refused` : ""}`,
      ),
    ],
    refusals,
  };
}

function declareKnown(
  intent: Intent,
  record: RolloutRecord,
  live: LiveTraffic | undefined,
  now: Instant,
  evidence: SoakEvidence | undefined,
): Declaration {
  const notices: Notice[] = [];
  const refusals: string[] = [];
  const have = committedPercent(record);
  for (const hold of [
    ...new Set([...holdsOn(record, record.baseline), ...holdsOn(record, record.canary?.digest ?? "")]),
  ]) {
    notices.push(
      warning(
        "hold",
        `${intent.service}: hold ${hold.id} stands (${hold.detail}); acknowledge it with a reason before the next opening`,
      ),
    );
  }
  if (record.mode === "observe" && intent.mode === "act" && Object.keys(record.breaches).length > 0) {
    refusals.push(
      `${intent.service}.mode: cannot go from observe to act while ${Object.keys(record.breaches).join(", ")} is breached; wait until it has recovered`,
    );
  }
  if (intent.retire) refusals.push(...retireProblems(intent, record));

  const plain = baselineAsk(intent, record, now, evidence, notices, refusals);
  const outcome =
    plain ?? canaryAsk(intent, record, notices, refusals, (digest) => judgeWith(record, digest, evidence, now, intent));

  const step: Step = refusals.length > 0 ? "none" : outcome.step;
  const shares = refusals.length > 0 ? sharesAt(record, have) : outcome.shares;
  const baseline = refusals.length > 0 ? record.baseline : outcome.baseline;
  const keepCanary = refusals.length > 0 && record.canary !== undefined;
  const canary = keepCanary
    ? { digest: record.canary?.digest ?? "", attempt: record.canary?.attempt ?? 1 }
    : outcome.canary;
  const exposurePercent = refusals.length > 0 ? have : outcome.exposurePercent;
  const liveSet = liveReleases(intent, record, live, now, baseline, canary?.digest);
  if (liveSet.length > mostReleasesAttached) {
    refusals.push(
      `${intent.service}: ${liveSet.length} releases would hang on one rule (${liveSet.map((release) => release.version).join(", ")}); a forward action takes ${mostReleasesAttached}. Wait ${secondsUntilRoom(record, now)} s until one has left`,
    );
  }
  refusals.push(...sharedGroups(intent, liveSet));
  return {
    ...frame(intent, liveSet),
    step,
    baseline,
    ...(canary ? { canary } : {}),
    ...(record.previous ? { previous: record.previous.digest } : {}),
    shares,
    exposurePercent,
    fromPercent: have,
    stickinessAllowed:
      step !== "lowering" && exposurePercent > 0 && exposurePercent < 100 && (step === "opening" || mayStick(record)),
    testersReach: testersAfter(record, baseline, canary),
    ...(outcome.intent && refusals.length === 0 ? { intent: outcome.intent } : {}),
    realityGeneration: record.realityGeneration,
    revision: record.revision,
    notices,
    refusals,
  };
}

/** The baseline asked for is another than the record's: finish, pinned, or a replacement (b, h, p). */
function baselineAsk(
  intent: Intent,
  record: RolloutRecord,
  now: Instant,
  evidence: SoakEvidence | undefined,
  notices: Notice[],
  refusals: string[],
): Outcome | undefined {
  const asked = intent.baseline;
  if (asked.digest === record.baseline) return undefined;
  const canary = record.canary;

  if (canary && asked.digest === canary.digest && canary.exposurePercent === 100) {
    const verdict = judgeWith(record, canary.digest, evidence, now, intent);
    if (verdict !== undefined && verdict.kind !== "promote") {
      refusals.push(...verdict.reasons.map((reason) => `${intent.service}: finishing ${asked.version}: ${reason}`));
    }
    notices.push(
      note(
        "finish",
        `${intent.service}: finish, ${asked.version} becomes the baseline; the old one stays attached and armed for ${record.rollbackWindowMinutes} min`,
      ),
    );
    return {
      step: "finish",
      baseline: asked.digest,
      ...(intent.canary ? { canary: { digest: intent.canary.digest, attempt: intent.attempt } } : {}),
      shares: { [asked.digest]: 100 },
      exposurePercent: 0,
      intent: { digest: asked.digest, attempt: canary.attempt, wave: 100 },
    };
  }
  const held = holdsOn(record, asked.digest).length > 0 || wasRolledBack(record, asked.digest);
  if (held && intent.replaceBaselineReason === undefined) {
    notices.push(
      warning(
        "pinned",
        `${intent.service}: pinned, ${asked.version} is held and does not come back as baseline; ${versionOf(record, record.baseline)} stays. Name it as baseline again`,
      ),
    );
    return stay(record);
  }
  if (intent.replaceBaselineReason === undefined) {
    refusals.push(
      `${intent.service}.baseline: ${asked.version} is not the record's baseline ${versionOf(record, record.baseline)} and has not finished a rollout${canary?.digest === asked.digest ? ` (it is at ${canary.exposurePercent} %; expected 100 %)` : ""}. Roll it out as canary, or give replaceBaseline with a reason`,
    );
    return stay(record);
  }
  if (holdsOn(record, asked.digest).length > 0) {
    refusals.push(
      `${intent.service}.baseline: ${asked.version} is held; replaceBaseline does not lift a hold. Acknowledge it with a reason first`,
    );
    return stay(record);
  }
  if (held) {
    refusals.push(
      `${intent.service}.baseline: ${asked.version} was rolled back; replaceBaseline does not bring it back. Roll it out as canary with the next attempt`,
    );
    return stay(record);
  }
  if (committedPercent(record) > 0) {
    refusals.push(
      `${intent.service}.replaceBaseline: a canary has ${committedPercent(record)} %; expected 0 %. Abandon it first`,
    );
    return stay(record);
  }
  if (record.paused) refusals.push(`${intent.service}.replaceBaseline: paused by ${record.paused.by}; resume first`);
  notices.push(
    warning(
      "opening",
      `${intent.service}: baseline replaced by ${asked.version} at 100 % (${intent.replaceBaselineReason})`,
    ),
  );
  return {
    step: "replace-baseline",
    baseline: asked.digest,
    shares: { [asked.digest]: 100 },
    exposurePercent: 0,
    intent: { digest: asked.digest, attempt: 1, wave: 100 },
  };
}

/** Without evidence nothing is judged yet; the caller asks again. */
function judgeWith(
  record: RolloutRecord,
  digest: string,
  evidence: SoakEvidence | undefined,
  now: Instant,
  intent: Intent,
) {
  return evidence === undefined ? undefined : judge(record, digest, evidence, now, intent.overrideReason);
}

/** Its last attempt ended in a rollback; acknowledged or not, only a new attempt from the first wave brings it back (B5). */
function wasRolledBack(record: RolloutRecord, digest: string): boolean {
  return attemptIsOver(record, digest, Math.max(record.attempts[holdKey(digest)] ?? 0, 1));
}

/** (n): one release at 100 and no hold, or nothing can be let go. */
function retireProblems(intent: Intent, record: RolloutRecord): string[] {
  const problems: string[] = [];
  if (committedPercent(record) > 0) {
    problems.push(
      `${intent.service}.retire: a canary has ${committedPercent(record)} %; expected one release at 100 %. Finish or abandon first`,
    );
  }
  const standing = Object.values(record.holds).filter((hold) => !hold.acknowledged);
  if (standing.length > 0) {
    problems.push(
      `${intent.service}.retire: ${standing.map((hold) => hold.id).join(", ")} stands; expected no hold. Acknowledge with a reason first`,
    );
  }
  return problems;
}

/** Config and record together: what config no longer names stays until it may go. */
function liveReleases(
  intent: Intent,
  record: RolloutRecord,
  live: LiveTraffic | undefined,
  now: Instant,
  baseline: string,
  canary: string | undefined,
): Release[] {
  const byDigest = new Map<string, Release>();
  const fromRecord = (digest: string) => {
    const release = record.releases[digest];
    if (!release) return;
    byDigest.set(digest, {
      digest,
      version: release.version,
      ...(release.image === undefined ? {} : { image: release.image }),
      ...(release.adopted ? { targetGroupArn: release.targetGroupArn } : {}),
    });
  };
  const named = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
  const take = (digest: string | undefined) => {
    if (digest === undefined || byDigest.has(digest)) return;
    const inConfig = named.find((release) => release.digest === digest);
    // The record's version text wins for bytes it knows: names of groups and alarms hang on it, and must not move.
    if (inConfig) byDigest.set(digest, { ...inConfig, version: record.releases[digest]?.version ?? inConfig.version });
    else fromRecord(digest);
  };
  // What has no traffic yields its adopted group to the other version.
  const isReused = (digest: string) => {
    const release = record.releases[digest] ?? named.find((candidate) => candidate.digest === digest);
    return release !== undefined && [...byDigest.values()].some((taken) => isSameGroup(taken, release));
  };
  take(baseline);
  take(canary);
  for (const release of named) if (!isReused(release.digest)) take(release.digest);
  take(record.baseline);
  const old = record.canary;
  if (old && !mayGo(old, now) && (old.exposurePercent > 0 || !isReused(old.digest))) take(old.digest);
  if (record.previous && record.previous.until > now) take(record.previous.digest);
  // Whatever the record says: an opening that died before its commit has traffic too.
  for (const digest of Object.keys(live?.shares ?? {})) if (!isReused(digest)) take(digest);
  for (const [digest, leftAt] of Object.entries(record.leaving)) {
    if (now - leftAt < leaveAfterSeconds * 1_000 && !isReused(digest)) take(digest);
  }
  return [...byDigest.values()];
}

/** An adopted group serves one release at a time: with two, a return to the one would serve the other. */
function sharedGroups(intent: Intent, liveSet: readonly Release[]): string[] {
  return liveSet.flatMap((release, index) => {
    const other = liveSet.slice(0, index).find((before) => isSameGroup(before, release));
    return other === undefined
      ? []
      : [
          `${intent.service}: ${other.version} and ${release.version} have the same target group ${release.targetGroupArn}, and both are still needed; expected a group for each. Set the other one's wave to 0, or wait until its rollback window is over`,
        ];
  });
}

function isSameGroup(left: Release, right: Release): boolean {
  return left.targetGroupArn !== undefined && left.targetGroupArn === right.targetGroupArn;
}

function mayGo(canary: NonNullable<RolloutRecord["canary"]>, now: Instant): boolean {
  if (canary.exposurePercent > 0) return false;
  return canary.weightsLeftAt === undefined || now - canary.weightsLeftAt >= leaveAfterSeconds * 1_000;
}

function secondsUntilRoom(record: RolloutRecord, now: Instant): number {
  const ends = [
    ...Object.values(record.leaving).map((leftAt) => leftAt + leaveAfterSeconds * 1_000),
    ...(record.previous ? [record.previous.until] : []),
  ].filter((end) => end > now);
  return ends.length === 0 ? leaveAfterSeconds : Math.ceil((Math.min(...ends) - now) / 1_000);
}

function testersAfter(
  record: RolloutRecord,
  baseline: string,
  canary: { readonly digest: string; readonly attempt: number } | undefined,
): string {
  if (!canary) return baseline;
  if (attemptIsOver(record, canary.digest, canary.attempt)) return baseline;
  return holdsOn(record, canary.digest).length === 0 ? canary.digest : baseline;
}

function frame(intent: Intent, liveSet: readonly Release[]) {
  return {
    service: intent.service,
    liveSet,
    baseline: intent.baseline.digest,
    stickinessAllowed: false,
    testersReach: intent.baseline.digest,
    realityGeneration: 0,
    retire: intent.retire,
    ...(intent.overrideReason === undefined ? {} : { overrideReason: intent.overrideReason }),
    ...(intent.replaceBaselineReason === undefined ? {} : { replaceBaselineReason: intent.replaceBaselineReason }),
  };
}
