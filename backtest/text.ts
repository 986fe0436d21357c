/** A backtest as text for a terminal, and as one JSON object for programs. */
import type { Judged } from "../core/backtest/firings.ts";
import { instantText } from "../core/instant-text.ts";
import type { AlarmResult, Backtest } from "./backtest.ts";
import {
  durationText,
  falseText,
  figure,
  outcomeText,
  ruleText,
  seenText,
  suggestionTexts,
  timeText,
} from "./words.ts";

/** Firings shown one by one; the JSON has all. */
const mostFirings = 10;

export function textBacktest(report: Backtest): string {
  const { source, from, to, series, windows, alarms, notReplayed, notes } = report;
  return [
    `Backtest of ${alarms.length} alarm${alarms.length === 1 ? "" : "s"}, source ${source}, ${timeText(from)} to ${timeText(to)} (${figure((to - from) / 86_400_000)} days)`,
    "",
    "Series",
    ...series.flatMap((one) => [
      `  ${one.quantity} (${one.unit}): ${one.from}, ${one.values.length} points of ${one.stepMs / 1_000} s`,
      ...one.notes.map((note) => `    ${note}`),
    ]),
    ...(notes.length === 0 ? [] : ["", "Mind", ...notes.map((note) => `  ${note}`)]),
    ...alarms.flatMap((alarm) => ["", ...alarmLines(alarm, report)]),
    "",
    "All alarms together",
    `  ${falseText(report.together)}`,
    ...windowLines(report.together, report),
    ...(notReplayed.length === 0 ? [] : ["", "Not replayed", ...notReplayed.map(({ key, why }) => `  ${key}: ${why}`)]),
    ...(windows.length === 0 ? [] : ["", "A false alarm is one that begins outside the labelled windows."]),
  ].join("\n");
}

function alarmLines(alarm: AlarmResult, report: Backtest): string[] {
  const { spec, firings } = alarm;
  const shown = firings.slice(0, mostFirings);
  return [
    `${spec.key}: ${ruleText(alarm)} (${spec.response})`,
    `  ${falseText(alarm)}${report.windows.length === 0 ? "" : `, ${seenText(alarm)}`}`,
    ...shown.map((firing) => {
      const lasted = firing.to === undefined ? "to the end" : `for ${durationText((firing.to - firing.from) / 1_000)}`;
      const where =
        report.windows.length === 0 ? "" : firing.window === undefined ? ", false" : `, window ${firing.window + 1}`;
      return `  rang ${timeText(firing.from)} ${lasted}${where}`;
    }),
    ...(firings.length > shown.length ? [`  and ${firings.length - shown.length} times more`] : []),
    ...windowLines(alarm, report),
    ...suggestionTexts(alarm, report).map((line, index) => (index === 0 ? `  ${line}` : `    ${line}`)),
  ];
}

function windowLines(judged: Judged, { windows }: Backtest): string[] {
  return windows.flatMap(({ from, to }, place) => {
    const outcome = judged.windows[place];
    return outcome ? [`  window ${place + 1}, ${timeText(from)} to ${timeText(to)}: ${outcomeText(outcome)}`] : [];
  });
}

/** Plain data: times in ISO 8601, everything else in the units that the names say. */
export function jsonBacktest(report: Backtest): unknown {
  const { alarms, series, windows, together, ...rest } = report;
  return {
    ...rest,
    from: instantText(report.from),
    to: instantText(report.to),
    fittedUntil: instantText(report.fittedUntil),
    series: series.map(({ quantity, unit, from, stepMs, values, isSparse, notes }) => ({
      quantity,
      unit,
      from,
      periodSeconds: stepMs / 1_000,
      points: values.length,
      isSparse,
      notes,
    })),
    windows: windows.map(({ from, to }) => ({ from: instantText(from), to: instantText(to) })),
    alarms: alarms.map(({ spec, bound, suggestion, levels: _, ...judged }) => ({
      key: spec.key,
      objective: spec.objective,
      indicator: spec.indicator,
      severity: spec.severity,
      response: spec.response,
      bound,
      periodSeconds: spec.periodSeconds,
      evaluationPeriods: spec.evaluationPeriods,
      datapointsToAlarm: spec.datapointsToAlarm,
      ...judgedJson(judged),
      suggestion,
    })),
    together: judgedJson(together),
  };
}

function judgedJson({ firings, ...rest }: Judged) {
  return {
    ...rest,
    firings: firings.map(({ from, to, window }) => ({
      from: instantText(from),
      ...(to === undefined ? {} : { to: instantText(to) }),
      ...(window === undefined ? {} : { window }),
    })),
  };
}
