/**
 * One JSON document posted to somebody who tells people: a few tries, a hard limit over all of them, and errors that carry neither URL
 * nor body, because either may be a secret.
 */
import { reasonOf, responseOf } from "../request-errors.ts";

/** A channel did not take a page. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /** HTTP status of the last answer; `undefined`: none came. */
  readonly status: number | undefined;

  constructor(message: string, status: number | undefined) {
    super(message);
    this.status = status;
  }
}

/** How long one page may take on one channel, tries and pauses included. Unit: milliseconds. */
export const channelLimitMilliseconds = 10_000;
/** How long one try may take. Unit: milliseconds. */
const tryLimitMilliseconds = 4_000;
/** Tries after the first. */
const retries = 3;
/** Statuses worth another try: too many requests, and trouble on their side. */
const retriedStatuses = [429, 500, 502, 503, 504];
/** Most of an answer that is repeated in an error. Unit: characters. */
const maximumAnswerLength = 500;

export interface PostArgs {
  /** Names the receiver in errors: `PagerDuty`. */
  readonly receiver: string;
  readonly url: string;
  readonly json: unknown;
  /** Takes secrets out of what the receiver answered. */
  readonly redact: (text: string) => string;
  /** What the answer's text says, in one line. @default the text itself */
  readonly messageOf?: (text: string) => string;
  /** @default channelLimitMilliseconds */
  readonly limitMilliseconds?: number;
  /** Pause before a try where the receiver names none. @default 300 ms, doubling */
  readonly pauseMilliseconds?: (attempt: number) => number;
}

/**
 * Posts, and is done when a 2xx came.
 * @throws ChannelError
 */
export async function postJson(args: PostArgs): Promise<void> {
  const { receiver, url, json, redact, limitMilliseconds = channelLimitMilliseconds } = args;
  const { pauseMilliseconds = (attempt) => 300 * 2 ** (attempt - 1) } = args;
  // Loaded here: the HTTP client costs a tenth of a cold start, and a rollback does not need it.
  const { default: ky } = await import("ky");
  const signal = AbortSignal.timeout(limitMilliseconds);
  try {
    await ky.post(url, {
      json,
      signal,
      // A redirect would carry the key to somebody else.
      redirect: "error",
      timeout: Math.min(tryLimitMilliseconds, limitMilliseconds),
      retry: {
        limit: retries,
        methods: ["post"],
        statusCodes: retriedStatuses,
        afterStatusCodes: retriedStatuses,
        retryOnTimeout: true,
        delay: pauseMilliseconds,
      },
    });
  } catch (error) {
    if (signal.aborted) {
      throw new ChannelError(`${receiver}: did not take the page within ${limitMilliseconds} ms`, undefined);
    }
    const response = responseOf(error);
    if (!response) throw new ChannelError(`${receiver}: could not be reached: ${redact(reasonOf(error))}`, undefined);
    const text = await response.text().catch(() => "");
    const said = redact((args.messageOf?.(text) ?? text).replace(/\s+/g, " ").trim()).slice(0, maximumAnswerLength);
    throw new ChannelError(
      `${receiver}: did not take the page, got status ${response.status}${said === "" ? "" : `: ${said}`}`,
      response.status,
    );
  }
}
