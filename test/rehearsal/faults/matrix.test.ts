import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faultKinds } from "../../../rehearsal/faults/kinds.ts";
import { matrixCells, matrixRow, quietRow } from "../../../rehearsal/faults/matrix.ts";
import { renderRow } from "../../../rehearsal/faults/render.ts";
import { openingSteps, rollbackSteps } from "../../../rehearsal/faults/steps.ts";

const document = readFileSync(new URL("../../../docs/fault-matrix.md", import.meta.url), "utf8");
const lines = document.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| step"));

/**
 * Recomputed here: every step with one fault, another one from step to step, and of the steps that a rollback cannot do without all that
 * lasts. `npm run faults -- --check` recomputes the whole.
 */
const essential = ["hook reads the record", "hook reads the alarms", "hook writes the record", "hook writes the rule"];
const cells = matrixCells();
const recomputed = cells.filter(({ step, kind }, index) => {
  const place = Math.floor(index / faultKinds.length);
  const isItsTurn = faultKinds.indexOf(kind) === (place * 3) % faultKinds.length;
  return isItsTurn || (essential.includes(step.title) && (kind === "5xx" || kind === "access denied"));
});

describe("the fault matrix in the docs", { timeout: 180_000 }, () => {
  it("has every step of an opening and of a rollback with every fault, and a run without one", () => {
    expect(openingSteps).toHaveLength(14);
    expect(rollbackSteps).toHaveLength(16);
    const named = lines.map((line) =>
      line
        .split(" | ")
        .slice(0, 2)
        .join(" | ")
        .replace(/ \((before|after|fast|slow)\)$/, ""),
    );
    const expected = cells.map(
      ({ step, kind }) => `| ${step.title} | ${kind === "wrong answer" ? `wrong answer: ${step.lieText}` : kind}`,
    );
    expect(named.filter((name) => name !== "| – | none")).toEqual(expected);
    expect(named.filter((name) => name === "| – | none")).toHaveLength(2);
  });

  it("breaks no promise in any cell: exposure ends at its target, people are told, nothing is left to mend [B2, B5, D4]", () => {
    expect(lines.filter((line) => line.includes("BROKEN"))).toEqual([]);
  });

  it("meets the step in every cell", () => {
    const unmet = lines.filter((line) => line.includes("the step was not met") && !line.startsWith("| – | none"));
    expect(unmet).toEqual([]);
  });

  it("wakes somebody in every cell of a rollback [D4]", () => {
    const rollback = document
      .split("## A rollback")[1]
      ?.split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| step"));
    expect(rollback).toHaveLength(16 * faultKinds.length + 1);
    for (const line of rollback ?? []) expect(line.split(" | ")[6], line).not.toBe("-");
  });

  it("is what the runs say, in the cells recomputed here [E3]", async () => {
    for (const of of ["opening", "rollback"] as const) expect(lines).toContain(renderRow(await quietRow(of)));
    for (const place of recomputed) {
      const row = await matrixRow(place);
      expect(lines).toContain(renderRow(row));
    }
  });
});
