/** What goes out as OpenSLO comes back as it was (B1). */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { budgetPeriodsDays, errorBudgetOf } from "../../../core/burn-rate.ts";
import { metricSources, objectivePresetNames, objectivePresets } from "../../../core/objectives.ts";
import { Problems } from "../../../stacks/config/problems.ts";
import { type Exported, openSloText } from "../../../stacks/open-slo/export.ts";
import { readOpenSlo } from "../../../stacks/open-slo/import.ts";
import { acceptable, anyObjectives } from "./objectives-arbitrary.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-openslo-"));

function comeBack(services: readonly Exported[]) {
  const file = join(folder, "slo.yaml");
  writeFileSync(file, openSloText("production", services));
  const problems = new Problems();
  return { services: readOpenSlo(file, problems), problems: problems.texts };
}

function expected({ name, objectives, source, burnRate }: Exported) {
  const burn = errorBudgetOf(objectives) ? { burnRate: burnRate ?? ("off" as const) } : {};
  return { service: name, source, objectives, ...burn };
}

describe("export and import of OpenSLO [B1]", () => {
  const settings = [
    undefined,
    ...budgetPeriodsDays.flatMap((periodDays) =>
      (["page", "ticket"] as const).map((windows) => ({ periodDays, windows })),
    ),
  ];
  const cases = objectivePresetNames.flatMap((preset) => metricSources.map((source) => [preset, source] as const));

  it.each(cases)("keep preset %s of source %s, whatever its budget settings", (preset, source) => {
    for (const burnRate of settings) {
      const service: Exported = {
        name: "checkout",
        objectives: objectivePresets[preset],
        source,
        ...(burnRate && errorBudgetOf(objectivePresets[preset]) ? { burnRate } : {}),
      };
      expect(comeBack([service])).toEqual({ services: [expected(service)], problems: [] });
    }
  });

  it("keep several services apart", () => {
    const services: Exported[] = [
      { name: "basket", objectives: objectivePresets.batch, source: "prometheus" },
      {
        name: "checkout",
        objectives: objectivePresets.web,
        source: "alb",
        burnRate: { periodDays: 30, windows: "ticket" },
      },
    ];
    expect(comeBack(services)).toEqual({ services: services.map(expected), problems: [] });
  });

  it("keep any objectives that a config can have", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...metricSources),
        fc.constantFrom(...settings),
        anyObjectives,
        (source, burn, any) => {
          const objectives = acceptable(any, source);
          const service: Exported = {
            name: "checkout",
            objectives,
            source,
            ...(burn && errorBudgetOf(objectives) ? { burnRate: burn } : {}),
          };
          expect(comeBack([service])).toEqual({ services: [expected(service)], problems: [] });
        },
      ),
      { numRuns: 100 },
    );
  });
});
