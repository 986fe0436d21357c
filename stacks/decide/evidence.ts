/** What was measured of a soak: requests, alarms, and whether the alarms could have spoken. What cannot be read is `undefined`. */

import type { ServiceSurvey } from "../../components/settings.ts";
import { targetKindOf } from "../../components/target-kind.ts";
import { alarmsFor, serviceAlarmsFor, sourceDelaySeconds } from "../../core/alarms.ts";
import { errorBudgetOf } from "../../core/burn-rate.ts";
import type { Step } from "../../core/declaration.ts";
import { messageOf } from "../../core/error-message.ts";
import type { SoakEvidence } from "../../core/gate/evidence.ts";
import { alarmName, releaseKey, serviceAlarmName } from "../../core/naming.ts";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import { nextWaveAbove } from "../../core/plans.ts";
import { countsAt, type Instant, type RolloutRecord } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import { releaseRules } from "../../core/watch-rules.ts";
import { describeAll } from "../../hooks/alarm-states.ts";
import { readErrorBudget } from "../../hooks/error-budget.ts";
import { reportedElsewhere, requestQueries } from "../../hooks/observe.ts";
import { readSoak, soakArrivesAt } from "../../hooks/soak-windows.ts";
import type { ServiceConfig } from "../config.ts";
import { readCriteria } from "./criteria.ts";
import type { DecidePorts } from "./reality.ts";

/** Length of the windows in which the gate asks whether an alarm could have spoken. Unit: seconds. */
const watchedWindowSeconds = 300;

/** How far back silence is looked for, and how many requests there must have been for it to mean anything. */
const newestMinutes = 2;
const silenceFloor = 10;

/** What the soak of the record's canary has shown. */
export async function readEvidence(
  environment: string,
  service: ServiceConfig,
  record: RolloutRecord,
  step: Step,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<SoakEvidence> {
  // What finishes is the record's canary, even where the config names the next one in the same up.
  const digest = step === "finish" ? record.canary?.digest : (service.canary?.digest ?? record.canary?.digest);
  const release = (digest === undefined ? undefined : record.releases[digest]) ?? service.canary;
  return {
    ...(await readRequests(service, record, ports)),
    ...(await readSideBySide(service, record, found, ports)),
    alarmsInAlarm: release ? await alarmsInAlarm(environment, service, record, release, found, ports) : undefined,
    ...(step === "opening" ? await readBudget(service, record, ports) : {}),
  };
}

/** Canary beside baseline, what both may differ by, and the criteria of the wave that is being left. */
async function readSideBySide(
  service: ServiceConfig,
  record: RolloutRecord,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<Pick<SoakEvidence, "soak" | "soakArrivesAt" | "settings" | "criteria">> {
  let soak: SoakEvidence["soak"];
  try {
    soak = await readSoak(ports, record, (targetGroupArn) => targetKindOf(targetGroupArn, found));
  } catch (error) {
    soak = { unreadable: messageOf(error) };
  }
  const arrivesAt = soakArrivesAt(record);
  return {
    ...(soak === undefined ? {} : { soak }),
    ...(arrivesAt === undefined || arrivesAt <= ports.clock.now() ? {} : { soakArrivesAt: arrivesAt }),
    ...(service.gate === undefined ? {} : { settings: service.gate }),
    ...(await readCriteria(service, record, soak, found, ports)),
  };
}

/** Of a service that keeps a budget; a finish raises nothing, so it is not asked. */
async function readBudget(
  service: ServiceConfig,
  record: RolloutRecord,
  ports: DecidePorts,
): Promise<Pick<SoakEvidence, "errorBudget">> {
  const budget = errorBudgetOf(service.objectives);
  if (!budget || !service.burnRate) return {};
  try {
    return { errorBudget: await readErrorBudget(ports, record, budget, service.burnRate.periodDays) };
  } catch (error) {
    return { errorBudget: { unreadable: messageOf(error) } };
  }
}

async function alarmsInAlarm(
  environment: string,
  service: ServiceConfig,
  record: RolloutRecord,
  release: Pick<Release, "version" | "digest" | "targetGroupArn">,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<string[] | undefined> {
  const target = targetKindOf(release.targetGroupArn, found);
  const { plan } = service;
  const canary = record.canary?.digest === release.digest ? record.canary : undefined;
  const exposurePercent = canary?.exposurePercent ?? 0;
  // The wave that opens speaks too: into its own bound nobody is led.
  const percents = [exposurePercent, nextWaveAbove(plan, exposurePercent)?.exposurePercent ?? 100];
  const context = { plan, exposurePercent, figures: canary?.figures ?? [] };
  const names = alarmsFor(service.objectives, service.source, target, context)
    // Hosts are counted by the guard itself; that alarm still remembers the minutes before the release was up.
    .filter((alarm) => alarm.indicator !== "healthy-hosts" && countsAt(alarm.rule, plan, percents))
    .map((alarm) => alarmName(environment, service.name, releaseKey(release), alarm.key));
  // Bounds that only tell people are watched for the service as a whole; whoever is warned just now opens no further wave.
  const warnings = serviceAlarmsFor(service.objectives, service.source, [target])
    .filter(({ objective }) => acts(service, objective))
    .map((alarm) => serviceAlarmName(environment, service.name, alarm.key));
  // Queries are as the record has them: those of a wave that opens only now are the guard's to ask.
  const elsewhere = record.alarms.filter(
    (alarm) => alarm.watchedIn !== undefined && alarm.digest === release.digest && countsAt(alarm, plan, percents),
  );
  try {
    const states = [
      ...(await ports.alarms.describe([...names, ...warnings])),
      ...(await describeAll(ports, elsewhere)),
    ];
    return states.filter((state) => state.state === "ALARM").map((state) => state.alarmName);
  } catch {
    return undefined;
  }
}

/** Observed objectives are reported, and stop nothing (B13). */
function acts({ objectives, mode }: ServiceConfig, name: string): boolean {
  return (objectives.find((objective) => objective.name === name)?.mode ?? mode) === "act";
}

async function readRequests(
  service: ServiceConfig,
  record: RolloutRecord,
  ports: DecidePorts,
): Promise<Omit<SoakEvidence, "alarmsInAlarm">> {
  const canary = record.canary;
  if (!canary || canary.exposurePercent === 0) return { canaryRequests: 0, watchedFraction: 0, fellSilent: false };
  const id = service.source === "emf" ? "reported" : "canary";
  const range = { from: canary.waveOpenedAt, to: ports.clock.now(), periodSeconds: watchedWindowSeconds };
  try {
    const queries = requestQueries(record, canary.digest).filter((query) => query.id === id);
    const points = (await ports.metrics.requestSums(queries, range))[id] ?? [];
    const newest = newestWindow(range.to, service.source);
    const latest = (await ports.metrics.requestSums(queries, { ...newest, periodSeconds: 60 }))[id] ?? [];
    const balancerRequests = points.reduce((total, point) => total + point.sum, 0);
    const reported = await reportedElsewhere(ports, record, canary.digest, range);
    const reportedLately = reported && (await reportedElsewhere(ports, record, canary.digest, newest));
    const canaryRequests = reported ? (reported.requests ?? 0) : balancerRequests;
    const isSilent = reported ? (reportedLately?.requests ?? 0) === 0 : latest.every((point) => point.sum === 0);
    // Judged by what the soak itself had, so that a quiet service is not called silent for being quiet.
    const expected =
      (Math.max(canaryRequests, balancerRequests) * (newest.to - newest.from)) / Math.max(1, range.to - range.from);
    return {
      canaryRequests,
      fellSilent: expected >= silenceFloor && isSilent,
      watchedFraction: watchedFraction(points, range, requestFloor(service.objectives, service.source)),
    };
  } catch {
    return { canaryRequests: undefined, watchedFraction: undefined, fellSilent: undefined };
  }
}

/** The newest whole minutes that have surely arrived. */
function newestWindow(now: Instant, source: MetricSource): { readonly from: Instant; readonly to: Instant } {
  const to = Math.floor((now - sourceDelaySeconds[source] * 1_000 - 30_000) / 60_000) * 60_000;
  return { from: to - newestMinutes * 60_000, to };
}

/** The least floor among the critical rules, whichever system watches them: below it none of them could have spoken. */
function requestFloor(objectives: readonly Objective[], source: MetricSource): number {
  const floors = releaseRules(objectives, source)
    .filter((rule) => rule.severity === "critical" && rule.requestFloor > 0)
    .map((rule) => rule.requestFloor);
  return floors.length === 0 ? 0 : Math.min(...floors);
}

function watchedFraction(
  points: readonly { readonly at: Instant; readonly sum: number }[],
  range: { readonly from: Instant; readonly to: Instant; readonly periodSeconds: number },
  floor: number,
): number {
  // The last windows have not arrived yet, and the first is cut by the opening; neither is held against the release.
  const windows = Math.max(1, Math.floor((range.to - range.from) / (range.periodSeconds * 1_000)) - 1);
  const watched = points.filter((point) => point.sum >= floor).length;
  return Math.min(1, watched / windows);
}
