import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Split } from "../../../rehearsal/cloud/split.ts";
import { traffic } from "../../../rehearsal/traffic/constants.ts";

const stepMs = 10_000;

describe("the split of a rule's requests", () => {
  it("is the weights, the very same object as long as nothing changes [E3]", () => {
    const split = new Split({ weights: { a: 3, b: 1 } }, 0);
    expect(split.over(0, stepMs)).toEqual({ a: 0.75, b: 0.25 });
    expect(split.over(stepMs, 2 * stepMs)).toBe(split.over(2 * stepMs, 3 * stepMs));
  });

  it("follows new weights when they arrive, within a step by the part of it [E3]", () => {
    const split = new Split({ weights: { a: 100 } }, 0);
    split.change({ weights: { a: 50, b: 50 } }, 4_000, "up");
    expect(split.over(0, stepMs)).toEqual({ a: 0.4 + 0.3, b: 0.3 });
    expect(split.over(stepMs, 2 * stepMs)).toEqual({ a: 0.5, b: 0.5 });
  });

  it("keeps the order of two writes, however late the first arrives [E3]", () => {
    const split = new Split({ weights: { a: 100 } }, 0);
    split.change({ weights: { b: 100 } }, 9_000, "up");
    split.change({ weights: { a: 100 } }, 3_000, "hook");
    split.over(0, stepMs);
    expect(split.over(stepMs, 2 * stepMs)).toEqual({ a: 1 });
  });

  it("keeps clients with a cookie where they were, until their cookies run out [A7]", () => {
    const split = new Split({ weights: { a: 90, b: 10 }, stickinessSeconds: 100 }, 0);
    split.change({ weights: { a: 50, b: 50 }, stickinessSeconds: 100 }, 0, "up");
    const first = split.over(0, stepMs).b ?? 0;
    // Those without a cookie at once, and a tenth of those with one.
    const pinned = 0.1 + 0.1 * 0.4;
    expect(first).toBeCloseTo((1 - traffic.stickyFraction) * 0.5 + traffic.stickyFraction * pinned, 10);
    let last = first;
    for (let step = 1; step < 200; step += 1) last = split.over(step * stepMs, (step + 1) * stepMs).b ?? 0;
    expect(last).toBe(0.5);
  });

  it("frees every client when stickiness goes off, or its group leaves the rule [B2]", () => {
    const off = new Split({ weights: { a: 50, b: 50 }, stickinessSeconds: 3_600 }, 0);
    off.change({ weights: { a: 90, b: 10 } }, 0, "hook");
    expect(off.over(0, stepMs)).toEqual({ a: 0.9, b: 0.1 });
    const gone = new Split({ weights: { a: 50, b: 50 }, stickinessSeconds: 3_600 }, 0);
    gone.change({ weights: { a: 100 }, stickinessSeconds: 3_600 }, 0, "hook");
    expect(gone.over(0, stepMs)).toEqual({ a: 1 });
  });

  it("sums to 1 whatever is written and when [E3]", () => {
    const write = fc.record({
      weights: fc.record({ a: fc.integer({ min: 1, max: 100 }), b: fc.integer({ min: 0, max: 100 }) }),
      sticky: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), (writes) => {
        const split = new Split({ weights: { a: 1 } }, 0);
        let from = 0;
        for (const { weights, sticky, afterMs } of writes) {
          split.change({ weights, ...(sticky ? { stickinessSeconds: 60 } : {}) }, from + afterMs, "up");
          const sum = Object.values(split.over(from, from + stepMs)).reduce((total, part) => total + part, 0);
          expect(sum).toBeCloseTo(1, 9);
          from += stepMs;
        }
      }),
    );
  });
});
