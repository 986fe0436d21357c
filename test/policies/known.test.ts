import * as proxy from "@pulumi/policy/proxy.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at, flagAt, type Known, known, listAt, numberAt, shown, textAt, unknown } from "../../policies/known.ts";
import { notKnownYet } from "./policy-run.ts";

const { unknownCheckingProxy } = proxy as unknown as { unknownCheckingProxy: (props: object) => object };
const seen = (props: object) => known(unknownCheckingProxy(props));

describe("known", () => {
  it("copies what is known and marks what is not, at any depth [E1]", () => {
    expect(seen({ a: notKnownYet, b: [1, notKnownYet, { c: notKnownYet, d: true }], e: null })).toEqual({
      a: unknown,
      b: [1, unknown, { c: unknown, d: true }],
      e: null,
    });
  });

  it("lets no read throw, whatever is unknown, and changes nothing that is known [E1]", () => {
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.constant(notKnownYet), fc.integer(), fc.boolean(), fc.string(), fc.constant(null)),
      tree: fc.oneof(
        { maxDepth: 4 },
        tie("leaf"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    const replaced = (value: unknown): unknown => {
      if (value === notKnownYet) return unknown;
      if (Array.isArray(value)) return value.map(replaced);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner)]));
    };
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b"), tree, { noNullPrototype: true }), (props) => {
        expect(seen(props)).toEqual(replaced(props));
      }),
    );
  });

  it("lets other errors through: only a value not known yet is excused [E1]", () => {
    const broken = {
      get a(): never {
        throw new RangeError("broken");
      },
    };
    expect(() => known(broken)).toThrow("broken");
  });

  it("tells absent from not known on a path, and takes one block for a list of one [E1]", () => {
    const props = seen({
      check: [{ interval: "30", on: "true" }],
      later: notKnownYet,
      none: null,
      weights: { w: "many" },
    });
    expect(numberAt(props, "check", "interval")).toBe(30);
    expect(flagAt(props, "check", "on")).toBe(true);
    expect(numberAt(props, "weights", "w")).toBeNaN();
    expect(at(props, "later", "deeper")).toBe(unknown);
    expect(at(props, "none", "deeper")).toBeUndefined();
    expect(at(props, "none")).toBeUndefined();
    expect(listAt(props, "weights")).toHaveLength(1);
    expect(listAt(props, "absent")).toEqual([]);
    expect(listAt(props, "later")).toBe(unknown);
    expect(textAt(props, "weights")).toBeUndefined();
  });

  it("shows values for messages [E1]", () => {
    const values: readonly Known[] = [undefined, unknown, "a", ["a", unknown]];
    expect(values.map(shown)).toEqual([
      "nothing",
      "a value not known before up",
      '"a"',
      '["a","(not known before up)"]',
    ]);
  });
});
