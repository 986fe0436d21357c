/**
 * What a service stack reads of the stack that has its foundation: that stack's outputs, whole or not at all. Asked by the look-up that
 * `StackReference` itself uses, since the resource would show as a step of every `up`, idle ones too; who may read them is the same.
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { tableName } from "../core/naming.ts";
import { fullStackName } from "./config/foundation.ts";
import type { Shared } from "./config.ts";

/** Of the outputs below. Raised with every change that an older service stack would misread. */
export const contractVersion = 1;

const account = z.string().regex(/^\d{12}$/);
const arnOf = (service: string) => z.string().regex(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:\\S+$`));
const nonEmpty = z.string().min(1);

const outputsSchema = z.object({
  contractVersion: z.literal(contractVersion),
  foundation: z.literal("here"),
  environment: nonEmpty,
  accountId: account,
  region: nonEmpty,
  tableName: nonEmpty,
  hookFunctionName: nonEmpty,
  hookAliasName: nonEmpty,
  criticalTopicArn: arnOf("sns"),
  warningTopicArn: arnOf("sns"),
  listenerArn: arnOf("elasticloadbalancing"),
  moreListenerArns: z.array(arnOf("elasticloadbalancing")),
  loadBalancerArnSuffix: z.string().regex(/^app\/[^/\s]+\/[^/\s]+$/),
  vpcId: z.string().regex(/^vpc-[0-9a-f]{8,17}$/),
  runbooks: nonEmpty,
  dashboard: nonEmpty.optional(),
  /** Absent: not configured. Nothing in it is secret. */
  grafana: z
    .object({
      url: nonEmpty,
      prometheus: z.union([z.object({ uid: nonEmpty }), z.object({ url: nonEmpty })]).exactOptional(),
      cloudWatch: z.union([z.literal("make"), z.object({ uid: nonEmpty })]),
      tokenSecretArn: arnOf("secretsmanager").exactOptional(),
      contactPoints: z.object({ slack: z.boolean(), pagerDuty: z.boolean() }),
    })
    .exactOptional(),
  /** Absent: not configured. Nothing in it is secret. */
  datadog: z
    .object({
      site: nonEmpty,
      keysSecretArn: arnOf("secretsmanager").exactOptional(),
      notify: z.object({ critical: z.array(nonEmpty).readonly(), warning: z.array(nonEmpty).readonly() }),
    })
    .exactOptional(),
  peers: z.array(nonEmpty),
  dependencyOwners: z.array(nonEmpty),
});

/** What a foundation tells the service stacks beside it. */
export type FoundationOutputs = z.output<typeof outputsSchema>;

/** Outputs of a stack, as the engine's look-up answers. */
const answerSchema = z.object({
  outputs: z.record(z.string(), z.unknown()),
  secretOutputNames: z.array(z.string()).optional(),
});

/** A foundation as it was found, or why it was not; never a part of one. */
export type FoundFoundation =
  | { readonly kind: "found"; readonly stack: string; readonly outputs: FoundationOutputs }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/**
 * Reads a foundation.
 * @param name as the config has it: a stack of this project, or a full name
 * @param ownStackId `organisation/project/stack` of the stack that asks
 */
export async function readFoundation(name: string, ownStackId: string): Promise<FoundFoundation> {
  const stack = fullStackName(name, ownStackId);
  if (stack === ownStackId) {
    return refused([`foundation: this very stack, got "${name}"; expected another one, or here. Leave it out`]);
  }
  let answer: unknown;
  try {
    answer = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stack });
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/\s+/g, " ").replace(/\.$/, "") : String(error);
    return refused([
      `foundation: stack ${stack} cannot be read, got ${said}; expected its outputs. Check the name with pulumi stack ls, and that you may read it`,
    ]);
  }
  return judge(stack, answer);
}

function refused(problems: readonly string[]): FoundFoundation {
  return { kind: "refused", problems };
}

function judge(stack: string, answer: unknown): FoundFoundation {
  const read = answerSchema.safeParse(answer);
  if (!read.success || Object.keys(read.data.outputs).length === 0) {
    return refused([
      `foundation: stack ${stack} has no outputs; expected those of a foundation. Run pulumi up in it first`,
    ]);
  }
  const { outputs } = read.data;
  if (typeof outputs.foundation === "string" && outputs.foundation !== "here") {
    return refused([
      `foundation: stack ${stack} is a stack of services, got foundation ${outputs.foundation} in its outputs; expected the stack that has the foundation. Name that one`,
    ]);
  }
  const version = versionProblem(stack, outputs.contractVersion);
  if (version !== undefined) return refused([version]);
  const secrets = (read.data.secretOutputNames ?? []).filter((key) => key in outputsSchema.shape);
  const hidden = Object.keys(outputsSchema.shape).filter((key) => pulumi.Output.isInstance(outputs[key]));
  const secret = [...new Set([...secrets, ...hidden])].sort();
  if (secret.length > 0) {
    return refused([
      `foundation: stack ${stack} keeps outputs secret that services need, got ${secret.join(", ")}; expected plain ones. Nothing in them is secret: take the marking out there, and run pulumi up`,
    ]);
  }
  return judgeOutputs(stack, outputs);
}

function judgeOutputs(stack: string, outputs: Readonly<Record<string, unknown>>): FoundFoundation {
  const checked = outputsSchema.safeParse(outputs);
  if (!checked.success) {
    const names = [...new Set(checked.error.issues.map((issue) => String(issue.path[0])))];
    const described = names.map((name) => `${name} ${name in outputs ? "of another form" : "missing"}`);
    return refused([
      `foundation: outputs of stack ${stack} are not those of a foundation, got ${described.join(", ")}; expected all of them whole. Run pulumi up in it`,
    ]);
  }
  const { environment, tableName: table } = checked.data;
  if (table !== tableName(environment)) {
    return refused([
      `foundation: outputs of stack ${stack} contradict each other, got table ${table} for environment ${environment}; expected ${tableName(environment)}. Run pulumi up in it`,
    ]);
  }
  return { kind: "found", stack, outputs: checked.data };
}

function versionProblem(stack: string, version: unknown): string | undefined {
  if (version === contractVersion) return undefined;
  const found = typeof version === "number" ? String(version) : "none";
  const isNewer = typeof version === "number" && version > contractVersion;
  const wayOut = isNewer
    ? "Upgrade Tidegate in this stack first"
    : "Upgrade Tidegate in the foundation's stack and run pulumi up there first";
  return `foundation: stack ${stack} has another version of the contract between foundation and services, got ${found}; expected ${contractVersion}. ${wayOut}`;
}

/** What parsing a service stack's config needs of what was found. */
export function foundationForConfig(found: FoundFoundation): Shared | { readonly problems: readonly string[] } {
  if (found.kind === "refused") return { problems: found.problems };
  const { environment, region, vpcId, listenerArn, moreListenerArns, runbooks, dashboard, peers, dependencyOwners } =
    found.outputs;
  const { grafana, datadog } = found.outputs;
  return {
    environment,
    region,
    network: { vpcId, subnetIds: [], listenerArn, moreListenerArns, internal: true, allowedCidrs: [] },
    alerting: {
      email: [],
      runbooks,
      ...(dashboard === undefined ? {} : { dashboard }),
      ...(grafana === undefined ? {} : { grafana }),
      ...(datadog === undefined ? {} : { datadog }),
    },
    peers,
    dependencyOwners,
  };
}
