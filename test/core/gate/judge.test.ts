/** The gate's verdicts, each reason of its own (C1, B8), and what was visible of a canary (B8). */
import { describe, expect, it } from "vitest";
import type { SoakEvidence } from "../../../core/gate/evidence.ts";
import { planPresets } from "../../../core/plans.ts";
import type { Breach, Hold, RolloutRecord } from "../../../core/record.ts";
import { visibilityOf, visibilityWindow } from "../../../core/visibility.ts";
import { aFullRecord } from "../../contract/a-record.ts";
import { type Said, said } from "./said.ts";

const opened = Date.UTC(2026, 0, 5, 10);
const served = opened + 24 * 60 * 60_000;
const digest = "sha256:new";

const good: SoakEvidence = { canaryRequests: 1_000, watchedFraction: 0.5, fellSilent: false, alarmsInAlarm: [] };

const hold: Hold = {
  id: "hold-1",
  scope: "digest",
  digest,
  at: opened,
  cause: "breach",
  detail: "error-rate",
  response: "halve",
  targetPercent: 10,
  attempt: 1,
};
const breach: Breach = {
  id: "b",
  digest,
  objective: "error-rate",
  severity: "warning",
  response: "halve",
  startedAt: opened,
  exposureAtStartPercent: 10,
  targetPercent: 10,
  lastStepAt: opened,
  settleSeconds: 420,
  disableAnyway: false,
  observed: false,
};

function recordOf(change: Partial<RolloutRecord> = {}): RolloutRecord {
  const { paused: _paused, lease: _lease, retiredAt: _retired, previous: _previous, ...full } = aFullRecord();
  return {
    ...full,
    plan: planPresets.steady,
    canary: { digest, attempt: 1, exposurePercent: 10, waveOpenedAt: opened, servedPercents: [] },
    breaches: {},
    holds: {},
    alarms: [],
    ...change,
  };
}

const waiting = "hold hold-1 stands since 2026-01-05T10:00:00.000Z (error-rate); acknowledge it with a reason first";
const at10 = "soak at 10 % served";

describe("the gate", () => {
  it("promotes a served, seen and quiet soak, and one served before in this attempt [C1]", () => {
    expect(said(recordOf(), digest, good, served)).toEqual({ kind: "promote", reasons: [] });
    const again = recordOf({
      canary: { digest, attempt: 1, exposurePercent: 10, waveOpenedAt: served, servedPercents: [10] },
    });
    const nothing = { canaryRequests: 0, watchedFraction: 0, fellSilent: false, alarmsInAlarm: [] };
    expect(said(again, digest, nothing, served).kind).toBe("promote");
  });

  it.each<[string, Partial<RolloutRecord>, Partial<SoakEvidence>, number, Said]>([
    ["a hold", { holds: { "hold-1": hold } }, {}, served, { kind: "monitor", reasons: [waiting] }],
    [
      "a service hold of another release",
      { holds: { "hold-1": { ...hold, scope: "service", digest: "sha256:other" } } },
      {},
      served,
      { kind: "monitor", reasons: [waiting] },
    ],
    [
      "a pause",
      { paused: { by: "an SRE", reason: "incident", at: opened } },
      {},
      served,
      { kind: "monitor", reasons: ["paused by an SRE since 2026-01-05T10:00:00.000Z (incident); resume first"] },
    ],
    [
      "a soak one minute short",
      {},
      {},
      served - 60_000,
      { kind: "monitor", reasons: [`${at10} 1439 of 1440 min; served at 2026-01-06T10:00:00.000Z`] },
    ],
    [
      "an open breach",
      { breaches: { b: breach } },
      {},
      served,
      { kind: "roll-back", reasons: ["breach of error-rate (warning) open since 2026-01-05T10:00:00.000Z"] },
    ],
    [
      "an alarm",
      {},
      { alarmsInAlarm: ["tidegate/a"] },
      served,
      { kind: "roll-back", reasons: ["alarm tidegate/a is in ALARM"] },
    ],
    [
      "unreadable alarms",
      {},
      { alarmsInAlarm: undefined },
      served,
      { kind: "cannot-tell", measured: "nothing", reasons: ["the alarm states could not be read"] },
    ],
    [
      "unreadable counts",
      {},
      { canaryRequests: undefined, watchedFraction: undefined },
      served,
      { kind: "cannot-tell", measured: "nothing", reasons: ["the canary's request counts could not be read"] },
    ],
    [
      "no request",
      {},
      { canaryRequests: 0 },
      served,
      { kind: "cannot-tell", measured: "nothing", reasons: ["no request of the canary was measured in this soak"] },
    ],
    [
      "a count without end",
      {},
      { canaryRequests: Number.POSITIVE_INFINITY },
      served,
      {
        kind: "cannot-tell",
        measured: "nothing",
        reasons: ["the canary's requests are no count, got Infinity; expected a number from 0 on"],
      },
    ],
    [
      "a canary that fell silent in the newest minutes",
      {},
      { fellSilent: true },
      served,
      {
        kind: "cannot-tell",
        measured: "nothing",
        reasons: ["the canary fell silent: no request was measured in the newest minutes"],
      },
    ],
    [
      "too few requests",
      {},
      { canaryRequests: 999 },
      served,
      {
        kind: "cannot-tell",
        measured: "too-little",
        reasons: ["the canary answered 999 requests in this soak; expected at least 1000, so the soak goes on"],
      },
    ],
    [
      "too little seen",
      {},
      { watchedFraction: 0.49 },
      served,
      {
        kind: "cannot-tell",
        measured: "too-little",
        reasons: ["only 49 % of the soak had enough requests for an alarm to speak; expected at least 50 %"],
      },
    ],
  ])("does not promote over %s [C1, B8]", (_name, change, evidence, now, verdict) => {
    expect(said(recordOf(change), digest, { ...good, ...evidence }, now)).toEqual(verdict);
  });

  it("takes the worst verdict and tells every reason [B8]", () => {
    const record = recordOf({ holds: { "hold-1": hold }, breaches: { b: breach } });
    const verdict = said(record, digest, { ...good, canaryRequests: 0, alarmsInAlarm: ["x"] }, opened);
    expect(verdict).toEqual({
      kind: "roll-back",
      reasons: [
        "breach of error-rate (warning) open since 2026-01-05T10:00:00.000Z",
        "alarm x is in ALARM",
        "no request of the canary was measured in this soak",
        waiting,
        `${at10} 0 of 1440 min; served at 2026-01-06T10:00:00.000Z`,
      ],
    });
  });

  it("waits without end at a wave that has none, until overridden [A2]", () => {
    const record = recordOf({
      plan: planPresets.migration,
      canary: { digest, attempt: 1, exposurePercent: 100, waveOpenedAt: opened, servedPercents: [] },
    });
    expect(said(record, digest, good, served)).toEqual({
      kind: "monitor",
      reasons: ["wave 100 has no end of its own; an override with a reason ends it"],
    });
    expect(said(record, digest, good, served, "signed off")).toEqual({ kind: "promote", reasons: [] });
  });

  it("lifts soak and requests by an override, never hold, pause, breach or alarm [C1]", () => {
    const nothing: SoakEvidence = { canaryRequests: 0, watchedFraction: 0, fellSilent: false, alarmsInAlarm: [] };
    const hurried = (change: Partial<RolloutRecord>, evidence: Partial<SoakEvidence> = {}) =>
      said(recordOf(change), digest, { ...nothing, ...evidence }, opened, "in a hurry").kind;
    expect(hurried({})).toBe("promote");
    expect(hurried({ holds: { "hold-1": hold } })).toBe("monitor");
    expect(hurried({ paused: { by: "x", reason: "y", at: opened } })).toBe("monitor");
    expect(hurried({ breaches: { b: breach } })).toBe("roll-back");
    expect(hurried({}, { alarmsInAlarm: ["x"] })).toBe("roll-back");
    expect(hurried({}, { alarmsInAlarm: undefined })).toBe("cannot-tell");
  });

  it("asks for no soak at exposure 0, but for quiet [C1]", () => {
    const staged = recordOf({
      canary: { digest, attempt: 1, exposurePercent: 0, waveOpenedAt: opened, servedPercents: [] },
    });
    const nothing: SoakEvidence = { canaryRequests: 0, watchedFraction: 0, fellSilent: false, alarmsInAlarm: [] };
    expect(said(staged, digest, nothing, opened).kind).toBe("promote");
    expect(said(staged, digest, { ...nothing, alarmsInAlarm: ["x"] }, opened).kind).toBe("roll-back");
  });
});

describe("visibility", () => {
  const reading = { exposurePercent: 10 };
  it.each([
    // Baseline, canary on the load balancer, canary reported, exposure; what is said.
    [900, 100, 100, 10, "seen"],
    [900, undefined, undefined, 10, "canary-missing"],
    [891, undefined, undefined, 10, "seen"],
    [900, 0, 0, 10, "canary-missing"],
    [undefined, undefined, undefined, 10, "all-missing"],
    [0, 0, 0, 10, "all-missing"],
    [900, 100, undefined, 10, "canary-missing"],
    [undefined, 100, undefined, 100, "canary-missing"],
    [undefined, 99, undefined, 100, "seen"],
    [5_000, undefined, undefined, 100, "seen"],
    [undefined, undefined, undefined, 100, "all-missing"],
  ] as const)(
    "counts %j, %j and %j at exposure %d: %s [B8]",
    (baselineRequests, canaryRequests, canaryReported, exposurePercent, said) => {
      expect(visibilityOf({ ...reading, baselineRequests, canaryRequests, canaryReported, exposurePercent })).toBe(
        said,
      );
    },
  );

  it("looks at five whole minutes that surely have arrived, and not before the wave opened [B8]", () => {
    expect(visibilityWindow(opened, opened + 9 * 60_000)).toBeUndefined();
    expect(visibilityWindow(opened, opened + 10 * 60_000 + 59_999)).toEqual({
      from: opened + 60_000,
      to: opened + 6 * 60_000,
    });
  });
});
