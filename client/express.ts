/** Request metrics of an Express application (4 or 5), as its first middleware. */
import type { RequestMetrics } from "./metrics.ts";
import { type AdapterOptions, type NodeRequest, type NodeResponse, observer } from "./observe.ts";

/**
 * @example
 * ```ts
 * app.use(expressMetrics(metrics, { excludePaths: ["/healthz"] }));
 * ```
 */
export function expressMetrics(
  metrics: RequestMetrics,
  options?: AdapterOptions,
): (request: NodeRequest, response: NodeResponse, next: () => void) => void {
  const observe = observer(metrics, options);
  return (request, response, next) => {
    observe(request, response);
    next();
  };
}
