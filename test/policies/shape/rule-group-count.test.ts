import { describe, expect, it } from "vitest";
import { ruleGroupCount } from "../../../policies/shape/rule-group-count.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aRule } from "./builders.ts";

describe("rule-group-count", () => {
  const five = { a: 20, b: 20, c: 20, d: 20, e: 20 };

  it("lets five groups pass [E1]", async () => {
    expect(await violationsOf(ruleGroupCount, [aRule("split", five)])).toEqual([]);
  });

  it("refuses the sixth, weight or none [E1]", async () => {
    expect(await violationsOf(ruleGroupCount, [aRule("split", { ...five, f: 0 })])).toEqual([
      "split: too many target groups in actions[0], got 6; expected at most 5, which no quota request raises. " +
        "Take out the groups that have no traffic",
    ]);
  });

  it("counts groups of which nothing is known yet [E1]", async () => {
    const targetGroups = Array.from({ length: 6 }, () => notKnownYet);
    const fresh = aRule("split", {}, { actions: [{ type: "forward", forward: { targetGroups } }] });
    expect(await violationsOf(ruleGroupCount, [fresh])).toHaveLength(1);
  });

  it("says nothing while the groups cannot be known [E1]", async () => {
    const fresh = aRule("split", {}, { actions: [{ type: "forward", forward: { targetGroups: notKnownYet } }] });
    expect(await violationsOf(ruleGroupCount, [fresh])).toEqual([]);
  });
});
