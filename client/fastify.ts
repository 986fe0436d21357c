/** Request metrics of a Fastify application (4 or 5), as a plugin; its hook holds for the whole instance that it is registered on. */
import type { RequestMetrics } from "./metrics.ts";
import { type AdapterOptions, type NodeRequest, type NodeResponse, observer } from "./observe.ts";

/** What is used of a Fastify instance. */
export interface FastifyLike {
  addHook(
    name: "onRequest",
    hook: (request: { readonly raw: NodeRequest }, reply: { readonly raw: NodeResponse }, done: () => void) => void,
  ): unknown;
}

/**
 * @example
 * ```ts
 * app.register(fastifyMetrics(metrics, { excludePaths: ["/healthz"] }));
 * ```
 */
export function fastifyMetrics(
  metrics: RequestMetrics,
  options?: AdapterOptions,
): (instance: FastifyLike, pluginOptions: unknown, done: () => void) => void {
  const observe = observer(metrics, options);
  const plugin = (instance: FastifyLike, _pluginOptions: unknown, done: () => void) => {
    instance.addHook("onRequest", (request, reply, next) => {
      observe(request.raw, reply.raw);
      next();
    });
    done();
  };
  // Without it the hook would hold for nothing but the plugin itself.
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "tidegate-metrics",
  });
}
