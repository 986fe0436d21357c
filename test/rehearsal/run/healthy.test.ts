import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ObjectivePresetName, objectivePresetNames, objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";
import { rehearseInFull } from "../../../rehearsal/run/rehearse.ts";
import { runCase } from "../../../rehearsal/run/table.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { builtInScenarios } from "../../../rehearsal/scenarios.ts";

/**
 * On `rapid`, both kinds of points in turn: the minutes of a load balancer and the ten seconds of a service's own metrics, which stand in for
 * `prometheus` and `datadog`, too. `steady` is in the docs table (seeds 1 to 20 of each), whose command refuses a table with a
 * false rollback.
 */
async function seedsThatFail(preset: ObjectivePresetName, seeds: readonly number[]): Promise<string[]> {
  const failed: string[] = [];
  for (const seed of seeds) {
    const source = seed % 2 === 0 ? "alb" : "emf";
    const run = await runCase({ plan: "rapid", scenario: "healthy", preset, source }, seed);
    const isHealthy = run.exposurePercent === 100 && run.hold === null && run.pageCount === 0 && !run.isFalseRollback;
    if (!isHealthy) failed.push(`seed ${seed}, preset ${preset}, source ${source}: ${JSON.stringify(run)}`);
  }
  return failed;
}

describe("a healthy release", { timeout: 300_000 }, () => {
  for (const preset of objectivePresetNames) {
    it(`is never rolled back, held or paged for: ${preset}, seeds 1 to 200 [B9]`, async () => {
      const seeds = Array.from({ length: 200 }, (_, index) => index + 1);
      expect(await seedsThatFail(preset, seeds)).toEqual([]);
    });

    it(`is never rolled back, held or paged for: ${preset}, 200 seeds drawn fresh [B9]`, async () => {
      // A failure prints the seeds: `tidegate rehearse --scenario healthy --seed N` plays one again.
      const seeds = Array.from({ length: 200 }, () => randomInt(1_000, 2 ** 31));
      expect(await seedsThatFail(preset, seeds)).toEqual([]);
    });

    it.each(["alb", "emf"] as const)(`gets past the gate by itself: ${preset}, source %s [C1, B8]`, async (source) => {
      for (const seed of [1, 2]) {
        const { report, finalExposurePercent } = await rehearseInFull({
          config: rehearsalConfig,
          stack: "dev",
          scenario: builtInScenarios.healthy,
          seed,
          plan: planPresets.rapid,
          objectives: objectivePresets[preset],
          source,
          compareWithoutHook: false,
          aftermath: false,
        });
        expect([seed, report.outcome, finalExposurePercent, report.pages]).toEqual([seed, "completed", 100, []]);
      }
    });
  }
});
