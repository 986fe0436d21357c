/**
 * What the policies of hook, watchman and report share, as plain data; and the one list of everything that is allowed on "*" and why. A statement
 * on "*" is made from that list alone, and the roles are linted against it.
 */

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  /** Operator, then condition key, then the values that it takes. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** Functions that have a role of their own. */
export type PolicyRole = "hook" | "watchman" | "report";

/** Something that has to be allowed on every resource. */
export interface PolicyException {
  readonly sid: string;
  readonly why: string;
  /** By role that has the statement. */
  readonly actions: Readonly<Partial<Record<PolicyRole, readonly string[]>>>;
}

/** Every statement on "*". Source of all: Service Authorization Reference, read 2026-11. */
export const policyExceptions: readonly PolicyException[] = [
  {
    sid: "ReadRulesAndTargetHealthWhichHaveNoResourceScope",
    why: "ELBv2 describes take no resource: IAM ignores or refuses anything but *",
    actions: {
      hook: [
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetHealth",
      ],
      watchman: ["elasticloadbalancing:DescribeRules"],
    },
  },
  {
    sid: "ReadAlarmsAndMetricsWhichHaveNoResourceScope",
    why: "GetMetricData takes no resource; DescribeAlarms over several names at once is judged on *",
    actions: {
      hook: ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"],
      watchman: ["cloudwatch:DescribeAlarms"],
      report: ["cloudwatch:GetMetricData"],
    },
  },
  {
    sid: "WriteTracesWhichHaveNoResourceScope",
    why: "X-Ray takes no resource for segments and telemetry",
    actions: { hook: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"] },
  },
];

/** The statements on "*" of one role. */
export function everywhere(role: PolicyRole): Statement[] {
  return policyExceptions.flatMap(({ sid, actions }): Statement[] => {
    const allowed = actions[role];
    return allowed ? [{ Sid: sid, Effect: "Allow", Action: allowed, Resource: "*" }] : [];
  });
}

/** To publish to encrypted topics, and to nothing else. */
export function tellPeople(topicArns: readonly string[], keyArn: string): Statement[] {
  return [
    { Sid: "TellPeople", Effect: "Allow", Action: "sns:Publish", Resource: topicArns },
    {
      Sid: "UseTheEnvironmentsKey",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keyArn,
    },
  ];
}

/** To read named secrets. IAM refuses a statement without resources. */
export function readSecrets(secretArns: readonly string[]): Statement[] {
  if (secretArns.length === 0) return [];
  return [
    { Sid: "ReadChannelSecrets", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArns },
  ];
}

/** To write to a log group that exists. */
export function ownLogs(logGroupArn: string): Statement {
  return {
    Sid: "OwnLogs",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: `${logGroupArn}:*`,
  };
}

/** Lambda may take the role. */
export const functionTrustPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "Lambda", Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
  ],
};
