/**
 * The hook as deployed: one Lambda function behind two aliases, `live` for everything that machines wake it by and `acknowledge` for what
 * opens a latch. Both move to a new version only after that version has tested itself.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { acknowledgeAliasName, drillAlarmName, hookAliasName, hookFunctionName, tableName } from "../core/naming.ts";
import { defaultRunbookBase } from "../core/runbooks.ts";
import { deployedFunction } from "./deployed-function.ts";
import { type ElsewhereAccess, elsewhereSecretArns, elsewhereVariables } from "./elsewhere.ts";
import { hookAlarms, hookMetricNamespace } from "./hook-alarms.ts";
import { hookEventsTopic } from "./hook-events.ts";
import { hookPolicy } from "./hook-policy.ts";
import { hookWakers } from "./hook-wakers.ts";
import { arnAt, type Place } from "./place.ts";

/** Where a channel's secret is read from; each one optional. */
export interface HookSecrets {
  /** ARN of the secret that holds the PagerDuty routing key. @default none: PagerDuty is not told */
  readonly pagerDutyArn?: pulumi.Input<string>;
  /** ARN of the secret that holds the Slack webhook URL. @default none: the hook does not post to Slack */
  readonly slackArn?: pulumi.Input<string>;
}

export interface RollbackHookArgs extends Place {
  readonly environment: string;
  /** Folder of the bundled handler; see `hooks/bundle.ts`. */
  readonly bundleFolder: string;
  readonly tableName: pulumi.Input<string>;
  readonly tableArn: pulumi.Input<string>;
  /** Regions that share holds; the hook may read and hold the records of this environment there. @default none */
  readonly peers?: readonly string[];
  /** The listener whose rules the hook may lower. */
  readonly listenerArn: pulumi.Input<string>;
  /** Further listeners that services have rules on. @default none */
  readonly moreListenerArns?: readonly string[];
  /** Topic that pages. */
  readonly criticalTopicArn: pulumi.Input<string>;
  /** Topic that wakes nobody. */
  readonly warningTopicArn: pulumi.Input<string>;
  /** The environment's key. */
  readonly keyArn: pulumi.Input<string>;
  /** See `DeadLetters`. */
  readonly deadLetters: aws.sqs.Queue;
  readonly secrets?: HookSecrets;
  /** Systems that watch beside CloudWatch, which the hook asks. @default none */
  readonly elsewhere?: ElsewhereAccess;
  /** URL or folder that pages and alarms link to. @default the product's own folder */
  readonly runbookBase?: string;
  /** URL of a dashboard that pages link to. @default none */
  readonly dashboardUrl?: string;
  /** How long logs are kept. Unit: days; one of the values CloudWatch Logs takes. @default 90 (a quarter's post-mortems) */
  readonly logRetentionDays?: number;
  /** Concurrent executions set aside. @default none (a fresh account has too few to set any aside) */
  readonly reservedConcurrency?: number;
  /** Tied to the function's creation and update; tells the guard that the code changes in this `up`. @default none */
  readonly functionHooks?: pulumi.ResourceHookBinding;
}

/** How long one run may take. Unit: seconds. An opening reads and writes a handful of things, each bounded to seconds. */
const timeoutSeconds = 60;
const memoryMegabytes = 512;

/** What a new version is asked before an alias moves to it; see `hooks/self-test.ts`. */
const selfTestInput = JSON.stringify({ kind: "tidegate:self-test" });

/**
 * The rollback hook of an environment.
 *
 * @example
 * ```ts
 * const hook = new RollbackHook("hook", {
 *   environment: "production",
 *   accountId,
 *   region: "eu-west-1",
 *   partition: "aws",
 *   bundleFolder: "dist/hook",
 *   tableName: table.name,
 *   tableArn: table.arn,
 *   listenerArn: edge.listenerArn,
 *   criticalTopicArn: topics.critical.arn,
 *   warningTopicArn: topics.warning.arn,
 *   keyArn: key.arn,
 *   deadLetters: deadLetters.queue,
 * });
 * ```
 */
export class RollbackHook extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly alias: aws.lambda.Alias;
  readonly acknowledgeAlias: aws.lambda.Alias;
  readonly functionName: pulumi.Output<string>;
  readonly aliasName: pulumi.Output<string>;
  /** ARN of the alias `live`. */
  readonly arn: pulumi.Output<string>;
  /** Other tools' alerts reach the hook through it. */
  readonly eventsTopic: aws.sns.Topic;

  constructor(name: string, args: RollbackHookArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:RollbackHook", name, { environment: args.environment }, opts);
    const { environment, keyArn, runbookBase = defaultRunbookBase } = args;
    const tags = { "tidegate:environment": environment, "tidegate:role": "hook" };
    const child = { parent: this };

    this.function = deployedFunction(
      name,
      {
        functionName: hookFunctionName(environment),
        description: `Tidegate ${environment}: commits openings, lowers on breach`,
        bundleFolder: args.bundleFolder,
        timeoutSeconds,
        memoryMegabytes,
        variables: variablesOf(args, runbookBase),
        policy: (logGroupArn) => policyOf(args, logGroupArn),
        keyArn,
        logRetentionDays: args.logRetentionDays ?? 90,
        tags,
        more: {
          publish: true,
          tracingConfig: { mode: "Active" },
          deadLetterConfig: { targetArn: args.deadLetters.arn },
          ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: args.reservedConcurrency }),
        },
        ...(args.functionHooks ? { hooks: args.functionHooks } : {}),
      },
      child,
    );
    this.functionName = this.function.name;
    // Made anew with every version and with nothing else, so an idle `up` asks nothing.
    const selfTest = new aws.lambda.Invocation(
      `${name}-self-test`,
      {
        functionName: this.functionName,
        qualifier: this.function.version,
        input: selfTestInput,
        triggers: { version: this.function.version },
      },
      child,
    );
    const aliasTo = (logicalName: string, aliasName: string) =>
      new aws.lambda.Alias(
        logicalName,
        { name: aliasName, functionName: this.functionName, functionVersion: this.function.version },
        { ...child, dependsOn: [selfTest] },
      );
    this.alias = aliasTo(`${name}-alias`, hookAliasName);
    this.acknowledgeAlias = aliasTo(`${name}-acknowledge`, acknowledgeAliasName);
    this.aliasName = this.alias.name;
    this.arn = this.alias.arn;

    const woken = {
      environment,
      functionName: this.functionName,
      aliasName: this.aliasName,
      aliasArn: this.arn,
      deadLetterArn: args.deadLetters.arn,
      tags,
    };
    hookWakers(name, woken, child);
    this.eventsTopic = hookEventsTopic(name, { ...woken, keyArn }, child);
    hookAlarms(
      name,
      {
        environment,
        functionName: this.functionName,
        deadLettersName: args.deadLetters.name,
        criticalTopicArn: args.criticalTopicArn,
        runbookBase,
        tags,
      },
      child,
    );
    this.registerOutputs({ functionName: this.functionName, arn: this.arn, eventsTopicArn: this.eventsTopic.arn });
  }
}

function variablesOf(args: RollbackHookArgs, runbookBase: string): Record<string, pulumi.Input<string>> {
  const { pagerDutyArn, slackArn } = args.secrets ?? {};
  return {
    TIDEGATE_ENVIRONMENT: args.environment,
    TIDEGATE_TABLE: args.tableName,
    TIDEGATE_ACCOUNT: args.accountId,
    TIDEGATE_CRITICAL_TOPIC: args.criticalTopicArn,
    TIDEGATE_WARNING_TOPIC: args.warningTopicArn,
    TIDEGATE_RUNBOOKS: runbookBase,
    ...(args.dashboardUrl === undefined ? {} : { TIDEGATE_DASHBOARD: args.dashboardUrl }),
    // The ARN and never the secret: variables are read by everyone who may look at the function.
    ...(pagerDutyArn === undefined ? {} : { TIDEGATE_PAGERDUTY_SECRET: pagerDutyArn }),
    ...(slackArn === undefined ? {} : { TIDEGATE_SLACK_SECRET: slackArn }),
    ...elsewhereVariables(args.elsewhere),
    POWERTOOLS_SERVICE_NAME: "tidegate-hook",
    POWERTOOLS_METRICS_NAMESPACE: hookMetricNamespace,
  };
}

function policyOf(args: RollbackHookArgs, logGroup: pulumi.Output<string>) {
  const { pagerDutyArn, slackArn } = args.secrets ?? {};
  const secrets = [pagerDutyArn, slackArn, ...elsewhereSecretArns(args.elsewhere)].filter((arn) => arn !== undefined);
  return pulumi
    .all([
      pulumi.all([args.tableArn, args.deadLetters.arn, logGroup, args.listenerArn, args.keyArn]),
      pulumi.all([args.criticalTopicArn, args.warningTopicArn]),
      pulumi.all(secrets),
    ])
    .apply(([[tableArn, deadLetterArn, logGroupArn, listenerArn, keyArn], topicArns, secretArns]) =>
      hookPolicy({
        tableArn,
        peerTableArns: (args.peers ?? []).map((region) =>
          arnAt({ ...args, region }, "dynamodb", `table/${tableName(args.environment)}`),
        ),
        deadLetterArn,
        logGroupArn,
        listenerArn,
        moreListenerArns: (args.moreListenerArns ?? []).filter((arn) => arn !== listenerArn),
        keyArn,
        topicArns,
        secretArns,
        drillAlarmArn: arnAt(args, "cloudwatch", `alarm:${drillAlarmName(args.environment)}`),
      }),
    );
}
