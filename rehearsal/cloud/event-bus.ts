/**
 * What wakes the functions: event rules, their targets and the permissions to invoke, exactly as captured. A rule without its target, or
 * a target without its permission, wakes nobody. Delivery is late by a constant, sometimes double, and tried anew after a failure.
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

/** An event on its way to a function. */
export interface Delivery {
  readonly dueAt: Instant;
  readonly functionName: string;
  /** What the function is handed: the event, or what its target says instead. */
  readonly event: unknown;
  /** 1 for the first. */
  readonly attempt: number;
}

type Matcher = (event: BusEvent) => boolean;

interface EventRule {
  readonly arn: string;
  readonly matches: Matcher | undefined;
  readonly timing: Timing | undefined;
}

interface EventTarget {
  readonly rule: string;
  readonly arn: string;
  readonly input: string | undefined;
}

interface Permission {
  readonly functionName: string;
  /** Alias or version that may be invoked; absent: the function itself. */
  readonly qualifier?: string;
  readonly sourceArn: string;
}

/** When a schedule speaks. */
interface Timing {
  /** The first time after an instant. `phaseMs`: where in its minute a rate speaks; it counts from when it was made. */
  readonly after: (at: Instant, phaseMs: number) => Instant;
}

/** A schedule that reaches a function. */
export interface Schedule extends Timing {
  /** Of its target. */
  readonly id: string;
  readonly functionName: string;
  readonly event: unknown;
}

interface Wired {
  readonly id: string;
  readonly matches: Matcher | undefined;
  readonly timing: Timing | undefined;
  readonly functionName: string;
  readonly input: string | undefined;
}

/** What a function is handed by a clock. Source: EventBridge user guide, "Scheduled rules", read 2026-11. */
const scheduledEvent: BusEvent = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };

export class EventBus {
  readonly #random: RandomStream;
  readonly #rules = new Map<string, EventRule>();
  readonly #targets = new Map<string, EventTarget>();
  readonly #permissions = new Map<string, Permission>();
  readonly #functions = new Set<string>();
  /** Aliases of functions by ARN. */
  readonly #aliases = new Map<string, { readonly functionName: string; readonly name: string }>();
  #deliveries: Delivery[] = [];
  #wired: { readonly events: readonly Wired[]; readonly schedules: readonly Schedule[] } | undefined;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  putRule(name: string, arn: string, eventPattern: unknown, scheduleExpression: unknown): void {
    const place = `event rule ${name}`;
    this.#rules.set(name, {
      arn,
      matches: eventPattern === undefined ? undefined : compilePattern(String(eventPattern), place),
      timing: scheduleExpression === undefined ? undefined : timingOf(String(scheduleExpression), place),
    });
    this.#wired = undefined;
  }

  deleteRule(name: string): void {
    this.#rules.delete(name);
    this.#wired = undefined;
  }

  /** @param input what the function is handed instead of the event; JSON */
  putTarget(id: string, rule: string, arn: string, input?: string): void {
    if (!this.#rules.has(rule)) throw new ProviderRefusedError(`event target ${id}: event rule ${rule} not found`);
    this.#targets.set(id, { rule, arn, input });
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
    // A statement's id is its function's own: two functions may have the same.
    this.#permissions.set(`${permission.functionName} ${id}`, permission);
    this.#wired = undefined;
  }

  deletePermission(id: string, functionName: string): void {
    this.#permissions.delete(`${functionName} ${id}`);
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

  /** @param qualifier an alias; a version, or none, is there with its function */
  hasFunction(functionName: string, qualifier?: string): boolean {
    if (!this.#functions.has(functionName)) return false;
    if (qualifier === undefined || /^\d+$/.test(qualifier)) return true;
    return [...this.#aliases.values()].some((alias) => alias.functionName === functionName && alias.name === qualifier);
  }

  functionNames(): string[] {
    return [...this.#functions];
  }

  /** Every schedule that reaches a function. */
  schedules(): readonly Schedule[] {
    return this.#wiring().schedules;
  }

  /** Hears of an event; every target of a rule that matches it gets it later. */
  publish(event: BusEvent, at: Instant): void {
    for (const { matches, functionName, input } of this.#wiring().events) {
      if (!matches?.(event)) continue;
      const delivery = { functionName, event: input === undefined ? event : JSON.parse(input), attempt: 1 };
      const dueAt = at + cloud.eventDeliverySeconds * 1_000;
      this.deliver({ ...delivery, dueAt });
      if (this.#random.uniform() < cloud.duplicateFraction) {
        this.deliver({ ...delivery, dueAt: dueAt + cloud.duplicateAfterSeconds * 1_000 });
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
    const live: Wired[] = [...this.#targets].flatMap(([id, target]) => {
      const rule = this.#rules.get(target.rule);
      const functionName = rule && this.#reached(target.arn, rule.arn);
      if (!rule || functionName === undefined) return [];
      return [{ id, matches: rule.matches, timing: rule.timing, functionName, input: target.input }];
    });
    this.#wired = {
      events: live.filter(({ matches }) => matches !== undefined),
      schedules: live.flatMap(({ id, timing, functionName, input }) =>
        timing
          ? [{ ...timing, id, functionName, event: input === undefined ? scheduledEvent : JSON.parse(input) }]
          : [],
      ),
    };
    return this.#wired;
  }

  /** Name of the function that a target leads to and may invoke. */
  #reached(targetArn: string, ruleArn: string): string | undefined {
    const alias = this.#aliases.get(targetArn);
    const functionName = alias?.functionName ?? /:function:([^:]+)$/.exec(targetArn)?.[1];
    if (functionName === undefined || !this.#functions.has(functionName)) return undefined;
    const isAllowed = [...this.#permissions.values()].some(
      (permission) =>
        permission.functionName === functionName &&
        permission.qualifier === alias?.name &&
        permission.sourceArn === ruleArn,
    );
    return isAllowed ? functionName : undefined;
  }
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * `rate(1 minute)`, `rate(7 days)`, a time of the week, `cron(0 9 ? * TUE *)`, and whole parts of an hour, `cron(0/15 * * * ? *)`.
 * @throws NotRehearsedError naming any other schedule
 */
function timingOf(expression: string, place: string): Timing {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const weekly = /^cron\((\d{1,2}) (\d{1,2}) \? \* ([A-Z]{3}) \*\)$/.exec(expression);
  const everyMinutes = Number(/^cron\(0\/(\d{1,2}) \* \* \* \? \*\)$/.exec(expression)?.[1]);
  const weekday = weekdays.indexOf(weekly?.[3] ?? "");
  if (rate && Number(rate[1]) > 0) {
    const everyMs = Number(rate[1]) * (unitMs[rate[2] ?? ""] ?? 0);
    return { after: (at, phaseMs) => (Math.floor((at - phaseMs) / everyMs) + 1) * everyMs + phaseMs };
  }
  if (everyMinutes > 0 && 60 % everyMinutes === 0) {
    const everyMs = everyMinutes * 60_000;
    return { after: (at) => (Math.floor(at / everyMs) + 1) * everyMs };
  }
  if (weekly && weekday >= 0) {
    return {
      after: (at) => {
        const day = new Date(at);
        const due = Date.UTC(
          day.getUTCFullYear(),
          day.getUTCMonth(),
          day.getUTCDate() + ((weekday - day.getUTCDay() + 7) % 7),
          Number(weekly[2]),
          Number(weekly[1]),
        );
        return due > at ? due : due + 7 * 86_400_000;
      },
    };
  }
  throw new NotRehearsedError(
    `${place}: the schedule "${expression}"; expected rate(N minutes|hours|days), a time of the week like cron(0 9 ? * TUE *) or a part of the hour like cron(0/15 * * * ? *)`,
  );
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
