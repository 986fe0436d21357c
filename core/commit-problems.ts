/** Why a commit is refused: the record, the lease and the live weights must agree with what was declared. */

import type { LiveTraffic, ServiceDescription } from "./declaration.ts";
import { committedPercent, holdsOn, type Instant, type RolloutRecord } from "./record.ts";
import { sameShares } from "./traffic-shares.ts";

export type CommitProblem = string;

/** @returns the reason, or `undefined` when it may be committed */
export function returnProblems(
  record: RolloutRecord | undefined,
  description: ServiceDescription,
  live: LiveTraffic,
  now: Instant,
): CommitProblem | undefined {
  if (!showsDeclared(description, live)) {
    return `live shows ${describeLive(live)}, declared was ${description.exposurePercent} % on the canary; somebody changed the rule meanwhile. Run up again`;
  }
  const controlled = controlProblem(description, live);
  if (controlled) return controlled;
  if (record === undefined || record.retiredAt !== undefined) {
    return description.exposurePercent === 0 ? undefined : "a first release starts at 0 %";
  }
  return (
    foreignDeclarer(record, description) ??
    retireProblem(record, description) ??
    missingReleases(record, description) ??
    foreignOpening(record, description, now) ??
    modeProblem(record, description) ??
    (description.baseline !== record.baseline
      ? baselineProblem(record, description, now)
      : exposureProblem(record, description, now))
  );
}

function describeLive(live: LiveTraffic): string {
  const shares = Object.entries(live.shares).map(([digest, percent]) => `${percent} % on ${digest}`);
  return (
    [...shares, ...live.unknownTargetGroupArns.map((arn) => `weight on unknown ${arn}`)].join(", ") || "no weights"
  );
}

/** Less than declared is what the hook left of it; more is somebody's doing. */
function controlProblem(
  { control }: ServiceDescription,
  { controlPercent = 0 }: LiveTraffic,
): CommitProblem | undefined {
  const declared = control?.sharePercent ?? 0;
  return controlPercent > declared + 1e-6
    ? `live gives the control ${controlPercent} %, declared was ${declared} %; somebody changed the rule meanwhile. Run up again`
    : undefined;
}

/** A stack that could not read the record when it decided would else take the service from the one that declares it. */
function foreignDeclarer({ declaredBy }: RolloutRecord, description: ServiceDescription): CommitProblem | undefined {
  if (declaredBy === undefined || declaredBy === description.takenBy) return undefined;
  if (declaredBy === description.takenOverFrom) return undefined;
  return (
    `another stack declares it, got ${declaredBy} in its record; expected ${description.takenBy}. ` +
    "Take it out here; to move it, see docs/decisions/0013"
  );
}

/** Nobody looks after a retired service: what the program could not see, or what came since, must not go out of sight. */
function retireProblem(record: RolloutRecord, description: ServiceDescription): CommitProblem | undefined {
  if (!description.retire) return undefined;
  const percent = Math.max(committedPercent(record), description.exposurePercent);
  if (percent > 0)
    return `retire while a canary has ${percent} %; expected one release at 100 %. Finish or abandon first`;
  const standing = Object.values(record.holds).filter((hold) => !hold.acknowledged);
  if (standing.length === 0) return undefined;
  const ids = standing.map((hold) => hold.id).join(", ");
  return `retire while ${ids} stands; expected no hold. Acknowledge with a reason first`;
}

function missingReleases(record: RolloutRecord, description: ServiceDescription): CommitProblem | undefined {
  const declared = new Set(description.releases.map((release) => release.digest));
  const carrying = [record.baseline, ...(committedPercent(record) > 0 && record.canary ? [record.canary.digest] : [])];
  const missing = carrying.filter((digest) => !declared.has(digest));
  return missing.length === 0 ? undefined : `the description leaves out ${missing.join(", ")}, which carries traffic`;
}

/** Whether another stack is just opening a wave: its lease is none of this commit's business. */
export function isForeignOpening(record: RolloutRecord, description: ServiceDescription, now: Instant): boolean {
  const lease = record.lease;
  if (lease?.kind !== "opening" || lease.expiresAt <= now || lease.takenBy === description.takenBy) return false;
  const consumed = lease.digest === description.canary?.digest && lease.toPercent === description.exposurePercent;
  return !consumed;
}

/** A description without the release that another stack is opening would leave that one live and unwatched. */
function foreignOpening(
  record: RolloutRecord,
  description: ServiceDescription,
  now: Instant,
): CommitProblem | undefined {
  const lease = record.lease;
  if (!lease || !isForeignOpening(record, description, now)) return undefined;
  if (lease.digest === description.canary?.digest) return undefined;
  return `${lease.takenBy} is opening ${lease.digest} to ${lease.toPercent} % for another ${Math.ceil((lease.expiresAt - now) / 1_000)} s; wait for it, then run up again`;
}

function modeProblem(record: RolloutRecord, description: ServiceDescription): CommitProblem | undefined {
  const breached = Object.keys(record.breaches);
  return record.mode === "observe" && description.mode === "act" && breached.length > 0
    ? `cannot go from observe to act while ${breached.join(", ")} is breached`
    : undefined;
}

function baselineProblem(
  record: RolloutRecord,
  description: ServiceDescription,
  now: Instant,
): CommitProblem | undefined {
  const holds = holdsOn(record, description.baseline);
  if (holds.length > 0) return `hold ${holds[0]?.id} stands on the new baseline (${holds[0]?.detail})`;
  const canary = record.canary;
  if (canary?.digest === description.baseline) {
    if (canary.exposurePercent !== 100) return `finish at ${canary.exposurePercent} %; expected 100 %`;
    const open = Object.values(record.breaches).filter((breach) => breach.digest === canary.digest && !breach.observed);
    return open.length > 0 ? `finish while ${open[0]?.objective} is breached` : undefined;
  }
  if (description.replaceBaselineReason === undefined) return "another baseline than the record's, without a reason";
  return leaseProblem(record, "opening", description.baseline, 100, now);
}

function exposureProblem(
  record: RolloutRecord,
  description: ServiceDescription,
  now: Instant,
): CommitProblem | undefined {
  const wanted = description.canary;
  const current = record.canary;
  const sameRelease = wanted !== undefined && current?.digest === wanted.digest;
  const have = sameRelease ? committedPercent(record) : 0;
  const to = description.exposurePercent;
  const droppedPercent = sameRelease ? 0 : committedPercent(record);
  if (droppedPercent > 0 && current) {
    const problem = leaseProblem(record, "lowering", current.digest, 0, now);
    if (problem) return problem;
    if (to > 0) return "another canary cannot rise in the up that lowers the old one";
  }
  if (wanted && to > have) {
    const holds = holdsOn(record, wanted.digest);
    if (holds.length > 0) return `hold ${holds[0]?.id} was set meanwhile (${holds[0]?.detail}); the opening is void`;
    if (record.paused) return `paused by ${record.paused.by} meanwhile; the opening is void`;
    return leaseProblem(record, "opening", wanted.digest, to, now);
  }
  if (wanted && sameRelease && to < have) return leaseProblem(record, "lowering", wanted.digest, to, now);
  return undefined;
}

function leaseProblem(
  record: RolloutRecord,
  kind: "opening" | "lowering",
  digest: string,
  toPercent: number,
  now: Instant,
): CommitProblem | undefined {
  const lease = record.lease;
  if (!lease) return `no ${kind} lease is there; it was revoked by a lowering, or lapsed. Run up again`;
  if (lease.kind !== kind || lease.digest !== digest || lease.toPercent !== toPercent) {
    return `the lease is for ${lease.kind} of ${lease.digest} to ${lease.toPercent} % by ${lease.takenBy}, not for this up`;
  }
  if (lease.expiresAt <= now) return `the lease ran out at ${new Date(lease.expiresAt).toISOString()}. Run up again`;
  return undefined;
}

/** Whether live traffic is what a description declares. */
export function showsDeclared(description: ServiceDescription, live: LiveTraffic): boolean {
  const shares: Record<string, number> = {};
  if (description.exposurePercent < 100) shares[description.baseline] = 100 - description.exposurePercent;
  if (description.canary && description.exposurePercent > 0)
    shares[description.canary.digest] = description.exposurePercent;
  return live.unknownTargetGroupArns.length === 0 && sameShares(shares, live.shares);
}
