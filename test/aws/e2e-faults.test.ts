/** Rollbacks while AWS is ill: a proxy spoils calls of the deployed hook, and traffic is lowered all the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateChangeEvent } from "./e2e/alarm-events.ts";
import { type Checkpoint, Deployment } from "./e2e/deployment.ts";
import type { TracedCall } from "./e2e/fault-proxy.ts";

const service = "basket";
const rolledBack = { weights: { "2.3.1": 100 }, isSticky: false };

describe("a rollback while AWS is ill", { timeout: 60_000 }, () => {
  let deployment: Deployment;
  let exposed: Checkpoint;
  let alarmName = "";

  beforeAll(async () => {
    deployment = await Deployment.start("e2e-faults", service);
    exposed = await deployment.checkpoint();
    alarmName = await deployment.alarmThatDisables();
  }, 60_000);
  beforeEach(() => deployment.restore(exposed));
  afterAll(() => deployment.stop());

  /** The alarm speaks, once. @returns the hook's answer and how long it took until the last rule was written */
  async function alarm() {
    await deployment.setAlarm(alarmName, "ALARM");
    const startedAt = performance.now();
    const answer = await deployment.invoke(stateChangeEvent(alarmName, "ALARM"));
    const written = callsOf("elasticloadbalancing:ModifyRule").filter(({ status }) => status === 200);
    return { answer, loweredMilliseconds: Math.max(0, ...written.map(({ endedAt }) => endedAt)) - startedAt };
  }

  function callsOf(action: string): TracedCall[] {
    return deployment.calls.filter((call) => call.action === action);
  }

  function recordWrites(): TracedCall[] {
    return callsOf("dynamodb:PutItem").filter(
      ({ input }) => (input.Item as { sk?: { S?: string } } | undefined)?.sk?.S === "record",
    );
  }

  async function settled(): Promise<void> {
    deployment.forget();
    await deployment.minute();
    const record = await deployment.record();
    expect([record.canary?.exposurePercent, record.outbox]).toEqual([0, []]);
    expect(Object.values(record.holds)).toHaveLength(1);
    expect(await deployment.live()).toEqual(rolledBack);
  }

  it("lowers within its limit while DynamoDB throttles every write, pages, and records it a minute later [B4]", async () => {
    deployment.awsProxy.inject({ action: "dynamodb:PutItem", kind: "throttle" });
    deployment.awsProxy.inject({ action: "dynamodb:TransactWriteItems", kind: "throttle" });
    const { answer, loweredMilliseconds } = await alarm();
    expect(answer.failed).toBe(true);
    expect(await deployment.live()).toEqual(rolledBack);
    expect(loweredMilliseconds).toBeLessThan(6_000);
    expect(deployment.pagerDuty.taken.map(({ event_action }) => event_action)).toContain("trigger");
    await settled();
  });

  it("tries a throttled ModifyRule again until it is taken [B4]", async () => {
    deployment.balancingProxy.inject({ action: "elasticloadbalancing:ModifyRule", kind: "throttle", times: 2 });
    const { answer } = await alarm();
    expect(answer.failed).toBe(false);
    expect(await deployment.live()).toEqual(rolledBack);
    expect(callsOf("elasticloadbalancing:ModifyRule").filter(({ fault }) => fault === "throttle")).toHaveLength(2);
    await settled();
  });

  it.each([
    ["one 500 of each read", ["dynamodb:GetItem", "cloudwatch:DescribeAlarms", "elasticloadbalancing:DescribeRules"]],
    ["one 500 of each write", ["dynamodb:PutItem", "dynamodb:TransactWriteItems", "elasticloadbalancing:ModifyRule"]],
  ])("rides out %s [B4]", async (_what, actions) => {
    for (const action of actions) {
      const proxy = action.startsWith("elasticloadbalancing") ? deployment.balancingProxy : deployment.awsProxy;
      proxy.inject({ action, kind: "internal-error", times: 1 });
    }
    const { answer } = await alarm();
    expect(answer.failed).toBe(false);
    expect(await deployment.live()).toEqual(rolledBack);
    expect(
      deployment.calls
        .filter(({ fault }) => fault === "internal-error")
        .map(({ action }) => action)
        .sort(),
    ).toEqual([...actions].sort());
    await settled();
  });

  it("rides out one 503 and one cut connection of each service [B4]", async () => {
    for (const kind of ["unavailable", "reset"] as const) {
      deployment.awsProxy.inject({ action: "dynamodb:GetItem", kind, times: 1 });
      deployment.awsProxy.inject({ action: "cloudwatch:DescribeAlarms", kind, times: 1 });
      deployment.balancingProxy.inject({ action: "elasticloadbalancing:ModifyRule", kind, times: 1 });
    }
    const { answer } = await alarm();
    expect(answer.failed).toBe(false);
    expect(await deployment.live()).toEqual(rolledBack);
    await settled();
  });

  it("lowers while every answer takes 500 ms [B4]", async () => {
    const slow = { slowMilliseconds: 500 };
    deployment.awsProxy.inject({ action: "*", kind: slow });
    deployment.balancingProxy.inject({ action: "*", kind: slow });
    const { answer, loweredMilliseconds } = await alarm();
    expect(answer.failed).toBe(false);
    expect(await deployment.live()).toEqual(rolledBack);
    expect(loweredMilliseconds).toBeLessThan(6_000);
    await settled();
  });

  it("knows its own record write again whose answer was lost, and decides once [B5]", async () => {
    deployment.awsProxy.inject({
      action: "dynamodb:PutItem",
      kind: "lost-answer",
      times: 1,
      where: ({ Item }) => (Item as { sk?: { S?: string } } | undefined)?.sk?.S === "record",
    });
    const { answer } = await alarm();
    expect(answer.failed).toBe(false);
    expect(recordWrites().filter(({ fault }) => fault === "lost-answer")).toHaveLength(1);
    expect(await deployment.live()).toEqual(rolledBack);
    await settled();
  });

  it("lowers at the next minute where no alarm could be read when it spoke [B4]", async () => {
    deployment.awsProxy.inject({ action: "cloudwatch:DescribeAlarms", kind: "throttle" });
    const { answer } = await alarm();
    expect(answer.failed).toBe(true);
    expect((await deployment.live()).weights).toEqual({ "2.3.1": 75, "2.4.0": 25 });
    await settled();
  });

  it.each(["throttled", "broken", "silent"] as const)(
    "lowers while PagerDuty is %s, keeps the page, and sends it later [D4]",
    async (outage) => {
      deployment.pagerDuty.fail(outage);
      const { answer } = await alarm();
      expect(answer.failed).toBe(true);
      expect(await deployment.live()).toEqual(rolledBack);
      const waiting = await deployment.record();
      expect(waiting.outbox).toHaveLength(1);
      // The critical topic has it already; only PagerDuty is tried again.
      expect(waiting.outbox[0]?.deliveredTo).toEqual(["sns"]);
      deployment.pagerDuty.clear();
      await deployment.minute();
      expect(deployment.pagerDuty.taken.filter(({ event_action }) => event_action === "trigger")).toHaveLength(1);
      expect((await deployment.record()).outbox).toEqual([]);
    },
  );
});
