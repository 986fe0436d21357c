/** Reconcile over ports that fail: record first, weights regardless, read back, people told at least once. */
import { describe, expect, it } from "vitest";
import type { RuleRef } from "../../core/record.ts";
import { ReadBackError } from "../../hooks/lower-rules.ts";
import { reconcileAll, reconcileService } from "../../hooks/reconcile.ts";
import { aService, groupArn, mainRule, testerRule, v1, v2, World } from "../helpers/world.ts";

const service = "checkout";
const errorRate = "error-rate/critical";

async function breached(exposurePercent = 25): Promise<World> {
  const world = await new World().rolledOutTo(exposurePercent);
  world.alarm(v2, errorRate, "ALARM");
  return world;
}

describe("the order of a rollback", () => {
  it("writes the record first, then the weights, then tells people [B2, B6]", async () => {
    const world = await breached();
    const calls: string[] = [];
    await world.reconcileWith(async (call) => {
      if (/^(write record|write rule|page|history|heartbeat) after$/.test(call)) calls.push(call.replace(" after", ""));
    });
    expect(calls).toEqual(["write record", "write rule", "write rule", "history", "page", "write record", "heartbeat"]);
    expect(world.cloud.rules.get(mainRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
    expect(world.cloud.rules.get(testerRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
  });

  it("lowers the weights and pages though the record cannot be written, and gives no heartbeat [B5]", async () => {
    const world = await breached();
    const beat = world.cloud.heartbeats.get(service);
    world.cloud.nowMs += 60_000;
    await expect(
      world.reconcileWith(async (call) => {
        if (call === "write record before") throw new Error("table throttled");
      }),
    ).rejects.toThrow(/^table throttled$/);
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([0, 25]);
    expect(world.cloud.pages.map((page) => page.summary)).toEqual([
      "checkout: ROLLED BACK from 25 % to 0 %, error-rate (critical) of 2.0.0 at 25 %",
    ]);
    expect(world.cloud.heartbeats.get(service)).toBe(beat);
    await world.reconcile();
    expect(world.record.canary?.exposurePercent).toBe(0);
    expect(Object.values(world.record.holds)).toMatchObject([{ cause: "breach", targetPercent: 0 }]);
  });

  it("pages, and says so, though the rule cannot be written; then tries again [B2, B6]", async () => {
    const world = await breached();
    const shut = async (call: string) => {
      if (call === "write rule before") throw new Error("Throttling: Rate exceeded");
    };
    await expect(world.reconcileWith(shut)).rejects.toThrow(/^Throttling: Rate exceeded$/);
    expect(world.live(v2)).toBe(25);
    expect(world.cloud.pages.map((page) => page.summary)).toEqual([
      "checkout: COULD NOT WRITE the rules, live may be above 0 %",
      "checkout: ROLLED BACK from 25 % to 0 %, error-rate (critical) of 2.0.0 at 25 %",
    ]);
    expect(world.cloud.history.map((entry) => entry.kind)).toContain("rollback");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("pages that it could not write under the incident that the decision opened, whatever the baseline is by now [D4]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * 24 * 60);
    await world.must(world.up({ baseline: v2 }));
    world.alarm(v2, errorRate, "ALARM");
    await expect(
      world.reconcileWith(async (call) => {
        if (call === "write rule before") throw new Error("Throttling: Rate exceeded");
      }),
    ).rejects.toThrow("Throttling: Rate exceeded");
    expect(world.record.baseline).toBe(v1.digest);
    const dedupKey = `tidegate/dev/checkout/${v2.digest}/0`;
    expect(world.cloud.pages.map((page) => [page.dedupKey, page.summary])).toEqual([
      [dedupKey, "checkout: COULD NOT WRITE the rules, live may be above 0 %"],
      [dedupKey, "checkout: ROLLED BACK to 1.0.0, error-rate (critical) of 2.0.0 after its finish"],
    ]);
  });

  it("throws when live is not what was written [B2]", async () => {
    const world = await breached();
    const sticky = async (call: string) => {
      if (call === "write rule after")
        world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 75, [groupArn(v2)]: 25 } });
    };
    const failure = await world.reconcileWith(sticky).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ReadBackError);
    expect((failure as Error).message).toBe(
      `rule arn:rule/main still has {"${groupArn(v1)}":75,"${groupArn(v2)}":25} after writing {"${groupArn(v1)}":100}`,
    );
  });

  it("lowers the other main rules when one of them cannot be written [A3]", async () => {
    const world = await breached();
    const second: RuleRef = { arn: "arn:rule/second-main", role: "main" };
    world.cloud.rules.set(second.arn, { weights: { [groupArn(v1)]: 75, [groupArn(v2)]: 25 } });
    world.cloud.records.set(service, JSON.stringify({ ...world.record, rules: [...world.record.rules, second] }));
    let writes = 0;
    await expect(
      world.reconcileWith(async (call) => {
        if (call === "write rule before" && ++writes === 1) throw new Error("first rule locked");
      }),
    ).rejects.toThrow(/^first rule locked$/);
    expect(world.cloud.rules.get(second.arn)?.weights).toEqual({ [groupArn(v1)]: 100 });
  });

  it("writes no rule that is gone, and still keeps record and pages [B2]", async () => {
    const world = await breached();
    world.cloud.rules.delete(mainRule);
    await world.reconcile();
    expect(world.cloud.rules.has(mainRule)).toBe(false);
    expect(world.record.canary?.exposurePercent).toBe(0);
    expect(world.cloud.pages).toHaveLength(1);
  });

  it("writes what the record grants when a rolled-back rule cannot be read [B2]", async () => {
    const world = await breached();
    let reads = 0;
    await expect(
      world.reconcileWith(async (call) => {
        if (call === "rules before" && ++reads === 1) throw new Error("DescribeRules denied");
      }),
    ).rejects.toThrow(/^DescribeRules denied$/);
    expect(world.live(v2)).toBe(0);
  });
});

describe("pages", () => {
  it("sends a page at least once over a crash at every single call [B6]", async () => {
    for (let crashAt = 0; crashAt < 26; crashAt += 1) {
      const world = await breached();
      let calls = 0;
      await world
        .reconcileWith(async () => {
          if (calls++ >= crashAt) throw new Error("crash");
        })
        .catch(() => {});
      await world.reconcile();
      await world.reconcile();
      const told = world.cloud.pages.filter((page) => page.summary.startsWith("checkout: ROLLED BACK from"));
      expect(told.length, `crash at call ${crashAt}`).toBeGreaterThanOrEqual(1);
      expect(new Set(told.map((page) => page.dedupKey)).size).toBe(1);
      expect(world.record.outbox).toEqual([]);
      expect(world.live(v2)).toBe(0);
    }
  });

  it("changes nothing more when it runs twice at one instant [B2]", async () => {
    const world = await breached();
    await world.reconcile();
    const after = [
      world.record.revision,
      world.cloud.ruleWrites.length,
      world.cloud.pages.length,
      world.cloud.history.length,
    ];
    await world.reconcile();
    expect([
      world.record.revision,
      world.cloud.ruleWrites.length,
      world.cloud.pages.length,
      world.cloud.history.length,
    ]).toEqual(after);
  });
});

describe("modes and services", () => {
  it("writes no weights and no testers' rule while observing [B13]", async () => {
    const world = await new World(aService({ mode: "observe" })).rolledOutTo(25);
    world.alarm(v2, errorRate, "ALARM");
    const rules = structuredClone([...world.cloud.rules]);
    await world.reconcile();
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 10, [groupArn(v2)]: 90 } });
    await world.reconcile();
    expect(world.live(v2)).toBe(90);
    expect(world.cloud.rules.get(testerRule)).toEqual(rules.find(([arn]) => arn === testerRule)?.[1]);
  });

  it("turns stickiness off with a lowering, and with a hold that lowers nothing [B2]", async () => {
    const objectives = [
      { name: "error-rate", indicator: "error-rate", critical: { value: 5, response: "freeze" } },
    ] as const;
    for (const [name, world] of [
      ["lowering", await new World(aService({ stickinessSeconds: 600 })).rolledOutTo(50)],
      ["freeze", await new World(aService({ stickinessSeconds: 600, objectives })).rolledOutTo(50)],
    ] as const) {
      expect(world.cloud.rules.get(mainRule)?.stickinessSeconds, name).toBe(600);
      world.alarm(v2, name === "freeze" ? errorRate : "error-rate/warning", "ALARM");
      await world.reconcile();
      expect(world.cloud.rules.get(mainRule), name).toEqual({
        weights:
          name === "freeze" ? { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } : { [groupArn(v1)]: 75, [groupArn(v2)]: 25 },
      });
    }
  });

  it("never opens the testers' rule [A7]", async () => {
    const world = await new World().rolledOutTo(25);
    world.cloud.rules.set(testerRule, { weights: { [groupArn(v1)]: 100 } });
    await world.reconcile();
    expect(world.cloud.rules.get(testerRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
  });

  it("decides anew when the record changed under it, three times at most", async () => {
    const world = await breached();
    let conflicts = 0;
    const meddle = async (call: string) => {
      if (call !== "write record before" || conflicts >= 2) return;
      conflicts += 1;
      world.cloud.records.set(service, JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
    };
    await world.reconcileWith(meddle);
    expect(world.live(v2)).toBe(0);
    const again = await breached();
    await expect(
      again.reconcileWith(async (call) => {
        if (call === "write record before")
          again.cloud.records.set(service, JSON.stringify({ ...again.record, revision: again.record.revision + 1 }));
      }),
    ).rejects.toThrow(/^checkout: revision \d+, expected \d+$/);
  });

  it("gives no heartbeat when alarms could not be read: nothing was looked at [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    const beat = world.cloud.heartbeats.get(service);
    world.cloud.nowMs += 60_000;
    await expect(
      world.reconcileWith(async (call) => {
        if (call === "alarms before") throw new Error("DescribeAlarms denied");
      }),
    ).rejects.toThrow(/^DescribeAlarms denied$/);
    expect(world.cloud.heartbeats.get(service)).toBe(beat);
    await world.reconcile();
    expect(world.cloud.heartbeats.get(service)).toBe(world.cloud.nowMs);
  });

  it("looks at the next service when one fails, and tells which did", async () => {
    const world = await breached();
    world.cloud.records.set("basket", JSON.stringify({ ...world.record, service: "basket", rules: "garbage" }));
    await expect(reconcileAll(world.cloud.ports("hook"))).rejects.toThrow(/^basket: /);
    expect(world.live(v2)).toBe(0);
  });

  it("leaves unknown and retired services alone", async () => {
    const world = new World();
    await reconcileService(world.cloud.ports("hook"), "nobody");
    await world.must(world.up());
    await world.must(world.up({ retire: true }));
    world.alarm(v1, errorRate, "ALARM");
    await world.reconcile();
    expect([world.record.breaches, world.cloud.heartbeats.get(service)]).toEqual([{}, undefined]);
  });
});
