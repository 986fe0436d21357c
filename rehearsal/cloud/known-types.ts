/** Which resource types and properties the local cloud knows, and what of them it lets be. Everything else it refuses by name. */
import { processesType } from "../workloads/declare.ts";

const pagerDuty = "nobody is called here; that PagerDuty routes and wakes as declared is not proven";

const report = "no report is written here; that it comes and arrives is not proven";

const grafana =
  "nothing is watched or shown in Grafana here; that it takes these is proven by no rehearsal (docs/grafana.md)";

const datadog =
  "nothing is watched or shown in Datadog here; that it takes these is proven by no rehearsal (docs/datadog.md)";

/** Types without behaviour in the model, each with the reason. */
export const withoutBehaviour: Readonly<Record<string, string>> = {
  "aws:ec2/securityGroup:SecurityGroup": "requests of a rehearsal come from inside",
  "aws:kms/key:Key": "nothing is encrypted here; whether the key lets CloudWatch publish is not proven",
  "aws:secretsmanager/secret:Secret": "the rehearsal's one channel needs no key",
  "aws:secretsmanager/secretVersion:SecretVersion": "the rehearsal's one channel needs no key",
  "aws:iam/role:Role": "every call is allowed; what the role may do is not proven",
  "aws:iam/rolePolicy:RolePolicy": "every call is allowed; what the role may do is not proven",
  "aws:cloudwatch/logGroup:LogGroup": "the functions write no logs here",
  "aws:sqs/queuePolicy:QueuePolicy": "every call is allowed",
  "aws:appconfig/environment:Environment":
    "AppConfig's own alarm takes nothing back here; that it does is proven on an emulator (test/aws/flags.test.ts)",
  "aws:appconfig/configurationProfile:ConfigurationProfile": "there is one document an application",
  "aws:appconfig/deploymentStrategy:DeploymentStrategy": "a document is live all at once",
  "aws:s3/bucket:Bucket": report,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": report,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": report,
  "pagerduty:index/service:Service": pagerDuty,
  "pagerduty:index/serviceIntegration:ServiceIntegration": pagerDuty,
  "pagerduty:index/alertGroupingSetting:AlertGroupingSetting": pagerDuty,
  "pagerduty:index/eventOrchestration:EventOrchestration": pagerDuty,
  "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration": pagerDuty,
  "pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter": pagerDuty,
  "pagerduty:index/eventOrchestrationService:EventOrchestrationService": pagerDuty,
  "grafana:oss/folder:Folder": grafana,
  "grafana:oss/dataSource:DataSource": grafana,
  "grafana:oss/dashboard:Dashboard": grafana,
  "grafana:alerting/contactPoint:ContactPoint": grafana,
  "grafana:alerting/ruleGroup:RuleGroup": grafana,
  "datadog:index/monitor:Monitor": datadog,
  "datadog:index/serviceLevelObjective:ServiceLevelObjective": datadog,
  "datadog:index/dashboardJson:DashboardJson": datadog,
};

/** Properties that are modelled, or cannot change anything in the model. */
export const known: Readonly<Record<string, readonly string[]>> = {
  // How hosts come and go is an option of the rehearsal, so health checks, slow start and draining have nothing to act on.
  "aws:lb/targetGroup:TargetGroup": [
    "port",
    "protocol",
    "targetType",
    "vpcId",
    "healthCheck",
    "slowStart",
    "deregistrationDelay",
    "stickiness",
    "tags",
  ],
  "aws:lb/loadBalancer:LoadBalancer": [
    "name",
    "loadBalancerType",
    "internal",
    "subnets",
    "securityGroups",
    "dropInvalidHeaderFields",
    "enableDeletionProtection",
    "tags",
  ],
  "aws:lb/listener:Listener": [
    "loadBalancerArn",
    "port",
    "protocol",
    "certificateArn",
    "sslPolicy",
    "defaultActions",
    "tags",
  ],
  "aws:lb/listenerRule:ListenerRule": ["listenerArn", "priority", "conditions", "actions", "tags"],
  [processesType]: ["targetGroupArn", "release", "minimumCount", "maximumCount"],
  "aws:cloudwatch/eventRule:EventRule": ["name", "description", "eventPattern", "scheduleExpression", "tags"],
  // How often EventBridge itself tries is not modelled: here it always reaches Lambda.
  "aws:cloudwatch/eventTarget:EventTarget": ["rule", "targetId", "arn", "input", "deadLetterConfig", "retryPolicy"],
  "aws:lambda/permission:Permission": ["statementId", "action", "function", "qualifier", "principal", "sourceArn"],
  "aws:lambda/alias:Alias": ["name", "functionName", "functionVersion"],
  "aws:lambda/invocation:Invocation": ["functionName", "qualifier", "lifecycleScope", "input", "triggers"],
  "aws:sns/topic:Topic": ["name", "displayName", "kmsMasterKeyId", "tags"],
  // Receivers take what they are sent, so nothing is ever driven back.
  "aws:sns/topicSubscription:TopicSubscription": [
    "topic",
    "protocol",
    "endpoint",
    "endpointAutoConfirms",
    "filterPolicy",
    "redrivePolicy",
  ],
  "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": [
    "configurationName",
    "slackTeamId",
    "slackChannelId",
    "snsTopicArns",
    "iamRoleArn",
    "guardrailPolicyArns",
    "loggingLevel",
    "tags",
  ],
};
