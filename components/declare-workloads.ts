/**
 * What runs behind the groups that the program makes: asks for each release's workload once, with no fewer processes than a rollback needs
 * (B12). Adopted groups bring their own, and are not asked for.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Declaration } from "../core/declaration.ts";
import { hostsNeeded } from "../core/guard-checks.ts";
import type { DeclareWorkload } from "./declare-workload.ts";
import type { ReleaseGroup } from "./release-groups.ts";
import type { ServiceSettings } from "./settings.ts";
import type { RoutedControl } from "./wave-router.ts";

export interface DeclareWorkloadsArgs {
  /** Logical name of the service. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly environment: string;
  readonly settings: ServiceSettings;
  readonly declaration: Declaration;
  readonly groups: readonly ReleaseGroup[];
  readonly control: RoutedControl | undefined;
  /** What hangs the groups on the load balancer. */
  readonly anchor: pulumi.Resource;
  /** @default nothing is declared */
  readonly declare?: DeclareWorkload;
}

/** @returns what was declared for baseline, canary and control: who gives traffic away and who gets it */
export function declareWorkloads(args: DeclareWorkloadsArgs): readonly pulumi.Resource[] {
  const { declare, name, parent, environment, settings, declaration, groups, control, anchor } = args;
  if (!declare) return [];
  const { baseline, canary, capacity = {} } = declaration;
  const least = settings.workload?.shape.minimumCount ?? 1;
  const common = {
    parent,
    environment,
    service: settings.name,
    port: settings.targetGroup.port,
    deregistrationDelaySeconds: settings.targetGroup.deregistrationDelaySeconds,
    after: [anchor],
  };
  const declared = groups.flatMap(({ release, releaseKey, arn, adopted }) => {
    if (adopted || release.image === undefined) return [];
    const minimumCount = Math.max(least, capacity[release.digest] ?? 0);
    const variables = variablesOf(args, release.digest);
    const named = { name: `${name}-${releaseKey}`, release, releaseKey, targetGroupArn: arn, variables, minimumCount };
    const resources = declare({ ...common, ...named });
    return release.digest === baseline || release.digest === canary?.digest ? resources : [];
  });
  const twin = groups.find(({ release }) => release.digest === declaration.control?.digest)?.release;
  if (!control || control.adopted || !declaration.control || twin?.image === undefined) return declared;
  const { sharePercent } = declaration.control;
  // The guard asks for its share of the baseline before it opens, as for the canary's.
  const share = sharePercent > 0 ? hostsNeeded(sharePercent, capacity[twin.digest] ?? least) : 0;
  const ofControl = declare({
    ...common,
    name: `${name}-${control.releaseKey}`,
    release: twin,
    releaseKey: control.releaseKey,
    targetGroupArn: control.arn,
    minimumCount: Math.max(least, share),
  });
  return [...declared, ...ofControl];
}

/**
 * Where a flag splits, the canary's processes take both paths, and report requests with the flag off as the release's that it was opened beside
 * (`client/metrics.ts`). The same text as long as that release is kept, so that finishing changes no process.
 */
function variablesOf({ settings, declaration, groups }: DeclareWorkloadsArgs, digest: string): Record<string, string> {
  const { baseline, canary, previous } = declaration;
  const beside = digest === canary?.digest ? baseline : digest === baseline ? previous : undefined;
  const key = groups.find(({ release }) => release.digest === beside)?.releaseKey;
  return settings.split?.by === "flag" && key !== undefined ? { TIDEGATE_BASELINE_RELEASE: key } : {};
}
