/** The adapters on the real frameworks, over real sockets: what is a request, and what has failed. */
import { once } from "node:events";
import {
  Agent,
  createServer,
  get,
  IncomingMessage,
  type RequestOptions,
  ServerResponse,
  request as send,
} from "node:http";
import { connect, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Framework, frameworks, honoRoutes, onHang, type Running, serve } from "../../bench/client-servers.ts";
import { honoMetrics } from "../../client/hono.ts";
import { httpMetrics, serverMetrics } from "../../client/http.ts";
import type { RequestMetrics } from "../../client/metrics.ts";
import { observer } from "../../client/observe.ts";
import { aRelease } from "./fake-runtime.ts";

/** Metrics that can be waited for. */
function heard() {
  const { metrics, runtime } = aRelease();
  const requests: { readonly milliseconds: number; readonly failed: boolean }[] = [];
  let wake = () => {};
  const listening: RequestMetrics = Object.create(metrics, {
    request: {
      value(milliseconds: number, failed: boolean) {
        requests.push({ milliseconds, failed });
        wake();
      },
    },
    now: { value: () => runtime.monotonicMilliseconds() },
    warnOnce: { value: (key: string, message: string) => metrics.warnOnce(key, message) },
  });
  return {
    metrics: listening,
    runtime,
    /** Of each request whether it failed, once there are so many. */
    async failures(count: number): Promise<boolean[]> {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return requests.map(({ failed }) => failed);
    },
    requests,
  };
}

const running: Running[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

async function started(framework: Framework, metrics: RequestMetrics): Promise<Running> {
  const server = await serve(framework, metrics);
  running.push(server);
  return server;
}

/** Sends a request and reads the answer; `cut` when it was not whole. */
function fetched(port: number, path: string, options: RequestOptions = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const request = send({ port, host: "127.0.0.1", path, ...options }, (response: IncomingMessage) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("error", () => resolve({ status: response.statusCode ?? 0, body: "cut" }));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", () => resolve({ status: 0, body: "cut" }));
    request.end();
  });
}

describe.each(frameworks)("on %s", (framework) => {
  it("every answer is a request, and 5xx have failed, 404s have not [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    const statuses = [];
    for (const path of ["/ok", "/ok?q=1", "/nowhere", "/error"]) statuses.push((await fetched(port, path)).status);
    expect(statuses).toEqual([200, 200, 404, 503]);
    expect(await failures(4)).toEqual([false, false, false, true]);
  });

  it("a streamed answer is one request, over when it is whole [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    expect(await fetched(port, "/stream")).toEqual({ status: 200, body: "piece\n".repeat(5) });
    expect(await failures(1)).toEqual([false]);
  });

  it("an answer that breaks off has failed, though its status was 200 [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    expect((await fetched(port, "/broken")).body).toBe("cut");
    expect(await failures(1)).toEqual([true]);
  });

  it("a client that goes away is a request that has not failed, with the time that it waited [B1]", async () => {
    const { metrics, runtime, failures, requests } = heard();
    const { port } = await started(framework, metrics);
    const begun = new Promise<void>((resolve) => onHang(resolve));
    const request = get({ port, host: "127.0.0.1", path: "/hang" });
    request.on("error", () => {});
    await begun;
    runtime.now += 9_000;
    request.destroy();
    expect(await failures(1)).toEqual([false]);
    expect(requests[0]?.milliseconds).toBe(9_000);
  });

  it("a client that goes away in the middle of a stream has not made it fail [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    const request = get({ port, host: "127.0.0.1", path: "/endless" }, (response) => {
      response.on("error", () => {});
      response.once("data", () => request.destroy());
    });
    request.on("error", () => {});
    expect(await failures(1)).toEqual([false]);
  });

  it("health checks are no requests, whatever their query [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    for (const path of ["/healthz", "/healthz?from=balancer", "/ok"]) await fetched(port, path);
    expect(await failures(1)).toEqual([false]);
  });

  it("HEAD, and many requests on one connection, are one request each [B1]", async () => {
    const { metrics, failures } = heard();
    const { port } = await started(framework, metrics);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const method of ["GET", "HEAD", "GET"]) await fetched(port, "/ok", { agent, method });
    agent.destroy();
    expect(await failures(3)).toEqual([false, false, false]);
  });

  it("an upgrade is none [B1]", async () => {
    const { metrics, failures } = heard();
    const { port, server } = await started(framework, metrics);
    server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /ok HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("101");
    await fetched(port, "/error");
    expect(await failures(1)).toEqual([true]);
  });
});

describe.each(frameworks.filter((framework) => framework !== "http"))(
  "on %s, which answers for handlers",
  (framework) => {
    it("those that throw, at once or later, have failed [B1]", async () => {
      const { metrics, failures } = heard();
      const { port } = await started(framework, metrics);
      expect([(await fetched(port, "/throw")).status, (await fetched(port, "/reject")).status]).toEqual([500, 500]);
      expect(await failures(2)).toEqual([true, true]);
    });
  },
);

describe("on plain http", () => {
  const requestLike = new IncomingMessage(new Socket());
  const responseLike = () => new ServerResponse(requestLike);

  it("a listener that throws has failed, and still throws; its response closing later counts no second time [B1]", () => {
    const { metrics, requests } = heard();
    const response = responseLike();
    const listener = httpMetrics(metrics, () => {
      throw new Error("thrown");
    });
    expect(() => listener(requestLike, response)).toThrow("thrown");
    response.emit("close");
    expect(requests.map(({ failed }) => failed)).toEqual([true]);
  });

  it("a listener whose promise fails has failed, and its error is still whoever's it was [B1]", async () => {
    const { metrics, requests } = heard();
    const listener = httpMetrics(metrics, () => Promise.reject(new Error("thrown later")));
    await expect(listener(requestLike, responseLike())).rejects.toThrow("thrown later");
    expect(requests.map(({ failed }) => failed)).toEqual([true]);
  });

  it("a response that closes twice is one request [B1]", () => {
    const { metrics, requests } = heard();
    const response = responseLike();
    observer(metrics)(requestLike, response);
    response.emit("close");
    response.emit("close");
    expect(requests).toHaveLength(1);
  });

  it("a connection that this process cuts before any answer has failed [B1]", async () => {
    const { metrics, failures } = heard();
    const server = createServer(httpMetrics(metrics, (request) => request.socket.destroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    expect(await fetched(typeof address === "object" && address ? address.port : 0, "/")).toEqual({
      status: 0,
      body: "cut",
    });
    expect(await failures(1)).toEqual([true]);
    server.close();
  });

  it("a server that exists is measured without its listener knowing [B1]", async () => {
    const { metrics, failures } = heard();
    const server = serverMetrics(
      metrics,
      createServer((_request, response) => {
        response.statusCode = 502;
        response.end();
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await fetched(typeof address === "object" && address ? address.port : 0, "/");
    expect(await failures(1)).toEqual([true]);
    server.close();
  });

  it("an upgrade that a framework answers itself is no request [B1]", () => {
    const { metrics, requests } = heard();
    const response = responseLike();
    observer(metrics)({ upgrade: true }, response);
    response.emit("close");
    expect(requests).toEqual([]);
  });

  it("a path below a router is compared whole [B1]", () => {
    const { metrics, requests } = heard();
    const observe = observer(metrics, { excludePaths: ["/healthz"] });
    for (const originalUrl of ["/below/healthz", "/healthz"]) {
      const response = responseLike();
      observe({ url: "/healthz", originalUrl }, response);
      response.emit("close");
    }
    expect(requests).toHaveLength(1);
  });

  it("HTTP/2 is refused by name and not counted wrongly [B1]", () => {
    const { metrics, runtime, requests } = heard();
    const response = responseLike();
    observer(metrics)({ httpVersionMajor: 2 }, response);
    response.emit("close");
    expect(requests).toEqual([]);
    expect(runtime.warnings).toEqual([
      "metrics: HTTP/2 is not measured, got a request of it; expected HTTP/1.1, as load balancers speak to their targets. Such requests are not counted",
    ]);
  });

  it("paths that no request can have are refused, all at once [E7]", () => {
    const { metrics } = heard();
    expect(() => observer(metrics, { excludePaths: ["healthz", "/ok", "/a?b=1"] })).toThrow(
      new TypeError(
        [
          'excludePaths: not a path, got "healthz"; expected one that begins with / and has no query. Paths are compared whole',
          'excludePaths: not a path, got "/a?b=1"; expected one that begins with / and has no query. Paths are compared whole',
        ].join("\n"),
      ),
    );
  });
});

describe("on Hono without Node's server", () => {
  it("counts when the response is made, by its status, without health checks [B1]", async () => {
    const { metrics, requests } = heard();
    const app = honoRoutes(metrics);
    for (const path of ["/ok", "/error", "/throw", "/nowhere", "/healthz"]) await app.request(path);
    expect(requests.map(({ failed }) => failed)).toEqual([false, true, true, false]);
  });

  it("counts a next that throws as failed, and passes it on [B1]", async () => {
    const { metrics, requests } = heard();
    const middleware = honoMetrics(metrics);
    const context = { env: undefined, req: { path: "/" }, res: { status: 200 } };
    await expect(middleware(context, () => Promise.reject(new Error("thrown")))).rejects.toThrow("thrown");
    expect(requests.map(({ failed }) => failed)).toEqual([true]);
  });
});
