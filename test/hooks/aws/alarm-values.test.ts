import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricAlarm,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { AlarmUnreadableError } from "../../../hooks/aws/alarm-queries.ts";
import { cloudWatchAlarms } from "../../../hooks/aws/alarms.ts";
import { MetricUnreadableError } from "../../../hooks/aws/metric-data.ts";

const start = Date.UTC(2026, 0, 5, 10);
const minute = 60_000;
const range = { from: start, to: start + 15 * minute };

const plain = (AlarmName: string, override: Partial<MetricAlarm> = {}): MetricAlarm => ({
  AlarmName,
  Namespace: "AWS/ApplicationELB",
  MetricName: "TargetResponseTime",
  Dimensions: [{ Name: "TargetGroup", Value: "targetgroup/a/1" }],
  ExtendedStatistic: "p99",
  Period: 60,
  Threshold: 0.5,
  ComparisonOperator: "GreaterThanThreshold",
  ...override,
});
const metric = (Id: string, MetricName: string, Period = 60) => ({
  Id,
  MetricStat: { Metric: { Namespace: "Tidegate", MetricName }, Period, Stat: "Sum" },
  ReturnData: false,
});
const math = (AlarmName: string, override: Partial<MetricAlarm> = {}): MetricAlarm => ({
  AlarmName,
  Threshold: 2,
  ComparisonOperator: "GreaterThanOrEqualToThreshold",
  Metrics: [
    metric("errors", "Errors"),
    metric("requests", "Requests"),
    { Id: "rate", Expression: "IF(requests >= 100, 100 * FILL(errors, 0) / requests, 0)", ReturnData: true },
  ],
  ...override,
});

/** Alarms that exist, and values that CloudWatch answers for every query that returns data. */
function scene(...MetricAlarms: MetricAlarm[]) {
  const client = new CloudWatchClient({ region: "eu-west-1" });
  const mock = mockClient(client);
  mock.on(DescribeAlarmsCommand).resolves({ MetricAlarms });
  mock.on(GetMetricDataCommand).callsFake((input) => ({
    MetricDataResults: input.MetricDataQueries.filter((query: { ReturnData: boolean }) => query.ReturnData).map(
      ({ Id }: { Id: string }) => ({
        Id,
        StatusCode: "Complete",
        Timestamps: [new Date(start + 2 * minute), new Date(start + minute)],
        Values: [20, 10],
      }),
    ),
  }));
  const asked = () => mock.commandCalls(GetMetricDataCommand).map((call) => call.args[0].input);
  return { mock, alarms: cloudWatchAlarms(client), asked };
}

const points = [
  { at: start + minute, value: 10 },
  { at: start + 2 * minute, value: 20 },
];

describe("alarm values from CloudWatch", () => {
  it("asks for a plain alarm's metric with its own statistic and period [B6]", async () => {
    const { mock, alarms, asked } = scene(plain("slow", { Unit: "Seconds" }));
    expect(await alarms.values(["slow"], { from: start + 59_999, to: start + 15 * minute + 1 })).toEqual([
      { alarmName: "slow", threshold: 0.5, badWhen: "above", points },
    ]);
    expect(mock.commandCalls(DescribeAlarmsCommand)[0]?.args[0].input).toMatchObject({
      AlarmNames: ["slow"],
      AlarmTypes: ["MetricAlarm"],
    });
    expect(asked()).toEqual([
      {
        StartTime: new Date(start),
        EndTime: new Date(start + 15 * minute),
        ScanBy: "TimestampAscending",
        MetricDataQueries: [
          {
            Id: "a0",
            ReturnData: true,
            MetricStat: {
              Metric: {
                Namespace: "AWS/ApplicationELB",
                MetricName: "TargetResponseTime",
                Dimensions: [{ Name: "TargetGroup", Value: "targetgroup/a/1" }],
              },
              Period: 60,
              Stat: "p99",
              Unit: "Seconds",
            },
          },
        ],
      },
    ]);
  });

  it("asks for several alarms' metric math in one call, under ids of their own, data only for what is compared [B6]", async () => {
    const { alarms, asked } = scene(math("first"), math("second"));
    expect(await alarms.values(["first", "second"], range)).toEqual([
      { alarmName: "first", threshold: 2, badWhen: "atLeast", points },
      { alarmName: "second", threshold: 2, badWhen: "atLeast", points },
    ]);
    expect(asked()).toHaveLength(1);
    expect(asked()[0]?.MetricDataQueries?.slice(3)).toEqual([
      { ...metric("a1_errors", "Errors") },
      { ...metric("a1_requests", "Requests") },
      {
        Id: "a1_rate",
        Expression: "IF(a1_requests >= 100, 100 * FILL(a1_errors, 0) / a1_requests, 0)",
        Period: 60,
        ReturnData: true,
      },
    ]);
  });

  it("renames whole ids only, not their beginnings, functions or words [B6]", async () => {
    const { alarms, asked } = scene(
      math("odd", {
        Metrics: [
          metric("m1", "Errors"),
          metric("m10", "Requests"),
          { Id: "e1", Expression: "FILL(m1,REPEAT)+m10*1e1/m1", ReturnData: true },
        ],
      }),
    );
    await alarms.values(["odd"], range);
    expect(asked()[0]?.MetricDataQueries?.[2]?.Expression).toBe("FILL(a0_m1,REPEAT)+a0_m10*1e1/a0_m1");
  });

  it("asks for each period on its own borders, and answers in the order of the alarms [B6]", async () => {
    const { alarms, asked } = scene(
      plain("a", { Period: 10 }),
      plain("b", { Period: 300 }),
      plain("c", { Period: 10 }),
    );
    const told = await alarms.values(["a", "b", "c"], { from: start + 15_000, to: start + 899_999 });
    expect(told.map((alarm) => alarm.alarmName)).toEqual(["a", "b", "c"]);
    expect(
      asked().map(({ StartTime, EndTime, MetricDataQueries = [] }) => [StartTime, EndTime, MetricDataQueries.length]),
    ).toEqual([
      [new Date(start + 10_000), new Date(start + 890_000), 2],
      [new Date(start), new Date(start + 600_000), 1],
    ]);
  });

  it("keeps an alarm's queries in one call, at most 500 of all alarms [B6]", async () => {
    const alarms = Array.from({ length: 170 }, (_, index) => math(`alarm-${index}`));
    const { alarms: port, asked } = scene(...alarms);
    const told = await port.values(["any"], range);
    expect(told).toHaveLength(170);
    expect(asked().map((input) => input.MetricDataQueries?.length)).toEqual([498, 12]);
  });

  it("asks nothing for an empty range or no alarm [B6]", async () => {
    const { alarms, asked } = scene(plain("slow"));
    expect(await alarms.values(["slow"], { from: start, to: start + 1 })).toEqual([
      { alarmName: "slow", threshold: 0.5, badWhen: "above", points: [] },
    ]);
    expect(await scene().alarms.values([], range)).toEqual([]);
    expect(asked()).toEqual([]);
  });

  it.each([
    [
      "an anomaly band",
      plain("odd", { ComparisonOperator: "LessThanLowerOrGreaterThanUpperThreshold", ThresholdMetricId: "band" }),
      "the comparison LessThanLowerOrGreaterThanUpperThreshold",
    ],
    [
      "a comparison unknown here",
      plain("odd", { ComparisonOperator: "GreaterThanUpperThreshold" }),
      "the comparison GreaterThanUpper",
    ],
    ["a threshold that is another metric", plain("odd", { ThresholdMetricId: "band" }), "the comparison GreaterThan"],
    ["no threshold", plain("odd", { Threshold: undefined }), "no threshold"],
    ["no statistic", plain("odd", { ExtendedStatistic: undefined }), "statistic undefined"],
    [
      "two queries that return data",
      math("odd", {
        Metrics: [
          { ...metric("a", "A"), ReturnData: true },
          { ...metric("b", "B"), ReturnData: true },
        ],
      }),
      "2 queries that return data (a, b)",
    ],
    ["no query that returns data", math("odd", { Metrics: [metric("a", "A")] }), "0 queries that return data"],
    [
      "two periods",
      math("odd", { Metrics: [metric("a", "A", 60), metric("b", "B", 300), { Id: "c", Expression: "a+b" }] }),
      "periods of 60, 300 s",
    ],
    [
      "an expression over all metrics of the call",
      math("odd", { Metrics: [metric("a", "A"), { Id: "c", Expression: "SUM(METRICS())" }] }),
      "the expression SUM(METRICS())",
    ],
  ])("refuses by name an alarm with %s [B6]", async (_what, alarm, found) => {
    const { alarms } = scene(alarm);
    const failure = await alarms.values(["odd"], range).then(String, (error: unknown) => error);
    expect(failure).toBeInstanceOf(AlarmUnreadableError);
    expect(String(failure)).toContain("alarm odd: its values cannot be asked for, got ");
    expect(String(failure)).toContain(found);
  });

  it.each(["InternalError", "Forbidden", "PartialData"] as const)(
    "throws values answered with %s: never half a series [B6]",
    async (StatusCode) => {
      const { mock, alarms } = scene(math("rate"));
      mock
        .on(GetMetricDataCommand)
        .resolves({ MetricDataResults: [{ Id: "a0_rate", StatusCode, Timestamps: [], Values: [] }] });
      const failure = await alarms.values(["rate"], range).then(String, (error: unknown) => error);
      expect(failure).toBeInstanceOf(MetricUnreadableError);
      expect(String(failure)).toBe(
        `MetricUnreadableError: values of alarm rate: not answered whole, got ${StatusCode}; expected status Complete`,
      );
    },
  );

  it("throws throttling at either step, with what was being done [B6]", async () => {
    const throttled = Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
    const first = scene(math("rate"));
    first.mock.on(DescribeAlarmsCommand).rejects(throttled);
    await expect(first.alarms.values(["rate"], range)).rejects.toThrow(
      "alarms rate: reading their definitions failed, got ThrottlingException: Rate exceeded",
    );
    const second = scene(math("rate"));
    second.mock.on(GetMetricDataCommand).rejects(throttled);
    await expect(second.alarms.values(["rate"], range)).rejects.toThrow(
      "alarms rate: reading their values failed, got ThrottlingException: Rate exceeded",
    );
  });
});

describe("alarm states set by hand", () => {
  it("are set in one call, the reason cut to what CloudWatch takes [D4]", async () => {
    const { mock, alarms } = scene();
    mock.on(SetAlarmStateCommand).resolves({});
    await alarms.setState("drill", "ALARM", "x".repeat(2_000));
    expect(mock.commandCalls(SetAlarmStateCommand).map((call) => call.args[0].input)).toEqual([
      { AlarmName: "drill", StateValue: "ALARM", StateReason: "x".repeat(1_023) },
    ]);
  });

  it("throw where the alarm is not there [D4]", async () => {
    const { mock, alarms } = scene();
    mock.on(SetAlarmStateCommand).rejects(Object.assign(new Error("no such alarm"), { name: "ResourceNotFound" }));
    await expect(alarms.setState("drill", "OK", "over")).rejects.toThrow(
      "alarm drill: setting it to OK failed, got ResourceNotFound: no such alarm",
    );
  });
});
