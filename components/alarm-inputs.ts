/** What CloudWatch alarms of one service have in common as resources: metric queries, dimensions, runbook links, tags. */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { AlarmMetric, AlarmShape } from "../core/alarms.ts";
import type { Indicator } from "../core/objectives.ts";
import { defaultRunbookBase, runbookLink, runbookOf } from "../core/runbooks.ts";

/** Where people are told, by severity. */
export interface AlertTopicArns {
  readonly critical: pulumi.Input<string>;
  readonly warning: pulumi.Input<string>;
}

/** A release, or a copy of one, as its metrics name it. */
export interface MeasuredRelease {
  /** What it calls itself: the dimension `Release`. */
  readonly releaseKey: string;
  /** The CloudWatch dimension `targetgroup/<name>/<id>`. */
  readonly targetGroupArnSuffix: pulumi.Input<string>;
}

/** What the metrics of an alarm are of. */
export interface MeasuredService {
  readonly service: string;
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** In the order of `AlarmMetric.release`. */
  readonly releases: readonly MeasuredRelease[];
}

function dimensionsOf(metric: AlarmMetric, of: MeasuredService): Record<string, pulumi.Input<string>> {
  const release = of.releases[metric.release];
  if (!release) {
    throw new RangeError(
      `metric ${metric.id}: of release ${metric.release}, got ${of.releases.length} releases; expected one more. ` +
        "Name what the release is compared with",
    );
  }
  switch (metric.dimensions) {
    case "target-group-and-load-balancer":
      return { TargetGroup: release.targetGroupArnSuffix, LoadBalancer: of.loadBalancerArnSuffix };
    case "service-and-release":
      return { Service: of.service, Release: release.releaseKey };
  }
}

/** A lone metric is watched in CloudWatch's plain form; anything computed needs metric queries. */
function watchedValue(
  shape: AlarmShape,
  objective: string,
  of: MeasuredService,
): Pick<
  aws.cloudwatch.MetricAlarmArgs,
  "namespace" | "metricName" | "dimensions" | "statistic" | "extendedStatistic" | "period" | "metricQueries"
> {
  const [only] = shape.metrics;
  if (only && shape.metrics.length === 1 && shape.expressions.length === 0) {
    const { namespace, metricName, statistic } = only;
    const plain = { namespace, metricName, dimensions: dimensionsOf(only, of), period: shape.periodSeconds };
    return statistic.startsWith("p") ? { ...plain, extendedStatistic: statistic } : { ...plain, statistic };
  }
  const last = shape.expressions.at(-1)?.id;
  return {
    metricQueries: [
      ...shape.metrics.map((metric) => ({
        id: metric.id,
        returnData: false,
        metric: {
          namespace: metric.namespace,
          metricName: metric.metricName,
          dimensions: dimensionsOf(metric, of),
          period: shape.periodSeconds,
          stat: metric.statistic,
        },
      })),
      ...shape.expressions.map(({ id, expression }) => ({
        id,
        expression,
        label: `${objective} ${id}`,
        returnData: id === last,
      })),
    ],
  };
}

/**
 * What an alarm's resource is given, save name, description and tags.
 * @throws RangeError where the alarm reads a release that `of` does not have
 */
export function alarmInputs(shape: AlarmShape, objective: string, of: MeasuredService) {
  return {
    comparisonOperator: shape.comparison,
    threshold: shape.threshold,
    evaluationPeriods: shape.evaluationPeriods,
    datapointsToAlarm: shape.datapointsToAlarm,
    treatMissingData: shape.treatMissingData,
    ...watchedValue(shape, objective, of),
  };
}

/** Each runbook once, in the order of the indicators. */
export function runbooksText(runbookBase: string | undefined, of: readonly Indicator[]): string {
  const base = runbookBase ?? defaultRunbookBase;
  const links = new Set(of.map((indicator) => runbookLink(base, runbookOf(indicator))));
  return `${links.size === 1 ? "Runbook" : "Runbooks"}: ${[...links].join(", ")}`;
}

/** `in 2 of 3 periods of 60 s`. */
export function windowText({ datapointsToAlarm, evaluationPeriods, periodSeconds }: AlarmShape): string {
  return evaluationPeriods === 1
    ? `in ${periodSeconds} s`
    : `in ${datapointsToAlarm} of ${evaluationPeriods} periods of ${periodSeconds} s`;
}
