/**
 * The error budget of a service as a Datadog SLO, and its burn-rate alerts (D3). Source: Datadog's documentation, "Burn Rate Alerts" and
 * "Metric-based SLOs", read 2026-11: targets over 7, 30 or 90 days, long windows of 1 to 48 hours, any shorter short window in minutes.
 *
 * Datadog's burn rate is the error ratio of a window over what the target allows, whatever the SLO's days, so factors that were computed
 * for 28 days mean the same there; only the budget on its screen is that of 30. It has no floors (B9), hence a monitor of requests and
 * errors beside each alert, and a composite of both that tells people.
 */
import { type BurnRule, type BurnSettings, burnRules, errorBudgetOf } from "./burn-rate.ts";
import { type DatadogScope, lastWindow } from "./datadog-queries.ts";
import type { Objective } from "./objectives.ts";
import { datadogName, type ReportedSignal } from "./signals.ts";

/** Whole service, all releases together: whoever spent the budget, it is spent. */
export type DatadogServiceScope = Pick<DatadogScope, "environment" | "service">;

/** The days that Datadog keeps a budget for, of those it offers the one nearest to ours. Unit: days. */
export const datadogBudgetDays = 30;
/** Longest long window of a burn-rate alert. Unit: seconds. */
const longestBurnWindowSeconds = 48 * 3_600;

/** A metric-based SLO. */
export interface DatadogSloDefinition {
  readonly objective: string;
  /** Good events. */
  readonly numerator: string;
  /** All events. */
  readonly denominator: string;
  /** Unit: percent, above 0 and below 100. */
  readonly targetPercent: number;
  readonly timeframe: "30d";
}

function counted(signal: ReportedSignal, { environment, service }: DatadogServiceScope): string {
  return `sum:${datadogName(signal)}{environment:${environment},service:${service}}.as_count()`;
}

/** The SLO of a service's budget; `undefined`: its objectives leave nothing to spend. */
export function datadogSloOf(
  objectives: readonly Objective[],
  scope: DatadogServiceScope,
): DatadogSloDefinition | undefined {
  const budget = errorBudgetOf(objectives);
  if (!budget) return undefined;
  const requests = counted("requests", scope);
  return {
    objective: budget.objective,
    numerator: `${requests} - ${counted("errors", scope)}`,
    denominator: requests,
    targetPercent: Number((100 - budget.budgetPercent).toFixed(6)),
    timeframe: `${datadogBudgetDays}d`,
  };
}

/** The burn-rate rules that Datadog can watch, and those that it alone cannot, with why. */
export function datadogBurnRules(
  objectives: readonly Objective[],
  settings: BurnSettings,
): {
  readonly rules: readonly BurnRule[];
  readonly unwatched: readonly { readonly key: string; readonly why: string }[];
} {
  const { rules } = burnRules(objectives, "datadog", settings);
  const tooLong = rules.filter(({ longSeconds }) => longSeconds > longestBurnWindowSeconds);
  return {
    rules: rules.filter((rule) => !tooLong.includes(rule)),
    unwatched: tooLong.map(({ key, longSeconds }) => ({
      key,
      why: `Datadog's burn-rate alerts look back 48 hours, and this one needs ${longSeconds / 3_600}`,
    })),
  };
}

/** What people must know of a budget that Datadog shows; `undefined`: it is the one that was asked for. */
export function budgetDaysNotice({ periodDays }: Pick<BurnSettings, "periodDays">): string | undefined {
  return periodDays === datadogBudgetDays
    ? undefined
    : `Datadog has no budget of ${periodDays} days: its SLO shows ${datadogBudgetDays}, its alerts speak as for ${periodDays}`;
}

/** `burn_rate("…").over("30d").long_window("1h").short_window("5m") > 14.4`. */
export function burnMonitorQuery(rule: BurnRule, sloId: string): string {
  const { longSeconds, shortSeconds, factor } = rule;
  return (
    `burn_rate("${sloId}").over("${datadogBudgetDays}d").long_window("${longSeconds / 3_600}h")` +
    `.short_window("${shortSeconds / 60}m") > ${factor}`
  );
}

/** Whether enough came in the short window to tell; what is enough for the short one is for the long one. Its value is 1 or 0. */
export function burnFloorQuery(rule: BurnRule, scope: DatadogServiceScope): string {
  const reaches = (signal: ReportedSignal, floor: number) =>
    `is_greater(${counted(signal, scope)}, ${Math.ceil(floor) - 1})`;
  const floors = `${reaches("requests", rule.requestFloor)} * ${reaches("errors", rule.errorFloor)}`;
  return `sum(${lastWindow(rule.shortSeconds)}):${floors} > 0`;
}
