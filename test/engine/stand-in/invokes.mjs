// The look-ups a program makes while it runs (`aws.getRegion()` and friends), answered for the account the stand-in plays.
import { ACCOUNT, arnOf, arnSuffixOf, lbOutputs, listenerArnOf } from "./resources.mjs";
import { digits, hex, Refused } from "./wire.mjs";

const one = (list) => (list?.length === 1 ? list[0] : list);
const byType = (entries, type, value) => Object.fromEntries(entries.map((entry) => [entry[type], one(entry[value])]));

/** Terraform's set-up of a statement: one value is a string, several are a list, `*` as principal type stands alone. */
function statement(s) {
  const principals = (list) =>
    list?.[0]?.type === "*" ? "*" : list?.length ? byType(list, "type", "identifiers") : undefined;
  const conditions = {};
  for (const { test, variable, values } of s.conditions ?? [])
    conditions[test] = { ...conditions[test], [variable]: one(values) };
  return {
    Sid: s.sid || undefined,
    Effect: s.effect ?? "Allow",
    Principal: principals(s.principals),
    NotPrincipal: principals(s.notPrincipals),
    Action: one(s.actions),
    NotAction: one(s.notActions),
    Resource: one(s.resources),
    NotResource: one(s.notResources),
    Condition: s.conditions?.length ? conditions : undefined,
  };
}

function policyDocument(args) {
  for (const key of ["sourceJson", "overrideJson", "sourcePolicyDocuments", "overridePolicyDocuments"])
    if (args[key] !== undefined) throw new Refused(`getPolicyDocument with ${key}`);
  const document = {
    Version: args.version ?? "2012-10-17",
    Id: args.policyId,
    Statement: (args.statements ?? []).map(statement),
  };
  const json = JSON.stringify(document, null, 2);
  return { ...args, id: digits(json), json, minifiedJson: JSON.stringify(document) };
}

const nameIn = (arn, position) => arn.slice(arn.lastIndexOf(":") + 1).split("/")[position];

function loadBalancer(args, region) {
  if (!args.arn && !args.name) throw new Refused("getLoadBalancer without arn or name");
  const name = args.name ?? nameIn(args.arn, 2);
  const arn = args.arn ?? arnOf("elasticloadbalancing", region, `loadbalancer/app/${name}/${hex(name)}`);
  const dnsName = `${name}-${digits(arn)}.${region}.elb.amazonaws.com`;
  return {
    ...lbOutputs(arn, name, {}, dnsName),
    id: arn,
    region,
    securityGroups: [],
    subnets: [],
    subnetMappings: [],
    tags: {},
  };
}

function listener(args, region) {
  if (!args.arn && !(args.loadBalancerArn && args.port))
    throw new Refused("getListener without arn, or loadBalancerArn and port");
  const arn = args.arn ?? listenerArnOf(args.loadBalancerArn, `${args.loadBalancerArn}:${args.port}`);
  const loadBalancerArn = arn.replace(":listener/", ":loadbalancer/").replace(/\/[^/]*$/, "");
  const notFound = { contentType: "text/plain", messageBody: "", statusCode: "404" };
  return {
    arn,
    id: arn,
    region,
    loadBalancerArn,
    port: args.port ?? 443,
    protocol: "HTTPS",
    defaultActions: [{ type: "fixed-response", order: 1, fixedResponses: [notFound] }],
    tags: {},
  };
}

function targetGroup(args, region) {
  if (!args.arn && !args.name) throw new Refused("getTargetGroup without arn or name");
  const name = args.name ?? nameIn(args.arn, 1);
  const arn = args.arn ?? arnOf("elasticloadbalancing", region, `targetgroup/${name}/${hex(name)}`);
  const fixed = {
    port: 80,
    protocol: "HTTP",
    protocolVersion: "HTTP1",
    targetType: "ip",
    slowStart: 0,
    deregistrationDelay: "300",
  };
  return { ...fixed, arn, id: arn, arnSuffix: arnSuffixOf(arn), name, region, loadBalancerArns: [], tags: {} };
}

const endpointOf = (region) => `ec2.${region}.amazonaws.com`;

export const INVOKES = {
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    accountId: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:user/stand-in`,
    id: ACCOUNT,
    userId: "AIDASTANDIN0000000000",
  }),
  "aws:index/getRegion:getRegion": (args, region) => {
    const asked = args.region ?? args.name ?? region;
    return { id: asked, name: asked, region: asked, description: asked, endpoint: endpointOf(asked) };
  },
  "aws:index/getPartition:getPartition": () => ({
    id: "aws",
    partition: "aws",
    dnsSuffix: "amazonaws.com",
    reverseDnsPrefix: "com.amazonaws",
  }),
  "aws:iam/getPolicyDocument:getPolicyDocument": policyDocument,
  "aws:lb/getListener:getListener": listener,
  "aws:lb/getLoadBalancer:getLoadBalancer": loadBalancer,
  "aws:lb/getTargetGroup:getTargetGroup": targetGroup,
};
