/** What a rehearsal plays of a cool-off, and what it leaves aside because no other environment is there (B5, A8). */
import { describe, expect, it } from "vitest";
import { planPresets } from "../../../core/plans.ts";
import { builtInScenarios, rehearse } from "../../../rehearsal/index.ts";
import { readOptions } from "../../../rehearsal/run/options.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";

const scenario = builtInScenarios["error-spike"];

describe("a rehearsal", { timeout: 60_000 }, () => {
  it("refuses the next attempt while the release cools off, and lets it in with a reason [B5]", async () => {
    const plan = { ...planPresets.rapid, coolOffMinutes: 10_080 };
    const report = await rehearse({
      config: rehearsalConfig,
      stack: "dev",
      scenario,
      plan,
      faultWavePercent: 5,
      compareWithoutHook: false,
    });
    expect(report.outcome).toBe("rolled-back");
    const last = report.refused.at(-1);
    expect(last?.asked).toBe("sets attempt: 2 and wave: 5");
    expect(last?.reasons.join()).toMatch(/ cools off for 10080 min, until \S+Z\. Wait, or say overrideReason$/);
    const ups = report.timeline.filter(({ kind }) => kind === "up").map(({ message }) => message);
    expect(ups.at(-1)).toMatch(/ says overrideReason: the cause is mended: applied/);
  });

  it("asks no environment below: there is none in it [A8]", () => {
    const config = { ...rehearsalConfig, ladderBelow: "staging" };
    expect("ladderBelow" in readOptions({ config, stack: "prod", scenario }).config).toBe(false);
  });
});
