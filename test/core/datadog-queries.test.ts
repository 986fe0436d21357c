import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultBurnSettings } from "../../core/burn-rate.ts";
import {
  budgetDaysNotice,
  burnFloorQuery,
  burnMonitorQuery,
  datadogBurnRules,
  datadogSloOf,
} from "../../core/datadog-budget.ts";
import {
  DatadogCannotSayError,
  type DatadogScope,
  datadogDifferences,
  monitorOf,
  monitorQuery,
  whyUnsayable,
} from "../../core/datadog-queries.ts";
import { type Objective, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { planPresetNames, planPresets } from "../../core/plans.ts";
import { datadogName, type ReportedSignal, reportedSignals } from "../../core/signals.ts";
import { type FrozenFigure, type WatchRule, watchedIn, watchRules } from "../../core/watch-rules.ts";

const scope: DatadogScope = { environment: "dev", service: "shop", releaseKey: "new", baselineKey: "old" };
const figures: readonly FrozenFigure[] = [
  { of: "previous-wave", percent: 10, indicator: "error-rate", value: 0.5 },
  { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 200 },
];
const plan = planPresets.cautious;

function rulesOf(objectives: readonly Objective[], of = plan, exposurePercent = 10): readonly WatchRule[] {
  const { rules } = watchRules(objectives, "datadog", { canary: { plan: of, exposurePercent, figures } });
  return rules.filter((rule) => watchedIn(rule, "datadog") === "datadog");
}

/** `E` for the errors of the new release, `oldR` for the requests of the old one, `*R` for requests of every release. */
function short(query: string): string {
  const release = (tags: string) =>
    tags.includes("release:old") ? "old" : tags.includes("release:new") ? "" : "every ";
  return query.replace(
    /((?:count\(v: v>[\d.]+\)|[a-z]+\d*)):tidegate\.([a-z_]+)\{([^}]+)\}( by \{release\})?(\.as_count\(\))?/g,
    (_, aggregator: string, name: string, tags: string, by?: string, asCount?: string) =>
      `${aggregator} ${release(tags)}${name}${by === undefined ? "" : " each"}${asCount === undefined ? "" : "#"}`,
  );
}

const objective = (
  name: string,
  indicator: Objective["indicator"],
  critical: Objective["critical"],
  rest: Partial<Objective> = {},
): Objective => ({ name, indicator, ...(critical ? { critical } : {}), ...rest });

const only = (objectives: readonly Objective[]): Record<string, string> =>
  Object.fromEntries(
    rulesOf(objectives, planPresets.steady).map((rule) => [rule.key, short(monitorQuery(rule, scope))]),
  );

describe("monitors of rules", () => {
  it("are written with every tag, and counts summed before anything is divided [D3]", () => {
    const [rule] = rulesOf([
      objective("error-rate", "error-rate", { value: 5, response: "disable", windowSeconds: 300 }),
    ]);
    expect(rule && monitorOf(rule, scope)).toEqual({
      query:
        "sum(last_5m):(100 * sum:tidegate.errors{environment:dev,service:shop,release:new}.as_count() / " +
        "sum:tidegate.requests{environment:dev,service:shop,release:new}.as_count()) * " +
        "is_greater(sum:tidegate.requests{environment:dev,service:shop,release:new}.as_count(), 99) * " +
        "is_greater(sum:tidegate.errors{environment:dev,service:shop,release:new}.as_count(), 9) > 5",
      threshold: 5,
      evaluationDelaySeconds: 60,
      requireFullWindow: false,
      onMissingData: "show_no_data",
    });
  });

  it("count how many of the newest windows are bad, each with its own floors [B9, D3]", () => {
    const bad = (shift: (query: string) => string) =>
      `is_greater(100 * ${shift("sum errors#")} / clamp_min(${shift("sum requests#")}, 1), 1) * ` +
      `is_greater(${shift("sum requests#")}, 99) * is_greater(${shift("sum errors#")}, 9)`;
    const windows = [0, 60, 120].map((seconds) =>
      bad((query) => (seconds === 0 ? query : `timeshift(${query}, -${seconds})`)),
    );
    const stated = { minimumRequests: 100 };
    expect(only([objective("error-rate", "error-rate", { value: 1, response: "disable" }, stated)])).toMatchObject({
      "error-rate/critical/60s": `sum(last_1m):${windows.join(" + ")} > 1`,
    });
  });

  it("ask in a short window whether the errors are beyond chance [B9, D3]", () => {
    expect(only([objective("error-rate", "error-rate", { value: 1, response: "disable" })])).toMatchObject({
      "error-rate/critical/60s":
        "sum(last_1m):(100 * sum errors# / sum requests#) * is_greater(sum errors#, 3) * " +
        "is_greater(sum errors# * log10(1 + 100 / (0.0543 * sum requests#)), 7.999999) > 1",
    });
  });

  it("watch a percentile with a fixed bound as the share of requests over it [D3]", () => {
    expect(only([objective("p99", "latency-p99", { value: 1_500, response: "disable", windowSeconds: 600 })])).toEqual({
      "p99/critical/600s":
        "sum(last_10m):(100 * count(v: v>1500) latency# / count latency#) * is_greater(sum requests#, 999) > 1",
    });
  });

  it("turn round what must not be too low, so that floors keep it silent [B9, D3]", () => {
    expect(
      only([
        objective("hits", "cache-hit-ratio", { value: 70, response: "freeze" }),
        objective("coverage", "flag-coverage", { value: 95.5, response: "freeze" }, { minimumRequests: 0 }),
        objective("throughput", "throughput", { value: 5_000, response: "freeze" }),
      ]),
    ).toEqual({
      "hits/critical/300s":
        "sum(last_5m):(100 - 100 * sum cache_hits# / (sum cache_hits# + sum cache_misses#)) * " +
        "is_greater((sum cache_hits# + sum cache_misses#), 99) > 30",
      "coverage/critical/300s": "sum(last_5m):100 - 100 * sum flag_evaluations# / sum requests# > 4.5",
      "throughput/critical/300s": "sum(last_5m):sum items_processed# / sum processing_seconds# < 5000",
    });
  });

  it("scale counts to the indicator's own time [D3]", () => {
    expect(
      only([
        objective("rejects", "rate-limit-rejects", { value: 10, response: "freeze", windowSeconds: 300 }),
        objective("dual", "dual-run-failures", { value: 100, response: "freeze" }),
        objective("crashes", "crashes", { value: 0, response: "disable" }),
      ]),
    ).toEqual({
      "rejects/critical/300s": "sum(last_5m):sum rate_limit_rejects# * 60 / 300 > 10",
      "dual/critical/3600s": "sum(last_1h):sum dual_run_failures# > 100",
      "crashes/critical/60s": "sum(last_1m):sum crashes# > 0",
    });
  });

  it("take gauges by what they are measured by, and growth from hour to hour [B1, D3]", () => {
    expect(
      only([
        objective("cpu", "cpu", { value: 80, response: "freeze", windowSeconds: 1_800 }),
        objective("breaker", "circuit-breaker-open", { value: 300, response: "disable" }),
        objective("growth", "memory", { value: 10, reference: { kind: "growth" }, response: "freeze" }),
      ]),
    ).toEqual({
      "cpu/critical/1800s": "avg(last_30m):avg cpu_percent > 80",
      "breaker/critical/60s": "max(last_1m):max breaker_open_seconds > 300",
      "growth/critical/3600s/of-growth":
        "pct_change(avg(last_1h),last_1h):avg memory_megabytes * (timeshift(avg memory_megabytes, -2700) / timeshift(avg memory_megabytes, -2700)) > 10",
    });
  });

  it("compare with the baseline without dividing by it, and are silent where it is not seen [B1, D3]", () => {
    const beside = (form: "factor" | "points", value: number) =>
      ({ value, reference: { kind: "baseline", form }, response: "disable" }) as const;
    expect(
      only([
        objective("errors", "error-rate", beside("factor", 1.5)),
        objective("points", "error-rate", beside("points", 2)),
        objective("hits", "cache-hit-ratio", beside("factor", 0.8)),
        objective("hit-points", "cache-hit-ratio", beside("points", -5)),
        objective("memory", "memory", beside("factor", 2)),
        objective("p99", "latency-p99", { ...beside("factor", 1.5), windowSeconds: 600 }),
      ]),
    ).toEqual({
      "errors/critical/300s/of-baseline":
        "sum(last_5m):(100 * sum errors# / sum requests# - 1.5 * (100 * sum olderrors# / sum oldrequests#)) * " +
        "is_greater(sum requests#, 99) * is_greater(sum errors#, 9) * is_greater(sum oldrequests#, 99) > 0",
      "points/critical/300s/of-baseline":
        "sum(last_5m):(100 * sum errors# / sum requests# - (100 * sum olderrors# / sum oldrequests#)) * " +
        "is_greater(sum requests#, 99) * is_greater(sum errors#, 9) * is_greater(sum oldrequests#, 99) > 2",
      "hits/critical/300s/of-baseline":
        "sum(last_5m):(0.8 * (100 * sum oldcache_hits# / (sum oldcache_hits# + sum oldcache_misses#)) - " +
        "100 * sum cache_hits# / (sum cache_hits# + sum cache_misses#)) * " +
        "is_greater((sum cache_hits# + sum cache_misses#), 99) * is_greater((sum oldcache_hits# + sum oldcache_misses#), 99) > 0",
      "hit-points/critical/300s/of-baseline":
        "sum(last_5m):((100 * sum oldcache_hits# / (sum oldcache_hits# + sum oldcache_misses#)) - " +
        "100 * sum cache_hits# / (sum cache_hits# + sum cache_misses#)) * " +
        "is_greater((sum cache_hits# + sum cache_misses#), 99) * is_greater((sum oldcache_hits# + sum oldcache_misses#), 99) > 5",
      "memory/critical/300s/of-baseline": "avg(last_5m):avg memory_megabytes - 2 * (avg oldmemory_megabytes) > 0",
      "p99/critical/600s/of-baseline":
        "avg(last_10m):(p99 latency.rollup(600) - 1.5 * (p99 oldlatency.rollup(600))) * " +
        "is_greater(sum requests.rollup(sum, 600), 999) * is_greater(sum oldrequests.rollup(sum, 600), 999) > 0",
    });
  });

  it("wait for whole windows where they compare percentiles [D3]", () => {
    const reference = { kind: "baseline", form: "factor" } as const;
    const [rule] = rulesOf([
      objective("p99", "latency-p99", { value: 1.5, reference, response: "disable", windowSeconds: 600 }),
    ]);
    expect(rule && monitorOf(rule, scope).evaluationDelaySeconds).toBe(600);
  });

  it("look at every release of a service by itself where they only tell people [D3]", () => {
    const [rule] = rulesOf([
      objective("p95", "latency-p95", undefined, { warning: { value: 2_500, response: "notify", windowSeconds: 300 } }),
    ]);
    expect(rule && monitorQuery(rule, { environment: "dev", service: "shop" })).toBe(
      "sum(last_5m):(100 * count(v: v>2500):tidegate.latency{environment:dev,service:shop} by {release}.as_count() / " +
        "count:tidegate.latency{environment:dev,service:shop} by {release}.as_count()) * " +
        "is_greater(sum:tidegate.requests{environment:dev,service:shop} by {release}.as_count(), 199) > 5",
    );
  });

  it("say every rule of every preset and plan, with metrics that releases report and their tags alone [D3]", () => {
    const names = Object.keys(reportedSignals).map((signal) => datadogName(signal as ReportedSignal));
    for (const preset of objectivePresetNames) {
      for (const planName of planPresetNames) {
        for (const rule of rulesOf(objectivePresets[preset], planPresets[planName])) {
          expect(whyUnsayable(rule)).toBeUndefined();
          const query = monitorQuery(rule, scope);
          for (const [, name] of query.matchAll(/:(tidegate\.[a-z_]+)\{/g)) expect(names).toContain(name);
          for (const [, tags = ""] of query.matchAll(/\{([^}]+:[^}]+)\}/g)) {
            expect(tags).toMatch(/^environment:dev,service:shop(,release:(new|old))?$/);
          }
          expect(query).not.toContain("default_zero");
          expect(query.split("(").length).toBe(query.split(")").length);
        }
      }
    }
  });

  it("are refused by name where Datadog cannot say them [D3]", () => {
    const [two] = rulesOf([
      objective("error-rate", "error-rate", { value: 5, response: "disable", windowSeconds: 300 }),
    ]);
    if (!two) throw new Error("no rule");
    const [hosts] = watchRules(objectivePresets.web, "datadog").rules.filter(
      ({ indicator }) => indicator === "healthy-hosts",
    );
    const points = { kind: "baseline", form: "points" } as const;
    const why = (changes: Partial<WatchRule>) => whyUnsayable({ ...two, ...changes });
    expect([
      hosts && whyUnsayable(hosts),
      why({ periodSeconds: 10 }),
      why({ periodSeconds: 8 * 86_400 }),
      why({ datapointsToAlarm: 2, evaluationPeriods: 3, reference: { kind: "baseline", form: "factor" } }),
      why({ reference: { kind: "growth" } }),
      why({ reference: points, threshold: -1 }),
      why({ reference: points, measure: { kind: "sum", signals: ["crashes"] } }),
      why({ measure: { kind: "percentile", signal: "latency", percentile: 95 }, comparison: "below" }),
    ]).toEqual([
      "the load balancer alone knows healthy-hosts, and Datadog hears of it ten minutes late",
      "a window of 10 s; Datadog's windows are whole minutes",
      "a window of 691200 s; Datadog's monitors look back 7 days",
      "2 of 3 windows; Datadog has that only for counts with a fixed bound",
      "growth of anything but a gauge from hour to hour",
      "-1 points above the baseline, where silence would be bad",
      "a count beside the baseline's, which has other traffic",
      "a percentile below its bound",
    ]);
    expect(() => monitorOf({ ...two, periodSeconds: 10 }, scope)).toThrow(
      new DatadogCannotSayError(
        "rule error-rate/critical/300s: not for Datadog, got a window of 10 s; Datadog's windows are whole minutes; expected what its monitors can say",
      ),
    );
    expect(() => monitorOf(two, { environment: "dev", service: "shop" })).toThrow(/got no release to watch;/);
    const compared = { ...two, reference: { kind: "baseline", form: "factor" } } as const;
    expect(() => monitorOf(compared, { ...scope, baselineKey: undefined } as never)).toThrow(
      /got no baseline to compare with;/,
    );
  });

  it("keep thresholds readable whatever they are [D3]", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 99.999, noNaN: true }), (value) => {
        const [rule] = rulesOf([
          objective("availability", "availability", { value, response: "disable", windowSeconds: 300 }),
        ]);
        const number = rule && monitorQuery(rule, scope).split(" > ").at(-1);
        expect(number).toMatch(/^\d+(\.\d{1,6})?$/);
        expect(Number(number)).toBeCloseTo(100 - value, 5);
      }),
    );
  });
});

describe("differences from the rules", () => {
  it("each are of some rule of a preset, and every rule says which it has [D3]", () => {
    const rules = objectivePresetNames.flatMap((preset) => rulesOf(objectivePresets[preset], planPresets.migration));
    for (const difference of datadogDifferences) expect(rules.some(difference.of)).toBe(true);
    const namesOf = (key: string) =>
      rules
        .filter((rule) => rule.key === key)
        .slice(0, 1)
        .map((rule) => datadogDifferences.filter(({ of }) => of(rule)).map(({ name }) => name))[0];
    expect(namesOf("error-rate/critical/60s")).toEqual(["rolling-windows"]);
    expect(namesOf("error-rate/critical/300s")).toEqual(["rolling-windows", "quiet-sooner"]);
    expect(namesOf("latency-p95/critical/60s")).toEqual(["rolling-windows", "share-for-percentile"]);
    expect(namesOf("latency-p99/critical/300s/of-baseline")).toEqual(["quiet-sooner", "whole-windows-late"]);
    expect(namesOf("memory/critical/300s/of-baseline")).toEqual(["rolling-windows", "quiet-sooner", "mean-of-points"]);
    expect(namesOf("memory-growth/critical/3600s/of-growth")).toEqual([
      "rolling-windows",
      "mean-of-points",
      "first-minutes-left-out",
    ]);
  });
});

describe("the error budget in Datadog", () => {
  const place = { environment: "dev", service: "shop" };

  it("is the service's, all releases together [D1, D3]", () => {
    expect(datadogSloOf(objectivePresets.web, place)).toEqual({
      objective: "availability",
      numerator:
        "sum:tidegate.requests{environment:dev,service:shop}.as_count() - sum:tidegate.errors{environment:dev,service:shop}.as_count()",
      denominator: "sum:tidegate.requests{environment:dev,service:shop}.as_count()",
      targetPercent: 99.95,
      timeframe: "30d",
    });
    expect(datadogSloOf([], place)).toBeUndefined();
  });

  it("is watched by burn rates with the factors of the service's own days, above floors [B9, D1, D3]", () => {
    const objectives = [objective("availability", "availability", undefined, { target: 99.9 })];
    const { rules } = datadogBurnRules(objectives, { periodDays: 30, windows: "page" });
    expect(rules.map((rule) => burnMonitorQuery(rule, "abc"))).toEqual([
      'burn_rate("abc").over("30d").long_window("1h").short_window("5m") > 14.4',
      'burn_rate("abc").over("30d").long_window("6h").short_window("30m") > 6',
    ]);
    expect(rules[1] && burnFloorQuery(rules[1], place)).toBe(
      "sum(last_30m):is_greater(sum:tidegate.requests{environment:dev,service:shop}.as_count(), 99) * " +
        "is_greater(sum:tidegate.errors{environment:dev,service:shop}.as_count(), 9) > 0",
    );
    const of28 = datadogBurnRules(objectives, defaultBurnSettings).rules.map((rule) => rule.factor);
    expect(of28).toEqual([13.44, 5.6]);
    expect(budgetDaysNotice({ periodDays: 28 })).toBe(
      "Datadog has no budget of 28 days: its SLO shows 30, its alerts speak as for 28",
    );
    expect(budgetDaysNotice({ periodDays: 30 })).toBeUndefined();
  });

  it("names the pair that looks further back than Datadog does [D1, D3]", () => {
    const objectives = [objective("availability", "availability", undefined, { target: 99.9 })];
    const { rules, unwatched } = datadogBurnRules(objectives, { periodDays: 30, windows: "ticket" });
    expect(rules.map(({ key }) => key)).toEqual([
      "burn/availability/1h",
      "burn/availability/6h",
      "burn/availability/1d",
    ]);
    expect(unwatched).toEqual([
      { key: "burn/availability/3d", why: "Datadog's burn-rate alerts look back 48 hours, and this one needs 72" },
    ]);
  });
});
