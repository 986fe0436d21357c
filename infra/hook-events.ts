/**
 * How others wake the hook: a topic that Grafana and Datadog publish to, so that the hook needs no public endpoint. What they say decides
 * nothing; it names the service that is looked at. Whoever publishes needs `sns:Publish` on it and `kms:GenerateDataKey*` and
 * `kms:Decrypt` on the environment's key.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** Name of the topic. */
export function hookEventsTopicName(environment: string): string {
  return `tidegate-${environment}-hook-events`;
}

export interface HookEventsArgs {
  readonly environment: string;
  readonly keyArn: pulumi.Input<string>;
  readonly functionName: pulumi.Input<string>;
  readonly aliasName: pulumi.Input<string>;
  /** ARN of the alias. */
  readonly aliasArn: pulumi.Input<string>;
  readonly deadLetterArn: pulumi.Input<string>;
  readonly tags: Readonly<Record<string, string>>;
}

/** The topic, subscribed by the hook's alias. */
export function hookEventsTopic(name: string, args: HookEventsArgs, opts: pulumi.CustomResourceOptions): aws.sns.Topic {
  const { environment } = args;
  const topic = new aws.sns.Topic(
    `${name}-events`,
    {
      name: hookEventsTopicName(environment),
      displayName: `Tidegate ${environment}: alerts of other tools`,
      kmsMasterKeyId: args.keyArn,
      tags: args.tags,
    },
    opts,
  );
  const permission = new aws.lambda.Permission(
    `${name}-events-permission`,
    {
      statementId: "events",
      action: "lambda:InvokeFunction",
      function: args.functionName,
      qualifier: args.aliasName,
      principal: "sns.amazonaws.com",
      sourceArn: topic.arn,
    },
    opts,
  );
  new aws.sns.TopicSubscription(
    `${name}-events-subscription`,
    {
      topic: topic.arn,
      protocol: "lambda",
      endpoint: args.aliasArn,
      redrivePolicy: redriveTo(args.deadLetterArn),
    },
    { ...opts, dependsOn: [permission] },
  );
  return topic;
}

/** Where a subscription leaves what its endpoint never took. */
export function redriveTo(deadLetterArn: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.output(deadLetterArn).apply((deadLetterTargetArn) => JSON.stringify({ deadLetterTargetArn }));
}
