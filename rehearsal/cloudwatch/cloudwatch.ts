/**
 * A CloudWatch in virtual time: metrics in, alarm state changes out. It has no clock and no randomness; every call says when.
 *
 * The caller steps it: put a step's metrics, then `evaluateAt` its end, every 10 s. What it does not model it refuses by name.
 */
import type { AlarmStateValue, ComparisonOperator } from "../../core/alarm-evaluation.ts";
import type { Instant } from "../../core/record.ts";
import type { AlarmValues } from "../../core/snapshot.ts";
import type { AlarmState, RequestQuery, StatisticQuery } from "../../hooks/ports.ts";
import {
  type AlarmActions,
  type CompositeAlarmDefinition,
  readCompositeAlarm,
  readMetricAlarm,
} from "./alarm-inputs.ts";
import { type AlarmRule, compileAlarmRule } from "./alarm-rule.ts";
import { InvalidRequestError } from "./errors.ts";
import { RunningMetricAlarm } from "./metric-alarm.ts";
import { type Dimensions, MetricStore } from "./metric-store.ts";
import { parseStatistic, type StatisticSet } from "./statistic.ts";

/** An alarm changed its state. */
export interface StateChange {
  readonly alarmName: string;
  readonly state: AlarmStateValue;
  readonly previousState: AlarmStateValue;
  readonly at: Instant;
  readonly reason: string;
  /** ARNs to call for the new state; empty while actions are disabled. */
  readonly actions: readonly string[];
}

interface Stateful {
  readonly definition: AlarmActions & { readonly name: string };
  state: AlarmStateValue;
  updatedAt: Instant;
}

interface MetricAlarmEntry extends Stateful {
  readonly kind: "metric";
  readonly running: RunningMetricAlarm;
}

interface CompositeEntry extends Stateful {
  readonly kind: "composite";
  readonly definition: CompositeAlarmDefinition;
  readonly rule: AlarmRule;
}

type Entry = MetricAlarmEntry | CompositeEntry;

/** How often alarms with the shortest periods are looked at. Source: CloudWatch guide, "Evaluating an alarm", 2023-06. */
const stepMs = 10_000;
const badWhen: Readonly<Record<ComparisonOperator, AlarmValues["badWhen"]>> = {
  GreaterThanThreshold: "above",
  GreaterThanOrEqualToThreshold: "atLeast",
  LessThanThreshold: "below",
  LessThanOrEqualToThreshold: "atMost",
};
const none: readonly StateChange[] = Object.freeze([]);

export class CloudWatch {
  readonly metrics = new MetricStore();
  readonly #alarms = new Map<string, Entry>();
  #metricEntries: MetricAlarmEntry[] = [];
  #compositeEntries: CompositeEntry[] = [];
  readonly #stateOf = (name: string): AlarmStateValue | undefined => this.#alarms.get(name)?.state;

  /** As `MetricStore.putMetric`; in hot paths hold `metrics.series(…)` and put there. */
  putMetric(
    namespace: string,
    metricName: string,
    dimensions: Dimensions,
    at: Instant,
    value: number | StatisticSet,
    visibleAt: Instant,
  ): void {
    this.metrics.putMetric(namespace, metricName, dimensions, at, value, visibleAt);
  }

  /**
   * Creates or replaces an alarm from the inputs of a captured `aws.cloudwatch.MetricAlarm`. A new one starts at
   * INSUFFICIENT_DATA, a replaced one keeps its state.
   *
   * @throws NotModelledError, InvalidRequestError
   */
  putMetricAlarm(inputs: unknown, at: Instant): void {
    const definition = readMetricAlarm(inputs);
    const running = new RunningMetricAlarm(definition, this.metrics);
    this.#keep({ kind: "metric", definition, running, ...this.#stateFor(definition.name, "metric", at) });
  }

  /**
   * The same for `aws.cloudwatch.CompositeAlarm`. Its children must be there already, as CloudWatch demands.
   *
   * @throws NotModelledError, InvalidRequestError
   */
  putCompositeAlarm(inputs: unknown, at: Instant): void {
    const definition = readCompositeAlarm(inputs);
    const { name } = definition;
    const rule = compileAlarmRule(definition.rule, `alarm ${name}: alarmRule`);
    const absent = rule.children.filter((child) => !this.#alarms.has(child));
    if (absent.length > 0) {
      throw new InvalidRequestError(absent.map((child) => `alarm ${name}: alarmRule: no such alarm, got ${child}`));
    }
    if (rule.children.some((child) => child === name || this.#dependsOn(child, name))) {
      throw new InvalidRequestError([`alarm ${name}: alarmRule: depends on itself`]);
    }
    this.#keep({ kind: "composite", definition, rule, ...this.#stateFor(name, "composite", at) });
  }

  #stateFor(name: string, kind: Entry["kind"], at: Instant): { state: AlarmStateValue; updatedAt: Instant } {
    const existing = this.#alarms.get(name);
    if (!existing) return { state: "INSUFFICIENT_DATA", updatedAt: at };
    if (existing.kind !== kind) {
      throw new InvalidRequestError([`alarm ${name}: is a ${existing.kind} alarm already; delete it first`]);
    }
    return { state: existing.state, updatedAt: existing.updatedAt };
  }

  #dependsOn(name: string, ancestor: string): boolean {
    const entry = this.#alarms.get(name);
    if (entry?.kind !== "composite") return false;
    return entry.rule.children.some((child) => child === ancestor || this.#dependsOn(child, ancestor));
  }

  #keep(entry: Entry): void {
    this.#alarms.set(entry.definition.name, entry);
    this.#relist();
  }

  #relist(): void {
    const entries = [...this.#alarms.values()];
    this.#metricEntries = entries.filter((entry) => entry.kind === "metric");
    this.#compositeEntries = entries.filter((entry) => entry.kind === "composite");
  }

  /** Deletes an alarm. @throws InvalidRequestError when there is none, or a composite still depends on it */
  deleteAlarm(name: string): void {
    this.#existing(name);
    const parents = this.#compositeEntries.filter((entry) => entry.rule.children.includes(name));
    if (parents.length > 0) {
      const names = parents.map((entry) => entry.definition.name).join(", ");
      throw new InvalidRequestError([`alarm ${name}: cannot be deleted, ${names} depends on it`]);
    }
    this.#alarms.delete(name);
    this.#relist();
  }

  #existing(name: string): Entry {
    const entry = this.#alarms.get(name);
    if (!entry) throw new InvalidRequestError([`alarm ${name}: no such alarm`]);
    return entry;
  }

  /** Sets a state by hand; a metric alarm falls back at its next evaluation. @throws InvalidRequestError without such an alarm */
  setAlarmState(name: string, state: AlarmStateValue, reason: string, at: Instant): readonly StateChange[] {
    const changes = this.#move(this.#existing(name), state, at, () => reason, none);
    return this.#settleComposites(at, changes);
  }

  /**
   * Looks at every alarm that is due at `at` and says what changed, children before the composites above them.
   *
   * @throws InvalidRequestError when `at` is no multiple of 10 s or lies before the last evaluation
   */
  evaluateAt(at: Instant): readonly StateChange[] {
    const { clock } = this.metrics;
    if (at % stepMs !== 0 || at < clock.evaluatedAt) {
      throw new InvalidRequestError([
        `evaluateAt: got ${at}; expected a multiple of ${stepMs} ms, not before ${clock.evaluatedAt}`,
      ]);
    }
    clock.evaluatedAt = at;
    let changes = none;
    for (const entry of this.#metricEntries) {
      if (!entry.running.isDue(at)) continue;
      const state = entry.running.evaluate(at, entry.state);
      if (state !== entry.state) changes = this.#move(entry, state, at, () => entry.running.reason(), changes);
    }
    return this.#settleComposites(at, changes);
  }

  /** Composites may hang on composites: repeats until nothing moves; without cycles that ends. */
  #settleComposites(at: Instant, before: readonly StateChange[]): readonly StateChange[] {
    let changes = before;
    let moved = this.#compositeEntries.length > 0;
    while (moved) {
      moved = false;
      for (const entry of this.#compositeEntries) {
        const state = entry.rule.holds(this.#stateOf) ? "ALARM" : "OK";
        if (state === entry.state) continue;
        changes = this.#move(entry, state, at, () => entry.definition.rule, changes);
        moved = true;
      }
    }
    return changes;
  }

  #move(
    entry: Entry,
    state: AlarmStateValue,
    at: Instant,
    reason: () => string,
    changes: readonly StateChange[],
  ): readonly StateChange[] {
    const previousState = entry.state;
    if (state === previousState) return changes;
    entry.state = state;
    entry.updatedAt = at;
    const { name, actionsEnabled, actions } = entry.definition;
    const change = {
      alarmName: name,
      state,
      previousState,
      at,
      reason: reason(),
      actions: actionsEnabled ? actions[state] : [],
    };
    return [...changes, change];
  }

  /** For the `Alarms` port: fresh copies, absent alarms left out. */
  describe(alarmNames: readonly string[]): AlarmState[] {
    return alarmNames.flatMap((alarmName) => {
      const entry = this.#alarms.get(alarmName);
      if (!entry) return [];
      return [
        { alarmName, state: entry.state, updatedAt: entry.updatedAt, actionsEnabled: entry.definition.actionsEnabled },
      ];
    });
  }

  /**
   * For the `Alarms` port: what each metric alarm's own expression came to, of what is visible at `now`; composites and absent alarms
   * are left out.
   *
   * @throws InvalidRequestError for a range that ends before it begins
   */
  alarmValues(
    alarmNames: readonly string[],
    range: { readonly from: Instant; readonly to: Instant },
    now: Instant,
  ): AlarmValues[] {
    if (range.to < range.from) {
      throw new InvalidRequestError([`range: ends before it begins, got ${range.from} to ${range.to}`]);
    }
    return alarmNames.flatMap((alarmName) => {
      const entry = this.#alarms.get(alarmName);
      if (entry?.kind !== "metric") return [];
      const { threshold, comparison } = entry.running.definition.settings;
      return [{ alarmName, threshold, badWhen: badWhen[comparison], points: entry.running.valuesOver(range, now) }];
    });
  }

  /** Names of all alarms, in the order they came. */
  alarmNames(): string[] {
    return [...this.#alarms.keys()];
  }

  /**
   * For the `Metrics` port: sums by period of what is visible at `now`, oldest first, periods without a point left out.
   * `at` is the start of the period; `from` and `to` are aligned down.
   */
  requestSums(
    queries: readonly RequestQuery[],
    range: { readonly from: Instant; readonly to: Instant; readonly periodSeconds: number },
    now: Instant,
  ): Record<string, { at: Instant; sum: number }[]> {
    const asked = queries.map((query) => ({ ...query, statistic: "Sum" }));
    return Object.fromEntries(
      Object.entries(this.statistics(asked, range, now)).map(([id, points]) => [
        id,
        points.map(({ at, value }) => ({ at, sum: value })),
      ]),
    );
  }

  /** The same of any statistic. @throws InvalidRequestError for one that CloudWatch does not have, and for an odd period */
  statistics(
    queries: readonly StatisticQuery[],
    range: { readonly from: Instant; readonly to: Instant; readonly periodSeconds: number },
    now: Instant,
  ): Record<string, { at: Instant; value: number }[]> {
    const periodMs = range.periodSeconds * 1_000;
    if (!(periodMs > 0) || periodMs % stepMs !== 0 || (periodMs > 60_000 && periodMs % 60_000 !== 0)) {
      throw new InvalidRequestError([
        `periodSeconds: got ${range.periodSeconds}; expected 10, 20, 30 or a multiple of 60`,
      ]);
    }
    const from = Math.floor(range.from / periodMs) * periodMs;
    const to = Math.floor(range.to / periodMs) * periodMs;
    const answer: Record<string, { at: Instant; value: number }[]> = {};
    for (const { id, namespace, metricName, dimensions, statistic } of queries) {
      const parsed = parseStatistic(statistic);
      if (!parsed) throw new InvalidRequestError([`query ${id}: no such statistic, got ${statistic}`]);
      const series = this.metrics.series(namespace, metricName, dimensions);
      const points: { at: Instant; value: number }[] = [];
      for (let at = from; at < to; at += periodMs) {
        const value = series.read(parsed, at + periodMs, periodMs, now);
        if (!Number.isNaN(value)) points.push({ at, value });
      }
      answer[id] = points;
    }
    return answer;
  }
}
