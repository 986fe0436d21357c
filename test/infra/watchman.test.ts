import { describe, expect, it } from "vitest";
import { Watchman } from "../../infra/index.ts";
import { policyExceptions } from "../../infra/policy-statements.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { arn, criticalTopicArn, keyArn, statementsOf, tableArn } from "./places.ts";

const declare = () =>
  runPulumi(
    () =>
      new Watchman("dev", {
        environment: "dev",
        accountId: account,
        bundleFolder: new URL(import.meta.url).pathname,
        tableName: "tidegate-dev",
        tableArn,
        criticalTopicArn,
        keyArn,
      }).function.arn,
  );

describe("Watchman", () => {
  it("is a function of its own, with its own log, woken every minute by its own rule [D4]", async () => {
    const result = await declare();
    expect(result.the("aws:lambda/function:Function").inputs).toMatchObject({
      name: "tidegate-dev-watchman",
      timeout: 50,
      environment: {
        variables: {
          TIDEGATE_ENVIRONMENT: "dev",
          TIDEGATE_TABLE: "tidegate-dev",
          TIDEGATE_ACCOUNT: account,
          TIDEGATE_CRITICAL_TOPIC: criticalTopicArn,
          TIDEGATE_RUNBOOKS: "docs/runbooks",
          POWERTOOLS_SERVICE_NAME: "tidegate-watchman",
          POWERTOOLS_METRICS_NAMESPACE: "Tidegate/Hook",
        },
      },
    });
    expect(result.the("aws:cloudwatch/logGroup:LogGroup").inputs).toMatchObject({
      name: "/aws/lambda/tidegate-dev-watchman",
      kmsKeyId: keyArn,
      retentionInDays: 90,
    });
    expect(result.the("aws:cloudwatch/eventRule:EventRule").inputs).toMatchObject({
      name: "tidegate-dev-watchman-clock",
      scheduleExpression: "rate(1 minute)",
    });
    expect(result.the("aws:cloudwatch/eventTarget:EventTarget").inputs).toMatchObject({
      arn: result.outputs,
      retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
    });
    expect(result.the("aws:lambda/permission:Permission").inputs).toMatchObject({
      function: "tidegate-dev-watchman",
      principal: "events.amazonaws.com",
    });
  });

  it("reads, tells the critical topic, and can change nothing [D4]", async () => {
    const statements = statementsOf((await declare()).the("aws:iam/rolePolicy:RolePolicy").inputs.policy);
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [["dynamodb:GetItem", "dynamodb:Query"], tableArn],
      [["elasticloadbalancing:DescribeRules"], "*"],
      [["cloudwatch:DescribeAlarms"], "*"],
      ["sns:Publish", [criticalTopicArn]],
      [["kms:Decrypt", "kms:GenerateDataKey"], keyArn],
      [["logs:CreateLogStream", "logs:PutLogEvents"], `${arn("cloudwatch", "/aws/lambda/tidegate-dev-watchman")}:*`],
    ]);
    expect(statements.filter(({ Resource }) => Resource === "*").map(({ Sid }) => Sid)).toEqual(
      policyExceptions.filter(({ actions }) => actions.watchman).map(({ sid }) => sid),
    );
  });

  it("pages when it fails, when it does not run, and when it found something [D4]", async () => {
    const alarms = (await declare())
      .all("aws:cloudwatch/metricAlarm:MetricAlarm")
      .map(({ inputs }) => inputs)
      .sort((left, right) => (String(left.name) < String(right.name) ? -1 : 1));
    expect(
      alarms.map(({ name, metricName, evaluationPeriods, comparisonOperator, treatMissingData, alarmActions }) => [
        name,
        metricName,
        evaluationPeriods,
        comparisonOperator,
        treatMissingData,
        alarmActions,
      ]),
    ).toEqual([
      [
        "tidegate-dev-watchman-errors",
        "Errors",
        1,
        "GreaterThanOrEqualToThreshold",
        "notBreaching",
        [criticalTopicArn],
      ],
      [
        "tidegate-dev-watchman-findings",
        "WatchmanFindings",
        1,
        "GreaterThanOrEqualToThreshold",
        "notBreaching",
        [criticalTopicArn],
      ],
      ["tidegate-dev-watchman-missing", "Invocations", 5, "LessThanThreshold", "breaching", [criticalTopicArn]],
    ]);
  });
});
