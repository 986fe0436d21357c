/** Each row of "what the program declares", with whole notices and reasons; sequences over several ups are next door. */
import { describe, expect, it } from "vitest";
import type { Declaration, Intent, LiveTraffic, Reality } from "../../core/declaration.ts";
import { declare } from "../../core/declare.ts";
import type { SoakEvidence } from "../../core/gate/evidence.ts";
import { planPresets } from "../../core/plans.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { anAdoptedRelease, aRelease, v1, v2, v3, World } from "../helpers/world.ts";

const good: SoakEvidence = { canaryRequests: 100_000, watchedFraction: 1, fellSilent: false, alarmsInAlarm: [] };
const now = Date.UTC(2026, 5, 1);

const base = await new World().rolledOutTo(25);

function recordAt(change: Partial<RolloutRecord> = {}, exposurePercent = 25): RolloutRecord {
  const canary = base.record.canary;
  if (!canary) throw new Error("no canary");
  return {
    ...base.record,
    canary: { ...canary, exposurePercent, servedPercents: [] },
    lastIntent: { digest: v2.digest, attempt: 1, wave: exposurePercent },
    ...change,
  };
}

function intentOf(wavePercent: number, change: Partial<Intent> = {}): Intent {
  return {
    environment: "dev",
    service: "checkout",
    mode: "act",
    plan: planPresets.steady,
    baseline: v1,
    canary: v2,
    wavePercent,
    attempt: 1,
    retire: false,
    ...change,
  };
}

function said(declaration: Declaration) {
  const { step, exposurePercent, refusals } = declaration;
  return {
    step,
    exposurePercent,
    notices: declaration.notices.filter(({ kind }) => kind !== "gate").map(({ text }) => text),
    refusals,
  };
}

function known(intent: Intent, record: RolloutRecord, evidence: SoakEvidence = good) {
  return said(declare(intent, { kind: "record", record, live: undefined }, now, evidence));
}

const { canary: _canary, ...withoutCanary } = intentOf(0);

describe("a known record", () => {
  it("lowers at once and loudly where the config wants less [A4]", () => {
    const declaration = declare(intentOf(10), { kind: "record", record: recordAt(), live: undefined }, now, good);
    expect(said(declaration)).toEqual({
      step: "lowering",
      exposurePercent: 10,
      notices: ["checkout: LOWERS 2.0.0 from 25 % to 10 %, as the config says; back up is one wave an up"],
      refusals: [],
    });
    expect(declaration).toMatchObject({
      fromPercent: 25,
      stickinessAllowed: false,
      shares: { [v1.digest]: 90, [v2.digest]: 10 },
      intent: { digest: v2.digest, attempt: 1, wave: 10 },
    });
  });

  it("stays where the config says what there is [A4]", () => {
    expect(known(intentOf(25), recordAt())).toEqual({ step: "none", exposurePercent: 25, notices: [], refusals: [] });
  });

  it("is pinned where the config merely still asks for more [B5]", () => {
    const record = recordAt({ lastIntent: { digest: v2.digest, attempt: 1, wave: 50 } });
    const held = {
      ...record,
      holds: {
        h: {
          id: "h",
          scope: "digest" as const,
          digest: v2.digest,
          at: 0,
          cause: "breach" as const,
          detail: "error-rate",
          response: "halve" as const,
          targetPercent: 25,
          attempt: 1,
        },
      },
    };
    expect(known(intentOf(50), held)).toEqual({
      step: "none",
      exposurePercent: 25,
      notices: [
        "checkout: hold h stands (error-rate); acknowledge it with a reason before the next opening",
        "checkout: pinned at 25 %, the config still says 50 for 2.0.0; acknowledge h with a reason first",
      ],
      refusals: [],
    });
    // Asking for more than last time is another thing.
    expect(known(intentOf(50), { ...held, lastIntent: { digest: v2.digest, attempt: 1, wave: 25 } }).refusals).toEqual([
      "checkout.wave: 25 to 50 refused, monitor: hold h stands since 1970-01-01T00:00:00.000Z (error-rate); acknowledge it with a reason first",
    ]);
  });

  it("opens the next wave through the gate, or refuses with every reason [A4, C1]", () => {
    const declaration = declare(intentOf(50), { kind: "record", record: recordAt(), live: undefined }, now, good);
    expect(said(declaration)).toEqual({
      step: "opening",
      exposurePercent: 50,
      notices: ["checkout: opens wave 50 for 2.0.0 (from 25 %)"],
      refusals: [],
    });
    expect(declaration.stickinessAllowed).toBe(true);
    expect(known(intentOf(50), recordAt(), { ...good, canaryRequests: 0, alarmsInAlarm: ["a"] }).refusals).toEqual([
      "checkout.wave: 25 to 50 refused, roll-back: alarm a is in ALARM",
      "checkout.wave: 25 to 50 refused, roll-back: no request of the canary was measured in this soak",
    ]);
    expect(known(intentOf(50), recordAt(), { ...good, canaryRequests: 7 }).refusals).toEqual([
      "checkout.wave: 25 to 50 refused, cannot tell (too-little measured): the canary answered 7 requests in this soak; expected at least 1000, so the soak goes on",
    ]);
  });

  it("refuses a skipped wave and a wave that the plan has not [A1, C1]", () => {
    expect(known(intentOf(100), recordAt()).refusals).toEqual([
      "checkout.wave: skips a wave, got 100 after 25; expected 50. Open one wave an up",
    ]);
    expect(known(intentOf(30), recordAt()).refusals).toEqual([
      "checkout.wave: no wave of the plan, got 30; expected 50",
    ]);
  });

  it("goes on from an exposure that a changed plan has not any more [A1]", () => {
    const plan = planPresets.fine;
    const record = recordAt({}, 12);
    expect(known(intentOf(12, { plan }), record)).toMatchObject({ step: "none", exposurePercent: 12, refusals: [] });
    expect(known(intentOf(25, { plan }), record)).toMatchObject({ step: "opening", exposurePercent: 25 });
    expect(known(intentOf(50, { plan }), record).refusals).toEqual([
      "checkout.wave: skips a wave, got 50 after 12; expected 25. Open one wave an up",
    ]);
  });

  it("only proposes a raise while no evidence was gathered [C1]", () => {
    expect(said(declare(intentOf(50), { kind: "record", record: recordAt(), live: undefined }, now)).step).toBe(
      "opening",
    );
  });

  it("refuses attempts that do not follow [B5]", () => {
    const record = recordAt();
    expect(known(intentOf(25, { attempt: 2 }), record).refusals).toEqual([
      "checkout.attempt: got 2; expected 1 for this release. Attempts count per release and rise by one after each rollback",
    ]);
    const third = recordAt({ attempts: { [v2.digest]: 3 } }, 0);
    expect(known(intentOf(0, { attempt: 1 }), third).notices).toEqual([
      "checkout: pinned at 0 %, attempt 1 is past; the record is at attempt 3",
    ]);
  });

  it("refuses more releases than a rule can hold, with the time to wait [A3]", () => {
    const leaving = Object.fromEntries(["a", "b", "c"].map((name) => [aRelease(name).digest, now - 60_000]));
    const releases = { ...base.record.releases };
    for (const name of ["a", "b", "c", "d"]) {
      const release = aRelease(name);
      const like = base.record.releases[v1.digest];
      if (like) releases[release.digest] = { ...like, ...release };
    }
    const previous = { digest: aRelease("d").digest, until: now + 3_600_000 };
    expect(known(intentOf(25), recordAt({ leaving, releases, previous })).refusals).toEqual([
      "checkout: 6 releases would hang on one rule (1.0.0, 2.0.0, d, a, b, c); a forward action takes 5. Wait 60 s until one has left",
    ]);
  });

  it("keeps the version text that a digest has had, names hang on it [B5]", () => {
    const renamed = { ...v2, version: "2.0.0-final" };
    const declaration = declare(
      intentOf(25, { canary: renamed }),
      { kind: "record", record: recordAt(), live: undefined },
      now,
    );
    expect(declaration.liveSet.map((release) => release.version)).toEqual(["1.0.0", "2.0.0"]);
  });

  it("replaces a baseline only at exposure 0 and unpaused, and for a reason [B5]", () => {
    const replace = { ...withoutCanary, baseline: v3, replaceBaselineReason: "security fix" };
    expect(known(replace, recordAt()).refusals).toEqual([
      "checkout.replaceBaseline: a canary has 25 %; expected 0 %. Abandon it first",
    ]);
    const paused = recordAt({ paused: { by: "an SRE", reason: "incident", at: 0 } }, 0);
    expect(known(replace, paused).refusals).toEqual(["checkout.replaceBaseline: paused by an SRE; resume first"]);
    expect(known(replace, recordAt({}, 0))).toEqual({
      step: "replace-baseline",
      exposurePercent: 0,
      notices: ["checkout: baseline replaced by 3.0.0 at 100 % (security fix)"],
      refusals: [],
    });
  });
});

describe("without a record", () => {
  const unknown = (live: LiveTraffic | undefined): Reality => ({
    kind: "unknown",
    reason: "the record cannot be read (denied)",
    live,
  });
  const at = (percent: number): LiveTraffic => ({
    shares: { [v1.digest]: 100 - percent, [v2.digest]: percent },
    unknownTargetGroupArns: [],
  });

  it("declares what is live and refuses raises [A4]", () => {
    const declaration = declare(intentOf(50), unknown(at(25)), now);
    expect(said(declaration)).toEqual({
      step: "none",
      exposurePercent: 25,
      notices: [
        "checkout: the record cannot be read (denied); exposure stays at the live 25 %, the raise to 50 % is refused",
      ],
      refusals: [],
    });
    expect([declaration.intent, declaration.testersReach]).toEqual([undefined, v1.digest]);
    expect(said(declare(intentOf(10), unknown(at(25)), now)).notices).toEqual([
      "checkout: the record cannot be read (denied); exposure stays at the live 25 %",
    ]);
  });

  it("refuses to retire what nobody can see, whatever is live [A4]", () => {
    const refusal =
      "checkout.retire: the record cannot be read (denied), so nobody knows whether a canary has traffic or a hold stands; expected a readable record. Take retire out, or run up again once it can be read";
    for (const percent of [0, 25]) {
      expect(declare({ ...intentOf(percent), retire: true }, unknown(at(percent)), now).refusals).toEqual([refusal]);
    }
  });

  it("refuses where nothing could be read, or traffic goes where config has no name for it [B11]", () => {
    expect(said(declare(intentOf(10), unknown(undefined), now)).refusals).toEqual([
      "checkout: the record cannot be read (denied), and the live rules could not be read either; nothing can be declared safely. Restore access and run again",
    ]);
    const strange = { shares: { [v1.digest]: 50, [v3.digest]: 30 }, unknownTargetGroupArns: ["arn:group/x"] };
    expect(said(declare(intentOf(10), unknown(strange), now)).refusals).toEqual([
      `checkout: the record cannot be read (denied), and the live rule sends traffic to ${v3.digest}, arn:group/x, which the config does not name. Name it, or restore the record`,
    ]);
  });

  it("gives a first release everything and stages its canary [A4]", () => {
    const first = declare(intentOf(10), { kind: "first" }, now);
    expect(first).toMatchObject({ step: "first", shares: { [v1.digest]: 100 }, exposurePercent: 0 });
    expect(said(declare({ ...withoutCanary, retire: true }, { kind: "first" }, now)).refusals).toEqual([
      "checkout.retire: there is nothing to retire yet; leave it out",
    ]);
  });

  it("refuses a held release as the first baseline of a service that comes back [B5]", async () => {
    const world = await new World().rolledOutTo(10, anAdoptedRelease("2.0.0", "arn:group/green"));
    await world.kill();
    const record = { ...world.record, retiredAt: now };
    const next = anAdoptedRelease("2.0.1", "arn:group/green");
    expect(
      said(declare({ ...withoutCanary, baseline: next }, { kind: "record", record, live: undefined }, now)).refusals,
    ).toEqual([
      "checkout.baseline: release 2.0.1 is held from before the service was retired; name another release or acknowledge the hold",
    ]);
  });
});
