/**
 * Recorded series through the evaluator that judges alarms in the rehearsal, in virtual time: points are published when their interval is
 * over and as late as the source publishes them, and every alarm is looked at as often as CloudWatch would. The alarms are those that the
 * program declares for the same objectives.
 */
import { alarmInputs } from "../components/alarm-inputs.ts";
import type { AlarmStateValue } from "../core/alarm-evaluation.ts";
import { metricOf } from "../core/alarm-metrics.ts";
import { type AlarmSpec, delaySeconds, evaluationIntervalSeconds, settleSeconds } from "../core/alarms.ts";
import type { Firing } from "../core/backtest/firings.ts";
import { type Quantity, quantities } from "../core/backtest/quantities.ts";
import type { MeasuredSeries } from "../core/backtest/recorded.ts";
import { type Levels, levelOf } from "../core/backtest/suggest.ts";
import { isMeasurable, type MetricSource } from "../core/objectives.ts";
import type { Instant } from "../core/record.ts";
import { balancerSignals, type Signal } from "../core/signals.ts";
import { readMetricAlarm } from "../rehearsal/cloudwatch/alarm-inputs.ts";
import { RunningMetricAlarm } from "../rehearsal/cloudwatch/metric-alarm.ts";
import { MetricStore } from "../rehearsal/cloudwatch/metric-store.ts";
import type { Series } from "../rehearsal/cloudwatch/series.ts";

/** What CloudWatch alarms read; Grafana's and Datadog's own rules are another evaluator. */
export type ReplaySource = Extract<MetricSource, "alb" | "emf">;

/** Series by what they are. */
export type SeriesByQuantity = ReadonlyMap<Quantity, MeasuredSeries>;

export interface ReplayedAlarm {
  readonly spec: AlarmSpec;
  readonly firings: readonly Firing[];
  readonly levels: Levels;
}

/** Published only where there are any: of none there is no point, and no need of a series. */
const onlyWhereAny: ReadonlySet<Quantity> = new Set(["connection-errors", "failed-runs", "refused-runs"]);

const recorded = {
  service: "recorded",
  loadBalancerArnSuffix: "app/recorded/0000000000000000",
  releases: [{ releaseKey: "recorded", targetGroupArnSuffix: "targetgroup/recorded/0000000000000000" }],
};

/** Metrics of an alarm with the quantity of each, in the alarm's order. */
function quantitiesOf(spec: AlarmSpec, source: ReplaySource): Quantity[] {
  return spec.metrics.map(({ namespace, metricName, statistic }) => {
    const signal = signalsOf(source).find((known) => {
      const metric = metricOf(known, source, { release: 0 });
      return metric.namespace === namespace && metric.metricName === metricName;
    });
    if (signal === undefined) throw new Error(`alarm ${spec.key}: no signal is called ${namespace} ${metricName}`);
    if (signal !== "latency") return signal;
    const quantity = quantities.find((known) => known === `latency-${statistic}`);
    if (quantity === undefined) throw new Error(`alarm ${spec.key}: no quantity is the ${statistic} of latency`);
    return quantity;
  });
}

function signalsOf(source: ReplaySource): Signal[] {
  const all = quantities.filter(
    (quantity) => !quantity.startsWith("latency-") && quantity !== "throughput",
  ) as Signal[];
  const known =
    source === "alb"
      ? new Set<Signal>(["requests", "errors", ...(Object.keys(balancerSignals) as Signal[])])
      : undefined;
  return ["latency", ...all.filter((signal) => known === undefined || known.has(signal))];
}

/** A ready throughput stands for its quotient: so many items, in one second, each interval. */
function seriesFor(quantity: Quantity, series: SeriesByQuantity): MeasuredSeries | undefined {
  const own = series.get(quantity);
  if (own) return own;
  const throughput = series.get("throughput");
  if (!throughput) return undefined;
  if (quantity === "items-processed") return throughput;
  return quantity === "processing-seconds" ? { ...throughput, values: throughput.values.map(() => 1) } : undefined;
}

/** Quantities that an alarm reads, ready throughput included. */
export function readBy(spec: AlarmSpec, source: ReplaySource): Quantity[] {
  const read = quantitiesOf(spec, source);
  return read.includes("items-processed") ? [...read, "throughput"] : read;
}

/** Why an alarm cannot be replayed on these series, in words; `undefined`: it can. */
export function obstacle(spec: AlarmSpec, series: SeriesByQuantity, source: ReplaySource): string | undefined {
  if (!isMeasurable(spec.indicator, source)) return `source ${source} does not measure it`;
  if (spec.rule.reference?.kind === "growth") {
    return "growth is judged by how many processes report, which a recorded series does not tell";
  }
  const needed = [...new Set(quantitiesOf(spec, source))];
  const missing = needed.filter((quantity) => !seriesFor(quantity, series) && !onlyWhereAny.has(quantity));
  if (missing.length > 0) return `no series for ${missing.join(" and ")}. Map ${missing.length === 1 ? "one" : "them"}`;
  const windowMs = spec.periodSeconds * 1_000;
  for (const quantity of needed) {
    const one = seriesFor(quantity, series);
    if (!one) continue;
    const stepSeconds = one.stepMs / 1_000;
    if (one.stepMs > windowMs || windowMs % one.stepMs !== 0) {
      return `it looks at windows of ${spec.periodSeconds} s, and ${one.from} has a point every ${stepSeconds} s; expected whole points in a window. Record every ${spec.periodSeconds} s or finer`;
    }
    if (quantity.startsWith("latency-") && one.stepMs !== windowMs) {
      return `it looks at windows of ${spec.periodSeconds} s, and ${one.from} has percentiles of ${stepSeconds} s, which cannot be put together. Record every ${spec.periodSeconds} s`;
    }
  }
  return undefined;
}

/** Optional quantities of an alarm that no series was given for: they count as none. */
export function takenAsNone(spec: AlarmSpec, series: SeriesByQuantity, source: ReplaySource): Quantity[] {
  return quantitiesOf(spec, source).filter((quantity) => onlyWhereAny.has(quantity) && !series.has(quantity));
}

/** A series on its way into one metric. */
interface Feed {
  readonly into: Series;
  readonly series: MeasuredSeries;
  readonly delayMs: number;
  /** From core's unit to the metric's. */
  readonly factor: number;
  next: number;
}

interface Watched {
  readonly spec: AlarmSpec;
  readonly running: RunningMetricAlarm;
  readonly levels: Float64Array;
  readonly stepMs: number;
  readonly firings: { from: Instant; to?: Instant }[];
  state: AlarmStateValue;
}

/** A recorded percentile is one value a window: the most of one value is that value. */
function replayable(spec: AlarmSpec): AlarmSpec {
  const metrics = spec.metrics.map((metric) =>
    metric.statistic.startsWith("p")
      ? { ...metric, metricName: `${metric.metricName} ${metric.statistic}`, statistic: "Maximum" }
      : metric,
  );
  return { ...spec, metrics };
}

/**
 * @param specs alarms without an `obstacle`, each key once
 * @param period what counts; points outside it are left out
 */
export function replay(
  specs: readonly AlarmSpec[],
  series: SeriesByQuantity,
  source: ReplaySource,
  period: { readonly from: Instant; readonly to: Instant },
): ReplayedAlarm[] {
  const store = new MetricStore();
  const feeds = new Map<Series, Feed>();
  const stepMs = Math.min(60_000, ...specs.map((spec) => 1_000 * evaluationIntervalSeconds(spec.periodSeconds)));
  const startAt = Math.floor(period.from / 60_000) * 60_000;
  const settleMs = Math.max(0, ...specs.map((spec) => settleSeconds(spec, source))) * 1_000;
  const endAt = Math.ceil((period.to + settleMs) / 60_000) * 60_000;
  const watched = specs.map((spec): Watched => {
    const definition = readMetricAlarm({ name: spec.key, ...alarmInputs(replayable(spec), spec.objective, recorded) });
    const read = quantitiesOf(spec, source);
    definition.metrics.forEach(({ namespace, metricName, dimensions }, place) => {
      const quantity = read[place];
      const given = quantity && seriesFor(quantity, series);
      if (!quantity || !given) return;
      const into = store.series(namespace, metricName, dimensions);
      const isBalancersLatency = quantity.startsWith("latency-") && namespace === "AWS/ApplicationELB";
      const delayMs = delaySeconds(spec.indicator, source) * 1_000;
      feeds.set(into, { into, series: given, delayMs, factor: isBalancersLatency ? 0.001 : 1, next: 0 });
    });
    const ownStepMs = 1_000 * evaluationIntervalSeconds(spec.periodSeconds);
    return {
      spec,
      running: new RunningMetricAlarm(definition, store),
      levels: new Float64Array(Math.floor((endAt - startAt) / ownStepMs) + 1).fill(Number.NEGATIVE_INFINITY),
      stepMs: ownStepMs,
      firings: [],
      state: "INSUFFICIENT_DATA",
    };
  });
  for (const feed of feeds.values()) skipBefore(feed, period.from);
  for (let at = startAt; at <= endAt; at += stepMs) {
    for (const feed of feeds.values()) putUntil(feed, Math.min(at, period.to));
    store.clock.evaluatedAt = at;
    for (const one of watched) if (one.running.isDue(at)) look(one, at, startAt);
  }
  return watched.map(({ spec, levels, stepMs: ownStepMs, firings }) => ({
    spec,
    // What the recording's end alone makes of an alarm is no news of the series.
    firings: firings.map(({ from, to }) => (to === undefined || to > period.to ? { from } : { from, to })),
    levels: { from: startAt, stepMs: ownStepMs, values: levels },
  }));
}

function skipBefore(feed: Feed, from: Instant): void {
  const { ends, stepMs } = feed.series;
  while (feed.next < ends.length && (ends[feed.next] ?? 0) - stepMs < from) feed.next += 1;
}

/** What ended by now. A point goes into the last moment of its interval, so that no window has it before it was over. */
function putUntil(feed: Feed, at: Instant): void {
  const { ends, values } = feed.series;
  for (let end = ends[feed.next]; end !== undefined && end <= at; end = ends[feed.next]) {
    const value = (values[feed.next] ?? 0) * feed.factor;
    feed.into.put(end - 1, value, end + feed.delayMs);
    feed.next += 1;
  }
}

function look(one: Watched, at: Instant, startAt: Instant): void {
  const before = one.state;
  one.state = one.running.evaluate(at, before);
  one.levels[(at - startAt) / one.stepMs] = levelOf(
    one.running.points,
    one.running.definition.settings,
    one.spec.comparison === "GreaterThanThreshold",
  );
  if (one.state === before) return;
  if (one.state === "ALARM") one.firings.push({ from: at });
  const last = one.firings.at(-1);
  if (before === "ALARM" && last) last.to = at;
}
