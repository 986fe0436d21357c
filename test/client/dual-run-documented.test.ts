/** The examples of docs/dual-run.md compile as they stand and print what the page says; its figures have the rows of the command that it names. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { maximumDepth, maximumValues } from "../../client/dual-run/kinds.ts";
import { compileProblems, documentedPage, root } from "./documented-page.ts";
import { nothingSkipped } from "./dual-run-pair.ts";

const { page, blocks, examples } = documentedPage("docs/dual-run.md");

function printed(index: number): string[] {
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx/esm", examples[index]?.file ?? ""], {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? "", TIDEGATE_RELEASE: "2-4-0-1a2b3c4d" },
  });
  return stdout.split("\n").filter((line) => line !== "");
}

describe("docs/dual-run.md", () => {
  it("has examples that compile as they stand [A9]", () => {
    expect([compileProblems(examples), examples.length]).toEqual([[], 2]);
  }, 60_000);

  it("has examples that do what it says [A9]", () => {
    const [total] = printed(0);
    expect(total).toBe("370");
    const [status, line] = printed(1);
    expect(JSON.parse(status ?? "")).toEqual({
      agreed: 0,
      mismatched: 1,
      fallbacks: 0,
      notCompared: nothingSkipped,
      overruns: 0,
      untold: 1,
      isPaused: false,
      isOver: false,
    });
    expect(JSON.parse(line ?? "")).toMatchObject({ DualRuns: 1, DualRunFailures: 1 });
  }, 120_000);

  it("names the bounds and every reason that there are [A9]", () => {
    expect(page).toContain(`within ${maximumValues.toLocaleString("en")} values and ${maximumDepth} levels`);
    expect(Object.keys(nothingSkipped).filter((reason) => !page.includes(`\`${reason}\``))).toEqual([]);
  });

  it("has the rows of the bench, with figures [A9]", () => {
    const bench = readFileSync(join(root, "bench/dual-run.ts"), "utf8");
    const rows = (blocks("text")[0] ?? "").trimEnd().split("\n");
    expect(rows).toHaveLength(8);
    const titles = rows.map((row) => row.slice(0, 62).trimEnd());
    expect(titles.slice(0, 4).filter((title) => !bench.includes(`"${title}"`))).toEqual([]);
    expect(rows.filter((row) => !/ \d+\.\d (ns|µs)$/.test(row))).toEqual([]);
  });
});
