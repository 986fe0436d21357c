/**
 * What an indicator came to over a soak: out of its windows where those carry it, else out of sums of signals. Arithmetic alone; who reads
 * them is `stacks/decide/criteria.ts`.
 */
import type { Measure } from "../measures.ts";
import { type Indicator, indicators } from "../objectives.ts";
import type { Instant } from "../record.ts";
import type { Signal } from "../signals.ts";
import { mostLostFraction } from "./comparison-windows.ts";
import type { SoakWindow } from "./evidence.ts";

/** A value, and how much of it may be chance. */
export interface MeasuredValue {
  readonly value: number;
  /** As windows differ among themselves. Unit: the value's. Absent: a single window says nothing of that. */
  readonly standardError?: number;
  /** Of a ratio of errors. */
  readonly errors?: number;
}

const percentiles: Partial<Record<Indicator, "p50" | "p95" | "p99">> = {
  "latency-p50": "p50",
  "latency-p95": "p95",
  "latency-p99": "p99",
};
const errorRatios: ReadonlySet<Indicator> = new Set(["error-rate", "success-rate", "availability"]);

/** Whether windows of a soak carry an indicator. */
export function isInWindows(indicator: Indicator): boolean {
  return errorRatios.has(indicator) || percentiles[indicator] !== undefined;
}

/** When the newest quarter of a soak began. */
export function newestQuarter({ from, to }: { readonly from: Instant; readonly to: Instant }): Instant {
  return to - (to - from) / 4;
}

/**
 * An indicator over windows. Ratios are of all requests together; a percentile cannot be put together, so it is the mean of the windows', each
 * with the weight of its requests.
 * @returns `undefined`: by fewer requests than the floor, or not measured of all of them
 */
export function valueOfWindows(
  indicator: Indicator,
  windows: readonly SoakWindow[],
  requestFloor: number,
): MeasuredValue | undefined {
  const name = percentiles[indicator];
  if (name === undefined) {
    return errorRatios.has(indicator) ? ratioOf(indicator, windows, requestFloor) : undefined;
  }
  const weighed = windows.flatMap(({ requests, latencyMilliseconds }) => {
    const value = latencyMilliseconds?.[name];
    return value === undefined ? [] : [{ value, weight: requests }];
  });
  const weight = sum(weighed.map((each) => each.weight));
  if (weight < requestFloor || weight === 0) return undefined;
  // Requests whose latency nobody measured may be the slow ones.
  if (weight < (1 - mostLostFraction) * sum(windows.map((window) => window.requests))) return undefined;
  const value = sum(weighed.map((each) => each.value * each.weight)) / weight;
  const spread = sum(weighed.map((each) => (each.weight * (each.value - value)) ** 2));
  return { value, ...withError(Math.sqrt(spread) / weight, weighed.length) };
}

function ratioOf(
  indicator: Indicator,
  windows: readonly SoakWindow[],
  requestFloor: number,
): MeasuredValue | undefined {
  const requests = sum(windows.map((window) => window.requests));
  if (requests < requestFloor || requests === 0) return undefined;
  const errors = sum(windows.map((window) => window.errors));
  const fraction = errors / requests;
  const spread = Math.sqrt(sum(windows.map((window) => (window.errors - fraction * window.requests) ** 2))) / requests;
  const { standardError: between } = withError(spread, windows.length);
  // Never less than arithmetic says of rare events, however alike the windows happen to be.
  const ofCounts = Math.sqrt(Math.max(1, errors)) / requests;
  return {
    value: indicators[indicator].badSide === "below" ? 100 * (1 - fraction) : 100 * fraction,
    ...(between === undefined ? {} : { standardError: 100 * Math.max(between, ofCounts) }),
    errors,
  };
}

function withError(spread: number, windows: number): Pick<MeasuredValue, "standardError"> {
  return windows < 2 ? {} : { standardError: spread * Math.sqrt(windows / (windows - 1)) };
}

/** What signals came to over a time: counters as their sum, levels as their mean, most or least. */
export type SignalTotals = Readonly<Partial<Record<Signal, number>>>;

/**
 * A measure over a time. A counter that is absent beside requests is 0: clients write what they counted, and rare things are not counted.
 * @param seconds how long the time is
 * @param requests how many the release answered in it
 * @returns `undefined`: by fewer requests than the floor, or not measured at all
 */
export function valueOfTotals(
  measure: Measure,
  totals: SignalTotals,
  {
    seconds,
    requests,
    requestFloor,
  }: { readonly seconds: number; readonly requests: number; readonly requestFloor: number },
): number | undefined {
  if (requests < requestFloor || requests === 0 || !(seconds > 0)) return undefined;
  const together = (signals: readonly Signal[]): number => sum(signals.map((signal) => totals[signal] ?? 0));
  switch (measure.kind) {
    case "ratio": {
      const whole = together(measure.whole);
      return whole < requestFloor || whole === 0 ? undefined : (100 * together(measure.part)) / whole;
    }
    case "quotient": {
      const whole = together([measure.whole]);
      return whole > 0 ? together([measure.part]) / whole : undefined;
    }
    case "sum": {
      const counted = together(measure.signals);
      return measure.perSeconds === undefined ? counted : (counted * measure.perSeconds) / seconds;
    }
    case "gauge":
      return totals[measure.signal];
    case "percentile":
      return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
