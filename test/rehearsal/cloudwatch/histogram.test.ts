import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binCount, binOf, Histogram, valueAt } from "../../../rehearsal/cloudwatch/histogram.ts";

describe("a histogram", () => {
  it("reads every percentile within one bin, 2.4 % [E3]", () => {
    const values = fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (samples, percent) => {
        const histogram = new Histogram();
        for (const sample of samples) histogram.add(sample);
        const sorted = [...samples].sort((left, right) => left - right);
        const exact = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
        expect(Math.abs(histogram.percentile(percent) / exact - 1)).toBeLessThan(0.0234);
      }),
    );
  });

  it("has no percentile without samples, and counts what is out of range at its ends [E3]", () => {
    const histogram = new Histogram();
    expect(histogram.percentile(50)).toBeNaN();
    histogram.add(0);
    histogram.add(1e9);
    expect([histogram.low, histogram.high, histogram.total]).toEqual([0, binCount - 1, 2]);
  });

  it("merges as if all samples had been added to one, also across units [E3]", () => {
    const samples = fc.array(fc.double({ min: 0.2, max: 5_000, noNaN: true }));
    fc.assert(
      fc.property(samples, samples, (left, right) => {
        const milliseconds = new Histogram();
        const merged = new Histogram();
        const together = new Histogram();
        for (const value of left) merged.add(value);
        for (const value of right) milliseconds.add(value);
        merged.merge(milliseconds);
        for (const value of [...left, ...right]) together.add(value);
        expect(merged).toEqual(together);

        const seconds = new Histogram();
        seconds.merge(milliseconds, -3);
        if (right.length > 0) {
          expect(seconds.percentile(95) * 1_000).toBeCloseTo(milliseconds.percentile(95), 6);
        }
      }),
    );
  });

  it("is empty again after clear [E3]", () => {
    const histogram = new Histogram();
    histogram.add(3, 5);
    histogram.clear();
    expect(histogram).toEqual(new Histogram());
    expect(valueAt(binOf(35))).toBeLessThanOrEqual(35);
  });
});
