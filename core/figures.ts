/**
 * Figures: what a release came to in a wave, read once when the next one opens, so that later bounds have something to be measured against.
 * The wave before is over by then, and at 100 % the baseline has no traffic left (B8, A2).
 *
 * A ratio is that of all requests together. Percentiles cannot be put together, so theirs is the mean of what the windows of an alarm came
 * to, each with the weight of its requests; a gauge's is the plain mean. Too few requests make no figure.
 */
import { indicators, type MetricSource, type Objective, severities } from "./objectives.ts";
import { defaultMinimumRequests, type Plan, waveAt } from "./plans.ts";
import type { CanaryState, Instant } from "./record.ts";
import type { Signal } from "./signals.ts";
import { type FrozenFigure, type Measure, measureOf, type TargetKind } from "./watch-rules.ts";

/** Windows that figures are made of, those that most bounds are watched in. Unit: seconds. */
export const figureWindowSeconds = 300;
/** Only the newest of a long soak counts: a whole day has every hour once. Unit: milliseconds. */
export const longestFigureMilliseconds = 24 * 60 * 60_000;

/** A figure that an opening needs. */
export type FigureNeed = Omit<FrozenFigure, "value">;

/**
 * What is needed once a wave opens: of the canary for that wave's own bounds, and for the last wave of the baseline, for every bound that is
 * relative to it.
 */
export function figureNeeds(
  objectives: readonly Objective[],
  plan: Plan,
  { fromPercent, toPercent }: { readonly fromPercent: number; readonly toPercent: number },
): FigureNeed[] {
  const ofWave = (waveAt(plan, toPercent)?.criteria ?? []).flatMap(({ kind, watch }) =>
    kind === "rollback" && watch ? [{ indicator: watch.indicator, bound: watch.bound }] : [],
  );
  const ofObjectives = objectives.flatMap((objective) =>
    severities.flatMap((severity) => {
      const bound = objective[severity];
      return bound ? [{ indicator: objective.indicator, bound }] : [];
    }),
  );
  const needs = (of: FrozenFigure["of"], bounds: typeof ofWave): FigureNeed[] =>
    bounds
      .filter(({ bound }) => bound.reference?.kind === of)
      .map(({ indicator }) => ({ of, percent: fromPercent, indicator }));
  const all = [
    ...(fromPercent > 0 ? needs("previous-wave", ofWave) : []),
    ...(toPercent >= 100 ? needs("baseline", [...ofObjectives, ...ofWave]) : []),
  ];
  return all.filter((need, index) => all.findIndex((other) => isSameNeed(other, need)) === index);
}

function isSameNeed(left: FigureNeed, right: FigureNeed): boolean {
  return left.of === right.of && left.indicator === right.indicator;
}

/** One metric of a release that a figure is made of. */
export interface FigureMetric {
  readonly signal: Signal;
  readonly statistic: "Sum" | "Average" | "Maximum" | "Minimum" | `p${number}`;
}

const statistics = { mean: "Average", maximum: "Maximum", minimum: "Minimum" } as const;

/** The metrics of a figure; none: it has no figure, since a count depends on how much traffic there is. */
export function figureMetrics(
  indicator: FrozenFigure["indicator"],
  source: MetricSource,
  target: TargetKind,
): FigureMetric[] {
  const measure = measureOf(indicator, source, target);
  const sums = (signals: readonly Signal[]): FigureMetric[] =>
    [...new Set(signals)].map((signal) => ({ signal, statistic: "Sum" }));
  switch (measure.kind) {
    case "ratio":
      return sums([...measure.whole, ...measure.part]);
    case "quotient":
      return sums([measure.whole, measure.part]);
    case "percentile":
      return [...sums(["requests"]), { signal: "latency", statistic: `p${measure.percentile}` }];
    case "gauge":
      return [{ signal: measure.signal, statistic: statistics[measure.statistic] }];
    case "sum":
      return [];
  }
}

/** Points of one metric, by signal. Latency in milliseconds. */
export type FigurePoints = Readonly<
  Partial<Record<Signal, readonly { readonly at: Instant; readonly value: number }[]>>
>;

/** What a release came to. `undefined`: not measured, or by too few requests. Unit: the indicator's. */
export function figureValue(
  indicator: FrozenFigure["indicator"],
  source: MetricSource,
  target: TargetKind,
  points: FigurePoints,
): number | undefined {
  const measure = measureOf(indicator, source, target);
  const value = composed(measure, points);
  if (value === undefined || !Number.isFinite(value)) return undefined;
  // Of what should be high, the errors are measured.
  const isErrors = measure.kind === "ratio" && measure.part.includes("errors");
  return rounded(isErrors && indicators[indicator].badSide === "below" ? 100 - value : value);
}

function composed(measure: Measure, points: FigurePoints): number | undefined {
  const total = (signals: readonly Signal[]) => sum(signals.flatMap((signal) => (points[signal] ?? []).map(valueAt)));
  switch (measure.kind) {
    case "ratio": {
      const whole = total(measure.whole);
      return whole < defaultMinimumRequests ? undefined : (100 * total(measure.part)) / whole;
    }
    case "quotient": {
      const whole = total([measure.whole]);
      return whole > 0 ? total([measure.part]) / whole : undefined;
    }
    case "percentile":
      return weightedMean(points.requests ?? [], points.latency ?? []);
    case "gauge": {
      const values = (points[measure.signal] ?? []).map(valueAt);
      return values.length === 0 ? undefined : sum(values) / values.length;
    }
    case "sum":
      return undefined;
  }
}

type Points = readonly { readonly at: Instant; readonly value: number }[];

function weightedMean(requests: Points, values: Points): number | undefined {
  const weightAt = new Map(requests.map(({ at, value }) => [at, value]));
  const weighed = values.map(({ at, value }) => ({ value, weight: weightAt.get(at) ?? 0 }));
  const weight = sum(weighed.map((each) => each.weight));
  if (weight < defaultMinimumRequests) return undefined;
  return sum(weighed.map((each) => each.value * each.weight)) / weight;
}

const valueAt = ({ value }: { readonly value: number }): number => value;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Read by people, and the same after it went through the record. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/**
 * Figures of an attempt once more are known: newer ones take the place of those of the same wave and indicator, and of what the baseline came
 * to only the newest counts.
 */
export function withFigures(known: readonly FrozenFigure[], read: readonly FrozenFigure[]): readonly FrozenFigure[] {
  const stays = (figure: FrozenFigure) =>
    !read.some((other) => isSameNeed(other, figure) && (figure.of === "baseline" || other.percent === figure.percent));
  const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return [...known.filter(stays), ...read].sort(
    (left, right) =>
      byText(left.of, right.of) || byText(left.indicator, right.indicator) || left.percent - right.percent,
  );
}

/** The figures that the record's canary still has for an attempt; another attempt starts without. */
export function figuresOf(
  canary: CanaryState | undefined,
  asked: { readonly digest: string; readonly attempt: number } | undefined,
): readonly FrozenFigure[] {
  if (!canary || !asked || canary.digest !== asked.digest || canary.attempt !== asked.attempt) return [];
  return canary.figures ?? [];
}
