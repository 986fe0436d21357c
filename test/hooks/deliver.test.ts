/** What waits in the record: pages to every channel, then snapshots, each at least once and nothing lost over a crash. */
import { describe, expect, it } from "vitest";
import type { Page, RolloutRecord } from "../../core/record.ts";
import { deliver, deliverUnstored, PageNotDeliveredError } from "../../hooks/deliver.ts";
import { pagerOver } from "../../hooks/pager.ts";
import type { Ports } from "../../hooks/ports.ts";
import { reconcileService } from "../../hooks/reconcile.ts";
import type { OnCall } from "../helpers/memory-ports.ts";
import { groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

const errorRate = "error-rate/critical";
const minute = 60_000;
const names = ["pagerduty", "sns", "slack"] as const;
type Channel = (typeof names)[number];

/** Three channels of which only PagerDuty is required; those in `down` take nothing. */
function channelsOf(world: World, down: Set<Channel>, onCall?: OnCall) {
  const sent: [Channel, string][] = [];
  const ports = world.cloud.ports("hook", onCall);
  const pager = pagerOver(
    names.map((name) => ({
      name,
      isRequired: name === "pagerduty",
      async send({ page }) {
        await onCall?.(`${name} before`);
        if (down.has(name)) throw new Error(`${name} is down`);
        sent.push([name, page.id]);
        await onCall?.(`${name} after`);
      },
    })),
  );
  return { sent, ports: { ...ports, pager } satisfies Ports };
}

function aPage(world: World, change: Partial<Page> = {}): Page {
  return { id: "p", dedupKey: "k", severity: "critical", summary: "s", detail: "d", at: world.cloud.nowMs, ...change };
}

async function waiting(change: (world: World) => Partial<RolloutRecord>): Promise<World> {
  const world = await new World().rolledOutTo(25);
  world.cloud.records.set("checkout", JSON.stringify({ ...world.record, ...change(world) }));
  return world;
}

describe("a page that waits", () => {
  it("goes to each channel once and out of the record [D4]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w)] }));
    const { sent, ports } = channelsOf(world, new Set());
    await deliver(ports, "checkout");
    expect(sent).toEqual([
      ["pagerduty", "p"],
      ["sns", "p"],
      ["slack", "p"],
    ]);
    expect(world.record.outbox).toEqual([]);
    await deliver(ports, "checkout");
    expect(sent).toHaveLength(3);
  });

  it("stays for a required channel that is down, fails the run, and goes only to that one later [D4]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w)] }));
    const down = new Set<Channel>(["pagerduty"]);
    const { sent, ports } = channelsOf(world, down);
    const beat = world.cloud.heartbeats.get("checkout");
    world.cloud.nowMs += 3 * 60 * minute;
    const failure = await reconcileService(ports, "checkout").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PageNotDeliveredError);
    expect((failure as Error).message).toBe("checkout: page p was not taken by pagerduty: pagerduty is down");
    expect(world.cloud.heartbeats.get("checkout")).toBe(beat);
    expect(world.record.outbox.map((page) => [page.id, page.deliveredTo])).toEqual([["p", ["sns", "slack"]]]);
    down.clear();
    await reconcileService(ports, "checkout");
    expect(sent.filter(([, id]) => id === "p")).toEqual([
      ["sns", "p"],
      ["slack", "p"],
      ["pagerduty", "p"],
    ]);
    expect([world.record.outbox, world.cloud.heartbeats.get("checkout")]).toEqual([[], world.cloud.nowMs]);
  });

  it("is tried for an hour on a channel that nobody depends on, and fails nothing [D4]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w)] }));
    const { ports } = channelsOf(world, new Set(["slack"]));
    await deliver(ports, "checkout");
    expect(world.record.outbox.map((page) => page.deliveredTo)).toEqual([["pagerduty", "sns"]]);
    world.cloud.nowMs += 60 * minute;
    await deliver(ports, "checkout");
    expect(world.record.outbox).toHaveLength(1);
    world.cloud.nowMs += 1;
    await deliver(ports, "checkout");
    expect(world.record.outbox).toEqual([]);
  });

  it("bumps no revision while nothing comes of it: an up would meet a conflict every minute [A4, D4]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w)] }));
    const { ports } = channelsOf(world, new Set(["slack"]));
    await deliver(ports, "checkout");
    const { revision } = world.record;
    await deliver(ports, "checkout");
    await deliver(ports, "checkout");
    expect(world.record.revision).toBe(revision);
  });

  it("does not keep the next one from being sent [D4]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w), aPage(w, { id: "q" })] }));
    const { ports } = channelsOf(world, new Set(["pagerduty"]));
    await expect(deliver(ports, "checkout")).rejects.toThrow(
      "checkout: page p was not taken by pagerduty: pagerduty is down; checkout: page q was not taken by pagerduty: pagerduty is down",
    );
    expect(world.record.outbox.map((page) => page.id)).toEqual(["p", "q"]);
  });

  it("that resolves is dropped for a newer page of its incident: sent late, it would close what stands [D4]", async () => {
    const world = await waiting((w) => ({
      outbox: [aPage(w, { id: "over", action: "resolve" }), aPage(w, { id: "anew" })],
    }));
    const down = new Set<Channel>(["slack"]);
    const { sent, ports } = channelsOf(world, down);
    await deliver(ports, "checkout");
    down.clear();
    await deliver(ports, "checkout");
    expect(sent.map(([, id]) => id)).toEqual(["anew", "anew", "anew"]);
    expect(world.record.outbox).toEqual([]);
  });

  it("that resolves goes out after older pages of its incident, and beside those of others [D4]", async () => {
    const world = await waiting((w) => ({
      outbox: [aPage(w), aPage(w, { id: "over", action: "resolve" }), aPage(w, { id: "other", dedupKey: "l" })],
    }));
    const { sent, ports } = channelsOf(world, new Set());
    await deliver(ports, "checkout");
    expect(sent.filter(([channel]) => channel === "pagerduty").map(([, id]) => id)).toEqual(["p", "over", "other"]);
  });

  it("is sent from a record that could not be stored, and what fails is thrown [D4]", async () => {
    const world = await new World().rolledOutTo(25);
    const { sent, ports } = channelsOf(world, new Set(["slack"]));
    await deliverUnstored(ports, world.record, [aPage(world)]);
    expect(sent.map(([channel]) => channel)).toEqual(["pagerduty", "sns"]);
    const broken = channelsOf(world, new Set(["pagerduty"])).ports;
    await expect(deliverUnstored(broken, world.record, [aPage(world)])).rejects.toThrow(PageNotDeliveredError);
  });

  it("tells telemetry what was taken and what was not [D7]", async () => {
    const world = await waiting((w) => ({ outbox: [aPage(w)] }));
    const { ports } = channelsOf(world, new Set(["slack"]));
    const said: unknown[] = [];
    const telemetry = {
      ...ports.telemetry,
      metric: (...words: unknown[]) => void said.push(words),
      log: (...words: unknown[]) => void said.push(words),
    };
    await deliver({ ...ports, telemetry }, "checkout");
    expect(said).toEqual([
      ["PagesSent", 1, "checkout"],
      ["error", "page not taken", { service: "checkout", page: "p", channel: "slack", reason: "slack is down" }],
      ["PagesUndelivered", 1, "checkout"],
    ]);
  });
});

async function breached(): Promise<World> {
  const world = await new World().rolledOutTo(25);
  world.alarm(v2, errorRate, "ALARM");
  return world;
}

describe("a snapshot", () => {
  it("is taken after the pages, under the hold's id, with everything that says how things stood [B6]", async () => {
    const world = await breached();
    const calls: string[] = [];
    for (const { alarmName } of world.record.alarms.slice(0, 1)) {
      const points = [{ at: world.cloud.nowMs - minute, value: 12 }];
      world.cloud.alarmValues.set(alarmName, { alarmName, threshold: 5, badWhen: "above", points });
    }
    await world.reconcileWith(async (call) => {
      if (/^(page|write snapshot) after$/.test(call)) calls.push(call);
    });
    expect(calls).toEqual(["page after", "write snapshot after"]);
    const [hold] = Object.values(world.record.holds);
    const snapshot = world.cloud.snapshots.get(`checkout/${hold?.id}`);
    expect(snapshot).toMatchObject({
      schemaVersion: 1,
      id: hold?.id,
      service: "checkout",
      environment: "dev",
      takenAt: world.cloud.nowMs,
      hold,
      live: { [mainRule]: { [groupArn(v1)]: 100 } },
      health: { [v1.digest]: { healthyCount: 4, totalCount: 4 }, [v2.digest]: { healthyCount: 4, totalCount: 4 } },
      gaps: [],
    });
    expect(snapshot?.values).toHaveLength(1);
    expect(snapshot?.alarms?.filter((alarm) => alarm.state === "ALARM").length).toBeGreaterThan(0);
    expect(snapshot?.record.holds).toEqual(world.record.holds);
    expect(world.record.snapshotsDue).toEqual([]);
  });

  it("names what could not be read, and is written all the same [B6, B8]", async () => {
    const world = await breached();
    await world
      .reconcileWith(async (call) => {
        if (/^(values|health|rules) before$/.test(call)) throw new Error("denied");
      })
      .catch(() => {});
    const [snapshot] = world.cloud.snapshots.values();
    expect(snapshot?.gaps.toSorted()).toEqual([
      "health of 1.0.0: denied",
      "health of 2.0.0: denied",
      "rules: denied",
      "values: denied",
    ]);
    expect(snapshot).not.toHaveProperty("live");
    expect(snapshot).not.toHaveProperty("values");
  });

  it("that cannot be written stays due, fails the run, keeps no page back, and is taken at the next [B6]", async () => {
    const world = await breached();
    const full = async (call: string) => {
      if (call === "write snapshot before") throw new Error("table throttled");
    };
    await expect(world.reconcileWith(full)).rejects.toThrow(/^table throttled$/);
    const [hold] = Object.keys(world.record.holds);
    expect([world.record.snapshotsDue, world.record.outbox, world.cloud.pages.length]).toEqual([[hold], [], 1]);
    expect(world.live(v2)).toBe(0);
    await world.reconcile();
    expect([world.record.snapshotsDue, [...world.cloud.snapshots.keys()]]).toEqual([[], [`checkout/${hold}`]]);
  });

  it("that cannot be written for an hour is given up on: the heartbeat must not stay away for good [B6]", async () => {
    const world = await breached();
    const full = async (call: string) => {
      if (call === "write snapshot before") throw new Error("item too large");
    };
    await expect(world.reconcileWith(full)).rejects.toThrow(/^item too large$/);
    world.cloud.nowMs += 60 * minute;
    await expect(world.reconcileWith(full)).rejects.toThrow(/^item too large$/);
    world.cloud.nowMs += 1;
    await world.reconcileWith(full);
    expect([world.record.snapshotsDue, world.cloud.heartbeats.get("checkout")]).toEqual([[], world.cloud.nowMs]);
  });

  it("of a hold that the record no longer has is no longer due [B6]", async () => {
    const world = await waiting(() => ({ snapshotsDue: ["gone"] }));
    await deliver(world.cloud.ports("hook"), "checkout");
    expect([world.record.snapshotsDue, world.cloud.snapshots.size]).toEqual([[], 0]);
  });
});

describe("a crash", () => {
  it("at any single call loses neither page nor snapshot, and never the lowering [B6]", async () => {
    let calls = 0;
    const counting = await breached();
    await counting.reconcileWith(async () => void calls++);
    expect(calls).toBeGreaterThan(30);
    for (let crashAt = 0; crashAt < calls; crashAt += 1) {
      const world = await breached();
      let made = 0;
      await world
        .reconcileWith(async () => {
          if (made++ >= crashAt) throw new Error("crash");
        })
        .catch(() => {});
      await world.reconcile();
      await world.reconcile();
      const told = world.cloud.pages.filter((page) => page.summary.startsWith("checkout: ROLLED BACK from"));
      const holds = Object.keys(world.record.holds);
      const title = `crash at call ${crashAt}`;
      expect(told.length, title).toBeGreaterThanOrEqual(1);
      expect(holds.length, title).toBe(1);
      expect([...world.cloud.snapshots.keys()], title).toContain(`checkout/${holds[0]}`);
      expect([world.record.outbox, world.record.snapshotsDue, world.live(v2)], title).toEqual([[], [], 0]);
    }
  }, 20_000);
});
