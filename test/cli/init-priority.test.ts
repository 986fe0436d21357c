/** Where our three rules may stand: for any listener, no request but the adopted rule's goes elsewhere than before. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeFor } from "../../cli/init/priority.ts";
import { serviceFrom } from "../../cli/init/service-answers.ts";
import type { SurveyedRule } from "../../core/survey.ts";
import { aRule, host, listenerArn, loadBalancerArn, path } from "./init-estate.ts";

const listener = (rules: readonly SurveyedRule[]) => ({
  arn: listenerArn,
  loadBalancerArn,
  port: 443,
  protocol: "HTTPS",
  rules,
});

/** Few hosts and paths, so that rules meet often. */
const hosts = ["a.example.com", "b.example.com"];
const paths = ["/x", "/y"];
const rule = fc.record({
  priority: fc.integer({ min: 1, max: 14 }),
  host: fc.constantFrom(...hosts, "*.example.com"),
  path: fc.constantFrom(...paths, "/*"),
});

/** First matching rule by priority, the oracle: patterns here are a text, or a star at one end. */
function takes(rules: readonly SurveyedRule[], request: { readonly host: string; readonly path: string }) {
  const meets = (pattern: string, text: string) =>
    pattern === text ||
    (pattern.startsWith("*") && text.endsWith(pattern.slice(1))) ||
    (pattern === "/*" && text.startsWith("/"));
  const place = ({ priority }: SurveyedRule) => (priority === "default" ? Number.POSITIVE_INFINITY : priority);
  return [...rules]
    .sort((left, right) => place(left) - place(right))
    .find(({ conditions }) =>
      conditions.every(({ field, values }) =>
        values.some((pattern) => meets(pattern, field === "host-header" ? request.host : request.path)),
      ),
    );
}

describe("the place of a service's rules", () => {
  it("changes nothing for any request but the adopted rule's, whatever the rules are [E7]", () => {
    let placed = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(rule, { selector: ({ priority }) => priority, minLength: 1, maxLength: 8 }),
        fc.nat(),
        (written, pick) => {
          const rules = [
            ...written.map((one) => aRule(one.priority, [host(one.host), path(one.path)], "any")),
            aRule("default", [], "web"),
          ];
          const adopted = rules[pick % rules.length];
          if (!adopted) throw new Error("no rule");
          const place = placeFor(listener(rules), adopted);
          if ("problem" in place) return;
          placed += 1;
          const ours = [place.priority, place.priority + 1].map((priority) => ({
            ...aRule(priority, adopted.conditions, "ours"),
            arn: "ours",
          }));
          const taken = rules.map(({ priority }) => priority);
          for (const priority of [0, 1, 2]) expect(taken).not.toContain(place.priority + priority);
          for (const one of hosts) {
            for (const other of paths) {
              const request = { host: one, path: other };
              const before = takes(rules, request);
              const after = takes([...rules, ...ours], request);
              expect(after?.arn).toBe(before?.arn === adopted.arn ? "ours" : before?.arn);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(placed).toBeGreaterThan(100);
  });

  it("is right before the adopted rule, or further before what shares nothing with it [E7]", () => {
    const adopted = aRule(50, [host("a.example.com")], "a");
    expect(placeFor(listener([adopted]), adopted)).toEqual({ priority: 47 });
    const other = aRule(49, [host("b.example.com")], "b");
    expect(placeFor(listener([other, adopted]), adopted)).toEqual({ priority: 46 });
  });

  it("says what to renumber where nothing can move [E7]", () => {
    const adopted = aRule(2, [host("a.example.com")], "a");
    const behind = aRule(3, [path("/*")], "b");
    expect(placeFor(listener([adopted, behind]), adopted)).toEqual({
      problem:
        "--rule: no room for Tidegate's 3 rules, got fewer than 3 free in a row between the first priority, and rule 2: host a.example.com → a; expected 3 free priorities in a row right before it. Renumber the rules from it on with aws elbv2 set-rule-priorities so that three numbers are free, and run this again",
    });
  });

  it("is behind all rules for what no rule takes, up to the last priority [E7]", () => {
    const fallback = aRule("default", [], "web");
    expect(placeFor(listener([aRule(17, [path("/a")], "a"), fallback]), fallback)).toEqual({ priority: 20 });
    expect(placeFor(listener([fallback]), fallback)).toEqual({ priority: 10 });
    expect(placeFor(listener([aRule(49_999, [path("/a")], "a"), fallback]), fallback)).toHaveProperty("problem");
  });
});

describe("a service's name", () => {
  it.each([
    ["checkout-blue", "checkout"],
    ["checkout-blue-tg", "checkout"],
    ["Shop_Search-v2", "shop-search"],
    ["k8s-web", "k8s-web"],
    ["---", "web"],
  ])("is taken from its group's: %s is %s [E7]", (group, service) => {
    expect(serviceFrom(group)).toBe(service);
  });
});
