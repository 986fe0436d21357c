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
    expect(burnText(0.000_5, objectivePresets.web, [])).toBeUndefined();
    expect(burnText(0.5, [], [])).toBeUndefined();
  });

  it("names the burn-rate alarms that would tell of it, or says that none would [D1]", () => {
    const spent =
      "0.6 % errors spend the budget of availability (99.95 %) 12 times, of error-rate (0.5 %) 1.2 times as fast as it comes, for as long as they last; bounds do not count what was spent: ";
    expect(burnText(0.006, objectivePresets.web, ["burn/availability/6h"])).toBe(
      `${spent}burn/availability/6h would tell people, once it lasts and the whole service has it`,
    );
    expect(burnText(0.006, objectivePresets.web, [])).toBe(
      `${spent}no burn-rate alarm of the service would see it either`,
    );
  });
});
