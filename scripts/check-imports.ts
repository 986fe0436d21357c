/**
 * Checks the direction of imports between folders: what may import what, in one table.
 * Run by `npm run check`; exits 1 and names every arrow that points the wrong way.
 */
import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { globSync } from "tinyglobby";
import ts from "typescript";

const root = join(import.meta.dirname, "..");

/** Folder → folders of ours that it may import from (its own always). */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  client: [],
  hooks: ["core"],
  infra: ["core", "components"],
  components: ["core"],
  stacks: ["core", "components", "infra", "hooks", "reports"],
  policies: ["core"],
  // Reads what hook and commands read; nothing that decides or lowers may depend on it.
  reports: ["core", "hooks"],
  rehearsal: ["core", "components", "infra", "hooks", "stacks", "policies"],
  // Recorded metrics through the rehearsal's evaluator: alarms as the components declare them.
  backtest: ["core", "components", "rehearsal"],
  cli: ["core", "components", "infra", "hooks", "stacks", "rehearsal", "policies", "reports", "backtest"],
  bench: ["core", "client", "components", "hooks", "stacks", "rehearsal", "cli"],
};

/** Single files that may do more than their folder, each with its reason. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // The exported component builds the AWS guard; everything else in components knows the guard only as a function.
  "components/aws-guard.ts": ["hooks"],
};

/** Packages that no file of the folder may load: core decides, it does not reach out; an application that has the client gets nothing else. */
const forbiddenPackages: Readonly<Record<string, RegExp>> = {
  core: /^(@pulumi\/|@aws-sdk\/|node:(?!crypto$))/,
  hooks: /^@pulumi\//,
  client: /^(?!node:)/,
};

/** Every arrow of one file that points the wrong way. */
function wrongArrows(file: string, source: string): string[] {
  const folder = file.split("/")[0] ?? "";
  const may = new Set([folder, ...(allowed[folder] ?? []), ...(exceptions[file] ?? [])]);
  const wrong: string[] = [];
  for (const { fileName: specifier } of ts.preProcessFile(source, true, true).importedFiles) {
    if (specifier.startsWith(".")) {
      const target = normalize(join(dirname(file), specifier));
      const targetFolder = target.split("/")[0] ?? "";
      if (!may.has(targetFolder)) {
        wrong.push(
          `${file}: imports ${target}; ${folder} may import from ${[...may].join(", ")}. Move the code, or pass it in`,
        );
      }
    } else if (forbiddenPackages[folder]?.test(specifier)) {
      wrong.push(`${file}: imports ${specifier}, which ${folder} may not load. Take it in as a port`);
    }
  }
  return wrong;
}

const files = globSync(
  Object.keys(allowed).map((folder) => `${folder}/**/*.ts`),
  { cwd: root },
);
const wrong = files.flatMap((file) =>
  wrongArrows(relative(root, join(root, file)), readFileSync(join(root, file), "utf8")),
);
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`imports: ${files.length} files, all arrows point the right way`);
