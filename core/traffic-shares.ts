/**
 * Weights and shares: what a forward action means in percent by release, and the actions that program and hook write.
 * The very same shape on both sides, or each would see the other's write as drift.
 */

import { controlPercentAt } from "./control.ts";
import type { LiveTraffic } from "./declaration.ts";
import { loweringResponses } from "./objectives.ts";
import { type ControlGroup, type Hold, holdsOn, type RolloutRecord } from "./record.ts";
import { sameHold } from "./releases.ts";

/** Target groups by digest. */
export type TargetGroups = Readonly<Record<string, string>>;

/** The baseline's second group, as far as weights go. */
export type ControlTarget = Pick<ControlGroup, "targetGroupArn" | "digest">;

/**
 * Percent by digest of a forward action; weights are relative, so any sum above 0 will do.
 * @param control its group's weight counts as its release's, and is told beside it. @default none: its group is a stranger
 */
export function sharesOf(
  weights: Readonly<Record<string, number>>,
  groups: TargetGroups,
  control?: ControlTarget,
): LiveTraffic {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const digestByArn = new Map(Object.entries(groups).map(([digest, arn]) => [arn, digest]));
  // A release's own group wins: traffic on it must never be taken for the control's.
  const isControl = (arn: string) => arn === control?.targetGroupArn && !digestByArn.has(arn);
  let controlPercent = 0;
  const shares: Record<string, number> = {};
  const unknownTargetGroupArns: string[] = [];
  for (const [arn, weight] of Object.entries(weights)) {
    if (weight <= 0) continue;
    const digest = control && isControl(arn) ? control.digest : digestByArn.get(arn);
    if (isControl(arn)) controlPercent += (100 * weight) / total;
    if (digest === undefined) unknownTargetGroupArns.push(arn);
    else shares[digest] = (shares[digest] ?? 0) + (100 * weight) / total;
  }
  return { shares, unknownTargetGroupArns, ...(controlPercent > 0 ? { controlPercent } : {}) };
}

/** Whether two share tables say the same traffic. */
export function sameShares(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): boolean {
  const digests = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...digests].every((digest) => Math.abs((left[digest] ?? 0) - (right[digest] ?? 0)) < 1e-6);
}

/** Target group ARN by digest of every live release of a record. */
export function groupsOf(record: RolloutRecord): Record<string, string> {
  return Object.fromEntries(Object.values(record.releases).map((release) => [release.digest, release.targetGroupArn]));
}

/**
 * Weights by target group ARN for shares: only groups above 0, percent as weight.
 * @param control takes this much of its release's share, and never more than is due to it at these shares. @default none
 */
export function weightsFor(
  shares: Readonly<Record<string, number>>,
  groups: TargetGroups,
  control?: ControlTarget & { readonly sharePercent: number },
): Record<string, number> {
  const weights: Record<string, number> = {};
  const add = (arn: string, percent: number) => {
    if (percent > 0) weights[arn] = (weights[arn] ?? 0) + percent;
  };
  for (const [digest, percent] of Object.entries(shares)) {
    const arn = groups[digest];
    if (arn === undefined) throw new Error(`no target group known for release ${digest}`);
    const controls =
      control?.digest === digest ? Math.max(0, Math.min(control.sharePercent, controlPercentAt(100 - percent))) : 0;
    add(arn, percent - controls);
    if (control) add(control.targetGroupArn, controls);
  }
  return weights;
}

/**
 * Stickiness belongs to an undisturbed split alone: a sticky cookie beats a weight and cannot be reset from the server, so
 * any lowering turns it off.
 */
export function mayStick(record: RolloutRecord): boolean {
  const { canary, control } = record;
  return (
    canary !== undefined &&
    control?.lostAt === undefined &&
    canary.exposurePercent > 0 &&
    canary.exposurePercent < 100 &&
    holdsOn(record, canary.digest).length === 0
  );
}

/** The release that testers reach: the canary while nothing holds it, else the baseline (A7). */
export function testersReach(record: RolloutRecord): string {
  const canary = record.canary;
  if (canary === undefined || attemptIsOver(record, canary.digest, canary.attempt)) return record.baseline;
  return holdsOn(record, canary.digest).length === 0 ? canary.digest : record.baseline;
}

/** Whether a hold took its release to 0. A freeze takes nothing away, even where the release has nothing yet. */
export function rolledBack(hold: Hold): boolean {
  if (hold.targetPercent !== 0) return false;
  return hold.cause === "unexplained-lowering" || loweringResponses.has(hold.response);
}

/** A rollback to 0 ends an attempt for good, acknowledged or not. */
export function attemptIsOver(record: RolloutRecord, digest: string, attempt: number): boolean {
  return Object.values(record.holds).some(
    (hold) => rolledBack(hold) && sameHold(hold.digest, digest) && hold.attempt >= attempt,
  );
}
