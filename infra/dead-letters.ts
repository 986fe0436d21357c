/**
 * The queue for what could not be handed on: events for the hook, runs of it that failed to the end, notifications that a receiver did
 * not take. An alarm on it pages (`hook-alarms.ts`).
 *
 * Encrypted by SQS itself and not with the environment's key: see `environment-key.ts`.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { hookFunctionName } from "../core/naming.ts";
import { alertTopicNames } from "./alert-topics.ts";
import { hookEventsTopicName } from "./hook-events.ts";
import { hookRuleNames } from "./hook-wakers.ts";
import { arnAt, type Place } from "./place.ts";

export interface DeadLettersArgs extends Place {
  readonly environment: string;
}

/** Two weeks, the longest SQS keeps a message: time enough for a person to come back from leave. Unit: seconds. */
const retentionSeconds = 1_209_600;

/**
 * One environment's dead letters.
 *
 * @example
 * ```ts
 * const deadLetters = new DeadLetters("hook", { environment: "production", accountId, region: "eu-west-1", partition: "aws" });
 * ```
 */
export class DeadLetters extends pulumi.ComponentResource {
  readonly queue: aws.sqs.Queue;

  constructor(name: string, args: DeadLettersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:DeadLetters", name, { environment: args.environment }, opts);
    this.queue = new aws.sqs.Queue(
      `${name}-dead-letters`,
      {
        name: `${hookFunctionName(args.environment)}-dead-letters`,
        messageRetentionSeconds: retentionSeconds,
        sqsManagedSseEnabled: true,
        tags: { "tidegate:environment": args.environment, "tidegate:role": "dead-letters" },
      },
      { parent: this },
    );
    new aws.sqs.QueuePolicy(
      `${name}-dead-letters-policy`,
      {
        queueUrl: this.queue.url,
        policy: this.queue.arn.apply((queueArn) => JSON.stringify(deadLettersPolicy(queueArn, args))),
      },
      { parent: this },
    );
    this.registerOutputs({ arn: this.queue.arn, url: this.queue.url });
  }
}

/**
 * Our own rules and topics may leave what they could not deliver. The hook's own role sends by its policy.
 * Source: "Using dead-letter queues", EventBridge user guide; "Dead-letter queues", SNS developer guide; read 2026-11.
 */
export function deadLettersPolicy(queueArn: string, { environment, ...place }: DeadLettersArgs) {
  const { critical } = alertTopicNames(environment);
  const statement = (sid: string, service: string, sources: readonly string[]) => ({
    Sid: sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": sources } },
  });
  return {
    Version: "2012-10-17",
    Statement: [
      statement(
        "UndeliveredEvents",
        "events.amazonaws.com",
        Object.values(hookRuleNames(environment)).map((rule) => arnAt(place, "events", `rule/${rule}`)),
      ),
      statement(
        "UndeliveredNotifications",
        "sns.amazonaws.com",
        [hookEventsTopicName(environment), critical].map((topic) => arnAt(place, "sns", topic)),
      ),
    ],
  };
}
