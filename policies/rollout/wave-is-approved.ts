/**
 * A wave whose plan asks for sign-offs has them (C3): the gate asks too, and this asks of those who use the components without it.
 *
 * It judges the exposure that is declared and not only the `up` that raises it, as nothing in a component's inputs may differ between the two:
 * signatures stay in the config until the next wave.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { signOff } from "../../core/gate/approvals.ts";
import { releaseKey } from "../../core/naming.ts";
import { waveAt } from "../../core/plans.ts";
import { everyService } from "./facts.ts";

/** @param now the clock; the real one outside of tests */
export function waveIsApprovedAt(now: () => number): ResourceValidationPolicy {
  return {
    name: "rollout-wave-is-approved",
    displayName: "A wave has its sign-offs",
    description:
      "Where a plan names roles for a wave, each of them has signed for this release, attempt and wave before it opens, and each by another person.",
    enforcementLevel: "mandatory",
    severity: "high",
    tags: ["rollout", "tidegate"],
    url: "docs/policies.md#rollout-wave-is-approved",
    remediationSteps:
      "Let somebody of each role named add a signature to the service's approvals, in a reviewed change: { wave, role, by, at, release, attempt }. One person signs for one role of a wave. Signatures stay until the next wave; lowering needs none.",
    validateResource: everyService(
      ["canary", "exposurePercent", "openedFromPercent", "plan", "recorded", "approvals"],
      ({ canary, exposurePercent, openedFromPercent, plan, recorded, approvals }, { name }, report) => {
        if (!canary || exposurePercent <= openedFromPercent) return;
        // A plan that loses its roles in the `up` that raises would need nobody all the same.
        for (const judged of [plan, ...(recorded?.plan ? [recorded.plan] : [])]) {
          const wave = waveAt(judged, exposurePercent);
          const roles = wave?.approvals ?? [];
          if (!wave || roles.length === 0) continue;
          const { version, attempt } = canary;
          // Digests are told as the release's key alone.
          const given = approvals.map(({ digest, ...approval }) =>
            digest === undefined
              ? approval
              : { ...approval, digest: releaseKey({ version: approval.version, digest }) },
          );
          const wanted = { wavePercent: wave.exposurePercent, version, digest: canary.releaseKey, attempt };
          const { missing, void: counted } = signOff(roles, given, wanted, now());
          if (missing.length === 0) continue;
          const rest = counted.length === 0 ? "" : `, and of no worth ${counted.join("; ")}`;
          report(
            `${name}: wave ${wave.exposurePercent} is not signed for release ${version}, attempt ${attempt}, got no sign-off of ` +
              `${missing.join(", ")}${rest}; expected one of each role by another person. Add it to the service's approvals`,
          );
          return;
        }
      },
    ),
  };
}

export const waveIsApproved = waveIsApprovedAt(() => Date.now());
