/**
 * What runbooks tell people to type when Tidegate does not run: the very lines of the pages, in bash, by the real AWS CLI, against
 * emulators with a rollout on them. Each block runs once, however many pages have it. `npx` and `pulumi` are stand-ins that do
 * nothing: their lines are tested in `test/docs`. The CLI is `TIDEGATE_AWS_CLI` or the one in `.venv`.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, PutItemCommand, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { CreateAliasCommand, CreateFunctionCommand, LambdaClient, PublishVersionCommand } from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drillAlarmName, hookFunctionName, reportFunctionName, tableName } from "../../core/naming.ts";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { dynamoRecordStore } from "../../hooks/aws/record-store.ts";
import { elbTraffic } from "../../hooks/aws/traffic.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { readPages } from "../docs/runbook-pages.ts";
import { motoNetwork } from "../engine/moto-network.ts";
import { makeTable } from "./a-table.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

const moto = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
const environment = "runbooks";
const service = "checkout";
const elb = new ElasticLoadBalancingV2Client({ region: access.region });
const cli = resolve(
  process.env.TIDEGATE_AWS_CLI ??
    [".venv/bin/aws", ".venv/site/bin/aws"].find((path) => existsSync(path)) ??
    ".venv/bin/aws",
);

interface Scene {
  readonly baseline: string;
  readonly canary: string;
  readonly previous: string;
  readonly listener: string;
  readonly mainRule: string;
}

/** A block of a page, and what bash printed for it. */
interface Ran {
  readonly page: string;
  readonly text: string;
  readonly printed: string;
}

let scene: Scene;
let folder: string;

async function makeGroup(vpcId: string): Promise<string> {
  const made = await elb.send(
    new CreateTargetGroupCommand({ Name: freshName("rb"), Protocol: "HTTP", Port: 80, VpcId: vpcId, TargetType: "ip" }),
  );
  const TargetGroupArn = made.TargetGroups?.[0]?.TargetGroupArn ?? "";
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: "10.0.0.7", Port: 80 }] }));
  return TargetGroupArn;
}

/** A rollout at 25 percent on moto. */
async function makeTraffic(): Promise<Scene> {
  const { vpcId, subnetIds } = await motoNetwork(moto, access.region);
  const [baseline, canary, previous] = [await makeGroup(vpcId), await makeGroup(vpcId), await makeGroup(vpcId)];
  const balancer = await elb.send(new CreateLoadBalancerCommand({ Name: freshName("rb"), Subnets: subnetIds }));
  const listener = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: balancer.LoadBalancers?.[0]?.LoadBalancerArn,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
    }),
  );
  const ListenerArn = listener.Listeners?.[0]?.ListenerArn ?? "";
  // Another service's rule on the same listener, which nothing here may touch.
  await elb.send(
    new CreateRuleCommand({
      ListenerArn,
      Priority: 2,
      Conditions: [{ Field: "path-pattern", Values: ["/other/*"] }],
      Actions: [{ Type: "forward", TargetGroupArn: previous }],
      Tags: [
        { Key: "tidegate:environment", Value: environment },
        { Key: "tidegate:service", Value: "other" },
        { Key: "tidegate:role", Value: "main" },
      ],
    }),
  );
  const rule = await elb.send(
    new CreateRuleCommand({
      ListenerArn,
      Priority: 1,
      Conditions: [{ Field: "path-pattern", Values: ["/checkout/*"] }],
      Actions: [
        {
          Type: "forward",
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: baseline, Weight: 75 },
              { TargetGroupArn: canary, Weight: 25 },
            ],
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 3_600 },
          },
        },
      ],
      Tags: [
        { Key: "tidegate:environment", Value: environment },
        { Key: "tidegate:service", Value: service },
        { Key: "tidegate:role", Value: "main" },
      ],
    }),
  );
  return { baseline, canary, previous, listener: ListenerArn, mainRule: rule.Rules?.[0]?.RuleArn ?? "" };
}

async function makeRecord({ baseline, canary, previous, mainRule }: Scene): Promise<void> {
  const client = new DynamoDBClient(clientSettings(access));
  const name = tableName(environment);
  await makeTable(client, name);
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1 }, { TableName: name });
  const full = aFullRecord();
  const releases = Object.values(full.releases);
  const [old, next] = releases;
  if (!old || !next) throw new Error("the full record has two releases");
  await dynamoRecordStore(client, { tableName: name }).write(
    aFullRecord({
      environment,
      service,
      rules: [{ arn: mainRule, role: "main" }],
      releases: {
        [old.digest]: { ...old, targetGroupArn: baseline },
        [next.digest]: { ...next, targetGroupArn: canary },
        "sha256:0000": { ...old, digest: "sha256:0000", version: "2.3.0", targetGroupArn: previous },
      },
    }),
    undefined,
  );
  await client.send(
    new PutItemCommand({
      TableName: name,
      Item: { pk: { S: "drill" }, sk: { S: "drill" }, body: { S: '{"armedAt":1767607200000}' } },
    }),
  );
}

async function makeAlarms(): Promise<void> {
  const client = new CloudWatchClient(clientSettings(access));
  const names = [
    `tidegate/${environment}/${service}/2-4-0-01234567/error-rate/critical/60s`,
    drillAlarmName(environment),
    `${hookFunctionName(environment)}-errors`,
  ];
  for (const AlarmName of names) {
    await client.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: "Tidegate/Test",
        MetricName: "None",
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
      }),
    );
  }
  await client.send(
    new SetAlarmStateCommand({ AlarmName: names[0], StateValue: "ALARM", StateReason: "4.2 is above 2.0" }),
  );
}

async function makeTopic(): Promise<void> {
  const client = new SNSClient(clientSettings(access));
  await client.send(new CreateTopicCommand({ Name: `tidegate-${environment}-warnings` }));
  const { TopicArn } = await client.send(new CreateTopicCommand({ Name: `tidegate-${environment}-critical` }));
  await client.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: `arn:aws:sqs:${access.region}:123456789012:${hookFunctionName(environment)}-dead-letters`,
    }),
  );
}

/** A function that answers with what it was sent, in two versions; the alias is on the second. */
async function makeFunction(FunctionName: string): Promise<void> {
  const client = new LambdaClient(clientSettings(access));
  writeFileSync(
    join(folder, "index.mjs"),
    "export const handler = async (event) => ({ took: event['detail-type'] ?? 'a look by hand' });\n",
  );
  const zipped = spawnSync(
    "python3",
    [
      "-c",
      "import base64,io,sys,zipfile; b=io.BytesIO(); z=zipfile.ZipFile(b,'w'); z.write(sys.argv[1],'index.mjs'); z.close(); print(base64.b64encode(b.getvalue()).decode())",
      join(folder, "index.mjs"),
    ],
    { encoding: "utf8" },
  );
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: "nodejs20.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::123456789012:role/hook",
      Code: { ZipFile: Buffer.from(zipped.stdout.trim(), "base64") },
    }),
  );
  await client.send(new PublishVersionCommand({ FunctionName }));
  await client.send(new PublishVersionCommand({ FunctionName, Description: "the second" }));
  await client.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "2" }));
}

/** What the rest needs no client of ours for: made with the same CLI. */
const rest = `
aws sqs create-queue --queue-name ${hookFunctionName(environment)}-dead-letters
aws events put-rule --name ${hookFunctionName(environment)}-clock --schedule-expression 'rate(1 minute)'
aws logs create-log-group --log-group-name /aws/lambda/${hookFunctionName(environment)}
aws logs create-log-stream --log-group-name /aws/lambda/${hookFunctionName(environment)} --log-stream-name one
aws logs put-log-events --log-group-name /aws/lambda/${hookFunctionName(environment)} --log-stream-name one --log-events "timestamp=$(date +%s)000,message=ERROR access denied"
aws logs create-log-group --log-group-name /aws/lambda/${reportFunctionName(environment)}
aws logs create-log-stream --log-group-name /aws/lambda/${reportFunctionName(environment)} --log-stream-name one
aws logs put-log-events --log-group-name /aws/lambda/${reportFunctionName(environment)} --log-stream-name one --log-events "timestamp=$(date +%s)000,message=ReportFailedError the webhook is gone"
aws sqs send-message --queue-url "$(aws sqs get-queue-url --queue-name ${hookFunctionName(environment)}-dead-letters --query QueueUrl --output text)" --message-body given-up
`;

/** Puts a stand-in for every program of the pages that is not tested here into the folder. */
function makeStandIns(): void {
  for (const program of ["npx", "pulumi"]) {
    writeFileSync(join(folder, program), "#!/bin/bash\n");
    chmodSync(join(folder, program), 0o755);
  }
  // No emulator has CloudTrail: the real CLI checks the words and shows what the answer would look like. For SQS version 1 of the CLI
  // looks at no endpoint variable.
  const aws = [
    "#!/bin/bash",
    `[ "$1" = cloudtrail ] && exec '${cli}' "$@" --generate-cli-skeleton output`,
    `[ "$1" = sqs ] && exec '${cli}' "$@" --endpoint-url "$AWS_ENDPOINT_URL"`,
    `exec '${cli}' "$@"`,
  ];
  writeFileSync(join(folder, "aws"), `${aws.join("\n")}\n`);
  chmodSync(join(folder, "aws"), 0o755);
}

function bash(script: string): string {
  const run = spawnSync("bash", ["-eu", "-o", "pipefail"], {
    input: script,
    encoding: "utf8",
    timeout: 240_000,
    env: {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      AWS_DEFAULT_REGION: access.region,
      AWS_PAGER: "",
    },
  });
  if (run.status !== 0) throw new Error(`bash: exit ${run.status}\n${run.stdout}\n${run.stderr || run.error?.message}`);
  return run.stdout;
}

/** Values that a page marks as to be looked up, and our environment. */
function forHere(text: string): string {
  return text
    .replace("ENVIRONMENT=production", `ENVIRONMENT=${environment}`)
    .replace(/^TO=arn:\S+ # from the table above/m, `TO=${scene.baseline}`)
    .replace(/^LISTENER=arn:\S+ # from the stack's config or outputs/m, `LISTENER=${scene.listener}`);
}

/** Runs the blocks one after another in one shell. */
function runBlocks(blocks: readonly { page: string; text: string }[]): Ran[] {
  const script = blocks.map(({ text }) => `printf '\\x1e'\n${forHere(text)}`).join("\n");
  const printed = bash(script).split("\x1e").slice(1);
  return blocks.map((block, index) => ({ ...block, printed: printed[index] ?? "" }));
}

const distinct = new Map(
  readPages().flatMap((page) => page.blocks.map(({ text }) => [text, { page: page.name, text }] as const)),
);
const blocks = [...distinct.values()];

describe("lines of the runbooks", { timeout: 300_000 }, () => {
  let ran: Ran[];

  beforeAll(async () => {
    if (!existsSync(cli))
      throw new Error(`AWS CLI: not found, got ${cli}; expected awscli in .venv. Run npm run test:aws`);
    folder = mkdtempSync(join(tmpdir(), "tidegate-runbooks-"));
    makeStandIns();
    scene = await makeTraffic();
    await makeRecord(scene);
    await makeAlarms();
    bash(rest);
    await makeTopic();
    await makeFunction(hookFunctionName(environment));
    await makeFunction(reportFunctionName(environment));
    const start = { page: "README", text: "export ENVIRONMENT=production REGION=eu-west-1 SERVICE=checkout" };
    ran = runBlocks([start, ...blocks]);
  }, 280_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const printedBy = (part: string) => ran.find(({ text }) => text.includes(part))?.printed ?? "";

  it("all run to their end [D8]", () => {
    expect(ran).toHaveLength(blocks.length + 1);
    expect(blocks.filter(({ text }) => text.includes("aws ")).length).toBeGreaterThan(20);
  });

  it("name the alarms that stand [D8]", () => {
    expect(printedBy("--state-value ALARM --query 'MetricAlarms[].[AlarmName,StateReason]'").trim()).toBe(
      `tidegate/${environment}/${service}/2-4-0-01234567/error-rate/critical/60s\t4.2 is above 2.0`,
    );
  });

  it("show the record, the services, the drill [D8]", () => {
    expect(JSON.parse(printedBy("jq '{canary"))).toMatchObject({
      baseline: "sha256:aaaa",
      canary: { exposurePercent: 12.5 },
      previous: { digest: "sha256:0000" },
    });
    expect(printedBy("--key-condition-expression").trim()).toBe(service);
    expect(printedBy('"S":"drill"')).toContain("1767607200000");
  });

  it("put the hook's alias back a version, and make it reconcile [D8]", () => {
    expect(printedBy("get-alias").trim().split("\n").at(-1)).toBe("2");
    expect(printedBy("update-alias").trim()).toBe("1");
    expect(printedBy("lambda invoke")).toMatch(/\{"took": ?"Scheduled Event"\}$/m);
  });

  it("show the hook's log, its clock, its dead letters [D8]", () => {
    expect(printedBy("filter-log-events").trim()).toBe("ERROR access denied");
    expect(printedBy("describe-rule --region").trim().split("\n").at(-1)).toBe("ENABLED");
    expect(printedBy("receive-message")).toContain("given-up");
  });

  it("show the report's log, and make it look once more [D8, D6]", () => {
    expect(printedBy("ReportFailedError").trim()).toBe("ReportFailedError the webhook is gone");
    expect(printedBy(`"tidegate-$ENVIRONMENT-report" --payload`)).toMatch(/\{"took": ?"a look by hand"\}$/m);
  });

  it("show who hears the topic [D8]", () => {
    expect(printedBy("list-subscriptions-by-topic")).toMatch(/^sqs\t\S+-dead-letters\t\S+/);
  });

  it("show the hosts of every release [D8]", () => {
    const lines = printedBy("describe-target-health").trim().split("\n");
    expect(lines.map((line) => line.split("\t").slice(0, 3))).toEqual(
      [scene.baseline, scene.canary, scene.previous].map((group) => [group, "10.0.0.7", "healthy"]),
    );
  });

  it("give everything to the baseline, stickiness off; without a record too; and to the previous release [D8, D4]", async () => {
    const traffic = elbTraffic(new ElasticLoadBalancingV2Client(clientSettings(access)));
    const split = { weights: { [scene.baseline]: 75, [scene.canary]: 25 }, stickinessSeconds: 3_600 };
    const weightsAfter = async (page: string, parts: readonly string[]) => {
      await traffic.writeRule(scene.mainRule, split);
      const wanted = readPages().find(({ name }) => name === page)?.blocks ?? [];
      const first = wanted[0] ?? { text: "" };
      const chosen = [first, ...wanted.filter(({ text }) => parts.some((part) => text.includes(part)))];
      expect(chosen).toHaveLength(parts.length + 1);
      runBlocks(chosen.map(({ text }) => ({ page, text })));
      return (await traffic.readRules([scene.mainRule]))[scene.mainRule];
    };
    expect(await weightsAfter("high-error-rate", ["modify-rule"])).toEqual({ weights: { [scene.baseline]: 100 } });
    expect(await weightsAfter("record-unreadable", ["LISTENER=", "TO=arn"])).toEqual({
      weights: { [scene.baseline]: 100 },
    });
    expect(await weightsAfter("full-rollback", ["RECORD=$(", ".previous.digest"])).toEqual({
      weights: { [scene.previous]: 100 },
    });
  });
});
