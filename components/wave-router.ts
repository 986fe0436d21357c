/**
 * Routes a service's requests to its releases by weight: a main rule for each route, a tester rule beside it, one anchor rule, and the
 * target groups behind them. All main rules have the same weights.
 *
 * The anchor rule matches nothing and forwards to every live release, so that a group stays attached and health-checked at
 * exposure 0, on hold, and at 100: an unattached group has no health checks. It comes before the main rule, which therefore
 * never meets a group that nobody checks.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { controlPercentAt } from "../core/control.ts";
import type { DeclaredControl, GuardedWrite } from "../core/declaration.ts";
import type { ControlGroup, WatchedAlarm } from "../core/record.ts";
import type { Release } from "../core/releases.ts";
import { unmatchableSource } from "../core/rule-conditions.ts";
import type { MeasuredRelease } from "./alarm-inputs.ts";
import {
  byDigest,
  type ControlTargetGroup,
  type DescribedRelease,
  declareControlGroup,
  declareReleaseGroups,
  describeControl,
  describeReleases,
  type ReleaseGroup,
} from "./release-groups.ts";
import { type NamedRoute, namedRoutes, routeProblems } from "./route-names.ts";
import {
  forward,
  mainConditions,
  maximumGroupsPerAction,
  type RuleCondition,
  testerConditions,
} from "./rule-shapes.ts";
import { nothingAdopted, type Route, type ServiceSurvey, type TargetGroupSettings, type Testers } from "./settings.ts";
import { type Guard, type GuardBinding, guardedWriteFrom, guardHookName } from "./write-guard.ts";

/** The check that runs before any write of the main and the tester rule. */
export interface RouterGuard {
  readonly check: Guard;
  readonly bind: GuardBinding["bind"];
  /** Every alarm of the service. */
  readonly alarms: readonly WatchedAlarm[];
}

export interface WaveRouterArgs {
  readonly environment: string;
  /** Part of tags and of target group names. Unique in the environment. */
  readonly service: string;
  /** The listener of routes that name none. */
  readonly listenerArn: pulumi.Input<string>;
  readonly vpcId: pulumi.Input<string>;
  /**
   * At least one, each with at most 5 condition values, the tester rule's mark included. Which one comes first matters for names alone:
   * the anchor hangs beside it, and the others are named by their listener and priority, in any order.
   */
  readonly routes: readonly Route[];
  /** What was found of adopted rules. @default nothing is adopted */
  readonly found?: ServiceSurvey;
  /** @default none, and no tester rule */
  readonly testers?: Testers;
  /** Every release to keep attached, at most 5 with the control: baseline first, then the canary. */
  readonly releases: readonly Release[];
  /** A second group of the baseline, which takes its share from the baseline's. @default none */
  readonly control?: DeclaredControl;
  /** Share of the traffic by digest. Unit: percent, whole, above 0; they sum to 100. */
  readonly shares: Readonly<Record<string, number>>;
  /** Digest that the tester rule leads to. */
  readonly testersReach: string;
  /** Unit: seconds. Range: 1 to 604800. @default no stickiness */
  readonly stickinessSeconds?: number;
  /** Whether stickiness may be on now: both releases carry traffic and nothing is being lowered. */
  readonly stickinessAllowed: boolean;
  readonly targetGroup: TargetGroupSettings;
  /** How long the old release stays after a finish; said when a sixth group is refused. Unit: minutes. */
  readonly rollbackWindowMinutes: number;
  /** @default no check: the caller answers for the weights */
  readonly guard?: RouterGuard;
  /**
   * Called once the groups are declared and before the main rule is: declares what must be in place before traffic moves
   * (alarms), the control among them. The main rule waits for what it answers. `anchor` hangs every group on the load balancer, which a
   * workload may have to wait for.
   */
  readonly beforeMain?: (
    groups: readonly ReleaseGroup[],
    control: RoutedControl | undefined,
    anchor: pulumi.Resource,
  ) => readonly pulumi.Resource[];
}

/** The control as whoever comes before the main rule needs it. */
export type RoutedControl = MeasuredRelease & Pick<ControlTargetGroup, "arn" | "adopted">;

/** A rule of the router. */
export interface RoutedRule {
  readonly role: "main" | "anchor" | "tester";
  /** End of the names of the route's rules; empty for the first route. */
  readonly route: string;
  readonly rule: aws.lb.ListenerRule;
}

/**
 * Weighted routing of one service on listeners of one load balancer.
 *
 * @example
 * ```ts
 * new WaveRouter("checkout", {
 *   environment: "production",
 *   service: "checkout",
 *   listenerArn,
 *   vpcId,
 *   routes: [{ match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] }, priority: 100 }],
 *   releases: [baseline, canary],
 *   shares: { [baseline.digest]: 90, [canary.digest]: 10 },
 *   testersReach: canary.digest,
 *   stickinessAllowed: true,
 *   targetGroup,
 *   rollbackWindowMinutes: 1440,
 * });
 * ```
 */
export class WaveRouter extends pulumi.ComponentResource {
  readonly groups: readonly ReleaseGroup[];
  readonly control: ControlTargetGroup | undefined;
  /** Of every route, the first route's first. */
  readonly mainRules: readonly aws.lb.ListenerRule[];
  readonly anchorRule: aws.lb.ListenerRule;
  readonly testerRules: readonly aws.lb.ListenerRule[];
  /** Every rule by role, those of the first route first: main, anchor, tester. */
  readonly rules: readonly RoutedRule[];

  /** @throws pulumi.ResourceError on more than 5 groups or condition values, or shares that do not sum to 100 */
  constructor(name: string, args: WaveRouterArgs, opts?: pulumi.ComponentResourceOptions) {
    const versions = Object.fromEntries(args.releases.map((release) => [release.digest, release.version]));
    // Shown as a diff of the component by `preview --diff`: the one line that a wave change is about.
    super("tidegate:traffic:WaveRouter", name, { service: args.service, shares: args.shares, versions }, opts);
    const found = args.found ?? nothingAdopted;
    this.#refuse(problemsOf(args, found));
    const routes = namedRoutes(args.routes);
    const [first] = routes;
    if (!first) throw new pulumi.ResourceError(`service ${args.service}: no route; expected at least one`, this, true);
    const listenerOf = ({ route }: NamedRoute) => route.listenerArn ?? args.listenerArn;

    const tags = { "tidegate:environment": args.environment, "tidegate:service": args.service };
    this.groups = declareReleaseGroups(this, { ...args, tags });
    const groupOf = (digest: string): ReleaseGroup => {
      const group = this.groups.find((candidate) => candidate.release.digest === digest);
      if (!group)
        throw new pulumi.ResourceError(`service ${args.service}: no release has the digest ${digest}`, this, true);
      return group;
    };
    const ordered = byDigest(this.groups);
    for (const digest of Object.keys(args.shares)) groupOf(digest);
    this.control = args.control && declareControlGroup(this, args.control, { ...args, tags });
    const controlGroup = this.control;
    const weighted = ordered
      .map(({ release, arn }) => ({ arn, weight: (args.shares[release.digest] ?? 0) - controlShare(args, release) }))
      .concat(controlGroup ? [{ arn: controlGroup.arn, weight: controlGroup.control.sharePercent }] : [])
      .filter(({ weight }) => weight > 0);
    const attached = [...ordered, ...(controlGroup ? [controlGroup] : [])];
    const guarded = (role: GuardedWrite["role"], { suffix }: NamedRoute) => this.#guardOptions(args, role, suffix);

    this.anchorRule = new aws.lb.ListenerRule(
      `${name}-anchor`,
      {
        listenerArn: listenerOf(first),
        priority: first.route.priority + 2,
        conditions: [{ sourceIp: { values: [unmatchableSource] } }],
        actions: [forward(attached.map(({ arn }) => ({ arn, weight: 1 })))],
        tags: { ...tags, "tidegate:role": "anchor" },
      },
      { parent: this },
    );
    const alarmsFirst =
      args.beforeMain?.(this.groups, controlGroup && measuredControl(controlGroup), this.anchorRule) ?? [];
    const mains = routes.map(
      (named): RoutedRule => ({
        role: "main",
        route: named.suffix,
        // No rule waits for another: one that cannot be written must not keep the others from being lowered.
        rule: new aws.lb.ListenerRule(
          `${name}-main${named.suffix}`,
          {
            listenerArn: listenerOf(named),
            priority: named.route.priority + 1,
            conditions: knownConditions(mainConditions(named.route.match, found)),
            actions: [forward(weighted, stickinessOf(args))],
            tags: { ...tags, "tidegate:role": "main" },
          },
          { parent: this, dependsOn: [this.anchorRule, ...alarmsFirst], ...guarded("main", named) },
        ),
      }),
    );
    const { testers } = args;
    const marked = testers
      ? routes.map(
          (named): RoutedRule => ({
            role: "tester",
            route: named.suffix,
            rule: new aws.lb.ListenerRule(
              `${name}-tester${named.suffix}`,
              {
                listenerArn: listenerOf(named),
                priority: named.route.priority,
                conditions: knownConditions(testerConditions(named.route.match, found, testers)),
                actions: [forward([{ arn: groupOf(args.testersReach).arn, weight: 100 }])],
                tags: { ...tags, "tidegate:role": "tester" },
              },
              { parent: this, dependsOn: [this.anchorRule], ...guarded("tester", named) },
            ),
          }),
        )
      : [];
    this.mainRules = mains.map(({ rule }) => rule);
    this.testerRules = marked.map(({ rule }) => rule);
    const anchor: RoutedRule = { role: "anchor", route: "", rule: this.anchorRule };
    this.rules = [...mains.slice(0, 1), anchor, ...marked.slice(0, 1), ...mains.slice(1), ...marked.slice(1)];
    // Plain numbers, for stack policies: they see a component's outputs, and an ARN is unknown in a preview.
    this.registerOutputs({
      service: args.service,
      shares: args.shares,
      versions,
      mainRuleArns: this.mainRules.map(({ arn }) => arn),
      anchorRuleArn: this.anchorRule.arn,
      testerRuleArns: this.testerRules.map(({ arn }) => arn),
    });
  }

  #refuse(problems: readonly string[]): void {
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), this, true);
  }

  #guardOptions(
    args: WaveRouterArgs,
    role: GuardedWrite["role"],
    routeSuffix: string,
  ): { hooks?: pulumi.ResourceHookBinding } {
    const { guard } = args;
    if (!guard) return {};
    // Never resolves in a preview, where ARNs may be unknown; there the hook does not run either.
    const known = new Promise<{ releases: DescribedRelease[]; control: ControlGroup | undefined }>((resolve) => {
      const control = this.control ? describeControl(this.control) : pulumi.output(undefined);
      pulumi.all([describeReleases(this.groups), control]).apply(([releases, group]) => {
        resolve({ releases, control: group });
      });
    });
    const hooks = guard.bind(guardHookName(args.service, role, routeSuffix), async (hookArgs) => {
      const { releases, control } = await known;
      const rule = { role, alarms: guard.alarms, releases, ...(control ? { control } : {}) };
      await guard.check(guardedWriteFrom(hookArgs, rule));
    });
    return hooks ? { hooks } : {};
  }
}

function measuredControl({ control, arn, arnSuffix, adopted }: ControlTargetGroup): RoutedControl {
  return { releaseKey: control.releaseKey, targetGroupArnSuffix: arnSuffix, arn, adopted };
}

/** What of a release's share its second group has. */
function controlShare({ control }: WaveRouterArgs, { digest }: Release): number {
  return control?.digest === digest ? control.sharePercent : 0;
}

function stickinessOf(args: WaveRouterArgs) {
  return args.stickinessSeconds === undefined
    ? undefined
    : { enabled: args.stickinessAllowed, seconds: args.stickinessSeconds };
}

/** A preview of a service whose adopted rule is gone goes on, to tell everything else; an `up` never comes here. */
function knownConditions(conditions: RuleCondition[]): RuleCondition[] {
  return conditions.length > 0 ? conditions : [{ sourceIp: { values: [unmatchableSource] } }];
}

function problemsOf(args: WaveRouterArgs, found: ServiceSurvey): string[] {
  const problems: string[] = [];
  const named = [...args.releases.map((release) => release.version), ...(args.control ? ["the control"] : [])];
  if (named.length > maximumGroupsPerAction) {
    problems.push(
      `service ${args.service}: too many live releases for one rule, got ${named.length} (${named.join(", ")}); expected at most ` +
        `${maximumGroupsPerAction}. Wait until one may go: a release that has lost its traffic goes 2 minutes later, the previous ` +
        `one ${args.rollbackWindowMinutes} minutes after the finish; then run again`,
    );
  }
  problems.push(...routeProblems(args, found, pulumi.runtime.isDryRun()));
  const shares = Object.values(args.shares);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum !== 100 || shares.some((share) => !Number.isInteger(share) || share < 1)) {
    problems.push(
      `service ${args.service}: shares must be whole percents above 0 that sum to 100, got ${JSON.stringify(args.shares)}`,
    );
  }
  problems.push(...controlProblems(args));
  return problems;
}

/** It is a part of its baseline, and no larger than what is next to it. */
function controlProblems({ service, control, shares, releases }: WaveRouterArgs): string[] {
  if (!control) return [];
  const { digest, sharePercent } = control;
  const place = `service ${service}: control`;
  const problems: string[] = [];
  if (sharePercent > 0 && !releases.some((release) => release.digest === digest)) {
    problems.push(
      `${place}: of a release that is not live, got ${digest}; expected the baseline. Name it among releases`,
    );
  }
  const due = controlPercentAt(100 - (shares[digest] ?? 0));
  if (!Number.isInteger(sharePercent) || sharePercent < 0 || sharePercent > due) {
    problems.push(
      `${place}: not a share that it may have, got ${sharePercent} %; expected a whole number from 0 to ${due}, at most the canary's share and the baseline's`,
    );
  }
  return problems;
}
