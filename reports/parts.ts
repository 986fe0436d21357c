/** The deployed function's parts out of its environment variables: record table, figures, marks, channels. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import * as z from "zod/mini";
import type { RolloutRecord } from "../core/record.ts";
import { clientSettings } from "../hooks/aws/clients.ts";
import { cloudWatchMetrics } from "../hooks/aws/metrics.ts";
import { dynamoRecordStore } from "../hooks/aws/record-store.ts";
import type { Redaction } from "../hooks/aws/redaction.ts";
import { managedSecret, type SecretKind, slackWebhook } from "../hooks/aws/secrets.ts";
import { grafanaToken } from "../hooks/elsewhere/prometheus.ts";
import { text } from "../hooks/zod.ts";
import { emailChannel, s3PictureStore, slackReportChannel } from "./channels.ts";
import { illustrate } from "./illustrate.ts";
import type { LookPorts, ReportChannel } from "./look.ts";
import { dynamoMarks } from "./marks.ts";
import type { PictureAssets } from "./picture.ts";
import { cloudWatchSource } from "./sources/cloudwatch.ts";
import { prometheusSource } from "./sources/prometheus.ts";
import type { ReportSource } from "./sources/source.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** The function was deployed without what it needs. */
export class ReportVariablesError extends Error {
  override readonly name = "ReportVariablesError";
}

const variablesSchema = z.object({
  AWS_REGION: text,
  TIDEGATE_ENVIRONMENT: text,
  TIDEGATE_TABLE: text,
  TIDEGATE_REPORT_SENDER: z.optional(text),
  /** With commas. */
  TIDEGATE_REPORT_RECIPIENTS: z.optional(text),
  TIDEGATE_REPORT_SLACK_SECRET: z.optional(text),
  TIDEGATE_REPORT_BUCKET: z.optional(text),
  TIDEGATE_GRAFANA_URL: z.optional(z.url()),
  TIDEGATE_GRAFANA_DATA_SOURCE: z.optional(text),
  TIDEGATE_GRAFANA_SECRET: z.optional(text),
});
type Read = z.output<typeof variablesSchema>;

/** Every problem at once; values are not repeated, since somebody may have put a key where its ARN belongs. */
function parse(variables: Variables): Read {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = variablesSchema.safeParse(set);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join(".")}: ${path.join(".") in set ? message : "missing or empty"}`,
  );
  throw new ReportVariablesError(
    [
      `environment variables: ${problems.length} problem(s), values not shown. Deploy the function with its program:`,
      ...problems,
    ].join("\n"),
  );
}

/** @throws ReportVariablesError */
export function partsFromEnvironment(
  variables: Variables,
  redaction: Redaction,
  assets: () => Promise<PictureAssets>,
  now: () => number = () => Date.now(),
): LookPorts {
  const read = parse(variables);
  const settings = clientSettings({ region: read.AWS_REGION });
  const secret = (secretArn: string, kind: SecretKind) =>
    managedSecret({ region: read.AWS_REGION, secretArn, kind, now, onValue: (value) => redaction.add(value) });
  const redact = (words: string) => redaction.text(words);
  const dynamo = new DynamoDBClient(settings);
  const cloudWatch = new CloudWatchClient(settings);
  const drawn = (report: Parameters<typeof illustrate>[0]) => illustrate(report, assets);
  const {
    TIDEGATE_REPORT_SENDER: sender,
    TIDEGATE_REPORT_RECIPIENTS: recipients,
    TIDEGATE_REPORT_SLACK_SECRET: slackArn,
    TIDEGATE_REPORT_BUCKET: bucket,
  } = read;
  const channels: ReportChannel[] = [
    ...(sender !== undefined && recipients !== undefined
      ? [
          emailChannel({
            client: new SESv2Client(settings),
            sender,
            recipients: recipients.split(","),
            illustrate: drawn,
          }),
        ]
      : []),
    ...(slackArn === undefined
      ? []
      : [
          slackReportChannel({
            webhookUrl: secret(slackArn, slackWebhook),
            redact,
            illustrate: drawn,
            ...(bucket === undefined ? {} : { store: s3PictureStore(new S3Client(settings), bucket) }),
          }),
        ]),
  ];
  if (channels.length === 0) {
    throw new ReportVariablesError(
      "environment variables: nobody to send reports to; expected TIDEGATE_REPORT_SENDER with TIDEGATE_REPORT_RECIPIENTS, TIDEGATE_REPORT_SLACK_SECRET or both",
    );
  }
  const figures = cloudWatchSource(cloudWatch, cloudWatchMetrics(cloudWatch));
  const prometheus = prometheusOf(read, secret, redact);
  return {
    environment: read.TIDEGATE_ENVIRONMENT,
    records: dynamoRecordStore(dynamo, { tableName: read.TIDEGATE_TABLE }),
    marks: dynamoMarks(dynamo, read.TIDEGATE_TABLE),
    channels,
    now,
    sourceOf: (record) => sourceOf(record, figures, prometheus),
  };
}

function prometheusOf(
  read: Read,
  secret: (secretArn: string, kind: SecretKind) => { read(): Promise<string> },
  redact: (text: string) => string,
): ReportSource | undefined {
  const { TIDEGATE_GRAFANA_URL: url, TIDEGATE_GRAFANA_DATA_SOURCE: uid, TIDEGATE_GRAFANA_SECRET: arn } = read;
  if (url === undefined || uid === undefined || arn === undefined) return undefined;
  const token = secret(arn, grafanaToken);
  return prometheusSource({
    url: `${url.replace(/\/+$/, "")}/api/datasources/proxy/uid/${encodeURIComponent(uid)}`,
    token: () => token.read(),
    redact,
  });
}

/** @throws Error by name where a service's figures cannot be asked for */
export function sourceOf(
  record: Pick<RolloutRecord, "service" | "source">,
  cloudWatch: ReportSource,
  prometheus: ReportSource | undefined,
): ReportSource {
  switch (record.source) {
    case "alb":
    case "emf":
      return cloudWatch;
    case "prometheus":
      if (prometheus) return prometheus;
      throw new Error(
        "source prometheus cannot be asked from here; expected alerting.grafana with its data source and token",
      );
    case "datadog":
      throw new Error(
        "source datadog has no figures here; expected Datadog's own SLO report, which its SLOs are made for",
      );
  }
}
