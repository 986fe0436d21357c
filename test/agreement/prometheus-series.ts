/**
 * A series as Prometheus would have scraped it: counters since the start of the process, gauges, and the latency histogram, one value every
 * 10 s. For `promtool test rules` (`input_series`), and for OpenMetrics text that a real Prometheus is fed with.
 *
 * Assumes that a counter is there from the start of its process, at 0: `client/` adds 0 to each when it starts. One that appeared with
 * its first count would hide that count from `increase()`, whatever the rule.
 *
 * Crashes are counted by what starts the process again, as docs/grafana.md asks: their counter outlives the process. Counted in the process they
 * would be gone with it before the next scrape.
 */
import { latencyBucketsMilliseconds, prometheusName, reportedSignals } from "../../core/signals.ts";
import {
  type AgreementSeries,
  agreementPlace,
  type ReleaseSeries,
  releasesOf,
  type ScalarSignal,
  scalarSignals,
  seriesStartAt,
  stepSeconds,
} from "./series.ts";

export interface PrometheusSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Value k is what a scrape `k × 10 s` after the start sees; `null`: the scrape failed, and Prometheus marks the series as stale. */
  readonly values: readonly (number | null)[];
}

/** Sums since the start of the process, scraped after every step. */
function cumulative(release: ReleaseSeries, of: (step: NonNullable<ReleaseSeries["steps"][number]>) => number) {
  const restarts = new Set(release.restarts);
  const values: (number | null)[] = [0];
  let since = 0;
  release.steps.forEach((step, index) => {
    if (restarts.has(index)) since = 0;
    // Nothing that a silent process counts is told afterwards: it is silence of the release, as the other systems see it.
    if (step) since += of(step);
    values.push(step ? since : null);
  });
  return values;
}

function gauge(release: ReleaseSeries, signal: ScalarSignal): (number | null)[] {
  const [first] = release.steps;
  return [first?.values[signal] ?? null, ...release.steps.map((step) => step?.values[signal] ?? null)];
}

function ofRelease(release: ReleaseSeries): PrometheusSeries[] {
  const labels = { ...agreementPlace, release: release.releaseKey };
  const scalars = scalarSignals.map((signal) => ({
    name: prometheusName(signal),
    labels,
    values:
      reportedSignals[signal].kind === "counter"
        ? cumulative(signal === "crashes" ? { ...release, restarts: [] } : release, (step) => step.values[signal])
        : gauge(release, signal),
  }));
  const base = prometheusName("latency");
  const atMost = (most: number) =>
    cumulative(release, (step) =>
      step.latencies.reduce((sum, [milliseconds, count]) => (milliseconds <= most ? sum + count : sum), 0),
    );
  return [
    ...scalars,
    ...[...latencyBucketsMilliseconds, Number.POSITIVE_INFINITY].map((most) => ({
      name: `${base}_bucket`,
      labels: { ...labels, le: most === Number.POSITIVE_INFINITY ? "+Inf" : String(most) },
      values: atMost(most),
    })),
    { name: `${base}_count`, labels, values: atMost(Number.POSITIVE_INFINITY) },
    {
      name: `${base}_sum`,
      labels,
      values: cumulative(release, (step) =>
        step.latencies.reduce((sum, [milliseconds, count]) => sum + milliseconds * count, 0),
      ),
    },
  ];
}

/** Everything that Prometheus would hold of a series. */
export function prometheusSeries(series: AgreementSeries): PrometheusSeries[] {
  return releasesOf(series).flatMap(ofRelease);
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}

/** `input_series` of a promtool test file with `interval: 10s`; a lost scrape is `stale`, and then nothing. */
export function promtoolInput(series: AgreementSeries): { readonly series: string; readonly values: string }[] {
  return prometheusSeries(series).map(({ name, labels, values }) => ({
    series: `${name}{${labelText(labels)}}`,
    values: values
      .map((value, index) => (value !== null ? String(value) : (values[index - 1] ?? null) === null ? "_" : "stale"))
      .join(" "),
  }));
}

/** OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from openmetrics`. @param startAt @default the series' own */
export function openMetricsText(series: AgreementSeries, startAt: number = seriesStartAt): string {
  const families = new Map<string, string[]>();
  for (const { name, labels, values } of prometheusSeries(series)) {
    const base = prometheusName("latency");
    const isLatency = name.startsWith(`${base}_`);
    const family = isLatency ? base : name.replace(/_total$/, "");
    const kind = isLatency ? "histogram" : name.endsWith("_total") ? "counter" : "gauge";
    const lines = families.get(family) ?? [`# TYPE ${family} ${kind}`];
    values.forEach((value, index) => {
      if (value !== null) lines.push(`${name}{${labelText(labels)}} ${value} ${startAt / 1_000 + index * stepSeconds}`);
    });
    families.set(family, lines);
  }
  return `${[...families.values()].flat().join("\n")}\n# EOF\n`;
}
