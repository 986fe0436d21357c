/**
 * When a breach could first have been told from the alarm's own data: the end of its oldest bad period (`breachAt`).
 * Read from what the alarm says of itself when it fires, never from the fault, so that the two can be compared.
 */
import { type ComparisonOperator, isBreaching } from "../../core/alarm-evaluation.ts";
import type { AlarmSpec } from "../../core/alarms.ts";
import type { Instant } from "../../core/record.ts";

export interface BreachedPeriod {
  readonly endsAt: Instant;
  /** In the alarm's unit. */
  readonly value: number;
}

/**
 * The points in a state reason, oldest first: `2 of 3 GreaterThanThreshold 1: - 0 2.4 2.1`. The newest period ends when the
 * alarm fired.
 */
export function pointsOfReason(reason: string): (number | null)[] {
  const listed = reason.split(": ").at(-1)?.trim() ?? "";
  if (listed === "") return [];
  return listed.split(/\s+/).map((text) => {
    const value = Number(text);
    return text === "-" || !Number.isFinite(value) ? null : value;
  });
}

/** The oldest period in the fired alarm's range that is on the bad side; `undefined` when its reason lists none. */
export function firstBadPeriod(
  alarm: Pick<AlarmSpec, "comparison" | "threshold" | "periodSeconds">,
  fired: { readonly at: Instant; readonly reason: string },
): BreachedPeriod | undefined {
  const points = pointsOfReason(fired.reason);
  const comparison: ComparisonOperator = alarm.comparison;
  for (let index = 0; index < points.length; index += 1) {
    const value = points[index] ?? null;
    if (value === null || !isBreaching(comparison, alarm.threshold, value)) continue;
    return { endsAt: fired.at - (points.length - 1 - index) * alarm.periodSeconds * 1_000, value };
  }
  return undefined;
}
