/** What a report says is to come and to do: fixed rules over its figures, so that the same figures always say the same (D6). */
import { countText, factorText, leastBudgetLeftFraction, percentText } from "./error-budget.ts";
import type { ServiceReport } from "./slo-report.ts";

type Figures = Pick<ServiceReport, "service" | "objectives" | "budget" | "incidents" | "figures" | "gaps">;

/** What becomes of the budget if nothing changes. */
export function forecastOf({ budget }: Pick<Figures, "budget">): string {
  if (!budget) return "No error budget is kept, or it could not be reckoned.";
  const { day } = budget.burns;
  if (budget.status === "no-traffic" || budget.leftFraction === null) {
    return "No request was counted; nothing can be said of the error budget.";
  }
  if (budget.leftFraction <= 0) {
    return `The budget is spent: ${countText(budget.errors)} errors where ${countText(budget.allowedErrors)} were allowed. It comes back as old errors leave the ${budget.periodDays} days.`;
  }
  if (day === null) return "No request in the last 24 hours; nothing can be said of what is to come.";
  if (budget.depletesAt !== null) {
    return `At the burn of the last 24 hours (${factorText(day)} times what is allowed) what is left is spent by ${budget.depletesAt.slice(0, 10)}, if no older error leaves the ${budget.periodDays} days before.`;
  }
  return `At the burn of the last 24 hours (${factorText(day)} times what is allowed) the budget lasts.`;
}

/** What to do, the most pressing first; never empty. */
export function recommendationsOf(report: Figures): readonly string[] {
  const { budget, figures, service } = report;
  const advice: string[] = [];
  if (figures.openIncidents > 0) {
    advice.push(
      `${plural(figures.openIncidents, "incident")} still open: look with npx tidegate status --service ${service}.`,
    );
  }
  if ((budget?.status === "spent" || budget?.status === "low") && budget.leftFraction !== null) {
    advice.push(
      `${percentText(budget.leftFraction)} of the error budget left: advances pause until it is ${percentText(leastBudgetLeftFraction)} again. Work on errors before features.`,
    );
  } else if ((budget?.burns.day ?? 0) > 1) {
    advice.push("Errors come faster than the budget allows: find out which release or dependency they come from.");
  }
  for (const { name, value, target, unit, met, basis } of report.objectives) {
    if (met === false)
      advice.push(
        `${name} missed its target: ${valueText(value ?? 0, unit)}${basis === "worst-day" ? " on its worst day" : ""} against ${valueText(target, unit)}.`,
      );
  }
  if (figures.restore.met === false) {
    advice.push(
      `Users were off a bad release ${figures.restore.meanMinutes} minutes after the decision on average; look at what kept the lowering.`,
    );
  }
  if (figures.criticalsHandledInTime < figures.criticals) {
    advice.push(
      `${figures.criticals - figures.criticalsHandledInTime} of ${plural(figures.criticals, "critical incident")} not handled in 30 minutes.`,
    );
  }
  if (figures.rolledBack > 0) {
    advice.push(
      `${plural(figures.rolledBack, "rollback")}: drafts of the post-mortems are in npx tidegate history --service ${service} --post-mortem <hold>.`,
    );
  }
  if (report.gaps.length > 0) advice.push("Something could not be read, see below; do not take silence for health.");
  return advice.length > 0 ? advice : ["Nothing asks for a change."];
}

const unitText: Readonly<Record<string, string>> = {
  percent: "%",
  milliseconds: "ms",
  seconds: "s",
  megabytes: "MB",
  count: "",
  "per second": "a second",
  "per minute": "a minute",
  "per hour": "an hour",
};

/** `99.95 %`, `412 ms`. */
export function valueText(value: number, unit: string): string {
  return `${Number(value.toFixed(3))} ${unitText[unit] ?? unit}`.trim();
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
