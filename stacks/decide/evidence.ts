/** What was measured of a soak: requests, alarms, and whether the alarms could have spoken. What cannot be read is `undefined`. */

import type { ServiceSurvey } from "../../components/settings.ts";
import { targetKindOf } from "../../components/target-kind.ts";
import { alarmsFor, sourceDelaySeconds } from "../../core/alarms.ts";
import type { Step } from "../../core/declaration.ts";
import type { SoakEvidence } from "../../core/gate.ts";
import { alarmName, releaseKey } from "../../core/naming.ts";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import { requestQueries } from "../../hooks/observe.ts";
import type { ServiceConfig } from "../config.ts";
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
    alarmsInAlarm: release ? await alarmsInAlarm(environment, service, release, found, ports) : undefined,
  };
}

async function alarmsInAlarm(
  environment: string,
  service: ServiceConfig,
  release: Pick<Release, "version" | "digest" | "targetGroupArn">,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<string[] | undefined> {
  const target = targetKindOf(release.targetGroupArn, found);
  const names = alarmsFor(service.objectives, service.source, target)
    // Hosts are counted by the guard itself; that alarm still remembers the minutes before the release was up.
    .filter((alarm) => alarm.indicator !== "healthy-hosts")
    .map((alarm) => alarmName(environment, service.name, releaseKey(release), alarm.key));
  try {
    const states = await ports.alarms.describe(names);
    return states.filter((state) => state.state === "ALARM").map((state) => state.alarmName);
  } catch {
    return undefined;
  }
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
    const canaryRequests = points.reduce((total, point) => total + point.sum, 0);
    // Judged by what the soak itself had, so that a quiet service is not called silent for being quiet.
    const expected = (canaryRequests * (newest.to - newest.from)) / Math.max(1, range.to - range.from);
    return {
      canaryRequests,
      fellSilent: expected >= silenceFloor && latest.every((point) => point.sum === 0),
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

/** The least floor among the critical alarms: below it none of them could have spoken. */
function requestFloor(objectives: readonly Objective[], source: MetricSource): number {
  const floors = alarmsFor(objectives, source)
    .filter((alarm) => alarm.severity === "critical" && alarm.requestFloor > 0)
    .map((alarm) => alarm.requestFloor);
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
