import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchOverlap, patternsOverlap } from "../../stacks/config/overlap.ts";

/** Whether a text matches a pattern, by regular expression: another way than the walk under test. */
function matches(text: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replace(/\*/g, ".*").replace(/\?/g, ".")}$`).test(text);
}

function textsUpTo(length: number): string[] {
  if (length === 0) return [""];
  const shorter = textsUpTo(length - 1);
  return [
    ...shorter,
    ...shorter.filter((text) => text.length === length - 1).flatMap((text) => [`${text}a`, `${text}b`]),
  ];
}

describe("patterns overlap", () => {
  it.each([
    ["/checkout/*", "/checkout/pay", true],
    ["/checkout/*", "/checkout", false],
    ["*.example.com", "shop.*.com", true],
    ["/a?c", "/abc", true],
    ["/a?c", "/ac", false],
    ["/*/pay", "/checkout/*", true],
    ["/a*", "/b*", false],
    ["*a", "b*", true],
    ["", "*", true],
    ["", "?", false],
  ])("%s and %s: %s", (left, right, expected) => {
    expect(patternsOverlap(left, right)).toBe(expected);
    expect(patternsOverlap(right, left)).toBe(expected);
  });

  it("exactly where some text matches both", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 4 });
    // Two patterns of 4 that meet at all meet in a text of at most 8 letters.
    const texts = textsUpTo(8);
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        const common = texts.some((text) => matches(text, left) && matches(text, right));
        expect(patternsOverlap(left, right)).toBe(common);
      }),
    );
  });
});

describe("matches overlap", () => {
  it("only where host and path both do", () => {
    const shop = { hosts: ["shop.example.com"], paths: ["/a/*"] };
    expect(matchOverlap(shop, { hosts: ["api.example.com"], paths: ["/a/*"] })).toBeUndefined();
    expect(matchOverlap(shop, { hosts: ["shop.example.com"], paths: ["/b/*"] })).toBeUndefined();
    expect(matchOverlap(shop, { hosts: [], paths: ["/a/b"] })).toEqual({
      host: ["shop.example.com", "*"],
      path: ["/a/*", "/a/b"],
    });
  });

  it("with hosts in any case, and paths in their own", () => {
    expect(
      matchOverlap({ hosts: ["Shop.example.com"], paths: [] }, { hosts: ["shop.EXAMPLE.com"], paths: [] }),
    ).toBeDefined();
    expect(matchOverlap({ hosts: [], paths: ["/A"] }, { hosts: [], paths: ["/a"] })).toBeUndefined();
  });
});
