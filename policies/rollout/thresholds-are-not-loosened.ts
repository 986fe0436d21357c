/**
 * Bounds may be a service's own, but not so wide that nothing ever breaches them: each is held against the presets, which are the
 * documents' own numbers. What "loosened" means, bound by bound, is `loosened.ts`.
 */
import type { PolicyConfigSchema, ResourceValidationPolicy } from "@pulumi/policy";
import { type Objective, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { everyService } from "./facts.ts";
import { loosenedBounds, looseWaves, missingObjectives } from "./loosened.ts";
import { settings } from "./settings.ts";

interface ThresholdSettings {
  readonly maximumFactor: number;
  readonly preset?: (typeof objectivePresetNames)[number];
}

const configSchema: PolicyConfigSchema = {
  properties: {
    maximumFactor: {
      type: "number",
      minimum: 1,
      default: 2,
      description:
        "How many times a preset's bound (of an availability: the errors it leaves room for), window or least count a service's own may be.",
    },
    preset: {
      type: "string",
      enum: [...objectivePresetNames],
      description:
        "The preset that every service is held to, its objectives included. Default: each bound may be as wide as the widest preset allows, and only what all presets bound must be there.",
    },
  },
};

export const thresholdsAreNotLoosened: ResourceValidationPolicy = {
  name: "rollout-thresholds-are-not-loosened",
  displayName: "Thresholds are not loosened",
  description:
    "Bounds, windows and responses of a service's objectives stay within a limit of the presets', and no critical bound is taken out.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-thresholds-are-not-loosened",
  remediationSteps:
    "Tighten the bound, window or count named, give the response back that takes traffic away, or take the objective from the preset. Where the preset itself is wrong for your services, set maximumFactor or preset in the policy configuration, where a review sees it.",
  configSchema,
  validateResource: everyService(["mode", "source", "objectives", "plan"], (facts, args, report) => {
    const { maximumFactor, preset } = settings<ThresholdSettings>(args, configSchema);
    const presets: readonly (readonly Objective[])[] = preset
      ? [objectivePresets[preset]]
      : objectivePresetNames.map((name) => objectivePresets[name]);
    const found = [
      ...missingObjectives(facts.objectives, presets, facts.source),
      ...facts.objectives.flatMap((objective) => loosenedBounds(objective, presets, { ...facts, maximumFactor })),
      ...looseWaves(facts.plan),
    ];
    for (const problem of found) report(`${args.name}: ${problem}`);
  }),
};
