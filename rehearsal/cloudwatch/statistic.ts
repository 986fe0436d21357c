/** CloudWatch statistics by name, and what a put carries. */
import { type Histogram, valueAt } from "./histogram.ts";

export const plainStatistics = ["Sum", "Minimum", "Maximum", "Average", "SampleCount"] as const;
export type PlainStatistic = (typeof plainStatistics)[number];

export type Statistic =
  | { readonly kind: PlainStatistic }
  /** Unit of `percent`: percent, 0 to 100. */
  | { readonly kind: "percentile"; readonly percent: number };

/** `Sum`, `p99.9`; `undefined` for what is not modelled (trimmed means, percentile ranks, interquartile means). */
export function parseStatistic(name: string): Statistic | undefined {
  const plain = plainStatistics.find((statistic) => statistic === name);
  if (plain) return { kind: plain };
  const percent = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(name)?.[1];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return { kind: "percentile", percent: Number(percent) };
}

/** Samples already added up, as EMF and load balancers publish them. */
export interface StatisticSet {
  readonly sum: number;
  /** Range: 1 and up. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Needed for percentiles. */
  readonly histogram?: Histogram;
  /** The histogram's values times ten to this are the metric's unit: -3 for milliseconds into seconds. @default 0 */
  readonly histogramDecades?: number;
}

/**
 * A histogram as a put, its values times ten to the `decades`; `undefined` without samples, since such a point is not published.
 * Sum, minimum and maximum are those of the bins, so off by at most 2.4 %.
 */
export function statisticsOf(histogram: Histogram, decades = 0): StatisticSet | undefined {
  if (histogram.total === 0) return undefined;
  const factor = 10 ** decades;
  return {
    sum: histogram.approximateSum() * factor,
    count: histogram.total,
    min: valueAt(histogram.low) * factor,
    max: valueAt(histogram.high + 1) * factor,
    histogram,
    histogramDecades: decades,
  };
}

/** A count of things that happened, as load balancers publish it: one sample of 1 each; `undefined` for none. */
export function countOf(things: number): StatisticSet | undefined {
  return things > 0 ? { sum: things, count: things, min: 1, max: 1 } : undefined;
}
