/** A kill when the record cannot be read: a person names the receiver, and the load balancer alone is asked and written. */
import { describe, expect, it } from "vitest";
import { CommandRefusedError, killWithoutRecord, liveGroups } from "../../hooks/commands.ts";
import { type Ports, RecordUnreadableError } from "../../hooks/ports.ts";
import { mainRule, World } from "../helpers/world.ts";

const said = { by: "an SRE", reason: "customers call" };

function refusal(run: Promise<string>): Promise<string> {
  return run.then(
    (message) => `done: ${message}`,
    (error: unknown) => {
      if (error instanceof CommandRefusedError) return error.message;
      throw error;
    },
  );
}

describe("kill without a record", () => {
  const place = { listener: { loadBalancerName: "tidegate-dev" }, environment: "dev", service: "checkout" };
  const toV1 = { ...place, said };
  const blue = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/1";
  const secondMain = "arn:rule/second-main";
  const green = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/2";

  /** Two main rules, half of the traffic on each group, and a table that cannot be read. */
  function tableless(failure: Error = new Error("table gone")): World {
    const world = new World();
    world.cloud.recordFailure = failure;
    for (const arn of [mainRule, secondMain]) {
      world.cloud.rules.set(arn, { weights: { [blue]: 50, [green]: 50 }, stickinessSeconds: 600 });
    }
    for (const arn of [blue, green]) world.cloud.health.set(arn, { healthyCount: 4, totalCount: 4 });
    return world;
  }

  /** Somebody has turned these rules into something that is no forward. */
  function redirecting(world: World, ...arns: readonly string[]): Ports {
    const ports = world.cloud.ports("person");
    const readRules: Ports["traffic"]["readRules"] = async (asked) => {
      const foreign = asked.find((arn) => arns.includes(arn));
      if (foreign !== undefined) throw new Error(`rule ${foreign}: it redirects`);
      return ports.traffic.readRules(asked);
    };
    return { ...ports, traffic: { ...ports.traffic, readRules } };
  }

  it.each<[string, Error]>([
    ["the table is lost", new Error("ResourceNotFoundException")],
    ["the schema is newer", new RecordUnreadableError("record of checkout: schema 2; expected 1")],
    ["the record is garbage", new RecordUnreadableError("record of checkout: no record")],
  ])(
    "gives all traffic of every main rule to the group that a person names, though %s [B4, B11]",
    async (_title, failure) => {
      const world = tableless(failure);
      await expect(world.kill()).rejects.toThrow(failure.message);
      const ports = world.cloud.ports("person");
      expect(await killWithoutRecord(ports, { ...toV1, receiver: "blue" })).toBe(
        `checkout: all traffic goes to ${blue} (2 rule(s)), said an SRE: customers call. A testers' rule stays as it is. No record was written: openings stay refused until it can be read`,
      );
      for (const arn of [mainRule, secondMain]) {
        expect(world.cloud.rules.get(arn)).toEqual({ weights: { [blue]: 100 } });
      }
      expect(world.cloud.recordWrites).toEqual([]);
    },
  );

  it("takes an ARN too, also one that carries nothing now [B4]", async () => {
    const world = tableless();
    const third = green.replace("green", "third");
    world.cloud.health.set(third, { healthyCount: 1, totalCount: 1 });
    await killWithoutRecord(world.cloud.ports("person"), { ...toV1, receiver: third });
    expect(world.cloud.rules.get(mainRule)).toEqual({ weights: { [third]: 100 } });
  });

  it.each<[string, string, (world: World) => void, string]>([
    [
      "a name that carries nothing",
      "blu",
      () => {},
      `checkout: target group "blu" carries none of its traffic; expected one of ${blue}, ${green}, or the ARN of another. Nothing was changed`,
    ],
    [
      "a dead receiver beside a living group",
      "blue",
      (world) => world.cloud.health.set(blue, { healthyCount: 0, totalCount: 4 }),
      `checkout: ${blue} has no healthy host (0 of 4) and another group has; nothing was changed. Bring it back, or name another group`,
    ],
    [
      "nothing live",
      "blue",
      (world) => world.cloud.rules.clear(),
      "checkout: no main rule of it is live that could be written; nothing was changed",
    ],
  ])("refuses %s, and changes nothing [B4, B12]", async (_title, receiver, arrange, message) => {
    const world = tableless();
    arrange(world);
    const rules = structuredClone([...world.cloud.rules]);
    expect(await refusal(killWithoutRecord(world.cloud.ports("person"), { ...toV1, receiver }))).toBe(message);
    expect([...world.cloud.rules]).toEqual(rules);
  });

  it.each([
    ["an SRE", " ", "a reason"],
    ["\t", "customers call", "who says so"],
    ["", "", "who says so and a reason"],
  ])("refuses %j saying %j, and changes nothing [B4]", async (by, reason, missing) => {
    const world = tableless();
    const ports = world.cloud.ports("person");
    expect(await refusal(killWithoutRecord(ports, { ...toV1, said: { by, reason }, receiver: "blue" }))).toBe(
      `checkout: kill: ${missing} is missing; nothing was changed`,
    );
    expect(world.cloud.ruleWrites).toEqual([]);
  });

  it("does it where every group is dead: nothing is worse than before [B4]", async () => {
    const world = tableless();
    for (const arn of [blue, green]) world.cloud.health.set(arn, { healthyCount: 0, totalCount: 4 });
    await killWithoutRecord(world.cloud.ports("person"), { ...toV1, receiver: "blue" });
    expect(world.cloud.rules.get(mainRule)).toEqual({ weights: { [blue]: 100 } });
  });

  it("reads each rule alone: lowers those it can read, then names those it could not [B4, B11]", async () => {
    const world = tableless();
    const ports = redirecting(world, secondMain);
    const failure = await killWithoutRecord(ports, { ...toV1, receiver: "blue" }).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(CommandRefusedError);
    expect((failure as Error).message).toBe(
      `checkout: 1 rule(s) forward to ${blue} alone now, and 1 could not be read and were left: rule ${secondMain}: it redirects`,
    );
    expect(world.cloud.rules.get(mainRule)).toEqual({ weights: { [blue]: 100 } });
    expect(world.cloud.rules.get(secondMain)?.weights).toEqual({ [blue]: 50, [green]: 50 });
  });

  it("refuses where no rule could be read, and says why of each [B4, B11]", async () => {
    const world = tableless();
    const ports = redirecting(world, mainRule, secondMain);
    expect(await refusal(killWithoutRecord(ports, { ...toV1, receiver: "blue" }))).toBe(
      `checkout: no main rule of it is live that could be written; nothing was changed; rule ${mainRule}: it redirects; rule ${secondMain}: it redirects`,
    );
    expect(world.cloud.ruleWrites).toEqual([]);
  });

  it("says which rules still forward elsewhere after the write [B2, B4]", async () => {
    const world = tableless();
    const ports = world.cloud.ports("person", async (call) => {
      if (call === "write rule after") world.cloud.rules.set(mainRule, { weights: { [blue]: 50, [green]: 50 } });
    });
    await expect(killWithoutRecord(ports, { ...toV1, receiver: "blue" })).rejects.toThrow(
      "checkout: arn:rule/main still forward elsewhere after the write; try again, or write them by hand",
    );
  });

  it("shows what is live without any record, and leaves out what it cannot read [B4]", async () => {
    expect(await liveGroups(redirecting(tableless(), mainRule), place)).toEqual([
      { ruleArn: secondMain, weights: { [blue]: 50, [green]: 50 } },
    ]);
    expect(await liveGroups(tableless().cloud.ports("person"), place)).toEqual([
      { ruleArn: mainRule, weights: { [blue]: 50, [green]: 50 } },
      { ruleArn: secondMain, weights: { [blue]: 50, [green]: 50 } },
    ]);
  });
});
