/** What the watchman's tests look at: a service whose hook is gone, and what it left. */
import type { Response } from "../../core/objectives.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { watch } from "../../hooks/watchman.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { aService, groupArn, mainRule, v1, v2, World } from "./world.ts";

export const errorRate = "error-rate/critical";
export const minute = 60_000;

/** The hook is gone from here on; only its last heartbeat and record are left. */
export async function lookedAfter(world: World, minutes: number, { isHookAlive = true } = {}): Promise<string[]> {
  world.cloud.nowMs += minutes * minute;
  // A drill that came through just now; tests of the drill set their own.
  world.cloud.drill = { armedAt: world.cloud.nowMs };
  if (isHookAlive) world.cloud.heartbeats.set("checkout", world.cloud.nowMs);
  return (await watch(world.cloud.ports("watchman"))).map((finding) => finding.summary);
}

/** A standing alarm that nobody has lowered for. */
export async function exposed(service = aService(), key = errorRate): Promise<World> {
  const world = await new World(service).rolledOutTo(25);
  world.alarm(v2, key, "ALARM");
  world.cloud.drill = { armedAt: world.cloud.nowMs };
  return world;
}

/** A moment after the canary became the baseline: the previous release is kept for a day. */
export async function finished(): Promise<World> {
  const world = await new World().rolledOutTo(100);
  await world.wait(7 * 24 * 60);
  await world.must(world.up({ baseline: v2 }));
  return world;
}

/** Somebody writes the main rule by hand. */
export function backTo25(world: World): void {
  world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 75, [groupArn(v2)]: 25 } });
}

/** A service whose only objective answers like this. */
export function thatResponds(response: Response, mode: "act" | "observe" = "act"): ServiceConfig {
  return aService({
    objectives: [{ name: "error-rate", indicator: "error-rate", mode, critical: { value: 5, response } }],
  });
}

/** Writes something into the record, past everything. */
export function change(world: World, changed: Partial<RolloutRecord>): void {
  world.cloud.records.set("checkout", JSON.stringify({ ...world.record, ...changed }));
}
