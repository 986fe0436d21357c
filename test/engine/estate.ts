/**
 * A stack under the real engine: the stand-in provider, moto behind the load balancer, ministack behind records and alarms, the
 * hook's real handler behind `WaveOpening`. What Pulumi itself would do on AWS but the stand-in does not (create alarms and the
 * table, register targets) is done here, by the names that the program declared.
 */
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
  TargetGroupNotFoundException,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { tableName } from "../../core/naming.ts";
import type { Page } from "../../core/record.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { awsPorts } from "../../hooks/aws/ports.ts";
import { reconcileService } from "../../hooks/reconcile.ts";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { Engine, type EngineRun, mutations } from "./harness.ts";
import { motoNetwork } from "./moto-network.ts";

export const region = "eu-west-1";
export const image = (digit: string): string => `registry.example.com/shop/checkout@sha256:${digit.repeat(64)}`;
export const old = { version: "1.0.0", image: image("1") };
export const next = { version: "2.0.0", image: image("2") };
export const later = { version: "3.0.0", image: image("3") };

const credentials = { accessKeyId: "testing", secretAccessKey: "testing" };

export class Estate {
  readonly engine: Engine;
  readonly environment: string;
  readonly pages: Page[] = [];
  private readonly elb = new ElasticLoadBalancingV2Client({ region });
  private readonly cloudWatch = new CloudWatchClient({ region });
  private readonly dynamo = new DynamoDBClient({ region });
  private service: Record<string, unknown>;

  private constructor(engine: Engine, environment: string, service: Record<string, unknown>) {
    this.engine = engine;
    this.environment = environment;
    this.service = service;
  }

  /** @param adopted what the stack adopts instead of making it */
  static async build(
    environment: string,
    adopted?: { readonly network: Record<string, unknown>; readonly service: Record<string, unknown> },
  ): Promise<Estate> {
    const elbv2 = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
    const service = adopted?.service ?? {
      mode: "act",
      match: { hosts: ["shop.example.com"] },
      priority: 100,
      baseline: old,
      plan: { waves: [10, 25, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) },
      objectives: "batch",
      source: "alb",
    };
    const engine = await Engine.start({
      elbv2Endpoint: elbv2,
      suffixSeed: environment,
      lambdaModule: new URL("hook-module.ts", import.meta.url).pathname,
      config: {
        "aws:region": region,
        "tidegate:environment": environment,
        "tidegate:network": adopted?.network ?? (await motoNetwork(elbv2, region)),
        "tidegate:alerting": { email: ["sre@example.com"] },
        "tidegate:services": { checkout: service },
      },
      env: {
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ENDPOINT_URL: emulatorEndpoint("AWS_ENDPOINT_URL"),
        AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: elbv2,
        TIDEGATE_ENVIRONMENT: environment,
        TIDEGATE_TABLE: tableName(environment),
        TIDEGATE_ACCOUNT: "123456789012",
        TIDEGATE_CRITICAL_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${environment}-critical`,
        TIDEGATE_WARNING_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${environment}-warnings`,
        TIDEGATE_RUNBOOKS: defaultRunbookBase,
      },
    });
    const estate = new Estate(engine, environment, service);
    await estate.dynamo.send(
      new CreateTableCommand({
        TableName: tableName(environment),
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
        ],
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
      }),
    );
    return estate;
  }

  get ports() {
    return awsPorts({
      region,
      tableName: tableName(this.environment),
      place: { environment: this.environment, region, runbookBase: defaultRunbookBase },
      pager: {
        send: async ({ page }) => {
          this.pages.push(page);
          return { deliveredTo: ["test"], failed: [] };
        },
      },
    });
  }

  /** Changes the service's config; `undefined` takes a key out. */
  configure(change: Record<string, unknown>): void {
    this.service = Object.fromEntries(
      Object.entries({ ...this.service, ...change }).filter(([, value]) => value !== undefined),
    );
    this.engine.setConfig({ "tidegate:services": { checkout: this.service } });
  }

  /** One `up` as a user runs it, then what AWS would have done about what it declared. */
  up(options: Parameters<Engine["up"]>[0] = {}): Promise<EngineRun> {
    return this.upOf(this.engine, options);
  }

  /** The same of another stack beside this one's foundation. */
  async upOf(engine: Engine, options: Parameters<Engine["up"]>[0] = {}): Promise<EngineRun> {
    engine.forgetCalls();
    const run = await engine.up(options);
    for (const call of mutations(engine.calls())) {
      if (call.type === "aws:cloudwatch/metricAlarm:MetricAlarm" && call.op === "create") {
        await this.putAlarm(String(call.inputs?.name));
      }
    }
    for (const group of (await this.elb.send(new DescribeTargetGroupsCommand({}))).TargetGroups ?? []) {
      await this.registerTargets(group.TargetGroupArn ?? "");
    }
    return run;
  }

  private async registerTargets(groupArn: string): Promise<void> {
    try {
      await this.elb.send(
        new RegisterTargetsCommand({
          TargetGroupArn: groupArn,
          Targets: [
            { Id: "10.0.0.10", Port: 8080 },
            { Id: "10.0.0.11", Port: 8080 },
          ],
        }),
      );
    } catch (error) {
      // Other test files share the emulator and may delete a group of theirs between the list and this call.
      if (!(error instanceof TargetGroupNotFoundException)) throw error;
    }
  }

  private async putAlarm(name: string): Promise<void> {
    await this.cloudWatch.send(
      new PutMetricAlarmCommand({
        AlarmName: name,
        Namespace: "Test",
        MetricName: "Test",
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold",
      }),
    );
    await this.setAlarm(name, "OK");
  }

  async setAlarm(name: string, state: "OK" | "ALARM"): Promise<void> {
    await this.cloudWatch.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: state, StateReason: "a test" }));
  }

  /** The deployed hook's minute, run here. */
  async reconcile(service = "checkout"): Promise<void> {
    await reconcileService(this.ports, service);
  }

  async record(service = "checkout") {
    const record = await this.ports.records.read(service);
    if (!record) throw new Error("no record");
    return record;
  }

  /** Live weights of the main rule, ascending by release. */
  async weights(service = "checkout"): Promise<number[]> {
    const main = (await this.record(service)).rules.find((rule) => rule.role === "main");
    const { Rules } = await this.elb.send(new DescribeRulesCommand({ RuleArns: [main?.arn ?? ""] }));
    const groups = Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    return [...groups]
      .sort((left, right) => ((left.TargetGroupArn ?? "") < (right.TargetGroupArn ?? "") ? -1 : 1))
      .map((group) => group.Weight ?? -1);
  }

  async remove(): Promise<void> {
    this.engine.remove();
    await this.dynamo.send(new DeleteTableCommand({ TableName: tableName(this.environment) }));
  }
}

/** A load balancer that somebody has in production: a listener and two target groups, made past Pulumi. */
export async function existingLoadBalancer(): Promise<{ vpcId: string; listenerArn: string; groupArns: string[] }> {
  const elb = new ElasticLoadBalancingV2Client({ region });
  const network = await motoNetwork(emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"), region);
  const { LoadBalancers } = await elb.send(new CreateLoadBalancerCommand({ Name: "shop", Subnets: network.subnetIds }));
  const groupArns: string[] = [];
  for (const Name of ["checkout-blue", "checkout-green"]) {
    const { TargetGroups } = await elb.send(
      new CreateTargetGroupCommand({ Name, Protocol: "HTTP", Port: 8080, VpcId: network.vpcId, TargetType: "ip" }),
    );
    groupArns.push(TargetGroups?.[0]?.TargetGroupArn ?? "");
  }
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [{ Type: "forward", TargetGroupArn: groupArns[0] }],
    }),
  );
  return { vpcId: network.vpcId, listenerArn: Listeners?.[0]?.ListenerArn ?? "", groupArns };
}
