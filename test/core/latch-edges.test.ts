/** Edges where the latch could be quietly wrong: each is a sequence that once was, told with the real code on ports in memory. */
import { describe, expect, it } from "vitest";
import { anAdoptedRelease, aService, groupArn, mainRule, testerRule, v1, v2, v3, World } from "../helpers/world.ts";

const day = 24 * 60;
const errorRate = "error-rate/critical";

/** Lets something else happen once, as soon as it is so. */
function once(isSo: (call: string) => boolean, act: () => Promise<unknown>) {
  let happened = false;
  return async (call: string) => {
    if (happened || !isSo(call)) return;
    happened = true;
    await act();
  };
}

describe("attempts", () => {
  it("does not take a freeze of the baseline for a rollback: it may be a canary again at attempt 1 [B5]", async () => {
    const world = new World();
    await world.must(world.up());
    world.alarm(v1, errorRate, "ALARM");
    await world.reconcile();
    world.alarm(v1, errorRate, "OK");
    await world.reconcile();
    await world.acknowledge();
    await world.must(world.up({ baseline: v2, replaceBaselineReason: "security fix" }));
    await world.reconcile();
    await world.must(world.up({ baseline: v2, canary: v1, wavePercent: 10 }));
    expect(world.live(v1)).toBe(10);
  });

  it("does not take a stranger's target group for a rollback of a staged canary [B5]", async () => {
    const world = new World();
    await world.must(world.up({ canary: v2 }));
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 60, "arn:group/stranger": 40 } });
    await world.reconcile();
    expect(Object.values(world.record.holds)).toMatchObject([{ cause: "unknown-target-group", targetPercent: 0 }]);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 100 } });
    await world.reconcile();
    await world.acknowledge();
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    expect(world.live(v2)).toBe(10);
  });

  it("uses up an attempt that was rolled back before its first commit [B5]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.kill();
    await world.acknowledge();
    const second = await world.up(
      { canary: v2, wavePercent: 10, attempt: 2 },
      {
        onCall: once(
          () => world.live(v2) > 0,
          async () => {
            world.alarm(v2, errorRate, "ALARM");
            await world.reconcile();
          },
        ),
      },
    );
    expect(second.kind).toBe("failed");
    world.alarm(v2, errorRate, "OK");
    await world.reconcile();
    await world.acknowledge();
    expect(await world.up({ canary: v2, wavePercent: 10, attempt: 2 })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.wave: 10 refused, attempt 2 ended in a rollback; set attempt: 3 and the first wave to try again",
      ],
    });
    await world.must(world.up({ canary: v2, wavePercent: 10, attempt: 3 }));
  });
});

describe("adopted groups", () => {
  it("holds the next version in a group whose last one was rolled back, at any attempt of its own [B5]", async () => {
    const green = anAdoptedRelease("2.0.0", "arn:group/green");
    const world = await new World().rolledOutTo(25, green);
    for (const name of world.cloud.alarms.keys()) {
      if (name.includes("/2-0-0-") && name.includes(errorRate)) world.setAlarm(name, "ALARM");
    }
    await world.reconcile();
    const [hold] = Object.values(world.record.holds);
    expect(hold).toMatchObject({ scope: "digest", digest: green.digest });
    const next = anAdoptedRelease("2.0.1", "arn:group/green");
    expect(await world.up({ canary: next, wavePercent: 10 })).toEqual({
      kind: "refused",
      reasons: [
        `checkout.wave: 10 refused, attempt 1 ended in a rollback; acknowledge ${hold?.id} with a reason first`,
      ],
    });
  });
});

describe("steps and settling", () => {
  it("lets a breach settle after the lowering that another one caused [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(25);
    await world.wait(5);
    world.alarm(v2, "latency-p99/warning", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(10);
    // error-rate settles (2 + 2) x 300 + 120 s after the last lowering, whoever asked for it.
    await world.wait(20);
    expect(world.live(v2)).toBe(10);
    await world.wait(2);
    expect(world.live(v2)).toBe(0);
  });

  it("takes no second step when the same alarm flaps before the first one has settled [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    for (let minute = 0; minute < 10; minute += 1) {
      world.alarm(v2, "error-rate/warning", minute % 2 === 0 ? "ALARM" : "OK");
      await world.wait(1);
    }
    expect(world.live(v2)).toBe(25);
    expect(Object.keys(world.record.holds)).toHaveLength(1);
    expect(world.cloud.pages).toHaveLength(1);
  });

  it("freezes and pages once while a freeze stands, however often its alarm flaps [B2]", async () => {
    const objectives = [
      { name: "error-rate", indicator: "error-rate", critical: { value: 5, response: "freeze" } },
    ] as const;
    const world = await new World(aService({ objectives })).rolledOutTo(25);
    for (let minute = 0; minute < 6; minute += 1) {
      world.alarm(v2, errorRate, minute % 2 === 0 ? "ALARM" : "OK");
      await world.wait(1);
    }
    expect(Object.keys(world.record.holds)).toHaveLength(1);
    expect(world.cloud.pages).toHaveLength(1);
    await world.acknowledge();
    world.alarm(v2, errorRate, "OK");
    await world.reconcile();
    world.alarm(v2, errorRate, "ALARM");
    await world.wait(1);
    expect(world.cloud.pages).toHaveLength(2);
  });

  it("does not halve a half while the record cannot be written [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/warning", "ALARM");
    const broken = async (call: string) => {
      if (call === "write record before") throw new Error("table throttled");
    };
    for (let minute = 0; minute < 3; minute += 1) {
      await expect(world.reconcileWith(broken)).rejects.toThrow("table throttled");
      world.cloud.nowMs += 60_000;
    }
    expect(world.live(v2)).toBe(25);
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([25, 25]);
    expect(Object.values(world.record.holds)).toMatchObject([{ cause: "breach", targetPercent: 25 }]);
  });
});

describe("blindness", () => {
  it("counts blind minutes of this exposure, not of one that ended days ago [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.requestsPerMinute = {};
    await world.wait(5);
    expect(world.record.blindSince).toBeDefined();
    await world.must(world.up({ canary: v2, wavePercent: 0 }));
    await world.reconcile();
    expect(world.record.blindSince).toBeUndefined();
    world.cloud.requestsPerMinute = { baseline: 3_000, canary: 3_000 };
    await world.wait(3 * day);
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    world.cloud.requestsPerMinute = {};
    await world.wait(12);
    await world.wait(10);
    expect(world.record.holds).toEqual({});
    await world.wait(10);
    expect(Object.values(world.record.holds)).toMatchObject([{ cause: "blind", response: "freeze" }]);
    expect(world.cloud.pages.map((page) => page.summary)).toEqual([
      "checkout: FROZEN at 10 %, nothing was measured for 15 min at 10 %",
    ]);
  });

  it("does not call a missing canary recovered because nothing at all is measured now [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    world.cloud.requestsPerMinute = { baseline: 3_000 };
    await world.reconcile();
    expect(Object.keys(world.record.breaches)).toEqual([`no-data/critical/${v2.digest}`]);
    world.cloud.requestsPerMinute = {};
    await world.reconcile();
    expect(Object.keys(world.record.breaches)).toEqual([`no-data/critical/${v2.digest}`]);
    world.cloud.health.set(groupArn(v1), { healthyCount: 4, totalCount: 4 });
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });
});

describe("several ups and releases", () => {
  it("keeps a release that an opening which died left live, though config drops it now [A4]", async () => {
    const world = new World();
    await world.must(world.up({ canary: v2 }));
    await world.reconcile();
    await world.up({ canary: v2, wavePercent: 10 }, { dies: "commit" });
    expect(world.live(v2)).toBe(10);
    const dropped = await world.up();
    expect(dropped.kind === "applied" && dropped.declaration.liveSet.map((release) => release.version)).toEqual([
      "1.0.0",
      "2.0.0",
    ]);
    expect(world.live(v2)).toBe(0);
    world.cloud.nowMs += 60_000;
    const soon = await world.up();
    expect(soon.kind === "applied" && soon.declaration.liveSet.map((release) => release.version)).toContain("2.0.0");
    world.cloud.nowMs += 60_000;
    const later = await world.up();
    expect(later.kind === "applied" && later.declaration.liveSet.map((release) => release.version)).toEqual(["1.0.0"]);
  });

  it("keeps a release for 120 s after a lapsed opening was lowered off it [B12]", async () => {
    const world = new World();
    await world.must(world.up({ canary: v2 }));
    await world.reconcile();
    await world.up({ canary: v2, wavePercent: 10 }, { dies: "commit" });
    await world.wait(11);
    expect(world.live(v2)).toBe(0);
    const soon = await world.up();
    expect(soon.kind === "applied" && soon.declaration.liveSet.map((release) => release.version)).toContain("2.0.0");
  });

  it("rolls the previous release out anew without taking its first share for a rollback [A4]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    await world.must(
      world.up(
        { baseline: v2, canary: v1, wavePercent: 10 },
        {
          onCall: once(
            () => world.live(v1) > 0,
            () => world.reconcile(),
          ),
        },
      ),
    );
    expect([world.live(v2), world.live(v1)]).toEqual([90, 10]);
    expect(world.record.holds).toEqual({});
    world.alarm(v2, errorRate, "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.live(v1)]).toEqual([0, 100]);
    expect(world.record.baseline).toBe(v1.digest);
    expect(world.record.canary).toBeUndefined();
  });

  it("makes an unrelated up wait that would drop the release another stack is just opening", async () => {
    let other: Awaited<ReturnType<World["up"]>> | undefined;
    const world = new World();
    await world.must(world.up());
    await world.reconcile();
    const opening = await world.up(
      { canary: v3, wavePercent: 10 },
      {
        onCall: once(
          (call) => call === "rule before" && world.record.lease !== undefined,
          async () => {
            other = await world.up({}, { who: "stack-b" });
          },
        ),
      },
    );
    expect(other).toEqual({
      kind: "failed",
      message: `checkout: not committed: stack-a is opening ${v3.digest} to 10 % for another 600 s; wait for it, then run up again`,
    });
    expect(opening.kind).toBe("applied");
    expect(world.live(v3)).toBe(10);
  });

  it("leaves another stack's opening of the same canary its lease when an unrelated up commits", async () => {
    const world = new World();
    await world.must(world.up({ canary: v3 }));
    await world.reconcile();
    const opening = await world.up(
      { canary: v3, wavePercent: 10 },
      {
        onCall: once(
          (call) => call === "rule before" && world.record.lease !== undefined,
          async () => {
            await world.must(world.up({ canary: v3, blindMinutes: 20 }, { who: "stack-b" }));
          },
        ),
      },
    );
    expect(opening.kind).toBe("applied");
    expect(world.record.canary?.exposurePercent).toBe(10);
  });

  it("gives an adopted group to the next version at once, but not while the other may be gone back to [B12]", async () => {
    const blue = anAdoptedRelease("1.0.0", "arn:group/blue");
    const green = anAdoptedRelease("2.0.0", "arn:group/green");
    const greener = anAdoptedRelease("2.0.1", "arn:group/green");
    const bluer = anAdoptedRelease("3.0.0", "arn:group/blue");
    const world = new World(aService({ baseline: blue }, "rapid"));
    await world.rolledOutTo(5, green);
    await world.must(world.up({ canary: green, wavePercent: 0 }));
    await world.must(world.up({ canary: greener, wavePercent: 0 }));
    await world.must(world.up({ canary: greener, wavePercent: 5 }));
    expect(world.record.canary).toMatchObject({ digest: greener.digest, exposurePercent: 5 });
    await world.wait(15);
    await world.must(world.up({ canary: greener, wavePercent: 25 }));
    await world.wait(15);
    await world.must(world.up({ canary: greener, wavePercent: 100 }));
    await world.wait(35);
    await world.must(world.up({ baseline: greener }));
    expect(await world.up({ baseline: greener, canary: bluer })).toEqual({
      kind: "refused",
      reasons: [
        "checkout: 3.0.0 and 1.0.0 have the same target group arn:group/blue, and both are still needed; expected a group for each. Set the other one's wave to 0, or wait until its rollback window is over",
      ],
    });
    await world.wait(day + 1);
    await world.must(world.up({ baseline: greener, canary: bluer }));
  });

  it("stays retired when the last config is applied once more, and starts over without it [A4]", async () => {
    const world = new World();
    await world.must(world.up());
    await world.must(world.up({ retire: true }));
    expect(await world.must(world.up({ retire: true }))).toEqual([
      "checkout: is retired already; the config may drop it",
    ]);
    expect(world.record.retiredAt).toBe(world.cloud.nowMs);
    await world.must(world.up());
    expect(world.record.retiredAt).toBeUndefined();
  });

  it("does not lead testers to a held canary of a service that comes back [A7, B5]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.kill();
    await world.acknowledge();
    await world.must(world.up());
    await world.must(world.up({ retire: true }));
    await world.must(world.up({ canary: v2 }));
    expect(world.cloud.rules.get(testerRule)?.weights).toEqual({ [groupArn(v1)]: 100 });
  });
});

describe("modes", () => {
  const watched = (mode: "act" | "observe") =>
    [
      { name: "error-rate", indicator: "error-rate", critical: { value: 5, response: "disable" }, mode },
      { name: "healthy-hosts", indicator: "healthy-hosts", critical: { value: 1, response: "disable" } },
    ] as const;

  it("stops nothing for an observed objective, in gate and guard alike [B13]", async () => {
    const world = await new World(aService({ objectives: watched("observe") })).rolledOutTo(10);
    world.alarm(v2, errorRate, "ALARM");
    await world.wait(day);
    expect(world.live(v2)).toBe(10);
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
  });

  it("acts on a breach that is still open when its objective goes from observe to act [B13]", async () => {
    const world = await new World(aService({ objectives: watched("observe") })).rolledOutTo(10);
    world.alarm(v2, errorRate, "ALARM");
    await world.reconcile();
    await world.must(world.up({ canary: v2, wavePercent: 10, objectives: watched("act") }));
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("lowers nothing for a breach of before the switch to observe [B13]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    world.alarm(v2, errorRate, "ALARM");
    await world.reconcile();
    await world.must(world.up({ canary: v2, wavePercent: 10, mode: "observe" }));
    world.cloud.health.set(groupArn(v1), { healthyCount: 4, totalCount: 4 });
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([10, 10]);
  });

  it("says once that live is above the record while observing, not every minute [B13]", async () => {
    const world = await new World(aService({ mode: "observe" })).rolledOutTo(10);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } });
    for (let minute = 0; minute < 4; minute += 1) await world.wait(1);
    expect(world.cloud.history.filter((entry) => entry.kind === "would-respond").map((entry) => entry.message)).toEqual(
      ["observing: live is above the record (2.0.0 has 50 %, granted 10 %); it would be lowered"],
    );
    expect(world.live(v2)).toBe(50);
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 90, [groupArn(v2)]: 10 } });
    await world.reconcile();
    expect(world.record.breaches).toEqual({});
  });

  it("kills while observing too: a person says so [B4, B13]", async () => {
    const world = await new World(aService({ mode: "observe" })).rolledOutTo(10);
    await world.kill();
    expect(world.live(v2)).toBe(0);
  });
});

describe("a rule that somebody deleted", () => {
  it("comes back at the committed exposure, and can be lowered on the way [A3]", async () => {
    const world = await new World().rolledOutTo(25);
    world.cloud.rules.delete(mainRule);
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(world.live(v2)).toBe(25);
    world.cloud.rules.delete(mainRule);
    await world.must(world.up({ canary: v2, wavePercent: 0 }));
    expect([world.live(v1), world.live(v2)]).toEqual([100, 0]);
  });
});

describe("a finish beside the next canary", () => {
  it("judges the alarms of the release that finishes [C1]", async () => {
    const world = await new World(aService({}, "rapid")).rolledOutTo(100);
    await world.wait(31);
    // The alarm speaks, the hook has not looked yet.
    world.alarm(v2, "error-rate/critical", "ALARM");
    expect(await world.up({ baseline: v2, canary: v3, wavePercent: 0 })).toMatchObject({
      kind: "refused",
      reasons: expect.arrayContaining([
        expect.stringMatching(/^checkout: finishing 2.0.0: alarm .*2-0-0.*error-rate\/critical.* is in ALARM$/),
      ]),
    });
  });
});
