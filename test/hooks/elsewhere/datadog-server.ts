/**
 * Datadog's API on loopback, as its reference describes what is asked of it: keys in headers, monitors by tag and page, sums by scalar
 * query, `errors` in refusals. It stands in for Datadog; that Datadog answers so was not tried.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export const apiKey = "0123456789abcdef0123456789abcdef";
export const appKey = "89abcdef0123456789abcdef0123456789abcdef";

export interface AMonitor {
  readonly name: string;
  readonly tags: readonly string[];
  readonly overall_state: string;
  readonly overall_state_modified?: string | number | null;
  readonly created?: string;
  readonly triggeredAtSeconds?: number;
}

export interface DatadogStandIn {
  readonly url: string;
  monitors: AMonitor[];
  /** By query; one that is not here has no point. */
  sums: Record<string, number>;
  keys: { apiKey: string; appKey: string };
  /** Answers instead, first come first served. */
  readonly instead: (
    | "hang"
    | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  )[];
  /** Path and query of each request, oldest first. */
  readonly asked: string[];
}

/** Starts one; it ends with the test. */
export async function datadogStandIn(): Promise<DatadogStandIn> {
  const state = {
    url: "",
    monitors: [] as AMonitor[],
    sums: {} as Record<string, number>,
    keys: { apiKey, appKey },
    instead: [] as DatadogStandIn["instead"],
    asked: [] as string[],
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(state, request, Buffer.concat(chunks).toString(), response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

function answer(state: DatadogStandIn, request: IncomingMessage, body: string, response: ServerResponse): void {
  const url = new URL(request.url ?? "", state.url);
  state.asked.push(`${request.method} ${url.pathname}${url.search}`);
  const instead = state.instead.shift();
  if (instead === "hang") return;
  if (instead) {
    response.writeHead(instead.status, instead.headers).end(instead.body ?? "");
    return;
  }
  const give = (status: number, value: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const { "dd-api-key": givenApi, "dd-application-key": givenApp } = request.headers;
  if (givenApi !== state.keys.apiKey || givenApp !== state.keys.appKey) give(403, { errors: ["Forbidden"] });
  else if (request.method === "GET" && url.pathname === "/api/v1/monitor") give(200, monitorsOf(state, url));
  else if (request.method === "POST" && url.pathname === "/api/v2/query/scalar") give(200, scalarOf(state, body));
  else give(404, { errors: ["Not found"] });
}

function monitorsOf({ monitors }: DatadogStandIn, { searchParams }: URL): unknown[] {
  const tag = searchParams.get("monitor_tags") ?? "";
  const [page, size] = [Number(searchParams.get("page")), Number(searchParams.get("page_size"))];
  return monitors
    .map((monitor, index) => ({ id: index + 1, ...monitor }))
    .filter(({ tags }) => tags.includes(tag))
    .slice(page * size, (page + 1) * size)
    .map(({ triggeredAtSeconds, ...monitor }) => ({
      ...monitor,
      query: "sum(last_5m):…",
      state: {
        groups:
          triggeredAtSeconds === undefined
            ? {}
            : { "*": { name: "*", status: monitor.overall_state, last_triggered_ts: triggeredAtSeconds } },
      },
    }));
}

interface ScalarRequest {
  readonly data: {
    readonly attributes: { readonly queries: readonly { readonly name: string; readonly query: string }[] };
  };
}

function scalarOf({ sums }: DatadogStandIn, body: string): unknown {
  const { queries } = (JSON.parse(body) as ScalarRequest).data.attributes;
  const columns = queries.map(({ name, query }) => ({
    name,
    type: "number",
    values: query in sums ? [sums[query]] : [null],
  }));
  return { data: { type: "scalar_response", attributes: { columns } } };
}
