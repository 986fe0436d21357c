/** What the watchman's role may do, as plain data: read, and publish to the critical topic. It can change nothing. */
import { everywhere, ownLogs, type Policy, readSecrets, tellPeople } from "./policy-statements.ts";

/** Where the watchman looks. */
export interface WatchmanPolicyArgs {
  readonly tableArn: string;
  readonly logGroupArn: string;
  readonly criticalTopicArn: string;
  /** The environment's key. */
  readonly keyArn: string;
  /** Secrets with which the systems that watch beside CloudWatch are asked. */
  readonly secretArns: readonly string[];
}

export function watchmanPolicy(args: WatchmanPolicyArgs): Policy {
  return {
    Version: "2012-10-17",
    Statement: [
      { Sid: "ReadRecords", Effect: "Allow", Action: ["dynamodb:GetItem", "dynamodb:Query"], Resource: args.tableArn },
      ...everywhere("watchman"),
      ...tellPeople([args.criticalTopicArn], args.keyArn),
      ...readSecrets(args.secretArns),
      ownLogs(args.logGroupArn),
    ],
  };
}
