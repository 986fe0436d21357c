/** Two and three regions of one environment: what one finds out about a release, the others follow, and none waits for one that is gone. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Declaration } from "../../core/declaration.ts";
import { peerRefusals, readPeers, unsharedNotices } from "../../hooks/peers.ts";
import { RecordUnreadableError, RevisionConflictError } from "../../hooks/ports.ts";
import { reconcileAll } from "../../hooks/reconcile.ts";
import { aDeclaration } from "../helpers/builders.ts";
import { anAdoptedRelease, aService, groupArn, sharingHolds, v1, v2, v3, World } from "../helpers/world.ts";

let ireland: World;
let virginia: World;
let sydney: World;

async function regions(percent: number, service = aService()): Promise<void> {
  const from = Date.UTC(2026, 0, 5, 10);
  ireland = new World(service, from, "eu-west-1");
  virginia = new World(service, from, "us-east-1");
  sydney = new World(service, from, "ap-southeast-2");
  sharingHolds(ireland, virginia, sydney);
  for (const world of [ireland, virginia, sydney]) {
    await world.rolledOutTo(percent);
    world.cloud.pages.length = 0;
  }
}

const breach = (world: World, release = v2) => world.alarm(release, "error-rate/critical", "ALARM");
const standing = (world: World) =>
  Object.values(world.record.holds)
    .filter((hold) => !hold.acknowledged)
    .map(({ cause }) => cause);
const silence =
  "peer us-east-1: its record cannot be read (no answer from us-east-1), so nobody knows whether it holds this release; no opening before it answers. " +
  "To go on without that region take it out of tidegate:peers with an up that raises nothing; the one after may open";
/** Calls by a world's hook in one look, in order, without the halves after them. */
async function callsOf(world: World, fails: (call: string) => boolean = () => false): Promise<string[]> {
  const calls: string[] = [];
  await world.reconcileWith(async (call) => {
    if (!call.endsWith(" before")) return;
    const name = call.slice(0, -" before".length);
    calls.push(name);
    if (fails(name)) throw new Error(`no answer to ${name}`);
  });
  return calls;
}

beforeEach(() => regions(50));

describe("a rollback in one region", () => {
  it("is told after the lowering and before the page, and followed by each peer's own look [B5]", async () => {
    breach(ireland);
    const calls = await callsOf(ireland);
    expect(ireland.live(v2)).toBe(0);
    const order = ["write rule", "read peer ap-southeast-2", "write peer us-east-1", "page"].map((call) =>
      calls.indexOf(call),
    );
    expect(order).toEqual([...order].sort((left, right) => left - right));
    expect(order[0]).toBeGreaterThan(0);
    expect(ireland.record.broadcastsDue).toEqual([]);
    for (const peer of [virginia, sydney]) {
      expect([standing(peer), peer.live(v2)]).toEqual([["peer"], 50]);
      await peer.reconcile();
      await peer.reconcile();
      expect([peer.live(v2), peer.cloud.pages.length, peer.record.broadcastsDue]).toEqual([0, 1, undefined]);
      expect(peer.cloud.snapshots.size).toBe(1);
    }
    expect(standing(ireland)).toEqual(["breach"]);
  });

  it("is told once: another look, and the peers' own, tell nobody anything [B5]", async () => {
    breach(ireland);
    await ireland.reconcile();
    const revisions = [virginia, sydney].map((peer) => peer.record.revision);
    expect((await callsOf(ireland)).filter((call) => call.includes("peer"))).toEqual([]);
    for (const peer of [virginia, sydney])
      expect((await callsOf(peer)).filter((call) => call.includes("peer "))).toEqual([]);
    expect([virginia, sydney].map((peer) => peer.record.revision >= (revisions[0] ?? 0))).toEqual([true, true]);
    expect(Object.keys(ireland.record.holds)).toHaveLength(1);
  });

  it("goes to the peers by kill too, in the same call [B4, B5]", async () => {
    await virginia.kill();
    expect([standing(ireland), standing(sydney), virginia.record.broadcastsDue]).toEqual([["peer"], ["peer"], []]);
    await ireland.reconcile();
    expect(ireland.live(v2)).toBe(0);
  });

  it("is followed by the baseline that the release has become in a peer, back to the previous one", async () => {
    await sydney.wait(1_440);
    await sydney.must(sydney.up({ canary: v2, wavePercent: 100 }));
    await sydney.wait(7 * 1_440 + 5);
    await sydney.must(sydney.up({ baseline: v2 }));
    expect(sydney.record.baseline).toBe(v2.digest);
    breach(ireland);
    ireland.cloud.nowMs = sydney.cloud.nowMs;
    await ireland.reconcile();
    await sydney.reconcile();
    expect([sydney.record.baseline, sydney.live(v1)]).toEqual([v1.digest, 100]);
  });

  it("looks at a peer's receiver before lowering there, though no alarm speaks there [B12]", async () => {
    virginia.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    breach(ireland);
    await ireland.reconcile();
    await virginia.reconcile();
    expect([virginia.live(v2), standing(virginia)]).toEqual([50, ["peer", "receiver-lost"]]);
    virginia.cloud.health.set(groupArn(v1), { healthyCount: 4, totalCount: 4 });
    await virginia.reconcile();
    expect(virginia.live(v2)).toBe(0);
  });

  it("says nothing of places: hosts, metrics, a hand on the rule stay where they are", async () => {
    ireland.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
    breach(ireland);
    await ireland.reconcile();
    expect(standing(ireland)).toEqual(["receiver-lost"]);
    sydney.cloud.writeRule("somebody", "arn:rule/main", { weights: { [groupArn(v1)]: 100 } });
    await sydney.reconcile();
    expect(standing(sydney)).toEqual(["unexplained-lowering"]);
    expect([standing(virginia), ireland.record.broadcastsDue, sydney.record.broadcastsDue]).toEqual([
      [],
      undefined,
      undefined,
    ]);
  });

  it("is nothing to a peer without the service, or with another release", async () => {
    virginia.cloud.records.clear();
    sydney.cloud.records.set("checkout", JSON.stringify({ ...sydney.record, releases: { [v1.digest]: {} } }));
    const before = sydney.cloud.records.get("checkout");
    breach(ireland);
    await ireland.reconcile();
    expect([virginia.rawRecord(), sydney.cloud.records.get("checkout"), ireland.record.broadcastsDue]).toEqual([
      undefined,
      before,
      [],
    ]);
    const told = ireland.cloud.history.filter(({ kind }) => kind === "broadcast").map(({ message }) => message);
    expect(told.map((message) => message.split(": ")[1]).sort()).toEqual([
      "it does not have the release",
      "it has no such service",
    ]);
  });
});

describe("a peer that is gone", () => {
  beforeEach(() => {
    ireland.cloud.silentPeers.add("us-east-1");
  });

  it("keeps no lowering, page or heartbeat here waiting, and the others are told [B5, D4]", async () => {
    breach(ireland);
    ireland.cloud.nowMs += 60_000;
    await ireland.reconcile();
    expect([ireland.live(v2), standing(sydney), ireland.cloud.pages.length]).toEqual([0, ["peer"], 1]);
    expect(ireland.cloud.heartbeats.get("checkout")).toBe(ireland.cloud.nowMs);
    expect(ireland.record.broadcastsDue?.map((entry) => entry.split("/")[0])).toEqual(["us-east-1"]);
  });

  it("is told when it answers again, however late; people hear once that it was not [D4]", async () => {
    breach(ireland);
    await ireland.reconcile();
    await ireland.wait(60);
    const notTold = ireland.cloud.pages.filter(({ id }) => id.startsWith("not-told"));
    expect(notTold.map(({ summary }) => summary.split(" of hold")[0])).toEqual(["checkout: us-east-1 WAS NOT TOLD"]);
    ireland.cloud.silentPeers.clear();
    await ireland.reconcile();
    expect([standing(virginia), ireland.record.broadcastsDue]).toEqual([["peer"], []]);
    await virginia.reconcile();
    expect(virginia.live(v2)).toBe(0);
  });

  it("forbids an opening by name before anything changes, and a lowering by nothing [C1, B5]", async () => {
    await ireland.wait(1_440);
    const raise = await ireland.up({ canary: v2, wavePercent: 100 });
    expect(raise).toEqual({ kind: "refused", reasons: [`checkout: ${silence}`] });
    expect(ireland.live(v2)).toBe(50);
    await ireland.must(ireland.up({ canary: v2, wavePercent: 25 }));
    expect(ireland.live(v2)).toBe(25);
    await ireland.kill();
    expect(ireland.live(v2)).toBe(0);
  });

  it("forbids it at the last moment too, before the rule is written [C1]", async () => {
    ireland.cloud.silentPeers.clear();
    await ireland.wait(1_440);
    const raise = await ireland.up(
      { canary: v2, wavePercent: 100 },
      // Only the guard reads the heartbeat.
      { onCall: async (call) => void (call === "read heartbeat before" && ireland.cloud.silentPeers.add("us-east-1")) },
    );
    expect(raise).toEqual({
      kind: "failed",
      message: [
        "checkout: the rule was not written (other resources of this up may have changed):",
        `  ${silence}`,
      ].join("\n"),
    });
    expect(ireland.live(v2)).toBe(50);
  });

  it("is let go by taking it out of the config: the next up opens", async () => {
    await ireland.wait(1_440);
    ireland.peers = ["ap-southeast-2"];
    await ireland.must(ireland.up({ canary: v2, wavePercent: 50 }));
    await ireland.must(ireland.up({ canary: v2, wavePercent: 100 }));
    expect(ireland.live(v2)).toBe(100);
  });

  it("is waited for once a run, however many services have to tell it something", async () => {
    breach(ireland);
    await ireland.reconcile();
    const names = Array.from({ length: 40 }, (_none, index) => `service-${index}`);
    for (const name of names) {
      const record = { ...ireland.record, service: name, rules: [], alarms: [], canary: undefined, outbox: [] };
      ireland.cloud.records.set(name, JSON.stringify(record));
    }
    ireland.cloud.records.delete("checkout");
    let asked = 0;
    const ports = ireland.cloud.ports("hook", async (call) => {
      if (call === "read peer us-east-1 before") asked += 1;
    });
    await reconcileAll({ ...ports, traffic: { ...ports.traffic, readRules: async () => ({}) } }).catch(() => {});
    // Those that were on their way together, and nobody after them.
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(10);
    expect(names.every((name) => ireland.cloud.read(name)?.broadcastsDue?.length === 1)).toBe(true);
  });
});

describe("a peer's record before an opening", () => {
  const opens = (world: World) => world.up({ canary: v2, wavePercent: 100 });

  beforeEach(() => ireland.wait(1_440));

  it.each([
    ["garbage", new RecordUnreadableError("it is no record: revision: expected number")],
    ["newer", new RecordUnreadableError("it has schema version 9; this version knows 1")],
  ])("that is %s forbids it by name [C1]", async (_what, failure) => {
    virginia.cloud.recordFailure = failure;
    const outcome = await opens(ireland);
    expect(outcome.kind === "refused" && outcome.reasons.join()).toContain(
      `peer us-east-1: its record cannot be read (${failure.message})`,
    );
  });

  it("forbids it by a hold there, though nothing of it arrived here, until it is acknowledged there [B5]", async () => {
    virginia.cloud.silentPeers.add("eu-west-1");
    await virginia.kill();
    expect(standing(ireland)).toEqual([]);
    const outcome = await opens(ireland);
    expect(outcome.kind === "refused" && outcome.reasons.join()).toMatch(
      /checkout: peer us-east-1: hold kill-\d+ stands there \(/,
    );
    await virginia.acknowledge();
    await sydney.acknowledge();
    virginia.cloud.silentPeers.clear();
    await ireland.must(opens(ireland));
  });

  it("says nothing by the copy of a hold of this region, which is judged here [B5]", async () => {
    await ireland.kill();
    await ireland.acknowledge();
    expect([standing(virginia), standing(ireland)]).toEqual([["peer"], []]);
    virginia.cloud.peers.clear();
    await ireland.wait(10);
    await sydney.acknowledge();
    await ireland.must(ireland.up({ canary: v2, wavePercent: 10, attempt: 2 }));
    expect(ireland.live(v2)).toBe(10);
  });

  it("is not asked by an up that raises nothing, nor by commit and kill", async () => {
    for (const peer of [virginia, sydney]) peer.cloud.recordFailure = new Error("asked");
    await ireland.must(ireland.up({ canary: v2, wavePercent: 50 }));
    await ireland.must(ireland.up({ canary: v2, wavePercent: 25 }));
    await ireland.must(ireland.up({ canary: v3, wavePercent: 0 }));
  });
});

describe("telling a peer whose record is being written", () => {
  it("tries again on what it finds then, and gives up no hold to a conflict [B5]", async () => {
    let conflicts = 0;
    breach(ireland);
    await ireland.reconcileWith(async (call) => {
      if (call !== "write peer us-east-1 before" || conflicts === 2) return;
      conflicts += 1;
      const record = virginia.record;
      virginia.cloud.records.set("checkout", JSON.stringify({ ...record, revision: record.revision + 1 }));
    });
    expect([conflicts, standing(virginia)]).toEqual([2, ["peer"]]);
    await regions(50);
    breach(ireland);
    await ireland.reconcileWith(async (call) => {
      if (call === "write peer us-east-1 before") throw new RevisionConflictError("always");
    });
    expect([standing(virginia), ireland.record.broadcastsDue?.length]).toEqual([[], 1]);
    await ireland.reconcile();
    expect([standing(virginia), ireland.record.broadcastsDue]).toEqual([["peer"], []]);
  });

  it.each(["write record", "write rule", "read peer us-east-1", "write peer us-east-1", "page", "history"])(
    "loses nothing to a run that dies at %s [B5]",
    async (where) => {
      breach(ireland);
      let isDead = false;
      await ireland
        .reconcileWith(async (call) => {
          isDead ||= call === `${where} before`;
          if (isDead) throw new Error("dead");
        })
        .catch(() => {});
      expect(isDead).toBe(true);
      for (let minute = 0; minute < 3; minute += 1) {
        await ireland.wait(1);
        await virginia.reconcile();
      }
      expect([ireland.live(v2), virginia.live(v2), ireland.record.broadcastsDue]).toEqual([0, 0, []]);
      expect(virginia.cloud.pages).toHaveLength(1);
    },
  );

  it("needs no history there", async () => {
    breach(ireland);
    await ireland.reconcileWith(async (call) => {
      if (call === "history of peer us-east-1 before") throw new Error("no");
    });
    expect([standing(virginia), ireland.record.broadcastsDue]).toEqual([["peer"], []]);
  });
});

describe("reading peers", () => {
  it("answers for each, whatever became of it", async () => {
    ireland.cloud.silentPeers.add("us-east-1");
    const [silent, read] = await readPeers(ireland.cloud.ports("up"), ["us-east-1", "ap-southeast-2"], "checkout");
    expect(silent).toEqual({ region: "us-east-1", failure: "no answer from us-east-1" });
    expect(read).toEqual({ region: "ap-southeast-2", record: sydney.record });
  });
});

describe("a peer whose record an older version wrote", () => {
  beforeEach(() => {
    const { declaredBy: _none, ...older } = virginia.record;
    virginia.cloud.records.set("checkout", JSON.stringify(older));
  });

  it("is not written to, and people hear that it was not told; the others are [B5, D4]", async () => {
    const before = virginia.cloud.records.get("checkout");
    breach(ireland);
    for (let minute = 0; minute < 4; minute += 1) {
      await ireland.reconcile();
      ireland.cloud.nowMs += 60_000;
    }
    expect(virginia.cloud.records.get("checkout")).toBe(before);
    expect(standing(sydney)).toEqual(["peer"]);
    const pages = ireland.cloud.pages.filter(({ summary }) => summary.includes("WAS NOT TOLD"));
    expect(pages.map(({ detail }) => detail)).toEqual([
      "its hook is older: a hold from here would make the record unreadable to it; upgrade that region, with an up of the service; look at the release in that region, and kill there if it has traffic. It is tried again every minute",
    ]);
  });

  it("forbids openings until it is upgraded [C1]", async () => {
    const args = {
      declaration: aDeclaration(25, { step: "opening" }),
      configured: ["us-east-1"],
      recorded: [],
      ownRegion: "eu-west-1",
    };
    expect(await peerRefusals(ireland.cloud.ports("up"), args)).toEqual({
      refusals: [
        "checkout: peer us-east-1: its record is of a version that knows no peers, so it cannot be told of a hold; no opening before it is upgraded. Upgrade all regions, with an up in each, before naming peers",
      ],
      notices: [],
    });
  });
});

describe("an up before it declares", () => {
  const refusals = async (step: Declaration["step"], regions: { configured: string[]; recorded: string[] }) => {
    const args = { declaration: aDeclaration(25, { step }), ...regions, ownRegion: "eu-west-1" };
    return (await peerRefusals(ireland.cloud.ports("up"), args)).refusals;
  };

  beforeEach(() => {
    ireland.cloud.silentPeers.add("us-east-1");
  });

  it("hears what the guard would refuse, and nothing where nothing is raised [C1]", async () => {
    const both = { configured: ["ap-southeast-2", "us-east-1"], recorded: ["us-east-1"] };
    expect(await refusals("opening", both)).toEqual([`checkout: ${silence}`]);
    expect(await refusals("replace-baseline", both)).toEqual([`checkout: ${silence}`]);
    for (const step of ["first", "none", "lowering", "finish"] as const) expect(await refusals(step, both)).toEqual([]);
  });

  it("is refused as a first one where a peer holds its baseline; a silent peer is only said [B5, C1]", async () => {
    virginia.cloud.records.set(
      "checkout",
      JSON.stringify({ ...virginia.record, canary: undefined, baseline: v2.digest }),
    );
    sydney.alarm(v2, "error-rate/critical", "ALARM");
    await sydney.reconcile();
    const [hold] = Object.values(sydney.record.holds);
    const words = await peerRefusals(ireland.cloud.ports("up"), {
      declaration: aDeclaration(0, { step: "first", baseline: v2.digest }),
      configured: ["ap-southeast-2", "us-east-1"],
      recorded: [],
      ownRegion: "eu-west-1",
    });
    expect(words).toEqual({
      refusals: [
        `checkout: peer ap-southeast-2: hold ${hold?.id} stands there (error-rate (critical) of 2.0.0 at 50 %); acknowledge it there first`,
      ],
      notices: [{ kind: "note", severity: "warning", text: `checkout: ${silence}` }],
    });
  });

  it("asks the peers of config and record both: the guard does, until they are taken out [C1]", async () => {
    expect(await refusals("opening", { configured: [], recorded: ["us-east-1"] })).toHaveLength(1);
    expect(await refusals("opening", { configured: ["us-east-1"], recorded: [] })).toHaveLength(1);
    expect(await refusals("opening", { configured: ["ap-southeast-2"], recorded: [] })).toEqual([]);
  });

  it("names a release whose holds cannot be shared", () => {
    const adopted = anAdoptedRelease("2.0.0");
    const declaration = aDeclaration(25, { liveSet: [v1, adopted], canary: { digest: adopted.digest, attempt: 1 } });
    expect(unsharedNotices(declaration, ["us-east-1"])).toEqual([
      {
        kind: "note",
        severity: "info",
        text: "checkout: holds on 2.0.0 are not shared with peers: it is known by its target group's ARN, which no other region has. Give it an image to share them",
      },
    ]);
    expect(unsharedNotices(declaration, [])).toEqual([]);
    expect(unsharedNotices(aDeclaration(25), ["us-east-1"])).toEqual([]);
  });
});
