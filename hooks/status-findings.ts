/** What of a status is bad, worst first: said in the first line, since nobody reads a table at 3 a.m. Pure. */
import { heartbeatMinutes } from "../core/guard-checks.ts";
import type { Instant } from "../core/record.ts";
import { drillOverdueMilliseconds } from "./drill.ts";
import type { DrillStatus, ReadService, ServiceStatus } from "./status.ts";

/** Kinds of what is bad, worst first. */
export const findingKinds = [
  "record-unreadable",
  "services-unlisted",
  "live-above-record",
  "foreign-target-group",
  "breach-not-lowered",
  "hook-silent",
  "live-unreadable",
  "breach",
  "hold",
  "record-absent",
  "page-waiting",
  "paused",
  "drill-unreadable",
  "drill-overdue",
] as const;

export interface StatusFinding {
  readonly kind: (typeof findingKinds)[number];
  /** Absent where the environment is meant. */
  readonly service?: string;
  /** One line for people. */
  readonly text: string;
}

/** In the order of `findingKinds`; services keep their order within a kind. */
export function worstFirst(findings: readonly StatusFinding[]): StatusFinding[] {
  return [...findings].sort((left, right) => findingKinds.indexOf(left.kind) - findingKinds.indexOf(right.kind));
}

/** A lease grants this much on top of what is committed. */
function granted({ canary, lease }: ReadService): number {
  const committed = canary?.committedPercent ?? 0;
  return lease && lease.kind === "opening" && !lease.isOver && lease.digest === canary?.digest
    ? Math.max(committed, lease.toPercent)
    : committed;
}

/** Everything bad about one service. */
export function findingsOf(status: ServiceStatus, at: Instant): StatusFinding[] {
  const { service } = status;
  const finding = (kind: StatusFinding["kind"], text: string): StatusFinding => ({
    kind,
    service,
    text: `${service}: ${text}`,
  });
  if (status.kind === "unreadable")
    return [finding("record-unreadable", `its record cannot be read: ${status.problem}`)];
  if (status.kind === "absent") return [finding("record-absent", "no record of it")];
  if (status.retiredAt !== undefined) return [];
  const { canary, live } = status;
  const found: StatusFinding[] = [];
  if (live.kind === "unreadable")
    found.push(finding("live-unreadable", `its live rules cannot be read: ${live.problem}`));
  else if (live.unknownTargetGroupArns.length > 0) {
    const groups = live.unknownTargetGroupArns.join(", ");
    found.push(finding("foreign-target-group", `traffic goes to what the record does not know: ${groups}`));
  }
  const livePercent = canary?.livePercent;
  if (canary && livePercent !== undefined && livePercent > granted(status) + 0.5) {
    const text = `${canary.version} has ${round(livePercent)} % live, and the record grants ${granted(status)} %`;
    found.push(finding("live-above-record", text));
  }
  for (const breach of status.breaches) {
    if (breach.observed) continue;
    const has = live.kind === "read" ? (live.sharesPercent[breach.digest] ?? 0) : undefined;
    const words = `${breach.version} breaches ${breach.objective} (${breach.severity}) since ${clock(breach.startedAt)}`;
    const isLowering = breach.response !== "freeze" && breach.response !== "notify";
    if (isLowering && has !== undefined && has > breach.targetPercent + 0.5)
      found.push(
        finding(
          "breach-not-lowered",
          `${words}, and has ${round(has)} % live; it should have ${breach.targetPercent} %`,
        ),
      );
    else found.push(finding("breach", words));
  }
  found.push(...heartbeatFindings(status, at, finding));
  for (const hold of status.holds)
    found.push(
      finding(
        "hold",
        `hold ${hold.id} on ${hold.scope === "service" ? "the service" : hold.version} (${hold.cause}): ${hold.detail}`,
      ),
    );
  if (status.pagesWaiting > 0) found.push(finding("page-waiting", `${status.pagesWaiting} page(s) not delivered yet`));
  if (status.paused)
    found.push(finding("paused", `openings are paused by ${status.paused.by}: ${status.paused.reason}`));
  return found;
}

function heartbeatFindings(
  { heartbeat }: ReadService,
  at: Instant,
  finding: (kind: StatusFinding["kind"], text: string) => StatusFinding,
): StatusFinding[] {
  if (heartbeat.kind === "unreadable")
    return [finding("hook-silent", `its heartbeat cannot be read: ${heartbeat.problem}`)];
  if (heartbeat.at === undefined) return [finding("hook-silent", "the hook has never finished a look at it")];
  const seconds = Math.floor((at - heartbeat.at) / 1_000);
  if (seconds <= heartbeatMinutes * 60) return [];
  return [finding("hook-silent", `the hook has not looked at it since ${clock(heartbeat.at)}`)];
}

/** Whether the alarm-to-page path was shown to work lately. */
export function drillFindings(drill: DrillStatus, at: Instant): StatusFinding[] {
  if (drill.kind === "unreadable")
    return [{ kind: "drill-unreadable", text: `the drill's state cannot be read: ${drill.problem}` }];
  const since = drill.state?.arrivedAt ?? drill.state?.armedAt;
  if (since !== undefined && at - since <= drillOverdueMilliseconds) return [];
  const last = drill.state?.arrivedAt;
  const text = last === undefined ? "no drill ever came through" : `the last drill came through ${clock(last)}`;
  return [{ kind: "drill-overdue", text: `${text}; run npx tidegate drill` }];
}

function clock(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
