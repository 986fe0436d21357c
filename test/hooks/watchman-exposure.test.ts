/** The watchman on a canary that stays exposed while a critical alarm stands, and what of that is no finding (D4). */

import { describe, expect, it } from "vitest";
import { rawLowering } from "../../core/page-message.ts";
import type { Hold } from "../../core/record.ts";
import { watch } from "../../hooks/watchman.ts";
import { backTo25, change, errorRate, exposed, lookedAfter, minute, thatResponds } from "../helpers/watched-world.ts";
import { aService, groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

function aHold(world: World, changes: Partial<Hold>): Record<string, Hold> {
  const hold: Hold = {
    id: "h",
    scope: "service",
    digest: v2.digest,
    at: world.cloud.nowMs,
    cause: "dependency",
    detail: "",
    response: "freeze",
    targetPercent: 25,
    attempt: 1,
    ...changes,
  };
  return { [hold.id]: hold };
}

describe("a canary that stays exposed", () => {
  it("is found five minutes into a critical alarm, and told to the letter [D4]", async () => {
    const world = await exposed();
    const since = world.cloud.nowMs;
    expect(await lookedAfter(world, 5)).toEqual([]);
    world.cloud.nowMs += 1;
    const [alarmName] = [...world.cloud.alarms.values()].filter((a) => a.state === "ALARM").map((a) => a.alarmName);
    const findings = await watch(world.cloud.ports("watchman"));
    expect(findings).toEqual([
      {
        service: "checkout",
        summary: `checkout: STILL EXPOSED at 25 %, ${alarmName} stands for 5 min`,
        detail: "the hook should have lowered it to 0 % (the record says 25 %); kill it by hand",
        runbook: "hook-failing",
        since: since + 5 * minute,
      },
    ]);
    const where = "--environment dev --region eu-west-1 --service checkout";
    expect(world.cloud.messages).toEqual([
      {
        page: {
          id: `watchman-hook-failing-checkout-${since + 5 * minute}`,
          dedupKey: "tidegate/dev/checkout/watchman/hook-failing",
          severity: "critical",
          summary: findings[0]?.summary,
          detail: findings[0]?.detail,
          at: world.cloud.nowMs,
          runbook: "hook-failing",
        },
        environment: "dev",
        service: "checkout",
        region: "eu-west-1",
        links: [{ label: "runbook", target: "docs/runbooks/hook-failing.md" }],
        commands: [
          { label: "where it stands", command: `npx tidegate status ${where}` },
          { label: "all traffic off the canary", command: `npx tidegate kill ${where} --reason "..."` },
          { label: "the same by hand", command: rawLowering(world.record, "eu-west-1") },
        ],
      },
    ]);
  });

  it("is found where the record was lowered and the rule was not: once by its alarm, and by its hold when the alarm is quiet [D4]", async () => {
    const world = await exposed();
    await world.reconcile();
    backTo25(world);
    expect(await lookedAfter(world, 6)).toEqual([
      expect.stringMatching(/^checkout: STILL EXPOSED at 25 %, .* stands for 6 min$/),
    ]);
    for (const name of world.cloud.alarms.keys()) world.setAlarm(name, "OK");
    expect(await lookedAfter(world, 1)).toEqual([
      expect.stringMatching(/^checkout: STILL EXPOSED at 25 %, hold .* lowered it to 0 % 7 min ago$/),
    ]);
  });

  it("is found where an older breach allows what it has, and the alarm that stands was never noticed [D4]", async () => {
    const world = await exposed(aService(), "error-rate/warning");
    await world.reconcile();
    expect(world.live(v2)).toBe(12);
    world.alarm(v2, errorRate, "ALARM");
    expect(await lookedAfter(world, 6)).toEqual([expect.stringMatching(/^checkout: STILL EXPOSED at 12 %/)]);
  });

  it("is found behind a hold that answers something else [D4]", async () => {
    for (const cause of ["unexplained-lowering", "blind", "unknown-target-group", "no-other-release"] as const) {
      const world = await exposed();
      change(world, { holds: aHold(world, { cause }) });
      expect(await lookedAfter(world, 6), cause).toEqual([expect.stringMatching(/STILL EXPOSED at 25 %/)]);
    }
  });

  it("is found behind a freeze that was put for an earlier breach, and never acknowledged [D4]", async () => {
    const world = await exposed();
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    await world.reconcile();
    const [hold] = Object.values(world.record.holds);
    expect(hold?.cause).toBe("receiver-lost");
    change(world, { holds: aHold(world, { ...hold, at: world.cloud.nowMs - 1 }) });
    expect(await lookedAfter(world, 6)).toEqual([expect.stringMatching(/STILL EXPOSED at 25 %/)]);
    change(world, { holds: aHold(world, { ...hold }) });
    expect(await lookedAfter(world, 0)).toEqual([]);
  });

  it.each<[string, () => Promise<World>]>([
    [
      "the hook lowered it",
      async () => {
        const world = await exposed();
        await world.reconcile();
        return world;
      },
    ],
    [
      "a halving response left it at its target",
      async () => {
        const world = await exposed(thatResponds("halve"));
        await world.reconcile();
        expect(world.live(v2)).toBe(12);
        return world;
      },
    ],
    [
      "the receiver is lost, and people were told",
      async () => {
        const world = await exposed();
        world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
        await world.reconcile();
        expect(world.live(v2)).toBe(25);
        return world;
      },
    ],
    [
      "a dependency fails for both, and people were told",
      async () => {
        const world = await exposed();
        for (const { alarmName } of world.record.alarms) {
          const points = [{ at: world.cloud.nowMs - minute, value: 20 }];
          world.cloud.alarmValues.set(alarmName, { alarmName, threshold: 5, badWhen: "above", points });
        }
        await world.reconcile();
        expect(Object.values(world.record.holds).map((hold) => hold.cause)).toEqual(["dependency"]);
        return world;
      },
    ],
    [
      "lowering at this wave is a human's decision",
      async () => {
        const service = aService();
        const waves = service.plan.waves.map((wave) => ({ ...wave, lowering: "human" as const }));
        const world = await exposed({ ...service, plan: { ...service.plan, waves } });
        await world.reconcile();
        expect(world.live(v2)).toBe(25);
        return world;
      },
    ],
    ["it only observes", () => exposed(aService({ mode: "observe" }))],
    ["the objective only observes", () => exposed(thatResponds("disable", "observe"))],
    ["the response takes nothing away", () => exposed(thatResponds("freeze"))],
    ["only a warning stands", () => exposed(aService(), "error-rate/warning")],
    [
      "the canary has no traffic",
      async () => {
        const world = new World();
        await world.must(world.up({ canary: v2 }));
        world.alarm(v2, errorRate, "ALARM");
        return world;
      },
    ],
    [
      "there is no canary",
      async () => {
        const world = new World();
        await world.must(world.up());
        world.alarm(v1, errorRate, "ALARM");
        return world;
      },
    ],
    [
      "the main rule is gone",
      async () => {
        const world = await exposed();
        world.cloud.rules.delete(mainRule);
        return world;
      },
    ],
  ])("is no finding while %s [D4]", async (_title, arrange) => {
    expect(await lookedAfter(await arrange(), 6)).toEqual([]);
  });

  it("is given its time anew by an opening: an alarm of before it says nothing of it [D4]", async () => {
    const world = await exposed();
    world.cloud.nowMs += 10 * minute;
    const { canary } = world.record;
    if (!canary) throw new Error("no canary");
    change(world, { canary: { ...canary, waveOpenedAt: world.cloud.nowMs } });
    expect(await lookedAfter(world, 5)).toEqual([]);
    expect(await lookedAfter(world, 1)).toHaveLength(1);
  });
});

describe("a system that does not answer for its alarms", () => {
  /** Error rates are in Prometheus, which is down; what CloudWatch watches is not. */
  async function halfBlind(key: string): Promise<World> {
    const world = await exposed(aService(), key);
    change(world, {
      alarms: world.record.alarms.map((alarm) =>
        alarm.objective === "error-rate" ? { ...alarm, watchedIn: "prometheus" as const, query: "up" } : alarm,
      ),
    });
    world.cloud.nowMs += 6 * minute;
    world.cloud.drill = { armedAt: world.cloud.nowMs };
    world.cloud.heartbeats.set("checkout", world.cloud.nowMs);
    return world;
  }
  const noWay = /^checkout: prometheus: the state of \d+ alarm\(s\) cannot be read/;

  it("is a failure, and hides nothing that another one says [B8, D4]", async () => {
    const world = await halfBlind("healthy-hosts/critical");
    await expect(watch(world.cloud.ports("watchman"))).rejects.toThrow(noWay);
    expect(world.cloud.pages.map(({ summary }) => summary)).toEqual([
      expect.stringMatching(/^checkout: STILL EXPOSED at 25 %, .*healthy-hosts.* stands for 6 min$/),
    ]);
  });

  it("hides no hold either [B8, D4]", async () => {
    const world = await halfBlind("nothing");
    const at = world.cloud.nowMs - 6 * minute;
    change(world, { holds: aHold(world, { cause: "kill", response: "disable", targetPercent: 0, at }) });
    await expect(watch(world.cloud.ports("watchman"))).rejects.toThrow(noWay);
    expect(world.cloud.pages.map(({ summary }) => summary)).toEqual([
      "checkout: STILL EXPOSED at 25 %, hold h lowered it to 0 % 6 min ago",
    ]);
  });
});
