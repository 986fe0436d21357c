/**
 * All metrics of the local CloudWatch, and readers that compute every point once, however many alarms look at it.
 */
import type { Instant } from "../../core/record.ts";
import { Series, type StoreClock } from "./series.ts";
import type { Statistic, StatisticSet } from "./statistic.ts";

export type Dimensions = Readonly<Record<string, string>>;

/** How finely the ends of periods are spaced. Unit: milliseconds. */
export const granuleMs = (periodMs: number): number => (periodMs % 60_000 === 0 ? 60_000 : 10_000);

/**
 * One series, statistic and period: values by the end of the period, kept once they cannot change any more.
 * Ends are whole minutes for periods of whole minutes, else multiples of 10 s.
 */
export class PeriodReader {
  readonly #series: Series;
  readonly #statistic: Statistic;
  readonly #periodMs: number;
  readonly #granuleMs: number;
  #ends = new Float64Array(0);
  #values = new Float64Array(0);
  /** The instant and version a value was read at; `Infinity`: it is final. */
  #readAt = new Float64Array(0);
  #versions = new Float64Array(0);
  /** Whether the last answer of `at` can never change any more. */
  lastFinal = false;

  constructor(series: Series, statistic: Statistic, periodMs: number) {
    this.#series = series;
    this.#statistic = statistic;
    this.#periodMs = periodMs;
    this.#granuleMs = granuleMs(periodMs);
  }

  /** Makes room for alarms that look `rangeMs` back. */
  reach(rangeMs: number): void {
    const size = Math.ceil(rangeMs / this.#granuleMs) + 1;
    if (size <= this.#ends.length) return;
    this.#ends = new Float64Array(size).fill(Number.NaN);
    this.#values = new Float64Array(size);
    this.#readAt = new Float64Array(size);
    this.#versions = new Float64Array(size);
  }

  /** The value of the period that ends at `end`, as visible at `now`; NaN: no point. */
  at(end: Instant, now: Instant): number {
    const place = (end / this.#granuleMs) % this.#ends.length;
    if (this.#ends[place] === end) {
      const readAt = this.#readAt[place] ?? 0;
      if (readAt === Number.POSITIVE_INFINITY || (readAt === now && this.#versions[place] === this.#series.version)) {
        this.lastFinal = readAt === Number.POSITIVE_INFINITY;
        return this.#values[place] ?? Number.NaN;
      }
    }
    const value = this.#series.read(this.#statistic, end, this.#periodMs, now);
    this.#ends[place] = end;
    this.#values[place] = value;
    this.lastFinal = this.#series.lastReadFinal;
    this.#readAt[place] = this.lastFinal ? Number.POSITIVE_INFINITY : now;
    this.#versions[place] = this.#series.version;
    return value;
  }
}

/** Load balancers, the rest of AWS and the hook publish whole minutes; a service's own EMF metrics are high-resolution. */
function basePeriodSecondsOf(namespace: string): 10 | 60 {
  return namespace.startsWith("AWS/") || namespace === "Tidegate/Hook" ? 60 : 10;
}

export class MetricStore {
  readonly clock: StoreClock = { evaluatedAt: Number.NEGATIVE_INFINITY };
  readonly #series = new Map<string, Series>();
  readonly #readers = new Map<string, PeriodReader>();

  /** The series of a metric with exactly these dimensions; made when first asked for. Hold on to it in hot paths. */
  series(namespace: string, metricName: string, dimensions: Dimensions): Series {
    const key = seriesKey(namespace, metricName, dimensions);
    let series = this.#series.get(key);
    if (!series) {
      series = new Series(`${namespace} ${metricName} ${key}`, basePeriodSecondsOf(namespace), this.clock);
      this.#series.set(key, series);
    }
    return series;
  }

  /** Adds one value or statistic set to the point that `at` falls into; it can be read from `visibleAt` on. */
  putMetric(
    namespace: string,
    metricName: string,
    dimensions: Dimensions,
    at: Instant,
    value: number | StatisticSet,
    visibleAt: Instant,
  ): void {
    this.series(namespace, metricName, dimensions).put(at, value, visibleAt);
  }

  /** A reader that looks `rangeMs` back, shared by all who ask for the same. */
  reader(
    metric: { namespace: string; metricName: string; dimensions: Dimensions; statistic: Statistic },
    periodMs: number,
    rangeMs: number,
  ): PeriodReader {
    const { namespace, metricName, dimensions, statistic } = metric;
    const statisticKey = statistic.kind === "percentile" ? `p${statistic.percent}` : statistic.kind;
    const key = `${seriesKey(namespace, metricName, dimensions)} ${statisticKey} ${periodMs}`;
    let reader = this.#readers.get(key);
    if (!reader) {
      reader = new PeriodReader(this.series(namespace, metricName, dimensions), statistic, periodMs);
      this.#readers.set(key, reader);
    }
    reader.reach(rangeMs);
    return reader;
  }
}

function seriesKey(namespace: string, metricName: string, dimensions: Dimensions): string {
  const sorted = Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, metricName, sorted]);
}
