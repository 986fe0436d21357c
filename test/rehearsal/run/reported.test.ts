/** Faults that only what a release reports of itself can show: memory, breaker, dual runs, crashes. */
import { describe, expect, it } from "vitest";
import { type ObjectivePresetName, objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";
import { type RehearsalOptions, type RehearsalReport, rehearse } from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { type BuiltInScenarioName, builtInScenarios } from "../../../rehearsal/scenarios.ts";

const patience = { timeout: 120_000 };

function run(
  name: BuiltInScenarioName,
  preset: ObjectivePresetName,
  changed: Partial<RehearsalOptions> = {},
): Promise<RehearsalReport> {
  return rehearse({
    config: rehearsalConfig,
    stack: "dev",
    scenario: builtInScenarios[name],
    objectives: objectivePresets[preset],
    plan: planPresets.steady,
    faultWavePercent: 10,
    // Growth and dual runs are judged by the hour.
    endAfterFaultMinutes: 150,
    source: "emf",
    aftermath: false,
    compareWithoutHook: false,
    ...changed,
  });
}

interface Expected {
  readonly scenario: BuiltInScenarioName;
  readonly preset: ObjectivePresetName;
  readonly outcome: string;
  /** What the hold says. */
  readonly response: string;
  readonly objective: string;
  readonly mostMinutes: number;
}

const expected: readonly Expected[] = [
  // Twice what may grow in an hour, compared with the hour before: past the bound after half of it.
  {
    scenario: "memory-leak",
    preset: "migration",
    outcome: "held",
    response: "freeze",
    objective: "memory-growth",
    mostMinutes: 130,
  },
  {
    scenario: "breaker-open",
    preset: "web",
    outcome: "rolled-back",
    response: "disable",
    objective: "circuit-breaker-open",
    mostMinutes: 7,
  },
  {
    scenario: "dual-run-mismatch",
    preset: "migration",
    outcome: "held",
    response: "freeze",
    objective: "dual-run-failures",
    mostMinutes: 60,
  },
  {
    scenario: "crash-loop",
    preset: "migration",
    outcome: "rolled-back",
    response: "previous-wave",
    objective: "crashes",
    mostMinutes: 6,
  },
];

/** Lines on which the hook decided about an objective. */
function decisions(report: RehearsalReport, objective: string) {
  return report.timeline.filter(({ kind, message }) => kind === "detected" && message.startsWith(`${objective} (`));
}

describe("a fault in what a release reports of itself", patience, () => {
  const cases = expected.flatMap((one) => [1, 2, 3].map((seed) => ({ ...one, seed })));
  it.each(cases)("$scenario under $preset: $response (seed $seed) [B1, B2]", async (one) => {
    const report = await run(one.scenario, one.preset, { seed: one.seed });
    expect(report.falseRollback).toBe(false);
    const [first] = decisions(report, one.objective);
    expect(first?.message).toContain(`${one.objective} (critical) of 2.4.0 at 10 %: ${one.response}`);
    const minutes = (Date.parse(first?.at ?? "") - Date.parse(report.faultAt ?? "")) / 60_000;
    expect(minutes).toBeGreaterThan(0);
    expect(minutes).toBeLessThanOrEqual(one.mostMinutes);
    // A leak goes on behind its freeze, and may come to twice the baseline's memory, which lowers.
    expect(report.outcome === one.outcome || one.scenario === "memory-leak").toBe(true);
    expect(report.hold).not.toBeNull();
  });

  it.each(expected)("$scenario is not seen once the alarms on it are taken away [E3]", async (one) => {
    const report = await run(one.scenario, one.preset, {
      withoutAlarms: (name) => name.includes(`/${one.objective}/`) || name.includes("/memory/"),
    });
    expect(report.hold).toBeNull();
    expect(decisions(report, one.objective)).toEqual([]);
  });

  it("cannot be seen on a load balancer, which is said by name [B1]", async () => {
    const report = await run("crash-loop", "migration", { source: "alb", endAfterFaultMinutes: 20 });
    expect(report.hold).toBeNull();
    expect(report.timeline.filter(({ kind }) => kind === "note").map(({ message }) => message)).toContain(
      "at 10 % this fault cannot be seen here: source alb does not measure crashes",
    );
  });
});

describe("a source that another system watches", patience, () => {
  it.each([
    ["prometheus", "Grafana"],
    ["datadog", "Datadog"],
  ] as const)("%s is rehearsed on emf, and says so by name in report and timeline [E3]", async (source, system) => {
    const text = `source ${source} is rehearsed on emf: the same rules, watched by CloudWatch here. ${system}'s own evaluation and delay, its notifications, and the hook's reading of its states are not modelled`;
    const report = await run("error-spike", "web", {
      source,
      plan: planPresets.rapid,
      faultWavePercent: 25,
      endAfterFaultMinutes: 30,
    });
    expect(report).toMatchObject({ outcome: "rolled-back", notModelled: text });
    expect(report.timeline.filter(({ kind }) => kind === "note").map(({ message }) => message)).toContain(text);
  });

  it("says nothing of the kind where the source is the rehearsed one", async () => {
    const report = await run("healthy", "web", { plan: planPresets.rapid, faultWavePercent: 25 });
    expect(report.notModelled).toBeNull();
  });
});
