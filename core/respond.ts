/** What a response makes of an exposure (B2). No response ever raises it. */
import type { Response } from "./objectives.ts";
import { type Plan, previousExposure } from "./plans.ts";

/** `halve` and `floor` do not go under this; only `disable` and `previous-wave` do. Unit: percent. Source: seed 000. */
export const floorPercent = 10;

/**
 * The exposure a response aims at.
 * @param exposurePercent the exposure at the start of the breach, or at a second step the committed one
 */
export function targetOf(response: Response, exposurePercent: number, plan: Plan): number {
  switch (response) {
    case "disable":
      return 0;
    case "halve":
      return Math.min(exposurePercent, Math.max(floorPercent, Math.floor(exposurePercent / 2)));
    case "previous-wave":
      return previousExposure(plan, exposurePercent);
    case "floor":
      return Math.min(exposurePercent, floorPercent);
    case "freeze":
    case "notify":
      return exposurePercent;
  }
}
