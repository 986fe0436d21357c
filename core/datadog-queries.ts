/**
 * Watch rules as Datadog metric monitors (D3): query, threshold and the options on which its meaning depends. Source: Datadog's
 * documentation (Metric Monitor, as_count() in Monitor Evaluations, Add a Minimum Request Threshold for Error Rate Alerts, Rollup, Change
 * Alert Monitor, Distributions, API reference of monitors), read 2026-11. No query here was tried on Datadog itself.
 *
 * Four shapes, since Datadog has no `IF` and no M of N:
 * - Counts: `sum(last_5m):…as_count()…`. With `as_count()` each count is summed over the window first and the arithmetic comes after, and
 *   what is missing is 0. No `default_zero`: the documentation warns of it beside `as_count()`. A floor is a factor `is_greater(…)`, 1 or 0.
 * - Percentiles with a fixed bound are counts too: a p95 is over 3,000 ms exactly if more than 5 % of the requests took longer. A
 *   percentile of its own cannot stand beside a floor.
 * - A percentile beside the baseline's: both rolled up to the rule's window, evaluated one window late so that the window is whole.
 * - Gauges: `avg`, `max` or `min` over the window; growth is Datadog's own `pct_change`, of points that most of an hour lies before.
 *
 * A window without any point makes the state `No Data`: it neither speaks nor counts as quiet, and the hook decides what it means.
 */
import { rarityExponent } from "./chance.ts";
import { shapeOf, signalsOf, whyUnsayable } from "./datadog-limits.ts";
import { datadogName, type ReportedSignal, type Signal } from "./signals.ts";
import { type Measure, measuredShare, type WatchRule } from "./watch-rules.ts";

export { type DatadogDifference, datadogDifferences, whyUnsayable } from "./datadog-limits.ts";

/** Whose points a monitor reads. */
export interface DatadogScope {
  readonly environment: string;
  readonly service: string;
  /** Of rules for one release. @default every release of the service, each by itself */
  readonly releaseKey?: string;
  /** Of rules measured against the baseline: the baseline's, or its control's. */
  readonly baselineKey?: string;
}

/** A metric monitor as Datadog has it. */
export interface MonitorDefinition {
  readonly query: string;
  /** The number at the end of the query, which Datadog wants once more. */
  readonly threshold: number;
  /** How long the newest points are left out. Unit: seconds. */
  readonly evaluationDelaySeconds: number;
  /** Whole windows are never waited for: a new release has none, and errors are sparse. */
  readonly requireFullWindow: false;
  /** `No Data` is a state of its own, neither quiet nor speaking. */
  readonly onMissingData: "show_no_data";
}

/** A rule that Datadog cannot say. */
export class DatadogCannotSayError extends Error {
  override readonly name = "DatadogCannotSayError";
}

/** Processes hand in their points every 10 s to an agent or collector that sends them on; a minute later they are there. Unit: seconds. */
export const pointsDelaySeconds = 60;
/** How often Datadog looks, for windows under a day. Unit: seconds. Source: "Configure Monitors", evaluation frequency, read 2026-11. */
export const monitorIntervalSeconds = 60;

/**
 * One rule as a monitor.
 * @throws DatadogCannotSayError where `whyUnsayable` says why, or the release or baseline that the rule is about is not named
 */
export function monitorOf(rule: WatchRule, scope: DatadogScope): MonitorDefinition {
  const why = whyUnsayable(rule);
  const refuse = (wrong: string): never => {
    throw new DatadogCannotSayError(
      `rule ${rule.key}: not for Datadog, got ${wrong}; expected what its monitors can say`,
    );
  };
  if (why !== undefined) return refuse(why);
  if (rule.scope === "release" && scope.releaseKey === undefined) return refuse("no release to watch");
  if (rule.reference?.kind === "baseline" && scope.baselineKey === undefined)
    return refuse("no baseline to compare with");
  const { window, formula, operator, threshold } = queryParts(rule, scope);
  return {
    query: `${window}:${formula} ${operator} ${plain(threshold)}`,
    threshold,
    evaluationDelaySeconds:
      shapeOf(rule) === "rolled" ? Math.max(rule.periodSeconds, pointsDelaySeconds) : pointsDelaySeconds,
    requireFullWindow: false,
    onMissingData: "show_no_data",
  };
}

/** The query alone. @throws DatadogCannotSayError as `monitorOf` */
export function monitorQuery(rule: WatchRule, scope: DatadogScope): string {
  return monitorOf(rule, scope).query;
}

interface QueryParts {
  readonly window: string;
  readonly formula: string;
  readonly operator: ">" | "<";
  readonly threshold: number;
}

function queryParts(rule: WatchRule, scope: DatadogScope): QueryParts {
  const own: Reading = {
    tags: tagsOf(rule, scope),
    by: rule.scope === "service" ? " by {release}" : "",
    shiftSeconds: 0,
  };
  const baseline: Reading = { ...own, tags: tagsOf(rule, { ...scope, releaseKey: scope.baselineKey ?? "" }) };
  switch (shapeOf(rule)) {
    case "counts":
      return rule.reference ? countsBeside(rule, own, baseline) : countsAlone(rule, own);
    case "rolled":
      return rolledBeside(rule, own, baseline);
    case "gauge":
      return gaugeParts(rule, own, baseline);
  }
}

/** Whose points, and how long before now. */
interface Reading {
  readonly tags: string;
  readonly by: string;
  readonly shiftSeconds: number;
}

function tagsOf({ scope: reach }: WatchRule, { environment, service, releaseKey }: DatadogScope): string {
  return [
    `environment:${environment}`,
    `service:${service}`,
    ...(reach === "release" ? [`release:${releaseKey}`] : []),
  ].join(",");
}

function metric(signal: Signal): string {
  // `whyUnsayable` has refused all others.
  return datadogName(signal as ReportedSignal);
}

function shifted(query: string, { shiftSeconds }: Reading): string {
  return shiftSeconds === 0 ? query : `timeshift(${query}, -${shiftSeconds})`;
}

function count(signal: Signal, reading: Reading, aggregator = "sum"): string {
  return shifted(`${aggregator}:${metric(signal)}{${reading.tags}}${reading.by}.as_count()`, reading);
}

function total(signals: readonly Signal[], reading: Reading): string {
  const counts = signals.map((signal) => count(signal, reading));
  return counts.length === 1 ? counts.join("") : `(${counts.join(" + ")})`;
}

/** 1 where a count reaches a floor, else 0. Counts are whole, so "at least 100" is "over 99". */
function reaches(counted: string, floor: number): string {
  return `is_greater(${counted}, ${plain(Math.ceil(floor) - 1)})`;
}

/**
 * 1 where errors are beyond chance (`isBeyondChance` in `chance.ts`), else 0. A hair less is asked for than there, since Datadog has no "at
 * least"; no count of errors falls between.
 */
function beyondChance(part: string, whole: string, usualPercent: number): string {
  const rarity = `${part} * log10(1 + 100 / (${plain(usualPercent)} * ${whole}))`;
  return `is_greater(${rarity}, ${plain(rarityExponent - 1e-6)})`;
}

/** A value in a window, the floors under which it says nothing, and from where on it is bad. */
interface Counted {
  readonly value: string;
  readonly floors: readonly string[];
  readonly operator: ">" | "<";
  readonly threshold: number;
}

/**
 * A fixed bound on counts. Where floors hold it silent the value is 0, so what must not be too low is turned round: 70 % of hits becomes
 * 30 % of misses.
 * @param atLeastOne divides by one where there is nothing to divide by, so that one empty window does not take the others' word
 */
function counted(rule: WatchRule, reading: Reading, atLeastOne: boolean): Counted {
  const { measure, threshold, requestFloor, errorFloor, usualPercent } = rule;
  const operator = rule.comparison === "above" ? ">" : "<";
  const divisor = (whole: string) => (atLeastOne ? `clamp_min(${whole}, 1)` : whole);
  switch (measure.kind) {
    case "ratio": {
      const part = total(measure.part, reading);
      const whole = total(measure.whole, reading);
      const percent = `100 * ${part} / ${divisor(whole)}`;
      const floors = [
        ...(requestFloor > 0 ? [reaches(whole, requestFloor)] : []),
        ...(errorFloor > 0 ? [reaches(part, errorFloor)] : []),
        ...(usualPercent === undefined ? [] : [beyondChance(part, whole, usualPercent)]),
      ];
      return operator === ">"
        ? { value: percent, floors, operator, threshold }
        : { value: `100 - ${percent}`, floors, operator: ">", threshold: readable(100 - threshold) };
    }
    case "percentile": {
      const slower = count(measure.signal, reading, `count(v: v>${plain(threshold)})`);
      const all = count(measure.signal, reading, "count");
      const floors = requestFloor > 0 ? [reaches(count("requests", reading), requestFloor)] : [];
      const allowedPercent = readable(100 - measure.percentile);
      return { value: `100 * ${slower} / ${divisor(all)}`, floors, operator: ">", threshold: allowedPercent };
    }
    case "sum": {
      const { perSeconds = rule.periodSeconds } = measure;
      const sum = total(measure.signals, reading);
      const value = perSeconds === rule.periodSeconds ? sum : `${sum} * ${perSeconds} / ${rule.periodSeconds}`;
      return { value, floors: [], operator, threshold };
    }
    default:
      return { value: plainValue(measure, reading), floors: [], operator, threshold };
  }
}

/** What a measure of counts comes to, without floors. */
function plainValue(measure: Measure, reading: Reading): string {
  switch (measure.kind) {
    case "ratio":
      return `100 * ${total(measure.part, reading)} / ${total(measure.whole, reading)}`;
    case "quotient":
      return `${count(measure.part, reading)} / ${count(measure.whole, reading)}`;
    case "sum":
      return total(measure.signals, reading);
    case "percentile":
    case "gauge":
      throw new DatadogCannotSayError(
        `measure ${measure.kind}: no count, got it among counts; expected ratio, quotient or sum`,
      );
  }
}

function times(value: string, factors: readonly string[]): string {
  return factors.length === 0 ? value : [`(${value})`, ...factors].join(" * ");
}

function countsAlone(rule: WatchRule, own: Reading): QueryParts {
  const window = `sum(${lastWindow(rule.periodSeconds)})`;
  if (rule.datapointsToAlarm === 1) {
    const { value, floors, operator, threshold } = counted(rule, own, false);
    return { window, formula: times(value, floors), operator, threshold };
  }
  // Each window is 1 or 0, and their sum is how many are bad.
  const windows = Array.from({ length: rule.evaluationPeriods }, (_, index) => {
    const { value, floors, operator, threshold } = counted(
      rule,
      { ...own, shiftSeconds: index * rule.periodSeconds },
      true,
    );
    const isBad =
      operator === ">"
        ? `is_greater(${value}, ${plain(threshold)})`
        : `is_greater(-1 * (${value}), ${plain(-threshold)})`;
    return [isBad, ...floors].join(" * ");
  });
  return { window, formula: windows.join(" + "), operator: ">", threshold: rule.datapointsToAlarm - 1 };
}

/** How far a value is beyond what the baseline's allows; positive is bad. */
function beyond({ comparison, reference, threshold }: WatchRule, own: string, other: string) {
  const isFactor = reference?.kind === "baseline" && reference.form === "factor";
  const allowed = isFactor ? `${plain(threshold)} * (${other})` : `(${other})`;
  const rest = isFactor ? 0 : threshold;
  return comparison === "above"
    ? { value: `${own} - ${allowed}`, threshold: rest }
    : { value: `${allowed} - ${own}`, threshold: rest === 0 ? 0 : -rest };
}

/** Never as a quotient of both: a baseline without errors would divide by 0. A baseline that is not seen holds it silent. */
function countsBeside(rule: WatchRule, own: Reading, baseline: Reading): QueryParts {
  const { measure, requestFloor } = rule;
  const ownValue = counted({ ...rule, comparison: "above" }, own, false);
  const { value, threshold } = beyond(rule, ownValue.value, plainValue(measure, baseline));
  const whole = measure.kind === "ratio" ? total(measure.whole, baseline) : count("requests", baseline);
  const seen = reaches(whole, Math.max(requestFloor, 1));
  return {
    window: `sum(${lastWindow(rule.periodSeconds)})`,
    formula: times(value, [...ownValue.floors, seen]),
    operator: ">",
    threshold,
  };
}

function rolledBeside(rule: WatchRule, own: Reading, baseline: Reading): QueryParts {
  const { measure, periodSeconds, requestFloor } = rule;
  const percentile = measure.kind === "percentile" ? measure.percentile : 0;
  const rolled = ({ tags }: Reading) => `p${percentile}:${metric("latency")}{${tags}}.rollup(${periodSeconds})`;
  const requests = ({ tags }: Reading) => `sum:${metric("requests")}{${tags}}.rollup(sum, ${periodSeconds})`;
  const { value, threshold } = beyond(rule, rolled(own), rolled(baseline));
  const floors = requestFloor > 0 ? [own, baseline].map((reading) => reaches(requests(reading), requestFloor)) : [];
  return { window: `avg(${lastWindow(periodSeconds)})`, formula: times(value, floors), operator: ">", threshold };
}

const gaugeAggregators = { mean: "avg", maximum: "max", minimum: "min" } as const;

function gaugeParts(rule: WatchRule, own: Reading, baseline: Reading): QueryParts {
  const { measure, periodSeconds, reference, threshold } = rule;
  const aggregator = measure.kind === "gauge" ? gaugeAggregators[measure.statistic] : "avg";
  const [signal] = signalsOf(measure);
  const gauge = ({ tags, by }: Reading) => `${aggregator}:${signal === undefined ? "" : metric(signal)}{${tags}}${by}`;
  const last = lastWindow(periodSeconds);
  const operator = rule.comparison === "above" ? ">" : "<";
  if (reference?.kind === "growth") {
    // Each point is compared with the one an hour before, so a release's first minutes must not be among those. A division by what is
    // missing is no value, and any other is 1.
    const before = shifted(gauge(own), { ...own, shiftSeconds: measuredShare * periodSeconds });
    const formula = `${gauge(own)} * (${before} / ${before})`;
    return { window: `pct_change(${aggregator}(${last}),${last})`, formula, operator, threshold };
  }
  if (reference === undefined) return { window: `${aggregator}(${last})`, formula: gauge(own), operator, threshold };
  const beside = beyond(rule, gauge(own), gauge(baseline));
  return { window: `avg(${last})`, formula: beside.value, operator: ">", threshold: beside.threshold };
}

/** `last_5m`, `last_1h`. */
export function lastWindow(seconds: number): string {
  return seconds % 3_600 === 0 ? `last_${seconds / 3_600}h` : `last_${seconds / 60}m`;
}

/** Datadog reads no exponents, and wants the zero before the point. */
function plain(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}

/** 100 - 99.9 is 0.09999999999999432 in binary. */
function readable(value: number): number {
  return Number(value.toFixed(6));
}
