/** Which holds are shared, what a region makes of one that it is told of, and what becomes of telling. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { acknowledge, kill } from "../../core/commands.ts";
import { decide } from "../../core/decide.ts";
import type { Observation } from "../../core/observation.ts";
import {
  broadcastEntry,
  goesToPeers,
  originOf,
  type PeerReading,
  peerProblems,
  readBroadcast,
} from "../../core/peers.ts";
import { settleBroadcasts, type Told } from "../../core/peers-broadcast.ts";
import { receiveHold } from "../../core/peers-receive.ts";
import { planPresets } from "../../core/plans.ts";
import { committedPercent, type Hold, type HoldCause, type RolloutRecord } from "../../core/record.ts";
import { RecordDraft } from "../../core/record-draft.ts";
import { attemptIsOver } from "../../core/traffic-shares.ts";
import { judgeRecord } from "../../hooks/aws/record-schema.ts";
import { at, exposedRecord, minute, nameOf } from "../helpers/two-releases.ts";
import { v1, v2, v3 } from "../helpers/world.ts";

let record: RolloutRecord;

beforeAll(async () => {
  record = { ...(await exposedRecord()), peers: ["ap-southeast-2", "us-east-1"] };
});

function aHold(change: Partial<Hold> = {}): Hold {
  return {
    id: "error-rate-critical-1767607800000",
    scope: "digest",
    digest: v2.digest,
    at,
    cause: "breach",
    detail: "error-rate (critical) of 2.0.0 at 50 %",
    response: "disable",
    targetPercent: 0,
    attempt: 1,
    ...change,
  };
}

const from = (hold: Hold) => ({ region: "us-east-1", hold });
const copy = "peer-us-east-1-error-rate-critical-1767607800000";

function held(before: RolloutRecord, hold: Hold, now = at): RolloutRecord {
  const received = receiveHold(before, from(hold), now);
  if (received.kind !== "held") throw new Error(`not held: ${JSON.stringify(received)}`);
  return received.record;
}

function seeing(shares: Readonly<Record<string, number>>, health: Observation["health"] = {}): Observation {
  const alarms = record.alarms.map(({ alarmName }) => ({ alarmName, state: "OK" as const }));
  return { live: { shares, unknownTargetGroupArns: [] }, alarms, health, visibility: "seen" };
}
const split = { [v1.digest]: 75, [v2.digest]: 25 };
const allBaseline = { [v1.digest]: 100 };

describe("holds that peers are told of", () => {
  it("are those about the release, and none about a place [B5]", () => {
    const causes: Record<HoldCause, boolean> = {
      breach: true,
      kill: true,
      "unexplained-lowering": false,
      "flag-failed": false,
      "receiver-lost": false,
      blind: false,
      "no-other-release": false,
      dependency: false,
      "unknown-target-group": false,
      peer: false,
    };
    for (const [cause, isTold] of Object.entries(causes)) {
      expect([cause, goesToPeers({ cause: cause as HoldCause })]).toEqual([cause, isTold]);
      const draft = new RecordDraft(record, at);
      draft.putHold(aHold({ id: "hold-1", cause: cause as HoldCause }));
      expect([cause, draft.record.broadcastsDue]).toEqual([
        cause,
        isTold ? ["ap-southeast-2/hold-1", "us-east-1/hold-1"] : undefined,
      ]);
    }
  });

  it("are due from the very write that puts them: a breach, its second step once, and a kill [B5]", () => {
    const seen = seeing(split);
    const speaking = nameOf(v2, "error-rate/critical/60s");
    const alarms = (seen.alarms ?? []).map((alarm) =>
      alarm.alarmName === speaking ? { ...alarm, state: "ALARM" as const } : alarm,
    );
    const first = decide(record, { ...seen, alarms }, at).record;
    const [id] = Object.keys(first.holds);
    expect(first.broadcastsDue).toEqual([`ap-southeast-2/${id}`, `us-east-1/${id}`]);
    const killed = kill(record, { by: "an SRE", reason: "customers call" }, at);
    expect(killed.kind === "done" && killed.record.broadcastsDue).toEqual([
      `ap-southeast-2/kill-${at}`,
      `us-east-1/kill-${at}`,
    ]);
    const draft = new RecordDraft(first, at + minute);
    draft.putHold(aHold({ id: id ?? "" }));
    expect(draft.record.broadcastsDue).toEqual(first.broadcastsDue);
  });

  it("are nobody's business without peers", () => {
    const { peers: _peers, ...alone } = record;
    const draft = new RecordDraft(alone, at);
    draft.putHold(aHold());
    expect("broadcastsDue" in draft.record).toBe(false);
  });

  it("are written as region and hold, and read back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("us-east-1", "ap-southeast-2", "us-gov-west-1"),
        fc.stringMatching(/^[a-z][a-z0-9-]{0,20}-\d{3}$/),
        fc.boolean(),
        (region, holdId, isLate) => {
          const entry = { region, holdId, isLate };
          expect(readBroadcast(broadcastEntry(entry))).toEqual(entry);
        },
      ),
    );
  });
});

describe("a hold that another region tells of", () => {
  it("stands here under the region's name, with one page, and lowers nothing by itself [B5, D4]", () => {
    const after = held(record, aHold());
    expect(after.holds).toEqual({
      [copy]: {
        id: copy,
        scope: "digest",
        digest: v2.digest,
        at,
        cause: "peer",
        detail: "us-east-1 (breach): error-rate (critical) of 2.0.0 at 50 %",
        response: "disable",
        targetPercent: 0,
        attempt: 1,
      },
    });
    expect(after.outbox).toEqual([
      {
        id: `${copy}-to-0`,
        dedupKey: "tidegate/dev/checkout/sha256:2.0.0/1",
        severity: "critical",
        summary:
          "checkout: HELD by us-east-1, 2.0.0 goes from 25 % to 0 % within a minute; there: error-rate (critical) of 2.0.0 at 50 %",
        detail: "look at the release; then acknowledge here and in us-east-1, each region for itself",
        at,
        runbook: "peer-hold",
        holdId: copy,
      },
    ]);
    expect([committedPercent(after), after.revision, after.realityGeneration, after.broadcastsDue]).toEqual([
      25,
      record.revision + 1,
      record.realityGeneration + 1,
      undefined,
    ]);
    expect(judgeRecord(JSON.parse(JSON.stringify(after)))).toEqual({ record: after });
  });

  it("is lowered by the region's own look, once, with no second page or hold [B2, D4]", () => {
    const told = held(record, aHold());
    const first = decide(told, seeing(split), at + minute);
    expect([committedPercent(first.record), first.lowersLive]).toEqual([0, true]);
    expect(first.record.outbox).toEqual(told.outbox);
    expect(first.record.holds).toEqual(told.holds);
    const second = decide(first.record, seeing(allBaseline), at + 2 * minute);
    expect(second.record).toBe(first.record);
  });

  it("aims where the origin aimed: a release that has no more than that is only held [B2]", () => {
    const halved = { response: "halve", targetPercent: 12 } as const;
    const lowered = decide(held(record, aHold(halved)), seeing(split), at).record;
    expect([committedPercent(lowered), lowered.outbox[0]?.severity]).toEqual([12, "warning"]);
    const canary = record.canary && { ...record.canary, exposurePercent: 5 };
    if (!canary) throw new Error("no canary");
    const low = held({ ...record, canary }, aHold(halved));
    expect(low.outbox[0]?.summary).toBe(
      "checkout: HELD by us-east-1, 2.0.0 stays at 5 %; there: error-rate (critical) of 2.0.0 at 50 %",
    );
    const share = { [v1.digest]: 95, [v2.digest]: 5 };
    expect(decide(low, seeing(share), at).record).toBe(low);
    const staged = held({ ...record, canary: { ...canary, exposurePercent: 0 } }, aHold(halved));
    expect(staged.outbox[0]).toMatchObject({
      severity: "warning",
      summary:
        "checkout: HELD by us-east-1, 2.0.0 has no traffic here and gets none; there: error-rate (critical) of 2.0.0 at 50 %",
    });
    expect(attemptIsOver(staged, v2.digest, 1)).toBe(false);
  });

  it("revokes an opening that is on its way [B5]", () => {
    const lease = {
      id: "lease-1",
      kind: "opening",
      digest: v2.digest,
      attempt: 1,
      fromPercent: 25,
      toPercent: 50,
      takenBy: "stack-a",
      expiresAt: at + 10 * minute,
    } as const;
    const told = held({ ...record, lease }, aHold({ response: "previous-wave", targetPercent: 25 }));
    const { record: after, lowersLive } = decide(told, seeing({ [v1.digest]: 50, [v2.digest]: 50 }), at);
    expect([after.lease, committedPercent(after), lowersLive]).toEqual([undefined, 25, true]);
  });

  it("freezes what the origin froze, and a wave that only people lower; a person's kill lowers that too [B2]", () => {
    const frozen = held(record, aHold({ response: "freeze", targetPercent: 50 }));
    expect(frozen.holds[copy]).toMatchObject({ response: "freeze", targetPercent: 25 });
    expect(frozen.outbox[0]?.severity).toBe("critical");
    expect(decide(frozen, seeing(split), at).record).toBe(frozen);
    const waves = planPresets.steady.waves.map((wave) => ({ ...wave, lowering: "human" as const }));
    const byHand = { ...record, plan: { ...record.plan, waves } };
    const human = held(byHand, aHold());
    expect(human.holds[copy]).toMatchObject({ response: "freeze", targetPercent: 25 });
    expect(human.outbox[0]?.summary).toContain("stays at 25 %; lowering at this wave is a human's decision; there:");
    expect(held(byHand, aHold({ cause: "kill" })).holds[copy]).toMatchObject({ response: "disable", targetPercent: 0 });
  });

  it("keeps the traffic where the receiver here is dead, and says so [B12]", () => {
    const dead = { [v1.digest]: { healthyCount: 0, totalCount: 4 }, [v2.digest]: { healthyCount: 4, totalCount: 4 } };
    const { record: after, lowersLive } = decide(held(record, aHold()), seeing(split, dead), at + minute);
    expect([committedPercent(after), lowersLive]).toEqual([25, false]);
    expect(Object.values(after.holds).map(({ cause }) => cause)).toEqual(["peer", "receiver-lost"]);
    const back = { ...dead, [v1.digest]: { healthyCount: 1, totalCount: 4 } };
    expect(committedPercent(decide(after, seeing(split, back), at + 2 * minute).record)).toBe(0);
  });

  it("gives nothing back to a previous release that is held, be it told of first or last [B2, B5]", () => {
    const { canary: _canary, ...rest } = record;
    const previous = { digest: v1.digest, until: at + minute };
    const window = { ...rest, baseline: v2.digest, previous, ceilings: { [v1.digest]: 100, [v2.digest]: 100 } };
    const ofPrevious = aHold({ id: "kill-1", cause: "kill", digest: v1.digest });
    const all = seeing({ [v2.digest]: 100 });

    const first = held(held(window, ofPrevious), aHold());
    expect(first.outbox.at(-1)?.summary).toContain(
      "2.0.0 is the baseline here and the previous release is held too (peer-us-east-1-kill-1); there:",
    );
    expect(decide(first, all, at).record.baseline).toBe(v2.digest);

    const last = decide(held(held(window, aHold()), ofPrevious), all, at).record;
    expect([last.baseline, last.ceilings[v1.digest]]).toEqual([v2.digest, 100]);
    expect(last.outbox.at(-1)).toMatchObject({
      severity: "critical",
      summary:
        "checkout: FROZEN, 2.0.0 should go back and the previous release 1.0.0 is held (peer-us-east-1-kill-1), so 2.0.0 keeps its traffic",
    });
  });

  it("returns to the previous release inside the rollback window, and else only holds the baseline", () => {
    const { canary: _canary, ...rest } = record;
    const finished = { ...rest, baseline: v2.digest, ceilings: { [v1.digest]: 100, [v2.digest]: 100 } };
    const window = { ...finished, previous: { digest: v1.digest, until: at + minute } };
    const told = held(window, aHold({ response: "halve", targetPercent: 25 }));
    expect(told.holds[copy]).toMatchObject({ response: "halve", targetPercent: 0 });
    const { record: after, lowersLive } = decide(told, seeing({ [v2.digest]: 100 }), at);
    expect([after.baseline, after.previous, lowersLive]).toEqual([v1.digest, undefined, true]);
    expect(after.outbox[0]?.summary).toContain("2.0.0 gives all traffic back to the previous release");
    const over = { ...finished, previous: { digest: v1.digest, until: at } };
    expect(held(over, aHold()).holds[copy]).toMatchObject({ response: "freeze", targetPercent: 100 });
    const late = held(finished, aHold());
    expect(late.holds[copy]).toMatchObject({ response: "freeze", targetPercent: 100 });
    expect(decide(late, seeing({ [v2.digest]: 100 }), at).record).toBe(late);
  });

  it("is nothing to a region without the service or the release, and to one that knows it", () => {
    expect(receiveHold(undefined, from(aHold()), at)).toEqual({ kind: "nothing", why: "no-service" });
    expect(receiveHold({ ...record, retiredAt: at }, from(aHold()), at)).toEqual({
      kind: "nothing",
      why: "no-service",
    });
    expect(receiveHold(record, from(aHold({ digest: v3.digest })), at)).toEqual({ kind: "nothing", why: "no-release" });
    expect(receiveHold(held(record, aHold()), from(aHold()), at + minute)).toEqual({ kind: "nothing", why: "known" });
  });

  it("stays acknowledged when told again, and closes anew when the origin goes lower", () => {
    const first = held(record, aHold({ response: "halve", targetPercent: 12 }));
    const done = acknowledge(first, { by: "an SRE", reason: "seen" }, at + minute);
    if (done.kind !== "done") throw new Error("not acknowledged");
    expect(receiveHold(done.record, from(aHold({ response: "halve", targetPercent: 12 })), at)).toEqual({
      kind: "nothing",
      why: "known",
    });
    const lower = held(done.record, aHold({ response: "halve", targetPercent: 0 }), at + 2 * minute);
    expect(lower.holds[copy]).toMatchObject({ targetPercent: 0 });
    expect(lower.holds[copy]?.acknowledged).toBeUndefined();
  });

  it("is only written down by a service that observes [B13]", () => {
    const observing: RolloutRecord = { ...record, mode: "observe" };
    expect(receiveHold(observing, from(aHold()), at)).toEqual({
      kind: "observed",
      history: [
        {
          at,
          kind: "would-respond",
          message: "observing: us-east-1 (breach): error-rate (critical) of 2.0.0 at 50 % would disable to 0 %",
          exposurePercent: 25,
        },
      ],
    });
    const switched: RolloutRecord = { ...held(record, aHold()), mode: "observe" };
    expect(committedPercent(decide(switched, seeing(split), at).record)).toBe(25);
  });

  it("never raises anything, whatever was told in whatever order", () => {
    const someHold = fc.record({
      response: fc.constantFrom("disable", "halve", "previous-wave", "floor", "freeze"),
      targetPercent: fc.integer({ min: 0, max: 100 }),
      digest: fc.constantFrom(v1.digest, v2.digest, v3.digest),
      cause: fc.constantFrom<HoldCause>("breach", "kill"),
      id: fc.constantFrom("a-1", "b-2"),
    });
    fc.assert(
      fc.property(fc.array(someHold, { maxLength: 6 }), (holds) => {
        let now = at;
        let current = record;
        let percent = committedPercent(current);
        for (const hold of holds) {
          now += minute;
          const received = receiveHold(current, from(aHold(hold as Partial<Hold>)), now);
          if (received.kind === "held") current = received.record;
          const live = { [v1.digest]: 100 - percent, ...(percent > 0 ? { [v2.digest]: percent } : {}) };
          current = decide(current, seeing(live), now).record;
          expect(committedPercent(current)).toBeLessThanOrEqual(percent);
          percent = committedPercent(current);
          expect(current.broadcastsDue).toBeUndefined();
          expect("record" in judgeRecord(JSON.parse(JSON.stringify(current)))).toBe(true);
        }
      }),
    );
  });
});

describe("acknowledging", () => {
  const said = { by: "an SRE", reason: "seen" };

  it("says that it is for this region alone where peers may hold the release too [B5]", () => {
    const done = acknowledge(held(record, aHold()), said, at);
    expect(done.kind === "done" && done.message).toBe(
      `${copy} acknowledged by an SRE: seen. Here alone: ap-southeast-2, us-east-1 may hold the release too, acknowledge there`,
    );
    const draft = new RecordDraft(record, at);
    draft.putHold(aHold({ id: "blind-1", cause: "blind" }));
    const place = acknowledge(draft.record, said, at);
    expect(place.kind === "done" && place.message).toBe("blind-1 acknowledged by an SRE: seen");
  });
});

describe("peers before an opening", () => {
  const reading = (holds: readonly Hold[]): PeerReading => ({
    region: "us-east-1",
    record: { ...record, holds: Object.fromEntries(holds.map((hold) => [hold.id, hold])) },
  });
  const problemsOf = (...holds: Hold[]) => peerProblems([reading(holds)], v2.digest, "eu-west-1");

  it("forbid it while one cannot be read, with the way out [C1]", () => {
    expect(peerProblems([{ region: "us-east-1", failure: "no answer" }], v2.digest, "eu-west-1")).toEqual([
      "peer us-east-1: its record cannot be read (no answer), so nobody knows whether it holds this release; no opening before it answers. " +
        "To go on without that region take it out of tidegate:peers with an up that raises nothing; the one after may open",
    ]);
  });

  it("forbid it while one holds the release, until that is acknowledged there [B5]", () => {
    const hold = aHold();
    expect(problemsOf(hold)).toEqual([
      `peer us-east-1: hold ${hold.id} stands there (error-rate (critical) of 2.0.0 at 50 %); acknowledge it there first`,
    ]);
    expect(problemsOf({ ...hold, acknowledged: { by: "an SRE", reason: "seen", at } })).toEqual([]);
  });

  it("say nothing by a hold on another release, of a place, or that came from here", () => {
    expect(problemsOf(aHold({ digest: v3.digest }))).toEqual([]);
    expect(problemsOf(aHold({ cause: "blind" }), aHold({ id: "receiver-lost-1", cause: "receiver-lost" }))).toEqual([]);
    const own = aHold({ id: "peer-eu-west-1-kill-1", cause: "peer" });
    expect([originOf(own), problemsOf(own)]).toEqual(["eu-west-1", []]);
    const third = aHold({ id: "peer-ap-southeast-2-kill-1", cause: "peer" });
    expect([originOf(third), problemsOf(third).length]).toEqual(["ap-southeast-2", 1]);
    expect(peerProblems([{ region: "us-east-1", record: undefined }], v2.digest, "eu-west-1")).toEqual([]);
  });
});

describe("what became of telling", () => {
  const due = ["ap-southeast-2/error-rate-critical-1767607800000", "us-east-1/error-rate-critical-1767607800000"];
  const waiting = (): RolloutRecord => ({ ...record, holds: { [aHold().id]: aHold() }, broadcastsDue: due });
  const told = (region: string, change: Partial<Told> = {}): Told => ({
    region,
    holdId: aHold().id,
    targetPercent: 0,
    answer: "held there",
    ...change,
  });

  it("takes out who was told and keeps who was not", () => {
    const failed = told("us-east-1", { failure: "no answer" });
    const { record: after, history } = settleBroadcasts(waiting(), [told("ap-southeast-2"), failed], at + minute);
    expect([after.broadcastsDue, after.outbox]).toEqual([[due[1]], []]);
    expect(history.map(({ message }) => message)).toEqual([
      "ap-southeast-2 was told of hold error-rate-critical-1767607800000: held there",
    ]);
  });

  it("pages once for a peer that was not told within two minutes, and goes on trying [D4]", () => {
    const failed = [told("ap-southeast-2"), told("us-east-1", { failure: "no answer" })];
    const { record: late } = settleBroadcasts(waiting(), failed, at + 2 * minute);
    expect(late.broadcastsDue).toEqual([`${due[1]}/late`]);
    expect(late.outbox).toMatchObject([
      {
        id: "not-told-us-east-1-error-rate-critical-1767607800000",
        severity: "critical",
        summary:
          "checkout: us-east-1 WAS NOT TOLD of hold error-rate-critical-1767607800000, error-rate (critical) of 2.0.0 at 50 %",
        detail:
          "no answer; look at the release in that region, and kill there if it has traffic. It is tried again every minute",
        runbook: "peer-hold",
      },
    ]);
    const sent = { ...late, outbox: [] };
    expect(settleBroadcasts(sent, failed.slice(1), at + 3 * minute).record).toBe(sent);
    expect(settleBroadcasts(sent, [told("us-east-1")], at + 9 * minute).record.broadcastsDue).toEqual([]);
  });

  it("does not take out a hold that aims lower by now, or one that nobody tried", () => {
    const before = waiting();
    const outcomes = [told("us-east-1", { targetPercent: 12 })];
    expect(settleBroadcasts(before, outcomes, at).record).toBe(before);
  });

  it("lets go of a region that is no peer any more, and says so", () => {
    const { record: after, history } = settleBroadcasts({ ...waiting(), peers: ["ap-southeast-2"] }, [], at);
    expect(after.broadcastsDue).toEqual([due[0]]);
    expect(history.map(({ message }) => message)).toEqual([
      "us-east-1 is no peer any more and is not told of hold error-rate-critical-1767607800000",
    ]);
  });
});
