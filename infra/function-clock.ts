/** What starts a function that looks by itself, again and again: a rule with a schedule, its target, and the permission to invoke. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface FunctionClockArgs {
  readonly function: aws.lambda.Function;
  /** Physical name of the rule. */
  readonly ruleName: string;
  readonly description: string;
  /** EventBridge's `rate(…)` or `cron(…)`. */
  readonly schedule: string;
  readonly targetId: string;
  /** How late a look may begin; it is not tried again, since the next one is as good. Unit: seconds, at least 60. */
  readonly maximumEventAgeInSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Declares one. */
export function functionClock(name: string, args: FunctionClockArgs, opts: pulumi.CustomResourceOptions): void {
  const rule = new aws.cloudwatch.EventRule(
    name,
    { name: args.ruleName, description: args.description, scheduleExpression: args.schedule, tags: args.tags },
    opts,
  );
  const permission = new aws.lambda.Permission(
    `${name}-permission`,
    {
      statementId: "clock",
      action: "lambda:InvokeFunction",
      function: args.function.name,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    },
    opts,
  );
  new aws.cloudwatch.EventTarget(
    `${name}-target`,
    {
      rule: rule.name,
      targetId: args.targetId,
      arn: args.function.arn,
      retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: args.maximumEventAgeInSeconds },
    },
    { ...opts, dependsOn: [permission] },
  );
}
