import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlagDocumentError, maximumDocumentBytes, readFlagDocument } from "../../client/flags/document.ts";
import { flagDocument } from "../../core/flag-document.ts";

function refusal(served: unknown): string {
  try {
    readFlagDocument(served);
  } catch (error) {
    return error instanceof FlagDocumentError ? error.message : `no FlagDocumentError: ${String(error)}`;
  }
  return "nothing refused";
}

const wayOut = 'expected {"a-flag": {"enabled": true, "exposurePercent": 25}}';
const keyRule = "a lower-case letter, then letters, digits, hyphens and underscores, at most 64 characters";

describe("a flag document", () => {
  it("is read as AppConfig serves it, with attributes of the application's own [A6]", () => {
    const served =
      '{"batch-patches-v1":{"enabled":true,"exposurePercent":25,"owner":"search"},"off":{"enabled":false},"plain":{"enabled":true}}';
    const expected = new Map([
      ["batch-patches-v1", { isEnabled: true, exposurePercent: 25 }],
      ["off", { isEnabled: false }],
      ["plain", { isEnabled: true }],
    ]);
    expect(readFlagDocument(served)).toEqual(expected);
    expect(readFlagDocument(JSON.parse(served))).toEqual(expected);
  });

  it("is what the program writes, once AppConfig serves it, for every exposure that a plan can have [A6]", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}x$/), fc.integer({ min: 0, max: 100 }), {
          noNullPrototype: true,
        }),
        (percents) => {
          const { values } = JSON.parse(flagDocument(percents));
          const expected = Object.entries(percents).map(([flag, percent]) => [
            flag,
            { isEnabled: percent > 0, exposurePercent: percent },
          ]);
          expect(Object.fromEntries(readFlagDocument(values))).toEqual(Object.fromEntries(expected));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("may be empty [A6]", () => {
    expect(readFlagDocument("{}")).toEqual(new Map());
  });

  it("may have a flag that is called as the parts of the written form are [A6]", () => {
    expect(readFlagDocument('{"flags":{"enabled":false}}')).toEqual(new Map([["flags", { isEnabled: false }]]));
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ["no text", undefined, `document: nothing, got undefined; ${wayOut}`],
    ["an empty text", "", `document: not JSON, got ""; ${wayOut}`],
    ["half a document", '{"a":{"enab', `document: not JSON, got "{\\"a\\":{\\"enab"; ${wayOut}`],
    ["a list", "[]", `document: not an object, got []; ${wayOut}`],
    ["null", "null", `document: not an object, got null; ${wayOut}`],
    [
      "the form it is written in, of any version",
      '{"version":"2","flags":{"a":{"name":"a"}},"values":{"a":{"enabled":true}}}',
      `document: as it is written, not as it is served, got the keys "version, flags, values"; ${wayOut}`,
    ],
    ["a flag that is a boolean", '{"a":true}', `flag "a": not an object, got true; ${wayOut}`],
    ["a flag that says nothing", '{"a":{}}', 'flag "a": enabled: not an answer, got undefined; expected true or false'],
    [
      "a flag that says it in text",
      '{"a":{"enabled":"false"}}',
      'flag "a": enabled: not an answer, got "false"; expected true or false',
    ],
    ...[-1, 101, 12.5, Number.POSITIVE_INFINITY, "50", null, [50]].map((exposure): [string, unknown, string] => [
      `an exposure of ${JSON.stringify(exposure)}`,
      `{"a":{"enabled":true,"exposurePercent":${exposure === Number.POSITIVE_INFINITY ? "1e400" : JSON.stringify(exposure)}}}`,
      `flag "a": exposurePercent: not an exposure, got ${exposure === Number.POSITIVE_INFINITY ? "Infinity" : JSON.stringify(exposure)}; expected a whole number from 0 to 100`,
    ]),
    [
      "variants",
      '{"a":{"_variants":[{"name":"x","enabled":true}]}}',
      'flag "a": variants are not read, got _variants; expected a flag without, or served by the agent',
    ],
    ["a key with a space", '{"a b":{"enabled":true}}', `document: not a flag's key, got "a b"; expected ${keyRule}`],
    [
      "prototype keys among flags",
      '{"__proto__":{"enabled":true,"exposurePercent":100},"constructor":{"enabled":true,"exposurePercent":100}}',
      `document: a name that every object has, got "__proto__"; expected ${keyRule}; document: a name that every object has, got "constructor"; expected ${keyRule}`,
    ],
    [
      "prototype keys in a flag",
      '{"a":{"enabled":false,"__proto__":{"enabled":true,"exposurePercent":100}}}',
      'flag "a": a name that every object has, got "__proto__"; expected another',
    ],
  ];
  it.each(refused)("is refused: %s [A6, B11]", (_, served, message) => {
    expect(refusal(served)).toBe(message);
  });

  it("is refused with its first problems and how many more there are [B11]", () => {
    const served = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`flag-${index}`, 1]));
    expect(refusal(served)).toBe(
      `${[0, 1, 2, 3, 4].map((index) => `flag "flag-${index}": not an object, got 1; ${wayOut}`).join("; ")}; and 3 more`,
    );
  });

  it("is refused when it is too long, before it is read [A6]", () => {
    expect(refusal(" ".repeat(maximumDocumentBytes + 1))).toBe(
      `document: too long, got ${maximumDocumentBytes + 1} characters; expected at most ${maximumDocumentBytes}. Keep what is no flag elsewhere`,
    );
  });

  it("is refused as a value that says something else each time it is looked at, or that cannot be written [A6]", () => {
    const inherited = Object.create({ enabled: true, exposurePercent: 100 });
    expect(refusal({ a: inherited })).toBe('flag "a": enabled: not an answer, got undefined; expected true or false');
    const circular: Record<string, unknown> = {};
    circular.a = circular;
    expect(() => readFlagDocument(circular)).toThrow(TypeError);
  });

  it("is whole or refused, for anything that JSON can say [A6]", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        let flags: ReturnType<typeof readFlagDocument>;
        try {
          flags = readFlagDocument(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FlagDocumentError);
          return;
        }
        expect([...flags.keys()]).toEqual(Object.keys(JSON.parse(text)));
      }),
    );
  });

  it("answers for no flag that it does not have itself [A6]", () => {
    const flags = readFlagDocument('{"a":{"enabled":true,"exposurePercent":100}}');
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"])
      expect(flags.get(name)).toBeUndefined();
    expect(({} as Record<string, unknown>).enabled).toBeUndefined();
  });
});
