/**
 * The SLO report as deployed (D6): a function of its own that looks every quarter of an hour which report is due, and sends it by e-mail and
 * to Slack. Weekly, quarterly and after a rollout are all one schedule: a look that was missed or failed is made good by the next.
 *
 * Where Slack is told, a private bucket keeps the pictures for a week; Slack loads them once by a URL that is signed.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { reportFunctionName } from "../core/naming.ts";
import { defaultRunbookBase, runbookLink } from "../core/runbooks.ts";
import { deployedFunction } from "./deployed-function.ts";
import { type ElsewhereAccess, elsewhereSecretArns, elsewhereVariables } from "./elsewhere.ts";
import { functionClock } from "./function-clock.ts";
import { functionMetrics, ownAlarm } from "./own-alarm.ts";
import { sloReportPolicy } from "./slo-report-policy.ts";

export interface SloReportArgs {
  readonly environment: string;
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  /** Folder of the bundled handler; see `hooks/bundle.ts`. */
  readonly bundleFolder: string;
  readonly tableName: pulumi.Input<string>;
  readonly tableArn: pulumi.Input<string>;
  /** Topic that is told when the report fails. */
  readonly warningTopicArn: pulumi.Input<string>;
  /** The environment's key. */
  readonly keyArn: pulumi.Input<string>;
  /** Verified SES identity that the e-mail comes from, and who gets it. @default no e-mail */
  readonly email?: { readonly sender: string; readonly recipients: readonly string[] };
  /** Secret with a Slack webhook's URL. @default no Slack */
  readonly webhookSecretArn?: string;
  /** Prometheus, for services whose figures are there. @default none */
  readonly elsewhere?: ElsewhereAccess;
  /** URL or folder that the alarms link to. @default the product's own folder */
  readonly runbookBase?: string;
  /** How long logs are kept. Unit: days. @default 90 (as the hook's) */
  readonly logRetentionDays?: number;
}

/** A look over many services asks CloudWatch for months; under the quarter of an hour after which the next begins. Unit: seconds. */
const timeoutSeconds = 300;
/** Pictures are drawn in WebAssembly: 100 MB at most, and processor time comes with memory. Unit: megabytes. */
const memoryMegabytes = 1_024;
/** Slack loads a picture when it is posted. Unit: days. */
const pictureDays = 7;
/** At minute 0 too, so that what is due at 09:00 goes out then. */
const schedule = "cron(0/15 * * * ? *)";

/**
 * The SLO report of an environment.
 *
 * @example
 * ```ts
 * new SloReport("report", {
 *   environment: "production",
 *   accountId,
 *   region: "eu-west-1",
 *   partition: "aws",
 *   bundleFolder: "dist/report",
 *   tableName: table.name,
 *   tableArn: table.arn,
 *   warningTopicArn: topics.warning.arn,
 *   keyArn: key.arn,
 *   email: { sender: "slo@example.com", recipients: ["sre@example.com"] },
 * });
 * ```
 */
export class SloReport extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;

  constructor(name: string, args: SloReportArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:SloReport", name, { environment: args.environment }, opts);
    const { environment, email, webhookSecretArn, elsewhere = {} } = args;
    const functionName = reportFunctionName(environment);
    const tags = { "tidegate:environment": environment, "tidegate:role": "report" };
    const child = { parent: this };
    const bucket = webhookSecretArn === undefined ? undefined : this.#pictures(name, tags);
    // Datadog has reports of its own and is not asked.
    const figures: ElsewhereAccess = elsewhere.prometheus ? { prometheus: elsewhere.prometheus } : {};
    const secretArns = [...(webhookSecretArn === undefined ? [] : [webhookSecretArn]), ...elsewhereSecretArns(figures)];
    this.function = deployedFunction(
      `${name}-report`,
      {
        functionName,
        description: `Tidegate ${environment}: SLO reports`,
        bundleFolder: args.bundleFolder,
        timeoutSeconds,
        memoryMegabytes,
        variables: {
          TIDEGATE_ENVIRONMENT: environment,
          TIDEGATE_TABLE: args.tableName,
          ...(email
            ? { TIDEGATE_REPORT_SENDER: email.sender, TIDEGATE_REPORT_RECIPIENTS: email.recipients.join(",") }
            : {}),
          ...(webhookSecretArn === undefined ? {} : { TIDEGATE_REPORT_SLACK_SECRET: webhookSecretArn }),
          ...(bucket ? { TIDEGATE_REPORT_BUCKET: bucket.id } : {}),
          ...elsewhereVariables(figures),
        },
        policy: (logs) =>
          pulumi.all([args.tableArn, logs, bucket?.arn]).apply(([tableArn, logGroupArn, bucketArn]) =>
            sloReportPolicy({
              tableArn,
              logGroupArn,
              sesArnBase: `arn:${args.partition}:ses:${args.region}:${args.accountId}`,
              ...(email ? { sender: email.sender } : {}),
              secretArns,
              ...(bucketArn === undefined ? {} : { bucketArn }),
            }),
          ),
        keyArn: args.keyArn,
        logRetentionDays: args.logRetentionDays ?? 90,
        tags,
      },
      child,
    );
    functionClock(
      `${name}-report-clock`,
      {
        function: this.function,
        ruleName: `${functionName}-clock`,
        description: `Tidegate ${environment}: which SLO report is due`,
        schedule,
        targetId: "report",
        maximumEventAgeInSeconds: 600,
        tags,
      },
      child,
    );
    this.#alarms(name, args, tags);
    this.registerOutputs({ functionName: this.function.name });
  }

  #pictures(name: string, tags: Record<string, string>): aws.s3.Bucket {
    const child = { parent: this };
    // Nothing in it is worth keeping, so it goes with the report. SSE-S3 is on for every bucket since 2023.
    const bucket = new aws.s3.Bucket(`${name}-report-pictures`, { forceDestroy: true, tags }, child);
    new aws.s3.BucketPublicAccessBlock(
      `${name}-report-pictures-private`,
      {
        bucket: bucket.id,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child,
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-report-pictures-expiry`,
      {
        bucket: bucket.id,
        rules: [{ id: "expire", status: "Enabled", filter: { prefix: "" }, expiration: { days: pictureDays } }],
      },
      child,
    );
    return bucket;
  }

  #alarms(name: string, args: SloReportArgs, tags: Record<string, string>): void {
    const { environment, runbookBase = defaultRunbookBase } = args;
    const functionName = reportFunctionName(environment);
    const child = { parent: this };
    const lambda = functionMetrics(this.function.name);
    const means = "an SLO report was not sent, or not to everybody; rollouts are looked after all the same";
    ownAlarm(
      `${name}-report-errors`,
      {
        environment,
        alarmName: `${functionName}-errors`,
        metric: lambda("Errors"),
        ringsAt: "something",
        means,
        runbook: "report-failing",
        runbookBase,
        topicArn: args.warningTopicArn,
        tags,
      },
      child,
    );
    // Not of the shape of the others: it runs every quarter of an hour, so silence is told by the hour.
    new aws.cloudwatch.MetricAlarm(
      `${name}-report-missing`,
      {
        name: `${functionName}-missing`,
        alarmDescription: `Tidegate ${environment}: the SLO report has not looked for two hours. Runbook: ${runbookLink(runbookBase, "report-failing")}`,
        ...lambda("Invocations"),
        period: 3_600,
        evaluationPeriods: 2,
        threshold: 1,
        comparisonOperator: "LessThanThreshold",
        treatMissingData: "breaching",
        alarmActions: [args.warningTopicArn],
        okActions: [args.warningTopicArn],
        tags,
      },
      child,
    );
  }
}
