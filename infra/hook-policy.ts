/** What the hook's role may do, as plain data: everything on named resources, save the reads that IAM knows no resources for. */

/** Where the hook acts. */
export interface HookPolicyArgs {
  readonly tableArn: string;
  readonly deadLetterArn: string;
  readonly logGroupArn: string;
  /** The listener whose rules the hook lowers. */
  readonly listenerArn: string;
}

/** ARN pattern of a listener's rules: `…:listener/app/a/1/2` has `…:listener-rule/app/a/1/2/<rule>`. */
function rulesOf(listenerArn: string): string {
  return `${listenerArn.replace(":listener/", ":listener-rule/")}/*`;
}

/** The policy of the deployed hook: it writes rules of one listener and items of one table, and reads what it decides on. */
export function hookPolicy(args: HookPolicyArgs) {
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
      {
        // ELBv2 describes take no resource: IAM ignores or refuses anything but "*".
        // Source: Service Authorization Reference, "Elastic Load Balancing V2", read 2026-11.
        Sid: "ReadRulesAndTargetHealthWhichHaveNoResourceScope",
        Effect: "Allow",
        Action: [
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetHealth",
        ],
        Resource: "*",
      },
      {
        // GetMetricData takes no resource; DescribeAlarms over several names at once is judged on "*".
        // Source: Service Authorization Reference, "Amazon CloudWatch", read 2026-11.
        Sid: "ReadAlarmsAndMetricsWhichHaveNoResourceScope",
        Effect: "Allow",
        Action: ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"],
        Resource: "*",
      },
      {
        Sid: "LowerRules",
        Effect: "Allow",
        Action: "elasticloadbalancing:ModifyRule",
        Resource: rulesOf(args.listenerArn),
      },
      { Sid: "DeadLetters", Effect: "Allow", Action: "sqs:SendMessage", Resource: args.deadLetterArn },
      {
        Sid: "OwnLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: `${args.logGroupArn}:*`,
      },
    ],
  };
}

/** Lambda may take the role. */
export const hookTrustPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "Lambda", Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
  ],
};

/** EventBridge may leave events it could not deliver. */
export function deadLetterQueuePolicy(queueArn: string, ruleArns: readonly string[]) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "UndeliveredEvents",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": ruleArns } },
      },
    ],
  };
}
