/**
 * Metrics from CloudWatch, one statistic a period. What they come to together is the caller's business, or an alarm's.
 */
import type { CloudWatchClient, MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { Instant } from "../../core/record.ts";
import type { Metrics, StatisticQuery } from "../ports.ts";
import { batches, call } from "./call.ts";
import { alignedRange, MetricUnreadableError, pointsOf, queriesPerCall, readMetricData } from "./metric-data.ts";

type Range = Parameters<Metrics["statistics"]>[1];

/** Metric reads of one account and region. */
export function cloudWatchMetrics(client: CloudWatchClient): Metrics {
  async function read(doing: string, queries: readonly StatisticQuery[], { periodSeconds, ...wanted }: Range) {
    const range = alignedRange(wanted, periodSeconds);
    const series: Record<string, Points> = {};
    for (const query of queries) {
      if (series[query.id])
        throw new TypeError(`metric query ${query.id}: asked for twice in one read; expected unique ids`);
      series[query.id] = [];
    }
    if (range.from === range.to) return series;
    for (const batch of batches(queries, queriesPerCall)) {
      const asked = batch.map((query, index) => metricQuery(query, idAt(index), periodSeconds));
      const results = await call(`metrics ${batch.map((query) => query.id).join(", ")}: reading their ${doing}`, () =>
        readMetricData(client, asked, range),
      );
      batch.forEach((query, index) => {
        const what = `metric ${query.namespace} ${query.metricName} (${query.id})`;
        series[query.id] = measured(what, pointsOf(what, results.get(idAt(index)) ?? []));
      });
    }
    return series;
  }

  return {
    async requestSums(queries, range) {
      const asked = queries.map((query) => ({ ...query, statistic: "Sum" }));
      const series = await read("sums", asked, range);
      return Object.fromEntries(
        Object.entries(series).map(([id, points]) => [id, points.map(({ at, value }) => ({ at, sum: value }))]),
      );
    },

    statistics(queries, range) {
      return read("values", queries, range);
    },
  };
}

type Points = readonly { readonly at: Instant; readonly value: number }[];

/** @throws MetricUnreadableError on what CloudWatch never keeps: a value or a time that is no number */
function measured(what: string, points: Points): Points {
  const odd = points.find(({ at, value }) => !Number.isFinite(at) || !Number.isFinite(value));
  if (odd === undefined) return points;
  throw new MetricUnreadableError(`${what}: not understood, got ${odd.value} at ${odd.at} ms; expected finite numbers`);
}

/** Ids of our own, because CloudWatch allows only lower-case letters first and few characters after. */
function idAt(index: number): string {
  return `q${index}`;
}

function metricQuery(query: StatisticQuery, id: string, periodSeconds: number): MetricDataQuery {
  const dimensions = Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value }));
  const metric = { Namespace: query.namespace, MetricName: query.metricName, Dimensions: dimensions };
  return { Id: id, MetricStat: { Metric: metric, Period: periodSeconds, Stat: query.statistic }, ReturnData: true };
}
