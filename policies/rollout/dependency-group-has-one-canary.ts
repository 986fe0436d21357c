/** Of services that fail together one is changed at a time, or a breach would not say whose release it was. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { everyService } from "./facts.ts";

export const dependencyGroupHasOneCanary: ResourceValidationPolicy = {
  name: "rollout-dependency-group-has-one-canary",
  displayName: "One canary in a dependency group",
  description:
    "A canary does not rise while another service of its dependency group has a canary with traffic, or gets one in the same up.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-dependency-group-has-one-canary",
  remediationSteps:
    "Finish or abandon the other rollout first, or open the two in different ups. Lowering and idle ups go through.",
  validateResource: everyService(
    ["dependencyGroup", "otherCanaries"],
    ({ dependencyGroup, otherCanaries }, { name }, report) => {
      if (otherCanaries.length === 0) return;
      const group = dependencyGroup ?? "of no name";
      report(
        `${name}: rises beside another canary of dependency group ${group}, got ${otherCanaries.join(", ")}; expected one at a time. ` +
          "Finish or abandon the other first",
      );
    },
  ),
};
