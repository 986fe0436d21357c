/**
 * What the config asks for its canary, against what the canary has: lowered, the same, pinned, opened or refused.
 * The heart of the latch: a config that merely still says what it said is pinned, one that asks for more is judged.
 */
import type { Intent, Notice } from "./declaration.ts";
import type { Verdict } from "./gate/verdict.ts";
import { judged, note, type Outcome, sharesAt, stay, tellVerdict, versionOf, warning } from "./outcome.ts";
import { nextWaveAbove } from "./plans.ts";
import { committedPercent, holdsOn, type RolloutRecord } from "./record.ts";
import { holdKey } from "./releases.ts";
import { attemptIsOver } from "./traffic-shares.ts";

/** The gate's word on a digest; `undefined` while no evidence was gathered. */
type Gate = (digest: string) => Verdict | undefined;

export function canaryAsk(
  intent: Intent,
  record: RolloutRecord,
  notices: Notice[],
  refusals: string[],
  gate: Gate,
): Outcome {
  const asked = intent.canary;
  if (!asked) return abandon(intent, record, notices);
  if (record.canary && record.canary.digest !== asked.digest && record.canary.exposurePercent > 0) {
    const attempt = attemptAsk(intent, record, 0);
    if (attempt.kind === "refused") refusals.push(...attempt.reasons);
    return replaceCanary(intent, record, notices, refusals);
  }
  const have = record.canary?.digest === asked.digest ? record.canary.exposurePercent : 0;
  const want = intent.wavePercent;
  const where = `${intent.service}.wave`;
  const asksAs = { digest: asked.digest, attempt: intent.attempt };

  const attempt = attemptAsk(intent, record, have);
  if (attempt.kind === "refused") refusals.push(...attempt.reasons);
  if (attempt.kind !== "goes-on") {
    if (attempt.kind === "pinned") notices.push(warning("pinned", attempt.text));
    return record.canary?.digest === asked.digest ? stay(record) : staged(record, asksAs);
  }

  if (want < have) {
    notices.push(
      warning(
        "lowering",
        `${intent.service}: LOWERS ${asked.version} from ${have} % to ${want} %, as the config says; back up is one wave an up`,
      ),
    );
    return {
      step: "lowering",
      baseline: record.baseline,
      canary: asksAs,
      shares: sharesAt(record, want, asked.digest),
      exposurePercent: want,
      intent: { ...asksAs, wave: want },
    };
  }
  if (want === have) {
    return { ...staged(record, asksAs, have), intent: { ...asksAs, wave: want } };
  }

  const next = nextWaveAbove(intent.plan, have);
  const last = record.lastIntent;
  const merelyStillSays =
    last !== undefined && last.digest === asked.digest && last.attempt === intent.attempt && last.wave === want;
  if (merelyStillSays) return pinnedOrResumed(intent, record, have, next?.exposurePercent, notices, gate);

  if (next === undefined || want > next.exposurePercent) {
    refusals.push(
      `${where}: skips a wave, got ${want} after ${have}; expected ${next?.exposurePercent ?? have}. Open one wave an up`,
    );
    return stay(record);
  }
  if (want !== next.exposurePercent) {
    refusals.push(`${where}: no wave of the plan, got ${want}; expected ${next.exposurePercent}`);
    return stay(record);
  }
  const question = { kind: "wave", fromPercent: have, toPercent: want } as const;
  const verdict = tellVerdict(intent.service, question, gate(asked.digest), notices);
  if (verdict && verdict.kind !== "promote") {
    const told = verdict.kind === "cannot-tell" ? `cannot tell (${verdict.measured} measured)` : verdict.kind;
    refusals.push(...verdict.reasons.map((reason) => `${where}: ${have} to ${want} refused, ${told}: ${reason}`));
    return judged(stay(record), verdict);
  }
  notices.push(note("opening", `${intent.service}: opens wave ${want} for ${asked.version} (from ${have} %)`));
  return judged(opening(record, asksAs, want, { ...asksAs, wave: want }), verdict);
}

/** After a lowering was acknowledged and its soak served, the wave the config still asks for may be approached again (d). */
function pinnedOrResumed(
  intent: Intent,
  record: RolloutRecord,
  have: number,
  nextPercent: number | undefined,
  notices: Notice[],
  gate: Gate,
): Outcome {
  const digest = intent.canary?.digest ?? "";
  const asksAs = { digest, attempt: intent.attempt };
  const canary = record.canary;
  const acknowledged = have > 0 && holdsOn(record, digest).length === 0 && canary !== undefined;
  if (acknowledged && nextPercent !== undefined && nextPercent <= intent.wavePercent) {
    const question = { kind: "wave", fromPercent: have, toPercent: nextPercent } as const;
    const verdict = tellVerdict(intent.service, question, gate(digest), notices);
    if (verdict === undefined || verdict.kind === "promote") {
      notices.push(
        note(
          "opening",
          `${intent.service}: the lowering to ${have} % was acknowledged and its soak served; opens wave ${nextPercent}`,
        ),
      );
      return judged(opening(record, asksAs, nextPercent, { ...asksAs, wave: intent.wavePercent }), verdict);
    }
    notices.push(
      warning(
        "pinned",
        `${intent.service}: pinned at ${have} %, the config still says ${intent.wavePercent}; not yet: ${verdict.reasons.join("; ")}`,
      ),
    );
    return judged(stay(record), verdict);
  }
  notices.push(
    warning(
      "pinned",
      `${intent.service}: pinned at ${have} %, the config still says ${intent.wavePercent} for ${versionOf(record, digest)}; ${howToGoOn(record, digest, intent.attempt)}`,
    ),
  );
  return stay(record);
}

function howToGoOn(record: RolloutRecord, digest: string, attempt: number): string {
  const holds = holdsOn(record, digest);
  if (holds.length > 0) return `acknowledge ${holds.map((hold) => hold.id).join(", ")} with a reason first`;
  if (attemptIsOver(record, digest, attempt)) return `set attempt: ${attempt + 1} and the first wave to try again`;
  return "ask for the next wave of the plan to go on";
}

/** Attempts count per release and start at 1; the next one comes only after a rollback, and starts over. */
function attemptAsk(
  intent: Intent,
  record: RolloutRecord,
  have: number,
): { kind: "goes-on" } | { kind: "pinned"; text: string } | { kind: "refused"; reasons: string[] } {
  const digest = intent.canary?.digest ?? "";
  const where = `${intent.service}.attempt`;
  const used = record.attempts[holdKey(digest)] ?? 0;
  const current = Math.max(used, 1);
  const over = attemptIsOver(record, digest, current);
  const holds = holdsOn(record, digest);
  const last = record.lastIntent;
  const first = intent.plan.waves[0]?.exposurePercent ?? 100;
  const asksNoMore =
    intent.wavePercent <= have ||
    (last !== undefined && last.digest === digest && last.attempt >= intent.attempt && intent.wavePercent <= last.wave);

  if (intent.attempt === current && !over) return { kind: "goes-on" };
  if (intent.attempt === current) {
    const text = `${intent.service}: pinned at ${have} %, attempt ${current} ended in a rollback; ${howToGoOn(record, digest, current)}`;
    if (asksNoMore) return { kind: "pinned", text };
    return {
      kind: "refused",
      reasons: [
        `${intent.service}.wave: ${intent.wavePercent} refused, attempt ${current} ended in a rollback; ${howToGoOn(record, digest, current)}`,
      ],
    };
  }
  if (intent.attempt === current + 1 && over) {
    const reasons: string[] = [];
    for (const hold of holds) {
      reasons.push(
        `${where}: hold ${hold.id} is not acknowledged (${hold.detail}); acknowledge it with a reason first`,
      );
    }
    if (intent.wavePercent > first) {
      reasons.push(`${intent.service}.wave: a new attempt starts over, got ${intent.wavePercent}; expected ${first}`);
    }
    return reasons.length > 0 ? { kind: "refused", reasons } : { kind: "goes-on" };
  }
  if (intent.attempt < current && asksNoMore) {
    return {
      kind: "pinned",
      text: `${intent.service}: pinned at ${have} %, attempt ${intent.attempt} is past; the record is at attempt ${current}`,
    };
  }
  return {
    kind: "refused",
    reasons: [
      `${where}: got ${intent.attempt}; expected ${over ? current + 1 : current} for this release. Attempts count per release and rise by one after each rollback`,
    ],
  };
}

/** (f) Dropping the canary without moving the baseline. */
function abandon(intent: Intent, record: RolloutRecord, notices: Notice[]): Outcome {
  const have = committedPercent(record);
  if (have === 0) {
    return {
      step: "none",
      baseline: record.baseline,
      shares: { [record.baseline]: 100 },
      exposurePercent: 0,
      // Nothing new is asked for, and saying the same again keeps an idle up without a diff.
      ...(record.lastIntent ? { intent: record.lastIntent } : {}),
    };
  }
  const digest = record.canary?.digest ?? "";
  notices.push(
    warning(
      "lowering",
      `${intent.service}: ABANDONS ${versionOf(record, digest)} at ${have} %; all traffic goes to ${versionOf(record, record.baseline)}`,
    ),
  );
  return {
    step: "lowering",
    baseline: record.baseline,
    shares: { [record.baseline]: 100 },
    exposurePercent: 0,
    intent: { digest, attempt: record.canary?.attempt ?? 1, wave: 0 },
  };
}

/** (g), (o) Another release while one is exposed: this up takes the old one to 0 and stages the new one. */
function replaceCanary(intent: Intent, record: RolloutRecord, notices: Notice[], refusals: string[]): Outcome {
  const old = record.canary;
  const asked = intent.canary;
  if (!old || !asked) return stay(record);
  const open = Object.values(record.breaches).filter((breach) => breach.digest === old.digest && !breach.observed);
  if (open.length > 0) {
    refusals.push(
      `${intent.service}.canary: ${versionOf(record, old.digest)} has an open breach (${open.map((breach) => breach.objective).join(", ")}) and still ${old.exposurePercent} %; wait until it is lowered`,
    );
  }
  if (old.exposurePercent === 100) {
    refusals.push(
      `${intent.service}.canary: ${versionOf(record, old.digest)} is at 100 % and not finished; name it as baseline first, or set its wave to 0`,
    );
  }
  if (refusals.length > 0) return stay(record);
  notices.push(
    warning(
      "lowering",
      `${intent.service}: LOWERS ${versionOf(record, old.digest)} from ${old.exposurePercent} % to 0 % for another release; ${asked.version} is staged at 0 %, the next up may open its first wave`,
    ),
  );
  return {
    step: "lowering",
    baseline: record.baseline,
    canary: { digest: asked.digest, attempt: intent.attempt },
    shares: { [record.baseline]: 100 },
    exposurePercent: 0,
    intent: { digest: asked.digest, attempt: intent.attempt, wave: 0 },
  };
}

function staged(record: RolloutRecord, canary: { digest: string; attempt: number }, exposurePercent = 0): Outcome {
  return {
    step: "none",
    baseline: record.baseline,
    canary,
    shares: sharesAt(record, exposurePercent, canary.digest),
    exposurePercent,
  };
}

function opening(
  record: RolloutRecord,
  canary: { digest: string; attempt: number },
  toPercent: number,
  intent: { digest: string; attempt: number; wave: number },
): Outcome {
  return {
    step: "opening",
    baseline: record.baseline,
    canary,
    shares: sharesAt(record, toPercent, canary.digest),
    exposurePercent: toPercent,
    intent,
  };
}
