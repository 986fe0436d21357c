/**
 * Alarms in Slack through AWS Chatbot (Amazon Q Developer in chat applications): both topics, each in a channel of its own. It needs no hook
 * and no webhook; the workspace is authorised once, by hand, in the AWS console.
 *
 * The channels only read. What somebody could do from a channel is what its role and its guardrail both allow; here the role allows nothing
 * and the guardrail denies everything, so that nobody acts on the account by typing into Slack. Source: "Understanding permissions", Amazon Q
 * Developer in chat applications administrator guide, read 2026-11.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface SlackChannelsArgs {
  readonly environment: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  /** Slack's id of the workspace: `T…`. */
  readonly workspaceId: string;
  /** Slack's id of the channel for critical alarms: `C…`. */
  readonly criticalChannelId: string;
  /** Slack's id of the channel for warnings. */
  readonly warningsChannelId: string;
  readonly criticalTopicArn: pulumi.Input<string>;
  readonly warningTopicArn: pulumi.Input<string>;
}

const trustPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "Chatbot", Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "chatbot.amazonaws.com" } },
  ],
};

/**
 * The two channels of an environment.
 *
 * @example
 * ```ts
 * new SlackChannels("slack", {
 *   environment: "production",
 *   partition: "aws",
 *   workspaceId: "T0123ABCD",
 *   criticalChannelId: "C0123CRIT",
 *   warningsChannelId: "C0123WARN",
 *   criticalTopicArn: topics.critical.arn,
 *   warningTopicArn: topics.warning.arn,
 * });
 * ```
 */
export class SlackChannels extends pulumi.ComponentResource {
  constructor(name: string, args: SlackChannelsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:SlackChannels", name, { environment: args.environment }, opts);
    const tags = { "tidegate:environment": args.environment, "tidegate:role": "slack" };
    const role = new aws.iam.Role(
      `${name}-slack-role`,
      {
        name: `tidegate-${args.environment}-slack`,
        description: "Lets a Slack channel do nothing but show alarms: it has no policy",
        assumeRolePolicy: JSON.stringify(trustPolicy),
        tags,
      },
      { parent: this },
    );
    const channels = {
      critical: { slackChannelId: args.criticalChannelId, topicArn: args.criticalTopicArn },
      warnings: { slackChannelId: args.warningsChannelId, topicArn: args.warningTopicArn },
    };
    for (const [severity, { slackChannelId, topicArn }] of Object.entries(channels)) {
      new aws.chatbot.SlackChannelConfiguration(
        `${name}-slack-${severity}`,
        {
          configurationName: `tidegate-${args.environment}-${severity}`,
          slackTeamId: args.workspaceId,
          slackChannelId,
          snsTopicArns: [topicArn],
          iamRoleArn: role.arn,
          // Left out it would be AdministratorAccess. Source: CDK docs, CfnSlackChannelConfiguration, read 2026-11.
          guardrailPolicyArns: [`arn:${args.partition}:iam::aws:policy/AWSDenyAll`],
          loggingLevel: "ERROR",
          tags,
        },
        { parent: this },
      );
    }
    this.registerOutputs({ roleArn: role.arn });
  }
}
