// What the real provider would answer, a line or so a type: the id, the computed outputs, and the inputs that force a replacement.
// `replaces` follows the Terraform provider's ForceNew as documented; it is a model, not proof of what the real one does.
import { digits, hex, Refused } from "./wire.mjs";

export const ACCOUNT = "123456789012";
export const DEFAULT_REGION = "eu-west-1";

export const arnOf = (service, region, resource) => `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
/** `arnSuffix` is the CloudWatch dimension: it keeps `targetgroup/` but drops `loadbalancer/`. */
export const arnSuffixOf = (arn) => arn.slice(arn.lastIndexOf(":") + 1).replace(/^loadbalancer\//, "");
const elb = (region, resource) => arnOf("elasticloadbalancing", region, resource);
/** A listener's ARN names its load balancer, a rule's its listener: `app/<name>/<hex>` and `app/<name>/<hex>/<hex>`. */
export const listenerArnOf = (loadBalancerArn, seed) =>
  `${loadBalancerArn.replace(":loadbalancer/", ":listener/")}/${hex(seed)}`;
const ruleArnOf = (listenerArn, seed) => `${listenerArn.replace(":listener/", ":listener-rule/")}/${hex(seed)}`;

const LB_TYPES = { application: "app", network: "net", gateway: "gwy" };
/** The hosted zone ELB publishes for load balancers in eu-west-1; other regions have others, which nothing here reads. */
const LB_ZONE = "Z32O12XQLNTSW2";

export const lbOutputs = (arn, name, inputs, dnsName) => ({
  arn,
  arnSuffix: arnSuffixOf(arn),
  name,
  dnsName,
  zoneId: LB_ZONE,
  internal: inputs.internal ?? false,
  loadBalancerType: inputs.loadBalancerType ?? "application",
  ipAddressType: inputs.ipAddressType ?? "ipv4",
  vpcId: `vpc-${hex(inputs.subnets?.[0] ?? "vpc", 17)}`,
});

const withArn = (service, resource) => (r) => {
  const arn = arnOf(service, r.region, resource(r));
  return { id: arn, outputs: { arn, name: r.name } };
};
/** Most of AWS is known by its name, and merely carries an ARN. */
const named = (service, resource) => (r) => ({ id: r.name, outputs: { ...withArn(service, resource)(r).outputs } });

const invokeArn = (region, arn) => `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
const functionArn = (region, nameOrArn) =>
  nameOrArn?.startsWith("arn:") ? nameOrArn : arnOf("lambda", region, `function:${nameOrArn}`);
const codeHash = (inputs) =>
  Buffer.from(hex(JSON.stringify(inputs.code ?? inputs.imageUri ?? ""), 64), "hex").toString("base64");
const uuid = (seed) => hex(seed, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, "$1-$2-4$3-a$4-$5");

/** Each `identify` gets {name, region, inputs, seed} and answers {id, outputs}. `name: null` marks a type without a name of its own. */
export const RESOURCES = {
  "aws:lb/loadBalancer:LoadBalancer": {
    maxName: 32,
    replaces: ["name", "namePrefix", "internal", "loadBalancerType"],
    identify: ({ name, region, inputs, seed }) => {
      const kind = LB_TYPES[inputs.loadBalancerType ?? "application"];
      if (!kind) throw new Refused(`loadBalancerType ${inputs.loadBalancerType}`);
      const arn = elb(region, `loadbalancer/${kind}/${name}/${hex(seed)}`);
      const dnsName = `${inputs.internal ? "internal-" : ""}${name}-${digits(seed)}.${region}.elb.amazonaws.com`;
      return { id: arn, outputs: lbOutputs(arn, name, inputs, dnsName) };
    },
  },
  "aws:lb/listener:Listener": {
    name: null,
    replaces: ["loadBalancerArn"],
    identify: ({ inputs, seed }) => {
      const arn = listenerArnOf(inputs.loadBalancerArn, seed);
      return { id: arn, outputs: { arn, protocol: inputs.protocol ?? "HTTP" } };
    },
  },
  "aws:lb/listenerRule:ListenerRule": {
    name: null,
    replaces: ["listenerArn"],
    identify: ({ inputs, seed }) => {
      const arn = ruleArnOf(inputs.listenerArn, seed);
      return {
        id: arn,
        outputs: { arn, priority: inputs.priority ?? (Number.parseInt(hex(seed, 4), 16) % 50_000) + 1 },
      };
    },
  },
  "aws:lb/targetGroup:TargetGroup": {
    maxName: 32,
    replaces: ["name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId", "ipAddressType"],
    identify: ({ name, region, inputs, seed }) => {
      const arn = elb(region, `targetgroup/${name}/${hex(seed)}`);
      const outputs = {
        arn,
        arnSuffix: arnSuffixOf(arn),
        name,
        targetType: inputs.targetType ?? "instance",
        loadBalancerArns: [],
      };
      return { id: arn, outputs };
    },
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    replaces: ["name"],
    identify: named("cloudwatch", (r) => `alarm:${r.name}`),
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
    nameKey: "alarmName",
    replaces: ["alarmName"],
    identify: ({ name, region }) => ({
      id: name,
      outputs: { arn: arnOf("cloudwatch", region, `alarm:${name}`), alarmName: name },
    }),
  },
  "aws:cloudwatch/eventRule:EventRule": {
    replaces: ["name", "namePrefix", "eventBusName"],
    identify: named("events", (r) =>
      r.inputs.eventBusName && r.inputs.eventBusName !== "default"
        ? `rule/${r.inputs.eventBusName}/${r.name}`
        : `rule/${r.name}`,
    ),
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    nameKey: "targetId",
    replaces: ["rule", "targetId", "eventBusName"],
    identify: ({ name, inputs }) => ({ id: `${inputs.rule}-${name}`, outputs: { targetId: name } }),
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    replaces: ["name", "namePrefix"],
    identify: named("logs", (r) => `log-group:${r.name}`),
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
    replaces: ["name", "logGroupName"],
    identify: ({ name }) => ({ id: name, outputs: { name } }),
  },
  "aws:dynamodb/table:Table": {
    replaces: ["name", "hashKey", "rangeKey"],
    identify: ({ name, region, inputs }) => {
      const arn = arnOf("dynamodb", region, `table/${name}`);
      const label = "2026-01-01T00:00:00.000";
      const stream = inputs.streamEnabled ? { streamArn: `${arn}/stream/${label}`, streamLabel: label } : {};
      return { id: name, outputs: { arn, name, ...stream } };
    },
  },
  "aws:lambda/function:Function": {
    replaces: ["name", "packageType"],
    identify: ({ name, region, inputs }) => {
      const arn = functionArn(region, name);
      const version = inputs.publish ? "1" : "$LATEST";
      const qualifiedArn = `${arn}:${version}`;
      const invoke = { invokeArn: invokeArn(region, arn), qualifiedInvokeArn: invokeArn(region, qualifiedArn) };
      return { id: name, outputs: { arn, name, version, qualifiedArn, ...invoke, codeSha256: codeHash(inputs) } };
    },
    /** A published version is a number that only rises: an alias on `version` must move when the function changes. */
    updated: ({ inputs, olds, region, changed }) => {
      if (!inputs.publish || changed.every((key) => key === "tags")) return {};
      const version = String((Number(olds.version) || 0) + 1);
      const qualifiedArn = `${olds.arn}:${version}`;
      return {
        version,
        qualifiedArn,
        qualifiedInvokeArn: invokeArn(region, qualifiedArn),
        codeSha256: codeHash(inputs),
      };
    },
  },
  "aws:lambda/alias:Alias": {
    replaces: ["name", "functionName"],
    identify: ({ name, region, inputs }) => {
      const arn = `${functionArn(region, inputs.functionName)}:${name}`;
      return { id: arn, outputs: { arn, name, invokeArn: invokeArn(region, arn) } };
    },
  },
  "aws:lambda/permission:Permission": {
    nameKey: "statementId",
    // A permission cannot be edited: every input forces a replacement.
    replaces: [
      "action",
      "eventSourceToken",
      "function",
      "functionUrlAuthType",
      "principal",
      "principalOrgId",
      "qualifier",
    ].concat(["sourceAccount", "sourceArn", "statementId", "statementIdPrefix"]),
    identify: ({ name }) => ({ id: name, outputs: { statementId: name } }),
  },
  "aws:lambda/invocation:Invocation": {
    name: null,
    replaces: ["functionName", "qualifier", "triggers"],
    // In the default scope the function is called on creation only, so new input means a new resource.
    replacesUnless: { keys: ["input"], keptBy: (inputs) => inputs.lifecycleScope === "CRUD" },
    identify: ({ inputs, seed }) => ({
      id: `${inputs.functionName}_${inputs.qualifier ?? "$LATEST"}_${hex(seed, 32)}`,
      outputs: { qualifier: inputs.qualifier ?? "$LATEST" },
    }),
  },
  "aws:iam/role:Role": {
    replaces: ["name", "namePrefix", "path"],
    identify: ({ name, inputs, seed }) => {
      const arn = `arn:aws:iam::${ACCOUNT}:role${inputs.path ?? "/"}${name}`;
      const uniqueId = `AROA${hex(seed, 17).toUpperCase()}`;
      return { id: name, outputs: { arn, name, uniqueId, createDate: "2026-01-01T00:00:00Z" } };
    },
  },
  "aws:iam/rolePolicy:RolePolicy": {
    replaces: ["name", "namePrefix", "role"],
    identify: ({ name, inputs }) => ({ id: `${inputs.role}:${name}`, outputs: { name } }),
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
    name: null,
    replaces: ["policyArn", "role"],
    identify: ({ inputs, seed }) => ({ id: `${inputs.role}-${hex(seed, 8)}`, outputs: {} }),
  },
  "aws:sns/topic:Topic": {
    replaces: ["name", "namePrefix", "fifoTopic"],
    identify: (r) => {
      const { id, outputs } = withArn("sns", ({ name }) => name)(r);
      return { id, outputs: { ...outputs, owner: ACCOUNT } };
    },
  },
  "aws:sns/topicSubscription:TopicSubscription": {
    name: null,
    replaces: ["endpoint", "protocol", "topic"],
    identify: ({ inputs, seed }) => {
      const topic = typeof inputs.topic === "string" ? inputs.topic : inputs.topic?.arn;
      const arn = `${topic}:${uuid(seed)}`;
      return {
        id: arn,
        outputs: { arn, ownerId: ACCOUNT, pendingConfirmation: false, confirmationWasAuthenticated: true },
      };
    },
  },
  "aws:sqs/queue:Queue": {
    replaces: ["name", "namePrefix", "fifoQueue"],
    identify: ({ name, region }) => {
      const url = `https://sqs.${region}.amazonaws.com/${ACCOUNT}/${name}`;
      return { id: url, outputs: { arn: arnOf("sqs", region, name), name, url } };
    },
  },
  "aws:sqs/queuePolicy:QueuePolicy": {
    name: null,
    replaces: ["queueUrl"],
    identify: ({ inputs }) => ({ id: inputs.queueUrl, outputs: {} }),
  },
  "aws:kms/key:Key": {
    name: null,
    replaces: ["customerMasterKeySpec", "keyUsage", "multiRegion"],
    identify: ({ region, seed }) => {
      const keyId = uuid(seed);
      return { id: keyId, outputs: { arn: arnOf("kms", region, `key/${keyId}`), keyId } };
    },
  },
  "aws:kms/alias:Alias": {
    namePrefix: "alias/",
    replaces: ["name", "namePrefix"],
    identify: ({ name, region, inputs }) => {
      const target = inputs.targetKeyId ?? "";
      const targetKeyArn = target.startsWith("arn:") ? target : arnOf("kms", region, `key/${target}`);
      return { id: name, outputs: { arn: arnOf("kms", region, name), name, targetKeyArn } };
    },
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    replaces: ["name", "namePrefix", "description", "vpcId"],
    identify: ({ name, region, seed }) => {
      const id = `sg-${hex(seed, 17)}`;
      return { id, outputs: { arn: arnOf("ec2", region, `security-group/${id}`), name, ownerId: ACCOUNT } };
    },
  },
  "aws:scheduler/schedule:Schedule": {
    replaces: ["name", "namePrefix", "groupName"],
    identify: ({ name, region, inputs }) => {
      const path = `${inputs.groupName ?? "default"}/${name}`;
      return {
        id: path,
        outputs: {
          arn: arnOf("scheduler", region, `schedule/${path}`),
          name,
          groupName: inputs.groupName ?? "default",
        },
      };
    },
  },
};
