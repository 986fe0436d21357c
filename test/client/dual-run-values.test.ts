/** Comparing and copying, each judged by what Node brings: `isDeepStrictEqual` and `structuredClone`, which share no code with ours. */
import { isDeepStrictEqual } from "node:util";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyOf, copyOfAll } from "../../client/dual-run/copy.ts";
import { isSameStructure } from "../../client/dual-run/equal.ts";
import { maximumDepth, maximumValues } from "../../client/dual-run/kinds.ts";

/** Any data: nested, sparse, with keys that are none of an object's business. */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
  key: fc.oneof(fc.constantFrom("__proto__", "constructor", "length", "a", "b"), fc.string()),
  maxDepth: 3,
});

/** Node holds no two invalid dates for the same; a case of its own says that we do. */
const data = anything.filter(
  (value) => !objectsOf(value).some((part) => part instanceof Date && Number.isNaN(part.getTime())),
);

/** Two values that are more often alike than chance has it. */
const twoValues = fc.oneof(
  fc.tuple(data, data),
  data.map((value) => [value, structuredClone(value)]),
  fc.tuple(
    fc.constantFrom(0, -0, Number.NaN, null, undefined, "", 0n),
    fc.constantFrom(0, -0, Number.NaN, null, "", 0n),
  ),
  fc.array(data, { maxLength: 3 }).chain((values) =>
    fc.tuple(
      fc.constant(new Set<unknown>(values)),
      fc.shuffledSubarray(values, { minLength: values.length }).map((others) => new Set<unknown>(others)),
    ),
  ),
);

describe("sameness", () => {
  it("is that of Node for all data [A9]", () => {
    fc.assert(
      fc.property(twoValues, ([left, right]) => {
        expect(isSameStructure(left, right)).toBe(isDeepStrictEqual(left, right));
      }),
      { numRuns: 1_000 },
    );
  });

  it("does not depend on the order of the two, and every value is the same as its copy [A9]", () => {
    fc.assert(
      fc.property(data, data, (left, right) => {
        expect(isSameStructure(left, right)).toBe(isSameStructure(right, left));
        expect(isSameStructure(left, copyOf(left))).toBe(true);
      }),
    );
  });

  it("knows cycles, of the same shape and of another [A9]", () => {
    const loop = (value: number) => {
      const made: Record<string, unknown> = { value };
      made.list = [made, new Map([["self", made]])];
      return made;
    };
    expect(isSameStructure(loop(1), loop(1))).toBe(true);
    expect(isSameStructure(loop(1), loop(2))).toBe(false);
    expect(isSameStructure(loop(1), { value: 1, list: [] })).toBe(false);
  });

  it.each<[string, unknown, unknown, boolean]>([
    ["NaN is NaN", [Number.NaN], [Number.NaN], true],
    ["0 is not -0", [0], [-0], false],
    ["a missing member is not undefined", {}, { a: undefined }, false],
    ["a hole is not undefined", new Array(1), [undefined], false],
    ["the order of members does not matter", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ["the order in a Set does not matter", new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }]), true],
    ["each of a Set has its own counterpart", new Set([[1], [1]]), new Set([[1], [2]]), false],
    ["keys of a Map may be objects", new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]]), true],
    ["invalid dates are the same", new Date(Number.NaN), new Date(Number.NaN), true],
    ["a pattern has its flags", /a/g, /a/i, false],
    ["a Buffer is not a Uint8Array", Buffer.from([1]), new Uint8Array([1]), false],
    ["NaN in a typed array is NaN, whatever its bits", new Float64Array([Number.NaN]), oddNaN(), true],
    ["symbols are members", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 2 }, false],
    ["hidden members are nobody's business", hiding(1), hiding(2), true],
    ["errors have name, message and code", new Error("a"), new Error("a"), true],
    ["errors of another kind are others", new TypeError("a"), new RangeError("a"), false],
    ["an own `__proto__` is a member", JSON.parse('{"__proto__":1}'), {}, false],
    ["a function is itself", Math.max, Math.max, true],
    ["an object of another realm is an object", { a: 1 }, runInContext("({ a: 1 })", createContext()), true],
    ["a class is not plain data", new URL("https://example.com"), { href: "https://example.com/" }, false],
  ])("%s [A9]", (_what, left, right, isSame) => {
    expect(isSameStructure(left, right)).toBe(isSame);
    expect(isSameStructure(right, left)).toBe(isSame);
  });

  it.each<[string, () => unknown, string]>([
    ["two functions", () => () => 1, "a function"],
    [
      "two instances of a class, whose private parts nobody sees",
      () => new URL("https://example.com"),
      "a value of URL",
    ],
    ["two instances of a class of arrays", () => new (class Rows extends Array {})(), "a value of Rows"],
    ["memory of another thread", () => new Uint8Array(new SharedArrayBuffer(1)), "a value of Uint8Array"],
    ["two boxed numbers", () => Object(1), "a value of Number"],
  ])("cannot be told of %s [A9]", (_what, give, message) => {
    expect(() => isSameStructure([give()], [give()])).toThrow(new RegExp(`^${message}$`));
    expect(() => copyOf([give()])).toThrow(new RegExp(`^${message}$`));
  });
});

function hiding(value: number): object {
  return Object.defineProperties({}, { [Symbol.for("hidden")]: { value }, hidden: { value } });
}

function oddNaN(): Float64Array {
  const bits = new BigUint64Array([0x7ff8_0000_0000_0001n]);
  return new Float64Array(bits.buffer);
}

/** A list of so many numbers; itself one value more. */
const listOf = (length: number) => Array.from({ length }, (_, index) => index);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe("the bounds", () => {
  it("are 10,000 values and 100 levels, for copies as for comparisons [A9]", () => {
    expect([maximumValues, maximumDepth]).toEqual([10_000, 100]);
    const within = () => [listOf(9_999), nested(100), new Uint8Array(9_999 * 64)];
    const beyond = () => [listOf(10_000), nested(101), new Uint8Array(10_001 * 64)];
    const said = ["more than 10000 values", "more than 100 levels", "more than 10000 values"];
    const others = beyond();
    for (const value of within()) expect(isSameStructure(value, copyOf(value))).toBe(true);
    for (const [index, value] of beyond().entries()) {
      expect(() => copyOf(value)).toThrow(new RegExp(`^${said[index]}$`));
      expect(() => isSameStructure(value, others[index])).toThrow(new RegExp(`^${said[index]}$`));
    }
  });

  it("hold for what is large without having been looked into [A9]", () => {
    for (const give of [() => new Array(4e9), () => new Set(listOf(10_001)), () => new Map(listOf(10_001).entries())]) {
      expect(() => copyOf(give())).toThrow(/^more than 10000 values$/);
      expect(() => isSameStructure(give(), give())).toThrow(/^more than 10000 values$/);
    }
  });

  it("do not hide a difference that is found before [A9]", () => {
    expect(isSameStructure([1, listOf(20_000)], [2, listOf(20_000)])).toBe(false);
    expect(isSameStructure(listOf(20_000), listOf(20_001))).toBe(false);
  });
});

describe("a copy", () => {
  it("is the same as the original, and shares nothing with it [A9]", () => {
    fc.assert(
      fc.property(data, (value) => {
        const copy = copyOf(value);
        expect(isDeepStrictEqual(copy, value)).toBe(true);
        const parts = new Set(objectsOf(value));
        expect(objectsOf(copy).filter((part) => parts.has(part))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps cycles and what is shared between arguments [A9]", () => {
    const shared: Record<string, unknown> = { a: 1 };
    shared.self = shared;
    const [first, second] = copyOfAll([shared, [shared]] as const);
    expect(first).not.toBe(shared);
    expect([first.self, second[0]].map((part) => part === first)).toEqual([true, true]);
  });

  it("keeps what a Buffer is, and does not take the pool with it [A9]", () => {
    const value = Buffer.from("tea");
    const copy = copyOf(value);
    expect([Buffer.isBuffer(copy), copy.toString(), copy.buffer.byteLength]).toEqual([true, "tea", 3]);
    copy[0] = 0;
    expect(value.toString()).toBe("tea");
  });

  it("does not set a prototype from a member called so [A9]", () => {
    const copy = copyOf(JSON.parse('{"__proto__":{"isAdmin":true}}'));
    expect([Object.getPrototypeOf(copy) === Object.prototype, copy.isAdmin]).toEqual([true, undefined]);
    expect(Object.keys(copy)).toEqual(["__proto__"]);
  });

  it("is not made of numbers and texts: they cannot be changed [A9]", () => {
    const args = [1, "tea", undefined] as const;
    expect(copyOfAll(args)).toBe(args);
  });
});

/** Every object in a value, members and entries. */
function objectsOf(value: unknown, found: unknown[] = []): unknown[] {
  if (typeof value !== "object" || value === null) return found;
  found.push(value);
  if (ArrayBuffer.isView(value)) return found;
  if (value instanceof Map || value instanceof Set)
    for (const entry of value.entries()) for (const part of entry) objectsOf(part, found);
  for (const key of Reflect.ownKeys(value)) objectsOf(Reflect.get(value, key), found);
  return found;
}
