/** What becomes of a control in the sequences of the record's table, with the real decide, guard, commit and hook code on ports in memory. */
import { describe, expect, it } from "vitest";
import { aControlWorld, controlArn, split } from "../helpers/control-world.ts";
import { groupArn, mainRule, v1, v2, v3 } from "../helpers/world.ts";

const day = 24 * 60;

describe("sequences of a rollout with a control", () => {
  it("stages it without traffic beside the canary, and gives it the canary's share wave by wave [C1, A4]", async () => {
    const world = aControlWorld();
    await world.must(world.up({ canary: v2 }));
    expect(world.record.control).toEqual({
      targetGroupArn: "arn:group/1-0-0-fe63bd03-control",
      targetGroupArnSuffix: "arn:group/1-0-0-fe63bd03-control",
      releaseKey: "1-0-0-fe63bd03-control",
      digest: v1.digest,
      adopted: false,
      sharePercent: 0,
    });
    expect(split(world)).toEqual([100, 0, 0]);
    await world.rolledOutTo(100);
    expect(world.cloud.ruleWrites.map((write) => Object.values(write.weights))).toEqual([
      [100],
      [80, 10, 10],
      [50, 25, 25],
      [50, 50],
      [100],
    ]);
    expect(split(world)).toEqual([0, 0, 100]);
    expect(world.record.control).toMatchObject({ sharePercent: 0, weightsLeftAt: expect.any(Number) });
    expect(world.record.holds).toEqual({});
    expect(world.cloud.pages).toEqual([]);
  });

  it("has none without a canary, and lets it go when the rollout is finished [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(100);
    await world.wait(7 * day);
    const finish = await world.up({ baseline: v2 });
    expect(finish.kind === "applied" && finish.declaration.control).toBeUndefined();
    expect(world.record.control).toBeUndefined();
    expect(world.record.baseline).toBe(v2.digest);

    await world.wait(day + 1);
    await world.must(world.up({ baseline: v2, canary: v3 }));
    expect(world.record.control?.digest).toBe(v2.digest);
    await world.must(world.up({ baseline: v2, canary: v3, wavePercent: 10 }));
    expect([world.live(v2), world.liveControl(), world.live(v3)]).toEqual([80, 10, 10]);
  });

  it("gives everything to the baseline's own group in a rollback, and shows nothing strange to the next up [B2, B5]", async () => {
    const world = await aControlWorld().rolledOutTo(50);
    expect(split(world)).toEqual([0, 50, 50]);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(split(world)).toEqual([100, 0, 0]);
    world.alarm(v2, "error-rate/critical", "OK");
    await world.wait(10);
    const writes = world.cloud.ruleWrites.length;
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.cloud.ruleWrites.length).toBe(writes);
    expect(world.record.control).toMatchObject({ sharePercent: 0 });

    await world.acknowledge();
    await world.must(world.up({ canary: v2, wavePercent: 10, attempt: 2 }));
    expect(split(world)).toEqual([80, 10, 10]);
    expect(world.record.control).not.toHaveProperty("weightsLeftAt");
  });

  it("lowers it with the canary when a breach halves, and pins both there [B2]", async () => {
    const world = await aControlWorld().rolledOutTo(50);
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect(split(world)).toEqual([50, 25, 25]);
    world.alarm(v2, "error-rate/warning", "OK");
    await world.wait(5);
    const writes = world.cloud.ruleWrites.length;
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.cloud.ruleWrites.length).toBe(writes);
    await world.acknowledge();
    await world.wait(day + 5);
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(split(world)).toEqual([0, 50, 50]);
  });

  it("gives it nothing in a lowering that it does not have, even where more would be its due [B12]", async () => {
    const world = await aControlWorld().rolledOutTo(100);
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect(split(world)).toEqual([50, 0, 50]);
    expect(world.record.control).toMatchObject({ sharePercent: 0 });
    world.alarm(v2, "error-rate/warning", "OK");
    await world.wait(5);
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(split(world)).toEqual([50, 0, 50]);
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    expect(split(world)).toEqual([90, 0, 10]);
  });

  it("is killed with the canary [B4]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    await world.kill();
    expect(world.cloud.rules.get(mainRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
    expect(world.record.control).toMatchObject({ sharePercent: 0, weightsLeftAt: world.cloud.nowMs });
  });

  it("stays attached for two minutes after it was abandoned with its canary [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    const abandon = await world.up();
    expect(abandon.kind === "applied" && abandon.declaration.control).toEqual({
      digest: v1.digest,
      releaseKey: "1-0-0-fe63bd03-control",
      sharePercent: 0,
    });
    expect(split(world)).toEqual([100, 0, 0]);
    await world.wait(1);
    const tooSoon = await world.up();
    expect(tooSoon.kind === "applied" && tooSoon.declaration.control).toBeDefined();
    await world.wait(2);
    await world.must(world.up());
    expect(world.record.control).toBeUndefined();
  });

  it("takes its share back when its hosts are lost, and leaves the canary where it is [B12]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    world.hosts(controlArn(world), 0);
    await world.reconcile();
    expect(split(world)).toEqual([75, 0, 25]);
    expect(world.record.holds).toEqual({});
    expect(world.record.control).toMatchObject({ sharePercent: 0, lostAt: world.cloud.nowMs });
    expect(world.cloud.pages.map(({ severity, summary, detail }) => [severity, summary, detail])).toEqual([
      [
        "warning",
        "checkout: the control of 1.0.0 has no healthy host; its 25 % go back to the baseline's own group",
        "bounds relative to the baseline are not watched until the next up: run up, which measures them against the baseline's own group. " +
          "The canary keeps what it has; bring the control's hosts back before the next opening, which gives it its share again",
      ],
    ]);
    const writes = world.cloud.ruleWrites.length;
    await world.reconcile();
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect([world.cloud.ruleWrites.length, world.cloud.pages.length]).toEqual([writes, 1]);
  });

  it("refuses an opening by name until the control has hosts enough, and then gives it its share [C1]", async () => {
    const world = await aControlWorld({ readyTimeoutSeconds: 60 }).rolledOutTo(25);
    world.hosts(controlArn(world), 0);
    await world.wait(day + 1);
    expect(await world.up({ canary: v2, wavePercent: 50 })).toEqual({
      kind: "failed",
      message:
        "checkout: the rule was not written (other resources of this up may have changed):\n  the control has 0 healthy hosts of 4; expected at least 2 for 50 %",
    });
    expect(split(world)).toEqual([75, 0, 25]);
    world.hosts(controlArn(world), 1);
    expect(await world.up({ canary: v2, wavePercent: 50 })).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("the control has 1 healthy hosts of 4; expected at least 2 for 50 %"),
    });
    world.hosts(controlArn(world), 4);
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(split(world)).toEqual([0, 50, 50]);
    expect(world.record.control).not.toHaveProperty("lostAt");
    expect(world.record.control).toMatchObject({ sharePercent: 50 });
  });

  it("asks for no host of the control at 100 %, where it has nothing [C1]", async () => {
    const world = await aControlWorld().rolledOutTo(50);
    world.hosts(controlArn(world), 0);
    await world.wait(day + 1);
    await world.must(world.up({ canary: v2, wavePercent: 100 }));
    expect(split(world)).toEqual([0, 0, 100]);
  });

  it("keeps what an opening under way wrote when the control is lost before its commit [B12]", async () => {
    const world = await aControlWorld({ readyTimeoutSeconds: 60 }).rolledOutTo(10);
    await world.wait(day);
    const failed = await world.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    expect(failed).toEqual({ kind: "failed", message: "died before the commit" });
    expect(split(world)).toEqual([50, 25, 25]);
    world.hosts(controlArn(world), 0);
    await world.reconcile();
    expect(split(world)).toEqual([75, 0, 25]);
    expect(await world.up({ canary: v2, wavePercent: 25 })).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("the control has 0 healthy hosts of 4; expected at least 1 for 25 %"),
    });
    world.hosts(controlArn(world), 4);
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(split(world)).toEqual([50, 25, 25]);
    expect(world.record.canary?.exposurePercent).toBe(25);
  });

  it("gives back both shares of an opening that never came to commit [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(10);
    await world.wait(day);
    await world.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    await world.wait(12);
    expect(split(world)).toEqual([80, 10, 10]);
    expect(Object.values(world.record.holds)).toEqual([]);
  });

  it("takes over what a person took from it, and gives it back with the next opening alone [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    const own = groupArn(v1);
    world.cloud.rules.set(mainRule, { weights: { [own]: 70, [controlArn(world)]: 5, [groupArn(v2)]: 25 } });
    await world.reconcile();
    expect(world.record.control).toMatchObject({ sharePercent: 5 });
    expect(world.record.holds).toEqual({});
    expect(world.cloud.history.at(-1)?.message).toBe(
      "the control has 5 % live, the record said 25 %; it stays there until the next opening",
    );
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(split(world)).toEqual([70, 5, 25]);
    await world.wait(day);
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(split(world)).toEqual([0, 50, 50]);
  });

  it("takes from it what a person gave it, and nothing from the canary [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    world.cloud.rules.set(mainRule, {
      weights: { [controlArn(world)]: 75, [groupArn(v2)]: 25 },
      stickinessSeconds: 60,
    });
    await world.reconcile();
    expect(split(world)).toEqual([50, 25, 25]);
    expect(world.cloud.rules.get(mainRule)?.stickinessSeconds).toBeUndefined();
  });

  it("changes no rule while it only observes, and says once what it would do [B13]", async () => {
    const world = await aControlWorld({ mode: "observe" }).rolledOutTo(25);
    world.hosts(controlArn(world), 0);
    await world.reconcile();
    await world.reconcile();
    expect(split(world)).toEqual([50, 25, 25]);
    expect(world.cloud.history.filter(({ kind }) => kind === "would-respond").map(({ message }) => message)).toEqual([
      "observing: the control of 1.0.0 has no healthy host; its 25 % would go to the baseline's own group",
    ]);
    expect(world.cloud.pages).toEqual([]);
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(split(world)).toEqual([50, 25, 25]);
    world.hosts(controlArn(world), 4);
    await world.reconcile();
    expect(world.record.control).not.toHaveProperty("lostAt");
  });

  it("returns all traffic to the previous release, the control's too [B2]", async () => {
    const world = await aControlWorld().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2, canary: v3 }));
    await world.must(world.up({ baseline: v2, canary: v3, wavePercent: 10 }));
    expect([world.live(v2), world.liveControl(), world.live(v3)]).toEqual([80, 10, 10]);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.cloud.rules.get(mainRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
    expect(world.record.control).toMatchObject({ digest: v2.digest, sharePercent: 0 });
    await world.wait(3);
    await world.must(world.up({ baseline: v1 }));
    expect(world.record.control).toBeUndefined();
  });

  it("moves every route's control together, and lowers the one that a person raised [A3]", async () => {
    const routes = [
      { match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 },
      { match: { hosts: ["www.example.com"], paths: [] }, priority: 200 },
    ];
    const world = await aControlWorld({ routes }).rolledOutTo(25);
    const second = `${mainRule}/2`;
    expect([world.liveControl(), world.liveControl(second)]).toEqual([25, 25]);
    world.cloud.rules.set(second, { weights: { [controlArn(world)]: 75, [groupArn(v2)]: 25 } });
    await world.reconcile();
    expect([world.liveControl(), world.liveControl(second), world.live(v2, second)]).toEqual([25, 25, 25]);
    world.hosts(controlArn(world), 0);
    await world.reconcile();
    expect([world.liveControl(), world.liveControl(second)]).toEqual([0, 0]);
  });
});
