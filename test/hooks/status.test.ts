/** What status says of an environment: everything that is bad, worst first, and one unreadable part hides no other. */
import { describe, expect, it } from "vitest";
import { RecordUnreadableError } from "../../hooks/ports.ts";
import { readStatus } from "../../hooks/status.ts";
import { findingKinds } from "../../hooks/status-findings.ts";
import type { OnCall } from "../helpers/memory-ports.ts";
import { groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

const day = 24 * 60 * 60_000;

/** 2.0.0 at an exposure, looked at a minute ago, drilled yesterday. */
async function healthy(percent = 50): Promise<World> {
  const world = await new World().rolledOutTo(percent);
  const { cloud } = world;
  cloud.drill = { armedAt: cloud.nowMs - 9 * day, startedAt: cloud.nowMs - day, arrivedAt: cloud.nowMs - day + 4_000 };
  return world;
}

function statusOf(world: World, services?: readonly string[], onCall?: OnCall) {
  return readStatus(world.cloud.ports("person", onCall), services);
}

async function findings(world: World, onCall?: OnCall): Promise<string[]> {
  const { findings: found } = await statusOf(world, undefined, onCall);
  return found.map(({ kind, text }) => `${kind}: ${text}`);
}

describe("status of a service", () => {
  it("has record, live and heartbeat side by side, and nothing bad about a healthy wave [D5]", async () => {
    const world = await healthy();
    const at = world.cloud.nowMs;
    const { services, findings: found, environment, region } = await statusOf(world);
    expect({ environment, region, found }).toEqual({ environment: "dev", region: "eu-west-1", found: [] });
    expect(services).toEqual([
      {
        kind: "read",
        service: "checkout",
        revision: world.record.revision,
        mode: "act",
        baseline: { digest: v1.digest, version: "1.0.0" },
        canary: {
          digest: v2.digest,
          version: "2.0.0",
          attempt: 1,
          committedPercent: 50,
          livePercent: 50,
          ceilingPercent: 50,
          waveOpenedAt: at - 30 * 60_000,
          secondsInWave: 1_800,
        },
        live: { kind: "read", sharesPercent: { [v1.digest]: 50, [v2.digest]: 50 }, unknownTargetGroupArns: [] },
        holds: [],
        breaches: [],
        heartbeat: { kind: "read", at },
        pagesWaiting: 0,
      },
    ]);
  });

  it("names a breach, its hold and the pages that wait, and not what was acknowledged [B5, D4]", async () => {
    const world = await healthy();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    const [hold] = Object.values(world.record.holds);
    expect(await findings(world)).toEqual([
      expect.stringMatching(/^breach: checkout: 2\.0\.0 breaches error-rate \(critical\) since 2026-/),
      `hold: checkout: hold ${hold?.id} on 2.0.0 (breach): ${hold?.detail}`,
    ]);
    world.alarm(v2, "error-rate/critical", "OK");
    await world.reconcile();
    await world.acknowledge();
    expect((await statusOf(world)).services).toEqual([expect.objectContaining({ holds: [] })]);
  });

  it("says first that live is above the record, and grants an opening under way what its lease does [B12]", async () => {
    const world = await healthy(10);
    const { cloud } = world;
    cloud.writeRule("somebody", mainRule, { weights: { [groupArn(v1)]: 60, [groupArn(v2)]: 40 } });
    expect(await findings(world)).toEqual([
      "live-above-record: checkout: 2.0.0 has 40 % live, and the record grants 10 %",
    ]);
    const opening = await healthy(10);
    opening.cloud.nowMs += day;
    await opening.reconcile();
    await opening.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    expect(opening.live(v2)).toBe(25);
    expect(await findings(opening)).toEqual([]);
    const [service] = (await statusOf(opening)).services;
    expect(service).toMatchObject({
      lease: { kind: "opening", fromPercent: 10, toPercent: 25, version: "2.0.0", isOver: false },
    });
    opening.cloud.nowMs += 11 * 60_000;
    opening.cloud.heartbeats.set("checkout", opening.cloud.nowMs);
    expect(await findings(opening)).toEqual([
      "live-above-record: checkout: 2.0.0 has 25 % live, and the record grants 10 %",
    ]);
  });

  it("says that a breach has traffic left, and that groups are foreign [B2]", async () => {
    const world = await healthy();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    world.cloud.writeRule("somebody", mainRule, {
      weights: { [groupArn(v1)]: 40, [groupArn(v2)]: 40, "arn:group/odd": 20 },
    });
    const found = await findings(world);
    expect(found.map((text) => text.split(":")[0])).toEqual([
      "live-above-record",
      "foreign-target-group",
      "breach-not-lowered",
      "hold",
    ]);
    expect(found[1]).toBe(
      "foreign-target-group: checkout: traffic goes to what the record does not know: arn:group/odd",
    );
    expect(found[2]).toMatch(/, and has 40 % live; it should have 0 %$/);
  });

  it("names a hook that has been silent for more than 3 min, and one that never looked [D4]", async () => {
    const world = await healthy();
    const last = new Date(world.cloud.nowMs).toISOString().slice(0, 19);
    world.cloud.nowMs += 3 * 60_000;
    expect(await findings(world)).toEqual([]);
    world.cloud.nowMs += 1_000;
    expect(await findings(world)).toEqual([`hook-silent: checkout: the hook has not looked at it since ${last}Z`]);
    world.cloud.heartbeats.clear();
    expect(await findings(world)).toEqual(["hook-silent: checkout: the hook has never finished a look at it"]);
  });

  it("names a pause with who and why, and rules that are gone or cannot be read", async () => {
    const world = await healthy();
    await world.pause();
    expect(await findings(world)).toEqual(["paused: checkout: openings are paused by an SRE: incident elsewhere"]);
    await world.resume();
    world.cloud.rules.clear();
    expect(await findings(world)).toEqual([
      "live-unreadable: checkout: its live rules cannot be read: none of its main rules exists",
    ]);
    expect(
      await findings(world, async (call) => {
        if (call === "rules before") throw new Error("throttled");
      }),
    ).toEqual(["live-unreadable: checkout: its live rules cannot be read: throttled"]);
    const [service] = (await statusOf(world)).services;
    expect(service).not.toHaveProperty("canary.livePercent");
  });
});

describe("status of an environment", () => {
  it("shows the others beside a record that cannot be read, which comes first [D5]", async () => {
    const world = await healthy();
    const { cloud } = world;
    cloud.records.set("basket", JSON.stringify({ ...world.record, service: "basket" }));
    cloud.heartbeats.set("basket", cloud.nowMs);
    await world.pause();
    const ports = cloud.ports("person");
    const read = async (service: string) => {
      if (service === "basket") throw new RecordUnreadableError("the record is unreadable: it has schema version 2");
      return ports.records.read(service);
    };
    const status = await readStatus({ ...ports, records: { ...ports.records, read } });
    expect(status.services.map(({ service, kind }) => [service, kind])).toEqual([
      ["basket", "unreadable"],
      ["checkout", "read"],
    ]);
    expect(status.findings.map(({ text }) => text)).toEqual([
      "basket: its record cannot be read: the record is unreadable: it has schema version 2",
      "checkout: openings are paused by an SRE: incident elsewhere",
    ]);
  });

  it("reads rules service by service where one of them spoils the call for all", async () => {
    const world = await healthy();
    const { cloud } = world;
    const rules = world.record.rules.map((rule) => ({ ...rule, arn: rule.arn.replace("main", "odd-main") }));
    cloud.records.set("basket", JSON.stringify({ ...world.record, service: "basket", rules }));
    cloud.heartbeats.set("basket", cloud.nowMs);
    const ports = cloud.ports("person");
    const asked: string[][] = [];
    const readRules = async (arns: readonly string[]) => {
      asked.push([...arns]);
      if (arns.some((arn) => arn.includes("odd"))) throw new Error("its action is not ours, got redirect");
      return ports.traffic.readRules(arns);
    };
    const status = await readStatus({ ...ports, traffic: { ...ports.traffic, readRules } });
    expect(asked).toEqual([["arn:rule/odd-main", mainRule], ["arn:rule/odd-main"], [mainRule]]);
    expect(status.findings.map(({ text }) => text)).toEqual([
      "basket: its live rules cannot be read: its action is not ours, got redirect",
    ]);
  });

  it("says that services cannot be listed, and that one asked for has no record", async () => {
    const world = await healthy();
    const status = await statusOf(world, undefined, async (call) => {
      if (call === "list before") throw new Error("no such table");
    });
    expect(status).toMatchObject({ services: [], listProblem: "no such table" });
    expect(status.findings).toEqual([
      { kind: "services-unlisted", text: "the services cannot be listed: no such table" },
    ]);
    expect((await statusOf(world, ["basket"])).findings).toEqual([
      { kind: "record-absent", service: "basket", text: "basket: no record of it" },
    ]);
  });

  it("names a drill that is overdue after 8 days, one that never came through, and one that cannot be read [D4]", async () => {
    const world = await healthy();
    const { cloud } = world;
    const arrivedAt = cloud.nowMs - 8 * day;
    cloud.drill = { armedAt: 0, startedAt: arrivedAt - 4_000, arrivedAt };
    expect(await findings(world)).toEqual([]);
    cloud.drill = { ...cloud.drill, arrivedAt: arrivedAt - 1_000 };
    expect(await findings(world)).toEqual([
      `drill-overdue: the last drill came through ${new Date(arrivedAt - 1_000).toISOString().slice(0, 19)}Z; run npx tidegate drill`,
    ]);
    cloud.drill = undefined;
    expect(await findings(world)).toEqual(["drill-overdue: no drill ever came through; run npx tidegate drill"]);
    cloud.drill = { armedAt: cloud.nowMs };
    expect(await findings(world)).toEqual([]);
    expect(
      await findings(world, async (call) => {
        if (call === "read drill before") throw new Error("throttled");
      }),
    ).toEqual(["drill-unreadable: the drill's state cannot be read: throttled"]);
  });

  it("has no kind twice", () => {
    expect(new Set(findingKinds).size).toBe(findingKinds.length);
  });
});
