/** A backtest in words, shared by text and page: bounds with their units, rates, delays, what became of each window. */
import type { Judged, WindowOutcome } from "../core/backtest/firings.ts";
import { indicators } from "../core/objectives.ts";
import type { Instant } from "../core/record.ts";
import type { AlarmResult, Backtest, Counted, Suggestion } from "./backtest.ts";

const unitWords: Readonly<Record<string, string>> = {
  percent: " %",
  milliseconds: " ms",
  megabytes: " MB",
  seconds: " s",
  count: "",
};

/** At most three digits behind the point's worth: figures for people. */
export function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}

/** `5 %`, `3000 ms`. */
export function boundText({ spec }: Pick<AlarmResult, "spec">, bound: number): string {
  const { unit } = indicators[spec.indicator];
  return `${Number(bound.toPrecision(6))}${unitWords[unit] ?? ` ${unit}`}`;
}

/** `error-rate/critical/60s: above 5 % in 2 of 3 windows of 60 s`. */
export function ruleText(alarm: Pick<AlarmResult, "spec" | "bound">): string {
  const { spec } = alarm;
  const side = indicators[spec.indicator].badSide;
  return `${side} ${boundText(alarm, alarm.bound)} in ${spec.datapointsToAlarm} of ${spec.evaluationPeriods} windows of ${spec.periodSeconds} s`;
}

export function timeText(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")}Z`;
}

export function durationText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2_880 ? `${figure(minutes / 60)} h` : `${figure(minutes / 1_440)} d`;
}

const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;

/** `2 false alarms in 1.79 weeks (1.12 a week; up to 3.52 not ruled out)`. */
export function falseText({ falseAlarms, outsideWeeks, aWeek, atMostAWeek }: Counted): string {
  if (aWeek === undefined || atMostAWeek === undefined)
    return "false alarms: none could be told, no time outside the windows was measured";
  return `${count(falseAlarms, "false alarm")} in ${figure(outsideWeeks)} weeks (${figure(aWeek)} a week; up to ${figure(atMostAWeek)} not ruled out)`;
}

export function outcomeText(outcome: WindowOutcome): string {
  switch (outcome.kind) {
    case "seen":
      return `seen after ${durationText(outcome.delaySeconds)}`;
    case "missed":
      return "missed";
    case "rang-before":
      return "missed: it rang already before, and not anew";
  }
}

/** How many of the windows it saw. */
export function seenText({ windows }: Pick<Judged, "windows">): string {
  return windows.length === 0
    ? ""
    : `${windows.filter(({ kind }) => kind === "seen").length} of ${windows.length} windows seen`;
}

/** Why this bound, and what speaks against it. */
export function suggestionTexts(alarm: AlarmResult, { falseAlarmsAWeek, windows }: Backtest): string[] {
  const { suggestion } = alarm;
  if (suggestion.kind === "none") return [`suggests no bound: ${suggestion.why}`];
  const { quantiles } = suggestion;
  const shown = (value: number) => boundText(alarm, ownUnit(alarm, value));
  const side = indicators[alarm.spec.indicator].badSide;
  const most = side === "above" ? "at most" : "at least";
  const why = suggestion.isFloor
    ? "the smallest share that its floors let it see; the series itself would allow less"
    : `the one nearest to the good side with at most ${figure(falseAlarmsAWeek)} false alarms a week in the first two thirds`;
  return [
    `suggests ${side} ${boundText(alarm, suggestion.bound)} (${comparedText(alarm, suggestion)}): ${why}`,
    `of what it looks at there, half is ${most} ${shown(quantiles.p50)}, 99 % ${shown(quantiles.p99)}, 99.9 % ${shown(quantiles.p999)}, all ${shown(quantiles.worst)}`,
    `first two thirds: ${falseText(suggestion.fitted)}`,
    `last third, held out: ${falseText(suggestion.heldOut)}${suggestion.holds ? "" : ": it does not hold, so do not trust it"}`,
    ...(windows.length === 0 ? [] : [`with it ${suggestion.windowsSeen} of ${windows.length} windows would be seen`]),
  ];
}

function isInverted({ spec }: Pick<AlarmResult, "spec">): boolean {
  return indicators[spec.indicator].badSide === "below" && spec.rule.comparison === "above";
}

function ownUnit(alarm: Pick<AlarmResult, "spec">, value: number): number {
  return Number((isInverted(alarm) ? 100 - value : value).toPrecision(6));
}

function comparedText(alarm: AlarmResult, { bound }: Suggestion): string {
  if (bound === alarm.bound) return "as it is";
  const isStricter = indicators[alarm.spec.indicator].badSide === "above" ? bound < alarm.bound : bound > alarm.bound;
  return `${isStricter ? "stricter" : "looser"} than ${boundText(alarm, alarm.bound)}`;
}
