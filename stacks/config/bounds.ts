/**
 * One bound of an objective, `{ above: "5%", response: disable, window: 5m }`, and what both bounds must be to each other. Which
 * side is bad says the indicator; the other side is refused, never guessed. What bounds are measured against is `relative.ts`.
 */
import { z } from "zod";
import { measureOf, mostMilliseconds } from "../../core/measures.ts";
import {
  type Bound,
  type Indicator,
  indicators,
  type MetricSource,
  type Objective,
  type Response,
  responses,
  severities,
} from "../../core/objectives.ts";
import { type Complaint, checkFields, isMap, listText, type Path, type Problems, word } from "./problems.ts";
import { type BoundPlace, isRelative, type Reference, relative, relativeText } from "./relative.ts";
import { duration, durationText, measure, measureText, mostPercent } from "./units.ts";

/**
 * CloudWatch looks back a day at most in periods under an hour, and seven in longer ones; from five minutes on a window is looked at twice
 * (core/watch-rules.ts), which no window under an hour is too long for. Source: PutMetricAlarm API reference, read 2026-11. The other
 * systems could look back further; an objective is the same whatever watches it. Unit: seconds.
 */
const maximumWindowSeconds = (7 * 86_400) / 2;

const boundFields = {
  above: z.unknown(),
  below: z.unknown(),
  response: z.unknown(),
  window: duration({ minimum: "10s", maximum: "365d", example: "5m", step: "10s" }).optional(),
};

/** Only these are watched in a window of one's choice (core/watch-rules.ts); a window elsewhere would be ignored. */
function hasWindow(indicator: Indicator): boolean {
  return indicator !== "healthy-hosts" && indicator !== "invariant-violations";
}

/** Periods of CloudWatch: 10, 20 or 30 s where the source has such points, else whole minutes. Source: PutMetricAlarm, 2026-11. */
function isPeriod(seconds: number, source: MetricSource): boolean {
  return seconds % 60 === 0 || (source === "emf" && [10, 20, 30].includes(seconds));
}

/** What windows a source has, where one was asked for that it has not. */
const periods: Readonly<Record<MetricSource, string>> = {
  alb: "whole minutes: alb has a point a minute",
  emf: "10s, 20s, 30s or whole minutes",
  prometheus: "whole minutes: its rules are asked every minute",
  datadog: "whole minutes: its monitors are asked every minute",
};

/** What a bound is read in the light of. */
export interface Context {
  readonly indicator: Indicator;
  readonly source: MetricSource;
  readonly problems: Problems;
  /** @default objective */
  readonly place?: BoundPlace;
  /** Responses that make sense there. @default all */
  readonly responses?: readonly Response[];
}

/** Reads a fixed value; `undefined` after a problem. */
export function readMeasure(raw: unknown, path: Path, { indicator, problems }: Context): number | undefined {
  const value = isRelative(raw)
    ? { wrong: "measured against something, which only a bound is", expected: "a fixed value" }
    : measure(raw, indicator);
  if (typeof value === "number") return value;
  problems.add(path, value, raw ?? undefined);
  return undefined;
}

/** Every process has some memory and takes some processor time; of everything else none may be meant. */
const neverNone: ReadonlySet<Indicator> = new Set(["memory", "cpu"]);

/** A value that nothing can ever pass watches nothing, and one that everything passes stops everything. */
function reachProblem(value: number, context: Context): Complaint | undefined {
  const { indicator } = context;
  if (indicators[indicator].badSide === "below") {
    return value > 0 ? undefined : { wrong: "nothing is ever below it", expected: "more than 0" };
  }
  if (neverNone.has(indicator) && value <= 0) return { wrong: "everything is above it", expected: "more than 0" };
  const percent = mostPercent(indicator);
  if (percent !== undefined && value >= percent) {
    return { wrong: "nothing is ever above it", expected: `less than ${percent}%` };
  }
  return histogramProblem(value, context);
}

/** A percentile that the source's histogram cannot tell from a smaller one. */
function histogramProblem(value: number, { indicator, source }: Context): Complaint | undefined {
  const most = mostMilliseconds(measureOf(indicator, source), source);
  if (most === undefined || value < most) return undefined;
  const wrong = `nothing is ever above it: the histogram of source ${source} ends at ${most}ms`;
  return { wrong, expected: `less than ${most}ms`, wayOut: "Take a smaller one, or source emf" };
}

/** Reads what the team aims for; `undefined` after a problem. */
export function readTarget(raw: unknown, path: Path, context: Context): number | undefined {
  const value = readMeasure(raw, path, context);
  const problem = value === undefined ? undefined : histogramProblem(value, context);
  if (!problem) return value;
  context.problems.add(path, problem, raw);
  return undefined;
}

/** Reads what a bound is compared with: a fixed value or a relative one; `undefined` after a problem. */
export function readThreshold(raw: unknown, path: Path, context: Context): Reference | undefined {
  const { indicator, problems, place = "objective" } = context;
  if (isRelative(raw)) {
    const read = relative(raw, indicator, place);
    if ("value" in read) return read;
    problems.add(path, read, raw);
    return undefined;
  }
  const value = readMeasure(raw, path, context);
  if (value === undefined) return undefined;
  const unreachable = reachProblem(value, context);
  if (unreachable) {
    problems.add(path, unreachable, raw);
    return undefined;
  }
  return { value };
}

/** Complains about a window that the source or the bound has not. */
export function checkWindow(
  window: { readonly seconds: number; readonly raw: unknown },
  reference: Bound["reference"],
  path: Path,
  { indicator, source, problems }: Context,
): void {
  if (!hasWindow(indicator)) {
    problems.add(path, { wrong: `${indicator} has no window of its own`, expected: "no window" }, window.raw);
  } else if (reference?.kind === "growth") {
    problems.add(path, { wrong: "growth is judged from hour to hour", expected: "no window" }, window.raw);
  } else if (window.seconds > maximumWindowSeconds) {
    const expected = `at most ${durationText(maximumWindowSeconds)}: CloudWatch looks back 7d, and a window is looked at twice`;
    problems.add(path, { wrong: "beyond what CloudWatch looks back", expected }, window.raw);
  } else if (!isPeriod(window.seconds, source)) {
    problems.add(path, { wrong: "not a period that is watched", expected: periods[source] }, window.raw);
  }
}

/** Reads a bound on top of what it was before; `undefined` after a problem. */
export function readBound(raw: unknown, base: Bound | undefined, path: Path, context: Context): Bound | undefined {
  const { indicator, problems } = context;
  const allowed = context.responses ?? responses;
  const before = problems.texts.length;
  const fields = checkFields(
    { ...boundFields, response: word(allowed, "unknown response").optional() },
    raw,
    path,
    problems,
  );
  if (!isMap(raw)) return undefined;
  const side = indicators[indicator].badSide;
  const wrongSide = side === "above" ? "below" : "above";
  if (wrongSide in raw) {
    const wrong = `${indicator} is bad ${side} a bound, not ${wrongSide} it`;
    problems.add([...path, wrongSide], { wrong, expected: side, wayOut: `Write ${side}` });
  }
  const stated = side in raw || (!base && !(wrongSide in raw));
  const threshold: Reference | undefined = stated ? readThreshold(raw[side], [...path, side], context) : base;
  const response = fields.response ?? base?.response;
  if (!response && !("response" in raw)) {
    problems.add([...path, "response"], { wrong: "missing", expected: listText(allowed) });
  }
  if (fields.window !== undefined) {
    checkWindow({ seconds: fields.window, raw: raw.window }, threshold?.reference, [...path, "window"], context);
  }
  if (problems.texts.length > before || !threshold || !response) return undefined;
  const { value, reference } = threshold;
  // A window that a preset gave its fixed value says nothing about growth.
  const windowSeconds = reference?.kind === "growth" ? undefined : (fields.window ?? base?.windowSeconds);
  return {
    value,
    ...(reference ? { reference } : {}),
    response,
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
  };
}

/** What a bound is compared with, as config has it. */
export function thresholdText({ value, reference }: Reference, indicator: Indicator): string | number {
  return reference ? relativeText(value, reference) : measureText(value, indicator);
}

/** A bound as config has it; `readBound` reads it as the same one. */
export function boundText(bound: Bound, indicator: Indicator): Record<string, string | number> {
  return {
    [indicators[indicator].badSide]: thresholdText(bound, indicator),
    response: bound.response,
    ...(bound.windowSeconds === undefined ? {} : { window: durationText(bound.windowSeconds) }),
  };
}

/** A target that is missed only after a bound is passed aims for less than what is already bad: one of the two is a slip. */
function checkTarget({ target, indicator, ...bounds }: Objective, path: Path, problems: Problems): void {
  if (target === undefined) return;
  const isHighBad = indicators[indicator].badSide === "above";
  const passed = severities.flatMap((severity) => {
    const bound = bounds[severity];
    // What is measured against something may lie anywhere.
    if (!bound || bound.reference) return [];
    return (isHighBad ? target > bound.value : target < bound.value) ? [{ severity, value: bound.value }] : [];
  });
  const nearest = isHighBad
    ? Math.min(...passed.map(({ value }) => value))
    : Math.max(...passed.map(({ value }) => value));
  const first = passed.find(({ value }) => value === nearest);
  if (!first) return;
  const bound = measureText(first.value, indicator);
  problems.add([...path, "target"], {
    wrong: `on the bad side of its own ${first.severity} bound, got ${measureText(target, indicator)}`,
    expected: `${isHighBad ? "at most" : "at least"} that bound, ${bound}`,
    wayOut: "Correct the target, or move the bound",
  });
}

/**
 * A warning must not be further out than its critical bound: it would come after the rollback. Nor may the target lie beyond either of them.
 */
export function checkOrder(objective: Objective, path: Path, problems: Problems): void {
  checkTarget(objective, path, problems);
  const { warning, critical, indicator } = objective;
  if (!warning || !critical) return;
  // Bounds against different things cannot be told apart before they are measured.
  if (JSON.stringify(warning.reference) !== JSON.stringify(critical.reference)) return;
  const side = indicators[indicator].badSide;
  const reversed = side === "above" ? warning.value > critical.value : warning.value < critical.value;
  if (!reversed) return;
  const allowed = `${side === "above" ? "at most" : "at least"} the critical bound, ${thresholdText(critical, indicator)}`;
  problems.add([...path, "warning", side], {
    wrong: `reversed bounds, got ${thresholdText(warning, indicator)}`,
    expected: allowed,
    wayOut: "Swap warning and critical, or move one of them",
  });
}
