import { describe, expect, it } from "vitest";
import type { Declaration } from "../../core/declaration.ts";
import { planPresets } from "../../core/plans.ts";
import { rolloutFacts } from "../../core/rollout-facts.ts";
import { aDeclaration, someSettings } from "../helpers/builders.ts";

const settings = someSettings({ dependencyGroup: "payments" });
const facts = (exposurePercent: number, changes: Partial<Declaration>, of = settings) =>
  rolloutFacts("dev", of, aDeclaration(exposurePercent, changes));
const recorded = (openedFromPercent: number) => ({ mode: "act" as const, plan: planPresets.steady, openedFromPercent });

describe("the facts of a service", () => {
  it("are plain, whole and the same for an opening and the idle up after it [E1]", () => {
    const opening = facts(25, { fromPercent: 10, recorded: recorded(10) });
    const idle = facts(25, { step: "none", fromPercent: 25, recorded: recorded(10) });
    expect(idle).toEqual(opening);
    expect(opening).toEqual({
      service: "checkout",
      environment: "dev",
      mode: "act",
      source: "alb",
      baseline: { version: "2.3.1", releaseKey: expect.stringMatching(/^2-3-1-[0-9a-f]{8}$/), adopted: false },
      canary: {
        version: "2.4.0",
        releaseKey: expect.stringMatching(/^2-4-0-[0-9a-f]{8}$/),
        adopted: false,
        attempt: 1,
      },
      exposurePercent: 25,
      openedFromPercent: 10,
      plan: planPresets.steady,
      objectives: settings.objectives,
      blindMinutes: 15,
      rollbackWindowMinutes: 1_440,
      targetGroup: settings.targetGroup,
      dependencyGroup: "payments",
      otherCanaries: [],
    });
    expect(JSON.parse(JSON.stringify(opening))).toEqual(opening);
  });

  it("are the same for a lowering by config and the idle up after it [E1]", () => {
    for (const to of [10, 0]) {
      // From 5: it was lowered to that once, and opened again.
      const lowering = facts(to, { step: "lowering", fromPercent: 25, recorded: recorded(5) });
      // The record then says from where it was lowered, or nothing at all at 0.
      const idle = facts(to, { step: "none", fromPercent: to, recorded: recorded(to === 0 ? 0 : 25) });
      expect(idle).toEqual(lowering);
    }
  });

  it("take no wave back that was opened under a coarser plan [E1]", () => {
    const now = facts(
      25,
      { step: "none", fromPercent: 25, recorded: recorded(10) },
      someSettings({ plan: planPresets.fine }),
    );
    expect(now.openedFromPercent).toBe(10);
    const from0 = facts(50, { step: "none", fromPercent: 50, recorded: recorded(0) });
    expect(from0.openedFromPercent).toBe(25);
  });

  it("name other canaries only where this up raises, so that lowering and idle ups go through [E1]", () => {
    const otherCanaries = ["basket"];
    expect(facts(25, { fromPercent: 10, otherCanaries }).otherCanaries).toEqual(["basket"]);
    expect(facts(25, { fromPercent: 25, otherCanaries }).otherCanaries).toEqual([]);
    expect(facts(10, { fromPercent: 25, otherCanaries }).otherCanaries).toEqual([]);
  });

  it("say what the record has where less is asked now, and only under traffic [E1]", () => {
    const shorter = someSettings({
      plan: { ...planPresets.steady, waves: planPresets.steady.waves.slice(1) },
      targetGroup: { ...settings.targetGroup, port: 9090 },
    });
    const before = { ...recorded(10), targetGroup: { ...settings.targetGroup } };
    const of = (exposurePercent: number, fromPercent: number) =>
      facts(exposurePercent, { fromPercent, recorded: before }, shorter).recorded;
    expect(of(25, 25)).toEqual({ plan: before.plan, targetGroup: before.targetGroup });
    expect(of(10, 0)).toBeUndefined();
    expect(of(0, 25)).toBeUndefined();
    expect(facts(25, { fromPercent: 25, recorded: before }).recorded).toBeUndefined();
    const longer = someSettings({
      plan: {
        ...planPresets.steady,
        waves: planPresets.steady.waves.map((wave) => ({ ...wave, minimumSoakMinutes: null })),
      },
    });
    expect(facts(25, { fromPercent: 25, recorded: before }, longer).recorded).toBeUndefined();
  });

  it("say that arming and raising come together, once [E1]", () => {
    const observed = { ...recorded(0), mode: "observe" as const };
    expect(facts(10, { recorded: observed }).armsAndRaises).toBe(true);
    expect(facts(10, { fromPercent: 10, recorded: observed }).armsAndRaises).toBeUndefined();
    expect(facts(10, { recorded: observed }, someSettings({ mode: "observe" })).armsAndRaises).toBeUndefined();
    expect(facts(10, { recorded: recorded(0) }).armsAndRaises).toBeUndefined();
  });
});
