/**
 * A rollout with a control under the real Pulumi engine: what it plans for the second group of the baseline, from staging to the finish.
 * Provider and cloud stood in for, guard and hook for real. Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acknowledge, kill } from "../../hooks/commands.ts";
import { Estate, next } from "./estate.ts";
import { engineOnPath, mutations, type Step } from "./harness.ts";

const rule = "aws:lb/listenerRule:ListenerRule";
const opening = "aws:lambda/invocation:Invocation";
const group = "aws:lb/targetGroup:TargetGroup";
const said = { by: "an SRE", reason: "customers call" };

const plan = (steps: readonly Step[]): string[] =>
  steps
    .filter((step) => [rule, opening, group].includes(step.type))
    .map(({ op, type, name, diffs }) => `${op} ${type.split(":").at(-1)} ${name} ${diffs.join(",")}`.trim())
    .sort();

describe.skipIf(!engineOnPath())("a control under the real engine", { timeout: 300_000 }, () => {
  let estate: Estate;

  beforeAll(async () => {
    estate = await Estate.build("control");
  }, 60_000);
  afterAll(() => estate.remove());

  /** Live weights of the main rule by what each group serves. */
  async function weights(): Promise<Record<string, number>> {
    const record = await estate.record();
    const main = record.rules.find(({ role }) => role === "main")?.arn ?? "";
    const live = (await estate.ports.traffic.readRules([main]))[main]?.weights ?? {};
    const names = new Map(
      Object.values(record.releases).map(({ targetGroupArn, version }) => [targetGroupArn, version]),
    );
    if (record.control) names.set(record.control.targetGroupArn, "control");
    return Object.fromEntries(Object.entries(live).map(([arn, weight]) => [names.get(arn) ?? arn, weight]));
  }

  async function applied(change: Record<string, unknown>): Promise<Step[]> {
    estate.configure(change);
    await estate.reconcile();
    const up = await estate.up();
    expect(up.errors).toBe("");
    return up.steps;
  }

  it("is made beside the canary and attached by the anchor rule alone [A4, C1]", async () => {
    estate.configure({ canary: next, wave: 10, control: {} });
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(await weights()).toEqual({ "1.0.0": 100 });
    expect(plan(up.steps).filter((line) => line.includes("TargetGroup"))).toEqual([
      expect.stringMatching(/^create TargetGroup checkou-control-[0-9a-f]{8}$/),
      expect.stringMatching(/^create TargetGroup checkout-1-0-0-[0-9a-f]{8}$/),
      expect.stringMatching(/^create TargetGroup checkout-2-0-0-[0-9a-f]{8}$/),
    ]);
    const anchor = mutations(estate.engine.calls()).find(({ urn }) => urn?.endsWith("::checkout-anchor"));
    expect(JSON.stringify(anchor?.inputs?.actions).match(/"weight":1/g)?.length).toBe(3);
    expect((await estate.record()).control).toMatchObject({ sharePercent: 0, adopted: false });
  });

  it("gets the canary's share with every wave, in one write of the rule, and an idle up plans nothing [A4, C1]", async () => {
    const steps = await applied({});
    expect(await weights()).toEqual({ "1.0.0": 80, control: 10, "2.0.0": 10 });
    expect(plan(steps)).toEqual([
      "update Invocation checkout-opening input",
      "update ListenerRule checkout-main actions",
    ]);
    const idle = await estate.up();
    expect([idle.errors, plan(idle.steps)]).toEqual(["", []]);
    await applied({ overrideReason: "the test does not soak", wave: 25 });
    expect(await weights()).toEqual({ "1.0.0": 50, control: 25, "2.0.0": 25 });
  });

  it("is refused to change while the canary has traffic, before anything changes [E1]", async () => {
    estate.configure({ control: undefined });
    const up = await estate.up();
    expect(up.exitCode).not.toBe(0);
    expect(up.errors).toContain(
      "checkout.control: changed while 2.0.0 has 25 %, got none; expected a group of the program's",
    );
    expect(mutations(estate.engine.calls())).toEqual([]);
    estate.configure({ control: {} });
  });

  it("is killed with the canary, and stays down while the config still asks for the wave [B4, B5]", async () => {
    await kill(estate.ports, "checkout", said);
    expect(await weights()).toEqual({ "1.0.0": 100 });
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(await weights()).toEqual({ "1.0.0": 100 });
    expect((await estate.record()).control).toMatchObject({ sharePercent: 0 });
  });

  it("comes back with the next attempt [A4, B5]", async () => {
    await acknowledge(estate.ports, "checkout", said);
    await applied({ attempt: 2, wave: 10 });
    expect(await weights()).toEqual({ "1.0.0": 80, control: 10, "2.0.0": 10 });
  });

  it("has nothing at 100 % [A4]", async () => {
    await applied({ wave: 25 });
    await applied({ wave: 100 });
    expect(await weights()).toEqual({ "2.0.0": 100 });
  });

  it("stays attached through the finish [A4]", async () => {
    const finish = await applied({ baseline: next, canary: undefined, wave: undefined, attempt: undefined });
    expect(plan(finish).filter((line) => line.includes("TargetGroup"))).toEqual([]);
    expect((await estate.record()).baseline).toContain("2".repeat(64));
  });

  it("goes two minutes after its last weight [A4]", async () => {
    // They pass as far as the record knows.
    const record = await estate.record();
    const control = record.control && {
      ...record.control,
      weightsLeftAt: (record.control.weightsLeftAt ?? 0) - 121_000,
    };
    if (!control) throw new Error("the control is gone already");
    await estate.ports.records.write({ ...record, control, revision: record.revision + 1 }, record.revision);
    const after = await applied({});
    expect(plan(after).filter((line) => /^(create|delete)/.test(line))).toEqual([
      expect.stringMatching(/^delete TargetGroup checkou-control-[0-9a-f]{8}$/),
    ]);
    expect(await weights()).toEqual({ "2.0.0": 100 });
    expect((await estate.record()).control).toBeUndefined();
  });
});
