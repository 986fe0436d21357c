/** Where alarms and the hook tell people: one topic that pages, one that does not. Both are encrypted with the environment's key. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** Names of the topics, for policies that are written before the topics are there. */
export function alertTopicNames(environment: string) {
  return { critical: `tidegate-${environment}-critical`, warning: `tidegate-${environment}-warnings` } as const;
}

export interface AlertTopicsArgs {
  readonly environment: string;
  /** The environment's key; its policy must let CloudWatch publish, see `EnvironmentKey`. */
  readonly keyArn: pulumi.Input<string>;
  /** Who gets both topics by e-mail; each address confirms its subscription once. @default nobody */
  readonly email?: readonly string[];
}

/**
 * Topics for critical alarms and for warnings.
 *
 * @example
 * ```ts
 * const topics = new AlertTopics("alerts", { environment: "production", keyArn: key.arn, email: ["oncall@example.com"] });
 * ```
 */
export class AlertTopics extends pulumi.ComponentResource {
  readonly critical: aws.sns.Topic;
  readonly warning: aws.sns.Topic;

  constructor(name: string, args: AlertTopicsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:AlertTopics", name, { environment: args.environment }, opts);
    const tags = { "tidegate:environment": args.environment, "tidegate:role": "alerts" };
    const names = alertTopicNames(args.environment);
    const topic = (severity: string, topicName: string): aws.sns.Topic =>
      new aws.sns.Topic(
        `${name}-${severity}`,
        {
          name: topicName,
          displayName: `Tidegate ${args.environment}: ${severity}`,
          kmsMasterKeyId: args.keyArn,
          tags,
        },
        { parent: this },
      );
    this.critical = topic("critical", names.critical);
    this.warning = topic("warnings", names.warning);
    for (const address of args.email ?? []) {
      for (const [severity, target] of Object.entries({ critical: this.critical, warnings: this.warning })) {
        new aws.sns.TopicSubscription(
          `${name}-${severity}-${address}`,
          { topic: target.arn, protocol: "email", endpoint: address },
          { parent: this },
        );
      }
    }
    this.registerOutputs({ criticalArn: this.critical.arn, warningArn: this.warning.arn });
  }
}
