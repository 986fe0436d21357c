/** What becomes of a breach that both releases share (B10): a freeze for half an hour, told to the owner, and never a raise. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { acknowledge } from "../../core/commands.ts";
import { decide } from "../../core/decide.ts";
import type { Observation } from "../../core/observation.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { isShared, sparedMilliseconds } from "../../core/shared-fate.ts";
import type { AlarmValues } from "../../core/snapshot.ts";
import { at, availability, exposedRecord, latency, minute, nameOf, valuesOf } from "../helpers/two-releases.ts";
import { v1, v2 } from "../helpers/world.ts";

let record: RolloutRecord;

beforeAll(async () => {
  record = await exposedRecord();
});

/** What the hook sees with these alarms of the canary speaking. */
function seeing(keys: readonly string[], values: readonly AlarmValues[] | undefined): Observation {
  const speaking = new Set(keys.map((key) => nameOf(v2, key)));
  return {
    live: { shares: { [v1.digest]: 75, [v2.digest]: 25 }, unknownTargetGroupArns: [] },
    alarms: record.alarms.map(({ alarmName }) => ({ alarmName, state: speaking.has(alarmName) ? "ALARM" : "OK" })),
    ...(values === undefined ? {} : { values }),
    health: {},
    visibility: "seen",
  };
}

const critical = "error-rate/critical/60s";
const shared = [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20])];
/** The same, read some minutes later. */
const sharedAfter = (minutes: number): AlarmValues[] =>
  shared.map((values) => ({
    ...values,
    points: values.points.map((point) => ({ ...point, at: point.at + minutes * minute })),
  }));

describe("a breach that both share", () => {
  it("freezes, holds the service and tells the dependency's owner instead of lowering [B10]", () => {
    const { record: next, lowersLive, history } = decide(record, seeing([critical], shared), at);
    const id = `dependency-${at}`;
    const detail = "error-rate (critical) of both releases alike, so lowering would help nobody";
    expect([next.canary?.exposurePercent, lowersLive]).toEqual([25, false]);
    expect(next.holds).toEqual({
      [id]: {
        id,
        scope: "service",
        digest: v2.digest,
        at,
        cause: "dependency",
        detail,
        response: "freeze",
        targetPercent: 25,
        attempt: 1,
      },
    });
    expect(next.outbox).toEqual([
      {
        id,
        dedupKey: `tidegate/dev/checkout/${v2.digest}/1/dependency`,
        severity: "critical",
        summary: `checkout: FROZEN at 25 %, ${detail}`,
        detail:
          "payments on call has to act; the canary is lowered by itself should it become the worse one, or after 30 min of this",
        at,
        runbook: "dependency-outage",
        holdId: id,
        owner: "payments on call",
      },
    ]);
    expect(next.snapshotsDue).toEqual([id]);
    expect(history.map((entry) => entry.kind)).toEqual(["breach", "hold"]);
  });

  it("names no owner where the config names none [B10]", () => {
    const { dependencyOwner: _, ...ownerless } = record;
    const [page] = decide(ownerless, seeing([critical], shared), at).record.outbox;
    expect(page?.detail).toBe(
      "whoever owns what both depend on has to act; the canary is lowered by itself should it become the worse one, or after 30 min of this",
    );
    expect(page).not.toHaveProperty("owner");
  });

  it("says it once while the hold stands, and lowers by itself when the baseline recovers [B10]", () => {
    const first = decide(record, seeing([critical], shared), at).record;
    const again = decide({ ...first, outbox: [], snapshotsDue: [] }, seeing([critical], shared), at + minute);
    expect([again.record.outbox, again.history, again.record.canary?.exposurePercent]).toEqual([[], [], 25]);
    const alone = [valuesOf(v2, [20, 20]), valuesOf(v1, [1, 1])];
    const lowered = decide(again.record, seeing([critical], alone), at + 2 * minute);
    expect([lowered.record.canary?.exposurePercent, lowered.lowersLive]).toEqual([0, true]);
    expect(lowered.record.outbox.map((page) => page.summary)).toEqual([
      "checkout: ROLLED BACK from 25 % to 0 %, error-rate (critical) of 2.0.0 at 25 %",
    ]);
  });

  it("lowers when what both had in common is more than 13 minutes old [B10]", () => {
    const exposureAt = (now: number) => decide(record, seeing([critical], shared), now).record.canary?.exposurePercent;
    expect([exposureAt(at + 12 * minute), exposureAt(at + 12 * minute + 1)]).toEqual([25, 0]);
  });

  const onceSpared = (values: readonly AlarmValues[] | undefined) => {
    const spared = decide(record, seeing([critical], shared), at).record;
    return decide(spared, seeing([critical], values), at + minute).record.canary?.exposurePercent;
  };

  it.each<[string, readonly AlarmValues[] | undefined]>([
    ["values cannot be read", undefined],
    ["values are answered empty", []],
    ["the baseline has no points", [valuesOf(v2, [20, 20]), valuesOf(v1, [])]],
    ["the baseline is within its bound at one of two points", [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 1])]],
    ["the newest points alone are worse, by chance", [valuesOf(v2, [20, 20, 50]), valuesOf(v1, [20, 20, 20])]],
  ])("goes on sparing it when %s: one doubt a minute would end it by chance [B10]", (_title, values) => {
    expect(onceSpared(values)).toBe(25);
  });

  it.each<[string, readonly AlarmValues[]]>([
    ["the baseline is within its bound at both newest points", [valuesOf(v2, [20, 20]), valuesOf(v1, [1, 1])]],
    ["the canary is the worse one over all points", [valuesOf(v2, [35, 35, 35]), valuesOf(v1, [20, 20, 20])]],
  ])("spares it no longer when %s [B10]", (_title, values) => {
    expect(onceSpared(values)).toBe(0);
  });

  it("spares nothing past the half hour, though values cannot be read [B10]", () => {
    const spared = decide(record, seeing([critical], shared), at).record;
    const exposureAfter = (minutes: number) =>
      decide(spared, seeing([critical], undefined), at + minutes * minute).record.canary?.exposurePercent;
    expect([exposureAfter(29), exposureAfter(30)]).toEqual([25, 0]);
  });

  it("spares no breach of another kind beside the one that it was put for [B8, B10]", () => {
    const spared = decide(record, seeing([critical], shared), at).record;
    const key = record.alarms.find(
      (alarm) => alarm.objective === "invariant-violations" && alarm.digest === v2.digest,
    )?.alarmName;
    const seen = seeing([critical], sharedAfter(1));
    const worse = seen.alarms?.map((alarm) =>
      alarm.alarmName === key ? { ...alarm, state: "ALARM" as const } : alarm,
    );
    const next = decide(spared, { ...seen, alarms: worse }, at + minute).record;
    expect(next.canary?.exposurePercent).toBe(0);
  });

  it("spares the canary for 29 minutes and lowers it after 30, though both still fail alike [B10]", () => {
    expect(sparedMilliseconds).toBe(30 * minute);
    let { record: spared } = decide(record, seeing([critical], shared), at);
    for (let passed = 1; passed <= 29; passed += 1) {
      spared = decide(spared, seeing([critical], sharedAfter(passed)), at + passed * minute).record;
      expect(spared.canary?.exposurePercent, `${passed} min`).toBe(25);
    }
    expect(spared.outbox.map((page) => page.id)).toEqual([`dependency-${at}`]);
    const { record: lowered, lowersLive } = decide(
      spared,
      seeing([critical], sharedAfter(30)),
      at + sparedMilliseconds,
    );
    expect([lowered.canary?.exposurePercent, lowersLive]).toEqual([0, true]);
    expect(Object.values(lowered.holds).map((hold) => [hold.cause, hold.at])).toEqual([
      ["dependency", at],
      ["breach", at + sparedMilliseconds],
    ]);
    expect(lowered.outbox.at(-1)?.summary).toBe(
      "checkout: ROLLED BACK from 25 % to 0 %, error-rate (critical) of 2.0.0 at 25 %",
    );
  });

  it("spares it for another half hour when the hold is acknowledged and both still fail alike [B10]", () => {
    const first = decide(record, seeing([critical], shared), at).record;
    const said = acknowledge(first, { by: "an SRE", reason: "the database is being restored" }, at + 29 * minute);
    if (said.kind === "refused") throw new Error(said.reason);
    const look = (before: RolloutRecord, minutes: number) =>
      decide(before, seeing([critical], sharedAfter(minutes)), at + minutes * minute).record;
    const anew = look(said.record, 30);
    const ids = [`dependency-${at}`, `dependency-${at + 30 * minute}`];
    expect([Object.keys(anew.holds), anew.outbox.map((page) => page.id)]).toEqual([ids, ids]);
    expect(look(anew, 59).canary?.exposurePercent).toBe(25);
    expect(look(anew, 60).canary?.exposurePercent).toBe(0);
  });

  it.each<[string, readonly AlarmValues[] | undefined]>([
    ["values could not be read", undefined],
    ["values were answered empty", []],
  ])("lowers when %s [B10]", (_title, values) => {
    expect(decide(record, seeing([critical], values), at).record.canary?.exposurePercent).toBe(0);
  });

  it("lowers when one of several breaches is the canary's own [B10]", () => {
    const slow = [valuesOf(v2, [900], latency), valuesOf(v1, [400], latency)];
    const seen = seeing([critical, latency.key], [...shared, ...slow]);
    expect(decide(record, seen, at).record.canary?.exposurePercent).toBe(0);
  });

  it("lowers live that is above the record though both fail alike: nobody granted it [A4, B10]", () => {
    const seen = seeing([critical], shared);
    const above = { ...seen, live: { shares: { [v1.digest]: 50, [v2.digest]: 50 }, unknownTargetGroupArns: [] } };
    const { record: next, lowersLive } = decide(record, above, at);
    expect([next.canary?.exposurePercent, lowersLive]).toEqual([25, true]);
  });

  it("holds nothing while observing [B10, B13]", () => {
    const next = decide({ ...record, mode: "observe" }, seeing([critical], shared), at).record;
    expect([next.holds, next.outbox, next.canary?.exposurePercent]).toEqual([{}, [], 25]);
  });

  it("does not spare a new breach by the hold of one that is over [B10]", () => {
    const critical = "error-rate/critical/60s";
    const alike = [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20])];
    const held = decide(record, seeing([critical], alike), at).record;
    const over = decide(held, seeing([], undefined), at + 5 * minute).record;
    expect([over.breaches, over.canary?.exposurePercent]).toEqual([{}, 25]);
    const anew = decide(over, seeing([critical], undefined), at + 10 * minute).record;
    expect(anew.canary?.exposurePercent).toBe(0);
  });

  it("lowers exactly as without any values whenever one driving breach is not shared [B10]", () => {
    const keys = [
      { key: critical, threshold: 5 },
      { key: "error-rate/warning/60s", threshold: 2 },
      { key: "error-rate/critical/300s", threshold: 5 },
      latency,
      availability,
    ];
    const level = fc.oneof(
      fc.constant(undefined),
      fc.constantFrom(0, 1, 3, 6, 20, 95, 98, 100, 450, 600, 1_200),
      fc.double({ min: 0, max: 1_000, noNaN: true }),
    );
    const points = fc.array(level, { maxLength: 4 });
    // Half of the time the baseline has the very same points, or nothing would ever be shared.
    const alarm = fc
      .record({
        speaks: fc.boolean(),
        canary: fc.option(points, { nil: undefined }),
        baseline: fc.option(points, { nil: undefined }),
        isSame: fc.boolean(),
      })
      .map(({ isSame, ...drawn }) => (isSame ? { ...drawn, baseline: drawn.canary } : drawn));
    let spared = 0;
    fc.assert(
      fc.property(fc.tuple(alarm, alarm, alarm, alarm, alarm), (drawn) => {
        const speaking = keys.filter((_, index) => drawn[index]?.speaks).map(({ key }) => key);
        const values = keys.flatMap((options, index) => [
          ...(drawn[index]?.canary ? [valuesOf(v2, drawn[index].canary, options)] : []),
          ...(drawn[index]?.baseline ? [valuesOf(v1, drawn[index].baseline, options)] : []),
        ]);
        const plain = decide(record, seeing(speaking, undefined), at);
        const judged = decide(record, seeing(speaking, values), at);
        const names = new Set(speaking.map((key) => nameOf(v2, key)));
        const driving = Object.values(plain.record.breaches);
        const isOwn = driving.some((breach) => !isShared(record, breach, names, values, at));
        if (driving.length === 0 || isOwn) {
          expect(judged).toEqual(plain);
        } else {
          spared += 1;
          expect(judged.record.canary?.exposurePercent).toBe(25);
          expect(Object.values(judged.record.holds).map((hold) => hold.cause)).toEqual(["dependency"]);
        }
      }),
      { numRuns: 500, seed: 10 },
    );
    expect(spared).toBeGreaterThan(10);
  });
});
