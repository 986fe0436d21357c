/** Who passes the gate by says why: the reason is what the record and the post-mortem have of it. */
import type { PolicyConfigSchema, ResourceValidationPolicy } from "@pulumi/policy";
import { everyService } from "./facts.ts";
import { settings } from "./settings.ts";

interface ReasonSettings {
  readonly minimumLength: number;
  readonly pattern?: string;
}

const configSchema: PolicyConfigSchema = {
  properties: {
    minimumLength: {
      type: "integer",
      minimum: 1,
      default: 10,
      description: "Least length of a reason, in characters without the spaces around it.",
    },
    pattern: {
      type: "string",
      description: "Regular expression that a reason must contain, such as a ticket: [A-Z]+-[0-9]+. Default: none.",
    },
  },
};

export const overrideNamesItsReason: ResourceValidationPolicy = {
  name: "rollout-override-names-its-reason",
  displayName: "An override needs a reason",
  description:
    "The reasons of an override and of a replaced baseline are long enough to say something, and name what the team asks for.",
  enforcementLevel: "mandatory",
  severity: "medium",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-override-names-its-reason",
  remediationSteps:
    "Write why the gate is passed by, in words that somebody understands a year later, with what the pattern asks for; or leave the override out.",
  configSchema,
  validateResource: everyService(["overrideReason", "replaceBaselineReason"], (reasons, args, report) => {
    const { minimumLength, pattern } = settings<ReasonSettings>(args, configSchema);
    const asked = pattern === undefined ? undefined : compiled(pattern);
    if (asked === "broken") {
      report(
        `${args.name}: the policy's own setting pattern is no regular expression, got ${JSON.stringify(pattern)}; expected one such as ` +
          "[A-Z]+-[0-9]+. Mend the policy configuration",
      );
      return;
    }
    for (const [field, reason] of Object.entries(reasons)) {
      if (reason === undefined) continue;
      const got = `got ${JSON.stringify(reason)}`;
      if (reason.trim().length < minimumLength) {
        report(
          `${args.name}: ${field} says too little, ${got}; expected at least ${minimumLength} characters. Write why it is safe`,
        );
      } else if (asked && !asked.test(reason)) {
        report(
          `${args.name}: ${field} does not name what it must, ${got}; expected a text with ${pattern}. Name it in the reason`,
        );
      }
    }
  }),
};

function compiled(pattern: string): RegExp | "broken" {
  try {
    return new RegExp(pattern);
  } catch {
    return "broken";
  }
}
