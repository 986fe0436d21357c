import { describe, expect, it } from "vitest";
import { groupStickinessWithWeights } from "../../../policies/shape/group-stickiness-with-weights.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aFreshCanary, aGroup, aRule } from "./builders.ts";

const split = aRule("split", { blue: 90, green: 10 });
const check = (stickiness: unknown, rule = split) =>
  violationsOf(groupStickinessWithWeights, [aGroup("blue"), aGroup("green", { stickiness }), rule]);

describe("group-stickiness-with-weights", () => {
  it("lets groups pass whose own stickiness is off or left out [E1]", async () => {
    expect(await check(undefined)).toEqual([]);
    expect(await check({ type: "lb_cookie", enabled: false })).toEqual([]);
  });

  it("refuses an application cookie on a group with weights [E1]", async () => {
    expect(await check({ type: "app_cookie", cookieName: "SESSION", enabled: true })).toEqual([
      "green: has stickiness of its own, and split splits traffic by weight between it and others, got app_cookie; " +
        "expected none on a target group with weights: a cookie beats a weight. Set its stickiness.enabled to false",
    ]);
  });

  it("refuses the load balancer's cookie, too, and a block that only names its type [E1]", async () => {
    expect(await check({ type: "lb_cookie", enabled: true })).toEqual([expect.stringContaining("got lb_cookie")]);
    expect(await check({ type: "app_cookie", cookieName: "SESSION" })).toHaveLength(1);
  });

  it("leaves a group alone that has a rule to itself [E1]", async () => {
    expect(await check({ type: "app_cookie", enabled: true }, aRule("all", { green: 100 }))).toEqual([]);
  });

  it("finds the group in a preview in which no ARN is known, and counts weight 0: it may be raised at any time [E1]", async () => {
    const fresh = aFreshCanary({ blue: 100, green: 0 }).map((resource) =>
      resource.name === "green"
        ? { ...resource, props: { ...resource.props, stickiness: { type: "app_cookie", enabled: true } } }
        : resource,
    );
    expect(await violationsOf(groupStickinessWithWeights, fresh)).toEqual([expect.stringMatching(/^green: /)]);
  });

  it("finds the groups of a rule whose actions are not known at all, by what they are made from [E1]", async () => {
    const rule = aRule("split", {}, { actions: notKnownYet }, { from: { actions: ["blue", "green"] } });
    expect(await check({ type: "app_cookie" }, rule)).toEqual([expect.stringMatching(/^green: /)]);
  });

  it("finds the program's one group of a rule whose actions are not known at all: others may be adopted [E1]", async () => {
    const rule = aRule("split", {}, { actions: notKnownYet }, { from: { actions: ["green"] } });
    expect(await check({ type: "app_cookie", enabled: true }, rule)).toEqual([
      "green: has stickiness of its own, and split may split traffic by weight between it and others, got app_cookie; " +
        "expected none on a target group with weights: a cookie beats a weight. Set its stickiness.enabled to false",
    ]);
    expect(await check({ type: "lb_cookie", enabled: false }, rule)).toEqual([]);
  });

  it("refuses a rule that says nothing of where it leads before up [E1]", async () => {
    expect(await check(undefined, aRule("split", {}, { actions: notKnownYet }))).toEqual([
      "split: actions may split traffic, and between which target groups cannot be told before up, got a list that is not known as a " +
        "whole; expected a list in which single values may be unknown. Write the list out, with outputs only inside of it",
    ]);
  });

  it("says nothing while the flag cannot be known [E1]", async () => {
    expect(await check({ type: "app_cookie", enabled: notKnownYet })).toEqual([]);
  });
});
