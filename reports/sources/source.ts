/** Where the figures of a report come from, as a port; each source has its own adapter beside this file. */
import type { CountedInterval } from "../../core/error-budget.ts";
import type { Instant, Promises, RolloutRecord } from "../../core/record.ts";
import type { Signal } from "../../core/signals.ts";
import type { Measure } from "../../core/watch-rules.ts";

export interface Asked {
  readonly record: RolloutRecord;
  readonly promises: Promises;
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
}

/** From an instant up to another, exclusive. */
export type TimeSpan = Pick<Asked, "from" | "to">;

/** One value a day by objective. */
export type DayValues = Readonly<Record<string, readonly { readonly at: Instant; readonly value: number }[]>>;

export interface DaysRead {
  readonly values: DayValues;
  /** Objectives without a value, and why. */
  readonly gaps: readonly string[];
}

export interface ReportSource {
  /**
   * Requests and errors of the whole service, every release together, in the intervals of `partsOf`.
   * @param asked.fine times that are read by five minutes, where the source can. @default none but hours that are asked for in part
   */
  counts(asked: Asked & { readonly fine?: readonly TimeSpan[] }): Promise<readonly CountedInterval[]>;
  /** Objectives that are not counts of requests and errors; a day that nothing was measured on is left out. */
  days(asked: Asked): Promise<DaysRead>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * A time in the parts that it is read in, oldest first, without overlap or hole: by the hour, and by five minutes where an hour belongs to it
 * in part only, since no part of an hourly sum can be told from the rest, or where `fine` asks for it.
 */
export function partsOf({
  from,
  to,
  fine = [],
}: TimeSpan & { readonly fine?: readonly TimeSpan[] }): readonly (TimeSpan & { readonly seconds: 300 | 3_600 })[] {
  const parts: { readonly from: Instant; to: Instant; readonly seconds: 300 | 3_600 }[] = [];
  for (let hour = Math.floor(from / hourMs) * hourMs; hour < to; hour += hourMs) {
    const end = hour + hourMs;
    const isFine = hour < from || end > to || fine.some((span) => span.from < end && span.to > hour);
    const seconds = isFine ? 300 : 3_600;
    const last = parts.at(-1);
    if (last?.seconds === seconds) last.to = Math.min(end, to);
    else parts.push({ from: Math.max(hour, from), to: Math.min(end, to), seconds });
  }
  return parts;
}

/** Signals that may have no point because nothing happened: nobody reports an error that there was not. */
const countedOnlyWhenBad: ReadonlySet<Signal> = new Set(["errors", "connection-errors", "failed-runs", "refused-runs"]);

/** Signals of a measure that must have been reported for it to have a value: what nobody counts is not 0. */
export function mustBeReported(measure: Measure): readonly Signal[] {
  switch (measure.kind) {
    case "ratio":
      return [...new Set([...measure.part, ...measure.whole])].filter((signal) => !countedOnlyWhenBad.has(signal));
    case "quotient":
      return [measure.part, measure.whole];
    case "sum":
      return measure.signals.filter((signal) => !countedOnlyWhenBad.has(signal));
    case "percentile":
    case "gauge":
      return [measure.signal];
  }
}

/** `rejects: rate-limit-rejects was never reported in this period`. */
export function neverReported(objective: string, signals: readonly Signal[]): string {
  return `${objective}: ${signals.join(", ")} ${signals.length === 1 ? "was" : "were"} never reported in this period`;
}

/** Begins of the UTC days that a range touches. */
export function daysIn({ from, to }: Pick<Asked, "from" | "to">): readonly Instant[] {
  const first = Math.floor(from / dayMs) * dayMs;
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / dayMs)) }, (_, index) => first + index * dayMs);
}
