/**
 * What wakes the hook: event rules, their targets and the permissions to invoke, exactly as captured. A rule without its target, or a
 * target without its permission, wakes nobody. Delivery is late by a constant, sometimes double, and tried anew after a failure.
 */
import type { Instant } from "../../core/record.ts";
import { NotRehearsedError, ProviderRefusedError } from "../engine/errors.ts";
import type { RandomStream } from "../traffic/random.ts";
import { cloud } from "./constants.ts";

/** What EventBridge hands to the hook. */
export interface BusEvent {
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An event on its way. */
export interface Delivery {
  readonly dueAt: Instant;
  readonly event: BusEvent;
  /** 1 for the first. */
  readonly attempt: number;
}

type Matcher = (event: BusEvent) => boolean;

interface EventRule {
  readonly arn: string;
  readonly matches: Matcher | undefined;
  /** Unit: milliseconds. */
  readonly everyMs: number | undefined;
}

interface Permission {
  readonly functionName: string;
  readonly qualifier: string;
  readonly sourceArn: string;
}

/** The one schedule that is modelled. */
const everyMinute = "rate(1 minute)";

export class EventBus {
  readonly #random: RandomStream;
  readonly #rules = new Map<string, EventRule>();
  readonly #targets = new Map<string, { readonly rule: string; readonly arn: string }>();
  readonly #permissions = new Map<string, Permission>();
  readonly #functions = new Set<string>();
  /** Aliases of functions by ARN. */
  readonly #aliases = new Map<string, { readonly functionName: string; readonly name: string }>();
  #deliveries: Delivery[] = [];
  #wired: { readonly matchers: readonly Matcher[]; readonly everyMs: number | undefined } | undefined;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  putRule(name: string, arn: string, eventPattern: unknown, scheduleExpression: unknown): void {
    const place = `event rule ${name}`;
    if (scheduleExpression !== undefined && scheduleExpression !== everyMinute) {
      throw new NotRehearsedError(
        `${place}: the schedule ${JSON.stringify(scheduleExpression)}; expected ${everyMinute}`,
      );
    }
    this.#rules.set(name, {
      arn,
      matches: eventPattern === undefined ? undefined : compilePattern(String(eventPattern), place),
      everyMs: scheduleExpression === undefined ? undefined : 60_000,
    });
    this.#wired = undefined;
  }

  deleteRule(name: string): void {
    this.#rules.delete(name);
    this.#wired = undefined;
  }

  putTarget(id: string, rule: string, arn: string): void {
    if (!this.#rules.has(rule)) throw new ProviderRefusedError(`event target ${id}: event rule ${rule} not found`);
    this.#targets.set(id, { rule, arn });
    this.#wired = undefined;
  }

  deleteTarget(id: string): void {
    this.#targets.delete(id);
    this.#wired = undefined;
  }

  putPermission(id: string, permission: Permission): void {
    if (!this.#functions.has(permission.functionName)) {
      throw new ProviderRefusedError(`permission ${id}: function ${permission.functionName} not found`);
    }
    this.#permissions.set(id, permission);
    this.#wired = undefined;
  }

  deletePermission(id: string): void {
    this.#permissions.delete(id);
    this.#wired = undefined;
  }

  putFunction(name: string): void {
    this.#functions.add(name);
  }

  deleteFunction(name: string): void {
    this.#functions.delete(name);
    this.#wired = undefined;
  }

  putAlias(arn: string, functionName: string, name: string): void {
    this.#aliases.set(arn, { functionName, name });
    this.#wired = undefined;
  }

  deleteAlias(arn: string): void {
    this.#aliases.delete(arn);
    this.#wired = undefined;
  }

  hasFunction(functionName: string, qualifier: string): boolean {
    if (!this.#functions.has(functionName)) return false;
    return [...this.#aliases.values()].some((alias) => alias.functionName === functionName && alias.name === qualifier);
  }

  /** Name of the function that events reach; for its metrics. */
  functionNames(): string[] {
    return [...this.#functions];
  }

  /** How often the schedule wakes the hook; `undefined`: never. Unit: milliseconds. */
  scheduleMs(): number | undefined {
    return this.#wiring().everyMs;
  }

  /** Hears of an event; whatever rule matches it delivers it later, once a rule. */
  publish(event: BusEvent, at: Instant): void {
    for (const matches of this.#wiring().matchers) {
      if (!matches(event)) continue;
      const dueAt = at + cloud.eventDeliverySeconds * 1_000;
      this.deliver({ dueAt, event, attempt: 1 });
      if (this.#random.uniform() < cloud.duplicateFraction) {
        this.deliver({ dueAt: dueAt + cloud.duplicateAfterSeconds * 1_000, event, attempt: 1 });
      }
    }
  }

  deliver(delivery: Delivery): void {
    // Sorting is stable: what is due at one instant keeps its order.
    this.#deliveries = [...this.#deliveries, delivery].sort((left, right) => left.dueAt - right.dueAt);
  }

  /** When the next delivery is due; infinity without one. */
  nextDueAt(): Instant {
    return this.#deliveries[0]?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  take(): Delivery | undefined {
    return this.#deliveries.shift();
  }

  #wiring() {
    if (this.#wired) return this.#wired;
    const live = [...this.#rules].filter(([name, rule]) => this.#reachesHook(name, rule.arn)).map(([, rule]) => rule);
    this.#wired = {
      matchers: live.flatMap((rule) => rule.matches ?? []),
      everyMs: live.find((rule) => rule.everyMs !== undefined)?.everyMs,
    };
    return this.#wired;
  }

  #reachesHook(ruleName: string, ruleArn: string): boolean {
    return [...this.#targets.values()].some((target) => {
      const alias = target.rule === ruleName ? this.#aliases.get(target.arn) : undefined;
      if (!alias || !this.#functions.has(alias.functionName)) return false;
      return [...this.#permissions.values()].some(
        ({ functionName, qualifier, sourceArn }) =>
          functionName === alias.functionName && qualifier === alias.name && sourceArn === ruleArn,
      );
    });
  }
}

/**
 * An event pattern as a predicate: lists of exact texts and of `{ prefix }`, nested by field.
 * @throws NotRehearsedError naming any other filter
 */
function compilePattern(text: string, place: string): Matcher {
  const pattern: unknown = JSON.parse(text);
  const compiled = compileFields(pattern, place);
  return (event) => compiled(event);
}

function compileFields(pattern: unknown, place: string): (value: unknown) => boolean {
  if (Array.isArray(pattern)) {
    const tests = pattern.map((filter) => compileFilter(filter, place));
    return (value) => tests.some((test) => test(value));
  }
  if (typeof pattern !== "object" || pattern === null) {
    throw new NotRehearsedError(`${place}: a pattern of another shape, got ${JSON.stringify(pattern)}`);
  }
  const fields = Object.entries(pattern).map(([key, inner]) => [key, compileFields(inner, `${place}.${key}`)] as const);
  return (value) =>
    typeof value === "object" && value !== null && fields.every(([key, test]) => test(Reflect.get(value, key)));
}

function compileFilter(filter: unknown, place: string): (value: unknown) => boolean {
  if (typeof filter === "string") return (value) => value === filter;
  if (typeof filter === "object" && filter !== null && Object.keys(filter).join() === "prefix") {
    const prefix = String(Reflect.get(filter, "prefix"));
    return (value) => typeof value === "string" && value.startsWith(prefix);
  }
  throw new NotRehearsedError(`${place}: the filter ${JSON.stringify(filter)}; expected a text or { prefix }`);
}
