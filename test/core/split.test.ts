/** Weights and flag: one follows the exposure, the other is all or nothing, and both are off at 0. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exposureOf, flagPercentAt, splitters, weightPercentAt, weightSharesOf } from "../../core/split.ts";

const percent = fc.integer({ min: 0, max: 100 });
const splitter = fc.constantFrom(...splitters);

describe("a split", () => {
  it.each([
    ["weights", 0, 0, 0],
    ["weights", 10, 10, 100],
    ["weights", 100, 100, 100],
    ["flag", 0, 0, 0],
    ["flag", 10, 100, 10],
    ["flag", 100, 100, 100],
  ] as const)("by %s at %i %% has weights at %i and the flag at %i [A6]", (by, exposure, weight, flag) => {
    expect([weightPercentAt(by, exposure), flagPercentAt(by, exposure)]).toEqual([weight, flag]);
  });

  it("comes to the exposure that was granted where both are where they should be [A6]", () => {
    fc.assert(
      fc.property(splitter, percent, (by, granted) => {
        const seen = { weightPercent: weightPercentAt(by, granted), flagPercent: flagPercentAt(by, granted) };
        expect(exposureOf(by, granted, seen)).toBeCloseTo(granted, 9);
        expect(exposureOf(by, granted, { ...seen, flagPercent: undefined })).toBeCloseTo(granted, 9);
      }),
    );
  });

  it("is exposed at all while either is on though nothing is granted, and is not while one of them is off though something is [A6]", () => {
    fc.assert(
      fc.property(splitter, percent, percent, (by, weightPercent, flagPercent) => {
        expect(exposureOf(by, 0, { weightPercent, flagPercent })).toBe(Math.max(weightPercent, flagPercent));
        expect(exposureOf(by, 50, { weightPercent: 0, flagPercent })).toBe(0);
        expect(exposureOf(by, 50, { weightPercent, flagPercent: 0 })).toBe(0);
      }),
    );
  });

  it("gives an exposed canary every request where the flag splits, and leaves weights alone otherwise [A6]", () => {
    const shares = { old: 90, new: 10 };
    expect(weightSharesOf("flag", shares, "new")).toEqual({ new: 100 });
    expect(weightSharesOf("weights", shares, "new")).toEqual(shares);
    expect(weightSharesOf("flag", { old: 100 }, "new")).toEqual({ old: 100 });
    expect(weightSharesOf("flag", shares, undefined)).toEqual(shares);
  });
});
