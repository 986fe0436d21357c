/**
 * How everything a person wrote is checked: zod schemas whose every failure says what is wrong, what was got, what is expected
 * and one way out. Nothing stops at the first problem, and a field that is fine is handed on even where its neighbour is not,
 * so that later checks still run on it.
 */
import { z } from "zod";
import { BadInputError } from "../../core/bad-input.ts";

export type Path = readonly (string | number)[];

/** One complaint about one value. */
export interface Complaint {
  readonly wrong: string;
  readonly expected?: string;
  readonly wayOut?: string;
}

/** `services.checkout.plan.waves[1].soak`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[\w:-]+$/.test(part)) return `["${part}"]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}

/** `a, b or c`. */
export function listText(items: readonly (string | number)[], last = "or"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

/** A value as messages show it: short, and never the inside of a structure. */
export function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "object") return "a map";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 140 ? `${text.slice(0, 139)}…` : text;
}

/** Edits between two words, a swap of neighbours counting as one (optimal string alignment). */
function distance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[right.length] ?? 0;
}

/** The known word nearest to a mistyped one, if it is near at all. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 4));
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.edits - right.edits);
  return ranked[0] && ranked[0].edits <= allowed ? ranked[0].candidate : undefined;
}

/** Complaint about a word that is none of the known ones. */
export function unknownWord(word: string, known: readonly string[], wrong: string): Complaint {
  const near = nearest(word, known);
  const meant = near ? { wayOut: `Did you mean ${near}?` } : {};
  return { wrong, expected: known.length > 1 ? listText(known) : (known[0] ?? "nothing"), ...meant };
}

/** Collects every problem of one input. */
export class Problems {
  readonly texts: string[] = [];
  readonly #hidden: (path: string) => boolean;
  readonly #settled: string[] = [];

  /** `hidden` says at which paths a value may be a secret; it is never shown there. */
  constructor(hidden: (path: string) => boolean = () => false) {
    this.#hidden = hidden;
  }

  /** `got` is shown only where it is given: a missing value has none, and a secret never does. */
  add(path: Path, complaint: Complaint, got?: unknown): void {
    const place = pathText(path);
    if (
      this.#settled.some(
        (settled) => place === settled || (/^[.[]/.test(place.slice(settled.length)) && place.startsWith(settled)),
      )
    )
      return;
    const shown = this.#hidden(place) ? "a value not shown here" : valueText(got);
    this.texts.push(
      `${place}: ${complaint.wrong}${got === undefined ? "" : `, got ${shown}`}` +
        `${complaint.expected ? `; expected ${complaint.expected}` : ""}${complaint.wayOut ? `. ${complaint.wayOut}` : ""}`,
    );
  }

  /** The last word on a value: what is found in it or under it afterwards is not added. */
  settle(path: Path, complaint: Complaint): void {
    this.add(path, complaint);
    this.#settled.push(pathText(path));
  }

  /** @throws BadInputError when there is any problem; the heading is given their number: `2 problems` */
  throwIfAny(heading: (count: string) => string): void {
    if (this.texts.length === 0) return;
    const count = `${this.texts.length} problem${this.texts.length === 1 ? "" : "s"}`;
    throw new BadInputError(heading(count), this.texts);
  }
}

/** A schema for one value whose every failure is the given complaint; `missing` replaces its `wrong` where nothing was given. */
export function leaf<T>(schema: z.ZodType<T>, complaint: Complaint | ((value: unknown) => Complaint)): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const said = typeof complaint === "function" ? complaint(value) : complaint;
    const params = value === undefined || value === null ? { ...said, wrong: "missing" } : said;
    context.addIssue({ code: "custom", params: { ...params } });
    return z.NEVER;
  });
}

/** A whole number in a range; both ends included. `unit` is part of the message. */
export function wholeNumber(minimum: number, maximum: number, unit = ""): z.ZodType<number> {
  return leaf(z.number().int().min(minimum).max(maximum), {
    wrong: unit ? `must be a whole number of ${unit}` : "must be a whole number in range",
    expected: `${minimum} to ${maximum}`,
  });
}

/** One of a few words. */
export function word<const T extends string>(words: readonly T[], wrong = "unknown value"): z.ZodType<T> {
  return leaf(z.enum(words), (value) => unknownWord(String(value), words, wrong));
}

/** A text that matches a pattern. */
export function text(pattern: RegExp, complaint: Complaint): z.ZodType<string> {
  return leaf(z.string().regex(pattern), complaint);
}

/** True or false. */
export const flag: z.ZodType<boolean> = leaf(z.boolean(), { wrong: "must be a switch", expected: "true or false" });

/** A reason that a person gives: one line. */
export const reason: z.ZodType<string> = text(/^(?=.*\S)[^\r\n]{1,256}$/, {
  wrong: "must be a reason in words",
  expected: "one line of 1 to 256 characters",
});

/** Whether a value is a map. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => (Array.isArray(value) ? value[Number(part)] : isMap(value) ? value[String(part)] : undefined),
    root,
  );
}

const shapeNames: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a text",
};

function reportIssue(issue: z.core.$ZodIssue, schema: z.ZodType, raw: unknown, path: Path, problems: Problems): void {
  const inner = issue.path.filter((part): part is string | number => typeof part !== "symbol");
  const got = valueAt(raw, inner);
  const place = [...path, ...inner];
  if (issue.code === "unrecognized_keys") {
    const known = keysOf(schemaAt(schema, inner));
    for (const key of issue.keys) problems.add([...place, key], unknownWord(key, known, "unknown key"));
  } else if (issue.code === "custom" && issue.params) {
    problems.add(place, { wrong: "not valid", ...issue.params }, got ?? undefined);
  } else if (issue.code === "invalid_type") {
    const expected = shapeNames[issue.expected] ?? issue.expected;
    if (got === undefined || got === null) problems.add(place, { wrong: "missing", expected });
    else problems.add(place, { wrong: `must be ${expected}`, expected }, got);
  } else {
    problems.add(place, { wrong: issue.message }, got ?? undefined);
  }
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  const [first, ...rest] = path;
  if (schema instanceof z.ZodOptional) return schemaAt(schema.unwrap() as z.ZodType, path);
  if (first === undefined) return schema;
  if (schema instanceof z.ZodObject) return schemaAt(schema.shape[String(first)] ?? z.never(), rest);
  if (schema instanceof z.ZodArray) return schemaAt(schema.element as z.ZodType, rest);
  return undefined;
}

function keysOf(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** Checks one value as a whole; `undefined` after a problem. */
export function check<T>(schema: z.ZodType<T>, raw: unknown, path: Path, problems: Problems): T | undefined {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(issue, schema, raw, path, problems);
  return undefined;
}

/** Checks a map key by key: every key that is fine is answered, whatever is wrong with the others. */
export function checkFields<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
  raw: unknown,
  path: Path,
  problems: Problems,
): { [Key in keyof Shape]?: z.output<Shape[Key]> } {
  const fields: { [Key in keyof Shape]?: z.output<Shape[Key]> } = {};
  if (!isMap(raw)) {
    problems.add(
      path,
      raw === undefined || raw === null
        ? { wrong: "missing", expected: "a map" }
        : { wrong: "must be a map", expected: "a map" },
      raw ?? undefined,
    );
    return fields;
  }
  const known = Object.keys(shape);
  for (const key of Object.keys(raw)) {
    if (!known.includes(key)) problems.add([...path, key], unknownWord(key, known, "unknown key"));
  }
  for (const key of known as (keyof Shape & string)[]) {
    fields[key] = check(shape[key] as z.ZodType<z.output<Shape[typeof key]>>, raw[key], [...path, key], problems);
  }
  return fields;
}
