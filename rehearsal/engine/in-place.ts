/**
 * Which properties change in place, by type. Any other change would replace the resource, which the rehearsal's engine does not do
 * and so refuses by name.
 *
 * Assumed from the schemas of the Terraform providers (`ForceNew`, read 2026-11): what the real provider answers to a diff is not proven
 * here. Fewer than the provider's own are listed where the program never changes one.
 */

import { readForward } from "../../components/rule-shapes.ts";
import { stableJson } from "../../core/stable-json.ts";
import { processesInPlace, processesType } from "../workloads/declare.ts";
import type { PlainInputs } from "./plain-inputs.ts";

const alarm = [
  "comparisonOperator",
  "threshold",
  "evaluationPeriods",
  "datapointsToAlarm",
  "treatMissingData",
  "namespace",
  "metricName",
  "dimensions",
  "statistic",
  "extendedStatistic",
  "evaluateLowSampleCountPercentiles",
  "period",
  "metricQueries",
  "alarmDescription",
  "alarmRule",
  "actionsEnabled",
  "alarmActions",
  "okActions",
  "insufficientDataActions",
  "tags",
];

const inPlace: Readonly<Record<string, readonly string[]>> = {
  [processesType]: processesInPlace,
  "aws:lb/targetGroup:TargetGroup": ["healthCheck", "slowStart", "deregistrationDelay", "stickiness", "tags"],
  "aws:lb/loadBalancer:LoadBalancer": ["enableDeletionProtection", "dropInvalidHeaderFields", "tags"],
  "aws:lb/listener:Listener": ["defaultActions", "sslPolicy", "certificateArn", "port", "protocol", "tags"],
  "aws:lb/listenerRule:ListenerRule": ["actions", "conditions", "priority", "tags"],
  "aws:ec2/securityGroup:SecurityGroup": ["ingress", "egress", "tags"],
  "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": alarm,
  // In earnest a version and a deployment are made anew and the old ones left behind, which comes to the same: nothing of them is undone.
  "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion": ["content", "description"],
  "aws:appconfig/deployment:Deployment": ["configurationVersion", "deploymentStrategyId"],
  "aws:appconfig/environment:Environment": ["monitors", "tags"],
  "aws:cloudwatch/eventRule:EventRule": ["description", "eventPattern", "scheduleExpression", "state", "tags"],
  "aws:cloudwatch/eventTarget:EventTarget": ["arn", "deadLetterConfig", "input", "retryPolicy"],
  "aws:cloudwatch/logGroup:LogGroup": ["kmsKeyId", "retentionInDays", "tags"],
  "aws:dynamodb/table:Table": ["pointInTimeRecovery", "serverSideEncryption", "deletionProtectionEnabled", "tags"],
  "aws:sns/topic:Topic": ["displayName", "kmsMasterKeyId", "tags"],
  "aws:sns/topicSubscription:TopicSubscription": ["endpointAutoConfirms", "redrivePolicy"],
  "aws:sqs/queue:Queue": ["messageRetentionSeconds", "sqsManagedSseEnabled", "tags"],
  "aws:sqs/queuePolicy:QueuePolicy": ["policy"],
  "aws:kms/key:Key": ["description", "enableKeyRotation", "deletionWindowInDays", "policy", "tags"],
  "aws:iam/role:Role": ["assumeRolePolicy", "tags"],
  "aws:iam/rolePolicy:RolePolicy": ["policy"],
  "aws:lambda/function:Function": [
    "code",
    "description",
    "deadLetterConfig",
    "environment",
    "handler",
    "loggingConfig",
    "memorySize",
    "reservedConcurrentExecutions",
    "runtime",
    "tags",
    "timeout",
    "tracingConfig",
  ],
  "aws:lambda/alias:Alias": ["functionVersion"],
  "aws:lambda/invocation:Invocation": ["input"],
  "aws:secretsmanager/secret:Secret": ["description", "kmsKeyId", "tags"],
  "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": [
    "guardrailPolicyArns",
    "iamRoleArn",
    "loggingLevel",
    "slackChannelId",
    "snsTopicArns",
    "tags",
  ],
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": [
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
  ],
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ["rules"],
  "grafana:oss/folder:Folder": ["preventDestroyIfNotEmpty", "title"],
  "grafana:oss/dataSource:DataSource": ["jsonDataEncoded", "name", "url"],
  "grafana:oss/dashboard:Dashboard": ["configJson", "message", "overwrite"],
  "grafana:alerting/contactPoint:ContactPoint": ["pagerduties", "slacks", "sns"],
  "grafana:alerting/ruleGroup:RuleGroup": ["intervalSeconds", "rules"],
  "datadog:index/monitor:Monitor": [
    "evaluationDelay",
    "includeTags",
    "message",
    "monitorThresholds",
    "name",
    "onMissingData",
    "priority",
    "query",
    "requireFullWindow",
    "tags",
  ],
  "datadog:index/serviceLevelObjective:ServiceLevelObjective": [
    "description",
    "name",
    "query",
    "tags",
    "targetThreshold",
    "thresholds",
    "timeframe",
  ],
  "datadog:index/dashboardJson:DashboardJson": ["dashboard"],
  "pagerduty:index/service:Service": [
    "acknowledgementTimeout",
    "autoResolveTimeout",
    "description",
    "escalationPolicy",
    "incidentUrgencyRule",
    "name",
  ],
  "pagerduty:index/eventOrchestration:EventOrchestration": ["description", "name"],
  "pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter": ["catchAll", "set"],
  "pagerduty:index/eventOrchestrationService:EventOrchestrationService": ["catchAll", "sets"],
  "pagerduty:index/alertGroupingSetting:AlertGroupingSetting": ["config", "name", "services"],
};

export interface Difference {
  /** Properties that differ, ascending. */
  readonly changed: readonly string[];
  /** Those of them that would replace the resource. */
  readonly replacing: readonly string[];
}

/** What differs between two inputs of one resource. */
export function differenceOf(type: string, before: PlainInputs, after: PlainInputs): Difference {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = keys.filter((key) => !sameProperty(type, key, before, after));
  const allowed = new Set(inPlace[type] ?? []);
  return { changed, replacing: changed.filter((key) => !allowed.has(key)) };
}

function sameProperty(type: string, key: string, before: PlainInputs, after: PlainInputs): boolean {
  const same = stableJson(before[key]) === stableJson(after[key]);
  if (same || type !== "aws:lb/listenerRule:ListenerRule" || key !== "actions") return same;
  // Groups of a forward action are a set, and stickiness that is off is the same as none.
  return forwardText(before) === forwardText(after);
}

function forwardText(inputs: PlainInputs): string {
  return stableJson(readForward(inputs));
}
