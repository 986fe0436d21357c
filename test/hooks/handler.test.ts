/** The Lambda's entry: each kind of event answered, commands only through their alias, failures never a quiet answer. */
import { describe, expect, it } from "vitest";
import type { ServiceDescription } from "../../core/declaration.ts";
import { planPresets } from "../../core/plans.ts";
import { stableJson } from "../../core/stable-json.ts";
import { UnknownEventError } from "../../hooks/events.ts";
import { type HandlerParts, makeHandler } from "../../hooks/handle.ts";
import { groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

const main = "arn:rule/main";
const description: ServiceDescription = {
  kind: "tidegate:opening",
  schemaVersion: 1,
  environment: "dev",
  service: "checkout",
  mode: "act",
  source: "alb",
  plan: planPresets.cautious,
  rules: [{ arn: main, role: "main" }],
  alarms: [],
  loadBalancerArnSuffix: "app/edge/1",
  blindMinutes: 15,
  rollbackWindowMinutes: 1_440,
  releases: [
    {
      digest: v1.digest,
      version: "1.0.0",
      targetGroupArn: groupArn(v1),
      targetGroupArnSuffix: groupArn(v1),
      adopted: false,
    },
  ],
  baseline: v1.digest,
  exposurePercent: 0,
  realityGeneration: 0,
  takenBy: "example/tidegate/dev",
  retire: false,
};
const alarmName = "tidegate/dev/checkout/2-0-0-1/error-rate/critical/60s";
const functionArn = "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-dev-hook";
const through = (qualifier?: string) => ({
  invokedFunctionArn: qualifier === undefined ? functionArn : `${functionArn}:${qualifier}`,
});

function aHandler(world: World, change: Partial<HandlerParts> = {}) {
  const said: string[] = [];
  let made = 0;
  const ports = world.cloud.ports("hook");
  const handle = makeHandler(() => {
    made += 1;
    return {
      environment: "dev",
      ports: { ...ports, telemetry: { ...ports.telemetry, log: (...words) => void said.push(words.join(" ")) } },
      checkAccount: async () => void said.push("account checked"),
      selfTests: {},
      begin: (fields) => void said.push(`begin ${fields.event}`),
      flush: async () => void said.push("flush"),
      cleanError: (error) => new Error(`clean: ${(error as Error).message}`, { cause: error }),
      ...change,
    } satisfies HandlerParts;
  });
  return { handle, said, made: () => made };
}

/** As it arrives: through JSON, with what the invocation resource adds. */
const arriving = (event: object, tf?: object): unknown => JSON.parse(stableJson(tf ? { ...event, tf } : event));

async function breached(): Promise<World> {
  const world = await new World().rolledOutTo(25);
  world.alarm(v2, "error-rate/critical", "ALARM");
  return world;
}

describe("an opening", () => {
  it.each(["create", "update"])("is committed on %s, after the account was checked", async (action) => {
    const world = new World();
    world.cloud.rules.set(main, { weights: { [groupArn(v1)]: 1 } });
    const hook = aHandler(world);
    expect(await hook.handle(arriving(description, { action, prev_input: null }), through("live"))).toEqual({
      outcome: "committed",
      message: "1.0.0 is the baseline at 100 %",
    });
    expect(hook.said).toEqual(["begin opening", "account checked", "flush"]);
    expect(world.record.baseline).toBe(v1.digest);
  });

  it("is refused in the wrong account, and nothing is written", async () => {
    const world = new World();
    world.cloud.rules.set(main, { weights: { [groupArn(v1)]: 1 } });
    const checkAccount = () => Promise.reject(new Error("account 2; expected 1"));
    await expect(aHandler(world, { checkAccount }).handle(arriving(description))).rejects.toThrow(
      "clean: account 2; expected 1",
    );
    expect(world.rawRecord()).toBeUndefined();
  });

  it("is refused for another environment, and by a description of another version with every problem [B11]", async () => {
    const hook = aHandler(new World());
    await expect(hook.handle({ ...description, environment: "prod" })).rejects.toThrow(
      "clean: opening of checkout: for another environment, got prod; expected dev. Call the hook of that environment",
    );
    const { baseline: _, ...rest } = description;
    await expect(hook.handle({ ...rest, exposurePercent: 120, control: "sha256:c" })).rejects.toThrow(
      /^clean: opening of checkout: 3 problem\(s\), nothing was committed\. Program and hook must be of one version:\n/,
    );
  });

  it("that goes away changes nothing, even by a description it cannot read", async () => {
    const hook = aHandler(new World());
    expect(
      await hook.handle(arriving({ kind: "tidegate:opening", service: "checkout", old: 1 }, { action: "delete" })),
    ).toEqual({
      outcome: "nothing-to-do",
      message: "checkout: its opening is removed from the stack; record, holds and weights stay as they are",
    });
  });
});

describe("the clock and alarms", () => {
  it.each<[string, object, string]>([
    [
      "the clock",
      { source: "aws.events", "detail-type": "Scheduled Event", detail: {} },
      "every service was looked at",
    ],
    [
      "an EventBridge alarm",
      { source: "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", detail: { alarmName } },
      `checkout was looked at, because ${alarmName} spoke`,
    ],
    [
      "a direct alarm action",
      { source: "aws.cloudwatch", alarmArn: "arn", alarmData: { alarmName } },
      `checkout was looked at, because ${alarmName} spoke`,
    ],
    [
      "CloudWatch through SNS",
      { Records: [{ EventSource: "aws:sns", Sns: { Message: JSON.stringify({ AlarmName: alarmName }) } }] },
      `checkout was looked at, because ${alarmName} spoke`,
    ],
    [
      "Datadog through SNS",
      { Records: [{ EventSource: "aws:sns", Sns: { Message: '{"tidegate_service":"checkout"}' } }] },
      "checkout: looked at, because a message named it",
    ],
  ])("lower a breaching canary on %s, without waiting for the account's check [B2]", async (_title, event, message) => {
    const world = await breached();
    const hook = aHandler(world, { checkAccount: () => Promise.reject(new Error("STS does not answer")) });
    expect(await hook.handle(event)).toEqual({ outcome: "reconciled", message });
    expect(world.live(v2)).toBe(0);
  });

  it("fail when the look fails, and telemetry is flushed all the same", async () => {
    const world = await breached();
    const failing = world.cloud.ports("hook", async (call) => {
      if (call === "rules before") throw new Error("DescribeRules denied");
    });
    const hook = aHandler(world, { ports: failing });
    await expect(hook.handle({ source: "aws.events", "detail-type": "Scheduled Event" })).rejects.toThrow(
      "clean: checkout: DescribeRules denied",
    );
    expect(hook.said).toEqual(["begin schedule", "flush"]);
  });

  it("look at every service that a message names, though one fails, and tell which did [B2]", async () => {
    const world = await breached();
    world.cloud.records.set("basket", JSON.stringify({ ...world.record, service: "basket", rules: "garbage" }));
    world.cloud.records.set("zoo", JSON.stringify({ ...world.record, service: "zoo", alarms: 1 }));
    const alerts = ["zoo", "checkout", "basket"].map((service) => ({ labels: { tidegate_service: service } }));
    const message = JSON.stringify({ alerts });
    const failure = await aHandler(world)
      .handle({ Records: [{ EventSource: "aws:sns", Sns: { Message: message } }] })
      .catch((error: Error) => error.cause);
    expect(failure).toBeInstanceOf(AggregateError);
    expect((failure as AggregateError).errors).toHaveLength(2);
    expect(world.live(v2)).toBe(0);
  });

  it.each([
    ["tidegate/prod/checkout/2-0-0-1/error-rate/critical/60s", "another environment's"],
    ["tidegate/dev", "half a name"],
    ["billing", "a stranger's"],
    ["tidegate/developer/checkout/a/b", "one whose name only begins like ours"],
  ])("refuse the alarm %s, %s", async (name) => {
    const world = await breached();
    await expect(aHandler(world).handle({ source: "aws.cloudwatch", alarmData: { alarmName: name } })).rejects.toThrow(
      `clean: alarm "${name}": not one of ours; expected tidegate/dev/<service>/…. Look at the event rule's prefix`,
    );
    expect(world.live(v2)).toBe(25);
  });
});

describe("a service that no record knows", () => {
  const alarmName = "tidegate/dev/checkout/2-0-0-bce8bfcc/error-rate/critical/60s";
  const event = { source: "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", detail: { alarmName } };

  it("fails the run while its alarm speaks: nobody watches it [B11]", async () => {
    const world = new World();
    world.setAlarm(alarmName, "ALARM");
    await expect(aHandler(world).handle(event)).rejects.toThrow(
      `clean: checkout: ${alarmName} speaks, and there is no record of the service; restore the table, or kill with --to`,
    );
  });

  it("is nothing to do while its alarm is quiet: a first up makes alarms before it commits", async () => {
    const world = new World();
    world.setAlarm(alarmName, "OK");
    expect(await aHandler(world).handle(event)).toEqual({
      outcome: "reconciled",
      message: `checkout has no record yet, and ${alarmName} does not speak`,
    });
  });

  it("fails the run when a message names it, after the others were looked at [B11]", async () => {
    const world = await new World().rolledOutTo(10);
    world.alarm(v2, "error-rate/critical", "ALARM");
    const alerts = ["basket", "checkout"].map((name) => ({ labels: { tidegate_service: name } }));
    const message = { Records: [{ EventSource: "aws:sns", Sns: { Message: JSON.stringify({ alerts }) } }] };
    await expect(aHandler(world).handle(message)).rejects.toThrow(
      "clean: basket: a message names it, and there is no record of it",
    );
    expect(world.live(v2)).toBe(0);
  });

  it("says no secret of an event that it refuses, before it has any parts [D7]", async () => {
    const secret = "R0123456789ABCDEFGHIJ0123456789AB".slice(0, 32);
    const failure = makeHandler(() => {
      throw new Error("no parts");
    })({ kind: "tidegate:opening", service: "s", tf: { action: "x", routing_key: secret } });
    await expect(failure).rejects.toThrow(/^opening: life-cycle note not understood, got object;/);
    await expect(failure).rejects.not.toThrow(secret);
  });
});

describe("a command", () => {
  const kill = {
    kind: "tidegate:command",
    command: "kill",
    service: "checkout",
    by: "an SRE",
    reason: "customers call",
  };

  it.each([["live"], ["7"], [undefined]])(
    "kills and pauses through %s, without the account's check [B4]",
    async (alias) => {
      const world = await breached();
      const hook = aHandler(world, { checkAccount: () => Promise.reject(new Error("STS does not answer")) });
      expect(await hook.handle(kill, through(alias))).toEqual({
        outcome: "done",
        message: "2.0.0 killed by an SRE at 25 %: customers call",
      });
      expect(world.live(v2)).toBe(0);
      expect(await hook.handle({ ...kill, command: "pause" }, through(alias))).toEqual({
        outcome: "done",
        message: "openings are paused",
      });
    },
  );

  it("acknowledges and resumes through the alias of that, after the account was checked [A4]", async () => {
    const world = await breached();
    await world.reconcile();
    await world.pause();
    const hook = aHandler(world);
    const [hold] = Object.keys(world.record.holds);
    expect(await hook.handle({ ...kill, command: "acknowledge", holdId: hold }, through("acknowledge"))).toEqual({
      outcome: "done",
      message: `${hold} acknowledged by an SRE: customers call`,
    });
    expect(await hook.handle({ ...kill, command: "resume" }, through("acknowledge"))).toEqual({
      outcome: "done",
      message: "openings are possible again",
    });
    expect(hook.said).toContain("account checked");
    const elsewhere = aHandler(world, { checkAccount: () => Promise.reject(new Error("account 2; expected 1")) });
    await expect(elsewhere.handle({ ...kill, command: "resume" }, through("acknowledge"))).rejects.toThrow(
      "clean: account 2; expected 1",
    );
  });

  it.each<[string, string | undefined, string]>([
    ["acknowledge", "live", "acknowledge: only through the alias acknowledge, got live; nothing was changed"],
    ["resume", undefined, "resume: only through the alias acknowledge, got no alias; nothing was changed"],
    [
      "kill",
      "acknowledge",
      "kill: not through the alias acknowledge, which only acknowledges and resumes; nothing was changed",
    ],
    [
      "pause",
      "acknowledge",
      "pause: not through the alias acknowledge, which only acknowledges and resumes; nothing was changed",
    ],
  ])("refuses %s through %s, and changes nothing [A4]", async (command, alias, message) => {
    const world = await breached();
    const before = world.cloud.records.get("checkout");
    const answer = await aHandler(world).handle({ ...kill, command }, through(alias));
    expect(answer).toEqual({ outcome: "refused", message });
    expect(world.cloud.records.get("checkout")).toBe(before);
  });

  it.each<[string, object]>([
    ["opening", description],
    ["opening-deleted", { kind: "tidegate:opening", service: "checkout", tf: { action: "delete" } }],
    ["schedule", { source: "aws.events", "detail-type": "Scheduled Event", detail: {} }],
    ["alarm", { source: "aws.cloudwatch", alarmData: { alarmName } }],
    ["look", { Records: [{ EventSource: "aws:sns", Sns: { Message: '{"tidegate_service":"checkout"}' } }] }],
    ["self-test", { kind: "tidegate:self-test" }],
    ["drill", { kind: "tidegate:drill" }],
  ])("is all that the alias acknowledge takes: it refuses %s, and changes nothing [A4]", async (kind, event) => {
    const world = await breached();
    const calls: string[] = [];
    const ports = world.cloud.ports("hook", async (call) => void calls.push(call));
    const failure = await aHandler(world, { ports })
      .handle(event, through("acknowledge"))
      .catch((error: Error) => error.cause);
    expect(failure).toBeInstanceOf(UnknownEventError);
    expect((failure as Error).message).toBe(
      `${kind}: not through the alias acknowledge, which only acknowledges and resumes; nothing was changed`,
    );
    expect([calls, world.live(v2), world.cloud.drill]).toEqual([[], 25, undefined]);
  });

  it("answers what it refuses, and throws what went wrong [B4]", async () => {
    const world = new World();
    expect(await aHandler(world).handle(kill, through("live"))).toEqual({
      outcome: "refused",
      message: "checkout: no record; nothing to do",
    });
    expect(await aHandler(world).handle({ ...kill, command: "resume" })).toMatchObject({ outcome: "refused" });
    world.cloud.recordFailure = new Error("table gone");
    await expect(aHandler(world).handle(kill, through("live"))).rejects.toThrow("clean: table gone");
  });
});

describe("self-test and drill", () => {
  it("answers a self-test with what passed, the account and further checks included", async () => {
    const world = new World();
    const hook = aHandler(world);
    expect(await hook.handle({ kind: "tidegate:self-test" }, through("7"))).toEqual({
      outcome: "self-tested",
      message: expect.stringMatching(/^self-test passed: records, alarms, metrics, rules, hosts, drill, account/),
    });
    expect(world.cloud.drill).toEqual({ armedAt: world.cloud.nowMs });
  });

  it("starts a drill, and its alarm's event brings the page, whatever way it comes [D4]", async () => {
    const world = new World();
    const hook = aHandler(world);
    expect(await hook.handle({ kind: "tidegate:drill" }, through("live"))).toEqual({
      outcome: "drill-started",
      message: "drill started at 2026-01-05T10:00:00.000Z; its page follows",
    });
    const drill = "tidegate/dev/tidegate-drill/drill/drill/critical";
    expect(await hook.handle({ source: "aws.cloudwatch", alarmData: { alarmName: drill } })).toEqual({
      outcome: "reconciled",
      message: "the drill of 2026-01-05T10:00:00.000Z came through",
    });
    expect(world.cloud.pages.map((page) => page.summary)).toEqual(["Tidegate dev: DRILL, nothing is wrong"]);
  });
});

describe("the handler", () => {
  it("makes its parts once, on the first event that it understands", async () => {
    const hook = aHandler(new World());
    await expect(hook.handle("garbage")).rejects.toThrow("event: no object, got string");
    expect(hook.made()).toBe(0);
    await hook.handle({ kind: "tidegate:self-test" });
    await hook.handle({ kind: "tidegate:self-test" });
    expect(hook.made()).toBe(1);
  });

  it("throws a copy without secrets, and logs no more than that", async () => {
    const world = await breached();
    world.cloud.rules.set(mainRule, { weights: {} });
    const hook = aHandler(world, { cleanError: () => new Error("no secrets here") });
    await expect(
      hook.handle({ source: "aws.cloudwatch", alarmData: { alarmName: "tidegate/prod/x/y" } }),
    ).rejects.toThrow("no secrets here");
    expect(hook.said.join("\n")).not.toContain("tidegate/prod");
  });
});
