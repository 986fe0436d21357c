/**
 * The watchman as deployed: a second, small function that pages when the hook did not act (D4). It shares no role, log, schedule or alarm
 * with the hook, and no channel but the critical topic.
 *
 * It has no alias and no dead letters: a look that was missed is made good by the next minute's, and looks that stay away ring an alarm.
 */
import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { watchmanFunctionName } from "../core/naming.ts";
import { defaultRunbookBase } from "../core/runbooks.ts";
import { deployedFunction } from "./deployed-function.ts";
import { type ElsewhereAccess, elsewhereSecretArns, elsewhereVariables } from "./elsewhere.ts";
import { functionClock } from "./function-clock.ts";
import { hookMetricNamespace } from "./hook-alarms.ts";
import { functionMetrics, type OwnAlarmArgs, ownAlarm } from "./own-alarm.ts";
import { watchmanPolicy } from "./watchman-policy.ts";

export interface WatchmanArgs {
  readonly environment: string;
  /** 12 digits. */
  readonly accountId: string;
  /** Folder of the bundled handler; see `hooks/bundle.ts`. */
  readonly bundleFolder: string;
  readonly tableName: pulumi.Input<string>;
  readonly tableArn: pulumi.Input<string>;
  /** Topic that pages. */
  readonly criticalTopicArn: pulumi.Input<string>;
  /** The environment's key. */
  readonly keyArn: pulumi.Input<string>;
  /** URL or folder that pages and alarms link to. @default the product's own folder */
  readonly runbookBase?: string;
  /** URL of a dashboard that pages link to. @default none */
  readonly dashboardUrl?: string;
  /** Systems that watch beside CloudWatch, which the watchman asks for itself. @default none */
  readonly elsewhere?: ElsewhereAccess;
  /** How long logs are kept. Unit: days. @default 90 (as the hook's) */
  readonly logRetentionDays?: number;
}

/** Under the minute after which the next look begins. Unit: seconds. */
const timeoutSeconds = 50;
const memoryMegabytes = 256;

/**
 * The watchman of an environment.
 *
 * @example
 * ```ts
 * new Watchman("watchman", {
 *   environment: "production",
 *   accountId,
 *   bundleFolder: "dist/watchman",
 *   tableName: table.name,
 *   tableArn: table.arn,
 *   criticalTopicArn: topics.critical.arn,
 *   keyArn: key.arn,
 * });
 * ```
 */
export class Watchman extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;

  constructor(name: string, args: WatchmanArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:Watchman", name, { environment: args.environment }, opts);
    const { environment, keyArn, runbookBase = defaultRunbookBase } = args;
    const functionName = watchmanFunctionName(environment);
    const tags = { "tidegate:environment": environment, "tidegate:role": "watchman" };
    const child = { parent: this };
    this.function = deployedFunction(
      `${name}-watchman`,
      {
        functionName,
        description: `Tidegate ${environment}: pages when the hook did not act`,
        bundleFolder: args.bundleFolder,
        timeoutSeconds,
        memoryMegabytes,
        variables: {
          TIDEGATE_ENVIRONMENT: environment,
          TIDEGATE_TABLE: args.tableName,
          TIDEGATE_ACCOUNT: args.accountId,
          TIDEGATE_CRITICAL_TOPIC: args.criticalTopicArn,
          TIDEGATE_RUNBOOKS: runbookBase,
          ...(args.dashboardUrl === undefined ? {} : { TIDEGATE_DASHBOARD: args.dashboardUrl }),
          ...elsewhereVariables(args.elsewhere),
          POWERTOOLS_SERVICE_NAME: "tidegate-watchman",
          POWERTOOLS_METRICS_NAMESPACE: hookMetricNamespace,
        },
        policy: (logs) =>
          pulumi
            .all([args.tableArn, logs, args.criticalTopicArn, keyArn])
            .apply(([tableArn, logGroupArn, criticalTopicArn, key]) =>
              watchmanPolicy({
                tableArn,
                logGroupArn,
                criticalTopicArn,
                keyArn: key,
                secretArns: elsewhereSecretArns(args.elsewhere),
              }),
            ),
        keyArn,
        logRetentionDays: args.logRetentionDays ?? 90,
        tags,
      },
      child,
    );
    functionClock(
      `${name}-watchman-clock`,
      {
        function: this.function,
        ruleName: `${functionName}-clock`,
        description: `Tidegate ${environment}: the watchman looks every minute`,
        schedule: "rate(1 minute)",
        targetId: "watchman",
        maximumEventAgeInSeconds: 60,
        tags,
      },
      child,
    );
    for (const [watch, what] of Object.entries(watchesOf(environment, this.function.name))) {
      const shared = {
        environment,
        runbookBase,
        tags,
        topicArn: args.criticalTopicArn,
        runbook: "hook-failing",
      } as const;
      ownAlarm(`${name}-watchman-${watch}`, { ...shared, alarmName: `${functionName}-${watch}`, ...what }, child);
    }
    this.registerOutputs({ functionName: this.function.name });
  }
}

function watchesOf(
  environment: string,
  functionName: pulumi.Output<string>,
): Readonly<Record<string, Pick<OwnAlarmArgs, "metric" | "means" | "ringsAt">>> {
  const lambda = functionMetrics(functionName);
  return {
    errors: {
      metric: lambda("Errors"),
      ringsAt: "something",
      means: "a run of the watchman failed, so nobody looks whether the hook acts",
    },
    missing: {
      metric: lambda("Invocations"),
      ringsAt: "nothing",
      means: "the watchman has not run for five minutes, so nobody looks whether the hook acts",
    },
    findings: {
      metric: {
        namespace: hookMetricNamespace,
        metricName: "WatchmanFindings",
        dimensions: { Environment: environment },
        // A count that is written anew every minute: the highest, not the sum.
        statistic: "Maximum",
      },
      ringsAt: "something",
      means: "the hook should have acted and has not; the watchman's own message and its log say on what",
    },
  };
}
