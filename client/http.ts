/** Request metrics of a plain `node:http` or `node:https` server: round one listener, or on a server that exists. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestMetrics } from "./metrics.ts";
import { type AdapterOptions, type NodeRequest, type NodeResponse, observer } from "./observe.ts";

/**
 * A listener that does what the given one does and is measured.
 *
 * @example
 * ```ts
 * createServer(httpMetrics(metrics, (request, response) => response.end("hello"))).listen(8080);
 * ```
 */
export function httpMetrics(
  metrics: RequestMetrics,
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  options?: AdapterOptions,
): (request: IncomingMessage, response: ServerResponse) => unknown {
  const observe = observer(metrics, options);
  return (request, response) => {
    const end = observe(request, response);
    try {
      const result = listener(request, response);
      if (!(result instanceof Promise)) return result;
      // Node does not look at a promise: one that fails leaves the client without an answer, and is still nobody's but the application's.
      return result.catch((error: unknown) => {
        end(true);
        throw error;
      });
    } catch (error) {
      end(true);
      throw error;
    }
  };
}

/** What is used of `http.Server`. */
export interface ServerLike {
  prependListener(event: "request", listener: (request: NodeRequest, response: NodeResponse) => void): unknown;
}

/** Measures all that a server answers; whatever handles its requests, it need not know. A listener that throws is not seen. */
export function serverMetrics<Server extends ServerLike>(
  metrics: RequestMetrics,
  server: Server,
  options?: AdapterOptions,
): Server {
  const observe = observer(metrics, options);
  server.prependListener("request", (request, response) => void observe(request, response));
  return server;
}
