/** The files that `init` writes: what is there already, what would change, and never over anything unless told so. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";

/** A file as it is to be. */
export interface PlannedFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly text: string;
  /** What is there now; absent: nothing. */
  readonly before?: string;
}

/** Where this very Tidegate lies. */
export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

export function planned(directory: string, name: string, text: string): PlannedFile {
  const before = readIfThere(join(directory, name));
  return { name, text, ...(before === undefined ? {} : { before }) };
}

export function writeFiles(directory: string, files: readonly PlannedFile[]): void {
  for (const { name, text } of files) writeFileSync(join(directory, name), text);
}

/**
 * The program that Pulumi runs in the folder: the installed one, by path. One file is enough: a program of one's own would have to be
 * an ES module beside a `tsx` of its own, and would say nothing that the stack file does not.
 */
export function programFiles(
  directory: string,
  root: string = packageRoot,
): {
  readonly files: readonly PlannedFile[];
  readonly install: readonly string[];
  readonly problems: readonly string[];
} {
  const nothing = { files: [], install: [], problems: [] };
  const existing = readIfThere(join(directory, "Pulumi.yaml"));
  if (existing !== undefined) {
    const name: unknown = parseDocument(existing, { logLevel: "silent" }).get("name");
    if (name === "tidegate") return nothing;
    return {
      ...nothing,
      problems: [
        `Pulumi.yaml: another project, got name ${JSON.stringify(name ?? null)}; expected tidegate, the name that the stack file's keys belong to. Run this in a folder of its own`,
      ],
    };
  }
  const installed = installedIn(directory);
  if (installed === undefined && basename(dirname(root)) === "node_modules") {
    return {
      ...nothing,
      problems: [
        `tidegate: not installed in this folder, got ${root}; expected node_modules/tidegate here or above. Run npm install with what you ran this from, then this again`,
      ],
    };
  }
  const base = installed ?? join("node_modules", "tidegate");
  const own = readFileSync(join(root, "Pulumi.yaml"), "utf8");
  const files = [planned(directory, "Pulumi.yaml", projectText(own, `${slashed(base)}/stacks/index.ts`))];
  if (installed !== undefined) return { files, install: [], problems: [] };
  const source = `file:${slashed(relative(directory, root)) || "."}`;
  if (existsSync(join(directory, "package.json"))) return { files, install: [`npm install ${source}`], problems: [] };
  const manifest = { private: true, type: "module", dependencies: { tidegate: source } };
  return {
    files: [...files, planned(directory, "package.json", `${JSON.stringify(manifest, null, 2)}\n`)],
    install: ["npm install"],
    problems: [],
  };
}

/** Our own project file with another entry; everything else it says must hold here too. */
function projectText(own: string, main: string): string {
  const text = own.replace(
    /^main: .*$/m,
    `main: ${main} # the installed program; what it declares is in Pulumi.<stack>.yaml`,
  );
  if (text === own) throw new Error("Pulumi.yaml: expected a line main: in the project file of tidegate itself");
  return text;
}

/** Path of the package from the folder, if it is installed there or above. */
function installedIn(directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", "tidegate");
    if (existsSync(join(candidate, "stacks", "index.ts"))) return relative(directory, candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

/** The policy pack of the Tidegate that the folder runs, as `--policy-pack` takes it. */
export function packFolder(directory: string): string {
  const installed = installedIn(directory);
  if (installed === undefined && relative(directory, packageRoot) === "") return "policies";
  return `${slashed(installed ?? join("node_modules", "tidegate"))}/policies`;
}

const slashed = (path: string) => path.replaceAll("\\", "/");

/** What would change, a line each; `+` new, `-` gone. */
export function diffText({ name, text, before }: PlannedFile): string[] {
  if (before === text) return [`  ${name}: unchanged`];
  const [old, next] = [before === undefined ? [] : lines(before), lines(text)];
  return [`--- ${before === undefined ? "nothing" : name}`, `+++ ${name}`, ...changes(old, next)];
}

const lines = (text: string) => text.replace(/\n$/, "").split("\n");

/** Longest common lines stay; files here have some dozens. */
function changes(old: readonly string[], next: readonly string[]): string[] {
  const width = next.length + 1;
  const common = new Array<number>((old.length + 1) * width).fill(0);
  const at = (left: number, right: number) => common[left * width + right] ?? 0;
  for (let left = old.length - 1; left >= 0; left--) {
    for (let right = next.length - 1; right >= 0; right--) {
      common[left * width + right] =
        old[left] === next[right] ? at(left + 1, right + 1) + 1 : Math.max(at(left + 1, right), at(left, right + 1));
    }
  }
  const out: string[] = [];
  let [left, right] = [0, 0];
  while (left < old.length || right < next.length) {
    if (left < old.length && right < next.length && old[left] === next[right]) {
      out.push(`  ${old[left]}`);
      left++;
      right++;
    } else if (left < old.length && (right >= next.length || at(left + 1, right) >= at(left, right + 1))) {
      out.push(`- ${old[left++]}`);
    } else out.push(`+ ${next[right++]}`);
  }
  return out;
}
