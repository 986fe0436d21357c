import { describe, expect, it } from "vitest";
import { datadogElsewhere, datadogKeys, datadogKeysIn, spokenMilliseconds } from "../../../hooks/elsewhere/datadog.ts";
import { DatadogError, monitorsPerPage } from "../../../hooks/elsewhere/datadog-api.ts";
import { aWatchedAlarm } from "../../contract/a-record.ts";
import { type AMonitor, apiKey, appKey, datadogStandIn } from "./datadog-server.ts";

const now = Date.parse("2026-01-05T03:10:00Z");
const changedAt = "2026-01-05T03:00:00Z";

const alarm = (key: string, service = "checkout") =>
  aWatchedAlarm(`tidegate/dev/${service}/2-4-0-1a2b3c4d/${key}`, { watchedIn: "datadog" });

const monitor = (key: string, overall_state: string, rest: Partial<AMonitor> = {}): AMonitor => ({
  name: alarm(key).alarmName,
  tags: ["tidegate_service:checkout"],
  overall_state,
  overall_state_modified: changedAt,
  ...rest,
});

async function scene() {
  const server = await datadogStandIn();
  const secret = (key = apiKey) => JSON.stringify({ apiKey: key, appKey });
  const stored = { kept: secret(), fresh: secret() };
  const elsewhere = datadogElsewhere({
    site: "datadoghq.eu",
    url: server.url,
    keys: { read: async () => stored.kept, readAgain: async () => stored.fresh },
    now: () => now,
    pauseMilliseconds: () => 1,
  });
  return { server, stored, secret, elsewhere };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DatadogError);
  const { message } = error as DatadogError;
  for (const secret of [apiKey, appKey]) expect(message).not.toContain(secret);
  return message;
}

describe("monitors' states", () => {
  it("are read by the service's tag in one call, each in our words [D3]", async () => {
    const { server, elsewhere } = await scene();
    const said = { a: "OK", b: "Alert", c: "No Data", d: "Skipped", e: "Warn" };
    server.monitors = Object.entries(said).map(([key, state]) => monitor(key, state));
    server.monitors.push(monitor("other/rule", "Alert"));
    const read = await elsewhere.describe(Object.keys(said).map((key) => alarm(key)));
    expect(server.asked).toEqual([
      "GET /api/v1/monitor?monitor_tags=tidegate_service%3Acheckout&group_states=all&page=0&page_size=200",
    ]);
    expect(read.map(({ alarmName, state }) => [alarmName.split("/").at(-1), state])).toEqual([
      ["a", "OK"],
      ["b", "ALARM"],
      ["c", "INSUFFICIENT_DATA"],
      ["d", "INSUFFICIENT_DATA"],
      ["e", "ALARM"],
    ]);
    expect(read[0]).toEqual({
      alarmName: alarm("a").alarmName,
      state: "OK",
      updatedAt: Date.parse(changedAt),
      actionsEnabled: true,
    });
  });

  it("leave out what does not exist, and ask for every service once [D3]", async () => {
    const { server, elsewhere } = await scene();
    server.monitors = [
      monitor("a", "OK"),
      { ...monitor("a", "Alert"), name: alarm("a", "basket").alarmName, tags: ["tidegate_service:basket"] },
    ];
    const read = await elsewhere.describe([alarm("a"), alarm("gone"), alarm("a", "basket")]);
    expect(read.map(({ alarmName, state }) => [alarmName, state])).toEqual([
      [alarm("a").alarmName, "OK"],
      [alarm("a", "basket").alarmName, "ALARM"],
    ]);
    expect(server.asked).toHaveLength(2);
    expect(await elsewhere.describe([])).toEqual([]);
    expect(server.asked).toHaveLength(2);
  });

  it("are read page by page until one is not full [D3]", async () => {
    const { server, elsewhere } = await scene();
    server.monitors = Array.from({ length: monitorsPerPage + 1 }, (_, index) => monitor(`rule-${index}`, "OK"));
    const read = await elsewhere.describe([alarm("rule-0"), alarm(`rule-${monitorsPerPage}`)]);
    expect(read).toHaveLength(2);
    expect(server.asked).toHaveLength(2);
    server.monitors = Array.from({ length: 10 * monitorsPerPage }, (_, index) => monitor(`rule-${index}`, "OK"));
    expect(await refusal(elsewhere.describe([alarm("rule-0")]))).toBe(
      "Datadog: monitors of tidegate_service:checkout: too many, got 2000 and more; expected fewer than 2000. Take the tag from monitors that are not Tidegate's",
    );
  });

  it("still speak for three minutes after they spoke, so that none falls between two looks [B4, D3]", async () => {
    const { server, elsewhere } = await scene();
    const ago = (milliseconds: number) => (now - milliseconds) / 1_000;
    server.monitors = [
      monitor("just-now", "OK", { triggeredAtSeconds: ago(spokenMilliseconds - 1_000) }),
      monitor("silent-since", "No Data", { triggeredAtSeconds: ago(60_000) }),
      monitor("long-ago", "OK", { triggeredAtSeconds: ago(spokenMilliseconds) }),
      monitor("speaking", "Alert", { triggeredAtSeconds: ago(60_000) }),
    ];
    const read = await elsewhere.describe(server.monitors.map(({ name }) => ({ ...alarm("x"), alarmName: name })));
    expect(read.map(({ state, updatedAt }) => [state, now - updatedAt])).toEqual([
      ["ALARM", spokenMilliseconds - 1_000],
      ["ALARM", 60_000],
      ["OK", 600_000],
      ["ALARM", 600_000],
    ]);
  });

  it("take the time of a state as text or seconds, and of one never looked at when it was made [D3]", async () => {
    const { server, elsewhere } = await scene();
    server.monitors = [
      monitor("seconds", "OK", { overall_state_modified: Date.parse(changedAt) / 1_000 }),
      monitor("new", "No Data", { overall_state_modified: null, created: changedAt }),
    ];
    const read = await elsewhere.describe([alarm("seconds"), alarm("new")]);
    expect(read.map(({ updatedAt }) => updatedAt)).toEqual([Date.parse(changedAt), Date.parse(changedAt)]);
  });

  it("are refused where they are not understood, never taken for quiet [D3]", async () => {
    const { server, elsewhere } = await scene();
    const refusedFor = (...monitors: AMonitor[]) => {
      server.monitors = monitors;
      return refusal(elsewhere.describe([alarm("a")]));
    };
    const name = alarm("a").alarmName;
    expect(await refusedFor(monitor("a", "Paused"))).toBe(
      `Datadog: monitor ${name}: not understood, got state Paused; expected OK, Alert, Warn, No Data, Skipped, Ignored, Unknown`,
    );
    expect(await refusedFor(monitor("a", "OK", { overall_state_modified: null }))).toBe(
      `Datadog: monitor ${name}: not understood, got no time of its state; expected overall_state_modified`,
    );
    expect(await refusedFor(monitor("a", "OK"), monitor("a", "Alert"))).toBe(
      `Datadog: monitor ${name}: more than one of this name; expected one, or nobody knows which counts. Delete the copy`,
    );
    expect(await refusal(elsewhere.describe([{ ...alarm("a"), alarmName: "cpu is high" }]))).toBe(
      "Datadog: monitor cpu is high: not one of ours, got another name; expected tidegate/<environment>/<service>/…",
    );
  });
});

describe("Datadog's answers", () => {
  it("that refuse, wait, break off or make no sense are thrown by name, without keys [D3]", async () => {
    const { server, elsewhere } = await scene();
    const refusedFor = async (...instead: typeof server.instead) => {
      server.instead.push(...instead);
      const message = await refusal(elsewhere.describe([alarm("a")]));
      expect(server.instead).toEqual([]);
      return message.replace("Datadog: monitors of tidegate_service:checkout: ", "");
    };
    expect(await refusedFor({ status: 429, headers: { "x-ratelimit-reset": "37" } })).toBe(
      "asked too often, got status 429; expected to be let through again in 37 s. Ask Datadog for a higher rate limit",
    );
    expect(await refusedFor({ status: 400, body: JSON.stringify({ errors: [`bad key ${apiKey}`] }) })).toBe(
      "refused, got status 400: bad key [redacted]; expected 200",
    );
    expect(await refusedFor({ status: 502, body: "<html>" }, { status: 503, body: "<html>" })).toBe(
      "refused, got status 503; expected 200",
    );
    expect(await refusedFor({ status: 200, body: "<html>" })).toBe("not understood, got no JSON; expected the API's");
    expect(await refusedFor({ status: 200, body: '[{"id":1}]' })).toMatch(
      /^not understood, got 0\.name .*; expected the API's form$/,
    );
  });

  it("are tried once more after trouble on their side [D3]", async () => {
    const { server, elsewhere } = await scene();
    server.monitors = [monitor("a", "OK")];
    server.instead.push({ status: 503 });
    expect(await elsewhere.describe([alarm("a")])).toHaveLength(1);
    expect(server.asked).toHaveLength(2);
  });

  it("that refuse the keys make it read them anew, once [D3]", async () => {
    const { server, elsewhere, stored, secret } = await scene();
    const rotated = "f".repeat(32);
    server.keys.apiKey = rotated;
    server.monitors = [monitor("a", "OK")];
    expect(await refusal(elsewhere.describe([alarm("a")]))).toBe(
      "Datadog: monitors of tidegate_service:checkout: refused, got status 403: Forbidden; expected 200. Store keys that are valid on this site, the application key with monitors_read and timeseries_query",
    );
    stored.fresh = secret(rotated);
    expect(await elsewhere.describe([alarm("a")])).toHaveLength(1);
  });

  it("that nobody gives are thrown too [D3]", async () => {
    const elsewhere = datadogElsewhere({
      site: "datadoghq.eu",
      url: "http://127.0.0.1:1",
      keys: { read: async () => JSON.stringify({ apiKey, appKey }), readAgain: async () => "" },
      now: () => now,
      pauseMilliseconds: () => 1,
    });
    expect(await refusal(elsewhere.describe([alarm("a")]))).toMatch(
      /^Datadog: monitors of tidegate_service:checkout: could not be asked: /,
    );
  });
});

describe("what releases reported to Datadog", () => {
  const query = { environment: "dev", service: "checkout", releaseKey: "2-4-0-1a2b3c4d", from: now - 300_000, to: now };
  const tags = "{environment:dev,service:checkout,release:2-4-0-1a2b3c4d}.as_count()";

  it("is asked for in one call, and is nothing where there is no point [B8, D3]", async () => {
    const { server, elsewhere } = await scene();
    server.sums = { [`sum:tidegate.requests${tags}`]: 1_200, [`sum:tidegate.errors${tags}`]: 3 };
    expect(await elsewhere.reported(query)).toEqual({ requests: 1_200, errors: 3 });
    expect(server.asked).toEqual(["POST /api/v2/query/scalar"]);
    server.sums = { [`sum:tidegate.requests${tags}`]: 0 };
    expect(await elsewhere.reported(query)).toEqual({ requests: 0, errors: undefined });
  });

  it("is of all releases together where none is named [C2, D3]", async () => {
    const { server, elsewhere } = await scene();
    const service = "{environment:dev,service:checkout}.as_count()";
    server.sums = { [`sum:tidegate.requests${service}`]: 1_200, [`sum:tidegate.errors${service}`]: 3 };
    const { releaseKey: _release, ...whole } = query;
    expect(await elsewhere.reported({ ...whole, patienceMilliseconds: 20_000 })).toEqual({
      requests: 1_200,
      errors: 3,
    });
  });

  const from = Date.UTC(2026, 0, 5, 9, 0);
  const soak = {
    environment: "dev",
    service: "checkout",
    releaseKey: "r",
    from,
    to: from + 180_000,
    windowSeconds: 60,
  };
  const timeseries = (times: readonly number[], values: readonly (readonly (number | null)[])[]) => ({
    status: 200,
    body: JSON.stringify({
      data: { attributes: { series: values.map((_none, index) => ({ query_index: index })), times, values } },
    }),
  });

  it("is a soak window by window, those without a request left out [C1, D3]", async () => {
    const { server, elsewhere } = await scene();
    const times = [from - 60_000, from, from + 60_000, from + 120_000];
    const values = [
      [9, 100, 0, 50],
      [null, 2, null, null],
      [1, 35, null, null],
      [1, 110, null, 120],
    ];
    server.instead.push(timeseries(times, values));
    expect(await elsewhere.windows(soak)).toEqual([
      { at: from, requests: 100, errors: 2, latencyMilliseconds: { p50: 35, p95: 110 } },
      { at: from + 120_000, requests: 50, errors: 0, latencyMilliseconds: { p95: 120 } },
    ]);
    expect(server.asked).toEqual(["POST /api/v2/query/timeseries"]);
  });

  it.each<[string, ReturnType<typeof timeseries>, string]>([
    [
      "another interval",
      timeseries([from + 30_000], [[1]]),
      `a point at ${from + 30_000}; expected multiples of 60000 ms`,
    ],
    ["values without times", timeseries([from], [[1, 2]]), "2 values at 1 times; expected one each"],
    ["a series too many", timeseries([from], [[1], [1], [1], [1], [1], [1]]), "series 5; expected each of 5 once"],
  ])("is refused where a soak has %s [B8, D3]", async (_what, answer, wrong) => {
    const { server, elsewhere } = await scene();
    server.instead.push(answer);
    expect(await refusal(elsewhere.windows(soak))).toBe(
      `Datadog: points of requests, errors, p50, p95, p99: not understood, got ${wrong}`,
    );
  });

  it("is the growth of any counters, and nothing of those that are absent [C1, D3]", async () => {
    const { server, elsewhere } = await scene();
    server.sums = { [`sum:tidegate.dual_runs${tags}`]: 12 };
    expect(await elsewhere.counted({ ...query, signals: ["dual-runs", "dual-run-failures"] })).toEqual({
      "dual-runs": 12,
    });
  });

  it("is refused where it is no number [D3]", async () => {
    const { server, elsewhere } = await scene();
    const columns = [{ name: "requests", values: ["many"] }];
    server.instead.push({ status: 200, body: JSON.stringify({ data: { attributes: { columns } } }) });
    expect(await refusal(elsewhere.reported(query))).toBe(
      "Datadog: sums of requests, errors: not understood, got 1 values for requests; expected one number",
    );
  });
});

describe("the secret with both keys", () => {
  it("is JSON with both, and refused otherwise [D3]", () => {
    expect(datadogKeysIn(JSON.stringify({ apiKey, appKey }))).toEqual({ apiKey, appKey });
    for (const secret of [
      "",
      apiKey,
      "{}",
      JSON.stringify({ apiKey }),
      JSON.stringify({ apiKey, appKey: "short" }),
      "null",
    ]) {
      expect(datadogKeys.isValid(secret)).toBe(false);
    }
  });
});
