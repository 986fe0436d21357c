/**
 * Quantities as people write them: every one carries its unit, in the value (`24h`, `5%`, `500ms`) or in the key's name
 * (`stickinessSeconds`). A bare number where a unit belongs is refused, never guessed.
 */
import { z } from "zod";
import { type Indicator, indicators } from "../../core/objectives.ts";
import { type Complaint, leaf, listText } from "./problems.ts";

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const durationPattern = /^(\d+(?:\.\d+)?) ?(s|m|h|d)$/;

/** `90s`, `10m`, `24h` or `7d` in seconds; `undefined` for anything else. */
export function durationInSeconds(value: unknown): number | undefined {
  const [, amount, unit] = (typeof value === "string" && durationPattern.exec(value)) || [];
  const perUnit = secondsPer[unit ?? ""];
  return amount === undefined || perUnit === undefined
    ? undefined
    : Math.round(Number(amount) * perUnit * 1_000) / 1_000;
}

/** A duration between two others, in whole steps. The schema's value is in seconds. */
export function duration(range: {
  readonly minimum: string;
  readonly maximum: string;
  readonly example: string;
  /** Smallest step, itself a duration. @default 1s */
  readonly step?: string;
}): z.ZodType<number> {
  const minimum = durationInSeconds(range.minimum) ?? 0;
  const maximum = durationInSeconds(range.maximum) ?? 0;
  const step = durationInSeconds(range.step ?? "1s") ?? 1;
  const fits = (seconds: number): boolean => seconds >= minimum && seconds <= maximum && seconds % step === 0;
  const schema = z.unknown().transform((value, context) => {
    const seconds = durationInSeconds(value);
    if (seconds !== undefined && fits(seconds)) return seconds;
    context.addIssue({ code: "custom" });
    return z.NEVER;
  });
  return leaf(schema, (value): Complaint => {
    const expected = `a duration such as ${range.example}`;
    if (typeof value === "number" || (typeof value === "string" && /^\d+(\.\d+)?$/.test(value))) {
      return {
        wrong: "units missing",
        expected,
        wayOut: `Write the unit: ${value}s, ${value}m, ${value}h or ${value}d`,
      };
    }
    if (durationInSeconds(value) === undefined) return { wrong: "not a duration", expected };
    const inSteps = range.step ? ` in steps of ${range.step}` : "";
    return { wrong: "duration out of range", expected: `${range.minimum} to ${range.maximum}${inSteps}` };
  });
}

type Unit = (typeof indicators)[Indicator]["unit"];

/** What a value of a unit looks like. */
const examples: Readonly<Record<Unit, string>> = {
  percent: `a percentage such as "0.5%"`,
  milliseconds: `a time such as "500ms" or "0.5s"`,
  count: "a whole number such as 0",
  "per second": `a rate such as "5000/s"`,
  megabytes: `a size such as "120MB" or "1.5GB"`,
  "per minute": `a rate such as "10/min"`,
  seconds: `a time such as "30s" or "5m"`,
  "per hour": `a rate such as "100/h"`,
};

/** What a value of an indicator looks like. */
function exampleOf(indicator: Indicator): string {
  const { unit, badSide } = indicators[indicator];
  return unit === "percent" && badSide === "below" ? `a percentage such as "99.9%"` : examples[unit];
}

/** How many of a unit's own one of a written unit is; the first written unit is the one that values are told in. */
const writtenUnits: Readonly<Record<Exclude<Unit, "count">, Readonly<Record<string, number>>>> = {
  percent: { "%": 1 },
  milliseconds: { ms: 1, s: 1_000 },
  "per second": { "/s": 1 },
  megabytes: { MB: 1, GB: 1_000 },
  "per minute": { "/min": 1 },
  seconds: { s: 1, m: 60, h: 3_600 },
  "per hour": { "/h": 1 },
};

/** Of one core: many of them may be busy. Every other percentage is a share. Unit: percent. */
const mostCpuPercent = 10_000;

/** Largest value of an indicator that is a share or a use of cores; `undefined` where there is none. Unit: percent. */
export function mostPercent(indicator: Indicator): number | undefined {
  if (indicators[indicator].unit !== "percent") return undefined;
  return indicator === "cpu" ? mostCpuPercent : 100;
}

/** A share of 1 that was given a percent sign: nobody promises that less than a hundredth of the requests is answered. */
function isShareOfOne(indicator: Indicator, percent: number): boolean {
  return (indicator === "availability" || indicator === "success-rate") && percent > 0 && percent <= 1;
}

/** Binary fractions are not what people read. */
export function readable(value: number): number {
  return Number(value.toFixed(6));
}

function unitsMissing(value: unknown, indicator: Indicator, unit: Exclude<Unit, "count">): Complaint {
  const share = Number(value);
  const isShare = unit === "percent" && share > 0 && share < 1;
  const ways = isShare
    ? [`"${readable(share * 100)}%" for that share of 1`, `"${value}%" for that many percent`]
    : unit === "percent"
      ? [`"${value}%"`]
      : Object.keys(writtenUnits[unit]).map((written) => `"${value}${written}"`);
  return {
    wrong: "units missing",
    expected: exampleOf(indicator),
    wayOut: `Write the unit: ${listText(ways)}`,
  };
}

/** A bound or target in an indicator's unit: the number that rules use, or what is wrong with it. */
export function measure(value: unknown, indicator: Indicator): number | Complaint {
  const { unit } = indicators[indicator];
  const expected = exampleOf(indicator);
  if (value === undefined || value === null) return { wrong: "missing", expected };
  if (unit === "count") {
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
      ? value
      : { wrong: "must be a count", expected };
  }
  if (typeof value === "number" && (!Number.isFinite(value) || value < 0)) return { wrong: "not a value", expected };
  if (typeof value === "number" || (typeof value === "string" && /^\d+(\.\d+)?$/.test(value))) {
    return unitsMissing(value, indicator, unit);
  }
  const [, sign, amount, written = ""] =
    (typeof value === "string" && /^(-?)(\d{1,15}(?:\.\d{1,9})?) ?(%|[A-Za-z/]+)$/.exec(value)) || [];
  if (amount === undefined) return { wrong: "not a value with its unit", expected };
  const perWritten = writtenUnits[unit][written];
  if (perWritten === undefined) return { wrong: "wrong unit", expected };
  if (sign === "-") return { wrong: "must not be negative", expected };
  const number = readable(Number(amount) * perWritten);
  const most = mostPercent(indicator);
  if (most !== undefined && number > most) return { wrong: "percentage out of range", expected: `0% to ${most}%` };
  if (isShareOfOne(indicator, number)) {
    const wayOut = `Write "${readable(number * 100)}%" if that is the share meant`;
    return { wrong: "a share of 1 with a percent sign", expected: "more than 1%", wayOut };
  }
  if (unit === "milliseconds" && number === 0) return { wrong: "must be above zero", expected };
  return number;
}

/** A value as config has it; what `measure` reads as the same number. */
export function measureText(value: number, indicator: Indicator): string | number {
  const { unit } = indicators[indicator];
  if (unit === "count") return value;
  const [written = ""] = Object.keys(writtenUnits[unit]);
  return `${value}${written}`;
}

/** `90` as `90s`, `300` as `5m`, `86400` as `1d`: what `durationInSeconds` reads as the same number. */
export function durationText(seconds: number): string {
  const [unit, perUnit] = Object.entries(secondsPer)
    .reverse()
    .find(([, length]) => seconds >= length && seconds % length === 0) ?? ["s", 1];
  return `${seconds / perUnit}${unit}`;
}
