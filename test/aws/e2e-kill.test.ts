/**
 * `tidegate kill` as an operator runs it, against emulators: through the hook, round it, and where no record can be used. Times are of
 * this machine under these tests; the bound is the requirement's.
 */
import { tmpdir } from "node:os";
import { DeleteTableCommand, PutItemCommand, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";
import { tableName } from "../../core/naming.ts";
import { stateChangeEvent } from "./e2e/alarm-events.ts";
import { type Checkpoint, Deployment } from "./e2e/deployment.ts";
import type { TracedCall } from "./e2e/fault-proxy.ts";
import { region } from "./e2e/places.ts";
import { rootKey } from "./e2e/raw-aws.ts";
import { wavesOf } from "./e2e/serial.ts";
import { until } from "./e2e/until.ts";

const environment = "e2e-kill";
const service = "orders";
const rolledBack = { weights: { "2.3.1": 100 }, isSticky: false };
/** Requirement B4: our own time. Unit: milliseconds. */
const boundMilliseconds = 1_000;
const fallbackMilliseconds = 2_000;

describe("kill on real APIs", { timeout: 60_000 }, () => {
  let deployment: Deployment;
  let exposed: Checkpoint;

  beforeAll(async () => {
    deployment = await Deployment.start(environment, service);
    exposed = await deployment.checkpoint();
    // Code is loaded once; a first command would count that, too. What a cold start costs, `npm run bench` says.
    await kill("--service", service, "--reason", "warm", "--yes");
  }, 90_000);
  beforeEach(() => deployment.restore(exposed));
  afterAll(() => deployment.stop());

  /** Runs the command in this process, its endpoints the proxies. */
  async function kill(...words: string[]) {
    const before = { ...process.env };
    process.env.AWS_ENDPOINT_URL = deployment.awsProxy.url;
    process.env.AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 = deployment.balancingProxy.url;
    const out: string[] = [];
    const error: string[] = [];
    const startedAt = performance.now();
    try {
      const code = await runCommand(["kill", "--environment", environment, "--region", region, ...words], {
        out: (text) => out.push(text),
        error: (text) => error.push(text),
        directory: tmpdir(),
        colours: false,
      });
      return { code, out: out.join("\n"), error: error.join("\n"), milliseconds: performance.now() - startedAt };
    } finally {
      process.env.AWS_ENDPOINT_URL = before.AWS_ENDPOINT_URL;
      process.env.AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 = before.AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2;
    }
  }

  const killNow = () => kill("--service", service, "--reason", "errors at the till", "--yes");

  /** Of one caller, from its first call to the one that read the weights back. */
  function untilReadBack(calls: readonly TracedCall[]): TracedCall[] {
    const lowered = calls.findIndex(({ action }) => action === "elasticloadbalancing:ModifyRule");
    const back = calls.findIndex(
      ({ action }, index) => index > lowered && action === "elasticloadbalancing:DescribeRules",
    );
    return calls.slice(0, back + 1);
  }

  const ofHook = () => deployment.calls.filter(({ accessKeyId }) => accessKeyId !== rootKey);
  const ofOperator = () => deployment.calls.filter(({ accessKeyId }) => accessKeyId === rootKey);

  async function putRecord(attributes: Record<string, { S: string } | { N: string }>): Promise<void> {
    const key = { pk: { S: `service#${service}` }, sk: { S: "record" } };
    await deployment.clients.dynamo.send(
      new PutItemCommand({ TableName: tableName(environment), Item: { ...key, ...attributes } }),
    );
  }

  it("goes through the hook in four calls in a row and under a second [B4]", async () => {
    const { code, out, milliseconds } = await killNow();
    expect(code).toBe(0);
    expect(out).toMatch(/^2\.4\.0 killed by arn:aws:iam::123456789012:root at 25 %: errors at the till$/);
    expect(await deployment.live()).toEqual(rolledBack);
    expect(ofOperator().map(({ action }) => action)).toEqual(["sts:GetCallerIdentity", "lambda:InvokeFunction"]);
    const waves = wavesOf(untilReadBack(ofHook()));
    expect(waves.map((wave) => [...new Set(wave.map(({ action }) => action))])).toEqual([
      ["dynamodb:GetItem"],
      ["dynamodb:PutItem"],
      ["elasticloadbalancing:ModifyRule"],
      ["elasticloadbalancing:DescribeRules"],
    ]);
    expect(milliseconds).toBeLessThan(boundMilliseconds);
    const [hold] = Object.values((await deployment.record()).holds);
    expect(hold).toMatchObject({ cause: "kill", targetPercent: 0 });
    expect(hold?.detail).toContain("errors at the till");
    expect(deployment.pagerDuty.taken).toHaveLength(1);
  });

  it("does the hook's work itself when the hook hangs, under a second after its two [B4]", async () => {
    deployment.awsProxy.inject({ action: "lambda:InvokeFunction", kind: { slowMilliseconds: 4_000 } });
    const { code, error, milliseconds } = await killNow();
    expect(code).toBe(0);
    expect(error).toContain("no answer within 2 s");
    expect(await deployment.live()).toEqual(rolledBack);
    const own = ofOperator().filter(({ action }) => !/^(sts|lambda):/.test(action));
    expect(wavesOf(untilReadBack(own))).toHaveLength(4);
    expect(milliseconds - fallbackMilliseconds).toBeLessThan(boundMilliseconds);
    // The call arrives at the hook after all. A second kill puts a hold of its own, which the same acknowledgement takes.
    const late = () => deployment.awsProxy.calls.find(({ action }) => action === "lambda:InvokeFunction");
    await until(late, (call) => call?.status === 200);
    await deployment.minute();
    expect(await deployment.live()).toEqual(rolledBack);
    const holds = Object.values((await deployment.record()).holds);
    expect([...new Set(holds.map(({ cause, targetPercent }) => `${cause} to ${targetPercent}`))]).toEqual([
      "kill to 0",
    ]);
    expect(new Set(deployment.pagerDuty.taken.map(({ dedup_key }) => dedup_key)).size).toBe(1);
  });

  it.each([
    ["garbage", { revision: { N: "9" }, schemaVersion: { N: "1" }, body: { S: "{no json" } }],
    ["of a newer schema", { revision: { N: "9" }, schemaVersion: { N: "99" }, body: { S: '{"schemaVersion":99}' } }],
  ])("refuses where the record is %s, says why, and lowers with --to [B4, B11]", async (_what, attributes) => {
    await putRecord(attributes);
    const refused = await killNow();
    expect([refused.code, refused.error]).toEqual([3, expect.stringContaining("the record is unreadable")]);
    const receiver = /--to (\S*2-3-1\S*)/.exec(refused.error)?.[1];
    expect(receiver).toBeDefined();

    // The hook, too, says why, changes nothing, and is no better.
    const alarm = await deployment.invoke(
      stateChangeEvent(`tidegate/${environment}/${service}/x/y/critical/60s`, "ALARM"),
    );
    expect(alarm).toMatchObject({ failed: true, value: { errorMessage: expect.stringContaining("unreadable") } });
    expect(deployment.calls.some(({ action }) => action === "elasticloadbalancing:ModifyRule")).toBe(false);

    const done = await kill("--service", service, "--reason", "by hand", "--yes", "--to", receiver ?? "");
    expect(done).toMatchObject({ code: 0 });
    expect(await liveByGroup()).toEqual([[expect.stringContaining(`/${receiver}/`), 100]]);
  });

  it("neither opens nor commits in another account than the declared one, and lowers there all the same [B11]", async () => {
    const name = deployment.functionName;
    const { Environment } = await deployment.clients.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: "live" }),
    );
    const Variables = { ...Environment?.Variables, TIDEGATE_ACCOUNT: "999999999999" };
    await deployment.clients.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables } }),
    );
    await until(
      () => deployment.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name })),
      ({ LastUpdateStatus }) => LastUpdateStatus === "Successful",
    );
    const opening = await deployment.invoke(deployment.openingEvent(), "$LATEST");
    expect(opening.failed).toBe(true);
    expect(opening.value.errorMessage).toMatch(/account.*999999999999/);
    expect(deployment.calls.some(({ action }) => action === "dynamodb:PutItem")).toBe(false);

    const event = { kind: "tidegate:command", command: "kill", service, by: "a test", reason: "wrong account" };
    expect((await deployment.invoke(event, "$LATEST")).value.outcome).toBe("done");
    expect(await deployment.live()).toEqual(rolledBack);
  });

  it("does the hook's work itself when the function is deleted, under a second [B4]", async () => {
    await deployment.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: deployment.functionName }));
    const { code, error, milliseconds } = await killNow();
    expect(code).toBe(0);
    expect(error).toContain("ResourceNotFoundException");
    expect(await deployment.live()).toEqual(rolledBack);
    const own = ofOperator().filter(({ action }) => !/^(sts|lambda):/.test(action));
    expect(wavesOf(untilReadBack(own))).toHaveLength(4);
    expect(milliseconds).toBeLessThan(boundMilliseconds);
    // Nobody is there to page; the page waits for a hook.
    expect((await deployment.record()).outbox).toHaveLength(1);
  });

  it("refuses where the table is lost, says so, and lowers with --to [B4, B11]", async () => {
    const TableName = tableName(environment);
    await deployment.clients.dynamo.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await deployment.clients.dynamo.send(new DeleteTableCommand({ TableName }));
    const refused = await killNow();
    expect([refused.code, refused.error]).toEqual([3, expect.stringContaining("or no table")]);
    const receiver = /--to (\S*2-3-1\S*)/.exec(refused.error)?.[1] ?? "";
    expect(await kill("--service", service, "--reason", "by hand", "--yes", "--to", receiver)).toMatchObject({
      code: 0,
    });
    expect(await liveByGroup()).toEqual([[expect.stringContaining(`/${receiver}/`), 100]]);
  });

  /** The main rule's groups with weight, without the help of a record. */
  async function liveByGroup(): Promise<[string, number][]> {
    const [arn = ""] = exposed.rules.filter(({ Priority }) => Priority === "101").map(({ RuleArn }) => RuleArn ?? "");
    const rules = await deployment.ports.traffic.readRules([arn]);
    return Object.entries(rules[arn]?.weights ?? {}).filter(([, weight]) => weight > 0);
  }
});
