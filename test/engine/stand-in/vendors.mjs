// What Grafana, Datadog, PagerDuty and Kubernetes would answer, and the AWS types of alerting and reports: ids and the outputs that the
// program reads. They are for fidelity, which compares what is declared; what the real providers answer to a diff is not modelled.
import { ACCOUNT, arnOf } from "./resources.mjs";
import { hex } from "./wire.mjs";

const hexId = ({ seed }) => ({ id: hex(seed, 32), outputs: {} });
const uid = ({ inputs, seed }) => {
  const known = inputs.uid ?? hex(seed, 14);
  return { id: `1:${known}`, outputs: { uid: known } };
};
const ofBucket = ({ inputs }) => ({ id: inputs.bucket, outputs: {} });
/** Types without a name that the stand-in would make up. */
const nameless = (identify) => ({ name: null, replaces: [], identify });

/** An object whose name is given. */
const object = nameless(({ inputs: { metadata } }) => ({ id: `${metadata.namespace}/${metadata.name}`, outputs: {} }));

export const VENDOR_RESOURCES = {
  "kubernetes:apps/v1:Deployment": object,
  "kubernetes:core/v1:Service": object,
  "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": object,
  "kubernetes:policy/v1:PodDisruptionBudget": object,
  "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding": object,
  "grafana:oss/folder:Folder": nameless(uid),
  "grafana:oss/dataSource:DataSource": nameless(uid),
  "grafana:oss/dashboard:Dashboard": nameless(uid),
  "grafana:alerting/contactPoint:ContactPoint": nameless(hexId),
  "grafana:alerting/ruleGroup:RuleGroup": nameless(hexId),
  "datadog:index/monitor:Monitor": nameless(({ seed }) => ({
    id: String(Number.parseInt(hex(seed, 8), 16)),
    outputs: {},
  })),
  "datadog:index/serviceLevelObjective:ServiceLevelObjective": nameless(hexId),
  "datadog:index/dashboardJson:DashboardJson": nameless(({ seed }) => ({
    id: hex(seed, 12),
    outputs: { url: `/dashboard/${hex(seed, 12)}` },
  })),
  "pagerduty:index/service:Service": nameless(hexId),
  "pagerduty:index/alertGroupingSetting:AlertGroupingSetting": nameless(hexId),
  "pagerduty:index/eventOrchestration:EventOrchestration": nameless(hexId),
  "pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter": nameless(hexId),
  "pagerduty:index/eventOrchestrationService:EventOrchestrationService": nameless(hexId),
  "pagerduty:index/serviceIntegration:ServiceIntegration": nameless(({ seed }) => ({
    id: hex(seed, 32),
    outputs: { integrationKey: hex(`key ${seed}`, 32) },
  })),
  "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration": nameless(({ seed }) => ({
    id: hex(seed, 32),
    outputs: { parameters: [{ routingKey: hex(`key ${seed}`, 32), type: "global" }] },
  })),
  "aws:secretsmanager/secret:Secret": {
    replaces: ["name", "namePrefix"],
    identify: ({ name, region, seed }) => {
      const arn = arnOf("secretsmanager", region, `secret:${name}-${hex(seed, 6)}`);
      return { id: arn, outputs: { arn, name } };
    },
  },
  "aws:secretsmanager/secretVersion:SecretVersion": nameless(({ inputs, seed }) => ({
    id: `${inputs.secretId}|${hex(seed, 32)}`,
    outputs: {},
  })),
  "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": nameless(({ inputs }) => {
    const arn = `arn:aws:chatbot::${ACCOUNT}:chat-configuration/slack-channel/${inputs.configurationName}`;
    return { id: arn, outputs: { chatConfigurationArn: arn } };
  }),
  "aws:s3/bucket:Bucket": {
    nameKey: "bucket",
    replaces: ["bucket", "bucketPrefix"],
    identify: ({ name }) => ({ id: name, outputs: { arn: `arn:aws:s3:::${name}`, bucket: name } }),
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": nameless(ofBucket),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": nameless(ofBucket),
};

export const VENDOR_INVOKES = {
  "aws:secretsmanager/getSecretVersion:getSecretVersion": ({ secretId }) => ({
    id: `${secretId}|AWSCURRENT`,
    secretId,
    // What the rehearsal answers, too: the value goes into contact points, and only its way is compared.
    secretString: `made up ${hex(secretId, 16)}`,
  }),
  "pagerduty:index/getVendor:getVendor": () => ({ id: "PVENDOR", name: "Amazon CloudWatch", type: "api" }),
};
