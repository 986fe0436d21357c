/**
 * Windows of a soak out of CloudWatch: what the load balancer counted of a target group (`alb`), or what a release reported of itself (`emf`).
 *
 * Both sources are without samples. CloudWatch's trimmed counts (`TC(…)`) would make a histogram of them, one query a bucket, but AWS documents
 * them of raw data points alone, and says nothing of the values with counts that lines of EMF carry (docs/gate.md, "Latencies").
 *
 * What is no answer to what was asked is refused by name, since the gate would else judge a release by it: a value that is no measurement, and a
 * point that is no window's, or a window's second.
 */
import { metricOf } from "../../core/alarm-metrics.ts";
import type { SoakWindow } from "../../core/gate/evidence.ts";
import { errorSignals, type TargetKind } from "../../core/measures.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import type { Signal } from "../../core/signals.ts";
import type { Metrics, StatisticQuery } from "../ports.ts";
import type { MeasuredRelease } from "./places.ts";

/** Whole windows, borders of which are multiples of their length. */
export interface WindowRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly windowSeconds: number;
}

/** One release of those that are read together. */
export interface WindowsAsked {
  /** Unique among them. */
  readonly id: string;
  readonly release: MeasuredRelease;
  readonly target: TargetKind;
}

export const soakPercentiles = ["p50", "p95", "p99"] as const;

/** One statistic of one signal of a release, as CloudWatch is asked for it. */
export function statisticQuery(
  id: string,
  signal: Signal,
  { service, source, loadBalancerArnSuffix }: Pick<RolloutRecord, "service" | "source" | "loadBalancerArnSuffix">,
  release: MeasuredRelease,
  statistic = "Sum",
): StatisticQuery {
  const { namespace, metricName, dimensions } = metricOf(signal, source, { release: 0 }, statistic);
  return {
    id,
    namespace,
    metricName,
    dimensions:
      dimensions === "service-and-release"
        ? { Service: service, Release: release.releaseKey }
        : { TargetGroup: release.targetGroupArnSuffix, LoadBalancer: loadBalancerArnSuffix },
    statistic,
  };
}

/** What statistics of a signal are multiplied with: the load balancer measures in seconds, and all else here is in milliseconds. */
export function scaleOf({ namespace, metricName }: Pick<StatisticQuery, "namespace" | "metricName">): number {
  return namespace === "AWS/ApplicationELB" && metricName === "TargetResponseTime" ? 1_000 : 1;
}

/** Windows of each that was asked for, by id, in one read: oldest first, those without a request left out. */
export async function cloudWatchWindows(
  metrics: Pick<Metrics, "statistics">,
  record: RolloutRecord,
  asked: readonly WindowsAsked[],
  { from, to, windowSeconds }: WindowRange,
): Promise<Readonly<Record<string, readonly SoakWindow[]>>> {
  const queries = asked.flatMap(({ id, release, target }): StatisticQuery[] => [
    statisticQuery(`${id} requests`, "requests", record, release),
    ...errorSignals(record.source, target).map((signal) => statisticQuery(`${id} ${signal}`, signal, record, release)),
    ...soakPercentiles.map((name) => statisticQuery(`${id} ${name}`, "latency", record, release, name)),
  ]);
  const answered = await metrics.statistics(queries, { from, to, periodSeconds: windowSeconds });
  const scales = new Map(queries.map((query) => [query.id, scaleOf(query)]));
  const range = { from, to, stepMs: windowSeconds * 1_000 };
  const valuesOf = (id: string): ReadonlyMap<Instant, number> =>
    new Map(
      [...pointsByWindow(id, answered[id] ?? [], range)].map(([at, value]) => [at, value * (scales.get(id) ?? 1)]),
    );
  return Object.fromEntries(
    asked.map(({ id, target }) => {
      const errors = errorSignals(record.source, target).map((signal) => valuesOf(`${id} ${signal}`));
      const latencies = soakPercentiles.map((name) => [name, valuesOf(`${id} ${name}`)] as const);
      const requests = valuesOf(`${id} requests`);
      // The load balancer publishes errors only where there are some. Whoever reports that there were none reports it always.
      const tellsNone = record.source === "emf" && errors.some((points) => [...points.values()].includes(0));
      const windows = startsOf([requests, ...errors]).flatMap((at) => {
        // Requests without a word of their errors are not requests without errors: nothing is known of this window.
        if (tellsNone && errors.every((points) => !points.has(at))) return [];
        const counted = errors.reduce((sum, points) => sum + (points.get(at) ?? 0), 0);
        const percentiles = latencies.flatMap(([name, points]) => {
          const value = points.get(at);
          return value === undefined ? [] : [[name, value] as const];
        });
        return windowOf({ at, requests: requests.get(at) ?? 0, errors: counted, percentiles });
      });
      return [id, windows];
    }),
  );
}

/** Windows that an answer may have points of. */
export interface AskedWindows {
  readonly from: Instant;
  readonly to: Instant;
  readonly stepMs: number;
}

/**
 * Values by the start of their window.
 * @param what names the series in the error
 * @throws RangeError on a value that is no measurement, and on a point that is at no window's start or at one that has its value already
 */
export function pointsByWindow(
  what: string,
  points: Iterable<{ readonly at: Instant; readonly value: number }>,
  { from, to, stepMs }: AskedWindows,
): ReadonlyMap<Instant, number> {
  const found = new Map<Instant, number>();
  for (const { at, value } of points) {
    if (!(at >= from && at < to && (at - from) % stepMs === 0)) {
      throw new RangeError(
        `${what}: a point at ${at} ms, which is no window's; expected steps of ${stepMs / 1_000} s from ${from} to ${to}`,
      );
    }
    if (found.has(at)) throw new RangeError(`${what}: two values at ${at} ms; expected one for each window`);
    if (!(value >= 0 && Number.isFinite(value))) throw noMeasurement(at, value);
    found.set(at, value);
  }
  return found;
}

/** Starts of the windows that any series has something for, oldest first. */
export function startsOf(series: readonly ReadonlyMap<Instant, unknown>[]): Instant[] {
  return [...new Set(series.flatMap((points) => [...points.keys()]))].sort((left, right) => left - right);
}

function noMeasurement(at: Instant, value: number): RangeError {
  return new RangeError(
    `window of ${new Date(at).toISOString()}: no measurement, got ${value}; expected finite numbers from 0 on`,
  );
}

/**
 * A window, or none where nobody asked anything in it. Errors without a request are of requests that were counted in another window, or not at
 * all: they count as requests that failed.
 * @throws RangeError on what is no count and no latency
 */
export function windowOf({
  at,
  requests,
  errors,
  percentiles,
  latencyCounts = [],
}: {
  readonly at: Instant;
  readonly requests: number;
  readonly errors: number;
  readonly percentiles: readonly (readonly [name: (typeof soakPercentiles)[number], milliseconds: number])[];
  readonly latencyCounts?: SoakWindow["latencyCounts"] & object;
}): SoakWindow[] {
  const counts = latencyCounts.flatMap(([bound, count]) => [bound === Number.POSITIVE_INFINITY ? 0 : bound, count]);
  const numbers = [requests, errors, ...percentiles.map(([, value]) => value), ...counts];
  const odd = numbers.find((value) => !Number.isFinite(value) || value < 0);
  if (odd !== undefined) throw noMeasurement(at, odd);
  if (requests === 0 && errors === 0) return [];
  if (requests === 0) return [{ at, requests: errors, errors }];
  return [
    {
      at,
      requests,
      // A connection that is tried again is counted again: more errors than requests are requests that all failed.
      errors: Math.min(errors, requests),
      ...(percentiles.length === 0 ? {} : { latencyMilliseconds: Object.fromEntries(percentiles) }),
      ...(latencyCounts.length === 0 ? {} : { latencyCounts }),
    },
  ];
}
