/**
 * What one service costs in cloud resources, for every preset, plan and source of CloudWatch (D9).
 *
 * The program makes a target group for each of the two releases. They are part of what runs a release, as its tasks are, so the limit
 * of 30 is on all the others; both figures are told.
 */
import { describe, expect, it } from "vitest";
import { ProgressiveService } from "../../components/index.ts";
import { defaultBurnSettings } from "../../core/burn-rate.ts";
import { type ObjectivePresetName, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { aDeclaration, someSettings } from "../helpers/builders.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";
import { previousWaveFigures, serviceArgs } from "../helpers/service-args.ts";

/** Every plan has the bounds of one of these, or none. */
const plans = ["steady", "cautious", "migration"] as const;
const rows = objectivePresetNames.flatMap((objectives) =>
  (["alb", "emf"] as const).map((source) => ({ objectives, source, row: `${objectives} ${source}` })),
);

/** `[target groups left out, all]`. */
type Count = readonly [others: number, all: number];

/** Cloud resources by preset and source, of services with two live releases, testers, and target groups that the program makes. */
async function counts(plan: (typeof plans)[number]): Promise<Record<string, Count>> {
  const result = await runPulumi(() => {
    rows.forEach(({ objectives, source }, index) => {
      const name = `${objectives}-${source}`;
      const settings = someSettings({
        name,
        routes: [{ match: { hosts: [`${name}.example.com`], paths: [] }, priority: 100 + 10 * index }],
        objectives: objectivePresets[objectives],
        source,
        plan: planPresets[plan],
        burnRate: defaultBurnSettings,
      });
      const declaration = aDeclaration(25, { service: name, figures: previousWaveFigures });
      new ProgressiveService(name, serviceArgs(settings, declaration));
    });
  });
  const ofService = (objectives: ObjectivePresetName, source: string): Count => {
    const all = result.resources.filter(
      ({ custom, inputs }) =>
        custom && JSON.stringify(inputs).replaceAll("\\", "").includes(`"${objectives}-${source}"`),
    );
    return [all.filter(({ type }) => type !== "aws:lb/targetGroup:TargetGroup").length, all.length];
  };
  return Object.fromEntries(rows.map(({ objectives, source, row }) => [row, ofService(objectives, source)]));
}

/** What each comes to, `[target groups left out, all]`; the plans with bounds of their own waves have more, by as many alarms of the canary. */
const expected: Readonly<Record<(typeof plans)[number], Readonly<Record<string, Count>>>> = {
  steady: {
    "batch alb": [20, 22],
    "batch emf": [26, 28],
    "web alb": [20, 22],
    "web emf": [27, 29],
    "canary-relative alb": [10, 12],
    "canary-relative emf": [10, 12],
    "migration alb": [13, 15],
    "migration emf": [22, 24],
    "production alb": [17, 19],
    "production emf": [24, 26],
  },
  cautious: {
    "batch alb": [21, 23],
    "batch emf": [29, 31],
    "web alb": [21, 23],
    "web emf": [30, 32],
    "canary-relative alb": [11, 13],
    "canary-relative emf": [13, 15],
    "migration alb": [17, 19],
    "migration emf": [28, 30],
    "production alb": [19, 21],
    "production emf": [26, 28],
  },
  migration: {
    "batch alb": [23, 25],
    "batch emf": [29, 31],
    "web alb": [22, 24],
    "web emf": [29, 31],
    "canary-relative alb": [13, 15],
    "canary-relative emf": [13, 15],
    "migration alb": [16, 18],
    "migration emf": [25, 27],
    "production alb": [20, 22],
    "production emf": [27, 29],
  },
};

describe("cloud resources of one service", () => {
  it.each(plans)(
    "are few with two releases on plan %s, testers and groups of their own [D9]",
    async (plan) => {
      expect(await counts(plan)).toEqual(expected[plan]);
    },
    60_000,
  );

  it("are at most 30 beside the target groups of the two releases, whatever the plan [D9]", () => {
    const most = (plan: keyof typeof expected, of: 0 | 1) =>
      Math.max(...Object.values(expected[plan]).map((count) => count[of]));
    const table = plans.map((plan) => [plan, most(plan, 0), most(plan, 1)]);
    expect(table).toEqual([
      ["steady", 27, 29],
      ["cautious", 30, 32],
      ["migration", 29, 31],
    ]);
    expect(table.filter(([, others]) => Number(others) > 30)).toEqual([]);
  });
});
