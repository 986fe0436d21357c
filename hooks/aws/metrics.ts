/**
 * Request counts from CloudWatch, summed per period. Counts only: ratios and percentiles are the alarms' business.
 */
import {
  type CloudWatchClient,
  type MetricDataQuery,
  type MetricDataResult,
  paginateGetMetricData,
} from "@aws-sdk/client-cloudwatch";
import type { Instant } from "../../core/record.ts";
import type { Metrics, RequestQuery } from "../ports.ts";
import { batches, call } from "./call.ts";

/** Queries in one GetMetricData call. Source: CloudWatch API reference, read 2026-11. */
const queriesPerCall = 500;

/** CloudWatch did not answer a series whole; treat it as nothing known, never as no requests. */
export class MetricUnreadableError extends Error {
  override readonly name = "MetricUnreadableError";
}

type Sum = { readonly at: Instant; readonly sum: number };
type Range = Parameters<Metrics["requestSums"]>[1];

/** Metric reads of one account and region. */
export function cloudWatchMetrics(client: CloudWatchClient): Metrics {
  return {
    async requestSums(queries, range) {
      const { from, to, periodSeconds } = alignedRange(range);
      const sums: Record<string, Sum[]> = {};
      for (const query of queries) {
        if (sums[query.id])
          throw new TypeError(`metric query ${query.id}: asked for twice in one read; expected unique ids`);
        sums[query.id] = [];
      }
      if (from === to) return sums;
      for (const batch of batches(queries, queriesPerCall)) {
        const results = await call(`metrics ${batch.map((query) => query.id).join(", ")}: reading their sums`, () =>
          readAll(client, batch, { from, to, periodSeconds }),
        );
        batch.forEach((query, index) => {
          sums[query.id] = sumsOf(query, results.get(idAt(index)) ?? []);
        });
      }
      return sums;
    },
  };
}

/** CloudWatch rounds odd starts in ways of its own; a range on period borders leaves it nothing to round. */
function alignedRange({ from, to, periodSeconds }: Range): Range {
  if (!Number.isInteger(periodSeconds) || periodSeconds < 1 || from > to) {
    throw new TypeError(
      `metric range: from ${from} to ${to} by ${periodSeconds} s is no range; expected from at or before to, and whole seconds`,
    );
  }
  const period = periodSeconds * 1_000;
  return { from: Math.floor(from / period) * period, to: Math.floor(to / period) * period, periodSeconds };
}

/** All pages, as result parts by id: a series may come in several. */
async function readAll(client: CloudWatchClient, queries: readonly RequestQuery[], range: Range) {
  const input = {
    MetricDataQueries: queries.map((query, index) => metricQuery(query, idAt(index), range.periodSeconds)),
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

/** Ids of our own, because CloudWatch allows only lower-case letters first and few characters after. */
function idAt(index: number): string {
  return `q${index}`;
}

function metricQuery(query: RequestQuery, id: string, periodSeconds: number): MetricDataQuery {
  const dimensions = Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value }));
  const metric = { Namespace: query.namespace, MetricName: query.metricName, Dimensions: dimensions };
  return { Id: id, MetricStat: { Metric: metric, Period: periodSeconds, Stat: "Sum" }, ReturnData: true };
}

/** Points oldest first, whatever order they came in. */
function sumsOf(query: RequestQuery, parts: readonly MetricDataResult[]): Sum[] {
  const refuse = (found: string) =>
    new MetricUnreadableError(
      `metric ${query.namespace} ${query.metricName} (${query.id}): not answered whole, got ${found}; expected status Complete`,
    );
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
  const sums: Sum[] = [];
  for (const { Timestamps = [], Values = [] } of parts) {
    if (Timestamps.length !== Values.length) {
      throw refuse(`${Timestamps.length} times with ${Values.length} values`);
    }
    Timestamps.forEach((time, index) => {
      const sum = Values[index];
      if (sum !== undefined) sums.push({ at: time.getTime(), sum });
    });
  }
  return sums.sort((left, right) => left.at - right.at);
}
