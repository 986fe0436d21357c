/**
 * Figures out of a CSV file, for who has neither account nor Prometheus at hand: `timestamp`, `service`, `requests`, `errors`, and a column for
 * each further indicator by its name (`latency-p95`, or `p95` for short). A row counts one interval from its timestamp on.
 */
import { parse } from "csv-parse/sync";
import { BadInputError } from "../../core/bad-input.ts";
import type { CountedInterval } from "../../core/error-budget.ts";
import { messageOf } from "../../core/error-message.ts";
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { type Indicator, indicators } from "../../core/objectives.ts";
import type { Instant } from "../../core/record.ts";
import type { DayValues } from "./source.ts";

/** All of one service. */
export interface CsvService {
  readonly service: string;
  readonly counts: readonly CountedInterval[];
  /** The rows' values, by indicator. */
  readonly values: Readonly<Partial<Record<Indicator, readonly { readonly at: Instant; readonly value: number }[]>>>;
}

const shortNames: Readonly<Record<string, Indicator>> = { p50: "latency-p50", p95: "latency-p95", p99: "latency-p99" };
const fixedColumns = ["timestamp", "service", "requests", "errors"];
/** A file of a quarter by the minute and ten services; more is a mistake. */
const mostRows = 1_500_000;
/** Problems named one by one; a file of the wrong kind has one a row. */
const mostProblems = 20;

/**
 * Reads a file's text.
 * @param name of the file, for messages
 * @throws BadInputError with every problem, up to twenty
 */
export function readCsv(name: string, text: string): readonly CsvService[] {
  const problems: string[] = [];
  const rows = rowsOf(name, text);
  const [head = [], ...body] = rows;
  const columns = head.map((column) => column.trim().toLowerCase());
  for (const column of fixedColumns) {
    if (!columns.includes(column))
      problems.push(`${name}: column ${column} is missing; expected ${fixedColumns.join(", ")}`);
  }
  const indicatorAt = columns.map((column, index): Indicator | undefined => {
    if (fixedColumns.includes(column)) return undefined;
    const indicator = shortNames[column] ?? column;
    if (Object.hasOwn(indicators, indicator)) return indicator as Indicator;
    problems.push(
      `${name}: column ${index + 1} is unknown, got ${JSON.stringify(column.slice(0, 60))}; expected ${fixedColumns.join(", ")} or an indicator such as latency-p95`,
    );
    return undefined;
  });
  const twice = columns.filter((column, index) => columns.indexOf(column) !== index);
  if (twice.length > 0)
    problems.push(`${name}: columns more than once, got ${[...new Set(twice)].join(", ")}; expected each once`);
  if (body.length === 0) problems.push(`${name}: no row; expected at least one`);
  if (body.length > mostRows) problems.push(`${name}: too many rows, got ${body.length}; expected at most ${mostRows}`);
  refuse(name, problems);
  const read = new Map<string, Row[]>();
  for (const [index, cells] of body.entries()) {
    if (problems.length > mostProblems) break;
    const row = rowOf(`${name}: row ${index + 2}`, columns, indicatorAt, cells, problems);
    if (!row) continue;
    const known = read.get(row.service);
    if (known) known.push(row);
    else read.set(row.service, [row]);
  }
  const services = [...read].map(([service, own]) => serviceOf(name, service, own, problems));
  refuse(name, problems);
  return services.sort((left, right) => (left.service < right.service ? -1 : 1));
}

function refuse(name: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, mostProblems);
  const more = problems.length > mostProblems ? [`${name}: and more, not shown`] : [];
  throw new BadInputError(
    `${name} has ${problems.length > mostProblems ? "many" : problems.length} problem${problems.length === 1 ? "" : "s"}:`,
    [...shown, ...more],
  );
}

function rowsOf(name: string, text: string): readonly (readonly string[])[] {
  try {
    return parse(text, { bom: true, trim: true, skip_empty_lines: true });
  } catch (error) {
    const reason = messageOf(error);
    throw new BadInputError(`${name} cannot be read:`, [`${name}: no CSV: ${reason}`]);
  }
}

interface Row {
  readonly service: string;
  readonly at: Instant;
  readonly requests: number;
  readonly errors: number;
  readonly values: readonly (readonly [Indicator, number])[];
}

function rowOf(
  place: string,
  columns: readonly string[],
  indicatorAt: readonly (Indicator | undefined)[],
  cells: readonly string[],
  problems: string[],
): Row | undefined {
  const before = problems.length;
  const cell = (column: string) => cells[columns.indexOf(column)] ?? "";
  const shown = (text: string) => JSON.stringify(text.slice(0, 60));
  const at = instantOf(cell("timestamp"));
  if (at === undefined) {
    problems.push(
      `${place}: timestamp: not a time, got ${shown(cell("timestamp"))}; expected ISO 8601 with its zone, or seconds or milliseconds since 1970`,
    );
  }
  const service = cell("service");
  if (!isSlug(service, maximumServiceLength)) {
    problems.push(
      `${place}: service: not a service name, got ${shown(service)}; expected at most ${maximumServiceLength} characters: ${slugRule}`,
    );
  }
  const number = (column: string, text: string): number => {
    const value = text === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    problems.push(`${place}: ${column}: not a number of 0 or more, got ${shown(text)}`);
    return 0;
  };
  const requests = number("requests", cell("requests"));
  const errors = number("errors", cell("errors"));
  if (errors > requests && problems.length === before) {
    problems.push(
      `${place}: errors: more than requests, got ${errors} of ${requests}; expected sums of the interval, not counters`,
    );
  }
  const values = indicatorAt.flatMap((indicator, index): [Indicator, number][] => {
    const text = cells[index] ?? "";
    // An empty cell is an interval in which this was not measured.
    return indicator === undefined || text === "" ? [] : [[indicator, number(columns[index] ?? indicator, text)]];
  });
  if (problems.length > before || at === undefined) return undefined;
  return { service, at, requests, errors, values };
}

function instantOf(text: string): Instant | undefined {
  if (/^\d{9,10}$/.test(text)) return Number(text) * 1_000;
  if (/^\d{12,13}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined;
  const at = Date.parse(text.replace(" ", "T"));
  return Number.isFinite(at) ? at : undefined;
}

function serviceOf(name: string, service: string, rows: readonly Row[], problems: string[]): CsvService {
  const sorted = rows.toSorted((left, right) => left.at - right.at);
  const steps = sorted.slice(1).map((row, index) => row.at - (sorted[index]?.at ?? 0));
  if (steps.includes(0)) {
    problems.push(
      `${name}: service ${service} has two rows of one time; expected one row an interval. Put its releases together first`,
    );
  }
  // One row alone says nothing of how long it counted.
  const shortest = Math.min(...(steps.some((step) => step > 0) ? steps.filter((step) => step > 0) : [3_600_000]));
  const values: Partial<Record<Indicator, { at: Instant; value: number }[]>> = {};
  for (const row of sorted) {
    for (const [indicator, value] of row.values) {
      const known = values[indicator];
      if (known) known.push({ at: row.at, value });
      else values[indicator] = [{ at: row.at, value }];
    }
  }
  return {
    service,
    counts: sorted.map(({ at, requests, errors }) => ({ at, seconds: shortest / 1_000, requests, errors })),
    values,
  };
}

/** Each day's worst row, for the objectives on those indicators. */
export function csvDays(
  { values }: CsvService,
  objectives: readonly { readonly name: string; readonly indicator: Indicator }[],
): DayValues {
  return Object.fromEntries(
    objectives.flatMap(({ name, indicator }) => {
      const points = values[indicator];
      if (!points) return [];
      const days = new Map<Instant, number>();
      for (const { at, value } of points) {
        const day = Math.floor(at / 86_400_000) * 86_400_000;
        const known = days.get(day);
        const worse = indicators[indicator].badSide === "above" ? Math.max : Math.min;
        days.set(day, known === undefined ? value : worse(known, value));
      }
      return [[name, [...days].map(([at, value]) => ({ at, value }))]];
    }),
  );
}
