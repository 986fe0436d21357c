/**
 * Everything one service needs to be let in wave by wave: routes, alarms for each live release, and the opening that commits.
 * It declares what was decided (`core/declare.ts`) and decides nothing, so the same declaration gives the same resources.
 *
 * Alarms first when traffic rises: the main rule then waits for the alarms of canary and baseline, which its guard looks for. Not
 * when it falls: an alarm that cannot be written must not keep traffic on a release that is being lowered.
 */
import * as pulumi from "@pulumi/pulumi";
import { canaryContext, type Declaration, type Step } from "../core/declaration.ts";
import { releaseKey } from "../core/naming.ts";
import type { WatchedAlarm } from "../core/record.ts";
import { rolloutFacts } from "../core/rollout-facts.ts";
import { weightSharesOf } from "../core/split.ts";
import type { AlertTopicArns, MeasuredRelease } from "./alarm-inputs.ts";
import { loadBalancerArnSuffix } from "./arn.ts";
import { awsGuardBindingFor } from "./aws-guard.ts";
import { declareControlAlarms, watchedAlarmsOfControl } from "./control-alarms.ts";
import type { DeclareElsewhere } from "./declare-elsewhere.ts";
import type { DeclareWorkload } from "./declare-workload.ts";
import { declareWorkloads } from "./declare-workloads.ts";
import type { FlagStrategies } from "./flag-document.ts";
import { comparedWithOf, watchedTogetherOf } from "./measured-together.ts";
import type { ReleaseGroup } from "./release-groups.ts";
import { ServiceAlarms, type WatchedTogether } from "./service-alarms.ts";
import { describeService } from "./service-description.ts";
import { declareServiceFlag, type ServiceFlag } from "./service-flag.ts";
import { nothingAdopted, type ServiceSettings, type ServiceSurvey } from "./settings.ts";
import { SloAlarms, watchedAlarmsOf } from "./slo-alarms.ts";
import { targetKindOf } from "./target-kind.ts";
import { releasesElsewhere, watchedElsewhere } from "./watched-elsewhere.ts";
import { WaveOpening } from "./wave-opening.ts";
import { type RoutedControl, WaveRouter } from "./wave-router.ts";
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
  /** Declare what other systems watch the service with. @default CloudWatch alone watches */
  readonly elsewhere?: readonly DeclareElsewhere[];
  /** How flags are deployed, shared with other services. @default the service's own, where it has a flag */
  readonly flagStrategies?: FlagStrategies;
  /**
   * Declares what runs behind each release that is an image with a target group of the program's own (E6), and behind such a control.
   * @default target groups alone; what registers in them is not the program's
   */
  readonly workloads?: DeclareWorkload;
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
  /** Of the service as a whole: they tell people. */
  readonly serviceAlarms: ServiceAlarms;
  readonly opening: WaveOpening;
  /** `undefined`: the service has none. */
  readonly flag: ServiceFlag | undefined;
  readonly outputs: ServiceOutputs;

  constructor(name: string, args: ProgressiveServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { settings, declaration, environment, found = nothingAdopted } = args;
    super("tidegate:rollout:ProgressiveService", name, { ...rolloutFacts(environment, settings, declaration) }, opts);

    // The rule waits for alarms, the alarms for the groups, and the router makes the groups: hence the callback.
    const alarms: SloAlarms[] = [];
    const watchedFirst = new Set([declaration.baseline, declaration.canary?.digest]);
    const together: WatchedTogether[] = [];
    const elsewhere: pulumi.Resource[] = [];
    const first: pulumi.Resource[] = [];
    const before = (
      groups: readonly ReleaseGroup[],
      control: RoutedControl | undefined,
      anchor: pulumi.Resource,
    ): readonly pulumi.Resource[] => {
      const declare = args.workloads ? { declare: args.workloads } : {};
      const shared = { name, parent: this, environment, settings, declaration, groups, control, anchor };
      const workloads = declareWorkloads({ ...shared, ...declare });
      const comparedWith = comparedWithOf(declaration, groups, control);
      alarms.push(...groups.map((group) => this.#alarmsOf(name, args, group, comparedWith)));
      const controlAlarms = declareControlAlarms(this, name, controlOf(args, control));
      alarms.push(...controlAlarms);
      together.push(...watchedTogetherOf(declaration, groups, control, found));
      const releases = releasesElsewhere(declaration, settings.plan);
      for (const declare of args.elsewhere ?? []) {
        elsewhere.push(...declare({ name, parent: this, environment, settings, releases }));
      }
      if (!risingSteps.has(declaration.step)) return [];
      first.push(
        ...(args.hook.deployment ? [args.hook.deployment.alias] : []),
        ...groups.flatMap((group, index) =>
          watchedFirst.has(group.release.digest) ? (alarms[index]?.alarms ?? []) : [],
        ),
        ...controlAlarms.flatMap((set) => set.alarms),
        ...elsewhere,
        // The floors of both before the traffic; a lowering waits for nobody's processes.
        ...workloads,
      );
      return first;
    };
    const watched = watchedAlarmsOfService(environment, settings, declaration, found);
    const balancerSuffix = balancerSuffixOf(settings, args.loadBalancerArnSuffix);
    const guards = args.guards ?? awsGuardBindingFor(this, { region: args.region, environment });
    // One guard for rules and flag: they rise under one lease.
    const guard = {
      check: guards.guardFor({
        environment,
        declaration,
        plan: settings.plan,
        takenBy: args.takenBy,
        readyTimeoutSeconds: settings.readyTimeoutSeconds,
        hookChanges: args.hook.deployment?.changes ?? (() => false),
      }),
      bind: guards.bind.bind(guards),
      alarms: watched,
    };
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
        ...(declaration.control ? { control: declaration.control } : {}),
        shares: weightSharesOf(declaration.split?.by ?? "weights", declaration.shares, declaration.canary?.digest),
        testersReach: declaration.testersReach,
        ...(settings.stickinessSeconds === undefined ? {} : { stickinessSeconds: settings.stickinessSeconds }),
        stickinessAllowed: declaration.stickinessAllowed,
        targetGroup: settings.targetGroup,
        rollbackWindowMinutes: settings.rollbackWindowMinutes,
        guard,
        beforeMain: before,
      },
      { parent: this },
    );
    this.alarms = alarms;
    this.flag = declareServiceFlag({
      name,
      parent: this,
      environment,
      settings,
      declaration,
      router: this.router,
      alarms: alarms.flatMap(({ declared }) => declared),
      watched,
      guard,
      hookRoleName: args.hook.functionName,
      after: first,
      ...(args.flagStrategies ? { strategies: args.flagStrategies } : {}),
    });
    this.serviceAlarms = new ServiceAlarms(
      `${name}-service`,
      {
        environment,
        service: settings.name,
        objectives: settings.objectives,
        source: settings.source,
        ...(settings.burnRate ? { burnRate: settings.burnRate } : {}),
        releases: together,
        loadBalancerArnSuffix: balancerSuffix,
        topics: args.topics,
        releaseAlarms: alarms.flatMap(({ declared }) => declared),
        ...(args.runbookBase === undefined ? {} : { runbookBase: args.runbookBase }),
      },
      { parent: this },
    );
    this.opening = new WaveOpening(
      name,
      {
        description: describeService({
          environment,
          settings,
          declaration,
          router: this.router,
          alarms: watched,
          ...(this.flag ? { split: this.flag.split } : {}),
          loadBalancerArnSuffix: balancerSuffix,
          takenBy: args.takenBy,
          ...(args.takenOverFrom === undefined ? {} : { takenOverFrom: args.takenOverFrom }),
          ...(args.peers ? { peers: args.peers } : {}),
        }),
        functionName: args.hook.functionName,
        qualifier: args.hook.aliasName,
        after: [
          ...this.router.rules.map(({ rule }) => rule),
          ...alarms.flatMap((set) => set.alarms),
          ...elsewhere,
          ...(this.flag?.resources ?? []),
        ],
      },
      { parent: this },
    );
    this.outputs = outputsOf(declaration, this.router, alarms);
    this.registerOutputs({
      ...this.outputs,
      service: settings.name,
      environment,
      mode: settings.mode,
      step: declaration.step,
      fromPercent: declaration.fromPercent,
      ladder: declaration.ladder,
      overrideReason: declaration.overrideReason,
      shares: declaration.shares,
    });
  }

  #alarmsOf(
    name: string,
    args: ProgressiveServiceArgs,
    group: ReleaseGroup,
    comparedWith: MeasuredRelease | undefined,
  ): SloAlarms {
    const { settings } = args;
    const canary = canaryContext(args.declaration, settings.plan, group.release.digest);
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
        ...(canary ? { canary } : {}),
        ...(comparedWith ? { comparedWith } : {}),
        ...(args.runbookBase === undefined ? {} : { runbookBase: args.runbookBase }),
      },
      { parent: this },
    );
  }
}

/** The control as its alarms take it. */
function controlOf(args: ProgressiveServiceArgs, measured: MeasuredRelease | undefined) {
  const { environment, settings, declaration, found = nothingAdopted } = args;
  const { control, liveSet } = declaration;
  return {
    environment,
    settings,
    control,
    found,
    measured,
    version: liveSet.find(({ digest }) => digest === control?.digest)?.version,
    loadBalancerArnSuffix: balancerSuffixOf(settings, args.loadBalancerArnSuffix),
    ...(args.runbookBase === undefined ? {} : { runbookBase: args.runbookBase }),
  };
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
  const { control } = declaration;
  const ofControl = watchedAlarmsOfControl({ environment, settings, control, found });
  const ofReleases = declaration.liveSet.flatMap((release) => {
    const canary = canaryContext(declaration, settings.plan, release.digest);
    return watchedAlarmsOf({
      environment,
      service,
      digest: release.digest,
      releaseKey: releaseKey(release),
      objectives,
      source,
      mode,
      target: targetKindOf(release.targetGroupArn, found),
      ...(canary ? { canary } : {}),
    });
  });
  return [...ofReleases, ...ofControl, ...watchedElsewhere(environment, settings, declaration)];
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
