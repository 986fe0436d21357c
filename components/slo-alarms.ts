/**
 * Declares the CloudWatch alarms that watch one release: one for each objective, severity and window, and one composite a severity
 * that tells people (D1, B3, B9). Which alarms there are is `core/alarms.ts`; here they only become resources.
 *
 * Alarms belong to a release and not to a role. An alarm updated in place keeps its state, so one that moved from release to
 * release would roll back the next for the last one's sins. They act on nothing themselves: the hook hears of every state change
 * by the prefix of their names, and only the composites notify, so that one breach is one message.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmMetric, type AlarmSpec, alarmsFor, settleSeconds } from "../core/alarms.ts";
import { alarmName, compositeAlarmName } from "../core/naming.ts";
import { indicators, type MetricSource, type Objective, type Severity, severities } from "../core/objectives.ts";
import type { WatchedAlarm } from "../core/record.ts";
import { defaultRunbookBase, runbookLink, runbookOf } from "../core/runbooks.ts";
import type { TargetKind } from "../core/watch-rules.ts";

/** Where people are told, by severity. */
export interface AlertTopicArns {
  readonly critical: pulumi.Input<string>;
  readonly warning: pulumi.Input<string>;
}

export interface SloAlarmsArgs {
  /** Second part of every alarm's name. */
  readonly environment: string;
  /** Third part of every alarm's name. */
  readonly service: string;
  /** Readable version of the release, for descriptions. */
  readonly version: string;
  /** The release that the alarms watch and that the hook lowers for them. */
  readonly digest: string;
  /** The release in names; see `core/naming.ts`. */
  readonly releaseKey: string;
  /** Promises of the service; those without a bound have no alarm. */
  readonly objectives: readonly Objective[];
  /** Where the metrics come from; what it cannot measure has no alarm and is named in previews. */
  readonly source: MetricSource;
  /** Of the service; an objective may say otherwise. */
  readonly mode: "act" | "observe";
  /** The CloudWatch dimension `targetgroup/<name>/<id>`. */
  readonly targetGroupArnSuffix: pulumi.Input<string>;
  /** What is behind the target group. @default instances or IP addresses */
  readonly target?: TargetKind;
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** Where the composite alarms tell people. */
  readonly topics: AlertTopicArns;
  /** URL or folder that descriptions link to. @default the product's own folder */
  readonly runbookBase?: string;
}

/** What the hook must know of each alarm of a release; plain data, the same whatever the release's role. */
export function watchedAlarmsOf(
  args: Pick<
    SloAlarmsArgs,
    "environment" | "service" | "digest" | "releaseKey" | "objectives" | "source" | "mode" | "target"
  >,
): WatchedAlarm[] {
  return alarmsFor(args.objectives, args.source, args.target).map((spec) => {
    const objective = args.objectives.find((candidate) => candidate.name === spec.objective);
    return {
      alarmName: alarmName(args.environment, args.service, args.releaseKey, spec.key),
      digest: args.digest,
      objective: spec.objective,
      indicator: spec.indicator,
      severity: spec.severity,
      response: spec.response,
      mode: objective?.mode ?? args.mode,
      disableAnyway: objective?.disableAnyway ?? false,
      settleSeconds: settleSeconds(spec, args.source),
    };
  });
}

/**
 * The alarms of one release.
 *
 * @example
 * ```ts
 * new SloAlarms("checkout-2-4-0-1a2b3c4d", {
 *   environment: "production",
 *   service: "checkout",
 *   version: "2.4.0",
 *   digest: "sha256:…",
 *   releaseKey: "2-4-0-1a2b3c4d",
 *   objectives: objectivePresets.web,
 *   source: "alb",
 *   mode: "act",
 *   targetGroupArnSuffix: group.arnSuffix,
 *   loadBalancerArnSuffix: loadBalancer.arnSuffix,
 *   topics: { critical: criticalTopic.arn, warning: warningsTopic.arn },
 * });
 * ```
 */
export class SloAlarms extends pulumi.ComponentResource {
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];
  readonly composites: readonly aws.cloudwatch.CompositeAlarm[];
  /** What the hook is told of them. */
  readonly watched: readonly WatchedAlarm[];
  /** Physical names of the metric alarms. */
  readonly alarmNames: readonly string[];

  constructor(name: string, args: SloAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "tidegate:slo:SloAlarms",
      name,
      { service: args.service, release: args.releaseKey, source: args.source },
      opts,
    );
    const specs = alarmsFor(args.objectives, args.source, args.target);
    this.watched = watchedAlarmsOf(args);
    this.alarmNames = this.watched.map((alarm) => alarm.alarmName);
    this.alarms = specs.map((spec) => metricAlarm(this, name, args, spec));
    this.composites = severities.flatMap((severity) => {
      const children = specs.flatMap((spec, index) => {
        const alarm = this.alarms[index];
        return alarm && spec.severity === severity ? [{ alarm, spec }] : [];
      });
      // A composite without children has no rule to evaluate.
      return children.length === 0 ? [] : [compositeAlarm(this, name, args, severity, children)];
    });
    this.registerOutputs({ service: args.service, release: args.releaseKey, alarmNames: this.alarmNames });
  }
}

function tagsOf(args: SloAlarmsArgs, role: string): Record<string, string> {
  return {
    "tidegate:environment": args.environment,
    "tidegate:service": args.service,
    "tidegate:role": role,
    "tidegate:release": args.releaseKey,
  };
}

function dimensionsOf(metric: AlarmMetric, args: SloAlarmsArgs): Record<string, pulumi.Input<string>> {
  switch (metric.dimensions) {
    case "target-group-and-load-balancer":
      return { TargetGroup: args.targetGroupArnSuffix, LoadBalancer: args.loadBalancerArnSuffix };
    case "service-and-release":
      return { Service: args.service, Release: args.releaseKey };
  }
}

/** A lone metric is watched in CloudWatch's plain form; anything computed needs metric queries. */
function watchedValue(
  spec: AlarmSpec,
  args: SloAlarmsArgs,
): Pick<
  aws.cloudwatch.MetricAlarmArgs,
  "namespace" | "metricName" | "dimensions" | "statistic" | "extendedStatistic" | "period" | "metricQueries"
> {
  const [only] = spec.metrics;
  if (only && spec.metrics.length === 1 && spec.expressions.length === 0) {
    const { namespace, metricName, statistic } = only;
    const shape = { namespace, metricName, dimensions: dimensionsOf(only, args), period: spec.periodSeconds };
    return statistic.startsWith("p") ? { ...shape, extendedStatistic: statistic } : { ...shape, statistic };
  }
  const last = spec.expressions.at(-1)?.id;
  return {
    metricQueries: [
      ...spec.metrics.map((metric) => ({
        id: metric.id,
        returnData: false,
        metric: {
          namespace: metric.namespace,
          metricName: metric.metricName,
          dimensions: dimensionsOf(metric, args),
          period: spec.periodSeconds,
          stat: metric.statistic,
        },
      })),
      ...spec.expressions.map(({ id, expression }) => ({
        id,
        expression,
        label: `${spec.objective} ${id}`,
        returnData: id === last,
      })),
    ],
  };
}

function metricAlarm(
  parent: SloAlarms,
  name: string,
  args: SloAlarmsArgs,
  spec: AlarmSpec,
): aws.cloudwatch.MetricAlarm {
  return new aws.cloudwatch.MetricAlarm(
    `${name}/${spec.key}`,
    {
      name: alarmName(args.environment, args.service, args.releaseKey, spec.key),
      alarmDescription: descriptionOf(args, spec),
      comparisonOperator: spec.comparison,
      threshold: spec.threshold,
      evaluationPeriods: spec.evaluationPeriods,
      datapointsToAlarm: spec.datapointsToAlarm,
      treatMissingData: spec.treatMissingData,
      ...watchedValue(spec, args),
      tags: tagsOf(args, "alarm"),
    },
    { parent },
  );
}

const responseWords: Readonly<Record<AlarmSpec["response"], string>> = {
  disable: "exposure goes to 0",
  halve: "exposure is halved",
  "previous-wave": "exposure goes back one wave",
  floor: "exposure goes to the floor",
  freeze: "exposure stays, advances stop, a person is paged",
  notify: "a person is told",
};

function descriptionOf(args: SloAlarmsArgs, spec: AlarmSpec): string {
  const side = spec.comparison === "GreaterThanThreshold" ? "above" : "below";
  const { unit } = indicators[spec.indicator];
  // An availability bound is watched as the error rate that it leaves room for.
  const bound =
    spec.indicator === "availability"
      ? `error rate above ${spec.threshold} percent`
      : `${spec.indicator} ${side} ${spec.threshold} ${unit}`;
  return (
    `${args.service} ${args.version}: objective ${spec.objective}, ${spec.severity}: ${bound} in ${spec.datapointsToAlarm} of ` +
    `${spec.evaluationPeriods} periods of ${spec.periodSeconds} s. Response ${spec.response}: ${responseWords[spec.response]}. ` +
    runbooksText(args, [spec])
  );
}

/** Each runbook once, in the order of the alarms. */
function runbooksText(args: SloAlarmsArgs, specs: readonly AlarmSpec[]): string {
  const base = args.runbookBase ?? defaultRunbookBase;
  const links = new Set(specs.map(({ indicator }) => runbookLink(base, runbookOf(indicator))));
  return `${links.size === 1 ? "Runbook" : "Runbooks"}: ${[...links].join(", ")}`;
}

function compositeAlarm(
  parent: SloAlarms,
  name: string,
  args: SloAlarmsArgs,
  severity: Severity,
  children: readonly { readonly alarm: aws.cloudwatch.MetricAlarm; readonly spec: AlarmSpec }[],
): aws.cloudwatch.CompositeAlarm {
  const topic = args.topics[severity];
  return new aws.cloudwatch.CompositeAlarm(
    `${name}/${severity}`,
    {
      alarmName: compositeAlarmName(args.environment, args.service, args.releaseKey, severity),
      alarmDescription:
        `${args.service} ${args.version}: any ${severity} objective of this release is breached. ` +
        runbooksText(
          args,
          children.map(({ spec }) => spec),
        ),
      // Out of the children's names as outputs: CloudWatch refuses a composite whose children do not exist yet.
      alarmRule: pulumi
        .all(children.map(({ alarm }) => alarm.name))
        .apply((names) => names.map((child) => `ALARM("${child}")`).join(" OR ")),
      alarmActions: [topic],
      okActions: [topic],
      tags: tagsOf(args, "composite-alarm"),
    },
    { parent },
  );
}
