import { describe, expect, it } from "vitest";
import { rehearseAlarmFile } from "../../cli/alarm-file.ts";
import { BadInputError } from "../../core/bad-input.ts";

function anAlarmText(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    period: 60,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    threshold: 5,
    comparison: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
    points: [0, null, 9, null, 9],
    state: "OK",
    ...over,
  });
}

function problemsOf(text: string): string {
  try {
    rehearseAlarmFile(text, { place: "alarm.json", replay: false });
  } catch (error) {
    expect(error).toBeInstanceOf(BadInputError);
    return error instanceof BadInputError ? error.message : "";
  }
  throw new Error("the file was taken");
}

describe("rehearse --alarm", () => {
  it("prints the state after one evaluation as its last word [E4]", () => {
    expect(rehearseAlarmFile(anAlarmText(), { place: "alarm.json", replay: false })).toEqual({
      exitCode: 0,
      lines: ["2 of 3, GreaterThanThreshold 5, missing data: notBreaching", "0 - X - X  was OK, is ALARM"],
    });
  });

  it("starts from INSUFFICIENT_DATA where the file names no state, with old points missing [E4]", () => {
    const text = anAlarmText({ state: undefined, points: [], treatMissingData: "ignore" });
    expect(rehearseAlarmFile(text, { place: "alarm.json", replay: false }).lines.at(-1)).toBe(
      "- - - - -  was INSUFFICIENT_DATA, is INSUFFICIENT_DATA",
    );
  });

  it("feeds the points one by one with --replay, each from the state before [E4]", () => {
    const text = anAlarmText({ points: [0, 9, 9, null, null, null, null], treatMissingData: "ignore" });
    expect(rehearseAlarmFile(text, { place: "alarm.json", replay: true }).lines).toEqual([
      "2 of 3, GreaterThanThreshold 5, missing data: ignore, from OK",
      "- - - - 0  point 1 (0) OK",
      "- - - 0 X  point 2 (9) OK",
      "- - 0 X X  point 3 (9) ALARM",
      "- 0 X X -  point 4 (missing) ALARM",
      "0 X X - -  point 5 (missing) ALARM",
      "X X - - -  point 6 (missing) ALARM",
      "X - - - -  point 7 (missing) ALARM",
    ]);
  });

  it("still ends in the state with --replay and no points [E4]", () => {
    const { lines } = rehearseAlarmFile(anAlarmText({ points: [] }), { place: "alarm.json", replay: true });
    expect(lines.at(-1)?.split(" ").at(-1)).toBe("OK");
  });
});

describe("a file that cannot be used", () => {
  it("lists every problem with its path at once [E4]", () => {
    expect(
      problemsOf(
        JSON.stringify({
          period: 45,
          evaluationPeriods: 2,
          datapointsToAlarm: 3,
          threshold: "5",
          comparison: "GreaterThan",
          treatMissingData: "ignored",
          points: [1, "2", null],
          state: "BAD",
          perod: 1,
        }),
      ),
    ).toBe(
      [
        "alarm.json cannot be used (8 problems):",
        "  perod: unknown key; expected period, evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData, points or state. Did you mean period?",
        "  period: not a period CloudWatch knows, got 45; expected 10, 20, 30 or a multiple of 60 seconds",
        '  threshold: not a number, got "5"; expected a finite number',
        '  comparison: unknown comparison, got "GreaterThan"; expected GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold or LessThanOrEqualToThreshold',
        '  treatMissingData: unknown treatment of missing data, got "ignored"; expected missing, ignore, breaching or notBreaching. Did you mean ignore?',
        '  points[1]: not a point, got "2"; expected a finite number, or null where missing',
        '  state: unknown state, got "BAD"; expected OK, ALARM or INSUFFICIENT_DATA',
        "  datapointsToAlarm: more points than are evaluated, got 3; expected 1 to 2. Raise evaluationPeriods, or ask for fewer",
      ].join("\n"),
    );
  });

  it("names every missing field [E4]", () => {
    expect(problemsOf("{}")).toBe(
      [
        "alarm.json cannot be used (7 problems):",
        "  period: missing; expected 10, 20, 30 or a multiple of 60 seconds",
        "  evaluationPeriods: missing; expected 1 to 8640",
        "  datapointsToAlarm: missing; expected 1 to 8640",
        "  threshold: missing; expected a finite number",
        "  comparison: missing; expected GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold or LessThanOrEqualToThreshold",
        "  treatMissingData: missing; expected missing, ignore, breaching or notBreaching",
        "  points: missing; expected a list",
      ].join("\n"),
    );
  });

  it("names malformed JSON and what is no object [E4]", () => {
    expect(problemsOf('{"period": 60,')).toBe(
      [
        "alarm.json cannot be read (1 problem):",
        "  alarm.json: malformed JSON, Expected double-quoted property name in JSON at position 14; expected one JSON object with period, evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData, points, state",
      ].join("\n"),
    );
    expect(problemsOf("[1]")).toBe(
      [
        "alarm.json cannot be used (1 problem):",
        "  alarm.json: not an alarm, got a list; expected one JSON object with period, evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData, points, state",
      ].join("\n"),
    );
  });

  it("caps the window at one day, at seven from a period of one hour [D1]", () => {
    expect(problemsOf(anAlarmText({ period: 60, evaluationPeriods: 1_441 }))).toBe(
      [
        "alarm.json cannot be used (1 problem):",
        "  evaluationPeriods: the window of 60 s × 1441 is 86460 s, got 1441; expected at most 1440 periods (86400 s). A period of 3600 s or more may look back seven days",
      ].join("\n"),
    );
    expect(problemsOf(anAlarmText({ period: 3_600, evaluationPeriods: 169 }))).toBe(
      [
        "alarm.json cannot be used (1 problem):",
        "  evaluationPeriods: the window of 3600 s × 169 is 608400 s, got 169; expected at most 168 periods (604800 s). Evaluate fewer periods",
      ].join("\n"),
    );
    for (const [period, evaluationPeriods] of [
      [60, 1_440],
      [3_600, 168],
    ]) {
      rehearseAlarmFile(anAlarmText({ period, evaluationPeriods }), { place: "alarm.json", replay: false });
    }
  });

  it.each([0, -60, 15, 90, 60.5])("refuses a period of %d s [D1]", (period) => {
    expect(problemsOf(anAlarmText({ period }))).toContain(
      `period: not a period CloudWatch knows, got ${period}; expected 10, 20, 30 or a multiple of 60 seconds`,
    );
  });
});
