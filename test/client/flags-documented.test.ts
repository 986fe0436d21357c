/** The examples of docs/flags.md: every one compiles, and those that need nothing else print what is said. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFlagDocument } from "../../client/flags/document.ts";
import { compileProblems, documentedPage } from "./documented-page.ts";

const { page, blocks, folder, examples } = documentedPage("docs/flags.md");

function printed(index: number): string {
  const run = spawnSync(process.execPath, ["--import", "tsx/esm", examples[index]?.file ?? ""], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  return run.stdout + run.stderr;
}

describe("docs/flags.md", () => {
  it("has examples that compile as they stand [A6]", () => {
    expect(compileProblems(examples)).toEqual([]);
    expect(examples).toHaveLength(4);
  }, 60_000);

  it("says the buckets that come out, under tsx as under plain Node [A5]", () => {
    expect(printed(0)).toBe("79\nfalse\ntrue\n");
  }, 60_000);

  it("has a provider that runs with the document of the page [A6]", () => {
    const [document = ""] = blocks("json");
    expect(readFlagDocument(document)).toEqual(
      new Map([["batch-patches-v1", { isEnabled: true, exposurePercent: 25 }]]),
    );
    writeFileSync(join(folder, ".feature-flags.json"), document);
    expect(printed(3)).toBe("false\n");
  }, 60_000);

  it("says the buckets that Python makes with the line of the page [A5]", (context) => {
    const [, line = ""] = /In Python that is `([^`]+)`/.exec(page) ?? [];
    const run = spawnSync("python3", ["-c", `import hashlib\nid = "user-1"\nprint(${line})`], { encoding: "utf8" });
    if (run.error) context.skip(`python3 cannot be started: ${run.error.message}`);
    expect([run.stdout, run.stderr]).toEqual(["79\n", ""]);
  });
});
