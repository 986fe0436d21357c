/** The world of one service whose baseline has a control. */
import { aService, v1, v2, World } from "./world.ts";

export function aControlWorld(change: Parameters<typeof aService>[0] = {}): World {
  return new World(aService({ control: {}, ...change }));
}

/** Own group of the baseline, control, canary. Unit: percent. */
export function split(world: World): number[] {
  return [world.live(v1), world.liveControl(), world.live(v2)];
}

export function controlArn(world: World): string {
  return world.record.control?.targetGroupArn ?? "no control";
}
