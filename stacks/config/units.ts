/**
 * Quantities as people write them: every one carries its unit, in the value (`24h`, `5%`, `500ms`) or in the key's name
 * (`stickinessSeconds`). A bare number where a unit belongs is refused, never guessed.
 */
import { z } from "zod";
import type { indicators } from "../../core/objectives.ts";
import { type Complaint, leaf } from "./problems.ts";

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

type Unit = (typeof indicators)[keyof typeof indicators]["unit"];

/** What a value of a unit looks like. */
const examples: Partial<Record<Unit, string>> = {
  percent: `a percentage such as "0.5%"`,
  milliseconds: `a time such as "500ms" or "0.5s"`,
  count: "a whole number such as 0",
};

/** A bound or target in an indicator's unit: the number that alarms use, or what is wrong with it. */
export function measure(value: unknown, unit: Unit): number | Complaint {
  const expected = examples[unit] ?? "nothing: this cannot be measured yet";
  if (value === undefined || value === null) return { wrong: "missing", expected };
  if (unit === "count") {
    return typeof value === "number" && Number.isInteger(value) && value >= 0
      ? value
      : { wrong: "must be a count", expected };
  }
  if (typeof value === "number" || (typeof value === "string" && /^\d+(\.\d+)?$/.test(value))) {
    return {
      wrong: "units missing",
      expected,
      wayOut: `Write the unit: ${unit === "percent" ? `"${value}%"` : `"${value}ms" or "${value}s"`}`,
    };
  }
  const [, amount, written] = (typeof value === "string" && /^(\d+(?:\.\d+)?) ?(%|ms|s)$/.exec(value)) || [];
  if (amount === undefined) return { wrong: "not a value with its unit", expected };
  if (unit === "percent" && written === "%") {
    return Number(amount) <= 100 ? Number(amount) : { wrong: "percentage out of range", expected: "0% to 100%" };
  }
  if (unit === "milliseconds" && written !== "%") {
    const milliseconds = Math.round(Number(amount) * (written === "s" ? 1_000_000 : 1_000)) / 1_000;
    return milliseconds > 0 ? milliseconds : { wrong: "must be above zero", expected };
  }
  return { wrong: "wrong unit", expected };
}
