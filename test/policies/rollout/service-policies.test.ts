import { describe, expect, it } from "vitest";
import { armingComesBeforeRising } from "../../../policies/rollout/arming-comes-before-rising.ts";
import { dependencyGroupHasOneCanary } from "../../../policies/rollout/dependency-group-has-one-canary.ts";
import { overrideNamesItsReason } from "../../../policies/rollout/override-names-its-reason.ts";
import { targetGroupIsNotEdited } from "../../../policies/rollout/target-group-is-not-edited.ts";
import { someSettings } from "../../helpers/builders.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

const unreadable = (field: string): string =>
  `checkout: cannot be judged, got nothing readable in ${field}; expected the plain facts that ProgressiveService declares. Use program ` +
  "and policies of one version, and give the component plain values";

describe("rollout-dependency-group-has-one-canary", () => {
  it("lets a canary rise alone [E1]", async () => {
    expect(await violationsOf(dependencyGroupHasOneCanary, [aService({ dependencyGroup: "payments" })])).toEqual([]);
  });

  it("refuses a second one, and names the first [E1]", async () => {
    const service = aService({ dependencyGroup: "payments", otherCanaries: ["basket", "invoices"] });
    expect(await violationsOf(dependencyGroupHasOneCanary, [service])).toEqual([
      "checkout: rises beside another canary of dependency group payments, got basket, invoices; expected one at a time. Finish or abandon the other first",
    ]);
  });

  it("refuses what is not known in a preview [E1]", async () => {
    expect(await violationsOf(dependencyGroupHasOneCanary, [aService({ otherCanaries: notKnownYet })])).toEqual([
      unreadable("otherCanaries"),
    ]);
  });
});

describe("rollout-target-group-is-not-edited", () => {
  const { targetGroup } = someSettings();

  it("lets settings stay as they are [E1]", async () => {
    expect(await violationsOf(targetGroupIsNotEdited, [aService()])).toEqual([]);
    expect(await violationsOf(targetGroupIsNotEdited, [aService({ recorded: { targetGroup } })])).toEqual([]);
  });

  it("refuses an edit under a canary with traffic, every field of it [E1]", async () => {
    const { slowStartSeconds: _slowStart, ...rest } = targetGroup;
    const before = { ...rest, port: 80, healthCheckPath: "/", algorithm: "random" };
    expect(await violationsOf(targetGroupIsNotEdited, [aService({ recorded: { targetGroup: before } })])).toEqual([
      "checkout: target groups are edited while the canary has traffic, got algorithm none after random, healthCheckPath /health after /, port 8080 after 80, slowStartSeconds 30 after none; expected no change. Change them when the rollout is over",
    ]);
  });

  it("says nothing where both groups are adopted: they keep their own settings [E1]", async () => {
    const release = { version: "1", releaseKey: "1-0", adopted: true };
    const service = aService({
      baseline: release,
      canary: { ...release, attempt: 1 },
      recorded: { targetGroup: { ...targetGroup, port: 80 } },
    });
    expect(await violationsOf(targetGroupIsNotEdited, [service])).toEqual([]);
  });

  it("refuses what is not known in a preview [E1]", async () => {
    const service = aService({ targetGroup: { ...targetGroup, port: notKnownYet } });
    expect(await violationsOf(targetGroupIsNotEdited, [service])).toEqual([unreadable("targetGroup.port")]);
  });
});

describe("rollout-override-names-its-reason", () => {
  it("lets services without an override, and reasons that say something, through [E1]", async () => {
    expect(await violationsOf(overrideNamesItsReason, [aService()])).toEqual([]);
    const service = aService({
      overrideReason: "security fix, soak cut by hand",
      replaceBaselineReason: "2.3.1 leaks memory",
    });
    expect(await violationsOf(overrideNamesItsReason, [service])).toEqual([]);
  });

  it("refuses a reason too short, spaces not counted [E1]", async () => {
    const service = aService({ overrideReason: "   asap    ", replaceBaselineReason: "broken" });
    expect(await violationsOf(overrideNamesItsReason, [service])).toEqual([
      'checkout: overrideReason says too little, got "   asap    "; expected at least 10 characters. Write why it is safe',
      'checkout: replaceBaselineReason says too little, got "broken"; expected at least 10 characters. Write why it is safe',
    ]);
  });

  it("asks for the ticket where the configuration does [E1]", async () => {
    const config = { pattern: "OPS-[0-9]+", minimumLength: 5 };
    const without = aService({ overrideReason: "security fix by hand" });
    expect(await violationsOf(overrideNamesItsReason, [without], config)).toEqual([
      'checkout: overrideReason does not name what it must, got "security fix by hand"; expected a text with OPS-[0-9]+. Name it in the reason',
    ]);
    expect(await violationsOf(overrideNamesItsReason, [aService({ overrideReason: "OPS-17 fix" })], config)).toEqual(
      [],
    );
  });

  it("refuses loudly where its own pattern is broken, also without an override [E1]", async () => {
    expect(await violationsOf(overrideNamesItsReason, [aService()], { pattern: "OPS-(" })).toEqual([
      'checkout: the policy\'s own setting pattern is no regular expression, got "OPS-("; expected one such as [A-Z]+-[0-9]+. Mend the policy configuration',
    ]);
  });

  it("refuses a reason that is not known in a preview [E1]", async () => {
    expect(await violationsOf(overrideNamesItsReason, [aService({ overrideReason: notKnownYet })])).toEqual([
      unreadable("overrideReason"),
    ]);
  });
});

describe("rollout-arming-comes-before-rising", () => {
  it("lets each of the two through alone [E1]", async () => {
    expect(await violationsOf(armingComesBeforeRising, [aService()])).toEqual([]);
    expect(await violationsOf(armingComesBeforeRising, [aService({ mode: "observe" })])).toEqual([]);
  });

  it("refuses both in one up [E1]", async () => {
    expect(await violationsOf(armingComesBeforeRising, [aService({ armsAndRaises: true })])).toEqual([
      "checkout: goes from observe to act and rises in one up, got 10 % after 0 %; expected one of the two. Leave the wave as it is, and open it in the next up",
    ]);
  });

  it("refuses what is not known in a preview [E1]", async () => {
    expect(await violationsOf(armingComesBeforeRising, [aService({ mode: notKnownYet })])).toEqual([
      unreadable("mode"),
    ]);
  });
});
