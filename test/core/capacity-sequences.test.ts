/** Floors over whole rollouts: with an autoscaler that takes what load does not ask for, a rollback lands on a baseline at full size. */
import { describe, expect, it } from "vitest";
import { aScaledService, aWorkload, ScalingWorld } from "../helpers/scaling-world.ts";
import { anAdoptedRelease, v1, v2, v3 } from "../helpers/world.ts";

/** What it comes to after each wave, as `[baseline, canary]`. */
function counts(world: ScalingWorld): [number, number] {
  return [world.countOf(v1), world.countOf(v2)];
}

async function lowered(world: ScalingWorld): Promise<ScalingWorld> {
  world.alarm(v2, "error-rate/critical", "ALARM");
  await world.reconcile();
  return world;
}

describe("a rollback at 100 %", () => {
  it("lands on a baseline at full size, which load alone would have scaled in [B12, E6]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    expect([world.live(v2), counts(world)]).toEqual([100, [12, 12]]);
    await lowered(world);
    expect([world.live(v1), counts(world)]).toEqual([100, [12, 12]]);
  });

  it("lands on what load left where the floor is taken away, which is what the floor is for [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    world.pins = false;
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    await lowered(world);
    expect([world.live(v1), counts(world)]).toEqual([100, [2, 12]]);
  });

  it("lands on a baseline that has grown with the day, from hosts counted at every opening [B12]", async () => {
    const world = new ScalingWorld();
    world.busy = 4;
    await world.rolledOutTo(25);
    expect(counts(world)).toEqual([4, 1 + 1]);
    // The day begins: the baseline grows at three quarters of the traffic, and the whole is reckoned from that.
    world.busy = 30;
    await world.wait(5);
    expect(world.countOf(v1)).toBe(23);
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 31, [v2.digest]: 31 });
    expect(counts(world)).toEqual([31, 31]);
  });

  it("lands on a baseline that grew beside the canary, at 100 % and in the window, as of the last up [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    world.busy = 21;
    await world.wait(35);
    expect(counts(world)).toEqual([12, 21]);
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    expect(counts(world)).toEqual([21, 21]);
    await world.must(world.up({ baseline: v2 }));
    world.busy = 30;
    await world.wait(60);
    await world.must(world.up({ baseline: v2 }));
    expect([world.record.capacity, counts(world)]).toEqual([{ [v1.digest]: 30 }, [30, 30]]);
    // The night takes nothing away again: tomorrow's load is another.
    world.busy = 3;
    await world.wait(60);
    await world.must(world.up({ baseline: v2 }));
    expect(counts(world)).toEqual([30, 3]);
  });

  it("opens no further wave onto a baseline that has fewer hosts than it had [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(25);
    const group = world.record.releases[v1.digest]?.targetGroupArn ?? "";
    const processes = world.processes.get(group);
    if (!processes) throw new Error("no processes");
    processes.count = 5;
    processes.floor = 5;
    world.hosts(group, 5);
    world.pins = false;
    const outcome = await world.up({ canary: v2, wavePercent: 100 });
    expect(outcome).toMatchObject({ kind: "failed" });
    expect(outcome.kind === "failed" && outcome.message.split("\n")).toContain(
      "  the baseline 1.0.0 has 5 healthy hosts of 5; expected at least 12, which a rollback needs. Wait until it has them, then run up again",
    );
    expect(world.live(v2)).toBe(25);
  });
});

describe("floors", () => {
  it("are counted at the first opening, and are said there [B12, E6]", async () => {
    const world = new ScalingWorld();
    await world.must(world.up({ canary: v2 }));
    await world.wait(1);
    expect([world.record.capacity, counts(world)]).toEqual([undefined, [12, 2]]);
    expect(await world.must(world.up({ canary: v2, wavePercent: 5 }))).toContain(
      "checkout: keeps 1.0.0 at 12 processes or more until a rollback cannot need them, the release that gets its traffic at 1 or more",
    );
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 1 });
    expect(world.record.workload).toEqual({ minimumCount: 2, maximumCount: 40 });
    const idle = await world.up({ canary: v2, wavePercent: 5 });
    expect(idle.kind === "applied" && idle.declaration.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 1 });
  });

  it("stay for the rollback window after the finish, and a breach in it lands on a full previous release [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    await world.wait(35);
    await world.must(world.up({ baseline: v2 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12 });
    await world.wait(600);
    await world.must(world.up({ baseline: v2 }));
    expect(counts(world)).toEqual([12, 12]);
    await lowered(world);
    expect([world.record.baseline, world.live(v1), world.countOf(v1)]).toEqual([v1.digest, 100, 12]);
    // While the hold stands nobody takes them away, however long it takes.
    await world.wait(3_000);
    await world.must(world.up({ baseline: v2 }));
    expect(world.record.capacity?.[v1.digest]).toBe(12);
  });

  it("go with the release when its window is over [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    await world.wait(35);
    await world.must(world.up({ baseline: v2 }));
    await world.wait(1_441);
    await world.must(world.up({ baseline: v2 }));
    expect([world.record.capacity, world.countOf(v1)]).toEqual([undefined, 0]);
    expect(world.deleted.map(({ digest }) => digest)).toEqual([v1.digest]);
  });

  it("do not fall while weights are on their way, and do a quarter of an hour later [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    await world.must(world.up({ canary: v2, wavePercent: 5 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 12 });
    await world.wait(14);
    await world.must(world.up({ canary: v2, wavePercent: 5 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 12 });
    await world.wait(1);
    await world.must(world.up({ canary: v2, wavePercent: 5 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 1 });
  });

  it("of a held service stay on the baseline alone, and go when the hold is acknowledged [B12, B5]", async () => {
    const world = await lowered(await new ScalingWorld().rolledOutTo(100));
    world.alarm(v2, "error-rate/critical", "OK");
    await world.wait(20);
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12 });
    await world.acknowledge();
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    expect(world.record.capacity).toBeUndefined();
  });

  it.each(["rule", "commit"] as const)("survive an up that dies before the %s [B12]", async (dies) => {
    const world = await new ScalingWorld().rolledOutTo(25);
    world.busy = 30;
    await world.wait(5);
    expect(await world.up({ canary: v2, wavePercent: 100 }, { dies })).toMatchObject({ kind: "failed" });
    expect(world.record.capacity).toEqual({ [v1.digest]: 31, [v2.digest]: 31 });
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(world.floorOf(v1)).toBe(31);
  });

  it("are of two releases where a second rollout begins inside the first one's window [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    await world.wait(35);
    await world.must(world.up({ baseline: v2 }));
    await world.must(world.up({ baseline: v2, canary: v3 }));
    await world.wait(1);
    await world.must(world.up({ baseline: v2, canary: v3, wavePercent: 5 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 12, [v3.digest]: 1 });
  });

  it("of the previous release stay where it is tried again inside its own window [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    await world.wait(35);
    await world.must(world.up({ baseline: v2 }));
    await world.must(world.up({ baseline: v2, canary: v1 }));
    await world.wait(1);
    await world.must(world.up({ baseline: v2, canary: v1, wavePercent: 5 }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v2.digest]: 12 });
  });

  it("of a replaced baseline are as many as it had, on both [B12]", async () => {
    const world = new ScalingWorld();
    await world.must(world.up());
    await world.wait(1);
    await world.must(world.up({ baseline: v3, replaceBaselineReason: "the registry lost 1.0.0" }));
    expect(world.record.capacity).toEqual({ [v1.digest]: 12, [v3.digest]: 12 });
    expect([world.live(v3), world.countOf(v3), world.countOf(v1)]).toEqual([100, 12, 12]);
  });
});

describe("a release that has lost its weights", () => {
  it("stays 120 s where it replaced a baseline and was never committed [A4, B12]", async () => {
    const world = new ScalingWorld();
    await world.must(world.up());
    await world.wait(1);
    await world.up({ baseline: v3, replaceBaselineReason: "the registry lost 1.0.0" }, { dies: "commit" });
    expect(world.live(v3)).toBe(100);
    world.cloud.nowMs += 11 * 60_000;
    await world.reconcile();
    expect(world.live(v3)).toBe(0);
    world.cloud.nowMs += 119_000;
    await world.must(world.up());
    expect(world.deleted).toEqual([]);
    world.cloud.nowMs += 1_000;
    await world.must(world.up());
    expect(world.deleted.map(({ digest }) => digest)).toEqual([v3.digest]);
  });

  it("stays as long where the next up takes them, before the hook does [A4, B12]", async () => {
    const world = new ScalingWorld();
    await world.must(world.up());
    await world.wait(1);
    await world.up({ baseline: v3, replaceBaselineReason: "the registry lost 1.0.0" }, { dies: "commit" });
    await world.must(world.up());
    expect([world.live(v1), world.record.leaving]).toEqual([100, { [v3.digest]: world.cloud.nowMs }]);
    await world.must(world.up());
    expect(world.deleted).toEqual([]);
  });
});

describe("what a config asks less of", () => {
  const scaled = (minimumCount: number, maximumCount: number) => ({ workload: aWorkload(minimumCount, maximumCount) });

  it("is refused by name while a rollback may need it, and in the window after the finish [B12, E6]", async () => {
    const world = await new ScalingWorld(aScaledService({ workload: aWorkload(4, 40) })).rolledOutTo(100);
    const reasons = [
      "checkout.workload.minimumCount: fewer while a rollback may need them, got 1; expected at least 4. Set it back until the rollback window is over",
      "checkout.workload.maximumCount: fewer than 1.0.0 needs to take the traffic back, got 6; expected at least 12. Set it back until the rollback window is over",
    ];
    expect(await world.up({ canary: v2, wavePercent: 100, ...scaled(1, 6) })).toEqual({ kind: "refused", reasons });
    await world.wait(35);
    await world.must(world.up({ baseline: v2 }));
    await world.wait(60);
    expect(await world.up({ baseline: v2, ...scaled(1, 6) })).toEqual({ kind: "refused", reasons });
    await world.wait(1_440);
    await world.must(world.up({ baseline: v2 }));
    await world.must(world.up({ baseline: v2, ...scaled(1, 6) }));
    expect(world.floorOf(v2)).toBe(1);
  });

  it("is pinned and said where the up takes traffic away: no count keeps a lowering from going on [B12]", async () => {
    const world = await new ScalingWorld().rolledOutTo(100);
    expect(await world.must(world.up({ canary: v2, wavePercent: 0, ...scaled(1, 6) }))).toEqual([
      "checkout: LOWERS 2.0.0 from 100 % to 0 %, as the config says; back up is one wave an up",
      "checkout.workload.minimumCount: fewer while a rollback may need them, got 1; expected at least 2. Set it back until the rollback window is over",
      "checkout.workload.maximumCount: fewer than 1.0.0 needs to take the traffic back, got 6; expected at least 12. Set it back until the rollback window is over",
    ]);
    expect([world.live(v1), counts(world)]).toEqual([100, [12, 12]]);
  });

  it("is let through where it asks for more, and where no rollback needs anything [E6]", async () => {
    const world = await new ScalingWorld().rolledOutTo(25);
    await world.must(world.up({ canary: v2, wavePercent: 25, ...scaled(15, 50) }));
    expect([world.floorOf(v1), world.floorOf(v2)]).toEqual([15, 15]);
    const idle = new ScalingWorld();
    await idle.must(idle.up());
    await idle.must(idle.up(scaled(1, 6)));
    expect(idle.floorOf(v1)).toBe(1);
  });

  it("is refused where a workload comes to releases that others serve: it would take those out [E6]", async () => {
    const { workload, ...without } = aScaledService();
    const world = new ScalingWorld(without);
    await world.must(world.up());
    const added = workload ? { workload } : {};
    expect(await world.up(added)).toEqual({
      kind: "refused",
      reasons: [
        "checkout.workload: added to releases that are served already, got 1.0.0 with 4 healthy hosts of others; expected a service that had it from its first up. Declare the service anew with it, under another name",
      ],
    });
    world.hosts(world.record.releases[v1.digest]?.targetGroupArn ?? "", 0);
    await world.must(world.up(added));
    expect(world.record.workload).toEqual({ minimumCount: 2, maximumCount: 40 });
  });
});

describe("where nobody knows", () => {
  it("opens nothing while the baseline's hosts cannot be counted [B12]", async () => {
    const world = new ScalingWorld();
    await world.must(world.up({ canary: v2 }));
    await world.wait(1);
    const group = world.record.releases[v1.digest]?.targetGroupArn;
    const onCall = async (call: string) => {
      if (call === "health before") throw new Error(`no answer for ${group}`);
    };
    expect(await world.up({ canary: v2, wavePercent: 5 }, { onCall })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.workload: the hosts of 1.0.0 could not be counted, so nobody knows how many a rollback needs; expected its target group to be readable. Restore access to ELBv2 (DescribeTargetHealth), then run up again",
      ],
    });
  });

  it("says by name that it keeps nothing of an adopted baseline [B12, E7]", async () => {
    const world = new ScalingWorld(aScaledService({ baseline: anAdoptedRelease("1.0.0") }));
    world.hosts("arn:group/blue", 4);
    await world.must(world.up({ canary: v2 }));
    await world.wait(1);
    expect(await world.must(world.up({ canary: v2, wavePercent: 5 }))).toContain(
      "checkout: nothing here keeps 1.0.0 at its size while another release has its traffic: its target group is adopted, and what runs behind it is not this program's. Keep its minimum yourself until the rollback window is over",
    );
    expect(world.record.capacity).toEqual({ [v2.digest]: 1 });
  });
});
