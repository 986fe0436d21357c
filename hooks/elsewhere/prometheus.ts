/**
 * Rules that Prometheus watches, asked for by the hook itself: PromQL through Grafana's data source proxy, with a service account's token
 * (D2). A rule's query has a result exactly while it is bad, so its state is whether there is one.
 *
 * Source: Grafana HTTP API, "Data source API", proxy calls by uid; Prometheus HTTP API, instant and range queries, read 2026-11. Grafana lets
 * POST through to both, so queries are no longer than a URL may be, and none stands in an access log.
 */
import pLimit from "p-limit";
import * as z from "zod/mini";
import type { SoakWindow } from "../../core/gate/evidence.ts";
import { bucketsExpression, countExpression, quoted } from "../../core/promql.ts";
import type { Instant, WatchedAlarm } from "../../core/record.ts";
import { type Secret, type SecretKind, withSecret } from "../aws/secrets.ts";
import type { AlarmState, WatchElsewhere } from "../ports.ts";
import { reasonOf } from "../request-errors.ts";
import { histogramWindows } from "../soak/histogram.ts";

/** A token of a Grafana service account; older ones have no prefix. Source: Grafana docs, service accounts, read 2026-11. */
export const grafanaToken: SecretKind = {
  name: "Grafana service account token",
  isValid: (text) => /^[\w.=-]{20,200}$/.test(text),
  expected: "the token (glsa_…) as the whole secret string",
};

/** Prometheus did not answer, or not what was asked for. */
export class PrometheusError extends Error {
  override readonly name = "PrometheusError";
  /** HTTP status of the answer; `undefined`: none came. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface PrometheusArgs {
  /** Grafana's own URL. */
  readonly url: string;
  readonly dataSourceUid: string;
  readonly token: Secret;
  readonly now: () => Instant;
  /** For one answer. Unit: milliseconds. @default 2000 */
  readonly timeoutMilliseconds?: number;
}

/** A region of queries must not keep a lowering waiting. Unit: milliseconds. */
const defaultTimeoutMilliseconds = 2_000;
/** Queries under way at once; Prometheus runs 20 by default for everybody. */
const sideBySide = 6;
/** Rules asked for in one query. */
const together = 8;
/** Longest answer. Unit: bytes. A rule answers with one line of some 200. */
const longestAnswer = 1_048_576;
/** Times of queries are whole steps of the counters' reading, which is exact there. Unit: milliseconds. */
const roundToMilliseconds = 10_000;
/** How far back the beginning of a standing alarm is looked for, and how finely. Unit: milliseconds, seconds. */
const reachMilliseconds = 15 * 60_000;
const reachStepSeconds = 60;
/** Windows of one query: a day of five minutes. Its buckets are some 200 kB, where an answer may have a megabyte. */
const windowsPerQuery = 288;
/** Most of an error's text that is repeated. Unit: characters. */
const longestReason = 300;

const labels = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const answerSchema = z.discriminatedUnion("status", [
  z.looseObject({
    status: z.literal("success"),
    /** Part of the data was not there: Thanos and Mimir answer all the same. */
    warnings: z.optional(z.array(z.string())),
    data: z.looseObject({
      result: z.array(z.looseObject({ metric: labels, value: z.optional(point), values: z.optional(z.array(point)) })),
    }),
  }),
  z.looseObject({ status: z.literal("error"), error: z.optional(z.string()) }),
]);

interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string] | undefined;
  readonly values?: readonly (readonly [number, string])[] | undefined;
}

/** The label that says which of several rules a line belongs to. */
const alarmLabel = "tidegate_alarm";

/** Prometheus as the hook sees it. */
export function prometheusElsewhere(args: PrometheusArgs): WatchElsewhere {
  const { now, token, timeoutMilliseconds = defaultTimeoutMilliseconds } = args;
  const limit = pLimit(sideBySide);
  const base = `${args.url.replace(/\/+$/, "")}/api/datasources/proxy/uid/${encodeURIComponent(args.dataSourceUid)}/api/v1`;

  const ask = (
    path: "query" | "query_range",
    parameters: Readonly<Record<string, string>>,
    patienceMilliseconds = timeoutMilliseconds,
  ): Promise<readonly Found[]> =>
    limit(() =>
      withSecret(
        token,
        (bearer) => post(`${base}/${path}`, bearer, parameters, patienceMilliseconds),
        (error) => error instanceof PrometheusError && (error.status === 401 || error.status === 403),
      ),
    );

  async function query(expression: string, at: Instant, patienceMilliseconds?: number): Promise<readonly Found[]> {
    return ask("query", { query: expression, time: String(at / 1_000) }, patienceMilliseconds);
  }

  /** Names of those that are bad at `at`. */
  async function bad(alarms: readonly Asked[], at: Instant): Promise<ReadonlySet<string>> {
    const groups = Array.from({ length: Math.ceil(alarms.length / together) }, (_, index) =>
      alarms.slice(index * together, (index + 1) * together),
    );
    const found = await Promise.all(groups.map((group) => query(combined(group), at)));
    return new Set(found.flat().flatMap(({ metric }) => metric[alarmLabel] ?? []));
  }

  /** Since when each of these, which are bad now, has been bad without a break; at most as far as is looked. */
  async function since(alarms: readonly Asked[], at: Instant): Promise<ReadonlyMap<string, Instant>> {
    const from = at - reachMilliseconds;
    const entries = await Promise.all(
      alarms.map(async (alarm): Promise<readonly [string, Instant]> => {
        const found = await ask("query_range", {
          query: alarm.query,
          start: String(from / 1_000),
          end: String(at / 1_000),
          step: String(reachStepSeconds),
        });
        const times = new Set(found.flatMap(({ values = [] }) => values.map(([second]) => Math.round(second * 1_000))));
        let began = at;
        while (times.has(began - reachStepSeconds * 1_000)) began -= reachStepSeconds * 1_000;
        return [alarm.alarmName, began];
      }),
    );
    return new Map(entries);
  }

  return {
    async describe(alarms) {
      if (alarms.length === 0) return [];
      const asked = alarms.map(askedOf);
      const at = rounded(now());
      const speaking = await bad(asked, at);
      const began = await since(
        asked.filter(({ alarmName }) => speaking.has(alarmName)),
        at,
      );
      return asked.map(
        ({ alarmName }): AlarmState => ({
          alarmName,
          state: speaking.has(alarmName) ? "ALARM" : "OK",
          // Nobody remembers since when a rule has been quiet.
          updatedAt: began.get(alarmName) ?? at,
          actionsEnabled: true,
        }),
      );
    },

    async reported({ environment, service, releaseKey, from, to, patienceMilliseconds }) {
      const seconds = Math.max(1, Math.round((to - from) / 1_000));
      const place = { environment, service, ...(releaseKey === undefined ? {} : { releaseKey }) };
      const [requests, errors] = await Promise.all(
        (["requests", "errors"] as const).map(async (signal) => {
          const expression = countExpression(signal, place, seconds);
          const [first] = await query(`sum(${expression})`, to, patienceMilliseconds);
          return first === undefined ? undefined : numberOf(first.value?.[1], signal);
        }),
      );
      return { requests, errors };
    },

    async windows({ environment, service, releaseKey, from, to, windowSeconds, patienceMilliseconds }) {
      const place = { environment, service, releaseKey };
      const stepMs = windowSeconds * 1_000;
      const found: SoakWindow[] = [];
      for (let start = from; start < to; start += windowsPerQuery * stepMs) {
        const range = { from: start, to: Math.min(to, start + windowsPerQuery * stepMs), stepMs };
        // A window's growth is asked for at its end.
        const read = (expression: string) =>
          ask(
            "query_range",
            {
              query: expression,
              start: String((range.from + stepMs) / 1_000),
              end: String(range.to / 1_000),
              step: String(windowSeconds),
            },
            patienceMilliseconds,
          );
        const [requests, errors, buckets] = await Promise.all([
          read(`sum(${countExpression("requests", place, windowSeconds)})`),
          read(`sum(${countExpression("errors", place, windowSeconds)})`),
          read(bucketsExpression(place, windowSeconds)),
        ]);
        found.push(...histogramWindows({ requests, errors, buckets }, range));
      }
      return found;
    },

    async counted({ environment, service, releaseKey, signals, from, to, patienceMilliseconds }) {
      const seconds = Math.max(1, Math.round((to - from) / 1_000));
      const place = { environment, service, releaseKey };
      const counts = await Promise.all(
        signals.map(async (signal) => {
          const [first] = await query(`sum(${countExpression(signal, place, seconds)})`, to, patienceMilliseconds);
          return first === undefined ? [] : [[signal, numberOf(first.value?.[1], signal)] as const];
        }),
      );
      return Object.fromEntries(counts.flat());
    },
  };
}

interface Asked {
  readonly alarmName: string;
  readonly query: string;
}

function askedOf({ alarmName, query }: WatchedAlarm): Asked {
  if (query !== undefined && query !== "") return { alarmName, query };
  throw new PrometheusError(
    `alarm ${alarmName}: watched in Prometheus without a query; expected PromQL. Run up again with one version of program and hook`,
  );
}

/** One query for several rules, each marked with its name. */
function combined(alarms: readonly Asked[]): string {
  return alarms
    .map(({ alarmName, query }) => `label_replace(${query}, ${quoted(alarmLabel)}, ${quoted(alarmName)}, "", "")`)
    .join(" or ");
}

function rounded(at: Instant): Instant {
  return Math.floor(at / roundToMilliseconds) * roundToMilliseconds;
}

function numberOf(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text === undefined || !Number.isFinite(value)) {
    throw new PrometheusError(`Prometheus: ${what} is no number, got ${text}; expected a finite one`);
  }
  return value;
}

async function post(
  url: string,
  bearer: string,
  parameters: Readonly<Record<string, string>>,
  timeoutMilliseconds: number,
): Promise<readonly Found[]> {
  // Loaded here: the HTTP client costs a tenth of a cold start, and an environment without Prometheus does not need it.
  const { default: ky } = await import("ky");
  const signal = AbortSignal.timeout(timeoutMilliseconds);
  let response: Response;
  let text: string;
  try {
    response = await ky.post(url, {
      body: new URLSearchParams(parameters),
      headers: { authorization: `Bearer ${bearer}`, accept: "application/json" },
      signal,
      timeout: false,
      // A redirect, to a sign-in page above all, is no answer and would carry the token along.
      redirect: "error",
      retry: 0,
      throwHttpErrors: false,
    });
    text = await textOf(response);
  } catch (error) {
    if (error instanceof PrometheusError) throw error;
    if (signal.aborted) throw new PrometheusError(`Prometheus: no answer within ${timeoutMilliseconds} ms`);
    throw new PrometheusError(`Prometheus: could not be reached: ${reasonOf(error)}`);
  }
  return resultOf(response.status, text);
}

function resultOf(status: number, text: string): readonly Found[] {
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.status === "error") {
    throw new PrometheusError(`Prometheus: refused the query: ${cut(parsed.data.error ?? "no reason given")}`, status);
  }
  if (status !== 200) {
    throw new PrometheusError(
      `Prometheus: did not answer, got status ${status}; expected 200${hintOf(status)}`,
      status,
    );
  }
  if (!parsed.success || parsed.data.status !== "success") {
    throw new PrometheusError("Prometheus: an answer of another shape; expected that of its query API");
  }
  const { warnings = [], data } = parsed.data;
  // Part of an answer would be quiet where it must not be.
  if (warnings.length > 0) {
    throw new PrometheusError(`Prometheus: only part of an answer: ${cut(warnings.join("; "))}; expected all of it`);
  }
  return data.result;
}

/** What Grafana means by it. */
function hintOf(status: number): string {
  if (status === 401) return ". The token is not valid: store a new one in its secret";
  if (status === 403) return ". The token's service account may not query the data source";
  return status === 404 ? ". Grafana has no data source with this uid" : "";
}

/** The body, as long as it is not too long. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > longestAnswer) {
      throw new PrometheusError(`Prometheus: too long an answer, got more than ${longestAnswer} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length <= longestReason ? text : `${text.slice(0, longestReason)}…`;
}
