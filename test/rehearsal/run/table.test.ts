import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  computeTable,
  sightOfCase,
  type TableCase,
  type TableRow,
  type TableRun,
  tableCases,
  tableSeeds,
} from "../../../rehearsal/run/table.ts";
import { contradictionsOf, renderRow } from "../../../rehearsal/run/table-render.ts";

const document = readFileSync(new URL("../../../docs/rehearsal-table.md", import.meta.url), "utf8");

/** Lines of the document, by plan. */
function linesOf(plan: TableCase["plan"]): string[] {
  const section = document.split(/^## Plan /m).find((part) => part.startsWith(`\`${plan}\``)) ?? "";
  return section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| scenario"));
}

/**
 * Recomputed here, all seeds each: a fault of each kind, both sources, both presets, seen and unseen, and on `steady` one early
 * wave. The rest would take a quarter of an hour: `npx tidegate rehearse --table` recomputes it whole.
 */
const recomputed: readonly TableCase[] = [
  { plan: "rapid", scenario: "error-spike", preset: "web", source: "emf", wavePercent: 25 },
  { plan: "rapid", scenario: "latency-regression", preset: "batch", source: "alb", wavePercent: 5 },
  { plan: "rapid", scenario: "metrics-outage", preset: "web", source: "alb", wavePercent: 5 },
  { plan: "rapid", scenario: "low-traffic", preset: "web", source: "emf" },
  { plan: "steady", scenario: "error-spike", preset: "web", source: "alb", wavePercent: 10 },
  { plan: "steady", scenario: "invariant-violation", preset: "batch", source: "emf", wavePercent: 10 },
];

const aRun: TableRun = {
  exposurePercent: 0,
  hold: "disable",
  pageCount: 1,
  detectionSeconds: 60,
  detectedAtPercent: 5,
  isFalseRollback: false,
};

describe("the rehearsal table in the docs", { timeout: 300_000 }, () => {
  it("has every scenario, preset, source and wave, and every seed", () => {
    for (const plan of ["rapid", "steady"] as const) {
      const cases = tableCases().filter((of) => of.plan === plan);
      const named = linesOf(plan).map((line) => line.split(" | ").slice(0, 4).join(" | "));
      expect(named).toEqual(
        cases.map(({ scenario, preset, source, wavePercent }) =>
          [`| ${scenario}`, preset, source, wavePercent === undefined ? "–" : `${wavePercent} %`].join(" | "),
        ),
      );
      expect(document).toContain(`## Plan \`${plan}\`, seeds 1 to ${tableSeeds[plan]}\n`);
    }
  });

  it('says "cannot be seen here" exactly where arithmetic says so, with its reason [B9]', () => {
    for (const plan of ["rapid", "steady"] as const) {
      const cases = tableCases().filter((of) => of.plan === plan);
      linesOf(plan).forEach((line, index) => {
        const of = cases[index];
        const sight = of && sightOfCase(of);
        if (sight?.isSeen === false) expect(line).toContain(`cannot be seen here: ${sight.reason}`);
        else expect(line).not.toContain("cannot be seen");
      });
    }
  });

  it("is what the rehearsals say, in the rows recomputed here [E3]", async () => {
    const rows = await computeTable({ cases: recomputed, processCount: 0 });
    expect(contradictionsOf(rows)).toEqual([]);
    for (const row of rows) expect(linesOf(row.of.plan)).toContain(renderRow(row));
  });

  it("never has a healthy release lowered", () => {
    for (const plan of ["rapid", "steady"] as const) {
      const healthy = linesOf(plan).filter((line) => line.startsWith("| healthy "));
      expect(healthy).toHaveLength(4);
      for (const line of healthy) expect(line.split(" | ").slice(4, 7)).toEqual(["100 %", "none", "0"]);
    }
  });
});

describe("a row of the table", () => {
  const of: TableCase = { plan: "rapid", scenario: "error-spike", preset: "web", source: "emf", wavePercent: 5 };
  const seen: TableRow = { of, sight: { isSeen: true, alarmKeys: [] }, runs: [aRun, aRun] };

  it("names one value where all seeds agree, and how many have each where they do not", () => {
    expect(renderRow({ ...seen, runs: [aRun, aRun, { ...aRun, exposurePercent: 10, detectionSeconds: 90 }] })).toBe(
      "| error-spike | web | emf | 5 % | 0 % (2×), 10 % (1×) | disable | 1 | 90 s |",
    );
  });

  it("says how many seeds were seen only after the next wave had opened", () => {
    expect(renderRow({ ...seen, runs: [aRun, { ...aRun, detectedAtPercent: 25, detectionSeconds: 500 }] })).toContain(
      "500 s (1 of 2 after the next wave had opened)",
    );
  });

  it("contradicts the arithmetic when it is seen where it cannot be, or not seen where it must be", () => {
    const unseen: TableRow = { of, sight: { isSeen: false, reason: "because" }, runs: [aRun] };
    const missed = { ...seen, runs: [{ ...aRun, detectionSeconds: null, detectedAtPercent: null }] };
    const lowered = { ...seen, runs: [{ ...aRun, isFalseRollback: true }] };
    expect(contradictionsOf([seen])).toEqual([]);
    expect(contradictionsOf([unseen, missed, lowered])).toEqual([
      "rapid error-spike web emf wave 5 seed 1: seen at 5 %, which arithmetic says cannot be (because)",
      "rapid error-spike web emf wave 5 seed 1: not seen, which arithmetic says it must be",
      "rapid error-spike web emf wave 5 seed 1: lowered without a fault",
    ]);
  });
});
