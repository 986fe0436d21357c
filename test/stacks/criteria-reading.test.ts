/** What a wave's criteria came to, as they are read: by source, and told as unmeasured where nobody can read them (C1, B8). */
import { describe, expect, it } from "vitest";
import { nothingAdopted } from "../../components/settings.ts";
import type { SoakMeasurement } from "../../core/gate/evidence.ts";
import type { Objective } from "../../core/objectives.ts";
import { readCriteria } from "../../stacks/decide/criteria.ts";
import { aService, v2, World } from "../helpers/world.ts";

const world = await new World().rolledOutTo(10);
await world.wait(24 * 60);
const { record } = world;
const openedAt = record.canary?.waveOpenedAt ?? 0;
const from = Math.ceil(openedAt / 300_000) * 300_000;

const windowsOf = (errors: number, p95?: number) =>
  Array.from({ length: 280 }, (_, index) => ({
    at: from + index * 300_000,
    requests: 1_000,
    errors,
    ...(p95 === undefined ? {} : { latencyMilliseconds: { p95: p95 + (index % 2) } }),
  }));
const soakOf = (errors: number, p95?: number): SoakMeasurement => ({
  windowSeconds: 300,
  from: openedAt,
  to: openedAt + 24 * 3_600_000,
  lookIndex: 0,
  canary: windowsOf(errors, p95),
  beside: { is: "baseline", windows: windowsOf(1, 100) },
});
const objective = (indicator: Objective["indicator"], target: number): Objective => ({
  name: indicator,
  indicator,
  target,
});

async function read(
  objectives: readonly Objective[],
  soak: Parameters<typeof readCriteria>[2],
  source: "alb" | "emf" = "alb",
) {
  const service = { ...aService({ objectives, source }), canary: v2 };
  const plan = { ...record.plan, waves: record.plan.waves.map((wave) => ({ ...wave, criteria: [] })) };
  const told = await readCriteria(service, { ...record, plan, source }, soak, nothingAdopted, world.cloud.ports("up"));
  return told.criteria;
}

describe("criteria as they are read", () => {
  it("are ratios of all requests and means of percentiles, over the soak and its newest quarter [C1]", async () => {
    const found = await read([objective("error-rate", 1), objective("latency-p95", 150)], soakOf(2, 110));
    expect(found).toMatchObject([
      { text: "target of error-rate: at most 1 %", whole: 0.2, newest: 0.2, errors: { whole: 560, floor: 10 } },
      { text: "target of latency-p95: at most 150 ms", whole: 110.5 },
    ]);
    const [, latency] = Array.isArray(found) ? found : [];
    // Alternately 110 and 111 ms: half a millisecond off each, of 280 windows.
    expect(latency?.chance?.whole).toBeCloseTo((3 * 0.5) / Math.sqrt(279), 6);
  });

  it("are not measured where some requests have no latency: they may be the slow ones [B8]", async () => {
    const soak = soakOf(0, 110);
    const canary = soak.canary.map(({ latencyMilliseconds, ...rest }, index) =>
      index % 20 === 0 || !latencyMilliseconds ? rest : { ...rest, latencyMilliseconds },
    );
    expect(await read([objective("latency-p95", 150)], { ...soak, canary })).toMatchObject([
      {
        whole: undefined,
        unmeasured: "latency-p95 did not arrive of all requests of the soak; expected the release to report it",
      },
    ]);
  });

  it("are sums of the source's signals where windows carry none, and name a source that carries none [C1]", async () => {
    const invariants = [objective("invariant-violations", 0)];
    expect(await read(invariants, soakOf(0, 110), "emf")).toMatchObject([{ whole: 0, newest: 0 }]);
    // What the load balancer does not measure is no aim of a service that it measures.
    expect(await read(invariants, soakOf(0, 110))).toBeUndefined();
  });

  it("are not asked before a look has ended, nor of nobody, and unreadable as the soak is [C1, B8]", async () => {
    expect(await read([objective("error-rate", 1)], undefined)).toBeUndefined();
    expect(await read([], soakOf(0))).toBeUndefined();
    expect(await read([objective("error-rate", 1)], { unreadable: "throttled" })).toEqual({ unreadable: "throttled" });
  });

  it("are unreadable where the signals are not to be read [B8]", async () => {
    const ports = world.cloud.ports("up");
    const metrics = { ...ports.metrics, statistics: () => Promise.reject(new Error("throttled")) };
    const service = { ...aService({ objectives: [objective("invariant-violations", 0)], source: "emf" }), canary: v2 };
    const told = await readCriteria(service, { ...record, source: "emf" }, soakOf(0), nothingAdopted, {
      ...ports,
      metrics,
    });
    expect(told).toEqual({ criteria: { unreadable: "throttled" } });
  });
});
