/** The bounds of an objective: value with unit, side, response, window; and that a warning comes before its critical bound. */
import { z } from "zod";
import {
  type Bound,
  type Indicator,
  indicators,
  type MetricSource,
  type Objective,
  responses,
} from "../../core/objectives.ts";
import { checkFields, isMap, listText, type Path, type Problems, word } from "./problems.ts";
import { duration, measure } from "./units.ts";

const boundFields = {
  above: z.unknown(),
  below: z.unknown(),
  response: word(responses, "unknown response").optional(),
  window: duration({ minimum: "10s", maximum: "1d", example: "5m", step: "10s" }).optional(),
};

/** Below is bad for what should be high. */
function badSide(indicator: Indicator): "above" | "below" {
  return indicator === "availability" || indicator === "healthy-hosts" ? "below" : "above";
}

/** Only these are computed in a window of one's choice (core/alarms.ts); a window elsewhere would be ignored. */
function hasWindow(indicator: Indicator): boolean {
  return indicator !== "healthy-hosts" && indicator !== "invariant-violations";
}

/** CloudWatch periods: 10, 20 or 30 s where the source has such points, else whole minutes. Source: PutMetricAlarm, 2026-11. */
function isPeriod(seconds: number, source: MetricSource): boolean {
  return seconds % 60 === 0 || (source === "emf" && [10, 20, 30].includes(seconds));
}

/** What a bound is read in the light of. */
export interface Context {
  readonly indicator: Indicator;
  readonly source: MetricSource;
  readonly problems: Problems;
}

/** Reads a bound's or target's value; `undefined` after a problem. */
export function readMeasure(raw: unknown, path: Path, { indicator, problems }: Context): number | undefined {
  const value = measure(raw, indicators[indicator].unit);
  if (typeof value === "number") return value;
  problems.add(path, value, raw ?? undefined);
  return undefined;
}

/** Reads a bound on top of what it was before; `undefined` after a problem. */
export function readBound(raw: unknown, base: Bound | undefined, path: Path, context: Context): Bound | undefined {
  const { indicator, source, problems } = context;
  const before = problems.texts.length;
  const fields = checkFields(boundFields, raw, path, problems);
  if (!isMap(raw)) return undefined;
  const side = badSide(indicator);
  const wrongSide = side === "above" ? "below" : "above";
  if (wrongSide in raw) {
    const wrong = `${indicator} is bad ${side} a bound, not ${wrongSide} it`;
    problems.add([...path, wrongSide], { wrong, expected: side, wayOut: `Write ${side}` });
  }
  const stated = side in raw || (!base && !(wrongSide in raw));
  const value = stated ? readMeasure(raw[side], [...path, side], context) : base?.value;
  const response = fields.response ?? base?.response;
  if (!response && !("response" in raw)) {
    problems.add([...path, "response"], { wrong: "missing", expected: listText(responses) });
  }
  const windowSeconds = fields.window ?? base?.windowSeconds;
  if (fields.window !== undefined && !hasWindow(indicator)) {
    problems.add(
      [...path, "window"],
      { wrong: `${indicator} has no window of its own`, expected: "no window" },
      raw.window,
    );
  } else if (fields.window !== undefined && !isPeriod(fields.window, source)) {
    const expected = source === "emf" ? "10s, 20s, 30s or whole minutes" : "whole minutes: alb has a point a minute";
    problems.add([...path, "window"], { wrong: "not a period CloudWatch offers", expected }, raw.window);
  }
  if (problems.texts.length > before || value === undefined || !response) return undefined;
  return { value, response, ...(windowSeconds === undefined ? {} : { windowSeconds }) };
}

/** A warning must not be further out than its critical bound: it would come after the rollback. */
export function checkOrder(objective: Objective, path: Path, problems: Problems): void {
  const { warning, critical, indicator } = objective;
  if (!warning || !critical) return;
  const side = badSide(indicator);
  const reversed = side === "above" ? warning.value > critical.value : warning.value < critical.value;
  if (!reversed) return;
  const { unit } = indicators[indicator];
  const allowed = `${side === "above" ? "at most" : "at least"} the critical bound, ${critical.value} ${unit}`;
  problems.add([...path, "warning", side], {
    wrong: `reversed bounds, got ${warning.value} ${unit}`,
    expected: allowed,
    wayOut: "Swap warning and critical, or move one of them",
  });
}
