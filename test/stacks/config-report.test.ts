/** `alerting.report`: who gets SLO reports, every problem at once (D6, B11). */
import { describe, expect, it } from "vitest";
import { Problems } from "../../stacks/config/problems.ts";
import { readReport } from "../../stacks/config/report.ts";

const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slo-webhook-AbCdEf";
function read(raw: unknown) {
  const problems = new Problems();
  const report = readReport(raw, ["alerting", "report"], problems);
  return problems.texts.length > 0 ? problems.texts : report;
}

describe("the report's config", () => {
  it("takes e-mail, Slack or both, and each recipient once [D6]", () => {
    expect(read({ sender: "slo@example.com", recipients: ["a@example.com", "a@example.com"] })).toEqual({
      sender: "slo@example.com",
      recipients: ["a@example.com"],
    });
    expect(read({ webhookSecretArn: secret })).toEqual({ recipients: [], webhookSecretArn: secret });
  });

  it("names every problem at once, and no secret [B11]", () => {
    expect(
      read({ sender: "nobody", recipients: ["a@example.com", 7], webhookUrl: "https://hooks.slack.com/x", extra: 1 }),
    ).toEqual([
      "alerting.report.webhookUrl: a secret in plain text; expected webhookSecretArn. Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
      "alerting.report.extra: unknown key; expected sender, recipients or webhookSecretArn",
      'alerting.report.sender: not an e-mail address, got "nobody"; expected name@example.com',
      "alerting.report.recipients[1]: not an e-mail address, got 7; expected name@example.com",
    ]);
  });

  it("refuses half an e-mail, nobody at all, and more than SES takes [D6, B11]", () => {
    expect(read({ sender: "slo@example.com" })).toEqual([
      "alerting.report.recipients: missing beside a sender; expected at least one address. Say who gets the e-mail, or leave sender out",
    ]);
    expect(read({ recipients: ["a@example.com"] })).toEqual([
      "alerting.report.sender: missing beside recipients; expected an address that SES has verified, or one of a verified domain. Verify one with aws sesv2 create-email-identity",
    ]);
    expect(read({})).toEqual([
      "alerting.report: no way there; expected sender with recipients, webhookSecretArn or both",
    ]);
    const recipients = Array.from({ length: 51 }, (_, index) => `a${index}@example.com`);
    expect(read({ sender: "slo@example.com", recipients })).toEqual([
      "alerting.report.recipients: too many, got 51; expected at most 50. Give the address of a mailing list",
    ]);
  });
});
