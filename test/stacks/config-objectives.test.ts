import { describe, expect, it } from "vitest";
import { objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, serviceProblems } from "./config-builders.ts";

const disable = "disable";

function objectivesOf(objectives: unknown, source = "emf") {
  const config = parseConfig(aConfig({}, { checkout: aService({ objectives, source }) }));
  return config.services[0]?.objectives;
}

const errorRate = (bounds: Record<string, unknown>) => [{ indicator: "error-rate", ...bounds }];

describe("objectives in config [B1] [B2]", () => {
  it.each<[string, unknown, string[]]>([
    [
      "an unknown preset",
      "wbe",
      [
        `objectives: unknown objectives, got "wbe"; expected batch, web, canary-relative, migration or production. Did you mean web?`,
      ],
    ],
    [
      "a percentage without its unit",
      errorRate({ critical: { above: 5, response: disable } }),
      [
        `objectives[0].critical.above: units missing, got 5; expected a percentage such as "0.5%". Write the unit: "5%"`,
      ],
    ],
    [
      "a time without its unit",
      [{ indicator: "latency-p95", critical: { above: 0.5, response: disable } }],
      [
        `objectives[0].critical.above: units missing, got 0.5; expected a time such as "500ms" or "0.5s". Write the unit: "0.5ms" or "0.5s"`,
      ],
    ],
    [
      "the wrong unit",
      [{ indicator: "latency-p95", critical: { above: "5%", response: disable } }],
      [`objectives[0].critical.above: wrong unit, got "5%"; expected a time such as "500ms" or "0.5s"`],
    ],
    [
      "a percentage above 100",
      errorRate({ target: "101%" }),
      [`objectives[0].target: percentage out of range, got "101%"; expected 0% to 100%`],
    ],
    [
      "reversed bounds",
      errorRate({ warning: { above: "6%", response: "halve" }, critical: { above: "5%", response: disable } }),
      [
        "objectives[0].warning.above: reversed bounds, got 6%; expected at most the critical bound, 5%. Swap warning and critical, or move one of them",
      ],
    ],
    [
      "reversed bounds of availability",
      [
        {
          indicator: "availability",
          warning: { below: "99%", response: "notify" },
          critical: { below: "99.9%", response: disable },
        },
      ],
      [
        "objectives[0].warning.below: reversed bounds, got 99%; expected at least the critical bound, 99.9%. Swap warning and critical, or move one of them",
      ],
    ],
    [
      "a bound on the wrong side",
      [{ indicator: "availability", critical: { above: "99%", response: disable } }],
      [`objectives[0].critical.above: availability is bad below a bound, not above it; expected below. Write below`],
    ],
    [
      "a bound without a response",
      errorRate({ critical: { above: "5%" } }),
      ["objectives[0].critical.response: missing; expected disable, halve, previous-wave, floor, freeze or notify"],
    ],
    [
      "an override of what the preset has not",
      { preset: "web", override: { "latency-p59": { target: "1s" } } },
      [
        "objectives.override.latency-p59: not in the preset; expected error-rate, latency-p95, availability, circuit-breaker-open, circuit-breaker-recovery, cache-hit-ratio, rate-limit-rejects, rate-limit-reject-rate or healthy-hosts. Did you mean latency-p95?",
      ],
    ],
    [
      "two objectives of one name",
      [...errorRate({ critical: { above: "5%", response: disable } }), ...errorRate({ target: "1%" })],
      [
        `objectives[1].name: the same name as objectives[0], got "error-rate"; expected a name of its own. Give it a name`,
      ],
    ],
    [
      "objectives that could never shut anything",
      errorRate({ target: "1%" }),
      [
        "objectives: nothing would ever shut this service: no objective has a bound; expected at least one warning or critical bound. Name a preset, such as web",
      ],
    ],
    [
      "an objective without content",
      [{ indicator: "error-rate" }],
      ["objectives[0]: promises nothing; expected target, warning or critical"],
    ],
    [
      "a window that no source has",
      errorRate({ critical: { above: "5%", response: disable, window: "90s" } }),
      [
        `objectives[0].critical.window: not a period that is watched, got "90s"; expected 10s, 20s, 30s or whole minutes`,
      ],
    ],
    [
      "a window where none is used",
      [{ indicator: "healthy-hosts", critical: { below: 1, response: disable, window: "5m" } }],
      [`objectives[0].critical.window: healthy-hosts has no window of its own, got "5m"; expected no window`],
    ],
    [
      "half a host",
      [{ indicator: "healthy-hosts", critical: { below: 0.5, response: disable } }],
      ["objectives[0].critical.below: must be a count, got 0.5; expected a whole number such as 0"],
    ],
  ])("refuse %s [B11]", (_title, objectives, problems) => {
    expect(serviceProblems({ objectives })).toEqual(problems.map((problem) => `services.checkout.${problem}`));
  });

  it("refuse what the source alone cannot measure, listed or overridden, and name those that can", () => {
    const expected =
      "expected error-rate, success-rate, availability, latency-p50, latency-p95, latency-p99 or healthy-hosts. Set source: emf, prometheus or datadog";
    const objectives = [{ indicator: "invariant-violations", critical: { above: 0, response: disable } }];
    expect(serviceProblems({ objectives, source: "alb" })).toEqual([
      `services.checkout.objectives[0].indicator: source alb cannot measure invariant-violations; ${expected}`,
    ]);
    const changed = { preset: "web", override: { "cache-hit-ratio": { target: "90%" } } };
    expect(serviceProblems({ objectives: changed, source: "alb" })).toEqual([
      `services.checkout.objectives.override.cache-hit-ratio: source alb cannot measure cache-hit-ratio; ${expected}`,
    ]);
  });

  it.each(objectivePresetNames)("take preset %s as its document has it", (preset) => {
    expect(objectivesOf(preset)).toEqual(objectivePresets[preset]);
  });

  it("keep a preset whole, what the source cannot measure too", () => {
    expect(objectivesOf("batch", "alb")).toEqual(objectivePresets.batch);
  });

  it("change a preset field by field", () => {
    const changed = objectivesOf({
      preset: "web",
      override: {
        "latency-p95": {
          mode: "observe",
          target: "400ms",
          critical: { above: "1s" },
          warning: { above: "500ms", response: "freeze" },
        },
        "error-rate": { minimumErrors: 3 },
      },
    });
    expect(changed?.slice(0, 2)).toEqual([
      { ...objectivePresets.web[0], minimumErrors: 3 },
      {
        name: "latency-p95",
        indicator: "latency-p95",
        target: 400,
        warning: { value: 500, response: "freeze", windowSeconds: 300 },
        critical: { value: 1_000, response: "freeze", windowSeconds: 60 },
        mode: "observe",
      },
    ]);
    expect(changed?.slice(2)).toEqual(objectivePresets.web.slice(2));
  });

  it("watch a list for healthy hosts too, and lower for invariants anyway [B12]", () => {
    expect(
      objectivesOf([
        { indicator: "invariant-violations", critical: { above: 0, response: disable } },
        { name: "slow", indicator: "latency-p99", critical: { above: "0.5s", response: "floor", window: "2m" } },
      ]),
    ).toEqual([
      {
        name: "invariant-violations",
        indicator: "invariant-violations",
        disableAnyway: true,
        critical: { value: 0, response: disable },
      },
      { name: "slow", indicator: "latency-p99", critical: { value: 500, response: "floor", windowSeconds: 120 } },
      { name: "healthy-hosts", indicator: "healthy-hosts", critical: { value: 1, response: disable } },
    ]);
  });

  it("keep a list's own bound on healthy hosts", () => {
    const hosts = [{ indicator: "healthy-hosts", critical: { below: 2, response: "freeze" } }];
    expect(objectivesOf(hosts)).toEqual([
      { name: "healthy-hosts", indicator: "healthy-hosts", critical: { value: 2, response: "freeze" } },
    ]);
  });
});
