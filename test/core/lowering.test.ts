/** Every rule of lowering: computed once, lowest first, settled, receiver looked at, blindness bounded (B2, B8, B12). */
import { describe, expect, it } from "vitest";
import { healthyHosts, type Objective } from "../../core/objectives.ts";
import { aService, groupArn, mainRule, testerRule, v1, v2, World } from "../helpers/world.ts";

const day = 24 * 60;
const warning = "error-rate/warning";
const critical = "error-rate/critical";

function health(world: World, baseline: number, canary: number): void {
  world.cloud.health.set(groupArn(v1), { healthyCount: baseline, totalCount: 4 });
  world.cloud.health.set(groupArn(v2), { healthyCount: canary, totalCount: 4 });
}

const holdsOf = (world: World) =>
  Object.values(world.record.holds).map((hold) => `${hold.cause} ${hold.scope} ${hold.response} ${hold.targetPercent}`);
const pagesOf = (world: World) => world.cloud.pages.map((page) => `${page.severity}: ${page.summary}`);

describe("targets", () => {
  it("computes a response once, stores it, and walks on only after each settle: 50, 25, 12, 10, 0 [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, warning, "ALARM");
    const seen: number[] = [];
    for (let minute = 0; minute < 4 * 22 + 1; minute += 1) {
      await world.reconcile();
      await world.reconcile();
      if (seen.at(-1) !== world.live(v2)) seen.push(world.live(v2));
      if (minute === 21) expect(world.live(v2)).toBe(25);
      world.cloud.nowMs += 60_000;
    }
    expect(seen).toEqual([25, 12, 10, 0]);
    expect(world.record.ceilings[v2.digest]).toBe(0);
    expect(holdsOf(world)).toEqual(["breach digest halve 0"]);
    expect(pagesOf(world)).toEqual([
      "warning: checkout: LOWERED from 50 % to 25 %, error-rate (warning) of 2.0.0 at 50 %",
      "warning: checkout: LOWERED from 25 % to 12 %, error-rate (warning) of 2.0.0 at 50 %",
      "warning: checkout: LOWERED from 12 % to 10 %, error-rate (warning) of 2.0.0 at 50 %",
      "critical: checkout: ROLLED BACK from 10 % to 0 %, error-rate (warning) of 2.0.0 at 50 %",
    ]);
  });

  it("lets the lowest of several breaches win at once, and the recovery of one raise nothing [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, warning, "ALARM");
    await world.reconcile();
    world.alarm(v2, "latency-p99/warning", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(10);
    world.alarm(v2, "latency-p99/warning", "OK");
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([10, 10]);
    world.alarm(v2, critical, "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("never aims above what was committed when an opening breaches before its commit [B2]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(day);
    await world.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    world.alarm(v2, warning, "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.record.lease]).toEqual([10, undefined]);
    expect(holdsOf(world)).toEqual(["breach digest halve 10"]);
  });

  it("disables a release whose floor changed nothing, after the settle [B2]", async () => {
    const world = await new World().rolledOutTo(10);
    world.alarm(v2, "latency-p99/warning", "ALARM");
    await world.reconcile();
    await world.wait(21);
    expect(world.live(v2)).toBe(10);
    await world.wait(2);
    expect(world.live(v2)).toBe(0);
  });

  it.each(["freeze", "notify"] as const)("never escalates %s [B2]", async (response) => {
    const reference = { kind: "baseline", form: "factor" } as const;
    const bound = { value: 5, response, ...(response === "notify" ? { reference } : {}) };
    const errors: Objective = { name: "error-rate", indicator: "error-rate", critical: bound };
    const objectives = [errors, healthyHosts];
    const world = await new World(aService({ objectives })).rolledOutTo(25);
    world.alarm(v2, critical, "ALARM");
    await world.wait(day);
    await world.wait(day);
    expect(world.live(v2)).toBe(25);
    expect(holdsOf(world)).toEqual(response === "freeze" ? ["breach digest freeze 25"] : []);
    expect(pagesOf(world)).toEqual([
      response === "freeze"
        ? "critical: checkout: FROZEN at 25 %, error-rate (critical) of 2.0.0 at 25 %"
        : "critical: checkout: error-rate (critical) of 2.0.0 at 25 %",
    ]);
  });

  it("keeps the attempt of a lowered release and ends that of a rolled-back one [B5]", async () => {
    const lowered = await new World().rolledOutTo(50);
    lowered.alarm(v2, warning, "ALARM");
    await lowered.reconcile();
    lowered.alarm(v2, warning, "OK");
    await lowered.reconcile();
    await lowered.acknowledge();
    expect(lowered.record).toMatchObject({
      canary: { exposurePercent: 25, servedPercents: [], waveOpenedAt: lowered.cloud.nowMs },
      ceilings: { [v2.digest]: 25 },
    });
    expect(await lowered.up({ canary: v2, wavePercent: 25, attempt: 2 })).toMatchObject({ kind: "refused" });
    const rolledBack = await new World().rolledOutTo(50);
    await rolledBack.kill();
    await rolledBack.acknowledge();
    expect(rolledBack.record.ceilings[v2.digest]).toBe(0);
    expect(rolledBack.record.attempts[v2.digest]).toBe(1);
  });

  it("shuts the testers' rule on a hold, and the next up keeps it shut until it is acknowledged [A7]", async () => {
    const world = await new World().rolledOutTo(50);
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v2)]: 100 });
    world.alarm(v2, warning, "ALARM");
    await world.reconcile();
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
    world.alarm(v2, warning, "OK");
    await world.reconcile();
    await world.acknowledge();
    await world.reconcile();
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v2)]: 100 });
  });
});

describe("the receiver", () => {
  it("freezes and pages once while the receiver is dead, and lowers once it recovers [B12]", async () => {
    const world = await new World().rolledOutTo(50);
    health(world, 0, 4);
    world.alarm(v2, critical, "ALARM");
    await world.wait(3);
    expect(world.live(v2)).toBe(50);
    expect(holdsOf(world)).toEqual(["receiver-lost service freeze 50"]);
    expect(pagesOf(world)).toEqual([
      "critical: checkout: FROZEN, a breach stands and 1.0.0 has no healthy host, so 2.0.0 keeps its traffic",
    ]);
    health(world, 1, 4);
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("lowers where both are sick, and where health cannot be read [B12]", async () => {
    const both = await new World().rolledOutTo(50);
    health(both, 0, 0);
    both.alarm(v2, critical, "ALARM");
    await both.reconcile();
    expect(both.live(v2)).toBe(0);
    const unread = await new World().rolledOutTo(50);
    unread.cloud.health.clear();
    unread.alarm(v2, critical, "ALARM");
    await unread.reconcile();
    expect(unread.live(v2)).toBe(0);
  });

  it("does not wait for the receiver where an objective disables anyway [B12]", async () => {
    const world = await new World(aService({ source: "emf" })).rolledOutTo(50);
    health(world, 0, 4);
    world.alarm(v2, "invariant-violations/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
    expect(holdsOf(world)).toEqual(["breach digest disable 0"]);
  });

  it("keeps a finished release while the previous one is dead, and goes back once it lives [B12]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    health(world, 0, 4);
    world.alarm(v2, warning, "ALARM");
    await world.reconcile();
    expect([world.live(v2), holdsOf(world)]).toEqual([100, ["receiver-lost service freeze 0"]]);
    health(world, 4, 4);
    await world.reconcile();
    expect([world.live(v1), world.record.baseline]).toEqual([100, v1.digest]);
  });
});

describe("missing data", () => {
  it("disables a canary that is not measured where the others are [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.requestsPerMinute = { baseline: 3_000 };
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
    expect(pagesOf(world)).toEqual([
      "critical: checkout: ROLLED BACK from 10 % to 0 %, no-data (critical) of 2.0.0 at 10 %",
    ]);
  });

  it("freezes and pages once when nothing is measured for blindMinutes, and again after an acknowledgement [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.requestsPerMinute = {};
    for (let minute = 0; minute < 14; minute += 1) await world.wait(1);
    expect(world.record.holds).toEqual({});
    for (let minute = 0; minute < 5; minute += 1) await world.wait(1);
    expect([world.live(v2), holdsOf(world), world.cloud.pages.length]).toEqual([10, ["blind service freeze 10"], 1]);
    await world.acknowledge();
    for (let minute = 0; minute < 14; minute += 1) await world.wait(1);
    expect(world.cloud.pages).toHaveLength(1);
    for (let minute = 0; minute < 3; minute += 1) await world.wait(1);
    expect(world.cloud.pages).toHaveLength(2);
  });
});

describe("live against the record", () => {
  it("holds the service when somebody lowered by hand, and never raises it again [B5]", async () => {
    const world = await new World().rolledOutTo(50);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 2, [groupArn(v2)]: 1 } });
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([33, 33]);
    expect(holdsOf(world)).toEqual(["unexplained-lowering service freeze 33"]);
    expect(pagesOf(world)).toEqual([
      "critical: checkout: HELD, live is at 33.333333333333336 %, the record says 50 %, and nobody said why",
    ]);
  });

  it("knows an up's own lowering by its lease, until the lease lapses [A4, B5]", async () => {
    const world = await new World().rolledOutTo(50);
    await world.up({ canary: v2, wavePercent: 10 }, { dies: "commit" });
    await world.wait(9);
    expect([world.live(v2), holdsOf(world), world.record.canary?.exposurePercent]).toEqual([10, [], 50]);
    await world.wait(2);
    expect([world.live(v2), holdsOf(world)]).toEqual([10, ["unexplained-lowering service freeze 10"]]);
  });

  it("freezes a finished release that breaches after its rollback window: nothing is armed any more [B12]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    await world.wait(day + 1);
    world.alarm(v2, critical, "ALARM");
    await world.reconcile();
    expect([world.live(v2), holdsOf(world)]).toEqual([100, ["no-other-release service freeze 100"]]);
    expect(pagesOf(world)).toEqual(["critical: checkout: FROZEN, error-rate (critical) of 2.0.0, the baseline"]);
  });

  it("takes a hand-made return to the previous release for one, and holds [B5, B12]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 100 } });
    await world.reconcile();
    expect(world.record.baseline).toBe(v1.digest);
    expect(holdsOf(world)).toEqual(["unexplained-lowering service freeze 0"]);
    expect(world.record.previous).toBeUndefined();
  });

  it("pages and holds once for a target group that it does not know [B11]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 10, "arn:x": 40 } });
    for (let minute = 0; minute < 3; minute += 1) await world.wait(1);
    expect(holdsOf(world)).toEqual(["unknown-target-group service freeze 10"]);
    expect(pagesOf(world)).toEqual([
      "critical: checkout: FROZEN, the live rule sends traffic to arn:x, which no release of the record has",
    ]);
  });
});
