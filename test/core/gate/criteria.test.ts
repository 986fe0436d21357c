/** Criteria of the wave that is being left: which are asked, and what the gate says of them (C1, B8, B9). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrivalFindings, askedCriteria, criteriaFindings } from "../../../core/gate/criteria.ts";
import { newestQuarter, valueOfTotals, valueOfWindows } from "../../../core/gate/criterion-values.ts";
import type { CriterionValue, SoakWindow } from "../../../core/gate/evidence.ts";
import { objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";

const errorRate = (overrides: Partial<CriterionValue> = {}): CriterionValue => ({
  text: "error rate below 0.5 %",
  indicator: "error-rate",
  bound: { value: 0.5, response: "freeze" },
  whole: 0.02,
  newest: 0.03,
  errors: { whole: 20, newest: 12, floor: 10 },
  chance: { whole: 0.01, newest: 0.02 },
  ...overrides,
});
const said = (criterion: CriterionValue) =>
  criteriaFindings([criterion]).map(({ verdict, measured, text }) => [verdict, measured, text]);

describe("criteria that are asked", () => {
  it("are the plan's own of the wave that is left, and the aims of errors, latencies and of what must not happen [C1]", () => {
    const texts = (plan: keyof typeof planPresets, percent: number, preset: keyof typeof objectivePresets) =>
      askedCriteria(planPresets[plan], percent, objectivePresets[preset], { source: "emf" }).map(({ text }) => text);
    expect(texts("migration", 25, "migration")).toEqual([
      "error rate below 0.5 %",
      "latency at most 10 % up",
      "feature-flag coverage above 95 %",
      "no dual-run failures",
      "target of error-rate: at most 1 %",
      "target of dual-run-failures: at most 0 an hour",
    ]);
    expect(texts("steady", 10, "batch")).toEqual([
      "target of error-rate: at most 1 %",
      "target of latency-p50: at most 50 ms",
      "target of latency-p95: at most 150 ms",
      "target of latency-p99: at most 500 ms",
      "target of invariant-violations: at most 0",
      "target of availability: at least 99.9 %",
    ]);
    expect(texts("cautious", 100, "canary-relative")).toEqual([
      "target of error-rate: at most 5 %",
      "target of success-rate: at least 95 %",
    ]);
  });

  it("leave out what people look at themselves, by name [C1]", () => {
    const asked = askedCriteria(planPresets.migration, 5, [], {
      source: "emf",
      byHand: ["flag-coverage", "dual-run-failures"],
    });
    expect(asked.map(({ indicator }) => indicator)).toEqual(["error-rate", "latency-p95"]);
  });

  it("are none where nothing is exposed [C1]", () => {
    expect(askedCriteria(planPresets.migration, 0, [], { source: "emf" })).toEqual([]);
  });

  it("are a plan's own even where the source does not carry them, and aims only where it does [C1, B8]", () => {
    const asked = askedCriteria(planPresets.migration, 5, objectivePresets.batch, { source: "alb" });
    expect(asked.map(({ indicator }) => indicator)).toEqual([
      "error-rate",
      "latency-p95",
      "flag-coverage",
      "dual-run-failures",
      "error-rate",
      "latency-p50",
      "latency-p95",
      "latency-p99",
      "availability",
    ]);
  });
});

describe("what the gate says of a criterion", () => {
  it("is met over the whole soak and its newest quarter [C1]", () => {
    expect(said(errorRate())).toEqual([
      [
        "promote",
        undefined,
        "error rate below 0.5 %: came to 0.02 % over the soak and 0.03 % over its newest quarter; expected at most 0.5 %",
      ],
    ]);
  });

  it.each<[string, Partial<CriterionValue>, unknown[]]>([
    [
      "keeps a release that missed it",
      { whole: 0.8, newest: 0.9 },
      [
        "monitor",
        undefined,
        "error rate below 0.5 %: came to 0.8 % over the soak and 0.9 % over its newest quarter; expected at most 0.5 %, so it stays where it is",
      ],
    ],
    [
      "calls more than twice a plan's bound worse",
      { whole: 1.1, newest: 0.9 },
      [
        "roll-back",
        undefined,
        "error rate below 0.5 %: came to 1.1 % over the soak and 0.9 % over its newest quarter; expected at most 0.5 %, and it is far beyond that",
      ],
    ],
    [
      "calls an aim that is missed by more than twice no word about the release",
      { whole: 1.1, newest: 0.9, bound: { value: 0.5, response: "notify" } },
      [
        "monitor",
        undefined,
        "error rate below 0.5 %: came to 1.1 % over the soak and 0.9 % over its newest quarter; expected at most 0.5 %, so it stays where it is",
      ],
    ],
    [
      "sees a late turn in a quiet day",
      { whole: 0.3, newest: 0.9 },
      [
        "monitor",
        undefined,
        "error rate below 0.5 %: came to 0.3 % over the soak and 0.9 % over its newest quarter; expected at most 0.5 %, so it stays where it is",
      ],
    ],
    [
      "takes what may be chance in a quarter for no turn",
      { whole: 0.3, newest: 0.51 },
      [
        "promote",
        undefined,
        "error rate below 0.5 %: came to 0.3 % over the soak and 0.51 % over its newest quarter; expected at most 0.5 %",
      ],
    ],
    [
      "takes a few errors for no sign",
      { whole: 0.6, newest: 0.6, errors: { whole: 2, newest: 1, floor: 10 } },
      [
        "promote",
        undefined,
        "error rate below 0.5 %: came to 0.6 % over the soak and 0.6 % over its newest quarter; expected at most 0.5 %, of which 2 errors are no sign",
      ],
    ],
    [
      "cannot tell of errors that are few and too many for the bound",
      { whole: 4.5, newest: 4, errors: { whole: 9, newest: 1, floor: 10 } },
      [
        "cannot-tell",
        "too-little",
        "error rate below 0.5 %: came to 4.5 % over the soak and 4 % over its newest quarter; expected at most 0.5 %, and the difference may be chance, so the soak goes on",
      ],
    ],
    [
      "cannot tell by too few requests",
      { whole: undefined, newest: undefined },
      ["cannot-tell", "too-little", "error rate below 0.5 %: too few requests over the soak so far to tell"],
    ],
    [
      "cannot tell of what is not measured",
      { whole: undefined, newest: undefined, unmeasured: "since source alb does not carry it" },
      ["cannot-tell", "nothing", "error rate below 0.5 %: not measured, since source alb does not carry it"],
    ],
  ])("%s [C1, B8, B9]", (_what, overrides, expected) => {
    expect(said(errorRate(overrides))).toEqual([expected]);
  });

  const beside = (overrides: Partial<CriterionValue>): CriterionValue => ({
    text: "latency at most 10 % up",
    indicator: "latency-p95",
    bound: { value: 1.1, reference: { kind: "baseline", form: "factor" }, response: "freeze" },
    whole: 105,
    newest: 106,
    reference: 100,
    chance: { whole: 8, newest: 12 },
    ...overrides,
  });
  it.each<[string, Partial<CriterionValue>, string, RegExp]>([
    ["within what is allowed", {}, "promote", /came to 105 ms .* expected at most 110 ms \(beside 100 ms\)$/],
    ["over it, and surely", { whole: 115 }, "monitor", /came to 115 ms .* so it stays where it is$/],
    ["over it by chance, perhaps", { whole: 115, chance: { whole: 20 } }, "cannot-tell", /may be chance/],
    ["over it, with no idea of chance", { whole: 115, chance: {} }, "cannot-tell", /may be chance/],
    ["far over it", { whole: 230 }, "roll-back", /far beyond that$/],
  ])("beside a baseline: %s [C1]", (_what, overrides, verdict, text) => {
    const [finding] = criteriaFindings([beside(overrides)]);
    expect([finding?.verdict, finding?.text]).toEqual([verdict, expect.stringMatching(text)]);
  });

  it("cannot tell where what it is measured against was not measured [B8]", () => {
    const { reference: _none, ...alone } = beside({});
    expect(said(alone)).toEqual([
      [
        "cannot-tell",
        "nothing",
        "latency at most 10 % up: what it is measured against was not measured over this soak",
      ],
    ]);
  });

  it("tells unreadable criteria from none, and a soak that is still arriving [B8]", () => {
    expect(criteriaFindings(undefined)).toEqual([]);
    expect(criteriaFindings([])).toEqual([]);
    expect(criteriaFindings({ unreadable: "no answer" })).toEqual([
      {
        rule: "criteria",
        verdict: "cannot-tell",
        measured: "nothing",
        text: "the wave's criteria could not be read (no answer)",
      },
    ]);
    expect(arrivalFindings(undefined)).toEqual([]);
    expect(arrivalFindings(Date.UTC(2026, 0, 5, 10))).toEqual([
      {
        rule: "criteria",
        verdict: "monitor",
        text: "what was measured of this soak has not arrived; it will have by 2026-01-05T10:00:00.000Z",
      },
    ]);
  });

  it("never promotes by what was not measured [B8]", () => {
    const value = fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(value, fc.boolean(), (newest, isRelative) => {
        const unknown = isRelative ? beside({ whole: undefined, newest }) : errorRate({ whole: undefined, newest });
        expect(criteriaFindings([unknown]).map(({ verdict }) => verdict)).toEqual(["cannot-tell"]);
      }),
    );
  });
});

describe("what an indicator came to over windows", () => {
  const window = (at: number, overrides: Partial<SoakWindow> = {}): SoakWindow => ({
    at,
    requests: 100,
    errors: 1,
    latencyMilliseconds: { p95: 100 },
    ...overrides,
  });

  it("is a ratio of all requests together, and its error never less than counting has [C1]", () => {
    const windows = [window(0, { requests: 300, errors: 3 }), window(1)];
    // Both windows have 1 %, so they differ by nothing; 4 errors vary by 2.
    expect(valueOfWindows("error-rate", windows, 100)).toEqual({ value: 1, standardError: 0.5, errors: 4 });
    expect(valueOfWindows("success-rate", windows, 100)).toEqual({ value: 99, standardError: 0.5, errors: 4 });
  });

  it("is a mean of percentiles by their requests, with the error that the windows show [C1]", () => {
    const windows = [window(0, { requests: 300 }), window(1, { latencyMilliseconds: { p95: 140 } })];
    const value = valueOfWindows("latency-p95", windows, 100);
    // 110: deviations of 10 by 300 and of 30 by 100 are 3,000 each, over 400, times the root of 2.
    expect(value?.value).toBe(110);
    expect(value?.standardError).toBeCloseTo((Math.hypot(3_000, 3_000) / 400) * Math.SQRT2, 9);
  });

  it("is nothing by too few requests, without percentiles, and says no error of a single window [B9]", () => {
    expect(valueOfWindows("error-rate", [window(0)], 101)).toBeUndefined();
    expect(valueOfWindows("error-rate", [], 0)).toBeUndefined();
    expect(valueOfWindows("latency-p99", [window(0)], 100)).toBeUndefined();
    expect(valueOfWindows("latency-p95", [window(0)], 100)).toEqual({ value: 100 });
  });

  it("is of the newest quarter from three quarters on [C1]", () => {
    expect(newestQuarter({ from: 0, to: 400 })).toBe(300);
  });
});

describe("what an indicator came to out of sums", () => {
  const time = { seconds: 1_800, requests: 1_000, requestFloor: 100 };

  it("is a rate by the hour, a share, or a level [C1]", () => {
    const hourly = { kind: "sum", signals: ["dual-run-failures"], perSeconds: 3_600 } as const;
    expect(valueOfTotals(hourly, { "dual-run-failures": 3 }, time)).toBe(6);
    expect(valueOfTotals(hourly, {}, time)).toBe(0);
    const coverage = { kind: "ratio", part: ["flag-evaluations"], whole: ["requests"] } as const;
    expect(valueOfTotals(coverage, { "flag-evaluations": 960, requests: 1_000 }, time)).toBe(96);
    expect(valueOfTotals(coverage, { requests: 1_000 }, time)).toBe(0);
    const memory = { kind: "gauge", signal: "memory-megabytes", statistic: "mean" } as const;
    expect(valueOfTotals(memory, { "memory-megabytes": 400 }, time)).toBe(400);
    expect(valueOfTotals(memory, {}, time)).toBeUndefined();
  });

  it("is nothing by too few requests: nothing counted there is not nothing bad [B8, B9]", () => {
    const hourly = { kind: "sum", signals: ["dual-run-failures"], perSeconds: 3_600 } as const;
    expect(valueOfTotals(hourly, {}, { ...time, requests: 99 })).toBeUndefined();
    expect(valueOfTotals(hourly, {}, { seconds: 1_800, requests: 0, requestFloor: 0 })).toBeUndefined();
  });
});
