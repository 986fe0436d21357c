/** The same small application on each framework, with metrics and without, for tests and for the bench. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { expressMetrics } from "../client/express.ts";
import { fastifyMetrics } from "../client/fastify.ts";
import { honoMetrics } from "../client/hono.ts";
import { httpMetrics } from "../client/http.ts";
import type { RequestMetrics } from "../client/metrics.ts";

export const frameworks = ["http", "express", "fastify", "hono"] as const;
export type Framework = (typeof frameworks)[number];

const options = { excludePaths: ["/healthz"] };

/** Pieces with time between them for whoever listens, but no clock. */
async function* pieces(count: number): AsyncGenerator<string> {
  for (let piece = 0; piece < count; piece += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    yield "piece\n";
  }
}

async function* endless(): AsyncGenerator<string> {
  for (;;) yield* pieces(1);
}

async function* broken(): AsyncGenerator<string> {
  yield* pieces(2);
  throw new Error("the stream breaks");
}

const started = new Set<() => void>();
/** Called when `/hang` has begun: its client may go. */
export function onHang(act: () => void): void {
  started.add(act);
}
const hang = () => {
  for (const act of started) act();
  started.clear();
  return new Promise<never>(() => {});
};

function httpApplication(metrics?: RequestMetrics): Server {
  const measured = (listener: Parameters<typeof createServer>[1] & object) =>
    createServer(metrics ? httpMetrics(metrics, listener, options) : listener);
  return measured((request, response) => {
    switch (request.url?.split("?")[0]) {
      case "/ok":
      case "/healthz":
        response.end("ok");
        return;
      case "/stream":
        Readable.from(pieces(5)).pipe(response);
        return;
      case "/endless":
        pipeline(Readable.from(endless()), response, () => {});
        return;
      case "/broken": {
        const body = Readable.from(broken());
        body.on("error", () => response.destroy());
        body.pipe(response);
        return;
      }
      case "/hang":
        void hang();
        return;
      case "/error":
        response.statusCode = 503;
        response.end();
        return;
      default:
        response.statusCode = 404;
        response.end();
    }
  });
}

function expressApplication(metrics?: RequestMetrics): Server {
  const app = express();
  app.disable("x-powered-by");
  // Errors are wanted here; Express would print them otherwise.
  app.set("env", "test");
  if (metrics) app.use(expressMetrics(metrics, options));
  app.get("/ok", (_request, response) => void response.send("ok"));
  app.get("/healthz", (_request, response) => void response.send("ok"));
  app.get("/stream", (_request, response) => void Readable.from(pieces(5)).pipe(response));
  app.get("/endless", (_request, response) => void pipeline(Readable.from(endless()), response, () => {}));
  app.get("/broken", (_request, response, next) => {
    response.write("piece\n");
    // Express cuts the connection: the head is out already.
    next(new Error("the stream breaks"));
  });
  app.get("/hang", () => void hang());
  app.get("/error", (_request, response) => void response.sendStatus(503));
  app.get("/throw", () => {
    throw new Error("thrown");
  });
  app.get("/reject", async () => {
    await Promise.resolve();
    throw new Error("thrown later");
  });
  return createServer(app);
}

async function fastifyApplication(metrics?: RequestMetrics): Promise<Server> {
  const app = fastify();
  if (metrics) app.register(fastifyMetrics(metrics, options));
  app.get("/ok", () => "ok");
  app.get("/healthz", () => "ok");
  app.get("/stream", (_request, reply) => reply.send(Readable.from(pieces(5))));
  app.get("/endless", (_request, reply) => reply.send(Readable.from(endless())));
  app.get("/broken", (_request, reply) => reply.send(Readable.from(broken())));
  app.get("/hang", hang);
  app.get("/error", (_request, reply) => reply.code(503).send());
  app.get("/throw", () => {
    throw new Error("thrown");
  });
  app.get("/reject", async () => {
    await Promise.resolve();
    throw new Error("thrown later");
  });
  await app.ready();
  return app.server;
}

export function honoRoutes(metrics?: RequestMetrics): Hono {
  const app = new Hono();
  if (metrics) app.use(honoMetrics(metrics, options));
  app.get("/ok", (context) => context.text("ok"));
  app.get("/healthz", (context) => context.text("ok"));
  app.get("/stream", () => new Response(ReadableStream.from(pieces(5)).pipeThrough(new TextEncoderStream())));
  app.get("/endless", () => new Response(ReadableStream.from(endless()).pipeThrough(new TextEncoderStream())));
  app.get("/broken", () => new Response(ReadableStream.from(broken()).pipeThrough(new TextEncoderStream())));
  app.get("/hang", hang);
  app.get("/error", (context) => context.body(null, 503));
  app.get("/throw", () => {
    throw new Error("thrown");
  });
  app.get("/reject", async () => {
    await Promise.resolve();
    throw new Error("thrown later");
  });
  // Hono would print what it catches.
  app.onError((_error, context) => context.text("failed", 500));
  return app;
}

async function applicationOf(framework: Framework, metrics?: RequestMetrics): Promise<Server> {
  switch (framework) {
    case "http":
      return httpApplication(metrics);
    case "express":
      return expressApplication(metrics);
    case "fastify":
      return fastifyApplication(metrics);
    case "hono":
      return createAdaptorServer({ fetch: honoRoutes(metrics).fetch }) as Server;
  }
}

export interface Running {
  readonly port: number;
  readonly server: Server;
  stop(): Promise<void>;
}

/** Listens on a port that is free, on this machine alone. @param metrics left out: the framework bare */
export async function serve(framework: Framework, metrics?: RequestMetrics): Promise<Running> {
  const server = await applicationOf(framework, metrics);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
