/** One HTTP request on a connection of its own, as a new client would make it. */
import { request } from "node:http";
import { type Answer, NotReachedError, type ProbeGroup, probeGroups } from "./cloud.ts";

/** Longest wait for one answer. Unit: milliseconds. A Lambda target's first start takes a second or two. */
const answerMilliseconds = 10_000;

/**
 * Asks a load balancer.
 * @throws NotReachedError where there is no way to it from here, or no answer in time
 */
export function ask(host: string, port: number, path: string, cookie?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const notReached = (error: Error) =>
      reject(
        new NotReachedError(
          `load balancer ${host}: not reached, got ${error.message}. Run the probe inside the VPC, and let its security group in`,
          { cause: error },
        ),
      );
    const sent = request(
      { host, port, path, agent: false, timeout: answerMilliseconds, headers: cookie === undefined ? {} : { cookie } },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          body += text;
        });
        response.on("error", notReached);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            group: groupOf(body),
            cookie: groupCookie(response.headers["set-cookie"] ?? []),
          }),
        );
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`no answer in ${answerMilliseconds / 1_000} s`)));
    sent.on("error", notReached);
    sent.end();
  });
}

/** Only our own functions answer with a group's name alone. */
function groupOf(body: string): ProbeGroup | undefined {
  return probeGroups.find((group) => group === body);
}

/** The load balancer's group cookie, in both of its forms. Source: ALB user guide, sticky sessions, read 2026-11. */
function groupCookie(setCookies: readonly string[]): string | undefined {
  const cookies = setCookies.map((text) => text.split(";")[0] ?? "").filter((text) => /^AWSALBTG(CORS)?=/.test(text));
  return cookies.length === 0 ? undefined : cookies.join("; ");
}
