/**
 * The hook as deployed: one Lambda function behind the alias `live`, woken by every state change of our alarms and by a clock, with a
 * queue for what it could not handle, and alarms that page without it.
 *
 * The clock is always on: CloudWatch acts only on a state *change*, so a missed event is missed for good. What this version of the
 * bundle cannot do yet it refuses by name (`hooks/handler.ts`).
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { alarmPrefix, hookFunctionName } from "../core/naming.ts";
import { deadLetterQueuePolicy, hookPolicy, hookTrustPolicy } from "./hook-policy.ts";

export interface RollbackHookArgs {
  readonly environment: string;
  /** Path of the bundled handler, one ES module; see `hooks/bundle.ts`. */
  readonly bundlePath: string;
  readonly tableName: pulumi.Input<string>;
  readonly tableArn: pulumi.Input<string>;
  /** The listener whose rules the hook may lower. */
  readonly listenerArn: pulumi.Input<string>;
  /** Topic that pages. */
  readonly criticalTopicArn: pulumi.Input<string>;
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
export const hookAliasName = "live";

/**
 * The rollback hook of an environment.
 *
 * @example
 * ```ts
 * const hook = new RollbackHook("hook", {
 *   environment: "production",
 *   bundlePath: "dist/hook/index.mjs",
 *   tableName: table.name,
 *   tableArn: table.arn,
 *   listenerArn: edge.listenerArn,
 *   criticalTopicArn: topics.critical.arn,
 * });
 * ```
 */
export class RollbackHook extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly alias: aws.lambda.Alias;
  readonly functionName: pulumi.Output<string>;
  readonly aliasName: pulumi.Output<string>;
  /** ARN of the alias. */
  readonly arn: pulumi.Output<string>;
  readonly deadLetters: aws.sqs.Queue;

  constructor(name: string, args: RollbackHookArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:RollbackHook", name, { environment: args.environment }, opts);
    const functionName = hookFunctionName(args.environment);
    const tags = { "tidegate:environment": args.environment, "tidegate:role": "hook" };
    const child = { parent: this };

    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { name: `/aws/lambda/${functionName}`, retentionInDays: args.logRetentionDays ?? 90, tags },
      child,
    );
    this.deadLetters = new aws.sqs.Queue(
      `${name}-dead-letters`,
      // Two weeks is the longest SQS keeps a message: time enough for a person to come back from leave.
      { name: `${functionName}-dead-letters`, messageRetentionSeconds: 1_209_600, sqsManagedSseEnabled: true, tags },
      child,
    );
    const role = new aws.iam.Role(
      `${name}-role`,
      { name: functionName, assumeRolePolicy: JSON.stringify(hookTrustPolicy), tags },
      child,
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.name,
        policy: pulumi
          .all([args.tableArn, this.deadLetters.arn, logs.arn, args.listenerArn])
          .apply(([tableArn, deadLetterArn, logGroupArn, listenerArn]) =>
            JSON.stringify(hookPolicy({ tableArn, deadLetterArn, logGroupArn, listenerArn })),
          ),
      },
      child,
    );
    this.function = new aws.lambda.Function(
      `${name}-function`,
      {
        name: functionName,
        description: `Tidegate ${args.environment}: commits openings, lowers on breach`,
        runtime: "nodejs22.x",
        architectures: ["arm64"],
        handler: "index.handler",
        // A file asset: its text stays out of the state, only its hash goes in.
        code: new pulumi.asset.AssetArchive({ "index.mjs": new pulumi.asset.FileAsset(args.bundlePath) }),
        role: role.arn,
        timeout: timeoutSeconds,
        memorySize: memoryMegabytes,
        publish: true,
        ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: args.reservedConcurrency }),
        environment: {
          variables: { TIDEGATE_ENVIRONMENT: args.environment, TIDEGATE_TABLE: args.tableName },
        },
        deadLetterConfig: { targetArn: this.deadLetters.arn },
        loggingConfig: { logFormat: "JSON", logGroup: logs.name },
        tags,
      },
      // Without its policy a first invocation would fail on the record.
      { parent: this, dependsOn: [policy], ...(args.functionHooks ? { hooks: args.functionHooks } : {}) },
    );
    this.alias = new aws.lambda.Alias(
      `${name}-alias`,
      { name: hookAliasName, functionName: this.function.name, functionVersion: this.function.version },
      child,
    );
    this.functionName = this.function.name;
    this.aliasName = this.alias.name;
    this.arn = this.alias.arn;

    const rules = this.#wake(name, args.environment, tags);
    new aws.sqs.QueuePolicy(
      `${name}-dead-letters-policy`,
      {
        queueUrl: this.deadLetters.url,
        policy: pulumi
          .all([this.deadLetters.arn, ...rules.map((rule) => rule.arn)])
          .apply(([queueArn, ...ruleArns]) => JSON.stringify(deadLetterQueuePolicy(queueArn ?? "", ruleArns))),
      },
      child,
    );
    this.#watch(name, args, tags);
    this.registerOutputs({ functionName: this.functionName, arn: this.arn, deadLettersUrl: this.deadLetters.url });
  }

  /** The alarm events and the clock. */
  #wake(name: string, environment: string, tags: Record<string, string>): aws.cloudwatch.EventRule[] {
    const wakers = {
      alarms: {
        description: `Tidegate ${environment}: state changes of our alarms`,
        eventPattern: JSON.stringify({
          source: ["aws.cloudwatch"],
          "detail-type": ["CloudWatch Alarm State Change"],
          detail: { alarmName: [{ prefix: alarmPrefix(environment) }] },
        }),
      },
      clock: { description: `Tidegate ${environment}: reconcile every minute`, scheduleExpression: "rate(1 minute)" },
    };
    return Object.entries(wakers).map(([waker, when]) => {
      const rule = new aws.cloudwatch.EventRule(
        `${name}-${waker}`,
        { name: `${hookFunctionName(environment)}-${waker}`, ...when, tags },
        { parent: this },
      );
      const permission = new aws.lambda.Permission(
        `${name}-${waker}-permission`,
        {
          statementId: waker,
          action: "lambda:InvokeFunction",
          function: this.functionName,
          qualifier: this.aliasName,
          principal: "events.amazonaws.com",
          sourceArn: rule.arn,
        },
        { parent: this },
      );
      new aws.cloudwatch.EventTarget(
        `${name}-${waker}-target`,
        {
          rule: rule.name,
          targetId: "hook",
          arn: this.arn,
          deadLetterConfig: { arn: this.deadLetters.arn },
        },
        { parent: this, dependsOn: [permission] },
      );
      return rule;
    });
  }

  /** Pages that need no hook: it fails, it is throttled, or something went to the dead letters. */
  #watch(name: string, args: RollbackHookArgs, tags: Record<string, string>): void {
    const lambda = (metricName: string) => ({
      namespace: "AWS/Lambda",
      metricName,
      dimensions: { FunctionName: this.functionName },
      statistic: "Sum",
    });
    const watches = {
      errors: { ...lambda("Errors"), means: "a run of the hook failed" },
      throttles: { ...lambda("Throttles"), means: "the hook was not let run; raise the account's concurrency" },
      "dead-letters": {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: this.deadLetters.name },
        statistic: "Maximum",
        means: "an event was given up on; read it in the queue",
      },
    };
    for (const [watch, { means, ...metric }] of Object.entries(watches)) {
      new aws.cloudwatch.MetricAlarm(
        `${name}-${watch}`,
        {
          // Outside the alarm prefix: the hook must not be woken by news of itself.
          name: `${hookFunctionName(args.environment)}-${watch}`,
          alarmDescription: `Tidegate ${args.environment}: ${means}. Until it is mended, watch exposure by hand.`,
          ...metric,
          period: 60,
          evaluationPeriods: 1,
          threshold: 1,
          comparisonOperator: "GreaterThanOrEqualToThreshold",
          treatMissingData: "notBreaching",
          alarmActions: [args.criticalTopicArn],
          okActions: [args.criticalTopicArn],
          tags,
        },
        { parent: this },
      );
    }
  }
}
