/** Which control an `up` declares, and what it refuses, with the real decide, guard, commit and hook code on ports in memory. */
import { describe, expect, it } from "vitest";
import { judgeRecord } from "../../hooks/aws/record-schema.ts";
import { decideEnvironment } from "../../stacks/decide.ts";
import { aControlWorld, controlArn, split } from "../helpers/control-world.ts";
import { anAdoptedRelease, aService, mainRule, v2, v3, World } from "../helpers/world.ts";

const day = 24 * 60;

describe("the control that an up declares", () => {
  it("refuses another control while the canary has traffic, and takes it once it has none [E1]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    expect(await world.up({ canary: v2, wavePercent: 25, control: { targetGroupArn: "arn:group/own" } })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.control: changed while 2.0.0 has 25 %, got arn:group/own; expected a group of the program's for 1-0-0-fe63bd03-control. " +
          "Set it back, or finish or take the canary to 0 first",
      ],
    });
    const { control: _none, ...without } = aService();
    const bare = new World(without);
    await bare.rolledOutTo(25);
    expect(await bare.up({ canary: v2, wavePercent: 25, control: {} })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.control: changed while 2.0.0 has 25 %, got a group of the program's for 1-0-0-fe63bd03-control; expected none. " +
          "Set it back, or finish or take the canary to 0 first",
      ],
    });

    const lowered = await world.must(
      world.up({ canary: v2, wavePercent: 0, control: { targetGroupArn: "arn:group/own" } }),
    );
    expect(lowered.at(-1)).toBe(
      "checkout: the control of before leaves its rule first; the next up declares the new one",
    );
    expect(controlArn(world)).toBe("arn:group/1-0-0-fe63bd03-control");
    await world.wait(1);
    expect(await world.up({ canary: v2, wavePercent: 10, control: { targetGroupArn: "arn:group/own" } })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.control: another group than before, which is still leaving its rule, got arn:group/own after a group of the program's " +
          "for 1-0-0-fe63bd03-control; expected it 60 s from now. Wait that long, then run up again",
      ],
    });
    await world.wait(1);
    await world.must(world.up({ canary: v2, wavePercent: 10, control: { targetGroupArn: "arn:group/own" } }));
    expect(world.record.control).toMatchObject({ targetGroupArn: "arn:group/own", adopted: true, sharePercent: 10 });
    expect(split(world)).toEqual([80, 10, 10]);
  });

  it("opens a wave without one beside the old one that still leaves, once the config has none [A4]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    await world.must(world.up({ canary: v2, wavePercent: 0, control: undefined }));
    await world.wait(1);
    await world.must(world.up({ canary: v2, wavePercent: 10, control: undefined }));
    expect(split(world)).toEqual([90, 0, 10]);
    await world.wait(2);
    await world.must(world.up({ canary: v2, wavePercent: 10, control: undefined }));
    expect(world.record.control).toBeUndefined();
  });

  it("refuses a group that a release which is still needed has [E7]", async () => {
    const blue = anAdoptedRelease("1.0.0", "arn:group/blue");
    const green = anAdoptedRelease("2.0.0", "arn:group/green");
    const world = new World(aService({ baseline: blue }));
    await world.rolledOutTo(100, green);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: green }));
    expect(await world.up({ baseline: green, canary: v3, control: { targetGroupArn: "arn:group/blue" } })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.control: the same target group as 1.0.0, which is still needed, got arn:group/blue; expected a group of its own. " +
          "Name another, or leave it out and the program makes one",
      ],
    });
  });

  it("counts as one of the five groups that a rule takes [A3]", async () => {
    const world = new World(aService({ control: {}, rollbackWindowMinutes: 43_200 }, "rapid"));
    await world.rolledOutTo(100);
    await world.wait(60);
    await world.must(world.up({ baseline: v2, canary: v3 }));
    await world.must(world.up({ baseline: v2, canary: v3, wavePercent: 5 }));
    const v4 = { digest: "sha256:4", version: "4.0.0", image: "registry.example.com/shop@sha256:4" };
    await world.must(world.up({ baseline: v2, canary: v4 }));
    const v5 = { digest: "sha256:5", version: "5.0.0", image: "registry.example.com/shop@sha256:5" };
    const sixth = await world.up({ baseline: v2, canary: v5 });
    expect(sixth.kind === "applied" && sixth.declaration.liveSet.length).toBe(4);
    await world.must(world.up({ baseline: v2, canary: v5, wavePercent: 5 }));
    const v6 = { digest: "sha256:6", version: "6.0.0", image: "registry.example.com/shop@sha256:6" };
    expect(await world.up({ baseline: v2, canary: v6 })).toMatchObject({
      kind: "refused",
      reasons: [
        "checkout: 6 releases would hang on one rule (2.0.0, 6.0.0, 5.0.0, 1.0.0, 3.0.0, the control); a forward action takes 5. Wait 120 s until one has left",
      ],
    });
  });

  it("keeps what is live when the record cannot be read, and refuses where the control is not known [B8]", async () => {
    const [blue, green] = [anAdoptedRelease("1.0.0", "arn:blue"), anAdoptedRelease("2.0.0", "arn:green")];
    const control = { targetGroupArn: "arn:own-control" };
    const world = await aControlWorld({ baseline: blue, control }).rolledOutTo(25, green);
    const live = world.cloud.rules.get(mainRule);
    expect(live?.weights).toEqual({ "arn:blue": 50, "arn:own-control": 25, "arn:green": 25 });
    world.cloud.recordFailure = new Error("table is not there");
    const { control: _control, ...without } = world.configOf({ canary: green, wavePercent: 50 }).services[0] ?? {};
    const [declared] = await decideEnvironment(
      world.configOf({ canary: green, wavePercent: 50 }),
      world.cloud.ports("up stack-a"),
    );
    expect(declared).toMatchObject({
      shares: { [blue.digest]: 75, [green.digest]: 25 },
      control: { targetGroupArn: "arn:own-control", sharePercent: 25 },
    });
    const [unknown] = await decideEnvironment(
      { ...world.configOf({}), services: [without as ReturnType<typeof aService>] },
      world.cloud.ports("up stack-a"),
    );
    expect(unknown?.refusals).toContain(
      "checkout: the record cannot be read (table is not there), and the live rule sends traffic to arn:own-control, which the config does not name. Name it, or restore the record",
    );
    expect(world.cloud.rules.get(mainRule)).toEqual(live);
  });

  it("stores it in a shape that the strict schema reads, and reads records without it as before [B11]", async () => {
    const world = await aControlWorld().rolledOutTo(25);
    const { record } = world;
    expect(judgeRecord(record)).toEqual({ record });
    const { control: _control, ...older } = record;
    expect(judgeRecord(older)).toEqual({ record: older });
    // What an older version, which has no such key, says to this record is what this one says to a key of a newer one.
    expect(judgeRecord({ ...record, controls: [] })).toEqual({
      reason: 'it is no record: value: Unrecognized key: "controls"',
    });
  });
});
