import { describe, expect, it } from "vitest";
import { ServiceAlarms, type ServiceAlarmsArgs, SloAlarms, type WatchedTogether } from "../../components/index.ts";
import { defaultBurnSettings } from "../../core/burn-rate.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { type RegisteredResource, runPulumi } from "../helpers/pulumi-run.ts";

const baseline: WatchedTogether = {
  releaseKey: "2-3-1-9e0fab5c",
  targetGroupArnSuffix: "targetgroup/checkout/0",
  hasTraffic: true,
};
const canary: WatchedTogether = {
  releaseKey: "2-4-0-1a2b3c4d",
  targetGroupArnSuffix: "targetgroup/checkout/1",
  hasTraffic: true,
};
const lambda = { isLambda: true, hasHealthChecks: false };

const base: Omit<ServiceAlarmsArgs, "releaseAlarms"> = {
  environment: "dev",
  service: "checkout",
  objectives: objectivePresets.web,
  source: "alb",
  burnRate: defaultBurnSettings,
  releases: [canary, baseline],
  loadBalancerArnSuffix: "app/edge/1",
  topics: { critical: "arn:critical", warning: "arn:warning" },
};

/** The service's alarms over those of its canary, which is on the plan `cautious`. */
const declare = (changes: Partial<ServiceAlarmsArgs> = {}) =>
  runPulumi(() => {
    const args = { ...base, ...changes };
    const { declared } = new SloAlarms("canary", {
      ...args,
      version: "2.4.0",
      digest: "sha256:b",
      releaseKey: canary.releaseKey,
      mode: "act",
      targetGroupArnSuffix: canary.targetGroupArnSuffix,
      canary: { plan: planPresets.migration, exposurePercent: 25, figures: [] },
      comparedWith: baseline,
    });
    return new ServiceAlarms("checkout", { releaseAlarms: declared, ...args }).alarmNames;
  });

const metricAlarm = "aws:cloudwatch/metricAlarm:MetricAlarm";
const compositeAlarm = "aws:cloudwatch/compositeAlarm:CompositeAlarm";

interface Query {
  readonly id: string;
  readonly expression?: string;
  readonly returnData: boolean;
  readonly metric?: { readonly period: number; readonly dimensions: Record<string, string>; readonly stat: string };
}

const queriesOf = ({ inputs }: RegisteredResource) => inputs.metricQueries as readonly Query[];

describe("ServiceAlarms", () => {
  it("watches web on a load balancer: what notifies, and how fast the budget burns [B1, D1]", async () => {
    const result = await declare();
    const prefix = "tidegate-slo/dev/checkout";
    expect(result.outputs).toEqual([
      `${prefix}/latency-p95/warning/300s`,
      `${prefix}/availability/warning/300s`,
      `${prefix}/burn/availability/1h/long`,
      `${prefix}/burn/availability/1h/short`,
      `${prefix}/burn/availability/6h/long`,
      `${prefix}/burn/availability/6h/short`,
      `${prefix}/critical`,
      `${prefix}/warning`,
    ]);
    const availability = queriesOf(result.the(metricAlarm, "availability/warning/300s"));
    const group = (name: string) => ({ TargetGroup: `targetgroup/checkout/${name}`, LoadBalancer: "app/edge/1" });
    expect(availability.flatMap(({ id, metric }) => (metric ? [[id, metric.dimensions]] : []))).toEqual([
      ["requests", group("0")],
      ["answered", group("0")],
      ["unanswered", group("0")],
      ["requests1", group("1")],
      ["answered1", group("1")],
      ["unanswered1", group("1")],
    ]);
    expect(availability.filter(({ returnData }) => returnData).map(({ id }) => id)).toEqual(["worst"]);
    expect(result.the(metricAlarm, "availability/warning/300s").inputs.alarmDescription).toBe(
      "checkout: objective availability, warning: error rate above 0.1 percent in 1 of 2 periods of 300 s, on the worst of its " +
        "releases. People are told, nothing is lowered. Runbook: docs/runbooks/high-error-rate.md",
    );
  });

  it("counts a burn over all releases together, each window in one period as long as itself [D1]", async () => {
    const result = await declare();
    const burn = (window: string) => {
      const { inputs, ...rest } = result.the(metricAlarm, `burn/availability/6h/${window}`);
      const queries = queriesOf({ inputs, ...rest });
      return [
        queries.find(({ metric }) => metric)?.metric?.period,
        queries.flatMap(({ id, expression }) => (expression ? [`${id} = ${expression}`] : [])),
        inputs.comparisonOperator,
        inputs.threshold,
        [inputs.datapointsToAlarm, inputs.evaluationPeriods, inputs.treatMissingData],
      ];
    };
    const expressions = [
      "allRequests = requests + requests1",
      "allErrors = answered + unanswered + answered1 + unanswered1 + 0 * allRequests",
      "rate = IF(allRequests >= 100 AND allErrors >= 10, 100 * allErrors / allRequests, 0)",
    ];
    const shape = [expressions, "GreaterThanThreshold", 0.28, [1, 1, "notBreaching"]];
    expect(burn("long")).toEqual([21_600, ...shape]);
    expect(burn("short")).toEqual([1_800, ...shape]);
    expect(result.the(metricAlarm, "burn/availability/6h/long").inputs.alarmDescription).toBe(
      "checkout: the error budget of availability (28 days) burns 5.6 times too fast: errors above 0.28 percent in 21600 s, the long " +
        "window. It counts only together with the other one. Runbook: docs/runbooks/high-error-rate.md",
    );
  });

  it("tells people by one composite a severity, of pairs when both windows speak, and never by a wave's own alarm [D1, D4]", async () => {
    const result = await declare();
    expect(result.all(metricAlarm).filter(({ inputs }) => inputs.alarmActions)).toEqual([]);
    expect(result.all(metricAlarm).map(({ name }) => name)).toContain("canary/wave-error-rate/critical/60s/at-5");
    const [own, slo] = ["tidegate/dev/checkout/2-4-0-1a2b3c4d", "tidegate-slo/dev/checkout"];
    expect(result.the(compositeAlarm, "/critical").inputs).toEqual({
      alarmName: "tidegate-slo/dev/checkout/critical",
      alarmDescription:
        "checkout: any critical objective of a live release or of the service is breached. Runbooks: docs/runbooks/high-error-rate.md, " +
        "docs/runbooks/no-healthy-hosts.md, docs/runbooks/high-latency.md",
      alarmRule: [
        `ALARM("${own}/error-rate/critical/300s")`,
        `ALARM("${own}/error-rate/critical/60s")`,
        `ALARM("${own}/healthy-hosts/critical/60s")`,
        `ALARM("${own}/latency-p95/critical/60s")`,
        `(ALARM("${slo}/burn/availability/1h/long") AND ALARM("${slo}/burn/availability/1h/short"))`,
        `(ALARM("${slo}/burn/availability/6h/long") AND ALARM("${slo}/burn/availability/6h/short"))`,
      ].join(" OR "),
      alarmActions: ["arn:critical"],
      okActions: ["arn:critical"],
      tags: { "tidegate:environment": "dev", "tidegate:service": "checkout", "tidegate:role": "composite-alarm" },
    });
    expect(result.the(compositeAlarm, "/warning").inputs).toMatchObject({
      alarmRule: `ALARM("${slo}/latency-p95/warning/300s") OR ALARM("${slo}/availability/warning/300s")`,
      alarmActions: ["arn:warning"],
    });
  });

  it("declares no composite for a severity that nothing watches, and no burn rate where none is asked for", async () => {
    const objectives = objectivePresets.batch.filter(({ name }) => name === "healthy-hosts");
    const { burnRate: _, ...rest } = base;
    const result = await declare({ ...rest, burnRate: undefined, objectives });
    expect(result.all(compositeAlarm).map(({ name }) => name)).toEqual(["checkout/critical"]);
    expect(result.outputs).toEqual(["tidegate-slo/dev/checkout/critical"]);
  });

  it("leaves out a release without traffic where CloudWatch allows no more metrics, and none that has some [D1]", async () => {
    const previous = {
      releaseKey: "2-2-0-aaaaaaaa",
      targetGroupArnSuffix: "targetgroup/checkout/2",
      hasTraffic: false,
    };
    const counts = async (releases: readonly WatchedTogether[]) => {
      const result = await declare({ releases });
      return queriesOf(result.the(metricAlarm, "burn/availability/1h/long")).filter(({ metric }) => metric).length;
    };
    expect(await counts([baseline, canary, previous])).toBe(9);
    const leaving = { ...previous, releaseKey: "2-1-0-aaaaaaaa" };
    expect(await counts([previous, leaving, baseline, canary])).toBe(9);
  });

  it("refuses by name what reads over 10 metrics though all of it has traffic [B11]", async () => {
    const control = { ...baseline, releaseKey: "2-3-1-9e0fab5c-control", target: lambda };
    const releases = [{ ...baseline, target: lambda }, { ...canary, target: lambda }, control];
    const tooMany = (key: string) =>
      `alarm ${key}: reads too many metrics, got 12; expected at most 10. Watch fewer releases at once: leave the control out`;
    await expect(declare({ releases })).rejects.toThrow(
      `service checkout: ${["availability/warning/300s", "burn/availability/1h", "burn/availability/6h"].map(tooMany).join("; ")}`,
    );
  });

  it("is the same whatever role a release has: finishing changes no alarm of the service [D1]", async () => {
    const inputsOf = async (releases: readonly WatchedTogether[]) =>
      (await declare({ releases })).all(metricAlarm).map(({ name, inputs }) => [name, inputs]);
    expect(await inputsOf([canary, baseline])).toEqual(await inputsOf([baseline, canary]));
  });

  it("splits a composite whose rule would be longer than CloudWatch takes [D1]", async () => {
    const objectives = Array.from({ length: 110 }, (_, index) => ({
      name: `${"a-very-long-name-of-an-objective"}-${index}`,
      indicator: "latency-p95" as const,
      critical: { value: 500, response: "freeze" as const },
    }));
    const result = await declare({ objectives });
    const composites = result.all(compositeAlarm);
    expect(composites.map(({ inputs }) => inputs.alarmName).sort()).toEqual([
      "tidegate-slo/dev/checkout/critical",
      "tidegate-slo/dev/checkout/critical-2",
    ]);
    const rules = composites.map(({ inputs }) => String(inputs.alarmRule));
    expect(rules.every((rule) => rule.length <= 10_240)).toBe(true);
    expect(rules.flatMap((rule) => rule.split(" OR "))).toHaveLength(110);
  });
});
