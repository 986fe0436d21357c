/** Keys, topics, queues, event rules and secrets, on ministack. */
import { CreateSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { CreateTopicCommand, SetTopicAttributesCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import type { Applier, Emulators } from "./emulator-provider.ts";
import { json } from "./raw-aws.ts";

export function messagingAppliers({ aws, sns, secrets }: Emulators): Readonly<Record<string, Applier>> {
  return {
    "aws:kms/key:Key": {
      async create(inputs) {
        const { KeyMetadata } = await json(aws, "kms", "CreateKey", {
          Description: inputs.text("description"),
          Policy: inputs.text("policy"),
        });
        return { keyId: (KeyMetadata as { KeyId: string }).KeyId };
      },
    },
    "aws:sns/topic:Topic": {
      async create(inputs) {
        const { TopicArn } = await sns.send(
          new CreateTopicCommand({
            Name: inputs.text("name"),
            Attributes: { DisplayName: inputs.text("displayName"), KmsMasterKeyId: inputs.text("kmsMasterKeyId") },
            Tags: inputs.tags,
          }),
        );
        return TopicArn === undefined ? undefined : { arn: TopicArn };
      },
    },
    "aws:sns/topicPolicy:TopicPolicy": {
      async create(inputs) {
        await sns.send(
          new SetTopicAttributesCommand({
            TopicArn: inputs.text("arn"),
            AttributeName: "Policy",
            AttributeValue: inputs.text("policy"),
          }),
        );
        return undefined;
      },
    },
    "aws:sns/topicSubscription:TopicSubscription": {
      async create(inputs) {
        const redrive = inputs.textIf("redrivePolicy");
        await sns.send(
          new SubscribeCommand({
            TopicArn: inputs.text("topic"),
            Protocol: inputs.text("protocol"),
            Endpoint: inputs.text("endpoint"),
            ...(redrive === undefined ? {} : { Attributes: { RedrivePolicy: redrive } }),
          }),
        );
        return undefined;
      },
    },
    "aws:sqs/queue:Queue": {
      async create(inputs) {
        const { QueueUrl } = await json(aws, "sqs", "CreateQueue", {
          QueueName: inputs.text("name"),
          Attributes: {
            MessageRetentionPeriod: String(inputs.number("messageRetentionSeconds")),
            SqsManagedSseEnabled: String(inputs.flag("sqsManagedSseEnabled")),
          },
          tags: inputs.map("tags"),
        });
        return { url: String(QueueUrl) };
      },
    },
    "aws:sqs/queuePolicy:QueuePolicy": {
      async create(inputs) {
        await json(aws, "sqs", "SetQueueAttributes", {
          QueueUrl: inputs.text("queueUrl"),
          Attributes: { Policy: inputs.text("policy") },
        });
        return undefined;
      },
    },
    "aws:secretsmanager/secret:Secret": {
      async create(inputs, { outputs }) {
        const { ARN } = await secrets.send(
          new CreateSecretCommand({ Name: inputs.textIf("name") ?? String(outputs.name), SecretString: "not set" }),
        );
        return ARN === undefined ? undefined : { arn: ARN };
      },
    },
    "aws:secretsmanager/secretVersion:SecretVersion": {
      async create(inputs) {
        await secrets.send(
          new PutSecretValueCommand({ SecretId: inputs.text("secretId"), SecretString: inputs.text("secretString") }),
        );
        return undefined;
      },
    },
    "aws:cloudwatch/eventRule:EventRule": {
      async create(inputs) {
        const schedule = inputs.textIf("scheduleExpression");
        await json(aws, "events", "PutRule", {
          Name: inputs.text("name"),
          Description: inputs.text("description"),
          ...(schedule === undefined
            ? { EventPattern: inputs.text("eventPattern"), State: "ENABLED" }
            : // See not-emulated.ts: a test enables the clock that it waits for.
              { ScheduleExpression: schedule, State: "DISABLED" }),
          Tags: inputs.tags,
        });
        return undefined;
      },
    },
    "aws:cloudwatch/eventTarget:EventTarget": {
      async create(inputs) {
        const retry = inputs.object("retryPolicy");
        const deadLetters = inputs.object("deadLetterConfig")?.text("arn");
        const input = inputs.textIf("input");
        const answer = await json(aws, "events", "PutTargets", {
          Rule: inputs.text("rule"),
          Targets: [
            {
              Id: inputs.text("targetId"),
              Arn: inputs.text("arn"),
              ...(input === undefined ? {} : { Input: input }),
              ...(deadLetters === undefined ? {} : { DeadLetterConfig: { Arn: deadLetters } }),
              ...(retry === undefined
                ? {}
                : {
                    RetryPolicy: {
                      MaximumRetryAttempts: retry.number("maximumRetryAttempts"),
                      MaximumEventAgeInSeconds: retry.number("maximumEventAgeInSeconds"),
                    },
                  }),
            },
          ],
        });
        if (answer.FailedEntryCount !== 0 && answer.FailedEntryCount !== undefined)
          throw new Error(`${inputs.place}: ${JSON.stringify(answer)}`);
        return undefined;
      },
    },
  };
}
