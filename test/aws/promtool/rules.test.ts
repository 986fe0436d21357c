import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { ruleExpression, silenceExpression } from "../../../core/promql.ts";
import { watchedIn, watchRules } from "../../../core/watch-rules.ts";
import { promtoolInput } from "../../agreement/prometheus-series.ts";
import { agreementPlace, baselineKey, canaryKey, makeSeries } from "../../agreement/series.ts";
import { type PromtoolMoment, type PromtoolRule, testRules } from "./promtool.ts";

const place = { environment: "dev", service: "shop", releaseKey: "b", baselineKey: "a" };
const labels = { environment: "dev", service: "shop", release: "b" };
const series = (name: string, release: string, values: string, more = "") => ({
  series: `${name}{environment="dev",service="shop",release="${release}"${more}}`,
  values,
});

function ruleOf(preset: keyof typeof objectivePresets, key: string): PromtoolRule {
  const canary = {
    plan: { name: "test", waves: [] } as never,
    exposurePercent: 25,
    figures: [],
  };
  const rule = watchRules(objectivePresets[preset], "prometheus", { canary }).rules.find((one) => one.key === key);
  if (!rule) throw new Error(`no rule ${key}`);
  return { name: key, expression: ruleExpression(rule, place) };
}

/** A team that states its floors keeps them in short windows, too. */
function fixedFloors(): PromtoolRule {
  const [objective] = objectivePresets.batch;
  if (!objective) throw new Error("no objective");
  const { rules } = watchRules([{ ...objective, minimumRequests: 100, minimumErrors: 10 }], "prometheus");
  const rule = rules.find(({ key }) => key === "error-rate/critical/60s");
  if (!rule) throw new Error("no rule");
  return { name: rule.key, expression: ruleExpression(rule, place) };
}

const violation = ruleOf("batch", "invariant-violations/critical/60s");
const errors = ruleOf("batch", "error-rate/critical/60s");
const memory = ruleOf("production", "memory/critical/300s/of-baseline");
const at = (minute: number, rule: PromtoolRule, isFiring: boolean): PromtoolMoment => ({
  atSeconds: minute * 60,
  rule: rule.name,
  firing: isFiring ? [labels] : [],
});

async function agrees(
  rules: readonly PromtoolRule[],
  input: readonly { readonly series: string; readonly values: string }[],
  moments: readonly PromtoolMoment[],
) {
  const { ok, output } = await testRules(rules, [{ name: "test", seriesSeconds: 10, input, moments }]);
  expect(ok ? "" : output).toBe("");
}

describe("rules in promtool", () => {
  it("sees a first violation in a counter that was never there before [B1]", async () => {
    await agrees(
      [violation],
      [
        series("tidegate_requests_total", "b", "0+100x90"),
        // Nothing for ten minutes, then a counter that begins at 1.
        series("tidegate_invariant_violations_total", "b", "_x60 1+0x30"),
      ],
      [at(9, violation, false), at(10, violation, true), at(11, violation, false)],
    );
  });

  it("takes no lifetime for a window when everything comes back at once [B9]", async () => {
    await agrees(
      [violation, errors],
      [
        series("tidegate_requests_total", "b", "_x60 100000+100x30"),
        series("tidegate_errors_total", "b", "_x60 50000+0x30"),
        series("tidegate_invariant_violations_total", "b", "_x60 7+0x30"),
      ],
      [10, 11, 12, 13].flatMap((minute) => [at(minute, violation, false), at(minute, errors, false)]),
    );
  });

  it("counts on through restarts and lost scrapes [B1]", async () => {
    await agrees(
      [errors],
      [
        series("tidegate_requests_total", "b", "0+100x30 0+100x30"),
        series("tidegate_errors_total", "b", "0+20x30 0+20x30"),
      ],
      [at(4, errors, true), at(7, errors, true), at(9, errors, true)],
    );
    await agrees(
      [errors],
      [
        series("tidegate_requests_total", "b", "0+100x30 stale 3200+100x30"),
        series("tidegate_errors_total", "b", "40+0x30 stale 40+0x30"),
      ],
      [at(5, errors, false), at(6, errors, false), at(7, errors, false)],
    );
  });

  it("keeps stated floors to the last request and error [B9]", async () => {
    const stated = fixedFloors();
    const requests = (perStep: number) => series("tidegate_requests_total", "b", `0+${perStep}x60`);
    const moments = (isFiring: boolean) => [at(5, stated, isFiring), at(8, stated, isFiring)];
    // 102 requests and 12 errors a minute; 96 requests; 6 errors.
    await agrees([stated], [requests(17), series("tidegate_errors_total", "b", "0+2x60")], moments(true));
    await agrees([stated], [requests(16), series("tidegate_errors_total", "b", "0+2x60")], moments(false));
    await agrees([stated], [requests(17), series("tidegate_errors_total", "b", "0+1x60")], moments(false));
  });

  it("speaks from the first error that is beyond chance [B9]", async () => {
    const counted = (requests: number, inAll: number) => [
      series("tidegate_requests_total", "b", `0+${requests}x60`),
      series("tidegate_errors_total", "b", `0x30 ${inAll}+0x30`),
    ];
    // Of 60 requests 10, of 120 requests 14 errors in one minute, where 5 % is the bound.
    await agrees([errors], counted(10, 10), [at(6, errors, true), at(7, errors, false)]);
    await agrees([errors], counted(10, 9), [at(6, errors, false)]);
    await agrees([errors], counted(20, 14), [at(6, errors, true)]);
    await agrees([errors], counted(20, 13), [at(6, errors, false)]);
  });

  it("never speaks of a canary because its baseline is missing [B9]", async () => {
    const canary = series("tidegate_memory_megabytes", "b", "900x90");
    const baseline = series("tidegate_memory_megabytes", "a", "400x90");
    await agrees([memory], [canary, baseline], [at(8, memory, true)]);
    await agrees([memory], [canary], [at(8, memory, false)]);
    await agrees([memory], [baseline], [at(8, memory, false)]);
  });

  it("speaks of silence when all else is quiet for it, and not of a service without traffic [B8]", async () => {
    const silence = { name: "silence", expression: silenceExpression(place, 600) };
    const { environment, service } = labels;
    await agrees(
      [silence],
      [series("tidegate_requests_total", "b", "5+0x60 stale _x90")],
      [
        { atSeconds: 600, rule: "silence", firing: [] },
        { atSeconds: 1_380, rule: "silence", firing: [{ environment, service }] },
      ],
    );
  });

  it("fires for an error burst in the seeded series, for canary and service and no longer than it lasts [D2]", async () => {
    const seeded = { ...agreementPlace, releaseKey: canaryKey, baselineKey };
    const rules = watchRules(objectivePresets.web, "prometheus").rules.filter(
      (rule) =>
        rule.measure.kind === "ratio" &&
        rule.measure.part[0] === "errors" &&
        watchedIn(rule, "prometheus") === "prometheus",
    );
    const named = rules.map((rule) => ({
      name: rule.key,
      expression: ruleExpression(rule, seeded),
      scope: rule.scope,
    }));
    const moments = named.flatMap(({ name, scope }): PromtoolMoment[] => {
      const { environment, service } = agreementPlace;
      const speaking: Record<string, string> =
        scope === "service" ? { environment, service } : { environment, service, release: canaryKey };
      return [
        { atSeconds: 5_400, rule: name, firing: [] },
        { atSeconds: 5_700, rule: name, firing: [speaking] },
        { atSeconds: 7_500, rule: name, firing: [] },
      ];
    });
    expect(named.map(({ name }) => name)).toContain("error-rate/critical/60s");
    const input = promtoolInput(makeSeries("error-burst", 3));
    const { ok, output } = await testRules(named, [{ name: "burst", seriesSeconds: 10, input, moments }]);
    expect(ok ? "" : output).toBe("");
  });
});
