/**
 * Where a flag splits the requests of one process, each is reported under the release whose code path answered it: whole lines, all adapters, with
 * what flags count beside them.
 */
import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Attributes } from "@opentelemetry/api";
import { MeterProvider, type MetricData, MetricReader } from "@opentelemetry/sdk-metrics";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { expressMetrics } from "../../client/express.ts";
import { fastifyMetrics } from "../../client/fastify.ts";
import { honoMetrics } from "../../client/hono.ts";
import {
  openTelemetry,
  type RequestMetrics,
  type RequestMetricsOptions,
  requestMetrics,
} from "../../client/metrics.ts";
import { observer } from "../../client/observe.ts";
import { emfProblems } from "./emf-schema.ts";
import { aRelease, FakeRuntime, type Line } from "./fake-runtime.ts";
import { asking, FlagProcess, key } from "./flag-process.ts";

const baselineRelease = "2-3-1-5e6f7a8b";
const canaryRelease = "2-4-0-1a2b3c4d";
/** Buckets 79 and 5, as published: at 50 % off and on. */
const [late, early] = ["user-1", "0"];

/** Requests, errors and flags by release, added up. */
function byRelease(lines: readonly Line[]): Record<string, Record<string, number>> {
  const sums: Record<string, Record<string, number>> = {};
  for (const line of lines) {
    const release = String(line.Release);
    const sum = sums[release] ?? {};
    sums[release] = sum;
    for (const name of ["Requests", "Errors", "FlagEvaluations", "FlagMismatches", "Crashes", "Fallbacks"]) {
      const value = line[name];
      if (typeof value === "number") sum[name] = (sum[name] ?? 0) + value;
    }
  }
  return sums;
}

class Response extends EventEmitter {
  statusCode = 200;
  readonly writableFinished = true;
}

describe("a process with two code paths", () => {
  it("writes exactly these lines: requests whose flag was off are the baseline's [A6, B1]", async () => {
    const { metrics, runtime, sink } = aRelease({ baselineRelease });
    const { flags } = await asking({ metrics });
    const observe = observer(metrics);
    for (const [id, statusCode] of [
      [early, 500],
      [late, 200],
      [late, 200],
    ] as const) {
      const request = { url: "/orders", httpVersionMajor: 1 };
      const response = new Response();
      observe(request, response);
      flags.isOn(key, id, request);
      response.statusCode = statusCode;
      runtime.now += 20;
      response.emit("close");
    }
    // One that asks no flag ran nothing but this release.
    const response = new Response();
    observe({ url: "/static", httpVersionMajor: 1 }, response);
    runtime.now += 5;
    response.emit("close");
    runtime.pass(10_000);
    const directive = (names: readonly string[]) =>
      `{"_aws":{"Timestamp":1767607200000,"CloudWatchMetrics":[{"Namespace":"Tidegate","Dimensions":[["Service","Release"]],"Metrics":[${names
        .map(
          (name) =>
            `{"Name":"${name}","Unit":"${name === "Latency" ? "Milliseconds" : "Count"}","StorageResolution":1}`,
        )
        .join(",")}]}]},"Service":"checkout",`;
    const names = ["Requests", "Errors", "FlagEvaluations", "FlagMismatches", "Latency"];
    expect(sink.texts).toEqual([
      `${directive(names)}"Release":"2-4-0-1a2b3c4d","Environment":"production","Requests":2,"Errors":1,"FlagEvaluations":1,"FlagMismatches":0,"Latency":{"Values":[5,20],"Counts":[1,1]}}\n`,
      `${directive(names)}"Release":"2-3-1-5e6f7a8b","Environment":"production","Requests":2,"Errors":0,"FlagEvaluations":2,"FlagMismatches":0,"Latency":{"Values":[20],"Counts":[2]}}\n`,
    ]);
    expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  });

  it("counts a request as the canary's once it took its path, in any order [A6]", () => {
    const { metrics, sink } = aRelease({ baselineRelease });
    const [first, second] = [{}, {}];
    metrics.tookPath(first, "canary");
    metrics.tookPath(first, "baseline");
    metrics.tookPath(second, "baseline");
    metrics.tookPath(second, "canary");
    for (const request of [first, second]) metrics.request(1, true, request);
    metrics.flush();
    expect(byRelease(sink.lines)).toEqual({ [canaryRelease]: { Requests: 2, Errors: 2 } });
  });

  it("has the rest by its code path, and process and crashes as the canary's alone [A6, B1]", () => {
    const { metrics, runtime, sink } = aRelease({ baselineRelease, reportsProcess: true });
    metrics.of("baseline").fallback();
    metrics.of("canary").fallback();
    metrics.fallback();
    for (const atEnd of runtime.ends) atEnd.crashed();
    for (const atEnd of runtime.ends) atEnd.flushNow();
    expect(byRelease(sink.lines)).toEqual({
      [canaryRelease]: { Fallbacks: 2, Crashes: 1 },
      [baselineRelease]: { Fallbacks: 1 },
    });
    expect(sink.lines.map((line) => [line.Release, "MemoryMegabytes" in line])).toEqual([
      [canaryRelease, true],
      [baselineRelease, false],
    ]);
  });

  it("ends whole: nothing is counted after close, no timer and no exit is left [A6]", () => {
    const { metrics, runtime, sink } = aRelease({ baselineRelease });
    const request = {};
    metrics.tookPath(request, "baseline");
    metrics.request(1, false, request);
    metrics.close();
    metrics.request(1, false, request);
    metrics.of("baseline").request(1, false);
    runtime.pass(60_000);
    expect(byRelease(sink.lines)).toEqual({ [baselineRelease]: { Requests: 1, Errors: 0 } });
    expect([runtime.timers, runtime.ends.size]).toEqual([0, 0]);
  });

  it("names once what is no request that is measured, and counts it as the canary's [A6]", () => {
    const { metrics, runtime, sink } = aRelease({ baselineRelease });
    const web = new Request("http://localhost/orders");
    metrics.tookPath(web, "baseline");
    metrics.tookPath("request" as unknown as object, "baseline");
    metrics.tookPath({}, "old" as "baseline");
    metrics.request(1, false, web);
    metrics.flush();
    expect(byRelease(sink.lines)).toEqual({ [canaryRelease]: { Requests: 1, Errors: 0 } });
    expect(runtime.warnings).toEqual([
      "metrics: tookPath: not a request and a path, got [object Request] and \"baseline\"; expected what the adapter measures (Node's request, or Express's, Fastify's, or Hono's context) and canary or baseline. It counts as the canary's",
    ]);
  });

  it("is one where nothing is said, an empty variable, or the release's own key: a finished canary [A6]", () => {
    for (const TIDEGATE_BASELINE_RELEASE of [undefined, "", canaryRelease]) {
      const runtime = new FakeRuntime();
      runtime.variables.TIDEGATE_BASELINE_RELEASE = TIDEGATE_BASELINE_RELEASE;
      const { metrics, sink } = aRelease({ runtime });
      expect(metrics.of("baseline")).toBe(metrics);
      const request = {};
      metrics.tookPath(request, "baseline");
      metrics.request(1, false, request);
      metrics.flush();
      expect(byRelease(sink.lines)).toEqual({ [canaryRelease]: { Requests: 1, Errors: 0 } });
      expect(runtime.timers).toBe(1);
    }
  });

  it("takes the baseline from TIDEGATE_BASELINE_RELEASE, and refuses what is no key [A6]", () => {
    const runtime = new FakeRuntime();
    runtime.variables.TIDEGATE_BASELINE_RELEASE = baselineRelease;
    const { metrics, sink } = aRelease({ runtime });
    metrics.of("baseline").request(1, false);
    metrics.flush();
    expect(byRelease(sink.lines)).toEqual({ [baselineRelease]: { Requests: 1, Errors: 0 } });
    runtime.variables.TIDEGATE_BASELINE_RELEASE = "2.3.1";
    const options: RequestMetricsOptions = {
      environment: "production",
      service: "checkout",
      release: canaryRelease,
      runtime,
    };
    expect(() => requestMetrics(options)).toThrow(
      new TypeError(
        'requestMetrics: baselineRelease: not a release key, got "2.3.1"; expected that of the baseline, such as 2-3-1-5e6f7a8b. Set TIDEGATE_BASELINE_RELEASE to it where a flag splits the traffic, and leave it out anywhere else',
      ),
    );
  });
});

describe("adapters", () => {
  const closes: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closes.splice(0)) await close();
  });

  async function measured() {
    const { metrics, sink } = aRelease({ baselineRelease });
    const { flags } = await asking({ metrics });
    return { metrics, sink, flags };
  }

  /** Two requests with the flag off, one with it on; the server hears of the end of its answers a moment after the client. */
  async function visit(port: number, metrics: RequestMetrics): Promise<void> {
    let answered = 0;
    const { request } = metrics;
    metrics.request = (...told) => {
      answered += 1;
      request.apply(metrics, told);
    };
    for (const id of [late, late, early]) {
      const response = await fetch(`http://127.0.0.1:${port}/orders?id=${id}`, { headers: { connection: "close" } });
      expect(await response.text()).toBe(id === early ? "new" : "old");
    }
    while (answered < 3) await new Promise((resolve) => setImmediate(resolve));
  }

  const split = {
    [canaryRelease]: { Requests: 1, Errors: 0, FlagEvaluations: 1, FlagMismatches: 0 },
    [baselineRelease]: { Requests: 2, Errors: 0, FlagEvaluations: 2, FlagMismatches: 0 },
  };

  it("attribute a request of Express [A6]", async () => {
    const { metrics, sink, flags } = await measured();
    const app = express();
    app.use(expressMetrics(metrics));
    app.get("/orders", (request, response) => {
      response.send(flags.isOn(key, String(request.query.id), request) ? "new" : "old");
    });
    const server = app.listen(0);
    closes.push(() => server.close());
    await visit((server.address() as AddressInfo).port, metrics);
    metrics.flush();
    expect(byRelease(sink.lines)).toEqual(split);
  });

  it("attribute a request of Fastify, by its own request or Node's [A6]", async () => {
    for (const of of ["own", "raw"] as const) {
      const { metrics, sink, flags } = await measured();
      const app = fastify();
      app.register(fastifyMetrics(metrics));
      app.get<{ Querystring: { id: string } }>("/orders", (request) =>
        Promise.resolve(flags.isOn(key, request.query.id, of === "own" ? request : request.raw) ? "new" : "old"),
      );
      await app.listen({ port: 0 });
      closes.push(() => app.close());
      await visit((app.server.address() as AddressInfo).port, metrics);
      metrics.flush();
      expect(byRelease(sink.lines)).toEqual(split);
    }
  });

  it("attribute a request of Hono by its context, on Node and elsewhere [A6]", async () => {
    for (const isOnNode of [true, false]) {
      const { metrics, sink, flags } = await measured();
      const app = new Hono();
      app.use(honoMetrics(metrics));
      app.get("/orders", (context) =>
        context.text(flags.isOn(key, context.req.query("id") ?? "", context) ? "new" : "old"),
      );
      if (isOnNode) {
        const server = serve({ fetch: app.fetch, port: 0 });
        closes.push(() => server.close());
        await new Promise((resolve) => server.once("listening", resolve));
        await visit((server.address() as AddressInfo).port, metrics);
      } else {
        for (const id of [late, late, early]) await app.request(`/orders?id=${id}`);
      }
      metrics.flush();
      expect(byRelease(sink.lines)).toEqual(split);
    }
  });
});

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

it("OpenTelemetry has both releases on one meter, told apart by their attribute [A6]", async () => {
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  const runtime = new FakeRuntime();
  const metrics = requestMetrics({
    environment: "production",
    service: "checkout",
    release: canaryRelease,
    baselineRelease,
    output: openTelemetry(provider.getMeter("checkout"), { source: "datadog" }),
    reportsProcess: false,
    runtime,
  });
  const request = {};
  metrics.tookPath(request, "baseline");
  metrics.request(7, false, request);
  metrics.request(8, true, {});
  const { resourceMetrics } = await reader.collect();
  const all: readonly MetricData[] = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const of = (name: string) =>
    all
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) =>
        (dataPoints as readonly { attributes: Attributes; value: unknown }[]).map(({ attributes, value }) => {
          const count = typeof value === "object" && value !== null && "count" in value ? value.count : value;
          return [attributes.release, count];
        }),
      );
  expect(of("tidegate.requests")).toEqual([
    [canaryRelease, 1],
    [baselineRelease, 1],
  ]);
  expect(of("tidegate.errors")).toEqual([
    [canaryRelease, 1],
    [baselineRelease, 0],
  ]);
  expect(of("tidegate.latency")).toEqual([
    [baselineRelease, 1],
    [canaryRelease, 1],
  ]);
});

describe("what flags count", () => {
  const counted = async (options: Parameters<typeof asking>[0], ids: readonly string[]) => {
    const { metrics, sink } = aRelease();
    const { flags } = await asking({ ...options, metrics });
    for (const id of ids) flags.isOn(key, id);
    metrics.request(1, false);
    metrics.flush();
    const [line] = sink.lines;
    return [line?.FlagEvaluations, line?.FlagMismatches];
  };
  const forced = (value: string) => {
    const runtime = new FlagProcess();
    runtime.variables.TIDEGATE_BATCH_PATCHES_V1 = value;
    return { runtime };
  };

  it("is each question, as the configuration's when it was answered by it [A6, B1]", async () => {
    expect(await counted({}, [early, late])).toEqual([2, 0]);
    expect(await counted({ served: { [key]: { enabled: false } } }, [early])).toEqual([1, 0]);
  });

  it("is a mismatch where the answer is off for want of a better one [A6, B1]", async () => {
    expect(await counted({ served: new Error("boom") }, [early, late])).toEqual([2, 2]);
    expect(await counted({ served: {} }, [early])).toEqual([1, 1]);
    expect(await counted({ served: { [key]: { enabled: true } } }, [early])).toEqual([1, 1]);
  });

  it("is a mismatch where a variable forces something else than the document says, for those alone [A6, B1]", async () => {
    expect(await counted(forced("true"), [early, late])).toEqual([2, 1]);
    expect(await counted(forced("false"), [early, late])).toEqual([2, 1]);
    expect(await counted({ ...forced("true"), served: new Error("boom") }, [early])).toEqual([1, 1]);
  });

  it("leaves out who has no id: the coverage lacks them [A6, B1]", async () => {
    expect(await counted({}, ["", ""])).toEqual([undefined, undefined]);
  });

  it("never fails a request for its metrics [A6]", async () => {
    const { metrics } = aRelease();
    const broken = Object.assign(Object.create(metrics), {
      flagEvaluated() {
        throw new Error("boom");
      },
    });
    const { flags, runtime } = await asking({ metrics: broken });
    expect([flags.isOn(key, early), flags.isOn(key, early)]).toEqual([true, true]);
    expect(runtime.warnings).toEqual(["flags: metrics: threw boom. Flags are asked without being counted"]);
  });
});
