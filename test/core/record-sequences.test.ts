/** Every row of the record's table of sequences, with the real decide, guard, commit and hook code on ports in memory. */
import { describe, expect, it } from "vitest";
import { defaultGateSettings } from "../../core/gate/evidence.ts";
import { anAdoptedRelease, aRelease, aService, v1, v2, v3, World } from "../helpers/world.ts";

const day = 24 * 60;

describe("sequences of the rollout record", () => {
  it("(a) gives the baseline everything at first and stages a canary that already asks for a wave [A4]", async () => {
    const world = new World();
    const up = await world.up({ canary: v2, wavePercent: 10 });
    expect(up).toMatchObject({
      kind: "applied",
      said: ["checkout: first up, so 2.0.0 is staged at 0 %; the next up may open wave 10"],
    });
    expect([world.live(v1), world.live(v2)]).toEqual([100, 0]);
    expect(world.record).toMatchObject({
      revision: 1,
      baseline: v1.digest,
      canary: { digest: v2.digest, exposurePercent: 0 },
    });
    await world.reconcile();
    await world.must(world.up({ canary: v2, wavePercent: 10 }));
    expect(world.live(v2)).toBe(10);
  });

  it("(a) freezes and pages when a baseline without any other release breaches [B2]", async () => {
    const world = new World();
    await world.must(world.up());
    world.alarm(v1, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v1)).toBe(100);
    expect(Object.values(world.record.holds)).toMatchObject([
      { cause: "no-other-release", scope: "service", response: "freeze" },
    ]);
    expect(world.cloud.pages.map((page) => [page.severity, page.summary])).toEqual([
      ["critical", "checkout: FROZEN, error-rate (critical) of 1.0.0, the baseline"],
    ]);
  });

  it("(b) opens each wave once and finishes into a new baseline with the old one armed [A4, B12]", async () => {
    const world = await new World().rolledOutTo(100);
    expect(world.live(v2)).toBe(100);
    const early = await world.up({ baseline: v2 });
    expect(early).toEqual({
      kind: "refused",
      reasons: ["checkout: finishing 2.0.0: soak at 100 % served 30 of 10080 min; served at 2026-01-15T10:15:00.000Z"],
    });
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    expect(world.live(v2)).toBe(100);
    expect(world.record.baseline).toBe(v2.digest);
    expect(world.record.canary).toBeUndefined();
    expect(world.record.previous?.digest).toBe(v1.digest);
    expect(world.record.releases[v2.digest]?.knownGood).toBe(true);
    expect(world.cloud.ruleWrites.map((write) => Object.values(write.weights))).toEqual([
      [100],
      [90, 10],
      [75, 25],
      [50, 50],
      [100],
    ]);

    const next = await world.up({ baseline: v2 });
    expect(next.kind === "applied" && next.declaration.liveSet.map((release) => release.version)).toEqual([
      "2.0.0",
      "1.0.0",
    ]);
    await world.wait(day + 1);
    const after = await world.up({ baseline: v2 });
    expect(after.kind === "applied" && after.declaration.liveSet.map((release) => release.version)).toEqual(["2.0.0"]);
  });

  it("(b) takes a dropped canary without a moved baseline as an abandon [A4]", async () => {
    const world = await new World().rolledOutTo(25);
    const said = await world.must(world.up());
    expect(said).toEqual(["checkout: ABANDONS 2.0.0 at 25 %; all traffic goes to 1.0.0"]);
    expect(world.live(v1)).toBe(100);
    expect(world.record.holds).toEqual({});
  });

  it("(c) latches a rollback until it is acknowledged and started over [B5]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
    world.alarm(v2, "error-rate/critical", "OK");
    await world.wait(10);

    const pinned = await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(pinned.at(-1)).toMatch(
      /^checkout: pinned at 0 %, attempt 1 ended in a rollback; acknowledge error-rate-critical-\d+ with a reason first$/,
    );
    expect(await world.up({ canary: v2, wavePercent: 100 })).toMatchObject({ kind: "refused" });
    expect(await world.up({ canary: v2, wavePercent: 10, attempt: 2 })).toMatchObject({
      kind: "refused",
      reasons: [expect.stringMatching(/^checkout\.attempt: hold error-rate-critical-\d+ is not acknowledged/)],
    });

    await world.acknowledge();
    expect((await world.must(world.up({ canary: v2, wavePercent: 50 }))).at(-1)).toBe(
      "checkout: pinned at 0 %, attempt 1 ended in a rollback; set attempt: 2 and the first wave to try again",
    );
    expect(world.live(v2)).toBe(0);
    expect(await world.up({ canary: v2, wavePercent: 25, attempt: 2 })).toEqual({
      kind: "refused",
      reasons: ["checkout.wave: a new attempt starts over, got 25; expected 10"],
    });
    expect(await world.up({ canary: v3, wavePercent: 10, attempt: 2 })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.attempt: got 2; expected 1 for this release. Attempts count per release and rise by one after each rollback",
      ],
    });
    await world.must(world.up({ canary: v2, wavePercent: 10, attempt: 2 }));
    expect(world.live(v2)).toBe(10);
    expect(world.record.canary?.attempt).toBe(2);
  });

  it("(d) soaks a halved release anew after the acknowledgement, then goes on to the lowest wave above [B2]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(25);
    world.alarm(v2, "error-rate/warning", "OK");
    await world.wait(5);
    expect((await world.must(world.up({ canary: v2, wavePercent: 50 }))).at(-1)).toMatch(
      /^checkout: pinned at 25 %, the config still says 50 for 2.0.0; acknowledge/,
    );
    await world.acknowledge();
    await world.wait(60);
    expect((await world.must(world.up({ canary: v2, wavePercent: 50 }))).at(-1)).toMatch(
      /^checkout: pinned at 25 %, the config still says 50; not yet: soak at 25 % served 60 of 1440 min/,
    );
    await world.wait(day);
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.live(v2)).toBe(50);
  });

  it("(e) lowers loudly for an up from an old branch, and climbs back one wave an up without new soaks [A4]", async () => {
    const world = await new World().rolledOutTo(50);
    expect(await world.must(world.up({ canary: v2, wavePercent: 10 }, { who: "old-branch" }))).toEqual([
      "checkout: LOWERS 2.0.0 from 50 % to 10 %, as the config says; back up is one wave an up",
    ]);
    expect(world.live(v2)).toBe(10);
    expect(await world.up({ canary: v2, wavePercent: 50 })).toEqual({
      kind: "refused",
      reasons: ["checkout.wave: skips a wave, got 50 after 10; expected 25. Open one wave an up"],
    });
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    await world.must(world.up({ canary: v2, wavePercent: 50 }));
    expect(world.live(v2)).toBe(50);
  });

  it("(f) abandons to 0 without a hold, keeps the attempt, voids the soak, and starts a new release at 0 [A4]", async () => {
    const world = await new World().rolledOutTo(25);
    await world.must(world.up({ canary: v2, wavePercent: 0 }));
    expect(world.live(v2)).toBe(0);
    expect(world.record.holds).toEqual({});
    expect(world.record.canary).toMatchObject({ attempt: 1, exposurePercent: 0, servedPercents: [] });
    await world.must(world.up({ canary: v3, wavePercent: 0 }));
    expect(world.record.canary).toMatchObject({ digest: v3.digest, exposurePercent: 0 });
    expect(world.record.ceilings[v2.digest]).toBe(0);
    await world.reconcile();
    await world.must(world.up({ canary: v3, wavePercent: 10 }));
    expect([world.live(v1), world.live(v3)]).toEqual([90, 10]);
  });

  it("(g) takes two ups to exchange an exposed canary for another release", async () => {
    const world = await new World().rolledOutTo(25);
    const said = await world.must(world.up({ canary: v3, wavePercent: 10 }));
    expect(said).toEqual([
      "checkout: LOWERS 2.0.0 from 25 % to 0 % for another release; 3.0.0 is staged at 0 %, the next up may open its first wave",
    ]);
    expect([world.live(v1), world.live(v2), world.live(v3)]).toEqual([100, 0, 0]);
    await world.must(world.up({ canary: v3, wavePercent: 10 }));
    expect(world.live(v3)).toBe(10);
  });

  it("(g) refuses the exchange while the old one breaches unlowered, or stands at 100 unfinished", async () => {
    const world = await new World(
      aService({
        objectives: [{ name: "error-rate", indicator: "error-rate", critical: { value: 5, response: "freeze" } }],
      }),
    ).rolledOutTo(25);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(await world.up({ canary: v3, wavePercent: 0 })).toEqual({
      kind: "refused",
      reasons: ["checkout.canary: 2.0.0 has an open breach (error-rate) and still 25 %; wait until it is lowered"],
    });
    const done = await new World().rolledOutTo(100);
    expect(await done.up({ canary: v3, wavePercent: 0 })).toEqual({
      kind: "refused",
      reasons: ["checkout.canary: 2.0.0 is at 100 % and not finished; name it as baseline first, or set its wave to 0"],
    });
  });

  it("(h) freezes and pages where the previous release is held too, and returns once that is acknowledged [B2]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    const hold = { id: "peer-us-east-1-kill-1", scope: "digest", digest: v1.digest, at: 0, cause: "peer", attempt: 1 };
    const effect = { detail: "us-east-1 (kill): bad", response: "disable", targetPercent: 0 };
    const holds = { [hold.id]: { ...hold, ...effect } };
    world.cloud.records.set("checkout", JSON.stringify({ ...world.record, holds }));
    world.cloud.pages.length = 0;
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    await world.reconcile();
    expect([world.live(v2), world.record.baseline]).toEqual([100, v2.digest]);
    expect(Object.values(world.record.holds).map(({ cause }) => cause)).toEqual(["peer", "no-other-release"]);
    expect(world.cloud.pages.map(({ severity, summary }) => `${severity}: ${summary}`)).toEqual([
      "critical: checkout: FROZEN, 2.0.0 should go back and the previous release 1.0.0 is held (peer-us-east-1-kill-1), so 2.0.0 keeps its traffic",
    ]);
    await world.acknowledge();
    await world.reconcile();
    expect([world.live(v1), world.record.baseline]).toEqual([100, v1.digest]);
  });

  it("(h) returns to the previous release when a finished one breaches inside the window [B12]", async () => {
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    world.alarm(v2, "error-rate/warning", "ALARM");
    await world.reconcile();
    expect([world.live(v1), world.live(v2)]).toEqual([100, 0]);
    expect(world.record.baseline).toBe(v1.digest);
    expect((await world.must(world.up({ baseline: v2 }))).at(-1)).toBe(
      "checkout: pinned, 2.0.0 is held and does not come back as baseline; 1.0.0 stays. Name it as baseline again",
    );
    expect(world.live(v1)).toBe(100);

    world.alarm(v1, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v1)).toBe(100);
    expect(Object.values(world.record.holds).map((hold) => hold.cause)).toEqual(["breach", "no-other-release"]);
  });

  it("(i) observes: leases and waves as in act, would-be responses in the history only [B13]", async () => {
    const world = await new World(aService({ mode: "observe" })).rolledOutTo(25);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    await world.reconcile();
    expect(world.live(v2)).toBe(25);
    expect(world.record.holds).toEqual({});
    expect(world.cloud.pages).toEqual([]);
    expect(world.cloud.history.filter((entry) => entry.kind === "would-respond").map((entry) => entry.message)).toEqual(
      ["observing: error-rate (critical) of 2.0.0 at 25 % would disable to 0 %"],
    );
    expect(await world.up({ canary: v2, wavePercent: 25, mode: "act" })).toEqual({
      kind: "refused",
      reasons: [
        `checkout.mode: cannot go from observe to act while error-rate/critical/${v2.digest} is breached; wait until it has recovered`,
      ],
    });
    world.alarm(v2, "error-rate/critical", "OK");
    await world.reconcile();
    await world.must(world.up({ canary: v2, wavePercent: 25, mode: "act" }));
  });

  it("(j) refuses openings while paused, but lowers, kills and lets the soak run [A4]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.pause();
    await world.wait(day);
    expect(await world.up({ canary: v2, wavePercent: 25 })).toMatchObject({
      kind: "refused",
      reasons: [expect.stringMatching(/^checkout\.wave: 10 to 25 refused, monitor: paused by an SRE since /)],
    });
    await world.resume();
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    await world.pause();
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("(k) renews the lease for the same opening from the same stack, and makes another wait", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(day);
    expect(await world.up({ canary: v2, wavePercent: 25 }, { dies: "rule" })).toMatchObject({ kind: "failed" });
    expect(world.record.lease).toMatchObject({ kind: "opening", toPercent: 25, takenBy: "stack-a" });
    expect(await world.up({ canary: v2, wavePercent: 25 }, { who: "stack-b" })).toEqual({
      kind: "failed",
      message: [
        "checkout: the rule was not written (other resources of this up may have changed):",
        "  stack-a holds a lease (opening to 25 %) for another 600 s; wait for it",
      ].join("\n"),
    });
    await world.must(world.up({ canary: v2, wavePercent: 25 }));
    expect(world.live(v2)).toBe(25);

    const lapsed = await new World().rolledOutTo(10);
    await lapsed.wait(day);
    await lapsed.up({ canary: v2, wavePercent: 25 }, { dies: "rule" });
    await lapsed.wait(11);
    expect(lapsed.record.lease).toBeUndefined();
    expect([lapsed.live(v2), lapsed.record.canary?.exposurePercent, lapsed.cloud.pages.length]).toEqual([10, 10, 0]);
  });

  it("(l) commits in the next up within the lease, else lowers to the committed exposure and pages", async () => {
    const quick = await new World().rolledOutTo(10);
    await quick.wait(day);
    await quick.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    expect([quick.live(v2), quick.record.canary?.exposurePercent]).toEqual([25, 10]);
    await quick.must(quick.up({ canary: v2, wavePercent: 25 }));
    expect(quick.record.canary?.exposurePercent).toBe(25);

    const late = await new World().rolledOutTo(10);
    await late.wait(day);
    await late.up({ canary: v2, wavePercent: 25 }, { dies: "commit" });
    await late.wait(5);
    expect(late.live(v2)).toBe(25);
    await late.wait(6);
    expect(late.live(v2)).toBe(10);
    expect(late.record.ceilings[v2.digest]).toBe(10);
    expect(late.record.holds).toEqual({});
    expect(late.cloud.pages.map((page) => page.summary)).toEqual([
      "checkout: live was above the record (2.0.0 has 25 %, granted 10 %) and is lowered to 10 %",
    ]);
  });

  it("(m) ends at the target and fails the up when the rollback falls inside the opening", async () => {
    for (const point of ["write record after", "rule after"]) {
      const world = await new World().rolledOutTo(10);
      await world.wait(day);
      let struck = false;
      const outcome = await world.up(
        { canary: v2, wavePercent: 25 },
        {
          onCall: async (call) => {
            if (call !== point || struck) return;
            struck = true;
            world.alarm(v2, "error-rate/critical", "ALARM");
            await world.reconcile();
          },
        },
      );
      expect(outcome.kind).toBe("failed");
      await world.reconcile();
      expect(world.live(v2)).toBe(0);
    }
  });

  it("(n) refuses to lose a live service, retires one at rest, and remembers it as a tombstone", async () => {
    const world = await new World().rolledOutTo(25);
    const renamed = await world.up({ name: "basket" });
    expect(renamed).toMatchObject({
      kind: "refused",
      reasons: [
        "services.checkout: is live but no longer in the config (removed or renamed?); put it back with retire: true, run up, then remove it",
      ],
    });
    expect(await world.up({ canary: v2, wavePercent: 25, retire: true })).toMatchObject({
      kind: "refused",
      reasons: ["checkout.retire: a canary has 25 %; expected one release at 100 %. Finish or abandon first"],
    });
    await world.must(world.up());
    await world.must(world.up({ retire: true }));
    expect(world.record.retiredAt).toBe(world.cloud.nowMs);
    expect((await world.up({ name: "basket" })).kind).not.toBe("refused");
  });

  it("(o) takes the same version text with a new image as another release [B5]", async () => {
    const world = await new World().rolledOutTo(25);
    const retagged = aRelease("2.0.0", "rebuilt");
    await world.must(world.up({ canary: retagged, wavePercent: 25 }));
    expect([world.live(v2), world.live(retagged)]).toEqual([0, 0]);
    expect(world.record.canary?.digest).toBe(retagged.digest);
  });

  it("(p) pins a held release that is named as baseline, whatever reason is given [B5]", async () => {
    const world = await new World().rolledOutTo(50);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    world.alarm(v2, "error-rate/critical", "OK");
    expect((await world.must(world.up({ baseline: v2 }))).at(-1)).toBe(
      "checkout: pinned, 2.0.0 is held and does not come back as baseline; 1.0.0 stays. Name it as baseline again",
    );
    expect([world.live(v1), world.live(v2)]).toEqual([100, 0]);
    expect(await world.up({ baseline: v2, replaceBaselineReason: "we know better" })).toMatchObject({
      kind: "refused",
      reasons: [
        "checkout.baseline: 2.0.0 is held; replaceBaseline does not lift a hold. Acknowledge it with a reason first",
      ],
    });
    const fresh = new World();
    await fresh.must(fresh.up());
    expect(await fresh.up({ baseline: v3 })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.baseline: 3.0.0 is not the record's baseline 1.0.0 and has not finished a rollout. Roll it out as canary, or give replaceBaselineReason",
      ],
    });
    await fresh.reconcile();
    await fresh.must(fresh.up({ baseline: v3, replaceBaselineReason: "security fix" }));
    expect([fresh.live(v3), fresh.record.previous?.digest]).toEqual([100, v1.digest]);
  });

  it("(q) adopts a live service without moving a weight [A3]", async () => {
    const adopted = anAdoptedRelease("1.0.0");
    const world = new World(aService({ baseline: adopted }));
    await world.must(world.up());
    expect(world.cloud.ruleWrites).toMatchObject([{ weights: { "arn:group/blue": 100 } }]);
    expect(world.record.releases[adopted.digest]).toMatchObject({ adopted: true, targetGroupArn: "arn:group/blue" });
  });

  it("(q) keys a hold on an adopted group by its ARN: a new version there inherits no grant and escapes no hold [B5]", async () => {
    const green = anAdoptedRelease("2.0.0", "arn:group/green");
    const world = new World();
    await world.rolledOutTo(25, green);
    await world.kill();
    const next = anAdoptedRelease("2.0.1", "arn:group/green");
    expect(await world.up({ canary: next, wavePercent: 10 })).toMatchObject({ kind: "refused" });
    expect(world.live(next)).toBe(0);
  });

  it("(r) fails the second of two ups at once and says who was first", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(day);
    let second: Awaited<ReturnType<World["up"]>> | undefined;
    const first = await world.up(
      { canary: v2, wavePercent: 25 },
      {
        onCall: async (call) => {
          if (call !== "rule before" || second) return;
          second = { kind: "refused", reasons: [] };
          second = await world.up({ canary: v2, wavePercent: 25 }, { who: "stack-b" });
        },
      },
    );
    expect(first.kind).toBe("applied");
    expect(second).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("stack-a holds a lease (opening to 25 %)"),
    });
  });

  it("(s) freezes and pages a migration at 100, where a human decides, and kill still works [B2]", async () => {
    // The load balancer carries neither, so people look.
    const gate = { ...defaultGateSettings, byHand: ["flag-coverage", "dual-run-failures"] } as const;
    const world = new World(aService({ gate }, "migration"));
    await world.rolledOutTo(100);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(100);
    expect(Object.values(world.record.holds)).toMatchObject([{ response: "freeze", scope: "digest" }]);
    expect(world.cloud.pages).toHaveLength(1);
    await world.kill();
    expect(world.live(v1)).toBe(100);
  });
});
