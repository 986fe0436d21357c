import { describe, expect, it } from "vitest";
import { alarmsFor } from "../../core/alarms.ts";
import { falseRollbackChance, negativeBinomialTail, ratioFloors } from "../../core/false-rollback.ts";
import { metricSources, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
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

describe("the false-rollback rate", () => {
  for (const plan of ["rapid", "steady"] as const) {
    for (const preset of objectivePresetNames) {
      for (const source of metricSources) {
        it(`is at most 0.1 % a rollout: ${plan}, ${preset}, ${source} [B9]`, () => {
          const alarms = alarmsFor(objectivePresets[preset], source);
          const { chance } = falseRollbackChance({ alarms, plan: planPresets[plan], ratePerSecondAt, errors });
          expect(chance).toBeGreaterThan(0);
          expect(chance).toBeLessThanOrEqual(0.001);
        });
      }
    }
  }

  it("would be far above 0.1 % without the error floor [B9]", () => {
    const unguarded = alarmsFor(
      objectivePresets.web.map((objective) => ({ ...objective, minimumErrors: 1 })),
      "emf",
    );
    const { chance } = falseRollbackChance({ alarms: unguarded, plan: planPresets.rapid, ratePerSecondAt, errors });
    expect(chance).toBeGreaterThan(0.1);
  });

  it("counts alarms that only notify apart: they never lower", () => {
    const { byAlarm, chance } = falseRollbackChance({
      alarms: alarmsFor(objectivePresets.web, "alb"),
      plan: planPresets.steady,
      ratePerSecondAt,
      errors,
    });
    const availability = byAlarm.find(({ alarmKey }) => alarmKey === "availability/warning/300s");
    expect(availability).toEqual({ alarmKey: "availability/warning/300s", lowers: false, chance: 1 });
    expect(chance).toBeLessThan(0.001);
  });

  it("knows the floors of every ratio alarm and of no other", () => {
    const alarms = alarmsFor(objectivePresets.batch, "emf");
    expect(alarms.filter((alarm) => ratioFloors(alarm)).map((alarm) => alarm.key)).toEqual([
      "error-rate/critical/10s",
      "error-rate/critical/60s",
      "error-rate/critical/300s",
      "error-rate/warning/10s",
      "error-rate/warning/60s",
      "error-rate/warning/300s",
    ]);
    expect(ratioFloors(alarms[0] ?? expect.fail("no alarm"))).toEqual({ requests: 100, errors: 10 });
  });
});
