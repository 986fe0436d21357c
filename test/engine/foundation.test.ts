/**
 * A foundation and service stacks beside it, with the real engine: the look-up of outputs, ownership and moving are the engine's own, so no
 * mock could prove them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Estate, next, old, region } from "./estate.ts";
import { type Engine, engineOnPath, mutations, type Step } from "./harness.ts";

const rule = "aws:lb/listenerRule:ListenerRule";
const opening = "aws:lambda/invocation:Invocation";

const plan = (steps: readonly Step[]): string[] =>
  steps
    .filter((step) => step.type.startsWith("aws:") && !step.name.startsWith("pulumi"))
    .map((step) => `${step.op} ${step.type} ${step.diffs.join(",")}`.trim())
    .sort();

const aService = (host: string, priority: number, changes: Record<string, unknown> = {}) => ({
  mode: "act",
  match: { hosts: [host] },
  priority,
  baseline: old,
  plan: { waves: [10, 25, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) },
  objectives: "batch",
  source: "alb",
  ...changes,
});
const environment = "shared";
const configOf = (services: Record<string, unknown>, changes: Record<string, unknown> = {}) => ({
  "aws:region": region,
  "tidegate:environment": environment,
  "tidegate:foundation": "test",
  "tidegate:services": services,
  ...changes,
});

describe.skipIf(!engineOnPath())("a foundation and service stacks", { timeout: 360_000 }, () => {
  let estate: Estate;
  let shop: Engine;
  let search: Engine;

  beforeAll(async () => {
    estate = await Estate.build(environment);
    estate.engine.setConfig({ "tidegate:services": {} });
    shop = await estate.engine.addStack("shop", configOf({ checkout: aService("shop.example.com", 100) }));
    search = await estate.engine.addStack("search", configOf({ search: aService("search.example.com", 200) }));
  }, 60_000);
  afterAll(() => estate.remove());

  it("refuses services whose foundation has not been made yet [E7, B11]", async () => {
    const up = await estate.upOf(shop);
    expect(up.errors).toContain(
      "foundation: stack organization/tidegate/test has no outputs; expected those of a foundation. Run pulumi up in it first",
    );
    expect(mutations(shop.calls())).toEqual([]);
    shop.setConfig({ "tidegate:foundation": "tset" });
    const missing = await estate.upOf(shop);
    expect(missing.errors).toContain("foundation: stack organization/tidegate/tset cannot be read, got");
    shop.setConfig({ "tidegate:foundation": "test" });
  });

  it("makes a foundation without services, and services without a foundation [E7]", async () => {
    const base = await estate.up();
    expect(base.errors).toBe("");
    for (const stack of [shop, search]) {
      const up = await estate.upOf(stack);
      expect(up.errors).toBe("");
      const types = new Set(mutations(stack.calls()).map((call) => call.type));
      expect([...types].filter((type) => /dynamodb|lambda\/function|sns\/topic|kms/.test(type))).toEqual([]);
    }
    expect((await estate.record("checkout")).declaredBy).toBe("organization/tidegate/shop");
    expect((await estate.record("search")).declaredBy).toBe("organization/tidegate/search");
  });

  it("advances one stack's service while idle ups of the others show nothing [E7, A4]", async () => {
    const at = (wave: number) => ({ checkout: aService("shop.example.com", 100, { canary: next, wave }) });
    shop.setConfig({ "tidegate:services": at(0) });
    expect((await estate.upOf(shop)).errors).toBe("");
    await estate.reconcile();
    shop.setConfig({ "tidegate:services": at(10) });
    const up = await estate.upOf(shop);
    expect(up.errors).toBe("");
    expect(plan(up.steps)).toEqual([`update ${opening} input`, `update ${rule} actions`]);
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([10, 90]);
    for (const stack of [search, shop, estate.engine]) {
      const idle = await estate.upOf(stack);
      expect([idle.errors, idle.steps, mutations(stack.calls())]).toEqual(["", [], []]);
    }
  });

  it("refuses another region and what is the foundation's, all at once [E7, B11]", async () => {
    search.setConfig({ "aws:region": "us-east-1", "tidegate:alerting": { email: ["sre@example.com"] } });
    const up = await estate.upOf(search);
    expect(up.errors).toContain(
      'config "tidegate" has 2 problems (stack search):\n' +
        "  alerting: the foundation's, and this stack declares services beside one; expected no such setting. Set it in stack test, or take foundation out\n" +
        '  aws:region: not where its foundation is (test), got "us-east-1"; expected eu-west-1. Correct it, or name that environment\'s foundation',
    );
    expect(mutations(search.calls())).toEqual([]);
    search.setConfig({ "aws:region": region, "tidegate:alerting": {} });
  });

  it("refuses a service that another stack declares, before anything changes [E7]", async () => {
    search.setConfig({
      "tidegate:services": {
        search: aService("search.example.com", 200),
        checkout: aService("shop.example.com", 300),
      },
    });
    const up = await estate.upOf(search);
    expect(up.errors).toContain(
      "services.checkout: another stack declares it, got organization/tidegate/shop in its record; expected organization/tidegate/search.",
    );
    expect(mutations(search.calls())).toEqual([]);
  });

  it("takes a service over once its resources have come, and moves no traffic [E7]", async () => {
    const checkout = aService("shop.example.com", 100, { canary: next, wave: 10 });
    search.setConfig({
      "tidegate:services": { search: aService("search.example.com", 200), checkout },
      "tidegate:takeOver": { checkout: "organization/tidegate/shop" },
    });
    const early = await estate.upOf(search);
    expect(early.errors).toContain(
      "takeOver.checkout: its resources are still in the other stack's state, got 2 of 2 listener rules missing here; expected all of them. " +
        "Move them first: pulumi state move --source organization/tidegate/shop --dest organization/tidegate/search with the URN of its ProgressiveService",
    );
    expect(mutations(search.calls())).toEqual([]);

    await shop.moveTo(search, "urn:pulumi:shop::tidegate::tidegate:rollout:ProgressiveService::checkout");
    const up = await estate.upOf(search);
    expect(up.errors).toBe("");
    expect(plan(up.steps)).toEqual([`update ${opening} input`]);
    expect((await estate.record()).declaredBy).toBe("organization/tidegate/search");
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([10, 90]);

    const stale = await estate.upOf(shop);
    expect(stale.errors).toContain("services.checkout: another stack declares it, got organization/tidegate/search");
    shop.setConfig({ "tidegate:services": {} });
    const emptied = await estate.upOf(shop);
    expect([emptied.errors, mutations(shop.calls())]).toEqual(["", []]);
    const idle = await estate.upOf(search);
    expect([idle.errors, idle.steps]).toEqual(["", []]);
  });

  it("refuses to lose a live service by taking the last one out of the config [E7]", async () => {
    search.setConfig({ "tidegate:services": {}, "tidegate:takeOver": {} });
    const up = await estate.upOf(search);
    expect(up.errors).toContain("services.checkout: is live but no longer in the config");
    expect(up.errors).toContain("services.search: is live but no longer in the config");
    expect(mutations(search.calls())).toEqual([]);
  });

  it("refuses to turn a foundation into a service stack, which would delete it [E7]", async () => {
    estate.engine.setConfig({ "tidegate:foundation": "shop", "tidegate:network": {}, "tidegate:alerting": {} });
    const up = await estate.up();
    expect(up.errors).toContain(
      "foundation: stack organization/tidegate/shop is a stack of services, got foundation organization/tidegate/test in its outputs",
    );
    expect(mutations(estate.engine.calls())).toEqual([]);
  });
});
