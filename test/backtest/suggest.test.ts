/** Bounds that a recording suggests: the level is what decides an alarm, and the sweep finds what trying every bound would find (E4). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateAlarm } from "../../core/alarm-evaluation.ts";
import { fittedBound, type Levels, levelOf, roundedAway } from "../../core/backtest/suggest.ts";

const hourMs = 3_600_000;
const period = { from: 0, to: 15 * 24 * hourMs };

function levels(values: readonly number[]): Levels {
  return { from: 0, stepMs: hourMs, values: Float64Array.from(values) };
}

/** Fifteen days by the hour, quiet save for what is put in by its hour. */
function quiet(changes: Readonly<Record<number, number>> = {}): Levels {
  return levels(Array.from({ length: 15 * 24 }, (_, hour) => changes[hour] ?? (hour % 2) + 1));
}

const options = { period, windows: [], slackMs: 0, falseAlarmsAWeek: 0, isAbove: true };

describe("the level of an alarm", () => {
  it("is above the bound exactly where CloudWatch says ALARM [E4, D1]", () => {
    const points = fc.array(fc.option(fc.integer({ min: 0, max: 6 }), { nil: null }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        points,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 6 }),
        fc.boolean(),
        (given, some, more, threshold, isAbove) => {
          const settings = { evaluationPeriods: Math.max(some, more), datapointsToAlarm: Math.min(some, more) };
          const range = given.slice(-(settings.evaluationPeriods + 2));
          const state = evaluateAlarm(
            {
              ...settings,
              threshold,
              comparison: isAbove ? "GreaterThanThreshold" : "LessThanThreshold",
              treatMissingData: "notBreaching",
            },
            range,
            "OK",
          );
          const level = levelOf(range, settings, isAbove);
          expect(level > (isAbove ? threshold : -threshold)).toBe(state === "ALARM");
        },
      ),
    );
  });
});

describe("a suggested bound", () => {
  it("is the highest level of the first two thirds where no false alarm is allowed [E4]", () => {
    expect(fittedBound(quiet({ 50: 9, 100: 7, 300: 20 }), options)).toEqual({
      threshold: 9,
      quantiles: { p50: 2, p99: 2, p999: 9, worst: 9 },
      isFloor: false,
    });
  });

  it("is lower where some are, and where the highest is in a labelled window [E4]", () => {
    expect(fittedBound(quiet({ 50: 9, 100: 7 }), { ...options, falseAlarmsAWeek: 0.7 })).toMatchObject({
      threshold: 7,
    });
    const windows = [{ from: 49 * hourMs, to: 51 * hourMs }];
    expect(fittedBound(quiet({ 50: 9, 100: 7 }), { ...options, windows })).toMatchObject({ threshold: 7 });
  });

  it("is no bound under which the alarm would ring once and never stop [E4]", () => {
    expect(fittedBound(quiet(), { ...options, falseAlarmsAWeek: 2 })).toMatchObject({ threshold: 2 });
  });

  it("is never lower than what the alarm's floors let it see [E4, B9]", () => {
    expect(
      fittedBound(levels(Array.from({ length: 360 }, () => 0)), { ...options, leastThreshold: 0.5 }),
    ).toMatchObject({
      threshold: 0.5,
      isFloor: true,
    });
  });

  it("finds what trying every bound finds [E4]", () => {
    const values = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 5 }), (given, allowed) => {
        fc.pre(new Set(given.slice(0, 20)).size > 1);
        const stepMs = 12 * hourMs;
        const found = fittedBound(
          { from: 0, stepMs, values: Float64Array.from(given) },
          {
            ...options,
            falseAlarmsAWeek: (allowed * 7) / 10.5,
          },
        );
        const seen = given.slice(0, 21);
        const rises = (bound: number) =>
          seen.filter((value, index) => value > bound && !(index > 0 && (seen[index - 1] ?? 0) > bound)).length;
        let expected = 8;
        while (expected > Math.min(...seen) && rises(expected - 1) <= allowed) expected -= 1;
        expect(found).toMatchObject({ threshold: expected });
      }),
    );
  });

  it("is not made of too little: too short, hardly measured, never moving [E4]", () => {
    const short = { from: 0, to: 5 * 24 * hourMs };
    expect(fittedBound(quiet(), { ...options, period: short })).toBe(
      "too short, got 5 days; expected at least 10.5, so that each hour of each weekday is in the two thirds that it is fitted to",
    );
    const gone = levels(Array.from({ length: 360 }, (_, hour) => (hour % 10 === 0 ? 1 : Number.NEGATIVE_INFINITY)));
    expect(fittedBound(gone, options)).toBe(
      "too little measured: it had something to look at in 10 % of the time; expected at least 50 %",
    );
    expect(fittedBound(levels(Array.from({ length: 360 }, () => 4)), options)).toBe(
      "it never varies, got 4 all the time; expected a series that does",
    );
  });

  it("is rounded to the side on which it is quiet [E4]", () => {
    expect([
      roundedAway(51.972, true),
      roundedAway(51.972, false),
      roundedAway(0.00123456, true),
      roundedAway(52, true),
    ]).toEqual([52, 51.9, 0.00124, 52]);
  });
});
