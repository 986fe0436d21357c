/** The documents' numbers, written out by hand: whoever changes a preset changes them here as well (A2, B1, B2). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alarmsFor, settleSeconds } from "../../core/alarms.ts";
import { objectivePresets, type Response, responses, splitByMeasurability } from "../../core/objectives.ts";
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
      ["advance: error rate below 5 % and p95 below 500 ms", "rollback: error rate above 10 % for 5 min"],
      ["rollback: error rate 5 points above wave 1, or latency 50 % above it"],
      ["rollback: error rate above 10 %, or a resource spike"],
      [],
    ]);
    expect(words("migration")).toEqual([
      ["advance: error rate below 0.1 %, latency at most 5 % up", "rollback: any error"],
      ["advance: error rate below 0.5 %, latency at most 10 % up", "rollback: error rate above 0.5 %"],
      ["advance: error rate below 1 %, latency at most 15 % up", "rollback: error rate above 1 %"],
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
  const rows = (name: keyof typeof objectivePresets) =>
    objectivePresets[name].map((objective) => [
      objective.indicator,
      objective.target,
      objective.warning && [objective.warning.value, objective.warning.response, objective.warning.windowSeconds],
      objective.critical && [objective.critical.value, objective.critical.response, objective.critical.windowSeconds],
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
      ["rate-limit-rejects", 1, [10, "notify", undefined], undefined],
      ["healthy-hosts", undefined, undefined, [1, "disable", undefined]],
    ]);
  });

  it("names what a source cannot see [B9]", () => {
    const unseen = (name: keyof typeof objectivePresets, source: "alb" | "emf") =>
      splitByMeasurability(objectivePresets[name], source).unseen.map((objective) => objective.name);
    expect(unseen("batch", "alb")).toEqual(["invariant-violations", "throughput"]);
    expect(unseen("batch", "emf")).toEqual(["throughput"]);
    const web = ["circuit-breaker-open", "circuit-breaker-recovery", "cache-hit-ratio", "rate-limit-rejects"];
    expect([unseen("web", "alb"), unseen("web", "emf")]).toEqual([web, web]);
  });
});

describe("alarms of the presets", () => {
  const rows = (name: keyof typeof objectivePresets, source: "alb" | "emf") =>
    alarmsFor(objectivePresets[name], source).map(
      (alarm) =>
        `${alarm.key} ${alarm.datapointsToAlarm}/${alarm.evaluationPeriods} ${alarm.comparison === "GreaterThanThreshold" ? ">" : "<"} ${alarm.threshold} ${alarm.response} settle ${settleSeconds(alarm, source)}`,
    );

  it("watches batch on a load balancer in one and five minutes [D1, B9]", () => {
    expect(rows("batch", "alb")).toEqual([
      "error-rate/critical/60s 2/3 > 5 disable settle 420",
      "error-rate/critical/300s 1/2 > 5 disable settle 1320",
      "error-rate/warning/60s 2/3 > 2 halve settle 420",
      "error-rate/warning/300s 1/2 > 2 halve settle 1320",
      "latency-p99/warning/300s 1/2 > 500 floor settle 1320",
      "healthy-hosts/critical/60s 2/2 < 1 disable settle 360",
    ]);
  });

  it("watches batch on its own metrics in ten seconds too [D1, B3]", () => {
    expect(rows("batch", "emf")).toEqual([
      "error-rate/critical/10s 2/2 > 5 disable settle 50",
      "error-rate/critical/60s 2/3 > 5 disable settle 310",
      "error-rate/critical/300s 1/2 > 5 disable settle 1210",
      "error-rate/warning/10s 2/2 > 2 halve settle 50",
      "error-rate/warning/60s 2/3 > 2 halve settle 310",
      "error-rate/warning/300s 1/2 > 2 halve settle 1210",
      "latency-p99/warning/300s 1/2 > 500 floor settle 1210",
      "invariant-violations/critical/10s 1/1 > 0 disable settle 40",
      "healthy-hosts/critical/60s 2/2 < 1 disable settle 250",
    ]);
  });

  it("watches web on either source [D1, B3]", () => {
    expect(rows("web", "alb")).toEqual([
      "error-rate/critical/60s 2/3 > 1 disable settle 420",
      "error-rate/critical/300s 1/2 > 1 disable settle 1320",
      "error-rate/warning/300s 1/2 > 1 notify settle 1320",
      "latency-p95/critical/60s 1/1 > 3000 freeze settle 300",
      "latency-p95/warning/300s 1/2 > 2500 notify settle 1320",
      "availability/warning/300s 1/2 > 0.1 notify settle 1320",
      "healthy-hosts/critical/60s 2/2 < 1 disable settle 360",
    ]);
    expect(rows("web", "emf")).toEqual([
      "error-rate/critical/10s 2/2 > 1 disable settle 50",
      "error-rate/critical/60s 2/3 > 1 disable settle 310",
      "error-rate/critical/300s 1/2 > 1 disable settle 1210",
      "error-rate/warning/300s 1/2 > 1 notify settle 1210",
      "latency-p95/critical/60s 1/1 > 3000 freeze settle 190",
      "latency-p95/warning/300s 1/2 > 2500 notify settle 1210",
      "availability/warning/300s 1/2 > 0.1 notify settle 1210",
      "healthy-hosts/critical/60s 2/2 < 1 disable settle 250",
    ]);
  });

  const expressions = (name: keyof typeof objectivePresets, source: "alb" | "emf", key: string) =>
    alarmsFor(objectivePresets[name], source)
      .find((alarm) => alarm.key === key)
      ?.expressions.map(({ id, expression }) => `${id} = ${expression}`);

  it("speaks of a ratio only above its floors, and of a percentile only with samples enough [B9, D1]", () => {
    expect(expressions("batch", "alb", "error-rate/critical/60s")).toEqual([
      "errors = answered + unanswered + 0 * requests",
      "rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)",
    ]);
    expect(expressions("batch", "emf", "error-rate/critical/10s")).toEqual([
      "errors = answered + 0 * requests",
      "rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0)",
    ]);
    expect(expressions("web", "alb", "availability/warning/300s")).toEqual(
      expressions("web", "alb", "error-rate/critical/60s"),
    );
    expect(expressions("batch", "alb", "latency-p99/warning/300s")).toEqual([
      "milliseconds = IF(requests >= 1000, 1000 * latency, 0)",
    ]);
    expect(expressions("web", "emf", "latency-p95/critical/60s")).toEqual([
      "milliseconds = IF(requests >= 200, latency, 0)",
    ]);
    expect(expressions("batch", "alb", "healthy-hosts/critical/60s")).toEqual([]);
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
    expect(metrics("batch", "emf", "healthy-hosts/critical/60s")).toEqual([
      "hosts: Minimum AWS/ApplicationELB HealthyHostCount by target-group-and-load-balancer",
    ]);
    const all = (["batch", "web"] as const).flatMap((name) =>
      (["alb", "emf"] as const).flatMap((source) => alarmsFor(objectivePresets[name], source)),
    );
    expect(new Set(all.map((alarm) => alarm.treatMissingData))).toEqual(new Set(["notBreaching"]));
  });
});
