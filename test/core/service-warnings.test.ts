/** Warnings of the whole service lower nothing, and keep every further wave shut while they speak (B2, C1). */
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../core/objectives.ts";
import { aService, v2, World } from "../helpers/world.ts";

const warning = "tidegate-slo/dev/checkout/availability/warning/300s";
const rapid = async (changes: Parameters<typeof aService>[0] = {}) =>
  new World(aService({ objectives: objectivePresets.web, ...changes })).rolledOutTo(10);

describe("a warning of the whole service", () => {
  it("keeps the next wave shut while it speaks, by its name [B2, C1]", async () => {
    const world = await rapid();
    await world.wait(25 * 60);
    world.setAlarm(warning, "ALARM");
    expect(await world.up({ canary: v2, wavePercent: 25 })).toEqual({
      kind: "refused",
      reasons: [`checkout.wave: 10 to 25 refused, roll-back: alarm ${warning} is in ALARM`],
    });
    world.setAlarm(warning, "OK");
    expect((await world.up({ canary: v2, wavePercent: 25 })).kind).toBe("applied");
    expect(world.live(v2)).toBe(25);
  });

  it("lowers nothing, whoever is in it [B2]", async () => {
    const world = await rapid();
    world.setAlarm(warning, "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.record.breaches, world.record.holds]).toEqual([10, {}, {}]);
  });

  it("stops nothing where it is only observed [B13]", async () => {
    const objectives = objectivePresets.web.map((objective) =>
      objective.name === "availability" ? { ...objective, mode: "observe" as const } : objective,
    );
    const world = await rapid({ objectives });
    await world.wait(25 * 60);
    world.setAlarm(warning, "ALARM");
    expect((await world.up({ canary: v2, wavePercent: 25 })).kind).toBe("applied");
  });
});
