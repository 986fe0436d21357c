/**
 * A release reaches an environment through the one below it. The program's own gate asks that too; this policy holds where somebody takes
 * the ladder out of the config, or passes the gate by where the team does not allow it.
 *
 * Whether this very `up` opens a first wave is among the component's outputs, so this is a stack policy: it ends `pulumi up` at its preview
 * phase, which `up --skip-preview` does not have.
 */
import type { PolicyConfigSchema, StackValidationPolicy } from "@pulumi/policy";
import { z } from "zod";
import { known } from "../known.ts";
import { serviceType } from "./facts.ts";
import { settings } from "./settings.ts";

interface LadderSettings {
  readonly environments: readonly string[];
  readonly mayOverride: boolean;
}

const configSchema: PolicyConfigSchema = {
  properties: {
    environments: {
      type: "array",
      default: [],
      description:
        "Environments that must stand on another one, such as production: there no first wave opens without a ladder.",
      items: { type: "string", minLength: 1 },
    },
    mayOverride: {
      type: "boolean",
      default: true,
      description: "Whether an overrideReason lets a release in that did not finish below. false: nothing does.",
    },
  },
};

const outputs = z.object({
  step: z.string(),
  fromPercent: z.number(),
  environment: z.string(),
  ladder: z.object({ below: z.string(), isClimbed: z.boolean() }).optional(),
  overrideReason: z.string().optional(),
});

export const releaseClimbsTheLadder: StackValidationPolicy = {
  name: "rollout-release-climbs-the-ladder",
  displayName: "A release comes from the environment below",
  description:
    "A first wave opens only for a release that finished its rollout in the environment below; environments named in the settings stand on one.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-release-climbs-the-ladder",
  remediationSteps:
    "Finish the release in the environment below and run `pulumi up` there; set `tidegate:ladder: { below: <stack> }` where it is missing. An emergency gives the service an overrideReason, where the settings allow it. This is a stack policy: do not run `up --skip-preview`.",
  configSchema,
  validateStack: (args, report) => {
    const { environments, mayOverride } = settings<LadderSettings>(args, configSchema);
    for (const service of args.resources.filter(({ type }) => type === serviceType)) {
      const read = outputs.safeParse(known(service.props));
      if (!read.success) {
        report(
          `${service.name}: cannot be judged by the ladder, got nothing readable in ${fieldsOf(read.error)}; expected what ProgressiveService declares. ` +
            "Use program and policies of one version",
          service.urn,
        );
        continue;
      }
      const { step, fromPercent, environment, ladder, overrideReason } = read.data;
      if (step !== "opening" || fromPercent > 0) continue;
      if (!ladder && environments.includes(environment)) {
        report(
          `${service.name}: opens a first wave in ${environment} without a ladder, got none; expected tidegate:ladder with the stack below. Set it`,
          service.urn,
        );
      }
      if (!ladder || ladder.isClimbed || (mayOverride && overrideReason !== undefined)) continue;
      report(
        `${service.name}: opens a first wave though its release did not climb the ladder, got no healthy finish in ${ladder.below}; expected one. ` +
          (mayOverride ? "Finish it there, or say overrideReason" : "Finish it there: no override is allowed"),
        service.urn,
      );
    }
  },
};

function fieldsOf(error: z.ZodError): string {
  return [...new Set(error.issues.map(({ path }) => path.map(String).join(".")))].join(", ");
}
