/**
 * Change freezes as a calendar: windows in the local time of an IANA zone, once or every week. Pure; the instant comes from outside.
 *
 * Where a clock is set back, a local time happens twice: a window begins at the first and ends at the second. Where it is set forward,
 * a local time does not happen at all: the window then begins and ends by whichever of the two offsets makes it longer. Of both, what
 * is in doubt is frozen.
 */
import { DateTime, IANAZone } from "luxon";

/** As written in the stack's config or the policy's. Either both ends are local times, or both are times of the week. */
export interface FreezeWindow {
  readonly name: string;
  /** IANA name, such as Europe/Berlin. */
  readonly timeZone: string;
  /** `2026-12-18T16:00`, or `Fri 16:00`. In the freeze. */
  readonly from: string;
  /** `2027-01-04T08:00`, or `Mon 08:00`. No longer in it. */
  readonly to: string;
}

export interface ReadFreezes {
  /** Every reason why the windows cannot be trusted; empty when all of them are fine. */
  readonly problems: readonly string[];
  /** Those that are fine, as written. */
  readonly windows: readonly FreezeWindow[];
  /** The freezes that hold at an instant, by name with their end. Meaningless while there are problems. */
  activeAt(now: Date): readonly { readonly name: string; readonly endsAt: string }[];
}

interface Span {
  readonly startMillis: number;
  readonly endMillis: number;
}

type Kind =
  | { readonly kind: "once"; readonly from: LocalTime; readonly to: LocalTime }
  | { readonly kind: "weekly"; readonly from: WeekTime; readonly to: WeekTime };

/** A wall clock's reading as if it were UTC. Unit: milliseconds. */
type LocalTime = number;
/** Minutes since Monday 00:00. */
type WeekTime = number;

const minuteMillis = 60_000;
const dayMillis = 24 * 60 * minuteMillis;
const weekMinutes = 7 * 24 * 60;
const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const onceShape = "a local time such as 2026-12-18T16:00";
const weeklyShape = "a time of the week such as Fri 16:00";
const keys: readonly string[] = ["name", "timeZone", "from", "to"];

/**
 * Reads every window; what is wrong with one says so, and is never left out.
 * @param place where they are written, for messages
 */
export function readFreezes(raw: unknown, place = "windows"): ReadFreezes {
  const problems: string[] = [];
  const read: { window: FreezeWindow; zone: IANAZone; kind: Kind }[] = [];
  if (!Array.isArray(raw)) {
    problems.push(`${place}: not a list, got ${JSON.stringify(raw)}; expected a list of windows. Write []`);
  } else {
    raw.forEach((entry: unknown, index) => {
      const window = readWindow(entry, `${place}[${index}]`, problems);
      if (!window) return;
      if (read.some((other) => other.window.name === window.window.name)) {
        problems.push(
          `${place}[${index}].name: named twice, got ${JSON.stringify(window.window.name)}; expected a name of its own. Rename it`,
        );
      }
      read.push(window);
    });
  }
  return {
    problems,
    windows: read.map(({ window }) => window),
    activeAt: (now) =>
      read.flatMap(({ window, zone, kind }) => {
        const nowMillis = now.getTime();
        const holds = spansAround(kind, zone, nowMillis).filter(
          ({ startMillis, endMillis }) => startMillis <= nowMillis && nowMillis < endMillis,
        );
        if (holds.length === 0) return [];
        const end = Math.max(...holds.map(({ endMillis }) => endMillis));
        return [{ name: window.name, endsAt: DateTime.fromMillis(end, { zone }).toFormat("yyyy-MM-dd HH:mm z") }];
      }),
  };
}

function readWindow(entry: unknown, place: string, problems: string[]) {
  const before = problems.length;
  const given: Readonly<Record<string, unknown>> =
    typeof entry === "object" && entry !== null && !Array.isArray(entry) ? { ...entry } : {};
  const [name = "", timeZone = "", from = "", to = ""] = keys.map((key) => {
    const value = given[key];
    if (typeof value === "string" && value.trim() !== "") return value;
    problems.push(`${place}.${key}: missing, got ${JSON.stringify(value) ?? "nothing"}; expected a text. Write it`);
    return "";
  });
  for (const key of Object.keys(given).filter((key) => !keys.includes(key))) {
    problems.push(
      `${place}.${key}: unknown, got ${JSON.stringify(given[key])}; expected ${keys.join(", ")}. Remove it`,
    );
  }
  if (problems.length > before) return undefined;
  if (!IANAZone.isValidZone(timeZone)) {
    problems.push(
      `${place}.timeZone: no such zone, got ${JSON.stringify(timeZone)}; expected an IANA name such as Europe/Berlin. Name one`,
    );
  }
  const kind = readEnds(from, to, place, problems);
  if (!kind || problems.length > before) return undefined;
  return { window: { name, timeZone, from, to }, zone: IANAZone.create(timeZone), kind };
}

function readEnds(from: string, to: string, place: string, problems: string[]): Kind | undefined {
  const ends = { from, to };
  const once = { from: localTime(from), to: localTime(to) };
  const weekly = { from: weekTime(from), to: weekTime(to) };
  for (const end of ["from", "to"] as const) {
    if (once[end] !== undefined || weekly[end] !== undefined) continue;
    const got = JSON.stringify(ends[end]);
    problems.push(`${place}.${end}: not a time, got ${got}; expected ${onceShape}, or ${weeklyShape}. No zone here`);
  }
  if (once.from !== undefined && once.to !== undefined) {
    if (once.from < once.to) return { kind: "once", from: once.from, to: once.to };
    problems.push(`${place}.to: does not come after from, got ${to} after ${from}; expected a later time. Swap them`);
  } else if (weekly.from !== undefined && weekly.to !== undefined) {
    if (weekly.from !== weekly.to) return { kind: "weekly", from: weekly.from, to: weekly.to };
    problems.push(
      `${place}.to: the same as from, got ${to}; expected another time. A freeze for good is no window: pause instead`,
    );
  } else if ((once.from ?? weekly.from) !== undefined && (once.to ?? weekly.to) !== undefined) {
    problems.push(
      `${place}: mixes a date and a weekday, got from ${from}, to ${to}; expected both alike. Write two dates, or two weekdays`,
    );
  }
  return undefined;
}

function localTime(text: string): LocalTime | undefined {
  // Strict: luxon would take a zone, a week date or a bare year, too.
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)) return undefined;
  const read = DateTime.fromISO(text, { zone: "utc" });
  return read.isValid ? read.toMillis() : undefined;
}

function weekTime(text: string): WeekTime | undefined {
  const [, day = "", hours = "", minutes = ""] = /^([A-Za-z]{3}) ([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  const index = weekdays.indexOf(day.toLowerCase());
  return index < 0 ? undefined : (index * 24 + Number(hours)) * 60 + Number(minutes);
}

function spansAround(kind: Kind, zone: IANAZone, nowMillis: number): Span[] {
  if (kind.kind === "once") return [spanOf(kind.from, kind.to, zone)];
  const local = nowMillis + zone.offset(nowMillis) * minuteMillis;
  const monday = DateTime.fromMillis(local, { zone: "utc" }).startOf("week").toMillis();
  const length = (kind.to - kind.from + weekMinutes) % weekMinutes;
  return [-1, 0, 1].map((week) => {
    const from = monday + (week * weekMinutes + kind.from) * minuteMillis;
    return spanOf(from, from + length * minuteMillis, zone);
  });
}

function spanOf(from: LocalTime, to: LocalTime, zone: IANAZone): Span {
  return { startMillis: Math.min(...instantsOf(from, zone)), endMillis: Math.max(...instantsOf(to, zone)) };
}

/** Every instant at which the zone's clocks show a local time; where none does, what each of the offsets around makes of it. */
function instantsOf(local: LocalTime, zone: IANAZone): number[] {
  const offsets = [local - dayMillis, local + dayMillis].map((millis) => zone.offset(millis));
  const candidates = offsets.map((minutes) => ({ minutes, millis: local - minutes * minuteMillis }));
  const shown = candidates.filter(({ minutes, millis }) => zone.offset(millis) === minutes);
  return (shown.length > 0 ? shown : candidates).map(({ millis }) => millis);
}
