/** Alarms on Tidegate itself, all of one shape: outside the prefix that wakes the hook, which must not be woken by news of itself. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type Runbook, runbookLink } from "../core/runbooks.ts";

export interface OwnAlarmArgs {
  readonly environment: string;
  /** Physical name. */
  readonly alarmName: string;
  /** What it means that it rings, and what to do until it is mended. */
  readonly means: string;
  readonly runbook: Runbook;
  /** URL or folder with the runbooks. */
  readonly runbookBase: string;
  /** Topic that it tells. */
  readonly topicArn: pulumi.Input<string>;
  readonly metric: Pick<aws.cloudwatch.MetricAlarmArgs, "namespace" | "metricName" | "dimensions" | "statistic">;
  /** `something`: one is one too many. `nothing`: five minutes without any, or without a word, are too long. */
  readonly ringsAt: "something" | "nothing";
  readonly tags: Readonly<Record<string, string>>;
}

/** What Lambda counts of a function, by the metric's name. */
export function functionMetrics(functionName: pulumi.Input<string>): (metricName: string) => OwnAlarmArgs["metric"] {
  return (metricName) => ({
    namespace: "AWS/Lambda",
    metricName,
    dimensions: { FunctionName: functionName },
    statistic: "Sum",
  });
}

const shapes = {
  something: {
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    // These metrics are published only when there is something to say.
    treatMissingData: "notBreaching",
  },
  nothing: {
    // As long as the watchman waits before it calls the hook missing (requirement D4).
    evaluationPeriods: 5,
    comparisonOperator: "LessThanThreshold",
    // A new alarm knows nothing yet, which is not told from silence: after the first `up` of an environment it rings once, until the
    // first minutes' points are there. Whoever gets that page knows that pages arrive.
    treatMissingData: "breaching",
  },
} as const;

/** Declares one. It tells when it is over, too. */
export function ownAlarm(
  name: string,
  args: OwnAlarmArgs,
  opts: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm {
  return new aws.cloudwatch.MetricAlarm(
    name,
    {
      name: args.alarmName,
      alarmDescription: `Tidegate ${args.environment}: ${args.means}. Runbook: ${runbookLink(args.runbookBase, args.runbook)}`,
      ...args.metric,
      period: 60,
      threshold: 1,
      ...shapes[args.ringsAt],
      alarmActions: [args.topicArn],
      okActions: [args.topicArn],
      tags: args.tags,
    },
    opts,
  );
}
