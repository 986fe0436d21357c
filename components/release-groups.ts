/**
 * One target group for each release, whatever its role: made by the program and keyed by the release, or the user's own,
 * adopted by ARN and left as it is.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DeclaredControl } from "../core/declaration.ts";
import { controlGroupLogicalName, releaseKey, targetGroupLogicalName } from "../core/naming.ts";
import type { ControlGroup, RecordedRelease } from "../core/record.ts";
import type { Release } from "../core/releases.ts";
import { targetGroupArnSuffix } from "./arn.ts";
import type { TargetGroupSettings } from "./settings.ts";

/** A release with the target group that serves it. */
export interface ReleaseGroup {
  readonly release: Release;
  /** Readable version and 8 hex of the digest; part of every name of this release. */
  readonly releaseKey: string;
  readonly arn: pulumi.Output<string>;
  /** The CloudWatch dimension `targetgroup/<name>/<id>`. */
  readonly arnSuffix: pulumi.Output<string>;
  readonly adopted: boolean;
}

export interface ReleaseGroupsArgs {
  readonly service: string;
  readonly vpcId: pulumi.Input<string>;
  readonly releases: readonly Release[];
  readonly targetGroup: TargetGroupSettings;
  readonly tags: Readonly<Record<string, string>>;
}

/** A release out of the record names its group's ARN even where the program made that group; `adopted` tells them apart. */
function isAdopted(release: Release & { readonly adopted?: boolean }): boolean {
  return release.targetGroupArn !== undefined && release.adopted !== false;
}

/** A group, whoever made it. */
type Group = Pick<ReleaseGroup, "arn" | "arnSuffix" | "adopted">;

function adoptGroup(parent: pulumi.Resource, what: string, arn: string): Group {
  // Cookie stickiness of a target group beats the weights, or makes ELBv2 refuse the rule, and not before the rollback.
  const checked = aws.lb.getTargetGroupOutput({ arn }, { parent }).apply((group) => {
    if (group.stickiness?.enabled) {
      throw new pulumi.ResourceError(
        `${what}: target group ${arn} has stickiness of its own, got ${group.stickiness.type}; expected none, ` +
          "because a cookie beats a weight and cannot be reset from the server. Turn it off on the group; the service's " +
          "stickinessSeconds keeps clients on a release instead",
        parent,
        true,
      );
    }
    return arn;
  });
  return { arn: checked, arnSuffix: checked.apply(targetGroupArnSuffix), adopted: true };
}

function makeGroup(
  parent: pulumi.Resource,
  key: string,
  role: "release" | "control",
  args: Omit<ReleaseGroupsArgs, "releases">,
): Group {
  const settings = args.targetGroup;
  const group = new aws.lb.TargetGroup(
    role === "control" ? controlGroupLogicalName(args.service, key) : targetGroupLogicalName(args.service, key),
    {
      port: settings.port,
      protocol: settings.protocol,
      targetType: settings.targetType,
      vpcId: args.vpcId,
      healthCheck: {
        path: settings.healthCheckPath,
        interval: settings.healthCheckIntervalSeconds,
        timeout: settings.healthCheckTimeoutSeconds,
        healthyThreshold: settings.healthyThresholdCount,
        unhealthyThreshold: settings.unhealthyThresholdCount,
      },
      slowStart: settings.slowStartSeconds,
      deregistrationDelay: settings.deregistrationDelaySeconds,
      stickiness: { type: "lb_cookie", enabled: false },
      tags: { ...args.tags, "tidegate:role": role, "tidegate:release": key },
    },
    { parent },
  );
  return { arn: group.arn, arnSuffix: group.arnSuffix, adopted: false };
}

/** Declares or adopts the group of every release, in the order given. */
export function declareReleaseGroups(parent: pulumi.Resource, args: ReleaseGroupsArgs): ReleaseGroup[] {
  return args.releases.map((release) => {
    const key = releaseKey(release);
    const group =
      release.targetGroupArn !== undefined && isAdopted(release)
        ? adoptGroup(parent, `release ${release.version}`, release.targetGroupArn)
        : makeGroup(parent, key, "release", args);
    return { ...group, release, releaseKey: key };
  });
}

/** The baseline's second group. */
export interface ControlTargetGroup extends Group {
  readonly control: DeclaredControl;
}

/** Declares or adopts the control's group. */
export function declareControlGroup(
  parent: pulumi.Resource,
  control: DeclaredControl,
  args: Omit<ReleaseGroupsArgs, "releases">,
): ControlTargetGroup {
  const { targetGroupArn, releaseKey: key } = control;
  const group =
    targetGroupArn === undefined
      ? makeGroup(parent, key, "control", args)
      : adoptGroup(parent, `control ${key}`, targetGroupArn);
  return { ...group, control };
}

/** The control with its group resolved, as guard and hook are told of it. */
export function describeControl(group: ControlTargetGroup): pulumi.Output<ControlGroup> {
  const { arn, arnSuffix, adopted, control } = group;
  const { digest, releaseKey: key } = control;
  return pulumi.all([arn, arnSuffix]).apply(([targetGroupArn, targetGroupArnSuffix]) => ({
    targetGroupArn,
    targetGroupArnSuffix,
    releaseKey: key,
    digest,
    adopted,
  }));
}

/** A release as guard and hook are told of it. */
export type DescribedRelease = Omit<RecordedRelease, "knownGood">;

/** Orders by digest, not by role: a release that changes its role must not change what is written about it. */
export function byDigest(groups: readonly ReleaseGroup[]): ReleaseGroup[] {
  return groups.toSorted((left, right) => (left.release.digest < right.release.digest ? -1 : 1));
}

/** The releases with their groups resolved, by digest ascending. */
export function describeReleases(groups: readonly ReleaseGroup[]): pulumi.Output<DescribedRelease[]> {
  return pulumi.all(
    byDigest(groups).map(({ release: { digest, version, image }, arn, arnSuffix, adopted }) =>
      pulumi.all([arn, arnSuffix]).apply(([targetGroupArn, targetGroupArnSuffix]) => ({
        digest,
        version,
        ...(image === undefined ? {} : { image }),
        targetGroupArn,
        targetGroupArnSuffix,
        adopted,
      })),
    ),
  );
}
