/** A service as `ProgressiveService` declares it to the engine, with ways to change one thing. */
import { rolloutFacts } from "../../../core/rollout-facts.ts";
import { aDeclaration, someSettings } from "../../helpers/builders.ts";
import type { GivenResource } from "../policy-run.ts";

export const serviceType = "tidegate:rollout:ProgressiveService";

/** Inputs of the component. */
export function aService(changes: Readonly<Record<string, unknown>> = {}): GivenResource {
  return {
    type: serviceType,
    name: "checkout",
    props: { ...rolloutFacts("dev", someSettings(), aDeclaration(10)), ...changes },
  };
}

/** Outputs of the component, as stack policies get them. */
export function aServiceAfter(step: string, fromPercent: number, exposurePercent: number): GivenResource {
  return { type: serviceType, name: "checkout", props: { step, fromPercent, exposurePercent, mode: "act" } };
}
