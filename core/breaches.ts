import { aboveRecordObjective } from "./drift.ts";
import { currentAttempt, grantedPercent, holdOf } from "./lowering.ts";
import { loweringResponses, type Response, type Severity } from "./objectives.ts";
import type { Observation } from "./observation.ts";
import { versionOf } from "./outcome.ts";
import { waveAt } from "./plans.ts";
import {
  type Breach,
  committedPercent,
  countsNow,
  type Instant,
  type RolloutRecord,
  type WatchedAlarm,
} from "./record.ts";
import type { RecordDraft } from "./record-draft.ts";
import { targetOf } from "./respond.ts";
import { type Runbook, runbookOf } from "./runbooks.ts";

/** What one objective and severity of one release says: the worst of its windows, and of several that ask for different things the strongest. */
interface Reading {
  readonly key: string;
  readonly alarm: WatchedAlarm;
  readonly settleSeconds: number;
}

/** How little a response leaves at an exposure; what only freezes leaves more than any lowering, and what only tells the most. */
function leaves(response: Response, percent: number, { plan }: RolloutRecord): number {
  if (loweringResponses.has(response)) return targetOf(response, percent, plan);
  return response === "freeze" ? 101 : 102;
}

function readings(record: RolloutRecord, seen: Observation, now: Instant): Map<string, Reading> {
  const open = new Map<string, Reading>();
  if (seen.alarms === undefined) return open;
  const inAlarm = new Set(seen.alarms.filter((alarm) => alarm.state === "ALARM").map((alarm) => alarm.alarmName));
  for (const alarm of record.alarms) {
    // A wave's own alarm may be in ALARM at any other wave: it asks for less there.
    if (!inAlarm.has(alarm.alarmName) || !countsNow(record, alarm, now)) continue;
    const key = breachKey(alarm.objective, alarm.severity, alarm.digest);
    const before = open.get(key);
    const settleSeconds = Math.max(alarm.settleSeconds, before?.settleSeconds ?? 0);
    open.set(key, { key, alarm: before ? foremost(record, before.alarm, alarm) : alarm, settleSeconds });
  }
  return open;
}

/** The control's are the baseline's too, and only observed: they must not make less of the baseline's own. */
function foremost(record: RolloutRecord, one: WatchedAlarm, other: WatchedAlarm): WatchedAlarm {
  if (one.mode !== other.mode) return one.mode === "act" ? one : other;
  const percent = committedPercent(record);
  return leaves(other.response, percent, record) < leaves(one.response, percent, record) ? other : one;
}

/** The key of a breach: one for each objective, severity and release. */
export function breachKey(objective: string, severity: Severity, digest: string): string {
  return `${objective}/${severity}/${digest}`;
}

export const noDataObjective = "no-data";

/** The runbook of a breach, by what its objective measures. */
export function runbookOfObjective(record: RolloutRecord, objective: string): Runbook {
  const alarm = record.alarms.find((candidate) => candidate.objective === objective);
  if (alarm) return runbookOf(alarm.indicator);
  return objective === noDataObjective ? "no-data" : "live-above-record";
}

export function closeRecovered(draft: RecordDraft, seen: Observation): void {
  const open = readings(draft.record, seen, draft.now);
  const kept: Record<string, Breach> = {};
  let changed = false;
  for (const [key, breach] of Object.entries(draft.record.breaches)) {
    const still =
      breach.objective === aboveRecordObjective
        ? draft.record.mode === "observe" && isAbove(draft, seen, breach.digest)
        : breach.objective === noDataObjective
          ? // Only being seen again is a recovery; what cannot be told, or shows nothing at all, is not.
            seen.visibility === "canary-missing" ||
            (seen.visibility !== "seen" && share(draft.record, seen, breach.digest) > 0)
          : seen.alarms === undefined || open.has(key) || isUnread(draft.record, seen, breach);
    if (still) kept[key] = breach;
    else {
      changed = true;
      draft.tell(
        "recovered",
        `${breach.objective} (${breach.severity}) of ${versionOf(draft.record, breach.digest)} is within bounds again`,
      );
    }
  }
  if (changed) draft.set({ breaches: kept });
}

/** Whether one of the breach's alarms could not be read: nobody knows whether it is over. */
function isUnread(record: RolloutRecord, { unreadAlarms = [] }: Observation, breach: Breach): boolean {
  const unread = new Set(unreadAlarms);
  return record.alarms.some(
    (alarm) =>
      unread.has(alarm.alarmName) &&
      breachKey(alarm.objective, alarm.severity, alarm.digest) ===
        breachKey(breach.objective, breach.severity, breach.digest),
  );
}

function isAbove(draft: RecordDraft, seen: Observation, digest: string): boolean {
  if (seen.live === undefined) return true;
  return (seen.live.shares[digest] ?? 0) > grantedPercent(draft.record, digest, draft.now) + 1e-6;
}

function share(record: RolloutRecord, seen: Observation, digest: string): number {
  const live = seen.live?.shares[digest] ?? 0;
  const committed = record.canary?.digest === digest ? committedPercent(record) : 0;
  return Math.max(live, committed);
}

export function openBreaches(draft: RecordDraft, seen: Observation): void {
  for (const reading of readings(draft.record, seen, draft.now).values()) {
    const { alarm } = reading;
    const known = draft.record.breaches[reading.key];
    // Recorded while observing, still bad, and now it may act: it starts over.
    const mayActNow = known?.observed === true && draft.record.mode === "act" && alarm.mode === "act";
    if (known && !mayActNow && !isOutdone(draft, known, alarm)) continue;
    const isCanary = draft.record.canary?.digest === alarm.digest;
    if (isCanary && share(draft.record, seen, alarm.digest) > 0) {
      openBreach(draft, seen, alarm, reading.settleSeconds);
    } else if (alarm.digest === draft.record.baseline) {
      openOnBaseline(draft, alarm, reading.settleSeconds);
    }
  }
}

/**
 * Whether an alarm asks for more than the breach that stands under its key was opened for: what is known already must not hide it. Judged
 * where that breach began, since a person who decides there has decided.
 */
function isOutdone({ record, now }: RecordDraft, known: Breach, alarm: WatchedAlarm): boolean {
  if (known.observed || record.mode === "observe" || alarm.mode === "observe") return false;
  const asked =
    record.baseline === alarm.digest
      ? responseOnBaseline(record, alarm, now)
      : responseAt(record, alarm, known.exposureAtStartPercent);
  const left = (response: Response) => leaves(response, known.exposureAtStartPercent, record);
  return left(asked) < left(known.response);
}

/** What is done at an exposure: lowering may be a person's decision there. */
function responseAt(record: RolloutRecord, { response }: Pick<WatchedAlarm, "response">, percent: number): Response {
  return waveAt(record.plan, percent)?.lowering === "human" && loweringResponses.has(response) ? "freeze" : response;
}

function canReturn({ previous }: RolloutRecord, now: Instant): boolean {
  return previous !== undefined && previous.until > now;
}

function responseOnBaseline(record: RolloutRecord, { response }: WatchedAlarm, now: Instant): Response {
  return loweringResponses.has(response) && !canReturn(record, now) ? "freeze" : response;
}

type Breaching = Pick<WatchedAlarm, "digest" | "objective" | "severity" | "disableAnyway">;

/** Puts a breach of an alarm into the record, under its key. */
function recordBreach(
  draft: RecordDraft,
  alarm: Breaching,
  rest: Omit<Breach, "digest" | "objective" | "severity" | "disableAnyway">,
): Breach {
  const { digest, objective, severity, disableAnyway } = alarm;
  const breach: Breach = { ...rest, digest, objective, severity, disableAnyway };
  draft.set({ breaches: { ...draft.record.breaches, [breachKey(objective, severity, digest)]: breach } });
  return breach;
}

function newlyBreached(
  { objective, severity }: Breaching,
  now: Instant,
): Pick<Breach, "id" | "startedAt" | "lastStepAt"> {
  return { id: `${objective}-${severity}-${now}`, startedAt: now, lastStepAt: now };
}

export function openBreach(
  draft: RecordDraft,
  seen: Observation,
  alarm: Pick<WatchedAlarm, "digest" | "objective" | "severity" | "response" | "mode" | "disableAnyway">,
  settleSeconds: number,
): void {
  const { record, now } = draft;
  // Live below the record is a lowering whose record was lost: counting from it would halve a half.
  const exposureAtStartPercent = Math.max(seen.live?.shares[alarm.digest] ?? 0, committedPercent(record));
  const response = responseAt(record, alarm, exposureAtStartPercent);
  const byHuman = response !== alarm.response;
  // An opening that breaches before its commit was never granted: never aim above what is committed.
  const targetPercent = loweringResponses.has(response)
    ? Math.min(targetOf(response, exposureAtStartPercent, record.plan), committedPercent(record))
    : exposureAtStartPercent;
  const observed = record.mode === "observe" || alarm.mode === "observe";
  if (!observed && resume(draft, alarm, response, settleSeconds)) return;
  const breach = recordBreach(draft, alarm, {
    ...newlyBreached(alarm, now),
    response,
    exposureAtStartPercent,
    targetPercent,
    settleSeconds,
    observed,
  });
  const what = `${alarm.objective} (${alarm.severity}) of ${versionOf(record, alarm.digest)} at ${exposureAtStartPercent} %`;
  if (observed) {
    draft.tell("would-respond", `observing: ${what} would ${response} to ${targetPercent} %`);
    return;
  }
  draft.tell("breach", `${what}: ${response}${loweringResponses.has(response) ? ` to ${targetPercent} %` : ""}`);
  if (response === "notify") {
    draft.page(breach.id, alarm.severity, `${record.service}: ${what}`, "notify only; nothing was changed", {
      runbook: runbookOfObjective(record, alarm.objective),
    });
  } else if (response === "freeze") {
    draft.putHold(
      holdOf(record, {
        id: breach.id,
        scope: "digest",
        digest: alarm.digest,
        at: now,
        cause: "breach",
        detail: byHuman ? `${what}; lowering at this wave is a human's decision` : what,
        response,
        targetPercent: committedPercent(record),
      }),
    );
    draft.page(
      breach.id,
      "critical",
      `${record.service}: FROZEN at ${exposureAtStartPercent} %, ${what}`,
      "no opening until acknowledged; decide whether to kill",
      { runbook: runbookOfObjective(record, alarm.objective), holdId: breach.id },
    );
  }
}

/**
 * An alarm that flaps says nothing new: until its last step has settled, its points may be from before that step; and a freeze
 * that still stands needs no second hold and page. Such a breach goes on from its hold, where it was.
 */
function resume(draft: RecordDraft, alarm: Breaching, response: Response, settleSeconds: number): boolean {
  const { record, now } = draft;
  const prefix = `${alarm.objective}-${alarm.severity}-`;
  const hold = Object.values(record.holds)
    .filter((candidate) => candidate.digest === alarm.digest && candidate.id.startsWith(prefix))
    .filter((candidate) => /^\d+$/.test(candidate.id.slice(prefix.length)) && candidate.response === response)
    .sort((left, right) => right.at - left.at)[0];
  if (!hold) return false;
  const lowers = loweringResponses.has(response);
  const goesOn = lowers
    ? now - hold.at < settleSeconds * 1_000 &&
      committedPercent(record) === hold.targetPercent &&
      currentAttempt(record, alarm.digest) === hold.attempt
    : hold.acknowledged === undefined;
  if (!goesOn) return false;
  recordBreach(draft, alarm, {
    id: hold.id,
    startedAt: now,
    lastStepAt: hold.at,
    response,
    exposureAtStartPercent: hold.targetPercent,
    targetPercent: hold.targetPercent,
    settleSeconds,
    observed: false,
  });
  draft.tell(
    "breach",
    `${alarm.objective} (${alarm.severity}) of ${versionOf(record, alarm.digest)} is back; hold ${hold.id} goes on`,
  );
  return true;
}

/** The baseline breaches: back to the previous release inside the rollback window, else there is nowhere to go (a, h). */
function openOnBaseline(draft: RecordDraft, alarm: WatchedAlarm, settleSeconds: number): void {
  const { record, now } = draft;
  const lowering = loweringResponses.has(alarm.response);
  const observed = record.mode === "observe" || alarm.mode === "observe";
  const response = responseOnBaseline(record, alarm, now);
  const what = `${alarm.objective} (${alarm.severity}) of ${versionOf(record, alarm.digest)}, the baseline`;
  if (!observed && response === "freeze" && resume(draft, alarm, response, settleSeconds)) return;
  const breach = recordBreach(draft, alarm, {
    ...newlyBreached(alarm, now),
    response,
    exposureAtStartPercent: 100 - committedPercent(record),
    targetPercent: lowering && canReturn(record, now) ? 0 : 100 - committedPercent(record),
    settleSeconds,
    observed,
  });
  if (observed) {
    draft.tell("would-respond", `observing: ${what} would ${response}`);
    return;
  }
  draft.tell("breach", `${what}: ${response}`);
  if (response === "freeze") {
    draft.putHold(
      holdOf(record, {
        id: breach.id,
        scope: "service",
        digest: alarm.digest,
        at: now,
        cause: "no-other-release",
        detail: `${what}; there is no other release to take its traffic`,
        response,
        targetPercent: breach.targetPercent,
      }),
    );
    draft.page(breach.id, "critical", `${record.service}: FROZEN, ${what}`, "no other release can take its traffic", {
      runbook: "no-other-release",
      holdId: breach.id,
    });
  }
}
