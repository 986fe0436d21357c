/** `status --json`: the shape, and how it is made. The rules of `json.ts` hold: fields are only ever added. */
import type { EnvironmentStatus, ReadService, ServiceStatus } from "../hooks/status.ts";
import { type StatusFinding, worstFirst } from "../hooks/status-findings.ts";
import { iso, isoOrNull } from "./json.ts";

/** Whether this caller could call the hook. */
export type HookReach = { readonly isReachable: true } | { readonly isReachable: false; readonly problem: string };

export interface StatusJson {
  readonly environment: string;
  readonly region: string;
  /** 12 digits; `null` where STS did not answer in time. */
  readonly accountId: string | null;
  readonly at: string;
  /** The worst thing, in words; `null`: nothing is bad. */
  readonly worst: string | null;
  /** Everything that is bad, worst first. */
  readonly findings: readonly { readonly kind: string; readonly service: string | null; readonly text: string }[];
  readonly hook: { readonly isReachable: boolean; readonly problem: string | null };
  /** `null`: it could not be read. */
  readonly drill: {
    readonly armedAt: string | null;
    readonly startedAt: string | null;
    readonly arrivedAt: string | null;
  } | null;
  readonly services: readonly ServiceJson[];
}

export type ServiceJson =
  | { readonly service: string; readonly record: "unreadable"; readonly problem: string }
  | { readonly service: string; readonly record: "absent" }
  | ReturnType<typeof readJson>;

/** The status's findings with the hook's reach among them. */
export function allFindings(status: EnvironmentStatus, hook: HookReach): StatusFinding[] {
  return hook.isReachable
    ? [...status.findings]
    : worstFirst([{ kind: "hook-silent", text: hook.problem }, ...status.findings]);
}

export function statusJson(status: EnvironmentStatus, hook: HookReach, accountId: string | null): StatusJson {
  const findings = allFindings(status, hook);
  return {
    environment: status.environment,
    region: status.region,
    accountId,
    at: iso(status.at),
    worst: findings[0]?.text ?? null,
    findings: findings.map(({ kind, service, text }) => ({ kind, service: service ?? null, text })),
    hook: { isReachable: hook.isReachable, problem: hook.isReachable ? null : hook.problem },
    drill:
      status.drill.kind === "read"
        ? {
            armedAt: isoOrNull(status.drill.state?.armedAt),
            startedAt: isoOrNull(status.drill.state?.startedAt),
            arrivedAt: isoOrNull(status.drill.state?.arrivedAt),
          }
        : null,
    services: status.services.map((service) => serviceJson(service, status.at)),
  };
}

function serviceJson(status: ServiceStatus, at: number): ServiceJson {
  switch (status.kind) {
    case "unreadable":
      return { service: status.service, record: "unreadable", problem: status.problem };
    case "absent":
      return { service: status.service, record: "absent" };
    case "read":
      return readJson(status, at);
  }
}

function readJson(status: ReadService, at: number) {
  const { canary, previous, lease, paused, heartbeat, live } = status;
  const heartbeatAt = heartbeat.kind === "read" ? heartbeat.at : undefined;
  return {
    service: status.service,
    record: "read" as const,
    revision: status.revision,
    mode: status.mode,
    baseline: status.baseline,
    canary: canary
      ? {
          digest: canary.digest,
          version: canary.version,
          attempt: canary.attempt,
          committedPercent: canary.committedPercent,
          livePercent: canary.livePercent ?? null,
          ceilingPercent: canary.ceilingPercent,
          waveOpenedAt: iso(canary.waveOpenedAt),
          secondsInWave: canary.secondsInWave,
        }
      : null,
    previous: previous ? { digest: previous.digest, version: previous.version, until: iso(previous.until) } : null,
    liveSharesPercent: live.kind === "read" ? live.sharesPercent : null,
    holds: status.holds.map((hold) => ({
      id: hold.id,
      scope: hold.scope,
      digest: hold.digest,
      version: hold.version,
      cause: hold.cause,
      detail: hold.detail,
      response: hold.response,
      targetPercent: hold.targetPercent,
      at: iso(hold.at),
    })),
    breaches: status.breaches.map((breach) => ({
      id: breach.id,
      digest: breach.digest,
      version: breach.version,
      objective: breach.objective,
      severity: breach.severity,
      response: breach.response,
      targetPercent: breach.targetPercent,
      isObservedOnly: breach.observed,
      startedAt: iso(breach.startedAt),
    })),
    lease: lease
      ? {
          id: lease.id,
          kind: lease.kind,
          version: lease.version,
          fromPercent: lease.fromPercent,
          toPercent: lease.toPercent,
          takenBy: lease.takenBy,
          expiresAt: iso(lease.expiresAt),
          isOver: lease.isOver,
        }
      : null,
    paused: paused ? { by: paused.by, reason: paused.reason, at: iso(paused.at) } : null,
    heartbeatAt: isoOrNull(heartbeatAt),
    secondsSinceHeartbeat: heartbeatAt === undefined ? null : Math.max(0, Math.floor((at - heartbeatAt) / 1_000)),
    pagesWaiting: status.pagesWaiting,
    retiredAt: isoOrNull(status.retiredAt),
  };
}
