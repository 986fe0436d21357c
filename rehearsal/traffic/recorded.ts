/**
 * Recorded traffic: a CSV `timestamp,value` with counts per interval, as CloudWatch exports them, becomes a rate over time.
 * Times are UTC, whatever the machine's zone. The counts are taken as they are unless scaled.
 */
import { parse } from "csv-parse/sync";
import { BadInputError } from "../../core/bad-input.ts";
import { messageOf } from "../../core/error-message.ts";
import type { Instant } from "../../core/record.ts";

export interface RecordedTraffic {
  /** The median gap between rows. Unit: seconds. */
  readonly intervalSeconds: number;
  readonly rowCount: number;
  /** From the first row to one interval after the last. Unit: seconds. */
  readonly spanSeconds: number;
  /** Over the whole span, scaled. Unit: requests per second. */
  readonly meanRatePerSecond: number;
  /** Scaled rate, `elapsedMilliseconds` after the recording's first row; from its start again when it ends. Unit: requests per second. */
  rateAt(elapsedMilliseconds: number): number;
}

interface Row {
  readonly at: Instant;
  readonly value: number;
}

const timestampForm = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})Z?$/;

/** UTC, or undefined for what is no such time (31 February is none). */
function instantOf(text: string): Instant | undefined {
  const match = timestampForm.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const same = new Date(at).toISOString().startsWith(text.slice(0, 19).replace(" ", "T"));
  return same ? at : undefined;
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function recordsOf(text: string, place: string): CsvRecord[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as CsvRecord[];
  } catch (error) {
    const detail = messageOf(error);
    throw new BadInputError(`${place} cannot be read (1 problem):`, [`${place}: malformed CSV, ${detail}`]);
  }
}

function rowsOf(records: readonly CsvRecord[], place: string, problems: string[]): Row[] {
  const [header, ...body] = records;
  const names = header?.record ?? [];
  if (names.length !== 2 || names[0] !== "timestamp" || names[1] !== "value") {
    problems.push(
      `${place} line ${header?.info.lines ?? 1}: no header, got ${names.join(",") || "nothing"}; expected timestamp,value`,
    );
  }
  const headless = names.length === 2 && instantOf(names[0] ?? "") !== undefined;
  const rows: Row[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (const { record, info } of headless ? records : body) {
    const line = `${place} line ${info.lines}`;
    const [timestamp = "", written = ""] = record;
    if (record.length !== 2) {
      problems.push(`${line}: wrong number of columns, got ${record.length}; expected 2: timestamp,value`);
      continue;
    }
    const at = instantOf(timestamp);
    if (at === undefined) {
      problems.push(
        `${line}: timestamp cannot be read, got ${timestamp || "nothing"}; expected 2014-04-10 00:04:00, UTC`,
      );
    } else if (at <= latest) {
      problems.push(`${line}: timestamp does not rise, got ${timestamp}; expected one after ${timeText(latest)}`);
    }
    if (at !== undefined) latest = Math.max(latest, at);
    const value = written === "" ? Number.NaN : Number(written);
    if (!Number.isFinite(value) || value < 0) {
      problems.push(`${line}: value is no count, got ${written || "nothing"}; expected a number from 0`);
    }
    rows.push({ at: at ?? latest, value });
  }
  return rows;
}

function timeText(at: Instant): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/**
 * Reads a recording; `place` names the file in messages.
 * A gap longer than the interval keeps the rate of the row before it: a recorder that skips a row does not stop the traffic.
 *
 * @throws BadInputError with every problem and its line
 */
export function parseRecordedTraffic(text: string, options: { place: string; scale?: number }): RecordedTraffic {
  const { place, scale = 1 } = options;
  const problems: string[] = [];
  if (!Number.isFinite(scale) || scale <= 0) {
    problems.push(`--scale: not a factor, got ${scale}; expected a number above 0`);
  }
  const rows = rowsOf(recordsOf(text, place), place, problems);
  if (rows.length < 2) {
    problems.push(`${place}: too few rows to tell the interval, got ${rows.length}; expected 2 or more`);
  }
  if (problems.length > 0) {
    const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
    throw new BadInputError(`${place} cannot be used (${count}):`, problems);
  }

  const startedAt = rows[0]?.at ?? 0;
  const gaps = rows.slice(1).map((row, index) => row.at - (rows[index]?.at ?? row.at));
  gaps.sort((left, right) => left - right);
  const intervalMs = gaps[Math.floor(gaps.length / 2)] ?? 0;
  const offsets = Float64Array.from(rows, (row) => row.at - startedAt);
  const rates = Float64Array.from(rows, (row) => (scale * row.value * 1_000) / intervalMs);
  const spanMs = (offsets.at(-1) ?? 0) + intervalMs;
  const requests = rates.reduce(
    (sum, rate, index) => sum + (rate * ((offsets[index + 1] ?? spanMs) - (offsets[index] ?? 0))) / 1_000,
    0,
  );

  return {
    intervalSeconds: intervalMs / 1_000,
    rowCount: rows.length,
    spanSeconds: spanMs / 1_000,
    meanRatePerSecond: (requests * 1_000) / spanMs,
    rateAt(elapsedMilliseconds) {
      const offset = ((elapsedMilliseconds % spanMs) + spanMs) % spanMs;
      let low = 0;
      let high = offsets.length - 1;
      // Invariant: the row at `low` starts at or before the offset, the one after `high` later.
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if ((offsets[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      return rates[low] ?? 0;
    },
  };
}
