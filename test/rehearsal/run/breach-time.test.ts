import { describe, expect, it } from "vitest";
import { firstBadPeriod, pointsOfReason } from "../../../rehearsal/run/breach-time.ts";

const alarm = { comparison: "GreaterThanThreshold", threshold: 1, periodSeconds: 60 } as const;
const at = Date.UTC(2026, 0, 5, 9, 11);

describe("the first bad period of a fired alarm", () => {
  it("ends where the oldest breaching point of its range ends", () => {
    const reason = "2 of 3 GreaterThanThreshold 1: - - 0.3 2.4 1.8";
    expect(firstBadPeriod(alarm, { at, reason })).toEqual({ endsAt: at - 60_000, value: 2.4 });
  });

  it("is the newest period where that is the only bad one", () => {
    const reason = "1 of 2 GreaterThanThreshold 1: 0 0 1 3";
    expect(firstBadPeriod({ ...alarm, periodSeconds: 300 }, { at, reason })).toEqual({ endsAt: at, value: 3 });
  });

  it("is none where the reason lists no bad point", () => {
    expect(firstBadPeriod(alarm, { at, reason: "2 of 3 GreaterThanThreshold 1: - - - - -" })).toBeUndefined();
    expect(firstBadPeriod(alarm, { at, reason: 'ALARM("a") OR ALARM("b")' })).toBeUndefined();
  });

  it("reads points as numbers, missing ones as null", () => {
    expect(pointsOfReason("2 of 3 LessThanThreshold 1: - 0 1e-7 12.5")).toEqual([null, 0, 1e-7, 12.5]);
  });
});
