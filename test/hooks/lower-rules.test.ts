/** Writing rules down: side by side, read back in one, and a rule that is gone is nobody's failure. */
import { describe, expect, it } from "vitest";
import type { RolloutRecord } from "../../core/record.ts";
import { lowerRules, ReadBackError } from "../../hooks/lower-rules.ts";
import type { Ports } from "../../hooks/ports.ts";
import { VirtualTime } from "../helpers/virtual-time.ts";
import { aService, groupArn, mainRule, testerRule, v1, v2, World } from "../helpers/world.ts";

const secondMain = "arn:rule/second-main";
const toBaseline = { weights: { [groupArn(v1)]: 100 } };
const half = { weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } };

/** Two main rules at half and the testers' at the canary; the record says that the canary is killed. */
async function killed(): Promise<{ readonly world: World; readonly record: RolloutRecord }> {
  const world = await new World().rolledOutTo(50);
  const rules = [...world.record.rules, { arn: secondMain, role: "main" as const }];
  world.cloud.records.set("checkout", JSON.stringify({ ...world.record, rules }));
  await world.kill();
  for (const arn of [mainRule, secondMain]) world.cloud.rules.set(arn, half);
  world.cloud.rules.set(testerRule, { weights: { [groupArn(v2)]: 100 } });
  return { world, record: world.record };
}

/** A load balancer that refuses to write some rules, those that are not there among them. */
function refusing(world: World, ...arns: readonly string[]): Ports {
  const ports = world.cloud.ports("hook");
  const writeRule: Ports["traffic"]["writeRule"] = async (arn, action) => {
    if (arns.includes(arn)) throw new Error(`${arn}: locked`);
    if (!world.cloud.rules.has(arn)) throw new Error(`RuleNotFound: ${arn}`);
    await ports.traffic.writeRule(arn, action);
  };
  return { ...ports, traffic: { ...ports.traffic, writeRule } };
}

const failureOf = (run: Promise<void>) =>
  run.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

describe("lowering rules", () => {
  it("writes all of them at once, then reads all of them back in one call [B4]", async () => {
    const { world, record } = await killed();
    const time = new VirtualTime(0);
    const calls: string[] = [];
    const ports = world.cloud.ports("hook", async (call) => {
      if (!call.endsWith("before")) return;
      calls.push(`${call.replace(" before", "")} at ${time.now()}`);
      await time.sleep(1);
    });
    await time.run(() => lowerRules(ports, record, true, undefined));
    expect(calls).toEqual(["write rule at 0", "write rule at 0", "write rule at 0", "rules at 1"]);
    expect([...world.cloud.rules.values()]).toEqual([toBaseline, toBaseline, toBaseline]);
  });

  it.each([
    ["the testers' rule", [testerRule]],
    ["one main rule", [secondMain]],
    ["every rule", [mainRule, secondMain, testerRule]],
  ])("takes it for done where %s could not be written because it is gone [B4]", async (_title, gone) => {
    const { world, record } = await killed();
    for (const arn of gone) world.cloud.rules.delete(arn);
    await lowerRules(refusing(world), record, true, undefined);
    expect([...world.cloud.rules.values()]).toEqual([...world.cloud.rules.values()].map(() => toBaseline));
    expect([...world.cloud.rules.keys()].filter((arn) => gone.includes(arn))).toEqual([]);
  });

  it("throws what kept a rule from being written that is still there, after the others were lowered [A3, B2]", async () => {
    const { world, record } = await killed();
    world.cloud.rules.delete(testerRule);
    const failure = await failureOf(lowerRules(refusing(world, mainRule), record, true, undefined));
    expect(failure?.message).toBe("arn:rule/main: locked");
    expect([world.cloud.rules.get(mainRule), world.cloud.rules.get(secondMain)]).toEqual([half, toBaseline]);
  });

  it("throws both when a write was refused and nothing can be read back: whether it is gone is unknown [B2]", async () => {
    const { world, record } = await killed();
    const ports = refusing(world, mainRule);
    const readRules = () => Promise.reject(new Error("DescribeRules denied"));
    const deaf = { ...ports, traffic: { ...ports.traffic, readRules } };
    const failure = await failureOf(lowerRules(deaf, record, true, undefined));
    expect(failure?.message).toBe("arn:rule/main: locked; DescribeRules denied");
    expect(world.cloud.rules.get(secondMain)).toEqual(toBaseline);
  });

  it("names every rule that is not what was written, and one that vanished under the write [B2]", async () => {
    const { world, record } = await killed();
    const ports = world.cloud.ports("hook", async (call) => {
      if (call !== "rules before") return;
      world.cloud.rules.set(mainRule, half);
      world.cloud.rules.delete(secondMain);
    });
    const failure = await failureOf(lowerRules(ports, record, true, undefined));
    expect(failure).toBeInstanceOf(ReadBackError);
    expect(failure?.message).toBe(
      [
        `rule ${mainRule} still has ${JSON.stringify(half.weights)} after writing ${JSON.stringify(toBaseline.weights)}`,
        `rule ${secondMain} still has undefined after writing ${JSON.stringify(toBaseline.weights)}`,
      ].join("; "),
    );
  });

  it("calls nothing where nothing grants too much [B2]", async () => {
    const { world, record } = await killed();
    for (const arn of [mainRule, secondMain, testerRule]) world.cloud.rules.set(arn, toBaseline);
    const calls: string[] = [];
    const ports = world.cloud.ports("hook", async (call) => void calls.push(call));
    await lowerRules(ports, record, false, Object.fromEntries(world.cloud.rules));
    expect(calls).toEqual([]);
  });
});

describe("a rule that gives the control too much", () => {
  it("is not written once more with what the canary has above its grant [A4, B4]", async () => {
    const world = await new World(aService({ control: {} })).rolledOutTo(25);
    const control = world.record.control?.targetGroupArn ?? "";
    const written = async (canary: number) => {
      const weights = { [groupArn(v1)]: 70 - canary, [control]: 30, [groupArn(v2)]: canary };
      world.cloud.rules.set(mainRule, { weights });
      await lowerRules(world.cloud.ports("hook"), world.record, false, { [mainRule]: { weights } });
      const after = world.cloud.rules.get(mainRule)?.weights ?? {};
      return [groupArn(v1), control, groupArn(v2)].map((arn) => after[arn]);
    };
    expect([await written(25), await written(40), await written(10)]).toEqual([
      [50, 25, 25],
      [50, 25, 25],
      [65, 25, 10],
    ]);
  });
});
