/** A release that no alarm minds and the gate keeps: through the same program code, to the end (C1, B8). */
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { completeWave, planPresets } from "../../../core/plans.ts";
import { type RehearsalOptions, rehearse } from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { builtInScenarios, faultOf } from "../../../rehearsal/scenarios.ts";

const play = (changed: Partial<RehearsalOptions>) =>
  rehearse({
    config: rehearsalConfig,
    stack: "dev",
    scenario: builtInScenarios["slightly-worse"],
    plan: planPresets.rapid,
    source: "emf",
    aftermath: false,
    compareWithoutHook: false,
    ...changed,
  });

describe("a release that is slightly worse", { timeout: 120_000 }, () => {
  it("does not get on past the wave in which it is half as slow again, and is told the numbers [C1]", async () => {
    const report = await play({ objectives: objectivePresets.web });
    expect([report.outcome, report.falseRollback]).toEqual(["held", false]);
    const last = report.refused.at(-1);
    expect(last?.asked).toBe("sets wave: 100 and runs pulumi up");
    expect(last?.reasons.join("; ")).toMatch(/p95 1\d\d ms beside 1\d\d ms of the baseline: \+\d\d\.?\d* %/);
  });

  it("does not get on where its targets say so, either [C1]", async () => {
    const report = await play({ objectives: objectivePresets.batch });
    const reasons = report.refused.at(-1)?.reasons.join("; ");
    expect(reasons).toMatch(
      /target of latency-p95: at most 150 ms: came to 1\d\d(\.\d)? ms over the soak and 1\d\d(\.\d)? ms over its newest quarter; expected at most 150 ms, so it stays where it is/,
    );
  });

  it("does not get on with three times the errors, under every bound [C1]", async () => {
    const scenario = {
      name: "three-times",
      description: "three times the errors of a healthy release",
      // So many that errors of two in ten thousand can be counted in a wave of four hours.
      ratePerSecond: 500,
      faults: [faultOf("error-spike", { afterSeconds: 0, timesHealthy: 3 })],
    };
    const plan = {
      name: "slow",
      watchAfterMinutes: 0,
      waves: [
        completeWave({ exposurePercent: 25, minimumSoakMinutes: 240 }),
        completeWave({ exposurePercent: 100, minimumSoakMinutes: 10 }),
      ],
    };
    const asked = {
      scenario,
      plan,
      faultWavePercent: 25,
      endAfterFaultMinutes: 300,
      objectives: objectivePresets.batch,
    };
    const report = await play(asked);
    expect(report.outcome).toBe("held");
    expect(report.refused.at(-1)?.reasons.join("; ")).toMatch(
      /0\.0\d+ % errors .* of the canary beside 0\.0\d+ % errors .* of the baseline/,
    );
  });
});
