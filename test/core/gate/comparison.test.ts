import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareSoak, comparisonFindings, comparisonLevel, rolloutError } from "../../../core/gate/comparison.ts";
import { defaultGateSettings, type SoakMeasurement, type SoakWindow } from "../../../core/gate/evidence.ts";
import { errorShareOf } from "../../../core/gate/looks.ts";
import { planPresets } from "../../../core/plans.ts";
import { latencies, minutesOf, openedAt, soakOf, type WindowOf } from "./soak-maker.ts";

const context = { plan: planPresets.rapid, exposurePercent: 25 };
const find = (soak: SoakMeasurement, exposurePercent = 25) =>
  comparisonFindings(soak, defaultGateSettings, { ...context, exposurePercent });
const answered =
  (requests: number, errors: number, p95 = 100, wobble?: number): WindowOf =>
  (index) => ({
    requests,
    errors,
    latencyMilliseconds: latencies(index, p95, wobble),
  });
const verdicts = (soak: SoakMeasurement, exposurePercent?: number) =>
  find(soak, exposurePercent).map(({ verdict }) => verdict);

describe("the comparison's findings", () => {
  it("are met for a release as good as its baseline, with their numbers [B8, C1]", () => {
    expect(find(soakOf(20, answered(1_000, 1, 100, 0.01), answered(3_000, 3)))).toEqual([
      {
        rule: "errors",
        verdict: "promote",
        text: "0.1 % errors (18 of 18000) of the canary beside 0.1 % errors (54 of 54000) of the baseline: 1 times, by chance anything from 0.186 times to 4.59 times, over 18 windows of 60 s (the first 2 min (2 windows) left out, since every release is cold then); allowed are 2 times as many and 1 %; it could have seen 0.486 %",
      },
      {
        rule: "latency",
        verdict: "promote",
        text: "p95 100 ms beside 100 ms of the baseline: -0.0278 %, by chance anything from -0.809 % to +1.2 %, over 18 windows; p99 160 ms beside 160 ms of the baseline: -0.0278 %, by chance anything from -0.809 % to +2.45 %; expected at most 10 % more; it could have seen 10.7 % more",
      },
      { rule: "health-score", verdict: "promote", text: "health score 1, by the formula alone 1" },
    ]);
  });

  it("say how much worse, beside what, and what is allowed [C1, B7]", () => {
    expect(find(soakOf(60, answered(3_000, 24, 160, 0.01), answered(9_000, 9)))).toEqual([
      {
        rule: "errors",
        verdict: "roll-back",
        text: "0.8 % errors (1296 of 162000) of the canary beside 0.1 % errors (486 of 486000) of the baseline: 8 times, by chance anything from 3.99 times to 16.1 times, over 54 windows of 60 s (the first 6 min (6 windows) left out, since every release is cold then); expected at most 2 times as many",
      },
      {
        rule: "latency",
        verdict: "roll-back",
        text: "p95 160 ms beside 100 ms of the baseline: +60 %, by chance anything from +59.7 % to +60.5 %, over 54 windows; p99 256 ms beside 160 ms of the baseline: +60 %, by chance anything from +59.7 % to +61.2 %; expected at most 10 % more",
      },
      {
        rule: "health-score",
        verdict: "monitor",
        text: "health score 0.873, by the formula alone 0.873 (errors -0.007; p99 -0.12); expected at least 0.9, and below 0.8 it is worse",
      },
    ]);
  });

  it("tell a slower middle by its ranks, where p95 is as high as the baseline's [C1]", () => {
    const middle =
      (milliseconds: number): WindowOf =>
      () => ({
        requests: 1_000,
        errors: 0,
        latencyCounts: [
          [milliseconds, 900],
          [200, 100],
        ],
      });
    expect(verdicts(soakOf(20, middle(100), middle(50)))).toEqual(["promote", "roll-back", "promote"]);
  });

  it("tell an error rate over the ceiling, whatever the baseline's [C1]", () => {
    expect(find(soakOf(20, answered(1_000, 11), answered(3_000, 33)))[0]).toEqual({
      rule: "errors",
      verdict: "roll-back",
      text: "1.1 % errors (198 of 18000) of the canary beside 1.1 % errors (594 of 54000) of the baseline; expected at most 1 %",
    });
  });

  it("say of too little what it could have seen, and how many more requests it needs [B8]", () => {
    const [errors, latency] = find(soakOf(10, answered(30, 0, 100, 0.2), answered(90, 0)));
    expect(errors).toEqual({
      rule: "errors",
      verdict: "cannot-tell",
      measured: "too-little",
      text: "needs about 428 more requests of the canary, so the soak goes on, to see 2 % errors (twice what fails); so far it could have seen 5.69 %. 0 % errors (0 of 270) of the canary beside 0 % errors (0 of 810) of the baseline: none on either side, over 9 windows of 60 s (the first 1 min (1 windows) left out, since every release is cold then)",
    });
    expect(latency).toMatchObject({ verdict: "cannot-tell", measured: "too-little" });
  });

  it("need five windows of both after the first minutes, and half of those that began", () => {
    expect(find(soakOf(5, answered(300, 0), answered(900, 0)))[0]).toEqual({
      rule: "errors",
      verdict: "cannot-tell",
      measured: "too-little",
      text: "errors cannot be compared: needs about 300 more requests of the canary, so the soak goes on; only 4 of 4 windows have requests of canary and baseline (the first 1 min (1 windows) left out, since every release is cold then), expected at least 5",
    });
    const gaps = soakOf(30, answered(300, 0), answered(900, 0));
    const halved = { ...gaps, canary: gaps.canary.filter((_, index) => index % 5 < 2) };
    expect(find(halved)[1]?.text).toBe(
      "latencies cannot be compared: only 10 of 27 windows have requests of canary and baseline (the first 3 min (3 windows) left out, since every release is cold then); expected at least half",
    );
  });

  it("cannot tell where requests were surely there and nothing was measured of one side [B8]", () => {
    const soak = soakOf(30, answered(300, 0), answered(900, 0));
    const lost = { ...soak, canary: soak.canary.filter((_, index) => index !== 20) };
    const left = "(the first 3 min (3 windows) left out, since every release is cold then)";
    expect(find(lost)[0]?.text).toBe(
      `errors cannot be compared: nothing usable of the canary in 1 of 27 windows in which it must have had requests ${left}; expected at most 2 %`,
    );
    const windows = soak.beside?.windows.filter((_, index) => index !== 20) ?? [];
    expect(find({ ...soak, beside: { is: "control", windows } })[0]?.text).toBe(
      `errors cannot be compared: nothing usable of the control in 1 of 27 windows in which it must have had requests ${left}; expected at most 2 %`,
    );
    // Where 19 requests were to be expected there may have been none, and of 54 windows one may be lost.
    const quiet = soakOf(30, answered(19, 0), answered(900, 0));
    expect(find({ ...quiet, canary: quiet.canary.filter((_, index) => index !== 20) })[0]?.text).toContain(
      "over 26 windows",
    );
    const long = soakOf(60, answered(300, 0), answered(900, 0));
    expect(verdicts({ ...long, canary: long.canary.filter((_, index) => index !== 20) })[0]).toBe("promote");
  });

  it("cannot tell where most of the soak has nothing of anybody, at 100 % neither [B8]", () => {
    const soak = soakOf(30, answered(300, 0), answered(900, 0));
    const early = <Window>(windows: readonly Window[] = []) => windows.slice(0, 16);
    const { beside, canary } = soak;
    const why =
      "errors cannot be compared: only 13 of 27 windows of the soak have any requests (the first 3 min (3 windows) left out, since every release is cold then); expected at least half";
    const windows = early(beside?.windows);
    expect(find({ ...soak, canary: early(canary), beside: { is: "baseline", windows } })[0]?.text).toBe(why);
    const { beside: _nobody, ...alone } = soak;
    expect(find({ ...alone, canary: early(canary) }, 100)[0]?.text).toBe(why);
  });

  it("leave comparisons out by name at 100 %, and keep the ceiling [C1]", () => {
    const { beside: _nobody, ...alone } = soakOf(20, answered(1_000, 1), answered(1, 0));
    expect(find(alone, 100)).toEqual([
      {
        rule: "errors",
        verdict: "promote",
        text: "errors are not compared at 100 %: nobody stands beside; 0.1 % errors (18 of 18000) of the canary, at most 1 %",
      },
      { rule: "latency", verdict: "promote", text: "latencies are not compared at 100 %: nobody stands beside" },
      {
        rule: "health-score",
        verdict: "promote",
        text: "the health score is not compared at 100 %: nobody stands beside",
      },
    ]);
    expect(verdicts({ ...alone, canary: minutesOf(20, answered(1_000, 20)) }, 100)).toEqual([
      "roll-back",
      "promote",
      "promote",
    ]);
    expect(verdicts({ ...alone, canary: [] }, 100)).toEqual(["cannot-tell", "cannot-tell", "cannot-tell"]);
  });

  it("cannot tell below 100 % where nobody was measured beside, save that too many errors are too many", () => {
    const { beside: _nobody, ...alone } = soakOf(20, answered(1_000, 1), answered(1, 0));
    expect(find(alone)[0]).toEqual({
      rule: "errors",
      verdict: "cannot-tell",
      measured: "nothing",
      text: "errors cannot be compared: nobody was measured beside the canary at 25 %",
    });
    expect(verdicts({ ...alone, canary: minutesOf(20, answered(1_000, 20)) })).toEqual([
      "roll-back",
      "cannot-tell",
      "cannot-tell",
    ]);
  });

  it("cannot tell of what could not be read, or makes no sense [B8]", () => {
    expect(comparisonFindings({ unreadable: "AccessDenied" }, defaultGateSettings, context)[2]).toEqual({
      rule: "health-score",
      verdict: "cannot-tell",
      measured: "nothing",
      text: "the health score cannot be compared: canary and baseline could not be read (AccessDenied)",
    });
    const soak = soakOf(20, answered(1_000, 1), answered(3_000, 3));
    expect(find({ ...soak, windowSeconds: Number.NaN })[0]?.text).toBe(
      "errors cannot be compared: what was measured makes no sense: windows of NaN s; expected a length above 0",
    );
    const settings = { ...defaultGateSettings, errorCeilingPercent: Number.NaN };
    expect(comparisonFindings(soak, settings, context)[0]?.text).toBe(
      "errors cannot be compared: what was measured makes no sense: errorCeilingPercent of NaN; expected a number above 0",
    );
  });

  it("never promote on garbage, and never throw [B8]", () => {
    const bad = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -1e300);
    const any = fc.oneof(bad, fc.double(), fc.integer(), fc.constant(0));
    const anyWindow = fc.record({
      at: fc.oneof(
        any,
        fc.integer({ min: -2, max: 25 }).map((minute) => openedAt + minute * 60_000),
      ),
      requests: any,
      errors: any,
      latencyMilliseconds: fc.record({ p50: any, p95: any, p99: any }),
      latencyCounts: fc.array(fc.tuple(any, any), { maxLength: 4 }),
    });
    const windows = fc.array(anyWindow, { maxLength: 30 });
    const measurement = fc.record({
      windowSeconds: fc.oneof(any, fc.constant(60)),
      from: fc.oneof(any, fc.constant(openedAt)),
      to: fc.oneof(any, fc.constant(openedAt + 20 * 60_000)),
      lookIndex: fc.oneof(any, fc.nat(5)),
      canary: windows,
      beside: fc.record({ is: fc.constant("baseline" as const), windows }),
    });
    fc.assert(
      fc.property(measurement, (soak) => {
        const findings = find(soak);
        expect(findings.map(({ rule }) => rule)).toEqual(["errors", "latency", "health-score"]);
        expect(findings.every(({ verdict }) => verdict === "promote")).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never promote a canary whose every window cannot be, beside a sound baseline", () => {
    const broken = fc.constantFrom(
      { requests: Number.NaN, errors: 0 },
      { requests: 1_000, errors: Number.NaN },
      { requests: -1_000, errors: 0 },
      { requests: 1_000, errors: 1_001 },
      { requests: 0, errors: 0 },
    );
    fc.assert(
      fc.property(fc.array(broken, { minLength: 20, maxLength: 20 }), (list) => {
        const canary: WindowOf = (index) => list[index] ?? { requests: 0, errors: 0 };
        for (const finding of find(soakOf(20, canary, answered(3_000, 3)))) {
          expect(finding).toMatchObject({ verdict: "cannot-tell", measured: "nothing" });
        }
      }),
    );
  });

  it("take a year of windows of five minutes in their stride [B8]", () => {
    const year = (requests: number): SoakWindow[] =>
      Array.from({ length: 105_120 }, (_, index) => ({
        at: openedAt + index * 300_000,
        requests,
        errors: index % 7,
        latencyMilliseconds: latencies(index, 100),
      }));
    const soak: SoakMeasurement = {
      windowSeconds: 300,
      from: openedAt,
      to: openedAt + 105_120 * 300_000,
      lookIndex: 0,
      canary: year(1_500),
      beside: { is: "baseline", windows: year(4_500) },
    };
    find(soak);
    // Processor time, the least of three: what others do on the machine is not ours.
    const took = [0, 1, 2].map(() => {
      const before = process.cpuUsage();
      find(soak);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    });
    // As much again for the collector's threads.
    expect(Math.min(...took)).toBeLessThan(400);
  });
});

describe("the chance of a false answer", () => {
  it("sums to half a percent over all waves, comparisons and looks of a rollout [C1]", () => {
    for (const plan of Object.values(planPresets)) {
      let all = 0;
      for (const wave of plan.waves) {
        if (wave.exposurePercent === 100) continue;
        for (let look = 0; look < 10_000; look += 1) all += 4 * comparisonLevel(plan, look);
      }
      expect(all).toBeLessThan(rolloutError);
      expect(all).toBeGreaterThan(0.999 * rolloutError);
    }
    expect(comparisonLevel(planPresets.rapid, 0)).toBe((0.005 / 2 / 4) * errorShareOf(0));
  });

  it("is what the comparison uses", () => {
    const soak = soakOf(20, answered(1_000, 1), answered(3_000, 3));
    expect(compareSoak({ ...soak, lookIndex: 3 }, defaultGateSettings, context)).toMatchObject({
      state: "compared",
      level: comparisonLevel(planPresets.rapid, 3),
    });
  });
});
