/**
 * Watch rules as PromQL, for Grafana's rules and for the hook, which asks Prometheus itself (D2). Each expression has a result exactly while
 * its rule is bad, with the labels `environment`, `service` and, of rules of one release, `release`.
 *
 * An absent series never makes a rule fire: every side of a comparison must be there, errors that nobody counted are 0 only beside requests
 * that somebody did, and a baseline that is not measured says nothing.
 *
 * Runs on Prometheus 2.42 and later, 3 included, and on what speaks its language: no function is newer, and windows are written so that it
 * does not matter whether their left end belongs to them (it does in 2, and does not in 3).
 */

import type { BurnRule } from "./burn-rate.ts";
import { rarityExponent } from "./chance.ts";
import { prometheusName, type ReportedSignal, reportedSignals, type Signal } from "./signals.ts";
import { type Measure, measuredShare, type WatchRule } from "./watch-rules.ts";

/** Whose series are read. */
export interface RulePlace {
  readonly environment: string;
  readonly service: string;
  /** Rules of scope `service` look at every release that reports, and do not read it. */
  readonly releaseKey: string;
  /** The release, or its control, that bounds of kind `baseline` are measured against. */
  readonly baselineKey?: string;
}

/** A rule that PromQL cannot say, or one whose baseline nobody named. */
export class UnsayableRuleError extends Error {
  override readonly name = "UnsayableRuleError";
}

const perRelease = "environment, service, release";
const perService = "environment, service";

/**
 * How finely counters are read inside a short window. Unit: seconds. Read at fixed steps a window's growth is exact, resets included, where
 * `increase` over raw points stretches it by up to a third, and floors and counts of five would lie.
 */
const stepSeconds = 10;
/** Longer windows are read by their raw points: what is stretched at their ends is little beside them. Unit: seconds. */
const longestSteppedSeconds = 300;
/** A series that had no point for so long before a window is a new one. */
const newAfter = "1h";

/** Text of a label value in PromQL. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

/** `{environment="prod",service="checkout",release="2-4-0-1f2e3d4c"}`. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${quoted(value)}`);
  return `{${matchers.join(",")}}`;
}

/** Which series, in which window. */
interface Read {
  readonly selector: string;
  readonly serviceSelector: string;
  readonly seconds: number;
  /** How long ago the window ends. Unit: seconds. */
  readonly offsetSeconds: number;
}

function ago(seconds: number): string {
  return seconds === 0 ? "" : ` offset ${seconds}s`;
}

function metric(signal: Signal): string {
  if (!(signal in reportedSignals)) {
    throw new UnsayableRuleError(
      `signal ${signal}: is counted by the load balancer alone, got a Prometheus rule for it; expected one of CloudWatch`,
    );
  }
  return prometheusName(signal as ReportedSignal);
}

/**
 * How much one counter grew in a window, of each release; nothing where it is absent. What a new process had counted before it was first
 * scraped belongs to the window, too, or a first violation would never be seen; but only where the service was being scraped before, or a
 * Prometheus that comes back would take whole lifetimes for one window.
 */
function counted(signal: Signal, read: Read): string {
  return grown(`${metric(signal)}${read.selector}`, perRelease, read);
}

/** The same of any counters, put together by labels. */
function grown(series: string, by: string, { serviceSelector, seconds, offsetSeconds }: Read): string {
  const isStepped = seconds <= longestSteppedSeconds;
  // A millisecond more, so that both ends are steps of the window whichever of them belong to it; rounding takes it out again.
  const window = `${series}${isStepped ? `[${seconds}001ms:${stepSeconds}s]` : `[${seconds}s]`}${ago(offsetSeconds)}`;
  const before = ago(offsetSeconds + seconds);
  const fresh =
    `min_over_time(${window}) unless last_over_time(${series}[${newAfter}]${before}) ` +
    `and on () ${metric("requests")}${serviceSelector}${before}`;
  const sum = `sum by (${by}) (increase(${window}) or label_replace(${fresh}, "part", "new", "", ""))`;
  return isStepped ? `round(${sum}, 0.001)` : sum;
}

/** Several counters together; one that is absent beside another is 0. */
function countedTogether(signals: readonly Signal[], read: Read): string {
  const [only, ...others] = signals;
  if (only !== undefined && others.length === 0) return counted(only, read);
  const parts = signals.map((signal) => `label_replace(${counted(signal, read)}, "part", ${quoted(signal)}, "", "")`);
  return `sum by (${perRelease}) (${parts.join(" or ")})`;
}

interface Floors {
  readonly requestFloor: number;
  readonly errorFloor: number;
  /** See `WatchRule.usualPercent`. */
  readonly usualPercent?: number | undefined;
  /** Whether a part that is absent is 0: where few are bad, and of what something is compared with. Where many are bad, none are few. */
  readonly zeroWhereAbsent: boolean;
}

function ratioOf(
  part: string,
  whole: string,
  { requestFloor, errorFloor, usualPercent, zeroWhereAbsent }: Floors,
): string {
  const above = errorFloor > 0 ? `(${part} >= ${errorFloor})` : zeroWhereAbsent ? `(${part} or 0 * ${whole})` : part;
  // `isBeyondChance` (`chance.ts`).
  const beyond =
    usualPercent === undefined
      ? above
      : `(${above} and ${part} * log10(1 + 100 / (${usualPercent} * ${whole})) >= ${rarityExponent})`;
  return `100 * ${beyond} / (${whole} ${requestFloor > 0 ? `>= ${requestFloor}` : "> 0"})`;
}

/** A measure of each release in one window, once its floors are reached. */
function valued(measure: Measure, read: Read, floors: Floors): string {
  switch (measure.kind) {
    case "ratio":
      return ratioOf(countedTogether(measure.part, read), countedTogether(measure.whole, read), floors);
    case "quotient":
      return `${counted(measure.part, read)} / (${counted(measure.whole, read)} > 0)`;
    case "percentile": {
      const buckets = `increase(${metric(measure.signal)}_bucket${read.selector}[${read.seconds}s]${ago(read.offsetSeconds)})`;
      const quantile = `histogram_quantile(${measure.percentile / 100}, sum by (${perRelease}, le) (${buckets}))`;
      const { requestFloor } = floors;
      return requestFloor > 0 ? `(${quantile} and ${counted("requests", read)} >= ${requestFloor})` : quantile;
    }
    case "sum": {
      const sum = countedTogether(measure.signals, read);
      const { perSeconds } = measure;
      return perSeconds === undefined || perSeconds === read.seconds ? sum : `${sum} * ${perSeconds} / ${read.seconds}`;
    }
    case "gauge": {
      // A millisecond less: the point at the left end is the window's before.
      const points = `(${metric(measure.signal)}${read.selector}[${read.seconds * 1_000 - 1}ms]${ago(read.offsetSeconds)})`;
      switch (measure.statistic) {
        case "mean":
          return `sum by (${perRelease}) (sum_over_time${points}) / sum by (${perRelease}) (count_over_time${points})`;
        case "maximum":
          return `max by (${perRelease}) (max_over_time${points})`;
        case "minimum":
          return `min by (${perRelease}) (min_over_time${points})`;
      }
    }
  }
}

const compared = { above: ">", below: "<" } as const;

function readOf(rule: WatchRule, place: RulePlace, release: string, offsetSeconds: number): Read {
  const { environment, service } = place;
  const serviceSelector = selectorOf({ environment, service });
  const selector = rule.scope === "service" ? serviceSelector : selectorOf({ environment, service, release });
  return { selector, serviceSelector, seconds: rule.periodSeconds, offsetSeconds };
}

/** Rules of one window a minute and more are looked at every minute, as CloudWatch does. Unit: seconds. */
const lookEverySeconds = 60;

/** In how many of its minutes a window has a point of any process, where they are most of them. */
function measuredMinutes(signal: Signal, { selector, seconds, offsetSeconds }: Read): string {
  const present = `count by (${perRelease}) (${metric(signal)}${selector})`;
  const minutes = `count_over_time((${present})[${seconds * 1_000 - 1}ms:${lookEverySeconds}s]${ago(offsetSeconds)})`;
  return `${minutes} >= ${(measuredShare * seconds) / lookEverySeconds}`;
}

/** What is bad in the window that ended so many seconds ago. */
function badWindow(rule: WatchRule, place: RulePlace, offsetSeconds = 0): string {
  const { measure, requestFloor, errorFloor, usualPercent, threshold, reference, scope, comparison } = rule;
  const sign = compared[comparison];
  const read = readOf(rule, place, place.releaseKey, offsetSeconds);
  const floors: Floors = { requestFloor, errorFloor, usualPercent, zeroWhereAbsent: comparison === "below" };
  const own = valued(measure, read, floors);
  if (scope === "service") {
    // The worst of them is bad as soon as one of them is.
    return `${comparison === "above" ? "max" : "min"} by (${perService}) (${own} ${sign} ${threshold})`;
  }
  switch (reference?.kind) {
    case undefined:
      return `${own} ${sign} ${threshold}`;
    case "growth": {
      const before = { ...read, offsetSeconds: offsetSeconds + rule.periodSeconds };
      const earlier = `(${valued(measure, before, floors)}) > 0`;
      // Only levels grow, see `watchRules`.
      const measured = measure.kind === "gauge" ? `${earlier} and ${measuredMinutes(measure.signal, before)}` : earlier;
      return `100 * ((${own}) / (${measured}) - 1) ${sign} ${threshold}`;
    }
    case "baseline": {
      const { baselineKey } = place;
      if (baselineKey === undefined) {
        throw new UnsayableRuleError(
          `rule ${rule.key}: is measured against a baseline, got none; expected the key of the release that it is compared with`,
        );
      }
      const beside = readOf(rule, place, baselineKey, offsetSeconds);
      const other = valued(measure, beside, { requestFloor, errorFloor: 0, zeroWhereAbsent: true });
      // Errors may be none at all, and then any are more; a latency of 0 is no measurement.
      const there = measure.kind === "ratio" ? `(${other})` : `((${other}) > 0)`;
      const limit = reference.form === "factor" ? `${threshold} * ${there}` : `${there} + ${threshold}`;
      return `${own} ${sign} ignoring (release) group_left () (${limit})`;
    }
  }
}

/**
 * PromQL that has a result exactly while the rule is bad. A rule that one bad window of several is enough for stays bad for as long as they
 * are after its last bad one. Windows longer than a look are asked for one by one: a subquery has its steps on the clock, where CloudWatch
 * and a look see the windows that end now.
 * @throws UnsayableRuleError for what only the load balancer counts, and without the baseline that the rule needs
 */
export function ruleExpression(rule: WatchRule, place: RulePlace): string {
  const { periodSeconds, evaluationPeriods, datapointsToAlarm } = rule;
  const bad = badWindow(rule, place);
  if (evaluationPeriods === 1) return bad;
  if (datapointsToAlarm === 1) {
    const reachMilliseconds = (evaluationPeriods - 1) * periodSeconds * 1_000 + 1;
    return `max_over_time((${bad})[${reachMilliseconds}ms:${Math.min(periodSeconds, lookEverySeconds)}s])`;
  }
  if (periodSeconds > lookEverySeconds) {
    const windows = Array.from({ length: evaluationPeriods }, (_none, age) =>
      badWindow(rule, place, age * periodSeconds),
    );
    if (datapointsToAlarm === evaluationPeriods) return windows.map((window) => `(${window})`).join(" and ");
    throw new UnsayableRuleError(
      `rule ${rule.key}: asks for ${datapointsToAlarm} of ${evaluationPeriods} windows of ${periodSeconds} s; expected 1 or all of them`,
    );
  }
  // A millisecond less, so that it is N windows even where the newest ends right now.
  const reachMilliseconds = evaluationPeriods * periodSeconds * 1_000 - 1;
  return `count_over_time((${bad})[${reachMilliseconds}ms:${periodSeconds}s]) >= ${datapointsToAlarm}`;
}

/** Errors of the whole service in one window, in percent, where they burn too fast. */
function burningWindow(rule: BurnRule, selector: string, seconds: number): string {
  const read: Read = { selector, serviceSelector: selector, seconds, offsetSeconds: 0 };
  const whole = `sum by (${perService}) (${countedTogether(rule.measure.whole, read)})`;
  const part = `sum by (${perService}) (${countedTogether(rule.measure.part, read)})`;
  const { requestFloor, errorFloor, thresholdPercent } = rule;
  return `${ratioOf(part, whole, { requestFloor, errorFloor, zeroWhereAbsent: false })} > ${thresholdPercent}`;
}

/** PromQL that has a result exactly while both windows of a pair burn the service's budget too fast. */
export function burnExpression(rule: BurnRule, place: Pick<RulePlace, "environment" | "service">): string {
  const selector = selectorOf({ environment: place.environment, service: place.service });
  return `(${burningWindow(rule, selector, rule.longSeconds)}) and (${burningWindow(rule, selector, rule.shortSeconds)})`;
}

/**
 * How much a release counted of a signal in the seconds before the query's time; no result where it counted nothing at all.
 * @param place.releaseKey whose. Absent: every release's, each as a result of its own
 */
export function countExpression(
  signal: ReportedSignal,
  { environment, service, releaseKey }: Pick<RulePlace, "environment" | "service"> & Partial<RulePlace>,
  seconds: number,
): string {
  return counted(signal, {
    selector: selectorOf({ environment, service, ...(releaseKey === undefined ? {} : { release: releaseKey }) }),
    serviceSelector: selectorOf({ environment, service }),
    seconds,
    offsetSeconds: 0,
  });
}

/** How many latencies of a release lay in each bucket or below, in the seconds before the query's time. */
export function bucketsExpression(
  { environment, service, releaseKey }: Pick<RulePlace, "environment" | "service" | "releaseKey">,
  seconds: number,
): string {
  const series = `${metric("latency")}_bucket${selectorOf({ environment, service, release: releaseKey })}`;
  const serviceSelector = selectorOf({ environment, service });
  return grown(series, "le", { selector: "", serviceSelector, seconds, offsetSeconds: 0 });
}

/**
 * PromQL that has a result exactly while nothing of a service is scraped: what makes every other rule quiet. A counter that was counted once
 * stays, so a service without traffic is there all the same.
 * @param seconds how long nothing must have come
 */
export function silenceExpression(
  { environment, service }: Pick<RulePlace, "environment" | "service">,
  seconds: number,
): string {
  return `absent_over_time(${metric("requests")}${selectorOf({ environment, service })}[${seconds}s])`;
}

/**
 * A measure of each release as panels draw it, without floors: `rate` over whatever range the panel's step asks for.
 * @param range `$__rate_interval`, or a duration
 */
export function measureExpression(measure: Measure, selector: string, range: string): string {
  const rate = (signal: Signal) => `rate(${metric(signal)}${selector}[${range}])`;
  const together = (signals: readonly Signal[]) =>
    signals.length === 1
      ? `sum by (release) (${signals.map(rate).join("")})`
      : `sum by (release) (${signals.map((signal) => `label_replace(${rate(signal)}, "part", ${quoted(signal)}, "", "")`).join(" or ")})`;
  switch (measure.kind) {
    case "ratio": {
      const whole = together(measure.whole);
      return `100 * (${together(measure.part)} or 0 * ${whole}) / (${whole} > 0)`;
    }
    case "quotient":
      return `${together([measure.part])} / (${together([measure.whole])} > 0)`;
    case "percentile":
      return `histogram_quantile(${measure.percentile / 100}, sum by (release, le) (rate(${metric(measure.signal)}_bucket${selector}[${range}])))`;
    case "sum":
      // Counts to the panel's own step, in the seconds that the unit names.
      return `${measure.perSeconds ?? 60} * ${together(measure.signals)}`;
    case "gauge": {
      const how = { mean: "avg", maximum: "max", minimum: "min" }[measure.statistic];
      return `${how} by (release) (${metric(measure.signal)}${selector})`;
    }
  }
}

/** Errors of a whole service in a window, in percent of its requests. @param window a duration such as `6h` */
export function serviceErrorExpression(selector: string, window: string): string {
  const grown = (signal: Signal) => `sum(increase(${metric(signal)}${selector}[${window}]))`;
  return `100 * (${grown("errors")} or 0 * ${grown("requests")}) / (${grown("requests")} > 0)`;
}
