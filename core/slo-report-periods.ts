/**
 * When reports are due and what they cover (D6): ISO weeks, Monday to Monday, told on the Monday after at 09:00; quarters, told on the first
 * day of the next at 09:00. All UTC, so no day has 23 hours.
 */
import { DateTime } from "luxon";
import type { Instant } from "./record.ts";

/** What one report covers. */
export interface ReportPeriod {
  readonly kind: "week" | "quarter";
  /** `2026-W47`, `2026-Q4`. */
  readonly label: string;
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  readonly dueAt: Instant;
}

/** Hour of the day at which reports are due, UTC. Source: requirement D6. */
const dueHour = 9;
/** How long a report that nobody took is tried again. Unit: milliseconds. */
export const triedForMilliseconds = 24 * 3_600_000;

const utc = (at: Instant) => DateTime.fromMillis(at, { zone: "utc" });

function periodFrom(kind: ReportPeriod["kind"], begin: DateTime): ReportPeriod {
  const end = kind === "week" ? begin.plus({ weeks: 1 }) : begin.plus({ quarters: 1 });
  return {
    kind,
    label: kind === "week" ? begin.toFormat("kkkk-'W'WW") : begin.toFormat("yyyy-'Q'q"),
    from: begin.toMillis(),
    to: end.toMillis(),
    dueAt: end.plus({ hours: dueHour }).toMillis(),
  };
}

/** The newest period whose report is due. */
export function latestDue(kind: ReportPeriod["kind"], now: Instant): ReportPeriod {
  const current = utc(now).startOf(kind);
  const one = kind === "week" ? { weeks: 1 } : { quarters: 1 };
  const last = periodFrom(kind, current.minus(one));
  return last.dueAt <= now ? last : periodFrom(kind, current.minus(one).minus(one));
}

/** The ISO week of an instant. */
export function weekOf(at: Instant): ReportPeriod {
  return periodFrom("week", utc(at).startOf("week"));
}

/** A period by its label; `undefined` where there is none such, as week 53 of most years. */
export function periodNamed(label: string): ReportPeriod | undefined {
  const quarter = /^(\d{4})-Q([1-4])$/.exec(label);
  if (quarter) {
    return periodFrom("quarter", DateTime.utc(Number(quarter[1]), (Number(quarter[2]) - 1) * 3 + 1));
  }
  const week = /^(\d{4})-W(\d\d)$/.exec(label);
  if (!week) return undefined;
  const begin = DateTime.fromObject({ weekYear: Number(week[1]), weekNumber: Number(week[2]) }, { zone: "utc" });
  if (!begin.isValid) return undefined;
  const period = periodFrom("week", begin.startOf("week"));
  return period.label === label ? period : undefined;
}

/** Days of a period. */
export function daysOf({ from, to }: Pick<ReportPeriod, "from" | "to">): number {
  return (to - from) / 86_400_000;
}
