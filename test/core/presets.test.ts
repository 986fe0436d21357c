/** The documents' numbers, written out by hand: whoever changes a preset changes them here as well (A2, B1, B2). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alarmsFor, settleSeconds } from "../../core/alarms.ts";
import {
  type Bound,
  objectivePresetNames,
  objectivePresets,
  type Response,
  responses,
  splitByMeasurability,
} from "../../core/objectives.ts";
import {
  completeWave,
  nextWaveAbove,
  type Plan,
  type PlanPresetName,
  planPresetNames,
  planPresets,
  planProblems,
  previousExposure,
  waveAt,
} from "../../core/plans.ts";
import { targetOf } from "../../core/respond.ts";
import { percentileSampleFloor } from "../../core/watch-rules.ts";

describe("plan presets", () => {
  /** Exposure, least soak in minutes (null: no end), look every so many seconds, who lowers. */
  const documents: Record<
    PlanPresetName,
    readonly (readonly [number, number | null, number, "automatic" | "human"])[]
  > = {
    steady: [
      [10, 1_440, 300, "automatic"],
      [25, 1_440, 300, "automatic"],
      [50, 1_440, 300, "automatic"],
      [100, 10_080, 300, "automatic"],
    ],
    cautious: [
      [10, 1_440, 900, "automatic"],
      [25, 2_880, 600, "automatic"],
      [50, 2_880, 300, "automatic"],
      [100, 2_880, 60, "automatic"],
    ],
    rapid: [
      [5, 10, 10, "automatic"],
      [25, 10, 10, "automatic"],
      [100, 30, 10, "automatic"],
    ],
    migration: [
      [5, 60, 300, "automatic"],
      [25, 240, 300, "automatic"],
      [50, 480, 300, "automatic"],
      [100, null, 300, "human"],
    ],
    fine: [
      [1, 1_440, 300, "automatic"],
      [5, 1_440, 300, "automatic"],
      [10, 1_440, 300, "automatic"],
      [25, 1_440, 300, "automatic"],
      [50, 1_440, 300, "automatic"],
      [75, 1_440, 300, "automatic"],
      [100, 1_440, 300, "automatic"],
    ],
  };
  const watchAfterDays = { steady: 30, cautious: 14, rapid: 0, migration: 0, fine: 0 };

  it.each(planPresetNames)("%s has its document's waves, soaks and intervals [A2]", (name) => {
    const plan = planPresets[name];
    expect(
      plan.waves.map((wave) => [wave.exposurePercent, wave.minimumSoakMinutes, wave.lookEverySeconds, wave.lowering]),
    ).toEqual(documents[name]);
    expect(plan.name).toBe(name);
    expect(plan.watchAfterMinutes).toBe(watchAfterDays[name] * 24 * 60);
    expect(plan.waves.map((wave) => wave.minimumRequests)).toEqual(plan.waves.map(() => 1_000));
    expect(planProblems(plan.waves)).toEqual([]);
  });

  it("carries the bounds of single waves in the documents' words [A2]", () => {
    const words = (name: PlanPresetName) =>
      planPresets[name].waves.map((wave) => wave.criteria.map((criterion) => `${criterion.kind}: ${criterion.text}`));
    expect(words("cautious")).toEqual([
      ["advance: error rate below 5 %", "advance: p95 below 500 ms", "rollback: error rate above 10 % for 5 min"],
      ["rollback: error rate 5 points above wave 1", "rollback: p95 50 % above wave 1"],
      [
        "rollback: error rate above 10 %",
        "rollback: memory 100 % above the baseline",
        "rollback: CPU 80 % above the baseline",
      ],
      [],
    ]);
    const asked = (errors: string, latency: string) => [
      `advance: error rate below ${errors} %`,
      `advance: latency at most ${latency} % up`,
      "advance: feature-flag coverage above 95 %",
      "advance: no dual-run failures",
    ];
    expect(words("migration")).toEqual([
      [...asked("0.1", "5"), "rollback: any error"],
      [...asked("0.5", "10"), "rollback: error rate above 0.5 %"],
      [...asked("1", "15"), "rollback: error rate above 1 %"],
      [],
    ]);
    for (const name of ["steady", "rapid", "fine"] as const) expect(words(name).flat()).toEqual([]);
  });

  it("names each wave that does not rise, and a last one below 100 [A1]", () => {
    expect(planProblems([{ exposurePercent: 25 }, { exposurePercent: 25 }, { exposurePercent: 10 }])).toEqual([
      { index: 1, text: "must rise from wave to wave, got 25 after 25; expected more than 25" },
      { index: 2, text: "must rise from wave to wave, got 10 after 25; expected more than 25" },
      { index: 2, text: "the last wave must be 100, got 10; expected 100" },
    ]);
    expect(planProblems([])).toEqual([]);
  });

  it("finds the waves beside an exposure that is none of the plan, such as 12 % [A1, B2]", () => {
    const { steady } = planPresets;
    const beside = (percent: number) => [
      previousExposure(steady, percent),
      waveAt(steady, percent)?.exposurePercent,
      nextWaveAbove(steady, percent)?.exposurePercent,
    ];
    expect(beside(0)).toEqual([0, undefined, 10]);
    expect(beside(10)).toEqual([0, 10, 25]);
    expect(beside(12)).toEqual([10, 25, 25]);
    expect(beside(100)).toEqual([50, 100, undefined]);
  });
});

describe("responses", () => {
  it.each<[Response, readonly number[]]>([
    // From:            5, 10, 12, 25, 50, 100
    ["disable", [0, 0, 0, 0, 0, 0]],
    ["halve", [5, 10, 10, 12, 25, 50]],
    ["previous-wave", [0, 0, 10, 10, 25, 50]],
    ["floor", [5, 10, 10, 10, 10, 10]],
    ["freeze", [5, 10, 12, 25, 50, 100]],
    ["notify", [5, 10, 12, 25, 50, 100]],
  ])("%s aims from 5, 10, 12, 25, 50 and 100 at %j [B2]", (response, targets) => {
    expect([5, 10, 12, 25, 50, 100].map((from) => targetOf(response, from, planPresets.steady))).toEqual(targets);
  });

  it("never raises an exposure, whatever the plan [B2]", () => {
    const plans: fc.Arbitrary<Plan> = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 })
      .map((percents) => ({
        name: "any",
        watchAfterMinutes: 0,
        waves: [...percents.sort((left, right) => left - right), 100].map((exposurePercent) =>
          completeWave({ exposurePercent, minimumSoakMinutes: 1 }),
        ),
      }));
    fc.assert(
      fc.property(fc.constantFrom(...responses), fc.integer({ min: 0, max: 100 }), plans, (response, from, plan) => {
        const target = targetOf(response, from, plan);
        expect(target).toBeLessThanOrEqual(from);
        expect(target).toBeGreaterThanOrEqual(0);
        expect(Number.isInteger(target)).toBe(true);
      }),
    );
  });
});

describe("objective presets", () => {
  const boundOf = ({ value, reference, response, windowSeconds }: Bound) => {
    const measured = reference?.kind === "growth" ? `${value} % an hour` : `${value} x ${reference?.kind}`;
    return [reference ? measured : value, response, windowSeconds];
  };
  const rows = (name: keyof typeof objectivePresets) =>
    objectivePresets[name].map(({ indicator, target, warning, critical }) => [
      indicator,
      target,
      warning && boundOf(warning),
      critical && boundOf(critical),
    ]);

  it("batch promises what its document does [B1, B2]", () => {
    expect(rows("batch")).toEqual([
      ["error-rate", 1, [2, "halve", undefined], [5, "disable", undefined]],
      ["latency-p50", 50, undefined, undefined],
      ["latency-p95", 150, undefined, undefined],
      ["latency-p99", 500, [500, "floor", undefined], undefined],
      ["invariant-violations", 0, undefined, [0, "disable", undefined]],
      ["throughput", 10_000, undefined, [5_000, "freeze", undefined]],
      ["availability", 99.9, undefined, undefined],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
    expect(objectivePresets.batch.filter((o) => o.disableAnyway).map((o) => o.name)).toEqual(["invariant-violations"]);
  });

  it("web promises what its document does [B1, B2]", () => {
    expect(rows("web")).toEqual([
      ["error-rate", 0.5, [1, "notify", 300], [1, "disable", undefined]],
      ["latency-p95", 2_000, [2_500, "notify", 300], [3_000, "freeze", 60]],
      ["availability", 99.95, [99.9, "notify", 300], undefined],
      ["circuit-breaker-open", 0, [60, "notify", undefined], [300, "disable", undefined]],
      ["circuit-breaker-recovery", 30, undefined, undefined],
      ["cache-hit-ratio", 80, [70, "notify", undefined], undefined],
      ["rate-limit-rejects", undefined, [10, "notify", undefined], undefined],
      ["rate-limit-reject-rate", 1, undefined, undefined],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
  });

  it("canary-relative promises what its document does [B1, B2]", () => {
    expect(rows("canary-relative")).toEqual([
      ["error-rate", 5, undefined, [5, "disable", 300]],
      ["latency-p99", undefined, undefined, ["1.5 x baseline", "disable", 300]],
      ["success-rate", 95, undefined, undefined],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
  });

  it("migration promises what its document does [B1, B2]", () => {
    expect(rows("migration")).toEqual([
      ["error-rate", 1, [2, "notify", 1_800], [5, "previous-wave", 300]],
      ["latency-p95", undefined, ["1.5 x baseline", "notify", 1_800], undefined],
      ["latency-p99", undefined, undefined, ["2 x baseline", "freeze", 600]],
      ["memory", undefined, undefined, ["2 x baseline", "previous-wave", undefined]],
      ["memory", undefined, undefined, ["10 % an hour", "freeze", undefined]],
      ["cpu", undefined, [80, "notify", 1_800], undefined],
      ["dual-run-failures", 0, undefined, [100, "freeze", undefined]],
      ["flag-mismatches", 0, [0, "notify", undefined], undefined],
      ["flag-coverage", 95, undefined, undefined],
      ["crashes", 0, undefined, [0, "previous-wave", undefined]],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
  });

  it("production promises what its document does [B1, B2]", () => {
    expect(rows("production")).toEqual([
      ["error-rate", 2, [5, "notify", undefined], [10, "disable", 300]],
      ["success-rate", 98, undefined, undefined],
      ["latency-p95", 400, [600, "notify", undefined], [1_000, "disable", undefined]],
      ["latency-p99", 500, [800, "notify", undefined], [1_500, "disable", undefined]],
      ["memory", undefined, ["1.5 x baseline", "notify", undefined], ["2 x baseline", "disable", undefined]],
      ["cpu", undefined, ["1.4 x baseline", "notify", undefined], ["1.8 x baseline", "disable", undefined]],
      ["invariant-violations", 0, [5, "notify", undefined], [10, "disable", undefined]],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
    const anyway = objectivePresets.production.filter(({ disableAnyway }) => disableAnyway).map(({ name }) => name);
    expect(anyway).toEqual(["invariant-violations"]);
  });

  it("names what a source cannot see [B9]", () => {
    const unseen = (name: keyof typeof objectivePresets, source: "alb" | "emf") =>
      splitByMeasurability(objectivePresets[name], source).unseen.map((objective) => objective.name);
    expect(unseen("batch", "alb")).toEqual(["invariant-violations", "throughput"]);
    const web = ["circuit-breaker-open", "circuit-breaker-recovery", "cache-hit-ratio", "rate-limit-rejects"];
    expect(unseen("web", "alb")).toEqual([...web, "rate-limit-reject-rate"]);
    expect(unseen("canary-relative", "alb")).toEqual([]);
    expect(unseen("migration", "alb")).toEqual([
      "memory",
      "memory-growth",
      "cpu",
      "dual-run-failures",
      "flag-mismatches",
      "flag-coverage",
      "crashes",
    ]);
    expect(unseen("production", "alb")).toEqual(["memory", "cpu", "invariant-violations"]);
    for (const name of objectivePresetNames) expect(unseen(name, "emf")).toEqual([]);
  });
});

describe("alarms of the presets", () => {
  it("settle when no point from before a lowering can be read any more [B2]", () => {
    const settled = (source: "alb" | "emf") =>
      alarmsFor(objectivePresets.batch, source).map((alarm) => [alarm.key, settleSeconds(alarm, source)]);
    expect(settled("alb")).toEqual([
      ["error-rate/critical/60s", 300],
      ["error-rate/critical/300s", 1_320],
      ["error-rate/warning/300s", 1_320],
      ["latency-p99/warning/300s", 1_320],
      ["healthy-hosts/critical/60s", 360],
    ]);
    expect(settled("emf")).toEqual([
      ["error-rate/critical/10s", 40],
      ["error-rate/critical/60s", 190],
      ["error-rate/critical/300s", 1_210],
      ["error-rate/warning/300s", 1_210],
      ["latency-p99/warning/300s", 1_210],
      ["invariant-violations/critical/10s", 40],
      ["throughput/critical/300s", 1_210],
      ["healthy-hosts/critical/60s", 360],
    ]);
  });

  it("ask for samples enough for their percentile [B9]", () => {
    expect([50, 95, 99].map(percentileSampleFloor)).toEqual([20, 200, 1_000]);
  });

  it("reads the metrics that each source publishes, and takes missing data as no breach [D1]", () => {
    const metrics = (name: keyof typeof objectivePresets, source: "alb" | "emf", key: string) =>
      alarmsFor(objectivePresets[name], source)
        .find((alarm) => alarm.key === key)
        ?.metrics.map(
          (metric) =>
            `${metric.id}: ${metric.statistic} ${metric.namespace} ${metric.metricName} by ${metric.dimensions}`,
        );
    expect(metrics("batch", "alb", "error-rate/critical/60s")).toEqual([
      "requests: Sum AWS/ApplicationELB RequestCount by target-group-and-load-balancer",
      "answered: Sum AWS/ApplicationELB HTTPCode_Target_5XX_Count by target-group-and-load-balancer",
      "unanswered: Sum AWS/ApplicationELB TargetConnectionErrorCount by target-group-and-load-balancer",
    ]);
    expect(metrics("batch", "emf", "error-rate/critical/10s")).toEqual([
      "requests: Sum Tidegate Requests by service-and-release",
      "answered: Sum Tidegate Errors by service-and-release",
    ]);
    expect(metrics("web", "alb", "latency-p95/critical/60s")?.[1]).toBe(
      "latency: p95 AWS/ApplicationELB TargetResponseTime by target-group-and-load-balancer",
    );
    expect(metrics("batch", "emf", "latency-p99/warning/300s")?.[1]).toBe(
      "latency: p99 Tidegate Latency by service-and-release",
    );
    expect(metrics("batch", "emf", "invariant-violations/critical/10s")).toEqual([
      "violations: Sum Tidegate InvariantViolations by service-and-release",
    ]);
    expect(metrics("batch", "emf", "throughput/critical/300s")).toEqual([
      "processingSeconds: Sum Tidegate ProcessingSeconds by service-and-release",
      "itemsProcessed: Sum Tidegate ItemsProcessed by service-and-release",
    ]);
    expect(metrics("batch", "emf", "healthy-hosts/critical/60s")).toEqual([
      "hosts: Minimum AWS/ApplicationELB HealthyHostCount by target-group-and-load-balancer",
    ]);
    const all = (["batch", "web"] as const).flatMap((name) =>
      (["alb", "emf"] as const).flatMap((source) => alarmsFor(objectivePresets[name], source)),
    );
    expect(new Set(all.map((alarm) => alarm.treatMissingData))).toEqual(new Set(["notBreaching"]));
  });
});
