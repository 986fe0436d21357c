import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareSoak } from "../../../core/gate/comparison-windows.ts";
import { defaultGateSettings } from "../../../core/gate/evidence.ts";
import { compareLatencies } from "../../../core/gate/latency-comparison.ts";
import { chanceAbove, chanceVariance, LatencyGrid, usableCounts } from "../../../core/gate/latency-samples.ts";
import { latencies, soakOf, type WindowOf } from "./soak-maker.ts";

const level = 0.000_25;
const answered =
  (requests: number, p95: number, wobble?: number): WindowOf =>
  (index) => ({
    requests,
    errors: 0,
    latencyMilliseconds: latencies(index, p95, wobble),
  });

function compare(canary: WindowOf, baseline: WindowOf, minutes = 20) {
  return compareLatencies(prepareSoak(soakOf(minutes, canary, baseline)).pairs, defaultGateSettings, {
    level,
    miss: 0.03,
  });
}

/** The quantile function of a shape at evenly spaced ranks, as counted samples; each minute a little off. */
function sampled(samples: number, value: (rank: number) => number, shift = 0): WindowOf {
  return (index) => {
    const factor = Math.exp(0.01 * ([-1, 0.5, 1, -0.5][(index + shift) % 4] ?? 0));
    const counts = new Map<number, number>();
    for (let place = 0; place < samples; place += 1) {
      const milliseconds = Math.round(10 * factor * value((place + 0.5) / samples)) / 10;
      counts.set(milliseconds, (counts.get(milliseconds) ?? 0) + 1);
    }
    return { requests: samples, errors: 0, latencyCounts: [...counts].sort(([left], [right]) => left - right) };
  };
}
const even = (rank: number): number => 50 + 100 * rank;

describe("a p95 of windows beside another's", () => {
  it("fails at 20 % more, and passes at as much [C1]", () => {
    const slow = compare(answered(1_000, 120, 0.01), answered(9_000, 100));
    expect(slow.p95).toMatchObject({ by: "windows", windows: 18, isSlower: true, isOverAllowance: true });
    const same = compare(answered(1_000, 100), answered(9_000, 100, 0.01));
    expect(same.p95).toMatchObject({
      isSlower: false,
      isOverAllowance: false,
      power: { isEnough: true, mustSee: 0.2 },
    });
    expect(same.ranks).toBeUndefined();
  });

  it("passes at 5 % more, however sure that is: 10 % are allowed", () => {
    expect(compare(answered(9_000, 105), answered(9_000, 100)).p95).toMatchObject({
      isSlower: true,
      isOverAllowance: false,
    });
  });

  it("is not proven by one slow minute, and not taken for fine either [B8]", () => {
    const { p95 } = compare((index) => answered(1_000, index === 9 ? 5_000 : 100)(index), answered(9_000, 100));
    expect(p95).toMatchObject({ isOverAllowance: false, power: { isEnough: false } });
  });

  it("is enough where one slower by 20 % is ruled out, which asks for less than to stop it [B8, C1]", () => {
    const { p95 } = compare(answered(1_000, 100, 0.25), answered(9_000, 100, 0));
    if (!("ratio" in p95)) throw new Error("not compared");
    // Its windows differ by a fifth, so stopping is out of reach: yet one 20 % slower does not come to so little.
    expect(p95.power).toMatchObject({ isRuledOut: true, isEnough: true });
    expect(p95.power.couldSee).toBeGreaterThan(0.2);
    expect(compare(answered(1_000, 116, 0.25), answered(9_000, 100, 0)).p95).toMatchObject({
      isOverAllowance: false,
      power: { isRuledOut: false, isEnough: false },
    });
  });

  it("is too little in windows of fewer than 20 requests", () => {
    expect(compare(answered(19, 100), answered(400, 100)).p95).toEqual({
      measured: "too-little",
      why: "0 of 18 windows have a p95 of at least 20 requests of both; expected 5 and half of them",
    });
  });

  it("counts a canary of few requests as slower than it looks, and convicts nobody by a baseline of few", () => {
    const few = compare(answered(30, 100), answered(4_000, 100)).p95;
    const many = compare(answered(4_000, 100), answered(4_000, 100)).p95;
    if (!("ratio" in few && "ratio" in many)) throw new Error("not compared");
    expect(few.ratio.upper).toBeGreaterThan(many.ratio.upper);
    expect(many.power.isEnough).toBe(true);
    expect(few.power.isEnough).toBe(false);
    expect(compare(answered(4_000, 113), answered(40, 100)).p95).toMatchObject({ isOverAllowance: false });
    expect(compare(answered(4_000, 113), answered(4_000, 100, 0.01)).p95).toMatchObject({ isOverAllowance: true });
  });

  it("asks for 1,000 requests a window of a p99 [B9]", () => {
    expect(compare(answered(999, 100), answered(9_000, 100)).p99).toEqual({
      measured: "too-little",
      why: "0 of 18 windows have a p99 of at least 1000 requests of both; expected 5 and half of them",
    });
    expect(compare(answered(1_000, 100), answered(9_000, 100)).p99).toHaveProperty("ratio");
  });

  it("is nothing where no window has one, or only impossible ones", () => {
    const none: WindowOf = () => ({ requests: 1_000, errors: 0, latencyMilliseconds: { p95: Number.NaN } });
    expect(compare(none, answered(1_000, 100)).p95).toEqual({
      measured: "nothing",
      why: "no window has a p95 of both",
    });
  });

  it("is nothing where some windows have none beside requests enough: they may be the slow ones [B8]", () => {
    const gaps: WindowOf = (index) => (index === 7 ? { requests: 1_000, errors: 0 } : answered(1_000, 100)(index));
    const missing = {
      measured: "nothing",
      why: "latencies are missing in 1 of 18 windows that have requests enough; expected at most 2 %",
    };
    expect(compare(gaps, answered(1_000, 100))).toEqual({ p95: missing, p99: missing });
    expect(compare(answered(1_000, 100), gaps)).toEqual({ p95: missing, p99: missing });
  });

  it("wants windows that weigh about the same: one busy minute is no soak", () => {
    const busy: WindowOf = (index) => answered(index === 5 ? 1_000_000 : 25, 100)(index);
    expect(compare(busy, busy).p95).toEqual({
      measured: "too-little",
      why: "nearly all requests came in a few of 18 windows, which is worth 1 even ones; expected 5",
    });
  });
});

describe("samples beside others", () => {
  it("fail by both p95 and ranks when all are 20 % slower [C1]", () => {
    const slow = compare(
      sampled(400, (rank) => 1.2 * even(rank)),
      sampled(400, even, 1),
    );
    expect(slow.p95).toMatchObject({ by: "samples", isOverAllowance: true });
    expect(slow.ranks).toMatchObject({ isSlower: true, isOverAllowance: true });
  });

  it("pass when they are alike", () => {
    const same = compare(sampled(400, even), sampled(400, even, 2));
    expect(same.p95).toMatchObject({ isOverAllowance: false, power: { isEnough: true } });
    expect(same.ranks).toMatchObject({ isSlower: false, isOverAllowance: false });
  });

  it("fail by p95 when they spread wider around the same middle, which ranks do not see", () => {
    const wide = (rank: number): number => 100 + 190 * (rank - 0.5);
    const { p95, ranks } = compare(sampled(400, wide), sampled(400, even, 1));
    expect(ranks?.chanceSlower.estimate).toBeCloseTo(0.5, 2);
    expect(ranks).toMatchObject({ isSlower: false, isOverAllowance: false });
    expect(p95).toMatchObject({ isOverAllowance: true });
  });

  it("fail by ranks when the middle is slower below an equal p95", () => {
    const middle = (rank: number): number => (rank < 0.9 ? 50 + 100 * Math.min(0.9, 0.3 + rank) : even(rank));
    const { p95, ranks } = compare(sampled(400, middle), sampled(400, even, 1));
    expect(p95).toMatchObject({ isOverAllowance: false });
    expect(ranks).toMatchObject({ isSlower: true, isOverAllowance: true });
  });

  it("pass when every one is 5 % slower, however surely", () => {
    const narrow = (rank: number): number => 100 + 2 * rank;
    const { ranks, p95 } = compare(
      sampled(400, (rank) => 1.05 * narrow(rank)),
      sampled(400, narrow, 1),
    );
    expect(ranks).toMatchObject({ isSlower: true, isOverAllowance: false });
    expect(p95).toMatchObject({ isSlower: true, isOverAllowance: false });
  });

  it("cannot be compared with a baseline above the highest bucket", () => {
    const beyond: WindowOf = () => ({
      requests: 100,
      errors: 0,
      latencyCounts: [
        [100, 50],
        [Number.POSITIVE_INFINITY, 50],
      ],
    });
    expect(compare(beyond, beyond).p95).toEqual({
      measured: "nothing",
      why: "p95 of who stands beside is above the histogram's highest bucket (100 ms), so nobody knows how slow it is",
    });
  });

  it("convict a canary above the highest bucket, and never acquit it [B8]", () => {
    const mostly =
      (within: number, beyond: number): WindowOf =>
      () => ({
        requests: within + beyond,
        errors: 0,
        latencyCounts: [
          [50, 0.5 * within],
          [100, 0.5 * within],
          [Number.POSITIVE_INFINITY, beyond],
        ],
      });
    // The baseline's p95 is at 97 ms: the canary's, somewhere above 100 ms, may be within what is allowed or far beyond it.
    expect(compare(mostly(90, 10), mostly(98, 2)).p95).toEqual({
      measured: "nothing",
      why: "p95 of the canary is above the histogram's highest bucket (100 ms), so nobody knows how slow it is",
    });
    const quick: WindowOf = () => ({ requests: 100, errors: 0, latencyCounts: [[50, 100]] });
    expect(compare(mostly(50, 50), quick).p95).toMatchObject({ isOverAllowance: true });
  });

  it("fall back to percentiles where fewer than half of the windows have them", () => {
    const some: WindowOf = (index) => ({
      ...answered(1_000, 100)(index),
      ...(index < 8 ? sampled(100, even)(index) : {}),
    });
    expect(compare(some, some).p95).toMatchObject({ by: "windows" });
  });
});

describe("counted latencies", () => {
  const list = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 5 })), {
    minLength: 1,
    maxLength: 12,
  });
  const spread = (counts: readonly (readonly [number, number])[]) =>
    counts.flatMap(([value, count]) => Array.from({ length: count }, () => value));
  const ready = (counts: readonly (readonly [number, number])[]) => {
    const usable = usableCounts(counts);
    if (!usable) throw new Error("not usable");
    return usable;
  };

  it("are above others as often as pair by pair [C1]", () => {
    fc.assert(
      fc.property(list, list, fc.constantFrom(1, 1.1, 2), (left, right, scale) => {
        let wins = 0;
        for (const mine of spread(left)) {
          for (const theirs of spread(right)) wins += mine > theirs * scale ? 1 : mine === theirs * scale ? 0.5 : 0;
        }
        const pairs = spread(left).length * spread(right).length;
        expect(chanceAbove(ready(left), ready(right), scale)).toBeCloseTo(wins / pairs, 10);
      }),
    );
  });

  it("have the textbook's variance of ranks, less for ties", () => {
    // m = n = 2 without ties: (4 + 1) / (12 × 4).
    expect(
      chanceVariance(
        [
          [1, 1],
          [3, 1],
        ],
        [
          [2, 1],
          [4, 1],
        ],
      ),
    ).toBeCloseTo(5 / 48, 12);
    // All four alike: nothing can vary.
    expect(chanceVariance([[1, 2]], [[1, 2]])).toBe(0);
  });

  it("have quantiles between bucket bounds, as histogram_quantile has them", () => {
    const counts = [
      [100, 90],
      [250, 10],
    ] as const;
    const grid = new LatencyGrid([counts]);
    const all = new Float64Array(2);
    grid.add(counts, all);
    expect(grid.quantile(all, 0.95)).toBeCloseTo(175, 9);
    expect(grid.quantile(all, 0.45)).toBeCloseTo(50, 9);
    expect(grid.quantile(all, 0.95, all)).toBeUndefined();
  });

  it("are rounded to a thousandth where there are very many values", () => {
    const counts = Array.from({ length: 400 }, (_, index): [number, number] => [100 + index / 1_000, 1]);
    const grid = new LatencyGrid([counts], 100);
    expect(grid.values.length).toBeLessThan(10);
    const all = new Float64Array(grid.values.length);
    grid.add(counts, all);
    expect(all.reduce((sum, count) => sum + count, 0)).toBe(400);
  });

  it("are refused with a value or a count that cannot be, and sorted and put together otherwise", () => {
    expect(usableCounts([[1, Number.NaN]])).toBeUndefined();
    expect(usableCounts([[Number.NaN, 1]])).toBeUndefined();
    expect(usableCounts([[-1, 1]])).toBeUndefined();
    expect(usableCounts([[1, 0]])).toBeUndefined();
    expect(
      usableCounts([
        [2, 1],
        [1, 3],
        [2, 4],
      ]),
    ).toEqual([
      [1, 3],
      [2, 5],
    ]);
  });
});
