/**
 * End to end (A9, B1): pairs that do not agree, through the client's lines into the rehearsal's CloudWatch, to the very alarm that preset `migration`
 * puts on dual-run failures, and to the counter that the gate reads before it believes that there were none.
 */
import { describe, expect, it } from "vitest";
import { dualRun } from "../../client/dual-run.ts";
import { alarmInputs } from "../../components/alarm-inputs.ts";
import { alarmOf } from "../../core/alarms.ts";
import { measureOf } from "../../core/measures.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { cloudWatchName } from "../../core/signals.ts";
import { watchRules } from "../../core/watch-rules.ts";
import { CloudWatch } from "../../rehearsal/cloudwatch/cloudwatch.ts";
import { emfProblems } from "./emf-schema.ts";
import { aRelease } from "./fake-runtime.ts";

/** What the alarms are of; nothing but the release's own metrics is put in, so the load balancer's suffixes do not matter. */
const measured = {
  service: "checkout",
  loadBalancerArnSuffix: "app/shop/1",
  releases: [{ releaseKey: "2-4-0-1a2b3c4d", targetGroupArnSuffix: "targetgroup/checkout/1" }],
};

const rules = watchRules(objectivePresets.migration, "emf").rules.filter(
  ({ indicator }) => indicator === "dual-run-failures",
);

/** A release that prices twelve baskets a minute for so many hours, of which every so manieth is priced differently. */
function watched(hours: number, everyNthDiffers: number, sampleFraction = 1) {
  const { metrics, runtime, sink } = aRelease();
  let priced = 0;
  let drawn = 0;
  const price = dualRun({
    name: "price-engine",
    old: (value: number) => value,
    new: (value: number) => (priced % everyNthDiffers === 0 ? value + 1 : value),
    returns: "old",
    metrics,
    runtime,
    sampleFraction,
    random: () => {
      drawn += 1;
      return (drawn % 10) / 10;
    },
  });
  const cloudWatch = new CloudWatch();
  for (const rule of rules) {
    const spec = alarmOf(rule, "emf");
    cloudWatch.putMetricAlarm({ name: spec.key, ...alarmInputs(spec, spec.objective, measured) }, runtime.now);
  }
  const startedAt = runtime.now;
  const alarmed: string[] = [];
  const totals: Record<string, number> = { DualRuns: 0, DualRunFailures: 0 };
  let ingested = 0;
  for (let minute = 0; minute < hours * 60; minute += 1) {
    for (let basket = 0; basket < 12; basket += 1) {
      priced += 1;
      price(priced);
      metrics.request(20, false);
    }
    runtime.pass(60_000);
    for (const line of sink.lines.slice(ingested)) {
      for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
        const dimensions = Object.fromEntries((Dimensions[0] ?? []).map((name) => [name, String(line[name])]));
        for (const { Name } of Metrics) {
          const value = line[Name];
          if (typeof value !== "number") continue;
          cloudWatch.putMetric(Namespace, Name, dimensions, line._aws.Timestamp, value, runtime.now);
          if (Name in totals) totals[Name] = (totals[Name] ?? 0) + value;
        }
      }
    }
    ingested = sink.lines.length;
    for (const change of cloudWatch.evaluateAt(runtime.now)) {
      if (change.state === "ALARM") alarmed.push(`${change.alarmName} after ${(change.at - startedAt) / 60_000} min`);
    }
  }
  expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  return { alarmed, totals, last: sink.lines.at(-1), status: price.status() };
}

describe("dual-run failures of `migration`", () => {
  it("are read from the counters that a dual run adds to [A9]", () => {
    expect(rules.map(({ key, response, threshold }) => [key, response, threshold])).toEqual([
      ["dual-run-failures/critical/3600s", "freeze", 100],
    ]);
    expect(measureOf("dual-run-failures", "emf")).toEqual({
      kind: "sum",
      signals: ["dual-run-failures"],
      perSeconds: 3_600,
    });
    const { last, totals } = watched(1, 4);
    expect(last).toMatchObject({ Service: "checkout", Release: "2-4-0-1a2b3c4d", DualRuns: 12, DualRunFailures: 3 });
    expect(totals).toEqual({ DualRuns: 720, DualRunFailures: 180 });
    expect([cloudWatchName("dual-runs"), cloudWatchName("dual-run-failures")]).toEqual(Object.keys(totals));
  });

  it("freeze the release once there are more than 100 in an hour [B1]", () => {
    const { alarmed, status } = watched(2, 4);
    expect(status.mismatched).toBe(360);
    expect(alarmed).toHaveLength(1);
    expect(alarmed[0]).toMatch(/^dual-run-failures\/critical\/3600s after \d+ min$/);
  });

  it("let a release be that has fewer, and one that has none is seen to have run [B1]", () => {
    expect(watched(3, 12)).toMatchObject({ alarmed: [], totals: { DualRuns: 2_160, DualRunFailures: 180 } });
    expect(watched(1, 10_000)).toMatchObject({ alarmed: [], totals: { DualRuns: 720, DualRunFailures: 0 } });
  });

  it("are those of the sample: a tenth of the calls finds a tenth of the failures [A9]", () => {
    const { alarmed, totals } = watched(2, 3, 0.1);
    expect(totals.DualRuns).toBe(144);
    expect(totals.DualRunFailures).toBeLessThan(60);
    expect(alarmed).toEqual([]);
  });
});
