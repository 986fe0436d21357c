/** A canary rises one wave of its plan at a time; the lowest traffic that shows a fault is the cheapest. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { exposuresOf, nextWaveAbove } from "../../core/plans.ts";
import { everyService } from "./facts.ts";

export const waveIsNotSkipped: ResourceValidationPolicy = {
  name: "rollout-wave-is-not-skipped",
  displayName: "No wave is skipped",
  description: "A canary rises by one wave of its plan at a time; what was lowered in between may have any share.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-wave-is-not-skipped",
  remediationSteps:
    "Set the service's wave to the next wave of its plan and open the others one `up` at a time. A plan that lost waves while the canary has traffic gets them back, or the canary goes to 0 first.",
  validateResource: everyService(
    ["canary", "exposurePercent", "openedFromPercent", "plan", "recorded"],
    ({ canary, exposurePercent, openedFromPercent, plan, recorded }, { name }, report) => {
      if (!canary || exposurePercent <= openedFromPercent) return;
      // A plan that loses its waves in the `up` that raises would skip them all the same.
      for (const judged of [plan, ...(recorded?.plan ? [recorded.plan] : [])]) {
        const nextPercent = nextWaveAbove(judged, openedFromPercent)?.exposurePercent ?? openedFromPercent;
        if (exposurePercent <= nextPercent) continue;
        const whose = judged === plan ? "the plan" : "the plan that the rollout began with";
        report(
          `${name}: ${canary.version} skips a wave, got ${exposurePercent} % after ${openedFromPercent} %; expected at most ` +
            `${nextPercent} %, ${whose} has ${exposuresOf(judged).join(", ")}. Open one wave an up`,
        );
        return;
      }
    },
  ),
};
