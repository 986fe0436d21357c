/**
 * How a service's error budget is watched (D1, C2):
 *
 *     burnRate: off
 *     burnRate: { period: 30d, windows: ticket }   # page: the two fast pairs of windows; ticket: the two slow ones too
 *
 * Left out, it is 28 days and `page` wherever an objective keeps a budget. Factors are computed (core/burn-rate.ts) and cannot be written. A
 * pair of windows that was asked for and can never fire is refused; one that came by default is named in the preview.
 */
import { z } from "zod";
import {
  type BurnSettings,
  budgetPeriodsDays,
  burnFactor,
  burnWindows,
  defaultBudgetPeriodDays,
  defaultBurnSettings,
  errorBudgetOf,
} from "../../core/burn-rate.ts";
import type { Objective } from "../../core/objectives.ts";
import { checkFields, isMap, leaf, listText, type Path, type Problems, word } from "./problems.ts";
import { durationText, readable } from "./units.ts";

const periods = budgetPeriodsDays.map((days) => `${days}d` as const);

const burnFields = {
  period: leaf(z.enum(periods), {
    wrong: "not a period that budgets are kept for",
    expected: listText(periods),
  }).optional(),
  windows: word(["page", "ticket"], "unknown windows").optional(),
};

/** What a budget is read in the light of. */
export interface BurnContext {
  /** Absent: they could not be read, and what depends on them is not checked. */
  readonly objectives: readonly Objective[] | undefined;
  /** What the OpenSLO file says, where the objectives are one. */
  readonly fromFile?: BurnSettings | "off";
  readonly problems: Problems;
}

function textOf(settings: BurnSettings | "off"): string {
  return settings === "off" ? settings : `${settings.periodDays}d and ${settings.windows}`;
}

/** Pairs that were asked for and that no number of errors could ever set off. */
function refuseImpossible(settings: BurnSettings, path: Path, { objectives, problems }: BurnContext): void {
  if (!objectives) return;
  const budget = errorBudgetOf(objectives);
  if (!budget) {
    const expected = "a target of availability, success-rate or error-rate that leaves something to spend";
    problems.add(path, {
      wrong: "no error budget to watch",
      expected,
      wayOut: "Add such a target, or write burnRate: off",
    });
    return;
  }
  for (const pair of burnWindows) {
    if (pair.severity === "warning" && settings.windows === "page") continue;
    const factor = burnFactor(pair, settings.periodDays);
    const most = readable(factor * budget.budgetPercent);
    if (most < 100) continue;
    const mostBudget = Math.floor(10_000 / factor) / 100;
    const isRate = budget.indicator === "error-rate";
    const target = isRate ? `${budget.budgetPercent}% errors` : `${readable(100 - budget.budgetPercent)}%`;
    const lowest = isRate ? `of at most ${mostBudget}% errors` : `of at least ${readable(100 - mostBudget)}%`;
    problems.add(path, {
      wrong: `the pair of ${durationText(pair.longSeconds)} and ${durationText(pair.shortSeconds)} can never fire: ${factor} times the budget of ${budget.objective}, ${budget.budgetPercent}%, is ${most}% of the requests`,
      expected: `a target ${lowest}, not ${target}`,
      wayOut: "Promise more, or leave burnRate out and the preview names what is not watched",
    });
  }
}

function readSettings(raw: unknown, path: Path, problems: Problems): BurnSettings | undefined {
  if (!isMap(raw)) {
    const expected = "off, or a map such as { period: 28d, windows: page }";
    problems.add(
      path,
      { wrong: raw === null ? "missing" : "neither a switch nor settings", expected },
      raw ?? undefined,
    );
    return undefined;
  }
  const before = problems.texts.length;
  const fields = checkFields(burnFields, raw, path, problems);
  if (problems.texts.length > before) return undefined;
  const periodDays = budgetPeriodsDays.find((days) => fields.period === `${days}d`) ?? defaultBudgetPeriodDays;
  return { periodDays, windows: fields.windows ?? defaultBurnSettings.windows };
}

/** Reads how the budget is watched; `undefined`: not at all, or after a problem. */
export function readBurnRate(raw: unknown, path: Path, context: BurnContext): BurnSettings | undefined {
  const { objectives, fromFile, problems } = context;
  if (raw === undefined) {
    if (fromFile === "off" || !objectives || !errorBudgetOf(objectives)) return undefined;
    return fromFile ?? defaultBurnSettings;
  }
  // YAML of version 1.1 makes a boolean of `off`.
  const settings = raw === "off" || raw === false ? "off" : readSettings(raw, path, problems);
  if (settings === undefined) return undefined;
  if (fromFile !== undefined && textOf(fromFile) !== textOf(settings)) {
    problems.add(
      path,
      {
        wrong: `the OpenSLO file says ${textOf(fromFile)}`,
        expected: "the same, or nothing here",
        wayOut: "Leave burnRate out, or change the file",
      },
      isMap(raw) ? textOf(settings) : raw,
    );
    return undefined;
  }
  if (settings === "off") return undefined;
  refuseImpossible(settings, path, context);
  return settings;
}
