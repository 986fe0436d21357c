/** Files, programs and clusters as they are: what a cluster is asked through, with an end to every wait. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";

/** One question to a cluster. */
export interface ClusterCall {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly body?: string;
  /** PEM. @default what Node trusts */
  readonly authority?: string;
  readonly serverName?: string;
  readonly trustsAnything: boolean;
  readonly token?: string;
  /** PEM. */
  readonly certificate?: string;
  /** PEM. */
  readonly key?: string;
}

/** What asking needs from outside. Every method has an end of its own, and throws at it. */
export interface ClusterPorts {
  /** @throws Error with the system's code, such as ENOENT */
  readFile(path: string): Promise<string>;
  /** @returns what it wrote. @throws Error with code ENOENT where there is no such program */
  run(command: string, args: readonly string[], variables: Readonly<Record<string, string>>): Promise<string>;
  /** @throws Error where nothing answered */
  request(call: ClusterCall): Promise<{ readonly status: number; readonly body: string }>;
}

/** A cluster answers in a tenth of one, a network that swallows packets never. Unit: seconds. */
const answerSeconds = 10;
/** A program that signs in may assume roles first. Unit: seconds. */
const programSeconds = 30;
/** Far more than any of the answers asked for. Unit: bytes. */
const mostBytes = 1_000_000;

export const clusterPorts: ClusterPorts = {
  readFile: (path) => readFile(path, "utf8"),
  run: (command, args, variables) =>
    new Promise((answer, fail) => {
      const env = { ...process.env, ...variables };
      const bounds = { timeout: programSeconds * 1_000, maxBuffer: mostBytes, env };
      execFile(command, [...args], bounds, (error, stdout, stderr) => {
        if (!error) answer(stdout);
        else if (error.code === "ENOENT") fail(error);
        else if (error.killed) fail(new Error(`no end within ${programSeconds} s`, { cause: error }));
        else fail(new Error(stderr.trim() || `exit ${error.code}`, { cause: error }));
      });
    }),
  request,
};

function request(call: ClusterCall): Promise<{ status: number; body: string }> {
  const url = new URL(call.url);
  const { request: send } = url.protocol === "http:" ? http : https;
  return new Promise((answer, fail) => {
    const sent = send(
      url,
      {
        method: call.method,
        signal: AbortSignal.timeout(answerSeconds * 1_000),
        rejectUnauthorized: !call.trustsAnything,
        ...(call.authority === undefined ? {} : { ca: call.authority }),
        ...(call.serverName === undefined ? {} : { servername: call.serverName }),
        ...(call.certificate === undefined ? {} : { cert: call.certificate }),
        ...(call.key === undefined ? {} : { key: call.key }),
        headers: {
          accept: "application/json",
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
        },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          body += part;
          if (body.length > mostBytes) response.destroy(new Error(`more than ${mostBytes} bytes`));
        });
        response.on("end", () => answer({ status: response.statusCode ?? 0, body }));
        response.on("error", fail);
      },
    );
    sent.on("error", (cause) =>
      fail(isTimeout(cause) ? new Error(`no answer within ${answerSeconds} s`, { cause }) : cause),
    );
    sent.end(call.body);
  });
}

function isTimeout(cause: Error): boolean {
  return cause.name === "TimeoutError" || (cause.name === "AbortError" && "cause" in cause);
}
