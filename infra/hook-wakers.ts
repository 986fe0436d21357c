/**
 * What wakes the hook by itself: every state change of our alarms, a clock, and once a week a drill.
 *
 * The clock is always on: CloudWatch acts only on a state *change*, so a missed event is missed for good.
 */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { alarmPrefix, hookFunctionName } from "../core/naming.ts";

/** Names of the rules, by what they are for. */
export function hookRuleNames(environment: string) {
  const prefix = hookFunctionName(environment);
  return { alarms: `${prefix}-alarms`, clock: `${prefix}-clock`, drill: `${prefix}-drill` } as const;
}

export interface HookWakersArgs {
  readonly environment: string;
  readonly functionName: pulumi.Input<string>;
  readonly aliasName: pulumi.Input<string>;
  /** ARN of the alias. */
  readonly aliasArn: pulumi.Input<string>;
  readonly deadLetterArn: pulumi.Input<string>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Stated and not left to EventBridge's 185 attempts in 24 hours. Unit of the age: seconds, at least 60. */
interface RetryPolicy {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeInSeconds: number;
}

/**
 * Tuesday 09:00 UTC: a working hour from San Francisco's night owls to Tokyo's evening, no Monday's backlog and no change freeze before a
 * weekend, so that whoever it reaches has time for what it shows.
 */
export const drillSchedule = "cron(0 9 ? * TUE *)";

function wakersOf(environment: string) {
  return {
    alarms: {
      description: `Tidegate ${environment}: state changes of our alarms`,
      when: {
        eventPattern: JSON.stringify({
          source: ["aws.cloudwatch"],
          "detail-type": ["CloudWatch Alarm State Change"],
          detail: { alarmName: [{ prefix: alarmPrefix(environment) }] },
        }),
      },
      // After an hour the clock has looked sixty times; what it could not do, an old event cannot either.
      retryPolicy: { maximumRetryAttempts: 20, maximumEventAgeInSeconds: 3_600 },
    },
    clock: {
      description: `Tidegate ${environment}: reconcile every minute`,
      when: { scheduleExpression: "rate(1 minute)" },
      // The next minute's is as good as this one's, and a queue of old ones would only be in its way.
      retryPolicy: { maximumRetryAttempts: 1, maximumEventAgeInSeconds: 60 },
    },
    drill: {
      description: `Tidegate ${environment}: shows every week that alarm, hook and page work`,
      when: { scheduleExpression: drillSchedule },
      input: JSON.stringify({ kind: "tidegate:drill" }),
      // A drill that comes in the night after is one that wakes somebody for nothing.
      retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 3_600 },
    },
  } satisfies Record<
    keyof ReturnType<typeof hookRuleNames>,
    { description: string; when: object; input?: string; retryPolicy: RetryPolicy }
  >;
}

/** The rules, each with its target and the permission to invoke. */
export function hookWakers(name: string, args: HookWakersArgs, opts: pulumi.CustomResourceOptions): void {
  const names: Readonly<Record<string, string>> = hookRuleNames(args.environment);
  for (const [waker, { description, when, retryPolicy, ...rest }] of Object.entries(wakersOf(args.environment))) {
    const rule = new aws.cloudwatch.EventRule(
      `${name}-${waker}`,
      { name: names[waker], description, ...when, tags: args.tags },
      opts,
    );
    const permission = new aws.lambda.Permission(
      `${name}-${waker}-permission`,
      {
        statementId: waker,
        action: "lambda:InvokeFunction",
        function: args.functionName,
        qualifier: args.aliasName,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      opts,
    );
    new aws.cloudwatch.EventTarget(
      `${name}-${waker}-target`,
      {
        rule: rule.name,
        targetId: "hook",
        arn: args.aliasArn,
        ...rest,
        retryPolicy,
        deadLetterConfig: { arn: args.deadLetterArn },
      },
      { ...opts, dependsOn: [permission] },
    );
  }
}
