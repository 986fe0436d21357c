/**
 * What the real Pulumi engine plans and does with the program, provider and cloud stood in for, guard and hook for real.
 * Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { Estate, existingLoadBalancer, later, next, old, region } from "./estate.ts";
import { engineOnPath, mutations, type Step } from "./harness.ts";
import { motoNetwork } from "./moto-network.ts";

const rule = "aws:lb/listenerRule:ListenerRule";
const opening = "aws:lambda/invocation:Invocation";
const group = "aws:lb/targetGroup:TargetGroup";

const plan = (steps: readonly Step[]): string[] =>
  steps
    .filter((step) => step.type.startsWith("aws:") && !step.name.startsWith("pulumi"))
    .map((step) => `${step.op} ${step.type} ${step.diffs.join(",")}`.trim())
    .sort();

describe.skipIf(!engineOnPath())("the real engine", { timeout: 120_000 }, () => {
  let estate: Estate;

  beforeAll(async () => {
    estate = await Estate.build("engine");
  }, 60_000);
  afterAll(() => estate.remove());

  it("previews and applies the first up, staging the canary at 0 [A4]", async () => {
    estate.configure({ canary: next, wave: 10 });
    const preview = await estate.engine.preview();
    expect(preview.errors).toBe("");
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(up.messages.map((message) => message.text).join("\n")).toContain("2.0.0 is staged at 0 %");
    expect(await estate.weights()).toEqual([100]);
    expect((await estate.record()).canary).toMatchObject({ exposurePercent: 0 });
  });

  it("refuses to open a wave while nothing would shut it, before the rule changes [E1]", async () => {
    const up = await estate.up();
    expect(up.exitCode).not.toBe(0);
    expect(up.errors).toContain("hold check for checkout");
    expect(up.errors).toContain("the hook has never reconciled this service");
    expect(mutations(estate.engine.calls()).filter((call) => call.type === rule)).toEqual([]);
    expect(await estate.weights()).toEqual([100]);
  });

  it("plans exactly the main rule and the opening for a wave change, and nothing for an idle up [A4]", async () => {
    await estate.reconcile();
    const preview = await estate.engine.preview();
    expect(plan(preview.steps)).toEqual([`update ${opening} input`, `update ${rule} actions`]);
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(plan(up.steps)).toEqual([`update ${opening} input`, `update ${rule} actions`]);
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([10, 90]);
    expect((await estate.record()).canary).toMatchObject({ exposurePercent: 10 });

    const idle = await estate.up();
    expect([idle.errors, plan(idle.steps), mutations(estate.engine.calls())]).toEqual(["", [], []]);
  });

  it("takes the next wave from one config line [A4]", async () => {
    estate.configure({ overrideReason: "the test does not soak" });
    await estate.engine.configSet("tidegate:services.checkout.wave", 25);
    await estate.reconcile();
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([25, 75]);
    estate.configure({ wave: 25 });
  });

  it("refuses a skipped wave with its reasons, before anything changes [C1]", async () => {
    estate.configure({ wave: 100 });
    estate.configure({
      plan: { waves: [10, 25, 50, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) },
    });
    const up = await estate.up();
    expect(up.exitCode).not.toBe(0);
    expect(up.errors).toContain("checkout.wave: skips a wave, got 100 after 25; expected 50. Open one wave an up");
    expect(mutations(estate.engine.calls())).toEqual([]);
    const preview = await estate.engine.preview();
    expect(preview.exitCode).toBe(0);
    expect(preview.messages.map((message) => message.text).join("\n")).toContain(
      "this up would be refused: checkout.wave: skips a wave",
    );
    estate.configure({ wave: 25 });
  });

  it("pins a rolled-back release while another change goes through [B5]", async () => {
    const critical = (await estate.record()).alarms.find(
      (alarm) =>
        alarm.objective === "error-rate" && alarm.severity === "critical" && alarm.alarmName.includes("/2-0-0-"),
    );
    await estate.setAlarm(critical?.alarmName ?? "", "ALARM");
    await estate.reconcile();
    expect(await estate.weights()).toEqual([100]);
    // The override of the last wave was told, too.
    expect(estate.pages.map((page) => page.severity)).toEqual(["info", "critical"]);
    expect(estate.pages[0]?.summary).toBe("checkout: gate OVERRIDDEN, 2.0.0 from 10 % to 25 %");
    await estate.setAlarm(critical?.alarmName ?? "", "OK");
    await estate.reconcile();

    estate.configure({ blindMinutes: 20 });
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(up.messages.map((message) => message.text).join("\n")).toMatch(
      /pinned at 0 %, attempt 1 ended in a rollback/,
    );
    expect(await estate.weights()).toEqual([100]);
    expect((await estate.record()).blindMinutes).toBe(20);
    const again = await estate.up();
    expect([plan(again.steps), await estate.weights()]).toEqual([[], [100]]);
  });

  it("refuses a config that does not hold together with every problem at once [B11]", async () => {
    estate.configure({ wave: 30, attempt: 0 });
    const up = await estate.up();
    expect(up.exitCode).not.toBe(0);
    expect(up.errors).toContain("services.checkout.wave");
    expect(up.errors).toContain("services.checkout.attempt");
    expect(up.errors).not.toContain("ZodError");
    expect(mutations(estate.engine.calls())).toEqual([]);
    estate.configure({ wave: 25, attempt: 1 });
  });

  it("keeps an abandoned release until its weights are surely forgotten [B12]", async () => {
    estate.configure({ canary: later, wave: 0 });
    const exchange = await estate.up();
    expect(exchange.errors).toBe("");
    estate.configure({ wave: 10 });
    await estate.reconcile();
    const opened = await estate.up();
    expect(opened.errors).toBe("");
    estate.configure({ canary: undefined, wave: undefined });
    const abandon = await estate.up();
    expect(abandon.errors).toBe("");
    expect(await estate.weights()).toEqual([100]);
    const soon = await estate.up();
    // Of what earlier tests abandoned, time runs out here where the machine is slow.
    const groups = (steps: readonly Step[]) =>
      plan(steps.filter(({ urn, type }) => type === group && urn.includes("-3-0-0-")));
    expect(groups(exchange.steps)).toEqual([`create ${group}`]);
    expect(groups([...abandon.steps, ...soon.steps]).filter((step) => step.startsWith("delete"))).toEqual([]);
  });
});

describe.skipIf(!engineOnPath())("a finish under the real engine", { timeout: 180_000 }, () => {
  let estate: Estate;

  beforeAll(async () => {
    estate = await Estate.build("finish");
  }, 60_000);
  afterAll(() => estate.remove());

  it("moves the baseline without touching a rule and deletes nothing inside the rollback window [B12]", async () => {
    const first = { ...old, version: "4.0.0" };
    const second = { ...next, version: "5.0.0" };
    estate.configure({ baseline: first, canary: second, wave: 0, overrideReason: "the test does not soak" });
    expect((await estate.up()).errors).toBe("");
    for (const wave of [10, 25, 100]) {
      estate.configure({ wave });
      await estate.reconcile();
      expect((await estate.up()).errors).toBe("");
    }
    expect(await estate.weights()).toEqual([100]);
    estate.configure({ baseline: second, canary: undefined, wave: undefined });
    const finish = await estate.up();
    expect(finish.errors).toBe("");
    expect(
      finish.steps.filter((step) => step.type === rule && step.diffs.includes("actions") && step.name.includes("main")),
    ).toEqual([]);
    expect(finish.steps.filter((step) => step.op === "delete")).toEqual([]);
    expect(await estate.record()).toMatchObject({ previous: { digest: `sha256:${"1".repeat(64)}` } });
    const idle = await estate.up();
    expect(plan(idle.steps)).toEqual([]);
  });
});

describe.skipIf(!engineOnPath())("an adopted listener under the real engine", { timeout: 180_000 }, () => {
  let estate: Estate;
  afterAll(() => estate.remove());

  it("applies Pulumi.prod.yaml on what is there already, and opens its first wave [A3, A4]", async () => {
    const there = await existingLoadBalancer();
    const [blue = "", green = ""] = there.groupArns;
    const file = parse(readFileSync(new URL("../../Pulumi.prod.yaml", import.meta.url), "utf8"));
    const written = file.config["tidegate:services"].checkout;
    const service = {
      ...written,
      baseline: { ...written.baseline, targetGroupArn: blue },
      canary: { ...written.canary, targetGroupArn: green },
    };
    estate = await Estate.build(file.config["tidegate:environment"], {
      network: { vpcId: there.vpcId, listenerArn: there.listenerArn },
      service,
    });
    const preview = await estate.engine.preview();
    expect(preview.errors).toBe("");
    const first = await estate.up();
    expect(first.errors).toBe("");
    expect(first.steps.filter((step) => [group, "aws:lb/listener:Listener"].includes(step.type))).toEqual([]);
    expect((await estate.record()).releases[`${blue}#2.3.1`]).toMatchObject({ adopted: true, targetGroupArn: blue });

    await estate.reconcile();
    const wave = await estate.up();
    expect(wave.errors).toBe("");
    expect(plan(wave.steps)).toEqual([`update ${opening} input`, `update ${rule} actions`]);
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([10, 90]);
    const idle = await estate.up();
    expect([idle.errors, plan(idle.steps)]).toEqual(["", []]);
  });
});

describe.skipIf(!engineOnPath())("the dev stack under the real engine", { timeout: 180_000 }, () => {
  let estate: Estate;
  afterAll(() => estate.remove());

  it("applies Pulumi.dev.yaml, load balancer and all, and opens its first wave [A4, A7]", async () => {
    const file = parse(readFileSync(new URL("../../Pulumi.dev.yaml", import.meta.url), "utf8"));
    const endpoint = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
    const network = { ...file.config["tidegate:network"], ...(await motoNetwork(endpoint, region)) };
    const service = file.config["tidegate:services"].checkout;
    estate = await Estate.build(file.config["tidegate:environment"], { network, service });
    expect((await estate.engine.preview()).errors).toBe("");
    expect((await estate.up()).errors).toBe("");
    await estate.reconcile();
    const wave = await estate.up();
    expect(wave.errors).toBe("");
    expect(plan(wave.steps)).toEqual([`update ${opening} input`, `update ${rule} actions`]);
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([5, 95]);
    const said = wave.messages.map((message) => message.text).join("\n");
    expect(said).toContain("worst case from breach to less traffic at 5 %");
    expect(plan((await estate.up()).steps)).toEqual([]);
  });
});
