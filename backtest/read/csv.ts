/** Series out of a CSV: `timestamp` first, a column for each series; a row counts the interval from its time on. */
import { parse } from "csv-parse/sync";
import type { RawSeries } from "../../core/backtest/recorded.ts";
import { messageOf } from "../../core/error-message.ts";
import { instantOf, numberOf, type Zone } from "./times.ts";

/** Problems of one kind are shown once, with their number: a file of the wrong kind has one a row. */
export function csvSeries(file: string, text: string, zone: Zone, problems: string[]): RawSeries[] {
  let rows: readonly (readonly string[])[];
  try {
    rows = parse(text, { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    problems.push(`${file}: malformed CSV (${messageOf(error)}); expected a header timestamp,… and rows as wide as it`);
    return [];
  }
  const [head = [], ...body] = rows;
  if (head[0]?.toLowerCase() !== "timestamp" || head.length < 2) {
    problems.push(
      `${file}: no header, got ${JSON.stringify(head.join(",").slice(0, 80))}; expected timestamp and a column for each series`,
    );
    return [];
  }
  const twice = head.filter((column, index) => head.indexOf(column) !== index);
  if (twice.length > 0) {
    problems.push(`${file}: columns more than once, got ${[...new Set(twice)].join(", ")}; expected each once`);
    return [];
  }
  const times = new Float64Array(body.length);
  const bad = { zone: 0, time: 0, first: "" };
  body.forEach(([written = ""], row) => {
    const at = instantOf(written, zone);
    if (typeof at === "number") {
      times[row] = at;
      return;
    }
    const kind = at === "zone" ? "zone" : "time";
    if (bad.time + bad.zone === 0) bad.first = `row ${row + 2}: ${JSON.stringify(written.slice(0, 40))}`;
    bad[kind] += 1;
  });
  if (bad.zone > 0) {
    problems.push(
      `${file}: ${bad.zone} times without a zone, the first ${bad.first}; expected one. State --zone utc, or an offset such as --zone +01:00`,
    );
  }
  if (bad.time > 0) {
    problems.push(
      `${file}: ${bad.time} times that cannot be read, the first ${bad.first}; expected ISO 8601, or seconds or milliseconds since 1970`,
    );
  }
  if (bad.zone + bad.time > 0) return [];
  return head.slice(1).map((name, place): RawSeries => {
    const values = new Float64Array(body.length);
    let count = 0;
    let first = "";
    body.forEach((cells, row) => {
      const written = cells[place + 1] ?? "";
      const value = numberOf(written);
      if (value === undefined) {
        if (count === 0) first = `in row ${row + 2}: ${JSON.stringify(written.slice(0, 40))}`;
        count += 1;
      }
      values[row] = value ?? Number.NaN;
    });
    return { file, name, times, values, stamped: "start", ...(count > 0 ? { unreadable: { count, first } } : {}) };
  });
}
