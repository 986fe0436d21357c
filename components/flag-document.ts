/**
 * A document of feature flags on AppConfig that follows a rollout (A6): application, environment, profile and strategies once, and for each
 * change of the flags a version of the document and its deployment.
 *
 * A document is never changed in place: whoever lowers (the hook, AppConfig's own alarm) deploys another version, and the program, which knows
 * of that through the record alone, deploys one of its own when the record says something else. `revision` sees to it that it does even where the
 * flags themselves are what they were before somebody lowered.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type FlagPercents, flagDocument } from "../core/flag-document.ts";
import type { FlagPlace } from "../core/split.ts";

/** Most alarms of an AppConfig environment. Source: AppConfig API reference, MonitorList, read 2026-11. */
export const mostMonitors = 5;

export interface FlagDocumentArgs {
  /** Name of the AppConfig application; processes ask for it. */
  readonly application: string;
  /** Name of the AppConfig environment: the environment's own, since each has flags of its own. */
  readonly environment: string;
  /** Exposure by flag, 0 for one that is off. Unit: percent. Not an `Input`: it is what a preview has to show. */
  readonly flags: FlagPercents;
  /** The flag that goes with the rollout; one of `flags`. */
  readonly flag: string;
  /** ASCII. Another one deploys the same flags anew: they may have been lowered since. @default the flags alone count */
  readonly revision?: string;
  /**
   * Alarms on which AppConfig takes a deployment back by itself, while it deploys and bakes. It does so on INSUFFICIENT_DATA too, so each must
   * take missing data for `notBreaching`. At most 5; the first one's actions are off while the hook lowers, so it should be here alone.
   * Source: https://docs.aws.amazon.com/appconfig/latest/userguide/monitoring-deployments.html (read 2026-11).
   * @default AppConfig watches nothing
   */
  readonly alarms?: readonly FlagAlarm[];
  /** How deployments go; an account has 20 of them, so several documents should share them. @default its own */
  readonly strategies?: FlagStrategies;
  /** Checks the deployment at the last moment. @default nothing does: the caller answers for the flags */
  readonly hooks?: pulumi.ResourceHookBinding;
  /** What must be in place before a flag is deployed. An argument, because a component's own `dependsOn` does not reach its children. */
  readonly after?: readonly pulumi.Resource[];
  /** @default none */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface FlagAlarm {
  readonly name: pulumi.Input<string>;
  readonly arn: pulumi.Input<string>;
}

/** How deployments go. */
export interface FlagStrategies {
  /** All at once and without bake time: what lowers. */
  readonly lowering: aws.appconfig.DeploymentStrategy;
  /** All at once, watched for a while. */
  readonly raising: aws.appconfig.DeploymentStrategy;
}

/** How long AppConfig watches a raise by default. Unit: minutes; no other deployment of the program's is taken meanwhile. */
export const defaultBakeMinutes = 5;

/** Deployment strategies for any number of documents. @param bakeMinutes Range: 0 to 1440, whole. */
export function declareFlagStrategies(
  name: string,
  {
    bakeMinutes = defaultBakeMinutes,
    tags = {},
  }: { readonly bakeMinutes?: number; readonly tags?: Readonly<Record<string, string>> },
  opts: pulumi.CustomResourceOptions,
): FlagStrategies {
  const strategy = (kind: string, finalBakeTimeInMinutes: number) =>
    new aws.appconfig.DeploymentStrategy(
      `${name}-${kind}`,
      { deploymentDurationInMinutes: 0, finalBakeTimeInMinutes, growthFactor: 100, replicateTo: "NONE", tags },
      opts,
    );
  return { lowering: strategy("lowering", 0), raising: strategy("raising", bakeMinutes) };
}

/**
 * Feature flags that processes read from AppConfig.
 *
 * @example
 * ```ts
 * const flags = new FlagDocument("checkout-flags", {
 *   application: "production-checkout",
 *   environment: "production",
 *   flag: "batch-patches-v1",
 *   flags: { "batch-patches-v1": 10 },
 *   alarms: [{ name: errors.name, arn: errors.arn }],
 * });
 * ```
 */
export class FlagDocument extends pulumi.ComponentResource {
  /** Where it is, for whoever lowers it. */
  readonly place: pulumi.Output<FlagPlace>;
  readonly deployment: aws.appconfig.Deployment;
  readonly version: aws.appconfig.HostedConfigurationVersion;
  /** ARNs of what a role needs that lowers it: application, environment, profile and strategy, in this order. */
  readonly arns: pulumi.Output<readonly string[]>;

  /** @throws pulumi.ResourceError on a flag that is none of the document's, a key that no document may have, or more than 5 alarms */
  constructor(name: string, args: FlagDocumentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:flags:FlagDocument", name, { application: args.application, flags: args.flags }, opts);
    const { alarms = [], tags = {} } = args;
    const content = this.#contentOf(args);
    const parent = { parent: this };
    const { lowering, raising } = args.strategies ?? declareFlagStrategies(name, { tags }, parent);

    const application = new aws.appconfig.Application(`${name}-application`, { name: args.application, tags }, parent);
    const role = alarms.length > 0 ? alarmReader(name, tags, parent) : undefined;
    const environment = new aws.appconfig.Environment(
      `${name}-environment`,
      {
        applicationId: application.id,
        name: args.environment,
        ...(role ? { monitors: alarms.map(({ arn }) => ({ alarmArn: arn, alarmRoleArn: role.arn })) } : {}),
        tags,
      },
      parent,
    );
    const profile = new aws.appconfig.ConfigurationProfile(
      `${name}-profile`,
      {
        applicationId: application.id,
        name: "flags",
        type: "AWS.AppConfig.FeatureFlags",
        locationUri: "hosted",
        tags,
      },
      parent,
    );
    this.version = new aws.appconfig.HostedConfigurationVersion(
      `${name}-version`,
      {
        applicationId: application.id,
        configurationProfileId: profile.configurationProfileId,
        content,
        contentType: "application/json",
        ...(args.revision === undefined ? {} : { description: args.revision }),
      },
      // A version that AppConfig may go back to is read by the hook; AppConfig names no limit to how many there are.
      { ...parent, retainOnDelete: true },
    );
    const isRaising = Object.values(args.flags).some((percent) => percent > 0);
    this.deployment = new aws.appconfig.Deployment(
      `${name}-deployment`,
      {
        applicationId: application.id,
        environmentId: environment.environmentId,
        configurationProfileId: profile.configurationProfileId,
        configurationVersion: pulumi.interpolate`${this.version.versionNumber}`,
        deploymentStrategyId: isRaising ? raising.id : lowering.id,
        tags,
      },
      { ...parent, dependsOn: [...(args.after ?? [])], ...(args.hooks ? { hooks: args.hooks } : {}) },
    );
    const [own] = alarms;
    this.place = pulumi
      .all([application.id, environment.environmentId, profile.configurationProfileId, lowering.id, own?.name])
      .apply(
        ([applicationId, environmentId, profileId, strategyId, alarmName]): FlagPlace => ({
          flag: args.flag,
          applicationId,
          environmentId,
          profileId,
          strategyId,
          ...(alarmName === undefined ? {} : { alarmName }),
        }),
      );
    this.arns = pulumi.all([application.arn, environment.arn, profile.arn, lowering.arn]);
    this.registerOutputs({ flags: args.flags, place: this.place });
  }

  #contentOf({ alarms = [], flag, flags }: FlagDocumentArgs): string {
    const problems = [
      ...(flag in flags
        ? []
        : [`flag: not in the document, got ${flag}; expected one of ${Object.keys(flags).join(", ")}`]),
      ...(alarms.length > mostMonitors
        ? [`alarms: too many, got ${alarms.length}; expected at most ${mostMonitors}. Make a composite of them`]
        : []),
    ];
    try {
      const content = flagDocument(flags);
      if (problems.length === 0) return content;
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    throw new pulumi.ResourceError(problems.join("\n"), this, true);
  }
}

/**
 * Lets AppConfig see alarm states. On every resource, because a composite alarm is told to nobody whose permission is narrower.
 * Source: CloudWatch API reference, DescribeAlarms, read 2026-11.
 */
function alarmReader(
  name: string,
  tags: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
): aws.iam.Role {
  const role = new aws.iam.Role(
    `${name}-alarms-role`,
    {
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "appconfig.amazonaws.com" }, Action: "sts:AssumeRole" }],
      }),
      tags,
    },
    opts,
  );
  new aws.iam.RolePolicy(
    `${name}-alarms-policy`,
    {
      role: role.name,
      policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Sid: "SeeAlarms", Effect: "Allow", Action: "cloudwatch:DescribeAlarms", Resource: "*" }],
      }),
    },
    opts,
  );
  return role;
}
