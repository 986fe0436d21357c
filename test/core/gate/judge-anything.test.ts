/**
 * The whole gate over anything that it may be told: gaps, NaN, one side alone, clocks that are off, windows in any order, twice or of a year.
 * It answers each time, and it promotes only where everything that it asks for was measured and is met. What that is, is written here
 * from the requirements and not from the rules' code.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  AskedCheck,
  CheckResult,
  CriterionValue,
  LadderEvidence,
  SoakEvidence,
  SoakMeasurement,
  SoakWindow,
} from "../../../core/gate/evidence.ts";
import { judge } from "../../../core/gate/judge.ts";
import type { GateRule } from "../../../core/gate/verdict.ts";
import type { RolloutRecord } from "../../../core/record.ts";
import { v2, World } from "../../helpers/world.ts";

const base = await new World().rolledOutTo(10);
const canary = base.record.canary ?? fail("no canary");
const openedAt = canary.waveOpenedAt;
const minute = 60_000;
const soakMinutes = 1_440;
const liftable = new Set<GateRule>([
  "soak",
  "requests",
  "visibility",
  "criteria",
  "errors",
  "latency",
  "health-score",
  "error-budget",
  "figures",
  "checks",
  "ladder",
  "cool-off",
]);

function fail(text: string): never {
  throw new Error(text);
}

const garbage = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, -0, 1e300, 5e-324),
  fc.double(),
);
const number = fc.oneof({ weight: 4, arbitrary: fc.nat(100_000) }, { weight: 1, arbitrary: garbage });
const unreadable = fc.constant({ unreadable: "throttled" });
const rarely = fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const window: fc.Arbitrary<SoakWindow> = fc
  .record({
    at: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: -5, max: 1_500 }).map((index) => openedAt + index * minute) },
      { weight: 1, arbitrary: garbage },
    ),
    requests: number,
    errors: fc.oneof(fc.constant(0), number),
    latencyMilliseconds: maybe(fc.record({ p50: number, p95: number, p99: number }, { requiredKeys: [] })),
    latencyCounts: maybe(fc.array(fc.tuple(number, number), { maxLength: 5 })),
  })
  .map(({ latencyMilliseconds, latencyCounts, ...rest }) => ({
    ...rest,
    ...(latencyMilliseconds ? { latencyMilliseconds } : {}),
    ...(latencyCounts ? { latencyCounts } : {}),
  }));
const windows = fc.array(window, { maxLength: 40 });
const soak: fc.Arbitrary<SoakMeasurement> = fc
  .record({
    windowSeconds: fc.oneof(fc.constantFrom(60, 300), garbage),
    from: fc.oneof({ weight: 4, arbitrary: fc.constant(openedAt) }, { weight: 1, arbitrary: garbage }),
    to: fc.oneof(
      { weight: 4, arbitrary: fc.constant(openedAt + soakMinutes * minute) },
      { weight: 1, arbitrary: garbage },
    ),
    lookIndex: fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: garbage }),
    canary: windows,
    beside: maybe(fc.record({ is: fc.constantFrom("baseline" as const, "control" as const), windows })),
  })
  .map(({ beside, ...rest }) => (beside ? { ...rest, beside } : rest));
const criterion: fc.Arbitrary<CriterionValue> = fc.record({
  text: fc.constant("error rate below 1 %"),
  indicator: fc.constantFrom("error-rate" as const, "latency-p95" as const, "throughput" as const),
  bound: fc.record({ value: fc.constantFrom(1, 100), response: fc.constant("freeze" as const) }),
  whole: maybe(number),
  newest: maybe(number),
});
const checkResult: fc.Arbitrary<CheckResult> = fc.oneof(
  fc.record({
    name: fc.constantFrom("smoke", "load"),
    version: fc.constantFrom(v2.version, "1.0.0"),
    endedAt: fc.oneof(fc.constant(openedAt + soakMinutes * minute), garbage),
    isPassed: fc.boolean(),
    failed: fc.constant([]),
  }),
  fc.record({ name: fc.constantFrom("smoke", "load"), unreadable: fc.constant("no such file") }),
);
const asked: fc.Arbitrary<AskedCheck> = fc.record({
  name: fc.constantFrom("smoke", "load"),
  maximumAgeMinutes: fc.constant(60),
});
const ladder: fc.Arbitrary<LadderEvidence> = fc.record({
  below: fc.constant("staging"),
  release: fc.constant({ digest: v2.digest, version: v2.version }),
});

/** Anything in every key. */
const anything: fc.Arbitrary<SoakEvidence> = fc
  .record({
    canaryRequests: maybe(number),
    watchedFraction: maybe(fc.oneof(fc.constantFrom(0, 0.49, 0.5, 1), garbage)),
    fellSilent: maybe(fc.boolean()),
    alarmsInAlarm: maybe(fc.constantFrom<readonly string[]>([], ["tidegate/dev/checkout/x"])),
    errorBudget: maybe(unreadable),
    figuresUnreadable: maybe(fc.constant("throttled")),
    soak: maybe(fc.oneof(soak, unreadable)),
    criteria: maybe(fc.oneof(fc.array(criterion, { maxLength: 3 }), unreadable)),
    approvals: maybe(
      fc.record({
        wavePercent: fc.constant(50),
        version: fc.constant(v2.version),
        attempt: fc.constant(1),
        roles: fc.constantFrom<readonly string[]>([], ["sre"]),
        given: fc.constant([]),
      }),
    ),
    checks: maybe(
      fc.record({
        version: fc.constant(v2.version),
        asked: fc.array(asked, { maxLength: 2 }),
        results: fc.array(checkResult, { maxLength: 3 }),
      }),
    ),
    ladder: maybe(fc.oneof(ladder, unreadable)),
    freezes: maybe(fc.oneof(fc.constantFrom([], [{ name: "year's end", endsAt: "2027-01-02" }]), unreadable)),
  })
  .map((all) => {
    const { canaryRequests, watchedFraction, fellSilent, alarmsInAlarm, ...rest } = all;
    const there = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    return { canaryRequests, watchedFraction, fellSilent, alarmsInAlarm, ...there };
  });

const good: SoakEvidence = { canaryRequests: 100_000, watchedFraction: 1, fellSilent: false, alarmsInAlarm: [] };
const keys = [...Object.keys(good), "errorBudget", "figuresUnreadable", "soak", "criteria", "approvals", "checks"];
/** Mostly good, so that one wrong thing alone has to stop it; or anything at all. */
const evidence: fc.Arbitrary<SoakEvidence> = fc.oneof(
  fc.tuple(anything, fc.subarray([...keys, "ladder", "freezes"], { maxLength: 2 })).map(([all, wrong]) => ({
    ...good,
    ...Object.fromEntries(Object.entries(all).filter(([key]) => wrong.includes(key))),
  })),
  anything,
);

const now = fc.oneof(
  { weight: 3, arbitrary: fc.constant(openedAt + soakMinutes * minute) },
  { weight: 2, arbitrary: fc.integer({ min: -10, max: 3_000 }).map((minutes) => openedAt + minutes * minute) },
  { weight: 1, arbitrary: fc.constantFrom(0, openedAt + 366 * 1_440 * minute) },
);
const breach: RolloutRecord["breaches"][string] = {
  id: "b",
  digest: v2.digest,
  objective: "error-rate",
  severity: "critical",
  response: "disable",
  targetPercent: 0,
  exposureAtStartPercent: 25,
  lastStepAt: openedAt,
  settleSeconds: 60,
  disableAnyway: false,
  observed: false,
  startedAt: openedAt,
};
const noBreaches: RolloutRecord["breaches"] = {};
const record: fc.Arbitrary<RolloutRecord> = fc
  .record({
    exposurePercent: fc.constantFrom(0, 25, 100),
    isServed: fc.boolean(),
    isPaused: rarely,
    isBreached: rarely,
  })
  .map(({ exposurePercent, isServed, isPaused, isBreached }) => ({
    ...base.record,
    canary: { ...canary, exposurePercent, servedPercents: isServed ? [exposurePercent] : [] },
    ...(isPaused ? { paused: { by: "an SRE", reason: "busy", at: openedAt } } : {}),
    breaches: isBreached ? { b: breach } : noBreaches,
  }));

/** What speaks against a promotion, by the requirements. Units: milliseconds since the epoch. */
function against(of: RolloutRecord, told: SoakEvidence, at: number): GateRule[] {
  const rules: GateRule[] = [];
  const exposed = of.canary && of.canary.exposurePercent > 0 ? of.canary : undefined;
  if (of.paused) rules.push("pause");
  if (Object.values(of.breaches).some((breach) => !breach.observed)) rules.push("breach");
  if (told.alarmsInAlarm === undefined || told.alarmsInAlarm.length > 0) rules.push("alarm");
  if (told.errorBudget && "unreadable" in told.errorBudget) rules.push("error-budget");
  if (told.figuresUnreadable !== undefined) rules.push("figures");
  if ((told.approvals?.roles.length ?? 0) > 0) rules.push("approvals");
  if (told.freezes && ("unreadable" in told.freezes || told.freezes.length > 0)) rules.push("change-freeze");
  for (const { name } of told.checks?.asked ?? []) {
    const results = told.checks?.results.filter((result) => result.name === name) ?? [];
    const [result] = results;
    if (!result || results.length > 1 || "unreadable" in result || !result.isPassed || result.version !== v2.version)
      rules.push("checks");
  }
  if (!exposed) {
    if (told.ladder && ("unreadable" in told.ladder || told.ladder.finished === undefined)) rules.push("ladder");
    return rules;
  }
  if (told.fellSilent !== false) rules.push("visibility");
  if (exposed.servedPercents.includes(exposed.exposurePercent)) return rules;
  const wave = of.plan.waves.find((each) => each.exposurePercent === exposed.exposurePercent);
  const soakMs = (wave?.minimumSoakMinutes ?? Number.POSITIVE_INFINITY) * minute;
  if (!(at - exposed.waveOpenedAt >= soakMs)) rules.push("soak");
  if (!((told.canaryRequests ?? 0) >= 1_000)) rules.push("requests");
  if (!((told.watchedFraction ?? 0) >= 0.5)) rules.push("visibility");
  if (told.soak && "unreadable" in told.soak) rules.push("errors");
  if (told.soak && "canary" in told.soak && told.soak.canary.length === 0) rules.push("errors");
  if (told.soak && "canary" in told.soak && exposed.exposurePercent < 100 && !told.soak.beside?.windows.length)
    rules.push("latency");
  if (told.criteria && "unreadable" in told.criteria) rules.push("criteria");
  if (told.criteria && !("unreadable" in told.criteria)) {
    const isBad = ({ indicator, bound, whole }: CriterionValue) =>
      whole === undefined ||
      !Number.isFinite(whole) ||
      (indicator === "throughput" ? whole < bound.value : whole > bound.value);
    if (told.criteria.some(isBad)) rules.push("criteria");
  }
  return rules;
}

describe("the gate, whatever it is told", () => {
  it("answers, and promotes only what nothing speaks against [B8, C1]", () => {
    let promoted = 0;
    fc.assert(
      fc.property(record, evidence, now, (of, told, at) => {
        const verdict = judge(of, v2.digest, told, at);
        if (verdict.kind === "promote") {
          promoted += 1;
          expect(against(of, told, at)).toEqual([]);
          expect(verdict.findings.every((finding) => finding.verdict === "promote")).toBe(true);
        } else {
          expect(verdict.reasons.length).toBeGreaterThan(0);
        }
        expect(verdict.measured !== undefined).toBe(verdict.kind === "cannot-tell");
      }),
      { numRuns: 2_000 },
    );
    // Else the property says nothing.
    expect(promoted).toBeGreaterThan(100);
  });

  it("lets a reason lift what it may lift, and never what it may not [C3]", () => {
    fc.assert(
      fc.property(record, evidence, now, (of, told, at) => {
        const verdict = judge(of, v2.digest, told, at, { overrideReason: "the shop closes" });
        const stands = against(of, told, at).filter((rule) => !liftable.has(rule));
        expect(verdict.kind === "promote").toBe(stands.length === 0);
        expect(
          verdict.findings.filter(({ isOverridden }) => isOverridden).every(({ rule }) => liftable.has(rule)),
        ).toBe(true);
        for (const rule of stands) {
          const found = verdict.findings.filter((finding) => finding.rule === rule && finding.verdict !== "promote");
          expect(found.length).toBeGreaterThan(0);
          expect(found.some(({ isOverridden }) => isOverridden)).toBe(false);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("says the same twice of the same, and never what depends on the order of windows [B8]", () => {
    fc.assert(
      fc.property(record, evidence, now, (of, told, at) => {
        const once = judge(of, v2.digest, told, at);
        expect(judge(of, v2.digest, told, at)).toEqual(once);
        if (!told.soak || "unreadable" in told.soak) return;
        const { soak: measured } = told;
        const { beside } = measured;
        const turned: SoakMeasurement = {
          ...measured,
          canary: measured.canary.toReversed(),
          ...(beside ? { beside: { ...beside, windows: beside.windows.toReversed() } } : {}),
        };
        expect(judge(of, v2.digest, { ...told, soak: turned }, at).kind).toBe(once.kind);
      }),
      { numRuns: 300 },
    );
  });
});
