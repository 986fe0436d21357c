/** Pages that need no hook: it fails, is not let run, falls silent, or something went to the dead letters or reached nobody. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { drillAlarmName, hookFunctionName } from "../core/naming.ts";
import { runbookLink } from "../core/runbooks.ts";
import { functionMetrics, type OwnAlarmArgs, ownAlarm } from "./own-alarm.ts";

export interface HookAlarmsArgs {
  readonly environment: string;
  readonly functionName: pulumi.Input<string>;
  readonly deadLettersName: pulumi.Input<string>;
  /** Topic that pages. */
  readonly criticalTopicArn: pulumi.Input<string>;
  readonly runbookBase: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Namespace of what the functions say of themselves; the hook's variable POWERTOOLS_METRICS_NAMESPACE. */
export const hookMetricNamespace = "Tidegate/Hook";

/** The metric of the drill's alarm; nobody ever publishes it, so nothing but a drill sets the alarm off. */
export const drillMetricName = "DrillNeverEmitted";

const byHand = "Until it is mended, watch exposure by hand";

function watchesOf(args: HookAlarmsArgs): Readonly<Record<string, Pick<OwnAlarmArgs, "metric" | "means" | "ringsAt">>> {
  const lambda = functionMetrics(args.functionName);
  const own = (metricName: string) => ({
    namespace: hookMetricNamespace,
    metricName,
    dimensions: { Environment: args.environment },
    statistic: "Sum",
  });
  return {
    errors: { metric: lambda("Errors"), ringsAt: "something", means: `a run of the hook failed. ${byHand}` },
    throttles: {
      metric: lambda("Throttles"),
      ringsAt: "something",
      means: `the hook was not let run; raise the account's concurrency. ${byHand}`,
    },
    "dead-letters": {
      metric: {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: args.deadLettersName },
        statistic: "Maximum",
      },
      ringsAt: "something",
      means: `an event or a notification was given up on; read it in the queue. ${byHand}`,
    },
    heartbeat: {
      metric: own("ReconcileFinished"),
      ringsAt: "nothing",
      means: `the hook has not finished a look at its services for five minutes. ${byHand}`,
    },
    "pages-undelivered": {
      metric: own("PagesUndelivered"),
      ringsAt: "something",
      means: "a channel did not take a page; read the newest pages with npx tidegate history",
    },
  };
}

/** The alarms on the hook, and the one that drills set off. */
export function hookAlarms(name: string, args: HookAlarmsArgs, opts: pulumi.CustomResourceOptions): void {
  const { environment, runbookBase, tags, criticalTopicArn: topicArn } = args;
  for (const [watch, what] of Object.entries(watchesOf(args))) {
    const alarmName = `${hookFunctionName(environment)}-${watch}`;
    ownAlarm(
      `${name}-${watch}`,
      { environment, runbookBase, tags, topicArn, alarmName, runbook: "hook-failing", ...what },
      opts,
    );
  }
  new aws.cloudwatch.MetricAlarm(
    `${name}-drill-alarm`,
    {
      // Under the prefix that wakes the hook, as a release's own alarm would be.
      name: drillAlarmName(environment),
      alarmDescription:
        `Tidegate ${environment}: set off by drills alone, to show that alarm, hook and page work; it watches no traffic and tells nobody itself. ` +
        `Runbook: ${runbookLink(runbookBase, "drill-missing")}`,
      namespace: hookMetricNamespace,
      metricName: drillMetricName,
      dimensions: { Environment: environment },
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      // Back to OK at the next look: a drill needs no end of its own.
      treatMissingData: "notBreaching",
      tags,
    },
    opts,
  );
}
