/** The examples of docs/flags.md: every one compiles, and those that need nothing else print what is said. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { readFlagDocument } from "../../client/flags/document.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/flags.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code ?? "");

mkdirSync(join(root, ".tmp"), { recursive: true });
const folder = mkdtempSync(join(root, ".tmp/flags-documented-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = blocks("ts").map((code, index) => {
  const file = join(folder, `example-${index}.mts`);
  const resolved = code.replaceAll(
    /from "tidegate\/client(?:\/([\w-]+))?"/g,
    (_, name: string | undefined) => `from "../../client/${name ?? "metrics"}.ts"`,
  );
  writeFileSync(file, `${resolved}\nexport {};\n`);
  return file;
});

function printed(file: string): string {
  const run = spawnSync(process.execPath, ["--import", "tsx/esm", file], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  return run.stdout + run.stderr;
}

describe("docs/flags.md", () => {
  it("has examples that compile as they stand [A6]", () => {
    const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root);
    const problems = ts
      .getPreEmitDiagnostics(ts.createProgram(examples, options))
      .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    expect(problems).toEqual([]);
    expect(examples).toHaveLength(4);
  }, 60_000);

  it("says the buckets that come out, under tsx as under plain Node [A5]", () => {
    expect(printed(examples[0] ?? "")).toBe("79\nfalse\ntrue\n");
  }, 60_000);

  it("has a provider that runs with the document of the page [A6]", () => {
    const [document = ""] = blocks("json");
    expect(readFlagDocument(document)).toEqual(
      new Map([["batch-patches-v1", { isEnabled: true, exposurePercent: 25 }]]),
    );
    writeFileSync(join(folder, ".feature-flags.json"), document);
    expect(printed(examples[3] ?? "")).toBe("false\n");
  }, 60_000);

  it("says the buckets that Python makes with the line of the page [A5]", (context) => {
    const [, line = ""] = /In Python that is `([^`]+)`/.exec(page) ?? [];
    const run = spawnSync("python3", ["-c", `import hashlib\nid = "user-1"\nprint(${line})`], { encoding: "utf8" });
    if (run.error) context.skip(`python3 cannot be started: ${run.error.message}`);
    expect([run.stdout, run.stderr]).toEqual(["79\n", ""]);
  });
});
