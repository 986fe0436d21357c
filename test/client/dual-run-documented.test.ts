/** The examples of docs/dual-run.md compile as they stand and print what the page says; its figures have the rows of the command that it names. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { maximumDepth, maximumValues } from "../../client/dual-run/kinds.ts";
import { nothingSkipped } from "./dual-run-pair.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/dual-run.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code ?? "");

mkdirSync(join(root, ".tmp"), { recursive: true });
const folder = mkdtempSync(join(root, ".tmp/dual-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `tidegate/client/dual-run` is the file of that name. */
const files = blocks("ts").map((code, index) => {
  const file = join(folder, `example-${index}.mts`);
  const resolved = code.replaceAll(
    /from "tidegate\/client(?:\/([\w-]+))?"/g,
    (_, name: string | undefined) => `from "../../client/${name ?? "metrics"}.ts"`,
  );
  writeFileSync(file, `${resolved}\nexport {};\n`);
  return file;
});

function printed(file = ""): string[] {
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx/esm", file], {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? "", TIDEGATE_RELEASE: "2-4-0-1a2b3c4d" },
  });
  return stdout.split("\n").filter((line) => line !== "");
}

describe("docs/dual-run.md", () => {
  it("has examples that compile as they stand [A9]", () => {
    const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root);
    const problems = ts
      .getPreEmitDiagnostics(ts.createProgram(files, options))
      .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    expect([problems, files.length]).toEqual([[], 2]);
  }, 60_000);

  it("has examples that do what it says [A9]", () => {
    const [total] = printed(files[0]);
    expect(total).toBe("370");
    const [status, line] = printed(files[1]);
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
