/** What a kill loads before its call: every package is time at 3 a.m., and Pulumi alone is a second [B4]. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Modules that a file loads when it is loaded itself: no types, nothing that is imported later. */
function loadedBy(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const isLoading =
      (ts.isImportDeclaration(statement) && !statement.importClause?.isTypeOnly) ||
      (ts.isExportDeclaration(statement) && !statement.isTypeOnly);
    const specifier = isLoading ? statement.moduleSpecifier : undefined;
    return specifier && ts.isStringLiteral(specifier) ? [specifier.text] : [];
  });
}

/** Everything that is loaded with the entries: files of ours, and packages. */
function closure(entries: readonly string[]): { readonly files: string[]; readonly packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of loadedBy(file)) {
      if (specifier.startsWith(".")) waiting.push(relative(root, join(root, dirname(file), specifier)));
      else packages.add(specifier);
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

describe("what is loaded before a kill's call", () => {
  it("is commander, files of cli and core; no zod, YAML, Pulumi, rehearsal or AWS adapter [B4]", () => {
    const { files, packages } = closure(["cli/tidegate.ts", "cli/kill.ts", "cli/aws-place.ts"]);
    expect(packages).toEqual(["commander", "node:crypto", "node:fs", "node:path", "node:readline/promises"]);
    expect(files.filter((file) => !/^(cli|core)\//.test(file))).toEqual([]);
    expect(files.length).toBeLessThan(30);
  });

  it("is seen through files that import files", () => {
    const { files, packages } = closure(["hooks/aws/record-store.ts"]);
    expect(packages).toContain("@aws-sdk/client-dynamodb");
    expect(files).toContain("hooks/aws/record-schema.ts");
    expect(packages.some((name) => name.startsWith("zod"))).toBe(true);
  });
});

describe("the command's entry", () => {
  it.each([
    ["silences the SDK's notice on Node 20", undefined, "true"],
    ["leaves it to who wants it", "false", "false"],
  ])("%s [B11]", (_what, before, after) => {
    const name = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";
    const { [name]: _, ...inherited } = process.env;
    const script = `process.on("exit", () => console.error("found " + process.env.${name})); process.argv.push("--version"); await import("./cli/tidegate.mjs");`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: root,
      encoding: "utf8",
      env: before === undefined ? inherited : { ...inherited, [name]: before },
      timeout: 20_000,
    });
    expect(stderr.trim().split("\n").at(-1)).toBe(`found ${after}`);
  });
});
