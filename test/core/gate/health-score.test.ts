import { describe, expect, it } from "vitest";
import { healthScore } from "../../../core/gate/health-score.ts";

const errors = (canaryRate: number, besideRate: number, isMore = true) => ({ canaryRate, besideRate, isMore });

describe("the health score", () => {
  it("is 0.96 for 5 % of errors beside 1 % [B7]", () => {
    const score = healthScore({ errors: errors(0.05, 0.01) });
    expect(score.raw).toBeCloseTo(0.96, 12);
    expect(score.verdict).toBe("promote");
  });

  it("takes the error delta from 1.1 times the baseline's on, up to a half", () => {
    expect(healthScore({ errors: errors(0.011, 0.01) }).raw).toBe(1);
    expect(healthScore({ errors: errors(0.9, 0.1) })).toMatchObject({ raw: 0.5, counted: 0.5, verdict: "roll-back" });
  });

  it("takes a fifth of what p99 is above, up to 0.3", () => {
    const of = (ratio: number) => healthScore({ errors: errors(0, 0), p99: { ratio, isSlower: true } });
    expect(of(1.2).raw).toBeCloseTo(0.96, 12);
    expect(of(0.5).raw).toBe(1);
    expect(of(9).raw).toBeCloseTo(0.7, 12);
  });

  it("promotes from 0.9, waits from 0.8, and is worse below [B7]", () => {
    const of = (ratio: number) => healthScore({ errors: errors(0, 0), p99: { ratio, isSlower: true } }).verdict;
    expect(of(1.5)).toBe("promote");
    expect(of(1.51)).toBe("monitor");
    expect(of(2)).toBe("monitor");
    expect(of(2.01)).toBe("roll-back");
  });

  it("counts no part that chance explains, and tells it", () => {
    const score = healthScore({ errors: errors(0.3, 0.1, false), p99: { ratio: 2, isSlower: true } });
    expect(score.raw).toBeCloseTo(0.6, 12);
    expect(score.counted).toBeCloseTo(0.8, 12);
    expect(score.parts.map(({ of, isCounted }) => [of, isCounted])).toEqual([
      ["errors", false],
      ["p99", true],
    ]);
    expect(score.verdict).toBe("monitor");
  });

  it("is of the errors alone where p99 was not compared", () => {
    expect(healthScore({ errors: errors(0, 0) }).isWithoutP99).toBe(true);
    expect(healthScore({ errors: errors(0, 0), p99: { ratio: 1, isSlower: false } }).isWithoutP99).toBe(false);
  });
});
