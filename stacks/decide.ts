/**
 * The program's first phase: reads what is real and decides, for every service, what its rules shall say. Only reads; the
 * guard looks again before anything is written.
 */
import { alarmsFor, sourceDelaySeconds } from "../core/alarms.ts";
import type { Declaration, Intent, LiveTraffic, Notice, Reality, Step } from "../core/declaration.ts";
import { declare } from "../core/declare.ts";
import { describeDetections } from "../core/detection.ts";
import type { SoakEvidence } from "../core/gate.ts";
import { alarmName, loadBalancerName, releaseKey, targetGroupLogicalName } from "../core/naming.ts";
import { type MetricSource, type Objective, splitByMeasurability } from "../core/objectives.ts";
import type { Instant, RolloutRecord } from "../core/record.ts";
import type { Release } from "../core/releases.ts";
import { sharesOf } from "../core/traffic-shares.ts";
import { liveOf, requestQueries } from "../hooks/observe.ts";
import type { Ports } from "../hooks/ports.ts";
import { type EnvironmentConfig, intentOf, type ServiceConfig } from "./config.ts";
import { lostServices } from "./ownership.ts";

/** The ports that deciding reads. */
export type DecidePorts = Pick<Ports, "records" | "traffic" | "alarms" | "metrics" | "clock">;

/** Length of the windows in which the gate asks whether an alarm could have spoken. Unit: seconds. */
const watchedWindowSeconds = 300;

/** How far back silence is looked for, and how many requests there must have been for it to mean anything. */
const newestMinutes = 2;
const silenceFloor = 10;

/** Decides for every service of the config, and refuses to lose one that only the record still knows. */
export async function decideEnvironment(config: EnvironmentConfig, ports: DecidePorts): Promise<Declaration[]> {
  const declarations: Declaration[] = [];
  for (const service of config.services) declarations.push(await decideService(config, service, ports));
  const lost = await lostServices(config, ports);
  const [first, ...rest] = declarations;
  if (lost.length === 0 || !first) return declarations;
  // A service that left the config has no declaration of its own; the refusal stops the whole up wherever it stands.
  return [{ ...first, refusals: [...first.refusals, ...lost] }, ...rest];
}

async function decideService(
  config: EnvironmentConfig,
  service: ServiceConfig,
  ports: DecidePorts,
): Promise<Declaration> {
  const intent = intentOf(config, service);
  const reality = await readReality(config, service, intent, ports);
  const now = ports.clock.now();
  const proposed = declare(intent, reality, now);
  const needsEvidence = reality.kind === "record" && (proposed.step === "opening" || proposed.step === "finish");
  const declared = needsEvidence
    ? declare(
        intent,
        reality,
        now,
        await readEvidence(config.environment, service, reality.record, proposed.step, ports),
      )
    : proposed;
  const notices = [...declared.notices, ...overridden(declared), ...unwatched(service), ...inSight(service, declared)];
  return { ...declared, notices };
}

/** An override left in the config would lift the soak of every later wave too. */
function overridden({ service, step, overrideReason }: Declaration): Notice[] {
  if (overrideReason === undefined || (step !== "opening" && step !== "finish")) return [];
  const text = `${service}: soak and request rules of the gate are OVERRIDDEN (${overrideReason}); take overrideReason out again after this up`;
  return [{ kind: "note", severity: "warning", text }];
}

/** Objectives the source cannot see and criteria nobody watches yet are said, by name, every time. */
function unwatched(service: ServiceConfig): Notice[] {
  const { unseen } = splitByMeasurability(service.objectives, service.source);
  const notices: Notice[] = [];
  if (unseen.length > 0) {
    notices.push({
      kind: "unwatched",
      severity: "warning",
      text: `${service.name}: not watched, since source ${service.source} does not measure them: ${unseen.map((objective) => objective.name).join(", ")}`,
    });
  }
  const criteria = service.plan.waves.flatMap((wave) =>
    wave.criteria.map((criterion) => `${wave.exposurePercent} % ${criterion.kind} on ${criterion.text}`),
  );
  if (criteria.length > 0) {
    notices.push({
      kind: "unwatched",
      severity: "warning",
      text: `${service.name}: plan ${service.plan.name} has bounds of single waves, which this version does not watch (the objectives' bounds hold instead): ${criteria.join("; ")}`,
    });
  }
  return notices;
}

/** How fast a breach would end at the exposure that this up declares. */
function inSight(service: ServiceConfig, { exposurePercent }: Declaration): Notice[] {
  if (exposurePercent === 0) return [];
  const text = describeDetections(service.objectives, service.source, exposurePercent);
  return [
    {
      kind: "detection",
      severity: "info",
      text: `${service.name}: worst case from breach to less traffic at ${exposurePercent} %: ${text}`,
    },
  ];
}

async function readReality(
  config: EnvironmentConfig,
  service: ServiceConfig,
  intent: Intent,
  ports: DecidePorts,
): Promise<Reality> {
  let record: RolloutRecord | undefined;
  try {
    record = await ports.records.read(service.name);
  } catch (error) {
    const live = await liveWithoutRecord(config, intent, ports);
    return { kind: "unknown", reason: `the record cannot be read (${message(error)})`, live: live.traffic };
  }
  if (!record) {
    const live = await liveWithoutRecord(config, intent, ports);
    if (live.kind === "none") return { kind: "first" };
    return { kind: "unknown", reason: "there is no record, but a rule of ours is live", live: live.traffic };
  }
  if (record.environment !== config.environment) {
    return { kind: "unknown", reason: `the record is of environment ${record.environment}`, live: undefined };
  }
  return { kind: "record", record, live: await liveTraffic(record, ports) };
}

async function liveTraffic(record: RolloutRecord, ports: DecidePorts): Promise<LiveTraffic | undefined> {
  try {
    return liveOf(record, await ports.traffic.readRules(record.rules.map((rule) => rule.arn)));
  } catch {
    return undefined;
  }
}

/** What our main rules say where no record tells which they are: found by their tags. */
async function liveWithoutRecord(
  config: EnvironmentConfig,
  intent: Intent,
  ports: DecidePorts,
): Promise<{ kind: "none" | "some" | "unreadable"; traffic: LiveTraffic | undefined }> {
  const listener = config.network.listenerArn
    ? { arn: config.network.listenerArn }
    : { loadBalancerName: loadBalancerName(config.environment) };
  try {
    const arns = await ports.traffic.findMainRules({
      listener,
      environment: config.environment,
      service: intent.service,
    });
    if (arns.length === 0) return { kind: "none", traffic: undefined };
    const rules = await ports.traffic.readRules(arns);
    const weights: Record<string, number> = Object.assign({}, ...Object.values(rules).map((rule) => rule.weights));
    const named = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
    const groups = groupsByName(intent.service, named, Object.keys(weights));
    return { kind: "some", traffic: sharesOf(weights, groups) };
  } catch {
    return { kind: "unreadable", traffic: undefined };
  }
}

/** Groups of the releases that config names: adopted ones by ARN, our own by the name that the release gives them. */
function groupsByName(service: string, releases: readonly Release[], arns: readonly string[]): Record<string, string> {
  const groups: Record<string, string> = {};
  for (const release of releases) {
    const prefix = `${targetGroupLogicalName(service, releaseKey(release))}-`;
    const arn = release.targetGroupArn ?? arns.find((candidate) => candidate.split("/")[1]?.startsWith(prefix));
    if (arn !== undefined) groups[release.digest] = arn;
  }
  return groups;
}

async function readEvidence(
  environment: string,
  service: ServiceConfig,
  record: RolloutRecord,
  step: Step,
  ports: DecidePorts,
): Promise<SoakEvidence> {
  // What finishes is the record's canary, even where the config names the next one in the same up.
  const digest = step === "finish" ? record.canary?.digest : (service.canary?.digest ?? record.canary?.digest);
  const release = (digest === undefined ? undefined : record.releases[digest]) ?? service.canary;
  return {
    ...(await readRequests(service, record, ports)),
    alarmsInAlarm: release ? await alarmsInAlarm(environment, service, release, ports) : undefined,
  };
}

async function alarmsInAlarm(
  environment: string,
  service: ServiceConfig,
  release: Pick<Release, "version" | "digest">,
  ports: DecidePorts,
): Promise<string[] | undefined> {
  const names = alarmsFor(service.objectives, service.source)
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

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
