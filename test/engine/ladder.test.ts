/**
 * Two environments, one below the other, with the real engine: outputs, their look-up and what an invocation's answer becomes in a later
 * `up` are the engine's own, so no mock could prove them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableName } from "../../core/naming.ts";
import { kill } from "../../hooks/commands.ts";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { Estate, next, old, region } from "./estate.ts";
import { type Engine, type EngineRun, engineOnPath, mutations } from "./harness.ts";
import { motoNetwork } from "./moto-network.ts";

const below = "ladder-below";
const above = "ladder-above";
const noSoak = "the test does not soak";

const aService = (changes: Record<string, unknown> = {}) => ({
  checkout: {
    mode: "act",
    match: { hosts: ["shop.example.com"] },
    priority: 100,
    baseline: old,
    plan: { waves: [10, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) },
    objectives: "batch",
    source: "alb",
    ...changes,
  },
});

describe.skipIf(!engineOnPath())("a ladder of two environments", { timeout: 600_000 }, () => {
  let staging: Estate;
  /** Of the upper environment: table and ports; its stack is beside the lower one's. */
  let upper: Estate;
  let production: Engine;

  /** The deployed hook of an environment knows its own table. */
  const env = {
    TIDEGATE_ENVIRONMENT: above,
    TIDEGATE_TABLE: tableName(above),
    TIDEGATE_CRITICAL_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${above}-critical`,
    TIDEGATE_WARNING_TOPIC: `arn:aws:sns:${region}:123456789012:tidegate-${above}-warnings`,
  };
  const upAbove = async (service: Record<string, unknown>): Promise<EngineRun> => {
    production.setConfig({ "tidegate:services": aService(service) });
    return staging.upOf(production, { env });
  };
  const upBelow = async (service: Record<string, unknown>): Promise<EngineRun> => {
    const plan = { waves: [{ exposurePercent: 100, soak: "10m" }] };
    staging.engine.setConfig({ "tidegate:services": aService({ plan, ...service }) });
    const up = await staging.up();
    expect(up.errors).toBe("");
    await staging.reconcile();
    return up;
  };

  beforeAll(async () => {
    staging = await Estate.build(below);
    upper = await Estate.build(above);
    production = await staging.engine.addStack("production", {
      "aws:region": region,
      "tidegate:environment": above,
      "tidegate:network": await motoNetwork(emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"), region),
      "tidegate:alerting": { email: ["sre@example.com"] },
      "tidegate:ladder": { below: "production" },
      "tidegate:services": aService(),
    });
  }, 90_000);
  afterAll(async () => {
    await staging.remove();
    await upper.remove();
  });

  it("refuses a stack that stands on itself, and depends on no other while nothing opens [A8, B11]", async () => {
    const ring = await upAbove({});
    expect(ring.errors).toContain(
      'ladder.below: this very stack, got "production"; expected the one of the environment below. Leave ladder out where there is none',
    );
    expect(mutations(production.calls())).toEqual([]);
    production.setConfig({ "tidegate:ladder": { below: "tset" } });
    expect((await upAbove({ canary: next, wave: 0 })).errors).toBe("");
    await upper.reconcile();
    const unknown = await upAbove({ canary: next, wave: 10 });
    expect(unknown.errors).toContain(
      "checkout.wave: 0 to 10 refused, cannot tell (nothing measured): what finished in the environment below could not be read (stack organization/tidegate/tset cannot be read, got",
    );
    production.setConfig({ "tidegate:ladder": { below: "test" } });
  });

  it("opens a first wave once the release has finished below, and not before [A8]", async () => {
    await upBelow({ canary: next, wave: 0 });
    const early = await upAbove({ canary: next, wave: 10 });
    expect(early.errors).toContain(
      "checkout.wave: 0 to 10 refused, monitor: 2.0.0 has not finished in test, or was rolled back there since; expected a finished rollout. " +
        "Finish it there and run pulumi up in that stack, or say overrideReason",
    );
    expect(mutations(production.calls())).toEqual([]);

    await staging.reconcile();
    await upBelow({ canary: next, wave: 100, overrideReason: noSoak });
    await upBelow({ baseline: next, overrideReason: noSoak });
    const told = (await staging.engine.outputs()).services as Record<string, { finished: unknown }>;
    const { finished } = await staging.record();
    expect(told.checkout?.finished).toEqual(Object.values(finished ?? {}));
    expect(Object.values(finished ?? {}).map(({ version }) => version)).toEqual(["2.0.0"]);

    // The guard asks when the hook last looked, and an up takes its time.
    expect((await upAbove({ canary: next, wave: 0 })).errors).toBe("");
    await upper.reconcile();
    const opened = await upAbove({ canary: next, wave: 10 });
    expect(opened.errors).toBe("");
    expect((await upper.weights()).sort((a, b) => a - b)).toEqual([10, 90]);
    // What was measured at the finish is declared again.
    const idle = await staging.up();
    expect([idle.errors, idle.steps, mutations(staging.engine.calls())]).toEqual(["", [], []]);
  });

  it("tells no more of a release that is killed below, after the next up there [A8, B5]", async () => {
    const { digest } = Object.values((await staging.record()).finished ?? {})[0] ?? {};
    expect((await staging.record()).baseline).toBe(digest);
    await kill(staging.ports, "checkout", { by: "an SRE", reason: "it loses orders" });
    await upBelow({});
    const told = (await staging.engine.outputs()).services as Record<string, { finished: unknown }>;
    expect(told.checkout?.finished).toEqual([]);
    await upAbove({ canary: next, wave: 0 });
    await upper.reconcile();
    const again = await upAbove({ canary: next, wave: 10 });
    expect(again.errors).toContain("2.0.0 has not finished in test, or was rolled back there since");
  });
});
