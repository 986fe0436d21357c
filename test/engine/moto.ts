// What the tests need of moto besides ELBv2 itself: a process of their own, and a network to put a load balancer in.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Moto {
  endpoint: string;
  network(): Promise<{ vpcId: string; subnetIds: string[] }>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** moto routes by the service and region in the signature's scope, and checks nothing else of it. */
async function ec2(
  endpoint: string,
  region: string,
  action: string,
  input: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/ec2/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: new URLSearchParams({ Action: action, Version: "2016-11-15", ...input }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${text}`);
  return text;
}

/** Starts `moto_server` (MOTO_SERVER names another one than that on PATH) and waits until it says that it listens. */
export async function startMoto(region = "eu-west-1"): Promise<Moto> {
  const port = await freePort();
  const child = spawn(process.env.MOTO_SERVER ?? "moto_server", ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, PYTHONUNBUFFERED: "1" },
  });
  const exited = once(child, "exit");
  const ready = new Promise<void>((done, fail) => {
    createInterface(child.stderr).on("line", (line) => line.includes("Running on") && done());
    child.on("error", fail);
    child.on("exit", (code) => fail(new Error(`moto_server ended with ${code}`)));
  });
  await ready;
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    /** moto's account starts with the default network, as a fresh AWS account does. */
    async network() {
      const xml = await ec2(endpoint, region, "DescribeSubnets");
      const ids = (pattern: RegExp) => [...new Set([...xml.matchAll(pattern)].map((match) => match[1] ?? ""))];
      const [vpcId] = ids(/<vpcId>(.*?)<\/vpcId>/g);
      if (!vpcId) throw new Error(`moto has no default network in ${region}`);
      return { vpcId, subnetIds: ids(/<subnetId>(.*?)<\/subnetId>/g) };
    },
    async stop() {
      child.kill();
      await exited;
    },
  };
}
