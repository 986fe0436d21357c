/**
 * PagerDuty's Events API v2 on loopback: it takes only what PagerDuty documents, and answers as PagerDuty does.
 * Source: PagerDuty developer docs, "Send an alert event" and "Events API v2 overview", read 2026-11.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An event that was taken. */
export interface TakenEvent {
  readonly routing_key: string;
  readonly event_action: "trigger" | "acknowledge" | "resolve";
  readonly dedup_key: string;
  readonly payload?: {
    readonly summary: string;
    readonly source: string;
    readonly severity: string;
    readonly custom_details?: Readonly<Record<string, unknown>>;
  };
  readonly links?: readonly { readonly href: string; readonly text?: string }[];
}

/** What the endpoint does instead of taking events. */
export type Outage = "throttled" | "broken" | "silent";

const severities: readonly unknown[] = ["critical", "error", "warning", "info"];
/** Most bytes of an event, and most characters of its fields. */
const limits = { eventBytes: 512 * 1_024, dedupKey: 255, summary: 1_024 } as const;

export class EventsV2Endpoint {
  readonly taken: TakenEvent[] = [];
  /** Why events were refused with 400. */
  readonly refused: string[] = [];
  /** All requests, taken or not. */
  requests = 0;
  private outage: Outage | undefined;

  private constructor(
    private readonly server: Server,
    private readonly routingKey: string,
  ) {}

  /** @param routingKey the only one that is known */
  static async start(routingKey: string): Promise<EventsV2Endpoint> {
    const server = createServer();
    const endpoint = new EventsV2Endpoint(server, routingKey);
    server.on("request", async (request, response) => {
      const answer = await endpoint.answer(request);
      if (!answer) return;
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param outage `undefined`: takes events again */
  fail(outage: Outage | undefined): void {
    this.outage = outage;
  }

  clear(): void {
    this.taken.length = 0;
    this.refused.length = 0;
    this.requests = 0;
    this.outage = undefined;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage): Promise<{ status: number; body: object } | undefined> {
    this.requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    if (this.outage === "silent") return undefined;
    if (this.outage === "broken") return { status: 500, body: {} };
    if (this.outage === "throttled")
      return {
        status: 429,
        body: {
          status: "throttle exceeded",
          message: "Requests for this service or integration key are arriving too quickly.",
          errors: ["Retry later"],
        },
      };
    if (request.method !== "POST" || request.url !== "/v2/enqueue") return { status: 404, body: {} };
    const problems = problemsOf(text, request.headers["content-type"]);
    const event = problems.length === 0 ? (JSON.parse(text) as TakenEvent) : undefined;
    if (event && event.routing_key !== this.routingKey) problems.push("'routing_key' is not known");
    if (!event || problems.length > 0) {
      this.refused.push(...problems);
      return { status: 400, body: { status: "invalid event", message: "Event object is invalid", errors: problems } };
    }
    this.taken.push(event);
    return { status: 202, body: { status: "success", message: "Event processed", dedup_key: event.dedup_key } };
  }
}

/** Every rule that the event breaks. */
export function problemsOf(text: string, contentType: string | undefined): string[] {
  const problems: string[] = [];
  if (!contentType?.startsWith("application/json")) problems.push("content type must be application/json");
  if (Buffer.byteLength(text) > limits.eventBytes) problems.push(`event is larger than ${limits.eventBytes} bytes`);
  const event = objectOf(text);
  if (!event) return [...problems, "event is not a JSON object"];
  const { routing_key: key, event_action: action, dedup_key: dedup } = event;
  if (typeof key !== "string" || key.length !== 32) problems.push("'routing_key' must be 32 characters");
  if (action !== "trigger" && action !== "acknowledge" && action !== "resolve")
    problems.push("'event_action' must be trigger, acknowledge or resolve");
  // PagerDuty makes one up for a trigger that has none; ours always folds, so here it is required.
  if (typeof dedup !== "string" || dedup === "" || dedup.length > limits.dedupKey)
    problems.push(`'dedup_key' must be 1 to ${limits.dedupKey} characters`);
  if (action !== "trigger") return problems;
  const payload: Record<string, unknown> = isObject(event.payload) ? event.payload : {};
  const { summary, source, severity, timestamp } = payload;
  if (typeof summary !== "string" || summary === "" || summary.length > limits.summary)
    problems.push(`'payload.summary' must be 1 to ${limits.summary} characters`);
  if (typeof source !== "string" || source === "") problems.push("'payload.source' is missing or blank");
  if (!severities.includes(severity)) problems.push("'payload.severity' must be critical, error, warning or info");
  if (timestamp !== undefined && (typeof timestamp !== "string" || Number.isNaN(Date.parse(timestamp))))
    problems.push("'payload.timestamp' must be ISO 8601");
  const links = event.links ?? [];
  if (!Array.isArray(links) || links.some((link) => !isObject(link) || !/^https?:\/\//.test(String(link.href))))
    problems.push("'links' must each have an href");
  return problems;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
