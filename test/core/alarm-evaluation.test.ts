import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AlarmSettings,
  type AlarmStateValue,
  alarmStateValues,
  type comparisonOperators,
  evaluateAlarm,
  isBreaching,
  type MissingDataTreatment,
  missingDataTreatments,
  UnusableAlarmSettingsError,
  UnusablePointError,
} from "../../core/alarm-evaluation.ts";

const threshold = 10;

/** The guide's notation: 0 within the threshold, X breaching, - missing; newest on the right. */
function pointsOf(notation: string): (number | null)[] {
  return notation.split(" ").map((mark) => (mark === "-" ? null : mark === "X" ? 11 : 0));
}

function anAlarm(over: Partial<AlarmSettings> = {}): AlarmSettings {
  return {
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    threshold,
    comparison: "GreaterThanThreshold",
    treatMissingData: "missing",
    ...over,
  };
}

type Published = AlarmStateValue | "retain";
type Row = readonly [points: string, missing: Published, ignore: Published, breaching: Published, good: Published];

// Copied by hand from the CloudWatch user guide, 2023-06, AlarmThatSendsEmail.md. Columns: MISSING, IGNORE, BREACHING, NOT BREACHING.
const threeOfThree: readonly Row[] = [
  ["0 - X - X", "OK", "OK", "OK", "OK"],
  ["0 - - - -", "OK", "OK", "OK", "OK"],
  ["- - - - -", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"],
  ["0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["- - X - -", "ALARM", "retain", "ALARM", "OK"],
];
const twoOfThree: readonly Row[] = [
  ["0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["0 - X - -", "OK", "OK", "ALARM", "OK"],
  ["- - - - 0", "OK", "OK", "ALARM", "OK"],
  ["- - - X -", "ALARM", "retain", "ALARM", "OK"],
];
const columns: readonly MissingDataTreatment[] = ["missing", "ignore", "breaching", "notBreaching"];

describe.each([
  { datapointsToAlarm: 3, rows: threeOfThree },
  { datapointsToAlarm: 2, rows: twoOfThree },
])("the guide's table for $datapointsToAlarm of 3", ({ datapointsToAlarm, rows }) => {
  const cases = rows.flatMap(([notation, ...published]) =>
    columns.map((treatMissingData, column) => ({ notation, treatMissingData, published: published[column] })),
  );
  it.each(cases)("gives $published for $notation with $treatMissingData [D1]", (row) => {
    const settings = anAlarm({ datapointsToAlarm, treatMissingData: row.treatMissingData });
    for (const current of alarmStateValues) {
      const expected = row.published === "retain" ? current : row.published;
      expect(evaluateAlarm(settings, pointsOf(row.notation), current)).toBe(expected);
    }
  });
});

describe("around the tables", () => {
  it.each(["- - - - X", "- - - X -"])("leaves the state at %s for 3 of 3: no premature ALARM [D1]", (notation) => {
    for (const current of alarmStateValues) {
      expect(evaluateAlarm(anAlarm(), pointsOf(notation), current)).toBe(current);
    }
  });

  it.each(["- - - X 0", "- - X - 0"])("is OK at %s for 3 of 3: the next point was good [D1]", (notation) => {
    expect(evaluateAlarm(anAlarm(), pointsOf(notation), "INSUFFICIENT_DATA")).toBe("OK");
  });

  it("looks at the last five of more points only [D1]", () => {
    const settings = anAlarm({ treatMissingData: "missing" });
    expect(evaluateAlarm(settings, pointsOf("X X X - - - - -"), "OK")).toBe("INSUFFICIENT_DATA");
  });

  it("reads points that are not there as missing ones on the old side [D1]", () => {
    const settings = anAlarm({ datapointsToAlarm: 2, treatMissingData: "breaching" });
    expect(evaluateAlarm(settings, [0], "OK")).toBe("ALARM");
    expect(evaluateAlarm(settings, [], "OK")).toBe("ALARM");
    expect(evaluateAlarm(anAlarm(), [], "OK")).toBe("INSUFFICIENT_DATA");
  });

  it("sees a breach of a late metric through points from farther back [B9]", () => {
    expect(
      evaluateAlarm(anAlarm({ datapointsToAlarm: 2, treatMissingData: "notBreaching" }), pointsOf("0 X X - -"), "OK"),
    ).toBe("ALARM");
  });

  it.each([
    ["GreaterThanThreshold", false, true],
    ["GreaterThanOrEqualToThreshold", true, true],
    ["LessThanThreshold", false, false],
    ["LessThanOrEqualToThreshold", true, false],
  ] as const)("compares with %s at and above the threshold [D1]", (comparison, atThreshold, above) => {
    expect(isBreaching(comparison, 10, 10)).toBe(atThreshold);
    expect(isBreaching(comparison, 10, 11)).toBe(above);
    expect(isBreaching(comparison, 10, 9)).toBe(comparison.startsWith("Less"));
  });
});

describe("what is no alarm", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a point of %s by name",
    (value) => {
      const evaluate = () => evaluateAlarm(anAlarm(), [0, 0, 0, value, 0, 0, 0], "OK");
      expect(evaluate).toThrow(UnusablePointError);
      expect(evaluate).toThrow(
        `points[3]: not a finite number, got ${value}; expected a finite number, or null for a missing point`,
      );
    },
  );

  it("refuses settings that no alarm can have by name", () => {
    const refused = (over: Partial<AlarmSettings>): string => {
      try {
        return evaluateAlarm(anAlarm(over), [], "OK");
      } catch (error) {
        expect(error).toBeInstanceOf(UnusableAlarmSettingsError);
        return error instanceof Error ? error.message : "";
      }
    };
    expect([
      refused({ evaluationPeriods: 0 }),
      refused({ datapointsToAlarm: 4 }),
      refused({ datapointsToAlarm: 1.5 }),
      refused({ threshold: Number.NaN }),
      refused({ treatMissingData: "maybe" as MissingDataTreatment }),
    ]).toEqual([
      "evaluationPeriods: not a count, got 0; expected a whole number from 1",
      "datapointsToAlarm: out of range, got 4; expected a whole number from 1 to 3",
      "datapointsToAlarm: out of range, got 1.5; expected a whole number from 1 to 3",
      "threshold: not a finite number, got NaN; expected a finite number",
      "treatMissingData: unknown treatment, got maybe; expected one of missing, ignore, breaching, notBreaching",
    ]);
    expect(() => isBreaching("Above" as (typeof comparisonOperators)[number], 1, 2)).toThrow(
      "comparison: not a comparison operator, got Above; expected one of GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold, LessThanOrEqualToThreshold",
    );
  });
});

describe("whatever the points", () => {
  const alarms = fc
    .record({
      evaluationPeriods: fc.integer({ min: 1, max: 6 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      current: fc.constantFrom(...alarmStateValues),
      treatMissingData: fc.constantFrom(...missingDataTreatments),
      points: fc.array(fc.constantFrom(0, 11, null), { maxLength: 10 }),
    })
    .map(({ part, evaluationPeriods, ...rest }) => ({
      ...rest,
      settings: anAlarm({
        evaluationPeriods,
        datapointsToAlarm: 1 + Math.floor(part * (evaluationPeriods - 1)),
        treatMissingData: rest.treatMissingData,
      }),
    }));

  it("never turns ALARM into OK for one more bad point under notBreaching [D1]", () => {
    fc.assert(
      fc.property(alarms, fc.nat(), ({ settings, points, current }, place) => {
        const quiet = { ...settings, treatMissingData: "notBreaching" } as const;
        if (evaluateAlarm(quiet, points, current) !== "ALARM") return;
        const worse = points.map((point, index) => (index === place % points.length ? 11 : point));
        expect(evaluateAlarm(quiet, worse, current)).toBe("ALARM");
      }),
    );
  });

  it("answers the same under every treatment once enough points are there [D1]", () => {
    fc.assert(
      fc.property(alarms, ({ settings, points, current }) => {
        const range = points.slice(-(settings.evaluationPeriods + 2));
        if (range.filter((point) => point !== null).length < settings.evaluationPeriods) return;
        const states = missingDataTreatments.map((treatMissingData) =>
          evaluateAlarm({ ...settings, treatMissingData }, points, current),
        );
        expect(new Set(states).size).toBe(1);
        expect(states[0]).not.toBe("INSUFFICIENT_DATA");
      }),
    );
  });

  it("is never worse under notBreaching than under breaching, and blind only with no point at all [D1]", () => {
    fc.assert(
      fc.property(alarms, ({ settings, points, current }) => {
        const under = (treatMissingData: MissingDataTreatment) =>
          evaluateAlarm({ ...settings, treatMissingData }, points, current);
        if (under("notBreaching") === "ALARM") expect(under("breaching")).toBe("ALARM");
        const range = points.slice(-(settings.evaluationPeriods + 2));
        if (current !== "INSUFFICIENT_DATA" && range.some((point) => point !== null)) {
          expect(under("missing")).not.toBe("INSUFFICIENT_DATA");
        }
      }),
    );
  });

  it("ignores everything older than the range [D1]", () => {
    fc.assert(
      fc.property(alarms, fc.array(fc.constantFrom(0, 11, null)), ({ settings, points, current }, older) => {
        const range = points.slice(-(settings.evaluationPeriods + 2));
        if (range.length < settings.evaluationPeriods + 2) return;
        expect(evaluateAlarm(settings, [...older, ...range], current)).toBe(evaluateAlarm(settings, range, current));
      }),
    );
  });
});
