/**
 * The watchman: a function of its own that looks whether the hook did its work (D4). It shares no run, role, schedule or alarm with the
 * hook, reads for itself, changes nothing, and tells people when a breach stands and traffic is still there.
 *
 * What it finds goes out as a metric with an alarm on it, which is stateful and reaches every channel an alarm reaches; the words go
 * beside it, once when a finding is fresh.
 */
import pLimit from "p-limit";
import { breachKey } from "../core/breaches.ts";
import { messageOf } from "../core/error-message.ts";
import { drillService } from "../core/naming.ts";
import { loweringResponses } from "../core/objectives.ts";
import { pageMessageOf } from "../core/page-message.ts";
import {
  committedShares,
  countsNow,
  type Hold,
  type HoldCause,
  type Instant,
  type Page,
  type RolloutRecord,
  type WatchedAlarm,
} from "../core/record.ts";
import type { Runbook } from "../core/runbooks.ts";
import { sparedMilliseconds } from "../core/shared-fate.ts";
import { readStates } from "./alarm-states.ts";
import { oneError } from "./deliver.ts";
import { drillOverdueMilliseconds } from "./drill.ts";
import { liveExposureOf, watchedRules } from "./observe.ts";
import type { Ports } from "./ports.ts";

/** As long the hook has, from a standing alarm or from its last heartbeat. Unit: milliseconds. Source: requirement D4. */
export const patienceMilliseconds = 5 * 60_000;

/** A finding younger than this is told in words; then its alarm speaks for it. Unit: milliseconds. */
const freshMilliseconds = 90_000;

/** How often words are repeated where nothing says how old a finding is. Unit: milliseconds. */
const repeatMilliseconds = 30 * 60_000;

/** Freezes that are put instead of a lowering; every other hold stands beside one. */
const sparingCauses: ReadonlySet<HoldCause> = new Set(["receiver-lost", "dependency"]);

/** Something the hook should have done and has not. */
export interface Finding {
  readonly service: string;
  readonly summary: string;
  readonly detail: string;
  readonly runbook: Runbook;
  /** Since when it is overdue. */
  readonly since: Instant;
  /** For the line that works by hand; absent where it could not be read. */
  readonly record?: RolloutRecord;
}

/** Services looked at side by side. */
const sideBySide = 10;

/**
 * Looks at everything once, and tells.
 * @returns what it found
 * @throws what kept it from looking at a service or from telling, after all the others were looked at and told
 */
export async function watch(ports: Ports): Promise<Finding[]> {
  const limit = pLimit(sideBySide);
  const services = await ports.records.list();
  const looks = await Promise.all([
    ...services.map((service) => limit(() => lookAt(ports, service))),
    looked(drillService, [lookAtDrill(ports)]),
  ]);
  const findings = looks.flatMap((look) => look.findings);
  const failures = looks.flatMap((look) => look.failures);
  ports.telemetry.metric("WatchmanFindings", findings.length);
  for (const finding of findings) {
    ports.telemetry.log("error", finding.summary, { service: finding.service, detail: finding.detail });
    if (ports.clock.now() - finding.since > freshMilliseconds) continue;
    const delivery = await ports.pager.send(
      pageMessageOf(pageOf(ports, finding), finding.service, finding.record, ports.place),
      [],
    );
    failures.push(...delivery.failed.map(({ error }) => error));
  }
  if (failures.length > 0) throw oneError(failures);
  return findings.map(({ record: _, ...finding }) => finding);
}

/** What came of one service: a look that fails hides neither the service's other look nor the other services. */
interface Look {
  readonly findings: readonly Finding[];
  readonly failures: readonly unknown[];
}

async function looked(service: string, looks: readonly Promise<Finding | undefined>[]): Promise<Look> {
  const findings: Finding[] = [];
  const failures: unknown[] = [];
  for (const result of await Promise.allSettled(looks)) {
    if (result.status === "rejected") {
      failures.push(named(service, result.reason));
    } else if (result.value) findings.push(result.value);
  }
  return { findings, failures };
}

function named(service: string, error: unknown): Error {
  return new Error(`${service}: ${messageOf(error)}`, { cause: error });
}

async function lookAt(ports: Ports, service: string): Promise<Look> {
  let record: RolloutRecord | undefined;
  try {
    record = await ports.records.read(service);
    if (!record) throw new Error("it is listed, and its record is gone; restore the table");
  } catch (error) {
    const now = ports.clock.now();
    const unreadable: Finding = {
      service,
      summary: `${service}: its record cannot be read, so nothing would lower it`,
      detail: messageOf(error),
      runbook: "record-unreadable",
      // Nobody knows since when; in words it is said again every half hour.
      since: now - (now % repeatMilliseconds),
    };
    return { findings: [unreadable], failures: [] };
  }
  if (record.retiredAt !== undefined) return { findings: [], failures: [] };
  const found = record;
  const [heartbeat, traffic] = await Promise.all([
    looked(service, [heartbeatFinding(ports, found)]),
    exposure(ports, found),
  ]);
  return {
    findings: [...heartbeat.findings, ...traffic.findings],
    failures: [...heartbeat.failures, ...traffic.failures],
  };
}

async function heartbeatFinding(ports: Ports, record: RolloutRecord): Promise<Finding | undefined> {
  const heartbeat = await ports.records.readHeartbeat(record.service);
  const now = ports.clock.now();
  // A first look is due a minute after the first commit; the wave's own clock is the only one a new record has.
  const last = heartbeat ?? record.canary?.waveOpenedAt;
  if (last === undefined || now - last <= patienceMilliseconds) return undefined;
  return {
    service: record.service,
    summary: `${record.service}: nobody has looked at it for ${minutes(now - last)} min`,
    detail: "the hook's reconcile does not finish; a bad release would not be lowered",
    runbook: "hook-failing",
    since: last + patienceMilliseconds,
    record,
  };
}

/**
 * The worst that can be said of its traffic: one finding, however many ways lead to it. A system that does not answer for its alarms is a
 * failure, and hides neither what the others say nor a hold.
 */
async function exposure(ports: Ports, record: RolloutRecord): Promise<Look> {
  const failures: unknown[] = [];
  const standing = onTrial(record, ports.clock.now()).map((release) => async () => {
    const { finding, unread } = await exposureFinding(ports, record, release);
    failures.push(...unread.map((error) => named(record.service, error)));
    return finding;
  });
  for (const look of [...standing, () => heldFinding(ports, record)]) {
    const { findings, failures: failed } = await looked(record.service, [look()]);
    failures.push(...failed);
    if (findings.length > 0) return { findings, failures };
  }
  return { findings: [], failures };
}

/** A release that may still be taken back, and since when it has had the traffic it has. */
interface OnTrial {
  readonly digest: string;
  readonly since: Instant;
}

/** The canary, and inside the rollback window the new baseline. */
function onTrial(record: RolloutRecord, now: Instant): OnTrial[] {
  const { canary, previous } = record;
  return [
    ...(canary ? [{ digest: canary.digest, since: canary.waveOpenedAt }] : []),
    ...(previous && previous.until > now
      ? [{ digest: record.baseline, since: previous.until - record.rollbackWindowMinutes * 60_000 }]
      : []),
  ];
}

/** A critical alarm that asks for less traffic has stood for its time, and the release still has more than its target. */
async function exposureFinding(
  ports: Ports,
  record: RolloutRecord,
  { digest, since }: OnTrial,
): Promise<{ readonly finding?: Finding; readonly unread: readonly unknown[] }> {
  if (record.mode === "observe") return { unread: [] };
  const now = ports.clock.now();
  const watched = record.alarms.filter(
    (alarm) =>
      alarm.digest === digest &&
      countsNow(record, alarm, now) &&
      alarm.severity === "critical" &&
      alarm.mode === "act" &&
      loweringResponses.has(alarm.response),
  );
  if (watched.length === 0) return { unread: [] };
  const [{ states, failures }, rules] = await Promise.all([
    readStates(ports, watched),
    ports.traffic.readRules(watchedRules(record)),
  ]);
  const unread = failures.map(({ error }) => error);
  const standing = states
    .filter((alarm) => alarm.state === "ALARM" && now - Math.max(alarm.updatedAt, since) > patienceMilliseconds)
    .sort((left, right) => left.updatedAt - right.updatedAt);
  const [oldest] = standing;
  if (!oldest) return { unread };
  const names = new Set(standing.map((alarm) => alarm.alarmName));
  const target = targetPercent(
    record,
    digest,
    watched.filter((alarm) => names.has(alarm.alarmName)),
    now,
  );
  const live = liveExposureOf(record, rules, undefined, now)?.shares[digest] ?? 0;
  if (live <= target + 1e-6) return { unread };
  const granted = committedShares(record)[digest] ?? 0;
  const finding: Finding = {
    service: record.service,
    summary: `${record.service}: STILL EXPOSED at ${Math.round(live)} %, ${oldest.alarmName} stands for ${minutes(now - oldest.updatedAt)} min`,
    detail: `the hook should have lowered it to ${target} % (the record says ${granted} %); kill it by hand`,
    runbook: "hook-failing",
    since: Math.max(oldest.updatedAt, since) + patienceMilliseconds,
    record,
  };
  return { finding, unread };
}

/** The record says that a release was lowered, and live it still has more: the rules were never written, or somebody wrote them back. */
async function heldFinding(ports: Ports, record: RolloutRecord): Promise<Finding | undefined> {
  if (record.mode === "observe") return undefined;
  const now = ports.clock.now();
  const overdue = Object.values(record.holds)
    .filter((hold) => !hold.acknowledged && loweringResponses.has(hold.response) && hold.digest !== record.baseline)
    .filter((hold) => now - hold.at > patienceMilliseconds)
    .sort((left, right) => left.at - right.at);
  if (overdue.length === 0) return undefined;
  const rules = await ports.traffic.readRules(watchedRules(record));
  const live = liveExposureOf(record, rules, undefined, now)?.shares ?? {};
  const standing = overdue.find((hold) => (live[hold.digest] ?? 0) > hold.targetPercent + 1e-6);
  if (!standing) return undefined;
  return {
    service: record.service,
    summary: `${record.service}: STILL EXPOSED at ${Math.round(live[standing.digest] ?? 0)} %, hold ${standing.id} lowered it to ${standing.targetPercent} % ${minutes(now - standing.at)} min ago`,
    detail: "the rules do not say what the record says; kill it by hand",
    runbook: "hook-failing",
    // The rules may have been written back long after the hold: in words it is said again every half hour.
    since: Math.max(standing.at + patienceMilliseconds, now - (now % repeatMilliseconds)),
    record,
  };
}

/** The most that a release may have while these alarms stand; 100 where a freeze is the answer. */
function targetPercent(record: RolloutRecord, digest: string, standing: readonly WatchedAlarm[], now: Instant): number {
  const noticed = standing.map((alarm) => record.breaches[breachKey(alarm.objective, alarm.severity, alarm.digest)]);
  // Without a breach in the record the hook has not even noticed: then nothing is what the release may have.
  if (noticed.some((breach) => breach === undefined || breach.observed)) return 0;
  const lowering = Object.values(record.breaches).filter(
    (breach) => breach.digest === digest && !breach.observed && loweringResponses.has(breach.response),
  );
  // A freeze that people were told of is an answer, as long as it was put for what stands now: one from before says nothing of this.
  const since = Math.min(...lowering.map((breach) => breach.startedAt));
  const isOver = (hold: Hold) =>
    hold.cause === "dependency" && now - hold.at > sparedMilliseconds + patienceMilliseconds;
  const isAnswered = Object.values(record.holds).some(
    (hold) => !hold.acknowledged && sparingCauses.has(hold.cause) && hold.at >= since && !isOver(hold),
  );
  return isAnswered ? 100 : Math.min(100, ...lowering.map((breach) => breach.targetPercent));
}

async function lookAtDrill(ports: Ports): Promise<Finding | undefined> {
  const state = await ports.records.readDrill();
  const now = ports.clock.now();
  if (!state) {
    return {
      service: drillService,
      summary: `Tidegate ${ports.place.environment}: the record table has not what the hook's self-test wrote; it may have been emptied`,
      detail: "no service of an empty table is looked at, so nothing would lower one",
      runbook: "record-unreadable",
      since: now - (now % repeatMilliseconds),
    };
  }
  const last = state.arrivedAt ?? state.armedAt;
  if (now - last <= drillOverdueMilliseconds) return undefined;
  return {
    service: drillService,
    summary: `Tidegate ${ports.place.environment}: no drill has come through for ${Math.floor((now - last) / 86_400_000)} days`,
    detail: "the way from alarm to page is unproven",
    runbook: "drill-missing",
    since: last + drillOverdueMilliseconds,
  };
}

function pageOf(ports: Ports, finding: Finding): Page {
  return {
    id: `watchman-${finding.runbook}-${finding.service}-${finding.since}`,
    dedupKey: `tidegate/${ports.place.environment}/${finding.service}/watchman/${finding.runbook}`,
    severity: "critical",
    summary: finding.summary,
    detail: finding.detail,
    at: ports.clock.now(),
    runbook: finding.runbook,
  };
}

function minutes(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000);
}
