/**
 * Weights that mean what they say. An action whose weights are all 0 has nowhere to send a request to: what ELBv2 then does is not
 * documented. Weights are relative, so ones that do not sum as declared quietly send another share than the number says.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, settingsOf, unknown } from "../known.ts";
import { type Forward, forwardsOf, tagOf } from "../props-alb.ts";
import { type Finding, message, referenceUrl } from "../props-message.ts";

interface Settings {
  /** Sum that rules and listeners of other programs keep to; 0: not looked at. Tidegate's main rules always keep to 100. */
  readonly sumTo: number;
}

const defaults: Settings = { sumTo: 0 };

/** ELBv2's own range. Source: botocore elbv2 TargetGroupTuple.Weight, read 2026-08. */
const maximumWeight = 999;

function problemsOf({ path, groups }: Forward, sumTo: number): Omit<Finding, "name">[] {
  if (groups === unknown || groups.length === 0) return [];
  const problems = groups.flatMap(({ weight }, index): Omit<Finding, "name">[] =>
    weight === unknown || (Number.isInteger(weight) && weight >= 0 && weight <= maximumWeight)
      ? []
      : [
          {
            wrong: `${path}.forward.targetGroups[${index}].weight is no weight`,
            got: String(weight),
            expected: `a whole number from 0 to ${maximumWeight}`,
            wayOut: "Write the share in percent",
          },
        ],
  );
  const weights = groups.map(({ weight }) => weight);
  // A sum of what is only partly known says nothing, and one over what is no weight is already spoken of.
  if (problems.length > 0 || weights.includes(unknown)) return problems;
  const got = weights.map(String).join(", ");
  const sum = weights.reduce<number>((total, weight) => total + (weight === unknown ? 0 : weight), 0);
  if (sum === 0) {
    return [
      {
        wrong: `every weight in ${path} is 0`,
        got,
        expected: "at least one weight above 0",
        wayOut: "Give the release that is to have the traffic a weight of 100",
      },
    ];
  }
  if (sumTo > 0 && sum !== sumTo) {
    return [
      {
        wrong: `the weights in ${path} do not sum as declared`,
        got: `${got} (sum ${sum})`,
        expected: `a sum of ${sumTo}`,
        wayOut: `Change a weight by ${sumTo - sum}`,
      },
    ];
  }
  return [];
}

export const ruleWeights: ResourceValidationPolicy = {
  name: "rule-weights",
  description: "The weights of a forward action are never all 0, and sum as declared.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["alb", "weights"],
  remediationSteps:
    "Give at least one target group of the action a weight above 0. Tidegate's main rules sum to 100; for other rules set `sumTo`, or 0 to leave the sum alone.",
  url: referenceUrl("rule-weights"),
  configSchema: {
    properties: {
      sumTo: {
        type: "integer",
        minimum: 0,
        maximum: 4_995,
        default: defaults.sumTo,
        description:
          "Sum of the weights in every action of rules that are not Tidegate's main rules; 0: not looked at.",
      },
    },
  },
  validateResource: (args, report) => {
    const { sumTo } = settingsOf(args, defaults);
    const props = known(args.props);
    const declared = tagOf(props, "tidegate:role") === "main" ? 100 : sumTo;
    for (const forward of forwardsOf(args.type, props)) {
      // One group by its ARN has all the traffic, whatever a sum would say.
      if (!forward.weighted) continue;
      for (const problem of problemsOf(forward, declared)) report(message({ name: args.name, ...problem }));
    }
  },
};
