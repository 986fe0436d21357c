/** The report's function as deployed: what it may do, when it looks, and who hears that it fails (D6). */
import { describe, expect, it } from "vitest";
import { SloReport, type SloReportArgs } from "../../infra/index.ts";
import { policyExceptions } from "../../infra/policy-statements.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { arn, keyArn, statementsOf, tableArn } from "./places.ts";

const warningTopicArn = arn("sns", "tidegate-dev-warnings");
const webhookSecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:webhook-AbCdEf";
const declare = (change: Partial<SloReportArgs>) =>
  runPulumi(
    () =>
      new SloReport("dev", {
        environment: "dev",
        accountId: account,
        region: "eu-west-1",
        partition: "aws",
        bundleFolder: new URL(import.meta.url).pathname,
        tableName: "tidegate-dev",
        tableArn,
        warningTopicArn,
        keyArn,
        ...change,
      }).function.arn,
  );
const email = { sender: "slo@example.com", recipients: ["a@example.com", "b@example.com"] };

describe("SloReport", () => {
  it("is a function of its own that looks every quarter of an hour [D6]", async () => {
    const result = await declare({ email });
    expect(result.the("aws:lambda/function:Function").inputs).toMatchObject({
      name: "tidegate-dev-report",
      runtime: "nodejs22.x",
      timeout: 300,
      memorySize: 1_024,
      environment: {
        variables: {
          TIDEGATE_ENVIRONMENT: "dev",
          TIDEGATE_TABLE: "tidegate-dev",
          TIDEGATE_REPORT_SENDER: "slo@example.com",
          TIDEGATE_REPORT_RECIPIENTS: "a@example.com,b@example.com",
        },
      },
    });
    expect(result.the("aws:cloudwatch/logGroup:LogGroup").inputs).toMatchObject({
      name: "/aws/lambda/tidegate-dev-report",
      retentionInDays: 90,
    });
    expect(result.the("aws:cloudwatch/eventRule:EventRule").inputs.scheduleExpression).toBe("cron(0/15 * * * ? *)");
    expect(result.all("aws:s3/bucket:Bucket")).toEqual([]);
  });

  it("reads, marks its own reports, sends as one sender, and can change no record [D6]", async () => {
    const statements = statementsOf((await declare({ email })).the("aws:iam/rolePolicy:RolePolicy").inputs.policy);
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [["dynamodb:GetItem", "dynamodb:Query"], tableArn],
      ["dynamodb:UpdateItem", tableArn],
      [["cloudwatch:GetMetricData"], "*"],
      [
        ["ses:SendEmail", "ses:SendRawEmail"],
        ["identity/slo@example.com", "identity/example.com", "configuration-set/*"].map(
          (name) => `arn:aws:ses:eu-west-1:${account}:${name}`,
        ),
      ],
      [["logs:CreateLogStream", "logs:PutLogEvents"], `${arn("cloudwatch", "/aws/lambda/tidegate-dev-report")}:*`],
    ]);
    expect(statements.map(({ Condition }) => Condition).filter(Boolean)).toEqual([
      { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["report"] } },
      { StringEquals: { "ses:FromAddress": ["slo@example.com"] } },
    ]);
    expect(statements.filter(({ Resource }) => Resource === "*").map(({ Sid }) => Sid)).toEqual(
      policyExceptions.filter(({ actions }) => actions.report).map(({ sid }) => sid),
    );
  });

  it("keeps pictures for Slack in a private bucket for a week [D6]", async () => {
    const prometheus = {
      url: "https://grafana.example.com",
      dataSourceUid: "p",
      tokenSecretArn: `${webhookSecretArn}2`,
    };
    const result = await declare({ webhookSecretArn, elsewhere: { prometheus } });
    expect(result.the("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(result.the("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs.rules).toMatchObject([
      { status: "Enabled", expiration: { days: 7 } },
    ]);
    const statements = statementsOf(result.the("aws:iam/rolePolicy:RolePolicy").inputs.policy);
    expect(statements.find(({ Sid }) => Sid === "ReadSecrets")?.Resource).toEqual([
      webhookSecretArn,
      `${webhookSecretArn}2`,
    ]);
    expect(statements.some(({ Sid }) => Sid === "SendAsOneSender")).toBe(false);
    const { variables } = result.the("aws:lambda/function:Function").inputs.environment as {
      variables: Record<string, string>;
    };
    expect(variables).toMatchObject({
      TIDEGATE_REPORT_SLACK_SECRET: webhookSecretArn,
      TIDEGATE_GRAFANA_DATA_SOURCE: "p",
    });
    expect(Object.keys(variables)).toContain("TIDEGATE_REPORT_BUCKET");
  });

  it("tells the warnings topic when it fails and when it does not run [D6]", async () => {
    const alarms = (await declare({ email })).all("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs);
    expect(
      alarms.map(({ name, metricName, period, treatMissingData, alarmActions }) => [
        name,
        metricName,
        period,
        treatMissingData,
        alarmActions,
      ]),
    ).toEqual([
      ["tidegate-dev-report-errors", "Errors", 60, "notBreaching", [warningTopicArn]],
      ["tidegate-dev-report-missing", "Invocations", 3_600, "breaching", [warningTopicArn]],
    ]);
    for (const { alarmDescription } of alarms)
      expect(alarmDescription).toContain("Runbook: docs/runbooks/report-failing.md");
  });
});
