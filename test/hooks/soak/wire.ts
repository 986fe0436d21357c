/**
 * Three systems that answer what a soak was, each as its own API has it on the wire: CloudWatch behind AWS's SDK, Prometheus behind Grafana's
 * proxy and Datadog behind `fetch`. What they answer can be damaged on the way, point by point or whole.
 */
import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import { mockClient } from "aws-sdk-client-mock";
import { vi } from "vitest";
import { cloudWatchMetrics } from "../../../hooks/aws/metrics.ts";
import { datadogElsewhere } from "../../../hooks/elsewhere/datadog.ts";
import { prometheusElsewhere } from "../../../hooks/elsewhere/prometheus.ts";
import type { Ports } from "../../../hooks/ports.ts";

export const sources = ["alb", "emf", "prometheus", "datadog"] as const;
export type Source = (typeof sources)[number];
export type Side = "canary" | "beside";
/** `bucket <bound>` is cumulative, in milliseconds. */
export type What = "requests" | "errors" | "p50" | "p95" | "p99" | `bucket ${string}`;

/** One point as it goes over the wire: anything at any time. Unit of `at`: milliseconds, the window's start. */
export interface WirePoint {
  readonly at: number;
  readonly value: unknown;
}
/** What becomes of one series. */
export type Damage = (
  points: readonly WirePoint[],
  series: { readonly side: Side; readonly what: What },
) => WirePoint[];
/** What becomes of a whole answer, after its points. */
export type Breakage = (answer: Record<string, unknown>) => unknown;

/** What a release did in a minute. Units: milliseconds. */
export interface Minute {
  readonly requests: number;
  readonly errors: number;
  readonly p95Milliseconds: number;
}

export interface Truth {
  readonly from: number;
  readonly minutes: number;
  readonly of: (side: Side, minute: number) => Minute;
}

const minuteMs = 60_000;
export const bounds = ["50", "100", "200", "400", "800", "+Inf"] as const;

/** Requests spread evenly up to their p95, and a twentieth of them up to half as much again. */
function below(bound: number, { requests, p95Milliseconds: p95 }: Minute): number {
  const share = bound <= p95 ? (0.95 * bound) / p95 : 0.95 + (0.05 * (bound - p95)) / (p95 / 2);
  return Math.round(requests * Math.min(1, share));
}

function pointOf(what: What, minute: Minute): number {
  const { requests, errors, p95Milliseconds: p95 } = minute;
  if (what === "requests") return requests;
  if (what === "errors") return errors;
  if (what === "p50") return (p95 * 0.5) / 0.95;
  if (what === "p95") return p95;
  if (what === "p99") return p95 * 1.4;
  const bound = what.slice("bucket ".length);
  return bound === "+Inf" ? requests : below(Number(bound), minute);
}

/** Ports of one source that answers a truth, damaged. */
export function portsOf(
  source: Source,
  truth: Truth,
  keys: Readonly<Record<Side, string>>,
  now: number,
  damage: Damage = (points) => [...points],
  breakage: Breakage = (answer) => answer,
): Pick<Ports, "metrics" | "elsewhere" | "clock"> {
  const clock = { now: () => now, sleep: async () => {} };
  const series = (side: Side, what: What, from: number, to: number): WirePoint[] => {
    const points = Array.from({ length: truth.minutes }, (_, minute) => ({
      at: truth.from + minute * minuteMs,
      value: pointOf(what, truth.of(side, minute)),
    })).filter(({ at, value }) => at >= from && at < to && !(source === "alb" && what === "errors" && value === 0));
    return damage(points, { side, what });
  };
  const sideOf = (text: string): Side => (text.includes(keys.canary) ? "canary" : "beside");
  const [prometheus, datadog] = [prometheusAnswers(series, sideOf, breakage), datadogAnswers(series, sideOf, breakage)];
  vi.stubGlobal("fetch", async (request: Request) =>
    (request.url.includes("/proxy/uid/") ? prometheus : datadog)(request.url, await request.text()),
  );
  return {
    clock,
    metrics: cloudWatchOf(series, sideOf, breakage),
    elsewhere: {
      prometheus: prometheusElsewhere({
        url: "http://grafana.invalid",
        dataSourceUid: "prom",
        token: secretOf("glsa_0123456789abcdefghij"),
        now: clock.now,
      }),
      datadog: datadogElsewhere({
        site: "datadoghq.invalid",
        keys: secretOf(JSON.stringify({ apiKey: "0".repeat(32), appKey: "1".repeat(40) })),
        now: clock.now,
        pauseMilliseconds: () => 0,
      }),
    },
  };
}

type Series = (side: Side, what: What, from: number, to: number) => WirePoint[];
type SideOf = (text: string) => Side;

function cloudWatchOf(series: Series, sideOf: SideOf, breakage: Breakage): Ports["metrics"] {
  const client = new CloudWatchClient({ region: "eu-west-1" });
  mockClient(client)
    .on(GetMetricDataCommand)
    .callsFake((input: { MetricDataQueries: MetricDataQuery[]; StartTime: Date; EndTime: Date }) => {
      const results = input.MetricDataQueries.map(({ Id, MetricStat }) => {
        const name = MetricStat?.Metric?.MetricName ?? "";
        const side = sideOf(JSON.stringify(MetricStat?.Metric?.Dimensions));
        const stat = MetricStat?.Stat ?? "";
        const what = (/^p\d/.test(stat) ? stat : /Request/.test(name) ? "requests" : "errors") as What;
        const isCounted = /^Request|^HTTPCode_Target_5XX|^Errors$|Latency|ResponseTime/.test(name);
        const found = isCounted ? series(side, what, input.StartTime.getTime(), input.EndTime.getTime()) : [];
        const scale = name === "TargetResponseTime" ? 1 / 1_000 : 1;
        const perPeriod = what === "requests" ? (MetricStat?.Period ?? 60) / 60 : 1;
        return {
          Id,
          StatusCode: "Complete",
          Timestamps: found.map(({ at }) => new Date(at)),
          Values: found.map(({ value }) => (typeof value === "number" ? value * scale * perPeriod : value)),
        };
      });
      return breakage({ MetricDataResults: results });
    });
  return cloudWatchMetrics(client);
}

const json = (body: unknown) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
const secretOf = (text: string) => ({ read: async () => text, readAgain: async () => text });

/** What a system behind `fetch` answers. */
type Answers = (url: string, body: string) => Response;

function prometheusAnswers(series: Series, sideOf: SideOf, breakage: Breakage): Answers {
  return (url, body) => {
    const parameters = new URLSearchParams(body);
    const query = parameters.get("query") ?? "";
    const side = sideOf(query);
    if (!url.endsWith("query_range")) {
      const value = query.includes("requests_total") && !query.includes("errors_total") ? "36000" : "0";
      return json({ status: "success", data: { resultType: "vector", result: [{ metric: {}, value: [0, value] }] } });
    }
    const [start, end] = ["start", "end"].map((name) => 1_000 * Number(parameters.get(name)));
    const line = (what: What, metric: object) => ({
      metric,
      values: series(side, what, (start ?? 0) - minuteMs, end ?? 0).map(({ at, value }) => [
        (at + minuteMs) / 1_000,
        value === Number.POSITIVE_INFINITY ? "+Inf" : String(value),
      ]),
    });
    const result = query.includes("_bucket")
      ? bounds.map((le) => line(`bucket ${le}`, { le }))
      : [line(query.includes("errors_total") ? "errors" : "requests", {})];
    return json(breakage({ status: "success", data: { resultType: "matrix", result } }));
  };
}

function datadogAnswers(series: Series, sideOf: SideOf, breakage: Breakage): Answers {
  return (url, body) => {
    const { attributes } = (
      JSON.parse(body) as {
        data: { attributes: { from: number; to: number; queries: { name: string; query: string }[] } };
      }
    ).data;
    if (url.includes("/scalar")) {
      const columns = attributes.queries.map(({ name, query }) => ({
        name,
        values: [query.includes("requests") ? 36_000 : null],
      }));
      return json({ data: { attributes: { columns } } });
    }
    const found = attributes.queries.map(({ name, query }) =>
      series(sideOf(query), name as What, attributes.from, attributes.to),
    );
    const longest = found.reduce((most, each) => (each.length > most.length ? each : most), []);
    const seen = new Set(longest.map(({ at }) => at));
    // A time twice stays so; what others alone have comes after.
    const others = found.flatMap((each) => each.filter(({ at }) => !seen.has(at) && seen.add(at)));
    const times = [...longest, ...others].map(({ at }) => at);
    const values = found.map((each) => {
      const left = new Map<number, WirePoint[]>();
      for (const point of each) left.set(point.at, [...(left.get(point.at) ?? []), point]);
      return times.map((time) => {
        const value = left.get(time)?.shift()?.value ?? null;
        // JSON has no other way to say it.
        return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
      });
    });
    return json(
      breakage({
        data: { attributes: { series: found.map((_none, index) => ({ query_index: index })), times, values } },
      }),
    );
  };
}
