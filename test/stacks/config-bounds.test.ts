/** Bounds as config has them: units, references, windows (B1, B11). Whole messages. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitsCloudWatch } from "../../core/burn-alarms.ts";
import { type Indicator, indicators, metricSources, objectivePresets } from "../../core/objectives.ts";
import { watchRules } from "../../core/watch-rules.ts";
import { readListed, writtenObjective } from "../../stacks/config/objective-list.ts";
import { Problems } from "../../stacks/config/problems.ts";
import { durationInSeconds, durationText } from "../../stacks/config/units.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, problemsOf, serviceProblems } from "./config-builders.ts";
import { acceptable, anyObjectives } from "./open-slo/objectives-arbitrary.ts";

type Written = Record<string, unknown>;

function critical(indicator: string, bound: Written): Written[] {
  return [{ indicator, critical: { response: "disable", ...bound } }];
}

function boundOf(indicator: string, bound: Written): unknown {
  const objectives = critical(indicator, bound);
  const [service] = parseConfig(aConfig({}, { checkout: aService({ objectives, source: "emf" }) })).services;
  const read = service?.objectives[0]?.critical;
  if (!read) return undefined;
  const { response: _response, ...rest } = read;
  return rest;
}

describe("bounds in config are read in the unit that is written [B1]", () => {
  const factor = (value: number) => ({ value, reference: { kind: "baseline", form: "factor" } });
  const points = (value: number) => ({ value, reference: { kind: "baseline", form: "points" } });
  it.each<[string, Written, unknown]>([
    ["error-rate", { above: "0.5%" }, { value: 0.5 }],
    ["error-rate", { above: "0%" }, { value: 0 }],
    ["success-rate", { below: "99.9%" }, { value: 99.9 }],
    ["latency-p95", { above: "500ms" }, { value: 500 }],
    ["latency-p95", { above: "0.5s" }, { value: 500 }],
    ["latency-p95", { above: "1.2345s", window: "84h" }, { value: 1_234.5, windowSeconds: 302_400 }],
    ["healthy-hosts", { below: 2 }, { value: 2 }],
    ["throughput", { below: "5000/s" }, { value: 5_000 }],
    ["memory", { above: "120MB" }, { value: 120 }],
    ["memory", { above: "1.5 GB" }, { value: 1_500 }],
    ["cpu", { above: "250%" }, { value: 250 }],
    ["cache-hit-ratio", { below: "70%", window: "30s" }, { value: 70, windowSeconds: 30 }],
    ["rate-limit-rejects", { above: "10/min" }, { value: 10 }],
    ["circuit-breaker-open", { above: "5m" }, { value: 300 }],
    ["circuit-breaker-recovery", { above: "30s" }, { value: 30 }],
    ["dual-run-failures", { above: "100/h" }, { value: 100 }],
    ["crashes", { above: 0 }, { value: 0 }],
    ["latency-p99", { above: "1.5x baseline" }, factor(1.5)],
    ["latency-p99", { above: "+50% of baseline", window: "5m" }, { ...factor(1.5), windowSeconds: 300 }],
    ["error-rate", { above: "+5 points over baseline" }, points(5)],
    ["error-rate", { above: "+1 point over baseline" }, points(1)],
    ["availability", { below: "-0.5 points under baseline" }, points(-0.5)],
    ["cache-hit-ratio", { below: "0.8x baseline" }, factor(0.8)],
    ["cache-hit-ratio", { below: "-20% of baseline" }, factor(0.8)],
    ["throughput", { below: "-5% of baseline" }, factor(0.95)],
    ["memory", { above: "10%/h" }, { value: 10, reference: { kind: "growth" } }],
  ])("%s %o", (indicator, bound, expected) => {
    expect(boundOf(indicator, bound)).toEqual(expected);
  });
});

describe("bounds in config are refused [B1] [B11]", () => {
  const percentage = `expected a percentage such as "0.5%"`;
  const time = `expected a time such as "500ms" or "0.5s"`;
  const compared = `"1.5x baseline", "+50% of baseline" or "+5 points over baseline"`;
  it.each<[string, Written, string]>([
    ["error-rate", { above: Number.NaN }, `above: not a value, got NaN; ${percentage}`],
    ["error-rate", { above: Number.POSITIVE_INFINITY }, `above: not a value, got Infinity; ${percentage}`],
    ["error-rate", { above: -1 }, `above: not a value, got -1; ${percentage}`],
    ["error-rate", { above: "-5%" }, `above: must not be negative, got "-5%"; ${percentage}`],
    ["error-rate", { above: "NaN%" }, `above: not a value with its unit, got "NaN%"; ${percentage}`],
    ["error-rate", { above: "1e1%" }, `above: not a value with its unit, got "1e1%"; ${percentage}`],
    ["error-rate", { above: null }, `above: missing; ${percentage}`],
    [
      "error-rate",
      { above: 0.05 },
      `above: units missing, got 0.05; ${percentage}. Write the unit: "5%" for that share of 1 or "0.05%" for that many percent`,
    ],
    ["error-rate", { above: "100%" }, `above: nothing is ever above it, got "100%"; expected less than 100%`],
    ["cpu", { above: "20000%" }, `above: percentage out of range, got "20000%"; expected 0% to 10000%`],
    [
      "availability",
      { below: 99.9 },
      `below: units missing, got 99.9; expected a percentage such as "99.9%". Write the unit: "99.9%"`,
    ],
    [
      "availability",
      { below: "0.999%" },
      `below: a share of 1 with a percent sign, got "0.999%"; expected more than 1%. Write "99.9%" if that is the share meant`,
    ],
    ["availability", { below: "0%" }, `below: nothing is ever below it, got "0%"; expected more than 0`],
    ["latency-p99", { above: 500 }, `above: units missing, got 500; ${time}. Write the unit: "500ms" or "500s"`],
    ["latency-p99", { above: "0.5min" }, `above: wrong unit, got "0.5min"; ${time}`],
    ["latency-p99", { above: "0s" }, `above: must be above zero, got "0s"; ${time}`],
    ["memory", { above: "120MiB" }, `above: wrong unit, got "120MiB"; expected a size such as "120MB" or "1.5GB"`],
    ["rate-limit-rejects", { above: "10/h" }, `above: wrong unit, got "10/h"; expected a rate such as "10/min"`],
    ["dual-run-failures", { above: "100/min" }, `above: wrong unit, got "100/min"; expected a rate such as "100/h"`],
    [
      "throughput",
      { below: 5_000 },
      `below: units missing, got 5000; expected a rate such as "5000/s". Write the unit: "5000/s"`,
    ],
    ["throughput", { below: "0/s" }, `below: nothing is ever below it, got "0/s"; expected more than 0`],
    [
      "throughput",
      { above: "5000/s" },
      "above: throughput is bad below a bound, not above it; expected below. Write below",
    ],
    [
      "circuit-breaker-open",
      { above: 60 },
      `above: units missing, got 60; expected a time such as "30s" or "5m". Write the unit: "60s", "60m" or "60h"`,
    ],
    [
      "circuit-breaker-open",
      { above: "500ms" },
      `above: wrong unit, got "500ms"; expected a time such as "30s" or "5m"`,
    ],
    ["crashes", { above: "1" }, `above: must be a count, got "1"; expected a whole number such as 0`],
    ["error-rate", { above: "+50%" }, `above: cannot be read as a relative bound, got "+50%"; expected ${compared}`],
    [
      "error-rate",
      { above: "+5 points under baseline" },
      `above: cannot be read as a relative bound, got "+5 points under baseline"; expected ${compared}`,
    ],
    [
      "error-rate",
      { above: "+100 points over baseline" },
      `above: points out of range, got "+100 points over baseline"; expected 0 to 100 points, neither included`,
    ],
    [
      "latency-p99",
      { above: "+5 points over baseline" },
      `above: points of what is no percentage, got "+5 points over baseline"; expected "1.5x baseline" or "+50% of baseline"`,
    ],
    [
      "latency-p99",
      { above: "1x baseline" },
      `above: multiple out of range, got "1x baseline"; expected a multiple above 1x, at most 100x`,
    ],
    [
      "latency-p99",
      { above: "150x baseline" },
      `above: multiple out of range, got "150x baseline"; expected a multiple above 1x, at most 100x`,
    ],
    [
      "latency-p99",
      { above: "1.5x previous wave" },
      `above: measured against the previous wave, which only a wave's own bounds are, got "1.5x previous wave"; expected "1.5x baseline" or "+50% of baseline". Write it under criteria of a wave of the plan`,
    ],
    [
      "cache-hit-ratio",
      { below: "1.2x baseline" },
      `below: multiple out of range, got "1.2x baseline"; expected a multiple between 0x and 1x`,
    ],
    [
      "availability",
      { below: "0.9x baseline" },
      `below: a multiple of availability says little of its errors, got "0.9x baseline"; expected "-5 points under baseline". Or compare error-rate`,
    ],
    [
      "crashes",
      { above: "2x baseline" },
      `above: crashes is not compared: it depends on how much traffic a release has, got "2x baseline"; expected a fixed value`,
    ],
    ["cpu", { above: "10%/h" }, `above: growth of cpu is not watched, got "10%/h"; expected growth of memory`],
    ["memory", { above: "0MB" }, `above: everything is above it, got "0MB"; expected more than 0`],
    ["cpu", { above: "0%" }, `above: everything is above it, got "0%"; expected more than 0`],
    ["memory", { above: "0%/h" }, `above: growth out of range, got "0%/h"; expected more than 0%/h, at most 1000%/h`],
    [
      "memory",
      { above: "10%/h", window: "5m" },
      `window: growth is judged from hour to hour, got "5m"; expected no window`,
    ],
    [
      "invariant-violations",
      { above: 0, window: "5m" },
      `window: invariant-violations has no window of its own, got "5m"; expected no window`,
    ],
    [
      "error-rate",
      { above: "5%", window: "4d" },
      `window: beyond what CloudWatch looks back, got "4d"; expected at most 84h: CloudWatch looks back 7d, and a window is looked at twice`,
    ],
    [
      "error-rate",
      { above: "5%", window: 300 },
      `window: units missing, got 300; expected a duration such as 5m. Write the unit: 300s, 300m, 300h or 300d`,
    ],
  ])("%s %o", (indicator, bound, problem) => {
    const objectives = critical(indicator, bound);
    expect(serviceProblems({ objectives })).toEqual([`services.checkout.objectives[0].critical.${problem}`]);
  });

  it("where the source has no such window", () => {
    const objectives = critical("error-rate", { above: "5%", window: "10s" });
    expect(serviceProblems({ objectives })).toEqual([]);
    expect(serviceProblems({ objectives, source: "alb" })).toEqual([
      `services.checkout.objectives[0].critical.window: not a period that is watched, got "10s"; expected whole minutes: alb has a point a minute`,
    ]);
  });

  it("where a target is relative, or bounds are reversed, the relative ones too", () => {
    const memory = {
      indicator: "memory",
      target: "1.5x baseline",
      warning: { above: "2x baseline", response: "notify" },
      critical: { above: "+50% of baseline", response: "disable" },
    };
    const cache = {
      indicator: "cache-hit-ratio",
      warning: { below: "-10 points under baseline", response: "notify" },
      critical: { below: "-5 points under baseline", response: "disable" },
    };
    // What one is measured against may lie anywhere.
    const mixed = {
      indicator: "latency-p99",
      warning: { above: "2s", response: "notify" },
      critical: { above: "1.5x baseline", response: "disable" },
    };
    const swap = "Swap warning and critical, or move one of them";
    expect(serviceProblems({ objectives: [memory, cache, mixed] })).toEqual([
      `services.checkout.objectives[0].target: measured against something, which only a bound is, got "1.5x baseline"; expected a fixed value`,
      `services.checkout.objectives[0].warning.above: reversed bounds, got 2x baseline; expected at most the critical bound, 1.5x baseline. ${swap}`,
      `services.checkout.objectives[1].warning.below: reversed bounds, got -10 points under baseline; expected at least the critical bound, -5 points under baseline. ${swap}`,
    ]);
  });

  it("where nothing of source prometheus could ever pass it: its histogram ends at 30 s", () => {
    const ends = "nothing is ever above it: the histogram of source prometheus ends at 30000ms";
    const rest = "expected less than 30000ms. Take a smaller one, or source emf";
    const alerting = {
      grafana: {
        url: "https://grafana.example.com",
        prometheus: { uid: "p" },
        tokenSecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:grafana-AbCdEf",
      },
    };
    const problems = (source: string, changes: Written) =>
      problemsOf(aConfig({ alerting }, { checkout: aService({ source, ...changes }) }));
    const objectives = [
      {
        indicator: "latency-p50",
        warning: { above: "30s", response: "notify" },
        critical: { above: "31s", response: "disable" },
      },
      { indicator: "latency-p95", target: "60s", critical: { above: "1.5x baseline", response: "disable" } },
      { indicator: "latency-p99", target: "30s", critical: { above: "29.999s", response: "disable" } },
    ];
    expect(problems("prometheus", { objectives })).toEqual([
      `services.checkout.objectives[0].critical.above: ${ends}, got "31s"; ${rest}`,
      `services.checkout.objectives[0].warning.above: ${ends}, got "30s"; ${rest}`,
      `services.checkout.objectives[1].target: ${ends}, got "60s"; ${rest}`,
      `services.checkout.objectives[2].target: ${ends}, got "30s"; ${rest}`,
    ]);
    const fine = [{ indicator: "latency-p99", critical: { above: "29.999s", response: "disable" } }];
    expect(problems("prometheus", { objectives: fine })).toEqual([]);
    for (const source of ["alb", "emf"]) {
      expect(problems(source, { objectives: objectives.slice(0, 2) })).toEqual([]);
    }
    const criteria = [
      { rollback: { indicator: "latency-p99", above: "30s", response: "disable" } },
      { advance: { indicator: "latency-p95", atMost: "45s" } },
    ];
    const plan = { preset: "steady", waves: { 25: { criteria } } };
    expect(problems("prometheus", { plan })).toEqual([
      `services.checkout.plan.waves.25.criteria[0].rollback.above: ${ends}, got "30s"; ${rest}`,
      `services.checkout.plan.waves.25.criteria[1].advance.atMost: ${ends}, got "45s"; ${rest}`,
    ]);
    expect(problems("emf", { plan })).toEqual([]);
  });

  it("where a target lies on the bad side of a bound, the nearest one named", () => {
    const objectives = [
      {
        indicator: "error-rate",
        target: "99.9%",
        warning: { above: "0.04%", response: "notify" },
        critical: { above: "0.05%", response: "disable" },
      },
      { indicator: "availability", target: "95%", critical: { below: "99.9%", response: "disable" } },
      { indicator: "latency-p95", target: "3s", critical: { above: "500ms", response: "disable" } },
      // Here the target is the bound, and there one is measured against something.
      { indicator: "latency-p99", target: "500ms", critical: { above: "0.5s", response: "disable" } },
      { indicator: "memory", target: "1GB", critical: { above: "1.5x baseline", response: "disable" } },
    ];
    const wayOut = "Correct the target, or move the bound";
    expect(serviceProblems({ objectives })).toEqual([
      `services.checkout.objectives[0].target: on the bad side of its own warning bound, got 99.9%; expected at most that bound, 0.04%. ${wayOut}`,
      `services.checkout.objectives[1].target: on the bad side of its own critical bound, got 95%; expected at least that bound, 99.9%. ${wayOut}`,
      `services.checkout.objectives[2].target: on the bad side of its own critical bound, got 3000ms; expected at most that bound, 500ms. ${wayOut}`,
    ]);
    const override = { "latency-p95": { critical: { above: "1s" }, warning: { above: "900ms" } } };
    expect(serviceProblems({ objectives: { preset: "web", override } })).toEqual([
      `services.checkout.objectives.override.latency-p95.target: on the bad side of its own warning bound, got 2000ms; expected at most that bound, 900ms. ${wayOut}`,
    ]);
  });

  it("never of a preset as it is, whatever its source", () => {
    for (const objective of Object.values(objectivePresets).flat()) {
      for (const source of metricSources) {
        const problems = new Problems();
        readListed(writtenObjective(objective), [], { source, problems, keepsUnmeasurable: true });
        expect(problems.texts).toEqual([]);
      }
    }
  });

  it("where a floor is beyond what any window has", () => {
    const objectives = [
      { ...critical("error-rate", { above: "5%" })[0], minimumRequests: 1_000_001, minimumErrors: 1_000_001 },
    ];
    const criteria = [
      { rollback: { indicator: "error-rate", above: "5%", response: "halve", minimumErrors: 2_000_000 } },
    ];
    const plan = { preset: "steady", waves: { 25: { criteria } } };
    expect(serviceProblems({ objectives, plan })).toEqual([
      "services.checkout.plan.waves.25.criteria[0].rollback.minimumErrors: must be a whole number of errors, got 2000000; expected 1 to 1000000",
      "services.checkout.objectives[0].minimumRequests: must be a whole number of requests, got 1000001; expected 1 to 1000000",
      "services.checkout.objectives[0].minimumErrors: must be a whole number of errors, got 1000001; expected 1 to 1000000",
    ]);
  });

  it("where an objective has a name that waves' own bounds have", () => {
    const objectives = [{ name: "wave-errors", ...critical("error-rate", { above: "1%" })[0] }];
    expect(serviceProblems({ objectives })).toEqual([
      `services.checkout.objectives[0].name: a name that waves' own bounds have, got "wave-errors"; expected any other. Bounds of single waves are called so; call it something else`,
    ]);
  });

  it("all at once, not one by one", () => {
    const objectives = [
      ...critical("error-rate", { above: 5, window: "90s" }),
      ...critical("latency-p95", { below: "1s" }),
      { indicator: "mermory", critical: { above: "1GB", response: "disable" } },
    ];
    expect(serviceProblems({ objectives }).map((problem) => problem.split(":")[0])).toEqual([
      "services.checkout.objectives[0].critical.above",
      "services.checkout.objectives[0].critical.window",
      "services.checkout.objectives[1].critical.below",
      "services.checkout.objectives[2].indicator",
    ]);
  });
});

describe("whatever config takes", () => {
  it("is written down so that it is read as the same [B1]", () => {
    fc.assert(
      fc.property(fc.constantFrom(...metricSources), anyObjectives, (source, any) => {
        for (const objective of acceptable(any, source)) {
          const problems = new Problems();
          expect(readListed(writtenObjective(objective), [], { source, problems })).toEqual(objective);
          expect(problems.texts).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has windows that CloudWatch takes [B11]", () => {
    fc.assert(
      fc.property(fc.constantFrom("alb" as const, "emf" as const), anyObjectives, (source, any) => {
        for (const { periodSeconds, evaluationPeriods } of watchRules(acceptable(any, source), source).rules) {
          expect(fitsCloudWatch(periodSeconds, evaluationPeriods)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never comes of a bare number but for counts [B11]", () => {
    const others = (Object.keys(indicators) as Indicator[]).filter((name) => indicators[name].unit !== "count");
    fc.assert(
      fc.property(fc.constantFrom(...others), fc.double({ noDefaultInfinity: true }), (indicator, number) => {
        const side = indicators[indicator].badSide;
        for (const written of [number, String(number)]) {
          const problems = new Problems();
          const raw = { indicator, critical: { [side]: written, response: "disable" } };
          expect(readListed(raw, [], { source: "emf", problems })).toBeUndefined();
          expect(problems.texts).toHaveLength(1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("says durations as they are read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => {
        expect(durationInSeconds(durationText(seconds))).toBe(seconds);
      }),
    );
    expect([90, 300, 302_400, 86_400].map(durationText)).toEqual(["90s", "5m", "84h", "1d"]);
  });
});
