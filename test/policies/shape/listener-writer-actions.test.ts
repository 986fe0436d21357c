import { describe, expect, it } from "vitest";
import { functionRoleAttachments } from "../../../policies/shape/function-role-attachments.ts";
import { listenerWriterActions } from "../../../policies/shape/listener-writer-actions.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import { listenerArn } from "./builders.ts";

const rules = `${listenerArn.replace(":listener/", ":listener-rule/")}/*`;
const lowering = { Effect: "Allow", Action: "elasticloadbalancing:ModifyRule", Resource: rules };

function document(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function aPolicy(policy: unknown, more: Partial<GivenResource> = {}): GivenResource {
  return { type: "aws:iam/rolePolicy:RolePolicy", name: "lowering", props: { role: "lowerer", policy }, ...more };
}

const check = (policy: unknown, config = {}) => violationsOf(listenerWriterActions, [aPolicy(policy)], config);

const wildcard = (where: string, got: string) =>
  `lowering: ${where} allows actions by wildcard in a role that may move traffic, got ${got}; ` +
  "expected actions by their whole names, such as elasticloadbalancing:ModifyRule. Name the actions that the code calls";

describe("listener-writer-actions", () => {
  it("lets whole names on named rules pass, and reads on every resource [E1]", async () => {
    const reads = { Effect: "Allow", Action: ["elasticloadbalancing:DescribeRules"], Resource: "*" };
    expect(await check(document(lowering, reads))).toEqual([]);
  });

  it.each([
    "elasticloadbalancing:*",
    "elasticloadbalancing:Modify*",
    "elasticloadbalancing:ModifyRul?",
    "*",
    "ElasticLoadBalancing:*",
  ])("refuses %s [E1]", async (Action) => {
    expect(await check(document({ Sid: "Lower", Effect: "Allow", Action, Resource: rules }))).toEqual([
      wildcard("policy statement Lower", Action),
    ]);
  });

  it("refuses a wildcard of another service in the same document [E1]", async () => {
    expect(await check(document(lowering, { Effect: "Allow", Action: ["logs:*"], Resource: "*" }))).toEqual([
      wildcard("policy", "logs:*"),
    ]);
  });

  it("refuses to change every listener [E1]", async () => {
    expect(await check(document({ ...lowering, Resource: "*" }))).toEqual([
      'lowering: policy allows to change every listener of the account, got Resource "*"; ' +
        "expected the ARNs of the rules that are its own, such as …:listener-rule/app/<name>/<id>/<listener>/*. " +
        "Name the listener whose rules it may change",
    ]);
    expect(await check(document({ Effect: "Allow", Action: lowering.Action, NotResource: rules }))).toHaveLength(1);
  });

  it.each([
    "arn:aws:elasticloadbalancing:*:*:listener-rule/*",
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/*",
    "arn:aws-cn:elasticloadbalancing:cn-north-1:*:listener/*",
    "arn:aws:elasticloadbalancing:*:*:listener-rule/app/*/*/*/*",
    "arn:aws:elasticloadbalancing:eu-west-?:*:*",
    "arn:aws:elasticloadbalancing:*",
    "arn:*:listener-rule/*",
    "arn:*",
    "**",
  ])("takes %s for every listener [E1]", async (Resource) => {
    expect(await check(document({ ...lowering, Resource: [rules, Resource] }))).toEqual([
      `lowering: policy allows to change every listener of the account, got Resource "${Resource}"; ` +
        "expected the ARNs of the rules that are its own, such as …:listener-rule/app/<name>/<id>/<listener>/*. " +
        "Name the listener whose rules it may change",
    ]);
  });

  it.each([
    "arn:aws:elasticloadbalancing:*:*:listener-rule/app/shop/*",
    "arn:aws:elasticloadbalancing:*:*:listener-rule/app/shop-*/*",
    "arn:aws:elasticloadbalancing:*:*:listener-rule/app/q*",
    "arn:aws:elasticloadbalancing:*:*:listener-rule/app/x*",
    "arn:aws:elasticloadbalancing:*:*:targetgroup/*",
    "arn:aws:s3:::*",
  ])("does not take %s for every listener [E1]", async (Resource) => {
    expect(await check(document({ ...lowering, Resource }))).toEqual([]);
  });

  it("refuses everything-but lists [E1]", async () => {
    expect(await check(document({ Effect: "Allow", NotAction: "iam:*", Resource: rules }))).toEqual([
      'lowering: policy allows everything but what it lists in a role that may move traffic, got NotAction ["iam:*"]; ' +
        "expected Action with whole names. Replace NotAction by the actions that the code calls",
    ]);
  });

  it("leaves roles alone that cannot touch a listener, and what is denied [E1]", async () => {
    expect(await check(document({ Effect: "Allow", Action: "s3:*", Resource: "*" }))).toEqual([]);
    expect(await check(document({ Effect: "Allow", NotAction: ["elasticloadbalancing:*"], Resource: "*" }))).toEqual(
      [],
    );
    const denied = { Effect: "Deny", Action: "elasticloadbalancing:*", Resource: "*" };
    expect(await check(document(denied, { Effect: "Allow", Action: "s3:*", Resource: "*" }))).toEqual([]);
  });

  it("holds the hook's role to whole names even where it writes no listener [E1]", async () => {
    const broad = document({ Effect: "Allow", Action: "dynamodb:*", Resource: "arn:aws:dynamodb:eu-west-1:1:table/t" });
    expect(await check(broad)).toEqual([]);
    const role = "tidegate-prod-hook";
    expect(await violationsOf(listenerWriterActions, [aPolicy(broad, { props: { role, policy: broad } })])).toEqual([
      wildcard("policy", "dynamodb:*"),
    ]);
    const inline = { name: role, inlinePolicies: [{ policy: broad }] };
    expect(
      await violationsOf(listenerWriterActions, [{ type: "aws:iam/role:Role", name: "hook-role", props: inline }]),
    ).toHaveLength(1);
  });

  it("reads documents as objects, in managed policies and inline in roles [E1]", async () => {
    const broad = { Effect: "Allow", Action: "elasticloadbalancing:*", Resource: rules };
    expect(await check({ Version: "2012-10-17", Statement: broad })).toHaveLength(1);
    expect(
      await violationsOf(listenerWriterActions, [aPolicy(document(broad), { type: "aws:iam/policy:Policy" })]),
    ).toHaveLength(1);
    const role = {
      type: "aws:iam/role:Role",
      name: "lowering",
      props: { inlinePolicies: [{}, { policy: document(broad) }] },
    };
    expect(await violationsOf(listenerWriterActions, [role])).toEqual([
      wildcard("inlinePolicies[1].policy", "elasticloadbalancing:*"),
    ]);
  });

  it("refuses a document that it cannot read [E1]", async () => {
    expect(await check("{ Statement: ")).toEqual([
      'lowering: policy is no policy document, got "{ Statement: "; expected JSON. Write it with JSON.stringify or pulumi.jsonStringify',
    ]);
  });

  it("refuses AWS's broad policies on a function's role [E1]", async () => {
    const role = (service: string): GivenResource => ({
      type: "aws:iam/role:Role",
      name: "lowerer",
      props: {
        assumeRolePolicy: document({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } }),
        managedPolicyArns: ["arn:aws:iam::aws:policy/ElasticLoadBalancingFullAccess", notKnownYet],
      },
    });
    expect(await violationsOf(listenerWriterActions, [role("lambda.amazonaws.com")])).toEqual([
      "lowerer: a function's role may change every listener of the account, got ElasticLoadBalancingFullAccess; " +
        "expected a policy of its own with whole names of actions. Take ElasticLoadBalancingFullAccess out of managedPolicyArns",
    ]);
    expect(await violationsOf(listenerWriterActions, [role("ec2.amazonaws.com")])).toEqual([]);
  });

  it("lets off what is configured by name [E1]", async () => {
    const broad = document({ Effect: "Allow", Action: "*", Resource: "*" });
    expect(await check(broad, { exceptResources: ["other"] })).toHaveLength(2);
    expect(await check(broad, { exceptResources: ["lowering"] })).toEqual([]);
  });

  it.each([
    ["the document", notKnownYet],
    ["its statements", { Statement: notKnownYet }],
    ["one statement", { Statement: [notKnownYet] }],
    ["the actions", { Statement: [{ Effect: "Allow", Action: notKnownYet, Resource: "*" }] }],
  ])("says nothing while %s cannot be known: up is asked again before anything is made [E1]", async (_, policy) => {
    expect(await check(policy)).toEqual([]);
  });

  it("judges actions whose resources are not known yet [E1]", async () => {
    expect(
      await check({ Statement: [{ Effect: "Allow", Action: "elasticloadbalancing:*", Resource: notKnownYet }] }),
    ).toHaveLength(1);
  });
});

describe("function-role-attachments", () => {
  const trust = document({
    Effect: "Allow",
    Action: "sts:AssumeRole",
    Principal: { Service: ["lambda.amazonaws.com"] },
  });
  const role: GivenResource = {
    type: "aws:iam/role:Role",
    name: "lowerer",
    props: { name: "lowerer-1a2b", assumeRolePolicy: trust },
  };
  const attachment = (props: Record<string, unknown>, more: Partial<GivenResource> = {}): GivenResource => ({
    type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    name: "lowerer-power",
    props: { role: notKnownYet, policyArn: "arn:aws:iam::aws:policy/PowerUserAccess", ...props },
    from: { role: ["lowerer"] },
    ...more,
  });
  const check = (...resources: GivenResource[]) => violationsOf(functionRoleAttachments, [role, ...resources]);

  it("lets narrow managed policies pass [E1]", async () => {
    const basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    expect(await check(attachment({ policyArn: basic }))).toEqual([]);
  });

  it("refuses a broad one, whether the role is known or only what it is made from [E1]", async () => {
    const text =
      "lowerer-power: lets the functions of role lowerer change every listener of the account, got PowerUserAccess; " +
      "expected a policy of its own with whole names of actions. Delete the attachment";
    expect(await check(attachment({}))).toEqual([text]);
    expect(await check(attachment({ role: "lowerer-1a2b" }, { from: {} }))).toEqual([text]);
    const several = { type: "aws:iam/policyAttachment:PolicyAttachment", from: { roles: ["lowerer"] } };
    expect(await check(attachment({}, several))).toEqual([text]);
  });

  it.each([
    "AdministratorAccess",
    "ElasticLoadBalancingFullAccess",
    "AmazonEC2FullAccess",
    "AmazonECS_FullAccess",
    "AWSCodeDeployRoleForECS",
    "AWSCodeDeployRoleForECSLimited",
    "job-function/NetworkAdministrator",
  ])("knows that %s changes listeners [E1]", async (name) => {
    expect(await check(attachment({ policyArn: `arn:aws:iam::aws:policy/${name}` }))).toEqual([
      `lowerer-power: lets the functions of role lowerer change every listener of the account, got ${name}; ` +
        "expected a policy of its own with whole names of actions. Delete the attachment",
    ]);
  });

  it("leaves other roles and unknown policies alone [E1]", async () => {
    expect(await check(attachment({ role: "somebody" }, { from: {} }))).toEqual([]);
    expect(await check(attachment({ policyArn: notKnownYet }))).toEqual([]);
    const person = { ...role, props: { assumeRolePolicy: notKnownYet } };
    expect(await violationsOf(functionRoleAttachments, [person, attachment({})])).toEqual([]);
  });
});
