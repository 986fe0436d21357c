import { describe, expect, it } from "vitest";
import { releaseKey } from "../../../core/naming.ts";
import { planPresets } from "../../../core/plans.ts";
import { rolloutFacts } from "../../../core/rollout-facts.ts";
import { soakIsNotShortened } from "../../../policies/rollout/soak-is-not-shortened.ts";
import { waveIsApprovedAt } from "../../../policies/rollout/wave-is-approved.ts";
import { aDeclaration, newRelease, oldRelease, someSettings } from "../../helpers/builders.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

const now = Date.UTC(2026, 0, 5, 10);
const policy = waveIsApprovedAt(() => now);
const withRoles = (...approvals: string[]) => ({
  ...planPresets.steady,
  name: "steady, changed",
  waves: planPresets.steady.waves.map((wave) => (wave.exposurePercent === 25 ? { ...wave, approvals } : wave)),
});
const signature = { wavePercent: 25, role: "sre", by: "Ann", at: now - 1, version: "2.4.0", attempt: 1 };
const product = { ...signature, role: "product", by: "Ben" };
const rising = { plan: withRoles("sre", "product"), openedFromPercent: 10, exposurePercent: 25 };

describe("rollout-wave-is-approved", () => {
  it("lets a wave through that each role has signed for, and one that asks for nobody [C3]", async () => {
    expect(await violationsOf(policy, [aService({ ...rising, approvals: [signature, product] })])).toEqual([]);
    expect(await violationsOf(policy, [aService({ openedFromPercent: 10, exposurePercent: 25 })])).toEqual([]);
    expect(await violationsOf(policy, [aService({ ...rising, openedFromPercent: 0, exposurePercent: 10 })])).toEqual(
      [],
    );
  });

  it("judges what the components declare by themselves [C3]", async () => {
    const settings = someSettings({ plan: rising.plan, approvals: [signature] });
    const declaration = aDeclaration(25, { fromPercent: 10 });
    const service = (given: typeof settings) => aService({ ...rolloutFacts("dev", given, declaration) });
    expect(await violationsOf(policy, [service(settings)])).toEqual([
      "checkout: wave 25 is not signed for release 2.4.0, attempt 1, got no sign-off of product; expected one of each role by another person. Add it to the service's approvals",
    ]);
    expect(await violationsOf(policy, [service({ ...settings, approvals: [signature, product] })])).toEqual([]);
  });

  it("lets lowering through, and a service without a canary [C3]", async () => {
    expect(await violationsOf(policy, [aService({ ...rising, openedFromPercent: 25 })])).toEqual([]);
    expect(await violationsOf(policy, [aService({ ...rising, exposurePercent: 0, openedFromPercent: 0 })])).toEqual([]);
    expect(await violationsOf(policy, [aService({ ...rising, canary: undefined })])).toEqual([]);
  });

  it("refuses a wave that nobody signed for, also where it merely stays [C3]", async () => {
    expect(await violationsOf(policy, [aService(rising)])).toEqual([
      "checkout: wave 25 is not signed for release 2.4.0, attempt 1, got no sign-off of sre, product; expected one of each role by another person. Add it to the service's approvals",
    ]);
  });

  it.each<[string, object, string]>([
    ["another release", { version: "2.3.9" }, "Ben for product (signed for release 2.3.9)"],
    ["another attempt", { attempt: 2 }, "Ben for product (signed for attempt 2)"],
    ["another wave", { wavePercent: 10 }, "Ben for product (signed for wave 10)"],
    ["another role", { role: "qa" }, "Ben for qa (the wave asks for no qa)"],
    ["the future", { at: now + 1 }, "Ben for product (signed at 2026-01-05T10:00:00.001Z, which is still to come)"],
    ["somebody who has signed already", { by: "ann" }, "ann for product (one person signs for one role of a wave)"],
    [
      "other bytes",
      { digest: oldRelease.digest },
      `Ben for product (signed for digest ${releaseKey({ version: "2.4.0", digest: oldRelease.digest })})`,
    ],
  ])("refuses a signature of %s [C3]", async (_what, change, named) => {
    const approvals = [signature, { ...product, ...change }];
    expect(await violationsOf(policy, [aService({ ...rising, approvals })])).toEqual([
      `checkout: wave 25 is not signed for release 2.4.0, attempt 1, got no sign-off of product, and of no worth ${named}; expected one of each role by another person. Add it to the service's approvals`,
    ]);
  });

  it("takes a signature for the release's own bytes [C3]", async () => {
    const approvals = [{ ...signature, digest: newRelease.digest }, product];
    expect(await violationsOf(policy, [aService({ ...rising, approvals })])).toEqual([]);
  });

  it("asks for the roles that the rollout began with, and so does the policy on shortened soaks [C3]", async () => {
    const recorded = { plan: withRoles("sre") };
    const service = aService({ ...rising, plan: planPresets.steady, recorded });
    expect(await violationsOf(policy, [service])).toHaveLength(1);
    expect(await violationsOf(soakIsNotShortened, [service])).toEqual([
      "checkout: wave 25 is shortened while the canary has traffic, got no sign-off of sre; expected the plan that the rollout began with. Put it back until the rollout is over",
    ]);
  });

  it("refuses what a preview does not know, and what another version declares [C3]", async () => {
    for (const approvals of [notKnownYet, [{ ...signature, at: "2026-01-05" }], "Ann"]) {
      const said = await violationsOf(policy, [aService({ ...rising, approvals })]);
      expect(said).toHaveLength(1);
      expect(said[0]).toContain("checkout: cannot be judged, got nothing readable in approvals");
    }
    const { attempt: _attempt, ...canary } = { ...(aService().props?.canary as object), attempt: 1 };
    expect(await violationsOf(policy, [aService({ ...rising, canary })])).toEqual([
      "checkout: cannot be judged, got nothing readable in canary.attempt; expected the plain facts that ProgressiveService declares. Use program and policies of one version, and give the component plain values",
    ]);
  });
});
