/**
 * Request counts from CloudWatch, summed per period. Counts only: ratios and percentiles are the alarms' business.
 */
import type { CloudWatchClient, MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { Instant } from "../../core/record.ts";
import type { Metrics, RequestQuery } from "../ports.ts";
import { batches, call } from "./call.ts";
import { alignedRange, pointsOf, queriesPerCall, readMetricData } from "./metric-data.ts";

type Sum = { readonly at: Instant; readonly sum: number };

/** Metric reads of one account and region. */
export function cloudWatchMetrics(client: CloudWatchClient): Metrics {
  return {
    async requestSums(queries, { periodSeconds, ...wanted }) {
      const range = alignedRange(wanted, periodSeconds);
      const sums: Record<string, Sum[]> = {};
      for (const query of queries) {
        if (sums[query.id])
          throw new TypeError(`metric query ${query.id}: asked for twice in one read; expected unique ids`);
        sums[query.id] = [];
      }
      if (range.from === range.to) return sums;
      for (const batch of batches(queries, queriesPerCall)) {
        const asked = batch.map((query, index) => metricQuery(query, idAt(index), periodSeconds));
        const results = await call(`metrics ${batch.map((query) => query.id).join(", ")}: reading their sums`, () =>
          readMetricData(client, asked, range),
        );
        batch.forEach((query, index) => {
          const what = `metric ${query.namespace} ${query.metricName} (${query.id})`;
          const points = pointsOf(what, results.get(idAt(index)) ?? []);
          sums[query.id] = points.map(({ at, value }) => ({ at, sum: value }));
        });
      }
      return sums;
    },
  };
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
