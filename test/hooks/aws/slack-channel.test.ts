import { describe, expect, it } from "vitest";
import { slackChannel, slackLimits, slackMessageOf } from "../../../hooks/aws/slack-channel.ts";
import { aPageMessage } from "./a-page.ts";
import { type Answer, loopback } from "./loopback.ts";

const path = "/services/T000/B000/secretsecretsecret";

async function scene(...answers: Answer[]) {
  const server = await loopback(...answers);
  const url = `${server.url}${path}`;
  let fresh = url;
  const channel = slackChannel({
    webhookUrl: { read: async () => url, readAgain: async () => fresh },
    redact: (text) => text,
    timing: { pauseMilliseconds: () => 1 },
  });
  return { ...server, channel, rotateTo: (to: string) => (fresh = `${server.url}${to}`) };
}

describe("Slack channel", () => {
  it("posts blocks to the webhook; it is never required [D4]", async () => {
    const { channel, requests } = await scene({ status: 200, body: "ok" });
    expect(channel).toMatchObject({ name: "slack", isRequired: false });
    await channel.send(aPageMessage({ summary: "a < b & c > d", owner: "payments" }));
    expect(requests[0]?.path).toBe(path);
    expect(requests[0]?.json).toEqual({
      text: "CRITICAL: checkout in production: a &lt; b &amp; c &gt; d",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "CRITICAL: checkout in production" } },
        { type: "section", text: { type: "mrkdwn", text: "*a &lt; b &amp; c &gt; d*" } },
        { type: "section", text: { type: "mrkdwn", text: "error rate 4.2 %, above 2 %" } },
        {
          type: "section",
          text: { type: "mrkdwn", text: "where it stands\n```npx tidegate status --service checkout```" },
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            text: 'all traffic off the canary\n```npx tidegate kill --service checkout --reason "..."```',
          },
        },
        {
          type: "context",
          elements: [
            {
              type: "mrkdwn",
              text: "<https://example.com/runbooks/high-error-rate.md|runbook> · <https://example.com/d/1|dashboard> · owner: payments · hold: hold-1 · eu-west-1 · 2026-01-05T03:00:00.000Z",
            },
          ],
        },
      ],
    });
  });

  it("says that it is over, without commands [D4]", () => {
    const { text, blocks } = slackMessageOf(aPageMessage({ action: "resolve", detail: "" }));
    expect(text).toBe("RESOLVED: checkout in production: 2.4.0 rolled back from 25 % to 0 %");
    expect(blocks.map((block) => block.type)).toEqual(["header", "section", "context"]);
  });

  it("keeps every block within Slack's limits, escapes whole [D4]", () => {
    const long = "&".repeat(10_000);
    const message = aPageMessage(
      { summary: long, detail: long },
      { service: "s".repeat(300), commands: [{ label: long, command: long }] },
    );
    const texts = slackMessageOf(message).blocks.flatMap((block) =>
      "text" in block && block.text ? [block.text.text] : [],
    );
    expect(texts[0]?.length).toBe(slackLimits.headerLength);
    for (const text of texts) {
      expect(text.length).toBeLessThanOrEqual(slackLimits.sectionLength);
      expect(text.replaceAll("&amp;", "")).not.toContain("&am");
    }
  });

  it("never says the URL in an error [D7]", async () => {
    const { channel, url } = await scene({
      status: 403,
      // Slack does not repeat the URL, but something on the way might.
      body: (wanted, host) => `invalid_token for http://${host}${wanted}`,
    });
    const failure = await channel.send(aPageMessage()).then(String, (error: unknown) => error);
    expect(String(failure)).toBe(
      "ChannelError: Slack: did not take the page, got status 403: invalid_token for [redacted]",
    );
    expect(String(failure)).not.toContain(url);
    expect(String((failure as Error).stack)).not.toContain(url);
    expect((failure as Error).cause).toBeUndefined();
  });

  it("takes the new URL once, where the old hook is gone [D4]", async () => {
    const { channel, requests, rotateTo } = await scene(
      { status: 404, body: "no_service" },
      { status: 200, body: "ok" },
    );
    rotateTo("/services/new");
    await channel.send(aPageMessage());
    expect(requests.map((request) => request.path)).toEqual([path, "/services/new"]);
  });
});
