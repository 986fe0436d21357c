/**
 * Windows of a soak out of CloudWatch: what the load balancer counted of a target group (`alb`), or what a release reported of itself (`emf`).
 *
 * CloudWatch keeps percentiles, and gives no samples: trimmed counts (`TC(…)`) could make a histogram of reported latencies, one query a
 * bucket, but nobody tried them on AWS here, so both sources are without samples.
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
  const valuesOf = (id: string): ReadonlyMap<Instant, number> =>
    new Map((answered[id] ?? []).map(({ at, value }) => [at, value * (scales.get(id) ?? 1)]));
  return Object.fromEntries(
    asked.map(({ id, target }) => {
      const errors = errorSignals(record.source, target).map((signal) => valuesOf(`${id} ${signal}`));
      const latencies = soakPercentiles.map((name) => [name, valuesOf(`${id} ${name}`)] as const);
      const windows = [...valuesOf(`${id} requests`)]
        .sort(([left], [right]) => left - right)
        .flatMap(([at, requests]) => {
          // Errors are published only where there are some.
          const counted = errors.reduce((sum, points) => sum + (points.get(at) ?? 0), 0);
          const percentiles = latencies.flatMap(([name, points]) => {
            const value = points.get(at);
            return value === undefined ? [] : [[name, value] as const];
          });
          return windowOf({ at, requests, errors: counted, percentiles });
        });
      return [id, windows];
    }),
  );
}

/** A window, or none where nobody asked anything in it. @throws RangeError on what is no count and no latency */
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
  const numbers = [requests, errors, ...percentiles.map(([, value]) => value), ...latencyCounts.flat()];
  const odd = numbers.find((value) => !Number.isFinite(value) || value < 0);
  if (odd !== undefined) {
    throw new RangeError(
      `window of ${new Date(at).toISOString()}: no measurement, got ${odd}; expected finite numbers from 0 on`,
    );
  }
  if (requests === 0) return [];
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
