import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { sightOf } from "../../../rehearsal/run/sight.ts";

const base = { objectives: objectivePresets.batch, source: "alb", exposurePercent: 5, ratePerSecond: 50 } as const;

describe("whether a fault can be seen at an exposure", () => {
  it("cannot be where a percentile lacks samples, and says how many [B9]", () => {
    expect(sightOf({ ...base, kind: "latency-regression", magnitude: 5.6 })).toEqual({
      isSeen: false,
      reason: "latency-p99 needs 1,000 requests in 300 s; 5 % of 50/s gives 750",
    });
    expect(sightOf({ ...base, kind: "latency-regression", magnitude: 5.6, exposurePercent: 10 })).toEqual({
      isSeen: true,
      alarmKeys: ["latency-p99/warning/300s"],
    });
  });

  it("can be in the long window only, where the short one has too few errors [B9]", () => {
    const web = { ...base, objectives: objectivePresets.web, kind: "error-spike", magnitude: 0.0198 } as const;
    expect(sightOf(web)).toEqual({
      isSeen: true,
      alarmKeys: ["error-rate/critical/300s", "error-rate/warning/300s", "availability/warning/300s"],
    });
    expect(sightOf({ ...web, ratePerSecond: 10 })).toEqual({
      isSeen: false,
      reason: "error-rate needs 10 errors in 300 s; 5 % of 10/s gives 150, 3 of them errors",
    });
  });

  it("cannot be where the source or the objectives do not know it, by name", () => {
    const violation = { ...base, kind: "invariant-violation", magnitude: 0.01 } as const;
    expect(sightOf(violation)).toEqual({
      isSeen: false,
      reason: "source alb does not measure invariant-violations",
    });
    expect(sightOf({ ...violation, objectives: objectivePresets.web, source: "emf" })).toEqual({
      isSeen: false,
      reason: "no objective on invariant-violations",
    });
    expect(sightOf({ ...violation, source: "emf" })).toEqual({
      isSeen: true,
      alarmKeys: ["invariant-violations/critical/10s"],
    });
  });

  it("sees silence only where there must have been a hundred requests [B8]", () => {
    const outage = { ...base, kind: "metrics-outage", magnitude: 1 } as const;
    expect(sightOf(outage)).toEqual({ isSeen: true, alarmKeys: [] });
    expect(sightOf({ ...outage, ratePerSecond: 2 })).toEqual({
      isSeen: false,
      reason: "silence counts from 100 requests in 300 s; 5 % of 2/s gives 30",
    });
  });

  it("cannot be where the fault stays under the bound", () => {
    expect(sightOf({ ...base, kind: "latency-regression", magnitude: 1.5, exposurePercent: 100 })).toMatchObject({
      isSeen: false,
      reason: "265 ms is under the bound of 500 ms",
    });
  });
});
