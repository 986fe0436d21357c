/**
 * Whether a fault can be seen at an exposure at all: arithmetic from the alarms' floors and the traffic, without a simulation.
 * Says by name what is missing, so that a table can say "cannot be seen here" and why.
 */
import { type AlarmSpec, alarmsFor } from "../../core/alarms.ts";
import { ratioFloors } from "../../core/false-rollback.ts";
import {
  defaultRequestFloor,
  type Indicator,
  isMeasurable,
  type MetricSource,
  type Objective,
} from "../../core/objectives.ts";
import { visibilityWindowSeconds } from "../../core/visibility.ts";
import type { FaultKind } from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";
import { healthyPercentileMs } from "./fault-size.ts";

export interface SightQuestion {
  readonly kind: FaultKind;
  /** As injected: added error fraction, latency factor, violations a request. */
  readonly magnitude: number;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  readonly exposurePercent: number;
  /** Of the whole service. */
  readonly ratePerSecond: number;
}

export type Sight =
  | {
      readonly isSeen: true;
      /** Keys of the alarms that can speak; empty where the hook's own look at the counts tells. */
      readonly alarmKeys: readonly string[];
    }
  | { readonly isSeen: false; readonly reason: string };

const indicatorsOf: Readonly<Record<FaultKind, readonly Indicator[]>> = {
  "error-spike": ["error-rate", "availability"],
  "latency-regression": ["latency-p50", "latency-p95", "latency-p99"],
  "invariant-violation": ["invariant-violations"],
  "metrics-outage": [],
};

/** Objectives that could tell of a fault of this kind. */
export function objectivesFor(kind: FaultKind, objectives: readonly Objective[]): string[] {
  if (kind === "metrics-outage") return ["no-data"];
  return objectives
    .filter((objective) => indicatorsOf[kind].includes(objective.indicator))
    .map((objective) => objective.name);
}

export function sightOf(question: SightQuestion): Sight {
  if (question.kind === "metrics-outage") return sightOfOutage(question);
  const { kind, objectives, source } = question;
  const alarms = alarmsFor(objectives, source).filter((alarm) => indicatorsOf[kind].includes(alarm.indicator));
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
  const named = objectives.filter((objective) => indicatorsOf[kind].includes(objective.indicator));
  if (named.length === 0) return `no objective on ${indicatorsOf[kind].join(", ")}`;
  const unmeasured = named.filter((objective) => !isMeasurable(objective.indicator, source));
  if (unmeasured.length > 0)
    return `source ${source} does not measure ${unmeasured.map((objective) => objective.name).join(", ")}`;
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
  if (floors) {
    const fraction = magnitude + traffic.errors.baseFraction;
    if (requests * fraction < floors.errors) {
      return `${alarm.objective} needs ${floors.errors} errors in ${alarm.periodSeconds} s; ${had}, ${round(requests * fraction)} of them errors`;
    }
    return 100 * fraction > alarm.threshold
      ? undefined
      : `${round(100 * fraction)} % is under the bound of ${alarm.threshold} %`;
  }
  if (alarm.indicator === "invariant-violations") {
    return requests * magnitude > 0 ? undefined : "there are no requests that could break the invariant";
  }
  const milliseconds = healthyPercentileMs(alarm.indicator) * magnitude;
  return milliseconds > alarm.threshold
    ? undefined
    : `${round(milliseconds)} ms is under the bound of ${alarm.threshold} ms`;
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
