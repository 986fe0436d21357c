/**
 * The AWS APIs that one rollback speaks to, answered on loopback at once: what is measured against it is the program, not the network.
 * It keeps the record and the weights, because the hook reads back what it wrote, and every call in its order.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import type { RolloutRecord } from "../core/record.ts";
import { nested } from "./query-protocol.ts";

/** One call as it came. */
export interface StubCall {
  /** `dynamodb`, `cloudwatch`, `elbv2`, `sns`, `secretsmanager` or `pagerduty`. */
  readonly client: string;
  readonly operation: string;
  /** The call's input; of the query protocol every value is a text. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Since the stub was made. Unit: milliseconds. */
  readonly startedAt: number;
  endedAt: number;
}

export interface StubWorld {
  readonly record: RolloutRecord;
  /** Names of the alarms that stand in ALARM. */
  readonly alarming: readonly string[];
  /** Exposure that the rules forward to the canary at first. Unit: percent. */
  readonly livePercent: number;
  /** What an invocation of the hook comes to. @default gone: there is no such function */
  readonly hook?: "done" | "gone";
}

const xml = "text/xml";
const json = "application/x-amz-json-1.0";
/** Dimension of the alarms that do not speak. */
const quiet = "quiet";

export class AwsStub {
  calls: StubCall[] = [];
  private body = "";
  private revision = 0;
  private weights = new Map<string, Readonly<Record<string, string>>>();

  private constructor(
    private readonly world: StubWorld,
    private readonly server: Server,
  ) {
    this.reset();
  }

  static async start(world: StubWorld): Promise<AwsStub> {
    const server = createServer();
    const stub = new AwsStub(world, server);
    server.on("request", (request, response) => {
      stub.answer(request).then(
        ({ type, text, call, status = 200 }) => {
          response.writeHead(status, {
            "content-type": type,
            ...(status === 404 ? { "x-amzn-errortype": "ResourceNotFoundException" } : {}),
          });
          response.end(text);
          call.endedAt = performance.now();
        },
        (error: unknown) => {
          response.writeHead(400, { "content-type": json });
          response.end(JSON.stringify({ __type: "StubError", message: String(error) }));
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Everything as before the rollback. */
  reset(): void {
    const { record, livePercent } = this.world;
    this.calls = [];
    this.body = JSON.stringify(record);
    this.revision = record.revision;
    const canary = record.canary && record.releases[record.canary.digest]?.targetGroupArn;
    const baseline = record.releases[record.baseline]?.targetGroupArn;
    if (canary === undefined || baseline === undefined) throw new Error("aws-stub: the record has no canary to lower");
    for (const rule of record.rules)
      this.weights.set(rule.arn, { [baseline]: String(100 - livePercent), [canary]: String(livePercent) });
  }

  private async answer(
    request: IncomingMessage,
  ): Promise<{ type: string; text: string; call: StubCall; status?: number }> {
    const startedAt = performance.now();
    const text = await textOf(request);
    const target = request.headers["x-amz-target"];
    const heard = typeof target === "string" ? jsonCall(target, text) : formCall(request, text);
    const call: StubCall = { ...heard, startedAt, endedAt: startedAt };
    this.calls.push(call);
    if (call.client === "lambda") {
      if (this.world.hook !== "done")
        return { type: json, text: '{"Message":"Function not found"}', call, status: 404 };
      return { type: json, text: JSON.stringify({ outcome: "done", message: "killed" }), call };
    }
    const answer = this.answers[`${call.client}.${call.operation}`];
    if (!answer) throw new Error(`aws-stub: ${call.client} ${call.operation} is not stubbed`);
    const given = answer(call.input);
    if (typeof given !== "string") return { type: json, text: JSON.stringify(given), call };
    return {
      type: xml,
      text: `<${call.operation}Response><${call.operation}Result>${given}</${call.operation}Result></${call.operation}Response>`,
      call,
    };
  }

  private readonly answers: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => object | string>> = {
    "dynamodb.GetItem": () => ({
      Item: {
        revision: { N: String(this.revision) },
        schemaVersion: { N: String(this.world.record.schemaVersion) },
        body: { S: this.body },
      },
    }),
    "dynamodb.PutItem": (input) => {
      const item = input.Item as { body?: { S: string }; revision?: { N: string } };
      // Heartbeats and snapshots are items without a revision.
      if (item.body && item.revision) {
        this.body = item.body.S;
        this.revision = Number(item.revision.N);
      }
      return {};
    },
    "dynamodb.TransactWriteItems": () => ({}),
    "cloudwatch.DescribeAlarms": (input) => ({
      MetricAlarms: (input.AlarmNames as string[]).map((name) => ({
        AlarmName: name,
        StateValue: this.world.alarming.includes(name) ? "ALARM" : "OK",
        StateUpdatedTimestamp: Math.floor(Date.now() / 1_000),
        ActionsEnabled: true,
        Namespace: "AWS/ApplicationELB",
        MetricName: "RequestCount",
        Statistic: "Sum",
        // Told apart in GetMetricData: what only one release does is no shared fate.
        Dimensions: [{ Name: "TargetGroup", Value: this.world.alarming.includes(name) ? "bad" : quiet }],
        Period: 60,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold",
        TreatMissingData: "notBreaching",
      })),
      CompositeAlarms: [],
    }),
    "cloudwatch.GetMetricData": (input) => ({
      MetricDataResults: (input.MetricDataQueries as { Id: string }[]).map(({ Id, ...query }) => ({
        Id,
        StatusCode: "Complete",
        Timestamps: [Math.floor(Date.now() / 1_000) - 120],
        Values: [JSON.stringify(query).includes(`"${quiet}"`) ? 0 : 1_000],
      })),
    }),
    "elbv2.DescribeRules": (input) =>
      `<Rules>${(input.RuleArns as string[])
        .map((arn) => `<member><RuleArn>${arn}</RuleArn><IsDefault>false</IsDefault>${this.actionsXml(arn)}</member>`)
        .join("")}</Rules>`,
    "elbv2.ModifyRule": (input) => {
      const [action] = input.Actions as {
        ForwardConfig: { TargetGroups: { TargetGroupArn: string; Weight: string }[] };
      }[];
      const groups = action?.ForwardConfig.TargetGroups ?? [];
      this.weights.set(
        String(input.RuleArn),
        Object.fromEntries(groups.map(({ TargetGroupArn, Weight }) => [TargetGroupArn, Weight])),
      );
      return "<Rules></Rules>";
    },
    "elbv2.DescribeTargetHealth": () =>
      `<TargetHealthDescriptions>${"<member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member>".repeat(2)}</TargetHealthDescriptions>`,
    "sts.GetCallerIdentity": () =>
      "<Arn>arn:aws:iam::123456789012:user/bench</Arn><UserId>bench</UserId><Account>123456789012</Account>",
    "sns.Publish": () => "<MessageId>00000000-0000-4000-8000-000000000000</MessageId>",
    "secretsmanager.GetSecretValue": () => ({ SecretString: "k".repeat(32) }),
    "pagerduty.enqueue": () => ({ status: "success", message: "Event processed", dedup_key: "bench" }),
  };

  private actionsXml(arn: string): string {
    const groups = Object.entries(this.weights.get(arn) ?? {})
      .map(([group, weight]) => `<member><TargetGroupArn>${group}</TargetGroupArn><Weight>${weight}</Weight></member>`)
      .join("");
    return `<Actions><member><Type>forward</Type><ForwardConfig><TargetGroups>${groups}</TargetGroups><TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member></Actions>`;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** `DynamoDB_20120810.GetItem` names client and operation. */
function jsonCall(target: string, text: string) {
  const [service = "", operation = ""] = target.split(".");
  const client = { DynamoDB_20120810: "dynamodb", GraniteServiceVersion20100801: "cloudwatch" }[service] ?? service;
  return { client, operation, input: JSON.parse(text) as Record<string, unknown> };
}

function formCall(request: IncomingMessage, text: string) {
  if (request.url?.includes("/functions/")) return { client: "lambda", operation: "Invoke", input: {} };
  if (request.url === "/v2/enqueue")
    return { client: "pagerduty", operation: "enqueue", input: JSON.parse(text) as Record<string, unknown> };
  const { Action, Version: _version, ...fields } = Object.fromEntries(new URLSearchParams(text));
  const scope = /\/([a-z]+)\/aws4_request/.exec(request.headers.authorization ?? "")?.[1];
  const client = scope === "elasticloadbalancing" ? "elbv2" : (scope ?? "unknown");
  return { client, operation: Action ?? "unknown", input: nested(fields) };
}
