/** The environment below, and the time that a rolled-back release waits, as config has them (A8, B5). */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, problemsOf } from "./config-builders.ts";

describe("ladder", () => {
  it("names the stack below, as it is written [A8]", () => {
    for (const below of ["staging", "example/platform/staging"]) {
      expect(parseConfig(aConfig({ ladder: { below } })).ladderBelow).toBe(below);
    }
    expect("ladderBelow" in parseConfig(aConfig())).toBe(false);
    expect("ladderBelow" in parseConfig(aConfig({ ladder: {} }))).toBe(false);
  });

  it.each<[string, unknown, string]>([
    [
      "what is no stack's name",
      { below: "staging env" },
      'ladder.below: not the name of a stack, got "staging env"; expected <stack> or <organisation>/<project>/<stack>. Leave ladder out where this is the lowest environment',
    ],
    ["a misspelt key", { bellow: "staging" }, "ladder.bellow: unknown key; expected below. Did you mean below?"],
    ["a bare name", "staging", 'ladder: must be a map, got "staging"; expected a map'],
  ])("refuses %s [B11]", (_name, ladder, problem) => {
    expect(problemsOf(aConfig({ ladder }))).toContain(problem);
  });
});

describe("plan.coolOff", () => {
  const planOf = (plan: unknown) =>
    parseConfig(aConfig({}, { checkout: aService({ plan, wave: 0 }) })).services[0]?.plan;
  const waves = [{ exposurePercent: 100, soak: "1h" }];

  it("is 7 days of migration, and of no other preset; a plan says another, or none [B5]", () => {
    expect(planOf("migration")?.coolOffMinutes).toBe(10_080);
    expect(planOf({ preset: "migration", coolOff: "1d" })?.coolOffMinutes).toBe(1_440);
    expect(planOf({ preset: "steady", coolOff: "2h" })?.coolOffMinutes).toBe(120);
    expect(planOf({ waves, coolOff: "90m" })?.coolOffMinutes).toBe(90);
    for (const plan of ["steady", { preset: "migration", coolOff: "0m" }, { waves }, { waves, coolOff: "0m" }]) {
      expect(planOf(plan)).not.toHaveProperty("coolOffMinutes");
    }
  });

  it("refuses a length that is none [B11]", () => {
    expect(
      problemsOf(aConfig({}, { checkout: aService({ wave: 0, plan: { preset: "migration", coolOff: "91d" } }) })),
    ).toEqual([expect.stringMatching(/^services\.checkout\.plan\.coolOff: .*91d/)]);
  });
});
