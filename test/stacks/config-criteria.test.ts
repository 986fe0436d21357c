/** Bounds that single waves have of their own, as config has them (A2, B1, B11). */
import { describe, expect, it } from "vitest";
import { planPresets } from "../../core/plans.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, serviceProblems } from "./config-builders.ts";

function planOf(plan: unknown) {
  const [service] = parseConfig(aConfig({}, { checkout: aService({ plan }) })).services;
  if (!service) throw new Error("no service");
  return service.plan;
}

const twoWaves = (last: unknown, first: unknown = []) => ({
  waves: [
    { exposurePercent: 10, soak: "1h", criteria: first },
    { exposurePercent: 100, soak: "1h", criteria: last },
  ],
});

describe("criteria of a wave [A2] [B1]", () => {
  it("are bounds as objectives have them, and what must hold", () => {
    const criteria = [
      {
        rollback: { indicator: "error-rate", above: "0%", response: "previous-wave", window: "1m", minimumErrors: 1 },
        advance: { indicator: "latency-p95", atMost: "500ms" },
      },
      { rollback: { indicator: "error-rate", above: "+5 points over previous wave", response: "disable" } },
      { rollback: { indicator: "latency-p95", above: "+50% of previous wave", response: "freeze" } },
      { advance: { indicator: "flag-coverage", atLeast: "95%", window: "1h", minimumRequests: 10 } },
      { advance: { indicator: "dual-run-failures", atMost: "0/h" } },
      { advance: { indicator: "memory", atMost: "1.2x baseline" } },
    ];
    const previous = (form: "factor" | "points") => ({ kind: "previous-wave", form });
    expect(planOf(twoWaves(criteria)).waves[1]?.criteria).toEqual([
      {
        kind: "rollback",
        text: "error-rate above 0% in 1m",
        watch: {
          indicator: "error-rate",
          bound: { value: 0, response: "previous-wave", windowSeconds: 60 },
          minimumErrors: 1,
        },
      },
      {
        kind: "advance",
        text: "latency-p95 at most 500ms",
        watch: { indicator: "latency-p95", bound: { value: 500, response: "freeze" } },
      },
      {
        kind: "rollback",
        text: "error-rate above +5 points over previous wave",
        watch: { indicator: "error-rate", bound: { value: 5, reference: previous("points"), response: "disable" } },
      },
      {
        kind: "rollback",
        text: "latency-p95 above 1.5x previous wave",
        watch: { indicator: "latency-p95", bound: { value: 1.5, reference: previous("factor"), response: "freeze" } },
      },
      {
        kind: "advance",
        text: "flag-coverage at least 95% in 1h",
        watch: {
          indicator: "flag-coverage",
          bound: { value: 95, response: "freeze", windowSeconds: 3_600 },
          minimumRequests: 10,
        },
      },
      {
        kind: "advance",
        text: "dual-run-failures at most 0/h",
        watch: { indicator: "dual-run-failures", bound: { value: 0, response: "freeze" } },
      },
      {
        kind: "advance",
        text: "memory at most 1.2x baseline",
        watch: {
          indicator: "memory",
          bound: { value: 1.2, reference: { kind: "baseline", form: "factor" }, response: "freeze" },
        },
      },
    ]);
  });

  it("replace those that the preset gave the wave, and leave the others", () => {
    const criteria = [{ rollback: { indicator: "error-rate", above: "3%", response: "halve" } }];
    const plan = planOf({ preset: "cautious", waves: { 25: { criteria }, 50: { criteria: [] } } });
    expect(plan.waves.map((wave) => wave.criteria)).toEqual([
      planPresets.cautious.waves[0]?.criteria,
      [
        {
          kind: "rollback",
          text: "error-rate above 3%",
          watch: { indicator: "error-rate", bound: { value: 3, response: "halve" } },
        },
      ],
      [],
      [],
    ]);
    expect(plan.name).toBe("cautious, changed");
  });

  const list = "expected a list such as [{ rollback: { … } }, { advance: { … } }]";
  it.each<[string, unknown, string[]]>([
    ["no list", "x", [`criteria: must be a list, got "x"; ${list}`]],
    ["nothing", null, [`criteria: missing; ${list}`]],
    ["no map", [5], ["criteria[0]: must be a map, got 5; expected a map"]],
    ["an empty entry", [{}], ["criteria[0]: says nothing; expected rollback, advance or both"]],
    [
      "an unknown key",
      [{ rollback: { indicator: "error-rate", above: "5%", response: "disable", widnow: "5m" } }],
      [
        "criteria[0].rollback.widnow: unknown key; expected indicator, above, below, response, window, minimumRequests or minimumErrors. Did you mean window?",
      ],
    ],
    [
      "a rollback that takes nothing away, of a value without unit",
      [{ rollback: { indicator: "error-rate", above: 5, response: "notify" } }],
      [
        `criteria[0].rollback.response: unknown response, got "notify"; expected disable, halve, previous-wave, floor or freeze`,
        `criteria[0].rollback.above: units missing, got 5; expected a percentage such as "0.5%". Write the unit: "5%"`,
      ],
    ],
    [
      "what must hold on the bad side",
      [
        { advance: { indicator: "error-rate", below: "5%" } },
        { advance: { indicator: "flag-coverage", atMost: "5%" } },
      ],
      [
        "criteria[0].advance.below: what must hold of error-rate is atMost a value; expected atMost. Write atMost",
        "criteria[1].advance.atMost: what must hold of flag-coverage is atLeast a value; expected atLeast. Write atLeast",
      ],
    ],
    [
      "what must hold without value, unit or a window there is",
      [
        { advance: { indicator: "flag-coverage" } },
        { advance: { indicator: "error-rate", atMost: 0.05, window: "90s" } },
      ],
      [
        `criteria[0].advance.atLeast: missing; expected a percentage such as "99.9%"`,
        `criteria[1].advance.atMost: units missing, got 0.05; expected a percentage such as "0.5%". Write the unit: "5%" for that share of 1 or "0.05%" for that many percent`,
        `criteria[1].advance.window: not a period that is watched, got "90s"; expected 10s, 20s, 30s or whole minutes`,
      ],
    ],
    [
      "one bound twice",
      [
        { rollback: { indicator: "error-rate", above: "5%", response: "disable" } },
        { rollback: { indicator: "error-rate", above: "6%", response: "disable", window: "5m" } },
      ],
      [
        "criteria[1].rollback: the same bound as criteria[0] of error-rate; expected one of each. Keep the stricter one",
      ],
    ],
  ])("refuse %s [B11]", (_title, criteria, problems) => {
    expect(serviceProblems({ plan: twoWaves(criteria) })).toEqual(
      problems.map((problem) => `services.checkout.plan.waves[1].${problem}`),
    );
  });

  it("refuse the wave before the first, of a preset and spelled out [B11]", () => {
    const criteria = [{ rollback: { indicator: "error-rate", above: "1.5x previous wave", response: "disable" } }];
    const problem = `criteria[0].rollback.above: there is no wave before the first, got "1.5x previous wave"; expected "1.5x baseline", "+50% of baseline" or "+5 points over baseline"`;
    expect(serviceProblems({ plan: twoWaves([], criteria) })).toEqual([`services.checkout.plan.waves[0].${problem}`]);
    expect(
      serviceProblems({ plan: { preset: "cautious", startAtPercent: 25, waves: { 25: { criteria } } }, wave: 25 }),
    ).toEqual([`services.checkout.plan.waves.25.${problem}`]);
  });

  it("refuse what the source cannot measure [B11]", () => {
    const criteria = [{ rollback: { indicator: "memory", above: "2x baseline", response: "disable" } }];
    expect(serviceProblems({ source: "alb", plan: twoWaves(criteria) })).toEqual([
      "services.checkout.plan.waves[1].criteria[0].rollback.indicator: source alb cannot measure memory; expected error-rate, success-rate, availability, latency-p50, latency-p95, latency-p99 or healthy-hosts. Set source: emf, prometheus or datadog",
    ]);
  });
});
