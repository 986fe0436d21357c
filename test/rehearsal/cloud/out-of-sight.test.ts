/** What could slip out of the hook's sight while it serves: a service retired blindly, and a rule whose deletion failed (A4, B11). */
import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../stacks/config.ts";
import { Scene } from "./scene.ts";

const routes: ServiceConfig["routes"] = [
  { match: { hosts: ["shop.example.com"], paths: [] }, priority: 20 },
  { match: { hosts: ["api.example.com"], paths: [] }, priority: 30 },
];

/** Both routes with the canary at its first wave, hook and all. */
async function exposed(scene: Scene): Promise<number> {
  const { canary: _canary, ...baseline } = scene.service;
  await scene.cloud.up({ ...scene.config, services: [{ ...baseline, routes, wavePercent: 0 }] }, "a test");
  await scene.wait(3);
  await scene.up({ routes, wavePercent: 0 });
  await scene.wait(3);
  const wavePercent = scene.service.plan.waves[0]?.exposurePercent ?? 0;
  expect(await scene.up({ routes, wavePercent })).toMatchObject({ kind: "applied" });
  await scene.wait(3);
  return wavePercent;
}

describe("a service that cannot be seen", () => {
  it("is not retired while it has a canary, and goes on being lowered [A4, B11]", async () => {
    let isBlind = false;
    const unread = () => Promise.reject(new Error("throttled"));
    const scene = new Scene(
      "dev",
      {},
      {
        portsOf: (ports, { actor }) =>
          isBlind && actor === "up" ? { ...ports, records: { ...ports.records, read: unread } } : ports,
      },
    );
    const wavePercent = await exposed(scene);
    isBlind = true;
    const retired = await scene.up({ routes, wavePercent, retire: true });
    isBlind = false;
    expect(retired).toMatchObject({
      kind: "refused",
      reasons: [
        "checkout.retire: the record cannot be read (throttled), so nobody knows whether a canary has traffic or a hold stands; expected a readable record. Take retire out, or run up again once it can be read",
      ],
    });
    expect(scene.cloud.record("checkout")?.retiredAt).toBeUndefined();
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.5 });
    await scene.wait(15);
    expect(scene.exposurePercent).toBe(0);
  });
});

describe("a route that leaves the config", () => {
  async function removing(isSpoiled: () => boolean) {
    const scene = new Scene(
      "dev",
      {},
      {
        onProviderCall: async ({ resource, op }, carryOut) => {
          if (isSpoiled() && op === "delete" && resource.name.startsWith("checkout-main-")) throw new Error("expired");
          await carryOut();
        },
      },
    );
    const wavePercent = await exposed(scene);
    const arns = scene.cloud.record("checkout")?.rules.flatMap(({ role, arn }) => (role === "main" ? [arn] : [])) ?? [];
    return { scene, arns, remove: () => scene.up({ routes: routes.slice(0, 1), wavePercent }) };
  }

  it("keeps its rule under the hook where its deletion fails, until it is gone [B11]", async () => {
    let isSpoiled = false;
    const { scene, arns, remove } = await removing(() => isSpoiled);
    const [, second = ""] = arns;
    isSpoiled = true;
    expect((await remove()).kind).toBe("failed");
    expect(scene.cloud.record("checkout")?.leavingRules).toContain(second);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.5 });
    await scene.wait(15);
    const lowered = scene.of("weights").filter(({ by, shares }) => by === "hook" && (shares[scene.canary] ?? 0) === 0);
    expect([...new Set(lowered.map(({ ruleArn }) => ruleArn))].sort()).toEqual(expect.arrayContaining(arns.toSorted()));

    isSpoiled = false;
    expect((await scene.up({ routes: routes.slice(0, 1), wavePercent: 0 })).reasons).toEqual([]);
    await scene.wait(2);
    const record = scene.cloud.record("checkout");
    expect([record?.leavingRules, record?.rules.some(({ arn }) => arn === second)]).toEqual([undefined, false]);
  });

  it("is forgotten within a minute where its rule is deleted, and the next up has nothing to do [A3]", async () => {
    const { scene, arns, remove } = await removing(() => false);
    expect((await remove()).kind).toBe("applied");
    await scene.wait(2);
    const record = scene.cloud.record("checkout");
    expect([record?.leavingRules, record?.rules.some(({ arn }) => arn === arns[1])]).toEqual([undefined, false]);
    expect((await remove()).changes).toEqual([]);
    expect(scene.of("page")).toEqual([]);
  });
});
