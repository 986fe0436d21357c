/** What the config asks for its baseline, where that is another than the record's: a finish, a pin, or a replacement. */
import type { Intent, Notice } from "./declaration.ts";
import { readFreezes } from "./freeze-calendar.ts";
import type { SoakEvidence } from "./gate/evidence.ts";
import { judge } from "./gate/judge.ts";
import { judged, note, type Outcome, stay, tellVerdict, versionOf, warning } from "./outcome.ts";
import { committedPercent, holdsOn, type Instant, type RolloutRecord } from "./record.ts";
import { holdKey } from "./releases.ts";
import { attemptIsOver } from "./traffic-shares.ts";

/** The baseline asked for is another than the record's: finish, pinned, or a replacement (b, h, p). */
export function baselineAsk(
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
    const found = judgeWith(record, canary.digest, evidence, now, intent);
    const verdict = tellVerdict(intent.service, { kind: "finish", version: asked.version }, found, notices);
    if (verdict !== undefined && verdict.kind !== "promote") {
      refusals.push(...verdict.reasons.map((reason) => `${intent.service}: finishing ${asked.version}: ${reason}`));
    }
    notices.push(
      note(
        "finish",
        `${intent.service}: finish, ${asked.version} becomes the baseline; the old one stays attached and armed for ${record.rollbackWindowMinutes} min`,
      ),
    );
    const outcome: Outcome = {
      step: "finish",
      baseline: asked.digest,
      ...(intent.canary ? { canary: { digest: intent.canary.digest, attempt: intent.attempt } } : {}),
      shares: { [asked.digest]: 100 },
      exposurePercent: 0,
      intent: { digest: asked.digest, attempt: canary.attempt, wave: 100 },
    };
    return judged(outcome, verdict);
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
      `${intent.service}.baseline: ${asked.version} is not the record's baseline ${versionOf(record, record.baseline)} and has not finished a rollout${canary?.digest === asked.digest ? ` (it is at ${canary.exposurePercent} %; expected 100 %)` : ""}. Roll it out as canary, or give replaceBaselineReason`,
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
  refusals.push(...freezeRefusals(intent, now));
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

/** A replacement takes all traffic at once, and the gate is not asked: it waits for the freezes that a wave waits for (C1). */
function freezeRefusals({ service, freezes = [] }: Intent, now: Instant): string[] {
  const { problems, activeAt } = readFreezes(freezes, `${service}.replaceBaseline: freezes`);
  if (problems.length > 0) return [...problems];
  return activeAt(new Date(now)).map(
    ({ name, endsAt }) =>
      `${service}.replaceBaseline: change freeze ${name} is in force until ${endsAt}; no baseline is replaced before`,
  );
}

/** Without evidence nothing is judged yet; the caller asks again. */
export function judgeWith(
  record: RolloutRecord,
  digest: string,
  evidence: SoakEvidence | undefined,
  now: Instant,
  intent: Intent,
) {
  if (evidence === undefined) return undefined;
  const { overrideReason } = intent;
  return judge(record, digest, evidence, now, overrideReason === undefined ? {} : { overrideReason });
}

/** Its last attempt ended in a rollback; acknowledged or not, only a new attempt from the first wave brings it back (B5). */
function wasRolledBack(record: RolloutRecord, digest: string): boolean {
  return attemptIsOver(record, digest, Math.max(record.attempts[holdKey(digest)] ?? 0, 1));
}
