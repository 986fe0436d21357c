/**
 * Whether the program acts where its stack lives. With another account's credentials, or in another region, the record would look absent
 * and a held release new; so account, region and table must be the ones that the stack's own outputs name.
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { workloadKinds } from "../core/workloads.ts";
import type { PlacedWorkload } from "./workloads.ts";

/** Where records and rules are. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly tableName: string;
  /** `here`, or the full name of the stack that has the foundation. */
  readonly foundation: string;
}

/** What each part is called, and what to do about another one. */
const parts: Readonly<Record<keyof Place, { readonly label: string; readonly wayOut: string }>> = {
  accountId: { label: "AWS account", wayOut: "Use credentials of the stack's account" },
  region: { label: "aws:region", wayOut: "Set it back; another region is another stack" },
  tableName: { label: "record table", wayOut: "Set tidegate:environment back; another environment is another stack" },
  foundation: {
    label: "tidegate:foundation",
    wayOut:
      "Set it back: this up would make or delete a whole foundation. Services move to another stack by tidegate:takeOver there",
  },
};

export interface PlaceCheck {
  /** Of the last `up`; empty before the first. */
  readonly previous: Partial<Place>;
  readonly current: Place;
  /**
   * The account that Pulumi's AWS provider acts in; records are read with the AWS SDK's credentials, and the two may be configured apart.
   * @default the same
   */
  readonly providerAccountId?: string;
  /** The account that the foundation of another stack names. @default none is named */
  readonly foundationAccountId?: string;
}

/** Every reason why this is not the place of the stack; empty when it is, or when the stack has no outputs yet. */
export function placeProblems({ previous, current, ...others }: PlaceCheck): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(parts) as (keyof Place)[]) {
    const expected = previous[key];
    if (expected === undefined || expected === current[key]) continue;
    const { label, wayOut } = parts[key];
    problems.push(`${label}: not where this stack lives, got ${current[key]}; expected ${expected}. ${wayOut}`);
  }
  const { providerAccountId = current.accountId, foundationAccountId = current.accountId } = others;
  if (foundationAccountId !== current.accountId) {
    problems.push(
      `AWS account: not where the foundation is (${current.foundation}), got ${current.accountId}; expected ${foundationAccountId}. Use credentials of the foundation's account`,
    );
  }
  if (providerAccountId !== current.accountId) {
    problems.push(
      `AWS account: Pulumi's provider and the AWS SDK act in different ones, got ${providerAccountId} and ${current.accountId}; ` +
        "expected the same. Give both their credentials by aws:profile and aws:assumeRoles, or by the environment alone",
    );
  }
  return problems;
}

/** `organisation/project/stack`. */
export function stackIdentity(): string {
  return `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
}

/**
 * What this stack's last `up` left in its outputs; empty before the first. Asked by the look-up that `StackReference` itself uses: the
 * resource would show as a step of every `up`, idle ones too.
 * @throws pulumi.RunError when the answer has no outputs at all: then nothing says that this is the right place
 */
export async function previousUp(stackId: string): Promise<{
  readonly place: Partial<Place>;
  /** Names of the services that it declared. */
  readonly services: readonly string[];
  /** Where it had what runs behind their releases, by service; of those alone that had it declared. */
  readonly workloads: Readonly<Record<string, PlacedWorkload>>;
}> {
  const answer = answerSchema.safeParse(
    await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stackId }),
  );
  if (!answer.success) {
    throw new pulumi.RunError(
      `stack ${stackId}: its own outputs could not be read; expected a table of outputs. Run pulumi stack output`,
    );
  }
  const { accountId, region, tableName, foundation, services = {} } = answer.data.outputs;
  const place = {
    ...(accountId === undefined ? {} : { accountId }),
    ...(region === undefined ? {} : { region }),
    ...(tableName === undefined ? {} : { tableName }),
    // Versions that knew no other stacks had the foundation in each.
    ...(foundation === undefined && tableName === undefined ? {} : { foundation: foundation ?? "here" }),
  };
  const workloads = Object.entries(services).flatMap(([name, told]) => {
    const read = toldSchema.safeParse(told);
    if (!read.success) {
      throw new pulumi.RunError(
        `stack ${stackId}: its own outputs do not say where service ${name} runs, got something else under workload; expected kind and cluster. Run pulumi stack output services`,
      );
    }
    const { workload } = read.data;
    if (!workload) return [];
    const { namespace, ...where } = workload;
    return [[name, { ...where, ...(namespace === undefined ? {} : { namespace }) }] as const];
  });
  return { place, services: Object.keys(services).sort(), workloads: Object.fromEntries(workloads) };
}

const toldSchema = z.object({
  workload: z.object({ kind: z.enum(workloadKinds), cluster: z.string(), namespace: z.string().optional() }).optional(),
});

const answerSchema = z.object({
  outputs: z.object({
    accountId: z.string().optional(),
    region: z.string().optional(),
    tableName: z.string().optional(),
    foundation: z.string().optional(),
    services: z.record(z.string(), z.unknown()).optional(),
  }),
});

/**
 * ARNs of the listener rules in this stack's own state. Only a service that comes over from another stack needs them: its resources have to
 * have come first.
 * @throws Error where the engine does not answer
 */
export async function ownRuleArns(stackId: string): Promise<ReadonlySet<string>> {
  const answer = resourcesSchema.parse(
    await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName: stackId }),
  );
  const rules = Object.values(answer.outputs).filter(({ type }) => type === "aws:lb/listenerRule:ListenerRule");
  return new Set(rules.flatMap(({ outputs }) => (typeof outputs?.arn === "string" ? [outputs.arn] : [])));
}

const resourcesSchema = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.record(z.string(), z.unknown()).optional() })),
});
