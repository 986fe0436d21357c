/**
 * Slow start as ELBv2 takes it: off, or 30 to 900 seconds, for hosts and not for functions, and not together with the algorithm that
 * sends requests to whoever has fewest. Source: "Edit target group attributes", ALB user guide, read 2026-11.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, numberAt, textAt, unknown } from "../known.ts";
import { isApplicationGroup } from "../props-alb.ts";
import { type Finding, message, referenceUrl } from "../props-message.ts";

const [minimumSeconds, maximumSeconds] = [30, 900];

export const slowStart: ResourceValidationPolicy = {
  name: "slow-start",
  description: "Slow start is off or 30 to 900 seconds, and only where the load balancer honours it.",
  enforcementLevel: "mandatory",
  severity: "medium",
  tags: ["alb", "slow-start"],
  remediationSteps:
    "Set slowStart to 0 or to 30 to 900 seconds; with it use loadBalancingAlgorithmType round_robin, and targets that are no functions.",
  url: referenceUrl("slow-start"),
  validateResource: (args, report) => {
    const props = known(args.props);
    if (!isApplicationGroup(args.type, props)) return;
    const seconds = numberAt(props, "slowStart");
    if (seconds === undefined || seconds === unknown || seconds === 0) return;
    const tell = (finding: Omit<Finding, "name">): void => report(message({ name: args.name, ...finding }));
    if (!(Number.isInteger(seconds) && seconds >= minimumSeconds && seconds <= maximumSeconds)) {
      tell({
        wrong: "slowStart is out of bounds",
        got: `${seconds} seconds`,
        expected: `0, or ${minimumSeconds} to ${maximumSeconds} seconds`,
        wayOut: "Set slowStart to 0, or to the time that a new target needs to warm up",
      });
      return;
    }
    if (textAt(props, "loadBalancingAlgorithmType") === "least_outstanding_requests") {
      tell({
        wrong: "slow start does not go together with its routing algorithm",
        got: `slowStart ${seconds} with least_outstanding_requests`,
        expected: "round_robin, or slowStart 0",
        wayOut: "Set slowStart to 0",
      });
    }
    if (textAt(props, "targetType") === "lambda") {
      tell({
        wrong: "functions have no slow start",
        got: `slowStart ${seconds} with target type lambda`,
        expected: "slowStart 0",
        wayOut: "Set slowStart to 0",
      });
    }
  },
};
