/** What the hook's role may do, as plain data: everything on named resources, save what IAM knows no resources for. */
import { everywhere, ownLogs, type Policy, readSecrets, type Statement, tellPeople } from "./policy-statements.ts";

/** Where the hook acts. */
export interface HookPolicyArgs {
  readonly tableArn: string;
  /** The record tables of the same environment in the regions that share holds; empty: none. */
  readonly peerTableArns: readonly string[];
  readonly deadLetterArn: string;
  readonly logGroupArn: string;
  /** The listener whose rules the hook lowers. */
  readonly listenerArn: string;
  /** Further listeners of which the same holds; empty: none. */
  readonly moreListenerArns: readonly string[];
  /** The two alert topics. */
  readonly topicArns: readonly string[];
  /** The environment's key. */
  readonly keyArn: string;
  /** Secrets that are configured, those of the channels; empty: none. */
  readonly secretArns: readonly string[];
  /** The alarm that drills set off. */
  readonly drillAlarmArn: string;
}

/** ARN pattern of a listener's rules: `…:listener/app/a/1/2` has `…:listener-rule/app/a/1/2/<rule>`. */
function rulesOf(listenerArn: string): string {
  return `${listenerArn.replace(":listener/", ":listener-rule/")}/*`;
}

/** The policy of the deployed hook: it writes rules of named listeners and items of one table, and reads what it decides on. */
export function hookPolicy(args: HookPolicyArgs): Policy {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Records",
        Effect: "Allow",
        // Transactions are authorised by what they contain: puts and condition checks.
        Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"],
        Resource: args.tableArn,
      },
      ...shareHolds(args.peerTableArns),
      ...everywhere("hook"),
      {
        Sid: "LowerRules",
        Effect: "Allow",
        Action: "elasticloadbalancing:ModifyRule",
        Resource:
          args.moreListenerArns.length === 0
            ? rulesOf(args.listenerArn)
            : [args.listenerArn, ...args.moreListenerArns].map(rulesOf),
      },
      ...tellPeople(args.topicArns, args.keyArn),
      ...readSecrets(args.secretArns),
      { Sid: "SetOffDrills", Effect: "Allow", Action: "cloudwatch:SetAlarmState", Resource: args.drillAlarmArn },
      { Sid: "DeadLetters", Effect: "Allow", Action: "sqs:SendMessage", Resource: args.deadLetterArn },
      ownLogs(args.logGroupArn),
    ],
  };
}

/**
 * A peer's record is read, a hold put into it and a line of its history written; those are items of services, and nothing else of the
 * table is within reach. IAM refuses a statement without resources.
 */
function shareHolds(peerTableArns: readonly string[]): Statement[] {
  if (peerTableArns.length === 0) return [];
  return [
    {
      Sid: "ShareHoldsWithPeers",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:PutItem"],
      Resource: peerTableArns,
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["service#*"] } },
    },
  ];
}
