import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareSoak } from "../../../core/gate/comparison-windows.ts";
import { compareErrors } from "../../../core/gate/error-comparison.ts";
import { defaultGateSettings } from "../../../core/gate/evidence.ts";
import { soakOf, type WindowOf } from "./soak-maker.ts";

const level = 0.000_25;

function compare(minutes: number, canary: WindowOf, baseline: WindowOf) {
  const { pairs, alone } = prepareSoak(soakOf(minutes, canary, baseline));
  return compareErrors(pairs, alone, 60, defaultGateSettings, level);
}

describe("errors beside the baseline's", () => {
  it("are over what is allowed when they are five times as many in every minute [C1]", () => {
    const errors = compare(
      60,
      () => ({ requests: 3_000, errors: 15 }),
      () => ({ requests: 9_000, errors: 9 }),
    );
    expect(errors.ratio.estimate).toBeCloseTo(5, 12);
    expect(errors.ratio.lower).toBeGreaterThan(1);
    expect(errors.isOverAllowance).toBe(true);
    expect(errors.canary.isOverCeiling).toBe(false);
  });

  it("are allowed to be half as many again, however sure that is", () => {
    const errors = compare(
      1_440,
      () => ({ requests: 90_000, errors: 135 }),
      () => ({ requests: 90_000, errors: 90 }),
    );
    expect(errors.isMore).toBe(true);
    expect(errors.isOverAllowance).toBe(false);
  });

  it("are not proven by bursts that the baseline has too", () => {
    const bursty =
      (share: number): WindowOf =>
      (index) => ({ requests: 5_000, errors: index % 9 === share ? 400 : 0 });
    const errors = compare(60, (index) => ({ requests: 5_000, errors: index % 9 < 3 ? 340 : 0 }), bursty(4));
    expect(errors.ratio.estimate).toBeGreaterThan(2);
    expect(errors.isMore).toBe(false);
  });

  it("are not proven by one bad spell of the canary's own [B9]", () => {
    const errors = compare(
      60,
      (index) => ({ requests: 5_000, errors: index === 30 ? 250 : 1 }),
      () => ({ requests: 5_000, errors: 1 }),
    );
    expect(errors.ratio.estimate).toBeGreaterThan(5);
    expect(errors.isMore).toBe(false);
  });

  it("speak against nobody below ten [B9]", () => {
    const errors = compare(
      60,
      (index) => ({ requests: 100, errors: index % 6 === 5 && index > 6 ? 1 : 0 }),
      () => ({
        requests: 900_000,
        errors: 0,
      }),
    );
    expect(errors.mine.errors).toBe(9);
    expect(errors.ratio.lower).toBeGreaterThan(1);
    expect(errors.isMore).toBe(false);
  });

  it("are over the ceiling by their rate, with at least 100 requests and 10 errors [B9, C1]", () => {
    const of = (requests: number, all: number) =>
      compare(
        10,
        (index) => ({ requests, errors: index < all + 1 && index > 0 ? 1 : 0 }),
        () => ({ requests: 1_000, errors: 0 }),
      ).canary.isOverCeiling;
    expect(of(50, 9)).toBe(false);
    const ten = compare(
      12,
      (index) => ({ requests: 50, errors: index > 1 ? 1 : 0 }),
      () => ({ requests: 1_000, errors: 0 }),
    );
    expect(ten.canary).toEqual({ requests: 500, errors: 10, rate: 0.02, isOverCeiling: true });
    const few = compare(
      12,
      (index) => ({ requests: 9, errors: index > 1 ? 1 : 0 }),
      () => ({ requests: 1_000, errors: 0 }),
    );
    expect(few.canary.isOverCeiling).toBe(false);
  });

  it("of none at all are fine, once more would have been seen", () => {
    const none: WindowOf = () => ({ requests: 1_000, errors: 0 });
    const { ratio, power, isMore } = compare(20, none, none);
    expect(ratio).toEqual({ estimate: 1, lower: 0, upper: Number.POSITIVE_INFINITY });
    expect(isMore).toBe(false);
    expect(power).toMatchObject({ mustSee: 0.02, isEnough: true, moreRequests: 0 });
  });

  it("could not be seen in a few requests, and how many are missing is told [B8]", () => {
    const few: WindowOf = () => ({ requests: 20, errors: 0 });
    const { power } = compare(10, few, () => ({ requests: 380, errors: 0 }));
    expect(power.isEnough).toBe(false);
    expect(power.couldSee).toBeGreaterThan(0.05);
    const enough = compare(10 + Math.ceil((power.moreRequests ?? 0) / 20) + 5, few, () => ({
      requests: 380,
      errors: 0,
    }));
    expect(enough.power.isEnough).toBe(true);
  });

  it("never become better by being more, whatever minute they are in [B8]", () => {
    const minutes = fc.array(
      fc.record({
        mine: fc.integer({ min: 0, max: 30 }),
        theirs: fc.integer({ min: 0, max: 30 }),
        more: fc.integer({ min: 0, max: 300 }),
      }),
      { minLength: 8, maxLength: 40 },
    );
    fc.assert(
      fc.property(minutes, fc.constantFrom(400, 4_000, 40_000), (list, requests) => {
        const of = (added: boolean) =>
          compare(
            list.length,
            (index) => ({ requests, errors: (list[index]?.mine ?? 0) + (added ? (list[index]?.more ?? 0) : 0) }),
            (index) => ({ requests, errors: list[index]?.theirs ?? 0 }),
          );
        const [before, after] = [of(false), of(true)];
        if (before.isOverAllowance) expect(after.isOverAllowance).toBe(true);
        if (before.canary.isOverCeiling) expect(after.canary.isOverCeiling).toBe(true);
        expect(after.power).toEqual(before.power);
      }),
      { numRuns: 300 },
    );
  });

  it("of two alike never speak against both, whoever is called the canary", () => {
    const minutes = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), {
      minLength: 8,
      maxLength: 40,
    });
    fc.assert(
      fc.property(minutes, (list) => {
        const side =
          (place: 0 | 1): WindowOf =>
          (index) => ({ requests: 40_000, errors: list[index]?.[place] ?? 0 });
        const [forth, back] = [compare(list.length, side(0), side(1)), compare(list.length, side(1), side(0))];
        expect(forth.isMore && back.isMore).toBe(false);
      }),
    );
  });
});
