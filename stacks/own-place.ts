/**
 * Whether the program acts where its stack lives. With another account's credentials, or in another region, the record would look absent
 * and a held release new; so account, region and table must be the ones that the stack's own outputs name.
 */
import * as pulumi from "@pulumi/pulumi";

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
        "expected the same. Set aws:profile and AWS_PROFILE alike",
    );
  }
  return problems;
}

/** `organisation/project/stack`. */
export function stackIdentity(): string {
  return `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
}

/** The outputs that this stack's last `up` left; empty before the first. */
export async function previousPlace(stackId: string): Promise<Partial<Place>> {
  const own = new pulumi.StackReference(stackId);
  const keys = Object.keys(parts) as (keyof Place)[];
  const details = await Promise.all(keys.map((key) => own.getOutputDetails(key)));
  const known = keys.flatMap((key, index) => {
    const value: unknown = details[index]?.value;
    return typeof value === "string" ? [[key, value] as const] : [];
  });
  return Object.fromEntries(known);
}
