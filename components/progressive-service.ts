/**
 * Everything one service needs to be let in wave by wave: routes, alarms for each live release, and the opening that commits.
 * It declares what was decided (`core/declare.ts`) and decides nothing, so the same declaration gives the same resources.
 *
 * Alarms first when traffic rises: the main rule then waits for the alarms of canary and baseline, which its guard looks for. Not
 * when it falls: an alarm that cannot be written must not keep traffic on a release that is being lowered.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Declaration, Step } from "../core/declaration.ts";
import { releaseKey } from "../core/naming.ts";
import type { WatchedAlarm } from "../core/record.ts";
import { rolloutFacts } from "../core/rollout-facts.ts";
import { loadBalancerArnSuffix } from "./arn.ts";
import { awsGuardBindingFor } from "./aws-guard.ts";
import type { ReleaseGroup } from "./release-groups.ts";
import { describeService } from "./service-description.ts";
import { nothingAdopted, type ServiceSettings, type ServiceSurvey } from "./settings.ts";
import { type AlertTopicArns, SloAlarms, watchedAlarmsOf } from "./slo-alarms.ts";
import { targetKindOf } from "./target-kind.ts";
import { WaveOpening } from "./wave-opening.ts";
import { WaveRouter } from "./wave-router.ts";
import type { GuardBinding } from "./write-guard.ts";

export interface ProgressiveServiceArgs {
  readonly environment: string;
  /** AWS region of the rules and the record; used by the guard. */
  readonly region: string;
  readonly settings: ServiceSettings;
  /** What `declare` decided for this `up`. */
  readonly declaration: Declaration;
  readonly listenerArn: pulumi.Input<string>;
  /** The CloudWatch dimension `app/<name>/<id>` of the listener's load balancer. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  readonly vpcId: pulumi.Input<string>;
  readonly topics: AlertTopicArns;
  /** URL or folder with the runbooks that alarms link to. @default the product's own folder */
  readonly runbookBase?: string;
  /** The deployed hook; see `RollbackHook`. */
  readonly hook: HookReference;
  /** Who takes leases: the stack's full name. */
  readonly takenBy: string;
  /** The stack that the service comes from; its last commit was that one's. @default it does not come from another one */
  readonly takenOverFrom?: string;
  /** Regions with an environment of the same name that share this one's holds. @default none */
  readonly peers?: readonly string[];
  /** What was found of the rules and target groups that the service adopts. @default nothing is adopted */
  readonly found?: ServiceSurvey;
  /** @default the guard on AWS, as Pulumi resource hooks */
  readonly guards?: GuardBinding;
}

/** The deployed hook, as a service needs it. */
export interface HookReference {
  readonly functionName: pulumi.Input<string>;
  readonly aliasName: pulumi.Input<string>;
  /** Where the same stack deploys the hook: a raise waits for it, and is refused if it changed. @default not of this stack */
  readonly deployment?: { readonly alias: pulumi.Resource; readonly changes: () => boolean };
}

/** What a stack tells about one service. */
export interface ServiceOutputs {
  readonly exposurePercent: number;
  readonly baselineVersion: string;
  readonly canaryVersion: string | undefined;
  /** By role; of a further route by role and the end of its name, such as `main-1a2b3c4d`. */
  readonly ruleArns: Readonly<Record<string, pulumi.Output<string>>>;
  /** By release key. */
  readonly targetGroupArns: Readonly<Record<string, pulumi.Output<string>>>;
  readonly alarmNames: readonly string[];
}

/** Steps in which a release may gain traffic. */
const risingSteps: ReadonlySet<Step> = new Set<Step>(["first", "opening", "replace-baseline"]);

/**
 * One service with its releases.
 *
 * @example
 * ```ts
 * new ProgressiveService("checkout", {
 *   environment: "production",
 *   region: "eu-west-1",
 *   settings,
 *   declaration,
 *   listenerArn: loadBalancer.listenerArn,
 *   loadBalancerArnSuffix: loadBalancer.arnSuffix,
 *   vpcId,
 *   topics,
 *   hook,
 *   takenBy: "example/tidegate/production",
 * });
 * ```
 */
export class ProgressiveService extends pulumi.ComponentResource {
  readonly router: WaveRouter;
  /** One for each live release, in the declaration's order. */
  readonly alarms: readonly SloAlarms[];
  readonly opening: WaveOpening;
  readonly outputs: ServiceOutputs;

  constructor(name: string, args: ProgressiveServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { settings, declaration, environment, found = nothingAdopted } = args;
    super("tidegate:rollout:ProgressiveService", name, { ...rolloutFacts(environment, settings, declaration) }, opts);

    // The rule waits for alarms, the alarms for the groups, and the router makes the groups: hence the callback.
    const alarms: SloAlarms[] = [];
    const watchedFirst = new Set([declaration.baseline, declaration.canary?.digest]);
    const watch = (groups: readonly ReleaseGroup[]): readonly pulumi.Resource[] => {
      alarms.push(...groups.map((group) => this.#alarmsOf(name, args, group)));
      if (!risingSteps.has(declaration.step)) return [];
      return [
        ...(args.hook.deployment ? [args.hook.deployment.alias] : []),
        ...groups.flatMap((group, index) =>
          watchedFirst.has(group.release.digest) ? (alarms[index]?.alarms ?? []) : [],
        ),
      ];
    };
    const watched = watchedAlarmsOfService(environment, settings, declaration, found);
    const balancerSuffix = balancerSuffixOf(settings, args.loadBalancerArnSuffix);
    const guards = args.guards ?? awsGuardBindingFor(this, { region: args.region, environment });
    this.router = new WaveRouter(
      name,
      {
        environment,
        service: settings.name,
        listenerArn: args.listenerArn,
        vpcId: args.vpcId,
        routes: settings.routes,
        found,
        ...(settings.testers ? { testers: settings.testers } : {}),
        releases: declaration.liveSet,
        shares: declaration.shares,
        testersReach: declaration.testersReach,
        ...(settings.stickinessSeconds === undefined ? {} : { stickinessSeconds: settings.stickinessSeconds }),
        stickinessAllowed: declaration.stickinessAllowed,
        targetGroup: settings.targetGroup,
        rollbackWindowMinutes: settings.rollbackWindowMinutes,
        guard: {
          check: guards.guardFor({
            environment,
            declaration,
            takenBy: args.takenBy,
            readyTimeoutSeconds: settings.readyTimeoutSeconds,
            hookChanges: args.hook.deployment?.changes ?? (() => false),
          }),
          bind: guards.bind.bind(guards),
          alarms: watched,
        },
        beforeMain: watch,
      },
      { parent: this },
    );
    this.alarms = alarms;
    this.opening = new WaveOpening(
      name,
      {
        description: describeService({
          environment,
          settings,
          declaration,
          router: this.router,
          alarms: watched,
          loadBalancerArnSuffix: balancerSuffix,
          takenBy: args.takenBy,
          ...(args.takenOverFrom === undefined ? {} : { takenOverFrom: args.takenOverFrom }),
          ...(args.peers ? { peers: args.peers } : {}),
        }),
        functionName: args.hook.functionName,
        qualifier: args.hook.aliasName,
        after: [...this.router.rules.map(({ rule }) => rule), ...alarms.flatMap((set) => set.alarms)],
      },
      { parent: this },
    );
    this.outputs = outputsOf(declaration, this.router, alarms);
    this.registerOutputs({
      ...this.outputs,
      service: settings.name,
      mode: settings.mode,
      step: declaration.step,
      fromPercent: declaration.fromPercent,
      shares: declaration.shares,
    });
  }

  #alarmsOf(name: string, args: ProgressiveServiceArgs, group: ReleaseGroup): SloAlarms {
    const { settings } = args;
    return new SloAlarms(
      `${name}-${group.releaseKey}`,
      {
        environment: args.environment,
        service: settings.name,
        version: group.release.version,
        digest: group.release.digest,
        releaseKey: group.releaseKey,
        objectives: settings.objectives,
        source: settings.source,
        mode: settings.mode,
        targetGroupArnSuffix: group.arnSuffix,
        target: targetKindOf(group.release.targetGroupArn, args.found ?? nothingAdopted),
        loadBalancerArnSuffix: balancerSuffixOf(settings, args.loadBalancerArnSuffix),
        topics: args.topics,
        ...(args.runbookBase === undefined ? {} : { runbookBase: args.runbookBase }),
      },
      { parent: this },
    );
  }
}

/** All listeners of a service are on one load balancer; a route's own says which, else the environment's is meant. */
function balancerSuffixOf({ routes }: ServiceSettings, environments: pulumi.Input<string>): pulumi.Input<string> {
  const named = routes.flatMap(({ listenerArn }) => listenerArn ?? []).map(loadBalancerArnSuffix);
  const [first] = named;
  if (new Set(named).size > 1) {
    throw new pulumi.RunError(
      `routes: listeners of several load balancers, got ${[...new Set(named)].join(", ")}; expected one. ` +
        "A target group hangs on one load balancer alone; make it several services",
    );
  }
  return first ?? environments;
}

function watchedAlarmsOfService(
  environment: string,
  settings: ServiceSettings,
  declaration: Declaration,
  found: ServiceSurvey,
): WatchedAlarm[] {
  const { name: service, objectives, source, mode } = settings;
  return declaration.liveSet.flatMap((release) =>
    watchedAlarmsOf({
      environment,
      service,
      digest: release.digest,
      releaseKey: releaseKey(release),
      objectives,
      source,
      mode,
      target: targetKindOf(release.targetGroupArn, found),
    }),
  );
}

function outputsOf(declaration: Declaration, router: WaveRouter, alarms: readonly SloAlarms[]): ServiceOutputs {
  const versionOf = (digest: string | undefined) =>
    declaration.liveSet.find((release) => release.digest === digest)?.version;
  return {
    exposurePercent: declaration.exposurePercent,
    baselineVersion: versionOf(declaration.baseline) ?? declaration.baseline,
    canaryVersion: versionOf(declaration.canary?.digest),
    ruleArns: Object.fromEntries(router.rules.map(({ role, route, rule }) => [`${role}${route}`, rule.arn])),
    targetGroupArns: Object.fromEntries(router.groups.map((group) => [group.releaseKey, group.arn])),
    alarmNames: alarms.flatMap((set) => set.alarmNames),
  };
}
