/** What an error budget is reckoned from: every release that there was, each once, from where the source has its counts (C2). */
import { describe, expect, it } from "vitest";
import { formerAfter } from "../../core/former-releases.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { countedQueries, readErrorBudget } from "../../hooks/error-budget.ts";
import type { Metrics, WatchElsewhere } from "../../hooks/ports.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { v1, v2, World } from "../helpers/world.ts";

const now = Date.UTC(2026, 10, 30, 12, 7);
const hour = 3_600_000;
const day = 24 * hour;
const clock = { now: () => now, sleep: async () => {} };
const budget = {
  objective: "availability",
  indicator: "availability",
  budgetPercent: 0.05,
  minimumRequests: 100,
  minimumErrors: 10,
} as const;

function aRecord(change: Partial<RolloutRecord> = {}): RolloutRecord {
  const { control: _control, ...full } = aFullRecord();
  const [release] = Object.values(full.releases);
  if (!release) throw new Error("a record without releases");
  return { ...full, releases: { [release.digest]: release }, ...change };
}
const none = {} as Metrics;
const gone = { releaseKey: "1-0-0-aaaaaaaa", targetGroupArnSuffix: "targetgroup/gone/1", until: now - 9 * day };

describe("reading an error budget", () => {
  it("asks for the requests and all kinds of errors of releases that left, too [C2]", () => {
    const record = aRecord({ source: "alb", former: [gone, gone] });
    const queries = countedQueries(record).filter(({ dimensions }) => dimensions.TargetGroup === "targetgroup/gone/1");
    expect(queries.map(({ metricName }) => metricName)).toEqual([
      "RequestCount",
      "HTTPCode_Target_5XX_Count",
      "TargetConnectionErrorCount",
      "LambdaUserError",
      "LambdaInternalError",
    ]);
    expect(queries.every(({ dimensions }) => dimensions.LoadBalancer === record.loadBalancerArnSuffix)).toBe(true);
    const reported = countedQueries({ ...record, source: "emf" });
    expect(reported.slice(-2).map(({ id, metricName }) => [id, metricName])).toEqual([
      ["requests/1-0-0-aaaaaaaa", "Requests"],
      ["errors/1-0-0-aaaaaaaa", "Errors"],
    ]);
    expect(new Set(reported.map(({ id }) => id)).size).toBe(reported.length);
  });

  it("reads whole hours and then five minutes, so that no point is in both [C2]", async () => {
    const ranges: unknown[] = [];
    const metrics: Metrics = {
      async requestSums(queries, range) {
        ranges.push({ ...range, count: queries.length });
        const at = range.periodSeconds === 3_600 ? range.to - hour : range.to - 7 * 60_000;
        return Object.fromEntries(queries.map(({ id }) => [id, [{ at, sum: id.startsWith("requests/") ? 1_000 : 1 }]]));
      },
    } as Partial<Metrics> as Metrics;
    const state = await readErrorBudget({ metrics, clock }, aRecord({ source: "emf" }), budget, 28);
    const border = Date.UTC(2026, 10, 30, 11);
    expect(ranges).toEqual([
      { from: now - 28 * day, to: border, periodSeconds: 3_600, count: 2 },
      { from: border, to: now, periodSeconds: 300, count: 2 },
    ]);
    expect([state.requests, state.errors, state.burns]).toEqual([2_000, 2, { now: 2, hour: 2, day: 2 }]);
  });

  it("leaves out releases that left before the period [C2]", async () => {
    const asked: string[][] = [];
    const metrics = {
      async requestSums(queries: readonly { readonly id: string }[]) {
        asked.push(queries.map(({ id }) => id).filter((id) => id.startsWith("requests/")));
        return {};
      },
    } as unknown as Metrics;
    const old = { ...gone, releaseKey: "0-9-0-bbbbbbbb", until: now - 29 * day };
    const record = aRecord({ source: "emf", releases: {}, former: [old, gone] });
    await readErrorBudget({ metrics, clock }, record, budget, 28);
    expect(asked).toEqual([["requests/1-0-0-aaaaaaaa"], ["requests/1-0-0-aaaaaaaa"]]);
  });

  it("asks Prometheus by the day for all releases together, four at once, with patience [C2]", async () => {
    const asked: Parameters<WatchElsewhere["reported"]>[0][] = [];
    let [underWay, most] = [0, 0];
    const prometheus = {
      async reported(query: Parameters<WatchElsewhere["reported"]>[0]) {
        asked.push(query);
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.resolve();
        underWay -= 1;
        return { requests: 100, errors: undefined };
      },
    } as unknown as WatchElsewhere;
    const record = aRecord({ source: "prometheus", former: [gone] });
    const state = await readErrorBudget({ metrics: none, clock, elsewhere: { prometheus } }, record, budget, 28);
    expect(asked.map(({ from, to }) => [(now - from) / hour, (now - to) / hour])).toEqual([
      ...Array.from({ length: 27 }, (_, index) => [(28 - index) * 24, (27 - index) * 24]),
      [24, 6],
      [6, 1],
      [1, 0],
    ]);
    const { environment, service } = record;
    const { from, to } = asked[0] ?? { from: 0, to: 0 };
    expect(asked[0]).toEqual({ environment, service, from, to, patienceMilliseconds: 20_000 });
    expect(most).toBe(4);
    expect([state.requests, state.projected, state.burns]).toEqual([3_000, false, { hour: 0, day: 0 }]);
  });

  it.each([
    [3 * hour, 6 * hour, 200],
    [3 * day, 3 * day, 500],
    // What Prometheus keeps by default.
    [15 * day, 15 * day, 1_700],
  ])("knows by a first request %d ms ago since when there is one [C2]", async (age, known, requests) => {
    const young = {
      async reported({ to }: { to: number }) {
        return to > now - age ? { requests: 100, errors: 1 } : { requests: undefined, errors: undefined };
      },
    } as unknown as WatchElsewhere;
    const ports = { metrics: none, clock, elsewhere: { datadog: young } };
    const state = await readErrorBudget(ports, aRecord({ source: "datadog" }), budget, 28);
    expect([state.projected, state.knownSince, state.requests]).toEqual([true, now - known, requests]);
    expect(state.allowedErrors).toBeCloseTo((requests * 0.0005 * 28 * day) / known, 6);
  });

  it("fails by name where it may not ask, and with the first that is not answered [C2]", async () => {
    const record = aRecord({ source: "prometheus" });
    await expect(readErrorBudget({ metrics: none, clock, elsewhere: {} }, record, budget, 28)).rejects.toThrow(
      `error budget of ${record.service}: source prometheus cannot be asked from here; expected its access in the config (alerting.grafana)`,
    );
    let asked = 0;
    const prometheus = {
      async reported() {
        asked += 1;
        throw new Error("no answer");
      },
    } as unknown as WatchElsewhere;
    await expect(
      readErrorBudget({ metrics: none, clock, elsewhere: { prometheus } }, record, budget, 28),
    ).rejects.toThrow("no answer");
    expect(asked).toBeLessThan(12);
  });
});

describe("releases that left", () => {
  it("are remembered from the commit that lets them go, and none that stays is [C2, D6]", async () => {
    const world = await new World().rolledOutTo(100);
    expect(world.record.former).toBeUndefined();
    await world.wait(7 * 24 * 60);
    await world.must(world.up({ baseline: v2 }));
    // Still armed: the old release is declared as long as the rollback window is open.
    expect(world.record.former).toBeUndefined();
    await world.wait(2 * 24 * 60);
    await world.must(world.up({ baseline: v2 }));
    await world.wait(5);
    await world.must(world.up({ baseline: v2 }));
    expect(Object.keys(world.record.releases)).toEqual([v2.digest]);
    expect(world.record.former?.map(({ releaseKey }) => releaseKey)).toEqual([expect.stringMatching(/^1-0-0-/)]);
    expect(v1.version).toBe("1.0.0");
  });

  it("are forgotten after 100 days, and the oldest of more than 100 [C2]", () => {
    const before = aRecord({ former: [{ ...gone, until: now - 101 * day }, gone] });
    expect(formerAfter(before, before, now)).toEqual([gone]);
    const many = Array.from({ length: 120 }, (_, index) => ({ ...gone, until: now - 1_000 + index }));
    expect(formerAfter(aRecord({ former: many }), before, now)).toEqual(many.slice(-100));
    expect(formerAfter(aRecord(), aRecord(), now)).toBeUndefined();
  });

  it("a control that is taken away left as well [C2]", () => {
    const control = {
      targetGroupArn: "arn",
      targetGroupArnSuffix: "targetgroup/control/1",
      releaseKey: "1-control",
      digest: "sha256:x",
      adopted: false,
      sharePercent: 0,
    };
    expect(formerAfter(aRecord({ control }), aRecord(), now)).toEqual([
      { releaseKey: "1-control", targetGroupArnSuffix: "targetgroup/control/1", until: now },
    ]);
  });
});
