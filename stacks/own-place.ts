/**
 * Whether the program acts where its stack lives. With another account's credentials, or in another region, the record would look absent
 * and a held release new; so account, region and table must be the ones that the stack's own outputs name.
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** Where records and rules are. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly tableName: string;
}

/** What each part is called, and what to do about another one. */
const parts: Readonly<Record<keyof Place, { readonly label: string; readonly wayOut: string }>> = {
  accountId: { label: "AWS account", wayOut: "Use credentials of the stack's account" },
  region: { label: "aws:region", wayOut: "Set it back; another region is another stack" },
  tableName: { label: "record table", wayOut: "Set tidegate:environment back; another environment is another stack" },
};

/**
 * Every reason why this is not the place of the stack; empty when it is, or when the stack has no outputs yet.
 * @param providerAccountId the account that Pulumi's AWS provider acts in; records are read with the AWS SDK's credentials, and the
 *   two may be configured apart
 */
export function placeProblems(
  previous: Partial<Place>,
  current: Place,
  providerAccountId: string = current.accountId,
): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(parts) as (keyof Place)[]) {
    const expected = previous[key];
    if (expected === undefined || expected === current[key]) continue;
    const { label, wayOut } = parts[key];
    problems.push(`${label}: not where this stack lives, got ${current[key]}; expected ${expected}. ${wayOut}`);
  }
  if (providerAccountId !== current.accountId) {
    problems.push(
      `AWS account: Pulumi's provider and the AWS SDK act in different ones, got ${providerAccountId} and ${current.accountId}; ` +
        "expected the same. Give both their credentials by AWS_PROFILE alone",
    );
  }
  return problems;
}

/** `organisation/project/stack`. */
export function stackIdentity(): string {
  return `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
}

/**
 * The outputs that this stack's last `up` left; empty before the first. Asked by the look-up that `StackReference` itself uses: the
 * resource would show as a step of every `up`, idle ones too.
 * @throws pulumi.RunError when the answer has no outputs at all: then nothing says that this is the right place
 */
export async function previousPlace(stackId: string): Promise<Partial<Place>> {
  const answer = answerSchema.safeParse(
    await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stackId }),
  );
  if (!answer.success) {
    throw new pulumi.RunError(
      `stack ${stackId}: its own outputs could not be read; expected a table of outputs. Run pulumi stack output`,
    );
  }
  const { accountId, region, tableName } = answer.data.outputs;
  return {
    ...(accountId === undefined ? {} : { accountId }),
    ...(region === undefined ? {} : { region }),
    ...(tableName === undefined ? {} : { tableName }),
  };
}

const answerSchema = z.object({
  outputs: z.object({
    accountId: z.string().optional(),
    region: z.string().optional(),
    tableName: z.string().optional(),
  }),
});
