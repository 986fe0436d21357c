/** Policies on how a rollout is run; they read what Tidegate's components declare, save the one on secrets, which reads everything. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { armingComesBeforeRising } from "./arming-comes-before-rising.ts";
import { changeFreezeIsKept } from "./change-freeze-is-kept.ts";
import { dependencyGroupHasOneCanary } from "./dependency-group-has-one-canary.ts";
import { hookIsNotSilenced } from "./hook-is-not-silenced.ts";
import { hookIsWired } from "./hook-is-wired.ts";
import { openingCallsTheHook } from "./opening-calls-the-hook.ts";
import { overrideNamesItsReason } from "./override-names-its-reason.ts";
import { releaseClimbsTheLadder } from "./release-climbs-the-ladder.ts";
import { secretsAreNotPlain } from "./secrets-are-not-plain.ts";
import { soakIsNotShortened } from "./soak-is-not-shortened.ts";
import { somebodyIsTold } from "./somebody-is-told.ts";
import { targetGroupIsNotEdited } from "./target-group-is-not-edited.ts";
import { thresholdsAreNotLoosened } from "./thresholds-are-not-loosened.ts";
import { waveIsApproved } from "./wave-is-approved.ts";
import { waveIsNotSkipped } from "./wave-is-not-skipped.ts";

export const rolloutPolicies: readonly (ResourceValidationPolicy | StackValidationPolicy)[] = [
  waveIsNotSkipped,
  waveIsApproved,
  soakIsNotShortened,
  thresholdsAreNotLoosened,
  changeFreezeIsKept,
  releaseClimbsTheLadder,
  dependencyGroupHasOneCanary,
  targetGroupIsNotEdited,
  overrideNamesItsReason,
  armingComesBeforeRising,
  hookIsNotSilenced,
  hookIsWired,
  openingCallsTheHook,
  somebodyIsTold,
  secretsAreNotPlain,
];
