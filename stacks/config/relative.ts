/**
 * Bounds that are measured against something: the baseline, the canary's own wave before, or the release itself an hour ago.
 *
 *     above: "1.5x baseline"              # a multiple; below a multiple for what should be high: "0.8x baseline"
 *     above: "+50% of baseline"           # the same as 1.5x
 *     above: "+5 points over baseline"    # percentages only; what should be high: "-5 points under baseline"
 *     above: "1.5x previous wave"         # all three forms; in the bounds of a wave alone
 *     above: "10%/h"                      # growth; memory alone
 *
 * Only what does not depend on how much traffic a release has can be compared: a canary of 5 % has a twentieth of the crashes.
 */
import { type Bound, type BoundReference, type Indicator, indicators } from "../../core/objectives.ts";
import { type Complaint, listText } from "./problems.ts";
import { mostPercent, readable } from "./units.ts";

/** What is the same whatever share of the traffic a release has. */
const comparable: readonly Indicator[] = [
  "error-rate",
  "success-rate",
  "availability",
  "latency-p50",
  "latency-p95",
  "latency-p99",
  "throughput",
  "memory",
  "cpu",
  "cache-hit-ratio",
  "rate-limit-reject-rate",
  "fallback-rate",
  "flag-coverage",
];

/** A multiple of what is nearly 100 % says little of what is missing. */
const inPointsOnly: readonly Indicator[] = ["availability", "success-rate"];

/** Whose growth is watched: what only ever rises in a leak. */
const growing: readonly Indicator[] = ["memory"];

/** Larger ones are a percentage written as a multiple. */
const mostFactor = 100;
/** Unit: percent an hour. */
const mostGrowth = 1_000;

export type Reference = Pick<Bound, "value" | "reference">;
/** `wave`: the bound of a wave that has another one before it; `first-wave`: of one that has none; `objective`: of the service. */
export type BoundPlace = "objective" | "first-wave" | "wave";

const number = String.raw`(\d{1,9}(?:\.\d{1,6})?)`;
const target = "(baseline|previous wave)";
const factorPattern = new RegExp(`^${number}x ${target}$`);
const changePattern = new RegExp(`^([+-])${number}% of ${target}$`);
const pointsPattern = new RegExp(`^([+-])${number} points? (over|under) ${target}$`);
const growthPattern = new RegExp(`^\\+?${number}%/h$`);

/** Whether a person meant to measure against something. */
export function isRelative(raw: unknown): raw is string {
  return typeof raw === "string" && /^\+|baseline|previous|wave|points?\b|\bof\b|\d ?x\b|% ?\/ ?h/i.test(raw);
}

function forms(indicator: Indicator, place: BoundPlace): string {
  const isHigh = indicators[indicator].badSide === "below";
  const isShare = mostPercent(indicator) !== undefined;
  const others = comparable.includes(indicator) ? ["baseline", ...(place === "wave" ? ["previous wave"] : [])] : [];
  const compared = others.flatMap((of) => [
    ...(inPointsOnly.includes(indicator)
      ? []
      : [isHigh ? `"0.8x ${of}"` : `"1.5x ${of}"`, isHigh ? `"-20% of ${of}"` : `"+50% of ${of}"`]),
    ...(isShare ? [isHigh ? `"-5 points under ${of}"` : `"+5 points over ${of}"`] : []),
  ]);
  return listText([...compared, ...(growing.includes(indicator) ? [`"10%/h"`] : [])]);
}

function kindOf(of: string | undefined): "baseline" | "previous-wave" {
  return of === "baseline" ? "baseline" : "previous-wave";
}

function parsed(raw: string): Reference | undefined {
  const [, factor, factorOf] = factorPattern.exec(raw) ?? [];
  if (factor !== undefined) return { value: Number(factor), reference: { kind: kindOf(factorOf), form: "factor" } };
  const [, changeSign, change, changeOf] = changePattern.exec(raw) ?? [];
  if (change !== undefined) {
    const value = readable(1 + (Number(change) / 100) * (changeSign === "-" ? -1 : 1));
    return { value, reference: { kind: kindOf(changeOf), form: "factor" } };
  }
  const [, sign, points, preposition, pointsOf] = pointsPattern.exec(raw) ?? [];
  if (points !== undefined && (sign === "+") === (preposition === "over")) {
    const value = sign === "-" ? -Number(points) : Number(points);
    return { value, reference: { kind: kindOf(pointsOf), form: "points" } };
  }
  const [, growth] = growthPattern.exec(raw) ?? [];
  return growth === undefined ? undefined : { value: Number(growth), reference: { kind: "growth" } };
}

/** What is wrong with the reference itself; `undefined` where an indicator may be measured so. */
function referenceProblem(reference: BoundReference, indicator: Indicator, place: BoundPlace): Complaint | undefined {
  if (reference.kind === "growth") {
    if (growing.includes(indicator)) return undefined;
    return { wrong: `growth of ${indicator} is not watched`, expected: `growth of ${listText(growing)}` };
  }
  if (!comparable.includes(indicator)) {
    return {
      wrong: `${indicator} is not compared: it depends on how much traffic a release has`,
      expected: "a fixed value",
    };
  }
  if (reference.form === "factor" && inPointsOnly.includes(indicator)) {
    return {
      wrong: `a multiple of ${indicator} says little of its errors`,
      expected: forms(indicator, place),
      wayOut: "Or compare error-rate",
    };
  }
  if (reference.form === "points" && mostPercent(indicator) === undefined) {
    return { wrong: "points of what is no percentage", expected: forms(indicator, place) };
  }
  if (reference.kind === "previous-wave" && place === "objective") {
    return {
      wrong: "measured against the previous wave, which only a wave's own bounds are",
      expected: forms(indicator, place),
      wayOut: "Write it under criteria of a wave of the plan",
    };
  }
  if (reference.kind === "previous-wave" && place === "first-wave") {
    return { wrong: "there is no wave before the first", expected: forms(indicator, place) };
  }
  return undefined;
}

/** A bound against which either everything or nothing would be bad. */
function valueProblem({ value, reference }: Reference, indicator: Indicator): Complaint | undefined {
  const isHigh = indicators[indicator].badSide === "below";
  if (reference?.kind === "growth") {
    return value > 0 && value <= mostGrowth
      ? undefined
      : { wrong: "growth out of range", expected: `more than 0%/h, at most ${mostGrowth}%/h` };
  }
  if (reference?.form === "factor") {
    const fits = isHigh ? value > 0 && value < 1 : value > 1 && value <= mostFactor;
    const expected = isHigh ? "a multiple between 0x and 1x" : `a multiple above 1x, at most ${mostFactor}x`;
    return fits ? undefined : { wrong: "multiple out of range", expected };
  }
  const most = mostPercent(indicator) ?? 0;
  const fits = isHigh ? value < 0 && value > -most : value > 0 && value < most;
  const expected = isHigh ? `-${most} to 0 points, neither included` : `0 to ${most} points, neither included`;
  return fits ? undefined : { wrong: "points out of range", expected };
}

/** Reads a bound that is measured against something, or what is wrong with it. */
export function relative(raw: string, indicator: Indicator, place: BoundPlace): Reference | Complaint {
  const allowed = forms(indicator, place);
  const read = parsed(raw);
  if (!read?.reference) {
    return { wrong: "cannot be read as a relative bound", expected: allowed || "a fixed value" };
  }
  return referenceProblem(read.reference, indicator, place) ?? valueProblem(read, indicator) ?? read;
}

/** A relative bound as config has it; `relative` reads it as the same one. */
export function relativeText(value: number, reference: BoundReference): string {
  if (reference.kind === "growth") return `${value}%/h`;
  const of = reference.kind === "baseline" ? "baseline" : "previous wave";
  if (reference.form === "factor") return `${value}x ${of}`;
  return value < 0 ? `${value} points under ${of}` : `+${value} points over ${of}`;
}
