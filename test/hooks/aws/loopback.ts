/** An HTTP server on loopback that answers what a test says, one answer a request, the last one for ever. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ((path: string, host: string) => string);
}

export interface Loopback {
  readonly url: string;
  /** What came, oldest first. */
  readonly requests: {
    readonly path: string;
    readonly method: string;
    readonly headers: IncomingHttpHeaders;
    readonly json: unknown;
  }[];
}

/** Starts a server; it ends with the test. `hang` answers nothing at all. */
export async function loopback(...answers: (Answer | "hang")[]): Promise<Loopback> {
  const requests: Loopback["requests"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      const { url: path = "", method = "", headers } = request;
      requests.push({ path, method, headers, json: JSON.parse(Buffer.concat(chunks).toString()) });
      if (answer === undefined || answer === "hang") return;
      const { body } = answer;
      response
        .writeHead(answer.status, answer.headers)
        .end(typeof body === "function" ? body(path, headers.host ?? "") : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
