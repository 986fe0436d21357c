/**
 * What AWS answers to a creation or a look-up, for the types the program uses: ids, names and ARNs in their right form, made from
 * the resource's own type and name so that every run gives the same. A type or a look-up that is not here is refused by name.
 */
import { createHash } from "node:crypto";
import { processesType } from "../workloads/declare.ts";
import { datadogCreations } from "./datadog-outputs.ts";
import { NotRehearsedError } from "./errors.ts";
import { grafanaCreations } from "./grafana-outputs.ts";
import { madeUpVendor, pagerDutyCreations, vendorLookUp } from "./pagerduty-outputs.ts";
import { type PlainInputs, textField } from "./plain-inputs.ts";

/** The account that rehearsals run in; AWS's own example number. */
export const rehearsalAccountId = "123456789012";

/** What a provider answers to a creation. */
export interface Created {
  readonly id: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly type: string;
  readonly name: string;
  readonly inputs: PlainInputs;
  readonly region: string;
  readonly place: string;
}

function hex(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/** Hex digits that are this resource's own, told apart by `use`. */
const own = ({ type, name }: Asked, use: string, length: number): string => hex(`${use} ${type} ${name}`, length);

/** The physical name: the one asked for, or Pulumi's autoname, the logical one with seven hex digits. */
function named(asked: Asked, key = "name"): string {
  const name = asked.inputs[key];
  return typeof name === "string" ? name : `${asked.name}-${own(asked, "name", 7)}`;
}

const arn = (asked: Asked, service: string, resource: string): string =>
  `arn:aws:${service}:${asked.region}:${rehearsalAccountId}:${resource}`;

function balanced(asked: Asked, kind: "targetgroup" | "loadbalancer/app"): Created {
  const name = named(asked);
  const suffix = `${name}/${own(asked, "id", 16)}`;
  const full = arn(asked, "elasticloadbalancing", `${kind}/${suffix}`);
  const arnSuffix = kind === "targetgroup" ? `targetgroup/${suffix}` : `app/${suffix}`;
  return { id: full, outputs: { name, arn: full, arnSuffix } };
}

/** A part of an AppConfig application, with an id of its own beside the resource's. */
function belowApplication(asked: Asked, kind: string, idKey: string): Created {
  const application = textField(asked.inputs, "applicationId", asked.place);
  const id = own(asked, "id", 7);
  const full = arn(asked, "appconfig", `application/${application}/${kind}/${id}`);
  return { id: `${id}:${application}`, outputs: { name: named(asked), [idKey]: id, arn: full } };
}

/** `…:loadbalancer/app/x/1` becomes `…:listener/app/x/1/2`, that `…:listener-rule/app/x/1/2/3`. */
function below(asked: Asked, parentKey: string, from: string, to: string): Created {
  const parent = textField(asked.inputs, parentKey, asked.place);
  const full = `${parent.replace(`:${from}/`, `:${to}/`)}/${own(asked, "id", 16)}`;
  return { id: full, outputs: { arn: full } };
}

/** What is one of a bucket has its name. */
function ofBucket(asked: Asked): Created {
  return { id: textField(asked.inputs, "bucket", asked.place), outputs: {} };
}

const creations: Readonly<Record<string, (asked: Asked) => Created>> = {
  "aws:lb/targetGroup:TargetGroup": (asked) => balanced(asked, "targetgroup"),
  "aws:lb/loadBalancer:LoadBalancer": (asked) => {
    const made = balanced(asked, "loadbalancer/app");
    return { id: made.id, outputs: { ...made.outputs, dnsName: `${named(asked)}.${asked.region}.elb.amazonaws.com` } };
  },
  "aws:lb/listener:Listener": (asked) => below(asked, "loadBalancerArn", "loadbalancer", "listener"),
  "aws:lb/listenerRule:ListenerRule": (asked) => below(asked, "listenerArn", "listener", "listener-rule"),
  "aws:ec2/securityGroup:SecurityGroup": (asked) => {
    const id = `sg-${own(asked, "id", 17)}`;
    return { id, outputs: { name: named(asked), arn: arn(asked, "ec2", `security-group/${id}`) } };
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, arn: arn(asked, "cloudwatch", `alarm:${name}`) } };
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": (asked) => {
    const name = textField(asked.inputs, "alarmName", asked.place);
    return { id: name, outputs: { arn: arn(asked, "cloudwatch", `alarm:${name}`) } };
  },
  "aws:cloudwatch/eventRule:EventRule": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, arn: arn(asked, "events", `rule/${name}`) } };
  },
  "aws:cloudwatch/eventTarget:EventTarget": (asked) => {
    const rule = textField(asked.inputs, "rule", asked.place);
    return { id: `${rule}-${named(asked, "targetId")}`, outputs: {} };
  },
  "aws:cloudwatch/logGroup:LogGroup": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, arn: arn(asked, "logs", `log-group:${name}`) } };
  },
  "aws:appconfig/application:Application": (asked) => {
    const id = own(asked, "id", 7);
    return { id, outputs: { name: named(asked), arn: arn(asked, "appconfig", `application/${id}`) } };
  },
  "aws:appconfig/environment:Environment": (asked) => belowApplication(asked, "environment", "environmentId"),
  "aws:appconfig/configurationProfile:ConfigurationProfile": (asked) =>
    belowApplication(asked, "configurationprofile", "configurationProfileId"),
  "aws:appconfig/deploymentStrategy:DeploymentStrategy": (asked) => {
    const id = own(asked, "id", 7);
    return { id, outputs: { name: named(asked), arn: arn(asked, "appconfig", `deploymentstrategy/${id}`) } };
  },
  "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion": (asked) => {
    // Another content is another version; which number it has, nothing depends on.
    const said = `${String(asked.inputs.content)} ${String(asked.inputs.description)}`;
    const versionNumber = 1 + Number.parseInt(hex(said, 6), 16);
    return { id: `${own(asked, "id", 7)}/${versionNumber}`, outputs: { versionNumber } };
  },
  "aws:appconfig/deployment:Deployment": (asked) => ({
    id: `${textField(asked.inputs, "applicationId", asked.place)}/${own(asked, "id", 7)}/1`,
    outputs: { deploymentNumber: 1 },
  }),
  "aws:dynamodb/table:Table": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, arn: arn(asked, "dynamodb", `table/${name}`) } };
  },
  "aws:sns/topic:Topic": (asked) => {
    const full = arn(asked, "sns", named(asked));
    return { id: full, outputs: { name: named(asked), arn: full } };
  },
  "aws:sns/topicSubscription:TopicSubscription": (asked) => {
    const full = `${textField(asked.inputs, "topic", asked.place)}:${own(asked, "id", 32)}`;
    return { id: full, outputs: { arn: full } };
  },
  "aws:sqs/queue:Queue": (asked) => {
    const name = named(asked);
    const url = `https://sqs.${asked.region}.amazonaws.com/${rehearsalAccountId}/${name}`;
    return { id: url, outputs: { name, url, arn: arn(asked, "sqs", name) } };
  },
  "aws:sqs/queuePolicy:QueuePolicy": (asked) => ({ id: textField(asked.inputs, "queueUrl", asked.place), outputs: {} }),
  "aws:kms/key:Key": (asked) => {
    const id = own(asked, "id", 32);
    return { id, outputs: { keyId: id, arn: arn(asked, "kms", `key/${id}`) } };
  },
  "aws:iam/role:Role": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, arn: `arn:aws:iam::${rehearsalAccountId}:role/${name}` } };
  },
  "aws:iam/rolePolicy:RolePolicy": (asked) => ({
    id: `${textField(asked.inputs, "role", asked.place)}:${named(asked)}`,
    outputs: { name: named(asked) },
  }),
  "aws:lambda/function:Function": (asked) => {
    const name = named(asked);
    return { id: name, outputs: { name, version: "1", arn: arn(asked, "lambda", `function:${name}`) } };
  },
  "aws:lambda/alias:Alias": (asked) => {
    const name = named(asked);
    const full = arn(asked, "lambda", `function:${textField(asked.inputs, "functionName", asked.place)}:${name}`);
    return { id: full, outputs: { name, arn: full } };
  },
  "aws:secretsmanager/secret:Secret": (asked) => {
    const full = arn(asked, "secretsmanager", `secret:${named(asked)}-${own(asked, "id", 6)}`);
    return { id: full, outputs: { name: named(asked), arn: full } };
  },
  "aws:secretsmanager/secretVersion:SecretVersion": (asked) => ({
    id: `${textField(asked.inputs, "secretId", asked.place)}|${own(asked, "id", 32)}`,
    outputs: {},
  }),
  "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": (asked) => {
    const name = named(asked, "configurationName");
    const full = `arn:aws:chatbot::${rehearsalAccountId}:chat-configuration/slack-channel/${name}`;
    return { id: full, outputs: { chatConfigurationArn: full } };
  },
  "aws:s3/bucket:Bucket": (asked) => {
    const name = named(asked, "bucket");
    return { id: name, outputs: { bucket: name, arn: `arn:aws:s3:::${name}` } };
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket,
  ...pagerDutyCreations(own),
  ...grafanaCreations(own),
  ...datadogCreations(own),
  [processesType]: (asked) => ({ id: own(asked, "id", 16), outputs: {} }),
  "aws:lambda/permission:Permission": (asked) => ({ id: named(asked, "statementId"), outputs: {} }),
  "aws:lambda/invocation:Invocation": (asked) => ({
    id: own(asked, "id", 32),
    // What the hook really answers is not known before it is asked, and nothing may depend on it.
    outputs: { result: "" },
  }),
};

/**
 * The provider's answer to one creation.
 * @throws NotRehearsedError naming a type that is not modelled
 */
export function createdBy(
  resource: { readonly type: string; readonly name: string; readonly inputs: PlainInputs },
  region: string,
): Created {
  const place = `${resource.type} ${resource.name}`;
  const create = creations[resource.type];
  if (!create) throw new NotRehearsedError(`${place}: a resource type that the rehearsal does not model`);
  return create({ ...resource, region, place });
}

const elbArn = /^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:/;

/**
 * The provider's answer to a look-up: of something adopted, or of a secret, from its ARN alone.
 * @throws NotRehearsedError naming a look-up that is not modelled
 */
export function lookedUp(token: string, inputs: PlainInputs): Record<string, unknown> {
  switch (token) {
    case "aws:lb/getTargetGroup:getTargetGroup": {
      const full = lookedUpArn(token, inputs, "targetgroup");
      const suffix = full.split(":").at(-1) ?? "";
      const stickiness = { enabled: false, type: "lb_cookie", cookieDuration: 86_400, cookieName: "" };
      return { id: full, arn: full, arnSuffix: suffix, name: suffix.split("/")[1] ?? "", stickiness };
    }
    case "aws:lb/getListener:getListener": {
      const full = lookedUpArn(token, inputs, "listener");
      const loadBalancerArn = full.replace(":listener/", ":loadbalancer/").split("/").slice(0, 4).join("/");
      return { id: full, arn: full, loadBalancerArn };
    }
    case "aws:secretsmanager/getSecretVersion:getSecretVersion": {
      const secretId = textField(inputs, "secretId", token);
      // Without its ARN: what a look-up names by one is a group or a listener that is adopted.
      return { id: `${secretId}|AWSCURRENT`, secretId, secretString: `made up ${hex(secretId, 16)}` };
    }
    case vendorLookUp:
      return { ...madeUpVendor };
    default:
      throw new NotRehearsedError(`${token}: a look-up that the rehearsal does not model`);
  }
}

function lookedUpArn(token: string, inputs: PlainInputs, kind: string): string {
  const full = textField(inputs, "arn", token);
  if (elbArn.test(full) && full.includes(`:${kind}/`)) return full;
  throw new NotRehearsedError(`${token}: arn: not of a ${kind}, got ${full}; expected arn:aws:elasticloadbalancing:…`);
}
