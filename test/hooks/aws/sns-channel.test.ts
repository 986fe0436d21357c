import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { mockClient } from "aws-sdk-client-mock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { snsChannel, snsLimits, snsMessageOf, subjectOf } from "../../../hooks/aws/sns-channel.ts";
import { aPageMessage } from "./a-page.ts";

const topics = {
  critical: "arn:aws:sns:eu-west-1:123456789012:critical",
  warning: "arn:aws:sns:eu-west-1:123456789012:warning",
};

function scene(isRequired = true) {
  const client = new SNSClient({ region: "eu-west-1" });
  const mock = mockClient(client);
  mock.on(PublishCommand).resolves({});
  const channel = snsChannel({ region: "eu-west-1", topics, isRequired }, async () => ({ client, PublishCommand }));
  return { mock, channel, sent: () => mock.commandCalls(PublishCommand).map((call) => call.args[0].input) };
}

const text = [
  "CRITICAL: checkout in production (eu-west-1)",
  "2.4.0 rolled back from 25 % to 0 %",
  "",
  "What happened",
  "error rate 4.2 %, above 2 %",
  "",
  "What to type",
  "  where it stands:",
  "    npx tidegate status --service checkout",
  "  all traffic off the canary:",
  '    npx tidegate kill --service checkout --reason "..."',
  "",
  "Read on",
  "  runbook: https://example.com/runbooks/high-error-rate.md",
  "  dashboard: https://example.com/d/1",
  "",
  "Owner: payments",
  "Hold: hold-1",
  "Incident: tidegate/production/checkout/sha256:bbbb/2",
  "At: 2026-01-05T03:00:00.000Z",
].join("\n");

describe("SNS channel", () => {
  it("sends a critical page to the critical topic, a warning to the other [D4]", async () => {
    const { channel, sent } = scene();
    expect(channel).toMatchObject({ name: "sns", isRequired: true });
    expect(scene(false).channel.isRequired).toBe(false);
    await channel.send(aPageMessage());
    await channel.send(aPageMessage({ severity: "warning" }));
    expect(sent().map((input) => input.TopicArn)).toEqual([topics.critical, topics.warning]);
    expect(sent()[0]?.MessageAttributes).toEqual({
      environment: { DataType: "String", StringValue: "production" },
      service: { DataType: "String", StringValue: "checkout" },
      severity: { DataType: "String", StringValue: "critical" },
      action: { DataType: "String", StringValue: "trigger" },
    });
  });

  it("tells what only tells where warnings go, as no incident [C1]", async () => {
    const { channel, sent } = scene();
    await channel.send(aPageMessage({ severity: "info", summary: "gate OVERRIDDEN" }));
    const [input] = sent();
    expect([input?.TopicArn, input?.Subject]).toEqual([topics.warning, "INFO checkout in production: gate OVERRIDDEN"]);
    const { email } = JSON.parse(input?.Message ?? "{}");
    expect(email).toMatch(/^INFO: checkout in production \(eu-west-1\)\ngate OVERRIDDEN\n/);
    expect(email).not.toContain("Incident:");
  });

  it("writes plain text for mail, and a custom notification for chat [D4]", async () => {
    const { channel, sent } = scene();
    await channel.send(aPageMessage({ owner: "payments" }));
    const [input] = sent();
    expect(input?.MessageStructure).toBe("json");
    expect(input?.Subject).toBe("CRITICAL checkout in production: 2.4.0 rolled back from 25 % to 0 %");
    const message = JSON.parse(input?.Message ?? "");
    expect(Object.keys(message)).toEqual(["default", "email", "sms", "https"]);
    expect(message.default).toBe(text);
    expect(message.email).toBe(text);
    expect(message.sms).toBe("CRITICAL checkout: 2.4.0 rolled back from 25 % to 0 %");
    expect(JSON.parse(message.https)).toEqual({
      version: "1.0",
      source: "custom",
      id: "page-1",
      content: {
        textType: "client-markdown",
        title: "CRITICAL: checkout in production",
        description: [
          "2.4.0 rolled back from 25 % to 0 %",
          "error rate 4.2 %, above 2 %",
          "runbook: https://example.com/runbooks/high-error-rate.md",
          "dashboard: https://example.com/d/1",
          "owner: payments",
        ].join("\n"),
        nextSteps: [
          "where it stands: `npx tidegate status --service checkout`",
          'all traffic off the canary: `npx tidegate kill --service checkout --reason "..."`',
        ],
        keywords: ["checkout", "production", "critical"],
      },
      metadata: {
        threadId: "tidegate/production/checkout/sha256:bbbb/2",
        summary: "2.4.0 rolled back from 25 % to 0 %",
        eventType: "trigger",
      },
    });
  });

  it("says RESOLVED when it is over, and nothing to type [D4]", () => {
    const over = aPageMessage({ action: "resolve" });
    expect(subjectOf(over)).toBe("RESOLVED checkout in production: 2.4.0 rolled back from 25 % to 0 %");
    const message = JSON.parse(snsMessageOf(over));
    expect(message.default.split("\n")[0]).toBe("RESOLVED: checkout in production (eu-west-1)");
    expect(message.default).not.toContain("What to type");
    expect(JSON.parse(message.https).content.nextSteps).toBeUndefined();
  });

  it("has a subject that SNS takes, whatever the summary [D4]", () => {
    expect(subjectOf(aPageMessage({ summary: "é 25 % → 0 %\r\nüber — “so”" }))).toBe(
      'CRITICAL checkout in production: e 25 % ? 0 % uber - "so"',
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (summary) => {
        expect(subjectOf(aPageMessage({ summary }))).toMatch(/^[A-Za-z0-9][\x20-\x7e]{0,98}$/);
      }),
    );
    expect(subjectOf(aPageMessage({ summary: "x".repeat(200) }))).toMatch(
      /^CRITICAL checkout in production: x+\.\.\.$/,
    );
  });

  it.each([1, 10, 50])("fits into 256 KB whatever the detail and the %i commands [D4]", (count) => {
    const long = '\u0001\\"'.repeat(3_000);
    const commands = Array.from({ length: count }, (_, index) => ({ label: `c${index}`, command: long }));
    const message = snsMessageOf(aPageMessage({ detail: long, summary: long }, { commands }));
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(snsLimits.messageBytes - 1_024);
    expect(JSON.parse(message).default).toContain("…");
  });

  it("throws what AWS said, with topic and page [D4]", async () => {
    const { channel, mock } = scene();
    mock.on(PublishCommand).rejects(Object.assign(new Error("no"), { name: "AuthorizationErrorException" }));
    await expect(channel.send(aPageMessage())).rejects.toThrow(
      `topic ${topics.critical}: publishing page page-1 failed, got AuthorizationErrorException: no`,
    );
  });
});
