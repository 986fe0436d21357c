import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DetectionTold } from "../../../cli/comment/notices.ts";
import { worstCaseWords } from "../../../cli/comment/worst-case.ts";

const bound = (objective: string, windows: readonly [seconds: number, rate?: number][], response = "disable") => ({
  objective,
  response,
  windows: windows.map(([worstSeconds, rate]) => ({ worstSeconds, fromRatePerSecond: rate?.toString() })),
});
const errorRate = bound("error-rate (critical)", [
  [120, 400],
  [320, 67],
  [740, 14],
]);

describe("the time from a breach to zero exposure", () => {
  it.each<[string, DetectionTold[]]>([
    [
      "at worst from **320 s** (with 67 requests/s of the whole service) to **740 s** (14) until zero exposure; below 14 requests/s error-rate (critical) is not seen",
      [errorRate, bound("healthy-hosts (critical)", [[320]])],
    ],
    [
      "at worst from **120 s** (with 400 requests/s of the whole service) to **740 s** (14) until zero exposure; below 14 requests/s error-rate (critical) is not seen",
      [errorRate],
    ],
    // The slow one is blind before the other; with still less traffic what is left is quicker, and that is no better.
    [
      "at worst from **320 s** (with 100 requests/s of the whole service) to **900 s** (50) until zero exposure; below 50 requests/s latency-p99 (critical) is not seen; below 14 requests/s error-rate (critical) is not seen",
      [
        bound("error-rate (critical)", [[320, 14]]),
        bound("latency-p99 (critical)", [
          [320, 100],
          [900, 50],
        ]),
      ],
    ],
    [
      "**430 s** at worst to zero exposure (with 2.7 requests/s of the whole service); below 2.7 requests/s error-rate (critical), availability (critical) are not seen",
      [bound("error-rate (critical)", [[430, 2.7]]), bound("availability (critical)", [[430, 2.7]])],
    ],
    ["**320 s** at worst to zero exposure", [bound("healthy-hosts (critical)", [[320]])]],
    [
      "at worst from **60 s** (with 5 requests/s of the whole service) to **320 s** (fewer) until zero exposure",
      [bound("healthy-hosts (critical)", [[60, 5], [320]])],
    ],
    ["no promise of the service takes all traffic away by itself", [bound("error-rate (critical)", [[120]], "halve")]],
  ])("is %s [B9, E2]", (words, bounds) => {
    expect(worstCaseWords(bounds)).toBe(words);
  });

  it("never promises less than the slowest promise that is seen, at any traffic [B9]", () => {
    const windows = fc.array(fc.tuple(fc.integer({ min: 60, max: 900 }), fc.integer({ min: 0, max: 500 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(windows, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 600 }), (all, rate) => {
        const bounds = all.map((each, index) => bound(`promise-${index}`, each));
        const [, slowest = ""] =
          /\*\*(\d+) s\*\*(?: at worst to zero| \([^)]*\) until)/.exec(worstCaseWords(bounds)) ?? [];
        const seen = all.flatMap((each) => {
          const speaking = each.filter(([, from]) => from <= rate).map(([seconds]) => seconds);
          return speaking.length === 0 ? [] : [Math.min(...speaking)];
        });
        expect(Number(slowest)).toBeGreaterThanOrEqual(Math.max(0, ...seen));
      }),
    );
  });
});
