/**
 * Releases that finished a rollout here: what the environment above asks for (A8), and which of them may come back without a soak. Whether
 * one still counts is read off the holds and not written down: whoever puts a hold need not know of this list.
 */
import type { FinishedRelease } from "./gate/evidence.ts";
import type { Hold, Instant, RolloutRecord } from "./record.ts";
import { rolledBack } from "./traffic-shares.ts";

/** What a release came to in its last wave. */
export type MeasuredFinish = Pick<FinishedRelease, "figures" | "requests">;

/** As long as a quarter, and some days: what finished before is no proof for today's environment. Unit: days. */
export const rememberedDays = 100;
/** A record is read every minute, and its list stands in the stack's outputs: the oldest go first. */
export const mostRemembered = 50;

/** The list after a finish; the release that finished is always in it. */
export function finishedAfter(
  before: RolloutRecord["finished"],
  release: FinishedRelease,
): Record<string, FinishedRelease> {
  const others = Object.values(before ?? {})
    .filter(({ digest, at }) => digest !== release.digest && at > release.at - rememberedDays * 86_400_000)
    .sort((left, right) => left.at - right.at)
    .slice(1 - mostRemembered);
  return Object.fromEntries([...others, release].map((each) => [each.digest, each]));
}

/** Those that count now, oldest first: neither rolled back after their finish nor held. */
export function finishedHere(record: Pick<RolloutRecord, "finished" | "holds">): readonly FinishedRelease[] {
  return Object.values(record.finished ?? {})
    .filter(({ digest, at }) => !Object.values(record.holds).some((hold) => speaksAgainst(hold, digest, at)))
    .sort((left, right) => left.at - right.at || (left.digest < right.digest ? -1 : 1));
}

/**
 * Whether a hold takes away what a release earned. By the digest itself and not by what holds are keyed by: the next version in an adopted
 * target group is another release.
 * @param since what it earned it then; a rollback before that was made good. @default any rollback counts
 */
export function speaksAgainst(hold: Hold, digest: string, since: Instant = Number.NEGATIVE_INFINITY): boolean {
  if (hold.digest !== digest) return false;
  return hold.acknowledged === undefined || (rolledBack(hold) && hold.at >= since);
}
