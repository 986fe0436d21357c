/** docs/objectives.md against what the product does: its tables, its examples, its numbers (B1, D1). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type BudgetPeriodDays, budgetPeriodsDays, burnFactor, burnRules, burnWindows } from "../../core/burn-rate.ts";
import {
  type Indicator,
  indicators,
  metricSources,
  type Objective,
  objectivePresetNames,
  objectivePresets,
  type Severity,
} from "../../core/objectives.ts";
import { thresholdText } from "../../stacks/config/bounds.ts";
import { relative } from "../../stacks/config/relative.ts";
import { durationText, measure, measureText, readable } from "../../stacks/config/units.ts";
import { sliOf } from "../../stacks/open-slo/metrics.ts";
import { aConfig, aService, problemsOf } from "../stacks/config-builders.ts";

const page = readFileSync(new URL("../../docs/objectives.md", import.meta.url), "utf8");

/** Rows of the table that follows a text, cells trimmed. */
function table(after: string): string[][] {
  const from = page.indexOf(after);
  expect(from, `no "${after}" in the page`).toBeGreaterThan(-1);
  const lines = page.slice(from).split("\n");
  const start = lines.findIndex((line) => line.startsWith("| ---"));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 1, end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

function boundCell({ indicator, ...objective }: Objective, severity: Severity): string {
  const bound = objective[severity];
  if (!bound) return "";
  const window = bound.windowSeconds === undefined ? "" : ` in ${durationText(bound.windowSeconds)}`;
  return `${indicators[indicator].badSide} ${thresholdText(bound, indicator)}${window}: ${bound.response}`;
}

describe("docs/objectives.md", () => {
  it.each(objectivePresetNames)("has preset %s with its numbers [B1]", (name) => {
    expect(table(`### \`${name}\``)).toEqual(
      objectivePresets[name].map((objective) => [
        objective.name,
        objective.target === undefined ? "" : String(measureText(objective.target, objective.indicator)),
        boundCell(objective, "warning"),
        boundCell(objective, "critical"),
      ]),
    );
  });

  it("has every indicator, with its side, its sources, and whether it is compared [B1]", () => {
    const rows = table("## Indicators");
    const compared = (indicator: Indicator): string => {
      const isHigh = indicators[indicator].badSide === "below";
      const is = (text: string) => "value" in relative(text, indicator, "objective");
      if (is(isHigh ? "0.8x baseline" : "1.5x baseline")) return "yes";
      return is(isHigh ? "-5 points under baseline" : "+5 points over baseline") ? "in points" : "no";
    };
    expect(rows.map(([name, , ...rest]) => [name, ...rest])).toEqual(
      (Object.keys(indicators) as Indicator[]).map((name) => {
        const sources =
          metricSources.length === indicators[name].sources.length ? "all" : indicators[name].sources.join(", ");
        return [name, indicators[name].badSide, sources, compared(name)];
      }),
    );
    for (const [name = "", written = ""] of rows) {
      const indicator = (Object.keys(indicators) as Indicator[]).find((candidate) => candidate === name);
      const values = [...written.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => parse(text) as unknown);
      expect(values.length).toBeGreaterThan(0);
      for (const value of values) expect(indicator && measure(value, indicator)).toBeTypeOf("number");
    }
  });

  it("has the burn rates that are computed [D1]", () => {
    const threshold = (target: number, periodDays: BudgetPeriodDays) => {
      const objectives: Objective[] = [{ name: "availability", indicator: "availability", target }];
      return burnRules(objectives, "emf", { periodDays, windows: "ticket" }).rules.map(
        (rule) => `${rule.thresholdPercent}%`,
      );
    };
    const columns = budgetPeriodsDays.flatMap((days) => [99.95, 99.9].map((target) => threshold(target, days)));
    expect(table("## Error budget")).toEqual(
      burnWindows.map((pair, index) => [
        `${durationText(pair.longSeconds)} and ${durationText(pair.shortSeconds)}`,
        pair.severity === "critical" ? "page" : "ticket",
        `${readable(pair.budgetShare * 100)}%`,
        ...budgetPeriodsDays.map((days) => String(burnFactor(pair, days))),
        ...columns.map((column) => column[index]),
      ]),
    );
  });

  it("has the metrics that an import knows [B1]", () => {
    const labels = { environment: "production", service: "checkout" };
    expect(table("## OpenSLO")).toEqual(
      metricSources.map((source) => {
        const sli = sliOf("availability", source, labels) as {
          ratioMetric: { bad: { metricSource: { type: string; spec: unknown } } };
        };
        const { type, spec } = sli.ratioMetric.bad.metricSource;
        return [source, type, `\`${JSON.stringify(spec)}\``];
      }),
    );
  });

  it("has bounds in forms that are read [B1]", () => {
    const forms = table("## Bounds\n").flatMap(([form = ""]) =>
      [...form.matchAll(/`"([^"]+)"`/g)].map(([, text = ""]) => text),
    );
    const relatives = forms.filter((form) => form !== "5%");
    expect(relatives).toHaveLength(9);
    for (const form of relatives) {
      const indicator: Indicator = form === "10%/h" ? "memory" : /^-|^0/.test(form) ? "cache-hit-ratio" : "error-rate";
      expect([form, relative(form, indicator, "wave")]).toEqual([
        form,
        { value: expect.any(Number), reference: expect.anything() },
      ]);
    }
  });

  it("has examples that a config takes [B11]", () => {
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
      ([, text = ""]) => parse(text) as Record<string, unknown>,
    );
    const inFiles = blocks.filter(({ objectives }) => Object(objectives).openslo === undefined);
    expect([blocks.length, inFiles.length]).toEqual([6, 5]);
    for (const block of inFiles) expect(problemsOf(aConfig({}, { checkout: aService(block) }))).toEqual([]);
  });
});
