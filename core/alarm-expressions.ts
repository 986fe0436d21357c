/**
 * Metric math of one watch rule: what an alarm computes and compares with its threshold.
 *
 * An expression never speaks because something is absent. What has no point is no reason: a value that needs two releases is a quotient of
 * them, which a missing one drops, and never a plain difference, which would read it as 0; and floors ask for requests of both.
 */
import { type AlarmMetric, type Expressions, measured, type Place, placed, type Valued } from "./alarm-metrics.ts";
import { rarityExponent } from "./chance.ts";
import type { MetricSource } from "./objectives.ts";
import { hostTargets, type Measure, measuredShare, measureOf, type TargetKind, type WatchRule } from "./watch-rules.ts";

/** What an alarm computes. The last expression is the value; without one it is the only metric. */
export interface Computed {
  readonly metrics: readonly AlarmMetric[];
  readonly expressions: Expressions;
  readonly threshold: number;
  /** Which side of the threshold is bad. */
  readonly comparison: "GreaterThanThreshold" | "LessThanThreshold";
}

const own: Place = { release: 0 };
const beside: Place = { release: 1, prefix: "baseline" };

/** Names of results, for people who read the alarm in the console. */
function resultId(measure: Measure): string {
  if (measure.kind === "ratio") return "rate";
  return measure.kind === "percentile" ? "milliseconds" : "value";
}

/** The value that is sure not to be on the bad side, where a floor is not reached. */
function neutral(rule: WatchRule): number {
  if (rule.comparison === "above") return 0;
  return rule.measure.kind === "ratio" && !rule.reference ? 100 : Math.max(0, rule.threshold);
}

function floorsOf(rule: WatchRule, valued: Valued): string[] {
  return [
    ...(valued.counted !== undefined && rule.requestFloor > 0 ? [`${valued.counted} >= ${rule.requestFloor}`] : []),
    ...(valued.part !== undefined && rule.errorFloor > 0 ? [`${valued.part} >= ${rule.errorFloor}`] : []),
    ...beyondChance(rule, valued),
  ];
}

/** `isBeyondChance` (`chance.ts`) in metric math. */
function beyondChance({ usualPercent }: WatchRule, { part, counted }: Valued): string[] {
  if (usualPercent === undefined || part === undefined || counted === undefined) return [];
  return [`${part} * LOG10(1 + 100 / (${usualPercent} * ${counted})) >= ${rarityExponent}`];
}

function guarded(rule: WatchRule, floors: readonly string[], value: string): string {
  return floors.length === 0 ? value : `IF(${floors.join(" AND ")}, ${value}, ${neutral(rule)})`;
}

function sideOf({ comparison }: WatchRule): Computed["comparison"] {
  return comparison === "above" ? "GreaterThanThreshold" : "LessThanThreshold";
}

/** Count of a window as count per `perSeconds`. */
function scaled(rule: WatchRule, value: string): string {
  const { measure, periodSeconds } = rule;
  if (measure.kind !== "sum" || measure.perSeconds === undefined || measure.perSeconds === periodSeconds) return value;
  return `(${value}) * ${measure.perSeconds} / ${periodSeconds}`;
}

function ownValue(rule: WatchRule, source: MetricSource): Computed {
  const valued = measured(rule.measure, source, own);
  const value = scaled(rule, valued.value);
  const [only] = valued.metrics;
  // A lone metric needs no expression.
  if (only?.id === value && valued.metrics.length === 1) {
    return { metrics: valued.metrics, expressions: [], threshold: rule.threshold, comparison: sideOf(rule) };
  }
  const result = { id: resultId(rule.measure), expression: guarded(rule, floorsOf(rule, valued), value) };
  return {
    metrics: valued.metrics,
    expressions: [...valued.expressions, result],
    threshold: rule.threshold,
    comparison: sideOf(rule),
  };
}

/** The release beside its baseline in the same window; a window in which either is not measured says nothing. */
function besideBaseline(rule: WatchRule, form: "factor" | "points", source: MetricSource): Computed {
  const [ours, theirs] = [measured(rule.measure, source, own), measured(rule.measure, source, beside)];
  const metrics = [...ours.metrics, ...theirs.metrics];
  const steps = [...ours.expressions, ...theirs.expressions];
  const finish = (added: Expressions, expression: string, threshold = rule.threshold): Computed => ({
    metrics,
    expressions: [...steps, ...added, { id: "beside", expression }],
    threshold,
    comparison: sideOf(rule),
  });
  // A missing release divides by 0, which drops the point, or is 0 itself, which is not above anything.
  const quotient = form === "factor" ? `${ours.value} / ${bracketed(theirs.value)}` : pointsOver(ours, theirs);
  switch (rule.measure.kind) {
    case "ratio": {
      // Not as a quotient: a baseline without errors is a measured 0. That it was measured is what its floor is for.
      const difference =
        form === "factor" ? `${ours.value} - ${rule.threshold} * ${theirs.value}` : `${ours.value} - ${theirs.value}`;
      const [seen, floors] = bothFloors(rule, ours, theirs);
      return finish(seen, guarded(rule, floors, difference), form === "factor" ? 0 : rule.threshold);
    }
    case "percentile": {
      const [seen, floors] = bothFloors(rule, ours, theirs);
      return finish(seen, guarded(rule, floors, quotient));
    }
    case "quotient": {
      // Low is bad, so what is missing must not be read as 0: both releases' times and the baseline's items have to be there.
      const [time, items] = ours.metrics;
      const [baselineTime, baselineItems] = theirs.metrics;
      const seen = { id: "baselineSeen", expression: `${baselineTime?.id} * ${baselineItems?.id} + 0 * ${time?.id}` };
      const value = `(${items?.id} * ${baselineTime?.id}) / (${time?.id} * ${baselineItems?.id})`;
      return finish([seen], guarded(rule, [`${time?.id} > 0`, "baselineSeen > 0"], value));
    }
    default:
      return finish([], quotient);
  }
}

/** One value that may stand behind an operator. */
function bracketed(value: string): string {
  return value.includes(" ") && !value.startsWith("IF(") ? `(${value})` : value;
}

/** By how much ours is above theirs, and no point where theirs is missing. */
function pointsOver(ours: Valued, theirs: Valued): string {
  return `${theirs.value} * (${ours.value} / ${bracketed(theirs.value)} - 1)`;
}

/** Requests of both; the baseline's with our timestamps, so that one without any has 0 of them. */
function bothFloors(rule: WatchRule, ours: Valued, theirs: Valued): [Expressions, string[]] {
  const seen = { id: "baselineSeen", expression: `${theirs.counted} + 0 * ${ours.counted}` };
  return [[seen], [...floorsOf(rule, ours), `baselineSeen >= ${Math.max(1, rule.requestFloor)}`]];
}

/**
 * Percent that a gauge grew by since the window just before it; after a gap there is none, and nothing is said. Whether that window was
 * measured for most of it is told by its points beside those of this one: processes report evenly, however many they are. Where they became
 * more by a third within the hour nothing is said, for an hour at most.
 */
function growth(rule: WatchRule, source: MetricSource): Computed {
  const { metrics, expressions, value } = measured(rule.measure, source, own);
  const points = metrics.map((metric) => ({ ...metric, id: "points", statistic: "SampleCount" }));
  const conditions = [
    `DIFF_TIME(${value}) == ${rule.periodSeconds}`,
    `points - DIFF(points) >= ${measuredShare} * points`,
  ];
  const grown = `100 * DIFF(${value}) / (${value} - DIFF(${value}))`;
  return {
    metrics: [...metrics, ...points],
    expressions: [
      ...expressions,
      { id: "growth", expression: `IF(${conditions.join(" AND ")}, ${grown}, ${neutral(rule)})` },
    ],
    threshold: rule.threshold,
    comparison: sideOf(rule),
  };
}

/**
 * The worst of several live releases, each with what is behind its own target group. Where low is bad it is the most that one falls short
 * by: a release without a point is then no worse than one that falls short of nothing, however CloudWatch reads what is missing.
 */
function worstOf(rule: WatchRule, source: MetricSource, targets: readonly TargetKind[]): Computed {
  const isAbove = rule.comparison === "above";
  // Hosts are counted only where somebody checks them.
  const isWatched = ({ hasHealthChecks }: TargetKind) => rule.indicator !== "healthy-hosts" || hasHealthChecks;
  const valued = targets.flatMap((target, release) =>
    isWatched(target) ? [{ release, ...measured(measureOf(rule.indicator, source, target), source, { release }) }] : [],
  );
  const results = valued.map((one) => {
    const value = guarded(rule, floorsOf(rule, one), scaled(rule, one.value));
    const expression = isAbove ? value : `${rule.threshold} - ${bracketed(value)}`;
    const isBare = one.metrics.some(({ id }) => id === expression);
    return { id: isBare ? expression : placed(isAbove ? resultId(rule.measure) : "short", one), expression, isBare };
  });
  return {
    metrics: valued.flatMap(({ metrics }) => metrics),
    expressions: [
      ...valued.flatMap(({ expressions }) => expressions),
      ...results.flatMap(({ id, expression, isBare }) => (isBare ? [] : [{ id, expression }])),
      { id: "worst", expression: `MAX([${results.map(({ id }) => id).join(", ")}])` },
    ],
    threshold: isAbove ? rule.threshold : 0,
    comparison: "GreaterThanThreshold",
  };
}

/** What the alarm of a rule computes. @param targets what is behind each live release, for rules of the whole service */
export function computedOf(
  rule: WatchRule,
  source: MetricSource,
  targets: readonly TargetKind[] = [hostTargets],
): Computed {
  if (rule.scope === "service" && targets.length > 1) return worstOf(rule, source, targets);
  switch (rule.reference?.kind) {
    case "baseline":
      return besideBaseline(rule, rule.reference.form, source);
    case "growth":
      return growth(rule, source);
    default:
      return ownValue(rule, source);
  }
}
