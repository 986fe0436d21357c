/** Reads IAM policy documents out of the resources that carry them, and says what a statement allows. */
import { at, type Known, type KnownMap, listAt, textAt, unknown } from "./known.ts";

/** A document and where it stands. */
export interface PolicyDocument {
  /** `policy`, `inlinePolicies[0].policy`. */
  readonly path: string;
  readonly statements: readonly Known[];
}

/** Text that should have been a document and is none. */
export interface Unreadable {
  readonly path: string;
  readonly unreadable: string;
}

/** Elements of a member that IAM takes as one text or as a list; those that are not known yet are left out. */
export function texts(statement: Known, member: string): string[] {
  const found = listAt(statement, member);
  if (found === unknown) return [];
  return found.flatMap((element) => (typeof element === "string" ? [element] : []));
}

function parse(path: string, given: Known): (PolicyDocument | Unreadable)[] {
  if (given === undefined || given === null || given === unknown || given === "") return [];
  if (typeof given !== "string") return [{ path, statements: statementsOf(given) }];
  try {
    const document: unknown = JSON.parse(given);
    return [{ path, statements: statementsOf(document as Known) }];
  } catch {
    return [{ path, unreadable: given.slice(0, 40) }];
  }
}

function statementsOf(document: Known): readonly Known[] {
  const statements = listAt(document, "Statement");
  return statements === unknown ? [] : statements;
}

/** Every permissions document of a resource, of the resource types that have any, as far as it is known. */
export function documentsOf(type: string, props: KnownMap): (PolicyDocument | Unreadable)[] {
  switch (type) {
    case "aws:iam/rolePolicy:RolePolicy":
    case "aws:iam/policy:Policy":
    case "aws:iam/userPolicy:UserPolicy":
    case "aws:iam/groupPolicy:GroupPolicy":
      return parse("policy", at(props, "policy"));
    case "aws:iam/role:Role": {
      const inline = listAt(props, "inlinePolicies");
      if (inline === unknown) return [];
      return inline.flatMap((entry, index) => parse(`inlinePolicies[${index}].policy`, at(entry, "policy")));
    }
    default:
      return [];
  }
}

/** Whether a role is for Lambda functions; one whose trust is not known yet counts as none. */
export function isLambdaRole(type: string, props: KnownMap): boolean {
  if (type !== "aws:iam/role:Role") return false;
  return parse("assumeRolePolicy", at(props, "assumeRolePolicy")).some(
    (trust) =>
      "statements" in trust &&
      trust.statements.some((statement) =>
        texts(at(statement, "Principal"), "Service").includes("lambda.amazonaws.com"),
      ),
  );
}

/** Whether a pattern of an `Action` covers an action: `*` and `?` are IAM's wildcards, letters match in either case. */
function covers(pattern: string, action: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "i").test(action);
}

/** What changes where a listener sends requests. Source: Service Authorization Reference, ELBv2, read 2026-11. */
const listenerWrites = [
  "CreateListener",
  "CreateRule",
  "DeleteListener",
  "DeleteRule",
  "DeregisterTargets",
  "ModifyListener",
  "ModifyRule",
  "ModifyTargetGroup",
  "ModifyTargetGroupAttributes",
  "RegisterTargets",
  "SetRulePriorities",
].map((action) => `elasticloadbalancing:${action}`);

/** Whether a statement allows to change where a listener sends requests. */
export function allowsListenerWrites(statement: Known): boolean {
  if (textAt(statement, "Effect") !== "Allow") return false;
  const denied = texts(statement, "NotAction");
  if (denied.length > 0) return listenerWrites.some((action) => !denied.some((pattern) => covers(pattern, action)));
  return texts(statement, "Action").some((pattern) => listenerWrites.some((action) => covers(pattern, action)));
}

/** Rules and listeners that nobody means in particular: what covers one of each name covers any. */
const anybodysListeners = ["listener-rule", "listener"].map((kind) =>
  ["app/q7x0/1f/2e", "app/x0q7/2e/1f"].map((listener) => `${kind}/${listener}${kind === "listener" ? "" : "/3d"}`),
);

/**
 * Whether a pattern of a `Resource` covers listeners or rules of any load balancer: `*`, `arn:*`, `…:listener-rule/*`,
 * `…:listener-rule/app/*`. Of a region or an account that it names, every one counts.
 */
export function coversEveryListener(pattern: string): boolean {
  const [, partition, , region, account] = pattern.split(":");
  // What the pattern itself gives, with nothing for its stars.
  const given = (part: string | undefined, otherwise: string): string =>
    part === undefined ? otherwise : part.replace(/\*/g, "").replace(/\?/g, "x");
  const front = [
    "arn",
    given(partition, "aws"),
    "elasticloadbalancing",
    given(region, "eu-west-1"),
    given(account, "123456789012"),
  ].join(":");
  return anybodysListeners.some((ofKind) => ofKind.every((listener) => covers(pattern, `${front}:${listener}`)));
}

/**
 * AWS's own policies that allow to change every listener or rule; the part of the ARN after `policy/`. Their default versions were read in
 * "AWS managed policy reference" and in the public mirror zoph-io/MAMIP, 2026-11: `elasticloadbalancing:*` on `*` in the first five (by
 * NotAction in PowerUserAccess), Modify- or DeleteListener and -Rule on `*` in the others. No complete list.
 */
const broadManagedPolicies = [
  "AdministratorAccess",
  "PowerUserAccess",
  "ElasticLoadBalancingFullAccess",
  "AmazonEC2FullAccess",
  "job-function/NetworkAdministrator",
  "AmazonECS_FullAccess",
  "AWSCodeDeployRoleForECS",
  "AWSCodeDeployRoleForECSLimited",
];

/** The name of a managed policy that allows to change listeners, undefined for any other. */
export function broadManagedPolicy(arn: Known): string | undefined {
  if (typeof arn !== "string") return undefined;
  const name = arn.split(":policy/").at(-1);
  return broadManagedPolicies.find((broad) => broad === name);
}
