/**
 * Figures out of CloudWatch, for the sources `alb` and `emf`: sums by the hour through the port that the hook has, and one value a day for
 * everything else.
 *
 * Percentiles of several releases cannot be put together afterwards, so a day's value is that of its worst release, among those with at
 * least a hundredth of the day's requests; counts of the service are added up. Days without requests have no value.
 */
import type { CloudWatchClient, MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import { type AlarmMetric, metricOf } from "../../core/alarm-metrics.ts";
import { metricPlaces } from "../../core/former-releases.ts";
import { indicators } from "../../core/objectives.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import type { Signal } from "../../core/signals.ts";
import { isCounted } from "../../core/slo-report.ts";
import { type Measure, measureOf } from "../../core/watch-rules.ts";
import { batches, call } from "../../hooks/aws/call.ts";
import { alignedRange, pointsOf, queriesPerCall, readMetricData } from "../../hooks/aws/metric-data.ts";
import { countedQueries, intervalsOf } from "../../hooks/error-budget.ts";
import type { Metrics } from "../../hooks/ports.ts";
import { mustBeReported, neverReported, partsOf, type ReportSource } from "./source.ts";

const daySeconds = 86_400;
/** Share of a day's requests from which on a release's own value counts. Unit: fraction. */
const leastShare = 0.01;

export function cloudWatchSource(client: CloudWatchClient, metrics: Metrics): ReportSource {
  return {
    async counts({ record, ...asked }) {
      const queries = countedQueries(record, asked.from);
      const read = await Promise.all(
        partsOf(asked).map(async ({ from, to, seconds }) =>
          intervalsOf(await metrics.requestSums(queries, { from, to, periodSeconds: seconds }), seconds),
        ),
      );
      return read.flat();
    },

    async days({ record, promises, from, to }) {
      const wanted = promises.objectives.filter(({ indicator }) => !isCounted(indicator));
      if (wanted.length === 0) return { values: {}, gaps: [] };
      const read = await readDays(
        client,
        record,
        wanted.map(({ indicator }) => measureOf(indicator, record.source)),
        {
          from,
          to: Math.ceil(to / (daySeconds * 1_000)) * daySeconds * 1_000,
        },
      );
      const gaps: string[] = [];
      const values = wanted.map(({ name, indicator }) => {
        const measure = measureOf(indicator, record.source);
        const never = mustBeReported(measure).filter((signal) => !isReported(measure, signal, read));
        if (never.length > 0) {
          gaps.push(neverReported(name, never));
          return [name, []] as const;
        }
        const points = read.days.flatMap((at) => {
          const value = dayValue(measure, indicators[indicator].badSide, read, at);
          return value === undefined ? [] : [{ at, value }];
        });
        return [name, points] as const;
      });
      return { values: Object.fromEntries(values), gaps };
    },
  };
}

/** Points by release, signal with statistic, and day. */
interface Read {
  readonly releases: readonly number[];
  readonly days: readonly Instant[];
  readonly at: (release: number, signal: Signal, statistic: string, day: Instant) => number | undefined;
}

type Wanted = readonly [Signal, string];

function metricsOf(measure: Measure): readonly Wanted[] {
  switch (measure.kind) {
    case "ratio":
      return [...measure.part, ...measure.whole].map((signal) => [signal, "Sum"] as const);
    case "quotient":
      return [
        [measure.part, "Sum"],
        [measure.whole, "Sum"],
      ];
    case "percentile":
      return [[measure.signal, `p${measure.percentile}`]];
    case "sum":
      return measure.signals.map((signal) => [signal, "Sum"] as const);
    case "gauge":
      return [[measure.signal, gaugeStatistics[measure.statistic]]];
  }
}

const gaugeStatistics = { mean: "Average", maximum: "Maximum", minimum: "Minimum" } as const;

async function readDays(
  client: CloudWatchClient,
  record: RolloutRecord,
  measures: readonly Measure[],
  wantedRange: { readonly from: Instant; readonly to: Instant },
): Promise<Read> {
  const range = alignedRange(wantedRange, daySeconds);
  const places = placesOf(record, range.from);
  const wanted = new Map<string, Wanted>([["requests Sum", ["requests", "Sum"]]]);
  for (const [signal, statistic] of measures.flatMap(metricsOf))
    wanted.set(`${signal} ${statistic}`, [signal, statistic]);
  const queries = places.flatMap((place, release) =>
    [...wanted].map(([key, [signal, statistic]]) => {
      const metric = metricOf(signal, record.source, { release }, statistic);
      return { key: `${release} ${key}`, metric, query: dayQuery(metric, dimensionsOf(metric, record, place)) };
    }),
  );
  const values = new Map<string, Map<Instant, number>>();
  for (const batch of batches(queries, queriesPerCall)) {
    const asked = batch.map(({ query }, index) => ({ ...query, Id: `q${index}` }));
    const results = await call(`metrics of ${record.service}: reading their days`, () =>
      readMetricData(client, asked, range),
    );
    batch.forEach(({ key, metric }, index) => {
      const points = pointsOf(`metric ${metric.metricName} (${key})`, results.get(`q${index}`) ?? []);
      // The load balancer measures in seconds, everybody else in milliseconds.
      const scale = metric.metricName === "TargetResponseTime" ? 1_000 : 1;
      values.set(key, new Map(points.map(({ at, value }) => [at, value * scale])));
    });
  }
  const days = new Set([...values.values()].flatMap((points) => [...points.keys()]));
  return {
    releases: places.map((_, release) => release),
    days: [...days].sort((left, right) => left - right),
    at: (release, signal, statistic, day) => values.get(`${release} ${signal} ${statistic}`)?.get(day),
  };
}

/** Whether any release had a point of it on any day. */
function isReported(measure: Measure, signal: Signal, read: Read): boolean {
  return metricsOf(measure)
    .filter(([known]) => known === signal)
    .some(([, statistic]) =>
      read.days.some((day) => read.releases.some((release) => read.at(release, signal, statistic, day) !== undefined)),
    );
}

/** A release that was declared again keeps its name and has another target group. */
function placesOf(record: RolloutRecord, from: Instant) {
  const byWhat = new Map(
    metricPlaces(record, from).map((place) => [
      record.source === "alb" ? place.targetGroupArnSuffix : place.releaseKey,
      place,
    ]),
  );
  return [...byWhat.values()];
}

function dimensionsOf(
  metric: AlarmMetric,
  record: RolloutRecord,
  place: { readonly releaseKey: string; readonly targetGroupArnSuffix: string },
): Readonly<Record<string, string>> {
  return metric.dimensions === "service-and-release"
    ? { Service: record.service, Release: place.releaseKey }
    : { TargetGroup: place.targetGroupArnSuffix, LoadBalancer: record.loadBalancerArnSuffix };
}

function dayQuery(
  { namespace, metricName, statistic }: AlarmMetric,
  dimensions: Readonly<Record<string, string>>,
): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: metricName, Dimensions };
  return { Id: "", MetricStat: { Metric, Period: daySeconds, Stat: statistic }, ReturnData: true };
}

/** One day of one measure, over the releases that served on it. */
function dayValue(measure: Measure, badSide: "above" | "below", read: Read, day: Instant): number | undefined {
  const requests = read.releases.map((release) => read.at(release, "requests", "Sum", day) ?? 0);
  const total = requests.reduce((sum, each) => sum + each, 0);
  if (total === 0) return undefined;
  const served = read.releases.filter((release) => (requests[release] ?? 0) >= leastShare * total);
  if (measure.kind === "sum") {
    const sum = measure.signals
      .flatMap((signal) => read.releases.map((release) => read.at(release, signal, "Sum", day) ?? 0))
      .reduce((left, right) => left + right, 0);
    return measure.perSeconds === undefined ? sum : (sum * measure.perSeconds) / daySeconds;
  }
  const values = served.flatMap((release) => releaseValue(measure, read, release, day) ?? []);
  if (values.length === 0) return undefined;
  return badSide === "above" ? Math.max(...values) : Math.min(...values);
}

function releaseValue(
  measure: Exclude<Measure, { kind: "sum" }>,
  read: Read,
  release: number,
  day: Instant,
): number | undefined {
  const sumOf = (signals: readonly Signal[]) =>
    signals.reduce((sum, signal) => sum + (read.at(release, signal, "Sum", day) ?? 0), 0);
  switch (measure.kind) {
    case "ratio": {
      const whole = sumOf(measure.whole);
      return whole === 0 ? undefined : (100 * sumOf(measure.part)) / whole;
    }
    case "quotient": {
      const whole = sumOf([measure.whole]);
      return whole === 0 ? undefined : sumOf([measure.part]) / whole;
    }
    case "percentile":
      return read.at(release, measure.signal, `p${measure.percentile}`, day);
    case "gauge":
      return read.at(release, measure.signal, gaugeStatistics[measure.statistic], day);
  }
}
