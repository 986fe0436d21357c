/**
 * Cool-off (B5): after a rollback, the same release's next attempt waits before its first wave, so that nobody tries again what nobody has
 * looked into. Counted from when its last traffic left.
 */
import { instantText } from "../instant-text.ts";
import { loweringResponses } from "../objectives.ts";
import { versionOf } from "../outcome.ts";
import type { Instant, RolloutRecord } from "../record.ts";
import { holdKey } from "../releases.ts";
import { rolledBack } from "../traffic-shares.ts";
import { type Finding, met } from "./verdict.ts";

/**
 * What the cool-off says of a release that has no traffic and asks for its first wave. None where the plan has none, nothing was rolled back,
 * or a later attempt has had traffic already.
 */
export function coolOffFindings(record: RolloutRecord, digest: string, now: Instant): Finding[] {
  const { coolOffMinutes = 0 } = record.plan;
  const leftAt = rolledBackAt(record, digest);
  if (coolOffMinutes === 0 || leftAt === undefined) return [];
  const until = leftAt + coolOffMinutes * 60_000;
  const since = `${versionOf(record, digest)} was rolled back, its last traffic left at ${instantText(leftAt)}`;
  if (now >= until)
    return [met("cool-off", `${since}; its cool-off of ${coolOffMinutes} min is over since ${instantText(until)}`)];
  const text = `${since}; it cools off for ${coolOffMinutes} min, until ${instantText(until)}. Wait, or say overrideReason`;
  return [{ rule: "cool-off", verdict: "monitor", text }];
}

/**
 * Until when a release that was rolled back may be lowered anew for what it did before: where its newest windows have no point, CloudWatch looks
 * at older ones, so a second attempt's first good point may stand beside a bad one of the first. `undefined`: it was not rolled back.
 */
export function settlesAt(record: RolloutRecord, digest: string): Instant | undefined {
  const leftAt = rolledBackAt(record, digest);
  if (leftAt === undefined) return undefined;
  const own = record.alarms.filter((alarm) => alarm.digest === digest && loweringResponses.has(alarm.response));
  return leftAt + 1_000 * Math.max(0, ...own.map(({ settleSeconds }) => settleSeconds));
}

/**
 * When the last traffic left after the rollback that ended the newest attempt; `undefined`: none did. Of the release itself: the next version
 * in an adopted target group is another release.
 */
function rolledBackAt(record: RolloutRecord, digest: string): Instant | undefined {
  const newestAttempt = record.attempts[holdKey(digest)] ?? 0;
  const rollbacks = Object.values(record.holds).filter(
    (hold) => hold.digest === digest && rolledBack(hold) && hold.attempt >= newestAttempt,
  );
  if (rollbacks.length === 0) return undefined;
  const { canary, leaving } = record;
  return Math.max(
    ...rollbacks.map(({ at }) => at),
    // A hold is put with the decision; the weights may have left later.
    (canary?.digest === digest ? canary.weightsLeftAt : undefined) ?? 0,
    leaving[digest] ?? 0,
  );
}
