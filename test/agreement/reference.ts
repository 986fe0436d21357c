/**
 * The oracle: when a watch rule speaks, written from the words of `core/watch-rules.ts` alone. It shares no code with metric math, PromQL
 * or Datadog's queries, and cares for no speed.
 *
 * Read there: a rule compares one measure of one release in a window with a threshold, and speaks when M of the newest N windows are bad.
 * Under its floors it says nothing, nor where a release with its usual ratio, in geometric bursts, shows as many errors once in 10^8 windows, and of what was not measured neither; errors that nobody counted are 0 beside requests that somebody
 * did. Of a service it is the worst of all live releases. Against a baseline: the same measure in the same window. Growth: percent since the
 * window before, if that was measured for three quarters of it.
 */
import type { Signal } from "../../core/signals.ts";
import type { Measure, WatchRule } from "../../core/watch-rules.ts";
import {
  type AgreementSeries,
  type ReleaseSeries,
  releasesOf,
  type ScalarSignal,
  stepCount,
  stepSeconds,
} from "./series.ts";

/** `near`: so close to a bound or a floor that rounding decides, and no system is asked. */
export type Verdict = "bad" | "good" | "near";

/** A rule's verdict at each evaluation, `everySeconds` apart; index k is at `(k + 1) × everySeconds` after the start. */
export interface Course {
  readonly everySeconds: number;
  readonly verdicts: readonly Verdict[];
}

/** How far a value must be from its bound to be told apart. Unit: fraction of the bound. */
const nearFraction = 0.04;
/** Percentiles of two releases are interpolated inside their histograms' bins, each for itself. */
const nearFractionOfPercentiles = 0.3;
/** Share of the window before in which a release must have been measured for its growth to say anything. Unit: fraction. */
const measuredShare = 0.75;
/** A floor is told apart from a count that is so far from it. Unit: fraction of the floor. */
const nearFloorFraction = 0.03;

interface Span {
  /** Steps, from included, to not. */
  readonly from: number;
  readonly to: number;
}

/** Length of the evaluation interval. */
export function everySecondsOf({ periodSeconds }: Pick<WatchRule, "periodSeconds">): number {
  return periodSeconds < 60 ? 10 : 60;
}

export function courseOf(rule: WatchRule, series: AgreementSeries): Course {
  const everySeconds = everySecondsOf(rule);
  const stepsEach = everySeconds / stepSeconds;
  const verdicts = Array.from({ length: stepCount / stepsEach }, (_none, index) => {
    const to = (index + 1) * stepsEach;
    return speaks(rule, series, to);
  });
  return { everySeconds, verdicts };
}

function speaks(rule: WatchRule, series: AgreementSeries, now: number): Verdict {
  const length = rule.periodSeconds / stepSeconds;
  const windows = Array.from({ length: rule.evaluationPeriods }, (_none, age) =>
    windowVerdict(rule, series, { from: now - (age + 1) * length, to: now - age * length }),
  );
  const bad = windows.filter((verdict) => verdict === "bad").length;
  const near = windows.filter((verdict) => verdict === "near").length;
  if (bad >= rule.datapointsToAlarm) return "bad";
  return bad + near >= rule.datapointsToAlarm ? "near" : "good";
}

/** One window: bad if it is of any of the releases that the rule is about. */
function windowVerdict(rule: WatchRule, series: AgreementSeries, span: Span): Verdict {
  const releases = rule.scope === "service" ? releasesOf(series) : [series.canary];
  const verdicts = releases.map((release) => ofRelease(rule, series, release, span));
  if (verdicts.includes("bad")) return "bad";
  return verdicts.includes("near") ? "near" : "good";
}

function ofRelease(rule: WatchRule, series: AgreementSeries, release: ReleaseSeries, span: Span): Verdict {
  const own = measure(rule.measure, release, span);
  if (own === undefined) return "good";
  const floors = [floorVerdict(rule, release, span, true)];
  let limit = rule.threshold;
  let value = own;
  if (rule.reference?.kind === "baseline") {
    const baseline = series.baseline && measure(rule.measure, series.baseline, span);
    if (!series.baseline || baseline === undefined) return "good";
    floors.push(floorVerdict(rule, series.baseline, span, false));
    limit = rule.reference.form === "factor" ? rule.threshold * baseline : rule.threshold + baseline;
  }
  if (rule.reference?.kind === "growth") {
    const length = span.to - span.from;
    const earlier = { from: span.from - length, to: span.from };
    const before = measure(rule.measure, release, earlier);
    if (before === undefined || before <= 0) return "good";
    const reported = release.steps
      .slice(Math.max(0, earlier.from), Math.max(0, earlier.to))
      .filter((step) => step !== null);
    floors.push(reached(reported.length, measuredShare * length));
    value = (100 * (own - before)) / before;
  }
  if (floors.includes("good")) return "good";
  const verdict = compared(rule, value, limit);
  return verdict === "bad" && floors.includes("near") ? "near" : verdict;
}

function compared({ comparison, measure: { kind }, reference }: WatchRule, value: number, limit: number): Verdict {
  const fraction = kind === "percentile" && reference ? nearFractionOfPercentiles : nearFraction;
  // What is bounded by 0 is near nothing: any is too many.
  if (limit !== 0 && Math.abs(value - limit) < fraction * Math.abs(limit)) return "near";
  return (comparison === "above" ? value > limit : value < limit) ? "bad" : "good";
}

/** `good`: under a floor, so it says nothing; `bad`: reached. */
function floorVerdict(rule: WatchRule, release: ReleaseSeries, span: Span, isOwn: boolean): Verdict {
  const { requestFloor, errorFloor, measure: of } = rule;
  const requests =
    of.kind === "ratio" ? (total(of.whole, release, span) ?? 0) : (total(["requests"], release, span) ?? 0);
  const verdicts = [reached(requests, requestFloor)];
  // Errors of the baseline are what it is compared with, however few.
  if (of.kind === "ratio" && isOwn) verdicts.push(reached(total(of.part, release, span) ?? 0, errorFloor));
  if (of.kind === "ratio" && isOwn && rule.usualPercent !== undefined) {
    verdicts.push(beyondChance(total(of.part, release, span) ?? 0, (rule.usualPercent / 100) * requests));
  }
  if (verdicts.includes("good")) return "good";
  return verdicts.includes("near") ? "near" : "bad";
}

/** How rare so many errors are, one after the other; counts a hair apart that disagree are near. */
function beyondChance(errors: number, expected: number): Verdict {
  const isRare = (count: number) => {
    let chance = 1;
    for (let error = 1; error <= count; error += 1) chance *= expected / (1 + expected);
    return chance <= 1e-8;
  };
  const rare = [Math.floor(errors * (1 - nearFloorFraction)), Math.ceil(errors * (1 + nearFloorFraction))].map(isRare);
  if (rare.every(Boolean)) return "bad";
  return rare.some(Boolean) ? "near" : "good";
}

function reached(count: number, floor: number): Verdict {
  if (floor <= 1) return count >= floor ? "bad" : "good";
  if (Math.abs(count - floor) < nearFloorFraction * floor) return "near";
  return count >= floor ? "bad" : "good";
}

const textOf = new WeakMap<Measure, string>();
const measured = new WeakMap<ReleaseSeries, Map<string, number | undefined>>();

/** The number, or nothing where it was not measured. Remembered: many rules ask for the same. */
function measure(of: Measure, release: ReleaseSeries, span: Span): number | undefined {
  const known = measured.get(release) ?? new Map<string, number | undefined>();
  measured.set(release, known);
  const text = textOf.get(of) ?? JSON.stringify(of);
  textOf.set(of, text);
  const key = `${span.from} ${span.to} ${text}`;
  if (!known.has(key)) known.set(key, measureAnew(of, release, span));
  return known.get(key);
}

function measureAnew(of: Measure, release: ReleaseSeries, span: Span): number | undefined {
  switch (of.kind) {
    case "ratio": {
      const whole = total(of.whole, release, span) ?? 0;
      return whole > 0 ? (100 * (total(of.part, release, span) ?? 0)) / whole : undefined;
    }
    case "quotient": {
      const whole = total([of.whole], release, span) ?? 0;
      return whole > 0 ? (total([of.part], release, span) ?? 0) / whole : undefined;
    }
    case "percentile":
      return percentile(of.percentile, release, span);
    case "sum": {
      const sum = total(of.signals, release, span);
      const seconds = (span.to - span.from) * stepSeconds;
      return sum === undefined ? undefined : (sum * (of.perSeconds ?? seconds)) / seconds;
    }
    case "gauge": {
      const values = points(release, span, of.signal);
      if (values.length === 0) return undefined;
      if (of.statistic === "maximum") return Math.max(...values);
      if (of.statistic === "minimum") return Math.min(...values);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    }
  }
}

function points(release: ReleaseSeries, { from, to }: Span, signal: Signal): number[] {
  const values: number[] = [];
  for (let step = Math.max(0, from); step < to; step += 1) {
    const reported = release.steps[step];
    if (reported) values.push(reported.values[signal as ScalarSignal]);
  }
  return values;
}

function total(signals: readonly Signal[], release: ReleaseSeries, span: Span): number | undefined {
  const values = signals.flatMap((signal) => points(release, span, signal));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** The least latency that so many percent do not exceed. */
function percentile(percent: number, release: ReleaseSeries, { from, to }: Span): number | undefined {
  const counts = new Map<number, number>();
  let all = 0;
  for (let step = Math.max(0, from); step < to; step += 1) {
    for (const [milliseconds, count] of release.steps[step]?.latencies ?? []) {
      counts.set(milliseconds, (counts.get(milliseconds) ?? 0) + count);
      all += count;
    }
  }
  let seen = 0;
  for (const milliseconds of [...counts.keys()].sort((left, right) => left - right)) {
    seen += counts.get(milliseconds) ?? 0;
    if (seen >= (percent / 100) * all) return milliseconds;
  }
  return undefined;
}
