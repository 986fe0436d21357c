/** The rules that the systems must agree about: every preset's, the waves' own bounds, and those that figures have made fixed. */
import {
  type MetricSource,
  type ObjectivePresetName,
  objectivePresetNames,
  objectivePresets,
} from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { type FrozenFigure, type RuleContext, type WatchRule, watchRules } from "../../core/watch-rules.ts";

export interface RuleSet {
  /** `migration`, `production at 100 %`, `plan cautious`. */
  readonly name: string;
  readonly rules: readonly WatchRule[];
}

/** What the waves before came to: as the healthy releases of the series. */
const figures: readonly FrozenFigure[] = (["previous-wave", "baseline"] as const).flatMap((of) => [
  { of, percent: 10, indicator: "error-rate", value: 0.01 },
  { of, percent: 10, indicator: "latency-p95", value: 90 },
  { of, percent: 10, indicator: "latency-p99", value: 140 },
  { of, percent: 10, indicator: "memory", value: 400 },
  { of, percent: 10, indicator: "cpu", value: 35 },
]);

type Canary = NonNullable<RuleContext["canary"]>;

function rulesOf(preset: ObjectivePresetName, source: MetricSource, canary: Canary): WatchRule[] {
  // Hosts are counted by the load balancer alone, whatever the source: nothing to agree about.
  return watchRules(objectivePresets[preset], source, { canary }).rules.filter(
    ({ indicator }) => indicator !== "healthy-hosts",
  );
}

/** Every rule of a source, by where it comes from. */
export function ruleSets(source: MetricSource): RuleSet[] {
  const half: Canary = { plan: planPresets.steady, exposurePercent: 50, figures };
  const whole: Canary = { plan: planPresets.steady, exposurePercent: 100, figures };
  const onlyOwn = (rules: readonly WatchRule[]) => rules.filter(({ atPercents }) => atPercents !== undefined);
  return [
    ...objectivePresetNames.map((preset) => ({ name: preset, rules: rulesOf(preset, source, half) })),
    ...objectivePresetNames.map((preset) => ({
      name: `${preset} at 100 %`,
      rules: rulesOf(preset, source, whole).filter(({ figureOf }) => figureOf !== undefined),
    })),
    ...(["cautious", "migration"] as const).map((plan) => ({
      name: `plan ${plan}`,
      rules: onlyOwn(
        rulesOf(plan === "cautious" ? "production" : "migration", source, { ...half, plan: planPresets[plan] }),
      ),
    })),
  ].filter(({ rules }) => rules.length > 0);
}

/** A rule with a name that is its own among all sets. */
export interface NamedRule {
  readonly name: string;
  readonly rule: WatchRule;
}

export function namedRules(source: MetricSource): NamedRule[] {
  return ruleSets(source).flatMap(({ name, rules }) => rules.map((rule) => ({ name: `${name}: ${rule.key}`, rule })));
}
