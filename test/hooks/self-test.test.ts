/** What a new version proves before the alias moves to it, with patience for a role that was made just now. */
import { describe, expect, it } from "vitest";
import { SelfTestFailedError, selfTest } from "../../hooks/self-test.ts";
import { World } from "../helpers/world.ts";

describe("the self-test", () => {
  it("tries every kind of read that a rollback needs, arms the drill, and changes nothing else", async () => {
    const world = await new World().rolledOutTo(10);
    const written = world.cloud.recordWrites.length;
    const calls = new Set<string>();
    const ports = world.cloud.ports("hook", async (call) => void calls.add(call.replace(/ (before|after)$/, "")));
    expect(await selfTest(ports, { account: async () => {} })).toBe(
      "self-test passed: records, alarms, metrics, rules, hosts, drill, account",
    );
    expect([...calls].sort()).toEqual([
      "alarms",
      "health",
      "list",
      "metrics",
      "read drill",
      "read record",
      "rules",
      "write drill",
    ]);
    expect(world.cloud.drill).toEqual({ armedAt: world.cloud.nowMs });
    expect([world.cloud.recordWrites.length, world.cloud.messages]).toEqual([written, []]);
  });

  it("passes in an environment that has no service yet", async () => {
    const world = new World();
    expect(await selfTest(world.cloud.ports("hook"))).toBe(
      "self-test passed: records, alarms, metrics, rules, hosts, drill",
    );
  });

  it("waits for a role that is refused for a while: IAM is eventually consistent", async () => {
    const world = new World();
    const start = world.cloud.nowMs;
    const ports = world.cloud.ports("hook", async (call) => {
      if (call === "alarms before" && world.cloud.nowMs < start + 36_000) throw new Error("AccessDenied");
    });
    await selfTest(ports);
    expect(world.cloud.nowMs).toBe(start + 36_000);
  });

  it("gives up after 40 s, and names every check that still fails, not those that came right", async () => {
    const world = new World();
    const start = world.cloud.nowMs;
    let tries = 0;
    const ports = world.cloud.ports("hook", async (call) => {
      if (call === "list before" && tries++ === 0) throw new Error("AccessDenied: Query");
      if (call === "read drill before") throw new Error("AccessDenied: GetItem");
    });
    const failure = await selfTest(ports, {
      secrets: () => Promise.reject(new Error("no routing key")),
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SelfTestFailedError);
    expect((failure as Error).message).toBe(
      "self-test: 2 check(s) failed, so the alias stays on the version before:\n  drill: AccessDenied: GetItem\n  secrets: no routing key",
    );
    expect(world.cloud.nowMs).toBe(start + 40_000);
  });

  it("fails on a record that this version cannot read: it could lower nothing of it [B11]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.recordFailure = new Error("record of checkout: schema 2; expected 1");
    await expect(selfTest(world.cloud.ports("hook"))).rejects.toThrow(
      "self-test: 2 check(s) failed, so the alias stays on the version before:\n  rules: record of checkout: schema 2; expected 1\n  hosts: record",
    );
  });
});
