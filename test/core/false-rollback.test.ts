import { describe, expect, it } from "vitest";
import { alarmsFor } from "../../core/alarms.ts";
import { falseRollbackChance, negativeBinomialTail, ratioFloors, unreckoned } from "../../core/false-rollback.ts";
import { type ObjectivePresetName, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { type PlanPresetName, planPresets } from "../../core/plans.ts";
import { type FrozenFigure, hostTargets } from "../../core/watch-rules.ts";
import { traffic } from "../../rehearsal/traffic/constants.ts";
import { rateAt } from "../../rehearsal/traffic/traffic.ts";

const errors = {
  baseFraction: traffic.errors.baseFraction + traffic.errors.connectionFraction,
  gammaShape: traffic.errors.gammaShape,
  burstSeconds: traffic.errors.burstSeconds,
  opening: { addedFraction: traffic.blip.errorFraction, durationSeconds: traffic.blip.durationSeconds },
};
const firstOpeningAt = Date.UTC(2026, 0, 5, 9);
const ratePerSecondAt = (elapsedSeconds: number) => rateAt(firstOpeningAt + elapsedSeconds * 1_000);

describe("the tail of bursty errors", () => {
  it("is that of the geometric distribution where the shape is 1", () => {
    // Mean 3: each further error has a chance of 3/4.
    expect(negativeBinomialTail(5, 3, 1)).toBeCloseTo(0.75 ** 5, 6);
  });

  it("sums to the mean over all counts", () => {
    let mean = 0;
    for (let count = 1; count < 500; count += 1) mean += negativeBinomialTail(count, 2.5, 0.5);
    expect(mean).toBeCloseTo(2.5, 4);
  });

  it("is certain from zero on, and impossible without errors", () => {
    expect(negativeBinomialTail(0, 1, 0.5)).toBe(1);
    expect(negativeBinomialTail(1, 0, 0.5)).toBe(0);
  });

  it("is heavier than Poisson's for the same mean [B9]", () => {
    const poissonTailOfTenAtOne = 1.114e-7;
    expect(negativeBinomialTail(10, 1, 0.5)).toBeGreaterThan(1_000 * poissonTailOfTenAtOne);
  });
});

/** What the waves before came to, where a healthy release is measured against them. */
const figures: readonly FrozenFigure[] = [
  { of: "previous-wave", percent: 10, indicator: "error-rate", value: 100 * errors.baseFraction },
  { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
];
/** "Rollback on any error": the migration document's own words, which a healthy release with any error at all cannot keep. */
const anyError = "wave-error-rate/critical/60s/at-5";

describe("the false-rollback rate", () => {
  const alarmsOf = (plan: PlanPresetName, preset: ObjectivePresetName, source: "alb" | "emf") =>
    alarmsFor(objectivePresets[preset], source, hostTargets, {
      plan: planPresets[plan],
      exposurePercent: 25,
      figures,
    });

  for (const plan of ["rapid", "steady", "cautious", "migration"] as const) {
    for (const preset of objectivePresetNames) {
      for (const source of ["alb", "emf"] as const) {
        it(`is at most 0.1 % a rollout: ${plan}, ${preset}, ${source} [B9]`, () => {
          const alarms = alarmsOf(plan, preset, source).filter(({ key }) => plan !== "migration" || key !== anyError);
          const { chance, byAlarm } = falseRollbackChance({ alarms, plan: planPresets[plan], ratePerSecondAt, errors });
          expect(byAlarm.length).toBeGreaterThan(0);
          expect(unreckoned(alarms)).toEqual([]);
          expect(chance).toBeLessThanOrEqual(0.001);
        });
      }
    }
  }

  it("is certain where a wave is left at any error: 5 % of the migration plan, which its document asks for [A2, B9]", () => {
    const alarms = alarmsOf("migration", "migration", "alb").filter(({ key }) => key === anyError);
    const { chance } = falseRollbackChance({ alarms, plan: planPresets.migration, ratePerSecondAt, errors });
    expect(chance).toBe(1);
  });

  it("counts a wave's own alarm on its wave alone [A2, B9]", () => {
    const [alarm] = alarmsOf("migration", "migration", "alb").filter(({ key }) => key === anyError);
    const plan = { ...planPresets.migration, waves: planPresets.migration.waves.slice(1) };
    expect(falseRollbackChance({ alarms: alarm ? [alarm] : [], plan, ratePerSecondAt, errors })).toEqual({
      chance: 0,
      byAlarm: [{ alarmKey: anyError, lowers: true, chance: 0 }],
    });
  });

  it("names a ratio beside the baseline's as not reckoned [B9]", () => {
    const critical = { value: 2, reference: { kind: "baseline", form: "factor" }, response: "disable" } as const;
    const objectives = [{ name: "errors", indicator: "error-rate", critical } as const];
    const canary = { plan: planPresets.steady, exposurePercent: 25, figures: [] };
    expect(unreckoned(alarmsFor(objectives, "alb", hostTargets, canary))).toEqual(["errors/critical/300s/of-baseline"]);
  });

  it("would be far above 0.1 % without the error floor [B9]", () => {
    const unguarded = alarmsFor(
      objectivePresets.web.map((objective) => ({ ...objective, minimumErrors: 1 })),
      "emf",
    );
    const { chance } = falseRollbackChance({ alarms: unguarded, plan: planPresets.rapid, ratePerSecondAt, errors });
    expect(chance).toBeGreaterThan(0.1);
  });

  it("counts alarms that only notify apart: they never lower", () => {
    const critical = { value: 0.1, response: "freeze" } as const;
    const { byAlarm, chance } = falseRollbackChance({
      alarms: alarmsFor([{ name: "availability", indicator: "error-rate", critical }], "alb"),
      plan: planPresets.steady,
      ratePerSecondAt,
      errors,
    });
    const [, slow] = byAlarm;
    expect(slow).toEqual({ alarmKey: "availability/critical/300s", lowers: false, chance: 1 });
    expect(chance).toBe(0);
  });

  it("knows the floors of every ratio alarm and of no other", () => {
    const alarms = alarmsFor(objectivePresets.batch, "emf");
    expect(alarms.filter((alarm) => ratioFloors(alarm)).map((alarm) => alarm.key)).toEqual([
      "error-rate/critical/10s",
      "error-rate/critical/60s",
      "error-rate/critical/300s",
      "error-rate/warning/300s",
    ]);
    const floorsOf = (place: number) => ratioFloors(alarms[place] ?? expect.fail("no alarm"));
    const errorsOf = (place: number) => [10, 100, 1_000].map((requests) => floorsOf(place)?.errorsOf(requests));
    expect([floorsOf(0)?.requests, errorsOf(0)]).toEqual([0, [6, 12, 59]]);
    expect([floorsOf(2)?.requests, errorsOf(2)]).toEqual([100, [10, 10, 10]]);
  });
});
