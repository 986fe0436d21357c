/** Committing through the ports: what live, lease and record do not agree on fails the `up`, with the reason. */
import { describe, expect, it } from "vitest";
import type { ServiceDescription } from "../../core/declaration.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { commitOpening, NotCommittedError } from "../../hooks/opening.ts";
import { groupArn, mainRule, testerRule, v1, v2, v3, World } from "../helpers/world.ts";

const day = 24 * 60;

/** A description of what the record has, one thing changed at a time. */
function describing(record: RolloutRecord, change: Partial<ServiceDescription> = {}): ServiceDescription {
  return {
    kind: "tidegate:opening",
    schemaVersion: 1,
    environment: record.environment,
    service: record.service,
    mode: record.mode,
    source: record.source,
    plan: record.plan,
    rules: record.rules,
    alarms: record.alarms,
    loadBalancerArnSuffix: record.loadBalancerArnSuffix,
    blindMinutes: record.blindMinutes,
    rollbackWindowMinutes: record.rollbackWindowMinutes,
    releases: Object.values(record.releases).map(({ knownGood: _knownGood, ...release }) => release),
    baseline: record.baseline,
    ...(record.canary ? { canary: { digest: record.canary.digest, attempt: record.canary.attempt } } : {}),
    exposurePercent: record.canary?.exposurePercent ?? 0,
    realityGeneration: record.realityGeneration,
    takenBy: "stack-a",
    retire: false,
    ...change,
  };
}

/** 10 % committed, 25 % leased and live, the commit still to come. */
async function opened(): Promise<World> {
  const world = await new World().rolledOutTo(10);
  await world.wait(day);
  await world.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
  return world;
}

async function commit(world: World, change: Partial<ServiceDescription> = {}): Promise<string> {
  try {
    return (await commitOpening(world.cloud.ports("hook"), describing(world.record, change))).message;
  } catch (error) {
    if (error instanceof NotCommittedError) return error.message;
    throw error;
  }
}

describe("a commit", () => {
  it("makes an opening real, starts its soak and remembers the one before [A4]", async () => {
    const world = await opened();
    expect(await commit(world, { exposurePercent: 25 })).toBe("2.0.0 from 10 % to 25 %");
    expect(world.record.canary).toEqual({
      digest: v2.digest,
      attempt: 1,
      exposurePercent: 25,
      waveOpenedAt: world.cloud.nowMs,
      exposedSince: world.record.canary?.exposedSince,
      openedFromPercent: 10,
      servedPercents: [10],
    });
    expect(world.record.canary?.exposedSince).toBeLessThan(world.cloud.nowMs);
    expect([world.record.lease, world.record.ceilings[v2.digest]]).toEqual([undefined, 25]);
  });

  it.each<[string, (world: World) => Promise<unknown> | unknown, Partial<ServiceDescription>, string]>([
    [
      "another weight is live",
      (world) => world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 60, [groupArn(v2)]: 30, "arn:x": 10 } }),
      { exposurePercent: 25 },
      `live shows 60 % on ${v1.digest}, 30 % on ${v2.digest}, weight on unknown arn:x, declared was 25 % on the canary; somebody changed the rule meanwhile. Run up again`,
    ],
    [
      "the lease ran out",
      (world) => {
        world.cloud.nowMs += 600_000;
      },
      { exposurePercent: 25 },
      "the lease ran out at 2026-01-06T10:40:00.000Z. Run up again",
    ],
    [
      "openings were paused meanwhile",
      (world) => world.pause(),
      { exposurePercent: 25 },
      "paused by an SRE meanwhile; the opening is void",
    ],
    [
      "a release that carries traffic is left out",
      () => {},
      { exposurePercent: 25, releases: [] },
      `live shows weight on unknown ${groupArn(v1)}, weight on unknown ${groupArn(v2)}, declared was 25 % on the canary; somebody changed the rule meanwhile. Run up again`,
    ],
    [
      "the lease is for another exposure",
      (world) => world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } }),
      { exposurePercent: 50 },
      `the lease is for opening of ${v2.digest} to 25 % by stack-a, not for this up`,
    ],
  ])("is refused when %s [A4]", async (_name, spoil, change, reason) => {
    const world = await opened();
    await spoil(world);
    expect(await commit(world, change)).toBe(`checkout: not committed: ${reason}`);
    expect(world.record.canary?.exposurePercent).toBe(10);
  });

  it("is refused after a rollback, whose hold it names [B5]", async () => {
    const world = await opened();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 75, [groupArn(v2)]: 25 } });
    expect(await commit(world, { exposurePercent: 25 })).toMatch(
      /^checkout: not committed: hold error-rate-critical-\d+ was set meanwhile \(error-rate \(critical\) of 2\.0\.0 at 25 %\); the opening is void$/,
    );
  });

  it("needs a lowering lease to lower, and 100 % to finish [A4]", async () => {
    const world = await new World().rolledOutTo(25);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 90, [groupArn(v2)]: 10 } });
    expect(await commit(world, { exposurePercent: 10 })).toBe(
      "checkout: not committed: no lowering lease is there; it was revoked by a lowering, or lapsed. Run up again",
    );
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v2)]: 100 } });
    expect(await commit(world, { baseline: v2.digest, exposurePercent: 0 })).toBe(
      "checkout: not committed: finish at 25 %; expected 100 %",
    );
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 100 } });
    expect(await commit(world, { baseline: v3.digest, exposurePercent: 0 })).toMatch(
      /^checkout: not committed: live shows /,
    );
  });

  it("is refused while openings would come with a mode that a breach forbids [B13]", async () => {
    const world = await new World().rolledOutTo(10);
    world.alarm(v2, "error-rate/critical", "ALARM");
    world.cloud.records.set("checkout", JSON.stringify({ ...world.record, mode: "observe" }));
    await world.reconcile();
    expect(await commit(world, { mode: "act" })).toBe(
      `checkout: not committed: cannot go from observe to act while error-rate/critical/${v2.digest} is breached`,
    );
  });

  it("refuses another schema, a rule that is gone, no main rule, and rules that differ [A3, B11]", async () => {
    const world = await opened();
    expect(await commit(world, { schemaVersion: 2 })).toBe(
      "checkout: the program speaks schema 2, this hook 1; deploy the hook first",
    );
    expect(await commit(world, { rules: [{ arn: testerRule, role: "tester" }] })).toBe(
      "checkout: the description names no main rule",
    );
    const two = [...world.record.rules, { arn: "arn:rule/second-main", role: "main" as const }];
    expect(await commit(world, { rules: two })).toBe(
      "checkout: rule arn:rule/second-main is gone; nothing was committed",
    );
    world.cloud.rules.set("arn:rule/second-main", { weights: { [groupArn(v1)]: 100 } });
    expect(await commit(world, { rules: two })).toBe("checkout: its rules differ; they move together. Run up again");
  });

  it("does not retire a service whose canary has traffic, or that a hold stands on, whatever the program could read [A4]", async () => {
    const exposed = await new World().rolledOutTo(25);
    expect(await commit(exposed, { retire: true })).toBe(
      "checkout: not committed: retire while a canary has 25 %; expected one release at 100 %. Finish or abandon first",
    );
    await exposed.kill();
    const [hold] = Object.keys(exposed.record.holds);
    expect(await commit(exposed, { retire: true })).toBe(
      `checkout: not committed: retire while ${hold} stands; expected no hold. Acknowledge with a reason first`,
    );
    expect(exposed.record.retiredAt).toBeUndefined();
    await exposed.acknowledge();
    await commit(exposed, { retire: true });
    expect(exposed.record.retiredAt).toBe(exposed.cloud.nowMs);
  });

  it("of another stack than the one that declares it is refused, unless it takes the service over [E7]", async () => {
    const world = await new World().rolledOutTo(10);
    const other = { takenBy: "stack-b" };
    const refusal =
      "checkout: not committed: another stack declares it, got stack-a in its record; expected stack-b. Take it out here; to move it, see docs/decisions/0013";
    expect(await commit(world, other)).toBe(refusal);
    expect(await commit(world, { ...other, takenOverFrom: "stack-c" })).toBe(refusal);
    expect(world.record.declaredBy).toBe("stack-a");
    expect(await commit(world, { ...other, takenOverFrom: "stack-a" })).toBe("2.0.0 stays at 10 %");
    expect(world.record.declaredBy).toBe("stack-b");
    expect(await commit(world, { ...other, takenOverFrom: "stack-a" })).toBe("2.0.0 stays at 10 %");
  });

  it("reads again when the record changed under it [A4]", async () => {
    const world = await opened();
    let conflicts = 0;
    const ports = world.cloud.ports("hook", async (call) => {
      if (call !== "write record before" || conflicts++ >= 2) return;
      world.cloud.records.set("checkout", JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
    });
    await commitOpening(ports, describing(world.record, { exposurePercent: 25 }));
    expect(world.record.canary?.exposurePercent).toBe(25);
  });
});
