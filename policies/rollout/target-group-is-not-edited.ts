/** What changes under a canary that has traffic is a second experiment: its breach would not say which of the two it was. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { everyService } from "./facts.ts";

export const targetGroupIsNotEdited: ResourceValidationPolicy = {
  name: "rollout-target-group-is-not-edited",
  displayName: "Target groups rest during a rollout",
  description: "The settings of a service's target groups do not change while its canary has traffic.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-target-group-is-not-edited",
  remediationSteps:
    "Put the target group's settings back and change them once the rollout is finished, or in the up that takes the canary to 0.",
  validateResource: everyService(
    ["baseline", "canary", "targetGroup", "recorded"],
    ({ baseline, canary, targetGroup, recorded }, { name }, report) => {
      // Adopted groups keep their own settings, and these are for those that the program makes.
      if (!recorded?.targetGroup || (baseline.adopted && canary?.adopted)) return;
      const before = recorded.targetGroup;
      const names = [...new Set([...Object.keys(before), ...Object.keys(targetGroup)])].sort();
      const changed = names.filter((key) => before[key] !== targetGroup[key]);
      if (changed.length === 0) return;
      const told = changed.map((key) => `${key} ${targetGroup[key] ?? "none"} after ${before[key] ?? "none"}`);
      report(
        `${name}: target groups are edited while the canary has traffic, got ${told.join(", ")}; expected no change. Change them when the ` +
          "rollout is over",
      );
    },
  ),
};
