/** One metric alarm running in virtual time: readers and closures made once, then one evaluation after another. */
import { type AlarmStateValue, evaluateAlarm } from "../../core/alarm-evaluation.ts";
import { evaluationRange } from "../../core/alarms.ts";
import type { Instant } from "../../core/record.ts";
import type { MetricAlarmDefinition } from "./alarm-inputs.ts";
import { InvalidRequestError } from "./errors.ts";
import { type CompiledExpression, compileExpression, type Frame } from "./metric-math.ts";
import { granuleMs, type MetricStore, type PeriodReader } from "./metric-store.ts";

interface Step extends Pick<CompiledExpression, "evaluate" | "restart"> {
  readonly place: number;
}

/** Expressions in the order in which they can be computed. */
function orderedSteps(definition: MetricAlarmDefinition, placeOf: ReadonlyMap<string, number>): Step[] {
  const compiled = new Map(
    definition.expressions.map(({ id, expression }) => [
      id,
      compileExpression(expression, placeOf, `alarm ${definition.name}: expression ${id}`, definition.periodSeconds),
    ]),
  );
  const steps: Step[] = [];
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    const expression = compiled.get(id);
    if (!expression || done.has(id)) return;
    if (path.includes(id)) {
      throw new InvalidRequestError([
        `alarm ${definition.name}: expressions read each other, got ${[...path, id].join(" → ")}`,
      ]);
    }
    for (const read of expression.reads) visit(read, [...path, id]);
    done.add(id);
    steps.push({ place: placeOf.get(id) ?? -1, ...expression });
  };
  for (const id of compiled.keys()) visit(id, []);
  return steps;
}

export class RunningMetricAlarm {
  readonly definition: MetricAlarmDefinition;
  /** The newest evaluation's points, oldest first. */
  readonly points: (number | null)[];
  readonly #periodMs: number;
  readonly #readers: readonly PeriodReader[];
  readonly #sampleCounts: PeriodReader | undefined;
  readonly #steps: readonly Step[];
  readonly #frame: Frame;
  readonly #returnPlace: number;
  /** Ends of the points that are final, and their values: expressions too are computed once. */
  readonly #finalEnds: Float64Array;
  readonly #finalValues: Float64Array;
  readonly #granuleMs: number;
  readonly #store: MetricStore;
  /** Whether a point hangs on those before it. */
  readonly #looksBack: boolean;

  constructor(definition: MetricAlarmDefinition, store: MetricStore) {
    this.definition = definition;
    this.#store = store;
    this.#periodMs = definition.periodSeconds * 1_000;
    const range = evaluationRange(definition.settings.evaluationPeriods);
    const rangeMs = range * this.#periodMs;
    const ids = [...definition.metrics.map((metric) => metric.id), ...definition.expressions.map(({ id }) => id)];
    const placeOf = new Map(ids.map((id, place) => [id, place]));
    this.#steps = orderedSteps(definition, placeOf);
    this.#looksBack = this.#steps.some(({ restart }) => restart !== undefined);
    this.#returnPlace = placeOf.get(definition.returnId) ?? -1;
    this.#frame = new Float64Array(ids.length);
    this.points = Array.from({ length: range }, () => null);
    this.#readers = definition.metrics.map((metric) => store.reader(metric, this.#periodMs, rangeMs));
    const [first] = definition.metrics;
    this.#granuleMs = granuleMs(this.#periodMs);
    const kept = Math.ceil(rangeMs / this.#granuleMs) + 1;
    this.#finalEnds = new Float64Array(kept).fill(Number.NaN);
    this.#finalValues = new Float64Array(kept);
    this.#sampleCounts =
      first && definition.lowSampleFloor > 0
        ? store.reader({ ...first, statistic: { kind: "SampleCount" } }, this.#periodMs, rangeMs)
        : undefined;
  }

  /** Minute-long periods are looked at every minute, shorter ones every 10 s (CloudWatch guide, 2023-06). */
  isDue(at: Instant): boolean {
    return this.#periodMs < 60_000 || at % 60_000 === 0;
  }

  /** The state after an evaluation at `at`, the periods ending there. */
  evaluate(at: Instant, current: AlarmStateValue): AlarmStateValue {
    const { points } = this;
    const range = points.length;
    if (this.#looksBack) this.#restart();
    for (let age = range - 1; age >= 0; age -= 1) {
      const value = this.#pointAt(at - age * this.#periodMs, at);
      points[range - 1 - age] = Number.isNaN(value) ? null : value;
    }
    if (this.#sampleCounts && this.#hasFewSamples(this.#sampleCounts, at)) return current;
    return evaluateAlarm(this.definition.settings, points, current);
  }

  #pointAt(end: Instant, now: Instant): number {
    const kept = (end / this.#granuleMs) % this.#finalEnds.length;
    if (!this.#looksBack && this.#finalEnds[kept] === end) return this.#finalValues[kept] ?? Number.NaN;
    const frame = this.#frame;
    const readers = this.#readers;
    let isFinal = true;
    for (let place = 0; place < readers.length; place += 1) {
      const reader = readers[place];
      if (!reader) continue;
      frame[place] = reader.at(end, now);
      if (!reader.lastFinal) isFinal = false;
    }
    const steps = this.#steps;
    for (let index = 0; index < steps.length; index += 1) {
      const step = steps[index];
      if (step) frame[step.place] = step.evaluate(frame);
    }
    const value = frame[this.#returnPlace] ?? Number.NaN;
    if (isFinal) {
      this.#finalEnds[kept] = end;
      this.#finalValues[kept] = value;
    }
    return value;
  }

  #restart(): void {
    for (const { restart } of this.#steps) restart?.();
  }

  /**
   * What the alarm's own expression comes to in each period of a range, as visible at `now`: oldest first, periods without a point
   * left out. `at` is the start of the period; both ends are aligned down.
   */
  valuesOver(range: { readonly from: Instant; readonly to: Instant }, now: Instant): { at: Instant; value: number }[] {
    const period = this.#periodMs;
    const series = this.definition.metrics.map((metric) => ({
      of: this.#store.series(metric.namespace, metric.metricName, metric.dimensions),
      statistic: metric.statistic,
    }));
    const frame: Frame = new Float64Array(this.#frame.length);
    const values: { at: Instant; value: number }[] = [];
    this.#restart();
    const end = Math.floor(range.to / period) * period;
    for (let at = Math.floor(range.from / period) * period; at < end; at += period) {
      series.forEach(({ of, statistic }, place) => {
        frame[place] = of.read(statistic, at + period, period, now);
      });
      for (const step of this.#steps) frame[step.place] = step.evaluate(frame);
      const value = frame[this.#returnPlace] ?? Number.NaN;
      if (!Number.isNaN(value)) values.push({ at, value });
    }
    return values;
  }

  /** Assumes that `ignore` looks at the newest period that has a point; the guide does not say which. */
  #hasFewSamples(sampleCounts: PeriodReader, at: Instant): boolean {
    for (let age = 0; age < this.points.length; age += 1) {
      const count = sampleCounts.at(at - age * this.#periodMs, at);
      if (!Number.isNaN(count)) return count < this.definition.lowSampleFloor;
    }
    return false;
  }

  /** Why the last evaluation said what it said. */
  reason(): string {
    const { settings } = this.definition;
    const drawn = this.points.map((point) => (point === null ? "-" : String(Number(point.toPrecision(6))))).join(" ");
    return `${settings.datapointsToAlarm} of ${settings.evaluationPeriods} ${settings.comparison} ${settings.threshold}: ${drawn}`;
  }
}
