/** The first `up` that lets the hook act shows that it acts well; it does not raise at the same time. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { everyService } from "./facts.ts";

export const armingComesBeforeRising: ResourceValidationPolicy = {
  name: "rollout-arming-comes-before-rising",
  displayName: "Observe to act without a raise",
  description: "A service does not go from observe to act in the up that raises its canary.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-arming-comes-before-rising",
  remediationSteps: "Set mode: act and leave the wave as it is, run up, and open the wave in the next up.",
  validateResource: everyService(
    ["mode", "exposurePercent", "openedFromPercent", "armsAndRaises"],
    ({ mode, exposurePercent, openedFromPercent, armsAndRaises }, { name }, report) => {
      if (!armsAndRaises) return;
      report(
        `${name}: goes from observe to ${mode} and rises in one up, got ${exposurePercent} % after ${openedFromPercent} %; expected one of ` +
          "the two. Leave the wave as it is, and open it in the next up",
      );
    },
  ),
};
