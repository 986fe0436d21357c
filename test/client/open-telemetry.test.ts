/** The OpenTelemetry output with the real SDK: what Prometheus scrapes of it, and what goes to Datadog over OTLP. */
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, it } from "vitest";
import { type OpenTelemetryOptions, openTelemetry } from "../../client/open-telemetry.ts";
import {
  datadogName,
  latencyBucketsMilliseconds,
  prometheusName,
  type ReportedSignal,
  reportedSignals,
} from "../../core/signals.ts";
import { aRelease } from "./fake-runtime.ts";

const signals = Object.keys(reportedSignals) as ReportedSignal[];
const providers: MeterProvider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.shutdown();
});

/** What a scraper gets, over a socket. */
async function scraped(exporter: PrometheusExporter): Promise<string> {
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const text = await new Promise<string>((resolve) => {
    get({ port, host: "127.0.0.1" }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(body));
    });
  });
  server.close();
  return text;
}

function underPrometheus(reportsProcess = true) {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  const provider = new MeterProvider({ readers: [exporter] });
  providers.push(provider);
  const output = openTelemetry(provider.getMeter("checkout"), { source: "prometheus" });
  return { ...aRelease({ output, reportsProcess }), exporter };
}

const labels = 'environment="production",service="checkout",release="2-4-0-1a2b3c4d"';

describe("for Prometheus", () => {
  it("has every signal under the name that rules ask for, and nothing else [B1]", async () => {
    const { metrics, runtime, exporter } = underPrometheus();
    metrics.request(12, false);
    metrics.breaker("db").opened();
    runtime.pass(2_000);
    const text = await scraped(exporter);
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const types = { counter: "counter", gauge: "gauge", distribution: "histogram" };
    expect([...families].sort()).toEqual(
      signals.map((signal) => `${prometheusName(signal)} ${types[reportedSignals[signal].kind]}`).sort(),
    );
    expect(text).toContain(`# HELP tidegate_errors_total ${reportedSignals.errors.what}\n`);
  });

  it("is exactly this in a scrape [B1]", async () => {
    const { metrics, exporter } = underPrometheus(false);
    metrics.request(12, false);
    metrics.request(700, true);
    metrics.request(700, false);
    metrics.count("cache-hits", 7);
    metrics.breaker("db").closed();
    const lines = (await scraped(exporter)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const buckets = [...latencyBucketsMilliseconds.map(String), "+Inf"].map(
      (bound) =>
        `tidegate_latency_milliseconds_bucket{${labels},le="${bound}"} ${Number(bound) < 12 ? 0 : Number(bound) < 700 ? 1 : 3}`,
    );
    // "+Inf" is no number to JavaScript.
    buckets[buckets.length - 1] = `tidegate_latency_milliseconds_bucket{${labels},le="+Inf"} 3`;
    expect(lines.sort()).toEqual(
      [
        `tidegate_requests_total{${labels}} 3`,
        `tidegate_errors_total{${labels}} 1`,
        `tidegate_cache_hits_total{${labels}} 7`,
        `tidegate_cache_misses_total{${labels}} 0`,
        `tidegate_crashes_total{${labels}} 0`,
        `tidegate_dual_run_failures_total{${labels}} 0`,
        `tidegate_dual_runs_total{${labels}} 0`,
        `tidegate_fallbacks_total{${labels}} 0`,
        `tidegate_flag_evaluations_total{${labels}} 0`,
        `tidegate_flag_mismatches_total{${labels}} 0`,
        `tidegate_invariant_violations_total{${labels}} 0`,
        `tidegate_items_processed_total{${labels}} 0`,
        `tidegate_processing_seconds_total{${labels}} 0`,
        `tidegate_rate_limit_rejects_total{${labels}} 0`,
        `tidegate_breaker_open_seconds{${labels}} 0`,
        `tidegate_breaker_recovery_seconds{${labels}} 0`,
        `tidegate_latency_milliseconds_count{${labels}} 3`,
        `tidegate_latency_milliseconds_sum{${labels}} 1412`,
        ...buckets,
      ].sort(),
    );
  });

  it("counts errors from zero before the first one, so that an increase is seen [B1]", async () => {
    const { exporter } = underPrometheus();
    expect(await scraped(exporter)).toContain(`tidegate_errors_total{${labels}} 0\n`);
  });

  it("tells of memory, processor time and breakers as they are now [B1]", async () => {
    const { metrics, runtime, exporter } = underPrometheus();
    runtime.memory = 123_400_000;
    runtime.cpu = 5_000_000;
    metrics.breaker("db").opened();
    runtime.pass(20_000);
    const first = await scraped(exporter);
    metrics.breaker("db").closed();
    runtime.pass(59_000);
    const second = await scraped(exporter);
    runtime.pass(2_000);
    const third = await scraped(exporter);
    const gauges = (text: string) =>
      ["memory_megabytes", "cpu_percent", "breaker_open_seconds", "breaker_recovery_seconds"].map((name) =>
        Number(new RegExp(`^tidegate_${name}\\{.*\\} (.*)$`, "m").exec(text)?.[1]),
      );
    expect([gauges(first), gauges(second), gauges(third)]).toEqual([
      [123.4, 25, 20, 0],
      [123.4, 0, 0, 20],
      [123.4, 0, 0, 0],
    ]);
  });

  it("stops observing when it is closed [B1]", async () => {
    const { metrics, exporter } = underPrometheus();
    metrics.close();
    expect(await scraped(exporter)).not.toContain("tidegate_requests_total{");
  });
});

describe("for Datadog", () => {
  it("has every signal under Datadog's name, with its unit, as differences since the last export [B1]", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    providers.push(provider);
    const output = openTelemetry(provider.getMeter("checkout"), { source: "datadog" });
    const { metrics, runtime } = aRelease({ output, reportsProcess: true });
    metrics.breaker("db").opened();
    metrics.request(12, true);
    runtime.pass(2_000);
    await provider.forceFlush();
    metrics.request(12, false);
    await provider.forceFlush();
    const [first, second] = exporter
      .getMetrics()
      .map(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    expect(first?.map(({ descriptor }) => descriptor.name).sort()).toEqual(signals.map(datadogName).sort());
    const units = Object.fromEntries((first ?? []).map(({ descriptor }) => [descriptor.name, descriptor.unit]));
    expect([
      units["tidegate.latency"],
      units["tidegate.memory_megabytes"],
      units["tidegate.processing_seconds"],
    ]).toEqual(["ms", "MBy", "s"]);
    const sums = (collected: typeof first) =>
      ["tidegate.requests", "tidegate.errors"].map((name) => {
        const data = collected?.find(({ descriptor }) => descriptor.name === name);
        return data?.dataPointType === DataPointType.SUM ? data.dataPoints.map(({ value }) => value) : [];
      });
    expect([sums(first), sums(second)]).toEqual([
      [[1], [1]],
      [[1], [0]],
    ]);
    const point = first?.[0]?.dataPoints[0];
    expect(point?.attributes).toEqual({ environment: "production", service: "checkout", release: "2-4-0-1a2b3c4d" });
  });
});

it("refuses a source that OpenTelemetry does not feed, by name [E7]", () => {
  const meter = new MeterProvider().getMeter("checkout");
  expect(() => openTelemetry(meter, { source: "emf" } as unknown as OpenTelemetryOptions)).toThrow(
    new RangeError(
      "openTelemetry: source: cannot be fed, got emf; expected prometheus or datadog. For CloudWatch leave output out",
    ),
  );
});
