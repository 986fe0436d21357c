import { describe, expect, it } from "vitest";
import { compileExpression } from "../../../rehearsal/cloudwatch/metric-math.ts";

type Points = readonly (number | null)[];

/** Evaluates an expression over series given by id; null is a missing point. */
function evaluate(expression: string, metrics: Readonly<Record<string, Points>>): (number | null)[] {
  const ids = Object.keys(metrics);
  const { evaluate: at } = compileExpression(expression, new Map(ids.map((id, place) => [id, place])), "e1");
  const length = Math.max(...Object.values(metrics).map((points) => points.length));
  return Array.from({ length }, (_, index) => {
    const value = at(Float64Array.from(ids, (id) => metrics[id]?.[index] ?? Number.NaN));
    return Number.isNaN(value) ? null : value;
  });
}

function refusal(expression: string): string {
  try {
    compileExpression(expression, new Map([["m1", 0]]), "alarm a: expression e1");
  } catch (error) {
    return error instanceof Error ? `${error.name} ${error.message}` : "";
  }
  return "taken";
}

describe("metric math, by the guide's tables", () => {
  const metric1 = [30, 20, 0, 0];
  const metric2 = [20, null, 20, null];
  it.each([
    ["metric1 < metric2", [0, 0, 1, 0]],
    ["metric1 >= 30", [1, 0, 0, 0]],
    ["metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]],
  ])("compares %s [D1]", (expression, expected) => {
    expect(evaluate(expression, { metric1, metric2 })).toEqual(expected);
  });

  const condition = { metric1: [1, 1, 0, 0, null], metric2: [30, null, 0, 0, 30], metric3: [0, 0, 20, null, 20] };
  it.each([
    ["IF(metric1, metric2, metric3)", [30, 0, 20, null, null]],
    ["IF(metric1, 5, metric3)", [5, 5, 20, null, null]],
    ["IF(metric1, metric2, 5)", [30, 0, 5, 5, null]],
    ["IF(metric1, metric2)", [30, 0, null, null, null]],
    ["IF(1, metric2, metric3)", [30, null, 0, 0, 30]],
    ["IF(0, metric2, metric3)", [0, 0, 20, null, 20]],
    ["IF(0, metric2)", [null, null, null, null, null]],
  ])("decides %s [D1]", (expression, expected) => {
    expect(evaluate(expression, condition)).toEqual(expected);
  });
});

describe("metric math over several points and series", () => {
  const series = { m1: [6, null, 9, 4], m2: [2, 3, null, 10] };
  it.each([
    ["DIFF(m1)", [null, null, 3, -5]],
    ["100 * DIFF(m1) / (m1 - DIFF(m1))", [0, null, 50, (100 * -5) / 9]],
    ["IF(m1 == 6, 0, DIFF(m1))", [0, null, 3, -5]],
    ["DIFF_TIME(m1)", [null, null, 120, 60]],
    ["IF(DIFF_TIME(m1) == 60, DIFF(m1), 0)", [null, null, 0, -5]],
    ["MAX([m1, m2])", [6, 3, 9, 10]],
    ["MIN([m1, m2])", [2, 3, 9, 4]],
    ["MAX([m1, IF(m2 > 2, m2, 0)])", [6, 3, 9, 10]],
  ])("computes %s [D1]", (expression, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });

  it("forgets the preceding value where an alarm reads its range anew [D1]", () => {
    const { evaluate: at, restart } = compileExpression("DIFF(m1)", new Map([["m1", 0]]), "e1");
    expect(at(Float64Array.of(1))).toBeNaN();
    expect(at(Float64Array.of(3))).toBe(2);
    restart?.();
    expect(at(Float64Array.of(9))).toBeNaN();
  });

  it("has nothing to forget without a DIFF, so that points are computed once [D1]", () => {
    expect(compileExpression("m1 + 1", new Map([["m1", 0]]), "e1").restart).toBeUndefined();
  });

  const modelled = "expected + - * / comparisons AND OR IF FILL DIFF DIFF_TIME LOG10 MAX MIN";
  it.each([
    [
      "MAX(m1)",
      `NotModelledError the local CloudWatch does not model this:\n  alarm a: expression e1: MAX of one series, which is a number; ${modelled}`,
    ],
    [
      "MAX([m1, 5])",
      `NotModelledError the local CloudWatch does not model this:\n  alarm a: expression e1: MAX of an array with a number; ${modelled}`,
    ],
    [
      "MIN([])",
      `NotModelledError the local CloudWatch does not model this:\n  alarm a: expression e1: MIN of an empty array; ${modelled}`,
    ],
    [
      "DIFF(5)",
      `NotModelledError the local CloudWatch does not model this:\n  alarm a: expression e1: DIFF of a number; ${modelled}`,
    ],
    [
      "DIFF(m1, 2)",
      "InvalidRequestError CloudWatch would refuse this:\n  alarm a: expression e1: wrong number of arguments for DIFF, got 2; expected 1",
    ],
  ])("refuses %s by name [E3]", (expression, message) => {
    expect(refusal(expression)).toBe(message);
  });
});

describe("metric math", () => {
  const series = { m1: [6, null, null, 4], m2: [2, 3, null, 0] };
  it.each([
    ["m1 + m2", [8, 3, null, 4]],
    ["m1 - m2", [4, -3, null, 4]],
    ["m1 * m2", [12, 0, null, 0]],
    ["m1 / m2", [3, 0, null, null]],
    ["m2 / m1", [2 / 6, null, null, 0]],
    ["100 * m1", [600, null, null, 400]],
    ["-m1", [-6, null, null, -4]],
    ["10 - -m2", [12, 13, null, 10]],
    ["(m1 + m2) * 2", [16, 6, null, 8]],
    ["m1 + 0 * m2", [6, 0, null, 4]],
    ["FILL(m1, 9)", [6, 9, 9, 4]],
    ["FILL(m1, m2)", [6, 3, null, 4]],
    ["m1 > 5 OR m2 > 2 AND m1 == 6", [1, 0, null, 0]],
    ["m1 != m2", [1, 1, null, 1]],
    ["IF(m1 <= 5, m1)", [null, null, null, 4]],
    ["m1 * (1 / 0)", [null, null, null, null]],
  ])("evaluates %s, missing as 0, nothing from nothing, no division by zero [D1]", (expression, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });

  it("gives a rate above the floors, 0 below, nothing without requests [B9]", () => {
    const rate = "IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)";
    const requests = [200, 200, 50, null];
    expect(evaluate(rate, { requests, errors: [20, 9, 40, null] })).toEqual([10, 0, 0, null]);
  });
});

describe("what metric math is not modelled", () => {
  it.each([
    ["m1 && m1", "the operator &&", ". Write AND"],
    ["m1 || m1", "the operator ||", ". Write OR"],
    ["m1 ^ 2", "the operator ^", ""],
    ["!m1", "the operator !", ""],
    ["RATE(m1)", "the function RATE", ""],
    ["constructor(m1)", "the function constructor", ""],
    ["FILL(m1, REPEAT)", "FILL with REPEAT", ""],
    ['METRICS("m")', "the function METRICS", ""],
    ["m1 + true", "the literal true", ""],
    ["m1 ? 1 : 2", "a ConditionalExpression", ""],
    ["m1.length", "a MemberExpression", ""],
    ["[m1]", "a ArrayExpression", ""],
  ])("refuses %s by name [E3]", (expression, what, hint) => {
    expect(refusal(expression)).toBe(
      `NotModelledError the local CloudWatch does not model this:\n  alarm a: expression e1: ${what}; expected + - * / comparisons AND OR IF FILL DIFF DIFF_TIME LOG10 MAX MIN${hint}`,
    );
  });

  it.each([
    ["m1 + m2", "reads an id that no query has, got m2; expected one of m1"],
    ["1 + 2", "is a number, got 1 + 2; expected a time series"],
    ["m1 +", "cannot be parsed (Expected expression after + at character 4), got m1 +"],
    ["IF(m1)", "wrong number of arguments for IF, got 1; expected 2 or 3"],
    ["FILL(m1)", "wrong number of arguments for FILL, got 1; expected 2"],
  ])("refuses %s as CloudWatch would [E3]", (expression, what) => {
    expect(refusal(expression)).toBe(
      `InvalidRequestError CloudWatch would refuse this:\n  alarm a: expression e1: ${what}`,
    );
  });
});
