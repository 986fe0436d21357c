/**
 * What AWS would do about what a stack declared, and the stand-in provider does not: the table, the alarms, the hook's function with its
 * aliases. Made on ministack from the provider's own calls, so that the program's words are what is run.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  type Runtime,
} from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { zipSync } from "fflate";
import { hookAliasName, hookFunctionName, tableName } from "../../core/naming.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { awsPorts } from "../../hooks/aws/ports.ts";
import { buildHookBundle } from "../../hooks/bundle.ts";
import { until } from "../aws/e2e/until.ts";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { mutations, type ProviderCall } from "./harness.ts";

export class AwsBehind {
  private readonly cloudWatch: CloudWatchClient;
  private readonly dynamo: DynamoDBClient;
  private readonly lambda: LambdaClient;
  private readonly sns: SNSClient;
  hasTable = false;
  hasHook = false;

  constructor(
    readonly environment: string,
    readonly region: string,
  ) {
    this.cloudWatch = new CloudWatchClient({ region });
    this.dynamo = new DynamoDBClient({ region });
    this.lambda = new LambdaClient({ region });
    this.sns = new SNSClient({ region });
  }

  /** Variables with which program, provider and hook find the emulators, and the hook its environment. */
  get variables(): Record<string, string> {
    const { environment, region } = this;
    return {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: "testing",
      AWS_SECRET_ACCESS_KEY: "testing",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      AWS_ENDPOINT_URL: emulatorEndpoint("AWS_ENDPOINT_URL"),
      AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"),
      TIDEGATE_ENVIRONMENT: environment,
      TIDEGATE_TABLE: tableName(environment),
      TIDEGATE_ACCOUNT: "123456789012",
      TIDEGATE_CRITICAL_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${environment}-critical`,
      TIDEGATE_WARNING_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${environment}-warnings`,
      TIDEGATE_RUNBOOKS: defaultRunbookBase,
    };
  }

  get ports() {
    const { environment, region } = this;
    const place = { environment, region, runbookBase: defaultRunbookBase };
    return awsPorts({ region, tableName: tableName(environment), place });
  }

  /** The record table. The program's own `up` makes it on AWS; here it has to be there before the hook is called. */
  async makeTable(): Promise<void> {
    await this.dynamo.send(
      new CreateTableCommand({
        TableName: tableName(this.environment),
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" as const })),
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
      }),
    );
    this.hasTable = true;
  }

  async removeTable(): Promise<void> {
    if (!this.hasTable) return;
    await this.dynamo.send(new DeleteTableCommand({ TableName: tableName(this.environment) }));
  }

  /** Makes what these calls made: alarms that are quiet, topics, the hook and its aliases. */
  async apply(calls: readonly ProviderCall[]): Promise<void> {
    for (const { type, op, inputs = {} } of mutations([...calls])) {
      if (op !== "create") continue;
      if (type === "aws:cloudwatch/metricAlarm:MetricAlarm") await this.makeAlarm(String(inputs.name));
      if (type === "aws:sns/topic:Topic") await this.sns.send(new CreateTopicCommand({ Name: String(inputs.name) }));
      if (type === "aws:lambda/function:Function" && inputs.name === hookFunctionName(this.environment))
        await this.makeHook(inputs);
      if (type === "aws:lambda/alias:Alias" && inputs.functionName === hookFunctionName(this.environment))
        await this.makeAlias(String(inputs.name));
    }
  }

  private async makeAlarm(name: string): Promise<void> {
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
    await this.cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: name, StateValue: "OK", StateReason: "nothing is wrong" }),
    );
  }

  private async makeHook(inputs: Readonly<Record<string, unknown>>): Promise<void> {
    const folder = await buildHookBundle();
    const files = readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))] as const);
    const declared = Object(Object(inputs.environment).variables) as Record<string, string>;
    const FunctionName = hookFunctionName(this.environment);
    const elb = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2";
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: String(inputs.runtime) as Runtime,
        Handler: String(inputs.handler),
        Role: String(inputs.role),
        Timeout: Number(inputs.timeout),
        Publish: true,
        Environment: { Variables: { ...declared, [elb]: emulatorEndpoint(elb) } },
        Code: { ZipFile: zipSync(Object.fromEntries(files)) },
      }),
    );
    await until(
      () => this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
      ({ State }) => State === "Active",
    );
  }

  private async makeAlias(name: string): Promise<void> {
    const FunctionName = hookFunctionName(this.environment);
    await this.lambda.send(new CreateAliasCommand({ FunctionName, Name: name, FunctionVersion: "1" }));
    this.hasHook = true;
  }

  /** The clock wakes the deployed hook. */
  async minute(): Promise<void> {
    const answer = await this.lambda.send(
      new InvokeCommand({
        FunctionName: hookFunctionName(this.environment),
        Qualifier: hookAliasName,
        Payload: Buffer.from(JSON.stringify({ source: "aws.events", "detail-type": "Scheduled Event" })),
      }),
    );
    if (answer.FunctionError !== undefined)
      throw new Error(`the hook's minute: ${Buffer.from(answer.Payload ?? []).toString("utf8")}`);
  }
}
