/**
 * What Datadog's monitors can say of a watch rule, and where what they say differs from it (D3). Sources as in `datadog-queries.ts`; the
 * agreement of all systems is tested with this list, and docs/datadog.md repeats it.
 */
import { reportedSignals, type Signal } from "./signals.ts";
import type { Measure, WatchRule } from "./watch-rules.ts";

/** Longest window of a metric monitor. Unit: seconds. Source: API reference of monitors, `last_#h` up to 168, read 2026-11. */
const longestWindowSeconds = 7 * 86_400;

/** Where a Datadog monitor differs from the rule that it is made of; everything else is the same. */
export interface DatadogDifference {
  readonly name: string;
  readonly what: string;
  readonly of: (rule: WatchRule) => boolean;
}

/** Every difference by name. None makes a monitor speak more than one window later than its rule. */
export const datadogDifferences: readonly DatadogDifference[] = [
  {
    name: "rolling-windows",
    what: "windows end at each minute and not at whole multiples of their length, so a breach that lies across two windows is seen too, and none is seen later",
    of: (rule) => shapeOf(rule) !== "rolled",
  },
  {
    name: "quiet-sooner",
    what: "of two windows of which one must be bad only the newest is looked at, so the monitor is quiet again up to one window sooner",
    of: (rule) => rule.datapointsToAlarm < rule.evaluationPeriods && rule.datapointsToAlarm === 1,
  },
  {
    name: "share-for-percentile",
    what: "a percentile over its bound is watched as the share of requests over the bound, which are the same but for interpolation between neighbouring values",
    of: (rule) => rule.measure.kind === "percentile" && shapeOf(rule) === "counts",
  },
  {
    name: "whole-windows-late",
    what: "a percentile beside the baseline's is judged in windows aligned to the clock once they are over, so up to one window later",
    of: (rule) => shapeOf(rule) === "rolled",
  },
  {
    name: "mean-of-points",
    what: "a gauge beside the baseline's or its own earlier value is the mean of what its points came to, not what the means come to; they differ where points are missing",
    of: (rule) => shapeOf(rule) === "gauge" && rule.reference !== undefined,
  },
  {
    name: "first-minutes-left-out",
    what: "growth leaves out what has no point 45 minutes before it, and does not ask for how much of the hour there are points, so after a gap it speaks of fewer of them",
    of: (rule) => rule.reference?.kind === "growth",
  },
];

/** How a rule is written. */
export type Shape = "counts" | "rolled" | "gauge";

export function shapeOf({ measure, reference }: Pick<WatchRule, "measure" | "reference">): Shape {
  if (measure.kind === "gauge") return "gauge";
  return measure.kind === "percentile" && reference ? "rolled" : "counts";
}

/** Why Datadog cannot say a rule; `undefined`: it can. */
export function whyUnsayable(rule: WatchRule): string | undefined {
  const { measure, reference, periodSeconds } = rule;
  const foreign = signalsOf(measure).find((signal) => !(signal in reportedSignals));
  if (foreign !== undefined)
    return `the load balancer alone knows ${foreign}, and Datadog hears of it ten minutes late`;
  if (periodSeconds % 60 !== 0) return `a window of ${periodSeconds} s; Datadog's windows are whole minutes`;
  if (periodSeconds > longestWindowSeconds)
    return `a window of ${periodSeconds} s; Datadog's monitors look back 7 days`;
  const isCounted = shapeOf(rule) === "counts" && !reference && measure.kind !== "quotient";
  if (rule.datapointsToAlarm > 1 && !isCounted) {
    return `${rule.datapointsToAlarm} of ${rule.evaluationPeriods} windows; Datadog has that only for counts with a fixed bound`;
  }
  if (reference?.kind === "growth" && (measure.kind !== "gauge" || periodSeconds !== 3_600)) {
    return "growth of anything but a gauge from hour to hour";
  }
  if (measure.kind === "percentile" && rule.comparison === "below") return "a percentile below its bound";
  if (reference?.kind === "baseline" && measure.kind === "sum")
    return "a count beside the baseline's, which has other traffic";
  const isAllowance = reference?.kind === "baseline" && reference.form === "points";
  if (isAllowance && (rule.comparison === "above" ? rule.threshold < 0 : rule.threshold > 0)) {
    return `${rule.threshold} points ${rule.comparison} the baseline, where silence would be bad`;
  }
  return undefined;
}

/** Everything that a measure reads. */
export function signalsOf(measure: Measure): readonly Signal[] {
  switch (measure.kind) {
    case "ratio":
      return [...measure.part, ...measure.whole];
    case "quotient":
      return [measure.part, measure.whole];
    case "sum":
      return measure.signals;
    case "percentile":
    case "gauge":
      return [measure.signal];
  }
}
