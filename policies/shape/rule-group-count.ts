/** ELBv2 takes five target groups in one action and no sixth; without this the sixth fails in the middle of an `up`. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, unknown } from "../known.ts";
import { forwardsOf } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

/** Not adjustable. Source: "Quotas for your Application Load Balancers", ALB user guide, read 2026-11. */
const maximumGroups = 5;

export const ruleGroupCount: ResourceValidationPolicy = {
  name: "rule-group-count",
  description: "A forward action has at most five target groups.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["alb", "quota"],
  remediationSteps: "Take target groups that have no traffic out of the action, or split the requests over two rules.",
  url: referenceUrl("rule-group-count"),
  validateResource: (args, report) => {
    for (const { path, groups } of forwardsOf(args.type, known(args.props))) {
      if (groups === unknown || groups.length <= maximumGroups) continue;
      report(
        message({
          name: args.name,
          wrong: `too many target groups in ${path}`,
          got: String(groups.length),
          expected: `at most ${maximumGroups}, which no quota request raises`,
          wayOut: "Take out the groups that have no traffic",
        }),
      );
    }
  },
};
