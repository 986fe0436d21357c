/**
 * How long a client may be held on a release. A stickiness cookie beats a weight, is renewed by every request and cannot be reset
 * from the server: clients stay on a bad release for that long after its weight went to 0.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, settingsOf, unknown } from "../known.ts";
import { forwardsOf, groupCount } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly maximumSeconds: number;
}

/** An hour: what a team can still wait out by hand after a rollback. */
const defaults: Settings = { maximumSeconds: 3_600 };

export const ruleStickiness: ResourceValidationPolicy = {
  name: "rule-stickiness",
  description: "Stickiness between weighted target groups is bounded, because a cookie beats a weight.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["alb", "stickiness", "weights"],
  remediationSteps:
    "Shorten `forward.stickiness.duration`, or turn it off. A longer one needs `maximumSeconds`: the time that clients may stay on a bad release.",
  url: referenceUrl("rule-stickiness"),
  configSchema: {
    properties: {
      maximumSeconds: {
        type: "integer",
        minimum: 1,
        maximum: 604_800,
        default: defaults.maximumSeconds,
        description: "Longest stickiness between weighted target groups, in seconds.",
      },
    },
  },
  validateResource: (args, report) => {
    const { maximumSeconds } = settingsOf(args, defaults);
    for (const forward of forwardsOf(args.type, known(args.props))) {
      const { path, stickinessSeconds } = forward;
      if (stickinessSeconds === undefined || stickinessSeconds === unknown || groupCount(forward) < 2) continue;
      // Written so that what is no number fails too.
      if (stickinessSeconds >= 1 && stickinessSeconds <= maximumSeconds) continue;
      report(
        message({
          name: args.name,
          wrong: `${path}.forward.stickiness holds clients on a release too long`,
          got: Number.isNaN(stickinessSeconds) ? "no duration" : `${stickinessSeconds} seconds`,
          expected: `1 to ${maximumSeconds} seconds`,
          wayOut: "Shorten the duration, or turn stickiness off",
        }),
      );
    }
  },
};
