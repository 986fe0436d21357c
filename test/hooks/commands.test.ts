/** Commands of people through the ports: they hold against the hook working at the same time, and against a broken table. */
import { describe, expect, it } from "vitest";
import { acknowledge, CommandRefusedError, kill, pause, resume } from "../../hooks/commands.ts";
import { aService, groupArn, mainRule, testerRule, v1, v2, World } from "../helpers/world.ts";

const said = { by: "an SRE", reason: "customers call" };
const day = 24 * 60;

function refusal(run: Promise<string>): Promise<string> {
  return run.then(
    (message) => `done: ${message}`,
    (error: unknown) => {
      if (error instanceof CommandRefusedError) return error.message;
      throw error;
    },
  );
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
