/**
 * Series out of JSON: CloudWatch's `get-metric-data` as the AWS CLI prints it, and a Prometheus range (`query_range`). Which of the two it is
 * shows in its keys; anything else is refused by name.
 */
import { z } from "zod";
import type { RawSeries } from "../../core/backtest/recorded.ts";
import { messageOf } from "../../core/error-message.ts";
import { instantOf, numberOf, type Zone } from "./times.ts";

const expected = "expected what aws cloudwatch get-metric-data prints, or what Prometheus answers to query_range";

const cloudWatchShape = z.object({
  MetricDataResults: z.array(
    z.object({
      Id: z.string(),
      Label: z.string().optional(),
      StatusCode: z.string().optional(),
      Timestamps: z.array(z.union([z.string(), z.number()])),
      Values: z.array(z.union([z.number(), z.string(), z.null()])),
    }),
  ),
  NextToken: z.string().nullish(),
});

const matrixShape = z.object({
  resultType: z.string(),
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      values: z.array(z.tuple([z.number(), z.string()])).optional(),
    }),
  ),
});

export function jsonSeries(file: string, text: string, zone: Zone, problems: string[]): RawSeries[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    problems.push(`${file}: malformed JSON (${messageOf(error)}); ${expected}`);
    return [];
  }
  const has = (key: string): boolean => typeof value === "object" && value !== null && key in value;
  if (has("MetricDataResults")) return cloudWatchSeries(file, value, zone, problems);
  if (has("status") || has("resultType")) return prometheusSeries(file, value, problems);
  problems.push(`${file}: neither of the two known forms, got ${keysText(value)}; ${expected}`);
  return [];
}

function keysText(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return Array.isArray(value) ? "a list" : typeof value;
  return `the keys ${Object.keys(value).slice(0, 5).join(", ") || "(none)"}`;
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.map(String).join(".")}: ${issue.message}` : "not valid";
}

function cloudWatchSeries(file: string, value: unknown, zone: Zone, problems: string[]): RawSeries[] {
  const parsed = cloudWatchShape.safeParse(value);
  if (!parsed.success) {
    problems.push(`${file}: no metric data, ${firstIssue(parsed.error)}; ${expected}`);
    return [];
  }
  if (parsed.data.NextToken) {
    problems.push(`${file}: one page of several (NextToken); expected all of it. Let the AWS CLI page by itself`);
    return [];
  }
  // The CLI prints a metric once a page.
  const byName = new Map<string, { times: number[]; values: number[]; unreadable: number; first: string }>();
  for (const { Id, Label, StatusCode, Timestamps, Values } of parsed.data.MetricDataResults) {
    const place = `${file}: ${Id}`;
    if (StatusCode !== undefined && StatusCode !== "Complete" && StatusCode !== "PartialData") {
      problems.push(`${place}: CloudWatch could not answer, got ${StatusCode}; expected Complete. Ask again`);
    }
    if (Timestamps.length !== Values.length) {
      problems.push(`${place}: ${Timestamps.length} times and ${Values.length} values; expected as many of both`);
      continue;
    }
    const name = Label === undefined || Label === "" ? Id : Label;
    const known = byName.get(name) ?? { times: [], values: [], unreadable: 0, first: "" };
    byName.set(name, known);
    let wrong: string | undefined;
    Timestamps.forEach((written, index) => {
      const at = instantOf(String(written), zone);
      if (typeof at !== "number") wrong ??= String(written).slice(0, 40);
      const raw = Values[index] ?? null;
      const read = raw === null ? Number.NaN : typeof raw === "number" ? raw : numberOf(raw);
      if (read === undefined) {
        if (known.unreadable === 0)
          known.first = `at ${String(written).slice(0, 40)}: ${JSON.stringify(String(raw).slice(0, 40))}`;
        known.unreadable += 1;
      }
      known.times.push(typeof at === "number" ? at : 0);
      known.values.push(read ?? Number.NaN);
    });
    if (wrong !== undefined) {
      problems.push(
        `${place}: a time that cannot be read, got "${wrong}"; expected ISO 8601 with its zone. Or state --zone`,
      );
    }
  }
  if (parsed.data.MetricDataResults.length === 0) problems.push(`${file}: no series in it; ${expected}`);
  return [...byName].map(([name, { times, values, unreadable, first }]) => ({
    file,
    name,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    stamped: "start",
    ...(unreadable > 0 ? { unreadable: { count: unreadable, first } } : {}),
  }));
}

function prometheusSeries(file: string, value: unknown, problems: string[]): RawSeries[] {
  const whole = z
    .object({ status: z.string(), data: z.unknown().optional(), error: z.string().optional() })
    .safeParse(value);
  if (whole.success && whole.data.status !== "success") {
    problems.push(
      `${file}: Prometheus could not answer, got ${whole.data.status}: ${(whole.data.error ?? "").slice(0, 200)}; ${expected}`,
    );
    return [];
  }
  const parsed = matrixShape.safeParse(whole.success ? whole.data.data : value);
  if (!parsed.success) {
    problems.push(`${file}: no range, ${firstIssue(parsed.error)}; ${expected}`);
    return [];
  }
  const { resultType, result } = parsed.data;
  if (resultType !== "matrix") {
    problems.push(`${file}: not a range, got ${resultType}; expected matrix. Ask query_range, not query`);
    return [];
  }
  if (result.length === 0) problems.push(`${file}: no series in it; ${expected}`);
  return result.flatMap(({ metric, values }): RawSeries[] => {
    const name = labelsText(metric);
    if (values === undefined) {
      problems.push(
        `${file}: ${name}: histograms, not numbers; expected values. Ask for histogram_quantile, or for rates`,
      );
      return [];
    }
    const read = values.map(([, written]) => numberOf(written));
    const wrong = read.indexOf(undefined);
    return [
      {
        file,
        name,
        times: Float64Array.from(values, ([at]) => Math.round(at * 1_000)),
        values: Float64Array.from(read, (one) => one ?? Number.NaN),
        stamped: "end",
        ...(wrong === -1
          ? {}
          : {
              unreadable: {
                count: read.filter((one) => one === undefined).length,
                first: `point ${wrong + 1}: ${JSON.stringify((values[wrong]?.[1] ?? "").slice(0, 40))}`,
              },
            }),
      },
    ];
  });
}

/** `http_requests_total{job="shop"}`, as Prometheus writes it; labels in order of their names. */
function labelsText({ __name__: name = "", ...labels }: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name || "{}" : `${name}{${pairs.join(",")}}`;
}
