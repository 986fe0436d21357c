/**
 * No stickiness of a target group's own where weights decide. Application cookies do not work with weighted target groups at all, and
 * ELBv2 asks for stickiness in the action, which beats the weights, as soon as one of its groups has any.
 * Source: "Sticky sessions for your Application Load Balancer", ALB user guide, 2023-06.
 */
import type { StackValidationPolicy } from "@pulumi/policy";
import { at, flagAt, known, textAt, unknown } from "../known.ts";
import { forwardsOf, groupsWithWeights, isUntold, untoldFinding } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

export const groupStickinessWithWeights: StackValidationPolicy = {
  name: "group-stickiness-with-weights",
  description:
    "A target group in an action with several groups has no stickiness of its own, by application cookie least of all.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["alb", "stickiness", "weights"],
  remediationSteps:
    "Set the target group's `stickiness.enabled` to false. To keep clients on a release use the stickiness of the forward action, which can be bounded and turned off.",
  url: referenceUrl("group-stickiness-with-weights"),
  validateStack: ({ resources }, report) => {
    for (const rule of resources) {
      for (const forward of forwardsOf(rule.type, known(rule.props))) {
        if (isUntold(rule, forward)) report(message(untoldFinding(rule, forward)), rule.urn);
      }
    }
    for (const { group, rule, splits } of groupsWithWeights(resources)) {
      const props = known(group.props);
      // A block that does not say `enabled` is on: the provider's default.
      if (at(props, "stickiness") === undefined || (flagAt(props, "stickiness", "enabled") ?? true) !== true) continue;
      const type = textAt(props, "stickiness", "type");
      report(
        message({
          name: group.name,
          wrong: `has stickiness of its own, and ${rule.name} ${splits} traffic by weight between it and others`,
          got: type === unknown || type === undefined ? "stickiness" : type,
          expected: "none on a target group with weights: a cookie beats a weight",
          wayOut: "Set its stickiness.enabled to false",
        }),
        group.urn,
      );
    }
  },
};
