/**
 * Request metrics of a Hono application, as its first middleware. On `@hono/node-server` a request is over when its answer is; elsewhere
 * (Lambda, tests) when the response is made, since nothing tells when a streamed body ends.
 */
import type { RequestMetrics } from "./metrics.ts";
import { type AdapterOptions, type NodeRequest, type NodeResponse, observer, pathFilter } from "./observe.ts";

/** What is used of Hono's context. */
export interface HonoContextLike {
  readonly env: unknown;
  readonly req: { readonly path: string };
  readonly res: { readonly status: number };
}

interface NodeBindings {
  readonly incoming: NodeRequest;
  readonly outgoing: NodeResponse;
}

function isOnNode(env: unknown): env is NodeBindings {
  if (typeof env !== "object" || env === null || !("incoming" in env) || !("outgoing" in env)) return false;
  const { outgoing } = env;
  return typeof outgoing === "object" && outgoing !== null && "writableFinished" in outgoing;
}

/**
 * @example
 * ```ts
 * app.use(honoMetrics(metrics, { excludePaths: ["/healthz"] }));
 * ```
 */
export function honoMetrics(
  metrics: RequestMetrics,
  options: AdapterOptions = {},
): (context: HonoContextLike, next: () => Promise<void>) => Promise<void> {
  const observe = observer(metrics, options);
  const isExcluded = pathFilter(options);
  return (context, next) => {
    const { env } = context;
    if (isOnNode(env)) {
      observe(env.incoming, env.outgoing);
      return next();
    }
    return isExcluded({ url: context.req.path }) ? next() : observeResponse(metrics, context, next);
  };
}

async function observeResponse(
  metrics: RequestMetrics,
  context: HonoContextLike,
  next: () => Promise<void>,
): Promise<void> {
  const startedAt = metrics.now();
  try {
    await next();
  } catch (error) {
    metrics.request(metrics.now() - startedAt, true, context);
    throw error;
  }
  metrics.request(metrics.now() - startedAt, context.res.status >= 500, context);
}
