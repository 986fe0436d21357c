/**
 * What is asked of Datadog's API: monitors of a service with their state, sums of metrics between two instants, and metrics interval by
 * interval. Source: Datadog API reference, "Get all monitors", "Query scalar data across multiple products", "Query timeseries data across
 * multiple products", "Rate Limits", read 2026-11.
 *
 * Nothing of a request goes into an error, since headers carry both keys; of an answer only what Datadog says is wrong, without secrets.
 */
import * as z from "zod/mini";
import { redacted } from "../aws/redaction.ts";
import { reasonOf, responseOf } from "../request-errors.ts";
import { text } from "../zod.ts";

/** Datadog did not answer as it should. */
export class DatadogError extends Error {
  override readonly name = "DatadogError";
  /** HTTP status of the answer; `undefined`: none came, or it was not understood. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** The pair of keys that the API wants. */
export interface DatadogKeys {
  readonly apiKey: string;
  readonly appKey: string;
}

/** How long one call may take, its second try included. Unit: milliseconds. The hook looks every minute, at many services. */
export const callLimitMilliseconds = 4_000;
/** How long one try may take. Unit: milliseconds. */
const tryLimitMilliseconds = 2_000;
/** Largest answer that is read. Unit: characters. A monitor is some 3,000. */
const maximumAnswerLength = 8_000_000;
/** Most of what Datadog says is wrong that an error repeats. Unit: characters. */
const maximumReasonLength = 300;

/** Monitors in one answer; the API gives at most 1,000. */
export const monitorsPerPage = 200;
/** Pages of one service; more than this many monitors are not ours. */
const maximumPages = 10;

const instant = z.union([z.number(), z.string()]);
const group = z.looseObject({ status: z.optional(text), last_triggered_ts: z.nullish(z.number()) });
const monitor = z.looseObject({
  id: z.number(),
  name: z.string(),
  overall_state: text,
  created: z.optional(z.nullable(instant)),
  overall_state_modified: z.optional(z.nullable(instant)),
  state: z.optional(z.looseObject({ groups: z.optional(z.record(z.string(), group)) })),
});
/** One monitor, of which only this is looked at. */
export type Monitor = z.output<typeof monitor>;

const scalarAnswer = z.looseObject({
  data: z.looseObject({
    attributes: z.looseObject({
      columns: z.array(z.looseObject({ name: text, values: z.array(z.unknown()) })),
    }),
  }),
});
const failure = z.looseObject({ errors: z.array(z.unknown()) });

const timeseriesAnswer = z.looseObject({
  data: z.looseObject({
    attributes: z.looseObject({
      series: z.array(z.looseObject({ query_index: z.number() })),
      times: z.array(z.number()),
      values: z.array(z.array(z.nullable(z.number()))),
    }),
  }),
});

export interface DatadogApi {
  /** Every monitor with a tag, all pages. */
  monitors(tag: string): Promise<readonly Monitor[]>;
  /** One number for each query by name; `undefined`: no point at all. */
  sums(
    queries: Readonly<Record<string, string>>,
    range: { readonly fromMilliseconds: number; readonly toMilliseconds: number },
  ): Promise<Readonly<Record<string, number | undefined>>>;
  /** Points of each query by name, each at the start of its interval; an interval without one is left out. */
  points(
    queries: Readonly<Record<string, string>>,
    range: {
      readonly fromMilliseconds: number;
      readonly toMilliseconds: number;
      readonly intervalMilliseconds: number;
    },
  ): Promise<Readonly<Record<string, ReadonlyMap<number, number>>>>;
}

export interface DatadogApiArgs {
  /** `https://api.datadoghq.eu`; loopback is for tests. */
  readonly url: string;
  readonly keys: DatadogKeys;
  /** Pause before the second try. @default 200 ms */
  readonly pauseMilliseconds?: () => number;
  /** How long one try may take, and both half as long again. @default what the hook waits: 2 s a try, 4 s in all */
  readonly patienceMilliseconds?: number;
}

interface Asked {
  /** For errors: `monitors of tidegate_service:checkout`. */
  readonly what: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
}

/** The API with one pair of keys. Makes no call by itself. */
export function datadogApi(args: DatadogApiArgs): DatadogApi {
  return {
    async monitors(tag) {
      const found: Monitor[] = [];
      const what = `monitors of ${tag}`;
      for (let page = 0; page < maximumPages; page += 1) {
        const query = { monitor_tags: tag, group_states: "all", page, page_size: monitorsPerPage };
        const answer = understood(what, z.array(monitor), await ask(args, { what, path: "/api/v1/monitor", query }));
        found.push(...answer);
        if (answer.length < monitorsPerPage) return found;
      }
      throw new DatadogError(
        `Datadog: ${what}: too many, got ${found.length} and more; expected fewer than ${maximumPages * monitorsPerPage}. Take the tag from monitors that are not Tidegate's`,
      );
    },

    async sums(queries, { fromMilliseconds, toMilliseconds }) {
      const names = Object.keys(queries);
      const what = `sums of ${names.join(", ")}`;
      const attributes = {
        from: fromMilliseconds,
        to: toMilliseconds,
        queries: names.map((name) => ({ data_source: "metrics", name, query: queries[name], aggregator: "sum" })),
        formulas: names.map((formula) => ({ formula })),
      };
      const json = { data: { type: "scalar_request", attributes } };
      const answer = understood(what, scalarAnswer, await ask(args, { what, path: "/api/v2/query/scalar", json }));
      const { columns } = answer.data.attributes;
      return Object.fromEntries(names.map((name) => [name, numberOf(what, name, columns)]));
    },

    async points(queries, { fromMilliseconds: from, toMilliseconds: to, intervalMilliseconds: interval }) {
      const names = Object.keys(queries);
      const what = `points of ${names.join(", ")}`;
      const attributes = {
        from,
        to,
        interval,
        queries: names.map((name) => ({ data_source: "metrics", name, query: queries[name] })),
        formulas: names.map((formula) => ({ formula })),
      };
      const json = { data: { type: "timeseries_request", attributes } };
      const path = "/api/v2/query/timeseries";
      const answer = understood(what, timeseriesAnswer, await ask(args, { what, path, json }));
      return pointsOf(what, names, answer.data.attributes, { from, to, interval });
    },
  };
}

/** A query without points has a column without a number, or none. */
function numberOf(
  what: string,
  name: string,
  columns: readonly { readonly name: string; readonly values: readonly unknown[] }[],
): number | undefined {
  const column = columns.find((candidate) => candidate.name === name);
  const [value = null, ...more] = column?.values ?? [];
  if (value === null && more.length === 0) return undefined;
  if (typeof value === "number" && Number.isFinite(value) && more.length === 0) return value;
  throw new DatadogError(
    `Datadog: ${what}: not understood, got ${more.length + 1} values for ${name}; expected one number`,
  );
}

/** Datadog chooses another interval where it has none so fine: what is no whole window of ours is refused. */
function pointsOf(
  what: string,
  names: readonly string[],
  { series, times, values }: z.output<typeof timeseriesAnswer>["data"]["attributes"],
  { from, to, interval }: { readonly from: number; readonly to: number; readonly interval: number },
): Readonly<Record<string, ReadonlyMap<number, number>>> {
  const refuse = (found: string, expected: string): never => {
    throw new DatadogError(`Datadog: ${what}: not understood, got ${found}; expected ${expected}`);
  };
  const odd = times.find((at) => at % interval !== 0);
  if (odd !== undefined) return refuse(`a point at ${odd}`, `multiples of ${interval} ms`);
  // One interval to either side may be told beside what was asked for; what is farther off is of another time.
  const far = times.find((at) => at < from - interval || at > to);
  if (far !== undefined) return refuse(`a point at ${far}`, `points from ${from} to ${to}`);
  if (new Set(times).size < times.length) return refuse("a time twice", "each once");
  if (series.length !== values.length)
    return refuse(`${values.length} lists for ${series.length} series`, "one for each");
  const points = new Map(names.map((name) => [name, new Map<number, number>()]));
  for (const [place, { query_index: index }] of series.entries()) {
    const own = points.get(names[index] ?? "");
    const list = values[place] ?? [];
    if (!own || own.size > 0) return refuse(`series ${index}`, `each of ${names.length} once`);
    if (list.length !== times.length) return refuse(`${list.length} values at ${times.length} times`, "one each");
    for (const [position, at] of times.entries()) {
      const value = list[position] ?? null;
      if (value !== null && at >= from && at < to) own.set(at, value);
    }
  }
  return Object.fromEntries(points);
}

/** A text without the keys, whoever repeats them. */
function without({ apiKey, appKey }: DatadogKeys, words: string): string {
  return words.replaceAll(apiKey, redacted).replaceAll(appKey, redacted);
}

async function ask(args: DatadogApiArgs, { what, path, query, json }: Asked): Promise<unknown> {
  // Loaded here: the HTTP client costs a tenth of a cold start, and most hooks ask Datadog nothing.
  const { default: ky } = await import("ky");
  const { patienceMilliseconds: patience } = args;
  const limitMilliseconds = patience === undefined ? callLimitMilliseconds : 1.5 * patience;
  const signal = AbortSignal.timeout(limitMilliseconds);
  const response = await ky(`${args.url}${path}`, {
    method: json === undefined ? "get" : "post",
    ...(json === undefined ? {} : { json }),
    ...(query === undefined ? {} : { searchParams: { ...query } }),
    headers: { "DD-API-KEY": args.keys.apiKey, "DD-APPLICATION-KEY": args.keys.appKey, accept: "application/json" },
    signal,
    // A redirect would carry the keys to somebody else.
    redirect: "error",
    timeout: patience ?? tryLimitMilliseconds,
    // Not 429: whoever is asked to wait and does not waits longer.
    retry: {
      limit: 1,
      methods: ["get", "post"],
      statusCodes: [500, 502, 503, 504],
      retryOnTimeout: true,
      delay: args.pauseMilliseconds ?? (() => 200),
    },
  }).catch((error: unknown) => {
    const refused = responseOf(error);
    if (refused) return refused;
    const why = signal.aborted ? `no answer within ${limitMilliseconds} ms` : reasonOf(error);
    throw new DatadogError(`Datadog: ${what}: could not be asked: ${without(args.keys, why)}`);
  });
  const body = await response.text().catch(() => {
    throw new DatadogError(`Datadog: ${what}: the answer broke off`, response.status);
  });
  if (!response.ok) throw refusal(args, what, response, body);
  if (body.length > maximumAnswerLength) {
    throw new DatadogError(
      `Datadog: ${what}: too long an answer, got ${body.length} characters; expected at most ${maximumAnswerLength}`,
      response.status,
    );
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new DatadogError(`Datadog: ${what}: not understood, got no JSON; expected the API's`, response.status);
  }
}

function refusal(args: DatadogApiArgs, what: string, response: Response, body: string): DatadogError {
  const { status, headers } = response;
  if (status === 429) {
    const resetSeconds = headers.get("x-ratelimit-reset") ?? "an unknown number of";
    return new DatadogError(
      `Datadog: ${what}: asked too often, got status 429; expected to be let through again in ${without(args.keys, resetSeconds)} s. Ask Datadog for a higher rate limit`,
      status,
    );
  }
  const said = without(args.keys, saidIn(body)).slice(0, maximumReasonLength);
  const wayOut =
    status === 401 || status === 403
      ? ". Store keys that are valid on this site, the application key with monitors_read and timeseries_query"
      : "";
  return new DatadogError(
    `Datadog: ${what}: refused, got status ${status}${said === "" ? "" : `: ${said}`}; expected 200${wayOut}`,
    status,
  );
}

/** `{"errors": ["…"]}`; anything else is a page of a proxy, of which nothing is repeated. */
function saidIn(body: string): string {
  try {
    const parsed = failure.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.errors.map((error) => (typeof error === "string" ? error : "")).join("; ") : "";
  } catch {
    return "";
  }
}

function understood<Schema extends z.ZodMiniType>(what: string, schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new DatadogError(
    `Datadog: ${what}: not understood, got ${first?.path.join(".") || "an answer"} ${first?.message ?? ""}; expected the API's form`,
  );
}
