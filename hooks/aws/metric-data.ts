/**
 * GetMetricData, whole or not at all: every page of every query, points oldest first. A series that CloudWatch did not answer
 * whole is thrown, because half a series looks like quiet traffic.
 */
import {
  type CloudWatchClient,
  type MetricDataQuery,
  type MetricDataResult,
  paginateGetMetricData,
} from "@aws-sdk/client-cloudwatch";
import type { Instant } from "../../core/record.ts";

/** Queries in one GetMetricData call, expressions included. Source: CloudWatch API reference, read 2026-11. */
export const queriesPerCall = 500;

/** CloudWatch did not answer a series whole; treat it as nothing known, never as no requests. */
export class MetricUnreadableError extends Error {
  override readonly name = "MetricUnreadableError";
}

export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * Both ends down to the period: CloudWatch rounds odd starts in ways of its own, and period borders leave it nothing to round.
 * @throws TypeError where the range ends before it begins, or the period is not whole seconds
 */
export function alignedRange({ from, to }: TimeRange, periodSeconds: number): TimeRange {
  if (!Number.isInteger(periodSeconds) || periodSeconds < 1 || from > to) {
    throw new TypeError(
      `metric range: from ${from} to ${to} by ${periodSeconds} s is no range; expected from at or before to, and whole seconds`,
    );
  }
  const period = periodSeconds * 1_000;
  return { from: Math.floor(from / period) * period, to: Math.floor(to / period) * period };
}

/** All pages of one call of at most 500 queries, as result parts by id: a series may come in several. */
export async function readMetricData(
  client: CloudWatchClient,
  queries: readonly MetricDataQuery[],
  range: TimeRange,
): Promise<ReadonlyMap<string, readonly MetricDataResult[]>> {
  const input = {
    MetricDataQueries: [...queries],
    StartTime: new Date(range.from),
    EndTime: new Date(range.to),
    // AWS answers newest first unless told.
    ScanBy: "TimestampAscending" as const,
  };
  const results = new Map<string, MetricDataResult[]>();
  for await (const page of paginateGetMetricData({ client }, input)) {
    for (const result of page.MetricDataResults ?? []) {
      if (result.Id !== undefined) results.set(result.Id, [...(results.get(result.Id) ?? []), result]);
    }
  }
  return results;
}

/**
 * The points of one series, oldest first, whatever order its parts came in.
 * @param what names the series in the error: `metric AWS/ApplicationELB RequestCount (canary)`
 * @throws MetricUnreadableError where the series is missing or not whole
 */
export function pointsOf(
  what: string,
  parts: readonly MetricDataResult[],
): { readonly at: Instant; readonly value: number }[] {
  const refuse = (found: string) =>
    new MetricUnreadableError(`${what}: not answered whole, got ${found}; expected status Complete`);
  const last = parts.at(-1);
  if (last === undefined) throw refuse("no result");
  // A part before the last may be PartialData: the rest is what the next page brought.
  const failed = parts.find((part) => part.StatusCode !== "Complete" && part.StatusCode !== "PartialData") ?? last;
  if (failed.StatusCode !== "Complete") {
    throw refuse(
      [failed.StatusCode ?? "no status", ...(failed.Messages ?? []).map((each) => `${each.Code}: ${each.Value}`)].join(
        ", ",
      ),
    );
  }
  const points: { readonly at: Instant; readonly value: number }[] = [];
  for (const { Timestamps = [], Values = [] } of parts) {
    if (Timestamps.length !== Values.length) {
      throw refuse(`${Timestamps.length} times with ${Values.length} values`);
    }
    Timestamps.forEach((time, index) => {
      const value = Values[index];
      if (value !== undefined) points.push({ at: time.getTime(), value });
    });
  }
  return points.sort((left, right) => left.at - right.at);
}
