/**
 * The promotion gate's first rules: may this release go on to the next wave? (C1, B8) No data never promotes.
 * Skipped waves and attempts are the declaration's business; here is what time and measurement say.
 */

import { type BudgetState, budgetText, leastBudgetLeftFraction, pausesAdvances } from "./error-budget.ts";
import { waveAt } from "./plans.ts";
import type { Instant, RolloutRecord } from "./record.ts";
import { holdsOn } from "./record.ts";

/** What was measured of a soak. */
export interface SoakEvidence {
  /** Requests the canary answered since its wave opened. `undefined`: the metrics could not be read. */
  readonly canaryRequests: number | undefined;
  /** Share of the soak's five-minute windows in which an alarm could have spoken at all. Range: 0 to 1. */
  readonly watchedFraction: number | undefined;
  /**
   * Nothing was measured of the canary in the newest minutes, although its soak so far says that there must have been some.
   * `undefined`: the metrics could not be read.
   */
  readonly fellSilent: boolean | undefined;
  /** Names of the canary's alarms in ALARM. `undefined`: the states could not be read. */
  readonly alarmsInAlarm: readonly string[] | undefined;
  /** The service's error budget, or why it could not be read. @default not asked: none is kept, or no share is raised */
  readonly errorBudget?: BudgetState | { readonly unreadable: string };
  /** Why the figures that the next wave's bounds are measured against could not be read. @default they were, or none are needed */
  readonly figuresUnreadable?: string;
}

/** B8: four verdicts, each with its reasons. `cannot-tell` says whether nothing was measured or too little. */
export interface Verdict {
  readonly kind: "promote" | "monitor" | "roll-back" | "cannot-tell";
  readonly measured?: "nothing" | "too-little";
  readonly reasons: readonly string[];
}

/** Half of the soak must have been visible to the alarms, or passing it proves little. */
export const leastWatchedFraction = 0.5;

/**
 * Judges the soak of the exposure that the canary has now.
 * At exposure 0 there is no soak yet: only holds, pause and alarms count.
 */
export function judge(
  record: RolloutRecord,
  digest: string,
  evidence: SoakEvidence,
  now: Instant,
  overrideReason?: string,
): Verdict {
  const rollBack: string[] = [];
  const wait: string[] = [];
  const blind: { measured: "nothing" | "too-little"; reason: string }[] = [];

  for (const hold of holdsOn(record, digest)) {
    wait.push(`hold ${hold.id} stands since ${iso(hold.at)} (${hold.detail}); acknowledge it with a reason first`);
  }
  if (record.paused) {
    wait.push(`paused by ${record.paused.by} since ${iso(record.paused.at)} (${record.paused.reason}); resume first`);
  }
  for (const breach of Object.values(record.breaches)) {
    // Observed objectives are recorded and reported, and stop nothing (B13).
    if (breach.observed) continue;
    rollBack.push(`breach of ${breach.objective} (${breach.severity}) open since ${iso(breach.startedAt)}`);
  }
  if (evidence.alarmsInAlarm === undefined) {
    blind.push({ measured: "nothing", reason: "the alarm states could not be read" });
  } else {
    const observed = new Set(record.alarms.filter((alarm) => alarm.mode === "observe").map((alarm) => alarm.alarmName));
    for (const name of evidence.alarmsInAlarm) {
      if (!observed.has(name)) rollBack.push(`alarm ${name} is in ALARM`);
    }
  }

  if (overrideReason === undefined) {
    judgeBudget(evidence.errorBudget, wait, blind);
    if (evidence.figuresUnreadable !== undefined) {
      const reason = `what bounds of the next wave are measured against could not be read (${evidence.figuresUnreadable})`;
      blind.push({ measured: "nothing", reason });
    }
  }
  const canary = record.canary;
  const exposurePercent = canary?.digest === digest ? canary.exposurePercent : 0;
  if (canary && exposurePercent > 0 && overrideReason === undefined) {
    judgeSoak(record, canary, evidence, now, wait, blind);
  }

  if (rollBack.length > 0) return { kind: "roll-back", reasons: [...rollBack, ...wait, ...blind.map((b) => b.reason)] };
  if (blind.length > 0) {
    return {
      kind: "cannot-tell",
      measured: blind.some((entry) => entry.measured === "nothing") ? "nothing" : "too-little",
      reasons: [...wait, ...blind.map((entry) => entry.reason)],
    };
  }
  if (wait.length > 0) return { kind: "monitor", reasons: wait };
  return { kind: "promote", reasons: [] };
}

/** Below a tenth no wave opens (C2); a budget that cannot be read may be spent (docs/decisions/0019). */
function judgeBudget(
  budget: SoakEvidence["errorBudget"],
  wait: string[],
  blind: { measured: "nothing" | "too-little"; reason: string }[],
): void {
  if (budget === undefined) return;
  if ("unreadable" in budget) {
    blind.push({ measured: "nothing", reason: `the error budget could not be read (${budget.unreadable})` });
  } else if (pausesAdvances(budget)) {
    wait.push(`${budgetText(budget)}; expected at least ${100 * leastBudgetLeftFraction} %, until then advances pause`);
  }
}

function judgeSoak(
  record: RolloutRecord,
  canary: NonNullable<RolloutRecord["canary"]>,
  evidence: SoakEvidence,
  now: Instant,
  wait: string[],
  blind: { measured: "nothing" | "too-little"; reason: string }[],
): void {
  if (evidence.fellSilent) {
    blind.push({
      measured: "nothing",
      reason: "the canary fell silent: no request was measured in the newest minutes",
    });
  }
  if (canary.servedPercents.includes(canary.exposurePercent)) return;
  const wave = waveAt(record.plan, canary.exposurePercent);
  if (!wave) return;
  if (wave.minimumSoakMinutes === null) {
    wait.push(`wave ${wave.exposurePercent} has no end of its own; an override with a reason ends it`);
  } else {
    const servedMinutes = (now - canary.waveOpenedAt) / 60_000;
    if (servedMinutes < wave.minimumSoakMinutes) {
      const until = canary.waveOpenedAt + wave.minimumSoakMinutes * 60_000;
      wait.push(
        `soak at ${canary.exposurePercent} % served ${Math.floor(servedMinutes)} of ${wave.minimumSoakMinutes} min; served at ${iso(until)}`,
      );
    }
  }
  if (evidence.canaryRequests === undefined || evidence.watchedFraction === undefined) {
    blind.push({ measured: "nothing", reason: "the canary's request counts could not be read" });
    return;
  }
  if (evidence.canaryRequests === 0) {
    blind.push({ measured: "nothing", reason: "no request of the canary was measured in this soak" });
    return;
  }
  if (evidence.canaryRequests < wave.minimumRequests) {
    blind.push({
      measured: "too-little",
      reason: `the canary answered ${evidence.canaryRequests} requests in this soak; expected at least ${wave.minimumRequests}, so the soak goes on`,
    });
  }
  if (evidence.watchedFraction < leastWatchedFraction) {
    blind.push({
      measured: "too-little",
      reason: `only ${Math.round(100 * evidence.watchedFraction)} % of the soak had enough requests for an alarm to speak; expected at least ${100 * leastWatchedFraction} %`,
    });
  }
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
