/** A report as words and tables, still without a format, so that Markdown, e-mail and Slack say the same things in the same order. */
import { countText, factorText, percentText, projectedText } from "../core/error-budget.ts";
import { handleTargetMinutes, restoreTargetMinutes, type ServiceReport, type SloReport } from "../core/slo-report.ts";
import { valueText } from "../core/slo-report-advice.ts";

/** Head row and rows, all as plain text. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface ServiceSection {
  readonly service: string;
  /** `all objectives met`, in one line. */
  readonly verdict: string;
  /** What the mark says: everything met, something missed, or something not known. */
  readonly mark: "good" | "bad" | "unknown";
  readonly objectives: Table;
  /** Label and value. */
  readonly facts: readonly (readonly [string, string])[];
  readonly rollouts: Table;
  readonly incidents: Table;
  readonly forecast: string;
  readonly recommendations: readonly string[];
  readonly gaps: readonly string[];
  /** What the picture shows, for who does not see it; absent: no picture. */
  readonly pictureText?: string;
}

export interface Sections {
  readonly title: string;
  readonly period: string;
  readonly services: readonly ServiceSection[];
  readonly gaps: readonly string[];
}

const kindWords = { week: "Weekly", quarter: "Quarterly", rollout: "Rollout" } as const;

export function sectionsOf(report: SloReport): Sections {
  return {
    title: `${kindWords[report.kind]} SLO report ${report.label}, ${report.environment}`,
    period: `${timeText(report.from)} to ${timeText(report.to)} UTC`,
    services: report.services.map(serviceSection),
    gaps: report.gaps,
  };
}

function serviceSection(report: ServiceReport): ServiceSection {
  const { objectives, budget, figures } = report;
  const missed = objectives.filter(({ met }) => met === false).length;
  const isSpent = budget?.status === "spent" || budget?.status === "low";
  const isPartly = objectives.some(({ daysMeasured, daysInPeriod }) => daysMeasured < daysInPeriod);
  const isUnknown = report.gaps.length > 0 || objectives.length === 0 || isPartly;
  return {
    service: report.service,
    mark: missed > 0 || isSpent ? "bad" : isUnknown ? "unknown" : "good",
    verdict: [
      missed > 0
        ? `${missed} of ${objectives.length} objectives missed`
        : isUnknown
          ? "not everything could be measured"
          : `all ${objectives.length} objectives met`,
      ...(budget ? [leftText(budget)] : []),
    ].join(", "),
    objectives: {
      head: ["objective", "target", "achieved", "days met", ""],
      rows: objectives.map((result) => [
        result.name,
        `${result.goodSide === "below" ? "at most" : "at least"} ${valueText(result.target, result.unit)}`,
        achievedText(result),
        `${result.daysMet} of ${result.daysMeasured}`,
        metText(result),
      ]),
    },
    facts: [...budgetFacts(budget), ...figureFacts(figures)],
    rollouts: {
      head: ["release", "from", "outcome", "highest", "took"],
      rows: report.rollouts.map(({ version, startedAt, outcome, highestPercent, minutes }) => [
        version,
        timeText(startedAt),
        outcome.replace("-", " "),
        `${highestPercent} %`,
        minutes === null ? "still running" : durationText(minutes),
      ]),
    },
    incidents: {
      head: ["when", "what", "users off it, from the decision on", "handled after"],
      rows: report.incidents.map(({ startedAt, what, kind, restoredAt, handledAt, acknowledgedBy }) => [
        timeText(startedAt),
        kind === "kill" ? `kill: ${what}` : what,
        sinceText(startedAt, restoredAt),
        `${sinceText(startedAt, handledAt)}${acknowledgedBy === null ? "" : `, acknowledged by ${acknowledgedBy}`}`,
      ]),
    },
    forecast: report.forecast,
    recommendations: report.recommendations,
    gaps: report.gaps,
    ...(budget && budget.burnDown.length > 1
      ? {
          pictureText: `Error budget of ${report.service} over ${budget.periodDays} days: ${shareText(budget.leftFraction)} left on ${budget.to.slice(0, 10)}${budget.projected ? ", projected" : ""}`,
        }
      : {}),
  };
}

type Objective = ServiceReport["objectives"][number];

/** What was measured on some days only never looks like the whole period. */
function achievedText({ value, unit, basis, daysMeasured, daysInPeriod }: Objective): string {
  if (value === null) return "not measured";
  const isWhole = daysMeasured >= daysInPeriod;
  const where = {
    period: isWhole ? "" : ` on ${daysMeasured} of ${daysInPeriod} days`,
    "worst-day": isWhole ? " on the worst day" : ` on the worst of ${daysMeasured} days`,
  };
  return `${valueText(value, unit)}${where[basis]}`;
}

function metText({ met, daysMeasured, daysInPeriod }: Objective): string {
  if (met === null) return "?";
  if (!met) return "MISSED";
  return daysMeasured >= daysInPeriod ? "met" : "met where measured";
}

function leftText({ leftFraction, projected }: NonNullable<ServiceReport["budget"]>): string {
  if (leftFraction === null) return "no request was counted";
  return `${percentText(leftFraction)} of the error budget left${projected ? " (projected)" : ""}`;
}

/** As errors and as time; what was projected is never shown as counted. */
function allowedText(budget: NonNullable<ServiceReport["budget"]>): string {
  const time = `${durationText(budget.budgetMinutes)} of everything failing`;
  if (budget.leftFraction === null) return `${time}; no request was counted`;
  const errors = `${countText(budget.allowedErrors)} errors`;
  const requests = `${countText(budget.requests)} requests`;
  return budget.knownSince === null
    ? `${errors} of ${requests}, or ${time}`
    : `${errors}, or ${time}; ${projectedText(timeText(budget.knownSince))}, with ${requests}`;
}

function shareText(fraction: number | null): string {
  return fraction === null ? "not known" : percentText(fraction);
}

function budgetFacts(budget: ServiceReport["budget"]): [string, string][] {
  if (!budget) return [["error budget", "none is kept, or it could not be reckoned"]];
  const { burns } = budget;
  const burn = (name: string, value: number | null) => (value === null ? [] : [`${factorText(value)} (${name})`]);
  const burning = [...burn("15 min", burns.now), ...burn("1 h", burns.hour), ...burn("24 h", burns.day)];
  return [
    [
      "error budget",
      `${budget.objective} ${budget.targetPercent} % over ${budget.periodDays} days: ${allowedText(budget)}`,
    ],
    [
      "spent",
      budget.spentFraction === null
        ? "not known"
        : `${countText(budget.errors)} errors, ${percentText(budget.spentFraction)}`,
    ],
    ["left", shareText(budget.leftFraction)],
    ["burn rate", burning.length === 0 ? "no request in the last 24 h" : burning.join(", ")],
  ];
}

function figureFacts(figures: ServiceReport["figures"]): [string, string][] {
  const { restore, criticals, criticalsHandledInTime } = figures;
  return [
    ["waves opened", String(figures.openings)],
    ["rollouts finished", String(figures.finished)],
    ["rollbacks", String(figures.rolledBack)],
    [
      "success rate",
      figures.successRatePercent === null ? "no rollout ended" : `${round(figures.successRatePercent)} %`,
    ],
    [
      "mean canary duration",
      figures.meanCanaryMinutes === null ? "no rollout ended" : durationText(figures.meanCanaryMinutes),
    ],
    [
      `MTTR from the decision on (target under ${restoreTargetMinutes} min)`,
      restore.meanMinutes === null
        ? "nothing to restore"
        : `${durationText(restore.meanMinutes)}, ${restore.met ? "met" : "MISSED"}`,
    ],
    [
      `criticals handled in ${handleTargetMinutes} min`,
      criticals === 0 ? "there was none" : `${criticalsHandledInTime} of ${criticals}`,
    ],
    ["incidents still open", String(figures.openIncidents)],
  ];
}

/** `2026-11-16 09:00`. */
export function timeText(iso: string): string {
  return iso.slice(0, 16).replace("T", " ");
}

/** `41 s`, `21.6 min`, `3.2 h`, `2.5 d`: the largest unit of which there is at least two. */
export function durationText(minutes: number): string {
  if (minutes < 2) return `${Math.round(60 * minutes)} s`;
  if (minutes < 120) return `${Number(minutes.toFixed(1))} min`;
  if (minutes < 2_880) return `${Number((minutes / 60).toFixed(1))} h`;
  return `${Number((minutes / 1_440).toFixed(1))} d`;
}

function sinceText(from: string, to: string | null): string {
  return to === null ? "not yet" : durationText((Date.parse(to) - Date.parse(from)) / 60_000);
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
