/**
 * What policies know of a service: plain values that `ProgressiveService` gives the engine as its own inputs. A policy that reads an
 * unknown value in a preview turns from mandatory into advisory, so nothing here comes from a resource.
 *
 * And nothing here differs between an opening and the idle `up` after it, which would show as an update of nothing. What only this very
 * `up` knows is therefore here only where a policy refuses it (then the `up` ends, and nothing of it is kept), and otherwise among the
 * component's outputs, where stack policies find it.
 */
import type { Declaration } from "./declaration.ts";
import type { Approval } from "./gate/evidence.ts";
import { releaseKey } from "./naming.ts";
import type { MetricSource, Objective } from "./objectives.ts";
import { type Plan, previousExposure } from "./plans.ts";
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
  readonly approvals?: readonly Approval[];
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
  /**
   * What the canary had before its latest opening, this one included. Where nothing rises: no less than the wave below by the plan of
   * today, as a finer plan takes no step back, and no more than the exposure. Unit: percent.
   */
  readonly openedFromPercent: number;
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly stickinessSeconds?: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  readonly targetGroup: object;
  readonly dependencyGroup?: string;
  /** Signatures as the config has them. @default none */
  readonly approvals?: readonly Approval[];
  /** Other services of the dependency group whose canary has traffic, or gets some in this `up`; none unless this `up` raises. */
  readonly otherCanaries: readonly string[];
  /** This `up` raises, and is the first that may act: the record still says observe. */
  readonly armsAndRaises?: true;
  readonly overrideReason?: string;
  readonly replaceBaselineReason?: string;
  /** What the record has, where a canary keeps traffic and the config now says less soak, or another target group. */
  readonly recorded?: { readonly plan?: Plan; readonly targetGroup?: object };
}

/** A wave of a plan that another plan asks less of. */
export interface ShortenedWave {
  readonly exposurePercent: number;
  /** In words, such as `soak 10 min after 1440 min`. */
  readonly what: string;
}

/** What a plan asks less than the one before it: waves left out, soaks shortened, fewer requests to be seen, fewer sign-offs. */
export function shortenedWaves(before: Plan, after: Plan): ShortenedWave[] {
  return before.waves.flatMap(
    ({
      exposurePercent,
      minimumSoakMinutes: soakBefore,
      minimumRequests: requestsBefore,
      approvals: rolesBefore = [],
    }) => {
      const wave = after.waves.find((candidate) => candidate.exposurePercent === exposurePercent);
      if (!wave) return [{ exposurePercent, what: `left out, its soak was ${minutesText(soakBefore)}` }];
      const { minimumSoakMinutes: soak, minimumRequests: requests } = wave;
      const dropped = withoutEach(rolesBefore, wave.approvals ?? []);
      const shorter = soak !== null && (soakBefore === null || soak < soakBefore);
      return [
        ...(shorter ? [{ exposurePercent, what: `soak ${minutesText(soak)} after ${minutesText(soakBefore)}` }] : []),
        ...(requests < requestsBefore
          ? [{ exposurePercent, what: `${requests} requests to be seen after ${requestsBefore}` }]
          : []),
        ...(dropped.length > 0 ? [{ exposurePercent, what: `no sign-off of ${dropped.join(", ")}` }] : []),
      ];
    },
  );
}

/** A list without the entries of another, each taken out once. */
function withoutEach(from: readonly string[], entries: readonly string[]): string[] {
  const left = [...entries];
  return from.filter((each) => {
    const index = left.indexOf(each);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

/** `90 min`, or `endless`. */
export function minutesText(minutes: number | null): string {
  return minutes === null ? "endless" : `${minutes} min`;
}

/** The facts of one service in one `up`. */
export function rolloutFacts(environment: string, settings: ObservedSettings, declaration: Declaration): RolloutFacts {
  const { canary, recorded, exposurePercent, fromPercent } = declaration;
  const raises = exposurePercent > fromPercent;
  // An `up` that takes the last traffic away ends the rollout, and may change what it likes.
  const changed = canary && fromPercent > 0 && exposurePercent > 0 ? changedSince(settings, recorded) : {};
  return {
    service: settings.name,
    environment,
    mode: settings.mode,
    source: settings.source,
    baseline: factsOf(declaration, declaration.baseline),
    ...(canary ? { canary: { ...factsOf(declaration, canary.digest), attempt: canary.attempt } } : {}),
    exposurePercent,
    openedFromPercent: openedFrom(settings.plan, declaration),
    plan: settings.plan,
    objectives: settings.objectives,
    ...(settings.stickinessSeconds === undefined ? {} : { stickinessSeconds: settings.stickinessSeconds }),
    blindMinutes: settings.blindMinutes,
    rollbackWindowMinutes: settings.rollbackWindowMinutes,
    targetGroup: settings.targetGroup,
    ...(settings.dependencyGroup === undefined ? {} : { dependencyGroup: settings.dependencyGroup }),
    ...(settings.approvals === undefined || settings.approvals.length === 0 ? {} : { approvals: settings.approvals }),
    otherCanaries: raises ? (declaration.otherCanaries ?? []) : [],
    ...(raises && settings.mode === "act" && recorded?.mode === "observe" ? { armsAndRaises: true } : {}),
    ...(declaration.overrideReason === undefined ? {} : { overrideReason: declaration.overrideReason }),
    ...(declaration.replaceBaselineReason === undefined
      ? {}
      : { replaceBaselineReason: declaration.replaceBaselineReason }),
    ...(Object.keys(changed).length > 0 ? { recorded: changed } : {}),
  };
}

function openedFrom(plan: Plan, { exposurePercent, fromPercent, recorded }: Declaration): number {
  if (exposurePercent > fromPercent) return fromPercent;
  // What the record will say of it once it is committed.
  if (exposurePercent < fromPercent) return exposurePercent;
  return Math.min(exposurePercent, Math.max(recorded?.openedFromPercent ?? 0, previousExposure(plan, exposurePercent)));
}

function changedSince(
  settings: ObservedSettings,
  recorded: Declaration["recorded"],
): NonNullable<RolloutFacts["recorded"]> {
  if (!recorded) return {};
  const { plan, targetGroup } = recorded;
  return {
    ...(shortenedWaves(plan, settings.plan).length === 0 ? {} : { plan }),
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
