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
      // Warnings tell people, of the service as a whole; the hook does not hear of them.
      alarmKeys: ["error-rate/critical/300s"],
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

  it("can be measured against a baseline, and at 100 % against what that came to before [B1]", () => {
    const slow = { kind: "latency-regression", source: "emf", ratePerSecond: 50 } as const;
    const relative = { ...slow, objectives: objectivePresets["canary-relative"] };
    expect(sightOf({ ...relative, magnitude: 3, exposurePercent: 50 })).toEqual({
      isSeen: true,
      alarmKeys: ["latency-p99/critical/300s/of-baseline"],
    });
    expect(sightOf({ ...relative, magnitude: 3, exposurePercent: 100 })).toEqual({
      isSeen: true,
      alarmKeys: ["latency-p99/critical/300s/of-baseline-at-0"],
    });
    expect(sightOf({ ...relative, magnitude: 1.4, exposurePercent: 50 })).toEqual({
      isSeen: false,
      reason: "247 ms is under the bound of 265 ms that a healthy baseline makes",
    });
  });

  it.each([
    [
      "memory-leak",
      "migration",
      20,
      { isSeen: true, alarmKeys: ["memory/critical/300s/of-baseline", "memory-growth/critical/3600s/of-growth"] },
    ],
    ["memory-leak", "web", 20, { isSeen: false, reason: "no objective on memory" }],
    ["breaker-open", "web", 1, { isSeen: true, alarmKeys: ["circuit-breaker-open/critical/60s"] }],
    [
      "cache-cold",
      "web",
      0.4,
      { isSeen: false, reason: "cache-hit-ratio only tells people, of the service as a whole" },
    ],
    [
      "rejects",
      "web",
      20,
      { isSeen: false, reason: "rate-limit-rejects only tells people, of the service as a whole" },
    ],
    ["dual-run-mismatch", "migration", 200, { isSeen: true, alarmKeys: ["dual-run-failures/critical/3600s"] }],
    ["dual-run-mismatch", "migration", 90, { isSeen: false, reason: "90 an hour is under the bound of 100 an hour" }],
    [
      "cpu-hot",
      "production",
      3.6,
      { isSeen: true, alarmKeys: ["cpu/critical/300s/of-baseline", "cpu/warning/300s/of-baseline"] },
    ],
    ["crash", "migration", 1, { isSeen: true, alarmKeys: ["crashes/critical/60s"] }],
    [
      "flag-mismatch",
      "migration",
      6,
      { isSeen: false, reason: "flag-mismatches only tells people, of the service as a whole" },
    ],
  ] as const)("says of %s under %s, %d: %o [B1]", (kind, preset, magnitude, sight) => {
    const objectives = objectivePresets[preset];
    const question = { kind, magnitude, objectives, exposurePercent: 50, ratePerSecond: 50 } as const;
    expect(sightOf({ ...question, source: "emf" })).toEqual(sight);
    if (sight.isSeen) {
      const { reason } = { reason: "", ...sightOf({ ...question, source: "alb" }) };
      expect(reason).toMatch(/^source alb does not measure /);
    }
  });
});
