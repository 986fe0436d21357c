/** A soak window by window, from CloudWatch and from elsewhere (C1, B8). */
import { describe, expect, it } from "vitest";
import { hostTargets } from "../../../core/measures.ts";
import { completeWave } from "../../../core/plans.ts";
import type { RolloutRecord } from "../../../core/record.ts";
import type { Ports, StatisticQuery, WatchElsewhere } from "../../../hooks/ports.ts";
import { mostWindows, readSoak, soakArrivesAt, soakRange } from "../../../hooks/soak-windows.ts";
import { aFullRecord } from "../../contract/a-record.ts";

const minute = 60_000;
const openedAt = Date.UTC(2026, 0, 5, 10, 0, 20);
const stable = "sha256:aaaa";
const next = "sha256:bbbb";

function aRecord(overrides: Partial<RolloutRecord> = {}, soakMinutes: number | null = 10, percent = 25): RolloutRecord {
  const { control: _control, ...record } = aFullRecord();
  const release = (digest: string, version: string, group: string) => ({
    digest,
    version,
    image: `shop@${digest}`,
    targetGroupArn: `arn:${group}`,
    targetGroupArnSuffix: `targetgroup/${group}/1`,
    adopted: false,
    knownGood: false,
  });
  return {
    ...record,
    plan: {
      name: "two",
      watchAfterMinutes: 0,
      waves: [
        completeWave({ exposurePercent: 25, minimumSoakMinutes: soakMinutes }),
        completeWave({ exposurePercent: 100, minimumSoakMinutes: soakMinutes }),
      ],
    },
    releases: { [stable]: release(stable, "2.3.1", "old"), [next]: release(next, "2.4.0", "new") },
    baseline: stable,
    canary: { digest: next, attempt: 1, exposurePercent: percent, waveOpenedAt: openedAt, servedPercents: [] },
    ...overrides,
  };
}

/** Values by minute; a minute without one is left out. */
type Answer = (query: StatisticQuery) => Readonly<Record<number, number | undefined>>;

/** CloudWatch that has points by the minute after ten o'clock. */
function portsOf(now: number, answer: Answer, elsewhere: Ports["elsewhere"] = {}) {
  const asked: { queries: readonly StatisticQuery[]; range: Parameters<Ports["metrics"]["statistics"]>[1] }[] = [];
  const base = Date.UTC(2026, 0, 5, 10);
  const metrics: Ports["metrics"] = {
    requestSums: async () => ({}),
    statistics: async (queries, range) => {
      asked.push({ queries, range });
      return Object.fromEntries(
        queries.map((query) => [
          query.id,
          Object.entries(answer(query)).flatMap(([minutes, value]) =>
            value === undefined ? [] : [{ at: base + Number(minutes) * minute, value }],
          ),
        ]),
      );
    },
  };
  return { asked, ports: { metrics, elsewhere, clock: { now: () => now, sleep: async () => {} } } };
}
const at = (minutes: number) => Date.UTC(2026, 0, 5, 10) + minutes * minute;

describe("the soak that the gate reads", () => {
  it("is errors and latencies of canary and baseline in whole minutes after the opening [C1]", async () => {
    const { asked, ports } = portsOf(at(20), ({ metricName, statistic, dimensions }) => {
      const isNew = dimensions.TargetGroup === "targetgroup/new/1";
      switch (metricName) {
        case "RequestCount":
          return isNew ? { 2: 100, 3: 0, 4: 120 } : { 2: 300, 4: 330 };
        case "HTTPCode_Target_5XX_Count":
          return isNew ? { 4: 2 } : {};
        case "TargetConnectionErrorCount":
          return isNew ? { 2: 500, 4: 1 } : {};
        default:
          return statistic === "p95" ? (isNew ? { 4: 0.12 } : { 2: 0.11, 4: 0.1 }) : {};
      }
    });
    const soak = await readSoak(ports, aRecord(), () => hostTargets);
    expect(soak).toEqual({
      windowSeconds: 60,
      from: openedAt,
      // 17.5 minutes have arrived: the looks end after 10, 12.5 and 15.625 minutes.
      to: openedAt + 937_500,
      lookIndex: 2,
      canary: [
        // Connections that were tried again are counted again.
        { at: at(2), requests: 100, errors: 100 },
        { at: at(4), requests: 120, errors: 3, latencyMilliseconds: { p95: 120 } },
      ],
      beside: {
        is: "baseline",
        windows: [
          { at: at(2), requests: 300, errors: 0, latencyMilliseconds: { p95: 110 } },
          { at: at(4), requests: 330, errors: 0, latencyMilliseconds: { p95: 100 } },
        ],
      },
    });
    expect(asked.map(({ range }) => range)).toEqual([{ from: at(1), to: at(15), periodSeconds: 60 }]);
  });

  it("counts failed runs where a function answers [C1]", async () => {
    const { asked, ports } = portsOf(at(20), () => ({}));
    await readSoak(ports, aRecord(), () => ({ isLambda: true, hasHealthChecks: false }));
    expect(asked[0]?.queries.filter(({ id }) => id.startsWith("canary")).map(({ metricName }) => metricName)).toEqual([
      "RequestCount",
      "HTTPCode_Target_5XX_Count",
      "LambdaUserError",
      "LambdaInternalError",
      "TargetResponseTime",
      "TargetResponseTime",
      "TargetResponseTime",
    ]);
  });

  it("is what a release reported of itself where that is the source, in milliseconds as reported [C1]", async () => {
    const { ports } = portsOf(at(20), ({ metricName, statistic }) => {
      if (metricName === "Requests") return { 5: 100 };
      return metricName === "Latency" && statistic === "p50" ? { 5: 35 } : {};
    });
    const soak = await readSoak(ports, aRecord({ source: "emf" }), () => hostTargets);
    expect(soak?.canary).toEqual([{ at: at(5), requests: 100, errors: 0, latencyMilliseconds: { p50: 35 } }]);
  });

  it("is beside the control where that has traffic, and beside nobody at 100 % [C1]", async () => {
    const control = {
      targetGroupArn: "arn:copy",
      targetGroupArnSuffix: "targetgroup/copy/1",
      releaseKey: "2-3-1-control",
      digest: stable,
      adopted: false,
      sharePercent: 25,
    };
    const { asked, ports } = portsOf(at(20), () => ({}));
    const readAt = (record: RolloutRecord) => readSoak(ports, record, () => hostTargets);
    expect((await readAt(aRecord({ control })))?.beside).toEqual({ is: "control", windows: [] });
    expect(new Set(asked[0]?.queries.map(({ dimensions }) => dimensions.TargetGroup))).toEqual(
      new Set(["targetgroup/new/1", "targetgroup/copy/1"]),
    );
    expect((await readAt(aRecord({ control: { ...control, lostAt: at(3) } })))?.beside?.is).toBe("baseline");
    expect(await readAt(aRecord({}, 10, 100))).not.toHaveProperty("beside");
  });

  it("is read again in longer windows where the canary has too few requests for a percentile [C1]", async () => {
    const now = openedAt + 63 * minute;
    const quiet = (perMinute: number) =>
      portsOf(now, ({ metricName }) =>
        metricName === "RequestCount"
          ? Object.fromEntries(Array.from({ length: 11 }, (_, five) => [5 * five + 5, perMinute * 5]))
          : {},
      );
    const some = quiet(20);
    const soak = await readSoak(some.ports, aRecord({}, 60), () => hostTargets);
    expect(some.asked.map(({ range }) => range)).toEqual([
      { from: at(1), to: at(60), periodSeconds: 60 },
      { from: at(5), to: at(60), periodSeconds: 300 },
    ]);
    expect(soak).toMatchObject({ windowSeconds: 300, to: openedAt + 60 * minute, lookIndex: 0 });
    const enough = quiet(60);
    await readSoak(enough.ports, aRecord({}, 60), () => hostTargets);
    expect(enough.asked).toHaveLength(1);
  });

  it("asks the system that measures, window by window, and fails by name without a way there [C1, D2, D3]", async () => {
    const queries: unknown[] = [];
    const prometheus: WatchElsewhere = {
      describe: async () => [],
      reported: async () => ({ requests: undefined, errors: undefined }),
      counted: async () => ({}),
      windows: async (query) => {
        queries.push(query);
        return [{ at: query.from, requests: 7, errors: 0 }];
      },
    };
    const { ports } = portsOf(at(20), () => ({}), { prometheus });
    const record = aRecord({ source: "prometheus" });
    const soak = await readSoak(ports, record, () => hostTargets);
    expect(soak?.beside).toEqual({ is: "baseline", windows: [{ at: at(1), requests: 7, errors: 0 }] });
    expect(queries[0]).toMatchObject({ service: "checkout", from: at(1), to: at(15), windowSeconds: 60 });
    const nowhere = portsOf(at(20), () => ({}));
    await expect(readSoak(nowhere.ports, record, () => hostTargets)).rejects.toThrow(
      "prometheus: the soak of canary and baseline cannot be read, got no way to ask it; expected alerting.grafana in the config of the foundation. Run up there",
    );
  });

  it("throws what keeps it from being read, and never says no traffic [B8]", async () => {
    const { ports } = portsOf(at(20), ({ metricName }) => (metricName === "RequestCount" ? { 5: Number.NaN } : {}));
    await expect(readSoak(ports, aRecord(), () => hostTargets)).rejects.toThrow(
      "window of 2026-01-05T10:05:00.000Z: no measurement, got NaN; expected finite numbers from 0 on",
    );
  });
});

describe("the look that is read", () => {
  const arrival = 150_000;

  it("is none before the soak is served and has arrived, and then says when it will have [C1]", () => {
    const record = aRecord();
    const arrivesAt = openedAt + 10 * minute + arrival;
    expect(soakArrivesAt(record)).toBe(arrivesAt);
    expect(soakRange(record, arrivesAt - 1)).toBeUndefined();
    expect(soakRange(record, arrivesAt)?.look.index).toBe(0);
  });

  it("is none where nothing is exposed, and where a wave has no end of its own [C1]", () => {
    const { canary } = aRecord();
    if (!canary) throw new Error("no canary");
    for (const record of [aRecord({ canary: { ...canary, exposurePercent: 0 } }), aRecord({}, null)]) {
      expect([soakRange(record, at(100_000)), soakArrivesAt(record)]).toEqual([undefined, undefined]);
    }
  });

  it("is read by five minutes where the soak is longer than an hour, the newest week at most [C1]", () => {
    const day = aRecord({}, 24 * 60);
    const range = soakRange(day, openedAt + 25 * 60 * minute);
    expect(range).toMatchObject({ windowSeconds: 300, isCut: false, from: at(5), to: at(24 * 60) });
    const month = aRecord({}, 30 * 24 * 60);
    const long = soakRange(month, openedAt + 31 * 24 * 60 * minute);
    expect(long?.isCut).toBe(true);
    expect(((long?.to ?? 0) - (long?.from ?? 0)) / 300_000).toBe(mostWindows);
  });

  it("says where it begins when it is cut [C1]", async () => {
    const now = openedAt + 31 * 24 * 60 * minute;
    const { ports, asked } = portsOf(now, () => ({}));
    const soak = await readSoak(ports, aRecord({}, 30 * 24 * 60), () => hostTargets);
    expect(soak?.from).toBe(asked[0]?.range.from);
    // One call of GetMetricData gives 100,800 points.
    const points = (asked[0]?.queries.length ?? 0) * mostWindows;
    expect(points).toBeLessThanOrEqual(100_800);
  });
});
