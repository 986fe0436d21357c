import { describe, expect, it } from "vitest";
import { AlertTopics, edgeErrorAlarm, LoadBalancer, RollbackHook, RolloutTable } from "../../infra/index.ts";
import { account, type PulumiRun, region, runPulumi } from "../helpers/pulumi-run.ts";

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}
const statementsOf = (policy: unknown): Statement[] => JSON.parse(String(policy)).Statement;

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
      const topics = new AlertTopics("dev", {
        environment: "dev",
        accountId: account,
        partition: "aws",
        ...(email ? { email } : {}),
      });
      return { critical: topics.critical.arn, warning: topics.warning.arn };
    });

  it("lets CloudWatch of this account alone publish to topics encrypted with a key of their own", async () => {
    const result = await declare();
    const [, alarms] = statementsOf(result.the("aws:kms/key:Key").inputs.policy);
    expect(alarms).toEqual({
      Sid: "AlarmsPublishToEncryptedTopics",
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceAccount": account } },
    });
    for (const { inputs } of result.all("aws:sns/topic:Topic")) expect(inputs.kmsMasterKeyId).toMatch(/^arn:aws:kms:/);
    expect(result.names()).toHaveLength(3);
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
    });
  });
});

describe("RollbackHook", () => {
  const bundlePath = new URL(import.meta.url).pathname;
  const declare = () =>
    runPulumi(() => {
      const hook = new RollbackHook("dev", {
        environment: "dev",
        bundlePath,
        tableName: "tidegate-dev",
        tableArn: "arn:table",
        listenerArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/edge/1/2",
        criticalTopicArn: "arn:critical",
      });
      return { arn: hook.arn, aliasName: hook.aliasName };
    });
  const the = (result: PulumiRun<unknown>, type: string, name = "") => result.the(type, name).inputs;

  it("runs published code behind an alias, woken by alarms of its environment and by a clock [B4]", async () => {
    const result = await declare();
    expect(the(result, "aws:lambda/function:Function")).toMatchObject({
      name: "tidegate-dev-hook",
      runtime: "nodejs22.x",
      publish: true,
      environment: { variables: { TIDEGATE_ENVIRONMENT: "dev", TIDEGATE_TABLE: "tidegate-dev" } },
    });
    expect(the(result, "aws:lambda/alias:Alias")).toMatchObject({ name: "live", functionVersion: "1" });
    expect(JSON.parse(String(the(result, "aws:cloudwatch/eventRule:EventRule", "alarms").eventPattern))).toEqual({
      source: ["aws.cloudwatch"],
      "detail-type": ["CloudWatch Alarm State Change"],
      detail: { alarmName: [{ prefix: "tidegate/dev/" }] },
    });
    expect(the(result, "aws:cloudwatch/eventRule:EventRule", "clock").scheduleExpression).toBe("rate(1 minute)");
    for (const { inputs } of result.all("aws:cloudwatch/eventTarget:EventTarget")) {
      expect(inputs).toMatchObject({
        arn: result.outputs.arn,
        deadLetterConfig: { arn: expect.stringMatching(/dead-letters$/) },
      });
    }
    for (const { inputs } of result.all("aws:lambda/permission:Permission")) {
      expect(inputs).toMatchObject({
        qualifier: "live",
        principal: "events.amazonaws.com",
        sourceArn: expect.stringContaining("arn:"),
      });
    }
  });

  it("may act on named resources, and on everything only where IAM knows no resource", async () => {
    const statements = statementsOf(the(await declare(), "aws:iam/rolePolicy:RolePolicy").policy);
    const everywhere = statements.filter(({ Resource }) => Resource === "*");
    expect(everywhere.every(({ Sid }) => Sid.endsWith("HaveNoResourceScope"))).toBe(true);
    const reads = everywhere.flatMap(({ Action }) => Action);
    expect(reads.filter((action) => !/:(Describe|GetMetricData)/.test(action))).toEqual([]);
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
    expect(statements.filter(({ Sid }) => Sid === "Records")[0]?.Resource).toBe("arn:table");
    expect(statements.filter(({ Sid }) => Sid === "LowerRules")[0]?.Resource).toBe(
      "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/edge/1/2/*",
    );
  });

  it("pages without the hook's help: errors, throttles, dead letters", async () => {
    const alarms = (await declare()).all("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs);
    expect(alarms.map(({ name, alarmActions }) => [name, alarmActions]).sort()).toEqual([
      ["tidegate-dev-hook-dead-letters", ["arn:critical"]],
      ["tidegate-dev-hook-errors", ["arn:critical"]],
      ["tidegate-dev-hook-throttles", ["arn:critical"]],
    ]);
  });

  it("keeps dead letters encrypted, and takes them from its own rules alone", async () => {
    const result = await declare();
    expect(the(result, "aws:sqs/queue:Queue")).toMatchObject({
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1_209_600,
    });
    const [statement] = statementsOf(the(result, "aws:sqs/queuePolicy:QueuePolicy").policy);
    expect(statement?.Condition).toEqual({
      ArnEquals: {
        "aws:SourceArn": ["alarms", "clock"].map(
          (name) => `arn:aws:cloudwatch:${region}:${account}:tidegate-dev-hook-${name}`,
        ),
      },
    });
  });
});
