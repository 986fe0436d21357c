/** A service with two routes: its main rules move together, and what breaks off between them ends on the safe side (A3). */
import { describe, expect, it } from "vitest";
import type { Declaration, GuardedWrite } from "../../core/declaration.ts";
import { GuardRefusedError, makeGuard } from "../../hooks/guard.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { aService, groupArn, mainRule, mainRulesOf, v1, v2, World } from "../helpers/world.ts";

const day = 24 * 60;
const routes: ServiceConfig["routes"] = [
  { match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 },
  { match: { hosts: ["api.example.com"], paths: [] }, priority: 200 },
];
const [, secondRule = ""] = mainRulesOf({ routes });

async function atTen(): Promise<World> {
  const world = await new World(aService({ routes })).rolledOutTo(10);
  await world.wait(day);
  return world;
}

const both = (world: World) => [world.live(v2), world.live(v2, secondRule)];
const leases = (world: World) => world.cloud.history.filter(({ kind }) => kind.startsWith("lease-")).length;

/** The guard of one `up` that was decided on the record as it is, and the writes of both rules. */
function opening(world: World, shares: Record<string, number>, step: Declaration["step"] = "opening") {
  const { record } = world;
  const exposurePercent = shares[v2.digest] ?? 0;
  const guard = makeGuard(world.cloud.ports("up stack-a"), {
    plan: record.plan,
    declaration: {
      service: "checkout",
      step,
      liveSet: [v1, v2],
      baseline: v1.digest,
      canary: { digest: v2.digest, attempt: 1 },
      shares,
      exposurePercent,
      fromPercent: 10,
      stickinessAllowed: true,
      testersReach: v2.digest,
      realityGeneration: record.realityGeneration,
      revision: record.revision,
      retire: false,
      notices: [],
      refusals: [],
    },
    takenBy: "stack-a",
    readyTimeoutSeconds: 300,
    hookChanges: () => false,
  });
  const releases = Object.values(record.releases).map(({ knownGood: _knownGood, ...release }) => release);
  const write = (ruleArn: string | undefined): GuardedWrite => ({
    operation: ruleArn === undefined ? "create" : "update",
    role: "main",
    ...(ruleArn === undefined ? {} : { ruleArn }),
    weights: Object.fromEntries(
      Object.entries(shares).map(([digest, percent]) => [groupArn(digest === v1.digest ? v1 : v2), percent]),
    ),
    targetGroupArns: { [v1.digest]: groupArn(v1), [v2.digest]: groupArn(v2) },
    alarms: record.alarms,
    releases,
  });
  return { guard, write };
}

const quarter = { [v1.digest]: 75, [v2.digest]: 25 };

describe("a service with two routes", () => {
  it("opens both rules under one lease, asked for at the same moment [A3, A4]", async () => {
    const world = await atTen();
    const before = leases(world);
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(both(world)).toEqual([25, 25]);
    expect(leases(world) - before).toBe(1);
    expect(world.record.canary?.exposurePercent).toBe(25);
    expect(world.record.lease).toBeUndefined();
  });

  it("renews the lease for the second rule and keeps its id [A3]", async () => {
    const world = await atTen();
    const { guard, write } = opening(world, quarter);
    await guard(write(mainRule));
    const first = world.record.lease;
    world.cloud.nowMs += 60_000;
    await world.reconcile();
    await guard(write(secondRule));
    expect(world.record.lease).toEqual({ ...first, expiresAt: (first?.expiresAt ?? 0) + 60_000 });
  });

  it("lowers what was opened on one rule alone once the lease has run out, and pages [B11]", async () => {
    const world = await atTen();
    const outcome = await world.up({ canary: v2, wavePercent: 25 }, { dies: "second rule" });
    expect(outcome).toEqual({ kind: "failed", message: "died before arn:rule/main/2" });
    expect(both(world)).toEqual([25, 10]);
    await world.wait(5);
    expect(both(world)).toEqual([25, 10]);
    await world.wait(8);
    expect(both(world)).toEqual([10, 10]);
    expect(world.record.canary?.exposurePercent).toBe(10);
    expect(world.cloud.pages.map(({ summary }) => summary)).toContainEqual(expect.stringContaining("checkout"));
  });

  it("finishes a half-written opening in the next up of the same stack (l)", async () => {
    const world = await atTen();
    await world.up({ canary: v2, wavePercent: 25 }, { dies: "second rule" });
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(both(world)).toEqual([25, 25]);
    expect(world.record.canary?.exposurePercent).toBe(25);
  });

  it("stops the second rule after a kill between the two, and ends at 0 (m) [B4]", async () => {
    const world = await atTen();
    const { guard, write } = opening(world, quarter);
    await guard(write(mainRule));
    world.cloud.writeRule("up stack-a", mainRule, { weights: { [groupArn(v1)]: 75, [groupArn(v2)]: 25 } });
    await world.kill();
    await expect(guard(write(secondRule))).rejects.toThrow(GuardRefusedError);
    expect(both(world)).toEqual([0, 0]);
  });

  it("stops the second rule after a kill that somebody acknowledged at once: the lease is gone [B5]", async () => {
    const world = await atTen();
    const { guard, write } = opening(world, quarter);
    const decidedAt = world.record.revision;
    await guard(write(mainRule));
    await world.kill();
    await world.acknowledge();
    await expect(guard(write(secondRule))).rejects.toThrow(
      `the record changed since this up was decided (revision ${decidedAt}, now ${world.record.revision}); run up again`,
    );
  });

  it("commits rules whose groups are listed in another order, as ELBv2 may list them [A3]", async () => {
    const world = await atTen();
    const weights = { [groupArn(v2)]: 25, [groupArn(v1)]: 75 };
    const outcome = world.up(
      { canary: v2, wavePercent: 25 },
      {
        onCall: async (call) => {
          if (call === "rule after") world.cloud.rules.set(secondRule, { weights });
        },
      },
    );
    await world.must(outcome);
    expect(world.record.canary?.exposurePercent).toBe(25);
  });

  it("refuses the up where one rule alone was lowered by hand [A3]", async () => {
    const world = await atTen();
    world.cloud.writeRule("person", secondRule, { weights: { [groupArn(v1)]: 100 } });
    const outcome = await world.up({ canary: v2, wavePercent: 10 });
    expect(outcome).toEqual({
      kind: "failed",
      message: [
        "checkout: the rule was not written (other resources of this up may have changed):",
        `  ${v2.digest} would rise to 10 %, which this up did not decide; another rule of the service has that much, so this one was lowered alone. ` +
          "Lower them all (tidegate kill), or write this one back by hand",
      ].join("\n"),
    });
  });

  it("lets a new rule come with the baseline alone, and one that somebody deleted at what the record grants [A3, A4]", async () => {
    const world = await atTen();
    const asItIs = opening(world, { [v1.digest]: 90, [v2.digest]: 10 }, "none");
    const refusal =
      `${v2.digest} would have 10 % on a rule that is not there yet, which this up did not decide; ` +
      "a rule comes with the baseline alone. Take the canary to 0, run up, and open again";
    await expect(asItIs.guard(asItIs.write(undefined))).rejects.toThrow(refusal);
    const plain = opening(world, { [v1.digest]: 100 }, "none");
    await expect(plain.guard(plain.write(undefined))).resolves.toBeUndefined();
    world.cloud.rules.delete(secondRule);
    const deleted = opening(world, { [v1.digest]: 90, [v2.digest]: 10 }, "none");
    await expect(deleted.guard(deleted.write(secondRule))).resolves.toBeUndefined();
    const higher = opening(world, { [v1.digest]: 75, [v2.digest]: 25 }, "none");
    await expect(higher.guard(higher.write(secondRule))).rejects.toThrow(`${v2.digest} would have 25 % on a rule`);
  });

  it("lets a rule come at the share that this very up opens, with every check of an opening [A3, A4]", async () => {
    const world = await atTen();
    const { guard, write } = opening(world, quarter);
    await guard(write(undefined));
    expect(world.record.lease).toMatchObject({ kind: "opening", digest: v2.digest, toPercent: 25 });
  });

  it("lowers both rules by config and by hook [B2]", async () => {
    const world = await atTen();
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    expect(both(world)).toEqual([10, 10]);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(both(world)).toEqual([0, 0]);
  });
});
