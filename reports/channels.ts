/** Where the deployed function sends reports: e-mail through SES, Slack through a webhook whose URL is the secret. */
import type { S3Client } from "@aws-sdk/client-s3";
import type { SESv2Client } from "@aws-sdk/client-sesv2";
import { oneLine } from "../core/error-message.ts";
import type { SloReport } from "../core/slo-report.ts";
import { call } from "../hooks/aws/call.ts";
import { ChannelError, postJson } from "../hooks/aws/post-json.ts";
import { type Secret, withSecret } from "../hooks/aws/secrets.ts";
import { emailOf, sendEmail } from "./email.ts";
import { type Illustrated, withGap } from "./illustrate.ts";
import type { ReportChannel } from "./look.ts";
import { slackReport } from "./slack.ts";

type Illustrate = (report: SloReport) => Promise<Illustrated>;

export function emailChannel(args: {
  readonly client: SESv2Client;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly illustrate: Illustrate;
}): ReportChannel {
  return {
    name: "e-mail",
    async send(plain) {
      const { report, pictures } = await args.illustrate(plain);
      const { sender, recipients } = args;
      const email = { sender, recipients, pictures };
      await sendEmail(args.client, await emailOf(report, email), email);
    },
  };
}

/** Where pictures are put so that Slack can load them. */
export interface PictureStore {
  /** @returns a URL that needs no sign-in */
  put(name: string, png: Uint8Array): Promise<string>;
}

/** Slack loads a picture once, when it is posted, and keeps a copy; a URL of a function's role is good for some hours at most. Unit: seconds. */
const urlSeconds = 12 * 3_600;

export function s3PictureStore(client: S3Client, bucket: string): PictureStore {
  return {
    async put(name, png) {
      const { GetObjectCommand, PutObjectCommand } = await import("@aws-sdk/client-s3");
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      const place = { Bucket: bucket, Key: name };
      await call(`bucket ${bucket}: putting ${name}`, () =>
        client.send(new PutObjectCommand({ ...place, Body: png, ContentType: "image/png" })),
      );
      return getSignedUrl(client, new GetObjectCommand(place), { expiresIn: urlSeconds });
    },
  };
}

export function slackReportChannel(args: {
  readonly webhookUrl: Secret;
  readonly redact: (text: string) => string;
  readonly illustrate: Illustrate;
  /** @default none: a line of text instead of a picture */
  readonly store?: PictureStore;
}): ReportChannel {
  const { webhookUrl, redact, illustrate, store } = args;
  return {
    name: "slack",
    async send(plain) {
      const { report, urls } = store ? await stored(plain, illustrate, store) : { report: plain, urls: {} };
      const json = slackReport(report, urls);
      const post = (url: string) =>
        postJson({ receiver: "Slack", url, json, redact: (text) => redact(text.replaceAll(url, "[redacted]")) });
      await withSecret(webhookUrl, post, isHookRefusal);
    },
  };
}

function isHookRefusal(error: unknown): boolean {
  return error instanceof ChannelError && [400, 401, 403, 404, 410].includes(error.status ?? 0);
}

async function stored(
  plain: SloReport,
  illustrate: Illustrate,
  store: PictureStore,
): Promise<{ readonly report: SloReport; readonly urls: Readonly<Record<string, string>> }> {
  const { report, pictures } = await illustrate(plain);
  const urls: Record<string, string> = {};
  try {
    for (const [service, png] of Object.entries(pictures)) {
      const name = [report.kind, report.label, service].map((part) => part.replace(/[^\w.-]+/g, "-")).join("/");
      urls[service] = await store.put(`${name}.png`, png);
    }
    return { report, urls };
  } catch (error) {
    return { report: withGap(report, `pictures could not be stored: ${oneLine(error)}`), urls: {} };
  }
}
