/**
 * One request on a Node response: when it is over, and whether it failed. All adapters come here.
 *
 * - A request is every one that the server hands to the application, whatever the answer; 404s too. Upgrades (WebSockets) and excluded
 *   paths are none.
 * - It failed with a 5xx, with a listener that threw, or when this process ended the connection before the answer was whole.
 * - It did not fail when the client went away; how long the client waited counts as latency, so that a release whose clients all give
 *   up is not taken for one without requests.
 * - It is over when the answer is handed to the system whole, streams too, or when the connection is gone.
 */
import type { RequestMetrics } from "./metrics.ts";

/** What is used of `http.IncomingMessage`. */
export interface NodeRequest {
  readonly url?: string | undefined;
  /** Express keeps the whole path here. */
  readonly originalUrl?: string | undefined;
  readonly httpVersionMajor?: number;
  readonly upgrade?: boolean;
  readonly socket?: NodeSocket | null;
}

export interface NodeSocket {
  readonly readableEnded?: boolean;
  readonly errored?: Error | null;
}

/** What is used of `http.ServerResponse`. */
export interface NodeResponse {
  readonly statusCode: number;
  readonly writableFinished: boolean;
  /** Why this process destroyed it. */
  readonly errored?: Error | null;
  on(event: "close", act: () => void): unknown;
}

export interface AdapterOptions {
  /** Paths that are no requests, exact, without the query: those of health checks. @default none */
  readonly excludePaths?: readonly string[];
}

/** Ends a request that is being observed, where nobody else does; only the first end counts. */
export type EndRequest = (failed: boolean) => void;

/** Reads the options once; what comes out is called for each request. */
export function observer(
  metrics: RequestMetrics,
  options: AdapterOptions = {},
): (request: NodeRequest, response: NodeResponse) => EndRequest {
  const isExcluded = pathFilter(options);
  return (request, response) => {
    if (request.upgrade === true || isExcluded(request)) return notObserved;
    if ((request.httpVersionMajor ?? 1) >= 2) {
      metrics.warnOnce(
        "http2",
        "metrics: HTTP/2 is not measured, got a request of it; expected HTTP/1.1, as load balancers speak to their targets. Such requests are not counted",
      );
      return notObserved;
    }
    const startedAt = metrics.now();
    // The response may have lost its socket when it closes.
    const socket = request.socket;
    let isOver = false;
    const end: EndRequest = (failed) => {
      if (isOver) return;
      isOver = true;
      metrics.request(metrics.now() - startedAt, failed, request);
    };
    response.on("close", () => end(hasFailed(response, socket)));
    return end;
  };
}

const notObserved: EndRequest = () => {};

/** What a request is known by, whichever of its framework's objects an application has at hand: Node's own, where there is one. */
export function requestKey(request: object): object {
  if ("raw" in request && isNodeRequest(request.raw)) return request.raw;
  if ("env" in request && typeof request.env === "object" && request.env !== null && "incoming" in request.env) {
    return isNodeRequest(request.env.incoming) ? request.env.incoming : request;
  }
  return request;
}

function isNodeRequest(value: unknown): value is object {
  return typeof value === "object" && value !== null && "httpVersionMajor" in value;
}

function hasFailed(response: NodeResponse, socket: NodeSocket | null | undefined): boolean {
  if (response.statusCode >= 500) return true;
  // Some frameworks end an answer that breaks off, and destroy it then.
  if (response.writableFinished && !response.errored) return false;
  // A client that goes away ends or resets its side; where it did neither, this process cut the answer short. What the application destroys
  // a response with becomes its socket's error, too.
  const resetByClient = socket?.errored && socket.errored !== response.errored;
  const clientWent = socket?.readableEnded === true || Boolean(resetByClient);
  return !clientWent;
}

/** Whether a request is none, by its path. @throws TypeError for a path that no request can have */
export function pathFilter({ excludePaths = [] }: AdapterOptions): (request: NodeRequest) => boolean {
  const wrong = excludePaths.filter((path) => !path.startsWith("/") || /[?#]/.test(path));
  if (wrong.length > 0) {
    throw new TypeError(
      wrong
        .map(
          (path) =>
            `excludePaths: not a path, got ${JSON.stringify(path)}; expected one that begins with / and has no query. Paths are compared whole`,
        )
        .join("\n"),
    );
  }
  if (excludePaths.length === 0) return () => false;
  const excluded = new Set(excludePaths);
  return (request) => {
    const url = request.originalUrl ?? request.url ?? "";
    const query = url.indexOf("?");
    return excluded.has(query === -1 ? url : url.slice(0, query));
  };
}
