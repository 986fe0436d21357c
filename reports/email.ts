/**
 * The report as an e-mail through SES: HTML, the same as text, and pictures that come along as attachments which the HTML shows by their
 * content id, since mail programs load nothing.
 */
import type { SESv2Client } from "@aws-sdk/client-sesv2";
import type { SloReport } from "../core/slo-report.ts";
import { call } from "../hooks/aws/call.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import { sectionsOf } from "./sections.ts";

/** Recipients of one message. Source: Amazon SES quotas, read 2026-11. */
export const mostRecipients = 50;

export interface EmailArgs {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** PNG by service. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
}

/** The whole message as SES takes it. The same report makes the same bytes. */
export async function emailOf(report: SloReport, { sender, recipients, pictures }: EmailArgs): Promise<Uint8Array> {
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const { title } = sectionsOf(report);
  const domain = sender.split("@")[1] ?? "tidegate.invalid";
  const id = `${report.kind}.${report.label}.${report.environment}.${Date.parse(report.generatedAt)}`.replace(
    /[^\w.-]+/g,
    "-",
  );
  const shown = report.services.map(({ service }) => service).filter((service) => pictures[service]);
  const urls = Object.fromEntries(shown.map((service) => [service, { url: `cid:${service}@${domain}` }]));
  const message = {
    from: { name: "Tidegate", address: sender },
    to: [...recipients],
    subject: title,
    date: new Date(report.generatedAt),
    messageId: `<${id}@${domain}>`,
    // Nobody's out-of-office answers a report.
    headers: { "Auto-Submitted": "auto-generated" },
    text: markdownReport(report),
    html: htmlReport(report, urls),
    attachments: shown.map((service) => ({
      filename: `${service}.png`,
      content: Buffer.from(pictures[service] ?? []),
      contentType: "image/png",
      contentDisposition: "inline" as const,
      cid: `${service}@${domain}`,
    })),
    // Random otherwise.
    baseBoundary: id,
    disableUrlAccess: true,
    disableFileAccess: true,
  };
  return new Promise((resolve, reject) => {
    new MailComposer(message).compile().build((error, built) => (error ? reject(error) : resolve(built)));
  });
}

/** Sends one. @throws AwsCallError */
export async function sendEmail(
  client: SESv2Client,
  raw: Uint8Array,
  { sender, recipients }: EmailArgs,
): Promise<void> {
  const { SendEmailCommand } = await import("@aws-sdk/client-sesv2");
  await call(`report by e-mail from ${sender}`, () =>
    client.send(
      new SendEmailCommand({
        FromEmailAddress: sender,
        Destination: { ToAddresses: [...recipients] },
        Content: { Raw: { Data: raw } },
      }),
    ),
  );
}
