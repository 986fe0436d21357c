/** The end-to-end tests' own tools: what they refuse, what they record, what they spoil. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeRulesCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterEach, describe, expect, it } from "vitest";
import { nested } from "../../bench/query-protocol.ts";
import type { CapturedResource } from "../../rehearsal/engine/capture.ts";
import { outside } from "./e2e/declared-policy.ts";
import { EmulatorProvider, type Emulators, NotAppliedError } from "./e2e/emulator-provider.ts";
import { problemsOf } from "./e2e/events-v2.ts";
import { FaultProxy, type TracedCall } from "./e2e/fault-proxy.ts";
import { notEmulated } from "./e2e/not-emulated.ts";
import { wavesOf } from "./e2e/serial.ts";

const aCall = (action: string, input: Record<string, unknown> = {}, startedAt = 0, endedAt = 1): TracedCall => ({
  action,
  input,
  accessKeyId: "ASIA",
  startedAt,
  endedAt,
  status: 200,
});

describe("resources on emulators", () => {
  const resource: CapturedResource = {
    key: "aws:s3/bucket:Bucket logs",
    type: "aws:s3/bucket:Bucket",
    name: "logs",
    custom: true,
    parent: undefined,
    dependencies: [],
    ignoreChanges: [],
    protect: false,
    retainOnDelete: false,
    hooks: [],
    inputs: {},
    id: "logs",
    outputs: {},
  };

  it("refuses a type that it does not apply, by name", async () => {
    const provider = new EmulatorProvider({} as Emulators);
    await expect(provider.create(resource)).rejects.toEqual(
      new NotAppliedError(
        "aws:s3/bucket:Bucket logs: a type that is not applied to the emulators; see not-emulated.ts",
      ),
    );
  });

  it("says of each thing that no emulator shows why, and what is done instead", () => {
    for (const { what, why, instead } of notEmulated)
      expect([what, why, instead].every((text) => text.length > 3)).toBe(true);
    expect(new Set(notEmulated.map(({ what }) => what)).size).toBe(notEmulated.length);
  });
});

describe("the Events v2 endpoint", () => {
  const event = {
    routing_key: "k".repeat(32),
    event_action: "trigger",
    dedup_key: "one",
    payload: { summary: "rolled back", source: "tidegate", severity: "critical" },
  };
  const type = "application/json";

  it("takes what PagerDuty documents, and names everything else", () => {
    expect(problemsOf(JSON.stringify(event), type)).toEqual([]);
    expect(problemsOf(JSON.stringify({ ...event, routing_key: "short", dedup_key: "" }), type)).toEqual([
      "'routing_key' must be 32 characters",
      "'dedup_key' must be 1 to 255 characters",
    ]);
    const { payload } = event;
    expect(
      problemsOf(JSON.stringify({ ...event, payload: { ...payload, severity: "bad", source: "" } }), type),
    ).toEqual(["'payload.source' is missing or blank", "'payload.severity' must be critical, error, warning or info"]);
    expect(problemsOf(JSON.stringify({ ...event, payload: { ...payload, summary: "x".repeat(1_025) } }), type)).toEqual(
      ["'payload.summary' must be 1 to 1024 characters"],
    );
    expect(problemsOf("[]", "text/plain")).toEqual([
      "content type must be application/json",
      "event is not a JSON object",
    ]);
    expect(problemsOf(JSON.stringify({ ...event, event_action: "resolve", payload: undefined }), type)).toEqual([]);
  });
});

describe("a declared policy", () => {
  const policy = {
    Statement: [
      {
        Effect: "Allow" as const,
        Action: ["dynamodb:PutItem", "dynamodb:Get*"],
        Resource: "arn:aws:dynamodb:eu-west-1:123456789012:table/ours",
      },
    ],
  };

  it("allows what it names, on what it names, and transactions by what they hold", () => {
    const transaction = (kind: string, TableName: string) =>
      aCall("dynamodb:TransactWriteItems", { TransactItems: [{ [kind]: { TableName } }] });
    expect(
      outside(policy, [
        aCall("dynamodb:GetItem", { TableName: "ours" }),
        transaction("Put", "ours"),
        aCall("sts:GetCallerIdentity"),
      ]),
    ).toEqual([]);
    expect(
      outside(policy, [
        aCall("dynamodb:GetItem", { TableName: "theirs" }),
        transaction("Delete", "ours"),
        aCall("cloudwatch:DescribeAlarms"),
      ]),
    ).toEqual([
      "dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:123456789012:table/theirs",
      "dynamodb:DeleteItem on arn:aws:dynamodb:eu-west-1:123456789012:table/ours",
      "cloudwatch:DescribeAlarms on *",
    ]);
  });
});

describe("the fault proxy", () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  /** Before a server that answers every call with nothing. */
  async function proxied() {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = await FaultProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    stops.push(
      () => proxy.stop(),
      () => new Promise((resolve) => server.close(() => resolve())),
    );
    const settings = { region: "eu-west-1", endpoint: proxy.url, maxAttempts: 1 };
    const get = () =>
      new DynamoDBClient(settings).send(new GetItemCommand({ TableName: "ours", Key: { pk: { S: "a" } } }));
    const rules = () =>
      new ElasticLoadBalancingV2Client(settings).send(new DescribeRulesCommand({ RuleArns: ["one", "two"] }));
    return { proxy, get, rules };
  }

  it("keeps every call in its order, in both protocols", async () => {
    const { proxy, get, rules } = await proxied();
    await get();
    await rules().catch(() => {});
    expect(proxy.calls.map(({ action, input, status }) => [action, input, status])).toEqual([
      ["dynamodb:GetItem", { TableName: "ours", Key: { pk: { S: "a" } } }, 200],
      ["elasticloadbalancing:DescribeRules", { RuleArns: ["one", "two"] }, 200],
    ]);
  });

  it("spoils a call in the words of its protocol, as often as it was told, and no other", async () => {
    const { proxy, get, rules } = await proxied();
    proxy.inject({ action: "dynamodb:GetItem", kind: "throttle", times: 1 });
    proxy.inject({ action: "elasticloadbalancing:*", kind: "throttle", times: 1 });
    await expect(get()).rejects.toMatchObject({ name: "ProvisionedThroughputExceededException" });
    await expect(rules()).rejects.toMatchObject({ name: "Throttling" });
    await get();
    proxy.inject({ action: "dynamodb:GetItem", kind: "internal-error", times: 1 });
    await expect(get()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    proxy.inject({ action: "dynamodb:GetItem", kind: "reset", times: 1 });
    await expect(get()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(proxy.calls.map(({ status }) => status)).toEqual([400, 400, 200, 500, 0]);
  });
});

describe("small tools", () => {
  it("reads the query protocol back", () => {
    expect(
      nested({
        RuleArn: "one",
        "Actions.member.1.Type": "forward",
        "Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight": "100",
        "MessageAttributes.entry.1.Name": "severity",
        "MessageAttributes.entry.1.Value.StringValue": "critical",
      }),
    ).toEqual({
      RuleArn: "one",
      Actions: [{ Type: "forward", ForwardConfig: { TargetGroups: [{ Weight: "100" }] } }],
      MessageAttributes: { severity: { StringValue: "critical" } },
    });
  });

  it("counts calls side by side as one wave", () => {
    const calls = [aCall("a", {}, 0, 5), aCall("b", {}, 1, 9), aCall("c", {}, 5, 8), aCall("d", {}, 10, 12)];
    expect(wavesOf(calls).map((wave) => wave.map(({ action }) => action))).toEqual([["a", "b"], ["c"], ["d"]]);
  });
});
