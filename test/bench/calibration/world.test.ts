/** The calibration draws windows, the rehearsal serves requests: both have to be the same world. */
import { describe, expect, it } from "vitest";
import { normalCumulative, normalQuantile } from "../../../bench/calibration/normal.ts";
import { trouble } from "../../../bench/calibration/trouble.ts";
import { shareOf, shareText } from "../../../bench/calibration/wilson.ts";
import { SoakTrace } from "../../../bench/calibration/world.ts";
import type { SoakWindow } from "../../../core/gate/evidence.ts";
import { Histogram } from "../../../rehearsal/cloudwatch/histogram.ts";
import { RandomStream } from "../../../rehearsal/traffic/random.ts";
import { rateAt, TrafficStream, trafficStep } from "../../../rehearsal/traffic/traffic.ts";

const openedAt = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
const soak = { openedAt, fromPercent: 0, exposurePercent: 10, windowSeconds: 60 };

function drawn(source: "alb" | "emf", seed = "a", days = 1): SoakTrace {
  const trace = new SoakTrace(new RandomStream(seed), { ratePerSecond: 50, source }, soak);
  trace.drawTo(openedAt + days * dayMs);
  return trace;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const deviation = (values: readonly number[]) => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

describe("windows of the calibration", () => {
  it("have the requests, latencies and drift of the rehearsal's traffic", () => {
    const stream = new TrafficStream(new RandomStream("rehearsal"));
    const p95s: number[] = [];
    let requests = 0;
    let errors = 0;
    for (let at = openedAt; at < openedAt + dayMs; at += 60_000) {
      const minute = new Histogram();
      for (let from = at; from < at + 60_000; from += 10_000) {
        const step = {
          from,
          to: from + 10_000,
          ratePerSecond: rateAt(from),
          shares: { canary: 0.1 },
          faults: [],
          reportsOwn: false,
        };
        for (const served of trafficStep(stream, step)) {
          requests += served.requests;
          errors += served.errors;
          minute.merge(served.latency);
        }
      }
      p95s.push(minute.percentile(95));
    }
    const { canary } = drawn("alb");
    const own = canary.map(({ latencyMilliseconds }) => latencyMilliseconds?.p95 ?? Number.NaN);
    expect(sum(canary.map((window) => window.requests)) / requests).toBeCloseTo(1, 1);
    expect(Math.abs(mean(own) / mean(p95s) - 1)).toBeLessThan(0.03);
    expect(Math.abs(deviation(own) / deviation(p95s) - 1)).toBeLessThan(0.3);
    // Ill minutes come on top; without them both are the base ratio.
    const { common, own: host } = trouble;
    const expected =
      1 +
      (common.startsPerDay * common.meanMinutes * (common.errorMultiplier - 1) +
        host.startsPerDay * (host.errorMultiplier - 1)) /
        1_440;
    const days = 40;
    const many = drawn("alb", "many", days).canary;
    const ratio = sum(many.map((window) => window.errors)) / sum(many.map((window) => window.requests));
    expect(Math.abs(ratio / (errors / requests) / expected - 1)).toBeLessThan(0.4);
  });

  it("are the same to a later look, which only sees more of them", () => {
    const early = new SoakTrace(new RandomStream("look"), { ratePerSecond: 50, source: "alb" }, soak);
    early.drawTo(openedAt + 600_000);
    const first: SoakWindow[] = [...early.canary];
    early.drawTo(openedAt + 1_200_000);
    const once = new SoakTrace(new RandomStream("look"), { ratePerSecond: 50, source: "alb" }, soak);
    once.drawTo(openedAt + 1_200_000);
    expect([first.length, early.canary.slice(0, 10), early.canary]).toEqual([10, first, once.canary]);
  });

  it("leave out a window in which nobody came", () => {
    const quiet = new SoakTrace(new RandomStream("quiet"), { ratePerSecond: 0.05, source: "alb" }, soak);
    quiet.drawTo(openedAt + dayMs);
    expect(quiet.canary.length).toBeLessThan(1_440);
    expect(quiet.canary.every(({ requests }) => requests > 0)).toBe(true);
  });

  it("count every request of an `emf` window among its samples, ascending", () => {
    const { canary } = drawn("emf");
    const wrong = canary.filter(({ requests, latencyCounts = [] }) => {
      const ascends = latencyCounts.every(([value], place) => value > (latencyCounts[place - 1]?.[0] ?? 0));
      return !ascends || sum(latencyCounts.map(([, count]) => count)) !== requests;
    });
    expect([canary.length, wrong]).toEqual([1_440, []]);
  });

  it("make a release as bad as is asked for", () => {
    const bad = new SoakTrace(new RandomStream("bad"), { ratePerSecond: 500, source: "alb" }, soak, {
      errorFactor: 5,
      latencyFactor: 1.2,
    });
    bad.drawTo(openedAt + 10 * dayMs);
    const rate = (windows: readonly SoakWindow[]) =>
      sum(windows.map(({ errors }) => errors)) / sum(windows.map(({ requests }) => requests));
    const p95 = (windows: readonly SoakWindow[]) =>
      mean(windows.map(({ latencyMilliseconds }) => latencyMilliseconds?.p95 ?? 0));
    expect(rate(bad.canary) / rate(bad.baseline)).toBeGreaterThan(4);
    expect(rate(bad.canary) / rate(bad.baseline)).toBeLessThan(6);
    expect(p95(bad.canary) / p95(bad.baseline)).toBeCloseTo(1.2, 1);
  });
});

describe("counted shares", () => {
  it("have Wilson's interval, also without a hit", () => {
    expect(shareText(shareOf(0, 400))).toBe("0 % (0 to 0.95)");
    expect(shareText(shareOf(10, 100))).toBe("10 % (5.5 to 17)");
    expect(shareText(shareOf(100, 100))).toBe("100 % (96 to 100)");
  });
});

describe("the normal", () => {
  it.each([0.001, 0.05, 0.5, 0.95, 0.9999])("is undone by its quantile at %d", (fraction) => {
    expect(normalCumulative(normalQuantile(fraction))).toBeCloseTo(fraction, 3);
  });
});
