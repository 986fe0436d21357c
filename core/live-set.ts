/** The live set: which releases stay declared, attached and at full size, and which may go. */
import type { DeclaredControl, Intent, LiveTraffic } from "./declaration.ts";
import type { Instant, RolloutRecord } from "./record.ts";
import type { Release } from "./releases.ts";

/** ALB may go on using old weights for a while, so what lost its weights stays this long. Source: argo-rollouts #4595, 2026-01. */
export const leaveAfterSeconds = 120;

/** A forward action takes five target groups, not adjustable. Source: AWS ALB quotas, read 2026-11. */
export const mostReleasesAttached = 5;

/** Config and record together: what config no longer names stays until it may go. */
export function liveReleases(
  intent: Intent,
  record: RolloutRecord,
  live: LiveTraffic | undefined,
  now: Instant,
  baseline: string,
  canary: string | undefined,
): Release[] {
  const byDigest = new Map<string, Release>();
  const fromRecord = (digest: string) => {
    const release = record.releases[digest];
    if (!release) return;
    byDigest.set(digest, {
      digest,
      version: release.version,
      ...(release.image === undefined ? {} : { image: release.image }),
      ...(release.adopted ? { targetGroupArn: release.targetGroupArn } : {}),
    });
  };
  const named = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
  const take = (digest: string | undefined) => {
    if (digest === undefined || byDigest.has(digest)) return;
    const inConfig = named.find((release) => release.digest === digest);
    // The record's version text wins for bytes it knows: names of groups and alarms hang on it, and must not move.
    if (inConfig) byDigest.set(digest, { ...inConfig, version: record.releases[digest]?.version ?? inConfig.version });
    else fromRecord(digest);
  };
  // What has no traffic yields its adopted group to the other version.
  const isReused = (digest: string) => {
    const release = record.releases[digest] ?? named.find((candidate) => candidate.digest === digest);
    return release !== undefined && [...byDigest.values()].some((taken) => isSameGroup(taken, release));
  };
  take(baseline);
  take(canary);
  for (const release of named) if (!isReused(release.digest)) take(release.digest);
  take(record.baseline);
  const old = record.canary;
  if (old && !mayGo(old, now) && (old.exposurePercent > 0 || !isReused(old.digest))) take(old.digest);
  if (record.previous && record.previous.until > now) take(record.previous.digest);
  // Whatever the record says: an opening that died before its commit has traffic too.
  for (const digest of Object.keys(live?.shares ?? {})) if (!isReused(digest)) take(digest);
  for (const [digest, leftAt] of Object.entries(record.leaving)) {
    if (now - leftAt < leaveAfterSeconds * 1_000 && !isReused(digest)) take(digest);
  }
  return [...byDigest.values()];
}

/** An adopted group serves one release at a time: with two, a return to the one would serve the other. */
export function sharedGroups(intent: Intent, liveSet: readonly Release[], control?: DeclaredControl): string[] {
  const arn = control?.targetGroupArn;
  const other = arn === undefined ? undefined : liveSet.find((release) => release.targetGroupArn === arn);
  const problems =
    other === undefined
      ? []
      : [
          `${intent.service}.control: the same target group as ${other.version}, which is still needed, got ${arn}; expected a group of its own. Name another, or leave it out and the program makes one`,
        ];
  const shared = liveSet.flatMap((release, index) => {
    const other = liveSet.slice(0, index).find((before) => isSameGroup(before, release));
    return other === undefined
      ? []
      : [
          `${intent.service}: ${other.version} and ${release.version} have the same target group ${release.targetGroupArn}, and both are still needed; expected a group for each. Set the other one's wave to 0, or wait until its rollback window is over`,
        ];
  });
  return [...problems, ...shared];
}

function isSameGroup(left: Release, right: Release): boolean {
  return left.targetGroupArn !== undefined && left.targetGroupArn === right.targetGroupArn;
}

function mayGo(canary: NonNullable<RolloutRecord["canary"]>, now: Instant): boolean {
  if (canary.exposurePercent > 0) return false;
  return canary.weightsLeftAt === undefined || now - canary.weightsLeftAt >= leaveAfterSeconds * 1_000;
}

export function secondsUntilRoom(record: RolloutRecord, now: Instant): number {
  const ends = [
    ...Object.values(record.leaving).map((leftAt) => leftAt + leaveAfterSeconds * 1_000),
    ...(record.previous ? [record.previous.until] : []),
  ].filter((end) => end > now);
  return ends.length === 0 ? leaveAfterSeconds : Math.ceil((Math.min(...ends) - now) / 1_000);
}
