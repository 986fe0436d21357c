/**
 * The guard's last look before a rule is written (design: an opening, step 2). Pure: what the guard read goes in, every
 * reason against the write comes out.
 */
import type { GuardedWrite } from "./declaration.ts";
import { versionOf } from "./outcome.ts";
import type { Plan } from "./plans.ts";
import {
  committedPercent,
  countsAt,
  holdsOn,
  type Instant,
  type Lease,
  type RolloutRecord,
  type WatchedAlarm,
} from "./record.ts";

/** A lease outlives the slowest step between guard and commit. Unit: minutes. */
export const leaseMinutes = 10;
/** Reconcile runs every minute; three without one is a dead hook. Unit: minutes. */
export const heartbeatMinutes = 3;

export interface GuardReading {
  readonly record: RolloutRecord;
  readonly heartbeatAt: Instant | undefined;
  /** `undefined`: unreadable. */
  readonly alarms:
    | readonly { readonly alarmName: string; readonly state: string; readonly actionsEnabled: boolean }[]
    | undefined;
  readonly health: Readonly<Record<string, { readonly healthyCount: number; readonly totalCount: number } | undefined>>;
  /** The hook's code changes in this same up, so nothing vouches for it yet. */
  readonly hookChanges: boolean;
  /** Every reason in other regions against this opening, a region that cannot be read among them. */
  readonly peerProblems: readonly string[];
}

/** Hosts the canary needs before it may have a share: at least that share of the baseline's. */
export function hostsNeeded(toPercent: number, baselineHealthyCount: number): number {
  return Math.max(1, Math.ceil((toPercent * baselineHealthyCount) / 100));
}

/** Every reason why an opening must not be written now; empty when it may. */
export function openingProblems(
  reading: GuardReading,
  write: GuardedWrite,
  opening: {
    readonly digest: string;
    readonly toPercent: number;
    readonly revision: number | undefined;
    readonly takenBy: string;
    /** As declared, since the alarms are: the record's own says which alarms of before counted where. */
    readonly plan: Plan;
    /** What the baseline needs to take everything back. @default one */
    readonly receiverNeeds?: number;
    /** What of all requests reaches its processes then. Unit: percent. @default the exposure itself */
    readonly requestsPercent?: number;
  },
  now: Instant,
): string[] {
  const { record } = reading;
  const problems: string[] = [];
  if (opening.revision !== record.revision) {
    problems.push(
      `the record changed since this up was decided (revision ${opening.revision ?? "none"}, now ${record.revision}${lastHold(record)}); run up again`,
    );
  }
  const lease = record.lease;
  if (lease && lease.expiresAt > now && !isSameOpening(lease, opening)) {
    problems.push(
      `${lease.takenBy} holds a lease (${lease.kind} to ${lease.toPercent} %) for another ${Math.ceil((lease.expiresAt - now) / 1_000)} s; wait for it`,
    );
  }
  for (const hold of holdsOn(record, opening.digest))
    problems.push(`hold ${hold.id} stands (${hold.detail}); acknowledge it first`);
  if (record.paused) problems.push(`paused by ${record.paused.by} (${record.paused.reason}); resume first`);
  for (const breach of Object.values(record.breaches)) {
    if (!breach.observed) problems.push(`${breach.objective} (${breach.severity}) is breached`);
  }
  problems.push(...heartbeatProblems(reading, now));
  problems.push(...alarmProblems(reading, write, opening));
  problems.push(...hostProblems(reading, opening));
  problems.push(...reading.peerProblems);
  if (reading.hookChanges)
    problems.push("the hook's own code changes in this same up; apply that first, open the wave in the next up");
  return problems;
}

function lastHold(record: RolloutRecord): string {
  const holds = Object.values(record.holds).filter((hold) => !hold.acknowledged);
  return holds.length === 0 ? "" : `: ${holds.map((hold) => hold.detail).join("; ")}`;
}

/** The same opening from the same stack renews its lease (k). */
export function isSameOpening(
  lease: Lease,
  opening: { readonly digest: string; readonly toPercent: number; readonly takenBy: string },
): boolean {
  return (
    lease.kind === "opening" &&
    lease.digest === opening.digest &&
    lease.toPercent === opening.toPercent &&
    lease.takenBy === opening.takenBy
  );
}

function heartbeatProblems(reading: GuardReading, now: Instant): string[] {
  const at = reading.heartbeatAt;
  if (at === undefined) return ["the hook has never reconciled this service; wait a minute, or look at its function"];
  const ageSeconds = Math.floor((now - at) / 1_000);
  return ageSeconds > heartbeatMinutes * 60
    ? [
        `the hook last reconciled ${ageSeconds} s ago; expected at most ${heartbeatMinutes * 60} s. Nothing would shut this wave; look at its function`,
      ]
    : [];
}

function alarmProblems(
  reading: GuardReading,
  write: GuardedWrite,
  opening: { readonly digest: string; readonly toPercent: number; readonly plan: Plan },
): string[] {
  const { record } = reading;
  const digests = [opening.digest, record.baseline];
  const percents = [record.canary?.digest === opening.digest ? committedPercent(record) : 0, opening.toPercent];
  if (reading.alarms === undefined) return ["the alarms could not be read; nothing is known of this release"];
  const states = new Map(reading.alarms.map((alarm) => [alarm.alarmName, alarm]));
  const problems: string[] = [];
  const needed = write.alarms.filter((alarm) => digests.includes(alarm.digest));
  for (const digest of digests) {
    if (!needed.some((alarm) => alarm.digest === digest && alarm.severity === "critical")) {
      problems.push(`no critical alarm watches ${versionOf(reading.record, digest)}; expected at least one`);
    }
  }
  for (const alarm of needed) {
    const state = states.get(alarm.alarmName);
    if (!state) problems.push(`alarm ${alarm.alarmName} does not exist; nothing would see this breach`);
    else if (!state.actionsEnabled) problems.push(`alarm ${alarm.alarmName} has its actions disabled; enable them`);
    else if (state.state === "ALARM" && stopsOpenings(alarm) && countsAt(alarm, opening.plan, percents))
      problems.push(`alarm ${alarm.alarmName} is in ALARM; wait until it is OK`);
  }
  return problems;
}

/**
 * The guard counts hosts itself; that alarm still remembers the minutes before the release was up. Observed ones stop
 * nothing (B13).
 */
function stopsOpenings(alarm: WatchedAlarm): boolean {
  return alarm.indicator !== "healthy-hosts" && alarm.mode === "act";
}

function hostProblems(
  reading: GuardReading,
  opening: {
    readonly digest: string;
    readonly toPercent: number;
    readonly receiverNeeds?: number;
    readonly requestsPercent?: number;
  },
): string[] {
  const { record } = reading;
  const canary = reading.health[opening.digest];
  const baseline = reading.health[record.baseline];
  const problems: string[] = [];
  const { receiverNeeds = 0 } = opening;
  if (!baseline) problems.push("the baseline's target health could not be read");
  else if (baseline.healthyCount === 0)
    problems.push(
      `the baseline ${versionOf(record, record.baseline)} has no healthy host; there would be nothing to go back to`,
    );
  else if (baseline.healthyCount < receiverNeeds)
    problems.push(
      `the baseline ${versionOf(record, record.baseline)} has ${baseline.healthyCount} healthy hosts of ${baseline.totalCount}; expected at least ${receiverNeeds}, which a rollback needs. Wait until it has them, then run up again`,
    );
  if (!canary) problems.push("the canary's target health could not be read");
  else {
    const needed = hostsNeeded(opening.requestsPercent ?? opening.toPercent, baseline?.healthyCount ?? 1);
    if (canary.healthyCount < needed) {
      problems.push(
        `the canary has ${canary.healthyCount} healthy hosts of ${canary.totalCount}; expected at least ${needed} for ${opening.requestsPercent ?? opening.toPercent} %`,
      );
    }
  }
  return problems;
}

/** Reasons against a lowering by config: only a receiver known to be dead (B12). */
export function loweringProblems(record: RolloutRecord, digest: string, health: GuardReading["health"]): string[] {
  const receiver = health[record.baseline];
  const giver = health[digest];
  if (!receiver || !giver || receiver.healthyCount > 0 || giver.healthyCount === 0) return [];
  return [
    `the baseline ${versionOf(record, record.baseline)} has no healthy host and the canary has ${giver.healthyCount}; lowering would serve errors. Bring the baseline back, or kill`,
  ];
}
