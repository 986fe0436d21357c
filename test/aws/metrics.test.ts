/** The metrics contract on CloudWatch, as ministack has it. It answers every series in one page; pages have unit tests. */
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { cloudWatchMetrics } from "../../hooks/aws/metrics.ts";
import { describeMetricsContract, type MetricsUnderTest } from "../contract/metrics.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
const client = new CloudWatchClient(clientSettings(access));

async function makeMetrics(): Promise<MetricsUnderTest> {
  return {
    metrics: cloudWatchMetrics(client),
    minuteBorder: () => Math.floor(Date.now() / 60_000) * 60_000,
    async put(query, at, count) {
      const Dimensions = Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value }));
      const datum = { MetricName: query.metricName, Dimensions, Timestamp: new Date(at), Value: count };
      await client.send(new PutMetricDataCommand({ Namespace: query.namespace, MetricData: [datum] }));
    },
    freshName: () => freshName("checkout"),
  };
}

describeMetricsContract("CloudWatch on ministack (its answers come in one page, oldest first)", makeMetrics);
