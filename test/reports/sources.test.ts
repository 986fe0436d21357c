/** Where figures come from: CSV, CloudWatch and Prometheus, each whole or refused by name (D6, B11). */
import { createServer } from "node:http";
import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import type { Promises, RolloutRecord } from "../../core/record.ts";
import { cloudWatchMetrics } from "../../hooks/aws/metrics.ts";
import { sourceOf } from "../../reports/parts.ts";
import { cloudWatchSource } from "../../reports/sources/cloudwatch.ts";
import { csvDays, readCsv } from "../../reports/sources/csv.ts";
import { prometheusSource } from "../../reports/sources/prometheus.ts";
import { aFullRecord } from "../contract/a-record.ts";

const day = Date.UTC(2026, 10, 16);
const dayMs = 86_400_000;
const promises: Promises = {
  objectives: [
    { name: "availability", indicator: "availability", target: 99.9 },
    { name: "p95", indicator: "latency-p95", target: 300 },
    { name: "rejects", indicator: "rate-limit-rejects", target: 10 },
  ],
};
const messageOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [];
  }
  return [];
};

describe("a CSV", () => {
  it("gives counts by their own interval, and each day's worst value [D6]", () => {
    const text = [
      "\uFEFFTimestamp, service, requests, errors, p95, cache-hit-ratio",
      "2026-11-16T00:00:00Z, checkout, 100, 1, 120, 90",
      "1794787500, checkout, 200, 0, , 80",
      "2026-11-16T02:10:00+01:00, checkout, 300, 0, 180, 85",
    ].join("\n");
    const [service] = readCsv("f.csv", text);
    expect(service?.counts).toEqual([
      { at: day, seconds: 300, requests: 100, errors: 1 },
      { at: day + 300_000, seconds: 300, requests: 200, errors: 0 },
      { at: day + 4_200_000, seconds: 300, requests: 300, errors: 0 },
    ]);
    if (!service) throw new Error("no service");
    const objectives = [
      { name: "p95", indicator: "latency-p95" },
      { name: "hits", indicator: "cache-hit-ratio" },
      { name: "cpu", indicator: "cpu" },
    ] as const;
    expect(csvDays(service, objectives)).toEqual({ p95: [{ at: day, value: 180 }], hits: [{ at: day, value: 80 }] });
  });

  it("names every problem at once [B11]", () => {
    expect(messageOf(() => readCsv("f.csv", "timestamp,service,requests,p96\n"))).toEqual([
      "f.csv has 3 problems:",
      "  f.csv: column errors is missing; expected timestamp, service, requests, errors",
      '  f.csv: column 4 is unknown, got "p96"; expected timestamp, service, requests, errors or an indicator such as latency-p95',
      "  f.csv: no row; expected at least one",
    ]);
    const rows = ["timestamp,service,requests,errors", "today,Check out,NaN,-1", "2026-11-16T00:00:00Z,checkout,5,6"];
    expect(messageOf(() => readCsv("f.csv", rows.join("\n")))).toEqual([
      "f.csv has 5 problems:",
      '  f.csv: row 2: timestamp: not a time, got "today"; expected ISO 8601 with its zone, or seconds or milliseconds since 1970',
      '  f.csv: row 2: service: not a service name, got "Check out"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
      '  f.csv: row 2: requests: not a number of 0 or more, got "NaN"',
      '  f.csv: row 2: errors: not a number of 0 or more, got "-1"',
      "  f.csv: row 3: errors: more than requests, got 6 of 5; expected sums of the interval, not counters",
    ]);
    const twice = ["timestamp,service,requests,errors", "2026-11-16T00:00:00Z,a,5,0", "2026-11-16T00:00:00Z,a,5,0"];
    expect(messageOf(() => readCsv("f.csv", twice.join("\n")))).toEqual([
      "f.csv has 1 problem:",
      "  f.csv: service a has two rows of one time; expected one row an interval. Put its releases together first",
    ]);
    expect(messageOf(() => readCsv("f.csv", 'a,"b\n'))[0]).toBe("f.csv cannot be read:");
  });
});

function aRecord(source: RolloutRecord["source"]): RolloutRecord {
  const { control: _control, ...full } = aFullRecord();
  const [release] = Object.values(full.releases);
  if (!release) throw new Error("a record without releases");
  const former = [{ releaseKey: "gone", targetGroupArnSuffix: "targetgroup/gone/1", until: day }];
  return { ...full, source, releases: { [release.digest]: release }, former };
}

describe("CloudWatch", () => {
  it("gives a day the value of its worst release that served, and adds counts up [D6]", async () => {
    const client = new CloudWatchClient({ region: "eu-west-1" });
    const answers: Record<string, readonly number[]> = {
      // Per day: the release that lives, and the one that is gone with 0.5 % and then 50 % of the requests.
      "alive Requests Sum": [9_950, 5_000],
      "gone Requests Sum": [50, 5_000],
      "alive Latency p95": [200, 210],
      "gone Latency p95": [900, 700],
      "alive RateLimitRejects Sum": [1_440, 0],
      "gone RateLimitRejects Sum": [1_440, 1_440],
    };
    const mock = mockClient(client)
      .on(GetMetricDataCommand)
      .callsFake((input: GetMetricDataCommand["input"]) => ({
        MetricDataResults: input.MetricDataQueries?.map(({ Id, MetricStat }) => {
          const release = MetricStat?.Metric?.Dimensions?.find(({ Name }) => Name === "Release")?.Value;
          const key = `${release === "gone" ? "gone" : "alive"} ${MetricStat?.Metric?.MetricName} ${MetricStat?.Stat}`;
          return {
            Id,
            StatusCode: "Complete",
            Timestamps: [day, day + dayMs].map((at) => new Date(at)),
            Values: [...(answers[key] ?? [])],
          };
        }),
      }));
    const source = cloudWatchSource(client, cloudWatchMetrics(client));
    const asked = { record: aRecord("emf"), promises, from: day, to: day + 2 * dayMs };
    expect(await source.days(asked)).toEqual({
      values: {
        p95: [
          { at: day, value: 200 },
          { at: day + dayMs, value: 700 },
        ],
        rejects: [
          { at: day, value: 2 },
          { at: day + dayMs, value: 1 },
        ],
      },
      gaps: [],
    });
    expect(mock.calls()).toHaveLength(1);
  });

  it("takes what nobody reports for not known, never for 0, and names it [D6]", async () => {
    const client = new CloudWatchClient({ region: "eu-west-1" });
    mockClient(client)
      .on(GetMetricDataCommand)
      .callsFake((input: GetMetricDataCommand["input"]) => ({
        MetricDataResults: input.MetricDataQueries?.map(({ Id, MetricStat }) => {
          const isKnown = ["Requests", "FlagMismatches"].includes(MetricStat?.Metric?.MetricName ?? "");
          const points = isKnown ? { Timestamps: [new Date(day)], Values: [0.5] } : { Timestamps: [], Values: [] };
          return { Id, StatusCode: "Complete", ...points };
        }),
      }));
    const source = cloudWatchSource(client, cloudWatchMetrics(client));
    const objectives = [
      { name: "rejects", indicator: "rate-limit-rejects", target: 10 },
      { name: "reject-rate", indicator: "rate-limit-reject-rate", target: 1 },
      { name: "hits", indicator: "cache-hit-ratio", target: 80 },
      { name: "flags", indicator: "flag-mismatches", target: 10 },
    ] as const;
    const asked = { record: aRecord("emf"), promises: { objectives }, from: day, to: day + dayMs };
    expect(await source.days(asked)).toEqual({
      values: { rejects: [], "reject-rate": [], hits: [], flags: [{ at: day, value: 1 }] },
      gaps: [
        "rejects: rate-limit-rejects was never reported in this period",
        "reject-rate: rate-limit-rejects was never reported in this period",
        "hits: cache-hits, cache-misses were never reported in this period",
      ],
    });
  });

  it("reads an hour that belongs to a period in part by five minutes, and leaves out who left before [D6]", async () => {
    const asked: unknown[] = [];
    const metrics = {
      async requestSums(queries: readonly { readonly id: string }[], range: object) {
        asked.push({ ...range, ids: queries.map(({ id }) => id).filter((id) => id.endsWith("/gone")) });
        return {};
      },
    } as unknown as Parameters<typeof cloudWatchSource>[1];
    const source = cloudWatchSource(new CloudWatchClient({ region: "eu-west-1" }), metrics);
    const hour = 3_600_000;
    const [from, to] = [day + 10 * 60_000, day + 3 * hour + 5 * 60_000];
    await source.counts({ record: aRecord("emf"), promises, from, to });
    expect(asked).toEqual([
      { from, to: day + hour, periodSeconds: 300, ids: [] },
      { from: day + hour, to: day + 3 * hour, periodSeconds: 3_600, ids: [] },
      { from: day + 3 * hour, to, periodSeconds: 300, ids: [] },
    ]);
    asked.length = 0;
    await source.counts({ record: aRecord("emf"), promises, from: day, to: day + hour });
    expect(asked).toEqual([{ from: day, to: day + hour, periodSeconds: 3_600, ids: ["requests/gone", "errors/gone"] }]);
  });
});

describe("Prometheus", () => {
  async function served<Answer>(
    answer: (query: URLSearchParams) => [number, unknown],
    use: (url: string, asked: URLSearchParams[]) => Promise<Answer>,
  ) {
    const asked: URLSearchParams[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (part) => {
        body += String(part);
      });
      request.on("end", () => {
        const query = new URLSearchParams(body);
        asked.push(query);
        const [status, value] = answer(query);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    try {
      return await use(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`, asked);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const matrix = (values: readonly (readonly [number, string])[]) => ({
    status: "success",
    data: { resultType: "matrix", result: values.length === 0 ? [] : [{ metric: {}, values }] },
  });
  const record = aRecord("prometheus");
  const asked = { record, promises, from: day, to: day + 2 * 3_600_000 };
  const source = (url: string) => prometheusSource({ url, redact: (text) => text.replaceAll("s3cret", "[redacted]") });

  it("reads increases at the end of each hour, and a percentile of all releases together [D6]", async () => {
    await served(
      (query) => [
        200,
        matrix(
          query.get("query")?.includes("errors")
            ? [[day / 1_000 + 7_200, "3"]]
            : [
                [day / 1_000 + 3_600, "1000"],
                [day / 1_000 + 7_200, "NaN"],
              ],
        ),
      ],
      async (url, queries) => {
        expect(await source(url).counts(asked)).toEqual([
          { at: day, seconds: 3_600, requests: 1_000, errors: 0 },
          { at: day + 3_600_000, seconds: 3_600, requests: 0, errors: 3 },
        ]);
        const labels = `{environment="${record.environment}",service="${record.service}"}`;
        expect(
          queries.map((query) => [query.get("query"), query.get("start"), query.get("end"), query.get("step")]).sort(),
        ).toEqual([
          [
            `sum(increase(tidegate_errors_total${labels}[3600s]))`,
            String(day / 1_000 + 3_600),
            String(day / 1_000 + 7_200),
            "3600",
          ],
          [
            `sum(increase(tidegate_requests_total${labels}[3600s]))`,
            String(day / 1_000 + 3_600),
            String(day / 1_000 + 7_200),
            "3600",
          ],
        ]);
        expect((await source(url).days(asked)).gaps).toEqual([]);
        expect(
          queries
            .slice(2)
            .map((query) => query.get("query"))
            .sort(),
        ).toEqual([
          `(((sum(increase(tidegate_rate_limit_rejects_total${labels}[1d])) or vector(0))) * 60 / 86400) and (sum(increase(tidegate_requests_total${labels}[1d])) > 0)`,
          `histogram_quantile(0.95, sum by (le) (increase(tidegate_latency_milliseconds_bucket${labels}[1d])))`,
          `sum(count_over_time(tidegate_latency_milliseconds_count${labels}[1d]))`,
          `sum(count_over_time(tidegate_rate_limit_rejects_total${labels}[1d]))`,
        ]);
      },
    );
  });

  it("counts errors of an hour without requests, and takes what nobody reports for not known [D6]", async () => {
    await served(
      (query) => {
        const isKnown = ["errors", "latency"].some((signal) => query.get("query")?.includes(signal));
        return [200, matrix(isKnown ? [[day / 1_000 + 3_600, "3"]] : [])];
      },
      async (url) => {
        expect(await source(url).counts(asked)).toEqual([{ at: day, seconds: 3_600, requests: 0, errors: 3 }]);
        expect((await source(url).days(asked)).gaps).toEqual([
          "rejects: rate-limit-rejects was never reported in this period",
        ]);
      },
    );
  });

  it.each([
    [
      400,
      { status: "error", error: "parse error near s3cret" },
      'Prometheus: a query was not answered: status 400: {"status":"error","error":"parse error near [redacted]"}',
    ],
    [
      200,
      { status: "success", data: {} },
      'Prometheus: a query was not answered: no range of points: {"status":"success","data":{}}',
    ],
    [
      200,
      { ...matrix([]), warnings: ["store down"] },
      "Prometheus: a query was not answered: part of the data is missing: store down",
    ],
  ])("refuses an answer %d that is not whole [D6]", async (status, value, message) => {
    await served(
      () => [status, value],
      async (url) => {
        await expect(source(url).counts(asked)).rejects.toThrow(message);
      },
    );
  });
});

it("a source that cannot be asked is refused by name [D6]", () => {
  const figures = { counts: async () => [], days: async () => ({ values: {}, gaps: [] }) };
  expect(sourceOf({ service: "a", source: "alb" }, figures, undefined)).toBe(figures);
  expect(() => sourceOf({ service: "a", source: "prometheus" }, figures, undefined)).toThrow(
    "source prometheus cannot be asked from here; expected alerting.grafana with its data source and token",
  );
  expect(() => sourceOf({ service: "a", source: "datadog" }, figures, figures)).toThrow(
    "source datadog has no figures here; expected Datadog's own SLO report, which its SLOs are made for",
  );
});
