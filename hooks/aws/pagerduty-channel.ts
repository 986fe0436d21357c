/**
 * Pages through PagerDuty's Events API v2.
 *
 * Limits and answers: PagerDuty developer docs, Events API v2 (send an alert event), read 2026-11: 202 taken, 400 not understood (a wrong
 * routing key too), 429 too many, 5xx their trouble; summary 1,024 characters, dedup key 255, event 512 KB.
 */
import { createHash } from "node:crypto";
import type { PageMessage } from "../../core/page-message.ts";
import type { PageChannel } from "../pager.ts";
import { cut, fitted, maximumSummaryLength, type TextLimits } from "./page-text.ts";
import { ChannelError, type PostArgs, postJson } from "./post-json.ts";
import { type Secret, withSecret } from "./secrets.ts";

export const pagerDutyLimits = { dedupKeyLength: 255, eventBytes: 512 * 1_024 } as const;

export const defaultPagerDutyEndpoint = "https://events.pagerduty.com";

export interface PagerDutyArgs {
  /** @default https://events.pagerduty.com; the EU service region has https://events.eu.pagerduty.com */
  readonly endpoint?: string;
  readonly routingKey: Secret;
  readonly redact: (text: string) => string;
  /** For tests. */
  readonly timing?: Pick<PostArgs, "limitMilliseconds" | "pauseMilliseconds">;
}

/** The channel `pagerduty`; pages count as said only when it has them. Those that only tell it takes and sends nowhere. */
export function pagerDutyChannel(args: PagerDutyArgs): PageChannel {
  const { endpoint = defaultPagerDutyEndpoint, routingKey, redact, timing } = args;
  const url = `${endpoint.replace(/\/+$/, "")}/v2/enqueue`;
  return {
    name: "pagerduty",
    isRequired: true,
    async send(message) {
      // It takes incidents alone; what only tells is for the other channels.
      if (message.page.severity === "info") return;
      const event = eventOf(message);
      const post = (key: string) =>
        postJson({
          receiver: "PagerDuty",
          url,
          json: { routing_key: key, ...event },
          redact: (text) => redact(text.replaceAll(key, "[redacted]")),
          messageOf,
          ...timing,
        });
      await withSecret(routingKey, post, isKeyRefusal);
    },
  };
}

/** A key that is no longer good is answered like any other bad event. */
function isKeyRefusal(error: unknown): boolean {
  return error instanceof ChannelError && [400, 401, 403, 404].includes(error.status ?? 0);
}

/** The event without its key, as small as it must be. */
export function eventOf(message: PageMessage): Readonly<Record<string, unknown>> {
  const { page } = message;
  const dedupKey = dedupKeyOf(page.dedupKey);
  if (page.action === "resolve") {
    return {
      event_action: "resolve",
      dedup_key: dedupKey,
      // Only where the incident was sent on by its owner does the way there depend on it.
      ...(page.owner === undefined
        ? {}
        : {
            payload: {
              summary: cut(page.summary, maximumSummaryLength),
              source: `tidegate/${message.environment}/${message.service}`,
              severity: page.severity,
              custom_details: { owner: page.owner },
            },
          }),
    };
  }
  const isUrl = (target: string) => /^https?:\/\//.test(target);
  const render = ({ detailLength, lineLength }: TextLimits) =>
    JSON.stringify({
      event_action: "trigger",
      dedup_key: dedupKey,
      client: "Tidegate",
      payload: {
        summary: cut(page.summary, maximumSummaryLength),
        source: `tidegate/${message.environment}/${message.service}`,
        severity: page.severity,
        timestamp: new Date(page.at).toISOString(),
        component: message.service,
        group: cut(page.dedupKey, pagerDutyLimits.dedupKeyLength),
        ...(page.runbook === undefined ? {} : { class: page.runbook }),
        custom_details: {
          detail: cut(page.detail, detailLength),
          environment: message.environment,
          region: message.region,
          ...(page.owner === undefined ? {} : { owner: page.owner }),
          ...(page.holdId === undefined ? {} : { holdId: page.holdId }),
          // PagerDuty shows a link only where it is a URL; a folder of runbooks is named here.
          ...Object.fromEntries(
            message.links
              .filter((link) => !isUrl(link.target))
              .map(({ label, target }) => [label, cut(target, lineLength)]),
          ),
          ...Object.fromEntries(
            message.commands.map(({ label, command }) => [`command: ${label}`, cut(command, lineLength)]),
          ),
        },
      },
      links: message.links
        .filter((link) => isUrl(link.target))
        .map(({ label, target }) => ({ href: target, text: label })),
    });
  // The key, its name and punctuation come on top.
  return JSON.parse(fitted(render, pagerDutyLimits.eventBytes - 1_024));
}

/** A longer key keeps its beginning, for people, and a hash of the whole, so that two rollouts stay two incidents. */
function dedupKeyOf(key: string): string {
  if (key.length <= pagerDutyLimits.dedupKeyLength) return key;
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return `${key.slice(0, pagerDutyLimits.dedupKeyLength - hash.length - 1)}-${hash}`;
}

/** `invalid event: Event object is invalid (…)` out of PagerDuty's JSON; any other text as it is. */
function messageOf(text: string): string {
  try {
    const { status, message, errors } = JSON.parse(text) as Record<string, unknown>;
    const said = [status, message].filter((each) => typeof each === "string").join(": ");
    const list = Array.isArray(errors) ? errors.filter((each) => typeof each === "string").join("; ") : "";
    return `${said}${list === "" ? "" : ` (${list})`}` || text;
  } catch {
    return text;
  }
}
