/**
 * Where alarms tell people: one topic that pages, one that does not. Encrypted with a key of our own, because CloudWatch may not use
 * the AWS-managed SNS key and would drop every message without a word.
 * Source: "Why didn't I receive an SNS notification for my CloudWatch alarm", repost.aws knowledge centre, read 2026-11.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface AlertTopicsArgs {
  readonly environment: string;
  /** The account that the topics live in, 12 digits. */
  readonly accountId: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  /** Who gets both topics by e-mail; each address confirms its subscription once. @default nobody */
  readonly email?: readonly string[];
}

/**
 * Topics for critical alarms and for warnings.
 *
 * @example
 * ```ts
 * const topics = new AlertTopics("alerts", { environment: "production", accountId, partition: "aws", email: ["oncall@example.com"] });
 * ```
 */
export class AlertTopics extends pulumi.ComponentResource {
  readonly critical: aws.sns.Topic;
  readonly warning: aws.sns.Topic;

  constructor(name: string, args: AlertTopicsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:AlertTopics", name, { environment: args.environment }, opts);
    const tags = { "tidegate:environment": args.environment, "tidegate:role": "alerts" };
    const key = new aws.kms.Key(
      `${name}-key`,
      {
        description: `Tidegate ${args.environment}: alert topics`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: JSON.stringify(keyPolicy(args)),
        tags,
      },
      { parent: this },
    );
    const topic = (severity: string, displayName: string): aws.sns.Topic =>
      new aws.sns.Topic(
        `${name}-${severity}`,
        { name: `tidegate-${args.environment}-${severity}`, displayName, kmsMasterKeyId: key.arn, tags },
        { parent: this },
      );
    this.critical = topic("critical", `Tidegate ${args.environment}: critical`);
    this.warning = topic("warnings", `Tidegate ${args.environment}: warnings`);
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

/** The account administers its key; CloudWatch of this account may use it to publish. */
function keyPolicy({ accountId, partition }: AlertTopicsArgs) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AccountAdministersItsKey",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: "kms:*",
        // In a key policy "*" is this key alone.
        Resource: "*",
      },
      {
        Sid: "AlarmsPublishToEncryptedTopics",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceAccount": accountId } },
      },
    ],
  };
}
