import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { burnsOf, burnText } from "../../../rehearsal/run/budget.ts";

describe("what a lasting error rate spends", () => {
  it("is told by objective, the fastest first [C2]", () => {
    const burns = burnsOf(0.006, objectivePresets.web);
    expect(burns.map(({ objective, times }) => [objective, Number(times.toFixed(6))])).toEqual([
      ["availability", 12],
      ["error-rate", 1.2],
    ]);
  });

  it("is nothing to speak of within every target, or without any", () => {
    expect(burnText(0.000_5, objectivePresets.web)).toBeUndefined();
    expect(burnText(0.5, [])).toBeUndefined();
  });
});
