/** A page as plain text for somebody woken at 3 a.m.: what happened, what to type, where to read on; and how texts are cut. */
import type { PageMessage } from "../../core/page-message.ts";

/** Longest summary that is sent anywhere. Unit: characters. PagerDuty takes no more. */
export const maximumSummaryLength = 1_024;

/** At most so many characters, the last one `…` where something is missing. */
export function cut(text: string, maximumLength: number): string {
  if (text.length <= maximumLength) return text;
  if (maximumLength <= 0) return "";
  // Not through the middle of a character that takes two places.
  return `${text.slice(0, maximumLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** The same text in printable ASCII on one line; what has no ASCII form becomes `?`. */
export function asciiLine(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[–—−]/g, "-")
    .replace(/[“”„]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e]/g, "?")
    .trim();
}

/** `CRITICAL`, `WARNING`, `INFO`, or `RESOLVED` whatever it was before. */
export function headOf({ page }: PageMessage): string {
  return page.action === "resolve" ? "RESOLVED" : page.severity.toUpperCase();
}

/** The whole page. */
export function pageText(message: PageMessage, { detailLength, lineLength }: TextLimits): string {
  const { page } = message;
  const isResolved = page.action === "resolve";
  const block = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : ["", title, ...lines]);
  return [
    `${headOf(message)}: ${message.service} in ${message.environment} (${message.region})`,
    cut(page.summary, maximumSummaryLength),
    ...block("What happened", page.detail === "" ? [] : [cut(page.detail, detailLength)]),
    ...block(
      "What to type",
      isResolved
        ? []
        : message.commands.flatMap(({ label, command }) => [`  ${label}:`, `    ${cut(command, lineLength)}`]),
    ),
    ...block(
      "Read on",
      message.links.map(({ label, target }) => `  ${label}: ${cut(target, lineLength)}`),
    ),
    "",
    ...(page.owner === undefined ? [] : [`Owner: ${page.owner}`]),
    ...(page.holdId === undefined ? [] : [`Hold: ${page.holdId}`]),
    ...(page.severity === "info" ? [] : [`Incident: ${page.dedupKey}`]),
    `At: ${new Date(page.at).toISOString()}`,
  ].join("\n");
}

/** How much of what may be long is shown. Unit: characters. */
export interface TextLimits {
  readonly detailLength: number;
  /** Of each command and each link. */
  readonly lineLength: number;
}

/** Detail first, then commands and links; a raw weights line of five groups has about a thousand characters. */
const firstLimits: TextLimits = { detailLength: 20_000, lineLength: 8_000 };

/**
 * Renders with less and less of what may be long until it fits; a page is not refused for its length.
 * @throws RangeError where it does not even fit without any of it
 */
export function fitted(render: (limits: TextLimits) => string, maximumBytes: number): string {
  let { detailLength, lineLength } = firstLimits;
  for (;;) {
    const text = render({ detailLength, lineLength });
    if (Buffer.byteLength(text) <= maximumBytes) return text;
    if (detailLength > 0) detailLength = Math.floor(detailLength / 2);
    else if (lineLength > 0) lineLength = Math.floor(lineLength / 2);
    else {
      throw new RangeError(
        `page: too long even without its detail, got ${Buffer.byteLength(text)} bytes; expected at most ${maximumBytes}`,
      );
    }
  }
}
