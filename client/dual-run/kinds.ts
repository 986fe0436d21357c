/**
 * What kind of value something is, as far as it can be copied and compared by what is in it. A class of somebody else's may hold what nobody
 * sees from outside (`#private`, a socket, a cursor), so two that look the same need not be: those are a kind of their own, which nothing here
 * pretends to understand.
 */

/** `opaque`: a function, an iterator, a stream, an instance of a class. */
export type Kind =
  | "primitive"
  | "object"
  | "null-object"
  | "array"
  | "date"
  | "pattern"
  | "map"
  | "set"
  | "buffer"
  | "view"
  | "error"
  | "opaque";

const kindsByPrototype: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  [null, "null-object"],
  [Date.prototype, "date"],
  [RegExp.prototype, "pattern"],
  [Map.prototype, "map"],
  [Set.prototype, "set"],
  [ArrayBuffer.prototype, "buffer"],
]);

/** Only ever by the prototype itself: a subclass may hold more than what it is of. */
export function kindOf(value: unknown): Kind {
  if (typeof value === "function") return "opaque";
  if (typeof value !== "object" || value === null) return "primitive";
  const prototype: unknown = Object.getPrototypeOf(value);
  // Most of all data.
  if (prototype === Object.prototype) return "object";
  if (Array.isArray(value)) return prototype === Array.prototype ? "array" : "opaque";
  if (ArrayBuffer.isView(value)) return isSharedView(value) ? "opaque" : "view";
  if (value instanceof Error) return "error";
  return kindsByPrototype.get(prototype) ?? (isForeignObject(prototype) ? "object" : "opaque");
}

/** Another thread may write to it at any time. */
function isSharedView({ buffer }: ArrayBufferView): boolean {
  return typeof SharedArrayBuffer === "function" && buffer instanceof SharedArrayBuffer;
}

/** `{}` of another realm, as of `node:vm` and of some test runners. */
function isForeignObject(prototype: unknown): boolean {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf")
  );
}

/** The kind in a message: `a value of Generator`, `a function`, `undefined`. Whatever the value is, this does not throw. */
export function kindName(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (value === undefined || value === null) return String(value);
  try {
    const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
    const own = typeof name === "string" && name !== "" && name !== "Object" ? name : tag;
    return `a value of ${own.slice(0, 60)}`;
  } catch {
    return `a ${typeof value}`;
  }
}

/** An object as what its keys lead to. */
export type Members = Record<string | symbol, unknown>;

/** Own keys that count: enumerable ones, symbols too. */
export function keysOf(value: object): readonly (string | symbol)[] {
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length === 0) return Object.keys(value);
  const isEnumerable = (key: symbol) => Object.prototype.propertyIsEnumerable.call(value, key);
  return [...Object.keys(value), ...symbols.filter(isEnumerable)];
}

/** Deepest that is looked into. Unit: levels. Far beyond what JSON of an interface has, far below where a stack ends. */
export const maximumDepth = 100;
/** Most values in one input or result: a few milliseconds of copying and comparing (`bench/dual-run.ts`). */
export const maximumValues = 10_000;
/** So many bytes of a buffer count as one value. */
export const bytesPerValue = 64;

/** Why a value was neither copied nor compared: it is of a kind that cannot be, or beyond a bound. */
export class NotUnderstood extends Error {
  override name = "NotUnderstood";
  readonly reason: "kind" | "size";

  constructor(reason: "kind" | "size", what: string) {
    super(what);
    this.reason = reason;
  }
}

/** Counts values on the way, and stops where it gets too much. */
export class Effort {
  #values = 0;

  /**
   * Before many are listed.
   *
   * @throws NotUnderstood where so many would be beyond the bound
   */
  afford(values: number): void {
    if (this.#values + values > maximumValues) throw new NotUnderstood("size", `more than ${maximumValues} values`);
  }

  /** @throws NotUnderstood beyond the bounds */
  spend(depth: number, values = 1): void {
    if (depth > maximumDepth) throw new NotUnderstood("size", `more than ${maximumDepth} levels`);
    this.afford(values);
    this.#values += values;
  }
}
