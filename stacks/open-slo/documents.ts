/**
 * OpenSLO v1 documents as they come out of a YAML stream: each of a known kind, with no field that the specification has not, and found
 * again by its name. What they mean for a service is `import.ts`.
 *
 * Source: OpenSLO specification v1, README of OpenSLO/OpenSLO, read 2026-11.
 */
import { z } from "zod";
import {
  checkFields,
  isMap,
  leaf,
  listText,
  type Path,
  Problems,
  text,
  unknownWord,
  word,
} from "../config/problems.ts";

export const apiVersion = "openslo/v1";
export const kinds = [
  "DataSource",
  "SLO",
  "SLI",
  "AlertPolicy",
  "AlertCondition",
  "AlertNotificationTarget",
  "Service",
] as const;
export type Kind = (typeof kinds)[number];

/** Annotations that hold what OpenSLO cannot say, by the kind of object that has them; each value is YAML or JSON. */
export const annotationPrefix = "tidegate.dev/";
export const annotations = {
  /** Of an SLO: name, indicator, bounds and floors of the objective, as config has them. */
  objective: `${annotationPrefix}objective`,
  /** Of a Service: all its objectives in order; those that are SLOs by name alone. */
  objectives: `${annotationPrefix}objectives`,
  /** Of a Service: its metric source. */
  source: `${annotationPrefix}source`,
  /** Of a Service: `off`, where the budget is not watched. */
  burnRate: `${annotationPrefix}burn-rate`,
  /** Of an AlertCondition: the second window, in which the budget must burn as fast. */
  shortWindow: `${annotationPrefix}short-window`,
} as const;
const annotationsOf: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  SLO: [annotations.objective],
  Service: [annotations.objectives, annotations.source, annotations.burnRate],
  AlertCondition: [annotations.shortWindow],
};

/** One object, whether it is a document of its own or inside another. */
export interface OpenSloObject {
  readonly kind: Kind;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Where it is in its document: empty for the document itself. */
  readonly path: Path;
  /** Of its document. */
  readonly problems: Problems;
}

const objectName = leaf(z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/), {
  wrong: "not a name of an object",
  expected: "at most 63 lower-case letters, digits and inner hyphens",
});
const anyText = leaf(z.string(), { wrong: "must be a text", expected: "a text" });
export const description = leaf(z.string().max(1_050), {
  wrong: "must be a text",
  expected: "at most 1050 characters",
}).optional();

const metadataFields = {
  name: objectName,
  displayName: anyText.optional(),
  labels: z.unknown(),
  annotations: z.unknown(),
};

function readAnnotations(raw: unknown, kind: Kind, path: Path, problems: Problems): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: "a map from key to text" }, raw);
    return {};
  }
  const known = annotationsOf[kind] ?? [];
  const read: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (key.startsWith(annotationPrefix) && !known.includes(key)) {
      problems.add([...path, key], unknownWord(key, known, `unknown annotation of a ${kind}`));
    } else if (typeof value !== "string") {
      problems.add([...path, key], { wrong: "must be a text", expected: "a text" }, value);
    } else read[key] = value;
  }
  return read;
}

/** Reads name, annotations and spec of an object, the fields of its spec excepted; `undefined` after a problem. */
export function readObject(raw: unknown, kind: Kind, path: Path, problems: Problems): OpenSloObject | undefined {
  const inner = path.length > 0;
  const fields = checkFields(
    {
      apiVersion: inner ? word([apiVersion], "another version of OpenSLO").optional() : z.unknown(),
      kind: inner ? word([kind], "another kind of object").optional() : z.unknown(),
      metadata: z.unknown(),
      spec: z.unknown(),
    },
    raw,
    path,
    problems,
  ) as Readonly<Record<string, unknown>>;
  if (!isMap(raw)) return undefined;
  const metadata = checkFields(metadataFields, fields.metadata, [...path, "metadata"], problems);
  const read = readAnnotations(metadata.annotations, kind, [...path, "metadata", "annotations"], problems);
  // A service may say nothing of itself.
  const spec = fields.spec ?? (kind === "Service" ? {} : undefined);
  if (!isMap(spec)) {
    problems.add(
      [...path, "spec"],
      { wrong: spec === undefined ? "missing" : "must be a map", expected: "a map" },
      spec,
    );
    return undefined;
  }
  return { kind, name: metadata.name ?? "", annotations: read, spec, path, problems };
}

/** All documents of a stream, by kind and name. */
export class Documents {
  readonly all: readonly OpenSloObject[];
  readonly #problems: readonly { readonly label: string; readonly problems: Problems }[];

  constructor(values: readonly unknown[], file: string) {
    const labelled: { label: string; problems: Problems }[] = [];
    const seen = new Set<string>();
    this.all = values.flatMap((value, index): OpenSloObject[] => {
      const problems = new Problems();
      labelled.push({ label: `${file}, document ${index + 1}${calledOf(value)}`, problems });
      const kind = kindOf(value, problems);
      const object = kind && readObject(value, kind, [], problems);
      if (!object) return [];
      const key = `${object.kind}/${object.name}`;
      if (object.name !== "" && seen.has(key)) {
        problems.add(
          ["metadata", "name"],
          { wrong: `a second ${object.kind} of the name`, expected: "one" },
          object.name,
        );
      }
      seen.add(key);
      return [object];
    });
    this.#problems = labelled;
  }

  of(kind: Kind): readonly OpenSloObject[] {
    return this.all.filter((object) => object.kind === kind);
  }

  /** The object that another one names; `undefined` after a problem. */
  named(kind: Kind, name: unknown, path: Path, problems: Problems): OpenSloObject | undefined {
    const found = this.of(kind).find((object) => object.name === name);
    if (!found) {
      const names = this.of(kind).map((object) => object.name);
      const expected = names.length === 0 ? "one in the same file" : listText(names);
      problems.add(path, { wrong: `no ${kind} of that name`, expected }, name ?? undefined);
    }
    return found;
  }

  /** Every problem, each with its document. */
  get problemTexts(): readonly string[] {
    return this.#problems.flatMap(({ label, problems }) =>
      // What two others name is read twice.
      [...new Set(problems.texts)].map((problem) => `${label}: ${problem}`),
    );
  }
}

/** What a document calls itself, as far as it does. */
function calledOf(value: unknown): string {
  const name = isMap(value) && isMap(value.metadata) ? value.metadata.name : undefined;
  const kind = isMap(value) ? value.kind : undefined;
  return typeof kind === "string" && typeof name === "string" ? ` (${kind.slice(0, 63)} ${name.slice(0, 63)})` : "";
}

const someText = text(/\S/, { wrong: "must be a text", expected: "a text" });

function kindOf(value: unknown, problems: Problems): Kind | undefined {
  if (!isMap(value)) {
    problems.add(["apiVersion"], { wrong: "no OpenSLO document", expected: `a map with apiVersion: ${apiVersion}` });
    return undefined;
  }
  const version = checkFields({ apiVersion: someText }, { apiVersion: value.apiVersion }, [], problems).apiVersion;
  if (version !== undefined && version !== apiVersion) {
    const complaint = { wrong: "another version of OpenSLO", expected: apiVersion };
    problems.add(["apiVersion"], complaint, value.apiVersion);
  }
  return checkFields({ kind: word(kinds, "unknown kind") }, { kind: value.kind }, [], problems).kind;
}
