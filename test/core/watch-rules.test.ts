/** Bounds that a source could never say are passed have no rule, and are named (B1, B11). */
import { describe, expect, it } from "vitest";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { type FrozenFigure, watchRules } from "../../core/watch-rules.ts";

const relative: Objective = {
  name: "latency-p99",
  indicator: "latency-p99",
  critical: { value: 1.5, reference: { kind: "baseline", form: "factor" }, response: "freeze" },
};
const fixed = (value: number): Objective => ({
  name: "latency-p95",
  indicator: "latency-p95",
  critical: { value, response: "disable", windowSeconds: 60 },
});

/** A canary at 100 %, whose baseline came to this before. Unit: milliseconds. */
function at100(objective: Objective, source: MetricSource, value: number) {
  const figure: FrozenFigure = { of: "baseline", percent: 50, indicator: objective.indicator, value };
  const { rules, unwatched } = watchRules([objective], source, {
    canary: { plan: planPresets.steady, exposurePercent: 100, figures: [figure] },
  });
  return { thresholds: [...new Set(rules.map(({ threshold }) => threshold))], why: unwatched.map(({ why }) => why) };
}

describe("a percentile out of a histogram", () => {
  it("is not watched against a figure at its end or above it, and that is said [B1, B11]", () => {
    expect(at100(relative, "prometheus", 19_999)).toEqual({ thresholds: [29_998.5], why: [] });
    expect(at100(relative, "prometheus", 20_000)).toEqual({
      thresholds: [],
      why: [
        "nothing is ever above 30000ms (from baseline at 50 %): the histogram of source prometheus ends at 30000ms",
      ],
    });
    expect(at100(relative, "emf", 24_000)).toEqual({ thresholds: [36_000], why: [] });
  });

  it("is not watched against a value there, whoever let it through", () => {
    const why = "nothing is ever above 45000ms: the histogram of source prometheus ends at 30000ms";
    expect(watchRules([fixed(45_000)], "prometheus")).toEqual({
      rules: [],
      unwatched: [{ objective: "latency-p95", severity: "critical", why }],
    });
    expect(watchRules([fixed(29_999)], "prometheus").rules).toHaveLength(1);
    expect(watchRules([fixed(45_000)], "datadog").rules).toHaveLength(1);
  });
});
