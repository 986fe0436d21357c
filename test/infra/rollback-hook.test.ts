import { describe, expect, it } from "vitest";
import { DeadLetters, RollbackHook, type RollbackHookArgs } from "../../infra/index.ts";
import { policyExceptions } from "../../infra/policy-statements.ts";
import { account, type PulumiRun, region, runPulumi } from "../helpers/pulumi-run.ts";
import {
  arn,
  criticalTopicArn,
  keyArn,
  listenerArn,
  place,
  statementsOf,
  tableArn,
  warningTopicArn,
} from "./places.ts";

const bundleFolder = new URL(import.meta.url).pathname;
const secretArn = (name: string) => arn("secretsmanager", `secret:${name}`);

const declare = (changes: Partial<RollbackHookArgs> = {}) =>
  runPulumi(() => {
    const deadLetters = new DeadLetters("dev", { environment: "dev", ...place });
    const hook = new RollbackHook("dev", {
      environment: "dev",
      ...place,
      bundleFolder,
      tableName: "tidegate-dev",
      tableArn,
      listenerArn,
      criticalTopicArn,
      warningTopicArn,
      keyArn,
      deadLetters: deadLetters.queue,
      ...changes,
    });
    return { arn: hook.arn, aliasName: hook.aliasName };
  });
/** Resources register as their inputs come to be known: their order says nothing. */
const inOrder = (result: PulumiRun<unknown>, type: string) =>
  result.all(type).sort((left, right) => (left.name < right.name ? -1 : 1));
const the = (result: PulumiRun<unknown>, type: string, name = "") => result.the(type, name).inputs;
const alarmsOf = (result: PulumiRun<unknown>) =>
  Object.fromEntries(
    result.all("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => [String(inputs.name), inputs]),
  );

describe("RollbackHook", () => {
  it("runs published code under what it needs to know, traced, its log encrypted and kept a quarter [B4, D7]", async () => {
    const result = await declare();
    expect(the(result, "aws:lambda/function:Function")).toMatchObject({
      name: "tidegate-dev-hook",
      runtime: "nodejs22.x",
      publish: true,
      tracingConfig: { mode: "Active" },
      environment: {
        variables: {
          TIDEGATE_ENVIRONMENT: "dev",
          TIDEGATE_TABLE: "tidegate-dev",
          TIDEGATE_ACCOUNT: account,
          TIDEGATE_CRITICAL_TOPIC: criticalTopicArn,
          TIDEGATE_WARNING_TOPIC: warningTopicArn,
          TIDEGATE_RUNBOOKS: "docs/runbooks",
          POWERTOOLS_SERVICE_NAME: "tidegate-hook",
          POWERTOOLS_METRICS_NAMESPACE: "Tidegate/Hook",
        },
      },
    });
    expect(the(result, "aws:cloudwatch/logGroup:LogGroup")).toMatchObject({
      name: "/aws/lambda/tidegate-dev-hook",
      retentionInDays: 90,
      kmsKeyId: keyArn,
    });
  });

  it("is told where secrets are, and never a secret [D4]", async () => {
    const result = await declare({
      secrets: { pagerDutyArn: secretArn("pagerduty"), slackArn: secretArn("slack") },
      runbookBase: "https://wiki.example.com/tidegate",
      dashboardUrl: "https://grafana.example.com/d/1",
    });
    expect(the(result, "aws:lambda/function:Function").environment).toMatchObject({
      variables: {
        TIDEGATE_PAGERDUTY_SECRET: secretArn("pagerduty"),
        TIDEGATE_SLACK_SECRET: secretArn("slack"),
        TIDEGATE_RUNBOOKS: "https://wiki.example.com/tidegate",
        TIDEGATE_DASHBOARD: "https://grafana.example.com/d/1",
      },
    });
    const statements = statementsOf(the(result, "aws:iam/rolePolicy:RolePolicy").policy);
    expect(statements.find(({ Sid }) => Sid === "ReadChannelSecrets")).toEqual({
      Sid: "ReadChannelSecrets",
      Effect: "Allow",
      Action: "secretsmanager:GetSecretValue",
      Resource: [secretArn("pagerduty"), secretArn("slack")],
    });
  });

  it("moves both aliases to a new version only after that version has tested itself [B4]", async () => {
    const result = await declare();
    expect(the(result, "aws:lambda/invocation:Invocation")).toEqual({
      functionName: "tidegate-dev-hook",
      qualifier: "1",
      input: '{"kind":"tidegate:self-test"}',
      triggers: { version: "1" },
    });
    const aliases = inOrder(result, "aws:lambda/alias:Alias");
    expect(aliases.map(({ inputs }) => [inputs.name, inputs.functionVersion])).toEqual([
      ["acknowledge", "1"],
      ["live", "1"],
    ]);
    for (const { dependsOn } of aliases) expect(dependsOn).toContain("dev-self-test");
    // Before the test, the role has what it tests.
    expect(result.the("aws:lambda/function:Function").dependsOn).toContain("dev-policy");
  });

  it("is woken through `live` alone: by alarms of its environment, by a clock, by a weekly drill [B4, D4]", async () => {
    const result = await declare();
    expect(JSON.parse(String(the(result, "aws:cloudwatch/eventRule:EventRule", "alarms").eventPattern))).toEqual({
      source: ["aws.cloudwatch"],
      "detail-type": ["CloudWatch Alarm State Change"],
      detail: { alarmName: [{ prefix: "tidegate/dev/" }] },
    });
    expect(the(result, "aws:cloudwatch/eventRule:EventRule", "clock").scheduleExpression).toBe("rate(1 minute)");
    expect(the(result, "aws:cloudwatch/eventRule:EventRule", "drill").scheduleExpression).toBe("cron(0 9 ? * TUE *)");
    const targets = inOrder(result, "aws:cloudwatch/eventTarget:EventTarget");
    expect(targets.map(({ inputs }) => [inputs.rule, inputs.input, inputs.retryPolicy])).toEqual([
      ["tidegate-dev-hook-alarms", undefined, { maximumRetryAttempts: 20, maximumEventAgeInSeconds: 3_600 }],
      ["tidegate-dev-hook-clock", undefined, { maximumRetryAttempts: 1, maximumEventAgeInSeconds: 60 }],
      [
        "tidegate-dev-hook-drill",
        '{"kind":"tidegate:drill"}',
        { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 3_600 },
      ],
    ]);
    for (const { inputs } of targets) {
      expect(inputs).toMatchObject({
        arn: result.outputs.arn,
        deadLetterConfig: { arn: expect.stringMatching(/dead-letters$/) },
      });
    }
    const permissions = inOrder(result, "aws:lambda/permission:Permission").map(({ inputs }) => inputs);
    expect(permissions.map(({ statementId, principal }) => [statementId, principal])).toEqual([
      ["alarms", "events.amazonaws.com"],
      ["clock", "events.amazonaws.com"],
      ["drill", "events.amazonaws.com"],
      ["events", "sns.amazonaws.com"],
    ]);
    for (const permission of permissions) {
      expect(permission).toMatchObject({ qualifier: "live", sourceArn: expect.stringContaining("arn:") });
    }
  });

  it("hears of other tools through an encrypted topic, whose failures are dead letters [D2, D3]", async () => {
    const result = await declare();
    const topic = result.the("aws:sns/topic:Topic");
    expect(topic.inputs).toMatchObject({ name: "tidegate-dev-hook-events", kmsMasterKeyId: keyArn });
    const subscription = result.the("aws:sns/topicSubscription:TopicSubscription");
    expect(subscription.inputs).toEqual({
      topic: arn("sns", "tidegate-dev-hook-events"),
      protocol: "lambda",
      endpoint: result.outputs.arn,
      redrivePolicy: JSON.stringify({ deadLetterTargetArn: arn("sqs", "tidegate-dev-hook-dead-letters") }),
    });
    expect(subscription.dependsOn).toContain("dev-events-permission");
  });

  it("may act on named resources, and on everything only where the list of exceptions says why [D7]", async () => {
    const result = await declare();
    const statements = statementsOf(the(result, "aws:iam/rolePolicy:RolePolicy").policy);
    const everywhere = statements.filter(({ Resource }) => [Resource].flat().includes("*"));
    expect(everywhere.map(({ Sid, Action }) => [Sid, Action])).toEqual(
      policyExceptions.flatMap(({ sid, actions }) => (actions.hook ? [[sid, actions.hook]] : [])),
    );
    for (const { why } of policyExceptions) expect(why).not.toBe("");
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
    const named = statements.filter(({ Resource }) => Resource !== "*");
    expect(Object.fromEntries(named.map(({ Sid, Action, Resource }) => [Sid, [Action, Resource]]))).toEqual({
      Records: [["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"], tableArn],
      LowerRules: ["elasticloadbalancing:ModifyRule", `${listenerArn.replace(":listener/", ":listener-rule/")}/*`],
      TellPeople: ["sns:Publish", [criticalTopicArn, warningTopicArn]],
      UseTheEnvironmentsKey: [["kms:Decrypt", "kms:GenerateDataKey"], keyArn],
      SetOffDrills: [
        "cloudwatch:SetAlarmState",
        `arn:aws:cloudwatch:${region}:${account}:alarm:tidegate/dev/tidegate-drill/drill/drill/critical`,
      ],
      DeadLetters: ["sqs:SendMessage", arn("sqs", "tidegate-dev-hook-dead-letters")],
      OwnLogs: [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        `${arn("cloudwatch", "/aws/lambda/tidegate-dev-hook")}:*`,
      ],
    });
  });

  it("may lower the rules of further listeners that it is told of, and of no other [E7]", async () => {
    const other = listenerArn.replace(/[0-9a-f]+$/, "aaaaaaaaaaaaaaaa");
    const lowerable = async (changes: Partial<RollbackHookArgs>) =>
      statementsOf(the(await declare(changes), "aws:iam/rolePolicy:RolePolicy").policy).find(
        ({ Sid }) => Sid === "LowerRules",
      )?.Resource;
    const rules = (arn: string) => `${arn.replace(":listener/", ":listener-rule/")}/*`;
    expect(await lowerable({ moreListenerArns: [other, listenerArn] })).toEqual([rules(listenerArn), rules(other)]);
    expect(await lowerable({ moreListenerArns: [listenerArn] })).toEqual(rules(listenerArn));
  });

  it("may read and hold the services of its peers' tables, and nothing else there [D7]", async () => {
    const tableOf = async (changes: Partial<RollbackHookArgs>) =>
      statementsOf(the(await declare(changes), "aws:iam/rolePolicy:RolePolicy").policy).find(
        ({ Sid }) => Sid === "ShareHoldsWithPeers",
      );
    expect(await tableOf({})).toBeUndefined();
    expect(await tableOf({ peers: ["ap-southeast-2", "us-east-1"] })).toEqual({
      Sid: "ShareHoldsWithPeers",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:PutItem"],
      Resource: [
        `arn:aws:dynamodb:ap-southeast-2:${account}:table/tidegate-dev`,
        `arn:aws:dynamodb:us-east-1:${account}:table/tidegate-dev`,
      ],
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["service#*"] } },
    });
  });

  it("pages without the hook's help, outside the prefix that wakes it, with a runbook [D4, D8]", async () => {
    const { "tidegate/dev/tidegate-drill/drill/drill/critical": _drill, ...alarms } = alarmsOf(await declare());
    expect(Object.keys(alarms).sort()).toEqual([
      "tidegate-dev-hook-dead-letters",
      "tidegate-dev-hook-errors",
      "tidegate-dev-hook-heartbeat",
      "tidegate-dev-hook-pages-undelivered",
      "tidegate-dev-hook-throttles",
    ]);
    for (const alarm of Object.values(alarms)) {
      expect(alarm).toMatchObject({
        alarmActions: [criticalTopicArn],
        okActions: [criticalTopicArn],
        period: 60,
        alarmDescription: expect.stringMatching(/Runbook: docs\/runbooks\/hook-failing\.md$/),
      });
    }
    expect(alarms["tidegate-dev-hook-heartbeat"]).toMatchObject({
      namespace: "Tidegate/Hook",
      metricName: "ReconcileFinished",
      dimensions: { Environment: "dev" },
      statistic: "Sum",
      evaluationPeriods: 5,
      threshold: 1,
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "breaching",
    });
    expect(alarms["tidegate-dev-hook-pages-undelivered"]).toMatchObject({
      metricName: "PagesUndelivered",
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "notBreaching",
    });
    expect(alarms["tidegate-dev-hook-errors"]?.dimensions).toEqual({ FunctionName: "tidegate-dev-hook" });
  });

  it("has an alarm that drills alone set off, and that tells nobody by itself [D4]", async () => {
    const drill = alarmsOf(await declare())["tidegate/dev/tidegate-drill/drill/drill/critical"];
    expect(drill).toMatchObject({ treatMissingData: "notBreaching", dimensions: { Environment: "dev" } });
    expect(drill?.alarmDescription).toBe(
      "Tidegate dev: set off by drills alone, to show that alarm, hook and page work; it watches no traffic and tells nobody itself. " +
        "Runbook: docs/runbooks/drill-missing.md",
    );
    expect(drill).not.toHaveProperty("alarmActions");
    expect(drill).not.toHaveProperty("okActions");
  });

  it("leaves what it could not handle to the dead letters [D4]", async () => {
    expect(the(await declare(), "aws:lambda/function:Function").deadLetterConfig).toEqual({
      targetArn: arn("sqs", "tidegate-dev-hook-dead-letters"),
    });
  });

  it("is declared the same every time, so that an idle up shows no difference", async () => {
    const told = ({ resources }: PulumiRun<unknown>) =>
      resources.map(({ type, name, inputs }) => JSON.stringify([type, name, inputs])).sort();
    expect(told(await declare())).toEqual(told(await declare()));
  });
});
