/**
 * One way to call AWS: a failure says what was being done to what, and keeps what AWS said as its cause.
 * Nothing is retried here (the client does that, bounded) and nothing is swallowed.
 */

import { messageOf } from "../../core/error-message.ts";

/** A call to AWS failed, after the client's own tries. */
export class AwsCallError extends Error {
  override readonly name = "AwsCallError";
}

/**
 * Runs one call.
 * @param doing what, in words that end a sentence: `table tidegate-prod: reading the record of checkout`
 * @throws AwsCallError with an AwsFault as `cause`
 */
export async function call<Answer>(doing: string, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    throw callError(doing, error);
  }
}

/**
 * What AWS or the way there said: the SDK's error name and message, without the SDK's error itself. That one carries the whole
 * request, security token included, for any logger that prints causes.
 */
export class AwsFault extends Error {
  override readonly name: string;
  /** For a support case; absent where no answer came. */
  readonly requestId: string | undefined;

  constructor(error: unknown) {
    super(messageOf(error));
    this.name = error instanceof Error ? error.name : "unknown";
    this.requestId = (error as { $metadata?: { requestId?: string } } | undefined)?.$metadata?.requestId;
  }
}

/** The error of a failed call, for callers that look at the SDK's error themselves first. */
export function callError(doing: string, error: unknown): AwsCallError {
  const fault = new AwsFault(error);
  const said = fault.message === "" ? fault.name : `${fault.name}: ${fault.message}`;
  return new AwsCallError(`${doing} failed, got ${said}`, { cause: fault });
}

/** AWS's own error name where a call failed; undefined for every other error. */
export function awsErrorName(error: unknown): string | undefined {
  return error instanceof AwsCallError && error.cause instanceof AwsFault ? error.cause.name : undefined;
}

/** Splits into batches of at most `size`, in order. */
export function batches<Item>(items: readonly Item[], size: number): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
