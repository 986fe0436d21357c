/**
 * Turns served requests into metrics, each source with its own delay: the load balancer's by the minute, a release's own (EMF) every
 * 10 s. The load balancer publishes request metrics only where there are requests, errors only where there are some, and names no
 * target group in errors that it makes itself.
 */
import type { Instant } from "../../core/record.ts";
import { cloudWatchName, type ReportedSignal, reportedNamespace, reportedSignals } from "../../core/signals.ts";
import { type HookMetric, hookMetrics } from "../../hooks/ports.ts";
import type { CloudWatch } from "../cloudwatch/cloudwatch.ts";
import { Histogram } from "../cloudwatch/histogram.ts";
import type { Series } from "../cloudwatch/series.ts";
import { statisticsOf } from "../cloudwatch/statistic.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { traffic } from "../traffic/constants.ts";
import { emptyReport, type OwnSignal } from "../traffic/reported.ts";
import type { ReleaseTraffic } from "../traffic/traffic.ts";
import { cloud } from "./constants.ts";

const minuteMs = 60_000;
const ownSignals = Object.keys(emptyReport()) as OwnSignal[];

/** Everything that the local cloud publishes; an alarm on anything else would be silent for ever, so it is refused. */
const published: Readonly<Record<string, readonly string[]>> = {
  "AWS/ApplicationELB": [
    "RequestCount",
    "HTTPCode_Target_5XX_Count",
    "HTTPCode_ELB_5XX_Count",
    "TargetConnectionErrorCount",
    "TargetResponseTime",
    "HealthyHostCount",
  ],
  [reportedNamespace]: (Object.keys(reportedSignals) as ReportedSignal[]).map(cloudWatchName),
  "AWS/Lambda": ["Errors", "Invocations", "Throttles"],
  "AWS/SQS": ["ApproximateNumberOfMessagesVisible"],
  "Tidegate/Hook": Object.keys(hookMetrics),
};

/** @throws NotRehearsedError naming a metric that the local cloud never publishes */
export function refuseUnpublished(place: string, namespace: unknown, metricName: unknown): void {
  if (published[String(namespace)]?.includes(String(metricName))) return;
  throw new NotRehearsedError(
    `${place}: the metric ${String(namespace)} ${String(metricName)}, which nothing here publishes`,
  );
}

/** Filled anew for each put; a store copies what it keeps. */
interface Counted {
  sum: number;
  count: number;
  min: number;
  max: number;
}

/** A minute of one target group. */
class GroupMinute {
  readonly series: Record<"requests" | "errors" | "connections" | "latency" | "hosts", Series>;
  requests = 0;
  errors = 0;
  connectionErrors = 0;
  readonly latency = new Histogram();
  hosts = Number.POSITIVE_INFINITY;
  touched = false;

  constructor(cloudWatch: CloudWatch, dimensions: Readonly<Record<string, string>>) {
    const named = (metricName: string) => cloudWatch.metrics.series("AWS/ApplicationELB", metricName, dimensions);
    this.series = {
      requests: named("RequestCount"),
      errors: named("HTTPCode_Target_5XX_Count"),
      connections: named("TargetConnectionErrorCount"),
      latency: named("TargetResponseTime"),
      hosts: named("HealthyHostCount"),
    };
  }

  clear(): void {
    this.requests = 0;
    this.errors = 0;
    this.connectionErrors = 0;
    if (this.latency.total > 0) this.latency.clear();
    this.hosts = Number.POSITIVE_INFINITY;
    this.touched = false;
  }
}

interface BalancerMinute {
  readonly requestSeries: Series;
  readonly errorSeries: Series;
  requests: number;
  errors: number;
}

type ReleaseSeries = Readonly<Record<ReportedSignal, Series>>;

/**
 * Counters that are written while there are requests, 0 included, so that a healthy minute is told from silence, as `client/` does. The
 * others are written where something was counted; gauges always.
 */
const writtenAsZero: ReadonlySet<ReportedSignal> = new Set(["requests", "errors", "cache-hits", "cache-misses"]);

export class MetricsFeed {
  /** Of the hook, by metric and service: one environment, so those two say which. */
  readonly #seriesOfHook = new Map<string, Series>();
  readonly #cloudWatch: CloudWatch;
  readonly #groups = new Map<string, GroupMinute>();
  readonly #balancers = new Map<string, BalancerMinute>();
  readonly #releases = new Map<string, ReleaseSeries>();
  readonly #counted: Counted = { sum: 0, count: 1, min: 1, max: 1 };

  constructor(cloudWatch: CloudWatch) {
    this.#cloudWatch = cloudWatch;
  }

  /** Requests of one release on its group, as the load balancer saw them. */
  countOnGroup(groupSuffix: string, balancerSuffix: string, served: ReleaseTraffic): void {
    const minute = this.#group(groupSuffix, balancerSuffix);
    minute.touched = true;
    minute.requests += served.requests;
    minute.errors += served.errors;
    minute.connectionErrors += served.connectionErrors;
    minute.latency.merge(served.latency);
  }

  /** Healthy hosts of an attached group; the minute keeps the least. */
  countHosts(groupSuffix: string, balancerSuffix: string, healthyHosts: number): void {
    const minute = this.#group(groupSuffix, balancerSuffix);
    minute.touched = true;
    if (healthyHosts < minute.hosts) minute.hosts = healthyHosts;
  }

  /** Requests on a load balancer, and the errors that it made itself. */
  countOnBalancer(balancerSuffix: string, requests: number, ownErrors: number): void {
    let minute = this.#balancers.get(balancerSuffix);
    if (!minute) {
      const named = (metricName: string) =>
        this.#cloudWatch.metrics.series("AWS/ApplicationELB", metricName, { LoadBalancer: balancerSuffix });
      minute = {
        requestSeries: named("RequestCount"),
        errorSeries: named("HTTPCode_ELB_5XX_Count"),
        requests: 0,
        errors: 0,
      };
      this.#balancers.set(balancerSuffix, minute);
    }
    minute.requests += requests;
    minute.errors += ownErrors;
  }

  #group(groupSuffix: string, balancerSuffix: string): GroupMinute {
    let minute = this.#groups.get(groupSuffix);
    if (!minute) {
      minute = new GroupMinute(this.#cloudWatch, { TargetGroup: groupSuffix, LoadBalancer: balancerSuffix });
      this.#groups.set(groupSuffix, minute);
    }
    return minute;
  }

  /** What a release writes itself about 10 s: one line, only where it had requests. */
  reportRelease(service: string, releaseKey: string, served: ReleaseTraffic, from: Instant, to: Instant): void {
    if (served.requests === 0) return;
    const id = `${service} ${releaseKey}`;
    let series = this.#releases.get(id);
    if (!series) {
      series = this.#seriesOfRelease({ Service: service, Release: releaseKey });
      this.#releases.set(id, series);
    }
    const visibleAt = to + traffic.metricDelaySeconds.emf * 1_000;
    // A connection that failed never reached the release, so it cannot report it.
    const answered = served.requests - served.connectionErrors;
    if (answered === 0) return;
    this.#put(series.requests, from, answered, visibleAt);
    this.#put(series.errors, from, served.errors, visibleAt);
    if (served.invariantViolations > 0)
      this.#put(series["invariant-violations"], from, served.invariantViolations, visibleAt);
    putLatency(series.latency, from, served.latency, 0, visibleAt);
    for (const signal of ownSignals) {
      const value = served.own[signal];
      if (reportedSignals[signal].kind === "gauge") series[signal].put(from, value, visibleAt);
      else if (value > 0 || writtenAsZero.has(signal)) this.#put(series[signal], from, value, visibleAt);
    }
  }

  #seriesOfRelease(dimensions: Readonly<Record<string, string>>): ReleaseSeries {
    const entries = (Object.keys(reportedSignals) as ReportedSignal[]).map((signal) => [
      signal,
      this.#cloudWatch.metrics.series(reportedNamespace, cloudWatchName(signal), dimensions),
    ]);
    return Object.fromEntries(entries) as ReleaseSeries;
  }

  /** Publishes the minute that ends at `end`. */
  closeMinute(end: Instant): void {
    const from = end - minuteMs;
    const visibleAt = end + traffic.metricDelaySeconds.alb * 1_000;
    for (const minute of this.#groups.values()) {
      if (!minute.touched) continue;
      const { series } = minute;
      if (minute.requests > 0) this.#put(series.requests, from, minute.requests, visibleAt);
      if (minute.errors > 0) this.#put(series.errors, from, minute.errors, visibleAt);
      if (minute.connectionErrors > 0) this.#put(series.connections, from, minute.connectionErrors, visibleAt);
      putLatency(series.latency, from, minute.latency, -3, visibleAt);
      if (minute.hosts !== Number.POSITIVE_INFINITY) series.hosts.put(from, minute.hosts, visibleAt);
      minute.clear();
    }
    for (const minute of this.#balancers.values()) {
      if (minute.requests > 0) this.#put(minute.requestSeries, from, minute.requests, visibleAt);
      if (minute.errors > 0) this.#put(minute.errorSeries, from, minute.errors, visibleAt);
      minute.requests = 0;
      minute.errors = 0;
    }
  }

  /** A run of a function; throttled ones never begin. */
  countRun(functionName: string, what: "Invocations" | "Errors" | "Throttles", at: Instant): void {
    this.#countOfService("AWS/Lambda", what, { FunctionName: functionName }, 1, at);
  }

  /** What a function says of itself: one point for the environment, and one for the service where one is meant. */
  reportOfHook(name: HookMetric, value: number, dimensions: Readonly<Record<string, string>>, at: Instant): void {
    const visibleAt = at + traffic.metricDelaySeconds.emf * 1_000;
    const key = `${name} ${dimensions.Service ?? ""}`;
    let series = this.#seriesOfHook.get(key);
    if (!series) {
      series = this.#cloudWatch.metrics.series("Tidegate/Hook", name, dimensions);
      this.#seriesOfHook.set(key, series);
    }
    series.put(at, value, visibleAt);
  }

  /** Dead letters that wait; published by the minute while there are any. */
  countDeadLetters(queueName: string, waiting: number, at: Instant): void {
    this.#countOfService("AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName: queueName }, waiting, at);
  }

  #countOfService(
    namespace: string,
    metricName: string,
    dimensions: Readonly<Record<string, string>>,
    value: number,
    at: Instant,
  ): void {
    const end = (Math.floor(at / minuteMs) + 1) * minuteMs;
    this.#cloudWatch.putMetric(
      namespace,
      metricName,
      dimensions,
      at,
      value,
      end + cloud.serviceMetricDelaySeconds * 1_000,
    );
  }

  #put(series: Series, at: Instant, sum: number, visibleAt: Instant): void {
    const counted = this.#counted;
    counted.sum = sum;
    // At least one sample; sums of seconds are no whole numbers.
    counted.count = Math.max(1, sum);
    counted.min = sum > 0 ? 1 : 0;
    counted.max = counted.min;
    series.put(at, counted, visibleAt);
  }
}

/** Publishes latencies in milliseconds, if there are any; `decades` -3 makes seconds of them. */
function putLatency(series: Series, at: Instant, latency: Histogram, decades: 0 | -3, visibleAt: Instant): void {
  const statistics = statisticsOf(latency, decades);
  if (statistics) series.put(at, statistics, visibleAt);
}
