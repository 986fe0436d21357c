/** What the hook is told about a service, put together from the settings, the declaration and what the resources turned out to be. */
import * as pulumi from "@pulumi/pulumi";
import { workloadFacts } from "../core/capacity.ts";
import type { Declaration, ServiceDescription } from "../core/declaration.ts";
import { promisedObjectives } from "../core/promises.ts";
import { type Promises, recordSchemaVersion, type WatchedAlarm } from "../core/record.ts";
import type { RecordedSplit } from "../core/split.ts";
import { stableJson } from "../core/stable-json.ts";
import { describeControl, describeReleases } from "./release-groups.ts";
import type { ServiceSettings } from "./settings.ts";
import type { WaveRouter } from "./wave-router.ts";

export interface ServiceDescriptionArgs {
  readonly environment: string;
  /** What the config says of the service. */
  readonly settings: ServiceSettings;
  /** What this `up` decided. */
  readonly declaration: Declaration;
  /** Rules and groups as they turned out. */
  readonly router: Pick<WaveRouter, "rules" | "groups" | "control">;
  /** Of every live release. */
  readonly alarms: readonly WatchedAlarm[];
  /** The flag that goes with it. @default none */
  readonly split?: pulumi.Input<RecordedSplit>;
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** The stack that declares. */
  readonly takenBy: string;
  /** The stack that the service comes from. @default it does not come from another one */
  readonly takenOverFrom?: string;
  /** Regions that share holds. @default none */
  readonly peers?: readonly string[];
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/**
 * The description as JSON with stable key order. Lists are ordered by what they hold and not by roles, so that an idle `up` sends
 * the same bytes, and a wave change changes nothing but the exposure.
 */
export function describeService(args: ServiceDescriptionArgs): pulumi.Output<string> {
  const { settings, declaration, router } = args;
  const rules = pulumi.all(router.rules.map(({ role, rule }) => rule.arn.apply((arn) => ({ arn, role }))));
  const releases = describeReleases(router.groups);
  const sharePercent = router.control?.control.sharePercent ?? 0;
  const control = router.control
    ? describeControl(router.control).apply((group) => ({ ...group, sharePercent }))
    : pulumi.output(undefined);
  return pulumi
    .all([rules, releases, control, args.loadBalancerArnSuffix, args.split])
    .apply(([ruleRefs, described, controlGroup, loadBalancerArnSuffix, split]) => {
      const description: ServiceDescription = {
        kind: "tidegate:opening",
        schemaVersion: recordSchemaVersion,
        environment: args.environment,
        service: settings.name,
        mode: settings.mode,
        source: settings.source,
        plan: settings.plan,
        rules: ruleRefs,
        alarms: args.alarms.toSorted((left, right) => byText(left.alarmName, right.alarmName)),
        loadBalancerArnSuffix,
        stickinessSeconds: settings.stickinessSeconds,
        split,
        blindMinutes: settings.blindMinutes,
        rollbackWindowMinutes: settings.rollbackWindowMinutes,
        dependencyOwner: settings.dependencyOwner,
        dependencyGroup: settings.dependencyGroup,
        // None is no fact: a service without peers keeps the description that it had.
        peers: args.peers?.length ? args.peers : undefined,
        targetGroup: { ...settings.targetGroup },
        workload: settings.workload && workloadFacts(settings.workload),
        capacity: declaration.capacity,
        promises: promisesOf(settings),
        releases: described,
        baseline: declaration.baseline,
        canary: declaration.canary,
        control: controlGroup,
        exposurePercent: declaration.exposurePercent,
        // None is no fact, as with peers.
        figures: declaration.figures?.length ? declaration.figures : undefined,
        finish: declaration.finish,
        intent: declaration.intent,
        realityGeneration: declaration.realityGeneration,
        takenBy: args.takenBy,
        takenOverFrom: args.takenOverFrom,
        retire: declaration.retire,
        overrideReason: declaration.overrideReason,
        replaceBaselineReason: declaration.replaceBaselineReason,
      };
      return stableJson(description);
    });
}

/** Objectives with a target, and whether a budget is kept of one; `undefined`: there is nothing to report on. */
function promisesOf({ objectives, burnRate }: ServiceSettings): Promises | undefined {
  const promised = promisedObjectives(objectives);
  if (promised.length === 0) return undefined;
  return { objectives: promised, ...(burnRate ? { budgetPeriodDays: burnRate.periodDays } : {}) };
}
