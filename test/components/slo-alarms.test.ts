import { describe, expect, it } from "vitest";
import { SloAlarms, type SloAlarmsArgs } from "../../components/index.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import type { FrozenFigure } from "../../core/watch-rules.ts";
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

describe("SloAlarms", () => {
  it("watches batch on a load balancer [B1, B9, D1]", async () => {
    const rate =
      "errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)";
    expect((await declare()).all(metricAlarm).map(lineOf).sort()).toEqual([
      `error-rate/critical/300s: ${rate} > 5, 1 of 2 of 300 s, notBreaching`,
      "error-rate/critical/60s: errors = answered + unanswered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.271 * requests)) >= 8, 100 * errors / requests, 0) > 5, 1 of 1 of 60 s, notBreaching",
      `error-rate/warning/300s: ${rate} > 2, 1 of 2 of 300 s, notBreaching`,
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, notBreaching",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, 1000 * latency, 0) > 500, 1 of 2 of 300 s, notBreaching",
    ]);
  });

  it("leaves to the service what only tells people [B1, D1]", async () => {
    const result = await declare({ objectives: objectivePresets.web, source: "emf" });
    const names = result.all(metricAlarm).map(({ name }) => name.replace("checkout-2-4-0/", ""));
    expect(names.sort()).toEqual([
      "circuit-breaker-open/critical/60s",
      "error-rate/critical/10s",
      "error-rate/critical/300s",
      "error-rate/critical/60s",
      "healthy-hosts/critical/60s",
      "latency-p95/critical/60s",
    ]);
    expect(result.all(metricAlarm).filter(({ inputs }) => inputs.alarmActions)).toEqual([]);
    expect(result.names()).toHaveLength(6);
  });

  const canary = { plan: planPresets.cautious, exposurePercent: 25, figures: [] };
  const comparedWith = { releaseKey: "2-3-1-9e0fab5c", targetGroupArnSuffix: "targetgroup/checkout/0" };

  it("watches the canary beside its baseline, each by its own dimensions [B1]", async () => {
    const objectives = objectivePresets["canary-relative"];
    const result = await declare({ objectives, canary, comparedWith });
    const { inputs } = result.the(metricAlarm, "latency-p99/critical/300s/of-baseline");
    const queries = inputs.metricQueries as readonly Query[];
    const own = { TargetGroup: "targetgroup/checkout/1", LoadBalancer: "app/edge/1" };
    const baseline = { TargetGroup: "targetgroup/checkout/0", LoadBalancer: "app/edge/1" };
    expect(queries.flatMap(({ id, metric }) => (metric ? [[id, metric.stat, metric.dimensions]] : []))).toEqual([
      ["requests", "Sum", own],
      ["latency", "p99", own],
      ["baselineRequests", "Sum", baseline],
      ["baselineLatency", "p99", baseline],
    ]);
    expect(inputs.alarmDescription).toBe(
      "checkout 2.4.0: objective latency-p99, critical: latency-p99 above 1.5 times the baseline's in 2 of 2 periods of 300 s. " +
        "Response disable: exposure goes to 0. Runbook: docs/runbooks/high-latency.md",
    );
    const reported = await declare({ objectives, canary, comparedWith, source: "emf" });
    const { metricQueries } = reported.the(metricAlarm, "latency-p99/critical/300s/of-baseline").inputs;
    expect((metricQueries as readonly Query[]).flatMap(({ metric }) => metric?.dimensions.Release ?? [])).toEqual([
      "2-4-0-1a2b3c4d",
      "2-4-0-1a2b3c4d",
      "2-3-1-9e0fab5c",
      "2-3-1-9e0fab5c",
    ]);
  });

  it("says of a wave's own alarm where it counts, to people and to the hook [A2, D8]", async () => {
    const figures: readonly FrozenFigure[] = [
      { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
    ];
    const result = await declare({ canary: { ...canary, figures }, comparedWith });
    const key = "wave-latency-p95-of-previous-wave/critical/300s/at-25/of-wave-10";
    expect(result.the(metricAlarm, key).inputs.alarmDescription).toBe(
      "checkout 2.4.0: objective wave-latency-p95-of-previous-wave, critical at 25 % exposure: latency-p95 above 180 milliseconds (measured against " +
        "wave 10) in 1 of 2 periods of 300 s. Response disable: exposure goes to 0. Runbook: docs/runbooks/high-latency.md",
    );
    expect(result.outputs.filter(({ atPercents }) => atPercents)).toEqual([
      {
        alarmName: `tidegate/dev/checkout/2-4-0-1a2b3c4d/${key}`,
        digest: "sha256:b",
        objective: "wave-latency-p95-of-previous-wave",
        indicator: "latency-p95",
        severity: "critical",
        response: "disable",
        mode: "act",
        disableAnyway: false,
        settleSeconds: 1_320,
        atPercents: [25],
      },
    ]);
  });

  it("refuses a relative bound with nothing to compare with, by name", async () => {
    await expect(declare({ objectives: objectivePresets["canary-relative"], canary })).rejects.toThrow(
      "service checkout, release 2.4.0: latency-p99/critical/300s/of-baseline relative to nothing; expected a release to compare " +
        "with. Give comparedWith",
    );
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

  it("says objective, bound, response and runbook in the description [D8]", async () => {
    const result = await declare();
    expect(result.the(metricAlarm, "error-rate/warning/300s").inputs.alarmDescription).toBe(
      "checkout 2.4.0: objective error-rate, warning: error-rate above 2 percent in 1 of 2 periods of 300 s. Response halve: exposure " +
        "is halved. Runbook: docs/runbooks/high-error-rate.md",
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
      ["error-rate/critical/60s", "act", 300],
      ["error-rate/critical/300s", "act", 1_320],
      ["error-rate/warning/300s", "act", 1_320],
      ["latency-p99/warning/300s", "observe", 1_320],
      ["healthy-hosts/critical/60s", "act", 360],
    ]);
  });
});
