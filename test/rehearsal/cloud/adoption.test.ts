/** Adopted rules and several routes, through the real program, guard and hook on the local cloud (E7, A3). */
import { describe, expect, it } from "vitest";
import type { LocalCloudSeams } from "../../../rehearsal/cloud/local-cloud.ts";
import type { ServiceConfig } from "../../../stacks/config.ts";
import { answer, aRule, forwardTo, groupArnOf, listenerArn, login, shopRule } from "../../helpers/surveys.ts";
import { Scene } from "./scene.ts";

const blue = { digest: `${groupArnOf("blue")}#1.0.0`, version: "1.0.0", targetGroupArn: groupArnOf("blue") };
const theirs = { [listenerArn]: [shopRule, aRule("default", [], [answer("404")])] };

/** The stack of `Pulumi.dev.yaml` on somebody's listener. */
class AdoptingScene extends Scene {
  constructor(foreignRules: LocalCloudSeams["foreignRules"] = theirs, seams: LocalCloudSeams = {}) {
    super("dev", {}, { foreignRules, ...seams });
  }

  adopt(change: Partial<ServiceConfig> = {}) {
    const { canary: _none, testers: _noTesters, ...rest } = this.service;
    const service: ServiceConfig = {
      ...rest,
      routes: [{ match: { hosts: [], paths: [], ruleArn: shopRule.arn }, priority: 20 }],
      baseline: blue,
      wavePercent: 0,
      ...change,
    };
    const network = { ...this.config.network, listenerArn };
    return this.cloud.up({ ...this.config, network, services: [service] }, "a test");
  }
}

const canary = (scene: Scene) => (scene.service.canary ? { canary: scene.service.canary } : {});
const twoRoutes: ServiceConfig["routes"] = [
  { match: { hosts: [], paths: [], ruleArn: shopRule.arn }, priority: 20 },
  { match: { hosts: ["api.example.com"], paths: [] }, priority: 30 },
];

describe("adopting on the local cloud", () => {
  it("stands in front of the adopted rule with its conditions and its group, and is quiet in the next up [E7]", async () => {
    const scene = new AdoptingScene();
    const first = await scene.adopt();
    expect(first.reasons).toEqual([]);
    expect(
      first.changes.filter(({ type }) => type.startsWith("aws:lb/")).map(({ op, name }) => `${op} ${name}`),
    ).toEqual(["create checkout-anchor", "create checkout-main"]);
    expect(scene.cloud.shares("checkout")).toEqual({ [blue.digest]: 100 });
    expect(first.notices.map(({ text }) => text)).toContain(
      "checkout: this service is live already, and it is adopted in mode act; mode: observe records what would be done and touches no weight. " +
        "Start with it, and change to act once its history shows only what you agree with",
    );
    await scene.wait(3);
    expect((await scene.adopt()).changes).toEqual([]);
  });

  it("refuses the whole up where a login would be passed [E7]", async () => {
    const scene = new AdoptingScene({ [listenerArn]: [aRule("default", [], [login, forwardTo("intranet")])] });
    const result = await scene.adopt({ routes: [{ match: { hosts: ["shop.example.com"], paths: [] }, priority: 20 }] });
    expect(result).toMatchObject({
      kind: "refused",
      reasons: [
        expect.stringContaining(
          "services.checkout.match: would let requests past a login: the default rule asks for one",
        ),
      ],
      changes: [],
    });
  });

  it("does nothing but record while it observes [B13]", async () => {
    const scene = new AdoptingScene();
    await scene.adopt({ mode: "observe" });
    await scene.wait(3);
    await scene.adopt({ mode: "observe", ...canary(scene) });
    await scene.wait(3);
    expect((await scene.adopt({ mode: "observe", ...canary(scene), wavePercent: 5 })).reasons).toEqual([]);
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.5 });
    await scene.wait(10);
    expect(scene.of("weights").filter(({ by }) => by === "hook")).toEqual([]);
    expect(scene.exposurePercent).toBe(5);
    expect(scene.cloud.record("checkout")?.holds).toEqual({});
    expect(scene.of("history").map(({ entry }) => entry.kind)).toContain("would-respond");
  });

  it("opens and rolls back both routes together [A3, B2]", async () => {
    const scene = new AdoptingScene();
    const up = (change: Partial<ServiceConfig>) => scene.adopt({ routes: twoRoutes, ...change });
    const first = await up({});
    expect(
      first.changes.filter(({ type }) => type === "aws:lb/listenerRule:ListenerRule").map(({ name }) => name),
    ).toEqual(["checkout-anchor", "checkout-main", expect.stringMatching(/^checkout-main-[0-9a-f]{8}$/)]);
    await scene.wait(3);
    await up(canary(scene));
    await scene.wait(3);
    expect((await up({ ...canary(scene), wavePercent: 5 })).reasons).toEqual([]);
    const opened = scene.of("weights").filter(({ shares }) => shares[scene.canary] === 5);
    expect(new Set(opened.map(({ ruleArn }) => ruleArn)).size).toBe(2);
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.5 });
    await scene.wait(10);
    const shut = scene.of("weights").filter(({ by, shares }) => by === "hook" && (shares[scene.canary] ?? 0) === 0);
    expect(new Set(shut.map(({ ruleArn }) => ruleArn)).size).toBe(2);
  });

  it("ends on the safe side when the second of two rules cannot be written [B11]", async () => {
    let spoil = false;
    const scene = new AdoptingScene(theirs, {
      onProviderCall: async ({ resource, op }, carryOut) => {
        if (spoil && op === "update" && /^checkout-main-/.test(resource.name)) throw new Error("PriorityInUse");
        await carryOut();
      },
    });
    const up = (change: Partial<ServiceConfig>) => scene.adopt({ routes: twoRoutes, ...change });
    await up({});
    await scene.wait(3);
    await up(canary(scene));
    await scene.wait(3);
    spoil = true;
    expect((await up({ ...canary(scene), wavePercent: 5 })).kind).toBe("failed");
    expect(scene.exposurePercent).toBe(5);
    expect(scene.cloud.record("checkout")?.canary?.exposurePercent).toBe(0);
    await scene.wait(14);
    expect(scene.exposurePercent).toBe(0);
    spoil = false;
  });

  it("lets go only where theirs leads to the baseline [E7]", async () => {
    const elsewhere = {
      [listenerArn]: [{ ...shopRule, actions: [forwardTo("old")] }, aRule("default", [], [answer("404")])],
    };
    const scene = new AdoptingScene(elsewhere);
    expect((await scene.adopt()).kind).toBe("refused");
    const settled = new AdoptingScene();
    await settled.adopt();
    await settled.wait(3);
    expect((await settled.adopt({ retire: true })).reasons).toEqual([]);
  });
});
