import { describe, expect, it } from "vitest";
import { ruleWeights } from "../../../policies/shape/rule-weights.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aRule, forwardTo, groupArn } from "./builders.ts";

const check = (resource: Parameters<typeof violationsOf>[1][number], config = {}) =>
  violationsOf(ruleWeights, [resource], config);

describe("rule-weights", () => {
  it("lets weights pass of which one is above 0 [E1]", async () => {
    expect(await check(aRule("split", { blue: 1, green: 0 }))).toEqual([]);
    expect(await check(aRule("split", { blue: 3, green: 2 }))).toEqual([]);
  });

  it("refuses weights that are all 0 [E1]", async () => {
    expect(await check(aRule("split", { blue: 0, green: 0 }))).toEqual([
      "split: every weight in actions[0] is 0, got 0, 0; expected at least one weight above 0. " +
        "Give the release that is to have the traffic a weight of 100",
    ]);
  });

  it("refuses a lone group of weight 0 [E1]", async () => {
    expect(await check(aRule("split", { blue: 0 }))).toHaveLength(1);
  });

  it("holds Tidegate's main rules to a sum of 100, without any configuration [E1]", async () => {
    const tags = { "tidegate:role": "main" };
    expect(await check(aRule("main", { blue: 90, green: 10 }, { tags }))).toEqual([]);
    expect(await check(aRule("main", { blue: 90, green: 5 }, { tags }), { sumTo: 95 })).toEqual([
      "main: the weights in actions[0] do not sum as declared, got 90, 5 (sum 95); expected a sum of 100. Change a weight by 5",
    ]);
  });

  it("holds other rules to a sum only where one is configured [E1]", async () => {
    expect(await check(aRule("split", { blue: 90, green: 20 }))).toEqual([]);
    expect(await check(aRule("split", { blue: 90, green: 20 }), { sumTo: 100 })).toEqual([
      "split: the weights in actions[0] do not sum as declared, got 90, 20 (sum 110); expected a sum of 100. Change a weight by -10",
    ]);
  });

  it.each([
    [-1, "-1"],
    [1000, "1000"],
    [0.5, "0.5"],
    ["many", "NaN"],
  ])("refuses %s as a weight [E1]", async (weight, shown) => {
    expect(await check(aRule("split", { blue: 100, green: weight }))).toEqual([
      `split: actions[0].forward.targetGroups[1].weight is no weight, got ${shown}; expected a whole number from 0 to 999. ` +
        "Write the share in percent",
    ]);
  });

  it("reads weights that are written as text, and takes one that is left out for the provider's 1 [E1]", async () => {
    expect(await check(aRule("split", { blue: "0", green: "0" }))).toHaveLength(1);
    expect(await check(aRule("split", { blue: undefined, green: 0 }))).toEqual([]);
  });

  it("looks at every action of rules and of listeners, under both module names [E1]", async () => {
    const actions = [{ type: "authenticate-oidc" }, forwardTo({ blue: 0 })];
    expect(await check(aRule("split", {}, { actions }))).toEqual([
      expect.stringContaining("split: every weight in actions[1] is 0"),
    ]);
    for (const type of ["aws:lb/listener:Listener", "aws:alb/listener:Listener"]) {
      expect(await check({ type, name: "front", props: { defaultActions: [forwardTo({ blue: 0 })] } })).toEqual([
        expect.stringContaining("front: every weight in defaultActions[0] is 0"),
      ]);
    }
    expect(await check(aRule("split", { blue: 0 }, {}, { type: "aws:alb/listenerRule:ListenerRule" }))).toHaveLength(1);
  });

  it("leaves alone what forwards nothing by weight [E1]", async () => {
    const redirect = [{ type: "redirect", redirect: { statusCode: "HTTP_301" } }];
    expect(await check(aRule("split", {}, { actions: redirect }))).toEqual([]);
    const whole = aRule("all", {}, { actions: [{ type: "forward", targetGroupArn: groupArn("blue") }] });
    expect(await check(whole, { sumTo: 100 })).toEqual([]);
  });

  it("judges the weights of a preview in which no ARN is known [E1]", async () => {
    const targetGroups = [
      { arn: notKnownYet, weight: 0 },
      { arn: notKnownYet, weight: 0 },
    ];
    const fresh = aRule(
      "split",
      {},
      { listenerArn: notKnownYet, actions: [{ type: "forward", forward: { targetGroups } }] },
    );
    expect(await check(fresh)).toHaveLength(1);
  });

  it.each([
    ["a weight", { actions: [forwardTo({ blue: 0, green: notKnownYet })] }],
    ["the groups", { actions: [{ type: "forward", forward: { targetGroups: notKnownYet } }] }],
    ["the action", { actions: [notKnownYet] }],
    ["all actions", { actions: notKnownYet }],
    ["the tags", { tags: notKnownYet, actions: [forwardTo({ blue: 90 })] }],
  ])("says nothing while %s cannot be known [E1]", async (_, props) => {
    expect(await check(aRule("split", {}, props), { sumTo: 0 })).toEqual([]);
  });
});
