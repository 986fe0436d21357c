import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternCovers } from "../../../policies/props-conditions.ts";
import { rulePriorityOrder } from "../../../policies/shape/rule-priority-order.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import { aRule, listenerArn } from "./builders.ts";

const host = (...values: string[]) => ({ hostHeader: { values } });
const path = (...values: string[]) => ({ pathPattern: { values } });
const header = (httpHeaderName: string, ...values: string[]) => ({ httpHeader: { httpHeaderName, values } });

const rule = (name: string, priority: unknown, conditions: unknown, props = {}, more: Partial<GivenResource> = {}) =>
  aRule(name, { blue: 100 }, { priority, conditions, ...props }, more);
const check = (...rules: GivenResource[]) => violationsOf(rulePriorityOrder, rules);

describe("rule-priority-order", () => {
  const main = rule("main", 20, [host("shop.example.com")]);
  const testers = [host("shop.example.com"), header("X-Tester", "yes")];

  it("lets a tester rule pass that comes before its host's rule [E1]", async () => {
    expect(await check(main, rule("tester", 10, testers))).toEqual([]);
  });

  it("refuses one that comes after it: it never matches [E1]", async () => {
    expect(await check(main, rule("tester", 30, testers))).toEqual([
      "tester: never matches, because main comes before it and takes every request of its, got priority 30 after 20; " +
        "expected a priority below 20. Swap the two, or narrow the conditions of the one that comes first",
    ]);
  });

  it("takes a rule without a priority for the last, and for nobody's twin [E1]", async () => {
    expect(await check(rule("tester", undefined, testers), main)).toEqual([
      "tester: never matches, because main comes before it and takes every request of its, got no priority, which comes after 20; " +
        "expected a priority below 20. Give it that, or narrow the conditions of the one that comes first",
    ]);
    expect(await check(main, rule("other", undefined, [host("other.example.com")]))).toEqual([]);
    // Which of several comes first the program does not say.
    const wide = rule("wide", undefined, [host("*.example.com")]);
    expect(await check(wide, rule("narrow", undefined, [host("b.example.com")]))).toEqual([]);
    expect(await check(wide, rule("late", 50_000, [host("b.example.com")]))).toEqual([]);
  });

  it("refuses two rules of one priority, whatever their conditions [E1]", async () => {
    expect(await check(main, rule("other", 20, [host("other.example.com")]))).toEqual([
      "other: has the priority of main on the same listener, got 20; expected a priority of its own. " +
        "Give the narrower of the two the lower number",
    ]);
  });

  it("leaves rules of other listeners alone [E1]", async () => {
    expect(
      await check(main, rule("other", 20, [host("shop.example.com")], { listenerArn: `${listenerArn}3` })),
    ).toEqual([]);
  });

  it.each([
    ["a star for a host", [host("*.example.com")], [host("shop.example.com")]],
    ["a star for everything", [path("/*")], [path("/checkout/*")]],
    ["a star for a longer pattern", [host("*")], [host("*.example.com")]],
    ["one of several values", [host("a.example.com", "b.example.com")], [host("b.example.com")]],
    ["letters of another case in a host", [host("Shop.example.com")], [host("shop.EXAMPLE.com")]],
    ["a header by another case of its name", [header("x-a", "1")], [header("X-A", "1"), path("/a")]],
    ["a wider network", [{ sourceIp: { values: ["10.0.0.0/8"] } }], [{ sourceIp: { values: ["10.1.2.0/24"] } }]],
    [
      "a method",
      [{ httpRequestMethod: { values: ["GET"] } }],
      [{ httpRequestMethod: { values: ["GET"] } }, path("/a")],
    ],
    ["a query", [{ queryStrings: [{ key: "v", value: "*" }] }], [{ queryStrings: [{ key: "v", value: "2" }] }]],
    [
      "the same regular expression",
      [{ pathPattern: { regexValues: ["^/a+$"] } }],
      [{ pathPattern: { regexValues: ["^/a+$"] } }],
    ],
    ["every path", [path("/*")], testers],
    ["every path, among others", [path("/a", "*")], [header("X-Tester", "yes")]],
    ["every host", [host("*")], [path("/checkout/*")]],
    ["every host and path", [host("*"), path("/*")], [{ httpRequestMethod: { values: ["GET"] } }]],
    ["every path of one host", [host("shop.example.com"), path("/*")], testers],
    ["a star over a regular expression", [path("*")], [{ pathPattern: { regexValues: ["^/a+$"] } }]],
  ])("sees that %s takes it all [E1]", async (_, wide, narrow) => {
    expect(await check(rule("wide", 1, wide), rule("narrow", 2, narrow))).toHaveLength(1);
    expect(await check(rule("wide", 2, wide), rule("narrow", 1, narrow)).then((found) => found.length <= 1)).toBe(true);
  });

  it.each([
    ["another host", [host("a.example.com")], [host("b.example.com")]],
    ["every path of another host", [host("a.example.com"), path("/*")], [host("b.example.com")]],
    ["any value of a header, which not every request has", [header("x-a", "*")], [host("b.example.com")]],
    ["any value of a query", [{ queryStrings: [{ key: "v", value: "*" }] }], [host("b.example.com")]],
    ["every path but the root", [path("/?*")], [header("x-a", "1")]],
    ["every host with a dot", [host("*.*")], [header("x-a", "1")]],
    ["another header", [header("x-a", "1")], [header("x-b", "1")]],
    ["a path in another case", [path("/A")], [path("/a")]],
    ["one value of two", [host("a.example.com")], [host("a.example.com", "b.example.com")]],
    ["a further condition on the first", [host("a.example.com"), path("/a")], [host("a.example.com")]],
    ["a question mark against a star", [path("/?")], [path("/*")]],
    ["a narrower network", [{ sourceIp: { values: ["10.1.2.0/24"] } }], [{ sourceIp: { values: ["10.0.0.0/8"] } }]],
    [
      "a network within it of the same start",
      [{ sourceIp: { values: ["10.0.0.0/24"] } }],
      [{ sourceIp: { values: ["10.0.0.0/8"] } }],
    ],
    ["the network that nobody has", [{ sourceIp: { values: ["192.0.2.1/32"] } }], [host("shop.example.com")]],
    ["a regular expression against a value", [{ pathPattern: { regexValues: [".*"] } }], [path("/a")]],
    ["another method", [{ httpRequestMethod: { values: ["GET"] } }], [{ httpRequestMethod: { values: ["POST"] } }]],
  ])("sees that %s leaves something [E1]", async (_, first, second) => {
    expect(await check(rule("first", 1, first), rule("second", 2, second))).toEqual([]);
  });

  it("finds the listener by reference where its ARN is not known yet [E1]", async () => {
    const listener = (name: string): GivenResource => ({
      type: "aws:lb/listener:Listener",
      name,
      props: { arn: notKnownYet },
    });
    const on = (name: string, priority: number, conditions: unknown, front: string) =>
      rule(name, priority, conditions, { listenerArn: notKnownYet }, { from: { listenerArn: [front] } });
    const [a, b] = [listener("a"), listener("b")];
    expect(await check(a, b, on("main", 20, [host("x")], "a"), on("tester", 30, [host("x")], "a"))).toHaveLength(1);
    expect(await check(a, b, on("main", 20, [host("x")], "a"), on("tester", 30, [host("x")], "b"))).toEqual([]);
  });

  it.each([
    ["the priority", notKnownYet, [host("shop.example.com")]],
    ["the conditions", 30, notKnownYet],
    ["one condition", 30, [host("shop.example.com"), notKnownYet]],
    ["a value", 30, [{ hostHeader: { values: [notKnownYet] } }]],
    ["a header's name", 30, [host("shop.example.com"), { httpHeader: { httpHeaderName: notKnownYet, values: ["1"] } }]],
  ])("says nothing while %s cannot be known [E1]", async (_, priority, conditions) => {
    expect(await check(main, rule("tester", priority, conditions))).toEqual([]);
  });

  it("never says that a pattern covers another when a text shows that it does not [E1]", () => {
    const letter = fc.constantFrom("a", "b", "/", ".");
    const pattern = fc
      .array(fc.oneof(letter, fc.constantFrom("*", "?")), { maxLength: 6 })
      .map((letters) => letters.join(""));
    const filled = (text: string, filling: readonly string[]) => {
      let next = 0;
      const take = () => filling[next++ % filling.length] ?? "a";
      return [...text].map((one) => (one === "*" ? take().repeat(next % 3) : one === "?" ? take() : one)).join("");
    };
    fc.assert(
      fc.property(pattern, pattern, fc.array(letter, { minLength: 1, maxLength: 5 }), (wide, narrow, filling) => {
        if (!patternCovers(wide, narrow)) return true;
        // Any text that the narrow pattern matches has to be matched by the wide one, too.
        return patternCovers(wide, filled(narrow, filling));
      }),
      { numRuns: 500 },
    );
    expect(patternCovers("/a*", "/a/b*")).toBe(true);
    expect(patternCovers("/a?", "/a*")).toBe(false);
    expect(patternCovers("/a.b", "/axb")).toBe(false);
  });
});
