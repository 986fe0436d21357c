/** Which release may come back without a soak (C1). */
import { describe, expect, it } from "vitest";
import type { SoakEvidence } from "../../../core/gate/evidence.ts";
import { judge } from "../../../core/gate/judge.ts";
import { knownGoodFinding } from "../../../core/gate/known-good.ts";
import type { Hold, RecordedRelease, RolloutRecord } from "../../../core/record.ts";
import { aFullRecord } from "../../contract/a-record.ts";

const at = Date.UTC(2026, 0, 5, 10);
const digest = "sha256:back";
const served: RecordedRelease = {
  digest,
  version: "1.9.0",
  targetGroupArn: "arn:group/back",
  targetGroupArnSuffix: "targetgroup/back/1",
  adopted: false,
  knownGood: true,
};
const rollback: Hold = {
  id: "hold-1",
  scope: "digest",
  digest,
  at,
  cause: "breach",
  detail: "error-rate",
  response: "disable",
  targetPercent: 0,
  attempt: 1,
  acknowledged: { by: "an SRE", reason: "mended", at },
};

function recordOf(change: Partial<RolloutRecord> = {}): RolloutRecord {
  const {
    paused: _paused,
    lease: _lease,
    retiredAt: _retired,
    previous: _previous,
    finished: _finished,
    ...full
  } = aFullRecord();
  return {
    ...full,
    releases: { [digest]: { ...served, knownGood: false } },
    canary: { digest, attempt: 1, exposurePercent: 10, waveOpenedAt: at, servedPercents: [] },
    breaches: {},
    holds: {},
    alarms: [],
    ...change,
  };
}
const finished = (finishedAt: number) => ({
  finished: { [digest]: { version: "1.9.0", digest, at: finishedAt, figures: {} } },
});
const say = (change: Partial<RolloutRecord>) => knownGoodFinding(recordOf(change), digest)?.text;
const not = "soak, requests and comparisons are not asked of it";

describe("a release that is known to be good", () => {
  it("finished here, or was the baseline here, and says which [C1]", () => {
    expect(say({})).toBeUndefined();
    expect(say(finished(at))).toBe(`1.9.0 is known good, it finished here at 2026-01-05T10:00:00.000Z: ${not}`);
    const before = `1.9.0 is known good, it was the baseline here before: ${not}`;
    expect(say({ releases: { [digest]: served } })).toBe(before);
    expect(say({ previous: { digest, until: at } })).toBe(before);
  });

  it("is not one that was rolled back since; when a baseline earned it is not known, so any rollback counts [C1, B5]", () => {
    const holds = { "hold-1": rollback };
    expect(say({ ...finished(at - 1), holds })).toBeUndefined();
    expect(say({ ...finished(at + 1), holds })).toMatch(/finished here/);
    expect(say({ releases: { [digest]: served }, holds })).toBeUndefined();
    expect(say({ previous: { digest, until: at }, holds })).toBeUndefined();
  });

  it("skips time and measurement, and nothing that speaks of now [C1]", () => {
    const blind: SoakEvidence = {
      canaryRequests: undefined,
      watchedFraction: undefined,
      fellSilent: false,
      alarmsInAlarm: [],
      criteria: { unreadable: "throttled" },
    };
    const kindOf = (change: Partial<RolloutRecord>, evidence: Partial<SoakEvidence> = {}) =>
      judge(recordOf({ ...finished(at), ...change }), digest, { ...blind, ...evidence }, at + 60_000).kind;
    expect(kindOf({})).toBe("promote");
    expect(judge(recordOf(), digest, blind, at + 60_000).kind).toBe("cannot-tell");
    expect(kindOf({}, { alarmsInAlarm: ["tidegate/a"] })).toBe("roll-back");
    expect(kindOf({}, { alarmsInAlarm: undefined })).toBe("cannot-tell");
    expect(kindOf({}, { errorBudget: { unreadable: "throttled" } })).toBe("cannot-tell");
    expect(kindOf({ paused: { by: "an SRE", reason: "incident", at } })).toBe("monitor");
    const service: Hold = { ...rollback, scope: "service", digest: "sha256:other" };
    const { acknowledged: _acknowledged, ...standing } = service;
    expect(kindOf({ holds: { "hold-1": standing } })).toBe("monitor");
  });

  it("does not go on where nobody can see it now; only a reason lifts that [C1, B8]", () => {
    const served: SoakEvidence = {
      canaryRequests: 10_000,
      watchedFraction: 0.1,
      fellSilent: false,
      alarmsInAlarm: [],
    };
    const judged = (fellSilent: boolean | undefined, overrideReason?: string) => {
      const options = overrideReason === undefined ? {} : { overrideReason };
      const { kind, reasons } = judge(recordOf(finished(at)), digest, { ...served, fellSilent }, at + 60_000, options);
      return { kind, reasons };
    };
    expect(judged(false)).toEqual({ kind: "promote", reasons: [] });
    expect(judged(true)).toEqual({
      kind: "cannot-tell",
      reasons: ["the canary fell silent: no request was measured in the newest minutes"],
    });
    expect(judged(undefined)).toEqual({
      kind: "cannot-tell",
      reasons: ["whether the canary still answers could not be read"],
    });
    expect(judged(true, "the metrics are late")).toEqual({ kind: "promote", reasons: [] });
  });
});
