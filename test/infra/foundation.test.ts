import { describe, expect, it } from "vitest";
import {
  AlertTopics,
  DeadLetters,
  EnvironmentKey,
  edgeErrorAlarm,
  LoadBalancer,
  RolloutTable,
  SlackChannels,
} from "../../infra/index.ts";
import { account, region, runPulumi } from "../helpers/pulumi-run.ts";
import { arn, criticalTopicArn, keyArn, place, statementsOf, warningTopicArn } from "./places.ts";

describe("RolloutTable", () => {
  it("survives mistakes: protected, retained, restorable, encrypted", async () => {
    const result = await runPulumi(() => new RolloutTable("dev", { environment: "dev" }).name);
    const table = result.the("aws:dynamodb/table:Table");
    expect(table.protect).toBe(true);
    expect(table.inputs).toMatchObject({
      name: "tidegate-dev",
      hashKey: "pk",
      rangeKey: "sk",
      billingMode: "PAY_PER_REQUEST",
      pointInTimeRecovery: { enabled: true },
      serverSideEncryption: { enabled: true },
      deletionProtectionEnabled: true,
    });
    expect(result.names()).toHaveLength(1);
  });
});

describe("AlertTopics", () => {
  const declare = (email?: string[]) =>
    runPulumi(() => {
      const topics = new AlertTopics("dev", { environment: "dev", keyArn, ...(email ? { email } : {}) });
      return { critical: topics.critical.arn, warning: topics.warning.arn };
    });

  it("encrypts both topics with the environment's key [D4]", async () => {
    const result = await declare();
    const topics = result.all("aws:sns/topic:Topic").map(({ inputs }) => [inputs.name, inputs.kmsMasterKeyId]);
    expect(topics.sort()).toEqual([
      ["tidegate-dev-critical", keyArn],
      ["tidegate-dev-warnings", keyArn],
    ]);
    expect(result.names()).toHaveLength(2);
  });

  it("subscribes each address to both topics", async () => {
    const subscriptions = (await declare(["a@example.com", "b@example.com"])).all(
      "aws:sns/topicSubscription:TopicSubscription",
    );
    expect(subscriptions.map(({ inputs }) => inputs.endpoint).sort()).toEqual([
      "a@example.com",
      "a@example.com",
      "b@example.com",
      "b@example.com",
    ]);
  });
});

describe("LoadBalancer", () => {
  const network = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"], internal: false };
  const declare = (changes: object = {}) =>
    runPulumi(() => {
      const { listenerArn, arn } = new LoadBalancer("dev", { environment: "dev", ...network, ...changes });
      return { listenerArn, arn };
    });

  it("adopts a listener without making anything [E7]", async () => {
    const listenerArn = `arn:aws:elasticloadbalancing:${region}:${account}:listener/app/edge/1/2`;
    const result = await declare({ listenerArn });
    expect(result.names()).toEqual([]);
    expect(result.outputs).toEqual({
      listenerArn,
      arn: `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/app/edge/1`,
    });
  });

  it("is closed until someone is let in, and answers 404 to what no service matches", async () => {
    const result = await declare();
    expect(result.the("aws:ec2/securityGroup:SecurityGroup").inputs.ingress).toEqual([]);
    expect(result.the("aws:lb/listener:Listener").inputs).toMatchObject({
      port: 80,
      protocol: "HTTP",
      defaultActions: [{ type: "fixed-response", fixedResponse: { statusCode: "404" } }],
    });
    expect(result.the("aws:lb/loadBalancer:LoadBalancer").inputs).toMatchObject({
      name: "tidegate-dev",
      enableDeletionProtection: true,
      dropInvalidHeaderFields: true,
    });
  });

  it("speaks TLS 1.2 and 1.3 where it has a certificate, to the addresses named", async () => {
    const result = await declare({ certificateArn: "arn:certificate", allowedCidrs: ["203.0.113.0/24"] });
    expect(result.the("aws:lb/listener:Listener").inputs).toMatchObject({
      port: 443,
      protocol: "HTTPS",
      sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
    });
    expect(result.the("aws:ec2/securityGroup:SecurityGroup").inputs.ingress).toMatchObject([
      { fromPort: 443, toPort: 443, cidrBlocks: ["203.0.113.0/24"] },
    ]);
  });
});

describe("edgeErrorAlarm", () => {
  it("tells warnings of errors that no release owns, outside the prefix that wakes the hook", async () => {
    const args = { environment: "dev", loadBalancerArnSuffix: "app/edge/1", topicArn: "arn:warnings" };
    const result = await runPulumi(() => edgeErrorAlarm("edge", args).name);
    expect(result.the("aws:cloudwatch/metricAlarm:MetricAlarm").inputs).toMatchObject({
      name: "tidegate-dev-edge-5xx",
      metricName: "HTTPCode_ELB_5XX_Count",
      dimensions: { LoadBalancer: "app/edge/1" },
      alarmActions: ["arn:warnings"],
      treatMissingData: "notBreaching",
      alarmDescription: expect.stringMatching(/Runbook: docs\/runbooks\/edge-errors\.md$/),
    });
  });
});

describe("EnvironmentKey", () => {
  const declare = (partition = "aws", where = region) =>
    runPulumi(
      () => new EnvironmentKey("dev", { environment: "dev", accountId: account, region: where, partition }).arn,
    );

  it("is administered by its account, and lets alarms of this account publish and logs of our functions be written", async () => {
    const key = (await declare()).the("aws:kms/key:Key").inputs;
    expect(key).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
    expect(statementsOf(key.policy)).toEqual([
      {
        Sid: "AccountAdministersItsKey",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "AlarmsPublishToEncryptedTopics",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceAccount": account } },
      },
      {
        Sid: "LogsOfOurFunctionsAlone",
        Effect: "Allow",
        Principal: { Service: `logs.${region}.amazonaws.com` },
        Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Resource: "*",
        Condition: {
          ArnEquals: {
            "kms:EncryptionContext:aws:logs:arn": ["hook", "watchman", "report"].map((name) =>
              arn("logs", `log-group:/aws/lambda/tidegate-dev-${name}`),
            ),
          },
        },
      },
    ]);
  });

  it("names the log service as its partition does", async () => {
    const key = (await declare("aws-cn", "cn-north-1")).the("aws:kms/key:Key").inputs;
    expect(statementsOf(key.policy)[2]?.Principal).toEqual({ Service: "logs.cn-north-1.amazonaws.com.cn" });
  });
});

describe("DeadLetters", () => {
  it("keeps them two weeks and encrypted, and takes them from our own rules and topics alone [D4]", async () => {
    const result = await runPulumi(() => new DeadLetters("dev", { environment: "dev", ...place }).queue.arn);
    expect(result.the("aws:sqs/queue:Queue").inputs).toMatchObject({
      name: "tidegate-dev-hook-dead-letters",
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1_209_600,
    });
    const told = statementsOf(result.the("aws:sqs/queuePolicy:QueuePolicy").inputs.policy);
    expect(told.map(({ Principal, Action, Condition }) => [Principal, Action, Condition])).toEqual([
      [
        { Service: "events.amazonaws.com" },
        "sqs:SendMessage",
        {
          ArnEquals: {
            "aws:SourceArn": ["alarms", "clock", "drill"].map((name) =>
              arn("events", `rule/tidegate-dev-hook-${name}`),
            ),
          },
        },
      ],
      [
        { Service: "sns.amazonaws.com" },
        "sqs:SendMessage",
        { ArnEquals: { "aws:SourceArn": [arn("sns", "tidegate-dev-hook-events"), criticalTopicArn] } },
      ],
    ]);
  });
});

describe("SlackChannels", () => {
  it("show alarms in two channels from which nobody can act [D4]", async () => {
    const result = await runPulumi(() => {
      new SlackChannels("dev", {
        environment: "dev",
        partition: "aws",
        workspaceId: "T0123ABCD",
        criticalChannelId: "C0CRITICAL",
        warningsChannelId: "C0WARNINGS",
        criticalTopicArn,
        warningTopicArn,
      });
    });
    const channels = result
      .all("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration")
      .sort((left, right) => (left.name < right.name ? -1 : 1));
    expect(channels.map(({ inputs }) => inputs)).toMatchObject([
      { slackTeamId: "T0123ABCD", slackChannelId: "C0CRITICAL", snsTopicArns: [criticalTopicArn] },
      { slackTeamId: "T0123ABCD", slackChannelId: "C0WARNINGS", snsTopicArns: [warningTopicArn] },
    ]);
    for (const { inputs } of channels) {
      expect(inputs.guardrailPolicyArns).toEqual(["arn:aws:iam::aws:policy/AWSDenyAll"]);
    }
    // A role without any policy allows nothing.
    expect(result.names()).toHaveLength(3);
    expect(statementsOf(result.the("aws:iam/role:Role").inputs.assumeRolePolicy)).toEqual([
      { Sid: "Chatbot", Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "chatbot.amazonaws.com" } },
    ]);
  });
});
