/**
 * One rollback end to end: the program applied to emulators, the bundle in ministack's Lambda under its declared role, an alarm, weights
 * read back from moto, the record, and the page as PagerDuty gets it.
 */
import { DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { GetAliasCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateChangeEvent } from "./e2e/alarm-events.ts";
import { dashboardUrl } from "./e2e/config.ts";
import { outside } from "./e2e/declared-policy.ts";
import { Deployment, routingKey } from "./e2e/deployment.ts";
import { accountId, region } from "./e2e/places.ts";
import { json } from "./e2e/raw-aws.ts";
import { until } from "./e2e/until.ts";

const environment = "e2e-rollback";
const service = "cart";

describe("a rollback on real APIs", { timeout: 60_000 }, () => {
  let deployment: Deployment;
  let alarmName = "";
  /** Calls of the rollback alone, in order. */
  let trace: Deployment["calls"] = [];

  beforeAll(async () => {
    deployment = await Deployment.start(environment, service);
    alarmName = await deployment.alarmThatDisables();
  }, 60_000);
  afterAll(() => deployment.stop());

  /** Hands an event to the hook's alias through EventBridge: a rule of the test's own, since only AWS may send events of AWS. */
  async function throughEventBridge(event: object): Promise<void> {
    await json(deployment.clients.aws, "events", "PutEvents", {
      Entries: [{ Source: "tests.recorded", DetailType: "recorded", Detail: JSON.stringify({ event }) }],
    });
  }

  it("self-tests the version before both aliases point to it [B4]", async () => {
    const answer = await deployment.invoke({ kind: "tidegate:self-test" }, "1");
    expect(answer).toMatchObject({
      failed: false,
      value: {
        outcome: "self-tested",
        message: "self-test passed: records, alarms, metrics, rules, hosts, drill, account, PagerDuty key",
      },
    });
    const order = deployment.firstUp.changes.map(({ op, type }) => `${op} ${type}`);
    const tested = order.indexOf("create aws:lambda/invocation:Invocation");
    expect(tested).toBeGreaterThan(order.indexOf("create aws:lambda/function:Function"));
    expect(order.indexOf("create aws:lambda/alias:Alias")).toBeGreaterThan(tested);
    for (const Name of ["live", "acknowledge"]) {
      const alias = await deployment.clients.lambda.send(
        new GetAliasCommand({ FunctionName: deployment.functionName, Name }),
      );
      expect(alias.FunctionVersion).toBe("1");
    }
  });

  it("commits an opening through the alias and opens the rule, stickiness on, testers let in [A4, A7]", async () => {
    expect((await deployment.record()).canary).toMatchObject({ exposurePercent: 25, attempt: 1 });
    expect(await deployment.live()).toEqual({ weights: { "2.3.1": 75, "2.4.0": 25 }, isSticky: true });
    expect((await deployment.live("tester")).weights["2.4.0"]).toBe(100);
  });

  it("declares an event rule that takes the documented event of our alarms, and of no others [D1]", async () => {
    const { EventPattern } = await json(deployment.clients.aws, "events", "DescribeRule", {
      Name: `${deployment.functionName}-alarms`,
    });
    const takes = async (name: string) => {
      const event = JSON.stringify(stateChangeEvent(name, "ALARM"));
      return (await json(deployment.clients.aws, "events", "TestEventPattern", { EventPattern, Event: event })).Result;
    };
    expect(await takes(alarmName)).toBe(true);
    expect(await takes(`tidegate/other/${service}/x/error-rate/critical`)).toBe(false);
    expect(await takes("somebody-else")).toBe(false);
  });

  it("lowers to zero on an alarm, stickiness off, and reads it back [B2]", async () => {
    await json(deployment.clients.aws, "events", "PutRule", {
      Name: `${environment}-recorded`,
      EventPattern: JSON.stringify({ source: ["tests.recorded"] }),
    });
    await json(deployment.clients.aws, "events", "PutTargets", {
      Rule: `${environment}-recorded`,
      Targets: [
        {
          Id: "hook",
          Arn: `arn:aws:lambda:${region}:${accountId}:function:${deployment.functionName}:live`,
          InputPath: "$.detail.event",
        },
      ],
    });
    // Old enough that its requests should have been counted by now, so that the hook asks for counts, too.
    const { canary, ...record } = await deployment.record();
    if (!canary) throw new Error("no canary");
    const openedAt = canary.waveOpenedAt - 20 * 60_000;
    await deployment.ports.records.write(
      {
        ...record,
        revision: record.revision + 1,
        canary: { ...canary, waveOpenedAt: openedAt, exposedSince: openedAt },
      },
      record.revision,
    );
    deployment.forget();
    await deployment.setAlarm(alarmName, "ALARM");
    await throughEventBridge(stateChangeEvent(alarmName, "ALARM"));
    const live = await until(
      () => deployment.live(),
      ({ weights }) => weights["2.3.1"] === 100,
    );
    expect(live).toEqual({ weights: { "2.3.1": 100 }, isSticky: false });
    expect((await deployment.live("tester")).weights["2.3.1"]).toBe(100);
    const heard = await until(
      () => deployment.calls,
      (calls) => calls.at(-1)?.action === "dynamodb:PutItem" && isHeartbeat(calls.at(-1)),
    );
    trace = [...heard];
  });

  it("records the rollback with a hold, a snapshot and history [B5, B6]", async () => {
    const record = await deployment.record();
    const digest = `sha256:${"2".repeat(64)}`;
    expect(record.canary).toMatchObject({ digest, exposurePercent: 0, attempt: 1 });
    expect(record.ceilings[digest] ?? 0).toBe(0);
    const [hold] = Object.values(record.holds);
    expect(hold).toMatchObject({ scope: "digest", digest, cause: "breach", response: "disable", targetPercent: 0 });
    expect([record.outbox, record.snapshotsDue]).toEqual([[], []]);
    const snapshot = await deployment.ports.records.readSnapshot(service, hold?.id ?? "");
    expect(snapshot).toMatchObject({ id: hold?.id, environment, service });
    expect(snapshot?.alarms?.find((alarm) => alarm.alarmName === alarmName)).toMatchObject({ state: "ALARM" });
    const history = (await deployment.ports.records.history(service)).map(({ kind }) => kind);
    expect(history).toEqual(expect.arrayContaining(["breach", "hold"]));
  });

  it("pages once, with links and a command that works by hand [D4, D8]", () => {
    const { taken, refused } = deployment.pagerDuty;
    expect(refused).toEqual([]);
    const triggers = taken.filter(({ event_action }) => event_action === "trigger");
    expect(triggers).toHaveLength(1);
    const [page] = triggers;
    expect(page).toMatchObject({ routing_key: routingKey, payload: { severity: "critical" } });
    expect(page?.dedup_key).toBe(`tidegate/${environment}/${service}/sha256:${"2".repeat(64)}/1`);
    expect(page?.links?.map(({ href }) => href)).toEqual(
      expect.arrayContaining([dashboardUrl, expect.stringMatching(/^https:\/\/wiki\.example\.com\/runbooks\//)]),
    );
    const details = JSON.stringify(page?.payload?.custom_details);
    expect(details).toContain(`npx tidegate`);
    expect(details).toContain(`--environment ${environment}`);
  });

  it("writes the record before the weights, reads them back, and detaches nothing [B12]", async () => {
    // The anchor rule keeps the canary's group attached and at full size.
    expect((await deployment.live("anchor")).weights).toEqual({ "2.3.1": 1, "2.4.0": 1 });
    const actions = trace.map(({ action }) => action);
    const recorded = trace.findIndex(
      ({ action, input }) => action === "dynamodb:PutItem" && sortKey(input) === "record",
    );
    const lowered = actions.indexOf("elasticloadbalancing:ModifyRule");
    expect(recorded).toBeGreaterThan(-1);
    expect(lowered).toBeGreaterThan(recorded);
    // Read back before anything else is believed: the history is written after it.
    const remembered = actions.indexOf("dynamodb:TransactWriteItems", lowered);
    expect(actions.slice(lowered, remembered)).toContain("elasticloadbalancing:DescribeRules");
    const changes = actions.filter((action) => /^elasticloadbalancing:(?!Describe)/.test(action));
    expect([...new Set(changes)]).toEqual(["elasticloadbalancing:ModifyRule"]);
    for (const { input } of trace.filter(({ action }) => action === "elasticloadbalancing:ModifyRule")) {
      const [written] = input.Actions as {
        ForwardConfig: { TargetGroups: unknown[]; TargetGroupStickinessConfig: unknown };
      }[];
      expect(written?.ForwardConfig.TargetGroupStickinessConfig).toEqual({ Enabled: "false" });
      expect(written?.ForwardConfig.TargetGroups.length).toBeGreaterThan(0);
    }
  });

  it("makes only calls that its declared policy allows, signed as its role [E7]", () => {
    expect(outside(deployment.declaredPolicy(deployment.functionName), trace)).toEqual([]);
    // The key is read anew by the self-test, and kept for five minutes in a container that lives on: a rollback need not read it.
    const actions = trace.map(({ action }) => action).filter((action) => action !== "secretsmanager:GetSecretValue");
    expect([...new Set(actions)].sort()).toEqual([
      "cloudwatch:DescribeAlarms",
      "cloudwatch:GetMetricData",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:TransactWriteItems",
      "elasticloadbalancing:DescribeRules",
      "elasticloadbalancing:DescribeTargetHealth",
      "elasticloadbalancing:ModifyRule",
      "sns:Publish",
    ]);
    expect(trace.every(({ accessKeyId }) => accessKeyId.startsWith("ASIA"))).toBe(true);
    expect(trace.filter(({ status }) => status >= 400)).toEqual([]);
  });

  it("changes nothing more for five copies of the event at once, nor for OK and ALARM out of order [B5]", async () => {
    // The clock that counts missing metrics ends with the exposure; the first look after it writes that down.
    await deployment.minute();
    const before = await deployment.record();
    deployment.forget();
    const copies = Array.from({ length: 5 }, () => deployment.invoke(stateChangeEvent(alarmName, "ALARM")));
    for (const { failed } of await Promise.all(copies)) expect(failed).toBe(false);
    await deployment.invoke(stateChangeEvent(alarmName, "OK"));
    await deployment.invoke(stateChangeEvent(alarmName, "ALARM", new Date(Date.now() - 600_000)));
    expect((await deployment.record()).revision).toBe(before.revision);
    expect(deployment.calls.filter(({ action }) => action === "elasticloadbalancing:ModifyRule")).toEqual([]);
    expect(deployment.pagerDuty.taken).toEqual([]);
    expect((await deployment.live()).weights).toEqual({ "2.3.1": 100 });
  });

  it("acknowledges only through its own alias [B5]", async () => {
    const event = {
      kind: "tidegate:command",
      command: "acknowledge",
      service,
      by: "a test",
      reason: "the cause is known",
    };
    const refused = await deployment.invoke(event, "live");
    expect(refused.value).toEqual({
      outcome: "refused",
      message: "acknowledge: only through the alias acknowledge, got live; nothing was changed",
    });
    const kill = await deployment.invoke({ ...event, command: "kill" }, "acknowledge");
    expect(kill.value.outcome).toBe("refused");
    expect(Object.values((await deployment.record()).holds).some(({ acknowledged }) => acknowledged)).toBe(false);

    await deployment.setAlarm(alarmName, "OK");
    await deployment.minute();
    const done = await deployment.invoke(event, "acknowledge");
    expect(done.value).toMatchObject({ outcome: "done" });
    expect(Object.values((await deployment.record()).holds).every(({ acknowledged }) => acknowledged)).toBe(true);
  });

  it("ignores an old ALARM that arrives after the acknowledgement [B5]", async () => {
    const before = await deployment.record();
    deployment.forget();
    const answer = await deployment.invoke(stateChangeEvent(alarmName, "ALARM", new Date(Date.now() - 900_000)));
    expect(answer.failed).toBe(false);
    const after = await deployment.record();
    expect([after.holds, after.breaches]).toEqual([before.holds, before.breaches]);
    expect(deployment.calls.filter(({ action }) => action === "elasticloadbalancing:ModifyRule")).toEqual([]);
    const { MetricAlarms } = await deployment.clients.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [alarmName] }),
    );
    expect(MetricAlarms?.[0]?.StateValue).toBe("OK");
  });
});

function sortKey(input: Readonly<Record<string, unknown>>): string | undefined {
  return (input.Item as { sk?: { S?: string } } | undefined)?.sk?.S;
}

function isHeartbeat(call: Deployment["calls"][number] | undefined): boolean {
  return call !== undefined && sortKey(call.input) === "heartbeat";
}
