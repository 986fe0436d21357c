/**
 * OpenTelemetry: the same signals as instruments of a meter that the application brings, for Prometheus and for Datadog (over OTLP).
 * Counters are observed when somebody asks, so a request costs one histogram record and nothing else.
 *
 * The types are the part of `@opentelemetry/api` that is used; nothing is imported.
 */
import type { BreakerReading } from "./breakers.ts";
import type { Measured, MetricsOutput, RunningOutput } from "./output.ts";
import {
  counters,
  datadogInstrument,
  type Gauge,
  gauges,
  latencyBucketsMilliseconds,
  prometheusInstrument,
  type ReportedSignal,
  reportedSignals,
} from "./signals.ts";

type Attributes = { readonly environment: string; readonly service: string; readonly release: string };

interface InstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

type Observe = (result: { observe(value: number, attributes?: Attributes): void }) => void;

interface Observable {
  addCallback(callback: Observe): void;
  removeCallback(callback: Observe): void;
}

/** What is used of `@opentelemetry/api`'s `Meter`. */
export interface MeterLike {
  createHistogram(name: string, options?: InstrumentOptions): { record(value: number, attributes?: Attributes): void };
  createObservableCounter(name: string, options?: InstrumentOptions): Observable;
  createObservableGauge(name: string, options?: InstrumentOptions): Observable;
}

/** Sources of a service's metrics that OpenTelemetry feeds; the names are those of the stack config. */
export const openTelemetrySources = ["prometheus", "datadog"] as const;
export type OpenTelemetrySource = (typeof openTelemetrySources)[number];

export interface OpenTelemetryOptions {
  /**
   * What the stack config says of the service: `source`. It decides the names: an exporter for Prometheus takes the unit of a distribution from
   * its name, and Datadog has it beside the name.
   */
  readonly source: OpenTelemetrySource;
}

/** UCUM, as OpenTelemetry wants it. */
const units: Readonly<Record<string, string>> = {
  count: "1",
  milliseconds: "ms",
  megabytes: "MBy",
  percent: "%",
  seconds: "s",
};

/** How long a breaker's recovery is told of: at least one scrape or export falls into it. Unit: milliseconds. */
const recoveryToldMilliseconds = 60_000;

/**
 * Instruments of a meter.
 *
 * @throws RangeError for a source that OpenTelemetry does not feed
 */
export function openTelemetry(meter: MeterLike, { source }: OpenTelemetryOptions): MetricsOutput {
  if (!openTelemetrySources.includes(source)) {
    throw new RangeError(
      `openTelemetry: source: cannot be fed, got ${String(source)}; expected prometheus or datadog. For CloudWatch leave output out`,
    );
  }
  return { kind: "open-telemetry", start: (measured) => startInstruments(meter, source, measured) };
}

function startInstruments(meter: MeterLike, source: OpenTelemetrySource, measured: Measured): RunningOutput {
  const attributes: Attributes = { ...measured.identity };
  const nameOf = source === "prometheus" ? prometheusInstrument : datadogInstrument;
  // Prometheus has the unit in the name; said beside it, some exporters would append it once more.
  const optionsOf = (signal: ReportedSignal): InstrumentOptions => {
    const { what, unit } = reportedSignals[signal];
    return { description: what, ...(source === "prometheus" ? {} : { unit: units[unit] ?? "1" }) };
  };
  const stops: (() => void)[] = [];
  const observe = (instrument: Observable, callback: Observe) => {
    instrument.addCallback(callback);
    stops.push(() => instrument.removeCallback(callback));
  };

  for (const counter of counters) {
    observe(meter.createObservableCounter(nameOf(counter), optionsOf(counter)), (result) =>
      // From the start: an increase is seen only where there was a value before.
      result.observe(measured.total(counter) ?? 0, attributes),
    );
  }
  const read = gaugeReader(measured);
  for (const gauge of gauges) {
    observe(meter.createObservableGauge(nameOf(gauge), optionsOf(gauge)), (result) => {
      const value = read(gauge);
      if (value !== undefined) result.observe(value, attributes);
    });
  }
  const histogram = meter.createHistogram(nameOf("latency"), {
    ...optionsOf("latency"),
    advice: { explicitBucketBoundaries: [...latencyBucketsMilliseconds] },
  });
  return {
    latency: (milliseconds) => histogram.record(milliseconds, attributes),
    // The application's reader decides when; `forceFlush` of its provider is the way to hurry it.
    flush() {},
    flushNow() {},
    stop() {
      for (const stop of stops) stop();
    },
  };
}

function gaugeReader(measured: Measured): (gauge: Gauge) => number | undefined {
  const breakers = (): BreakerReading | undefined =>
    measured.breakers(measured.runtime.monotonicMilliseconds() - recoveryToldMilliseconds);
  return (gauge) => {
    switch (gauge) {
      case "memory-megabytes":
        return measured.process()?.memoryMegabytes;
      case "cpu-percent":
        return measured.process()?.cpuPercent;
      case "breaker-open-seconds":
        return breakers()?.openSeconds;
      case "breaker-recovery-seconds": {
        const reading = breakers();
        return reading && (reading.recoverySeconds ?? 0);
      }
    }
  };
}
