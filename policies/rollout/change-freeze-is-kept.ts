/**
 * No canary rises in a change freeze; lowering, and everything that moves no traffic, goes through.
 *
 * Whether this very `up` raises is among the component's outputs, so this is a stack policy: it ends `pulumi up` at its preview phase.
 * `up --skip-preview` has no such phase and would raise before this policy is asked; so would a freeze that begins in between.
 */
import type { PolicyConfigSchema, StackValidationPolicy } from "@pulumi/policy";
import { readFreezes } from "../../core/freeze-calendar.ts";
import { raises, serviceType } from "./facts.ts";
import { settings } from "./settings.ts";

interface FreezeSettings {
  readonly windows: unknown;
}

const configSchema: PolicyConfigSchema = {
  properties: {
    windows: {
      type: "array",
      default: [],
      description:
        'Freezes, each { name, timeZone, from, to }: local times of the zone, once (2026-12-18T16:00) or every week (Fri 16:00). The zone is an IANA name. "from" is frozen, "to" no longer. What is in doubt when clocks change is frozen.',
      items: {
        type: "object",
        required: ["name", "timeZone", "from", "to"],
        additionalProperties: false,
        properties: {
          name: { type: "string", minLength: 1 },
          timeZone: { type: "string", minLength: 1 },
          from: { type: "string", minLength: 1 },
          to: { type: "string", minLength: 1 },
        },
      },
    },
  },
};

/** @param now the clock; the real one outside of tests */
export function changeFreezeIsKeptAt(now: () => Date): StackValidationPolicy {
  return {
    name: "rollout-change-freeze-is-kept",
    displayName: "Nothing rises in a change freeze",
    description: "In a change freeze no canary rises and no baseline is replaced; lowering and idle ups go through.",
    enforcementLevel: "mandatory",
    severity: "high",
    tags: ["rollout", "tidegate"],
    url: "docs/policies.md#rollout-change-freeze-is-kept",
    remediationSteps:
      "Open the wave when the freeze is over: leave the service's wave as it is until then. An emergency takes the window out of the policy configuration, in a reviewed change. This is a stack policy: do not run `up --skip-preview`.",
    configSchema,
    validateStack: (args, report) => {
      const freezes = readFreezes(settings<FreezeSettings>(args, configSchema).windows);
      for (const problem of freezes.problems) {
        report(`policy configuration of rollout-change-freeze-is-kept: ${problem}`);
      }
      if (freezes.problems.length > 0) return;
      const [freeze] = freezes.activeAt(now());
      if (!freeze) return;
      for (const service of args.resources.filter(({ type }) => type === serviceType)) {
        const rising = raises(service);
        if (rising === false) continue;
        const text = rising
          ? `rises in the change freeze ${freeze.name}, got a raise before ${freeze.endsAt}; expected none until then. Leave the wave as it is`
          : `cannot be judged in the change freeze ${freeze.name}, got nothing readable in step, fromPercent or exposurePercent; expected ` +
            "the outputs of ProgressiveService. Use program and policies of one version";
        report(`${service.name}: ${text}`, service.urn);
      }
    },
  };
}

export const changeFreezeIsKept = changeFreezeIsKeptAt(() => new Date());
