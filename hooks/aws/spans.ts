/**
 * Spans as X-Ray subsegments, through Powertools' tracer. They are handed over after the work, with the times they had: loading the
 * tracer takes longer than lowering traffic.
 */

export interface Span {
  readonly name: string;
  /** The span it began in; `undefined`: the invocation itself. */
  readonly parent: Span | undefined;
  /** Unit: milliseconds since the epoch. */
  readonly startedAt: number;
  endedAt?: number;
  /** Without secrets. */
  error?: Error;
}

/** The part of a subsegment that is used here. */
interface Subsegment {
  start_time?: number;
  end_time?: number;
  addNewSubsegment(name: string): Subsegment;
  close(error?: Error): void;
}

/** X-Ray takes letters, digits, white space and `_ . : / % & # = + \ - @`, up to 200. Source: X-Ray segment documents; recalled 2026-11, not read again. */
function subsegmentName(name: string): string {
  return `## ${name}`.replace(/[^\p{L}\p{N}\p{Z}_.:/%&#=+\\\-@]/gu, "-").slice(0, 200);
}

/**
 * Hands over the spans of one invocation, in the order they began.
 * @param now the end of a span that has none: the invocation ended first
 * @param root where they hang; for tests
 */
export async function recordSpans(spans: readonly Span[], now: number, root = invocationSegment): Promise<void> {
  const invocation = await root();
  if (!invocation) return;
  const made = new Map<Span, Subsegment>();
  for (const span of spans) {
    const parent = (span.parent && made.get(span.parent)) ?? invocation;
    const subsegment = parent.addNewSubsegment(subsegmentName(span.name));
    subsegment.start_time = span.startedAt / 1_000;
    // Closing writes the end itself, as of now; the span ended earlier.
    const end = (span.endedAt ?? now) / 1_000;
    Object.defineProperty(subsegment, "end_time", { get: () => end, set: () => {}, enumerable: true });
    made.set(span, subsegment);
  }
  // Inner ones first: X-Ray sends a subsegment when it closes.
  for (const span of [...spans].reverse()) made.get(span)?.close(span.error);
}

async function invocationSegment(): Promise<Subsegment | undefined> {
  const { Tracer } = await import("@aws-lambda-powertools/tracer");
  // Captured requests would carry the webhook's URL into the trace.
  return new Tracer({ captureHTTPsRequests: false }).getSegment() as Subsegment | undefined;
}
