/**
 * What CloudWatch says of rules: their alarms, exactly as `core/alarms.ts` makes them, run by the rehearsal's CloudWatch on a series. Its
 * points are there at once: how late a source's are is `sourceDelaySeconds`, and not asked here.
 */
import { type AlarmSpec, alarmOf } from "../../core/alarms.ts";
import { cloudWatchName, reportedNamespace, reportedSignals } from "../../core/signals.ts";
import { hostTargets } from "../../core/watch-rules.ts";
import { CloudWatch } from "../../rehearsal/cloudwatch/cloudwatch.ts";
import { Histogram } from "../../rehearsal/cloudwatch/histogram.ts";
import { statisticsOf } from "../../rehearsal/cloudwatch/statistic.ts";
import type { Spoken } from "./compare.ts";
import { everySecondsOf } from "./reference.ts";
import type { NamedRule } from "./rules.ts";
import {
  type AgreementSeries,
  agreementPlace,
  baselineKey,
  canaryKey,
  type ReleaseSeries,
  releasesOf,
  scalarSignals,
  seriesStartAt,
  stepCount,
  stepSeconds,
} from "./series.ts";

const stepMs = stepSeconds * 1_000;
/** The release itself, or the first live one, is the canary; what it is compared or put together with is the baseline. */
const releaseKeys = [canaryKey, baselineKey];

/** Counters are written while there are requests, 0 included, or only where something was counted (`writtenAsZero` of the feed). */
const writtenAsZero = new Set(["requests", "errors", "cache-hits", "cache-misses"]);

function alarmInputs(name: string, spec: AlarmSpec): unknown {
  const dimensionsOf = (release: number) => ({
    Service: agreementPlace.service,
    Release: releaseKeys[release] ?? `nobody-${release}`,
  });
  const returned = spec.expressions.at(-1)?.id;
  return {
    name,
    comparisonOperator: spec.comparison,
    threshold: spec.threshold,
    evaluationPeriods: spec.evaluationPeriods,
    datapointsToAlarm: spec.datapointsToAlarm,
    treatMissingData: spec.treatMissingData,
    metricQueries: [
      ...spec.metrics.map(({ id, namespace, metricName, statistic, release }) => ({
        id,
        returnData: returned === undefined,
        metric: {
          namespace,
          metricName,
          stat: statistic,
          period: spec.periodSeconds,
          dimensions: dimensionsOf(release),
        },
      })),
      ...spec.expressions.map(({ id, expression }) => ({ id, expression, returnData: id === returned })),
    ],
  };
}

function put(cloudWatch: CloudWatch, release: ReleaseSeries, step: number): void {
  const reported = release.steps[step];
  if (!reported) return;
  const at = seriesStartAt + step * stepMs;
  const visibleAt = at + stepMs;
  const dimensions = { Service: agreementPlace.service, Release: release.releaseKey };
  const write = (name: string, value: Parameters<CloudWatch["putMetric"]>[4]) =>
    cloudWatch.putMetric(reportedNamespace, name, dimensions, at, value, visibleAt);
  for (const signal of scalarSignals) {
    const value = reported.values[signal];
    const name = cloudWatchName(signal);
    if (reportedSignals[signal].kind === "gauge") write(name, value);
    else if (value > 0 || (writtenAsZero.has(signal) && reported.values.requests > 0)) write(name, value);
  }
  const histogram = new Histogram();
  for (const [milliseconds, count] of reported.latencies) histogram.add(milliseconds, count);
  const statistics = statisticsOf(histogram);
  if (statistics) write(cloudWatchName("latency"), statistics);
}

/** By rule name, at each evaluation of the rule. */
export function cloudWatchCourses(rules: readonly NamedRule[], series: AgreementSeries): Map<string, Spoken> {
  const cloudWatch = new CloudWatch();
  const targets = [hostTargets, hostTargets];
  for (const { name, rule } of rules) {
    // Rules of all sources are watched by CloudWatch as those of `emf` are.
    cloudWatch.putMetricAlarm(alarmInputs(name, alarmOf(rule, "emf", targets)), seriesStartAt);
  }
  const isAlarming = new Map<string, boolean>();
  const spoken = new Map(rules.map(({ name }) => [name, [] as boolean[]]));
  for (let step = 0; step < stepCount; step += 1) {
    for (const release of releasesOf(series)) put(cloudWatch, release, step);
    const at = seriesStartAt + (step + 1) * stepMs;
    for (const change of cloudWatch.evaluateAt(at)) isAlarming.set(change.alarmName, change.state === "ALARM");
    for (const { name, rule } of rules) {
      if (((step + 1) * stepSeconds) % everySecondsOf(rule) === 0)
        spoken.get(name)?.push(isAlarming.get(name) ?? false);
    }
  }
  return spoken;
}
