/** CloudWatch statistics by name, and what a put carries. */
import type { Histogram } from "./histogram.ts";

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
