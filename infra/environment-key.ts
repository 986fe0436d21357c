/**
 * One KMS key an environment: for the topics, the functions' logs and the secrets that the program itself makes.
 *
 * A key of our own, because CloudWatch may not use the AWS-managed SNS key and would drop every notification without a word. Source: "Why
 * didn't I receive an SNS notification for my CloudWatch alarm", repost.aws knowledge centre, read 2026-11.
 *
 * Two things do not use it, on purpose: what a rollback needs must not hang on one more policy. The record table keeps DynamoDB's managed
 * key, and dead letters keep SQS's own encryption: EventBridge's calls to KMS carry no source to tell them by, so the key would have to be
 * open to every rule of every account. Source: "Key management", SNS developer guide, and the notes of `grantCloudWatchAlarmsTopicAccess` in
 * the Modern Data Architecture Accelerator, both read 2026-11.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { hookFunctionName, reportFunctionName, watchmanFunctionName } from "../core/naming.ts";
import { arnAt, dnsSuffixOf, type Place } from "./place.ts";

export interface EnvironmentKeyArgs extends Place {
  readonly environment: string;
}

/**
 * The environment's key.
 *
 * @example
 * ```ts
 * const key = new EnvironmentKey("key", { environment: "production", accountId, region: "eu-west-1", partition: "aws" });
 * ```
 */
export class EnvironmentKey extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: EnvironmentKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:EnvironmentKey", name, { environment: args.environment }, opts);
    const key = new aws.kms.Key(
      `${name}-key`,
      {
        description: `Tidegate ${args.environment}: topics, logs, secrets`,
        enableKeyRotation: true,
        // The longest there is: time to notice that a topic has gone silent.
        deletionWindowInDays: 30,
        policy: JSON.stringify(environmentKeyPolicy(args)),
        tags: { "tidegate:environment": args.environment, "tidegate:role": "key" },
      },
      { parent: this },
    );
    this.arn = key.arn;
    this.registerOutputs({ arn: this.arn });
  }
}

/** Log groups of the functions: `/aws/lambda/<function>`, the name that Lambda itself would take. */
export function logGroupName(functionName: string): string {
  return `/aws/lambda/${functionName}`;
}

/**
 * Who may use the key. The roles of our functions, Secrets Manager's callers and whoever publishes to a topic use it by their own IAM
 * policies, which the first statement lets count. In a key policy the resource "*" is this key alone.
 */
export function environmentKeyPolicy(args: EnvironmentKeyArgs) {
  const { accountId, environment, partition, region } = args;
  const functionNames = [hookFunctionName, watchmanFunctionName, reportFunctionName].map((nameIn) =>
    nameIn(environment),
  );
  const logGroups = functionNames.map((functionName) => arnAt(args, "logs", `log-group:${logGroupName(functionName)}`));
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AccountAdministersItsKey",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        // Source: "Key management", SNS developer guide (compatibility with AWS services), read 2026-11.
        Sid: "AlarmsPublishToEncryptedTopics",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceAccount": accountId } },
      },
      {
        // Source: "Encrypt log data in CloudWatch Logs using AWS KMS", CloudWatch Logs user guide, read 2026-11.
        Sid: "LogsOfOurFunctionsAlone",
        Effect: "Allow",
        Principal: { Service: `logs.${region}.${dnsSuffixOf(partition)}` },
        Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Resource: "*",
        Condition: { ArnEquals: { "kms:EncryptionContext:aws:logs:arn": logGroups } },
      },
    ],
  };
}
