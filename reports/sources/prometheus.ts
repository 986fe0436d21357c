/**
 * Figures out of Prometheus, through Grafana's data source proxy as the hook asks it, for the source `prometheus`. Range queries with `increase`,
 * which sees counters that start anew; a percentile is of all releases together, out of the histogram.
 *
 * Source: Prometheus HTTP API, range queries, read 2026-11. How far back there is anything is the server's retention, 15 days unless it was
 * told otherwise: what is older is not known, and the report says since when it is.
 */
import * as z from "zod/mini";
import { selectorOf } from "../../core/promql.ts";
import type { Instant } from "../../core/record.ts";
import { prometheusName, type ReportedSignal, reportedSignals, type Signal } from "../../core/signals.ts";
import { isCounted } from "../../core/slo-report.ts";
import { type Measure, measureOf } from "../../core/watch-rules.ts";
import { type Asked, daysIn, mustBeReported, neverReported, partsOf, type ReportSource } from "./source.ts";

const dayMs = 86_400_000;
/** For one answer. Unit: milliseconds. A report has time, the function it runs in has not for ever. */
const timeoutMilliseconds = 20_000;
/** Points of one series in one answer. Source: Prometheus, `query_range` refuses more than 11,000. */
const mostPoints = 10_000;

export interface PrometheusSourceArgs {
  /** What query paths are added to: `https://grafana.example.com/api/datasources/proxy/uid/<uid>`, or a Prometheus itself. */
  readonly url: string;
  /** Bearer token. @default none: a Prometheus that asks for nothing */
  readonly token?: () => Promise<string>;
  /** Takes secrets out of what the server said. */
  readonly redact: (text: string) => string;
}

/** Prometheus did not answer, or not what was asked. */
export class PrometheusSourceError extends Error {
  override readonly name = "PrometheusSourceError";
}

const answerSchema = z.looseObject({
  status: z.literal("success"),
  warnings: z.optional(z.array(z.string())),
  data: z.looseObject({
    resultType: z.literal("matrix"),
    result: z.array(z.looseObject({ values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
});

interface Point {
  readonly at: Instant;
  readonly value: number;
}

export function prometheusSource(args: PrometheusSourceArgs): ReportSource {
  const range = (query: string, first: Instant, last: Instant, stepMs: number) => ask(args, query, first, last, stepMs);
  return {
    async counts({ record, ...asked }) {
      const { environment, service } = record;
      const read = await Promise.all(
        partsOf(asked).map(async (part) => {
          const stepMs = part.seconds * 1_000;
          // `increase` looks back, so an interval is asked for at its end.
          const first = Math.ceil(part.from / stepMs) * stepMs + stepMs;
          const increase = (signal: ReportedSignal) =>
            range(
              `sum(increase(${prometheusName(signal)}${selectorOf({ environment, service })}[${part.seconds}s]))`,
              first,
              part.to,
              stepMs,
            );
          const [requests, errors] = await Promise.all([increase("requests"), increase("errors")]);
          const byTime = (points: readonly Point[]) => new Map(points.map(({ at, value }) => [at, value]));
          const [answered, failed] = [byTime(requests), byTime(errors)];
          // Errors of an hour that no request was counted in are errors all the same.
          const ends = [...new Set([...requests, ...errors].map(({ at }) => at))].sort((left, right) => left - right);
          return ends.map((at) => ({
            at: at - stepMs,
            seconds: part.seconds,
            requests: answered.get(at) ?? 0,
            errors: failed.get(at) ?? 0,
          }));
        }),
      );
      return read.flat();
    },

    async days(asked) {
      const wanted = asked.promises.objectives.filter(({ indicator }) => !isCounted(indicator));
      const days = daysIn(asked);
      const [firstDay, lastDay] = [days[0], days.at(-1)];
      if (firstDay === undefined || lastDay === undefined) return { values: {}, gaps: [] };
      const byDay = (expression: string) => range(expression, firstDay + dayMs, lastDay + dayMs, dayMs);
      const measures = wanted.map(({ indicator }) => measureOf(indicator, "prometheus"));
      const signals = [...new Set(measures.flatMap(mustBeReported))];
      const reported = new Map(
        await Promise.all(
          signals.map(async (signal) => {
            const expression = presence(signal, asked);
            return [signal, expression !== undefined && (await byDay(expression)).length > 0] as const;
          }),
        ),
      );
      const gaps: string[] = [];
      const read = await Promise.all(
        wanted.map(async ({ name }, index) => {
          const measure = measures[index];
          const never = measure ? mustBeReported(measure).filter((signal) => !reported.get(signal)) : [];
          if (never.length > 0) gaps.push(neverReported(name, never));
          const expression = measure && never.length === 0 ? dayExpression(measure, asked) : undefined;
          const points = expression === undefined ? [] : await byDay(expression);
          return [name, points.map(({ at, value }) => ({ at: at - dayMs, value }))] as const;
        }),
      );
      return { values: Object.fromEntries(read), gaps };
    },
  };
}

/** Whether anybody reported a signal on a day; `undefined`: the load balancer alone knows it. */
function presence(signal: Signal, { record: { environment, service } }: Asked): string | undefined {
  if (!(signal in reportedSignals)) return undefined;
  const { kind } = reportedSignals[signal as ReportedSignal];
  const series = `${prometheusName(signal as ReportedSignal)}${kind === "distribution" ? "_count" : ""}`;
  return `sum(count_over_time(${series}${selectorOf({ environment, service })}[1d]))`;
}

/** A measure over the day before the query's time; `undefined`: the load balancer alone knows it. */
function dayExpression(measure: Measure, { record }: Asked): string | undefined {
  const selector = selectorOf({ environment: record.environment, service: record.service });
  const name = (signal: Signal) => (signal in reportedSignals ? prometheusName(signal as ReportedSignal) : undefined);
  const sum = (signals: readonly Signal[]): string | undefined => {
    const names = signals.map(name);
    if (names.some((each) => each === undefined)) return undefined;
    return `(${names.map((each) => `(sum(increase(${each}${selector}[1d])) or vector(0))`).join(" + ")})`;
  };
  const over = (part: readonly Signal[], whole: readonly Signal[], factor: string) => {
    const [above, below] = [sum(part), sum(whole)];
    return above && below ? `${factor}${above} / (${below} > 0)` : undefined;
  };
  switch (measure.kind) {
    case "ratio":
      return over(measure.part, measure.whole, "100 * ");
    case "quotient":
      return over([measure.part], [measure.whole], "");
    case "percentile":
      return `histogram_quantile(${measure.percentile / 100}, sum by (le) (increase(${prometheusName(measure.signal)}_bucket${selector}[1d])))`;
    case "sum": {
      const total = sum(measure.signals);
      const requests = `(sum(increase(${prometheusName("requests")}${selector}[1d])) > 0)`;
      // A day without requests has no value, rather than a good one.
      return (
        total &&
        `(${total}${measure.perSeconds === undefined ? "" : ` * ${measure.perSeconds} / 86400`}) and ${requests}`
      );
    }
    case "gauge": {
      const gauge = name(measure.signal);
      if (gauge === undefined) return undefined;
      const every = { mean: "avg", maximum: "max", minimum: "min" }[measure.statistic];
      return `max(${every}_over_time(${gauge}${selector}[1d]))`;
    }
  }
}

async function ask(
  { url, token, redact }: PrometheusSourceArgs,
  query: string,
  first: Instant,
  last: Instant,
  stepMs: number,
): Promise<readonly Point[]> {
  if (first > last) return [];
  if ((last - first) / stepMs > mostPoints) {
    throw new RangeError(`Prometheus: ${(last - first) / stepMs} points in one answer; expected at most ${mostPoints}`);
  }
  const { default: ky } = await import("ky");
  const bearer = token && (await token());
  const body = new URLSearchParams({
    query,
    start: String(first / 1_000),
    end: String(last / 1_000),
    step: String(stepMs / 1_000),
  });
  const refuse = (reason: string) =>
    new PrometheusSourceError(
      `Prometheus: a query was not answered: ${redact(reason).replace(/\s+/g, " ").slice(0, 300)}`,
    );
  let text: string;
  try {
    const response = await ky.post(`${url.replace(/\/+$/, "")}/api/v1/query_range`, {
      body,
      redirect: "error",
      timeout: timeoutMilliseconds,
      throwHttpErrors: false,
      retry: { limit: 2, methods: ["post"], retryOnTimeout: false },
      ...(bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } }),
    });
    text = await response.text();
    if (!response.ok) throw refuse(`status ${response.status}: ${text}`);
  } catch (error) {
    if (error instanceof PrometheusSourceError) throw error;
    // The error names the whole request; its own name is enough.
    throw refuse(error instanceof Error ? error.name : "no reason given");
  }
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw refuse(`no range of points: ${text}`);
  if (parsed.data.warnings?.length) throw refuse(`part of the data is missing: ${parsed.data.warnings.join("; ")}`);
  // `NaN` is what a percentile of nothing is; a day without requests has no value.
  return (parsed.data.data.result[0]?.values ?? []).flatMap(([at, value]) =>
    value === "NaN" ? [] : [{ at: at * 1_000, value: Number(value) }],
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
