/** Reading YAML that a person wrote: a file that cannot be read or parsed is bad input with its place, not a crash. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseAllDocuments, parseDocument, type YAMLError } from "yaml";
import { messageOf } from "../../core/error-message.ts";
import type { Problems } from "./problems.ts";

interface Parsed {
  readonly errors: readonly YAMLError[];
  readonly warnings: readonly YAMLError[];
  toJS(options: { maxAliasCount: number }): unknown;
}

/** Plain data of one document; `undefined` after a problem. */
function plain(document: Parsed, text: string, name: string, problems: Problems): unknown {
  const complaints = [...document.errors, ...document.warnings];
  for (const error of complaints) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    problems.texts.push(`${name}:${line}: malformed YAML: ${error.message.replace(/\s+/g, " ").replace(/\.$/, "")}`);
  }
  if (complaints.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    problems.texts.push(`${name}: malformed YAML: ${messageOf(cause)}`);
    return undefined;
  }
}

const options = { prettyErrors: false, merge: true } as const;

/** Parses YAML text (merge keys as Pulumi has them, unknown tags refused); `undefined` after a problem, each named with its line. `name` stands for the file in messages. */
export function parseYaml(text: string, name: string, problems: Problems): unknown {
  return plain(parseDocument(text, options), text, name, problems);
}

function readText(path: string, problems: Problems): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const wrong = code === "ENOENT" ? "no such file" : `cannot be read (${code})`;
    problems.texts.push(`${path}: ${wrong}; expected a YAML file`);
    return undefined;
  }
}

/** Reads and parses a YAML file; `undefined` after a problem. */
export function readYaml(path: string, problems: Problems): unknown {
  const text = readText(path, problems);
  return text === undefined ? undefined : parseYaml(text, basename(path), problems);
}

/** Reads a file of several YAML documents, empty ones left out; `undefined` after a problem. */
export function readYamlStream(path: string, problems: Problems): readonly unknown[] | undefined {
  const text = readText(path, problems);
  if (text === undefined) return undefined;
  const before = problems.texts.length;
  const values = [...parseAllDocuments(text, options)].map((document) =>
    plain(document, text, basename(path), problems),
  );
  const written = values.filter((value) => value !== null && value !== undefined);
  if (problems.texts.length === before && written.length === 0) {
    problems.texts.push(`${basename(path)}: nothing in it; expected YAML documents`);
  }
  return problems.texts.length > before ? undefined : written;
}
