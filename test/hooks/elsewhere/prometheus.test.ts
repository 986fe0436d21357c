import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Secret } from "../../../hooks/aws/secrets.ts";
import { grafanaToken, prometheusElsewhere } from "../../../hooks/elsewhere/prometheus.ts";
import { aWatchedAlarm } from "../../contract/a-record.ts";

const now = Date.UTC(2026, 0, 5, 9, 30, 7);
const token = "glsa_0123456789abcdefghij";

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly parameters: URLSearchParams;
}

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

/** Grafana's proxy as far as the adapter sees it. */
async function grafana(
  answer: (asked: Asked, response: ServerResponse) => void,
  secret: Partial<Secret> = {},
  timeoutMilliseconds?: number,
) {
  const asked: Asked[] = [];
  const read = async (request: IncomingMessage) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    return new URLSearchParams(body);
  };
  server = createServer((request, response) => {
    void read(request).then((parameters) => {
      const one = { path: request.url ?? "", authorization: request.headers.authorization, parameters };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const port1 = prometheusElsewhere({
    url: `http://127.0.0.1:${port}/`,
    dataSourceUid: "prom",
    token: { read: async () => token, readAgain: async () => token, ...secret },
    now: () => now,
    ...(timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds }),
  });
  return { asked, elsewhere: port1 };
}

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};
const success = (result: unknown[], more = {}) => ({
  status: "success",
  data: { resultType: "vector", result },
  ...more,
});

const anAlarm = (alarmName: string, query = `up{alarm="${alarmName}"} > 0`) =>
  aWatchedAlarm(alarmName, { watchedIn: "prometheus", query });

describe("Prometheus through Grafana", () => {
  it("says which rules are bad, since when, and asks with the token at a whole step [D2]", async () => {
    const { asked, elsewhere } = await grafana(({ path, parameters }, response) => {
      if (path.endsWith("/query"))
        return json(response, success([{ metric: { tidegate_alarm: "one" }, value: [0, "7"] }]));
      const end = Number(parameters.get("end"));
      const values = [end - 300, end - 120, end - 60, end].map((at) => [at, "7"]);
      return json(response, success([{ metric: {}, values }]));
    });
    const states = await elsewhere.describe([anAlarm("one"), anAlarm("two")]);
    const at = Date.UTC(2026, 0, 5, 9, 30, 0);
    expect(states).toEqual([
      { alarmName: "one", state: "ALARM", updatedAt: at - 120_000, actionsEnabled: true },
      { alarmName: "two", state: "OK", updatedAt: at, actionsEnabled: true },
    ]);
    expect(asked.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/api/datasources/proxy/uid/prom/api/v1/query", `Bearer ${token}`],
      ["/api/datasources/proxy/uid/prom/api/v1/query_range", `Bearer ${token}`],
    ]);
    expect(asked[0]?.parameters.get("query")).toBe(
      'label_replace(up{alarm="one"} > 0, "tidegate_alarm", "one", "", "") or label_replace(up{alarm="two"} > 0, "tidegate_alarm", "two", "", "")',
    );
    expect(asked[0]?.parameters.get("time")).toBe(String(at / 1_000));
  });

  it("asks for many rules in few queries [D2]", async () => {
    const { asked, elsewhere } = await grafana((_asked, response) => json(response, success([])));
    const states = await elsewhere.describe(Array.from({ length: 20 }, (_, index) => anAlarm(`a${index}`)));
    expect(states.every(({ state }) => state === "OK")).toBe(true);
    expect(asked).toHaveLength(3);
  });

  it("asks nothing where there is nothing to ask [D2]", async () => {
    const { asked, elsewhere } = await grafana((_asked, response) => json(response, success([])));
    expect(await elsewhere.describe([])).toEqual([]);
    expect(asked).toEqual([]);
  });

  const failures: [string, (response: ServerResponse) => void, string][] = [
    [
      "a query that Prometheus refuses",
      (response) => json(response, { status: "error", error: "query timed out" }, 503),
      "Prometheus: refused the query: query timed out",
    ],
    [
      "only part of the data",
      (response) => json(response, success([], { warnings: ["store 2 did not answer"] })),
      "Prometheus: only part of an answer: store 2 did not answer; expected all of it",
    ],
    [
      "a sign-in page",
      (response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.end("<html>sign in</html>");
      },
      "Prometheus: an answer of another shape; expected that of its query API",
    ],
    [
      "a redirect",
      (response) => {
        response.writeHead(302, { location: "https://example.com/login" });
        response.end();
      },
      "Prometheus: could not be reached: unexpected redirect",
    ],
    [
      "a data source that is not there",
      (response) => json(response, { message: "not found" }, 404),
      "Prometheus: did not answer, got status 404; expected 200. Grafana has no data source with this uid",
    ],
    [
      "a token without the right",
      (response) => json(response, { message: "forbidden" }, 403),
      "Prometheus: did not answer, got status 403; expected 200. The token's service account may not query the data source",
    ],
    [
      "an answer without an end",
      (response) => {
        response.writeHead(200);
        response.end(`"${"x".repeat(1_100_000)}"`);
      },
      "Prometheus: too long an answer, got more than 1048576 bytes",
    ],
  ];
  it.each(failures)("throws on %s, and never says quiet [D2]", async (_what, answer, message) => {
    const { elsewhere } = await grafana((_asked, response) => answer(response));
    await expect(elsewhere.describe([anAlarm("one")])).rejects.toThrow(message);
  });

  it("throws where no answer comes in time, without a word of the token [D2]", async () => {
    const { elsewhere } = await grafana(() => {}, {}, 50);
    await expect(elsewhere.describe([anAlarm("one")])).rejects.toThrow("Prometheus: no answer within 50 ms");
    server?.closeAllConnections();
  });

  it("reads the secret again once after a refusal, so that a rotation heals itself [D4]", async () => {
    const fresh = "glsa_zyxwvutsrqponmlkjihg";
    const { asked, elsewhere } = await grafana(
      ({ authorization }, response) =>
        authorization === `Bearer ${fresh}` ? json(response, success([])) : json(response, {}, 401),
      { readAgain: async () => fresh },
    );
    await elsewhere.describe([anAlarm("one")]);
    expect(asked).toHaveLength(2);
  });

  it("refuses an alarm that has no query by its name [D2]", async () => {
    const { elsewhere } = await grafana((_asked, response) => json(response, success([])));
    await expect(elsewhere.describe([anAlarm("tidegate/dev/checkout/a/b", "")])).rejects.toThrow(
      "alarm tidegate/dev/checkout/a/b: watched in Prometheus without a query; expected PromQL. Run up again with one version of program and hook",
    );
  });

  it("tells what a release reported, and tells nothing from none [B8]", async () => {
    const { asked, elsewhere } = await grafana(({ parameters }, response) =>
      json(
        response,
        success(parameters.get("query")?.includes("requests_total{") ? [{ metric: {}, value: [0, "1200"] }] : []),
      ),
    );
    const query = { environment: "dev", service: "checkout", releaseKey: "a", from: now - 300_000, to: now };
    const reported = await elsewhere.reported(query);
    expect(reported.requests).toBe(1_200);
    expect(asked[0]?.parameters.get("query")).toContain("[300001ms:10s]");
  });

  it("tells what all releases of a service reported together, with as much patience as it is given [C2]", async () => {
    let isSlow = true;
    const { asked, elsewhere } = await grafana((_asked, response) => {
      if (!isSlow) json(response, success([{ metric: {}, value: [0, "7"] }]));
    });
    const query = { environment: "dev", service: "checkout", from: now - 86_400_000, to: now };
    await expect(elsewhere.reported({ ...query, patienceMilliseconds: 150 })).rejects.toThrow(
      "Prometheus: no answer within 150 ms",
    );
    isSlow = false;
    expect(await elsewhere.reported(query)).toEqual({ requests: 7, errors: 7 });
    const said = asked.map(({ parameters }) => parameters.get("query") ?? "");
    expect(said.every((text) => text.includes('{environment="dev",service="checkout"}'))).toBe(true);
    expect(said.some((text) => text.includes("release="))).toBe(false);
  });

  it("takes a number that is none for a failure [B8]", async () => {
    const { elsewhere } = await grafana((_asked, response) =>
      json(response, success([{ metric: {}, value: [0, "NaN"] }])),
    );
    const query = { environment: "dev", service: "checkout", releaseKey: "a", from: now - 300_000, to: now };
    await expect(elsewhere.reported(query)).rejects.toThrow(
      "Prometheus: requests is no number, got NaN; expected a finite one",
    );
  });

  it("tells a soak window by window, each at its start, with the samples of its histogram [C1]", async () => {
    const { asked, elsewhere } = await grafana(({ parameters }, response) => {
      const query = parameters.get("query") ?? "";
      const [start, end] = [Number(parameters.get("start")), Number(parameters.get("end"))];
      const line = (metric: object, first: string, last: string) => ({
        metric,
        values: [
          [start, first],
          [end, last],
        ],
      });
      if (query.includes("_bucket")) {
        return json(
          response,
          success([line({ le: "50" }, "60", "0"), line({ le: "100" }, "100", "10"), line({ le: "+Inf" }, "100", "10")]),
        );
      }
      return json(response, success(query.includes("errors_total{") ? [] : [line({}, "100", "10")]));
    });
    const from = Date.UTC(2026, 0, 5, 9, 0);
    const query = { environment: "dev", service: "checkout", releaseKey: "a" };
    expect(await elsewhere.windows({ ...query, from, to: from + 180_000, windowSeconds: 60 })).toEqual([
      {
        at: from,
        requests: 100,
        errors: 0,
        latencyMilliseconds: { p50: (50 * 50) / 60, p95: 50 + (50 * 35) / 40, p99: 50 + (50 * 39) / 40 },
        latencyCounts: [
          [50, 60],
          [100, 40],
        ],
      },
      {
        at: from + 120_000,
        requests: 10,
        errors: 0,
        latencyMilliseconds: { p50: 75, p95: 97.5, p99: 99.5 },
        latencyCounts: [[100, 10]],
      },
    ]);
    expect(
      asked.map(({ parameters }) => [parameters.get("start"), parameters.get("end"), parameters.get("step")]),
    ).toEqual(Array.from({ length: 3 }, () => [String(from / 1_000 + 60), String(from / 1_000 + 180), "60"]));
  });

  it("asks for a long soak a day at a time [C1]", async () => {
    const { asked, elsewhere } = await grafana((_asked, response) => json(response, success([])));
    const from = Date.UTC(2026, 0, 5);
    const query = { environment: "dev", service: "checkout", releaseKey: "a", from, windowSeconds: 300 };
    expect(await elsewhere.windows({ ...query, to: from + 2.5 * 86_400_000 })).toEqual([]);
    expect(asked).toHaveLength(9);
  });

  it("tells how much counters grew, and nothing of those that are absent [C1, B8]", async () => {
    const { elsewhere } = await grafana(({ parameters }, response) =>
      json(
        response,
        success(parameters.get("query")?.includes("dual_runs_total{") ? [{ metric: {}, value: [0, "12"] }] : []),
      ),
    );
    const query = { environment: "dev", service: "checkout", releaseKey: "a", from: now - 300_000, to: now };
    expect(await elsewhere.counted({ ...query, signals: ["dual-runs", "dual-run-failures"] })).toEqual({
      "dual-runs": 12,
    });
  });

  it("knows a token by its form [D4]", () => {
    expect(grafanaToken.isValid(token)).toBe(true);
    for (const wrong of ["", "glsa_short", "a token with spaces in it", "https://grafana.example.com"]) {
      expect(grafanaToken.isValid(wrong)).toBe(false);
    }
  });
});
