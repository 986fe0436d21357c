import { describe, expect, it } from "vitest";
import { ruleStickiness } from "../../../policies/shape/rule-stickiness.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aRule, forwardTo } from "./builders.ts";

const sticky = (stickiness: unknown, weights = { blue: 90, green: 10 } as Record<string, number>) =>
  aRule("split", {}, { actions: [forwardTo(weights, { stickiness })] });
const check = (stickiness: unknown, config = {}) => violationsOf(ruleStickiness, [sticky(stickiness)], config);

describe("rule-stickiness", () => {
  it("lets stickiness pass that is off, left out, or no longer than an hour [E1]", async () => {
    expect(await check(undefined)).toEqual([]);
    expect(await check({ enabled: false, duration: 604_800 })).toEqual([]);
    expect(await check({ enabled: true, duration: 3_600 })).toEqual([]);
  });

  it("refuses a longer one [E1]", async () => {
    expect(await check({ enabled: true, duration: 3_601 })).toEqual([
      "split: actions[0].forward.stickiness holds clients on a release too long, got 3601 seconds; expected 1 to 3600 seconds. " +
        "Shorten the duration, or turn stickiness off",
    ]);
  });

  it("takes the configured maximum [E1]", async () => {
    expect(await check({ enabled: true, duration: 3_601 }, { maximumSeconds: 7_200 })).toEqual([]);
    expect(await check({ enabled: true, duration: 60 }, { maximumSeconds: 30 })).toHaveLength(1);
  });

  it("refuses stickiness without a duration [E1]", async () => {
    expect(await check({ enabled: true })).toEqual([
      expect.stringContaining("got no duration; expected 1 to 3600 seconds"),
    ]);
  });

  it("leaves one group alone: there is nothing to stick to [E1]", async () => {
    expect(await violationsOf(ruleStickiness, [sticky({ enabled: true, duration: 604_800 }, { blue: 100 })])).toEqual(
      [],
    );
  });

  it.each([
    ["the flag", { enabled: notKnownYet, duration: 604_800 }],
    ["the duration", { enabled: true, duration: notKnownYet }],
    ["the block", notKnownYet],
  ])("says nothing while %s cannot be known [E1]", async (_, stickiness) => {
    expect(await check(stickiness)).toEqual([]);
  });
});
