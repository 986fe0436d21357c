/**
 * Listeners, rules and target groups in virtual time, and the `Traffic` port over them. Weights written to a rule are read back at
 * once, while requests follow them some seconds later; `split.ts` says which requests go where.
 */
import type { Instant } from "../../core/record.ts";
import type { SurveyedCondition } from "../../core/survey.ts";
import { checkForwardAction } from "../../hooks/aws/forward-limits.ts";
import type { ForwardAction, ListenerRef, TargetHealth, Traffic } from "../../hooks/ports.ts";
import { ProviderRefusedError } from "../engine/errors.ts";
import { Split } from "./split.ts";

/** A rule as it is. */
export interface Rule {
  readonly arn: string;
  readonly listenerArn: string;
  priority: number;
  tags: Readonly<Record<string, string>>;
  conditions: readonly SurveyedCondition[];
  action: ForwardAction;
  /** Where its requests go. */
  readonly split: Split;
}

/** A group and its hosts. */
interface TargetGroup {
  readonly arn: string;
  hosts: number;
  /** When its hosts first answer health checks. */
  readonly readyAt: Instant;
  /** Hosts that were broken since. */
  broken: number;
  /** Rules that forward to it, whatever the weight. */
  attachments: number;
}

/** Who wrote a rule. */
export type Writer = "up" | "hook" | "person";

export interface LoadBalancersOptions {
  readonly now: () => Instant;
  /** How long requests still follow the old weights. Unit: seconds. */
  readonly propagationSeconds: () => number;
  /** Called after every write of a rule's action, creation included, with the instant from which requests follow it. */
  readonly onWrite: (rule: Rule, by: Writer, servedFrom: Instant) => void;
}

const roleTag = "tidegate:role";
const serviceTag = "tidegate:service";
const environmentTag = "tidegate:environment";

export class LoadBalancers {
  readonly #options: LoadBalancersOptions;
  /** Load balancer ARN by name. */
  readonly #balancers = new Map<string, string>();
  readonly #listeners = new Map<string, { readonly loadBalancerArn: string }>();
  readonly #rules = new Map<string, Rule>();
  readonly #groups = new Map<string, TargetGroup>();
  #mains: readonly Rule[] | undefined;
  /** Main rules of each service, by its name. */
  readonly #routes = new Map<string, number>();

  constructor(options: LoadBalancersOptions) {
    this.#options = options;
  }

  addLoadBalancer(name: string, arn: string): void {
    this.#balancers.set(name, arn);
  }

  deleteLoadBalancer(name: string): void {
    this.#balancers.delete(name);
  }

  addListener(arn: string, loadBalancerArn: string): void {
    this.#listeners.set(arn, { loadBalancerArn });
  }

  hasListener(arn: string): boolean {
    return this.#listeners.has(arn);
  }

  deleteListener(arn: string): void {
    for (const rule of this.#rules.values()) {
      if (rule.listenerArn === arn) throw new ProviderRefusedError(`listener ${arn}: in use by rule ${rule.arn}`);
    }
    this.#listeners.delete(arn);
  }

  /** A group whose hosts answer from `readyAt` on. */
  addTargetGroup(arn: string, hosts: number, readyAt: Instant): void {
    if (this.#groups.has(arn)) throw new ProviderRefusedError(`target group ${arn}: exists already`);
    this.#groups.set(arn, { arn, hosts, readyAt, broken: 0, attachments: 0 });
  }

  hasTargetGroup(arn: string): boolean {
    return this.#groups.has(arn);
  }

  /** @throws ProviderRefusedError while a rule forwards to it, as ELBv2 does */
  deleteTargetGroup(arn: string): void {
    const { attachments } = this.#group(arn);
    if (attachments > 0) throw new ProviderRefusedError(`target group ${arn}: in use by ${attachments} rule(s)`);
    this.#groups.delete(arn);
  }

  /** So many hosts from now on, where an autoscaler says how many. */
  setHosts(arn: string, hosts: number): void {
    const group = this.#groups.get(arn);
    if (group) group.hosts = hosts;
  }

  /** Part of its service's requests that a group gets by its rules. Unit: fraction. */
  partOf(arn: string): number {
    let part = 0;
    for (const rule of this.mainRules()) {
      const { weights } = rule.action;
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      if (total > 0) part += (weights[arn] ?? 0) / total / this.routeCount(serviceOf(rule));
    }
    return part;
  }

  /** So many of the group's hosts stop answering; 0 brings all back. */
  breakHosts(arn: string, count: number): void {
    this.#group(arn).broken = count;
  }

  /** One more host, which does not answer. */
  addBrokenHost(arn: string): void {
    const group = this.#group(arn);
    group.hosts += 1;
    group.broken += 1;
  }

  #group(arn: string): TargetGroup {
    const group = this.#groups.get(arn);
    if (!group) throw new ProviderRefusedError(`target group ${arn}: not found`);
    return group;
  }

  /** Hosts that take requests now; none in a group that is gone, or that no rule forwards to and so nobody checks. */
  healthyHosts(arn: string, at: Instant): number {
    const group = this.#groups.get(arn);
    if (!group || group.attachments === 0 || at < group.readyAt) return 0;
    return Math.max(0, group.hosts - group.broken);
  }

  isAttached(arn: string): boolean {
    return (this.#groups.get(arn)?.attachments ?? 0) > 0;
  }

  /** @throws ProviderRefusedError for what ELBv2 would refuse */
  createRule(rule: Omit<Rule, "split">): void {
    if (this.#rules.has(rule.arn)) throw new ProviderRefusedError(`rule ${rule.arn}: exists already`);
    if (!this.#listeners.has(rule.listenerArn)) {
      throw new ProviderRefusedError(`rule ${rule.arn}: listener ${rule.listenerArn} not found`);
    }
    this.#checkPriority(rule);
    this.#checkAction(rule.arn, rule.action);
    const split = new Split(rule.action, this.#options.now());
    const created = { ...rule, split };
    this.#rules.set(rule.arn, created);
    this.#attach(rule.action, 1);
    this.#mains = undefined;
    this.#options.onWrite(created, "up", this.#options.now());
  }

  modifyRule(
    arn: string,
    change: Partial<Pick<Rule, "priority" | "tags" | "conditions" | "action">>,
    by: Writer,
  ): void {
    const rule = this.#rules.get(arn);
    if (!rule) throw new ProviderRefusedError(`rule ${arn}: not found, nothing was written`);
    if (change.priority !== undefined && change.priority !== rule.priority) {
      this.#checkPriority({ ...rule, priority: change.priority });
      rule.priority = change.priority;
    }
    if (change.tags) rule.tags = change.tags;
    if (change.conditions) rule.conditions = change.conditions;
    this.#mains = undefined;
    if (!change.action) return;
    this.#checkAction(arn, change.action);
    this.#attach(rule.action, -1);
    this.#attach(change.action, 1);
    rule.action = copyOf(change.action);
    const servedFrom = this.#options.now() + Math.round(this.#options.propagationSeconds() * 1_000);
    rule.split.change(rule.action, servedFrom, by);
    this.#options.onWrite(rule, by, servedFrom);
  }

  deleteRule(arn: string): void {
    const rule = this.#rules.get(arn);
    if (!rule) return;
    this.#attach(rule.action, -1);
    this.#rules.delete(arn);
    this.#mains = undefined;
  }

  rule(arn: string): Rule | undefined {
    return this.#rules.get(arn);
  }

  /** Rules that carry users' requests, by service name. */
  mainRules(): readonly Rule[] {
    if (this.#mains) return this.#mains;
    this.#mains = [...this.#rules.values()]
      .filter((rule) => rule.tags[roleTag] === "main")
      .sort((left, right) => ((left.tags[serviceTag] ?? "") < (right.tags[serviceTag] ?? "") ? -1 : 1));
    this.#routes.clear();
    for (const rule of this.#mains) this.#routes.set(serviceOf(rule), this.routeCount(serviceOf(rule)) + 1);
    return this.#mains;
  }

  /** How many main rules a service has; what `mainRules` found last. */
  routeCount(service: string): number {
    return this.#routes.get(service) ?? 0;
  }

  /** Rules of one listener, in the order in which they are tried. */
  rulesOf(listenerArn: string): readonly Rule[] {
    return [...this.#rules.values()]
      .filter((rule) => rule.listenerArn === listenerArn)
      .sort((left, right) => left.priority - right.priority);
  }

  #attach(action: ForwardAction, by: 1 | -1): void {
    for (const arn of Object.keys(action.weights)) {
      const group = this.#groups.get(arn);
      if (group) group.attachments += by;
    }
  }

  #checkPriority({ arn, listenerArn, priority }: Pick<Rule, "arn" | "listenerArn" | "priority">): void {
    for (const other of this.#rules.values()) {
      if (other.arn !== arn && other.listenerArn === listenerArn && other.priority === priority) {
        throw new ProviderRefusedError(`rule ${arn}: priority ${priority} is in use by ${other.arn}`);
      }
    }
  }

  #checkAction(arn: string, action: ForwardAction): void {
    checkForwardAction(arn, action);
    const absent = Object.keys(action.weights).filter((group) => !this.#groups.has(group));
    if (absent.length > 0) throw new ProviderRefusedError(`rule ${arn}: target group ${absent.join(", ")} not found`);
  }

  /** Listeners meant by a reference; none where it or its load balancer is not there. */
  #listenersOf(listener: ListenerRef): string[] {
    if ("arn" in listener) return [listener.arn];
    const loadBalancerArn = this.#balancers.get(listener.loadBalancerName);
    return [...this.#listeners].flatMap(([arn, { loadBalancerArn: of }]) => (of === loadBalancerArn ? [arn] : []));
  }

  /** The port; what is written through it counts as the hook's. */
  traffic(): Traffic {
    return {
      readRules: async (ruleArns) => {
        const actions: Record<string, ForwardAction> = {};
        for (const arn of ruleArns) {
          const rule = this.#rules.get(arn);
          if (rule) actions[arn] = copyOf(rule.action);
        }
        return actions;
      },
      writeRule: async (ruleArn, action) => this.modifyRule(ruleArn, { action }, "hook"),
      targetHealth: async (arn): Promise<TargetHealth> => ({
        healthyCount: this.healthyHosts(arn, this.#options.now()),
        totalCount: this.#group(arn).hosts,
      }),
      findMainRules: async ({ listener, environment, service }) => {
        const listeners = new Set(this.#listenersOf(listener));
        return this.mainRules()
          .filter(
            ({ listenerArn, tags }) =>
              listeners.has(listenerArn) && tags[environmentTag] === environment && tags[serviceTag] === service,
          )
          .map((rule) => rule.arn)
          .sort();
      },
    };
  }
}

function copyOf(action: ForwardAction): ForwardAction {
  return { ...action, weights: { ...action.weights } };
}

/** Service of a rule of ours. */
export function serviceOf(rule: Rule): string {
  return rule.tags[serviceTag] ?? "";
}
