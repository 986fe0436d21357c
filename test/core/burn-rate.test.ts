/**
 * Burn rates: factors and thresholds are those that sloth computes for the same SLO, in its own words and units (hours, percent of the budget);
 * windows are Google's. What is different by intent is named (docs/objectives.md).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { burnAlarmsOf, fitsCloudWatch } from "../../core/burn-alarms.ts";
import {
  type BudgetPeriodDays,
  type BurnSettings,
  budgetPeriodsDays,
  burnFactor,
  burnRules,
  burnWindows,
  defaultBurnSettings,
  errorBudgetOf,
} from "../../core/burn-rate.ts";
import { burnMonitorQuery, datadogBurnRules, datadogSloOf } from "../../core/datadog-budget.ts";
import { metricSources, type Objective, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { burnExpression } from "../../core/promql.ts";
import { hostTargets } from "../../core/watch-rules.ts";

const hour = 3_600;
const availability = (target: number, rest: Partial<Objective> = {}): Objective[] => [
  { name: "availability", indicator: "availability", target, ...rest },
];
const all = (periodDays: BudgetPeriodDays): BurnSettings => ({ periodDays, windows: "ticket" });

/** How sloth has it: hours of the period that the share of the budget is worth, by the hours that it may be used up in. */
function slothFactor(budgetPercent: number, periodDays: number, longHours: number): number {
  const hoursWorth = (budgetPercent * periodDays * 24) / 100;
  return hoursWorth / longHours;
}

/** Windows of Google's workbook as sloth's catalogue has them, 28 and 30 days alike: share of the budget in percent, long, short, in hours. */
const google: readonly (readonly ["critical" | "warning", number, number, number])[] = [
  ["critical", 2, 1, 1 / 12],
  ["critical", 5, 6, 0.5],
  ["warning", 10, 24, 2],
  ["warning", 10, 72, 6],
];

describe("burn factors [D1]", () => {
  it("have Google's windows and shares", () => {
    const ours = burnWindows.map(({ severity, budgetShare, longSeconds, shortSeconds }) => [
      severity,
      budgetShare * 100,
      longSeconds / hour,
      shortSeconds / hour,
    ]);
    expect(ours).toEqual(google.map((pair) => [...pair]));
  });

  it.each<[BudgetPeriodDays, number[]]>([
    [30, [14.4, 6, 3, 1]],
    [28, [13.44, 5.6, 2.8, 0.933333]],
  ])("of %i days are %o", (periodDays, factors) => {
    expect(burnWindows.map((pair) => burnFactor(pair, periodDays))).toEqual(factors);
  });

  it("are sloth's for any share, period and window", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 365 }),
        fc.integer({ min: 1, max: 24 * 7 }),
        (percent, days, longHours) => {
          const factor = burnFactor({ budgetShare: percent / 100, longSeconds: longHours * hour }, days);
          expect(factor).toBeCloseTo(slothFactor(percent, days, longHours), 5);
        },
      ),
    );
  });
});

describe("burn thresholds [D1]", () => {
  it.each<[number, BudgetPeriodDays, number[]]>([
    [99.95, 30, [0.72, 0.3, 0.15, 0.05]],
    [99.95, 28, [0.672, 0.28, 0.14, 0.046667]],
    [99.9, 30, [1.44, 0.6, 0.3, 0.1]],
    [99.9, 28, [1.344, 0.56, 0.28, 0.093333]],
  ])("of %s %% in %i days are %o percent errors", (target, periodDays, thresholds) => {
    const { rules, unwatched } = burnRules(availability(target), "emf", all(periodDays));
    expect(rules.map(({ thresholdPercent }) => thresholdPercent)).toEqual(thresholds);
    expect(unwatched).toEqual([]);
  });

  it("are factor times budget, and every pair is either watched or named", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99_999 }).map((thousandths) => thousandths / 1_000),
        fc.constantFrom(...budgetPeriodsDays),
        fc.constantFrom(...metricSources),
        fc.constantFrom("page" as const, "ticket" as const),
        (target, periodDays, source, windows) => {
          const { rules, unwatched } = burnRules(availability(target), source, { periodDays, windows });
          const asked = google.filter(([severity]) => windows === "ticket" || severity === "critical");
          expect(rules.length + unwatched.length).toBe(asked.length);
          for (const rule of rules) {
            const [, percent, longHours] =
              google.find(
                ([, , long, short]) => long * hour === rule.longSeconds && short * hour === rule.shortSeconds,
              ) ?? [];
            expect(rule.thresholdPercent).toBeCloseTo(
              slothFactor(percent ?? 0, periodDays, longHours ?? 0) * (100 - target),
              3,
            );
            expect(rule.thresholdPercent).toBeLessThan(100);
            expect(rule.shortSeconds).toBeLessThan(rule.longSeconds);
          }
          // Both by the same test: what is not watched could indeed never be reached.
          for (const { neverFires } of unwatched) expect(neverFires).toBe(true);
        },
      ),
    );
  });

  it("fall with a better target, and the page speaks of more than the ticket", () => {
    const thresholds = [99, 99.5, 99.9, 99.95, 99.99].map((target) =>
      burnRules(availability(target), "emf", all(30)).rules.map(({ thresholdPercent }) => thresholdPercent),
    );
    for (const pairs of thresholds) expect([...pairs].sort((left, right) => right - left)).toEqual(pairs);
    const fastest = thresholds.map(([first]) => first);
    expect([...fastest].sort((left = 0, right = 0) => right - left)).toEqual(fastest);
  });

  it("take no window that CloudWatch does not [B11]", () => {
    for (const { longSeconds, shortSeconds } of burnWindows) {
      expect([fitsCloudWatch(longSeconds, 1), fitsCloudWatch(shortSeconds, 1)]).toEqual([true, true]);
    }
    expect([fitsCloudWatch(14 * 24 * hour, 1), fitsCloudWatch(300, 289)]).toEqual([false, false]);
  });
});

describe("burn thresholds in every system [D1, D3]", () => {
  const place = { environment: "dev", service: "shop" };

  it.each<[number, BudgetPeriodDays, number[], number[]]>([
    [99.9, 30, [14.4, 6, 3, 1], [1.44, 0.6, 0.3, 0.1]],
    [99.95, 28, [13.44, 5.6, 2.8, 0.933333], [0.672, 0.28, 0.14, 0.046667]],
  ])("of %s %% in %i days are %o times, %o percent", (target, days, factors, thresholds) => {
    const objectives = availability(target);
    const cloudWatch = burnRules(objectives, "emf", all(days)).rules.map((rule) =>
      burnAlarmsOf(rule, "emf", [hostTargets]),
    );
    expect(cloudWatch.map((pair) => pair.map(({ threshold, periodSeconds }) => [threshold, periodSeconds]))).toEqual(
      burnWindows.map(({ longSeconds, shortSeconds }, index) => [
        [thresholds[index], longSeconds],
        [thresholds[index], shortSeconds],
      ]),
    );
    const prometheus = burnRules(objectives, "prometheus", all(days)).rules.map((rule) => {
      const halves = burnExpression(rule, place).split(") and (100 ");
      return halves.map((half) => [
        Number(/> ([\d.]+)\)?$/.exec(half)?.[1]),
        // Five minutes are read in steps, and a millisecond longer.
        /increase\(tidegate_errors_total\{[^}]*\}\[(?:(\d+?)(?:001ms:10)?s)\]/.exec(half)?.[1],
      ]);
    });
    expect(prometheus).toEqual(
      burnWindows.map(({ longSeconds, shortSeconds }, index) => [
        [thresholds[index], String(longSeconds)],
        [thresholds[index], String(shortSeconds)],
      ]),
    );
    // Datadog multiplies what its SLO's target leaves by the factor, and looks back 48 hours at most.
    const budgetPercent = 100 - (datadogSloOf(objectives, place)?.targetPercent ?? 0);
    const { rules } = datadogBurnRules(objectives, all(days));
    expect(rules.map((rule) => burnMonitorQuery(rule, "slo"))).toEqual(
      burnWindows
        .slice(0, 3)
        .map(
          ({ longSeconds, shortSeconds }, index) =>
            `burn_rate("slo").over("30d").long_window("${longSeconds / hour}h").short_window("${shortSeconds / 60}m") > ${factors[index]}`,
        ),
    );
    for (const [index, { factor }] of rules.entries()) {
      expect(factor * budgetPercent).toBeCloseTo(thresholds[index] ?? 0, 5);
    }
  });
});

describe("a pair is not watched [D1]", () => {
  it("where everything failing is not enough, and that is named: 14.4 times under 93.06 %", () => {
    const { rules, unwatched } = burnRules(availability(93), "emf", all(30));
    expect(rules.map(({ key }) => key)).toEqual([
      "burn/availability/6h",
      "burn/availability/1d",
      "burn/availability/3d",
    ]);
    expect(unwatched).toEqual([
      {
        key: "burn/availability/1h",
        why: "it can never burn 14.4 times too fast: with a budget of 7 % everything failing is 14.285714 times",
        neverFires: true,
      },
    ]);
    expect(burnRules(availability(93.06), "emf", all(30)).unwatched).toEqual([]);
  });

  it("where a bound of the same errors speaks first", () => {
    const critical = { value: 99.5, response: "disable" } as const;
    const { rules, unwatched } = burnRules(availability(99.9, { critical }), "emf", all(30));
    expect(rules.map(({ key }) => key)).toEqual(["burn/availability/1d", "burn/availability/3d"]);
    expect(unwatched.map(({ key, neverFires }) => [key, neverFires])).toEqual([
      ["burn/availability/1h", false],
      ["burn/availability/6h", false],
    ]);
  });

  it("for a ticket unless tickets were asked for", () => {
    expect(defaultBurnSettings).toEqual({ periodDays: 28, windows: "page" });
    const keys = burnRules(availability(99.95), "emf").rules.map(({ key }) => key);
    expect(keys).toEqual(["burn/availability/1h", "burn/availability/6h"]);
  });

  it("where nothing is left to spend, or everything", () => {
    for (const target of [100, 0]) expect(errorBudgetOf(availability(target))).toBeUndefined();
    expect(burnRules(availability(100), "emf")).toEqual({ rules: [], unwatched: [] });
  });
});

describe("low traffic [B9]", () => {
  it("is guarded by the objective's own floors, or 100 requests and 10 errors", () => {
    const floors = (objectives: readonly Objective[]) =>
      burnRules(objectives, "alb").rules.map(({ requestFloor, errorFloor }) => [requestFloor, errorFloor]);
    expect(floors(availability(99.95))).toEqual([
      [100, 10],
      [100, 10],
    ]);
    expect(floors(availability(99.95, { minimumRequests: 1_000, minimumErrors: 3 }))).toEqual([
      [1_000, 3],
      [1_000, 3],
    ]);
  });
});

describe("the budget of the presets [C2]", () => {
  it.each([
    ["batch", { objective: "availability", budgetPercent: 0.1 }],
    ["web", { objective: "availability", budgetPercent: 0.05 }],
    ["canary-relative", { objective: "success-rate", budgetPercent: 5 }],
    ["migration", { objective: "error-rate", budgetPercent: 1 }],
    ["production", { objective: "success-rate", budgetPercent: 2 }],
  ] as const)("%s keeps %o", (name, budget) => {
    expect(errorBudgetOf(objectivePresets[name])).toMatchObject(budget);
  });

  it("is watched on every source, or said to be covered", () => {
    for (const name of objectivePresetNames) {
      for (const source of metricSources) {
        const { rules, unwatched } = burnRules(objectivePresets[name], source);
        expect(rules.length + unwatched.length).toBe(2);
      }
    }
  });
});
