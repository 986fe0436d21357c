/** Finishing, climbing, coming back and cooling off: the real decision, guard and commit in virtual time (A8, B5, C1). */
import { describe, expect, it } from "vitest";
import type { FinishedRelease, Unreadable } from "../../core/gate/evidence.ts";
import { planPresets } from "../../core/plans.ts";
import { decideEnvironment } from "../../stacks/decide.ts";
import { aService, v1, v2, v3, World } from "../helpers/world.ts";

const day = 1_440;
const finishOf = (world: World): readonly FinishedRelease[] => Object.values(world.record.finished ?? {});

/** What is measured of a soak is not what these tests are about. */
const overrideReason = "the test measures nothing";

async function openedTo(exposurePercent: number, world = new World()): Promise<World> {
  await world.must(world.up({ canary: v2 }));
  await world.reconcile();
  for (const wave of world.service.plan.waves.filter((each) => each.exposurePercent <= exposurePercent)) {
    await world.must(world.up({ canary: v2, wavePercent: wave.exposurePercent, overrideReason }));
    await world.wait(day + 1);
  }
  return world;
}

/** v2 through every wave to the baseline. */
async function finished(world = new World()): Promise<World> {
  await openedTo(100, world);
  await world.must(world.up({ baseline: v2, overrideReason }));
  return world;
}

describe("a finish", () => {
  it("is remembered with what was measured at 100 %, which idle ups declare again [A8]", async () => {
    const world = new World();
    world.cloud.statistics = ({ id, statistic }) =>
      statistic.startsWith("p") ? 0.21 : id === "requests" ? 1_000 : id === "target-errors" ? 2 : undefined;
    await finished(world);
    const at = (world.record.previous?.until ?? 0) - day * 60_000;
    const [entry, ...others] = finishOf(world);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ version: "2.0.0", digest: v2.digest, at, requests: 287_000 });
    expect(entry?.figures["latency-p95"]).toBe(210);
    const idle = await world.up({ baseline: v2 });
    expect(idle.kind === "applied" && idle.declaration.finish).toEqual({
      figures: entry?.figures,
      requests: 287_000,
    });
    expect(finishOf(world)).toEqual([entry]);
  });

  it("is remembered without figures where nothing was measured [A8]", async () => {
    const unmeasured = new World();
    unmeasured.cloud.statistics = () => undefined;
    const world = await finished(unmeasured);
    expect(finishOf(world).map(({ version, figures }) => ({ version, figures }))).toEqual([
      { version: "2.0.0", figures: {} },
    ]);
    const idle = await world.up({ baseline: v2 });
    expect(idle.kind === "applied" && "finish" in idle.declaration).toBe(false);
  });

  it("is not what a first baseline or a replaced one went through [A8]", async () => {
    const world = new World();
    await world.must(world.up());
    await world.reconcile();
    await world.must(world.up({ baseline: v3, replaceBaselineReason: "the old one is gone" }));
    expect(world.record.baseline).toBe(v3.digest);
    expect(world.record.finished).toBeUndefined();
  });
});

describe("a ladder", () => {
  const told: FinishedRelease = { version: "2.0.0", digest: v2.digest, at: Date.UTC(2026, 0, 4), figures: {} };

  async function opens(world: World, answer: readonly FinishedRelease[] | Unreadable | undefined, wavePercent = 10) {
    let asked = 0;
    const ports = {
      ...world.cloud.ports("preview"),
      ...(answer === undefined
        ? {}
        : {
            below: async () => {
              asked += 1;
              return answer;
            },
          }),
    };
    const config = { ...world.configOf({ canary: v2, wavePercent }), ladderBelow: "staging" };
    const [declaration] = await decideEnvironment(config, ports);
    return { refusals: declaration?.refusals, ladder: declaration?.ladder, asked };
  }

  async function staged(): Promise<World> {
    const world = new World();
    await world.must(world.up({ canary: v2 }));
    await world.reconcile();
    return world;
  }

  it("is asked before the first wave and never after, nor by what raises nothing [A8]", async () => {
    const world = await staged();
    const climbed = { below: "staging", isClimbed: true };
    expect(await opens(world, [told])).toEqual({ refusals: [], ladder: climbed, asked: 1 });
    expect((await opens(world, [told], 0)).asked).toBe(0);
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    await world.wait(day + 1);
    expect(await opens(world, [], 25)).toMatchObject({ ladder: undefined, asked: 0 });
    expect(await opens(world, [], 0)).toEqual({ refusals: [], ladder: undefined, asked: 0 });
  });

  it("refuses what has not finished below, what cannot be read, and a reader that nobody wired [A8, B8]", async () => {
    const world = await staged();
    const refused = "checkout.wave: 0 to 10 refused";
    expect((await opens(world, [])).refusals).toEqual([
      `${refused}, monitor: 2.0.0 has not finished in staging, or was rolled back there since; expected a finished rollout. Finish it there and run pulumi up in that stack, or say overrideReason`,
    ]);
    expect((await opens(world, { unreadable: "no such stack" })).refusals).toEqual([
      `${refused}, cannot tell (nothing measured): what finished in the environment below could not be read (no such stack)`,
    ]);
    expect((await opens(world, undefined)).refusals).toEqual([
      `${refused}, cannot tell (nothing measured): what finished in the environment below could not be read (nothing here reads the outputs of stack staging; pulumi preview does)`,
    ]);
  });

  it("compares with the baseline of the newest quarter of an hour, and stops where it cannot be read [C1]", async () => {
    const world = await staged();
    world.cloud.statistics = ({ id, statistic }) =>
      statistic.startsWith("p") ? 0.2 : id === "requests" ? 1_000 : undefined;
    const figures = { "error-rate": 0, "latency-p95": 230 };
    expect((await opens(world, [{ ...told, figures, requests: 5_000 }])).refusals).toEqual([
      "checkout.wave: 0 to 10 refused, monitor: p95 in staging 230 ms, of the baseline here 200 ms; expected at most 220 ms. Look into it, or say overrideReason",
    ]);
    world.cloud.statistics = () => {
      throw new Error("throttled");
    };
    expect((await opens(world, [{ ...told, figures, requests: 5_000 }])).refusals).toEqual([
      "checkout.wave: 0 to 10 refused, cannot tell (nothing measured): what the baseline came to in the newest 15 minutes could not be read (throttled)",
    ]);
  });
});

describe("a known-good release", () => {
  it("comes back without a soak, one wave an up [C1]", async () => {
    const world = await finished();
    await world.wait(30);
    for (const wavePercent of [10, 25]) {
      await world.must(world.up({ baseline: v2, canary: v1, wavePercent }));
      expect(world.live(v1)).toBe(wavePercent);
      await world.wait(2);
    }
    const skipping = await world.up({ baseline: v2, canary: v1, wavePercent: 100 });
    expect(skipping).toEqual({
      kind: "refused",
      reasons: ["checkout.wave: skips a wave, got 100 after 25; expected 50. Open one wave an up"],
    });
    const next = await world.up({ baseline: v2, canary: v1, wavePercent: 50 });
    const soak = next.kind === "applied" && next.declaration.verdict?.findings.filter(({ rule }) => rule === "soak");
    expect(soak).toEqual([
      {
        rule: "soak",
        verdict: "promote",
        text: "1.0.0 is known good, it was the baseline here before: soak, requests and comparisons are not asked of it",
      },
    ]);
  });

  it("is none after a rollback, acknowledged or not: it soaks like any other [C1, B5]", async () => {
    const world = await finished();
    await world.kill();
    await world.acknowledge();
    await world.must(world.up({ canary: v2, attempt: 2 }));
    await world.reconcile();
    await world.must(world.up({ canary: v2, attempt: 2, wavePercent: 10 }));
    await world.wait(5);
    const early = await world.up({ canary: v2, attempt: 2, wavePercent: 25 });
    expect(early.kind === "refused" && early.reasons.join()).toMatch(/soak at 10 % served 5 of 1440 min/);
  });

  it("is still stopped by an alarm [C1]", async () => {
    const world = await finished();
    await world.wait(30);
    await world.must(world.up({ baseline: v2, canary: v1, wavePercent: 10 }));
    await world.wait(2);
    const alarm = world.record.alarms.find(({ digest }) => digest === v1.digest)?.alarmName ?? "";
    world.setAlarm(alarm, "ALARM");
    const stopped = await world.up({ baseline: v2, canary: v1, wavePercent: 25 });
    expect(stopped).toEqual({
      kind: "refused",
      reasons: [`checkout.wave: 10 to 25 refused, roll-back: alarm ${alarm} is in ALARM`],
    });
  });
});

describe("a cool-off", () => {
  const plan = { ...planPresets.steady, coolOffMinutes: 7 * day };

  async function rolledBack(): Promise<World> {
    const world = await openedTo(10, new World(aService({ plan })));
    await world.kill();
    await world.acknowledge();
    await world.must(world.up({ canary: v2, attempt: 2 }));
    await world.reconcile();
    return world;
  }

  it("makes the next attempt wait from when the last traffic left, and then lets it in [B5]", async () => {
    const world = await rolledBack();
    const leftAt = Object.values(world.record.holds)[0]?.at ?? 0;
    const iso = (at: number) => new Date(at).toISOString();
    const until = leftAt + 7 * day * 60_000;
    expect(await world.up({ canary: v2, attempt: 2, wavePercent: 10 })).toEqual({
      kind: "refused",
      reasons: [
        `checkout.wave: 0 to 10 refused, monitor: 2.0.0 was rolled back, its last traffic left at ${iso(leftAt)}; it cools off for 10080 min, until ${iso(until)}. Wait, or say overrideReason`,
      ],
    });
    world.cloud.nowMs = until - 60_000;
    await world.reconcile();
    expect((await world.up({ canary: v2, attempt: 2, wavePercent: 10 })).kind).toBe("refused");
    world.cloud.nowMs = until;
    await world.reconcile();
    expect((await world.up({ canary: v2, attempt: 2, wavePercent: 10 })).kind).toBe("applied");
  });

  it("is lifted by a reason, once: that attempt asks for it no more [B5]", async () => {
    const world = await rolledBack();
    await world.must(world.up({ canary: v2, attempt: 2, wavePercent: 10, overrideReason: "the cause is found" }));
    await world.must(world.up({ canary: v2, attempt: 2, wavePercent: 0 }));
    expect((await world.up({ canary: v2, attempt: 2, wavePercent: 10 })).kind).toBe("applied");
  });

  it("is of that release alone, and of plans that have one [B5]", async () => {
    const world = await rolledBack();
    await world.must(world.up({ canary: v3 }));
    await world.reconcile();
    expect((await world.up({ canary: v3, wavePercent: 10 })).kind).toBe("applied");
    expect(planPresets.migration.coolOffMinutes).toBe(7 * day);
    expect(planPresets.steady.coolOffMinutes).toBeUndefined();
  });
});

describe("an override", () => {
  it("is told to people as information, and opens no incident [C1]", async () => {
    const world = await openedTo(10);
    world.cloud.pages.length = 0;
    const opened = { canary: v2, wavePercent: 25, overrideReason: "a fix for an outage" };
    await world.must(world.up(opened));
    const [page, ...others] = world.record.outbox;
    expect(others).toEqual([]);
    expect(page).toMatchObject({
      severity: "info",
      summary: "checkout: gate OVERRIDDEN, 2.0.0 from 10 % to 25 %",
      detail: "reason: a fix for an outage",
    });
    expect(world.record.openIncidents ?? []).toEqual([]);
    await world.wait(1);
    expect(world.cloud.pages.map(({ severity }) => severity)).toEqual(["info"]);
    await world.must(world.up({ ...opened, blindMinutes: 20 }));
    expect(world.record.outbox).toEqual([]);
  });

  it("does not keep the end of an incident back [D4]", async () => {
    const world = await openedTo(10);
    await world.kill();
    await world.wait(1);
    await world.acknowledge();
    await world.must(world.up({ canary: v2, attempt: 2 }));
    await world.must(world.up({ canary: v2, attempt: 2, wavePercent: 10, overrideReason: "the cause is found" }));
    await world.wait(1);
    expect(world.record.openIncidents).toEqual([]);
    expect(world.cloud.resolved).toHaveLength(1);
  });
});
