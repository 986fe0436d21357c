/** Reading YAML that a person wrote: a file that cannot be read or parsed is bad input with its place, not a crash. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseDocument } from "yaml";
import type { Problems } from "./problems.ts";

/** Parses YAML text (merge keys as Pulumi has them, unknown tags refused); `undefined` after a problem, each named with its line. `name` stands for the file in messages. */
export function parseYaml(text: string, name: string, problems: Problems): unknown {
  const document = parseDocument(text, { prettyErrors: false, merge: true });
  const complaints = [...document.errors, ...document.warnings];
  for (const error of complaints) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    problems.texts.push(`${name}:${line}: malformed YAML: ${error.message.replace(/\s+/g, " ").replace(/\.$/, "")}`);
  }
  if (complaints.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    problems.texts.push(`${name}: malformed YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
    return undefined;
  }
}

/** Reads and parses a YAML file; `undefined` after a problem. */
export function readYaml(path: string, problems: Problems): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const wrong = code === "ENOENT" ? "no such file" : `cannot be read (${code})`;
    problems.texts.push(`${path}: ${wrong}; expected a YAML file`);
    return undefined;
  }
  return parseYaml(text, basename(path), problems);
}
