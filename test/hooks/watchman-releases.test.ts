/** The watchman on releases that are no canary under an alarm: lowered ones, and the new baseline inside the rollback window (D4). */
import { describe, expect, it } from "vitest";
import { watch } from "../../hooks/watchman.ts";
import {
  backTo25,
  change,
  errorRate,
  exposed,
  finished,
  lookedAfter,
  minute,
  thatResponds,
} from "../helpers/watched-world.ts";
import { aService, groupArn, mainRule, v1, v2, v3, type World } from "../helpers/world.ts";

const day = 24 * 60 * minute;

describe("a release that has more than its hold left it", () => {
  /** Lowered in record and rule, recovered; then somebody writes the rule back. */
  async function writtenBack(service = aService(), key = errorRate): Promise<World> {
    const world = await exposed(service, key);
    await world.reconcile();
    world.alarm(v2, key, "OK");
    await world.reconcile();
    backTo25(world);
    return world;
  }

  it("is found five minutes after the hold though no alarm stands any more, to the letter [A4, D4]", async () => {
    const world = await writtenBack();
    const [hold] = Object.values(world.record.holds);
    expect(await lookedAfter(world, 5)).toEqual([]);
    world.cloud.nowMs += 1;
    expect(await watch(world.cloud.ports("watchman"))).toEqual([
      {
        service: "checkout",
        summary: `checkout: STILL EXPOSED at 25 %, hold ${hold?.id} lowered it to 0 % 5 min ago`,
        detail: "the rules do not say what the record says; kill it by hand",
        runbook: "hook-failing",
        since: (hold?.at ?? 0) + 5 * minute,
      },
    ]);
  });

  it("is found after a return to the previous release that never reached the rule [B12, D4]", async () => {
    const world = await finished();
    world.alarm(v2, errorRate, "ALARM");
    await world.reconcile();
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v2)]: 100 } });
    expect(await lookedAfter(world, 6)).toEqual([expect.stringMatching(/^checkout: STILL EXPOSED at 100 %, hold /)]);
  });

  it.each<[string, () => Promise<World>]>([
    [
      "the hold was acknowledged: a person decided",
      async () => {
        const world = await writtenBack();
        await world.acknowledge();
        return world;
      },
    ],
    [
      "it has no more than the hold left it",
      async () => {
        const world = await writtenBack(thatResponds("halve"));
        world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 88, [groupArn(v2)]: 12 } });
        return world;
      },
    ],
    [
      "the hold only freezes: it lowered nothing, and what is above the record is the hook's to lower",
      async () => {
        const world = await writtenBack(thatResponds("freeze"));
        world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 60, [groupArn(v2)]: 40 } });
        return world;
      },
    ],
    [
      "the service only observes by now",
      async () => {
        const world = await writtenBack();
        change(world, { mode: "observe" });
        return world;
      },
    ],
  ])("is no finding while %s [D4]", async (_title, arrange) => {
    expect(await lookedAfter(await arrange(), 6)).toEqual([]);
  });
});

describe("a new baseline that stays exposed inside the rollback window", () => {
  it("is found five minutes into a critical alarm, to the letter, and no later than the window lasts [B12, D4]", async () => {
    const world = await finished();
    const finishedAt = world.cloud.nowMs;
    world.cloud.nowMs += 60 * minute;
    const since = world.cloud.nowMs;
    world.alarm(v2, errorRate, "ALARM");
    expect(await lookedAfter(world, 5)).toEqual([]);
    world.cloud.nowMs += 1;
    const [alarmName] = [...world.cloud.alarms.values()].filter((a) => a.state === "ALARM").map((a) => a.alarmName);
    expect(await watch(world.cloud.ports("watchman"))).toEqual([
      {
        service: "checkout",
        summary: `checkout: STILL EXPOSED at 100 %, ${alarmName} stands for 5 min`,
        detail: "the hook should have lowered it to 0 % (the record says 100 %); kill it by hand",
        runbook: "hook-failing",
        since: since + 5 * minute,
      },
    ]);
    expect(world.record.previous?.until).toBe(finishedAt + day);
    world.cloud.nowMs = finishedAt + day - 1;
    expect(await lookedAfter(world, 0)).toHaveLength(1);
    world.cloud.nowMs += 1;
    expect(await lookedAfter(world, 0)).toEqual([]);
  });

  it("is given its time from the finish on: an alarm of before it says nothing of the hook [B12, D4]", async () => {
    const world = await finished();
    const finishedAt = world.cloud.nowMs;
    world.cloud.nowMs -= 30 * minute;
    world.alarm(v2, errorRate, "ALARM");
    world.cloud.nowMs = finishedAt;
    expect(await lookedAfter(world, 5)).toEqual([]);
    world.cloud.nowMs += 1;
    expect(await lookedAfter(world, 0)).toEqual([expect.stringMatching(/STILL EXPOSED at 100 %.* stands for 35 min$/)]);
  });

  it("is found beside a healthy canary, and by itself [B12, D4]", async () => {
    const world = await finished();
    await world.must(world.up({ baseline: v2, canary: v3 }));
    await world.reconcile();
    world.alarm(v2, errorRate, "ALARM");
    expect(await lookedAfter(world, 6)).toEqual([expect.stringMatching(/STILL EXPOSED at 100 %, .*\/2-0-0/)]);
  });

  it.each<[string, () => Promise<World>]>([
    [
      "the hook returned it to the previous release",
      async () => {
        const world = await finished();
        world.alarm(v2, errorRate, "ALARM");
        await world.reconcile();
        expect([world.live(v2), world.record.baseline]).toEqual([0, v1.digest]);
        return world;
      },
    ],
    [
      "the previous release is dead, and people were told",
      async () => {
        const world = await finished();
        world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
        world.alarm(v2, errorRate, "ALARM");
        await world.reconcile();
        expect([world.live(v2), Object.values(world.record.holds).map((hold) => hold.cause)]).toEqual([
          100,
          ["receiver-lost"],
        ]);
        return world;
      },
    ],
    [
      "only a warning stands",
      async () => {
        const world = await finished();
        world.alarm(v2, "error-rate/warning", "ALARM");
        return world;
      },
    ],
    [
      "it only observes",
      async () => {
        const world = await finished();
        change(world, { mode: "observe" });
        world.alarm(v2, errorRate, "ALARM");
        return world;
      },
    ],
    [
      "it is the previous release's alarm that stands",
      async () => {
        const world = await finished();
        world.alarm(v1, errorRate, "ALARM");
        return world;
      },
    ],
  ])("is no finding while %s [B12, D4]", async (_title, arrange) => {
    expect(await lookedAfter(await arrange(), 6)).toEqual([]);
  });
});
