/** docs/gate-calibration.md was printed by `npm run bench -- calibration`: one row of each table is drawn anew here, with fewer seeds. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lookEnds } from "../../../bench/calibration/rollout.ts";
import { badCases, badRow, healthyRow, sizeCases, sizeRow } from "../../../bench/calibration/tables.ts";
import type { Share } from "../../../bench/calibration/wilson.ts";

const page = readFileSync(new URL("../../../docs/gate-calibration.md", import.meta.url), "utf8");

/** Cells of the rows under a heading. */
function rowsUnder(heading: string): string[][] {
  const [, after = ""] = page.split(`### ${heading}\n`);
  const [section = ""] = after.split("\n#");
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function rowOf(heading: string, ...keys: readonly string[]): string[] {
  const row = rowsUnder(heading).find((cells) => keys.every((key, place) => cells[place] === key));
  if (!row) throw new Error(`${heading}: no row ${keys.join(", ")}`);
  return row;
}

/** `0.25 % (0.01 to 1.4)`. Unit: fractions. */
function intervalOf(cell: string | undefined): { low: number; high: number } {
  const [, low, high] = /\((\S+) to (\S+)\)/.exec(cell ?? "") ?? [];
  if (low === undefined || high === undefined) throw new Error(`no interval in ${cell}`);
  return { low: Number(low) / 100, high: Number(high) / 100 };
}

function overlaps({ low, high }: Share, cell: string | undefined): boolean {
  const told = intervalOf(cell);
  return low <= told.high && told.low <= high;
}

describe("tables of the gate's calibration", () => {
  it("stop at most 1 % of healthy rollouts, by every row of the page", () => {
    const rows = [...rowsUnder("Healthy releases"), ...rowsUnder("Healthy releases, all samples")];
    const over = rows.filter(([, , , , stopped = ""]) => Number.parseFloat(stopped) > 1);
    expect([rows.length, over]).toEqual([24, []]);
  });

  it("say of healthy releases what fewer seeds say", () => {
    const row = healthyRow({ plan: "rapid", source: "alb", ratePerSecond: 500 }, 60);
    const keys = ["rapid", "alb", "500"] as const;
    expect(overlaps(row.blocked, rowOf("Healthy releases", ...keys)[4])).toBe(true);
    expect(overlaps(row.undecidedAtFirst, rowOf("Too little to tell", ...keys)[3])).toBe(true);
  });

  it("say of sizes what the formula says now, and what fewer soaks show", () => {
    const [of] = sizeCases().filter(
      ({ baseFraction, gammaShape, power }) => baseFraction === 0.001 && gammaShape === 1 && power === 0.95,
    );
    if (!of) throw new Error("no such size");
    const row = sizeRow(of, 60);
    const told = rowOf("Requests that it takes", "0.1 %", "100 %", "2 %", "95 %");
    expect(told[4]).toBe(String(row.requests));
    expect(overlaps(row.seen, told[5])).toBe(true);
  });

  it("never promise more power than the simulated soaks show", () => {
    const weak = rowsUnder("Requests that it takes").filter(
      (cells) => intervalOf(cells[5]).high < Number.parseFloat(cells[3] ?? "") / 100,
    );
    expect(weak).toEqual([]);
  });

  it("say of bad releases what fewer seeds say", () => {
    const [bad] = badCases.filter(({ what }) => what === "errors × 200");
    if (!bad) throw new Error("no such release");
    expect(overlaps(badRow("rapid", 50, bad, 40), rowOf("Bad releases", "errors × 200")[2])).toBe(true);
  });
});

describe("looks that the calibration asks at", () => {
  it("are all of four soaks, each once", () => {
    const ends = lookEnds(0, 60);
    expect(ends.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(ends.map(({ endsAt }) => endsAt)).toEqual([
      3_600_000, 4_500_000, 5_625_000, 7_031_250, 8_789_062, 10_986_328, 13_732_910,
    ]);
  });
});
