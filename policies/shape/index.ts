/** The shape policies: what any program with an application load balancer is held to, whatever made its resources. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { alarmMissingData } from "./alarm-missing-data.ts";
import { alarmRunbookLinks } from "./alarm-runbook-links.ts";
import { compositeAlarmMissingData } from "./composite-alarm-missing-data.ts";
import { deadLetters } from "./dead-letters.ts";
import { deregistrationDelay } from "./deregistration-delay.ts";
import { dnsFailoverOnCanary } from "./dns-failover-on-canary.ts";
import { encryptionAtRest } from "./encryption-at-rest.ts";
import { exposedReleaseAlarms } from "./exposed-release-alarms.ts";
import { functionRoleAttachments } from "./function-role-attachments.ts";
import { groupStickinessWithWeights } from "./group-stickiness-with-weights.ts";
import { healthCheckBounds } from "./health-check-bounds.ts";
import { ignoreChangesOnWeights } from "./ignore-changes-on-weights.ts";
import { listenerWriterActions } from "./listener-writer-actions.ts";
import { logRetention } from "./log-retention.ts";
import { ruleGroupCount } from "./rule-group-count.ts";
import { rulePriorityOrder } from "./rule-priority-order.ts";
import { ruleStickiness } from "./rule-stickiness.ts";
import { ruleWeights } from "./rule-weights.ts";
import { slowStart } from "./slow-start.ts";

/** All of them, those that endanger traffic most in front. */
export const shapePolicies: readonly (ResourceValidationPolicy | StackValidationPolicy)[] = [
  ruleWeights,
  ruleGroupCount,
  ignoreChangesOnWeights,
  ruleStickiness,
  groupStickinessWithWeights,
  rulePriorityOrder,
  exposedReleaseAlarms,
  alarmMissingData,
  compositeAlarmMissingData,
  dnsFailoverOnCanary,
  healthCheckBounds,
  slowStart,
  deregistrationDelay,
  listenerWriterActions,
  functionRoleAttachments,
  deadLetters,
  encryptionAtRest,
  logRetention,
  alarmRunbookLinks,
];
