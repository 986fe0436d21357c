/**
 * Reads load-balancer resources as any `aws.lb` or `aws.alb` program declares them: what kind a resource is, what a rule or a listener
 * forwards to, and which target groups of the program those are.
 */
import type { PolicyResource } from "@pulumi/policy";
import {
  at,
  flagAt,
  type Known,
  type KnownMap,
  known,
  listAt,
  numberAt,
  textAt,
  type Unknown,
  unknown,
} from "./known.ts";
import type { Finding } from "./props-message.ts";

export type AlbKind = "ListenerRule" | "Listener" | "TargetGroup";

/** Modules that have had the same resources; `aws.alb` is an alias of `aws.lb`, the long names are from before it. */
const albType =
  /^aws:(?:lb|alb|applicationloadbalancing|elasticloadbalancingv2)\/\w+:(ListenerRule|Listener|TargetGroup)$/;

/** The kind of a load-balancer resource, undefined for anything else. */
export function albKind(type: string): AlbKind | undefined {
  return albType.exec(type)?.[1] as AlbKind | undefined;
}

/** The property in which a rule or a listener has its actions; undefined for anything that forwards nothing. */
export function actionsProperty(type: string): "actions" | "defaultActions" | undefined {
  const kind = albKind(type);
  return kind === "ListenerRule" ? "actions" : kind === "Listener" ? "defaultActions" : undefined;
}

/** One target group in a forward action. */
export interface ForwardGroup {
  readonly arn: string | Unknown | undefined;
  /** As given; NaN when it is no number. The provider's own default is 1. */
  readonly weight: number | Unknown;
}

/** One action that forwards. */
export interface Forward {
  /** Where it stands: `actions[0]`. */
  readonly path: string;
  /** Whether weights are given at all; false: one target group by its ARN. */
  readonly weighted: boolean;
  readonly groups: readonly ForwardGroup[] | Unknown;
  /** Undefined: off. */
  readonly stickinessSeconds: number | Unknown | undefined;
}

function groupsOf(action: Known): ForwardGroup[] | Unknown {
  const groups = listAt(action, "forward", "targetGroups");
  if (groups === unknown) return unknown;
  return groups.map((group) => ({
    arn: group === unknown ? unknown : textAt(group, "arn"),
    weight: group === unknown ? unknown : (numberAt(group, "weight") ?? 1),
  }));
}

function stickinessOf(action: Known): number | Unknown | undefined {
  const enabled = flagAt(action, "forward", "stickiness", "enabled");
  if (enabled === unknown) return unknown;
  return enabled === true ? (numberAt(action, "forward", "stickiness", "duration") ?? Number.NaN) : undefined;
}

/** Every action of a rule or a listener that forwards, as far as it is known. */
export function forwardsOf(type: string, props: KnownMap): Forward[] {
  const property = actionsProperty(type);
  if (property === undefined) return [];
  const actions = listAt(props, property);
  if (actions === unknown) return [{ path: property, weighted: true, groups: unknown, stickinessSeconds: unknown }];
  return actions.flatMap((action, index): Forward[] => {
    const path = `${property}[${index}]`;
    if (at(action, "forward") !== undefined) {
      return [{ path, weighted: true, groups: groupsOf(action), stickinessSeconds: stickinessOf(action) }];
    }
    const arn = textAt(action, "targetGroupArn");
    return arn === undefined
      ? []
      : [{ path, weighted: false, groups: [{ arn, weight: 1 }], stickinessSeconds: undefined }];
  });
}

/** A target group that a rule forwards to: one of the program's, or one it only knows by ARN. */
export interface Release {
  /** Logical name, or the ARN of one that is not the program's. */
  readonly name: string;
  readonly resource: PolicyResource | undefined;
  /** The CloudWatch dimension `targetgroup/<name>/<id>`; undefined when not known yet. */
  readonly arnSuffix: string | undefined;
}

/** `targetgroup/<name>/<id>` of a target group's ARN. */
function arnSuffixOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

function releaseOf(resource: PolicyResource): Release {
  const arn = textAt(known(resource.props), "arn");
  return { name: resource.name, resource, arnSuffix: typeof arn === "string" ? arnSuffixOf(arn) : undefined };
}

/** The program's target groups that a rule's or a listener's actions are made from. */
function groupsBehind(rule: PolicyResource): readonly PolicyResource[] {
  const property = actionsProperty(rule.type);
  const madeFrom = property === undefined ? [] : (rule.propertyDependencies[property] ?? []);
  return madeFrom.filter(({ type }) => albKind(type) === "TargetGroup");
}

/** Whether a preview says nothing at all of where an action forwards to, not even by what it is made from. */
export function isUntold(rule: PolicyResource, forward: Forward): boolean {
  return forward.groups === unknown && groupsBehind(rule).length === 0;
}

/** What to say of a rule of which `isUntold` holds. */
export function untoldFinding(rule: PolicyResource, forward: Forward): Finding {
  return {
    name: rule.name,
    wrong: `${forward.path} may split traffic, and between which target groups cannot be told before up`,
    got: "a list that is not known as a whole",
    expected: "a list in which single values may be unknown",
    wayOut: "Write the list out, with outputs only inside of it",
  };
}

/**
 * The target groups of one forward action that `include` says yes to.
 *
 * An ARN that is not known yet does not say which of the new groups it is; the engine only says which groups the actions are made
 * from. Where that leaves several, all of them are answered: rather one too many is judged than one too few.
 * @returns `unplaced`: how many of the groups cannot be told at all
 */
export function releasesBehind(
  rule: PolicyResource,
  forward: Forward,
  resources: readonly PolicyResource[],
  include: (weight: number | Unknown) => boolean,
): { readonly releases: readonly Release[]; readonly unplaced: number } {
  const madeFrom = groupsBehind(rule);
  const fresh = madeFrom.filter((group) => releaseOf(group).arnSuffix === undefined).map(releaseOf);
  // Not known what it does: one group of the program may share the traffic with others that are not the program's.
  if (forward.groups === unknown) return { releases: madeFrom.map(releaseOf), unplaced: 0 };
  const own = resources.filter(({ type }) => albKind(type) === "TargetGroup").map(releaseOf);
  const wanted = forward.groups.filter(({ weight }) => include(weight));
  const placed = wanted.flatMap(({ arn }): Release[] => {
    if (typeof arn !== "string") return [];
    const arnSuffix = arnSuffixOf(arn);
    return [own.find((group) => group.arnSuffix === arnSuffix) ?? { name: arn, resource: undefined, arnSuffix }];
  });
  const open = wanted.length - placed.length;
  return { releases: [...placed, ...(open > 0 ? fresh : [])], unplaced: Math.max(0, open - fresh.length) };
}

/** How many groups an action has; several when that is not known. */
export function groupCount(forward: Forward): number {
  return forward.groups === unknown ? Number.POSITIVE_INFINITY : forward.groups.length;
}

/** A target group of the program that shares traffic by weight. */
export interface WeightedGroup {
  readonly group: PolicyResource;
  /** A rule or a listener that names it. */
  readonly rule: PolicyResource;
  /** How sure that is: `splits`, or `may split` where a preview does not know the actions. */
  readonly splits: "splits" | "may split";
}

/** Every target group of the program in an action with two groups or more, or with nobody knows how many; each once. */
export function groupsWithWeights(resources: readonly PolicyResource[]): WeightedGroup[] {
  const found = new Map<string, WeightedGroup>();
  for (const rule of resources) {
    for (const forward of forwardsOf(rule.type, known(rule.props))) {
      if (groupCount(forward) < 2) continue;
      for (const { resource } of releasesBehind(rule, forward, resources, () => true).releases) {
        if (!resource || found.has(resource.urn)) continue;
        const splits = forward.groups === unknown ? "may split" : "splits";
        found.set(resource.urn, { group: resource, rule, splits });
      }
    }
  }
  return [...found.values()];
}

/** A tag of a resource, when it is known. */
export function tagOf(props: KnownMap, key: string): string | undefined {
  const value = textAt(props, "tags", key);
  return typeof value === "string" ? value : undefined;
}

/** Whether a target group belongs to an application load balancer; one whose protocol is not known yet counts. */
export function isApplicationGroup(type: string, props: KnownMap): boolean {
  if (albKind(type) !== "TargetGroup") return false;
  const protocol = textAt(props, "protocol");
  return typeof protocol !== "string" || /^HTTPS?$/i.test(protocol);
}
