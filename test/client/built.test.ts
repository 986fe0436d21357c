/**
 * The client as an application gets it: compiled, run by plain Node without a loader, in processes that end in all the ways there are.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emfProblems } from "./emf-schema.ts";

const root = join(import.meta.dirname, "../..");
let folder = "";

beforeAll(() => {
  mkdirSync(join(root, ".tmp"), { recursive: true });
  folder = mkdtempSync(join(root, ".tmp/client-"));
  const built = spawnSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "client/tsconfig.json"), "--outDir", folder],
    { encoding: "utf8" },
  );
  expect(built.stdout + built.stderr).toBe("");
}, 60_000);

afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

const preamble = `
import { writeSync } from "node:fs";
import { requestMetrics } from "./metrics.js";
const metrics = requestMetrics({ environment: "production", service: "checkout", reportsProcess: false });
metrics.request(5, false);
`;

function start(name: string, body: string): ChildProcess {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, preamble + body);
  return spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH ?? "", TIDEGATE_RELEASE: "2-4-0-1a2b3c4d" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Ended {
  readonly lines: readonly Record<string, unknown>[];
  readonly text: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: string | null;
}

function ended(child: ChildProcess): Promise<Ended> {
  let text = "";
  let errors = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      const lines = text.split("\n").filter((line) => line.startsWith("{"));
      expect(lines.flatMap(emfProblems)).toEqual([]);
      resolve({ lines: lines.map((line) => JSON.parse(line)), text, errors, code, signal });
    });
  });
}

const run = (name: string, body: string) => ended(start(name, body));

describe("the compiled client", () => {
  it("loads nothing but itself and what Node brings [B3]", () => {
    const sources = readdirSync(folder, { encoding: "utf8", recursive: true }).filter((file) => file.endsWith(".js"));
    expect(sources.length).toBeGreaterThan(10);
    const imported = sources.flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/from "([^"]+)"/g)].map(([, from]) => from ?? ""),
    );
    const fromElsewhere = new Set(imported.filter((from) => !/^\.\.?\//.test(from)));
    expect([...fromElsewhere].sort()).toEqual(["node:crypto", "node:fs", "node:fs/promises"]);
  });

  it("does not keep a process alive, and tells what it had when nothing is left to do [B3]", async () => {
    expect(await run("idle", "")).toMatchObject({ lines: [{ Requests: 1, Errors: 0 }], errors: "", code: 0 });
  });

  it("tells what it had when the process exits by itself [B3]", async () => {
    const { lines, code } = await run("exit", "setInterval(() => {}, 1e6); process.exit(3);");
    expect([lines.length, lines[0]?.Requests, lines[0]?.Crashes, code]).toEqual([1, 1, undefined, 3]);
  });

  it("tells of a crash, and the process ends as it would have [B1]", async () => {
    const { lines, errors, code } = await run("crash", 'setTimeout(() => { throw new Error("boom"); });');
    expect(lines).toMatchObject([{ Requests: 1, Crashes: 1 }]);
    expect([errors.includes("Error: boom"), code]).toEqual([true, 1]);
  });

  it("tells of a crash by a promise that nobody looked at [B1]", async () => {
    const { lines, code } = await run("rejection", 'Promise.reject(new Error("boom"));');
    expect(lines).toMatchObject([{ Requests: 1, Crashes: 1 }]);
    expect(code).toBe(1);
  });

  it("tells of a crash that a handler of the application ends with [B1]", async () => {
    const body =
      'process.on("uncaughtException", () => process.exit(9)); setTimeout(() => { throw new Error("boom"); });';
    const { lines, code } = await run("handled-crash", body);
    expect(lines).toMatchObject([{ Requests: 1, Crashes: 1 }]);
    expect(code).toBe(9);
  });

  it("tells of no crash where the application lives on [B1]", async () => {
    const body = 'process.on("uncaughtException", () => {}); setTimeout(() => { throw new Error("boom"); });';
    const { lines, code } = await run("survived", body);
    expect([lines.length, lines[0]?.Crashes, code]).toEqual([1, undefined, 0]);
  });

  it("tells what it had on SIGTERM, and the process ends by it [B3]", async () => {
    const child = start("term", "setInterval(() => {}, 1e6); writeSync(2, 'ready');");
    child.stderr?.once("data", () => child.kill("SIGTERM"));
    const { lines, code, signal } = await ended(child);
    expect([lines.length, lines[0]?.Requests, code, signal]).toEqual([1, 1, null, "SIGTERM"]);
  });

  it("ends by SIGTERM with two services in one process, too [B3]", async () => {
    const body = `
      const other = requestMetrics({ environment: "production", service: "payments", reportsProcess: false });
      other.request(1, true);
      setInterval(() => {}, 1e6);
      writeSync(2, "ready");
    `;
    const child = start("two", body);
    child.stderr?.once("data", () => child.kill("SIGTERM"));
    const { lines, signal } = await ended(child);
    expect(lines.map((line) => [line.Service, line.Requests, line.Errors])).toEqual([
      ["checkout", 1, 0],
      ["payments", 1, 1],
    ]);
    expect(signal).toBe("SIGTERM");
  });

  it("leaves SIGTERM to an application that listens to it, and counts what is still answered [B3]", async () => {
    const body = `
      process.on("SIGTERM", () => setTimeout(() => { metrics.request(8, true); process.exit(0); }, 20));
      setInterval(() => {}, 1e6);
      writeSync(2, "ready");
    `;
    const child = start("graceful", body);
    child.stderr?.once("data", () => child.kill("SIGTERM"));
    const { lines, code } = await ended(child);
    expect(lines.map((line) => [line.Requests, line.Errors])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(code).toBe(0);
  });

  it("neither waits nor grows while nobody reads standard output [B3]", async () => {
    const body = `
      for (let index = 0; index < 20_000; index += 1) {
        for (let decade = 1; decade < 1e5; decade *= 1.1) metrics.request(decade, false);
        metrics.flush();
      }
      const megabytes = process.memoryUsage().heapUsed / 1e6 + process.stdout.writableLength / 1e6;
      process.emitWarning("held " + Math.round(megabytes) + " MB");
      setTimeout(() => process.kill(process.pid, "SIGKILL"), 20);
    `;
    const child = start("blocked", body);
    child.stdout?.pause();
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    await new Promise((resolve) => child.once("exit", resolve));
    const megabytes = Number(/held (\d+) MB/.exec(errors)?.[1]);
    expect(megabytes).toBeLessThan(60);
    expect(errors).toContain("TidegateWarning: metrics: the output takes no lines");
    child.stdout?.destroy();
  }, 60_000);

  it("does not end a process whose standard output is closed [B3]", async () => {
    const body = `
      setTimeout(() => metrics.flush(), 50);
      setTimeout(() => { metrics.request(1, false); metrics.flush(); }, 100);
      setTimeout(() => writeSync(2, "alive"), 150);
    `;
    const child = start("closed", body);
    child.stdout?.destroy();
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect([errors.includes("alive"), errors.includes("metrics: the output is broken, got write EPIPE"), code]).toEqual(
      [true, true, 0],
    );
  });
});
