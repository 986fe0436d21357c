/** The flag document: exact bytes out, and everything that is not exactly ours named on the way in. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlagDocumentError, flagDocument, isFlagKey, readFlagDocument } from "../../core/flag-document.ts";

const key = fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,63}$/).filter((text) => !(text in Object.prototype));

describe("a flag document", () => {
  it("is AppConfig's flag type with the exposure as an attribute, its keys in order [A6]", () => {
    expect(JSON.parse(flagDocument({ zeta: 0, alpha: 25 }))).toEqual({
      version: "1",
      flags: Object.fromEntries(
        ["alpha", "zeta"].map((name) => [
          name,
          {
            name,
            attributes: {
              exposurePercent: { constraints: { type: "number", minimum: 0, maximum: 100, required: true } },
            },
          },
        ]),
      ),
      values: { alpha: { enabled: true, exposurePercent: 25 }, zeta: { enabled: false, exposurePercent: 0 } },
    });
    expect(flagDocument({ zeta: 0, alpha: 25 })).toBe(flagDocument({ alpha: 25, zeta: 0 }));
  });

  it("reads back what was written [A6]", () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.integer({ min: 0, max: 100 }), { noNullPrototype: true }), (percents) => {
        expect(readFlagDocument(flagDocument(percents))).toEqual(percents);
      }),
    );
  });

  it.each([
    ["no JSON", "{", "flag document: no JSON; expected what AppConfig's flag type takes"],
    ["no object", "[]", "flag document: no object, got a list; expected version, flags, values"],
    ["another version", '{"version":"2","flags":{},"values":{}}', 'flag document: version: got "2"; expected "1"'],
    [
      "a number as version, parts missing, and strangers",
      '{"version":1,"values":null,"extra":1}',
      'flag document: "extra": unknown; expected version, flags and values alone; version: got 1; expected "1"; flags: no object, got nothing; values: no object, got null',
    ],
    [
      "prototype keys",
      '{"version":"1","flags":{"__proto__":{}},"values":{"__proto__":{"enabled":true},"constructor":{"enabled":true}}}',
      'flag document: flags: "__proto__" is no key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has; ' +
        'values: "__proto__" is no key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has; ' +
        'values: "constructor" is no key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has',
    ],
    [
      "a flag that is neither on nor off, and exposures that are none",
      '{"version":"1","flags":{},"values":{"a":{},"b":{"enabled":true},"c":{"enabled":true,"exposurePercent":101},"d":7}}',
      "flag document: values.a.enabled: got nothing; expected true or false; values.b.exposurePercent: got nothing; expected 0 to 100; " +
        "values.c.exposurePercent: got 101; expected 0 to 100; values.d.enabled: got number; expected true or false",
    ],
  ])("is refused with %s, all at once [A6]", (_what, text, message) => {
    expect(() => readFlagDocument(text)).toThrow(new FlagDocumentError(message));
  });

  it("takes a flag that is not enabled for off, whatever its attribute says [A6]", () => {
    const text = '{"version":"1","flags":{},"values":{"a":{"enabled":false,"exposurePercent":100}}}';
    expect(readFlagDocument(text)).toEqual({ a: 0 });
  });

  it("is not written with keys or exposures that none may have [A6]", () => {
    expect(() => flagDocument({ Big: 1, toString: 2, ok: 101 })).toThrow(
      new FlagDocumentError(
        'flag document: flag "Big": not a key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has; ' +
          'flag "toString": not a key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has; ' +
          "flag ok: not a percentage, got 101; expected 0 to 100",
      ),
    );
    expect([isFlagKey("a".repeat(64)), isFlagKey("a".repeat(65)), isFlagKey("")]).toEqual([true, false, false]);
  });
});
