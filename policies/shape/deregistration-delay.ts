/** A target that leaves may finish its requests, and does not hold up a deployment for an hour. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, numberAt, settingsOf, textAt, unknown } from "../known.ts";
import { isApplicationGroup } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly minimumSeconds: number;
  readonly maximumSeconds: number;
}

/** At 0 every deployment cuts requests off; the load balancer's own default is 300. */
const defaults: Settings = { minimumSeconds: 5, maximumSeconds: 900 };

export const deregistrationDelay: ResourceValidationPolicy = {
  name: "deregistration-delay",
  description: "A target that leaves has time to finish its requests, within bounds.",
  enforcementLevel: "mandatory",
  severity: "medium",
  tags: ["alb", "deployment"],
  remediationSteps:
    "Set deregistrationDelay to a little more than the longest request takes, or leave it out for the default of 300 seconds.",
  url: referenceUrl("deregistration-delay"),
  configSchema: {
    properties: {
      minimumSeconds: {
        type: "integer",
        minimum: 0,
        maximum: 3_600,
        default: defaults.minimumSeconds,
        description: "Shortest time that a leaving target has for its requests, in seconds.",
      },
      maximumSeconds: {
        type: "integer",
        minimum: 0,
        maximum: 3_600,
        default: defaults.maximumSeconds,
        description: "Longest time that a leaving target has for its requests, in seconds.",
      },
    },
  },
  validateResource: (args, report) => {
    const props = known(args.props);
    // Functions have no such attribute.
    if (!isApplicationGroup(args.type, props) || textAt(props, "targetType") === "lambda") return;
    const { minimumSeconds, maximumSeconds } = settingsOf(args, defaults);
    const seconds = numberAt(props, "deregistrationDelay");
    if (seconds === undefined || seconds === unknown) return;
    if (Number.isInteger(seconds) && seconds >= minimumSeconds && seconds <= maximumSeconds) return;
    report(
      message({
        name: args.name,
        wrong: "deregistrationDelay is out of bounds",
        got: `${seconds} seconds`,
        expected: `${minimumSeconds} to ${maximumSeconds} seconds`,
        wayOut: "Set it to a little more than the longest request takes",
      }),
    );
  },
};
