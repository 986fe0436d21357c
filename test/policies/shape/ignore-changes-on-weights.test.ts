import { describe, expect, it } from "vitest";
import { ignoreChangesOnWeights } from "../../../policies/shape/ignore-changes-on-weights.ts";
import { violationsOf } from "../policy-run.ts";
import { aGroup, aRule } from "./builders.ts";

const ignoring = (ignoreChanges: string[], type = "aws:lb/listenerRule:ListenerRule") =>
  violationsOf(ignoreChangesOnWeights, [aRule("split", { blue: 100 }, {}, { type, opts: { ignoreChanges } })]);

describe("ignore-changes-on-weights", () => {
  it("names the path that reaches weights [E1]", async () => {
    expect(await ignoring(["tags", "actions[0].forward.targetGroups[1].weight"])).toEqual([
      "split: ignoreChanges reaches the weights, so a new target group may get traffic that nobody gave it, " +
        'got "actions[0].forward.targetGroups[1].weight"; expected no path at or above actions[*].forward.targetGroups[*].weight. ' +
        "Take it out, and declare the weights that are meant",
    ]);
  });

  it.each([
    "*",
    "actions",
    "actions[0]",
    "actions[*]",
    "actions.*",
    "actions.0.forward",
    'actions[0]["forward"]',
    "actions[*].forward[0].targetGroups",
    "actions[*].forward.targetGroups[*]",
    "actions[*].*.targetGroups",
    "actions[*].forward.targetGroups[*].weight",
    "*.forward",
  ])("finds the weights under %s [E1]", async (path) => {
    expect(await ignoring([path])).toHaveLength(1);
  });

  it.each([
    "tags",
    'tags["actions"]',
    "priority",
    "conditions[0].hostHeader",
    "actions[0].targetGroupArn",
    "actions[*].forward.stickiness",
    "actions[*].forward.targetGroups[*].arn",
    "defaultActions",
  ])("leaves %s of a rule alone [E1]", async (path) => {
    expect(await ignoring([path])).toEqual([]);
  });

  it("looks at a listener's default actions, under both module names [E1]", async () => {
    for (const type of ["aws:lb/listener:Listener", "aws:alb/listener:Listener"]) {
      expect(await ignoring(["defaultActions"], type)).toHaveLength(1);
      expect(await ignoring(["actions"], type)).toEqual([]);
    }
  });

  it("leaves every other resource alone [E1]", async () => {
    expect(await violationsOf(ignoreChangesOnWeights, [{ ...aGroup("blue"), opts: { ignoreChanges: ["*"] } }])).toEqual(
      [],
    );
  });
});
