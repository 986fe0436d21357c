/**
 * What request metrics cost: a framework with them beside the same framework bare, in pairs in one run, so that a slow moment of the machine
 * falls on both. Processor time of the server, not answers per second: it is what the release pays, and a client cannot blur it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { emf } from "../client/emf.ts";
import { requestMetrics } from "../client/metrics.ts";
import { observer } from "../client/observe.ts";
import { type Framework, frameworks } from "./client-servers.ts";

const warmUpRequests = 3_000;
const requestsPerSlice = 2_000;
/** Slices of a pair, one and the other in turn. */
const slicesPerPair = 4;
const connections = 8;

export interface FrameworkCost {
  readonly framework: Framework;
  /** Processor time of a request with metrics over one without, pair by pair. */
  readonly ratios: readonly number[];
  /** Unit: microseconds of processor time a request. */
  readonly bareMicroseconds: readonly number[];
  /** Unit: microseconds of processor time a request. */
  readonly measuredMicroseconds: readonly number[];
}

interface Server {
  readonly port: number;
  cpuMicroseconds(): Promise<number>;
  stop(): void;
}

async function told<Told>(child: ChildProcess): Promise<Told> {
  const [message] = await once(child, "message");
  return message;
}

async function startServer(framework: Framework, kind: "bare" | "measured"): Promise<Server> {
  const child = fork(fileURLToPath(new URL("client-serve.ts", import.meta.url)), [framework, kind], {
    execArgv: ["--import", "tsx/esm"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { port } = await told<{ port: number }>(child);
  return {
    port,
    async cpuMicroseconds() {
      child.send("cpu");
      return (await told<{ cpuMicroseconds: number }>(child)).cpuMicroseconds;
    },
    stop: () => child.disconnect(),
  };
}

async function load({ port }: Server, amount: number): Promise<void> {
  const result = await autocannon({ url: `http://127.0.0.1:${port}/ok`, connections, amount });
  if (result["2xx"] !== amount)
    throw new Error(`${result["2xx"]} of ${amount} requests were answered; nothing was measured`);
}

/** Processor time of one slice. Unit: microseconds. */
async function costOf(server: Server): Promise<number> {
  const before = await server.cpuMicroseconds();
  await load(server, requestsPerSlice);
  return (await server.cpuMicroseconds()) - before;
}

/** Microseconds of processor time a request, bare and measured. */
async function onePair(bare: Server, measured: Server): Promise<readonly [number, number]> {
  let [bareMicroseconds, measuredMicroseconds] = [0, 0];
  for (let slice = 0; slice < slicesPerPair; slice += 1) {
    bareMicroseconds += await costOf(bare);
    measuredMicroseconds += await costOf(measured);
  }
  const requests = slicesPerPair * requestsPerSlice;
  return [bareMicroseconds / requests, measuredMicroseconds / requests];
}

async function measureFramework(framework: Framework, count: number): Promise<FrameworkCost> {
  const bare = await startServer(framework, "bare");
  const measured = await startServer(framework, "measured");
  try {
    await load(bare, warmUpRequests);
    await load(measured, warmUpRequests);
    const pairs: (readonly [number, number])[] = [];
    for (let pair = 0; pair < count; pair += 1) pairs.push(await onePair(bare, measured));
    return {
      framework,
      ratios: pairs.map(([without, withMetrics]) => withMetrics / without),
      bareMicroseconds: pairs.map(([without]) => without),
      measuredMicroseconds: pairs.map(([, withMetrics]) => withMetrics),
    };
  } finally {
    bare.stop();
    measured.stop();
  }
}

/** Every framework, with metrics against bare. */
export async function measureClient(pairs: number): Promise<FrameworkCost[]> {
  const costs: FrameworkCost[] = [];
  for (const framework of frameworks) costs.push(await measureFramework(framework, pairs));
  return costs;
}

/** A response as far as metrics look at one. */
class Response extends EventEmitter {
  readonly statusCode = 200;
  readonly writableFinished = true;
}

/**
 * Our own code for one request, from its begin to its end, without server and socket: the same loop with and without. Unit: microseconds of
 * processor time.
 */
export function ownMicroseconds(requests: number): number {
  const metrics = requestMetrics({
    environment: "bench",
    service: "checkout",
    release: "bench-00000000",
    output: emf({ sink: { write: () => true, onDrain() {}, writeNow() {}, onError: () => () => {} } }),
  });
  const observe = observer(metrics, { excludePaths: ["/healthz"] });
  const request = { url: "/orders?page=2", httpVersionMajor: 1, upgrade: false, socket: {} };
  const loop = (begin: (response: Response) => unknown): number => {
    const before = process.cpuUsage();
    for (let index = 0; index < requests; index += 1) {
      const response = new Response();
      begin(response);
      response.emit("close");
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  const bare = () => loop(() => {});
  const measured = () => loop((response) => observe(request, response));
  bare();
  measured();
  const microseconds = measured() - bare();
  metrics.close();
  return microseconds;
}
