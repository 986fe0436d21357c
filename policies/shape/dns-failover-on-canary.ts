/**
 * A canary must not take a zone away from everybody. The DNS failover thresholds of a target group count for the whole load balancer:
 * where a canary has too few healthy targets in a zone, the zone leaves DNS and the stable release loses it, too.
 * Source: "Health checks for Application Load Balancer target groups", ALB user guide, 2023-06; the conclusion is ours.
 */
import type { StackValidationPolicy } from "@pulumi/policy";
import { known, numberAt, settingsOf, textAt, unknown } from "../known.ts";
import { groupsWithWeights } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly maximumHealthyTargets: number;
}

/** What ELBv2 has by itself. */
const defaults: Settings = { maximumHealthyTargets: 1 };

const block = "targetGroupHealth.dnsFailover";

export const dnsFailoverOnCanary: StackValidationPolicy = {
  name: "dns-failover-on-canary",
  description:
    "A target group that shares traffic by weight sets no DNS failover threshold: it would count for all of the load balancer.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["alb", "dns-failover", "weights"],
  remediationSteps:
    "Take targetGroupHealth.dnsFailover out of the target group, or set minimumHealthyTargetsCount to 1 or off and minimumHealthyTargetsPercentage to off.",
  url: referenceUrl("dns-failover-on-canary"),
  configSchema: {
    properties: {
      maximumHealthyTargets: {
        type: "integer",
        minimum: 1,
        maximum: 1_000,
        default: defaults.maximumHealthyTargets,
        description: "Highest minimumHealthyTargetsCount of DNS failover on a group with weights, in targets.",
      },
    },
  },
  validateStack: (args, report) => {
    const { maximumHealthyTargets } = settingsOf(args, defaults);
    for (const { group, rule, splits } of groupsWithWeights(args.resources)) {
      const props = known(group.props);
      const path = ["targetGroupHealth", "dnsFailover"];
      const tell = (field: string, got: string, expected: string): void =>
        report(
          message({
            name: group.name,
            wrong: `${block}.${field} may take a zone away from every group of the load balancer, and ${rule.name} ${splits} traffic to it by weight`,
            got,
            expected,
            wayOut: `Take ${block} out`,
          }),
          group.urn,
        );
      const percentage = textAt(props, ...path, "minimumHealthyTargetsPercentage");
      if (typeof percentage === "string" && percentage !== "off" && percentage !== "") {
        tell("minimumHealthyTargetsPercentage", `${percentage} percent`, "off");
      }
      const count = textAt(props, ...path, "minimumHealthyTargetsCount");
      const targets = numberAt(props, ...path, "minimumHealthyTargetsCount");
      if (count === "off" || targets === undefined || targets === unknown) continue;
      if (targets <= maximumHealthyTargets) continue;
      tell("minimumHealthyTargetsCount", String(count), `off, or at most ${maximumHealthyTargets}`);
    }
  },
};
