/** Untidy recordings: what is set right is said, what has two readings is not measured, and too much of it is refused (E4). */
import { describe, expect, it } from "vitest";
import { readStated, type Stated } from "../../core/backtest/quantities.ts";
import { measuredOf, type RawSeries } from "../../core/backtest/recorded.ts";

const minute = 60_000;
const start = Date.parse("2026-01-05T00:00:00Z");

function raw(
  points: readonly (readonly [minutes: number, value: number])[],
  changes: Partial<RawSeries> = {},
): RawSeries {
  return {
    file: "a.csv",
    name: "value",
    times: Float64Array.from(points, ([at]) => start + at * minute),
    values: Float64Array.from(points, ([, value]) => value),
    stamped: "start",
    ...changes,
  };
}

const even = (length: number): (readonly [number, number])[] => Array.from({ length }, (_, at) => [at, at] as const);

function stated(text: string): Stated {
  const read = readStated(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}

function clean(series: RawSeries, as = "requests:count", options = {}) {
  const result = measuredOf(series, stated(as), options);
  if ("problem" in result) return result.problem;
  const { ends, values, notes, stepMs, isSparse } = result;
  return { ends: [...ends].map((end) => (end - start) / minute), values: [...values], notes, stepMs, isSparse };
}

const tidy = { stepMs: minute, isSparse: false };

describe("a recorded series", () => {
  it("ends its intervals a step after a time that starts them, and at one that ends them [E4]", () => {
    expect(clean(raw(even(3)))).toEqual({ ...tidy, ends: [1, 2, 3], values: [0, 1, 2], notes: [] });
    expect(clean(raw(even(3), { stamped: "end" }))).toEqual({ ...tidy, ends: [0, 1, 2], values: [0, 1, 2], notes: [] });
  });

  it("is sorted, counted once, and without what was not measured, each said [E4]", () => {
    const points = [
      [1, 5],
      [0, 4],
      [1, 5],
      [2, Number.NaN],
      [3, 7],
    ] as const;
    expect(clean(raw(points), "requests:count", { periodSeconds: 60 })).toEqual({
      ...tidy,
      ends: [1, 2, 4],
      values: [4, 5, 7],
      notes: [
        "1 point without a value (empty, NaN or Inf): not measured",
        "1 point out of order: sorted",
        "1 point written twice: counted once",
        "1 gap, 1 point missing",
      ],
    });
    expect(clean(raw(even(3).toReversed()))).toMatchObject({ ends: [1, 2, 3], notes: [] });
  });

  it("believes neither of two values of one time, and is refused where there are many [E4]", () => {
    const twice = clean(raw([...even(400), [200, 9]]));
    expect(twice).toMatchObject({
      notes: [
        "1 point out of order: sorted",
        "2 points with another value at the same time, the first at 2026-01-05T03:20:00.000Z: not measured",
        "1 gap, 1 point missing",
      ],
    });
    expect(typeof twice === "string" || twice.ends.includes(201)).toBe(false);
    expect(clean(raw([...even(10), [5, 9]]))).toBe(
      "a.csv/value: 2 points with another value at the same time, the first at 2026-01-05T00:05:00.000Z; expected one value a time. Give each source a series of its own",
    );
  });

  it("puts points of a clock that shakes in their places, and follows one that jumps [E4]", () => {
    const shaken = even(9).map(([at]) => [at === 1 ? 1.1 : at === 3 ? 2.9 : at, at] as const);
    expect(clean(raw(shaken))).toMatchObject({
      ends: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      notes: ["2 points off by less than 25 % of the step: put in their place"],
    });
    const jumped = [...even(200), ...even(200).map(([at]) => [at + 200.5, 1] as const)];
    expect(clean(raw(jumped))).toMatchObject({ notes: ["its clock jumped once", "1 gap, 1 point missing"] });
  });

  it("counts a counter by its increases: a start anew is new, a gap is not measured [E4]", () => {
    const points = [
      [0, 100],
      [1, 110],
      [2, 5],
      [3, 8],
      [6, 20],
      [7, 22],
    ] as const;
    expect(clean(raw(points, { stamped: "end" }), "requests:counter")).toEqual({
      ...tidy,
      ends: [1, 2, 3, 7],
      values: [10, 5, 3, 2],
      notes: [
        "1 gap, 2 points missing",
        "its counter started anew once",
        "what was counted across 1 gap: not measured",
      ],
    });
  });

  it("makes one unit of every unit [E4]", () => {
    expect(clean(raw(even(3)), "requests:per-second")).toMatchObject({ values: [0, 60, 120] });
    expect(clean(raw(even(3)), "latency-p95:seconds")).toMatchObject({ values: [0, 1_000, 2_000] });
    expect(clean(raw(even(3)), "cpu:fraction")).toMatchObject({ values: [0, 100, 200] });
  });

  it("has the step of the others where its own points are too sparse to tell one [E4]", () => {
    const sparse = raw([
      [0, 1],
      [7, 1],
      [60, 1],
      [190, 1],
      [200, 1],
    ]);
    expect(clean(sparse)).toBe(
      "a.csv/value: how long one of its points counts cannot be told from their times; expected even ones. State --period",
    );
    expect(clean(sparse, "errors:count", { fallbackSeconds: 60 })).toEqual({
      stepMs: minute,
      isSparse: true,
      ends: [1, 8, 61, 191, 201],
      values: [1, 1, 1, 1, 1],
      notes: [],
    });
  });

  it("is refused by name where nothing sensible can be made of it [E4]", () => {
    expect(clean(raw([[0, 1]]))).toBe("a.csv/value: too few points, got 1; expected at least 2 with a value");
    expect(
      clean(
        raw([
          [0, 1],
          [1, -2],
          [2, 1],
        ]),
      ),
    ).toBe("a.csv/value: a value below 0, got -2 at 2026-01-05T00:01:00.000Z; expected numbers from 0");
    expect(clean(raw([[-29_500_000, 1], ...even(5)]))).toMatch(
      /^a\.csv\/value: its times are too far apart, got .*; expected at most 800 days\. Look for a broken clock$/,
    );
    expect(clean(raw(even(3), { unreadable: { count: 1, first: 'in row 3: "n/a"' } }))).toBe(
      'a.csv/value: values that are no number, got 1, the first in row 3: "n/a"; expected numbers, or NaN where not measured',
    );
  });
});

describe("what a series is", () => {
  it("is stated with its unit, or refused with the way out [E4]", () => {
    expect(readStated("latency-p95:seconds")).toEqual({
      quantity: "latency-p95",
      unit: "seconds",
      accounting: "level",
      factor: 1_000,
    });
    expect(readStated("memory:bytes")).toMatchObject({ quantity: "memory-megabytes", factor: 0.000_001 });
    expect(readStated("requests")).toBe(
      'no unit, got "requests"; expected requests:count or requests:per-second or requests:counter',
    );
    expect(readStated("latency-p99:minutes")).toBe(
      'unknown unit, got "minutes"; expected latency-p99:milliseconds or latency-p99:seconds',
    );
    expect(readStated("latency:seconds")).toBe(
      'which percentile, got "latency:seconds"; expected latency-p50, latency-p95, latency-p99',
    );
    expect(readStated("error-rate:percent")).toBe(
      'a share has floors of requests and errors, which it does not tell, got "error-rate:percent"; expected requests and errors, each as a series of its own',
    );
    expect(readStated("speed:count")).toMatch(/^unknown quantity, got "speed"; expected one of requests, errors, /);
  });
});
