/**
 * End to end: the lines of the client into the rehearsal's CloudWatch, and the very alarms of the `web` preset on `emf` over them. One process
 * in virtual time, so what is proven is that names, dimensions, units, resolution and zeros of both sides meet.
 */
import { describe, expect, it } from "vitest";
import { alarmInputs } from "../../components/alarm-inputs.ts";
import { alarmOf } from "../../core/alarms.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { watchRules } from "../../core/watch-rules.ts";
import { CloudWatch } from "../../rehearsal/cloudwatch/cloudwatch.ts";
import { Histogram } from "../../rehearsal/cloudwatch/histogram.ts";
import { emfProblems } from "./emf-schema.ts";
import { aRelease, type Line } from "./fake-runtime.ts";

/** What CloudWatch Logs makes of a line: points of each metric that it declares, under the dimensions that it declares. */
function ingest(cloudWatch: CloudWatch, line: Line, visibleAt: number): void {
  for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    for (const set of Dimensions) {
      const dimensions = Object.fromEntries(set.map((name) => [name, String(line[name])]));
      for (const { Name } of Metrics) {
        const value = line[Name] as number | { Values: number[]; Counts: number[] };
        const point = typeof value === "number" ? value : distribution(value);
        cloudWatch.putMetric(Namespace, Name, dimensions, line._aws.Timestamp, point, visibleAt);
      }
    }
  }
}

function distribution({ Values, Counts }: { Values: number[]; Counts: number[] }) {
  const histogram = new Histogram();
  let sum = 0;
  for (const [index, value] of Values.entries()) {
    histogram.add(value, Counts[index]);
    sum += value * (Counts[index] ?? 0);
  }
  return { sum, count: histogram.total, min: Math.min(...Values), max: Math.max(...Values), histogram };
}

/** What the alarms are of; nothing but the release's own metrics is put in, so the load balancer's suffixes do not matter. */
const measured = {
  service: "checkout",
  loadBalancerArnSuffix: "app/shop/1",
  releases: [{ releaseKey: "2-4-0-1a2b3c4d", targetGroupArnSuffix: "targetgroup/checkout/1" }],
};

interface Interval {
  readonly requests: number;
  readonly errors?: number;
  readonly milliseconds?: number;
}

/** Ten-second intervals of traffic; answers when each alarm went into ALARM first. Unit: seconds since the start. */
function watched(
  intervals: readonly Interval[],
  inEach: (metrics: ReturnType<typeof aRelease>["metrics"], index: number) => void = () => {},
) {
  const { metrics, runtime, sink } = aRelease();
  const cloudWatch = new CloudWatch();
  const specs = watchRules(objectivePresets.web, "emf")
    .rules.map((rule) => alarmOf(rule, "emf"))
    .filter(({ metrics: read }) => read.every(({ namespace }) => namespace === "Tidegate"));
  for (const spec of specs) {
    cloudWatch.putMetricAlarm({ name: spec.key, ...alarmInputs(spec, spec.objective, measured) }, runtime.now);
  }
  const startedAt = runtime.now;
  const alarmed: Record<string, number> = {};
  let ingested = 0;
  for (const [index, { requests, errors = 0, milliseconds = 80 }] of intervals.entries()) {
    for (let request = 0; request < requests; request += 1) metrics.request(milliseconds, request < errors);
    inEach(metrics, index);
    runtime.pass(10_000);
    for (const line of sink.lines.slice(ingested)) ingest(cloudWatch, line, runtime.now);
    ingested = sink.lines.length;
    for (const change of cloudWatch.evaluateAt(runtime.now)) {
      if (change.state === "ALARM") alarmed[change.alarmName] ??= (change.at - startedAt) / 1_000;
    }
  }
  expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  return { alarmed, keys: specs.map(({ key }) => key) };
}

const healthy = (count: number): Interval[] => Array.from({ length: count }, () => ({ requests: 300, errors: 0 }));

describe("alarms of `web` on the client's lines", () => {
  it("are silent for a healthy release [B3]", () => {
    const { alarmed, keys } = watched(healthy(60));
    expect(alarmed).toEqual({});
    expect(keys).toContain("error-rate/critical/10s");
  });

  it("see a burst of errors in its first interval of 10 s [B3]", () => {
    const burst = Array.from({ length: 6 }, () => ({ requests: 300, errors: 30 }));
    const { alarmed } = watched([...healthy(30), ...burst]);
    expect(alarmed["error-rate/critical/10s"]).toBe(310);
  });

  it("do not take for one what chance brings in an interval [B3, B9]", () => {
    const alarmedOf = (errors: number) =>
      Object.keys(watched([...healthy(30), { requests: 300, errors }, ...healthy(12)]).alarmed);
    expect(alarmedOf(9)).not.toContain("error-rate/critical/10s");
    expect(alarmedOf(10)).toContain("error-rate/critical/10s");
  });

  it("see slowness as a percentile of all requests [B1]", () => {
    const slow = Array.from({ length: 12 }, () => ({ requests: 300, milliseconds: 3_200 }));
    const { alarmed } = watched([...healthy(30), ...slow]);
    expect(alarmed["latency-p95/critical/60s"]).toBe(360);
  });

  it("see a breaker that stays open, and a cache that no longer hits [B1]", () => {
    const { alarmed } = watched(healthy(90), (metrics, index) => {
      if (index === 20) metrics.breaker("payments").opened();
      metrics.count("cache-hits", index < 20 ? 90 : 10);
      metrics.count("cache-misses", index < 20 ? 10 : 90);
    });
    const early = Object.keys(alarmed).map((key) => key.split("/").slice(0, 2).join("/"));
    expect([...new Set(early)].sort()).toEqual([
      "cache-hit-ratio/warning",
      "circuit-breaker-open/critical",
      "circuit-breaker-open/warning",
    ]);
  });
});
