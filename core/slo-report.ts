/**
 * The SLO report (D6): facts of a period in, one plain model out, which every rendering and `--json` shows. It reckons and judges; it reads
 * nothing and knows no format. Instants are ISO 8601, UTC; what was not measured is `null` and never a good value.
 */
import { type CountedInterval, CountsUnreadableError, reckonBudget } from "./error-budget.ts";
import { type Indicator, indicators } from "./objectives.ts";
import type { HistoryEntry, Hold, Instant, Promises } from "./record.ts";
import { forecastOf, recommendationsOf } from "./slo-report-advice.ts";
import { type BudgetResult, budgetResult } from "./slo-report-budget.ts";
import { type Incident, incidentsIn, type Rollout, rolloutsIn } from "./slo-report-rollouts.ts";

/** Users off a bad release, at the latest. Unit: minutes. Source: requirement D6 (seed 004). */
export const restoreTargetMinutes = 15;
/** A critical incident in somebody's hands, at the latest. Unit: minutes. Source: requirement D6 (seed 004). */
export const handleTargetMinutes = 30;

export const reportSchemaVersion = 1;
export type ReportKind = "week" | "quarter" | "rollout";

/** What was found out of one service. */
export interface ServiceFactsFound {
  readonly service: string;
  /** Absent: no config of a version that promises anything has been committed yet. */
  readonly promises?: Promises;
  /** Over the period and over the budget's window, whatever is longer. Absent: not read, and `gaps` says why. */
  readonly counts?: readonly CountedInterval[];
  /** One value a day by objective, in the indicator's unit, of the day's worst release; a day without one is left out. */
  readonly days?: Readonly<Record<string, readonly { readonly at: Instant; readonly value: number }[]>>;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  readonly holds: readonly Hold[];
  /** Versions of the releases in the record, by digest. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What could not be read, and why. */
  readonly gaps: readonly string[];
}

export interface ReportFacts {
  readonly kind: ReportKind;
  /** `2026-W47`, `2026-Q4`, `checkout 2.4.0`. */
  readonly label: string;
  readonly environment: string;
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  readonly now: Instant;
  readonly services: readonly ServiceFactsFound[];
  readonly gaps: readonly string[];
}

export interface ObjectiveResult {
  readonly name: string;
  readonly indicator: Indicator;
  readonly unit: string;
  readonly target: number;
  /** Whether `target` is a ceiling or a floor. */
  readonly goodSide: "below" | "above";
  /** Of ratios of errors over the whole period; of everything else the worst day's. */
  readonly value: number | null;
  readonly basis: "period" | "worst-day";
  readonly met: boolean | null;
  readonly daysMet: number;
  readonly daysMeasured: number;
  /** UTC days that the period touches; fewer measured is named in `gaps`, since nobody knows the rest. */
  readonly daysInPeriod: number;
}

/** A duration that has a target. */
export interface TimedResult {
  /** Unit: minutes; `null`: there was nothing to time. */
  readonly meanMinutes: number | null;
  readonly met: boolean | null;
}

export interface ServiceReport {
  readonly service: string;
  readonly objectives: readonly ObjectiveResult[];
  /** `null`: none is kept, or it could not be reckoned, and `gaps` says why. */
  readonly budget: BudgetResult | null;
  readonly incidents: readonly {
    readonly id: string;
    readonly what: string;
    readonly severity: "critical" | "warning";
    readonly kind: Incident["kind"];
    readonly startedAt: string;
    readonly restoredAt: string | null;
    readonly handledAt: string | null;
    readonly acknowledgedBy: string | null;
  }[];
  readonly rollouts: readonly {
    readonly version: string;
    readonly outcome: Rollout["outcome"];
    readonly startedAt: string;
    readonly endedAt: string | null;
    readonly openings: number;
    readonly highestPercent: number;
    readonly minutes: number | null;
  }[];
  readonly figures: {
    readonly openings: number;
    readonly finished: number;
    readonly rolledBack: number;
    /** Finished of those that finished or were rolled back; `null`: none did. Unit: percent. */
    readonly successRatePercent: number | null;
    /** From a rollout's first opening to its end. Unit: minutes. */
    readonly meanCanaryMinutes: number | null;
    /** MTTR, from the hook's decision on: how long a bad release was there before it was seen is in no history. */
    readonly restore: TimedResult;
    readonly criticals: number;
    readonly criticalsHandledInTime: number;
    readonly openIncidents: number;
  };
  readonly forecast: string;
  readonly recommendations: readonly string[];
  readonly gaps: readonly string[];
}

export interface SloReport {
  readonly schemaVersion: number;
  readonly kind: ReportKind;
  readonly label: string;
  readonly environment: string;
  readonly from: string;
  readonly to: string;
  readonly generatedAt: string;
  readonly services: readonly ServiceReport[];
  readonly gaps: readonly string[];
}

/** Puts a report together. Services in the order of their names. */
export function sloReport(facts: ReportFacts): SloReport {
  const services = facts.services.toSorted((left, right) => (left.service < right.service ? -1 : 1));
  return {
    schemaVersion: reportSchemaVersion,
    kind: facts.kind,
    label: facts.label,
    environment: facts.environment,
    from: iso(facts.from),
    to: iso(facts.to),
    generatedAt: iso(facts.now),
    services: services.map((found) => serviceReport(facts, found)),
    gaps: facts.gaps,
  };
}

function serviceReport(facts: ReportFacts, found: ServiceFactsFound): ServiceReport {
  const gaps = [...found.gaps];
  const readable = readableCounts(found, gaps);
  const objectives = (found.promises?.objectives ?? []).map((promise) =>
    objectiveResult(promise, { ...found, ...(readable ? { counts: readable } : {}) }, facts),
  );
  gaps.push(...unmeasuredGaps(objectives, found, facts));
  if (!found.promises) gaps.push("its targets are not in the record; they come with its next up");
  const inPeriod = (at: Instant | undefined) => at !== undefined && at >= facts.from && at < facts.to;
  const until = found.history.filter(({ at }) => at < facts.to);
  const rollouts = rolloutsIn(until).filter(({ endedAt }) => endedAt === undefined || endedAt >= facts.from);
  const incidents = incidentsIn(
    found.history,
    found.holds.filter(({ at }) => at < facts.to),
    found.versions,
  ).filter(({ startedAt }) => inPeriod(startedAt));
  const report = {
    service: found.service,
    objectives,
    budget: budgetResult(facts, found.promises, readable),
    incidents: incidents.map(({ restoredAt, handledAt, startedAt, acknowledgedBy, ...incident }) => ({
      ...incident,
      startedAt: iso(startedAt),
      restoredAt: isoOrNull(restoredAt),
      handledAt: isoOrNull(handledAt),
      acknowledgedBy: acknowledgedBy ?? null,
    })),
    rollouts: rollouts.map(({ startedAt, endedAt, openedAt, ...rollout }) => ({
      ...rollout,
      openings: openedAt.length,
      startedAt: iso(startedAt),
      endedAt: isoOrNull(endedAt),
      minutes: endedAt === undefined ? null : minutes(endedAt - startedAt),
    })),
    figures: figuresOf(rollouts, incidents, (at) => inPeriod(at)),
    gaps,
  };
  return { ...report, forecast: forecastOf(report), recommendations: recommendationsOf(report) };
}

/** Counts that can be reckoned with; what cannot becomes a gap. */
function readableCounts({ counts }: ServiceFactsFound, gaps: string[]): readonly CountedInterval[] | undefined {
  if (!counts) return undefined;
  try {
    // Any budget refuses what is no count.
    reckonBudget(
      { objective: "", indicator: "availability", budgetPercent: 1, minimumRequests: 0, minimumErrors: 0 },
      1,
      counts,
      0,
    );
    return counts;
  } catch (error) {
    if (!(error instanceof CountsUnreadableError)) throw error;
    gaps.push(error.message);
    return undefined;
  }
}

type Promised = Promises["objectives"][number];

function objectiveResult(
  promise: Promised,
  found: Pick<ServiceFactsFound, "counts" | "days">,
  facts: ReportFacts,
): ObjectiveResult {
  const { name, indicator, target } = promise;
  const { unit, badSide } = indicators[indicator];
  const isMet = (value: number) => (badSide === "above" ? value <= target : value >= target);
  const counted = isCounted(indicator)
    ? found.counts?.filter(({ at }) => at >= facts.from && at < facts.to)
    : undefined;
  const days = counted
    ? byDay(counted).flatMap((day) => percentOf(indicator, day) ?? [])
    : (found.days?.[name] ?? []).filter(({ at }) => overlaps(facts, at)).map(({ value }) => value);
  const value = counted ? percentOf(indicator, counted) : worst(days, badSide);
  return {
    name,
    indicator,
    unit,
    target,
    goodSide: badSide === "above" ? "below" : "above",
    value: value === undefined ? null : round(value),
    basis: isCounted(indicator) ? "period" : "worst-day",
    met: value === undefined ? null : isMet(value),
    daysMet: days.filter(isMet).length,
    daysMeasured: days.length,
    daysInPeriod: Math.ceil(facts.to / dayMs) - Math.floor(facts.from / dayMs),
  };
}

/** A rollout begins in the middle of a day, whose one value is all that there is of it. */
function overlaps({ from, to }: Pick<ReportFacts, "from" | "to">, day: Instant): boolean {
  return day + dayMs > from && day < to;
}

/** Objectives without a value, where the source has not said why, and those that not every day until now tells of. */
function unmeasuredGaps(
  objectives: readonly ObjectiveResult[],
  { gaps }: Pick<ServiceFactsFound, "gaps">,
  { from, to, now }: Pick<ReportFacts, "from" | "to" | "now">,
): string[] {
  const explained = (name: string) => gaps.some((gap) => gap.startsWith(`${name}: `));
  const unmeasured = objectives.filter(({ value, name }) => value === null && !explained(name));
  const days = Math.ceil(Math.min(to, Math.max(now, from + 1)) / dayMs) - Math.floor(from / dayMs);
  const partly = objectives.filter(({ value, daysMeasured }) => value !== null && daysMeasured < days);
  const named = (each: readonly ObjectiveResult[], shown: (one: ObjectiveResult) => string) =>
    each.map(shown).join(", ");
  return [
    ...(unmeasured.length > 0 ? [`not measured in this period: ${named(unmeasured, ({ name }) => name)}`] : []),
    ...(partly.length > 0
      ? [
          `measured on fewer than the ${days} days of this period: ${named(partly, ({ name, daysMeasured }) => `${name} on ${daysMeasured}`)}`,
        ]
      : []),
  ];
}

/** Indicators that are counts of requests and errors, which the budget has as well. */
export function isCounted(indicator: Indicator): boolean {
  return indicator === "availability" || indicator === "success-rate" || indicator === "error-rate";
}

function percentOf(indicator: Indicator, counted: readonly CountedInterval[]): number | undefined {
  const errors = counted.reduce((sum, each) => sum + each.errors, 0);
  const requests = counted.reduce((sum, each) => sum + Math.max(each.requests, each.errors), 0);
  if (requests === 0) return undefined;
  const errorPercent = (100 * errors) / requests;
  return indicator === "error-rate" ? errorPercent : 100 - errorPercent;
}

function byDay(counted: readonly CountedInterval[]): CountedInterval[][] {
  const days = new Map<number, CountedInterval[]>();
  for (const interval of counted) {
    const day = Math.floor(interval.at / dayMs);
    days.set(day, [...(days.get(day) ?? []), interval]);
  }
  return [...days.values()];
}

function worst(values: readonly number[], badSide: "above" | "below"): number | undefined {
  if (values.length === 0) return undefined;
  return badSide === "above" ? Math.max(...values) : Math.min(...values);
}

function figuresOf(
  rollouts: readonly Rollout[],
  incidents: readonly Incident[],
  inPeriod: (at: Instant | undefined) => boolean,
): ServiceReport["figures"] {
  const ended = rollouts.filter(({ endedAt }) => inPeriod(endedAt));
  const finished = ended.filter(({ outcome }) => outcome === "finished").length;
  const rolledBack = ended.filter(({ outcome }) => outcome === "rolled-back").length;
  const judged = finished + rolledBack;
  // A kill restores at once by definition; what only tells people changes nothing for users.
  const restored = incidents.flatMap(({ kind, what, startedAt, restoredAt }) =>
    kind === "breach" && !what.endsWith(": notify") && restoredAt !== undefined
      ? [minutes(restoredAt - startedAt)]
      : [],
  );
  const criticals = incidents.filter(({ severity, kind }) => severity === "critical" && kind !== "kill");
  const inTime = criticals.filter(
    ({ startedAt, handledAt }) => handledAt !== undefined && minutes(handledAt - startedAt) < handleTargetMinutes,
  );
  const meanRestore = mean(restored);
  return {
    openings: rollouts.flatMap(({ openedAt }) => openedAt).filter(inPeriod).length,
    finished,
    rolledBack,
    successRatePercent: judged === 0 ? null : round((100 * finished) / judged),
    meanCanaryMinutes: mean(
      ended.flatMap(({ outcome, startedAt, endedAt }) =>
        outcome === "replaced" || endedAt === undefined ? [] : [minutes(endedAt - startedAt)],
      ),
    ),
    restore: { meanMinutes: meanRestore, met: meanRestore === null ? null : meanRestore < restoreTargetMinutes },
    criticals: criticals.length,
    criticalsHandledInTime: inTime.length,
    openIncidents: incidents.filter(({ handledAt }) => handledAt === undefined).length,
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : round(values.reduce((sum, value) => sum + value, 0) / values.length);
}

const dayMs = 86_400_000;

function minutes(milliseconds: number): number {
  return round(milliseconds / 60_000);
}

/** Four digits after the point: 99.95 % must not become 100. */
function round(value: number): number {
  return Number(value.toFixed(4));
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : iso(at);
}
