import { describe, expect, it } from "vitest";
import { SloAlarms, type SloAlarmsArgs } from "../../components/index.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { type RegisteredResource, runPulumi } from "../helpers/pulumi-run.ts";

const base: SloAlarmsArgs = {
  environment: "dev",
  service: "checkout",
  version: "2.4.0",
  digest: "sha256:b",
  releaseKey: "2-4-0-1a2b3c4d",
  objectives: objectivePresets.batch,
  source: "alb",
  mode: "act",
  targetGroupArnSuffix: "targetgroup/checkout/1",
  loadBalancerArnSuffix: "app/edge/1",
  topics: { critical: "arn:critical", warning: "arn:warning" },
};

interface Query {
  readonly id: string;
  readonly expression?: string;
  readonly returnData: boolean;
  readonly metric?: { readonly period: number; readonly dimensions: Record<string, string>; readonly stat: string };
}

/** One line an alarm: last part of its name, what it computes, and when it speaks. */
function lineOf({ inputs }: RegisteredResource): string {
  const queries = inputs.metricQueries as readonly Query[] | undefined;
  const computed = queries
    ? queries.flatMap(({ id, expression }) => (expression ? [`${id} = ${expression}`] : [])).join("; ")
    : `${inputs.extendedStatistic ?? inputs.statistic} ${inputs.metricName}`;
  const period = queries?.find(({ metric }) => metric)?.metric?.period ?? inputs.period;
  const side = inputs.comparisonOperator === "GreaterThanThreshold" ? ">" : "<";
  const name = String(inputs.name).replace("tidegate/dev/checkout/2-4-0-1a2b3c4d/", "");
  return `${name}: ${computed} ${side} ${inputs.threshold}, ${inputs.datapointsToAlarm} of ${inputs.evaluationPeriods} of ${period} s, ${inputs.treatMissingData}`;
}

const declare = (changes: Partial<SloAlarmsArgs> = {}) =>
  runPulumi(() => new SloAlarms("checkout-2-4-0", { ...base, ...changes }).watched);

const metricAlarm = "aws:cloudwatch/metricAlarm:MetricAlarm";
const compositeAlarm = "aws:cloudwatch/compositeAlarm:CompositeAlarm";

describe("SloAlarms", () => {
  it("watches batch on a load balancer [B1, B9, D1]", async () => {
    const rate =
      "errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)";
    expect((await declare()).all(metricAlarm).map(lineOf).sort()).toEqual([
      `error-rate/critical/300s: ${rate} > 5, 1 of 2 of 300 s, notBreaching`,
      `error-rate/critical/60s: ${rate} > 5, 2 of 3 of 60 s, notBreaching`,
      `error-rate/warning/300s: ${rate} > 2, 1 of 2 of 300 s, notBreaching`,
      `error-rate/warning/60s: ${rate} > 2, 2 of 3 of 60 s, notBreaching`,
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, notBreaching",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, 1000 * latency, 0) > 500, 1 of 2 of 300 s, notBreaching",
    ]);
  });

  it("watches web on request metrics at ten seconds [B1, B3]", async () => {
    const result = await declare({ objectives: objectivePresets.web, source: "emf" });
    const rate =
      "errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)";
    expect(result.all(metricAlarm).map(lineOf).sort()).toEqual([
      `availability/warning/300s: ${rate} > 0.1, 1 of 2 of 300 s, notBreaching`,
      `error-rate/critical/10s: ${rate} > 1, 2 of 2 of 10 s, notBreaching`,
      `error-rate/critical/300s: ${rate} > 1, 1 of 2 of 300 s, notBreaching`,
      `error-rate/critical/60s: ${rate} > 1, 2 of 3 of 60 s, notBreaching`,
      `error-rate/warning/300s: ${rate} > 1, 1 of 2 of 300 s, notBreaching`,
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, notBreaching",
      "latency-p95/critical/60s: milliseconds = IF(requests >= 200, latency, 0) > 3000, 1 of 1 of 60 s, notBreaching",
      "latency-p95/warning/300s: milliseconds = IF(requests >= 200, latency, 0) > 2500, 1 of 2 of 300 s, notBreaching",
    ]);
  });

  it("returns one series from an alarm that computes, the last expression", async () => {
    for (const { inputs } of (await declare()).all(metricAlarm)) {
      const queries = (inputs.metricQueries ?? []) as readonly Query[];
      if (queries.length === 0) continue;
      expect(queries.filter(({ returnData }) => returnData)).toEqual([queries.at(-1)]);
    }
  });

  it("names the dimensions of the source", async () => {
    const dimensionsOf = async (changes: Partial<SloAlarmsArgs>) => {
      const inputs = (await declare(changes)).the(metricAlarm, "error-rate/critical/60s").inputs;
      return (inputs.metricQueries as readonly Query[])[0]?.metric?.dimensions;
    };
    expect(await dimensionsOf({})).toEqual({ TargetGroup: "targetgroup/checkout/1", LoadBalancer: "app/edge/1" });
    expect(await dimensionsOf({ source: "emf" })).toEqual({ Service: "checkout", Release: "2-4-0-1a2b3c4d" });
  });

  it("lets only the composites tell people, one a severity, when it breaks and when it mends [D1]", async () => {
    const result = await declare();
    expect(result.all(metricAlarm).filter(({ inputs }) => inputs.alarmActions)).toEqual([]);
    const prefix = "tidegate/dev/checkout/2-4-0-1a2b3c4d";
    const { inputs } = result.the(compositeAlarm, "/critical");
    expect(inputs).toMatchObject({
      alarmName: `${prefix}/critical`,
      alarmRule: ["error-rate/critical/60s", "error-rate/critical/300s", "healthy-hosts/critical/60s"]
        .map((key) => `ALARM("${prefix}/${key}")`)
        .join(" OR "),
      alarmActions: ["arn:critical"],
      okActions: ["arn:critical"],
    });
    expect(result.the(compositeAlarm, "/warning").inputs.alarmActions).toEqual(["arn:warning"]);
  });

  it("declares no composite for a severity that nothing watches", async () => {
    const objectives = objectivePresets.batch.filter(({ name }) => name === "healthy-hosts");
    expect((await declare({ objectives })).all(compositeAlarm).map(({ name }) => name)).toEqual([
      "checkout-2-4-0/critical",
    ]);
  });

  it("says objective, bound, response and runbook in the description [D8]", async () => {
    const result = await declare();
    expect(result.the(metricAlarm, "error-rate/warning/60s").inputs.alarmDescription).toBe(
      "checkout 2.4.0: objective error-rate, warning: error-rate above 2 percent in 2 of 3 periods of 60 s. Response halve: exposure " +
        "is halved. Runbook: docs/runbooks/high-error-rate.md",
    );
  });

  it("links from a composite to the runbook of each objective in it, once [D8]", async () => {
    const result = await declare({ runbookBase: "https://wiki.example.com/tidegate/" });
    expect(result.the("aws:cloudwatch/compositeAlarm:CompositeAlarm", "/critical").inputs.alarmDescription).toBe(
      "checkout 2.4.0: any critical objective of this release is breached. Runbooks: " +
        "https://wiki.example.com/tidegate/high-error-rate.md, " +
        "https://wiki.example.com/tidegate/no-healthy-hosts.md",
    );
  });

  it("tells the hook mode and settle time of each alarm [B2, B13]", async () => {
    const objectives = objectivePresets.batch.map((objective) =>
      objective.name === "latency-p99" ? { ...objective, mode: "observe" as const } : objective,
    );
    const { outputs } = await declare({ objectives });
    const told = outputs.map(({ alarmName, mode, settleSeconds }) => [
      alarmName.split("/").slice(4).join("/"),
      mode,
      settleSeconds,
    ]);
    expect(told).toEqual([
      ["error-rate/critical/60s", "act", 420],
      ["error-rate/critical/300s", "act", 1_320],
      ["error-rate/warning/60s", "act", 420],
      ["error-rate/warning/300s", "act", 1_320],
      ["latency-p99/warning/300s", "observe", 1_320],
      ["healthy-hosts/critical/60s", "act", 360],
    ]);
  });
});
