/**
 * What the program declares for a service: config (intent) against record and live rules (reality), with the latch between
 * them. The table and the sequences are `docs/record.md`'s; each row has a test of its own.
 */

import { capacityAsk, capacityNotice, capacityOf, type Known } from "./capacity.ts";
import type { Declaration, Intent, Notice, Reality, Step } from "./declaration.ts";
import { baselineAsk, judgeWith } from "./declare-baseline.ts";
import { canaryAsk } from "./declare-canary.ts";
import { controlAsk, unrecordedControl } from "./declare-control.ts";
import { declaredFlags, splitProblems } from "./declare-split.ts";
import { settlesAt } from "./gate/cool-off.ts";
import type { SoakEvidence } from "./gate/evidence.ts";
import { instantText } from "./instant-text.ts";
import { liveReleases, mostReleasesAttached, secondsUntilRoom, sharedGroups } from "./live-set.ts";
import { note, sharesAt, warning } from "./outcome.ts";
import { committedPercent, holdsOn, type Instant, type RolloutRecord } from "./record.ts";
import type { Release } from "./releases.ts";
import { attemptIsOver, mayStick } from "./traffic-shares.ts";

/**
 * Decides what one service's rules shall say after this `up`.
 * @param evidence what the soak's measurements were; `undefined` where none were asked for yet: then a raise is only proposed
 *   (`step: "opening"`), and must be declared again with evidence before it may be applied
 * @param against reasons found elsewhere why this `up` must not go on (`adoption.ts`)
 */
export function declare(
  intent: Intent,
  reality: Reality,
  now: Instant,
  evidence?: SoakEvidence,
  against: readonly string[] = [],
): Declaration {
  switch (reality.kind) {
    case "first":
      return declareFirst(intent, against);
    case "unknown":
      return declareUnknown(intent, reality, against);
    case "record":
      if (reality.record.retiredAt !== undefined) return declareFirst(intent, against, reality.record);
      return declareKnown(intent, { ...reality, now }, evidence, against);
  }
}

/** (a), (q): nothing is known and nothing is live: the baseline takes everything, a canary waits at 0. */
function declareFirst(intent: Intent, against: readonly string[], tombstone?: RolloutRecord): Declaration {
  const notices: Notice[] = [];
  const refusals: string[] = [...against];
  const control = unrecordedControl(intent);
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
    ...(control ? { control } : {}),
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
    ...declaredFlags(intent.split, undefined, { step: "first", exposurePercent: 0 }),
    notices,
    refusals,
  };
}

/** Never a raise, exposure stays what is live, the rest goes through. */
function declareUnknown(
  intent: Intent,
  { reason, live, isLost }: Extract<Reality, { kind: "unknown" }>,
  against: readonly string[],
): Declaration {
  const known = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
  const base = frame(intent, known);
  const refusals: string[] = [...against];
  if (intent.retire) {
    refusals.push(
      `${intent.service}.retire: ${reason}, so nobody knows whether a canary has traffic or a hold stands; expected a readable record. Take retire out, or run up again once it can be read`,
    );
  }
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
  if (intent.split?.flag !== undefined) {
    refusals.push(
      `${intent.service}.split: ${reason}, so nobody knows how far flag ${intent.split.flag} may be on; expected a readable record. Run up again once it can be read, or kill`,
    );
  }
  const shares = live?.shares ?? { [intent.baseline.digest]: 100 };
  const exposurePercent = intent.canary ? (shares[intent.canary.digest] ?? 0) : 0;
  if (intent.workload && (!isLost || exposurePercent > 0)) {
    refusals.push(
      `${intent.service}.workload: ${reason}, so nobody knows how many processes a rollback needs; expected ${isLost ? `no canary with traffic, live has ${exposurePercent} %. Take it to 0 (tidegate kill), then run up again` : "a readable record. Run up again once it can be read"}`,
    );
  }
  const control = unrecordedControl(intent, live);
  return {
    ...base,
    step: "none",
    ...(control ? { control } : {}),
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
  known: Known,
  evidence: SoakEvidence | undefined,
  against: readonly string[],
): Declaration {
  const { record, live, now } = known;
  const notices: Notice[] = [];
  const refusals: string[] = [...against];
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
  const control = controlAsk(intent, record, live, now, outcome, notices, refusals);
  capacityAsk(intent, outcome, known, notices, refusals);
  refusals.push(...splitProblems(intent, record, outcome.step));
  notices.push(...settlingNotice(intent, outcome.step, record, now));

  const step: Step = refusals.length > 0 ? "none" : outcome.step;
  const shares = refusals.length > 0 ? sharesAt(record, have) : outcome.shares;
  const baseline = refusals.length > 0 ? record.baseline : outcome.baseline;
  const keepCanary = refusals.length > 0 && record.canary !== undefined;
  const canary = keepCanary
    ? { digest: record.canary?.digest ?? "", attempt: record.canary?.attempt ?? 1 }
    : outcome.canary;
  const exposurePercent = refusals.length > 0 ? have : outcome.exposurePercent;
  const liveSet = liveReleases(intent, record, live, now, baseline, canary?.digest);
  if (liveSet.length + (control ? 1 : 0) > mostReleasesAttached) {
    const named = [...liveSet.map((release) => release.version), ...(control ? ["the control"] : [])];
    refusals.push(
      `${intent.service}: ${named.length} releases would hang on one rule (${named.join(", ")}); a forward action takes ${mostReleasesAttached}. Wait ${secondsUntilRoom(record, now)} s until one has left`,
    );
  }
  refusals.push(...sharedGroups(intent, liveSet, control));
  const declared = { step, baseline, ...(canary ? { canary } : {}), exposurePercent, liveSet };
  const capacity = capacityOf(intent, declared, known);
  notices.push(...capacityNotice(intent.service, declared, capacity, record));
  return {
    ...frame(intent, liveSet),
    ...(Object.keys(capacity).length > 0 ? { capacity } : {}),
    step,
    baseline,
    ...(canary ? { canary } : {}),
    ...(record.previous ? { previous: record.previous.digest } : {}),
    ...(control ? { control } : {}),
    shares,
    exposurePercent,
    fromPercent: have,
    ...declaredFlags(intent.split, record, { step, exposurePercent }),
    stickinessAllowed:
      step !== "lowering" && exposurePercent > 0 && exposurePercent < 100 && (step === "opening" || mayStick(record)),
    testersReach: testersAfter(record, baseline, canary),
    ...(outcome.intent && refusals.length === 0 ? { intent: outcome.intent } : {}),
    ...(outcome.verdict ? { verdict: outcome.verdict } : {}),
    realityGeneration: record.realityGeneration,
    revision: record.revision,
    recorded: {
      mode: record.mode,
      plan: record.plan,
      ...(record.targetGroup === undefined ? {} : { targetGroup: record.targetGroup }),
      openedFromPercent: step === "opening" ? have : (record.canary?.openedFromPercent ?? exposurePercent),
    },
    notices,
    refusals,
  };
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

/** A next attempt that old points may still speak against: it opens, and whoever opens it knows. */
function settlingNotice({ service, canary }: Intent, step: Step, record: RolloutRecord, now: number): Notice[] {
  if (step !== "opening" || !canary || committedPercent(record) > 0) return [];
  const until = settlesAt(record, canary.digest);
  if (until === undefined || now >= until) return [];
  return [
    warning(
      "detection",
      `${service}: until ${instantText(until)} alarms of ${canary.version} may still look back at what its last attempt did, and lower it for that; wait until then to be judged by this attempt alone`,
    ),
  ];
}
