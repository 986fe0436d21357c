import { describe, expect, it } from "vitest";
import { alarmMissingData } from "../../../policies/shape/alarm-missing-data.ts";
import { compositeAlarmMissingData } from "../../../policies/shape/composite-alarm-missing-data.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import { anAlarm } from "./builders.ts";

const check = (metricName: string, props: Record<string, unknown>) =>
  violationsOf(alarmMissingData, [anAlarm("watch", "blue", metricName, props)]);

const below = { comparisonOperator: "LessThanThreshold" };

/** An alarm on metric math over metrics of a load balancer. */
function computed(metricNames: readonly string[], props: Record<string, unknown>): GivenResource {
  const metricQueries = [
    ...metricNames.map((metricName, index) => ({
      id: `m${index}`,
      metric: { namespace: "AWS/ApplicationELB", metricName, stat: "Sum", period: 60 },
    })),
    { id: "value", expression: "100 * m0 / m1", returnData: true },
  ];
  return anAlarm("ratio", "blue", "", { namespace: undefined, metricName: undefined, metricQueries, ...props });
}

describe("alarm-missing-data", () => {
  it.each([
    ["HTTPCode_Target_5XX_Count", {}, "notBreaching"],
    ["TargetConnectionErrorCount", {}, "notBreaching"],
    ["TargetResponseTime", {}, "notBreaching"],
    ["RequestCount", {}, "notBreaching"],
    ["RequestCount", below, "breaching"],
    ["HealthyHostCount", below, "breaching"],
    ["UnHealthyHostCount", {}, "breaching"],
  ])("wants for %s %j that missing data is %s [E1]", async (metricName, props, wanted) => {
    expect(await check(metricName, { ...props, treatMissingData: wanted })).toEqual([]);
    const others = ["notBreaching", "breaching", "ignore", "missing", undefined].filter((other) => other !== wanted);
    for (const treatMissingData of others) {
      expect(await check(metricName, { ...props, treatMissingData })).toHaveLength(1);
    }
  });

  it("says what silence means for what the alarm counts [E1]", async () => {
    expect(await check("HTTPCode_Target_5XX_Count", { treatMissingData: undefined })).toEqual([
      "watch: treats missing data unsafely for HTTPCode_Target_5XX_Count, got nothing, which is missing; " +
        'expected notBreaching: no data means no such requests. Set treatMissingData to "notBreaching"',
    ]);
    expect(await check("HealthyHostCount", { ...below, treatMissingData: "notBreaching" })).toEqual([
      "watch: treats missing data unsafely for HealthyHostCount, got notBreaching; " +
        'expected breaching: no data means that nobody looks or nobody comes. Set treatMissingData to "breaching"',
    ]);
  });

  it("judges metric math by the metrics in it: a ratio of errors is silent when nobody asks, whichever side it watches [E1]", async () => {
    const ratio = ["HTTPCode_Target_5XX_Count", "RequestCount"];
    const run = (props: Record<string, unknown>) => violationsOf(alarmMissingData, [computed(ratio, props)]);
    expect(await run({ treatMissingData: "notBreaching" })).toEqual([]);
    expect(await run({ ...below, treatMissingData: "notBreaching" })).toEqual([]);
    expect(await run({ ...below, treatMissingData: "breaching" })).toHaveLength(1);
    expect(await run({ treatMissingData: "missing" })).toEqual([
      "ratio: treats missing data unsafely for HTTPCode_Target_5XX_Count, RequestCount, got missing; " +
        'expected notBreaching: no data means no such requests. Set treatMissingData to "notBreaching"',
    ]);
  });

  it("leaves the choice where metrics of both sorts are in one expression, but never to missing [E1]", async () => {
    const mixed = ["HTTPCode_Target_5XX_Count", "HealthyHostCount"];
    const run = (treatMissingData: string) => violationsOf(alarmMissingData, [computed(mixed, { treatMissingData })]);
    expect(await run("breaching")).toEqual([]);
    expect(await run("notBreaching")).toEqual([]);
    expect(await run("missing")).toHaveLength(1);
  });

  it("takes empty text for nothing, as the engine shows it after an up [E1]", async () => {
    const metricQueries = [
      {
        id: "m",
        expression: "",
        metric: { namespace: "AWS/ApplicationELB", metricName: "RequestCount" },
        returnData: true,
      },
    ];
    const plain = anAlarm("watch", "blue", "", { ...below, metricQueries, treatMissingData: "notBreaching" });
    expect(await violationsOf(alarmMissingData, [plain])).toEqual([
      "watch: treats missing data unsafely for RequestCount, got notBreaching; " +
        'expected breaching: no data means that nobody looks or nobody comes. Set treatMissingData to "breaching"',
    ]);
  });

  it("leaves other namespaces any choice but missing [E1]", async () => {
    const own = { namespace: "Shop/Orders" };
    expect(await check("OrdersPlaced", { ...own, treatMissingData: "ignore" })).toEqual([]);
    expect(await check("OrdersPlaced", { ...own, treatMissingData: "missing" })).toEqual([
      "watch: treats missing data unsafely for OrdersPlaced, got missing; expected notBreaching, breaching or ignore. " +
        'Set treatMissingData to "notBreaching"',
    ]);
  });

  it("leaves an alarm alone that does nothing [E1]", async () => {
    expect(await check("RequestCount", { treatMissingData: "missing", alarmActions: [] })).toEqual([]);
    expect(await check("RequestCount", { treatMissingData: "missing", actionsEnabled: false })).toEqual([]);
  });

  it("counts actions that are not known yet, and judges what is known beside them [E1]", async () => {
    expect(await check("RequestCount", { treatMissingData: "missing", alarmActions: [notKnownYet] })).toHaveLength(1);
    expect(await check("RequestCount", { treatMissingData: "missing", alarmActions: notKnownYet })).toHaveLength(1);
    expect(await check("RequestCount", { treatMissingData: "missing", dimensions: notKnownYet })).toHaveLength(1);
  });

  it("says nothing while the treatment cannot be known, and refuses missing where only the metric cannot [E1]", async () => {
    expect(await check("RequestCount", { treatMissingData: notKnownYet })).toEqual([]);
    expect(await check("", { metricName: notKnownYet, treatMissingData: "ignore" })).toEqual([]);
    expect(await check("", { metricName: notKnownYet, treatMissingData: "missing" })).toHaveLength(1);
  });
});

describe("composite-alarm-missing-data", () => {
  const composite = (props: Record<string, unknown>, from = {}): GivenResource => ({
    type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    name: "any",
    props: { alarmActions: ["arn:aws:sns:eu-west-1:123456789012:pages"], alarmRule: notKnownYet, ...props },
    from,
  });
  const child = (metricName: string, props: Record<string, unknown>) =>
    anAlarm("watch", "blue", metricName, { alarmActions: undefined, ...props });
  const linked = { alarmRule: ["watch"] };
  const check = (alarm: GivenResource, parent: GivenResource, config = {}) =>
    violationsOf(compositeAlarmMissingData, [alarm, parent], config);

  it("judges an alarm by the composite that it acts through, known only by what that is made from [E1]", async () => {
    expect(await check(child("RequestCount", {}), composite({}, linked))).toEqual([]);
    expect(await check(child("RequestCount", { treatMissingData: "missing" }), composite({}, linked))).toEqual([
      "watch: treats missing data unsafely for RequestCount and acts through any, got missing; " +
        'expected notBreaching: no data means no such requests. Set treatMissingData to "notBreaching"',
    ]);
  });

  it.each(['ALARM("watch") OR ALARM("other")', "ALARM(watch)"])("finds it by name in %s [E1]", async (alarmRule) => {
    expect(await check(child("RequestCount", { treatMissingData: "missing" }), composite({ alarmRule }))).toHaveLength(
      1,
    );
  });

  it("leaves an alarm alone whose composite does nothing, and one that no composite names [E1]", async () => {
    const bad = child("RequestCount", { treatMissingData: "missing" });
    expect(await check(bad, composite({ alarmActions: [] }, linked))).toEqual([]);
    expect(await check(bad, composite({ alarmRule: 'ALARM("watchdog")' }))).toEqual([]);
  });

  it("leaves alarms with actions of their own to alarm-missing-data [E1]", async () => {
    expect(
      await check(anAlarm("watch", "blue", "RequestCount", { treatMissingData: "missing" }), composite({}, linked)),
    ).toEqual([]);
  });

  it("trusts Tidegate's own alarms to be quiet on silence, never to leave it at missing [E1]", async () => {
    const tags = { "tidegate:role": "alarm" };
    const hosts = (treatMissingData: string) => child("HealthyHostCount", { ...below, tags, treatMissingData });
    expect(await check(hosts("notBreaching"), composite({}, linked))).toEqual([]);
    expect(await check(hosts("missing"), composite({}, linked))).toHaveLength(1);
    expect(await check(hosts("notBreaching"), composite({}, linked), { trustTidegate: false })).toHaveLength(1);
  });
});
