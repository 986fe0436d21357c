/** Adopted rules and several routes, through the real program, guard and hook on the local cloud (E7, A3). */
import { describe, expect, it } from "vitest";
import type { LocalCloudSeams } from "../../../rehearsal/cloud/local-cloud.ts";
import type { ServiceConfig } from "../../../stacks/config.ts";
import {
  answer,
  aRule,
  forwardTo,
  groupArnOf,
  hosts,
  listenerArn,
  login,
  paths,
  ruleArnOf,
  shopRule,
} from "../../helpers/surveys.ts";
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

  const host = (...hosts: string[]) => ({ hosts, paths: [] });
  const shopAndApi: ServiceConfig["routes"] = [
    { match: { hosts: ["shop.example.com"], paths: ["/pub/*"] }, priority: 20 },
    { match: host("api.example.com"), priority: 30 },
  ];
  const [shopRoute, apiRoute] = shopAndApi;
  const ruleChanges = ({ changes }: Awaited<ReturnType<AdoptingScene["adopt"]>>) =>
    changes
      .filter(({ type }) => type.startsWith("aws:lb/"))
      .map(({ op, name }) => `${op} ${name.replace(/[0-9a-f]{8}$/, "#")}`);

  async function running(routes: ServiceConfig["routes"], foreign = theirs): Promise<AdoptingScene> {
    const scene = new AdoptingScene(foreign);
    expect((await scene.adopt({ routes })).reasons).toEqual([]);
    await scene.wait(3);
    return scene;
  }

  it("changes a further route's match in place, and moves it to another priority by a new rule that comes first [A3]", async () => {
    if (!shopRoute || !apiRoute) throw new Error("no routes");
    const scene = await running(shopAndApi);
    const wider = { match: host("api.example.com", "api2.example.com"), priority: 30 };
    const edited = await scene.adopt({ routes: [shopRoute, wider] });
    expect([edited.reasons, ruleChanges(edited)]).toEqual([[], ["update checkout-main-#"]]);
    await scene.wait(3);
    const moved = await scene.adopt({ routes: [shopRoute, { ...wider, priority: 35 }] });
    expect([moved.reasons, ruleChanges(moved)]).toEqual([[], ["create checkout-main-#", "delete checkout-main-#"]]);
  });

  it("refuses a wider match past a login, and one that turns to another team's rule, before anything changed [E7]", async () => {
    const admin = aRule(45, [hosts("shop.example.com"), paths("/admin/*")], [login, forwardTo("admin")]);
    const pay = aRule(60, [hosts("pay.example.com")], [forwardTo("payments")], { arn: ruleArnOf("pay") });
    const foreign = { [listenerArn]: [admin, shopRule, pay, aRule("default", [], [answer("404")])] };
    const scene = await running(shopAndApi.slice(0, 1), foreign);
    const up = (match: ServiceConfig["routes"][number]["match"]) => scene.adopt({ routes: [{ match, priority: 20 }] });
    expect(await up(host("shop.example.com"))).toMatchObject({
      kind: "refused",
      changes: [],
      reasons: [expect.stringContaining("services.checkout.match: would let requests past a login: the rule at 45")],
    });
    expect(await up({ hosts: [], paths: [], ruleArn: pay.arn })).toMatchObject({
      kind: "refused",
      changes: [],
      reasons: [expect.stringContaining("services.checkout.baseline: on another group than the rule at 60")],
    });
  });

  it("refuses a new route while the canary has traffic, before anything changed [A4]", async () => {
    const scene = await running(shopAndApi.slice(0, 1));
    const up = (change: Partial<ServiceConfig>) => scene.adopt({ routes: shopAndApi, ...canary(scene), ...change });
    await up({ routes: shopAndApi.slice(0, 1) });
    await scene.wait(3);
    await up({ routes: shopAndApi.slice(0, 1), wavePercent: 5 });
    await scene.wait(3);
    expect(await up({ wavePercent: 5 })).toMatchObject({
      kind: "refused",
      changes: [],
      reasons: [expect.stringContaining("no rule of ours stands at 31 yet, and the canary has traffic, got 5 %")],
    });
    expect(scene.of("weights").filter(({ shares }) => shares[scene.canary] === 5)).toHaveLength(1);
  });

  it("gives no request back to another group unasked when a route goes [E7]", async () => {
    const api = aRule(60, [hosts("api.example.com")], [forwardTo("old")]);
    const scene = await running(shopAndApi, { [listenerArn]: [shopRule, api, aRule("default", [], [answer("404")])] });
    const less = await scene.adopt({ routes: shopAndApi.slice(0, 1) });
    const refusal =
      "services.checkout: not every request with host api.example.com has a route any more, then the rule at 60 (host api.example.com) gets some and forwards to old, " +
      "got baseline 1.0.0 on blue; expected a rule that forwards to blue alone. Keep the route, change that rule first, or say overrideReason";
    expect(less).toMatchObject({ kind: "refused", changes: [], reasons: [refusal] });
    const said = await scene.adopt({ routes: shopAndApi.slice(0, 1), overrideReason: "the api closes" });
    expect([said.reasons, ruleChanges(said)]).toEqual([[], ["delete checkout-main-#"]]);
    expect(said.notices.map(({ text }) => text)).toContain(`${refusal}. OVERRIDDEN (the api closes)`);
  });
});
