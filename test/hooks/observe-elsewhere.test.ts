/** One decision's readings where another system watches: its silence is never taken for quiet. */
import { describe, expect, it } from "vitest";
import { decide } from "../../core/decide.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { observe } from "../../hooks/observe.ts";
import type { AlarmState, Ports, WatchElsewhere } from "../../hooks/ports.ts";
import { v2, World } from "../helpers/world.ts";

/** A canary at 10 % whose error alarms Prometheus watches; hosts are CloudWatch's. */
async function watchedInPrometheus(): Promise<{ world: World; record: RolloutRecord }> {
  const world = await new World().rolledOutTo(10);
  const alarms = world.record.alarms.map((alarm) =>
    alarm.objective === "error-rate" ? { ...alarm, watchedIn: "prometheus" as const, query: "up" } : alarm,
  );
  return { world, record: { ...world.record, source: "prometheus", alarms } };
}

const nothingRead = { windows: async () => [], counted: async () => ({}) };
const reported = async () => ({ requests: 1_000, errors: 20 });
const speaking = (state: AlarmState["state"]): WatchElsewhere => ({
  describe: async (alarms) => alarms.map(({ alarmName }) => ({ alarmName, state, updatedAt: 0, actionsEnabled: true })),
  reported,
  ...nothingRead,
});
const down: WatchElsewhere = {
  describe: async () => Promise.reject(new Error("Prometheus: no answer within 2000 ms")),
  reported,
  ...nothingRead,
};

const seenWith = (world: World, record: RolloutRecord, elsewhere: Ports["elsewhere"]) =>
  observe({ ...world.cloud.ports("hook"), elsewhere }, record);

describe("what is seen elsewhere", () => {
  it("opens a breach that Prometheus alone speaks of, and lowers for it [D2]", async () => {
    const { world, record } = await watchedInPrometheus();
    const { observation, blindness } = await seenWith(world, record, { prometheus: speaking("ALARM") });
    expect(blindness).toEqual([]);
    const decided = decide(record, observation, world.cloud.nowMs).record;
    expect(Object.values(decided.breaches).map(({ objective, digest }) => [objective, digest])).toContainEqual([
      "error-rate",
      v2.digest,
    ]);
    expect(decided.ceilings[v2.digest] ?? 0).toBeLessThan(10);
  });

  it("keeps a breach open while Prometheus does not answer, and says that it is blind [B8]", async () => {
    const { world, record } = await watchedInPrometheus();
    const bad = await seenWith(world, record, { prometheus: speaking("ALARM") });
    const breached = decide(record, bad.observation, world.cloud.nowMs).record;
    const blind = await seenWith(world, breached, { prometheus: down });
    expect(blind.blindness.map(String)).toEqual(["Error: Prometheus: no answer within 2000 ms"]);
    expect(blind.failures).toContain("alarms in prometheus: Prometheus: no answer within 2000 ms");
    expect(blind.observation.alarms?.length).toBeGreaterThan(0);
    const later = decide(breached, blind.observation, world.cloud.nowMs + 60_000).record;
    expect(Object.keys(later.breaches).sort()).toEqual(Object.keys(breached.breaches).sort());
    const well = await seenWith(world, breached, { prometheus: speaking("OK") });
    expect(decide(breached, well.observation, world.cloud.nowMs + 60_000).record.breaches).toEqual({});
  });

  it("is blind by name where the environment has no way to Prometheus [B8]", async () => {
    const { world, record } = await watchedInPrometheus();
    const { failures, blindness } = await seenWith(world, record, {});
    expect(blindness).toHaveLength(1);
    expect(failures.join("\n")).toMatch(
      /^alarms in prometheus: prometheus: the state of \d+ alarm\(s\) cannot be read/m,
    );
  });
});
