/**
 * A proxy on loopback between a program and an emulator: it keeps every call in its order, and spoils the ones that a test names, each
 * in the protocol that AWS would use. The signed host goes through as it came, so that signatures stay good.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { nested } from "../../../bench/query-protocol.ts";

/** One call as the emulator, or the fault, answered it. */
export interface TracedCall {
  /** As IAM spells it: `dynamodb:PutItem`. */
  readonly action: string;
  /** Fields of the call; of the query protocol every value is a text. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Who signed it: an access key id. */
  readonly accessKeyId: string;
  readonly startedAt: number;
  endedAt: number;
  /** HTTP status; 0: the connection was cut. */
  status: number;
  /** What the proxy did to it; absent: nothing. */
  readonly fault?: FaultKind;
}

export type FaultKind =
  | "throttle"
  | "internal-error"
  | "unavailable"
  | "reset"
  /** The call is answered after so many milliseconds, and done. */
  | { readonly slowMilliseconds: number }
  /** The call is done, and its answer lost. */
  | "lost-answer";

export interface Fault {
  /** Calls that are spoiled: an action, or a prefix with `*` at the end. */
  readonly action: string;
  readonly kind: FaultKind;
  /** How many calls. @default all */
  readonly times?: number;
  /** Only calls of these fields. */
  readonly where?: (input: Readonly<Record<string, unknown>>) => boolean;
}

/** IAM's names of the services, by what requests carry. */
const byTarget: Readonly<Record<string, string>> = {
  DynamoDB_20120810: "dynamodb",
  GraniteServiceVersion20100801: "cloudwatch",
  secretsmanager: "secretsmanager",
};

export class FaultProxy {
  readonly calls: TracedCall[] = [];
  private faults: { readonly fault: Fault; left: number }[] = [];

  private constructor(
    private readonly upstream: URL,
    private readonly server: Server,
  ) {}

  /** @param upstream the emulator, `http://127.0.0.1:<port>` */
  static async start(upstream: string): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(new URL(upstream), server);
    server.on("request", (request, response) => {
      proxy.pass(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(502);
        response.end(`fault proxy: ${String(error)}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Spoils calls from now on, beside what is spoiled already. */
  inject(...faults: readonly Fault[]): void {
    this.faults.push(...faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })));
  }

  /** No faults and no calls any more. */
  clear(): void {
    this.faults = [];
    this.calls.length = 0;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const body = await bodyOf(request);
    const { action, input, isQuery } = read(request, body);
    const fault = this.take(action, input);
    const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const call: TracedCall = {
      action,
      input,
      accessKeyId,
      startedAt,
      endedAt: startedAt,
      status: 0,
      ...(fault === undefined ? {} : { fault }),
    };
    this.calls.push(call);
    try {
      if (fault === "reset") return void request.socket.destroy();
      if (typeof fault === "object") await new Promise((resolve) => setTimeout(resolve, fault.slowMilliseconds));
      const refusal = typeof fault === "string" ? refusals[fault]?.(action, isQuery) : undefined;
      if (refusal) {
        call.status = refusal.status;
        response.writeHead(refusal.status, refusal.headers);
        response.end(refusal.body);
        return;
      }
      const answer = await this.forward(request, body);
      call.status = answer.status;
      if (fault === "lost-answer") return void request.socket.destroy();
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    } finally {
      call.endedAt = performance.now();
    }
  }

  private take(action: string, input: Readonly<Record<string, unknown>>): FaultKind | undefined {
    const found = this.faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.action.endsWith("*") ? action.startsWith(fault.action.slice(0, -1)) : action === fault.action) &&
        (fault.where?.(input) ?? true),
    );
    if (!found) return undefined;
    found.left -= 1;
    return found.fault.kind;
  }

  private forward(request: IncomingMessage, body: Buffer) {
    return new Promise<{ status: number; headers: Record<string, string | string[]>; body: Buffer }>(
      (resolve, reject) => {
        const passed = send(
          {
            host: this.upstream.hostname,
            port: this.upstream.port,
            method: request.method,
            path: request.url,
            headers: request.headers,
            agent: false,
          },
          (answer) => {
            bodyOf(answer).then((answered) => {
              const { "transfer-encoding": _chunked, connection: _connection, ...headers } = answer.headers;
              resolve({
                status: answer.statusCode ?? 502,
                headers: {
                  ...(headers as Record<string, string | string[]>),
                  "content-length": String(answered.length),
                },
                body: answered,
              });
            }, reject);
          },
        );
        passed.once("error", reject);
        passed.end(body);
      },
    );
  }
}

interface Refusal {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Errors as AWS words them, by protocol. Source: AWS API references, "Common errors", read 2026-11. */
const refusals: Partial<Record<string, (action: string, isQuery: boolean) => Refusal>> = {
  throttle: (action, isQuery) =>
    refusal(
      isQuery,
      400,
      action.startsWith("dynamodb:")
        ? "ProvisionedThroughputExceededException"
        : isQuery
          ? "Throttling"
          : "ThrottlingException",
      "Rate exceeded",
    ),
  "internal-error": (_action, isQuery) =>
    refusal(isQuery, 500, isQuery ? "InternalFailure" : "InternalServerError", "Internal"),
  unavailable: (_action, isQuery) =>
    refusal(isQuery, 503, isQuery ? "ServiceUnavailable" : "ServiceUnavailableException", "Unavailable"),
};

function refusal(isQuery: boolean, status: number, code: string, message: string): Refusal {
  const requestId = "00000000-0000-4000-8000-000000000000";
  if (isQuery) {
    return {
      status,
      headers: { "content-type": "text/xml" },
      body: `<ErrorResponse><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    };
  }
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": requestId },
    body: JSON.stringify({ __type: `com.amazonaws.fault#${code}`, message }),
  };
}

/** What a request asks for. A protocol that is not known here is refused by name, so that no call goes unrecorded. */
function read(request: IncomingMessage, body: Buffer) {
  const target = request.headers["x-amz-target"];
  if (typeof target === "string") {
    const [service = "", operation = ""] = target.split(".");
    const name = byTarget[service];
    if (name === undefined) throw new Error(`target ${target} is not known to the proxy`);
    return {
      action: `${name}:${operation}`,
      input: JSON.parse(body.toString("utf8")) as Record<string, unknown>,
      isQuery: false,
    };
  }
  const lambda = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? "");
  if (lambda) {
    const url = new URL(request.url ?? "", "http://lambda");
    const input = { FunctionName: decodeURIComponent(lambda[1] ?? ""), Qualifier: url.searchParams.get("Qualifier") };
    return { action: "lambda:InvokeFunction", input, isQuery: false };
  }
  const scope = /\/([a-z]+)\/aws4_request/.exec(request.headers.authorization ?? "")?.[1];
  const { Action, Version: _version, ...fields } = Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  if (scope === undefined || Action === undefined)
    throw new Error(`${request.method} ${request.url} is not known to the proxy`);
  return { action: `${scope}:${Action}`, input: nested(fields), isQuery: true };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
