import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { burnRules } from "../../core/burn-rate.ts";
import { objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { burnExpression, countExpression, quoted, ruleExpression, silenceExpression } from "../../core/promql.ts";
import { type WatchRule, watchedIn, watchRules } from "../../core/watch-rules.ts";

const place = { environment: "dev", service: "shop", releaseKey: "b", baselineKey: "a" };
const own = '{environment="dev",service="shop",release="b"}';
const service = '{environment="dev",service="shop"}';
const counted = (name: string, selector = own) =>
  `round(sum by (environment, service, release) (increase(${name}${selector}[60001ms:10s]) or label_replace(min_over_time(${name}${selector}[60001ms:10s]) unless last_over_time(${name}${selector}[1h] offset 60s) and on () tidegate_requests_total${service} offset 60s, "part", "new", "", "")), 0.001)`;

function aRule(changes: Partial<WatchRule> = {}): WatchRule {
  return {
    key: "error-rate/critical/60s",
    objective: "error-rate",
    indicator: "error-rate",
    severity: "critical",
    response: "disable",
    scope: "release",
    measure: { kind: "ratio", part: ["errors"], whole: ["requests"] },
    comparison: "above",
    threshold: 5,
    periodSeconds: 60,
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    requestFloor: 100,
    errorFloor: 10,
    ...changes,
  };
}

describe("rules as PromQL", () => {
  it("compares a ratio once both floors are reached [B9]", () => {
    expect(ruleExpression(aRule(), place)).toBe(
      `100 * (${counted("tidegate_errors_total")} >= 10) / (${counted("tidegate_requests_total")} >= 100) > 5`,
    );
  });

  it("divides by nothing, floor or no floor [B9]", () => {
    expect(ruleExpression(aRule({ requestFloor: 0, errorFloor: 0 }), place)).toBe(
      `100 * ${counted("tidegate_errors_total")} / (${counted("tidegate_requests_total")} > 0) > 5`,
    );
  });

  it("takes hits that nobody counted for none, where few are bad [B1]", () => {
    const measure = { kind: "ratio", part: ["cache-hits"], whole: ["requests"] } as const;
    const whole = counted("tidegate_requests_total");
    expect(ruleExpression(aRule({ measure, comparison: "below", errorFloor: 0 }), place)).toBe(
      `100 * (${counted("tidegate_cache_hits_total")} or 0 * ${whole}) / (${whole} >= 100) < 5`,
    );
  });

  it("counts M of N windows of a minute, and stays bad for N windows where one is enough [B3]", () => {
    const gauge = { measure: { kind: "gauge", signal: "cpu-percent", statistic: "maximum" }, requestFloor: 0 } as const;
    const bad = `max by (environment, service, release) (max_over_time(tidegate_cpu_percent${own}[59999ms])) > 5`;
    expect(ruleExpression(aRule(gauge), place)).toBe(bad);
    expect(ruleExpression(aRule({ ...gauge, evaluationPeriods: 3, datapointsToAlarm: 2 }), place)).toBe(
      `count_over_time((${bad})[179999ms:60s]) >= 2`,
    );
    expect(ruleExpression(aRule({ ...gauge, evaluationPeriods: 2 }), place)).toBe(
      `max_over_time((${bad})[60001ms:60s])`,
    );
  });

  it("asks for long windows one by one, so that they end now and not on the clock [B3]", () => {
    const gauge = { measure: { kind: "gauge", signal: "cpu-percent", statistic: "maximum" }, requestFloor: 0 } as const;
    const bad = (ago: string) =>
      `max by (environment, service, release) (max_over_time(tidegate_cpu_percent${own}[299999ms]${ago})) > 5`;
    const long = { ...gauge, periodSeconds: 300, evaluationPeriods: 2, datapointsToAlarm: 2 } as const;
    expect(ruleExpression(aRule(long), place)).toBe(`(${bad("")}) and (${bad(" offset 300s")})`);
    expect(() => ruleExpression(aRule({ ...long, evaluationPeriods: 3 }), place)).toThrow(
      "asks for 2 of 3 windows of 300 s; expected 1 or all of them",
    );
  });

  it("looks at every release of a service, and speaks once for the worst [D1]", () => {
    const gauge = {
      measure: { kind: "gauge", signal: "cpu-percent", statistic: "minimum" },
      scope: "service",
    } as const;
    expect(ruleExpression(aRule(gauge), place)).toBe(
      `max by (environment, service) (min by (environment, service, release) (min_over_time(tidegate_cpu_percent${service}[59999ms])) > 5)`,
    );
  });

  it("compares growth with the hour before, and a count in the seconds that its unit names [B1]", () => {
    const mean = (offset: string) =>
      `sum by (environment, service, release) (sum_over_time(tidegate_memory_megabytes${own}[3599999ms]${offset})) / sum by (environment, service, release) (count_over_time(tidegate_memory_megabytes${own}[3599999ms]${offset}))`;
    const measure = { kind: "gauge", signal: "memory-megabytes", statistic: "mean" } as const;
    expect(ruleExpression(aRule({ measure, reference: { kind: "growth" }, periodSeconds: 3_600 }), place)).toBe(
      `100 * ((${mean("")}) / ((${mean(" offset 3600s")}) > 0 and count_over_time((count by (environment, service, release) (tidegate_memory_megabytes${own}))[3599999ms:60s] offset 3600s) >= 45) - 1) > 5`,
    );
    expect(ruleExpression(aRule({ measure: { kind: "sum", signals: ["crashes"], perSeconds: 30 } }), place)).toBe(
      `${counted("tidegate_crashes_total")} * 30 / 60 > 5`,
    );
  });

  it("adds points to a baseline that was measured, and refuses a rule without one [B1]", () => {
    const reference = { kind: "baseline", form: "points" } as const;
    const other = '{environment="dev",service="shop",release="a"}';
    const whole = counted("tidegate_requests_total", other);
    expect(ruleExpression(aRule({ reference }), place)).toBe(
      `100 * (${counted("tidegate_errors_total")} >= 10) / (${counted("tidegate_requests_total")} >= 100) > ignoring (release) group_left () ` +
        `((100 * (${counted("tidegate_errors_total", other)} or 0 * ${whole}) / (${whole} >= 100)) + 5)`,
    );
    const { baselineKey: _, ...alone } = place;
    expect(() => ruleExpression(aRule({ reference }), alone)).toThrow(
      "rule error-rate/critical/60s: is measured against a baseline, got none; expected the key of the release that it is compared with",
    );
  });

  it("refuses what the load balancer alone counts [B1]", () => {
    const measure = { kind: "gauge", signal: "healthy-hosts", statistic: "minimum" } as const;
    expect(() => ruleExpression(aRule({ measure }), place)).toThrow(
      "signal healthy-hosts: is counted by the load balancer alone, got a Prometheus rule for it; expected one of CloudWatch",
    );
  });

  it("asks for silence, counts and quoted names [B8]", () => {
    expect(silenceExpression(place, 600)).toBe(`absent_over_time(tidegate_requests_total${service}[600s])`);
    expect(countExpression("errors", place, 60)).toBe(counted("tidegate_errors_total"));
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
  });

  it.each(objectivePresetNames)(
    "is PromQL for every rule of %s, and no longer than a record has room for [D2]",
    (name) => {
      const objectives = objectivePresets[name];
      for (const plan of Object.values(planPresets)) {
        const canary = { plan, exposurePercent: 25, figures: [] };
        const rules = watchRules(objectives, "prometheus", { canary }).rules;
        const expressions = [
          ...rules
            .filter((rule) => watchedIn(rule, "prometheus") === "prometheus")
            .map((rule) => ruleExpression(rule, place)),
          ...burnRules(objectives, "prometheus", { periodDays: 28, windows: "ticket" }).rules.map((rule) =>
            burnExpression(rule, place),
          ),
        ];
        for (const expression of expressions) {
          const errors: number[] = [];
          parser.parse(expression).iterate({ enter: (node) => void (node.type.isError && errors.push(node.from)) });
          expect(errors).toEqual([]);
          expect(expression.length).toBeLessThan(3_000);
        }
      }
    },
  );
});
