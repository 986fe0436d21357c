/** An opening is committed by published, tested code: by the alias `live`, which moves only after a version tested itself. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { hookAliasName } from "../../core/naming.ts";
import { known, shown, textAt, unknown } from "../known.ts";

/** Type of the component that commits an opening. */
export const openingType = "tidegate:rollout:WaveOpening";
export const invocationType = "aws:lambda/invocation:Invocation";

export const openingCallsTheHook: ResourceValidationPolicy = {
  name: "rollout-opening-calls-the-hook",
  displayName: "Openings call the live hook",
  description: `An opening invokes the hook by its alias ${hookAliasName}, at every change and at the removal of the service.`,
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-opening-calls-the-hook",
  remediationSteps: `Give WaveOpening the name of the alias ${hookAliasName} as its qualifier, as RollbackHook's aliasName has it, and leave lifecycleScope alone.`,
  validateResource: (args, report) => {
    if (args.type !== invocationType || !args.opts.parent?.includes(openingType)) return;
    const props = known(args.props);
    // Not known in the first preview, where the alias is only being made: rollout-hook-is-wired follows it there.
    const qualifier = textAt(props, "qualifier");
    if (qualifier !== unknown && qualifier !== hookAliasName) {
      report(
        `${args.name}: does not call the hook that tested itself, got qualifier ${shown(qualifier)}; expected ${hookAliasName}. Give it ` +
          "the alias's name",
      );
    }
    const scope = textAt(props, "lifecycleScope");
    if (scope !== unknown && scope !== "CRUD") {
      report(
        `${args.name}: tells the hook of the first opening alone, got lifecycleScope ${shown(scope)}; expected CRUD. Leave it as ` +
          "WaveOpening sets it",
      );
    }
  },
};
