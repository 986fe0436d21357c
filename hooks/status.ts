/**
 * Where every service of an environment stands: record, live rules and heartbeat side by side, and what of it is bad, worst first.
 * Reads only. What cannot be read is said of that service alone: one unreadable record does not hide the others.
 */
import pLimit from "p-limit";
import { messageOf } from "../core/error-message.ts";
import { versionOf } from "../core/outcome.ts";
import {
  type Breach,
  committedPercent,
  type Hold,
  type Instant,
  type Lease,
  type RolloutRecord,
} from "../core/record.ts";
import { liveExposureOf } from "./observe.ts";
import type { DrillState, ForwardAction, Ports } from "./ports.ts";
import { drillFindings, findingsOf, type StatusFinding, worstFirst } from "./status-findings.ts";

export interface EnvironmentStatus {
  readonly environment: string;
  readonly region: string;
  readonly at: Instant;
  /** Ascending by name, or in the order asked for. */
  readonly services: readonly ServiceStatus[];
  /** Why the services could not be listed; absent where they were, or were named by the asker. */
  readonly listProblem?: string;
  readonly drill: DrillStatus;
  /** Everything that is bad, worst first. */
  readonly findings: readonly StatusFinding[];
}

export type ServiceStatus =
  | ReadService
  | { readonly kind: "unreadable"; readonly service: string; readonly problem: string }
  /** No record: nothing was ever opened, or the table is lost or another one. */
  | { readonly kind: "absent"; readonly service: string };

export type DrillStatus =
  | { readonly kind: "read"; readonly state: DrillState | undefined }
  | { readonly kind: "unreadable"; readonly problem: string };

interface NamedRelease {
  readonly digest: string;
  readonly version: string;
}

export interface ReadService {
  readonly kind: "read";
  readonly service: string;
  readonly revision: number;
  readonly mode: "act" | "observe";
  readonly baseline: NamedRelease;
  readonly canary?: NamedRelease & {
    readonly attempt: number;
    readonly committedPercent: number;
    /** Absent: live could not be read. */
    readonly livePercent?: number;
    readonly ceilingPercent: number;
    readonly waveOpenedAt: Instant;
    readonly secondsInWave: number;
  };
  /** The release before the last finish, while its rollback window is open. */
  readonly previous?: NamedRelease & { readonly until: Instant };
  readonly live:
    | {
        readonly kind: "read";
        /** By digest. */
        readonly sharesPercent: Readonly<Record<string, number>>;
        readonly unknownTargetGroupArns: readonly string[];
      }
    | { readonly kind: "unreadable"; readonly problem: string };
  /** Those that nobody acknowledged, oldest first. */
  readonly holds: readonly (Hold & { readonly version: string })[];
  readonly breaches: readonly (Breach & { readonly version: string })[];
  readonly lease?: Lease & { readonly version: string; readonly isOver: boolean };
  readonly paused?: NonNullable<RolloutRecord["paused"]>;
  readonly heartbeat:
    | { readonly kind: "read"; readonly at: Instant | undefined }
    | { readonly kind: "unreadable"; readonly problem: string };
  /** Pages that no required channel has taken yet. */
  readonly pagesWaiting: number;
  readonly retiredAt?: Instant;
}

/** Services read side by side; each costs two reads of the table. */
const sideBySide = 10;

/**
 * Reads it all. Never throws for what cannot be read.
 * @param services @default every service with a record
 */
export async function readStatus(ports: Ports, services?: readonly string[]): Promise<EnvironmentStatus> {
  const at = ports.clock.now();
  const [names, drill] = await Promise.all([services ?? listed(ports), readDrill(ports)]);
  const listProblem = typeof names === "string" ? names : undefined;
  const limit = pLimit(sideBySide);
  const found = await Promise.all(
    (typeof names === "string" ? [] : names).map((service) => limit(() => readOne(ports, service))),
  );
  const rules = await readRules(
    ports,
    found.flatMap((each) => each.record ?? []),
  );
  const statuses = found.map((each): ServiceStatus => {
    if (each.problem !== undefined) return { kind: "unreadable", service: each.service, problem: each.problem };
    if (!each.record) return { kind: "absent", service: each.service };
    return serviceStatus(each.record, rules.get(each.service) ?? "not read", each.heartbeat, at);
  });
  const { environment, region } = ports.place;
  const findings = worstFirst([
    ...statuses.flatMap((status) => findingsOf(status, at)),
    ...(listProblem === undefined
      ? []
      : [{ kind: "services-unlisted" as const, text: `the services cannot be listed: ${listProblem}` }]),
    ...drillFindings(drill, at),
  ]);
  return {
    environment,
    region,
    at,
    services: statuses,
    ...(listProblem === undefined ? {} : { listProblem }),
    drill,
    findings,
  };
}

async function listed(ports: Ports): Promise<readonly string[] | string> {
  try {
    return await ports.records.list();
  } catch (error) {
    return messageOf(error);
  }
}

async function readDrill(ports: Ports): Promise<DrillStatus> {
  try {
    return { kind: "read", state: await ports.records.readDrill() };
  } catch (error) {
    return { kind: "unreadable", problem: messageOf(error) };
  }
}

interface Found {
  readonly service: string;
  readonly record?: RolloutRecord | undefined;
  readonly problem?: string;
  readonly heartbeat: ReadService["heartbeat"];
}

async function readOne(ports: Ports, service: string): Promise<Found> {
  const [record, heartbeat] = await Promise.allSettled([
    ports.records.read(service),
    ports.records.readHeartbeat(service),
  ]);
  return {
    service,
    ...(record.status === "fulfilled" ? { record: record.value } : { problem: messageOf(record.reason) }),
    heartbeat:
      heartbeat.status === "fulfilled"
        ? { kind: "read", at: heartbeat.value }
        : { kind: "unreadable", problem: messageOf(heartbeat.reason) },
  };
}

type LiveRules = Readonly<Record<string, ForwardAction>>;

/** Rules of all services in as few calls as may be; where one of them cannot be read, service by service. A text says why not. */
async function readRules(ports: Ports, records: readonly RolloutRecord[]): Promise<Map<string, LiveRules | string>> {
  const mainsOf = (record: RolloutRecord) =>
    record.rules.filter((rule) => rule.role === "main").map((rule) => rule.arn);
  if (records.length === 0) return new Map();
  try {
    const all = await ports.traffic.readRules(records.flatMap(mainsOf));
    return new Map(records.map((record) => [record.service, all]));
  } catch {
    const limit = pLimit(sideBySide);
    return new Map(
      await Promise.all(
        records.map((record) =>
          limit(async (): Promise<[string, LiveRules | string]> => {
            try {
              return [record.service, await ports.traffic.readRules(mainsOf(record))];
            } catch (error) {
              return [record.service, messageOf(error)];
            }
          }),
        ),
      ),
    );
  }
}

function serviceStatus(
  record: RolloutRecord,
  rules: LiveRules | string,
  heartbeat: ReadService["heartbeat"],
  at: Instant,
): ReadService {
  const live = liveStatus(record, rules, at);
  const named = (digest: string): NamedRelease => ({ digest, version: versionOf(record, digest) });
  const { canary, previous, lease } = record;
  return {
    kind: "read",
    service: record.service,
    revision: record.revision,
    mode: record.mode,
    baseline: named(record.baseline),
    ...(canary
      ? {
          canary: {
            ...named(canary.digest),
            attempt: canary.attempt,
            committedPercent: committedPercent(record),
            ...(live.kind === "read" ? { livePercent: live.sharesPercent[canary.digest] ?? 0 } : {}),
            ceilingPercent: record.ceilings[canary.digest] ?? 0,
            waveOpenedAt: canary.waveOpenedAt,
            secondsInWave: Math.max(0, Math.floor((at - canary.waveOpenedAt) / 1_000)),
          },
        }
      : {}),
    ...(previous && previous.until > at ? { previous: { ...named(previous.digest), until: previous.until } } : {}),
    live,
    holds: Object.values(record.holds)
      .filter((hold) => !hold.acknowledged)
      .sort((left, right) => left.at - right.at)
      .map((hold) => ({ ...hold, version: versionOf(record, hold.digest) })),
    breaches: Object.values(record.breaches).map((breach) => ({
      ...breach,
      version: versionOf(record, breach.digest),
    })),
    ...(lease ? { lease: { ...lease, version: versionOf(record, lease.digest), isOver: lease.expiresAt <= at } } : {}),
    ...(record.paused ? { paused: record.paused } : {}),
    heartbeat,
    pagesWaiting: record.outbox.length,
    ...(record.retiredAt === undefined ? {} : { retiredAt: record.retiredAt }),
  };
}

function liveStatus(record: RolloutRecord, rules: LiveRules | string, at: Instant): ReadService["live"] {
  if (typeof rules === "string") return { kind: "unreadable", problem: rules };
  const live = liveExposureOf(record, rules, undefined, at);
  return live
    ? { kind: "read", sharesPercent: live.shares, unknownTargetGroupArns: live.unknownTargetGroupArns }
    : { kind: "unreadable", problem: "none of its main rules exists" };
}
