/**
 * `tidegate rehearse --alarm FILE`: what CloudWatch would say of one alarm and a row of points (D1, E4).
 * Pure: takes the file's text, gives lines. The last word of the last line is the state.
 */
import { z } from "zod";
import {
  type AlarmSettings,
  type AlarmStateValue,
  alarmStateValues,
  comparisonOperators,
  evaluateAlarm,
  isBreaching,
  missingDataTreatments,
} from "../core/alarm-evaluation.ts";
import { evaluationRange } from "../core/alarms.ts";
import { BadInputError } from "../core/bad-input.ts";
import { messageOf } from "../core/error-message.ts";
import { checkFields, leaf, Problems, wholeNumber, word } from "../stacks/config/problems.ts";

/** An alarm with its newest points, as the file has them. */
export interface AlarmFile extends AlarmSettings {
  /** Unit: seconds. */
  readonly period: number;
  /** Oldest first; `null`: the metric has no point there. */
  readonly points: readonly (number | null)[];
  /** The state before the first evaluation. @default INSUFFICIENT_DATA, as a new alarm has it */
  readonly state: AlarmStateValue;
}

/**
 * How far back one alarm may look. Unit: seconds.
 * Source: botocore cloudwatch service-2.json, PutMetricAlarm.Period, 2026-08: seven days, one day where the period is under an hour.
 */
const windowCapSeconds = { periodUnderAnHour: 86_400, periodFromAnHour: 604_800 } as const;

const shape = {
  period: leaf(
    z
      .number()
      .int()
      .refine((value) => value === 10 || value === 20 || value === 30 || (value > 0 && value % 60 === 0)),
    { wrong: "not a period CloudWatch knows", expected: "10, 20, 30 or a multiple of 60 seconds" },
  ),
  evaluationPeriods: wholeNumber(1, windowCapSeconds.periodUnderAnHour / 10, "points"),
  datapointsToAlarm: wholeNumber(1, windowCapSeconds.periodUnderAnHour / 10, "points"),
  threshold: leaf(z.number(), { wrong: "not a number", expected: "a finite number" }),
  comparison: word(comparisonOperators, "unknown comparison"),
  treatMissingData: word(missingDataTreatments, "unknown treatment of missing data"),
  points: z.array(
    leaf(z.number().nullable(), { wrong: "not a point", expected: "a finite number, or null where missing" }),
  ),
  state: word(alarmStateValues, "unknown state").optional(),
};

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = messageOf(error);
    throw new BadInputError(`${place} cannot be read (1 problem):`, [
      `${place}: malformed JSON, ${detail}; expected one JSON object with ${Object.keys(shape).join(", ")}`,
    ]);
  }
}

/**
 * Reads and checks the file's text; `place` names the file in messages.
 *
 * @throws BadInputError with every problem, each with its path
 */
export function parseAlarmFile(text: string, place: string): AlarmFile {
  const problems = new Problems();
  const raw = parseJson(text, place);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    const got = raw === null ? "null" : Array.isArray(raw) ? "a list" : `a ${typeof raw}`;
    throw new BadInputError(`${place} cannot be used (1 problem):`, [
      `${place}: not an alarm, got ${got}; expected one JSON object with ${Object.keys(shape).join(", ")}`,
    ]);
  }
  const fields = checkFields(shape, raw, [], problems);
  const { period, evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData, points } = fields;

  if (evaluationPeriods !== undefined && datapointsToAlarm !== undefined && datapointsToAlarm > evaluationPeriods) {
    problems.add(
      ["datapointsToAlarm"],
      {
        wrong: "more points than are evaluated",
        expected: `1 to ${evaluationPeriods}`,
        wayOut: "Raise evaluationPeriods, or ask for fewer",
      },
      datapointsToAlarm,
    );
  }
  if (period !== undefined && evaluationPeriods !== undefined) {
    const capSeconds = period < 3_600 ? windowCapSeconds.periodUnderAnHour : windowCapSeconds.periodFromAnHour;
    if (period * evaluationPeriods > capSeconds) {
      problems.add(
        ["evaluationPeriods"],
        {
          wrong: `the window of ${period} s × ${evaluationPeriods} is ${period * evaluationPeriods} s`,
          expected: `at most ${Math.floor(capSeconds / period)} periods (${capSeconds} s)`,
          wayOut: period < 3_600 ? "A period of 3600 s or more may look back seven days" : "Evaluate fewer periods",
        },
        evaluationPeriods,
      );
    }
  }
  problems.throwIfAny((count) => `${place} cannot be used (${count}):`);
  if (
    period === undefined ||
    evaluationPeriods === undefined ||
    datapointsToAlarm === undefined ||
    threshold === undefined ||
    comparison === undefined ||
    treatMissingData === undefined ||
    points === undefined
  ) {
    throw new Error(`${place}: a field is absent after checking`);
  }
  const state = fields.state ?? "INSUFFICIENT_DATA";
  return { period, evaluationPeriods, datapointsToAlarm, threshold, comparison, treatMissingData, points, state };
}

/** The guide's own notation: 0 within the threshold, X breaching, - missing; as many as the range has places. */
function drawRange(alarm: AlarmFile, points: readonly (number | null)[]): string {
  const range = evaluationRange(alarm.evaluationPeriods);
  const drawn = points
    .slice(-range)
    .map((point) => (point === null ? "-" : isBreaching(alarm.comparison, alarm.threshold, point) ? "X" : "0"));
  return [...Array.from({ length: range - drawn.length }, () => "-"), ...drawn].join(" ");
}

/** What to print and how to exit. */
export interface AlarmRehearsal {
  readonly lines: readonly string[];
  readonly exitCode: 0;
}

/** Evaluates once over the last points; points that the file does not have count as missing on the old side. */
export function evaluateAlarmFile(alarm: AlarmFile): AlarmRehearsal {
  const { datapointsToAlarm, evaluationPeriods } = alarm;
  const state = evaluateAlarm(alarm, alarm.points, alarm.state);
  return {
    lines: [
      `${datapointsToAlarm} of ${evaluationPeriods}, ${alarm.comparison} ${alarm.threshold}, missing data: ${alarm.treatMissingData}`,
      `${drawRange(alarm, alarm.points)}  was ${alarm.state}, is ${state}`,
    ],
    exitCode: 0,
  };
}

/** Feeds the points one by one, each evaluation starting from the state the last one left. */
export function replayAlarmFile(alarm: AlarmFile): AlarmRehearsal {
  const { datapointsToAlarm, evaluationPeriods } = alarm;
  let state = alarm.state;
  const steps = alarm.points.map((point, index) => {
    const seen = alarm.points.slice(0, index + 1);
    state = evaluateAlarm(alarm, seen, state);
    return `${drawRange(alarm, seen)}  point ${index + 1} (${point ?? "missing"}) ${state}`;
  });
  return {
    lines: [
      `${datapointsToAlarm} of ${evaluationPeriods}, ${alarm.comparison} ${alarm.threshold}, missing data: ${alarm.treatMissingData}, from ${alarm.state}`,
      ...steps,
    ],
    exitCode: 0,
  };
}

/** The whole command: text in, lines out. @throws BadInputError */
export function rehearseAlarmFile(text: string, options: { place: string; replay: boolean }): AlarmRehearsal {
  const alarm = parseAlarmFile(text, options.place);
  return options.replay ? replayAlarmFile(alarm) : evaluateAlarmFile(alarm);
}
