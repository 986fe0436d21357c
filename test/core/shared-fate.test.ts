/** Whether both releases fail alike (B10): only then is a breaching canary spared, and every doubt lowers it. */
import { beforeAll, describe, expect, it } from "vitest";
import { sourceDelaySeconds } from "../../core/alarms.ts";
import type { Breach, RolloutRecord } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import { alarmPairs, alikeFactor, isShared } from "../../core/shared-fate.ts";
import type { AlarmValues } from "../../core/snapshot.ts";
import { at, availability, exposedRecord, latency, minute, nameOf, valuesOf } from "../helpers/two-releases.ts";
import { v1, v2 } from "../helpers/world.ts";

let record: RolloutRecord;

beforeAll(async () => {
  record = await exposedRecord();
});

function aBreach(change: Partial<Breach> = {}): Breach {
  return {
    id: "error-rate-critical-1",
    digest: v2.digest,
    objective: "error-rate",
    severity: "critical",
    response: "disable",
    startedAt: at,
    exposureAtStartPercent: 25,
    targetPercent: 0,
    lastStepAt: at,
    settleSeconds: 310,
    disableAnyway: false,
    observed: false,
    ...change,
  };
}

const judge = (
  values: readonly AlarmValues[],
  breach = aBreach(),
  keys = ["error-rate/critical/60s"],
  now = at,
): boolean => isShared(record, breach, new Set(keys.map((key) => nameOf(v2, key))), values, now);

describe("alike", () => {
  it.each([
    ["both are bad by the same", [20, 20], [20, 20]],
    ["the canary is exactly 1.5 times as bad", [30, 30], [20, 20]],
    ["the canary is the better one", [6, 6], [90, 90]],
    ["one bad point is all the canary has", [20], [20]],
    ["only the newest two bad points differ from older ones", [99, 20, 20], [1, 20, 20]],
    ["a good point of the canary lies between its bad ones", [20, 1, 20], [20, 1, 20]],
  ])("is shared when %s [B10]", (_title, canary, baseline) => {
    expect(judge([valuesOf(v2, canary), valuesOf(v1, baseline)])).toBe(true);
  });

  it.each([
    ["the canary is a little over 1.5 times as bad", [30.1, 30], [20, 20]],
    ["the baseline is within its bound", [20, 20], [5, 5]],
    ["the baseline is within its bound at one of the two points", [20, 20], [20, 5]],
    ["the baseline has no point beside one of the two", [20, 20], [20, undefined]],
    ["the baseline has no point beside one of the two, and is far worse at the other", [6, 6], [90, undefined]],
    ["the baseline has no points", [20, 20], []],
    ["the canary has no points", [], [20, 20]],
    ["the canary has no bad point", [5, 5], [20, 20]],
    ["the baseline's bad points are of other times", [undefined, undefined, 20], [20, 20, undefined]],
    ["a point is no number", [Number.NaN, 20], [20, Number.NaN]],
  ])("is the canary's own when %s [B10]", (_title, canary, baseline) => {
    expect(judge([valuesOf(v2, canary), valuesOf(v1, baseline)])).toBe(false);
  });

  it("is the canary's own when either alarm's values were not answered [B10]", () => {
    expect(judge([valuesOf(v2, [20, 20])])).toBe(false);
    expect(judge([valuesOf(v1, [20, 20])])).toBe(false);
    expect(judge([])).toBe(false);
  });

  it("compares a latency as it is, and an availability by what is missing of it [B10]", () => {
    const slow = aBreach({ objective: "latency-p95" });
    const judgeSlow = (canary: number, baseline: number) =>
      judge([valuesOf(v2, [canary], latency), valuesOf(v1, [baseline], latency)], slow, [latency.key]);
    expect([judgeSlow(900, 600), judgeSlow(901, 600), judgeSlow(600, 500)]).toEqual([true, false, false]);
    const down = aBreach({ objective: "availability" });
    const judgeDown = (canary: number, baseline: number) =>
      judge([valuesOf(v2, [canary], availability), valuesOf(v1, [baseline], availability)], down, [availability.key]);
    expect([judgeDown(97, 98), judgeDown(96.9, 98), judgeDown(98, 99)]).toEqual([true, false, false]);
  });

  it("counts a value at the bound as bad only where the alarm does [B10]", () => {
    const atBound = (badWhen: AlarmValues["badWhen"]) =>
      judge([valuesOf(v2, [5, 5], { badWhen }), valuesOf(v1, [5, 5], { badWhen })]);
    expect([atBound("above"), atBound("atLeast"), atBound("below"), atBound("atMost")]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it("counts no bad point older than 13 minutes: it says nothing of now [B10]", () => {
    const judgedAt = (milliseconds: number, canary: readonly number[], baseline: readonly number[]) =>
      judge([valuesOf(v2, canary), valuesOf(v1, baseline)], aBreach(), undefined, at + milliseconds);
    // The newest point is of a minute before.
    expect([judgedAt(12 * minute, [20], [20]), judgedAt(12 * minute + 1, [20], [20])]).toEqual([true, false]);
    const isUnlikeBefore = [
      [99, 20],
      [1, 20],
    ] as const;
    expect([judgedAt(12 * minute, ...isUnlikeBefore), judgedAt(11 * minute, ...isUnlikeBefore)]).toEqual([true, false]);
  });

  it("is shared by a 300 s alarm alone at every second from its newest point's coming to the next one's [B10]", () => {
    const slow = aBreach({ objective: "latency-p95" });
    const values = [v2, v1].map((release) => ({
      ...valuesOf(release, [], latency),
      points: [at - 5 * minute, at].map((since) => ({ at: since, value: 900 })),
    }));
    // Whole after a period, published when the slowest source is; the next one comes a period later and is evaluated a minute after.
    const comesAt = at + 5 * minute + sourceDelaySeconds.alb * 1_000;
    const found = new Set<boolean>();
    for (let now = comesAt; now <= comesAt + 6 * minute; now += 1_000) {
      found.add(judge(values, slow, [latency.key], now));
    }
    expect([...found]).toEqual([true]);
  });

  it("tolerates half as bad again, well under the twice at which the gate fails a release [B10]", () => {
    expect(alikeFactor).toBe(1.5);
  });
});

describe("what no dependency can spoil", () => {
  it.each(["invariant-violations", "healthy-hosts"])("never shares %s [B10]", (objective) => {
    const key = record.alarms
      .find((alarm) => alarm.objective === objective && alarm.digest === v2.digest)
      ?.alarmName.split("/")
      .slice(4)
      .join("/");
    const options = { key: key ?? "", threshold: 5 };
    const values = [valuesOf(v2, [20, 20], options), valuesOf(v1, [20, 20], options)];
    expect(key).toContain(objective);
    expect(judge(values, aBreach({ objective }), [key ?? ""])).toBe(false);
  });

  it("never shares an objective marked to disable anyway, nor the baseline's own breach [B10]", () => {
    const values = [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20])];
    expect(judge(values, aBreach({ disableAnyway: true }))).toBe(false);
    expect(
      isShared(record, aBreach({ digest: v1.digest }), new Set([nameOf(v1, "error-rate/critical/60s")]), values, at),
    ).toBe(false);
  });

  it("never shares a release that went silent: it has no alarm to compare [B8, B10]", () => {
    expect(judge([valuesOf(v2, [20]), valuesOf(v1, [20])], aBreach({ objective: "no-data" }))).toBe(false);
  });
});

describe("which alarms are compared", () => {
  it("wants every speaking window alike, and no others [B10]", () => {
    const five = { key: "error-rate/critical/300s" };
    const values = [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20]), valuesOf(v2, [90], five), valuesOf(v1, [20], five)];
    expect(judge(values)).toBe(true);
    expect(judge(values, aBreach(), ["error-rate/critical/60s", five.key])).toBe(false);
  });

  it("lets a speaking window abstain that has no bad point yet, and never decides by abstentions alone [B10]", () => {
    const five = { key: "error-rate/critical/300s" };
    const both = ["error-rate/critical/60s", five.key];
    for (const points of [[], [1]]) {
      const long = [valuesOf(v2, points, five), valuesOf(v1, points, five)];
      expect(judge([valuesOf(v2, [20]), valuesOf(v1, [20]), ...long], aBreach(), both)).toBe(true);
      expect(judge([valuesOf(v2, [20]), valuesOf(v1, [1]), ...long], aBreach(), both)).toBe(false);
      expect(judge(long, aBreach(), [five.key])).toBe(false);
    }
  });

  it("is the canary's own when one speaking window has nothing of the baseline beside it, though another is alike [B10]", () => {
    const five = { key: "error-rate/critical/300s" };
    const both = ["error-rate/critical/60s", five.key];
    const alike = [valuesOf(v2, [20]), valuesOf(v1, [20])];
    expect(judge([...alike, valuesOf(v2, [20], five), valuesOf(v1, [], five)], aBreach(), both)).toBe(false);
    expect(judge([...alike, valuesOf(v2, [20], five)], aBreach(), both)).toBe(false);
  });

  it("is the canary's own when no alarm of it speaks any more [B10]", () => {
    expect(judge([valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20])], aBreach(), [])).toBe(false);
  });

  it("is the canary's own when the baseline has no such alarm [B10]", () => {
    const twin = nameOf(v1, "error-rate/critical/60s");
    const without = { ...record, alarms: record.alarms.filter((alarm) => alarm.alarmName !== twin) };
    const values = [valuesOf(v2, [20, 20]), valuesOf(v1, [20, 20])];
    const speaking = new Set([nameOf(v2, "error-rate/critical/60s")]);
    expect(isShared(without, aBreach(), speaking, values, at)).toBe(false);
    expect(isShared(record, aBreach(), speaking, values, at)).toBe(true);
  });

  it("pairs no two alarms just because neither has a name of ours [B10]", () => {
    const renamed = {
      ...record,
      alarms: record.alarms
        .filter((alarm) => alarm.objective === "error-rate" && alarm.alarmName.endsWith("critical/60s"))
        .map((alarm) => ({ ...alarm, alarmName: `shop-${alarm.digest}` })),
    };
    const named = (release: Release) => ({ ...valuesOf(release, [20, 20]), alarmName: `shop-${release.digest}` });
    expect(alarmPairs(renamed, aBreach()).map(({ baseline }) => baseline)).toEqual([undefined]);
    expect(isShared(renamed, aBreach(), new Set([`shop-${v2.digest}`]), [named(v1), named(v2)], at)).toBe(false);
  });
});

describe("a wave's own fixed bound, which the baseline has no twin of", () => {
  const ofWave = (objective: string): RolloutRecord => {
    const like = record.alarms.find(({ alarmName }) => alarmName === nameOf(v2, "error-rate/critical/60s"));
    if (!like) throw new Error("no alarm");
    const own = { ...like, objective, alarmName: nameOf(v2, `${objective}/critical/60s/at-25`), atPercents: [25] };
    return { ...record, alarms: [...record.alarms, own] };
  };
  const judgeWave = (objective: string, canary: number[], keys = ["error-rate/critical/60s"]) =>
    isShared(
      ofWave(objective),
      aBreach({ objective }),
      new Set([`${objective}/critical/60s/at-25`, ...keys].map((key) => nameOf(v2, key))),
      [valuesOf(v2, canary), valuesOf(v1, [20, 20])],
      at,
    );

  it("is judged by what speaks beside it of the same indicator and has one [B10]", () => {
    expect([judgeWave("wave-error-rate", [20, 20]), judgeWave("wave-error-rate", [90, 90])]).toEqual([true, false]);
    expect(judgeWave("wave-error-rate-of-previous-wave", [20, 20])).toBe(true);
  });

  it("is the release's own where it speaks alone, or is measured beside the baseline [B10]", () => {
    expect(judgeWave("wave-error-rate", [20, 20], [])).toBe(false);
    expect(judgeWave("wave-error-rate", [20, 20], ["latency-p95/critical/300s"])).toBe(false);
    expect(judgeWave("wave-error-rate-of-baseline", [20, 20])).toBe(false);
  });
});
