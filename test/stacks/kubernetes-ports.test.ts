/** Files, programs and clusters as they are: what the questions to a cluster go through, on loopback (E6). */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterPorts } from "../../stacks/kubernetes/ports.ts";

let server: Server;
let url = "";
const seen: { method?: string; authorization?: string; body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      const { authorization } = request.headers;
      seen.push({
        ...(request.method === undefined ? {} : { method: request.method }),
        ...(authorization === undefined ? {} : { authorization }),
        body,
      });
      if (request.url === "/long") response.end("x".repeat(1_000_001));
      else response.writeHead(request.url === "/who" ? 401 : 200).end(`{"you":"${request.url}"}`);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

const ask = (path: string) => ({ url: `${url}${path}`, method: "GET", trustsAnything: false }) as const;

describe("asking a cluster", () => {
  it("hands on token and body, and gives back whatever is answered [E6]", async () => {
    expect(await clusterPorts.request({ ...ask("/version"), token: "t" })).toEqual({
      status: 200,
      body: '{"you":"/version"}',
    });
    expect(await clusterPorts.request({ ...ask("/who"), method: "POST", body: "{}" })).toEqual({
      status: 401,
      body: '{"you":"/who"}',
    });
    expect(seen).toEqual([
      { method: "GET", authorization: "Bearer t", body: "" },
      { method: "POST", body: "{}" },
    ]);
  });

  it("fails where nobody listens, and at an answer without an end [E6]", async () => {
    // Nothing listens on the port of TCP's own multiplexer.
    const nobody = { ...ask(""), url: "http://127.0.0.1:1/version" };
    await expect(clusterPorts.request(nobody)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(clusterPorts.request(ask("/long"))).rejects.toThrow("more than 1000000 bytes");
  });
});

describe("running a program", () => {
  it("answers what it wrote, with variables of its own [E6]", async () => {
    const script = "process.stdout.write(process.env.TIDEGATE_TEST)";
    expect(await clusterPorts.run(process.execPath, ["-e", script], { TIDEGATE_TEST: "token" })).toBe("token");
  });

  it("fails with its own words, or with the system's where it is not there [E6]", async () => {
    const failing = "console.error('sign in first'); process.exit(3)";
    await expect(clusterPorts.run(process.execPath, ["-e", failing], {})).rejects.toThrow(/^sign in first$/);
    await expect(clusterPorts.run(process.execPath, ["-e", "process.exit(3)"], {})).rejects.toThrow(/^exit 3$/);
    await expect(clusterPorts.run("tidegate-no-such-program", [], {})).rejects.toMatchObject({ code: "ENOENT" });
  });
});

it("says which file is not there [E6]", async () => {
  await expect(clusterPorts.readFile("/tidegate/no/such/file")).rejects.toMatchObject({ code: "ENOENT" });
});
