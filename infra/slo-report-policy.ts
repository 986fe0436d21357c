/**
 * What the role of the SLO report may do, as plain data. It reads records and metrics, writes its own marks and pictures, and sends as one
 * sender; it can change nothing that a rollout hangs on.
 */
import { everywhere, ownLogs, type Policy, type Statement } from "./policy-statements.ts";

/** Where the report reads and sends. */
export interface SloReportPolicyArgs {
  readonly tableArn: string;
  readonly logGroupArn: string;
  /** `arn:aws:ses:<region>:<account>`, to which identities are added. */
  readonly sesArnBase: string;
  /** Absent: no e-mail. */
  readonly sender?: string;
  /** Secrets that are configured: webhook, and what figures are asked for with. */
  readonly secretArns: readonly string[];
  /** Absent: no pictures are stored. */
  readonly bucketArn?: string;
}

/** Partition of the table that the report writes; see `reports/marks.ts`. */
const markPartition = "report";

export function sloReportPolicy(args: SloReportPolicyArgs): Policy {
  return {
    Version: "2012-10-17",
    Statement: [
      // Services, their records and histories.
      { Sid: "ReadRecords", Effect: "Allow", Action: ["dynamodb:GetItem", "dynamodb:Query"], Resource: args.tableArn },
      // Which report went out; no record of a service is within reach.
      {
        Sid: "MarkReports",
        Effect: "Allow",
        Action: "dynamodb:UpdateItem",
        Resource: args.tableArn,
        Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [markPartition] } },
      },
      // Requests, errors and values by the day.
      ...everywhere("report"),
      ...sendAs(args),
      ...readSecrets(args.secretArns),
      ...storePictures(args.bucketArn),
      ownLogs(args.logGroupArn),
    ],
  };
}

/**
 * An address is sent from by its own identity or by its domain's, and through whatever configuration set that identity has by default: SES
 * judges the action on the set as well, whose name only SES knows, and refuses the mail without it. Only ever as this sender, by the condition.
 * Source: AccessDenied on `configuration-set/<name>` as reported in aws/aws-cdk#34402 and medplum/medplum#10102, read 2026-11; AWS's guide does
 * not spell it out, and no account has tried this policy.
 */
function sendAs({ sender, sesArnBase }: SloReportPolicyArgs): Statement[] {
  if (sender === undefined) return [];
  const domain = sender.slice(sender.indexOf("@") + 1);
  return [
    {
      Sid: "SendAsOneSender",
      Effect: "Allow",
      Action: ["ses:SendEmail", "ses:SendRawEmail"],
      Resource: [
        `${sesArnBase}:identity/${sender}`,
        `${sesArnBase}:identity/${domain}`,
        `${sesArnBase}:configuration-set/*`,
      ],
      Condition: { StringEquals: { "ses:FromAddress": [sender] } },
    },
  ];
}

/** IAM refuses a statement without resources. */
function readSecrets(secretArns: readonly string[]): Statement[] {
  if (secretArns.length === 0) return [];
  return [{ Sid: "ReadSecrets", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArns }];
}

/** Putting them, and the right to read that a presigned URL passes on. */
function storePictures(bucketArn: string | undefined): Statement[] {
  if (bucketArn === undefined) return [];
  return [
    { Sid: "StorePictures", Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${bucketArn}/*` },
  ];
}
