/** Judges calls that were really made against a declared policy: actions and resources, wildcards included. Denials and conditions: none are declared. */
import type { TracedCall } from "./fault-proxy.ts";
import { accountId, region } from "./places.ts";

export interface Policy {
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

/** What one call needs: pairs of action and resource. Source: Service Authorization Reference, read 2026-11. */
export function needsOf({ action, input }: TracedCall): { readonly action: string; readonly resource: string }[] {
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;
  const [service] = action.split(":");
  switch (service) {
    case "dynamodb": {
      if (action !== "dynamodb:TransactWriteItems")
        return [{ action, resource: arn("dynamodb", `table/${input.TableName}`) }];
      const items = input.TransactItems as Record<string, { TableName: string }>[];
      // Transactions are authorised by what they contain.
      return items.flatMap((item) =>
        Object.entries(item).map(([kind, { TableName }]) => ({
          action: `dynamodb:${kind === "ConditionCheck" ? "ConditionCheckItem" : `${kind}Item`}`,
          resource: arn("dynamodb", `table/${TableName}`),
        })),
      );
    }
    case "sns":
      return [{ action, resource: String(input.TopicArn) }];
    case "secretsmanager":
      return [{ action, resource: String(input.SecretId) }];
    // Needs no permission. Source: STS API reference, GetCallerIdentity, read 2026-11.
    case "sts":
      return [];
  }
  if (action === "elasticloadbalancing:ModifyRule") return [{ action, resource: String(input.RuleArn) }];
  if (action === "cloudwatch:SetAlarmState")
    return [{ action, resource: arn("cloudwatch", `alarm:${input.AlarmName}`) }];
  return [{ action, resource: "*" }];
}

/** Calls that the policy does not allow, each with what it would need. */
export function outside(policy: Policy, calls: readonly TracedCall[]): string[] {
  const needs = calls.flatMap(needsOf).map(({ action, resource }) => `${action} on ${resource}`);
  return [...new Set(needs)].filter((need) => {
    const [action = "", resource = ""] = need.split(" on ");
    return !policy.Statement.some(
      (statement) =>
        listOf(statement.Action).some((pattern) => matches(pattern, action)) &&
        listOf(statement.Resource).some((pattern) => matches(pattern, resource)),
    );
  });
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

/** IAM's own wildcards. */
function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(text);
}
