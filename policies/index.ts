/** The policy pack as Pulumi runs it. `docs/policies.md` tells of every policy; levels and settings come from the pack's configuration. */
import "../core/stack-traces.ts";
import { PolicyPack } from "@pulumi/policy";
import { allPolicies, defaultLevel, packName } from "./all.ts";

new PolicyPack(packName, {
  displayName: "Tidegate",
  description: "Unsafe load balancer programs and unsafe rollouts never get past a preview.",
  provider: "AWS",
  enforcementLevel: defaultLevel,
  policies: [...allPolicies],
});
