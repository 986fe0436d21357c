import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidRequestError } from "../../../rehearsal/cloudwatch/errors.ts";
import { Histogram } from "../../../rehearsal/cloudwatch/histogram.ts";
import { MetricStore } from "../../../rehearsal/cloudwatch/metric-store.ts";
import { countOf, parseStatistic, type Statistic, statisticsOf } from "../../../rehearsal/cloudwatch/statistic.ts";

const start = Date.UTC(2026, 0, 5);
const second = 1_000;
const minute = 60 * second;

function statistic(name: string): Statistic {
  const parsed = parseStatistic(name);
  if (!parsed) throw new Error(`no statistic ${name}`);
  return parsed;
}

describe("statistics", () => {
  it("computes all of them over any multiple of the base period [D1]", () => {
    const series = new MetricStore().series("Tidegate", "Latency", { Release: "a" });
    [4, 1, 9, 2].forEach((value, index) => {
      series.put(start + index * 10 * second, value, start);
    });
    const read = (name: string, end: number, period: number) =>
      series.read(statistic(name), end, period, start + minute);
    expect(
      ["Sum", "Minimum", "Maximum", "Average", "SampleCount"].map((name) => read(name, start + minute, minute)),
    ).toEqual([16, 1, 9, 4, 4]);
    expect(read("Sum", start + 20 * second, 20 * second)).toBe(5);
    expect(read("Sum", start + 30 * second, 30 * second)).toBe(14);
    expect(read("Sum", start, minute)).toBeNaN();
  });

  it("takes percentiles from histograms and has none without [D1]", () => {
    const store = new MetricStore();
    const histogram = new Histogram();
    histogram.add(100, 95);
    histogram.add(1_000, 5);
    const load = store.series("AWS/ApplicationELB", "TargetResponseTime", {});
    load.put(start, { sum: 14.5, count: 100, min: 0.1, max: 1, histogram, histogramDecades: -3 }, start);
    expect(load.read(statistic("p50"), start + minute, minute, start)).toBeCloseTo(0.1, 2);
    expect(load.read(statistic("p99.5"), start + minute, minute, start)).toBeCloseTo(1, 1);
    const bare = store.series("Tidegate", "Latency", {});
    bare.put(start, { sum: 5, count: 2, min: 2, max: 3 }, start);
    expect(bare.read(statistic("p99"), start + minute, minute, start)).toBeNaN();
  });

  it.each(["p101", "tm90", "sum", "IQM", "PR(1:2)", "p"])("knows no statistic %s [E3]", (name) => {
    expect(parseStatistic(name)).toBeUndefined();
  });
});

describe("what is put", () => {
  it("is made of a histogram or a count, and nothing of nothing [D1]", () => {
    const histogram = new Histogram();
    expect([statisticsOf(histogram), countOf(0)]).toEqual([undefined, undefined]);
    histogram.add(200, 3);
    const set = statisticsOf(histogram, -3);
    expect(set?.count).toBe(3);
    expect((set?.sum ?? 0) / 0.6).toBeCloseTo(1, 1);
    expect((set?.min ?? 0) <= 0.2 && 0.2 <= (set?.max ?? 0)).toBe(true);
    expect(countOf(5)).toEqual({ sum: 5, count: 5, min: 1, max: 1 });
  });
});

describe("visibility", () => {
  it("shows a load balancer's minute as a whole, two minutes late [D1]", () => {
    const series = new MetricStore().series("AWS/ApplicationELB", "RequestCount", { TargetGroup: "t" });
    const visibleAt = start + 3 * minute;
    for (let at = start; at < start + minute; at += 10 * second)
      series.put(at, { sum: 5, count: 5, min: 1, max: 1 }, visibleAt);
    const sumAt = (now: number) => series.read(statistic("Sum"), start + minute, minute, now);
    expect(sumAt(visibleAt - 1)).toBeNaN();
    expect(sumAt(visibleAt)).toBe(30);
  });

  it("shows the ten-second points of a long period one by one [D1]", () => {
    const series = new MetricStore().series("Tidegate", "Requests", {});
    for (let at = start; at < start + minute; at += 10 * second) series.put(at, 7, at + 20 * second);
    expect(series.read(statistic("Sum"), start + minute, minute, start + minute)).toBe(35);
    expect(series.lastReadFinal).toBe(false);
    expect(series.read(statistic("Sum"), start + minute, minute, start + minute + 10 * second)).toBe(42);
    expect(series.lastReadFinal).toBe(true);
  });

  it("never has a sub-minute point of a metric published by the minute [D1]", () => {
    const series = new MetricStore().series("AWS/ApplicationELB", "RequestCount", {});
    series.put(start, 1, start);
    expect(series.read(statistic("Sum"), start + 10 * second, 10 * second, start + minute)).toBeNaN();
  });

  it("tells metrics apart by namespace, name and every dimension, in any order [D1]", () => {
    const store = new MetricStore();
    const one = store.series("Tidegate", "Requests", { Service: "s", Release: "a" });
    expect(store.series("Tidegate", "Requests", { Release: "a", Service: "s" })).toBe(one);
    expect(store.series("Tidegate", "Requests", { Service: "s" })).not.toBe(one);
    expect(store.series("Tidegate", "Errors", { Service: "s", Release: "a" })).not.toBe(one);
  });
});

describe("what cannot be put", () => {
  it("refuses data for a point that was evaluated and closed [E3]", () => {
    const store = new MetricStore();
    store.clock.evaluatedAt = start + 20 * second;
    const late = () => store.putMetric("Tidegate", "Requests", {}, start, 1, start);
    expect(late).toThrow(InvalidRequestError);
    expect(late).toThrow("data for a point that closed at 2026-01-05T00:00:10.000Z, after it was evaluated");
    store.putMetric("Tidegate", "Requests", {}, start + 10 * second, 1, start);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %s [E3]", (value) => {
    expect(() => new MetricStore().putMetric("Tidegate", "Requests", {}, start, value, start)).toThrow("not a value");
  });

  it("refuses a set without samples, and data older than what is kept [E3]", () => {
    const series = new MetricStore().series("Tidegate", "Requests", {});
    expect(() => series.put(start, { sum: 0, count: 0, min: 0, max: 0 }, start)).toThrow(
      "expected finite numbers, count from 1",
    );
    series.put(start + 40 * 86_400 * second, 1, start);
    expect(() => {
      for (let slot = 0; slot < 40_000; slot += 1) series.put(start + slot * 10 * second, 1, start);
    }).toThrow("is older than what is kept");
  });
});

describe("readers", () => {
  it("see what is put into a period after it was first looked at, while it is still open [D1]", () => {
    const store = new MetricStore();
    const metric = { namespace: "Tidegate", metricName: "Requests", dimensions: {}, statistic: statistic("Sum") };
    const reader = store.reader(metric, minute, 5 * minute);
    store.putMetric("Tidegate", "Requests", {}, start, 1, start);
    store.clock.evaluatedAt = start + minute;
    expect(reader.at(start + minute, start + minute)).toBe(1);
    store.putMetric("Tidegate", "Requests", {}, start + 50 * second, 2, start + minute);
    expect(reader.at(start + minute, start + minute)).toBe(3);
  });

  it("answer what a fresh computation answers, at every step, over random data and delays [D1]", () => {
    const point = fc.record({
      value: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
      delaySteps: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 90 }),
        fc.constantFrom(10, 30, 60, 120),
        (points, period) => {
          const store = new MetricStore();
          const metric = { namespace: "Tidegate", metricName: "Requests", dimensions: {}, statistic: statistic("Sum") };
          const reader = store.reader(metric, period * second, 5 * period * second);
          const puts: { at: number; value: number; visibleAt: number }[] = [];
          points.forEach(({ value, delaySteps }, index) => {
            const at = start + index * 10 * second;
            const now = at + 10 * second;
            if (value !== undefined) {
              const visibleAt = now + delaySteps * 10 * second;
              store.putMetric("Tidegate", "Requests", {}, at, value, visibleAt);
              puts.push({ at, value, visibleAt });
            }
            store.clock.evaluatedAt = now;
            if (now % (period < 60 ? 10 * second : minute) !== 0) return;
            for (let age = 0; age < 5; age += 1) {
              const end = now - age * period * second;
              const seen = puts.filter(
                (put) => put.visibleAt <= now && put.at >= end - period * second && put.at < end,
              );
              const expected = seen.length === 0 ? Number.NaN : seen.reduce((sum, put) => sum + put.value, 0);
              expect(reader.at(end, now)).toBe(expected);
            }
          });
        },
      ),
    );
  });

  it("read days from whole hours as they would from every minute, late data included [D1]", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.record({ minute: fc.integer({ min: 0, max: 1_439 }), lateMinutes: fc.integer({ min: 0, max: 90 }) }),
          {
            minLength: 1,
            maxLength: 60,
            selector: (point) => point.minute,
          },
        ),
        fc.integer({ min: 0, max: 59 }),
        (points, offsetMinutes) => {
          const store = new MetricStore();
          const series = store.series("Tidegate", "Requests", {});
          const sorted = [...points].sort((left, right) => left.minute - right.minute);
          for (const { minute: at, lateMinutes } of sorted) {
            series.put(start + at * minute, at + 1, start + (at + 1 + lateMinutes) * minute);
          }
          const end = start + (24 * 60 + offsetMinutes) * minute;
          for (const now of [end - 45 * minute, end]) {
            const seen = sorted.filter((point) => start + (point.minute + 1 + point.lateMinutes) * minute <= now);
            const inWindow = seen.filter((point) => start + point.minute * minute >= end - 20 * 60 * minute);
            const expected = inWindow.reduce((sum, point) => sum + point.minute + 1, 0);
            const read = series.read(statistic("Sum"), end, 20 * 60 * minute, now);
            expect(Number.isNaN(read) ? 0 : read).toBe(expected);
          }
        },
      ),
    );
  });
});
