/**
 * Watch rules: how each bound of an objective is watched, said once for every system that can watch it (B1, D1 to D3). CloudWatch alarms
 * (`alarms.ts`), Prometheus expressions, Datadog monitors and the rehearsal are all made from these, so that they agree.
 *
 * A rule compares one measure of one release in a window with a threshold, and speaks when M of the newest N windows are bad.
 *
 * Bounds that only tell people (`notify`) with a fixed value are watched for the service as a whole, on the worst of its releases; all others
 * for each release by itself, since what lowers a release must never speak for another one.
 */
import {
  type Bound,
  type BoundReference,
  defaultErrorFloor,
  defaultRequestFloor,
  type Indicator,
  indicators,
  isMeasurable,
  type MetricSource,
  type Objective,
  type Response,
  type Severity,
  severities,
} from "./objectives.ts";
import type { Plan, WaveCriterion } from "./plans.ts";
import type { Signal } from "./signals.ts";

/** What is behind a target group, as far as its metrics differ. */
export interface TargetKind {
  readonly isLambda: boolean;
  /** Whether the load balancer checks health: always, save for Lambda targets, which come without. */
  readonly hasHealthChecks: boolean;
}

/** Instances and IP addresses. */
export const hostTargets: TargetKind = { isLambda: false, hasHealthChecks: true };

/** How one number comes of the signals of one release in one window. */
export type Measure =
  /** 100 × sum of the parts / sum of the whole. Unit: percent. */
  | { readonly kind: "ratio"; readonly part: readonly Signal[]; readonly whole: readonly Signal[] }
  /** Sum of one / sum of the other; nothing where the other is 0. */
  | { readonly kind: "quotient"; readonly part: Signal; readonly whole: Signal }
  /** Unit: milliseconds. */
  | { readonly kind: "percentile"; readonly signal: "latency"; readonly percentile: number }
  /** Count in the window, scaled to so many seconds where those are given. */
  | { readonly kind: "sum"; readonly signals: readonly Signal[]; readonly perSeconds?: number }
  | { readonly kind: "gauge"; readonly signal: Signal; readonly statistic: "mean" | "maximum" | "minimum" };

export interface Window {
  /** Length of one window. Unit: seconds. */
  readonly periodSeconds: number;
  /** N: how many windows are looked at. */
  readonly evaluationPeriods: number;
  /** M: how many of them must be bad. */
  readonly datapointsToAlarm: number;
}

/** One way in which one bound is watched. */
export interface WatchRule extends Window {
  /** Unique in its scope: `error-rate/critical/60s`. */
  readonly key: string;
  readonly objective: string;
  readonly indicator: Indicator;
  readonly severity: Severity;
  readonly response: Response;
  /** `service`: the worst of all live releases; tells people and acts on nothing. */
  readonly scope: "release" | "service";
  readonly measure: Measure;
  readonly comparison: "above" | "below";
  /** In the measure's unit; with a reference as `Bound.value` says. */
  readonly threshold: number;
  /** Absent: the threshold stands for itself. A `previous-wave` never appears: it has become a figure. */
  readonly reference?: Exclude<BoundReference, { kind: "previous-wave" }>;
  /** Fewest requests in a window for the rule to speak (with a reference: of either release); 0: they do not matter. */
  readonly requestFloor: number;
  /** Fewest counts of a ratio's part in a window for the rule to speak; 0: they do not matter. */
  readonly errorFloor: number;
  /** Exposures at which it counts. Unit: percent. @default every one */
  readonly atPercents?: readonly number[];
  /** Where a figure became the threshold: `baseline at 50 %`, `wave 10`. */
  readonly figureOf?: string;
}

/** What a release came to, read once when a wave opened, for bounds that are measured against it later. */
export interface FrozenFigure {
  readonly of: "previous-wave" | "baseline";
  /** Exposure at which it was measured. Unit: percent. */
  readonly percent: number;
  readonly indicator: Indicator;
  /** In the indicator's unit. */
  readonly value: number;
}

export interface RuleContext {
  /** @default hosts */
  readonly target?: TargetKind;
  /** The release is the canary of this plan; absent: bounds measured against a baseline, and waves' own bounds, do not apply. */
  readonly canary?: {
    readonly plan: Plan;
    /** What this `up` declares. At 100 nothing is left to compare with, so figures stand in. Unit: percent. */
    readonly exposurePercent: number;
    readonly figures: readonly FrozenFigure[];
  };
}

/** Systems that watch. */
export const watchingSystems = ["cloudwatch", "prometheus", "datadog"] as const;
export type WatchingSystem = (typeof watchingSystems)[number];

/** Which system watches a rule: the source's own, and CloudWatch for what the load balancer alone knows. */
export function watchedIn(rule: Pick<WatchRule, "indicator">, source: MetricSource): WatchingSystem {
  if (rule.indicator === "healthy-hosts" || source === "alb" || source === "emf") return "cloudwatch";
  return source;
}

/** A bound that has no rule, and why; to be named to the user. */
export interface Unwatched {
  readonly objective: string;
  readonly severity: Severity;
  readonly why: string;
}

/** Samples under which CloudWatch itself calls a percentile low on data: 10 / (1 - p). Source: CloudWatch guide, 2023-06. */
export function percentileSampleFloor(percentile: number): number {
  return Math.ceil(1_000 / (100 - percentile));
}

/** Long windows look at two: the newest is cut short by late data, the one before is whole. */
const fiveMinutes: Window = { periodSeconds: 300, evaluationPeriods: 2, datapointsToAlarm: 1 };
const oneMinute: Window = { periodSeconds: 60, evaluationPeriods: 1, datapointsToAlarm: 1 };
const oneMinuteTwoOfThree: Window = { periodSeconds: 60, evaluationPeriods: 3, datapointsToAlarm: 2 };
const oneMinuteTwice: Window = { periodSeconds: 60, evaluationPeriods: 2, datapointsToAlarm: 2 };
const tenSecondsOnce: Window = { periodSeconds: 10, evaluationPeriods: 1, datapointsToAlarm: 1 };
const tenSecondsTwice: Window = { periodSeconds: 10, evaluationPeriods: 2, datapointsToAlarm: 2 };
/** Growth is judged from hour to hour. */
const hourly: Window = { periodSeconds: 3_600, evaluationPeriods: 1, datapointsToAlarm: 1 };

function statedWindow(windowSeconds: number): Window {
  return windowSeconds >= 300
    ? { periodSeconds: windowSeconds, evaluationPeriods: 2, datapointsToAlarm: 1 }
    : { periodSeconds: windowSeconds, evaluationPeriods: 1, datapointsToAlarm: 1 };
}

/**
 * A small share of the traffic is seen only in a long window, a large one is seen fast: what is critical is watched in both. A warning has
 * time (docs/decisions/0003, 0017). Sources without 10 s points of their own are asked by the minute.
 */
function ratioWindows(severity: Severity, source: MetricSource): Window[] {
  if (severity === "warning") return [fiveMinutes];
  return source === "emf" ? [tenSecondsTwice, oneMinuteTwoOfThree, fiveMinutes] : [oneMinuteTwoOfThree, fiveMinutes];
}

/**
 * The errors of a release: its own 5xx, and on a load balancer what came to no answer: connections that its targets refused, or runs
 * of a function that failed (there is no connection to a function).
 * Source: "CloudWatch metrics for your Application Load Balancer", ALB user guide, read 2026-11.
 */
export function errorSignals(source: MetricSource, target: TargetKind = hostTargets): Signal[] {
  if (source !== "alb") return ["errors"];
  return target.isLambda ? ["errors", "failed-runs", "refused-runs"] : ["errors", "connection-errors"];
}

/** Bounds on what should be high that are watched as what is missing of it: 99.9 % available is 0.1 % errors. */
const watchedInverted: ReadonlySet<Indicator> = new Set(["availability", "success-rate"]);

/** How an indicator is measured on a source. */
export function measureOf(indicator: Indicator, source: MetricSource, target: TargetKind = hostTargets): Measure {
  const ratio = (part: Signal, ...whole: Signal[]): Measure => ({ kind: "ratio", part: [part], whole });
  switch (indicator) {
    case "error-rate":
    case "success-rate":
    case "availability":
      return { kind: "ratio", part: errorSignals(source, target), whole: ["requests"] };
    case "latency-p50":
      return { kind: "percentile", signal: "latency", percentile: 50 };
    case "latency-p95":
      return { kind: "percentile", signal: "latency", percentile: 95 };
    case "latency-p99":
      return { kind: "percentile", signal: "latency", percentile: 99 };
    case "healthy-hosts":
      return { kind: "gauge", signal: "healthy-hosts", statistic: "minimum" };
    case "invariant-violations":
      return { kind: "sum", signals: ["invariant-violations"] };
    case "throughput":
      return { kind: "quotient", part: "items-processed", whole: "processing-seconds" };
    case "memory":
      return { kind: "gauge", signal: "memory-megabytes", statistic: "mean" };
    case "cpu":
      return { kind: "gauge", signal: "cpu-percent", statistic: "mean" };
    case "cache-hit-ratio":
      return ratio("cache-hits", "cache-hits", "cache-misses");
    case "rate-limit-rejects":
      return { kind: "sum", signals: ["rate-limit-rejects"], perSeconds: 60 };
    case "rate-limit-reject-rate":
      return ratio("rate-limit-rejects", "requests");
    case "circuit-breaker-open":
      return { kind: "gauge", signal: "breaker-open-seconds", statistic: "maximum" };
    case "circuit-breaker-recovery":
      return { kind: "gauge", signal: "breaker-recovery-seconds", statistic: "maximum" };
    case "dual-run-failures":
      return { kind: "sum", signals: ["dual-run-failures"], perSeconds: 3_600 };
    case "fallback-rate":
      return ratio("fallbacks", "requests");
    case "flag-mismatches":
      return { kind: "sum", signals: ["flag-mismatches"] };
    case "flag-coverage":
      return ratio("flag-evaluations", "requests");
    case "crashes":
      return { kind: "sum", signals: ["crashes"] };
  }
}

function windowsOf(indicator: Indicator, bound: Bound, severity: Severity, source: MetricSource): Window[] {
  if (bound.reference?.kind === "growth") return [hourly];
  if (indicator === "healthy-hosts") return [oneMinuteTwice];
  const isStated = bound.windowSeconds !== undefined;
  switch (indicator) {
    case "error-rate":
    case "success-rate":
    case "availability":
      if (isStated) break;
      return bound.reference ? [fiveMinutes] : ratioWindows(severity, source);
    case "invariant-violations":
      return [source === "emf" ? tenSecondsOnce : oneMinute];
    case "crashes":
    case "circuit-breaker-open":
    case "rate-limit-rejects":
      if (isStated) break;
      return [oneMinute];
    case "dual-run-failures":
      if (isStated) break;
      return [hourly];
  }
  return [statedWindow(bound.windowSeconds ?? 300)];
}

/** 100 - 99.9 is 0.09999999999999432 in binary; thresholds are read by people. */
function readable(value: number): number {
  return Number(value.toFixed(6));
}

function figureFor(
  { kind }: BoundReference,
  indicator: Indicator,
  canary: NonNullable<RuleContext["canary"]>,
): FrozenFigure | undefined {
  const of = kind === "previous-wave" ? "previous-wave" : "baseline";
  return canary.figures.find((figure) => figure.of === of && figure.indicator === indicator);
}

/** A bound that a figure has made a fixed value of. */
function fixedBy(figure: FrozenFigure, bound: Bound): { readonly value: number; readonly figureOf: string } {
  const form = bound.reference?.kind === "growth" ? "factor" : (bound.reference?.form ?? "factor");
  return {
    value: readable(form === "factor" ? figure.value * bound.value : figure.value + bound.value),
    figureOf: figure.of === "baseline" ? `baseline at ${figure.percent} %` : `wave ${figure.percent}`,
  };
}

interface Promise {
  readonly objective: Pick<Objective, "name" | "indicator" | "minimumRequests" | "minimumErrors">;
  readonly severity: Severity;
  readonly bound: Bound;
  readonly atPercents?: readonly number[];
}

/** The rules of one bound, or why it has none. */
function rulesOfBound(
  { objective, severity, bound, atPercents }: Promise,
  source: MetricSource,
  context: RuleContext,
): WatchRule[] | Unwatched {
  const { indicator, name } = objective;
  const target = context.target ?? hostTargets;
  const unwatched = (why: string): Unwatched => ({ objective: name, severity, why });
  const measure = measureOf(indicator, source, target);
  let { value } = bound;
  let reference = bound.reference;
  let figureOf: string | undefined;
  if (reference && reference.kind !== "growth") {
    const { canary } = context;
    if (!canary) return unwatched("it is measured against the baseline, so only a canary is watched for it");
    const needsFigure = reference.kind === "previous-wave" || canary.exposurePercent >= 100;
    if (needsFigure) {
      const figure = figureFor(reference, indicator, canary);
      if (!figure) {
        return unwatched(
          reference.kind === "previous-wave"
            ? "what the wave before came to is not known"
            : "the baseline has no traffic at 100 %, and what it came to before is not known",
        );
      }
      ({ value, figureOf } = fixedBy(figure, bound));
      reference = undefined;
    }
  }
  const inverted = watchedInverted.has(indicator) && reference === undefined;
  const comparison = inverted ? "above" : indicators[indicator].badSide;
  const isRatio = measure.kind === "ratio";
  const requestFloor = isRatio
    ? (objective.minimumRequests ?? defaultRequestFloor)
    : measure.kind === "percentile"
      ? Math.max(objective.minimumRequests ?? defaultRequestFloor, percentileSampleFloor(measure.percentile))
      : 0;
  const errorFloor = isRatio && comparison === "above" ? (objective.minimumErrors ?? defaultErrorFloor) : 0;
  const scope = bound.response === "notify" && !bound.reference && !atPercents ? "service" : "release";
  return windowsOf(indicator, bound, severity, source).map((window) => ({
    key: [
      name,
      severity,
      `${window.periodSeconds}s`,
      ...(atPercents ? [`at-${atPercents.join("-")}`] : []),
      ...(reference ? [`of-${reference.kind}`] : []),
      ...(figureOf === undefined ? [] : [`of-${figureOf.replace(/ %/, "").replaceAll(" ", "-")}`]),
    ].join("/"),
    objective: name,
    indicator,
    severity,
    response: bound.response,
    scope,
    measure,
    comparison,
    threshold: inverted ? readable(100 - value) : value,
    ...(reference && reference.kind !== "previous-wave" ? { reference } : {}),
    ...window,
    requestFloor,
    errorFloor,
    ...(atPercents ? { atPercents } : {}),
    ...(figureOf === undefined ? {} : { figureOf }),
  }));
}

/** A wave's own bound, as an objective's would be written. */
function promiseOf(criterion: WaveCriterion, percent: number): Promise | undefined {
  if (criterion.kind !== "rollback" || !criterion.watch) return undefined;
  const { indicator, bound, minimumRequests, minimumErrors } = criterion.watch;
  return {
    objective: {
      name: `wave-${indicator}`,
      indicator,
      ...(minimumRequests === undefined ? {} : { minimumRequests }),
      ...(minimumErrors === undefined ? {} : { minimumErrors }),
    },
    severity: "critical",
    bound,
    atPercents: [percent],
  };
}

/** Whether one rule can never speak without the other one speaking too, with the same consequence. */
function isImpliedBy(rule: WatchRule, other: WatchRule): boolean {
  const sameWatch =
    rule !== other &&
    rule.scope === other.scope &&
    rule.severity === other.severity &&
    rule.response === other.response &&
    rule.comparison === other.comparison &&
    rule.periodSeconds === other.periodSeconds &&
    rule.evaluationPeriods === other.evaluationPeriods &&
    rule.datapointsToAlarm === other.datapointsToAlarm &&
    !rule.reference &&
    !other.reference &&
    !rule.atPercents &&
    !other.atPercents &&
    rule.requestFloor >= other.requestFloor &&
    rule.errorFloor >= other.errorFloor &&
    JSON.stringify(rule.measure) === JSON.stringify(other.measure);
  if (!sameWatch) return false;
  return rule.comparison === "above" ? rule.threshold > other.threshold : rule.threshold < other.threshold;
}

/**
 * Every rule of a service's objectives and plan for one release, and every bound that has none.
 * Rules of scope `service` are the same whatever the release; declare them once.
 */
export function watchRules(
  objectives: readonly Objective[],
  source: MetricSource,
  context: RuleContext = {},
): { readonly rules: readonly WatchRule[]; readonly unwatched: readonly Unwatched[] } {
  const rules: WatchRule[] = [];
  const unwatched: Unwatched[] = [];
  const target = context.target ?? hostTargets;
  const ofObjectives = objectives.flatMap((objective): Promise[] =>
    severities.flatMap((severity) => {
      const bound = objective[severity];
      return bound ? [{ objective, severity, bound }] : [];
    }),
  );
  const ofWaves = (context.canary?.plan.waves ?? []).flatMap((wave) =>
    wave.criteria.flatMap((criterion) => promiseOf(criterion, wave.exposurePercent) ?? []),
  );
  for (const promise of [...ofObjectives, ...ofWaves]) {
    const { name, indicator } = promise.objective;
    if (!isMeasurable(indicator, source)) {
      unwatched.push({ objective: name, severity: promise.severity, why: `source ${source} does not measure it` });
    } else if (indicator === "healthy-hosts" && !target.hasHealthChecks) {
      unwatched.push({ objective: name, severity: promise.severity, why: "its targets have no health checks" });
    } else {
      const made = rulesOfBound(promise, source, context);
      if ("why" in made) unwatched.push(made);
      else rules.push(...made);
    }
  }
  return { rules: rules.filter((rule) => !rules.some((other) => isImpliedBy(rule, other))), unwatched };
}

/** Rules that watch one release by itself. */
export function releaseRules(
  objectives: readonly Objective[],
  source: MetricSource,
  context: RuleContext = {},
): readonly WatchRule[] {
  return watchRules(objectives, source, context).rules.filter(({ scope }) => scope === "release");
}

/** Rules that watch the service as a whole and tell people. */
export function serviceRules(
  objectives: readonly Objective[],
  source: MetricSource,
  target: TargetKind = hostTargets,
): readonly WatchRule[] {
  return watchRules(objectives, source, { target }).rules.filter(({ scope }) => scope === "service");
}
