/**
 * The promotion gate: may this release go on to the next wave? (C1, B8) No data never promotes. Each rule gives its findings, met or not,
 * and the worst of them decides. Skipped waves and attempts are the declaration's business.
 */

import { budgetText, leastBudgetLeftFraction, pausesAdvances } from "../error-budget.ts";
import { instantText } from "../instant-text.ts";
import { type Wave, waveAt } from "../plans.ts";
import type { CanaryState, Instant, RolloutRecord } from "../record.ts";
import { holdsOn } from "../record.ts";
import { approvalFindings } from "./approvals.ts";
import { freezeFindings } from "./change-freeze.ts";
import { checkFindings } from "./checks.ts";
import { comparisonFindings } from "./comparison.ts";
import { coolOffFindings } from "./cool-off.ts";
import { arrivalFindings, criteriaFindings } from "./criteria.ts";
import { defaultGateSettings, type SoakEvidence } from "./evidence.ts";
import { knownGoodFinding } from "./known-good.ts";
import { ladderFindings } from "./ladder.ts";
import { cannotTell, type Finding, met, type Verdict, verdictOf } from "./verdict.ts";

/** Half of the soak must have been visible to the alarms, or passing it proves little. */
export const leastWatchedFraction = 0.5;

/** Of what an `up` asks for, what the record does not know yet. */
export interface JudgeOptions {
  /**
   * A person's reason to go on all the same: lifts what is asked of soak, measurement, checks, environments below, cool-off and budget; never
   * a hold, a pause, a breach, an alarm, a change freeze or a signature.
   */
  readonly overrideReason?: string;
}

/**
 * Judges the soak of the exposure that the canary has now.
 * At exposure 0 there is no soak yet: only what does not need one counts.
 * @param digest the release that is to rise, or to finish
 */
export function judge(
  record: RolloutRecord,
  digest: string,
  evidence: SoakEvidence,
  now: Instant,
  { overrideReason }: JudgeOptions = {},
): Verdict {
  const canary = record.canary?.digest === digest && record.canary.exposurePercent > 0 ? record.canary : undefined;
  const knownGood = canary && knownGoodFinding(record, digest);
  const provenSoFar = canary
    ? [...soakFindings(record, canary, evidence, now), ...besideFindings(record, canary, evidence)]
    : [...ladderFindings(evidence.ladder, evidence.settings), ...coolOffFindings(record, digest, now)];
  const liftable: Finding[] = [
    ...(canary ? silenceFindings(evidence.fellSilent) : []),
    ...(knownGood ? [knownGood] : provenSoFar),
    ...budgetFindings(evidence.errorBudget),
    ...figureFindings(evidence.figuresUnreadable),
    ...checkFindings(evidence.checks, now),
  ];
  return verdictOf([
    ...standingFindings(record, digest),
    ...alarmFindings(record, evidence.alarmsInAlarm),
    ...approvalFindings(evidence.approvals, digest, now, record),
    ...freezeFindings(evidence.freezes),
    ...(overrideReason === undefined ? liftable : liftable.map((finding) => ({ ...finding, isOverridden: true }))),
  ]);
}

/** What somebody or something has stopped: only lifting it helps. */
function standingFindings(record: RolloutRecord, digest: string): Finding[] {
  const holds = holdsOn(record, digest).map((hold): Finding => {
    const text = `hold ${hold.id} stands since ${instantText(hold.at)} (${hold.detail}); acknowledge it with a reason first`;
    return { rule: "hold", verdict: "monitor", text };
  });
  const { paused } = record;
  const pauses: Finding[] = paused
    ? [
        {
          rule: "pause",
          verdict: "monitor",
          text: `paused by ${paused.by} since ${instantText(paused.at)} (${paused.reason}); resume first`,
        },
      ]
    : [];
  // Observed objectives are recorded and reported, and stop nothing (B13).
  const breaches = Object.values(record.breaches).flatMap((breach): Finding[] => {
    if (breach.observed) return [];
    const text = `breach of ${breach.objective} (${breach.severity}) open since ${instantText(breach.startedAt)}`;
    return [{ rule: "breach", verdict: "roll-back", text }];
  });
  return [
    ...(holds.length > 0 ? holds : [met("hold", "no hold stands")]),
    ...pauses,
    ...(breaches.length > 0 ? breaches : [met("breach", "no breach is open")]),
  ];
}

function alarmFindings(record: RolloutRecord, alarmsInAlarm: SoakEvidence["alarmsInAlarm"]): Finding[] {
  if (alarmsInAlarm === undefined) return [cannotTell("alarm", "nothing", "the alarm states could not be read")];
  const observed = new Set(record.alarms.filter((alarm) => alarm.mode === "observe").map((alarm) => alarm.alarmName));
  const speaking = alarmsInAlarm
    .filter((name) => !observed.has(name))
    .map((name): Finding => ({ rule: "alarm", verdict: "roll-back", text: `alarm ${name} is in ALARM` }));
  return speaking.length > 0 ? speaking : [met("alarm", "no alarm is in ALARM")];
}

/** Below a tenth no wave opens (C2); a budget that cannot be read may be spent (docs/decisions/0019). */
function budgetFindings(budget: SoakEvidence["errorBudget"]): Finding[] {
  if (budget === undefined) return [];
  if ("unreadable" in budget) {
    return [cannotTell("error-budget", "nothing", `the error budget could not be read (${budget.unreadable})`)];
  }
  if (!pausesAdvances(budget)) return [met("error-budget", budgetText(budget))];
  const text = `${budgetText(budget)}; expected at least ${100 * leastBudgetLeftFraction} %, until then advances pause`;
  return [{ rule: "error-budget", verdict: "monitor", text }];
}

function figureFindings(unreadable: string | undefined): Finding[] {
  if (unreadable === undefined) return [];
  const text = `what bounds of the next wave are measured against could not be read (${unreadable})`;
  return [cannotTell("figures", "nothing", text)];
}

function soakFindings(record: RolloutRecord, canary: CanaryState, evidence: SoakEvidence, now: Instant): Finding[] {
  if (canary.servedPercents.includes(canary.exposurePercent)) {
    return [met("soak", `soak at ${canary.exposurePercent} % was served before in this attempt`)];
  }
  const wave = waveAt(record.plan, canary.exposurePercent);
  if (!wave) return [];
  const soak = soakFinding(wave, canary, now);
  return [
    soak,
    ...requestFindings(wave, evidence),
    // Until the soak is served, nobody waits for what was measured of it.
    ...(soak.verdict === "promote" ? arrivalFindings(evidence.soakArrivesAt) : []),
    ...criteriaFindings(evidence.criteria),
  ];
}

/** Canary beside whoever else has traffic, once a look has ended. */
function besideFindings(
  { plan }: RolloutRecord,
  { exposurePercent }: CanaryState,
  { soak, settings = defaultGateSettings }: SoakEvidence,
): Finding[] {
  return soak === undefined ? [] : comparisonFindings(soak, settings, { plan, exposurePercent });
}

/** Asked even where the soak was served before or the release is known good: a canary that nobody can see does not go on. */
function silenceFindings(fellSilent: SoakEvidence["fellSilent"]): Finding[] {
  if (fellSilent === false) return [];
  const text = fellSilent
    ? "the canary fell silent: no request was measured in the newest minutes"
    : "whether the canary still answers could not be read";
  return [cannotTell("visibility", "nothing", text)];
}

function soakFinding(wave: Wave, canary: CanaryState, now: Instant): Finding {
  if (wave.minimumSoakMinutes === null) {
    const text = `wave ${wave.exposurePercent} has no end of its own; an override with a reason ends it`;
    return { rule: "soak", verdict: "monitor", text };
  }
  const servedMinutes = (now - canary.waveOpenedAt) / 60_000;
  const served = `soak at ${canary.exposurePercent} % served ${Math.floor(servedMinutes)} of ${wave.minimumSoakMinutes} min`;
  if (servedMinutes >= wave.minimumSoakMinutes) return met("soak", served);
  const until = canary.waveOpenedAt + wave.minimumSoakMinutes * 60_000;
  return { rule: "soak", verdict: "monitor", text: `${served}; served at ${instantText(until)}` };
}

function requestFindings(wave: Wave, { canaryRequests, watchedFraction }: SoakEvidence): Finding[] {
  if (canaryRequests === undefined || watchedFraction === undefined) {
    return [cannotTell("requests", "nothing", "the canary's request counts could not be read")];
  }
  if (!(canaryRequests >= 0 && Number.isFinite(canaryRequests))) {
    const text = `the canary's requests are no count, got ${canaryRequests}; expected a number from 0 on`;
    return [cannotTell("requests", "nothing", text)];
  }
  if (canaryRequests === 0) {
    return [cannotTell("requests", "nothing", "no request of the canary was measured in this soak")];
  }
  const answered = `the canary answered ${canaryRequests} requests in this soak`;
  const seen = `${Math.round(100 * watchedFraction)} % of the soak had enough requests for an alarm to speak`;
  return [
    canaryRequests >= wave.minimumRequests
      ? met("requests", answered)
      : cannotTell(
          "requests",
          "too-little",
          `${answered}; expected at least ${wave.minimumRequests}, so the soak goes on`,
        ),
    watchedFraction >= leastWatchedFraction
      ? met("visibility", seen)
      : cannotTell("visibility", "too-little", `only ${seen}; expected at least ${100 * leastWatchedFraction} %`),
  ];
}
