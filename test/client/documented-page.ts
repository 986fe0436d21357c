/** A page of docs with its code, each TypeScript example as a file that can be compiled and run. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll } from "vitest";

export const root = join(import.meta.dirname, "../..");

export interface Example {
  readonly index: number;
  readonly file: string;
  /** As the page has it. */
  readonly code: string;
}

/** @param change what else has to be otherwise for an example to run here */
export function documentedPage(path: string, change: (code: string) => string = (code) => code) {
  const page = readFileSync(join(root, path), "utf8");
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code ?? "");
  mkdirSync(join(root, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, ".tmp/documented-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const examples = blocks("ts").map((code, index): Example => {
    const file = join(folder, `example-${index}.mts`);
    // `tidegate/client/express` is the file of that name.
    const resolved = code.replaceAll(
      /from "tidegate\/client(?:\/([\w-]+))?"/g,
      (_, name: string | undefined) => `from "../../client/${name ?? "metrics"}.ts"`,
    );
    writeFileSync(file, `${change(resolved)}\nexport {};\n`);
    return { index, file, code };
  });
  return { page, blocks, folder, examples };
}

/** What the compiler says of them, as strict as of the project's own code. */
export function compileProblems(examples: readonly Example[]): string[] {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root);
  const program = ts.createProgram(
    examples.map(({ file }) => file),
    options,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}
