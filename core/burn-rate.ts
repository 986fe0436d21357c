/**
 * Multi-window burn rate: how fast the error budget goes, as pairs of a long and a short window (D1). Factors are computed from the share of
 * the budget that a long window may use up, never typed in.
 *
 * Source: Google SRE Workbook, chapter 5, table 5-8, and sloth's 30-day windows (slok/sloth internal/alert/windows/google-30d.yaml, window.go
 * getBurnRateFactor), both read 2026-11. The budget is the whole service's, whatever release spent it, so these rules tell people and lower
 * nothing: a wave of half an hour fills no window of six.
 */
import {
  defaultErrorFloor,
  defaultRequestFloor,
  type Indicator,
  type MetricSource,
  type Objective,
  type Severity,
} from "./objectives.ts";
import { hostTargets, type Measure, measureOf, type TargetKind, type WatchRule, watchRules } from "./watch-rules.ts";

const minute = 60;
const hour = 3_600;
const day = 86_400;

/** One pair of windows: both must burn too fast. */
export interface BurnWindow {
  readonly severity: Severity;
  /** Share of the whole budget that the long window may use up. Unit: fraction. */
  readonly budgetShare: number;
  readonly longSeconds: number;
  readonly shortSeconds: number;
}

/** Two pairs page, two ask for a ticket. */
export const burnWindows: readonly BurnWindow[] = [
  { severity: "critical", budgetShare: 0.02, longSeconds: hour, shortSeconds: 5 * minute },
  { severity: "critical", budgetShare: 0.05, longSeconds: 6 * hour, shortSeconds: 30 * minute },
  { severity: "warning", budgetShare: 0.1, longSeconds: day, shortSeconds: 2 * hour },
  { severity: "warning", budgetShare: 0.1, longSeconds: 3 * day, shortSeconds: 6 * hour },
];

/** Periods that budgets are kept for. Unit: days. */
export const budgetPeriodsDays = [28, 30] as const;
export type BudgetPeriodDays = (typeof budgetPeriodsDays)[number];
/** Same weekdays in every period. Unit: days. */
export const defaultBudgetPeriodDays: BudgetPeriodDays = 28;

/** How a service watches its budget. */
export interface BurnSettings {
  readonly periodDays: BudgetPeriodDays;
  /** `page`: the two fast pairs; `ticket`: all four. */
  readonly windows: "page" | "ticket";
}

export const defaultBurnSettings: BurnSettings = { periodDays: defaultBudgetPeriodDays, windows: "page" };

/** Both windows above the threshold: the budget burns `factor` times too fast. */
export interface BurnRule extends BurnWindow {
  /** `burn/availability/1h`. */
  readonly key: string;
  readonly objective: string;
  /** Errors of the service. Unit: percent. */
  readonly measure: Extract<Measure, { kind: "ratio" }>;
  readonly periodDays: BudgetPeriodDays;
  readonly factor: number;
  /** Error ratio from which the budget burns so fast. Unit: percent. */
  readonly thresholdPercent: number;
  /** Fewest requests in a window for it to speak (B9). */
  readonly requestFloor: number;
  /** Fewest errors in a window for it to speak (B9). */
  readonly errorFloor: number;
}

/** How many times too fast: share of the budget × period / long window. 2 % of 30 days in an hour is 14.4. */
export function burnFactor(window: Pick<BurnWindow, "budgetShare" | "longSeconds">, periodDays: number): number {
  return readable((window.budgetShare * periodDays * day) / window.longSeconds);
}

/** Binary fractions are not what people read. */
function readable(value: number): number {
  return Number(value.toFixed(6));
}

/** An objective that a budget is kept for: the one that a service promises its users, in this order. */
const budgeted: readonly Indicator[] = ["availability", "success-rate", "error-rate"];

/** The budget of a service: which objective, and how much may go wrong. */
export interface ErrorBudget {
  readonly objective: string;
  readonly indicator: Indicator;
  /** What may go wrong. Unit: percent of requests, above 0 and below 100. */
  readonly budgetPercent: number;
  readonly minimumRequests: number;
  readonly minimumErrors: number;
}

/** `undefined`: no objective with a target of which anything is left to spend. */
export function errorBudgetOf(objectives: readonly Objective[]): ErrorBudget | undefined {
  for (const indicator of budgeted) {
    const objective = objectives.find(
      (candidate) => candidate.indicator === indicator && candidate.target !== undefined,
    );
    if (objective?.target === undefined) continue;
    const budgetPercent = readable(indicator === "error-rate" ? objective.target : 100 - objective.target);
    if (budgetPercent <= 0 || budgetPercent >= 100) continue;
    return {
      objective: objective.name,
      indicator,
      budgetPercent,
      minimumRequests: objective.minimumRequests ?? defaultRequestFloor,
      minimumErrors: objective.minimumErrors ?? defaultErrorFloor,
    };
  }
  return undefined;
}

/** A pair that is not watched, and why; to be named to the user, and refused where it was asked for. */
export interface UnwatchedBurn {
  readonly key: string;
  readonly why: string;
  /** It can never speak: a config that asks for it is wrong. */
  readonly neverFires: boolean;
}

function label(seconds: number): string {
  return seconds >= day ? `${seconds / day}d` : seconds >= hour ? `${seconds / hour}h` : `${seconds / minute}m`;
}

/** A bound of the same errors that speaks of less in no more time makes a pair superfluous. */
function coveredBy(
  pair: BurnWindow,
  thresholdPercent: number,
  rules: readonly WatchRule[],
  measure: Measure,
): WatchRule | undefined {
  return rules.find(
    (rule) =>
      JSON.stringify(rule.measure) === JSON.stringify(measure) &&
      !rule.reference &&
      !rule.atPercents &&
      rule.comparison === "above" &&
      rule.threshold <= thresholdPercent &&
      rule.periodSeconds <= pair.shortSeconds &&
      (rule.severity === "critical" || pair.severity === "warning"),
  );
}

/** Every burn-rate rule of a service, and every pair that has none. */
export function burnRules(
  objectives: readonly Objective[],
  source: MetricSource,
  settings: BurnSettings = defaultBurnSettings,
  target: TargetKind = hostTargets,
): { readonly rules: readonly BurnRule[]; readonly unwatched: readonly UnwatchedBurn[] } {
  const budget = errorBudgetOf(objectives);
  if (!budget) return { rules: [], unwatched: [] };
  const measure = measureOf(budget.indicator, source, target);
  if (measure.kind !== "ratio") return { rules: [], unwatched: [] };
  const { periodDays } = settings;
  const watched = watchRules(objectives, source, { target }).rules;
  const rules: BurnRule[] = [];
  const unwatched: UnwatchedBurn[] = [];
  for (const pair of burnWindows) {
    if (pair.severity === "warning" && settings.windows === "page") continue;
    const key = `burn/${budget.objective}/${label(pair.longSeconds)}`;
    const factor = burnFactor(pair, periodDays);
    const thresholdPercent = readable(factor * budget.budgetPercent);
    const covering = coveredBy(pair, thresholdPercent, watched, measure);
    if (thresholdPercent >= 100) {
      const most = readable(100 / budget.budgetPercent);
      const why = `it can never burn ${factor} times too fast: with a budget of ${budget.budgetPercent} % everything failing is ${most} times`;
      unwatched.push({ key, why, neverFires: true });
    } else if (covering) {
      const why = `${covering.key} speaks first: it is bad from ${covering.threshold} % on, this from ${thresholdPercent} %`;
      unwatched.push({ key, why, neverFires: false });
    } else {
      rules.push({
        ...pair,
        key,
        objective: budget.objective,
        measure,
        periodDays,
        factor,
        thresholdPercent,
        requestFloor: budget.minimumRequests,
        errorFloor: budget.minimumErrors,
      });
    }
  }
  return { rules, unwatched };
}
