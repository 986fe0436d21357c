import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { cloudWatchMetrics } from "../../../hooks/aws/metrics.ts";
import type { RequestQuery } from "../../../hooks/ports.ts";

function scene() {
  const client = new CloudWatchClient({ region: "eu-west-1" });
  return { mock: mockClient(client), metrics: cloudWatchMetrics(client) };
}

const start = Date.UTC(2026, 0, 5, 10);
const minute = 60_000;
const range = { from: start, to: start + 10 * minute, periodSeconds: 60 };
const aQuery = (id: string): RequestQuery => ({
  id,
  namespace: "AWS/ApplicationELB",
  metricName: "RequestCount",
  dimensions: { TargetGroup: "targetgroup/a/1", LoadBalancer: "app/front/1" },
});
const points = (...minutes: number[]) => ({
  Timestamps: minutes.map((each) => new Date(start + each * minute)),
  Values: minutes,
});

describe("request sums from CloudWatch", () => {
  it("asks for sums oldest first, on period borders, under ids that CloudWatch takes", async () => {
    const { mock, metrics } = scene();
    mock.on(GetMetricDataCommand).resolves({ MetricDataResults: [{ Id: "q0", StatusCode: "Complete" }] });
    await metrics.requestSums([aQuery("Canary sha256:aaaa")], {
      from: start + 59_999,
      to: start + minute,
      periodSeconds: 60,
    });
    expect(mock.commandCalls(GetMetricDataCommand)[0]?.args[0].input).toEqual({
      StartTime: new Date(start),
      EndTime: new Date(start + minute),
      ScanBy: "TimestampAscending",
      MetricDataQueries: [
        {
          Id: "q0",
          ReturnData: true,
          MetricStat: {
            Metric: {
              Namespace: "AWS/ApplicationELB",
              MetricName: "RequestCount",
              Dimensions: [
                { Name: "TargetGroup", Value: "targetgroup/a/1" },
                { Name: "LoadBalancer", Value: "app/front/1" },
              ],
            },
            Period: 60,
            Stat: "Sum",
          },
        },
      ],
    });
  });

  it("joins the pages of a series and sorts it, whatever order came", async () => {
    const { mock, metrics } = scene();
    mock
      .on(GetMetricDataCommand)
      .resolvesOnce({
        MetricDataResults: [{ Id: "q0", StatusCode: "PartialData", ...points(5, 3) }],
        NextToken: "more",
      })
      .resolvesOnce({ MetricDataResults: [{ Id: "q0", StatusCode: "Complete", ...points(4, 0) }] });
    expect(await metrics.requestSums([aQuery("canary")], range)).toEqual({
      canary: [0, 3, 4, 5].map((each) => ({ at: start + each * minute, sum: each })),
    });
  });

  it("asks 500 queries a call and gives each its own answer", async () => {
    const { mock, metrics } = scene();
    mock.on(GetMetricDataCommand).callsFake((input) => ({
      MetricDataResults: input.MetricDataQueries.map(({ Id }: { Id: string }, index: number) => ({
        Id,
        StatusCode: "Complete",
        ...points(index === 1 ? 1 : 2),
      })),
    }));
    const queries = Array.from({ length: 502 }, (_, index) => aQuery(`query-${index}`));
    const sums = await metrics.requestSums(queries, range);
    expect(mock.commandCalls(GetMetricDataCommand).map((call) => call.args[0].input.MetricDataQueries?.length)).toEqual(
      [500, 2],
    );
    expect(Object.keys(sums)).toHaveLength(502);
    const odd = Object.entries(sums).filter(([, series]) => series[0]?.sum === 1);
    expect(odd.map(([id]) => id)).toEqual(["query-1", "query-501"]);
  });

  it.each([
    ["a series missing from the answer", [], "no result"],
    ["an internal error", [{ Id: "q0", StatusCode: "InternalError" as const }], "InternalError"],
    [
      "a forbidden series",
      [{ Id: "q0", StatusCode: "Forbidden" as const, Messages: [{ Code: "Forbidden", Value: "not yours" }] }],
      "Forbidden, Forbidden: not yours",
    ],
    ["a series that stays partial", [{ Id: "q0", StatusCode: "PartialData" as const, ...points(1) }], "PartialData"],
    ["a series without a status", [{ Id: "q0", ...points(1) }], "no status"],
    [
      "more times than values",
      [{ Id: "q0", StatusCode: "Complete" as const, ...points(1, 2), Values: [1] }],
      "2 times with 1 values",
    ],
  ])("refuses %s: it never looks like no requests", async (_what, MetricDataResults, found) => {
    const { mock, metrics } = scene();
    mock.on(GetMetricDataCommand).resolves({ MetricDataResults });
    await expect(metrics.requestSums([aQuery("canary")], range)).rejects.toThrow(
      `metric AWS/ApplicationELB RequestCount (canary): not answered whole, got ${found}; expected status Complete`,
    );
  });

  it("throws throttling", async () => {
    const { mock, metrics } = scene();
    mock.on(GetMetricDataCommand).rejects(Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" }));
    await expect(metrics.requestSums([aQuery("canary")], range)).rejects.toThrow(
      "metrics canary: reading their sums failed, got ThrottlingException: Rate exceeded",
    );
  });

  it("calls nothing for an empty range or no query, and refuses an id asked for twice", async () => {
    const { mock, metrics } = scene();
    expect(await metrics.requestSums([aQuery("a")], { from: start, to: start + 1, periodSeconds: 60 })).toEqual({
      a: [],
    });
    expect(await metrics.requestSums([], range)).toEqual({});
    await expect(metrics.requestSums([aQuery("a"), aQuery("a")], range)).rejects.toThrow(
      "metric query a: asked for twice in one read; expected unique ids",
    );
    await expect(metrics.requestSums([aQuery("a")], { ...range, periodSeconds: 0.5 })).rejects.toThrow(/is no range/);
    expect(mock.calls()).toHaveLength(0);
  });
});
