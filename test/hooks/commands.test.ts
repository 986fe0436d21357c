/** Commands of people through the ports: they hold against the hook working at the same time, and against a broken table. */
import { describe, expect, it } from "vitest";
import { acknowledge, CommandRefusedError, kill, pause, resume } from "../../hooks/commands.ts";
import { type Ports, RevisionConflictError } from "../../hooks/ports.ts";
import { VirtualTime } from "../helpers/virtual-time.ts";
import { aService, groupArn, mainRule, testerRule, v1, v2, v3, World } from "../helpers/world.ts";

const said = { by: "an SRE", reason: "customers call" };
const day = 24 * 60;
const minute = 60_000;

function refusal(run: Promise<string>): Promise<string> {
  return run.then(
    (message) => `done: ${message}`,
    (error: unknown) => {
      if (error instanceof CommandRefusedError) return error.message;
      throw error;
    },
  );
}

/** The hook writes the record right before every write of the command's. */
function alwaysOvertaken(world: World) {
  let attempts = 0;
  const ports = world.cloud.ports("person", async (call) => {
    if (call !== "write record before") return;
    attempts += 1;
    world.cloud.records.set("checkout", JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
  });
  return { ports, attempts: () => attempts };
}

/** A load balancer that writes no rule which is not there, as the real one. */
function withoutUpserts(world: World): Ports {
  const ports = world.cloud.ports("person");
  const writeRule: Ports["traffic"]["writeRule"] = async (arn, action) => {
    if (!world.cloud.rules.has(arn)) throw new Error(`RuleNotFound: ${arn}`);
    await ports.traffic.writeRule(arn, action);
  };
  return { ...ports, traffic: { ...ports.traffic, writeRule } };
}

describe("kill", () => {
  it("takes all traffic off the canary, shuts the testers' rule and latches the service [B4, A7]", async () => {
    const world = await new World().rolledOutTo(50);
    const at = world.cloud.nowMs;
    expect(await kill(world.cloud.ports("person"), "checkout", said)).toBe(
      "2.0.0 killed by an SRE at 50 %: customers call",
    );
    expect(world.cloud.rules.get(mainRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
    expect(world.cloud.rules.get(testerRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
    expect(world.record.holds).toEqual({
      [`kill-${at}`]: {
        id: `kill-${at}`,
        scope: "service",
        digest: v2.digest,
        at,
        cause: "kill",
        detail: "2.0.0 killed by an SRE at 50 %: customers call",
        response: "disable",
        targetPercent: 0,
        attempt: 1,
      },
    });
    expect(world.cloud.pages.map((page) => [page.severity, page.summary])).toEqual([
      ["critical", "checkout: KILLED, 2.0.0 killed by an SRE at 50 %: customers call"],
    ]);
    expect(world.record.outbox).toEqual([]);
  });

  it("shuts an opening under way at once, though nothing of it was committed [B4]", async () => {
    const world = new World();
    await world.must(world.up({ canary: v2 }));
    await world.reconcile();
    await world.up({ canary: v2, wavePercent: 10 }, { dies: "commit" });
    expect(world.live(v2)).toBe(10);
    await world.kill();
    expect(world.live(v2)).toBe(0);
    expect(world.record.lease).toBeUndefined();
  });

  it("lowers though the record cannot be written, and then says so [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    const ports = world.cloud.ports("person", async (call) => {
      if (call === "write record before") throw new Error("table throttled");
    });
    await expect(kill(ports, "checkout", said)).rejects.toThrow(/^table throttled$/);
    expect(world.live(v2)).toBe(0);
  });

  it("names both where neither the record nor the rules can be written [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    const ports = world.cloud.ports("person", async (call) => {
      if (call === "write record before") throw new Error("table throttled");
      if (call === "write rule before") throw new Error("rule locked");
    });
    await expect(kill(ports, "checkout", said)).rejects.toThrow(/^table throttled; rule locked$/);
  });

  it("tries again when the hook wrote the record meanwhile [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    let conflicts = 0;
    const ports = world.cloud.ports("person", async (call) => {
      if (call !== "write record before" || conflicts >= 2) return;
      conflicts += 1;
      world.cloud.records.set("checkout", JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
    });
    await kill(ports, "checkout", said);
    expect(world.live(v2)).toBe(0);
  });

  it("lowers though the hook wrote the record three times meanwhile, and says so; nothing raises it again [B4, A4]", async () => {
    const world = await new World().rolledOutTo(50);
    const before = world.cloud.ruleWrites.length;
    const { attempts, ports } = alwaysOvertaken(world);
    const failure = await kill(ports, "checkout", said).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RevisionConflictError);
    expect([attempts(), world.live(v2), world.record.canary?.exposurePercent]).toEqual([3, 0, 50]);
    expect(world.cloud.rules.get(testerRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
    world.cloud.nowMs += minute;
    await world.reconcile();
    expect(Object.values(world.record.holds).map((hold) => [hold.cause, hold.detail])).toEqual([
      ["unexplained-lowering", "live is at 0 %, the record says 50 %, and nobody said why"],
    ]);
    expect(world.record.canary?.exposurePercent).toBe(0);
    await world.wait(3);
    const written = world.cloud.ruleWrites.slice(before).map(({ weights }) => weights);
    expect(written).toEqual(written.map(() => ({ [groupArn(v1)]: 100 })));
    expect(world.live(v2)).toBe(0);
  });

  it("needs no second hold where what overtook it was the hook's own lowering [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(25);
    const { ports } = alwaysOvertaken(world);
    await expect(kill(ports, "checkout", said)).rejects.toBeInstanceOf(RevisionConflictError);
    world.cloud.nowMs += minute;
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.exposurePercent]).toEqual([0, 0]);
    expect(Object.values(world.record.holds).map((hold) => hold.cause)).toEqual(["breach"]);
  });

  it("pauses nothing after three such conflicts: only traffic does not wait for the record [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    const before = world.cloud.ruleWrites.length;
    const { attempts, ports } = alwaysOvertaken(world);
    await expect(pause(ports, "checkout", said)).rejects.toBeInstanceOf(RevisionConflictError);
    expect([attempts(), world.cloud.ruleWrites.length, world.record.paused]).toEqual([3, before, undefined]);
  });

  it("succeeds though the testers' rule was deleted: history, page and answer as ever [B4, B6]", async () => {
    const world = await new World().rolledOutTo(50);
    world.cloud.rules.delete(testerRule);
    expect(await kill(withoutUpserts(world), "checkout", said)).toBe("2.0.0 killed by an SRE at 50 %: customers call");
    expect([world.live(v2), world.cloud.rules.has(testerRule), world.record.outbox]).toEqual([0, false, []]);
    expect(world.cloud.pages.map((page) => page.summary)).toEqual([
      "checkout: KILLED, 2.0.0 killed by an SRE at 50 %: customers call",
    ]);
    expect(world.cloud.history.slice(-2).map((entry) => entry.kind)).toEqual(["rollback", "hold"]);
  });

  it("is done when only the clearing of its page meets somebody else's write [B6]", async () => {
    const world = await new World().rolledOutTo(50);
    const ports = world.cloud.ports("person", async (call) => {
      if (call === "page after")
        world.cloud.records.set("checkout", JSON.stringify({ ...world.record, revision: world.record.revision + 1 }));
    });
    await kill(ports, "checkout", said);
    await world.reconcile();
    expect(world.cloud.pages.map((page) => page.id)).toEqual([
      expect.stringMatching(/^kill-/),
      expect.stringMatching(/^kill-/),
    ]);
    expect(world.record.outbox).toEqual([]);
  });

  it("goes back to the previous release inside the rollback window, and has nothing to do outside it [B12]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    expect(await refusal(world.kill())).toBe("done: 2.0.0 killed by an SRE at 100 %: customers call");
    expect([world.live(v1), world.live(v2), world.record.baseline]).toEqual([100, 0, v1.digest]);
    const alone = new World();
    await alone.must(alone.up());
    expect(await refusal(alone.kill())).toBe(
      "checkout: kill: there is no canary and no previous release to go back to",
    );
  });

  it("has traffic off after three calls in a row and knows it after four, however many rules there are [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    const more = ["arn:rule/b-main", "arn:rule/c-main"].map((arn) => ({ arn, role: "main" as const }));
    for (const { arn } of more) world.cloud.rules.set(arn, { weights: { [groupArn(v1)]: 1, [groupArn(v2)]: 1 } });
    world.cloud.records.set("checkout", JSON.stringify({ ...world.record, rules: [...world.record.rules, ...more] }));
    const time = new VirtualTime(0);
    let offAt: number | undefined;
    let readBackAt: number | undefined;
    const isOff = () => [...world.cloud.rules.values()].every(({ weights }) => weights[groupArn(v2)] === undefined);
    const ports = world.cloud.ports("person", async (call) => {
      if (call.endsWith("before")) await time.sleep(1);
      else if (offAt === undefined && isOff()) offAt = time.now();
      if (call === "rules after") readBackAt ??= time.now();
    });
    await time.run(() => kill(ports, "checkout", said));
    expect([offAt, readBackAt]).toEqual([3, 4]);
  });

  it("means the canary that merely is being opened, and the new baseline beside one that is only staged [B4, B12]", async () => {
    const finished = async () => {
      const world = await new World().rolledOutTo(100);
      await world.wait(7 * day);
      await world.must(world.up({ baseline: v2 }));
      await world.must(world.up({ baseline: v2, canary: v3 }));
      await world.reconcile();
      return world;
    };
    const staged = await finished();
    expect(await staged.kill()).toBe("2.0.0 killed by an SRE at 100 %: customers call");
    expect([staged.live(v1), staged.live(v2), staged.record.baseline]).toEqual([100, 0, v1.digest]);
    const opening = await finished();
    const lease = {
      id: "l",
      kind: "opening" as const,
      digest: v3.digest,
      attempt: 1,
      fromPercent: 0,
      toPercent: 10,
      takenBy: "stack-a",
      expiresAt: opening.cloud.nowMs + 600_000,
    };
    opening.cloud.records.set("checkout", JSON.stringify({ ...opening.record, lease }));
    expect(await opening.kill()).toBe("3.0.0 killed by an SRE at 0 %: customers call");
    expect([opening.live(v2), opening.record.baseline, opening.record.lease]).toEqual([100, v2.digest, undefined]);
  });

  it("is one hold and one page when the hook carries it out late, too; somebody else's words are another [B4]", async () => {
    const world = await new World().rolledOutTo(50);
    await kill(world.cloud.ports("person"), "checkout", said);
    world.cloud.nowMs += 5_000;
    expect(await kill(world.cloud.ports("hook"), "checkout", said)).toBe(
      "2.0.0 killed by an SRE at 50 %: customers call",
    );
    expect([Object.keys(world.record.holds).length, world.cloud.pages.length]).toEqual([1, 1]);
    await kill(world.cloud.ports("person"), "checkout", { by: "another SRE", reason: "me too" });
    expect(Object.keys(world.record.holds)).toHaveLength(2);
  });

  it("does not ask whether the receiver is healthy: a person decided [B4, B12]", async () => {
    const world = await new World().rolledOutTo(50);
    world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    await world.kill();
    expect(world.live(v2)).toBe(0);
  });
});

describe("refusals", () => {
  it.each([
    [
      "no record",
      new World(),
      (world: World) => pause(world.cloud.ports("person"), "checkout", said),
      "checkout: no record; nothing to do",
    ],
  ])("refuses without a record: %s", async (_name, world, run, message) => {
    expect(await refusal(run(world))).toBe(message);
  });

  it("refuses by name what makes no sense, and words without a person or a reason [A4, B5]", async () => {
    const world = await new World().rolledOutTo(10);
    const ports = world.cloud.ports("person");
    expect(await refusal(acknowledge(ports, "checkout", said))).toBe("checkout: acknowledge: no hold stands");
    expect(await refusal(resume(ports, "checkout", said))).toBe("checkout: resume: not paused");
    expect(await refusal(pause(ports, "checkout", said))).toBe("done: openings are paused");
    expect(await refusal(pause(ports, "checkout", said))).toBe(
      "checkout: pause: already paused by an SRE (customers call)",
    );
    expect(await refusal(resume(ports, "checkout", said))).toBe("done: openings are possible again");
    for (const [name, run] of Object.entries({ acknowledge, pause, resume, kill })) {
      expect(await refusal(run(ports, "checkout", { by: " ", reason: "" }))).toBe(
        `checkout: ${name}: who says so and a reason is missing; both are recorded`,
      );
      expect(await refusal(run(ports, "checkout", { by: "an SRE", reason: "\n" }))).toBe(
        `checkout: ${name}: a reason is missing; both are recorded`,
      );
    }
  });

  it("acknowledges one hold of several by its id, and names those that stand [B5]", async () => {
    const world = await new World(aService()).rolledOutTo(50);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    world.cloud.nowMs += 1_000;
    await world.kill();
    const ids = Object.keys(world.record.holds);
    const ports = world.cloud.ports("person");
    expect(await refusal(acknowledge(ports, "checkout", said, "kill-1"))).toBe(
      `checkout: acknowledge: no standing hold kill-1; standing: ${ids.join(", ")}`,
    );
    expect(await refusal(acknowledge(ports, "checkout", said, ids[0]))).toBe(
      `done: ${ids[0]} acknowledged by an SRE: customers call`,
    );
    expect(Object.values(world.record.holds).map((hold) => hold.acknowledged?.reason)).toEqual([
      "customers call",
      undefined,
    ]);
  });
});
