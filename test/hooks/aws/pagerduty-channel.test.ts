import { describe, expect, it } from "vitest";
import { eventOf, pagerDutyChannel, pagerDutyLimits } from "../../../hooks/aws/pagerduty-channel.ts";
import type { Secret } from "../../../hooks/aws/secrets.ts";
import { aPageMessage } from "./a-page.ts";
import { type Answer, loopback } from "./loopback.ts";

const key = "R0ABCDEFGHIJKLMNOPQRSTUVWXYZ2345";
const newKey = "R1ABCDEFGHIJKLMNOPQRSTUVWXYZ2345";
const taken: Answer = { status: 202, body: '{"status":"success","message":"Event processed","dedup_key":"k"}' };
const badKey: Answer = {
  status: 400,
  body: JSON.stringify({
    status: "invalid event",
    message: "Event object is invalid",
    errors: [`Invalid routing_key ${key}`],
  }),
};

function aSecret(value: string, fresh = value): Secret & { reads: number } {
  const secret = {
    reads: 0,
    read: async () => value,
    readAgain: async () => {
      secret.reads += 1;
      return fresh;
    },
  };
  return secret;
}

async function scene(answers: (Answer | "hang")[], secret = aSecret(key), limitMilliseconds = 4_000) {
  const server = await loopback(...answers);
  const channel = pagerDutyChannel({
    endpoint: `${server.url}/`,
    routingKey: secret,
    redact: (text) => text.replaceAll(newKey, "[redacted]"),
    timing: { limitMilliseconds, pauseMilliseconds: () => 1 },
  });
  return { ...server, secret, channel };
}

describe("PagerDuty channel", () => {
  it("is required, under the name that records keep [D4]", async () => {
    const { channel } = await scene([taken]);
    expect(channel).toMatchObject({ name: "pagerduty", isRequired: true });
  });

  it("triggers with everything somebody woken needs, in one request [D4]", async () => {
    const { channel, requests } = await scene([taken]);
    await channel.send(aPageMessage({ owner: "payments" }));
    expect(requests.map(({ path, method, json }) => ({ path, method, json }))).toEqual([
      {
        path: "/v2/enqueue",
        method: "POST",
        json: {
          routing_key: key,
          event_action: "trigger",
          dedup_key: "tidegate/production/checkout/sha256:bbbb/2",
          client: "Tidegate",
          payload: {
            summary: "2.4.0 rolled back from 25 % to 0 %",
            source: "tidegate/production/checkout",
            severity: "critical",
            timestamp: "2026-01-05T03:00:00.000Z",
            component: "checkout",
            group: "tidegate/production/checkout/sha256:bbbb/2",
            class: "high-error-rate",
            custom_details: {
              detail: "error rate 4.2 %, above 2 %",
              environment: "production",
              region: "eu-west-1",
              owner: "payments",
              holdId: "hold-1",
              "command: where it stands": "npx tidegate status --service checkout",
              "command: all traffic off the canary": 'npx tidegate kill --service checkout --reason "..."',
            },
          },
          links: [
            { href: "https://example.com/runbooks/high-error-rate.md", text: "runbook" },
            { href: "https://example.com/d/1", text: "dashboard" },
          ],
        },
      },
    ]);
  });

  it("resolves by the dedup key alone [D4]", async () => {
    const { channel, requests } = await scene([taken]);
    await channel.send(aPageMessage({ action: "resolve" }));
    expect(requests[0]?.json).toEqual({
      routing_key: key,
      event_action: "resolve",
      dedup_key: "tidegate/production/checkout/sha256:bbbb/2",
    });
  });

  it("names a runbook folder in the details, since only URLs are links there [D4]", () => {
    const event = eventOf(aPageMessage({}, { links: [{ label: "runbook", target: "docs/runbooks/x.md" }] }));
    expect(event).toMatchObject({ links: [], payload: { custom_details: { runbook: "docs/runbooks/x.md" } } });
  });

  it("cuts what is too long, visibly, and keeps two long dedup keys apart [D4]", () => {
    const dedupKey = "k".repeat(300);
    const event = eventOf(aPageMessage({ summary: "s".repeat(2_000), detail: "ü".repeat(600_000), dedupKey }));
    expect(event).toMatchObject({ payload: { summary: `${"s".repeat(1_023)}…`, group: `${"k".repeat(254)}…` } });
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(pagerDutyLimits.eventBytes - 1_024);
    expect(String(event.dedup_key)).toMatch(/^k{238}-[0-9a-f]{16}$/);
    expect(eventOf(aPageMessage({ dedupKey: `${dedupKey}2` })).dedup_key).not.toBe(event.dedup_key);
    expect(eventOf(aPageMessage({ dedupKey, action: "resolve" })).dedup_key).toBe(event.dedup_key);
  });

  it.each([1, 70, 200])("fits into 512 KB whatever the detail and the %i commands [D4]", (count) => {
    const long = "\u0001".repeat(1_500);
    const commands = Array.from({ length: count }, (_, index) => ({ label: `c${index}`, command: long }));
    const event = eventOf(aPageMessage({ detail: long.repeat(40) }, { commands }));
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(pagerDutyLimits.eventBytes - 1_024);
    expect(event).toMatchObject({ payload: { summary: "2.4.0 rolled back from 25 % to 0 %" } });
  });

  it.each([429, 500, 502, 503, 504])("tries again on %s [D4]", async (status) => {
    const { channel, requests } = await scene([{ status, headers: { "retry-after": "0" } }, taken]);
    await channel.send(aPageMessage());
    expect(requests).toHaveLength(2);
  });

  it("takes what only tells, and sends it nowhere [C1]", async () => {
    const { channel, requests } = await scene([taken], aSecret(key));
    await channel.send(aPageMessage({ severity: "info" }));
    expect(requests).toEqual([]);
  });

  it("waits as long as PagerDuty asks, and gives up at the limit [D4]", async () => {
    const { channel, requests } = await scene(
      [{ status: 429, headers: { "retry-after": "60" } }, taken],
      aSecret(key),
      100,
    );
    await expect(channel.send(aPageMessage())).rejects.toThrow("PagerDuty: did not take the page within 100 ms");
    expect(requests).toHaveLength(1);
  });

  it("gives up at the limit on an endpoint that never answers [D4]", async () => {
    const { channel } = await scene(["hang"], aSecret(key), 100);
    await expect(channel.send(aPageMessage())).rejects.toThrow("PagerDuty: did not take the page within 100 ms");
  });

  it("gives up after four tries [D4]", async () => {
    const { channel, requests } = await scene([{ status: 500, body: "oops" }]);
    await expect(channel.send(aPageMessage())).rejects.toThrow(
      "PagerDuty: did not take the page, got status 500: oops",
    );
    expect(requests).toHaveLength(4);
  });

  it("says what PagerDuty said of a bad event, never the key, and does not try again [D4, D7]", async () => {
    const { channel, requests, secret } = await scene([badKey]);
    const failure = await channel.send(aPageMessage()).then(String, (error: unknown) => error);
    expect(String(failure)).toBe(
      "ChannelError: PagerDuty: did not take the page, got status 400: invalid event: Event object is invalid (Invalid routing_key [redacted])",
    );
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(key);
    expect(requests).toHaveLength(1);
    expect(secret.reads).toBe(1);
  });

  it("takes the new key once, where the old one was refused and has been rotated [D4]", async () => {
    const { channel, requests, secret } = await scene([badKey, taken], aSecret(key, newKey));
    await channel.send(aPageMessage());
    expect(requests.map(({ json }) => (json as { routing_key: string }).routing_key)).toEqual([key, newKey]);
    expect(secret.reads).toBe(1);
  });

  it("follows no redirect: the key is for PagerDuty alone [D7]", async () => {
    const elsewhere = await loopback(taken);
    const { channel } = await scene([{ status: 307, headers: { location: elsewhere.url } }]);
    await expect(channel.send(aPageMessage())).rejects.toThrow(/^PagerDuty: could not be reached: /);
    expect(elsewhere.requests).toEqual([]);
  });

  it("says why nobody could be reached, without the request [D4, D7]", async () => {
    const channel = pagerDutyChannel({
      endpoint: "http://127.0.0.1:1",
      routingKey: aSecret(key),
      redact: (text) => text,
      timing: { pauseMilliseconds: () => 1 },
    });
    const failure = await channel.send(aPageMessage()).then(String, String);
    expect(failure).toMatch(/^ChannelError: PagerDuty: could not be reached: \S/);
    expect(failure).not.toContain("enqueue");
  });
});
