/** Every policy of the pack, as plain objects: making a `PolicyPack` starts a server, and only `index.ts` does that. */
import type { EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { rolloutPolicies } from "./rollout/index.ts";
import { shapePolicies } from "./shape/index.ts";

export type AnyPolicy = ResourceValidationPolicy | StackValidationPolicy;

/** Name of the pack; part of every message that the engine shows. */
export const packName = "tidegate";

/** What a policy that states no level of its own does. */
export const defaultLevel: EnforcementLevel = "advisory";

export const allPolicies: readonly AnyPolicy[] = [...shapePolicies, ...rolloutPolicies];
