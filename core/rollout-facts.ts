/**
 * What policies know of a service: plain values that `ProgressiveService` gives the engine as its own inputs. A policy that reads an
 * unknown value in a preview turns from mandatory into advisory, so nothing here comes from a resource. And nothing here differs between
 * an opening and the idle `up` after it, which would show as an update of nothing; what only this `up` knows is among the component's
 * outputs, where stack policies find it.
 */
import type { Declaration } from "./declaration.ts";
import { releaseKey } from "./naming.ts";
import type { MetricSource, Objective } from "./objectives.ts";
import type { Plan } from "./plans.ts";
import { stableJson } from "./stable-json.ts";

/** What of a service's settings policies look at. */
export interface ObservedSettings {
  readonly name: string;
  readonly mode: "act" | "observe";
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  readonly stickinessSeconds?: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  readonly dependencyGroup?: string;
  readonly targetGroup: object;
}

/** A release as policies name it. */
export interface FactsOfRelease {
  readonly version: string;
  /** Part of the names of everything that is this release's. */
  readonly releaseKey: string;
  readonly adopted: boolean;
}

/** Inputs of `tidegate:rollout:ProgressiveService`. */
export interface RolloutFacts {
  readonly service: string;
  readonly environment: string;
  readonly mode: "act" | "observe";
  readonly source: MetricSource;
  readonly baseline: FactsOfRelease;
  readonly canary?: FactsOfRelease & { readonly attempt: number };
  /** What this `up` declares. Unit: percent. */
  readonly exposurePercent: number;
  /** What the canary had before its latest opening, this one included. Unit: percent. */
  readonly openedFromPercent: number;
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly stickinessSeconds?: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  readonly targetGroup: object;
  readonly dependencyGroup?: string;
  /** Other services of the dependency group whose canary has traffic, or gets some in this `up`. */
  readonly otherCanaries: readonly string[];
  readonly overrideReason?: string;
  readonly replaceBaselineReason?: string;
  /** What the record has, where a canary has traffic and the config now says otherwise. */
  readonly recorded?: { readonly plan?: Plan; readonly targetGroup?: object };
}

/** The facts of one service in one `up`. */
export function rolloutFacts(environment: string, settings: ObservedSettings, declaration: Declaration): RolloutFacts {
  const { canary, recorded } = declaration;
  const changed = canary && declaration.fromPercent > 0 ? changedSince(settings, recorded) : {};
  return {
    service: settings.name,
    environment,
    mode: settings.mode,
    source: settings.source,
    baseline: factsOf(declaration, declaration.baseline),
    ...(canary ? { canary: { ...factsOf(declaration, canary.digest), attempt: canary.attempt } } : {}),
    exposurePercent: declaration.exposurePercent,
    openedFromPercent: recorded?.openedFromPercent ?? declaration.fromPercent,
    plan: settings.plan,
    objectives: settings.objectives,
    ...(settings.stickinessSeconds === undefined ? {} : { stickinessSeconds: settings.stickinessSeconds }),
    blindMinutes: settings.blindMinutes,
    rollbackWindowMinutes: settings.rollbackWindowMinutes,
    targetGroup: settings.targetGroup,
    ...(settings.dependencyGroup === undefined ? {} : { dependencyGroup: settings.dependencyGroup }),
    otherCanaries: declaration.otherCanaries ?? [],
    ...(declaration.overrideReason === undefined ? {} : { overrideReason: declaration.overrideReason }),
    ...(declaration.replaceBaselineReason === undefined
      ? {}
      : { replaceBaselineReason: declaration.replaceBaselineReason }),
    ...(Object.keys(changed).length > 0 ? { recorded: changed } : {}),
  };
}

function changedSince(
  settings: ObservedSettings,
  recorded: Declaration["recorded"],
): NonNullable<RolloutFacts["recorded"]> {
  if (!recorded) return {};
  const { plan, targetGroup } = recorded;
  return {
    ...(stableJson(plan) === stableJson(settings.plan) ? {} : { plan }),
    ...(targetGroup === undefined || stableJson(targetGroup) === stableJson(settings.targetGroup)
      ? {}
      : { targetGroup }),
  };
}

function factsOf({ liveSet }: Declaration, digest: string): FactsOfRelease {
  const release = liveSet.find((candidate) => candidate.digest === digest);
  return {
    version: release?.version ?? digest,
    releaseKey: release ? releaseKey(release) : digest,
    adopted: release?.targetGroupArn !== undefined,
  };
}
