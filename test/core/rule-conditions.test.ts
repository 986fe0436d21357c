/** Which requests rules match, against each other: in doubt they overlap, and in doubt none covers another. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conditionsCover, conditionsOverlap, conditionUse, describeConditions } from "../../core/rule-conditions.ts";
import type { SurveyedCondition } from "../../core/survey.ts";
import { patternCovers, patternsOverlap } from "../../core/wildcards.ts";

/** One letter more than the patterns name: `a*b*` and `*ab*` are told apart by `acb` alone. */
const letters = "abc";
/** Every text of up to six letters: enough to tell all patterns of up to four characters apart, which was tried with every pair. */
const texts = ["", ...[1, 2, 3, 4, 5, 6].flatMap((length) => textsOf(length))];
function textsOf(length: number): string[] {
  return length === 0 ? [""] : textsOf(length - 1).flatMap((start) => [...letters].map((letter) => start + letter));
}
const asRegex = (pattern: string) =>
  new RegExp(`^${pattern.replace(/[*?]/g, (wildcard) => (wildcard === "*" ? ".*" : "."))}$`);
const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 4 });

describe("wildcards", () => {
  it("cover each other just where every text of the one matches the other [E7]", () => {
    fc.assert(
      fc.property(pattern, pattern, (wide, narrow) => {
        const matching = texts.filter((text) => asRegex(narrow).test(text));
        expect(patternCovers(wide, narrow)).toBe(matching.every((text) => asRegex(wide).test(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("overlap just where some text matches both [E7]", () => {
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        const common = texts.some((text) => asRegex(left).test(text) && asRegex(right).test(text));
        expect(patternsOverlap(left, right)).toBe(common);
      }),
      { numRuns: 2_000 },
    );
  });

  it("knows that a star may stand for characters that neither pattern names", () => {
    expect(patternCovers("a*", "*")).toBe(false);
    expect(patternCovers("*", "")).toBe(true);
    expect(patternCovers("/a/*", "/a/b*")).toBe(true);
    expect(patternCovers("*ab*", "a*b*")).toBe(false);
  });
});

const hosts = (...values: string[]): SurveyedCondition => ({ field: "host-header", values });
const paths = (...values: string[]): SurveyedCondition => ({ field: "path-pattern", values });
const method = (...values: string[]): SurveyedCondition => ({ field: "http-request-method", values });
const from = (...values: string[]): SurveyedCondition => ({ field: "source-ip", values });
const header = (httpHeaderName: string, ...values: string[]): SurveyedCondition => ({
  field: "http-header",
  httpHeaderName,
  values,
});
const query = (value: string, key?: string): SurveyedCondition => ({
  field: "query-string",
  values: [],
  queryStrings: [{ ...(key === undefined ? {} : { key }), value }],
});
const regex: SurveyedCondition = { field: "path-pattern", values: [], regexValues: ["^/a$"] };

describe("conditions of rules", () => {
  it.each<[string, SurveyedCondition[], SurveyedCondition[], boolean, boolean]>([
    ["a rule without conditions and any other", [], [hosts("a.com")], true, true],
    ["any rule and one without conditions", [hosts("a.com")], [], true, false],
    ["hosts in other letters", [hosts("*.A.com")], [hosts("x.a.COM")], true, true],
    ["paths in other letters", [paths("/A")], [paths("/a")], false, false],
    ["one host of two", [hosts("a.com")], [hosts("a.com", "b.com")], true, false],
    ["a host, and the same with a path", [hosts("a.com")], [hosts("a.com"), paths("/x")], true, true],
    ["other methods", [method("GET")], [method("POST")], false, false],
    ["a range and one address of it", [from("10.0.0.0/8")], [from("10.1.2.3/32")], true, true],
    ["an address and its range", [from("10.1.2.3/32")], [from("10.0.0.0/8")], true, false],
    ["ranges apart", [from("10.0.0.0/8")], [from("11.0.0.0/8")], false, false],
    ["ranges of IPv6", [from("2001:db8::/32")], [from("2001:db8:1::/48")], true, true],
    ["an old and a new address", [from("0.0.0.0/0")], [from("::/0")], false, false],
    [
      "two values of one header, which a request may carry both",
      [header("x-a", "1")],
      [header("X-A", "2")],
      true,
      false,
    ],
    ["a header and the same narrower", [header("x-a", "g*")], [header("X-A", "gold")], true, true],
    ["a header with an escaped star", [header("x-a", "g\\*")], [header("x-a", "g*")], true, false],
    ["a query value under any key", [query("1")], [query("1", "v")], true, true],
    ["a query value under one key", [query("1", "v")], [query("1")], true, false],
    ["a regular expression, of which nothing is known", [regex], [paths("/b")], true, false],
    [
      "a condition that AWS has added since",
      [{ field: "other", otherField: "x", values: [] }],
      [paths("/b")],
      true,
      false,
    ],
  ])("%s: overlap %#", (_what, wide, narrow, overlap, cover) => {
    expect([conditionsOverlap(wide, narrow), conditionsOverlap(narrow, wide), conditionsCover(wide, narrow)]).toEqual([
      overlap,
      overlap,
      cover,
    ]);
  });

  it("reads as a person would say it", () => {
    expect(describeConditions([hosts("a.com", "b.com"), header("x-a", "1"), query("2", "v"), regex])).toBe(
      "host a.com or b.com and header x-a: 1 and query v=2 and path regex ^/a$",
    );
    expect(describeConditions([])).toBe("everything");
  });

  it("counts values and wildcards of every kind of condition", () => {
    expect(conditionUse([hosts("*.a.com", "b.com"), query("1*", "v"), from("10.0.0.0/8")])).toEqual({
      values: 4,
      wildcards: 2,
    });
  });
});
