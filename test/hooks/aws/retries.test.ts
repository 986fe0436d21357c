/**
 * What the adapters do when AWS throttles, breaks or does not answer: each of their methods, over the real clients with the real
 * settings, in front of a transport that only fails. Pauses between tries pass on a faked timer.
 */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { cloudWatchAlarms } from "../../../hooks/aws/alarms.ts";
import { AwsCallError } from "../../../hooks/aws/call.ts";
import { callerAccount } from "../../../hooks/aws/caller-account.ts";
import { clientSettings } from "../../../hooks/aws/clients.ts";
import { cloudWatchMetrics } from "../../../hooks/aws/metrics.ts";
import { dynamoRecordStore } from "../../../hooks/aws/record-store.ts";
import { managedSecret, routingKey } from "../../../hooks/aws/secrets.ts";
import { snsChannel } from "../../../hooks/aws/sns-channel.ts";
import { elbTraffic } from "../../../hooks/aws/traffic.ts";
import { aFullRecord } from "../../contract/a-record.ts";
import { aSnapshot } from "../../contract/a-snapshot.ts";
import { aPageMessage } from "./a-page.ts";

const access = { region: "eu-west-1" };
const range = { from: 0, to: 60_000 };

/** Everything over clients whose every try ends in `fault`. */
function scene(fault: () => Error) {
  let tries = 0;
  const settings = {
    ...clientSettings(access),
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    requestHandler: {
      handle: async () => {
        tries += 1;
        throw fault();
      },
    },
  };
  const cloudWatch = new CloudWatchClient(settings);
  const alarms = cloudWatchAlarms(cloudWatch);
  const metrics = cloudWatchMetrics(cloudWatch);
  const traffic = elbTraffic(new ElasticLoadBalancingV2Client(settings));
  // The record's own limit of a second has a test of its own.
  const records = dynamoRecordStore(new DynamoDBClient(settings), {
    tableName: "records",
    writeLimitMilliseconds: 60_000,
  });
  const topics = { critical: "critical", warning: "warning" };
  const sns = snsChannel({ ...access, topics, isRequired: true }, async () => ({
    client: new SNSClient(settings),
    PublishCommand,
  }));
  const secret = managedSecret(
    { ...access, secretArn: "arn", kind: routingKey, now: () => 0, onValue: () => {} },
    async () => ({ client: new SecretsManagerClient(settings), GetSecretValueCommand }),
  );
  const query = { id: "canary", namespace: "Tidegate", metricName: "Requests", dimensions: {} } as const;
  const service = { environment: "production", service: "checkout" };
  const entry = { at: 0, kind: "note", message: "", exposurePercent: 0 };
  const methods: Record<string, () => Promise<unknown>> = {
    "alarms a: reading their states": () => alarms.describe(["a"]),
    "alarms a: reading their definitions": () => alarms.values(["a"], range),
    "alarm a: setting it to ALARM": () => alarms.setState("a", "ALARM", "drill"),
    "metrics canary: reading their sums": () => metrics.requestSums([query], { ...range, periodSeconds: 60 }),
    "rules r: reading them": () => traffic.readRules(["r"]),
    "rule r: writing its weights": () => traffic.writeRule("r", { weights: { a: 1 } }),
    "target group g: reading its health": () => traffic.targetHealth("g"),
    "listener l: reading its rules": () => traffic.findMainRules({ listener: { arn: "l" }, ...service }),
    "load balancer b: looking it up": () => traffic.findMainRules({ listener: { loadBalancerName: "b" }, ...service }),
    "table records, service checkout: reading its record": () => records.read("checkout"),
    "table records, service checkout: writing the record": () => records.write(aFullRecord({ revision: 2 }), 1),
    "table records: listing the services": () => records.list(),
    "table records, service checkout: appending 1 history entries": () => records.appendHistory("checkout", [entry]),
    "table records, service checkout: reading its history": () => records.history("checkout"),
    "table records, service checkout: reading its heartbeat": () => records.readHeartbeat("checkout"),
    "table records, service checkout: writing its heartbeat": () => records.writeHeartbeat("checkout", 0),
    "table records, service checkout, snapshot hold-1: writing it": () => records.writeSnapshot(aSnapshot()),
    "table records, service checkout, snapshot hold-1: reading it": () => records.readSnapshot("checkout", "hold-1"),
    "table records: drill: reading it": () => records.readDrill(),
    "table records: writing the drill": () => records.writeDrill({ armedAt: 0 }),
    "topic critical: publishing page page-1": () => sns.send(aPageMessage()),
    "secret arn: reading the PagerDuty routing key": () => secret.read(),
    "region eu-west-1: asking STS for the caller's account": () => callerAccount(access, new STSClient(settings)),
  };
  return { methods, tries: () => tries };
}

const faults = {
  throttling: () => Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" }),
  "a 503": () =>
    Object.assign(new Error("try later"), { name: "ServiceUnavailable", $metadata: { httpStatusCode: 503 } }),
  "no answer in time": () => Object.assign(new Error("timed out"), { name: "TimeoutError" }),
} as const;

const denied = () => Object.assign(new Error("no"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } });

beforeAll(async () => {
  // What the clients load on their first call takes turns of the event loop, which would be counted as pauses below.
  for (const method of Object.values(scene(denied).methods)) await method().catch(() => {});
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets faked time pass until the promise settles. Unit of the answer: milliseconds of faked time. */
async function settled(promise: Promise<unknown>): Promise<{ failure: unknown; tookMilliseconds: number }> {
  let done = false;
  const startedAt = Date.now();
  const outcome = promise.then(
    () => "it worked",
    (error: unknown) => error,
  );
  void outcome.finally(() => {
    done = true;
  });
  while (!done) {
    await vi.advanceTimersByTimeAsync(100);
    // Credentials and signing take turns of the event loop that no timer knows.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { failure: await outcome, tookMilliseconds: Date.now() - startedAt };
}

describe.each(Object.entries(faults))("AWS adapters in front of %s", (_name, fault) => {
  it.each(Object.keys(scene(fault).methods))(
    "%s: tried four times, then thrown with what was being done",
    async (doing) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
      const { methods, tries } = scene(fault);
      const { failure, tookMilliseconds } = await settled(methods[doing]?.() ?? Promise.resolve());
      expect(failure).toBeInstanceOf(AwsCallError);
      const { name, message } = fault();
      expect(String(failure)).toBe(`AwsCallError: ${doing} failed, got ${name}: ${message}`);
      expect(tries()).toBe(4);
      // Pauses are at most 1, 2 and 4 s; the tries themselves take none here.
      expect(tookMilliseconds).toBeLessThan(8_000);
    },
  );
});

describe("AWS adapters in front of a refusal", () => {
  it("do not try again what would be refused again", async () => {
    for (const [doing, method] of Object.entries(scene(denied).methods)) {
      await expect(method(), doing).rejects.toThrow(`${doing} failed, got AccessDenied: no`);
    }
    const { methods, tries } = scene(denied);
    for (const method of Object.values(methods)) await method().catch(() => {});
    expect(tries()).toBe(Object.keys(methods).length);
  });
});
