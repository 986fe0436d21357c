/** A wave that is over before its faults show was no wave: soaks have a least length, and keep it while a canary has traffic. */
import type { PolicyConfigSchema, ResourceValidationPolicy } from "@pulumi/policy";
import { type Plan, planPresetNames, planPresets } from "../../core/plans.ts";
import { minutesText, shortenedWaves } from "../../core/rollout-facts.ts";
import { everyService } from "./facts.ts";
import { settings } from "./settings.ts";

interface SoakSettings {
  readonly minimumFraction: number;
  readonly minimumMinutes: number;
  readonly minimumMinutesByExposure: Readonly<Record<string, number>>;
}

const configSchema: PolicyConfigSchema = {
  properties: {
    minimumFraction: {
      type: "number",
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: "Least part of the soak that the preset of the plan's name has for the same wave.",
    },
    minimumMinutes: {
      type: "number",
      minimum: 0,
      default: 10,
      description:
        "Least soak of any wave, in minutes. A breach is seen 4 to 5 minutes after its first bad request where the load balancer's metrics are watched.",
    },
    minimumMinutesByExposure: {
      type: "object",
      patternProperties: { "^([1-9][0-9]?|100)$": { type: "number", minimum: 0 } },
      additionalProperties: false,
      default: {},
      description:
        'Least soak in minutes of every wave of at most this exposure, by percent: { "10": 60 } asks an hour of the waves up to 10 %.',
    },
  },
};

export const soakIsNotShortened: ResourceValidationPolicy = {
  name: "rollout-soak-is-not-shortened",
  displayName: "Soaks keep their length",
  description:
    "Every wave soaks for a least time, and while a canary has traffic no soak becomes shorter than the rollout began with.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-soak-is-not-shortened",
  remediationSteps:
    "Lengthen the soak of the waves named, or take the plan's preset without a change. During a rollout put the recorded plan back; a wave that must end early is what overrideReason is for.",
  configSchema,
  validateResource: everyService(["plan", "recorded"], ({ plan, recorded }, args, report) => {
    const limits = settings<SoakSettings>(args, configSchema);
    for (const { exposurePercent, minimumSoakMinutes: soakMinutes } of plan.waves) {
      const least = leastMinutes(plan, exposurePercent, limits);
      if (soakMinutes === null || soakMinutes >= least.minutes) continue;
      report(
        `${args.name}: the soak of wave ${exposurePercent} is too short, got ${soakMinutes} min; expected at least ${least.minutes} min ` +
          `(${least.why}). Lengthen it in the plan`,
      );
    }
    if (!recorded?.plan) return;
    for (const { exposurePercent, what } of shortenedWaves(recorded.plan, plan)) {
      report(
        `${args.name}: wave ${exposurePercent} is shortened while the canary has traffic, got ${what}; expected the plan that the rollout ` +
          "began with. Put it back until the rollout is over",
      );
    }
  }),
};

function leastMinutes(plan: Plan, exposurePercent: number, limits: SoakSettings): { minutes: number; why: string } {
  const asks = [{ minutes: limits.minimumMinutes, why: "minimumMinutes" }];
  const presetName = planPresetNames.find((name) => plan.name === name || plan.name === `${name}, changed`);
  const preset = presetName && planPresets[presetName].waves.find((wave) => wave.exposurePercent === exposurePercent);
  // Endless in the preset: a person ends it there, which any length of one's own is less than.
  if (preset) {
    const minutes = (preset.minimumSoakMinutes ?? 0) * limits.minimumFraction;
    asks.push({
      minutes,
      why: `${limits.minimumFraction} of the ${minutesText(preset.minimumSoakMinutes)} that ${presetName} has`,
    });
  }
  for (const [percent, minutes] of Object.entries(limits.minimumMinutesByExposure)) {
    if (exposurePercent <= Number(percent)) asks.push({ minutes, why: `minimumMinutesByExposure.${percent}` });
  }
  return asks.reduce((most, ask) => (ask.minutes > most.minutes ? ask : most));
}
