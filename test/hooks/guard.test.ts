/** Every reason the guard has against a write, whole, and how it waits for hosts (B12, C1). */
import { describe, expect, it } from "vitest";
import type { Declaration, GuardedWrite } from "../../core/declaration.ts";
import { hostsNeeded } from "../../core/guard-checks.ts";
import { completeWave } from "../../core/plans.ts";
import { type GuardOptions, GuardRefusedError, makeGuard } from "../../hooks/guard.ts";
import { groupArn, mainRule, testerRule, v1, v2, v3, World } from "../helpers/world.ts";

const day = 24 * 60;
const head = "checkout: the rule was not written (other resources of this up may have changed):";

/** A service at 10 % whose soak is served, and the write that would open 25 %. */
async function ready() {
  const world = await new World().rolledOutTo(10);
  await world.wait(day);
  const { record } = world;
  const releases = Object.values(record.releases).map(({ knownGood: _knownGood, ...release }) => release);
  const declaration: Declaration = {
    service: "checkout",
    step: "opening",
    liveSet: [v1, v2],
    baseline: v1.digest,
    canary: { digest: v2.digest, attempt: 1 },
    shares: { [v1.digest]: 75, [v2.digest]: 25 },
    exposurePercent: 25,
    fromPercent: 10,
    stickinessAllowed: true,
    testersReach: v2.digest,
    realityGeneration: record.realityGeneration,
    revision: record.revision,
    retire: false,
    notices: [],
    refusals: [],
  };
  const write = writeOf({ [groupArn(v1)]: 75, [groupArn(v2)]: 25 });
  function writeOf(weights: Record<string, number>, change: Partial<GuardedWrite> = {}): GuardedWrite {
    return {
      operation: "update",
      role: "main",
      ruleArn: mainRule,
      weights,
      targetGroupArns: { [v1.digest]: groupArn(v1), [v2.digest]: groupArn(v2) },
      alarms: record.alarms,
      releases,
      ...change,
    };
  }
  const guard = (attempted: GuardedWrite, options: Partial<GuardOptions> = {}) => {
    const all = {
      declaration,
      plan: record.plan,
      takenBy: "stack-a",
      readyTimeoutSeconds: 300,
      hookChanges: () => false,
      ...options,
    };
    return makeGuard(
      world.cloud.ports("up stack-a"),
      all,
    )(attempted).then(
      () => "granted",
      (error: unknown) => {
        if (error instanceof GuardRefusedError) return error.message.split("\n").map((line) => line.trim());
        throw error;
      },
    );
  };
  return { world, declaration, write, writeOf, guard };
}

const refused = (...reasons: string[]) => [head, ...reasons];

describe("an opening", () => {
  it("takes a lease of ten minutes that names what it grants [A4]", async () => {
    const { world, write, guard } = await ready();
    expect(await guard(write)).toBe("granted");
    expect(world.record.lease).toEqual({
      id: "id-2",
      kind: "opening",
      digest: v2.digest,
      attempt: 1,
      fromPercent: 10,
      toPercent: 25,
      takenBy: "stack-a",
      expiresAt: world.cloud.nowMs + 600_000,
    });
    expect(world.cloud.history.at(-1)).toMatchObject({ kind: "lease-opening", exposurePercent: 10 });
  });

  it("tells every reason at once [C1]", async () => {
    const { world, write, guard } = await ready();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.pause();
    await world.kill();
    world.cloud.nowMs += 10 * 60_000;
    const message = await guard(write, {
      hookChanges: () => true,
      declaration: { ...(await ready()).declaration, revision: 3 },
    });
    const killed = "2.0.0 killed by an SRE at 10 %: customers call";
    expect(message).toEqual(
      refused(
        `the record changed since this up was decided (revision 3, now ${world.record.revision}: ${killed}); run up again`,
        `hold ${Object.keys(world.record.holds)[0]} stands (${killed}); acknowledge it first`,
        "paused by an SRE (incident elsewhere); resume first",
        "the hook last reconciled 600 s ago; expected at most 180 s. Nothing would shut this wave; look at its function",
        expect.stringMatching(
          /^alarm tidegate\/dev\/checkout\/2-0-0-\w+\/error-rate\/critical\/60s is in ALARM; wait until it is OK$/,
        ),
        expect.stringMatching(/\/error-rate\/critical\/300s is in ALARM; wait until it is OK$/),
        "the hook's own code changes in this same up; apply that first, open the wave in the next up",
      ),
    );
  });

  it("refuses while an acting breach is open [C1]", async () => {
    const { world, write, guard, declaration } = await ready();
    world.alarm(v2, "latency-p99/warning", "ALARM");
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    await world.reconcile();
    world.alarm(v2, "latency-p99/warning", "OK");
    world.cloud.health.set(groupArn(v1), { healthyCount: 4, totalCount: 4 });
    expect(await guard(write, { declaration: { ...declaration, revision: world.record.revision } })).toContain(
      "latency-p99 (warning) is breached",
    );
  });

  it.each<[string, (world: World) => void, string]>([
    [
      "no heartbeat",
      (world) => world.cloud.heartbeats.clear(),
      "the hook has never reconciled this service; wait a minute, or look at its function",
    ],
    [
      "a dead baseline",
      (world) => world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 }),
      "the baseline 1.0.0 has no healthy host; there would be nothing to go back to",
    ],
    [
      "a baseline that is gone",
      (world) => world.cloud.health.delete(groupArn(v1)),
      "the baseline's target health could not be read",
    ],
  ])("refuses over %s [B12]", async (_name, spoil, reason) => {
    const { world, write, guard } = await ready();
    spoil(world);
    expect(await guard(write)).toEqual(refused(reason));
  });

  it("refuses alarms that are missing, disabled, unreadable or none at all [D1]", async () => {
    const { world, write, guard } = await ready();
    const names = [...world.cloud.alarms.keys()].filter((name) => name.includes("/2-0-0-"));
    const [gone, disabled] = names;
    if (!gone || !disabled) throw new Error("no alarms");
    world.cloud.alarms.delete(gone);
    world.cloud.alarms.set(disabled, { alarmName: disabled, state: "OK", updatedAt: 0, actionsEnabled: false });
    expect(await guard(write)).toEqual(
      refused(
        `alarm ${gone} does not exist; nothing would see this breach`,
        `alarm ${disabled} has its actions disabled; enable them`,
      ),
    );
    expect(await guard({ ...write, alarms: [] })).toEqual(
      refused(
        "no critical alarm watches 2.0.0; expected at least one",
        "no critical alarm watches 1.0.0; expected at least one",
      ),
    );
  });

  it("says that the alarms could not be read instead of failing bare [C1]", async () => {
    const { world, write, declaration } = await ready();
    const ports = world.cloud.ports("up stack-a", async (call) => {
      if (call === "alarms before") throw new Error("denied");
    });
    const { plan } = world.record;
    const options = { declaration, plan, takenBy: "stack-a", readyTimeoutSeconds: 0, hookChanges: () => false };
    await expect(makeGuard(ports, options)(write)).rejects.toThrow(
      [head, "  the alarms could not be read; nothing is known of this release"].join("\n"),
    );
  });

  it("refuses a rise that this up did not decide [A4]", async () => {
    const { writeOf, guard, write, declaration } = await ready();
    expect(await guard(writeOf({ [groupArn(v1)]: 50, [groupArn(v2)]: 50 }))).toEqual(
      refused(
        `${v2.digest} would rise to 50 %, which this up did not decide; live was lowered meanwhile. Run up again`,
      ),
    );
    expect(await guard(write, { declaration: { ...declaration, step: "none" } })).toEqual(
      refused(
        `${v2.digest} would rise to 25 %, which this up did not decide; live was lowered meanwhile. Run up again`,
      ),
    );
  });

  it("refuses groups that no release has [A3]", async () => {
    const { writeOf, guard } = await ready();
    expect(await guard(writeOf({ [groupArn(v1)]: 50, "arn:x": 50 }))).toEqual(
      refused("the rule names arn:x, which no release has"),
    );
  });

  it("gives way when the record changes between its look and its lease", async () => {
    const { world, write, declaration } = await ready();
    const ports = world.cloud.ports("up stack-a", async (call) => {
      if (call === "write record before")
        world.cloud.records.set("checkout", JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
    });
    const { plan } = world.record;
    const options = { declaration, plan, takenBy: "stack-a", readyTimeoutSeconds: 0, hookChanges: () => false };
    await expect(makeGuard(ports, options)(write)).rejects.toThrow(
      [head, "  the record changed while the guard was looking; somebody else acts on this service. Run up again"].join(
        "\n",
      ),
    );
  });
});

describe("waiting for hosts", () => {
  it("waits until the canary has its share of the baseline's hosts, in virtual time [B12]", async () => {
    const { world, write, guard } = await ready();
    world.cloud.health.set(groupArn(v1), { healthyCount: 8, totalCount: 8 });
    world.cloud.health.set(groupArn(v2), { healthyCount: 1, totalCount: 2 });
    const started = world.cloud.nowMs;
    const waiting = guard(write);
    const arrive = async () => {
      while (world.cloud.nowMs < started + 120_000) await Promise.resolve();
      world.cloud.health.set(groupArn(v2), { healthyCount: 2, totalCount: 2 });
    };
    await arrive();
    expect(await waiting).toBe("granted");
    expect((world.cloud.nowMs - started) / 1_000).toBeGreaterThanOrEqual(120);
    expect((world.cloud.nowMs - started) / 1_000).toBeLessThanOrEqual(130);
  });

  it("gives up after readyTimeoutSeconds and says what is missing [B12]", async () => {
    const { world, write, guard } = await ready();
    world.cloud.health.set(groupArn(v1), { healthyCount: 8, totalCount: 8 });
    world.cloud.health.set(groupArn(v2), { healthyCount: 1, totalCount: 2 });
    const started = world.cloud.nowMs;
    const reason = "the canary has 1 healthy hosts of 2; expected at least 2 for 25 %";
    expect(await guard(write, { readyTimeoutSeconds: 60 })).toEqual(refused(reason));
    expect(world.cloud.nowMs - started).toBe(60_000);
  });

  it("asks for a share of the hosts, rounded up, and for one at least [B12]", () => {
    const rows = [
      [1, 1, 1],
      [10, 4, 1],
      [25, 8, 2],
      [25, 9, 3],
      [7, 100, 7],
      [55, 100, 55],
      [100, 4, 4],
      [10, 0, 1],
    ] as const;
    expect(rows.map(([percent, hosts]) => hostsNeeded(percent, hosts))).toEqual(rows.map((row) => row[2]));
  });
});

describe("other writes", () => {
  it("grants a lowering a lease, but not where the receiver is dead or the record is lower by now [B12]", async () => {
    const { world, writeOf, guard } = await ready();
    const off = writeOf({ [groupArn(v1)]: 100 });
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    expect(await guard(off)).toEqual(
      refused(
        "the baseline 1.0.0 has no healthy host and the canary has 4; lowering would serve errors. Bring the baseline back, or kill",
      ),
    );
    world.cloud.health.set(groupArn(v1), { healthyCount: 4, totalCount: 4 });
    expect(await guard(off)).toBe("granted");
    expect(world.record.lease).toMatchObject({ kind: "lowering", fromPercent: 10, toPercent: 0 });
    await world.kill();
    world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 90, [groupArn(v2)]: 10 } });
    expect(await guard(writeOf({ [groupArn(v1)]: 95, [groupArn(v2)]: 5 }))).toEqual(
      refused(`the record has ${v2.digest} at 0 % by now, less than the 5 % of this up. Run up again`),
    );
  });

  it("lets a write through that moves no share, without any lease", async () => {
    const { world, writeOf, guard } = await ready();
    const { revision } = world.record;
    expect(await guard(writeOf({ [groupArn(v1)]: 90, [groupArn(v2)]: 10 }, { stickinessSeconds: 600 }))).toBe(
      "granted",
    );
    expect(world.record.revision).toBe(revision);
  });

  it("shuts the testers' rule to a held release [A7]", async () => {
    const { world, writeOf, guard } = await ready();
    const testers = writeOf({ [groupArn(v2)]: 100 }, { role: "tester", ruleArn: testerRule });
    expect(await guard(testers)).toBe("granted");
    await world.kill();
    const hold = Object.values(world.record.holds)[0];
    expect(await guard(testers)).toEqual(
      refused(`the tester rule would reach ${v2.digest} while hold ${hold?.id} stands (${hold?.detail})`),
    );
  });

  it("without a record grants the baseline alone, or what is live already [A4]", async () => {
    const { world, writeOf, guard } = await ready();
    world.cloud.records.clear();
    const { ruleArn: _ruleArn, ...create } = writeOf({ [groupArn(v1)]: 100 }, { operation: "create" });
    expect(await guard(create)).toBe("granted");
    expect(await guard(writeOf({ [groupArn(v1)]: 90, [groupArn(v2)]: 10 }))).toBe("granted");
    const reason = "there is no record, and the rule would change what is live; expected the baseline at 100 %";
    expect(await guard(writeOf({ [groupArn(v1)]: 100 }))).toEqual(refused(reason));
    expect(await guard(writeOf({ [groupArn(v1)]: 75, [groupArn(v2)]: 25 }))).toEqual(refused(reason));
  });

  it("with an unreadable record lets through what moves no share, and refuses the rest [A4]", async () => {
    const { world, writeOf, guard, write } = await ready();
    world.cloud.recordFailure = new Error("access denied");
    expect(await guard(writeOf({ [groupArn(v1)]: 90, [groupArn(v2)]: 10 }))).toBe("granted");
    expect(await guard(writeOf({ [groupArn(v1)]: 100 }, { role: "tester", ruleArn: testerRule }))).toBe("granted");
    const reason = "the record cannot be read (access denied), and the rule would change what is live";
    expect(await guard(write)).toEqual(refused(reason));
    expect(await guard(writeOf({ [groupArn(v2)]: 100 }, { role: "tester", ruleArn: testerRule }))).toEqual(
      refused(reason),
    );
  });

  it("stages a release that the record does not know with its lease, so that it is watched from the first request [B8]", async () => {
    const world = new World();
    await world.must(world.up());
    await world.reconcile();
    await world.up({ canary: v3, wavePercent: 10 }, { dies: "commit" });
    expect(world.record.canary).toMatchObject({ digest: v3.digest, exposurePercent: 0 });
    world.alarm(v3, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v3)).toBe(0);
  });
});

describe("a plan that this up changes", () => {
  it("says which wave an alarm counts on: the record's plan is not the alarms' own any more [A2, C1]", async () => {
    const { world, write, guard } = await ready();
    const [like] = world.record.alarms.filter(({ digest }) => digest === v2.digest);
    if (!like) throw new Error("no alarm");
    // Waves of 10 and 30: what opens at 25 is held to the bounds of 30.
    const waves = [10, 30, 100].map((exposurePercent) => completeWave({ exposurePercent, minimumSoakMinutes: 1 }));
    const own = { ...like, alarmName: "wave-own", indicator: "error-rate" as const, atPercents: [30] };
    world.setAlarm(own.alarmName, "ALARM");
    const attempted = { ...write, alarms: [...write.alarms, own] };
    expect(await guard(attempted, { plan: { ...world.record.plan, waves } })).toEqual(
      refused("alarm wave-own is in ALARM; wait until it is OK"),
    );
    expect(await guard(attempted)).toBe("granted");
  });
});
