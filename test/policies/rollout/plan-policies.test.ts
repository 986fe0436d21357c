import { describe, expect, it } from "vitest";
import { completeWave, type Plan, planPresets } from "../../../core/plans.ts";
import { rolloutFacts } from "../../../core/rollout-facts.ts";
import { soakIsNotShortened } from "../../../policies/rollout/soak-is-not-shortened.ts";
import { waveIsNotSkipped } from "../../../policies/rollout/wave-is-not-skipped.ts";
import { aDeclaration, someSettings } from "../../helpers/builders.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

const planOf = (...waves: [number, number | null][]): Plan => ({
  name: "custom",
  watchAfterMinutes: 0,
  waves: waves.map(([exposurePercent, minimumSoakMinutes]) => completeWave({ exposurePercent, minimumSoakMinutes })),
});

describe("rollout-wave-is-not-skipped", () => {
  it("lets one wave after another through, from nothing to all [E1]", async () => {
    for (const [openedFromPercent, exposurePercent] of [
      [0, 10],
      [10, 25],
      [25, 50],
      [50, 100],
    ]) {
      expect(await violationsOf(waveIsNotSkipped, [aService({ openedFromPercent, exposurePercent })])).toEqual([]);
    }
  });

  it("refuses a wave that leaves one out [E1]", async () => {
    expect(await violationsOf(waveIsNotSkipped, [aService({ openedFromPercent: 10, exposurePercent: 50 })])).toEqual([
      "checkout: 2.4.0 skips a wave, got 50 % after 10 %; expected at most 25 %, the plan has 10, 25, 50, 100. Open one wave an up",
    ]);
  });

  it("refuses a first wave that is not the plan's first [E1]", async () => {
    expect(await violationsOf(waveIsNotSkipped, [aService({ openedFromPercent: 0, exposurePercent: 11 })])).toEqual([
      "checkout: 2.4.0 skips a wave, got 11 % after 0 %; expected at most 10 %, the plan has 10, 25, 50, 100. Open one wave an up",
    ]);
  });

  it("lets a share between two waves through, where something was lowered [E1]", async () => {
    for (const [openedFromPercent, exposurePercent] of [
      [25, 12],
      [12, 25],
      [50, 5],
    ]) {
      expect(await violationsOf(waveIsNotSkipped, [aService({ openedFromPercent, exposurePercent })])).toEqual([]);
    }
  });

  it("refuses a wave that is the next only because the plan lost those before it [E1]", async () => {
    const service = aService({
      openedFromPercent: 10,
      exposurePercent: 100,
      plan: planOf([10, 60], [100, 60]),
      recorded: { plan: planPresets.steady },
    });
    expect(await violationsOf(waveIsNotSkipped, [service])).toEqual([
      "checkout: 2.4.0 skips a wave, got 100 % after 10 %; expected at most 25 %, the plan that the rollout began with has 10, 25, 50, 100. Open one wave an up",
    ]);
  });

  it("says nothing of a service without a canary, and of other resources [E1]", async () => {
    expect(await violationsOf(waveIsNotSkipped, [aService({ canary: undefined, exposurePercent: 100 })])).toEqual([]);
    expect(
      await violationsOf(waveIsNotSkipped, [{ type: "aws:lb/listenerRule:ListenerRule", name: "rule", props: {} }]),
    ).toEqual([]);
  });

  it("refuses what it cannot read, and never falls to advisory for a value unknown in preview [E1]", async () => {
    expect(
      await violationsOf(waveIsNotSkipped, [aService({ exposurePercent: notKnownYet, plan: { name: "custom" } })]),
    ).toEqual([
      "checkout: cannot be judged, got nothing readable in exposurePercent, plan.waves, plan.watchAfterMinutes; expected the plain facts " +
        "that ProgressiveService declares. Use program and policies of one version, and give the component plain values",
    ]);
  });
});

describe("rollout-soak-is-not-shortened", () => {
  it("lets every preset through [E1]", async () => {
    for (const plan of Object.values(planPresets)) {
      expect(await violationsOf(soakIsNotShortened, [aService({ plan })])).toEqual([]);
    }
  });

  it("refuses a wave over before its faults can be seen [E1]", async () => {
    expect(await violationsOf(soakIsNotShortened, [aService({ plan: planOf([20, 9], [100, 60]) })])).toEqual([
      "checkout: the soak of wave 20 is too short, got 9 min; expected at least 10 min (minimumMinutes). Lengthen it in the plan",
    ]);
  });

  it("holds a changed preset to a part of its soaks [E1]", async () => {
    const plan = { ...planOf([10, 719], [25, 720], [50, 1_440], [100, null]), name: "steady, changed" };
    expect(await violationsOf(soakIsNotShortened, [aService({ plan })])).toEqual([
      "checkout: the soak of wave 10 is too short, got 719 min; expected at least 720 min (0.5 of the 1440 min that steady has). Lengthen it in the plan",
    ]);
    expect(await violationsOf(soakIsNotShortened, [aService({ plan })], { minimumFraction: 0.4 })).toEqual([]);
  });

  it("asks what the configuration asks of small waves [E1]", async () => {
    const config = { minimumMinutesByExposure: { "10": 60 } };
    const plan = planOf([5, 59], [10, 60], [100, 10]);
    expect(await violationsOf(soakIsNotShortened, [aService({ plan })], config)).toEqual([
      "checkout: the soak of wave 5 is too short, got 59 min; expected at least 60 min (minimumMinutesByExposure.10). Lengthen it in the plan",
    ]);
  });

  it("refuses any shortening while the canary has traffic, a longer soak not [E1]", async () => {
    const recorded = { plan: planOf([10, 60], [50, 60], [100, null]) };
    const shorter = aService({ recorded, plan: planOf([10, 60], [50, 59], [100, 60]) });
    expect(await violationsOf(soakIsNotShortened, [shorter])).toEqual([
      "checkout: wave 50 is shortened while the canary has traffic, got soak 59 min after 60 min; expected the plan that the rollout began with. Put it back until the rollout is over",
      "checkout: wave 100 is shortened while the canary has traffic, got soak 60 min after endless; expected the plan that the rollout began with. Put it back until the rollout is over",
    ]);
    const without = aService({ recorded, plan: planOf([10, 60], [100, null]) });
    expect(await violationsOf(soakIsNotShortened, [without])).toEqual([
      "checkout: wave 50 is shortened while the canary has traffic, got left out, its soak was 60 min; expected the plan that the rollout began with. Put it back until the rollout is over",
    ]);
    const longer = aService({ recorded, plan: planOf([10, 90], [25, 60], [50, 60], [100, null]) });
    expect(await violationsOf(soakIsNotShortened, [longer])).toEqual([]);
  });

  it("takes a null that the engine dropped for endless, and refuses a soak that is not known [E1]", async () => {
    const endless = {
      name: "custom",
      watchAfterMinutes: 0,
      waves: [{ ...completeWave({ exposurePercent: 100, minimumSoakMinutes: 1 }) }],
    };
    const dropped = endless.waves.map(({ minimumSoakMinutes: _soak, ...wave }) => wave);
    expect(await violationsOf(soakIsNotShortened, [aService({ plan: { ...endless, waves: dropped } })])).toEqual([]);
    const unknown = endless.waves.map((wave) => ({ ...wave, minimumSoakMinutes: notKnownYet }));
    expect(await violationsOf(soakIsNotShortened, [aService({ plan: { ...endless, waves: unknown } })])).toEqual([
      "checkout: cannot be judged, got nothing readable in plan.waves.0.minimumSoakMinutes; expected the plain facts that ProgressiveService declares. Use program and policies of one version, and give the component plain values",
    ]);
  });
});

describe("the facts of a plan", () => {
  it("are judged as the program gives them: a shortened plan under a canary with traffic [E1]", async () => {
    const declaration = aDeclaration(25, {
      fromPercent: 25,
      step: "none",
      recorded: { mode: "act", plan: planPresets.steady, openedFromPercent: 10 },
    });
    const settings = someSettings({ plan: { ...planPresets.steady, waves: planPresets.steady.waves.slice(1) } });
    const props = { ...rolloutFacts("dev", settings, declaration) };
    expect(await violationsOf(soakIsNotShortened, [{ ...aService(), props }])).toEqual([
      "checkout: wave 10 is shortened while the canary has traffic, got left out, its soak was 1440 min; expected the plan that the rollout began with. Put it back until the rollout is over",
    ]);
  });
});
