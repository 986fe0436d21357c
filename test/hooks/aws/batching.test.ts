/** How many calls one look at 300 services costs, and that the rate-limited ports count the same ones. */
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeRulesCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { cloudWatchAlarms } from "../../../hooks/aws/alarms.ts";
import { cloudWatchMetrics } from "../../../hooks/aws/metrics.ts";
import { elbTraffic } from "../../../hooks/aws/traffic.ts";
import type { Ports, RequestQuery } from "../../../hooks/ports.ts";
import { MemoryCloud } from "../../helpers/memory-ports.ts";
import { apiLimits, rateLimitedPorts } from "../../helpers/rate-limited-ports.ts";
import { VirtualTime } from "../../helpers/virtual-time.ts";

const serviceCount = 300;
const range = { from: 0, to: 15 * 60_000 };
const noon = Date.UTC(2026, 0, 5, 12);

/** Twelve alarms, two rules and three series a service. */
const alarmNames = Array.from({ length: serviceCount * 12 }, (_, index) => `alarm-${index}`);
const ruleArns = Array.from({ length: serviceCount * 2 }, (_, index) => `rule-${index}`);
const queries = Array.from(
  { length: serviceCount * 3 },
  (_, index): RequestQuery => ({ id: `query-${index}`, namespace: "Tidegate", metricName: "Requests", dimensions: {} }),
);

/** The real adapters over clients that answer everything they are asked for. */
function adapters() {
  const cloudWatch = new CloudWatchClient({ region: "eu-west-1" });
  const elb = new ElasticLoadBalancingV2Client({ region: "eu-west-1" });
  const cloudWatchMock = mockClient(cloudWatch);
  const elbMock = mockClient(elb);
  cloudWatchMock.on(DescribeAlarmsCommand).callsFake(({ AlarmNames, AlarmTypes }) => ({
    MetricAlarms: AlarmNames.map((AlarmName: string) => ({
      AlarmName,
      StateValue: "OK",
      StateTransitionedTimestamp: new Date(0),
      ActionsEnabled: true,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
      Metrics: ["a", "b", "c"]
        .map((Id) => ({
          Id,
          MetricStat: { Metric: { Namespace: "N", MetricName: Id }, Period: 60, Stat: "Sum" },
          ReturnData: false,
        }))
        .concat([{ Id: "d", Expression: "a+b+c", ReturnData: true } as never]),
    })),
    CompositeAlarms: AlarmTypes.includes("CompositeAlarm") ? [] : undefined,
  }));
  cloudWatchMock.on(GetMetricDataCommand).callsFake(({ MetricDataQueries }) => ({
    MetricDataResults: MetricDataQueries.map(({ Id }: { Id: string }) => ({ Id, StatusCode: "Complete" })),
  }));
  elbMock.on(DescribeRulesCommand).callsFake(({ RuleArns }) => ({
    Rules: RuleArns.map((RuleArn: string) => ({ RuleArn, Actions: [{ Type: "forward", TargetGroupArn: "g" }] })),
  }));
  return {
    alarms: cloudWatchAlarms(cloudWatch),
    metrics: cloudWatchMetrics(cloudWatch),
    traffic: elbTraffic(elb),
    calls: () => ({
      DescribeAlarms: cloudWatchMock.commandCalls(DescribeAlarmsCommand).length,
      GetMetricData: cloudWatchMock.commandCalls(GetMetricDataCommand).length,
      ElbDescribe: elbMock.commandCalls(DescribeRulesCommand).length,
    }),
  };
}

type Looking = Pick<Ports, "alarms" | "metrics" | "traffic">;
const looks: Record<
  string,
  { readonly look: (ports: Looking) => Promise<unknown>; readonly calls: Record<string, number> }
> = {
  "states of 3,600 alarms": {
    look: ({ alarms }) => alarms.describe(alarmNames),
    calls: { DescribeAlarms: 36, GetMetricData: 0, ElbDescribe: 0 },
  },
  "weights of 600 rules": {
    look: ({ traffic }) => traffic.readRules(ruleArns),
    calls: { DescribeAlarms: 0, GetMetricData: 0, ElbDescribe: 30 },
  },
  "request sums of 900 series": {
    look: ({ metrics }) => metrics.requestSums(queries, { ...range, periodSeconds: 60 }),
    calls: { DescribeAlarms: 0, GetMetricData: 2, ElbDescribe: 0 },
  },
  "values of 3,600 alarms of four queries": {
    look: ({ alarms }) => alarms.values(alarmNames, range),
    calls: { DescribeAlarms: 36, GetMetricData: 29, ElbDescribe: 0 },
  },
};

describe("one look at 300 services", () => {
  it.each(Object.keys(looks))(
    "reads the %s in as few calls as AWS allows, as the rate limits count them [D7]",
    async (name) => {
      const { look, calls } = looks[name] ?? { look: async () => {}, calls: {} };
      const real = adapters();
      await look(real);
      expect(real.calls()).toEqual(calls);

      const time = new VirtualTime(noon);
      const limited = rateLimitedPorts(new MemoryCloud(noon).ports("hook"), time);
      await time.run(() => look(limited.ports));
      expect(limited.calls()).toMatchObject(calls);
    },
  );

  it("stays inside DescribeAlarms' 9 calls a second, however many ask at once [D7]", async () => {
    const time = new VirtualTime(noon);
    const { ports, calls } = rateLimitedPorts(new MemoryCloud(noon).ports("hook"), time, { callMilliseconds: 1 });
    await time.run(() =>
      Promise.all(Array.from({ length: 300 }, (_, index) => ports.alarms.describe([`alarm-${index}`]))),
    );
    expect(calls().DescribeAlarms).toBe(300);
    // A burst of 9, then 291 at 9 a second.
    expect(time.now() - noon).toBeCloseTo((291 / 9) * 1_000 + 1, 0);
  });
});

describe("rate-limited ports", () => {
  it("name the source of every limit", () => {
    for (const limit of Object.values(apiLimits)) expect(limit.source).toMatch(/20\d\d-\d\d/);
  });

  it("give the ports the virtual clock, and pass on what they answer and throw", async () => {
    const time = new VirtualTime(noon);
    const cloud = new MemoryCloud(noon);
    const { ports } = rateLimitedPorts(cloud.ports("hook"), time);
    expect(ports.clock.now()).toBe(noon);
    await time.run(() => ports.records.writeDrill({ armedAt: 1 }));
    expect(await time.run(() => ports.records.readDrill())).toEqual({ armedAt: 1 });
    await expect(time.run(() => ports.clock.sleep(5_000).then(() => Promise.reject(new Error("no"))))).rejects.toThrow(
      "no",
    );
    expect(time.now()).toBe(noon + 100 + 100 + 5_000);
  });

  it("let work that waits for something else fail rather than hang", async () => {
    const time = new VirtualTime(noon);
    await expect(time.run(() => new Promise(() => {}))).rejects.toThrow(
      "virtual time: the work waits, but not for this clock",
    );
  });
});
