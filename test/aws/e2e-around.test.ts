/** What is around a rollback: other ways to wake the hook, dead letters, drills, the watchman, the clock, and what the roles may not do. */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateRuleCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { drillAlarmName, tableName } from "../../core/naming.ts";
import { directActionEvent, stateChangeEvent } from "./e2e/alarm-events.ts";
import { outside } from "./e2e/declared-policy.ts";
import { type Checkpoint, Deployment, scheduledEvent } from "./e2e/deployment.ts";
import { accountId, authEndpoint, region } from "./e2e/places.ts";
import { json } from "./e2e/raw-aws.ts";
import { until } from "./e2e/until.ts";

const environment = "e2e-around";
const service = "search";
const rolledBack = { weights: { "2.3.1": 100 }, isSticky: false };
const minuteMilliseconds = 60_000;
const dayMilliseconds = 86_400_000;

describe("around a rollback on real APIs", { timeout: 60_000 }, () => {
  let deployment: Deployment;
  let exposed: Checkpoint;
  let alarmName = "";
  /** Queue of the test's own on the critical topic. */
  let pages = "";

  beforeAll(async () => {
    deployment = await Deployment.start(environment, service);
    exposed = await deployment.checkpoint();
    alarmName = await deployment.alarmThatDisables();
    pages = await queueOn(`tidegate-${environment}-critical`);
  }, 60_000);
  beforeEach(() => deployment.restore(exposed));
  afterAll(() => deployment.stop());

  const topicArn = (name: string) => `arn:aws:sns:${region}:${accountId}:${name}`;

  async function queueOn(topic: string): Promise<string> {
    const name = `${topic}-seen`;
    const arn = `arn:aws:sqs:${region}:${accountId}:${name}`;
    const statement = {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: arn,
    };
    const { QueueUrl } = await json(deployment.clients.aws, "sqs", "CreateQueue", {
      QueueName: name,
      Attributes: { Policy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }) },
    });
    await deployment.clients.sns.send(
      new SubscribeCommand({ TopicArn: topicArn(topic), Protocol: "sqs", Endpoint: arn }),
    );
    return String(QueueUrl);
  }

  /** Messages that the critical topic sent, taken out. */
  async function critical(): Promise<string[]> {
    const { Messages = [] } = await json(deployment.clients.aws, "sqs", "ReceiveMessage", {
      QueueUrl: pages,
      MaxNumberOfMessages: 10,
    });
    for (const { ReceiptHandle } of Messages as { ReceiptHandle: string }[])
      await json(deployment.clients.aws, "sqs", "DeleteMessage", { QueueUrl: pages, ReceiptHandle });
    return (Messages as { Body: string }[]).map(({ Body }) => String(JSON.parse(Body).Message));
  }

  it("wakes the hook by an alarm's own notification: alarm, topic, function, weights [D1]", async () => {
    const AlarmName = `tidegate/${environment}/${service}/outside/errors/critical/60s`;
    await deployment.clients.cloudWatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        AlarmActions: [topicArn(`tidegate-${environment}-hook-events`)],
        Namespace: "Outside",
        MetricName: "Errors",
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold",
      }),
    );
    await deployment.setAlarm(alarmName, "ALARM");
    expect((await deployment.live()).weights).toEqual({ "2.3.1": 75, "2.4.0": 25 });
    await deployment.setAlarm(AlarmName, "ALARM");
    expect(
      await until(
        () => deployment.live(),
        ({ isSticky }) => !isSticky,
      ),
    ).toEqual(rolledBack);
  });

  it("wakes the hook by what another tool publishes, and by an alarm's direct action [D2, D3]", async () => {
    await deployment.setAlarm(alarmName, "ALARM");
    await deployment.clients.sns.send(
      new PublishCommand({
        TopicArn: topicArn(`tidegate-${environment}-hook-events`),
        Message: JSON.stringify({ alerts: [{ status: "firing", labels: { tidegate_service: service } }] }),
      }),
    );
    await until(
      () => deployment.live(),
      ({ isSticky }) => !isSticky,
    );
    await deployment.restore(exposed);
    await deployment.setAlarm(alarmName, "ALARM");
    const answer = await deployment.invoke(directActionEvent(alarmName, "ALARM"));
    expect(answer.value.outcome).toBe("reconciled");
    expect(await deployment.live()).toEqual(rolledBack);
  });

  it("tells the critical topic too, so that people hear of it by mail [D4]", async () => {
    await critical();
    await deployment.setAlarm(alarmName, "ALARM");
    await deployment.invoke(stateChangeEvent(alarmName, "ALARM"));
    const said = await until(critical, (messages) => messages.some((message) => message.includes("ROLLED BACK")));
    expect(said.find((message) => message.includes("ROLLED BACK"))).toContain("npx tidegate");
  });

  it("leaves an event of garbage in the dead letters after Lambda's own tries [D7]", async () => {
    await deployment.clients.lambda.send(
      new InvokeCommand({
        FunctionName: deployment.functionName,
        Qualifier: "live",
        InvocationType: "Event",
        Payload: JSON.stringify({ nobody: "knows this" }),
      }),
    );
    const [letter] = await until(
      () => deployment.deadLetters(),
      (letters) => letters.length > 0,
    );
    expect(letter).toContain("knows this");
    expect(deployment.calls).toEqual([]);
  });

  it("refuses garbage and almost six megabytes of it in a short line, before any call [B11]", async () => {
    for (const event of [
      { kind: "tidegate:opening", service },
      { junk: "x".repeat(5_800_000) },
      { ["k".repeat(2_000_000)]: 1 },
    ]) {
      const answer = await deployment.invoke(event);
      expect(answer.failed).toBe(true);
      expect(answer.value.errorMessage).toMatch(/^(opening of|event: of no known kind)/);
      expect(answer.value.errorMessage?.length).toBeLessThan(8_000);
    }
    expect(deployment.calls).toEqual([]);
    expect((await deployment.live()).weights).toEqual({ "2.3.1": 75, "2.4.0": 25 });
  });

  it("drills the way from alarm to page and touches no traffic [D4]", async () => {
    const started = await deployment.invoke({ kind: "tidegate:drill" });
    expect(started.value.outcome).toBe("drill-started");
    const name = drillAlarmName(environment);
    const { MetricAlarms } = await deployment.clients.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [name] }),
    );
    expect(MetricAlarms?.[0]?.StateValue).toBe("ALARM");
    const arrived = await deployment.invoke(stateChangeEvent(name, "ALARM"));
    expect(arrived.failed).toBe(false);
    expect(
      deployment.pagerDuty.taken.map(({ event_action, payload }) => [
        event_action,
        payload?.severity,
        payload?.summary,
      ]),
    ).toEqual([
      ["trigger", "warning", expect.stringContaining("DRILL, nothing is wrong")],
      ["resolve", undefined, undefined],
    ]);
    const drill = await deployment.ports.records.readDrill();
    expect(drill?.arrivedAt).toBeGreaterThanOrEqual(drill?.startedAt ?? Number.POSITIVE_INFINITY);
    const again = await deployment.invoke(stateChangeEvent(name, "ALARM"));
    expect([again.failed, deployment.pagerDuty.taken.length]).toEqual([false, 2]);
    expect(deployment.calls.filter(({ action }) => action.startsWith("elasticloadbalancing:"))).toEqual([]);
    expect(outside(deployment.declaredPolicy(deployment.functionName), deployment.calls)).toEqual([]);
  });

  it("has the watchman page when the hook has no heartbeat, and when no drill came through, within its own role [D4]", async () => {
    const quiet = await deployment.invokeFunction(deployment.watchmanName, scheduledEvent());
    expect(quiet.value).toEqual({ findings: [] });
    await critical();
    const { records } = deployment.ports;
    await records.writeHeartbeat(service, Date.now() - 6 * minuteMilliseconds);
    await records.writeDrill({ armedAt: Date.now() - 8 * dayMilliseconds - minuteMilliseconds });
    const found = await deployment.invokeFunction(deployment.watchmanName, scheduledEvent());
    expect(found.value).toEqual({
      findings: [
        `${service}: nobody has looked at it for 6 min`,
        `Tidegate ${environment}: no drill has come through for 8 days`,
      ],
    });
    const said: string[] = [];
    await until(
      async () => said.push(...(await critical())),
      () => said.length >= 2,
    );
    expect(said.join("\n")).toContain("nobody has looked at it for 6 min");
    // It shares no channel with the hook.
    expect(deployment.pagerDuty.requests).toBe(0);
    expect(outside(deployment.declaredPolicy(deployment.watchmanName), deployment.calls)).toEqual([]);
    await records.writeHeartbeat(service, Date.now());
    await records.writeDrill({ armedAt: Date.now() });
  });

  it("may do what its role says and nothing beyond [E7]", async () => {
    const { Credentials } = await new STSClient({ region, endpoint: authEndpoint() }).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${accountId}:role/${deployment.functionName}`,
        RoleSessionName: "as-the-hook",
      }),
    );
    const settings = {
      region,
      endpoint: authEndpoint(),
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? "",
        secretAccessKey: Credentials?.SecretAccessKey ?? "",
        sessionToken: Credentials?.SessionToken ?? "",
      },
    };
    const dynamo = new DynamoDBClient(settings);
    const TableName = tableName(environment);
    const Key = { pk: { S: `service#${service}` }, sk: { S: "record" } };
    expect((await dynamo.send(new GetItemCommand({ TableName, Key }))).Item?.revision).toBeDefined();

    const { rules } = await deployment.record();
    const forbidden = {
      "PutItem on another table": dynamo.send(new PutItemCommand({ TableName: "somebody-elses", Item: Key })),
      "Scan on its own table": dynamo.send(new ScanCommand({ TableName })),
      "SetAlarmState on a release's alarm": new CloudWatchClient(settings).send(
        new SetAlarmStateCommand({ AlarmName: alarmName, StateValue: "OK", StateReason: "no" }),
      ),
      "Publish to another topic": new SNSClient(settings).send(
        new PublishCommand({ TopicArn: topicArn(`tidegate-${environment}-hook-events`), Message: "no" }),
      ),
      "GetSecretValue of another secret": new SecretsManagerClient(settings).send(
        new GetSecretValueCommand({ SecretId: "somebody-elses" }),
      ),
      "Invoke of itself": new LambdaClient(settings).send(
        new InvokeCommand({ FunctionName: deployment.functionName, Payload: "{}" }),
      ),
      "CreateRule on its own listener": new ElasticLoadBalancingV2Client(settings).send(
        new CreateRuleCommand({
          ListenerArn: rules[0]?.arn.replace("listener-rule", "listener").replace(/\/[^/]+$/, ""),
          Priority: 9,
          Conditions: [{ Field: "path-pattern", Values: ["/"] }],
          Actions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "200" } }],
        }),
      ),
    };
    const outcomes = await Promise.all(
      Object.entries(forbidden).map(async ([what, call]) => [
        what,
        await call.then(
          () => "done",
          (error: Error) => error.name,
        ),
      ]),
    );
    expect(outcomes.filter(([, name]) => !/AccessDenied|AuthorizationError|NotAuthorized/.test(String(name)))).toEqual(
      [],
    );
  });

  it("looks at every service when its clock ticks [B5]", { timeout: 100_000 }, async () => {
    await deployment.setAlarm(alarmName, "ALARM");
    await json(deployment.clients.aws, "events", "EnableRule", { Name: `${deployment.functionName}-clock` });
    expect(
      await until(
        () => deployment.live(),
        ({ isSticky }) => !isSticky,
        80_000,
      ),
    ).toEqual(rolledBack);
    await json(deployment.clients.aws, "events", "DisableRule", { Name: `${deployment.functionName}-clock` });
  });
});
