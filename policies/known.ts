/**
 * Reads resource properties of which some are not known yet.
 *
 * In a preview a policy gets its properties behind a proxy that throws on every value that only the cloud will know; the engine then
 * turns the whole policy, a mandatory one too, into an advisory note, and the preview exits 0. So nothing reads that proxy but `known`,
 * which copies it once and puts `unknown` where it threw. A policy judges what is known and says nothing about the rest: the same
 * policy runs again at `up`, before the provider is called, when all of it is known.
 */

/** Stands where a value is not known yet. It is neither absent nor empty: something is given. */
export const unknown: unique symbol = Symbol("not known before up");
export type Unknown = typeof unknown;

/** Properties as plain data: no proxies, nothing throws. */
export type Known = string | number | boolean | null | undefined | Unknown | readonly Known[] | KnownMap;
export interface KnownMap {
  readonly [key: string]: Known;
}

/** `@pulumi/policy` does not export the class; its name is all there is to go by. */
function isUnknownValueError(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === "UnknownValueError";
}

function copy(read: () => unknown): Known {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    if (isUnknownValueError(error)) return unknown;
    throw error;
  }
  if (Array.isArray(value)) {
    const elements: unknown[] = value;
    // By index: iterating reads elements outside of `copy` and would throw there.
    return Array.from({ length: elements.length }, (_, index) => copy(() => elements[index]));
  }
  if (typeof value === "object" && value !== null) return known(value);
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "undefined":
      return value;
    default:
      return value === null ? null : String(value);
  }
}

/** Copies by what they are of: a stack policy asks for the same resources' properties many times over. */
const copies = new WeakMap<object, KnownMap>();

/** A copy of a policy's `props` that is safe to read anywhere. */
export function known(props: object): KnownMap {
  const made = copies.get(props);
  if (made) return made;
  const source = props as Readonly<Record<string, unknown>>;
  const plain: KnownMap = Object.fromEntries(Object.keys(source).map((key) => [key, copy(() => source[key])]));
  copies.set(props, plain);
  return plain;
}

function isMap(value: Known): value is KnownMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path: undefined where nothing is given, `unknown` where any step on the way is not known yet. */
export function at(value: Known, ...path: readonly string[]): Known {
  let current = value;
  for (const step of path) {
    if (current === unknown) return unknown;
    // A block that may occur once is written as an object by some programs and as a list of one by others.
    if (Array.isArray(current)) current = current[0];
    if (current === unknown) return unknown;
    if (!isMap(current)) return undefined;
    current = current[step];
  }
  return current === null ? undefined : current;
}

/** Whether anything is given at a path, if only a value not known yet. Empty text is how the engine shows what was left out. */
export function isGiven(value: Known, ...path: readonly string[]): boolean {
  const found = at(value, ...path);
  return found !== undefined && found !== "";
}

/** The elements at a path: none where nothing is given; one object counts as a list of one. */
export function listAt(value: Known, ...path: readonly string[]): readonly Known[] | Unknown {
  const found = at(value, ...path);
  if (found === unknown) return unknown;
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** A number; text that is one counts, anything else given is NaN, which lies in no range. */
export function numberAt(value: Known, ...path: readonly string[]): number | Unknown | undefined {
  const found = at(value, ...path);
  if (found === unknown || found === undefined) return found;
  if (typeof found === "number") return found;
  return typeof found === "string" && found.trim() !== "" ? Number(found) : Number.NaN;
}

/** Text; numbers and flags are spelt out, anything else given counts as absent. */
export function textAt(value: Known, ...path: readonly string[]): string | Unknown | undefined {
  const found = at(value, ...path);
  if (found === unknown || typeof found === "string") return found;
  return typeof found === "number" || typeof found === "boolean" ? String(found) : undefined;
}

/** A flag; the texts `true` and `false` count. */
export function flagAt(value: Known, ...path: readonly string[]): boolean | Unknown | undefined {
  const found = at(value, ...path);
  if (found === unknown || typeof found === "boolean") return found;
  return found === "true" ? true : found === "false" ? false : undefined;
}

/** A value for a message. */
export function shown(value: Known): string {
  if (value === undefined) return "nothing";
  if (value === unknown) return "a value not known before up";
  return JSON.stringify(value, (_, inner: unknown) => (inner === unknown ? "(not known before up)" : inner));
}

/** A policy's settings: what the pack's configuration says over the policy's own defaults. */
export function settingsOf<T extends object>(args: { getConfig<C extends object>(): C }, defaults: T): T {
  return { ...defaults, ...args.getConfig<Partial<T>>() };
}
