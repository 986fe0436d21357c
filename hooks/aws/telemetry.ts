/**
 * What a deployed function says of itself (D7), over Powertools: JSON log lines at once, metrics as EMF lines when the invocation ends,
 * spans as X-Ray subsegments then too, so that nothing on the way to a lowering waits for telemetry. Every line goes through one list of
 * secrets. Nothing here throws: a rollback that cannot be told of is still a rollback.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Logger, type LogItem } from "@aws-lambda-powertools/logger";
import type { LogAttributes } from "@aws-lambda-powertools/logger/types";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { type HookMetric, hookMetrics, type Telemetry } from "../ports.ts";
import type { Redaction } from "./redaction.ts";
import { recordSpans, type Span } from "./spans.ts";

/** Where the hook's metrics are, unless POWERTOOLS_METRICS_NAMESPACE says otherwise; alarms and dashboards name the same. */
export const metricNamespace = "Tidegate/Hook";

/** Values of one metric in one EMF line. Source: EMF specification, 100 values a target member; recalled 2026-11, not read again. */
const maximumValuesPerLine = 100;

/** Keys of Powertools' own; a field of that name would be dropped, so it gets another. */
const reservedKeys: Readonly<Record<string, string>> = {
  service: "rolloutService",
  level: "fieldLevel",
  message: "fieldMessage",
  timestamp: "fieldTimestamp",
  sampling_rate: "fieldSamplingRate",
};

/** Powertools warns that two dimension sets both have `Environment`, which is what is wanted, on every line. */
const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

export interface TelemetryArgs {
  readonly environment: string;
  readonly redaction: Redaction;
  /** The function's own environment: names and namespace of Powertools, and the trace of the invocation. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Writes one line. @default to standard output, where Lambda takes it from */
  readonly write?: (line: string) => void;
}

export interface DeployedTelemetry {
  readonly telemetry: Telemetry;
  /** Adds fields to every log line until the next `begin`: the request id of an invocation. */
  begin(fields: Readonly<Record<string, string>>): void;
  /** Writes metrics and spans. Call it at the end of each invocation. Never throws. */
  flush(): Promise<void>;
}

/** Telemetry of one deployed function; one a container. */
export function deployedTelemetry(args: TelemetryArgs): DeployedTelemetry {
  const { environment, redaction, variables, now } = args;
  const write = args.write ?? ((line: string) => void process.stdout.write(`${line}\n`));
  /** Powertools writes past nobody: its own warnings leave through the same list of secrets. */
  class OneWayLogger extends Logger {
    protected override printLog(_level: number, item: LogItem): void {
      item.prepareForPrint();
      write(redaction.line(JSON.stringify(item.getAttributes())));
    }
  }
  const logger = new OneWayLogger({
    serviceName: variables.POWERTOOLS_SERVICE_NAME ?? "tidegate-hook",
    persistentKeys: { environment },
  });
  /** EMF has one set of dimension values a line, so each service has lines of its own. */
  const metrics = new Map<string | undefined, { readonly lines: Metrics; values: number }>();
  const above = new AsyncLocalStorage<Span>();
  let spans: Span[] = [];

  /** The one place where a failure of telemetry itself ends. */
  function safely(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      try {
        write(
          JSON.stringify({ level: "ERROR", message: `telemetry: ${what} failed: ${redaction.text(String(error))}` }),
        );
      } catch {
        // Standard output is gone: nobody is left to tell.
      }
    }
  }

  function log(
    level: "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    safely("a log line", () => {
      const plain = redaction.value(fields);
      const entries = Object.entries(plain as Record<string, unknown>);
      const extra = Object.fromEntries(entries.map(([key, value]) => [reservedKeys[key] ?? key, value]));
      logger[level](redaction.text(message), extra as LogAttributes);
    });
  }

  function metricsOf(service: string | undefined) {
    const existing = metrics.get(service);
    if (existing) return existing;
    const namespace = variables.POWERTOOLS_METRICS_NAMESPACE ?? metricNamespace;
    const lines = new Metrics({ namespace, logger: quiet });
    // Powertools' own dimension `service` is the function's name, which nobody asks for.
    lines.clearDefaultDimensions();
    const made = { lines, values: 0 };
    metrics.set(service, made);
    return made;
  }

  /** One service's metrics as one line: for the environment as a whole, and for the service where one is meant. */
  function writeMetrics(service: string | undefined): void {
    const kept = metrics.get(service);
    if (!kept || kept.values === 0) return;
    kept.lines.addDimensions({ Environment: environment });
    if (service !== undefined) kept.lines.addDimensions({ Environment: environment, Service: service });
    const line = JSON.stringify(kept.lines.serializeMetrics());
    kept.lines.clearMetrics();
    kept.lines.clearDimensions();
    kept.values = 0;
    write(redaction.line(line));
  }

  function metric(name: HookMetric, value: number, service?: string): void {
    safely(`metric ${name}`, () => {
      if (!Number.isFinite(value)) throw new RangeError(`got ${value}; expected a finite number`);
      const kept = metricsOf(service);
      kept.lines.addMetric(name, hookMetrics[name], value);
      kept.values += 1;
      // Powertools would write a full line by itself, past our list of secrets.
      if (kept.values === maximumValuesPerLine - 1) writeMetrics(service);
    });
  }

  async function span<Result>(name: string, step: () => Promise<Result>): Promise<Result> {
    // Only sampled invocations are traced; the variable is the invocation's own and changes with each.
    if (!/Sampled=1/.test(variables._X_AMZN_TRACE_ID ?? "")) return step();
    const own: Span = { name, parent: above.getStore(), startedAt: now() };
    spans.push(own);
    try {
      return await above.run(own, step);
    } catch (error) {
      own.error = redaction.error(error);
      throw error;
    } finally {
      own.endedAt = now();
    }
  }

  return {
    telemetry: { log, metric, span },
    begin(fields) {
      safely("a new invocation", () => {
        logger.resetKeys();
        logger.appendKeys(redaction.value(fields) as Record<string, string>);
      });
    },
    async flush() {
      for (const service of metrics.keys()) safely("writing metrics", () => writeMetrics(service));
      metrics.clear();
      const done = spans;
      spans = [];
      if (done.length === 0) return;
      await recordSpans(done, now()).catch((error: unknown) =>
        safely("writing spans", () => {
          throw error;
        }),
      );
    },
  };
}
