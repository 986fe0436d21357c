/**
 * Pages through the environment's alert topics: plain text for mail and everything else, and a custom notification for AWS Chatbot,
 * which subscribes to topics over https.
 *
 * Limits: SNS API reference, Publish, read 2026-11: message 256 KB in all protocols together; subject printable ASCII under 100
 * characters, beginning with a letter, digit or punctuation mark. Custom notifications: Amazon Q Developer in chat applications
 * administrator guide, read 2026-11.
 */
import type { SNSClient } from "@aws-sdk/client-sns";
import type { Severity } from "../../core/objectives.ts";
import type { PageMessage } from "../../core/page-message.ts";
import type { PageChannel } from "../pager.ts";
import { call } from "./call.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";
import { asciiLine, cut, fitted, headOf, pageText, type TextLimits } from "./page-text.ts";

export const snsLimits = { messageBytes: 256 * 1_024, subjectLength: 99, smsLength: 140 } as const;
/** Room for message attributes, which count too. Unit: bytes. */
const attributeBytes = 1_024;
/** Most of a chat notification's description. Unit: characters. Longer ones are folded by Slack anyway. */
const maximumDescriptionLength = 3_000;

export interface SnsArgs extends AwsAccess {
  /** ARNs by severity; what only tells goes where warnings go. */
  readonly topics: Readonly<Record<Severity, string>>;
  /** Whether pages count as said only when the topic has them. */
  readonly isRequired: boolean;
}

/**
 * The channel `sns`. Its client is loaded with the first page.
 * @param makeClient for tests
 */
export function snsChannel(args: SnsArgs, makeClient = sns): PageChannel {
  let made: ReturnType<typeof sns> | undefined;
  return {
    name: "sns",
    isRequired: args.isRequired,
    async send(message) {
      made ??= makeClient(args);
      const { client, PublishCommand } = await made;
      const { page } = message;
      const topicArn = args.topics[page.severity === "info" ? "warning" : page.severity];
      const attribute = (value: string) => ({ DataType: "String", StringValue: value });
      const publish = new PublishCommand({
        TopicArn: topicArn,
        Subject: subjectOf(message),
        MessageStructure: "json",
        Message: snsMessageOf(message),
        // What subscriptions may filter on.
        MessageAttributes: {
          environment: attribute(message.environment),
          service: attribute(message.service),
          severity: attribute(page.severity),
          action: attribute(page.action ?? "trigger"),
        },
      });
      await call(`topic ${topicArn}: publishing page ${page.id}`, () => client.send(publish));
    },
  };
}

async function sns(access: AwsAccess) {
  const { SNSClient, PublishCommand } = await import("@aws-sdk/client-sns");
  const client: SNSClient = new SNSClient(clientSettings(access));
  return { client, PublishCommand };
}

/** `CRITICAL checkout in production: 2.4.0 rolled back …`, in ASCII. */
export function subjectOf(message: PageMessage): string {
  const line = asciiLine(`${headOf(message)} ${message.service} in ${message.environment}: ${message.page.summary}`);
  return line.length <= snsLimits.subjectLength ? line : `${line.slice(0, snsLimits.subjectLength - 3)}...`;
}

/** The message by protocol, as SNS takes it. */
export function snsMessageOf(message: PageMessage): string {
  const render = (limits: TextLimits) => {
    const text = pageText(message, limits);
    return JSON.stringify({
      default: text,
      email: text,
      sms: cut(asciiLine(`${headOf(message)} ${message.service}: ${message.page.summary}`), snsLimits.smsLength),
      https: JSON.stringify(chatNotification(message, limits)),
    });
  };
  return fitted(render, snsLimits.messageBytes - attributeBytes);
}

function chatNotification(message: PageMessage, { detailLength, lineLength }: TextLimits) {
  const { page } = message;
  const isResolved = page.action === "resolve";
  const description = [
    page.summary,
    ...(page.detail === "" ? [] : [cut(page.detail, detailLength)]),
    ...message.links.map(({ label, target }) => `${label}: ${cut(target, lineLength)}`),
    ...(page.owner === undefined ? [] : [`owner: ${page.owner}`]),
  ].join("\n");
  return {
    version: "1.0",
    source: "custom",
    id: page.id,
    content: {
      textType: "client-markdown",
      title: cut(`${headOf(message)}: ${message.service} in ${message.environment}`, 250),
      description: cut(description, maximumDescriptionLength),
      ...(isResolved || message.commands.length === 0
        ? {}
        : {
            nextSteps: message.commands.map(
              ({ label, command }) => `${label}: \`${cut(command, Math.min(lineLength, 2_000))}\``,
            ),
          }),
      keywords: [message.service, message.environment, page.severity],
    },
    // One thread an incident.
    metadata: { threadId: page.dedupKey, summary: cut(page.summary, 250), eventType: page.action ?? "trigger" },
  };
}
