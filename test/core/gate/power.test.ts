import { describe, expect, it } from "vitest";
import {
  assumedBetweenVariance,
  type ErrorDesign,
  errorPower,
  latencyPower,
  requestsNeeded,
  visibleErrorFraction,
  visibleSlowdownFraction,
  windowsNeeded,
} from "../../../core/gate/power.ts";

const design: ErrorDesign = {
  canaryFraction: 0.02,
  baseFraction: 0.0002,
  ceilingFraction: 0.01,
  allowanceFraction: 1,
  besideRequestsEach: 9,
  spread: 0,
  requestsPerWindow: 100,
  level: 0.000_25,
};

describe("the requests that a soak needs", () => {
  it("are those of the normal approximation, without bursts [B8]", () => {
    // 10 errors of n where 2 % fail: 0.02 n − 0.8416 √(0.02 × 0.98 n) = 10.
    const root = (0.8416 * Math.sqrt(0.0196) + Math.sqrt(0.8416 ** 2 * 0.0196 + 4 * 0.02 * 10)) / (2 * 0.02);
    expect(requestsNeeded(design, 0.8)).toBe(Math.ceil(root ** 2));
  });

  it("are the fewest that are enough, and more for 95 % and for bursts", () => {
    const needed = requestsNeeded(design, 0.8) ?? 0;
    expect(errorPower(design, needed)).toBeGreaterThanOrEqual(0.8);
    expect(errorPower(design, needed - 1)).toBeLessThan(0.8);
    expect(requestsNeeded(design, 0.95)).toBeGreaterThan(needed);
    expect(requestsNeeded({ ...design, spread: 1 }, 0.8)).toBeGreaterThan(needed);
  });

  it("are fewer the worse the release", () => {
    const needed = [0.0008, 0.002, 0.005, 0.02, 0.1].map(
      (canaryFraction) => requestsNeeded({ ...design, canaryFraction }, 0.8) ?? 0,
    );
    expect([...needed].sort((left, right) => right - left)).toEqual(needed);
  });

  it("do not exist for what is allowed", () => {
    expect(requestsNeeded({ ...design, canaryFraction: 0.0004 }, 0.8)).toBeUndefined();
  });

  it("say what fewer could have seen", () => {
    const visible = visibleErrorFraction(design, 300) ?? 0;
    expect(visible).toBeGreaterThan(0.02);
    expect(errorPower({ ...design, canaryFraction: visible }, 300)).toBeGreaterThanOrEqual(0.8);
    expect(visibleErrorFraction(design, 99)).toBeUndefined();
  });
});

describe("the windows that a latency needs", () => {
  const latency = { slowerFraction: 0.2, allowanceFraction: 0.1, spread: 0.1, level: 0.000_25 };

  it("are the fewest that are enough", () => {
    const needed = windowsNeeded(latency, 0.8) ?? 0;
    expect(latencyPower(latency, needed)).toBeGreaterThanOrEqual(0.8);
    expect(latencyPower(latency, needed - 1)).toBeLessThan(0.8);
    expect(windowsNeeded({ ...latency, spread: 0.3 }, 0.8)).toBeGreaterThan(needed);
    expect(latencyPower(latency, 4)).toBe(0);
  });

  it("do not exist where the estimate is further off than what is to be seen", () => {
    expect(windowsNeeded({ ...latency, bias: 0.1 }, 0.8)).toBeUndefined();
  });

  it("say what fewer could have seen", () => {
    const visible = visibleSlowdownFraction(latency, 6) ?? 0;
    expect(latencyPower({ ...latency, slowerFraction: visible }, 6)).toBeCloseTo(0.8, 6);
    expect(visibleSlowdownFraction(latency, 4)).toBeUndefined();
  });
});

it("takes errors to vary as an exponential from minute to minute, where nothing better is known", () => {
  expect(assumedBetweenVariance(3_600)).toBeCloseTo(1 / 60, 12);
  expect(assumedBetweenVariance(10)).toBe(1);
});
