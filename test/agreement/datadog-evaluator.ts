/**
 * Datadog's metric monitors on a series, written against its documentation, and knowing nothing of how our queries come about. What is not
 * modelled is refused by name.
 *
 * Source (all read 2026-11): "as_count() in Monitor Evaluations" (with `as_count()` every count is put together over the window before the
 * arithmetic), "Monitor Arithmetic and Sparse Metrics" (a division by 0 is no value; a missing count has no part in a sum), "Metric Monitor"
 * (threshold: the aggregate of the window; change: the difference to the series N ago, aggregated over the window), "Rollup" (buckets are
 * aligned to UTC), "Distributions" (percentiles are of all samples; thresholds `count(v: v>N)`), "Configure Monitors" (evaluated each
 * minute; `evaluation_delay` moves the window back).
 * Assumes what it does not say: a window takes in its start and not its end; points of gauges are not interpolated, since releases report
 * every 10 s; of several groups one that alerts is enough.
 */
import { datadogName, type ReportedSignal, reportedSignals } from "../../core/signals.ts";
import {
  type AgreementSeries,
  agreementPlace,
  type ReleaseSeries,
  releasesOf,
  type ScalarSignal,
  stepCount,
  stepSeconds,
} from "./series.ts";

/** As the API takes it. */
export interface Monitor {
  readonly query: string;
  readonly evaluationDelaySeconds: number;
}

export type MonitorState = "ALERT" | "OK" | "NO_DATA";

/** Datadog may know it, this evaluator does not. */
export class NotEvaluatedError extends Error {
  override readonly name = "NotEvaluatedError";
}

interface Leaf {
  readonly kind: "leaf";
  readonly aggregator: string;
  /** Samples above it are counted. */
  readonly over?: number;
  readonly signal: ReportedSignal;
  readonly tags: Readonly<Record<string, string>>;
  readonly isCount: boolean;
  readonly rollup?: { readonly aggregator: string; readonly seconds: number };
}
type Expression =
  | Leaf
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "call"; readonly name: string; readonly of: Expression; readonly by: number };

interface Parsed {
  readonly aggregator: string;
  readonly windowSeconds: number;
  /** Of a change: how long ago it is compared with. Unit: seconds. */
  readonly changeSeconds?: number;
  readonly expression: Expression;
  readonly operator: ">" | "<";
  readonly threshold: number;
}

const signalOf = new Map(
  (Object.keys(reportedSignals) as ReportedSignal[]).map((signal) => [datadogName(signal), signal]),
);

function secondsOf(window: string): number {
  const match = /^last_(\d+)([mh])$/.exec(window);
  if (!match) throw new NotEvaluatedError(`window ${window}; expected last_5m or last_1h`);
  return Number(match[1]) * (match[2] === "h" ? 3_600 : 60);
}

function parseMonitor(query: string): Parsed {
  const change = /^pct_change\((\w+)\((\w+)\),(\w+)\):(.+) ([<>]) (-?[\d.]+)$/s.exec(query);
  const plain = /^(\w+)\((last_\w+)\):(.+) ([<>]) (-?[\d.]+)$/s.exec(query);
  const [aggregator, window, changeWindow, body, operator, threshold] = change
    ? [change[1], change[2], change[3], change[4], change[5], change[6]]
    : [plain?.[1], plain?.[2], undefined, plain?.[3], plain?.[4], plain?.[5]];
  if (!aggregator || !window || !body || (operator !== ">" && operator !== "<")) {
    throw new NotEvaluatedError(`query ${query}: its shape; expected aggregator(window):formula > number`);
  }
  return {
    aggregator,
    windowSeconds: secondsOf(window),
    ...(changeWindow === undefined ? {} : { changeSeconds: secondsOf(changeWindow) }),
    expression: new Parser(body).whole(),
    operator,
    threshold: Number(threshold),
  };
}

const leafShape =
  /([a-z]+\d*)(?:\(v: v>([\d.]+)\))?:([a-z_.]+)\{([^}]*)\}(?: by \{release\})?(\.as_count\(\))?(?:\.rollup\((?:(\w+), ?)?(\d+)\))?/y;
const numberShape = /\d+(?:\.\d+)?/y;
const nameShape = /[a-z_]+\d*(?=\()/y;
const functions = ["is_greater", "timeshift", "clamp_min", "log10"];

/** Numbers, + - * /, brackets, four functions, and metric queries. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#sum();
    if (this.#at < this.#text.length) this.#refuse("what follows");
    return expression;
  }

  #refuse(what: string): never {
    throw new NotEvaluatedError(`formula ${this.#text}: ${what} at ${this.#at}: ${this.#text.slice(this.#at)}`);
  }

  #skip(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(shape: RegExp): RegExpExecArray | null {
    this.#skip();
    shape.lastIndex = this.#at;
    const match = shape.exec(this.#text);
    if (match) this.#at = shape.lastIndex;
    return match;
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      const operator = this.#take("+") ? "+" : this.#take("-") ? "-" : undefined;
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: this.#product() };
    }
  }

  #product(): Expression {
    let left = this.#factor();
    for (;;) {
      const operator = this.#take("*") ? "*" : this.#take("/") ? "/" : undefined;
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: this.#factor() };
    }
  }

  #number(): number {
    const sign = this.#take("-") ? -1 : 1;
    const match = this.#match(numberShape);
    if (!match) this.#refuse("no number");
    return sign * Number(match[0]);
  }

  #factor(): Expression {
    if (this.#take("(")) {
      const inner = this.#sum();
      if (!this.#take(")")) this.#refuse("no closing bracket");
      return inner;
    }
    const leaf = this.#match(leafShape);
    if (leaf) return leafOf(leaf);
    const name = this.#match(nameShape)?.[0];
    if (name !== undefined) {
      if (!functions.includes(name)) this.#refuse(`the function ${name}`);
      this.#take("(");
      const of = this.#sum();
      const isAlone = name === "log10";
      if (!isAlone && !this.#take(",")) this.#refuse("no second argument");
      const by = isAlone ? 10 : this.#number();
      if (!this.#take(")")) this.#refuse("no closing bracket");
      return { kind: "call", name, of, by };
    }
    return { kind: "number", value: this.#number() };
  }
}

function leafOf(match: RegExpExecArray): Leaf {
  const [text, aggregator = "", over, metric = "", tags = "", asCount, rollupAggregator, rollupSeconds] = match;
  const signal = signalOf.get(metric);
  if (!signal) throw new NotEvaluatedError(`${text}: the metric ${metric}, which nothing reports`);
  return {
    kind: "leaf",
    aggregator,
    ...(over === undefined ? {} : { over: Number(over) }),
    signal,
    tags: Object.fromEntries(
      tags.split(",").map((tag) => [tag.slice(0, tag.indexOf(":")), tag.slice(tag.indexOf(":") + 1)]),
    ),
    isCount: asCount !== undefined,
    ...(rollupSeconds === undefined
      ? {}
      : { rollup: { aggregator: rollupAggregator ?? "avg", seconds: Number(rollupSeconds) } }),
  };
}

/** One group of a monitor: the releases whose points it reads. */
type Group = readonly ReleaseSeries[];

function groupsOf(query: string, series: AgreementSeries): Group[] {
  const releases = releasesOf(series);
  return query.includes(" by {release}") ? releases.map((release) => [release]) : [releases];
}

function matching({ tags }: Leaf, group: Group): ReleaseSeries[] {
  const place: Readonly<Record<string, string>> = agreementPlace;
  const { release: wanted, ...others } = tags;
  if (Object.entries(others).some(([key, value]) => place[key] !== value)) return [];
  return group.filter(({ releaseKey }) => wanted === undefined || wanted === releaseKey);
}

/** Everything a leaf has in one span of steps: values of a scalar, or samples with their counts. */
function samples(
  leaf: Leaf,
  group: Group,
  from: number,
  to: number,
): { values: number[]; weighted: [number, number][] } {
  const values: number[] = [];
  const weighted: [number, number][] = [];
  for (const release of matching(leaf, group)) {
    for (let step = Math.max(0, from); step < Math.min(stepCount, to); step += 1) {
      const reported = release.steps[step];
      if (!reported) continue;
      if (leaf.signal === "latency") for (const [value, count] of reported.latencies) weighted.push([value, count]);
      else values.push(reported.values[leaf.signal as ScalarSignal]);
    }
  }
  return { values, weighted };
}

function aggregate(aggregator: string, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (aggregator) {
    case "sum":
      return sum;
    case "avg":
      return sum / values.length;
    case "max":
      return Math.max(...values);
    case "min":
      return Math.min(...values);
    default:
      throw new NotEvaluatedError(`the aggregator ${aggregator}`);
  }
}

const known = new WeakMap<ReleaseSeries, Map<string, number | undefined>>();

/** What one leaf comes to in a span; `undefined`: it has no point. Remembered: many monitors ask for the same. */
function valueIn(leaf: Leaf, group: Group, from: number, to: number): number | undefined {
  const [only, ...more] = matching(leaf, group);
  if (!only) return undefined;
  if (more.length > 0) return valueAnew(leaf, group, from, to);
  const values = known.get(only) ?? new Map<string, number | undefined>();
  known.set(only, values);
  const key = `${from} ${to} ${leaf.signal} ${leaf.aggregator} ${leaf.over} ${leaf.rollup?.aggregator}`;
  if (!values.has(key)) values.set(key, valueAnew(leaf, group, from, to));
  return values.get(key);
}

function valueAnew(leaf: Leaf, group: Group, from: number, to: number): number | undefined {
  const { values, weighted } = samples(leaf, group, from, to);
  if (leaf.signal !== "latency") return aggregate(leaf.rollup?.aggregator ?? leaf.aggregator, values);
  if (weighted.length === 0) return undefined;
  if (leaf.aggregator === "count") {
    return weighted.reduce(
      (sum, [value, count]) => (leaf.over === undefined || value > leaf.over ? sum + count : sum),
      0,
    );
  }
  const percent = Number(/^p(\d+)$/.exec(leaf.aggregator)?.[1] ?? Number.NaN);
  if (Number.isNaN(percent)) throw new NotEvaluatedError(`the aggregator ${leaf.aggregator} of a distribution`);
  weighted.sort(([left], [right]) => left - right);
  const all = weighted.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [value, count] of weighted) {
    seen += count;
    if (seen >= (percent / 100) * all) return value;
  }
  return undefined;
}

type ValueOf = (leaf: Leaf, shiftSeconds: number) => number | undefined;

/** Arithmetic on what the leaves came to. A division by 0 is no value, and what is made of no value is none. */
function computed(expression: Expression, leafValue: ValueOf, shiftSeconds = 0): number | undefined {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "leaf":
      return leafValue(expression, shiftSeconds);
    case "call": {
      const shift = expression.name === "timeshift" ? shiftSeconds + expression.by : shiftSeconds;
      const value = computed(expression.of, leafValue, shift);
      if (value === undefined || expression.name === "timeshift") return value;
      if (expression.name === "log10") return value > 0 ? Math.log10(value) : undefined;
      return expression.name === "is_greater" ? Number(value > expression.by) : Math.max(value, expression.by);
    }
    case "binary": {
      const left = computed(expression.left, leafValue, shiftSeconds);
      const right = computed(expression.right, leafValue, shiftSeconds);
      if (left === undefined || right === undefined) return undefined;
      switch (expression.operator) {
        case "+":
          return left + right;
        case "-":
          return left - right;
        case "*":
          return left * right;
        default:
          return right === 0 ? undefined : left / right;
      }
    }
  }
}

function leavesOf(expression: Expression): Leaf[] {
  switch (expression.kind) {
    case "leaf":
      return [expression];
    case "number":
      return [];
    case "call":
      return leavesOf(expression.of);
    case "binary":
      return [...leavesOf(expression.left), ...leavesOf(expression.right)];
  }
}

/** Counts: each put together over the window, then the arithmetic; one without points has no part in it, so it is 0. */
function countsValue({ expression, windowSeconds }: Parsed, group: Group, end: number): number | undefined {
  let hasPoint = false;
  const value = computed(expression, (leaf, shiftSeconds) => {
    const to = end + shiftSeconds / stepSeconds;
    const found = valueIn(leaf, group, to - windowSeconds / stepSeconds, to);
    if (found !== undefined) hasPoint = true;
    return found ?? 0;
  });
  return hasPoint ? value : undefined;
}

/** Other metrics: the arithmetic point by point, then the window's aggregate. */
function pointsValue({ expression, windowSeconds, changeSeconds, aggregator }: Parsed, group: Group, end: number) {
  const bucket = Math.max(...leavesOf(expression).map(({ rollup }) => (rollup?.seconds ?? stepSeconds) / stepSeconds));
  const at = (start: number) =>
    computed(expression, (leaf, shiftSeconds) => {
      const from = start + shiftSeconds / stepSeconds;
      return valueIn(leaf, group, from, from + bucket);
    });
  const values: number[] = [];
  // The series begin on a whole hour, so buckets counted from it are aligned to UTC.
  const first = Math.ceil((end - windowSeconds / stepSeconds) / bucket) * bucket;
  for (let start = first; start < end; start += bucket) {
    const value = at(start);
    if (value === undefined) continue;
    if (changeSeconds === undefined) {
      values.push(value);
      continue;
    }
    const before = at(start - changeSeconds / stepSeconds);
    if (before !== undefined && before !== 0) values.push((100 * (value - before)) / Math.abs(before));
  }
  return aggregate(aggregator, values);
}

/** A monitor's state at each whole minute until it has seen all; index k is at `(k + 1)` minutes after the start. */
export function monitorStates(monitor: Monitor, series: AgreementSeries): MonitorState[] {
  const parsed = parseMonitor(monitor.query);
  const leaves = leavesOf(parsed.expression);
  const isCounts = leaves.some(({ isCount }) => isCount);
  if (isCounts && (parsed.aggregator !== "sum" || leaves.some((leaf) => !leaf.isCount))) {
    throw new NotEvaluatedError(`query ${monitor.query}: as_count() beside anything but sum and other counts`);
  }
  const groups = groupsOf(monitor.query, series);
  const minuteSteps = 60 / stepSeconds;
  const minutes = stepCount / minuteSteps + Math.ceil(monitor.evaluationDelaySeconds / 60);
  return Array.from({ length: minutes }, (_none, minute) => {
    const end = (minute + 1) * minuteSteps - monitor.evaluationDelaySeconds / stepSeconds;
    const values = groups.map((group) =>
      isCounts ? countsValue(parsed, group, end) : pointsValue(parsed, group, end),
    );
    const isBad = (value: number | undefined) =>
      value !== undefined && (parsed.operator === ">" ? value > parsed.threshold : value < parsed.threshold);
    if (values.some(isBad)) return "ALERT";
    return values.every((value) => value === undefined) ? "NO_DATA" : "OK";
  });
}
