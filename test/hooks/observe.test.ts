/** One decision's readings: what cannot be read is absent, never guessed. */
import { describe, expect, it } from "vitest";
import { liveOf, observe, type ReadAhead, requestQueries } from "../../hooks/observe.ts";
import { aService, groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

async function seenBy(world: World, fails?: string) {
  return observe(
    world.cloud.ports("hook", async (call) => {
      if (call === `${fails} before`) throw new Error("denied");
    }),
    world.record,
  );
}

/** A canary with an alarm that speaks: only then are hosts and values asked for. */
async function alarmed(key = "error-rate/critical"): Promise<World> {
  const world = await new World().rolledOutTo(10);
  world.alarm(v2, key, "ALARM");
  return world;
}

/** The calls that one look makes, each once. */
async function callsOf(world: World, ahead?: ReadAhead): Promise<string[]> {
  const calls: string[] = [];
  const ports = world.cloud.ports("hook", async (call) => {
    if (call.endsWith("before")) calls.push(call.replace(" before", ""));
  });
  await observe(ports, world.record, ahead);
  return calls.sort();
}

describe("what is seen", () => {
  it("reads shares, alarms, health and visibility of baseline and canary while one is breached [B8]", async () => {
    const world = await alarmed();
    const { observation, failures } = await seenBy(world);
    expect(observation).toMatchObject({
      live: { shares: { [v1.digest]: 90, [v2.digest]: 10 }, unknownTargetGroupArns: [] },
      health: { [v1.digest]: { healthyCount: 4, totalCount: 4 }, [v2.digest]: { healthyCount: 4, totalCount: 4 } },
      visibility: "seen",
    });
    expect(observation.alarms).toHaveLength(world.record.alarms.length);
    expect(failures).toEqual([]);
  });

  it.each([
    ["rules", { live: undefined }, ["rules: denied"], 1],
    ["alarms", { alarms: undefined }, ["alarms: denied"], 1],
    ["health", { health: {} }, ["health of 1.0.0: denied", "health of 2.0.0: denied"], 0],
    ["metrics", { visibility: "all-missing" }, ["metrics: denied"], 0],
    ["values", {}, ["values: denied"], 0],
  ] as const)("leaves out %s that cannot be read, and says so [B8]", async (fails, absent, failures, blindness) => {
    const seen = await seenBy(await alarmed(), fails);
    expect(seen.observation).toMatchObject(absent);
    expect([seen.failures, seen.blindness.length]).toEqual([failures, blindness]);
  });

  it("does not look for data at exposure 0, nor in a wave too young to have any [B8]", async () => {
    const staged = new World();
    await staged.must(staged.up({ canary: v2 }));
    staged.cloud.nowMs += 3_600_000;
    expect((await seenBy(staged)).observation.visibility).toBe("not-looked");
    await staged.reconcile();
    await staged.must(staged.up({ canary: v2, wavePercent: 10 }));
    expect((await seenBy(staged)).observation.visibility).toBe("not-looked");
  });

  it("takes the most that any main rule gives, and every stranger; a rule that is gone is none [A3]", async () => {
    const { record } = await new World().rolledOutTo(10);
    const rules = [...record.rules, { arn: "arn:rule/second-main", role: "main" as const }];
    const both = liveOf(
      { ...record, rules },
      {
        [mainRule]: { weights: { [groupArn(v1)]: 90, [groupArn(v2)]: 10 } },
        "arn:rule/second-main": { weights: { [groupArn(v1)]: 1, [groupArn(v2)]: 1, "arn:x": 2 } },
      },
    );
    expect(both).toEqual({ shares: { [v1.digest]: 90, [v2.digest]: 25 }, unknownTargetGroupArns: ["arn:x"] });
    const one = liveOf({ ...record, rules }, { [mainRule]: { weights: { [groupArn(v1)]: 100 } } });
    expect(one?.shares).toEqual({ [v1.digest]: 100 });
    expect(liveOf(record, {})).toBeUndefined();
    expect(liveOf(record, undefined)).toBeUndefined();
  });

  it("asks for a canary's own report where the source is its own [B3, B8]", async () => {
    const { record } = await new World(aService({ source: "emf" })).rolledOutTo(10);
    expect(requestQueries(record, v2.digest)).toEqual([
      {
        id: "baseline",
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        dimensions: { TargetGroup: groupArn(v1), LoadBalancer: "app/lb/1" },
      },
      {
        id: "canary",
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        dimensions: { TargetGroup: groupArn(v2), LoadBalancer: "app/lb/1" },
      },
      {
        id: "reported",
        namespace: "Tidegate",
        metricName: "Requests",
        dimensions: { Service: "checkout", Release: groupArn(v2).replace("arn:group/", "") },
      },
    ]);
  });

  it("leaves the hosts alone while all is quiet, and asks for them as soon as something is not [B12]", async () => {
    const quiet = await new World().rolledOutTo(10);
    expect(await callsOf(quiet)).toEqual(["alarms", "metrics", "rules"]);
    expect(await callsOf(await alarmed())).toEqual(["alarms", "health", "health", "metrics", "rules", "values"]);
    quiet.cloud.requestsPerMinute = { baseline: 3_000 };
    expect(await callsOf(quiet)).toEqual(["alarms", "health", "health", "metrics", "rules"]);
    const broken = await alarmed();
    await broken.reconcile();
    broken.alarm(v2, "error-rate/critical", "OK");
    expect(Object.keys(broken.record.breaches)).toHaveLength(1);
    expect(await callsOf(broken)).toContain("health");
  });

  it("asks for values of the canary's speaking lowering alarms and their twins alone [B10]", async () => {
    const world = await alarmed("error-rate/critical/60s");
    world.alarm(v1, "error-rate/critical", "ALARM");
    const asked: string[][] = [];
    const ports = world.cloud.ports("hook");
    const values = async (names: readonly string[]) => {
      asked.push(names.map((name) => name.replace("tidegate/dev/checkout/", "").replace(/-[0-9a-f]{8}\//, "/")));
      return [];
    };
    await observe({ ...ports, alarms: { ...ports.alarms, values } }, world.record);
    expect(asked).toEqual([
      [
        "2-0-0/error-rate/critical/60s",
        "1-0-0/error-rate/critical/60s",
        "2-0-0/error-rate/critical/300s",
        "1-0-0/error-rate/critical/300s",
      ],
    ]);
  });

  it("reads nothing that was read ahead, and only its own part of it", async () => {
    const world = await new World().rolledOutTo(10);
    const { service } = world.record;
    const ahead: ReadAhead = {
      rules: Object.fromEntries(world.cloud.rules),
      alarms: [
        ...world.cloud.alarms.values(),
        { alarmName: "tidegate/dev/basket/x/y", state: "ALARM", updatedAt: 0, actionsEnabled: true },
      ],
      sums: Object.fromEntries(
        ["baseline", "canary", "errors"].map((id) => [`${service}/${id}`, [{ at: world.cloud.nowMs, sum: 1_000 }]]),
      ),
    };
    expect(await callsOf(world, ahead)).toEqual([]);
    const seen = await observe(world.cloud.ports("hook"), world.record, ahead);
    expect(seen.alarmStates?.map((alarm) => alarm.alarmName)).toEqual(
      world.record.alarms.map((alarm) => alarm.alarmName),
    );
    expect([seen.observation.visibility, seen.canaryErrorRatePercent]).toEqual(["seen", 100]);
    const { "checkout/errors": _, ...without } = ahead.sums ?? {};
    expect(await callsOf(world, { ...ahead, sums: without })).toEqual(["metrics"]);
  });
});
