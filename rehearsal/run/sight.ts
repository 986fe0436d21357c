/**
 * Whether a fault can be seen at an exposure at all: arithmetic from the alarms' floors and the traffic, without a simulation.
 * Says by name what is missing, so that a table can say "cannot be seen here" and why.
 */
import { type AlarmSpec, alarmsFor } from "../../core/alarms.ts";
import { ratioFloors } from "../../core/false-rollback.ts";
import {
  defaultRequestFloor,
  type Indicator,
  indicators,
  isMeasurable,
  type MetricSource,
  type Objective,
} from "../../core/objectives.ts";
import type { Plan } from "../../core/plans.ts";
import { visibilityWindowSeconds } from "../../core/visibility.ts";
import { hostTargets, type RuleContext, serviceRules } from "../../core/watch-rules.ts";
import { type FaultKind, type ReportedFaultKind, reportedFaultKinds } from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";
import { fixedValue, healthyPercentileMs, healthyValue } from "../traffic/healthy.ts";
import { indicatorOfFault } from "./fault-size.ts";

export interface SightQuestion {
  readonly kind: FaultKind;
  /** As injected. */
  readonly magnitude: number;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  readonly exposurePercent: number;
  /** Of the whole service. */
  readonly ratePerSecond: number;
  /** Waves' own bounds. @default none */
  readonly plan?: Plan;
}

export type Sight =
  | {
      readonly isSeen: true;
      /** Keys of the alarms that can speak; empty where the hook's own look at the counts tells. */
      readonly alarmKeys: readonly string[];
    }
  | { readonly isSeen: false; readonly reason: string };

const indicatorsOfRequests: Readonly<Record<Exclude<FaultKind, ReportedFaultKind>, readonly Indicator[]>> = {
  "error-spike": ["error-rate", "success-rate", "availability"],
  "latency-regression": ["latency-p50", "latency-p95", "latency-p99"],
  "invariant-violation": ["invariant-violations"],
  "metrics-outage": [],
};

function isReported(kind: FaultKind): kind is ReportedFaultKind {
  return reportedFaultKinds.some((known) => known === kind);
}

function indicatorsOf(kind: FaultKind): readonly Indicator[] {
  return isReported(kind) ? [indicatorOfFault[kind]] : indicatorsOfRequests[kind];
}

/** What is known of the other releases at the last opening: as healthy as any. */
const healthyFigures = (Object.keys(indicators) as Indicator[]).flatMap((indicator) => {
  const value = healthyValue(indicator);
  return value === undefined
    ? []
    : (["baseline", "previous-wave"] as const).map((of) => ({ of, percent: 0, indicator, value }));
});

/** The canary as its alarms are declared for one exposure. */
function canaryAt({ plan, exposurePercent }: SightQuestion): NonNullable<RuleContext["canary"]> {
  const noPlan: Plan = { name: "none", waves: [], watchAfterMinutes: 0 };
  return { plan: plan ?? noPlan, exposurePercent, figures: healthyFigures };
}

/** Objectives that could tell of a fault of this kind. */
export function objectivesFor(kind: FaultKind, objectives: readonly Objective[]): string[] {
  if (kind === "metrics-outage") return ["no-data"];
  return objectives
    .filter((objective) => indicatorsOf(kind).includes(objective.indicator))
    .map((objective) => objective.name);
}

export function sightOf(question: SightQuestion): Sight {
  if (question.kind === "metrics-outage") return sightOfOutage(question);
  const { kind, objectives, source } = question;
  const { exposurePercent } = question;
  const alarms = alarmsFor(objectives, source, hostTargets, canaryAt(question))
    .filter((alarm) => indicatorsOf(kind).includes(alarm.indicator))
    .filter(({ rule }) => rule.atPercents?.includes(exposurePercent) ?? true);
  if (alarms.length === 0) return { isSeen: false, reason: whyNoAlarm(question) };
  const missing = alarms.map((alarm) => ({ alarm, reason: missingFor(alarm, question) }));
  const speaking = missing.filter((entry) => entry.reason === undefined).map((entry) => entry.alarm.key);
  if (speaking.length > 0) return { isSeen: true, alarmKeys: speaking };
  // The alarm with the longest period has the most requests to go by: what it lacks, all lack.
  const longest = missing.reduce((most, entry) =>
    entry.alarm.periodSeconds > most.alarm.periodSeconds ? entry : most,
  );
  return { isSeen: false, reason: longest.reason ?? "" };
}

function whyNoAlarm({ kind, objectives, source }: SightQuestion): string {
  const wanted = indicatorsOf(kind);
  const named = objectives.filter((objective) => wanted.includes(objective.indicator));
  if (named.length === 0) return `no objective on ${wanted.join(", ")}`;
  const unmeasured = named.filter((objective) => !isMeasurable(objective.indicator, source));
  if (unmeasured.length > 0)
    return `source ${source} does not measure ${unmeasured.map((objective) => objective.name).join(", ")}`;
  const told = serviceRules(objectives, source).filter((rule) => wanted.includes(rule.indicator));
  const names = [...new Set(told.map(({ objective }) => objective))].join(", ");
  if (names !== "") return `${names} only tells people, of the service as a whole`;
  return `${named.map((objective) => objective.name).join(", ")} have a target but no bound`;
}

/** What keeps one alarm from speaking; `undefined`: nothing. */
function missingFor(alarm: AlarmSpec, question: SightQuestion): string | undefined {
  const { exposurePercent, ratePerSecond, magnitude } = question;
  const requests = (ratePerSecond * exposurePercent * alarm.periodSeconds) / 100;
  const had = `${round(exposurePercent)} % of ${round(ratePerSecond)}/s gives ${grouped(requests)}`;
  if (requests < alarm.requestFloor) {
    return `${alarm.objective} needs ${grouped(alarm.requestFloor)} requests in ${alarm.periodSeconds} s; ${had}`;
  }
  const floors = ratioFloors(alarm);
  if (floors && question.kind === "error-spike") {
    const most = limitOf(alarm.rule, healthyValue(alarm.indicator) ?? 0);
    const fraction = magnitude + traffic.errors.baseFraction;
    const needed = floors.errorsOf(requests);
    if (requests * fraction < needed) {
      return `${alarm.objective} needs ${needed} errors in ${alarm.periodSeconds} s; ${had}, ${round(requests * fraction)} of them errors`;
    }
    return 100 * fraction > most ? undefined : `${round(100 * fraction)} % is under the bound of ${round(most)} %`;
  }
  return isReported(question.kind)
    ? missingForReported(alarm, question, question.kind, requests)
    : missingForRequests(alarm, question, requests);
}

/** Invariants and latencies. */
function missingForRequests({ rule }: AlarmSpec, { magnitude }: SightQuestion, requests: number): string | undefined {
  if (rule.indicator === "invariant-violations") {
    return requests * magnitude > 0 ? undefined : "there are no requests that could break the invariant";
  }
  const healthy = healthyPercentileMs(rule.indicator);
  const milliseconds = healthy * magnitude;
  const most = limitOf(rule, healthy);
  return milliseconds > most
    ? undefined
    : `${round(milliseconds)} ms is under the bound of ${round(most)} ms${rule.reference ? " that a healthy baseline makes" : ""}`;
}

/** The rule's threshold as a fixed value. */
function limitOf({ threshold: value, reference, response }: AlarmSpec["rule"], healthy: number): number {
  return fixedValue({ value, response, ...(reference ? { reference } : {}) }, healthy);
}

/** What a release reports of itself hangs on no floor of requests, but on there being some. */
function missingForReported(
  { rule }: AlarmSpec,
  { magnitude }: SightQuestion,
  kind: ReportedFaultKind,
  requests: number,
): string | undefined {
  if (requests <= 0) return "it reports only while it has requests";
  const healthy = healthyValue(rule.indicator) ?? 0;
  const most = limitOf(rule, healthy);
  const under = (value: number, unit: string) =>
    value > most ? undefined : `${round(value)}${unit} is under the bound of ${round(most)}${unit}`;
  switch (kind) {
    case "memory-leak":
      if (rule.reference?.kind !== "growth") return undefined; // sooner or later it passes any level
      return magnitude > rule.threshold
        ? undefined
        : `${round(magnitude)} % an hour is under the bound of ${round(rule.threshold)} %`;
    case "memory-step":
      // In one hour it grows by the whole step.
      return rule.reference?.kind === "growth" ? undefined : under(healthy * magnitude, " MB");
    case "cpu-hot":
      return under(healthy * magnitude, " %");
    case "cache-cold":
      return healthy * magnitude < most
        ? undefined
        : `${round(healthy * magnitude)} % is over the bound of ${round(most)} %`;
    case "rejects":
      return under(magnitude, " a minute");
    case "dual-run-mismatch":
      return under(magnitude, " an hour");
    case "breaker-open":
    case "flag-mismatch":
    case "crash":
      return undefined;
  }
}

/** The hook compares what the canary reports with what it must have had. */
function sightOfOutage({ source, exposurePercent, ratePerSecond }: SightQuestion): Sight {
  // At 100 % on a load balancer nothing is left to compare with: the blind clock runs, which needs no requests at all.
  if (source === "alb" && exposurePercent === 100) return { isSeen: true, alarmKeys: [] };
  const requests = (ratePerSecond * exposurePercent * visibilityWindowSeconds) / 100;
  if (requests >= defaultRequestFloor) return { isSeen: true, alarmKeys: [] };
  return {
    isSeen: false,
    reason: `silence counts from ${defaultRequestFloor} requests in ${visibilityWindowSeconds} s; ${round(exposurePercent)} % of ${round(ratePerSecond)}/s gives ${grouped(requests)}`,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
