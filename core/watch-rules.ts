/**
 * Watch rules: how each bound of an objective is watched, said once for every system that can watch it (B1, D1 to D3). CloudWatch alarms
 * (`alarms.ts`), Prometheus expressions, Datadog monitors and the rehearsal are all made from these, so that they agree.
 *
 * A rule compares one measure of one release in a window with a threshold, and speaks when M of the newest N windows are bad.
 *
 * Bounds that only tell people (`notify`) with a fixed value are watched for the service as a whole, on the worst of its releases; all others
 * for each release by itself, since what lowers a release must never speak for another one.
 */

import { fewestErrors, usualPercentOf } from "./chance.ts";
import {
  hostTargets,
  type Measure,
  measureOf,
  mostMilliseconds,
  percentileSampleFloor,
  type TargetKind,
} from "./measures.ts";
import {
  type Bound,
  type BoundReference,
  defaultErrorFloor,
  defaultRequestFloor,
  type Indicator,
  indicators,
  isMeasurable,
  loweringResponses,
  type MetricSource,
  type Objective,
  type Response,
  type Severity,
  severities,
} from "./objectives.ts";
import { type Plan, previousExposure, type WaveCriterion } from "./plans.ts";
import { type Window, windowsOf } from "./watch-windows.ts";

export {
  errorSignals,
  hostTargets,
  type Measure,
  measureOf,
  percentileSampleFloor,
  type TargetKind,
} from "./measures.ts";
export { measuredShare, type Window } from "./watch-windows.ts";

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
  /**
   * Absent: the threshold stands for itself. A `previous-wave` never appears: it has become a figure. `growth` says nothing unless the window
   * before was measured for at least `measuredShare` of it, since a new release grows while it warms up.
   */
  readonly reference?: Exclude<BoundReference, { kind: "previous-wave" }>;
  /** Fewest requests in a window for the rule to speak (with a reference: of either release); 0: they do not matter. */
  readonly requestFloor: number;
  /** Fewest counts of a ratio's part in a window for the rule to speak; 0: they do not matter. */
  readonly errorFloor: number;
  /** The ratio of a healthy release beyond which chance is reckoned (`chance.ts`), beside the floors. Absent: they alone are asked. Unit: percent. */
  readonly usualPercent?: number;
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
  /** Exposures at which it would count. Unit: percent. @default every one */
  readonly atPercents?: readonly number[];
}

/** Whether what a release came to can be read when a wave opens: of what other systems measure, only their own rules are asked. */
export function hasFigures(source: MetricSource): boolean {
  return source === "alb" || source === "emf";
}

/** Bounds on what should be high that are watched as what is missing of it: 99.9 % available is 0.1 % errors. */
const watchedInverted: ReadonlySet<Indicator> = new Set(["availability", "success-rate"]);

/** 100 - 99.9 is 0.09999999999999432 in binary; thresholds are read by people. */
function readable(value: number): number {
  return Number(value.toFixed(6));
}

/** Measures that two releases can be compared by: a count depends on how much traffic a release has, and hosts on who counts them. */
const comparable: ReadonlySet<Measure["kind"]> = new Set(["ratio", "quotient", "percentile", "gauge"]);

/** Why a bound cannot be measured against what its reference says, whatever is known; `undefined`: it can. */
function unreferable(
  { kind }: BoundReference,
  { indicator, measure, form }: { readonly indicator: Indicator; readonly measure: Measure; readonly form?: string },
  atPercents: readonly number[] | undefined,
): string | undefined {
  if (kind === "growth") return measure.kind === "gauge" ? undefined : "only what is a level grows; bound its value";
  if (!comparable.has(measure.kind) || indicator === "healthy-hosts") {
    return "a count depends on how much traffic a release has, so two releases do not compare; bound its value";
  }
  if (kind === "previous-wave" && !atPercents) return "only a wave's own bound is measured against the wave before";
  if (kind === "baseline" && form === "factor" && watchedInverted.has(indicator)) {
    return "a multiple of a success rate says little of its errors; bound it by points, or bound the error rate";
  }
  return undefined;
}

/**
 * The figure that stands for a reference. Of the wave before: one measured below the wave and no lower than the plan's wave before it, since
 * a lowering may have led in between.
 */
function figureFor(
  { kind }: BoundReference,
  indicator: Indicator,
  { plan, figures }: NonNullable<RuleContext["canary"]>,
  atPercents: readonly number[] | undefined,
): FrozenFigure | undefined {
  const [wavePercent] = atPercents ?? [];
  return figures.find((figure) => {
    if (figure.indicator !== indicator) return false;
    if (kind !== "previous-wave" || wavePercent === undefined) return figure.of === "baseline";
    const { of, percent } = figure;
    return of === "previous-wave" && percent < wavePercent && percent >= previousExposure(plan, wavePercent);
  });
}

/** A bound that a figure has made a fixed value of. */
function fixedBy(figure: FrozenFigure, bound: Bound): { readonly value: number; readonly figureOf: string } {
  const form = bound.reference?.kind === "growth" ? "factor" : (bound.reference?.form ?? "factor");
  return {
    value: readable(form === "factor" ? figure.value * bound.value : figure.value + bound.value),
    figureOf: figure.of === "baseline" ? `baseline at ${figure.percent} %` : `wave ${figure.percent}`,
  };
}

/** One bound, and whose it is. */
interface Promised {
  readonly objective: Pick<Objective, "name" | "indicator" | "minimumRequests" | "minimumErrors">;
  readonly severity: Severity;
  readonly bound: Bound;
  readonly atPercents?: readonly number[];
}

/** The rules of one bound, or why it has none. */
function rulesOfBound(
  { objective, severity, bound, atPercents }: Promised,
  source: MetricSource,
  context: RuleContext,
): WatchRule[] | Unwatched {
  const { indicator, name } = objective;
  const target = context.target ?? hostTargets;
  const unwatched = (why: string): Unwatched => ({
    objective: name,
    severity,
    why,
    ...(atPercents ? { atPercents } : {}),
  });
  const measure = measureOf(indicator, source, target);
  let { value } = bound;
  let reference = bound.reference;
  let figureOf: string | undefined;
  if (reference) {
    const form = reference.kind === "growth" ? undefined : reference.form;
    const why = unreferable(reference, { indicator, measure, ...(form ? { form } : {}) }, atPercents);
    if (why !== undefined) return unwatched(why);
  }
  if (reference && reference.kind !== "growth") {
    const { canary } = context;
    if (!canary) return unwatched("it is measured against the baseline, so only a canary is watched for it");
    // A wave's own bound waits for its wave: at 100 % it says nothing, and after a lowering there is a baseline again.
    const countsAtAll = canary.exposurePercent >= 100 && (atPercents === undefined || atPercents.includes(100));
    if (reference.kind === "previous-wave" || countsAtAll) {
      const figure = figureFor(reference, indicator, canary, atPercents);
      if (!figure) {
        if (!hasFigures(source)) return unwatched(`figures are read from CloudWatch only; source ${source} has none`);
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
  const most = reference ? undefined : mostMilliseconds(measure, source);
  if (most !== undefined && value >= most) {
    const of = figureOf === undefined ? "" : ` (from ${figureOf})`;
    return unwatched(`nothing is ever above ${value}ms${of}: the histogram of source ${source} ends at ${most}ms`);
  }
  // Of these the errors are measured, so that low is bad becomes high is bad.
  const inverted = watchedInverted.has(indicator);
  const comparison = inverted ? "above" : indicators[indicator].badSide;
  const isRatio = measure.kind === "ratio";
  const requestFloor = isRatio
    ? (objective.minimumRequests ?? defaultRequestFloor)
    : measure.kind === "percentile"
      ? Math.max(objective.minimumRequests ?? defaultRequestFloor, percentileSampleFloor(measure.percentile))
      : 0;
  const errorFloor = isRatio && comparison === "above" ? (objective.minimumErrors ?? defaultErrorFloor) : 0;
  const threshold = inverted ? readable(reference ? -value : 100 - value) : value;
  // Stated floors are the team's word on what is noise, and a bound of 0 takes nothing for usual.
  const isStated = objective.minimumRequests !== undefined || objective.minimumErrors !== undefined;
  const reckonsChance = !isStated && !reference && threshold > 0;
  const scope = bound.response === "notify" && !bound.reference && !atPercents ? "service" : "release";
  return windowsOf({ indicator, bound, severity, source, reckonsChance }).map(({ beyondChance, ...window }) => ({
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
    threshold,
    ...(reference ? { reference } : {}),
    ...window,
    requestFloor: beyondChance ? 0 : requestFloor,
    errorFloor: beyondChance ? fewestErrors : errorFloor,
    ...(beyondChance ? { usualPercent: usualPercentOf(threshold) } : {}),
    ...(atPercents ? { atPercents } : {}),
    ...(figureOf === undefined ? {} : { figureOf }),
  }));
}

/** What a wave's own bound is called among objectives. */
export function waveObjective(indicator: Indicator, reference?: BoundReference["kind"]): string {
  return `wave-${indicator}${reference === undefined ? "" : `-of-${reference}`}`;
}

/**
 * A wave's own bound, as an objective's would be written. A breach is known by its objective, so bounds that may do different things are
 * objectives of their own: a freeze over the wave before must not hide a fixed bound that disables.
 */
function promiseOf(criterion: WaveCriterion, percent: number): Promised | undefined {
  if (criterion.kind !== "rollback" || !criterion.watch) return undefined;
  const { indicator, bound, minimumRequests, minimumErrors } = criterion.watch;
  return {
    objective: {
      name: waveObjective(indicator, bound.reference?.kind),
      indicator,
      ...(minimumRequests === undefined ? {} : { minimumRequests }),
      ...(minimumErrors === undefined ? {} : { minimumErrors }),
    },
    severity: "critical",
    bound,
    atPercents: [percent],
  };
}

/** Whether one rule can never speak without the other one speaking too, with the same consequence or a stronger one. */
function isImpliedBy(rule: WatchRule, other: WatchRule): boolean {
  const sameWatch =
    rule !== other &&
    rule.scope === other.scope &&
    rule.comparison === other.comparison &&
    rule.periodSeconds === other.periodSeconds &&
    rule.evaluationPeriods === other.evaluationPeriods &&
    rule.datapointsToAlarm === other.datapointsToAlarm &&
    rule.requestFloor >= other.requestFloor &&
    rule.errorFloor >= other.errorFloor &&
    (rule.usualPercent === undefined) === (other.usualPercent === undefined) &&
    JSON.stringify([rule.measure, rule.reference]) === JSON.stringify([other.measure, other.reference]);
  if (!sameWatch || other.atPercents) return false;
  const [looser, stricter] = rule.comparison === "above" ? [rule, other] : [other, rule];
  if (rule.atPercents) return looser.threshold >= stricter.threshold && doesAtLeast(other, rule);
  // Of what people are told, once is enough; what acts keeps its own name.
  return rule.scope === "service" && looser.threshold > stricter.threshold && rule.severity === other.severity;
}

/** A wave's own bound is superfluous where the objective's own does the same at every wave, or takes all traffic away. */
function doesAtLeast(other: WatchRule, rule: WatchRule): boolean {
  if (other.severity !== "critical" && rule.severity === "critical") return false;
  return other.response === rule.response || (other.response === "disable" && loweringResponses.has(rule.response));
}

/** What only observes, or does not act the same way, stands in for nothing. */
function standsInFor(objectives: readonly Objective[]): (other: WatchRule, rule: WatchRule) => boolean {
  const of = (rule: WatchRule) => objectives.find(({ name }) => name === rule.objective);
  return (other, rule) =>
    of(other)?.mode === of(rule)?.mode &&
    (of(other)?.disableAnyway ?? false) === (of(rule)?.disableAnyway ?? false) &&
    isImpliedBy(rule, other);
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
  const ofObjectives = objectives.flatMap((objective): Promised[] =>
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
    const where = promise.atPercents ? { atPercents: promise.atPercents } : {};
    if (!isMeasurable(indicator, source)) {
      const why = `source ${source} does not measure it`;
      unwatched.push({ objective: name, severity: promise.severity, why, ...where });
    } else if (indicator === "healthy-hosts" && !target.hasHealthChecks) {
      unwatched.push({
        objective: name,
        severity: promise.severity,
        why: "its targets have no health checks",
        ...where,
      });
    } else {
      const made = rulesOfBound(promise, source, context);
      if ("why" in made) unwatched.push(made);
      else rules.push(...made);
    }
  }
  const standsIn = standsInFor(objectives);
  return { rules: apart(rules.filter((rule) => !rules.some((other) => standsIn(other, rule)))), unwatched };
}

/** Two bounds of one wave on one indicator are two rules, so their keys differ. */
function apart(rules: readonly WatchRule[]): WatchRule[] {
  const seen = new Map<string, number>();
  return rules.map((rule) => {
    const count = (seen.get(rule.key) ?? 0) + 1;
    seen.set(rule.key, count);
    return count === 1 ? rule : { ...rule, key: `${rule.key}/${count}` };
  });
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
