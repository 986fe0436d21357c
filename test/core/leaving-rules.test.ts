/** A route that leaves the config serves until its rule is gone, and is lowered until then like the others (A3, B11). */
import { describe, expect, it } from "vitest";
import { declaredRules, withoutGoneRules } from "../../core/leaving-rules.ts";
import { judgeRecord } from "../../hooks/aws/record-schema.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { aService, mainRule, mainRulesOf, testerRule, v1, v2, World } from "../helpers/world.ts";

const routes: ServiceConfig["routes"] = [
  { match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 },
  { match: { hosts: ["api.example.com"], paths: [] }, priority: 200 },
];
const [, secondRule = ""] = mainRulesOf({ routes });
const one = { routes: routes.slice(0, 1) };

/** 25 % on two rules; the second one's route left the config, and its rule is still there. */
async function aRouteLeft(): Promise<World> {
  const world = await new World(aService({ routes })).rolledOutTo(25);
  await world.must(world.up({ canary: v2, wavePercent: 25, ...one }));
  return world;
}
const arns = (world: World) => world.record.rules.map(({ arn }) => arn);

describe("a rule that is no longer declared", () => {
  it("stays in the record after the commit, and in the schema [A3]", async () => {
    const { record } = await aRouteLeft();
    expect(record.rules.map(({ arn }) => arn)).toEqual([mainRule, testerRule, secondRule]);
    expect(record.leavingRules).toEqual([secondRule]);
    expect(declaredRules(record).map(({ arn }) => arn)).toEqual([mainRule, testerRule]);
    expect(judgeRecord(record)).toEqual({ record });
  });

  it("is lowered by a breach with the others while it is there [B11]", async () => {
    const world = await aRouteLeft();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.live(v2, secondRule), world.live(v1, secondRule)]).toEqual([0, 0, 100]);
  });

  it("is lowered by a kill, there or gone [B4]", async () => {
    const there = await aRouteLeft();
    await there.kill();
    expect(there.live(v2, secondRule)).toBe(0);
    const gone = await aRouteLeft();
    gone.cloud.rules.delete(secondRule);
    await gone.kill();
    expect(gone.live(v2)).toBe(0);
  });

  it("leaves the record with the first look that finds it gone, and no look after changes anything [A3]", async () => {
    const world = await aRouteLeft();
    await world.reconcile();
    expect(arns(world)).toContain(secondRule);
    world.cloud.rules.delete(secondRule);
    const { revision } = world.record;
    await world.reconcile();
    await world.reconcile();
    expect(arns(world)).toEqual([mainRule, testerRule]);
    expect([world.record.leavingRules, world.record.revision]).toEqual([undefined, revision + 1]);
  });

  it("is none any more when its route comes back [A3]", async () => {
    const world = await aRouteLeft();
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect([arns(world), world.record.leavingRules]).toEqual([[mainRule, secondRule, testerRule], undefined]);
  });

  it("is lowered to what a commit beside it lowered, though that commit did not wait for it [A4, B11]", async () => {
    const world = await new World(aService({ routes })).rolledOutTo(25);
    await world.must(world.up({ canary: v2, wavePercent: 10, ...one }));
    expect([world.live(v2), world.live(v2, secondRule), world.record.canary?.exposurePercent]).toEqual([10, 25, 10]);
    await world.reconcile();
    expect([world.live(v2), world.live(v2, secondRule)]).toEqual([10, 10]);
  });

  it("counts as there while it could not be read", async () => {
    const { record } = await aRouteLeft();
    expect(withoutGoneRules(record, () => true)).toBe(record);
    expect(withoutGoneRules(record, () => false).rules.map(({ arn }) => arn)).toEqual([mainRule, testerRule]);
  });
});
