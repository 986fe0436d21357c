/** A control in the rehearsal: served beside its baseline, lost while exposed, and no reason to stop the canary (B12, C1). */
import { describe, expect, it } from "vitest";
import { builtInScenarios, type RehearsalOptions, rehearse } from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { parseScenario } from "../../../rehearsal/scenario-file.ts";

const options: RehearsalOptions = {
  config: rehearsalConfig,
  stack: "dev",
  scenario: builtInScenarios["control-lost"],
  compareWithoutHook: false,
};

describe("a control that loses its hosts", { timeout: 60_000 }, () => {
  it.each([1, 2, 3])("gives its share back, wakes nobody, and the rollout goes on (seed %i) [B12]", async (seed) => {
    const report = await rehearse({ ...options, seed, overrideReason: "what the gate has seen is not asked here" });
    expect(report.outcome).toBe("completed");
    expect(report.refused).toEqual([]);
    const lost = report.timeline.find(({ message }) => message.startsWith("control: no host answers"));
    const taken = report.timeline.find(({ kind, message }) => kind === "hook" && message.startsWith("the control of"));
    expect(taken?.exposurePercent).toBe(lost?.exposurePercent);
    expect(Date.parse(taken?.at ?? "") - Date.parse(lost?.at ?? "")).toBeLessThanOrEqual(61_000);
    expect(report.pages.map(({ severity }) => severity)).not.toContain("critical");
  });

  it("is refused where there is none, and as a fault of requests [B11]", async () => {
    const { control: _control, ...without } = builtInScenarios["control-lost"];
    await expect(rehearse({ ...options, scenario: without })).rejects.toMatchObject({
      problems: [
        "services.checkout.control: missing; expected a control for a fault of it. Write control: true in the scenario, or control: {} in the stack",
      ],
    });
    expect(() =>
      parseScenario({ name: "sick-control", control: true, faults: [{ kind: "error-spike", on: "control" }] }, "here"),
    ).toThrow(
      'faults[0].on: error-spike of a control alone, got "control"; expected canary, baseline or both. The control is the baseline\'s release: on baseline, both have it',
    );
  });

  it("does not keep a breach from being seen: errors of the canary are rolled back beside a control [B2]", async () => {
    const scenario = { ...builtInScenarios["error-spike"], control: true };
    const report = await rehearse({ ...options, scenario, seed: 1 });
    expect(report).toMatchObject({ outcome: "rolled-back", hold: { cause: "breach", targetPercent: 0 } });
  });
});
