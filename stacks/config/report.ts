/** The SLO report (D6): who gets it. A sender that SES does not know is found out at the first report, and its alarm says so. */
import { z } from "zod";
import type { ReportConfig } from "./model.ts";
import { secretArn, withoutPlaintext } from "./plaintext.ts";
import { checkFields, type Path, type Problems, text } from "./problems.ts";

const address = text(/^[^\s@<>",;]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/, {
  wrong: "not an e-mail address",
  expected: "name@example.com",
});
/** Recipients of one message. Source: Amazon SES quotas, read 2026-11. */
const mostRecipients = 50;

const reportFields = {
  sender: address.optional(),
  recipients: z.array(address).optional(),
  webhookSecretArn: secretArn.optional(),
};
const plaintext = { webhook: "webhookSecretArn", webhookUrl: "webhookSecretArn" };

/** Reads it; `undefined` after a problem. */
export function readReport(raw: unknown, path: Path, problems: Problems): ReportConfig | undefined {
  const before = problems.texts.length;
  const fields = checkFields(reportFields, withoutPlaintext(plaintext, raw, path, problems), path, problems);
  const { sender, recipients, webhookSecretArn } = fields;
  if (problems.texts.length > before) return undefined;
  if (sender !== undefined && !recipients?.length) {
    problems.add([...path, "recipients"], {
      wrong: "missing beside a sender",
      expected: "at least one address",
      wayOut: "Say who gets the e-mail, or leave sender out",
    });
  }
  if (sender === undefined && recipients?.length) {
    problems.add([...path, "sender"], {
      wrong: "missing beside recipients",
      expected: "an address that SES has verified, or one of a verified domain",
      wayOut: "Verify one with aws sesv2 create-email-identity",
    });
  }
  if (recipients && recipients.length > mostRecipients) {
    problems.add(
      [...path, "recipients"],
      { wrong: "too many", expected: `at most ${mostRecipients}`, wayOut: "Give the address of a mailing list" },
      recipients.length,
    );
  }
  if (sender === undefined && !recipients?.length && webhookSecretArn === undefined) {
    problems.add(path, { wrong: "no way there", expected: "sender with recipients, webhookSecretArn or both" });
  }
  if (problems.texts.length > before) return undefined;
  return {
    ...(sender === undefined ? {} : { sender }),
    recipients: [...new Set(recipients ?? [])],
    ...(webhookSecretArn === undefined ? {} : { webhookSecretArn }),
  };
}
