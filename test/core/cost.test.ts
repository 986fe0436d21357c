import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DeclaredResource,
  dollarsOf,
  dollarsText,
  estimateCost,
  exposedHours,
  hookMetricUse,
} from "../../core/cost.ts";
import { completeWave, planPresets } from "../../core/plans.ts";
import { hoursPerMonth, prices } from "../../core/prices.ts";
import { hookMetrics } from "../../hooks/ports.ts";

const metricAlarm = "aws:cloudwatch/metricAlarm:MetricAlarm";
const ofCheckout = { "tidegate:service": "checkout" };

function alarm(name: string, inputs: DeclaredResource["inputs"]): DeclaredResource {
  return { type: metricAlarm, name, inputs: { tags: ofCheckout, ...inputs } };
}
const reported = (metricName: string, release: string, period: number) => ({
  metric: {
    namespace: "Tidegate",
    metricName,
    period,
    stat: "Sum",
    dimensions: { Service: "checkout", Release: release },
  },
});
const linesOf = (resources: readonly DeclaredResource[]) =>
  estimateCost(resources, []).lines.map(({ service, what, item, units, kind }) => ({
    service,
    what,
    item,
    units,
    kind,
  }));

describe("what a resource costs", () => {
  it("prices an alarm by each metric that it reads, not by its expressions [D9]", () => {
    const queries = [
      { metric: { namespace: "AWS/ApplicationELB", metricName: "RequestCount", period: 60 } },
      { metric: { namespace: "AWS/ApplicationELB", metricName: "HTTPCode_Target_5XX_Count", period: 60 } },
      { id: "rate", expression: "100 * m1 / m2" },
    ];
    expect(linesOf([alarm("a", { metricQueries: queries })])).toEqual([
      { service: "checkout", what: "alarms", item: "alarmMetric", units: 2, kind: "declared" },
    ]);
  });

  it("prices a period under a minute as high resolution, and the metrics that releases report once each [D9]", () => {
    const fast = alarm("a", { metricQueries: [reported("Requests", "r1", 10), reported("Errors", "r1", 10)] });
    const slow = alarm("b", { metricQueries: [reported("Requests", "r1", 300), reported("CacheHits", "r1", 300)] });
    const other = alarm("c", {
      namespace: "Tidegate",
      metricName: "Crashes",
      period: 60,
      dimensions: { Service: "checkout", Release: "r2" },
    });
    expect(linesOf([fast, slow, other]).filter(({ kind }) => kind === "declared")).toEqual([
      { service: "checkout", what: "alarms", item: "alarmMetric", units: 3, kind: "declared" },
      {
        service: "checkout",
        what: "alarms by the ten seconds",
        item: "highResolutionAlarmMetric",
        units: 2,
        kind: "declared",
      },
    ]);
    // Five that the middleware always writes, and one of its own for each release.
    expect(linesOf([fast, slow, other]).find(({ item }) => item === "customMetric")).toEqual({
      service: "checkout",
      what: "metrics that releases report",
      item: "customMetric",
      units: 12,
      kind: "used",
    });
  });

  it("adds up what is there once for the environment [D9]", () => {
    const resources: DeclaredResource[] = [
      { type: "aws:kms/key:Key", name: "key", inputs: {} },
      { type: "aws:secretsmanager/secret:Secret", name: "secret", inputs: {} },
      { type: "aws:lb/loadBalancer:LoadBalancer", name: "edge", inputs: {} },
      { type: "aws:cloudwatch/compositeAlarm:CompositeAlarm", name: "any", inputs: {} },
    ];
    const estimate = estimateCost(resources, []);
    expect(estimate.unpriced).toEqual([]);
    expect(dollarsOf(estimate, { service: undefined })).toBeCloseTo(1 + 0.4 + 0.0225 * 730 + 0.5, 9);
  });

  it("names what it has no price for, with the reason, and never takes it for free [D9]", () => {
    const resources: DeclaredResource[] = [
      { type: "aws:rds/instance:Instance", name: "db", inputs: {} },
      { type: "pagerduty:index/service:Service", name: "pager", inputs: {} },
      { type: "pagerduty:index/service:Service", name: "owner", inputs: {} },
      { type: "aws:iam/role:Role", name: "role", inputs: {} },
      { type: "tidegate:traffic:WaveRouter", name: "checkout", inputs: {} },
    ];
    expect(estimateCost(resources, []).unpriced).toEqual([
      { type: "aws:rds/instance:Instance", count: 1, why: "no price is known for it" },
      { type: "pagerduty:index/service:Service", count: 2, why: "by the seats of your PagerDuty plan" },
    ]);
  });

  it("counts a function by how often it wakes, what it asks and what it says of itself [D9]", () => {
    const of = (name: string, more = {}) =>
      estimateCost([{ type: "aws:lambda/function:Function", name, inputs: { name, memorySize: 512, ...more } }], []);
    const units = (estimate: ReturnType<typeof of>) => estimate.lines.map((line) => [line.what, line.units]);
    expect(units(of("tidegate-dev-hook", { tracingConfig: { mode: "Active" } }))).toEqual([
      ["tidegate-dev-hook: alarm states it reads", 43_800],
      ["tidegate-dev-hook: logs", (43_800 * 1_500) / 1e9],
      ["tidegate-dev-hook: metrics of its own", 2],
      ["tidegate-dev-hook: runs", 43_800],
      ["tidegate-dev-hook: time", 43_800 * 0.5 * 0.5],
      ["tidegate-dev-hook: traces", 43_800],
    ]);
    expect(units(of("tidegate-dev-report"))).toEqual([
      ["tidegate-dev-report: logs", (2_920 * 1_500) / 1e9],
      ["tidegate-dev-report: runs", 2_920],
      ["tidegate-dev-report: time", 2_920 * 5 * 0.5],
    ]);
    expect(of("somebody-elses").unpriced).toEqual([
      { type: "aws:lambda/function:Function", count: 1, why: "no price is known for it" },
    ]);
  });

  it("knows of every metric of the hook how long it is charged [D7, D9]", () => {
    expect(Object.keys(hookMetricUse).sort()).toEqual(Object.keys(hookMetrics).sort());
    const of = (use: string) => Object.values(hookMetricUse).filter((each) => each === use).length;
    const metrics = ["hook", "watchman"].map((name) =>
      estimateCost([{ type: "aws:lambda/function:Function", name: `tidegate-dev-${name}`, inputs: {} }], []).lines.find(
        ({ item }) => item === "customMetric",
      ),
    );
    expect(metrics.reduce((sum, line) => sum + (line?.units ?? 0), 0)).toBe(of("always"));
    const { lines } = estimateCost([], [{ name: "checkout", source: "alb", plan: planPresets.steady }]);
    expect(lines.find(({ item }) => item === "customMetric")?.units).toBeCloseTo(
      of("while a canary is declared") + (of("while exposed") * 240) / 730,
      9,
    );
  });
});

describe("what a service's use of the hook costs", () => {
  it("goes with the hours in which its canary has traffic: one rollout a month by its plan [D9]", () => {
    expect(exposedHours(planPresets.steady)).toBe(240);
    expect(exposedHours(planPresets.rapid)).toBeCloseTo(50 / 60, 9);
    expect(exposedHours({ waves: [completeWave({ exposurePercent: 100, minimumSoakMinutes: 1e9 })] })).toBe(
      hoursPerMonth,
    );
    const { lines } = estimateCost([], [{ name: "checkout", source: "alb", plan: planPresets.steady }]);
    expect(lines.find(({ item }) => item === "metricRead")?.units).toBe(240 * 60 * 3);
  });
});

describe("an estimate", () => {
  it("is never less for a resource more, and its parts sum to the whole [D9]", () => {
    const some = fc.array(
      fc.record({
        type: fc.constantFrom(
          metricAlarm,
          "aws:cloudwatch/compositeAlarm:CompositeAlarm",
          "aws:kms/key:Key",
          "aws:iam/role:Role",
        ),
        name: fc.string(),
        inputs: fc.record({ period: fc.constantFrom(10, 60, 300), tags: fc.constantFrom({}, ofCheckout) }),
      }),
    );
    fc.assert(
      fc.property(some, some, (resources, more) => {
        const estimate = estimateCost(resources, []);
        const parts = dollarsOf(estimate, { service: "checkout" }) + dollarsOf(estimate, { service: undefined });
        expect(parts).toBeCloseTo(dollarsOf(estimate, "everything"), 9);
        expect(dollarsOf(estimateCost([...resources, ...more], []), "everything")).toBeGreaterThanOrEqual(
          dollarsOf(estimate, "everything") - 1e-9,
        );
      }),
    );
  });

  it("is rounded up: a cent too much is no surprise [D9]", () => {
    expect([0, 0.001, 6.7, 6.701, 0.1 + 0.2].map(dollarsText)).toEqual(["$0.00", "$0.01", "$6.70", "$6.71", "$0.30"]);
  });

  it("has every price from a page of AWS [D9]", () => {
    for (const { dollars, per, source } of Object.values(prices)) {
      expect(dollars).toBeGreaterThan(0);
      expect(per).not.toBe("");
      expect(source).toMatch(/^aws\.amazon\.com\//);
    }
  });
});
