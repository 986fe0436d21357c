import { describe, expect, it } from "vitest";
import { releaseClimbsTheLadder } from "../../../policies/rollout/release-climbs-the-ladder.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService, serviceType } from "./a-service.ts";

/** A service that opens its first wave above staging, where its release finished. */
const happy = {
  environment: "production",
  mode: "act",
  step: "opening",
  fromPercent: 0,
  exposurePercent: 10,
  ladder: { below: "staging", isClimbed: true },
};
const listed = { environments: ["production"] };
const ladder = { below: "staging", isClimbed: false };

const violations = (changes: Readonly<Record<string, unknown>>, settings: Readonly<Record<string, unknown>> = listed) =>
  violationsOf(
    releaseClimbsTheLadder,
    [{ type: serviceType, name: "checkout", props: { ...happy, ...changes } }],
    settings,
  );
const unclimbed =
  "checkout: opens a first wave though its release did not climb the ladder, got no healthy finish in staging; expected one.";

describe("rollout-release-climbs-the-ladder", () => {
  it("lets a first wave open for a release that finished below [A8, E1]", async () => {
    expect(await violations({})).toEqual([]);
  });

  it("refuses a first wave for a release that did not [A8, E1]", async () => {
    expect(await violations({ ladder })).toEqual([`${unclimbed} Finish it there, or say overrideReason`]);
    expect(await violations({ ladder }, {})).toHaveLength(1);
  });

  it("lets a reason override it, unless the settings say that none does [A8, C1, E1]", async () => {
    const overrideReason = "a fix for an outage";
    expect(await violations({ ladder, overrideReason })).toEqual([]);
    expect(await violations({ ladder, overrideReason }, { mayOverride: false })).toEqual([
      `${unclimbed} Finish it there: no override is allowed`,
    ]);
  });

  it("refuses a first wave without a ladder in an environment that must have one, and in no other [A8, E1]", async () => {
    expect(await violations({ ladder: undefined })).toEqual([
      "checkout: opens a first wave in production without a ladder, got none; expected tidegate:ladder with the stack below. Set it",
    ]);
    expect(await violations({ ladder: undefined, environment: "staging" })).toEqual([]);
    expect(await violations({ ladder: undefined }, {})).toEqual([]);
  });

  it("asks nothing of later waves, lowering, finishing and idle ups [A8, E1]", async () => {
    for (const changes of [
      { fromPercent: 10, exposurePercent: 25 },
      { step: "lowering", fromPercent: 25 },
      { step: "finish", fromPercent: 100 },
      { step: "none" },
      { step: "first" },
    ]) {
      expect(await violations({ ...changes, ladder: undefined })).toEqual([]);
    }
  });

  it("refuses what it cannot read, and what a preview does not know [A8, E1]", async () => {
    const text = (fields: string) => [
      `checkout: cannot be judged by the ladder, got nothing readable in ${fields}; expected what ProgressiveService declares. Use program and policies of one version`,
    ];
    expect(await violations({ step: notKnownYet })).toEqual(text("step"));
    expect(await violations({ ladder: notKnownYet })).toEqual(text("ladder"));
    expect(await violations({ ladder: { below: "staging" } })).toEqual(text("ladder.isClimbed"));
    expect(await violations({ step: undefined, fromPercent: "0", environment: undefined })).toEqual(
      text("step, fromPercent, environment"),
    );
  });

  it("looks at services alone [E1]", async () => {
    expect(
      await violationsOf(releaseClimbsTheLadder, [{ ...aService(), type: "aws:lb/listener:Listener" }], listed),
    ).toEqual([]);
  });
});
