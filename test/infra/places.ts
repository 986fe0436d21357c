/** Where the tests' foundations live. */
import { account, region } from "../helpers/pulumi-run.ts";

export const place = { accountId: account, region, partition: "aws" } as const;
export const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;
export const keyArn = arn("kms", "key/1");
export const tableArn = arn("dynamodb", "table/tidegate-dev");
export const criticalTopicArn = arn("sns", "tidegate-dev-critical");
export const warningTopicArn = arn("sns", "tidegate-dev-warnings");
export const listenerArn = arn("elasticloadbalancing", "listener/app/edge/1234567890abcdef/fedcba0987654321");

/** Statements of a policy as a resource has it. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}
export const statementsOf = (policy: unknown): Statement[] => JSON.parse(String(policy)).Statement;
