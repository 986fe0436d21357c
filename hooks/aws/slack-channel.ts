/**
 * Pages through a Slack incoming webhook. The URL is the secret, so no error carries it.
 *
 * Limits: Slack API docs, Block Kit (header 150 characters, section 3,000), formatting (`&`, `<` and `>` are escaped), incoming
 * webhooks (403, 404 and 410 for a hook that is gone), read 2026-11.
 */
import type { PageMessage } from "../../core/page-message.ts";
import type { PageChannel } from "../pager.ts";
import { cut, headOf } from "./page-text.ts";
import { ChannelError, type PostArgs, postJson } from "./post-json.ts";
import { type Secret, withSecret } from "./secrets.ts";

export const slackLimits = { headerLength: 150, sectionLength: 3_000 } as const;

export interface SlackArgs {
  readonly webhookUrl: Secret;
  readonly redact: (text: string) => string;
  /** For tests. */
  readonly timing?: Pick<PostArgs, "limitMilliseconds" | "pauseMilliseconds">;
}

/** The channel `slack`, never required: it tells a room, it wakes nobody. */
export function slackChannel({ webhookUrl, redact, timing }: SlackArgs): PageChannel {
  return {
    name: "slack",
    isRequired: false,
    send(message) {
      const json = slackMessageOf(message);
      const post = (url: string) =>
        postJson({
          receiver: "Slack",
          url,
          json,
          redact: (text) => redact(text.replaceAll(url, "[redacted]")),
          ...timing,
        });
      return withSecret(webhookUrl, post, isHookRefusal);
    },
  };
}

function isHookRefusal(error: unknown): boolean {
  return error instanceof ChannelError && [400, 401, 403, 404, 410].includes(error.status ?? 0);
}

/** The page as blocks, with a one-line text for notifications. */
export function slackMessageOf(message: PageMessage) {
  const { page } = message;
  const isResolved = page.action === "resolve";
  const head = `${headOf(message)}: ${message.service} in ${message.environment}`;
  const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
  const links = message.links.map(({ label, target }) =>
    /^https?:\/\//.test(target) ? `<${escaped(target)}|${escaped(label)}>` : `${escaped(label)}: ${escaped(target)}`,
  );
  const facts = [
    ...links,
    ...(page.owner === undefined ? [] : [`owner: ${escaped(page.owner)}`]),
    ...(page.holdId === undefined ? [] : [`hold: ${escaped(page.holdId)}`]),
    message.region,
    new Date(page.at).toISOString(),
  ];
  return {
    text: within(`${head}: ${page.summary}`, slackLimits.sectionLength),
    blocks: [
      { type: "header", text: { type: "plain_text", text: cut(head, slackLimits.headerLength) } },
      section(`*${within(page.summary, slackLimits.sectionLength - 2)}*`),
      ...(page.detail === "" ? [] : [section(within(page.detail, slackLimits.sectionLength))]),
      ...(isResolved ? [] : message.commands).map(({ label, command }) => {
        const title = `${within(label, 200)}\n`;
        return section(`${title}\`\`\`${within(command, slackLimits.sectionLength - title.length - 6)}\`\`\``);
      }),
      { type: "context", elements: [{ type: "mrkdwn", text: cut(facts.join(" · "), slackLimits.sectionLength) }] },
    ],
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Escaped, and cut before escaping so that no `&amp;` is cut in two. */
function within(text: string, maximumLength: number): string {
  for (let length = maximumLength; ; length = Math.floor(length / 2)) {
    const result = escaped(cut(text, length));
    if (result.length <= maximumLength) return result;
  }
}
