/**
 * What the hook's cold start is measured against: the same SDK clients with the same settings, the same calls in the same order, and
 * nothing else. Calls come as the hook made them, in waves that ran side by side.
 */
import { readFileSync } from "node:fs";
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeRulesCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { clientSettings } from "../hooks/aws/clients.ts";

interface BareCall {
  readonly client: string;
  readonly operation: string;
  /** As it was recorded; whatever its command takes. */
  readonly input: never;
}

const settings = clientSettings({ region: process.env.AWS_REGION ?? "" });

async function send(call: BareCall, clients: ReturnType<typeof make>): Promise<unknown> {
  const { client, operation, input } = call;
  switch (`${client}.${operation}`) {
    case "dynamodb.GetItem":
      return clients.dynamo.send(new GetItemCommand(input));
    case "dynamodb.PutItem":
      return clients.dynamo.send(new PutItemCommand(input));
    case "dynamodb.TransactWriteItems":
      return clients.dynamo.send(new TransactWriteItemsCommand(input));
    case "cloudwatch.DescribeAlarms":
      return clients.cloudWatch.send(new DescribeAlarmsCommand(input));
    case "cloudwatch.GetMetricData":
      return clients.cloudWatch.send(new GetMetricDataCommand(input));
    case "elbv2.DescribeRules":
      return clients.elb.send(new DescribeRulesCommand(input));
    case "elbv2.ModifyRule":
      return clients.elb.send(new ModifyRuleCommand(input));
    case "elbv2.DescribeTargetHealth":
      return clients.elb.send(new DescribeTargetHealthCommand(input));
    case "sns.Publish": {
      const { SNSClient, PublishCommand } = await import("@aws-sdk/client-sns");
      return new SNSClient(settings).send(new PublishCommand(input));
    }
    case "secretsmanager.GetSecretValue": {
      const { SecretsManagerClient, GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
      return new SecretsManagerClient(settings).send(new GetSecretValueCommand(input));
    }
    case "pagerduty.enqueue": {
      const { default: ky } = await import("ky");
      return ky.post(`${process.env.TIDEGATE_PAGERDUTY_ENDPOINT}/v2/enqueue`, { json: input });
    }
  }
  throw new Error(`bare: ${client} ${operation} is not among its calls`);
}

function make() {
  return {
    dynamo: new DynamoDBClient(settings),
    cloudWatch: new CloudWatchClient(settings),
    elb: new ElasticLoadBalancingV2Client(settings),
  };
}

/** Makes the calls of the file that `BENCH_CALLS` names. */
export async function handler(): Promise<void> {
  const waves = JSON.parse(readFileSync(process.env.BENCH_CALLS ?? "", "utf8"), revived) as BareCall[][];
  const clients = make();
  for (const wave of waves) await Promise.all(wave.map((call) => send(call, clients)));
}

/** CloudWatch's times, as the SDK wants them. */
function revived(key: string, value: unknown): unknown {
  return (key === "StartTime" || key === "EndTime") && typeof value === "number" ? new Date(value * 1_000) : value;
}
