import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  meanInterval,
  normalBelow,
  normalCritical,
  rateRatioInterval,
  studentCritical,
} from "../../../core/gate/comparison-statistics.ts";

/** At least `count` of `total`, each with this chance: added up, as the definition says. */
function binomialTail(count: number, total: number, chance: number): number {
  let sum = 0;
  for (let k = count; k <= total; k += 1) {
    let term = 1;
    for (let i = 1; i <= k; i += 1) term *= ((total - k + i) / i) * chance;
    sum += term * (1 - chance) ** (total - k);
  }
  return sum;
}

describe("critical values", () => {
  it("are those of the printed tables [C1]", () => {
    expect(normalCritical(0.025)).toBeCloseTo(1.959964, 5);
    expect(normalCritical(0.001)).toBeCloseTo(3.090232, 5);
    expect(normalBelow(-1.959964)).toBeCloseTo(0.025, 6);
    expect(studentCritical(0.025, 4)).toBeCloseTo(2.776445, 5);
    expect(studentCritical(0.001, 10)).toBeCloseTo(4.1437, 5);
    expect(studentCritical(0.0005, 29)).toBeCloseTo(3.659405, 5);
  });

  it("keep their digits at levels of one in ten million", () => {
    expect(normalCritical(1e-7)).toBeCloseTo(5.199338, 4);
  });
});

describe("a mean of blocks", () => {
  it("has Student's textbook interval where weights are even", () => {
    // Mean 3, variance 2.5, standard error √0.5.
    const parts = [1, 2, 3, 4, 5].map((value) => ({ weight: 7, value }));
    const interval = meanInterval(parts, 0.025);
    expect(interval?.estimate).toBeCloseTo(3, 12);
    expect(interval?.standardError).toBeCloseTo(Math.SQRT1_2, 12);
    expect(interval?.effectiveBlocks).toBeCloseTo(5, 12);
    expect(interval?.lower).toBeCloseTo(3 - 2.776445 * Math.SQRT1_2, 5);
    expect(interval?.upper).toBeCloseTo(3 + 2.776445 * Math.SQRT1_2, 5);
  });

  it("counts blocks by what they weigh", () => {
    const parts = [100, 1, 1, 1, 1].map((weight) => ({ weight, value: weight }));
    expect(meanInterval(parts, 0.025)?.effectiveBlocks).toBeCloseTo(104 ** 2 / 10_004, 9);
  });

  it("is no interval of one block", () => {
    expect(
      meanInterval(
        [
          { weight: 5, value: 1 },
          { weight: 0, value: 2 },
        ],
        0.025,
      ),
    ).toBeUndefined();
  });
});

describe("the ratio of two error rates", () => {
  it("has the closed form's lower limit where only the canary has errors", () => {
    // Share s of the requests, all ten errors on the canary: s^10 = level.
    const share = 0.05 ** 0.1;
    const interval = rateRatioInterval({ requests: 500, errors: 10 }, { requests: 500, errors: 0 }, 0, 0.05);
    expect(interval.lower).toBeCloseTo(share / (1 - share), 6);
    expect(interval.upper).toBe(Number.POSITIVE_INFINITY);
  });

  it("leaves a ratio out exactly where the binomial tail is below the level [B9]", () => {
    const count = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(
        count,
        count,
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0.05, 0.001, 0.00025),
        (mine, theirs, each, level) => {
          fc.pre(mine > 0);
          const interval = rateRatioInterval(
            { requests: 1_000, errors: mine },
            { requests: 1_000 * each, errors: theirs },
            0,
            level,
          );
          const tail = binomialTail(mine, mine + theirs, 1 / (1 + each));
          if (Math.abs(tail - level) > 1e-5 * level) expect(interval.lower > 1).toBe(tail < level);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is wider where errors come in bursts", () => {
    const [mine, theirs] = [
      { requests: 10_000, errors: 60 },
      { requests: 10_000, errors: 20 },
    ];
    const even = rateRatioInterval(mine, theirs, 0, 0.001);
    const bursty = rateRatioInterval(mine, theirs, 0.125, 0.001);
    expect(even.lower).toBeGreaterThan(1);
    expect(bursty.lower).toBeLessThan(1);
    expect(bursty.upper).toBeGreaterThan(even.upper);
    expect(bursty.estimate).toBe(3);
  });

  it("never falls when the canary has one more error [B8]", () => {
    const count = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(count, count, fc.double({ min: 0, max: 1, noNaN: true }), (mine, theirs, bursts) => {
        const of = (errors: number) =>
          rateRatioInterval({ requests: 30_000, errors }, { requests: 90_000, errors: theirs }, bursts, 0.00025);
        expect(of(mine + 1).lower).toBeGreaterThanOrEqual(of(mine).lower * (1 - 1e-6));
      }),
    );
  });
});
