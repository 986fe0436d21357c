/**
 * Canary and baseline side by side as a gate would measure them, drawn window by window: the rehearsal's traffic (same rhythm, same gamma
 * bursts, same drift and lognormal, same blip at an opening), without serving every request, so that thousands of rollouts are drawn in
 * seconds. `trouble.ts` adds minutes that are ill for both and for one.
 *
 * Percentiles are drawn as the order statistics that they are: exactly, from gammas, however few requests there are.
 */
import type { SoakWindow } from "../../core/gate/evidence.ts";
import type { Instant } from "../../core/record.ts";
import { traffic } from "../../rehearsal/traffic/constants.ts";
import type { RandomStream } from "../../rehearsal/traffic/random.ts";
import { rateAt } from "../../rehearsal/traffic/traffic.ts";
import { normalCumulative, normalQuantile } from "./normal.ts";
import { trouble } from "./trouble.ts";

const minuteMs = 60_000;
const minutesPerDay = 1_440;

/** Which latencies a source keeps: percentiles of each window, or all samples by value. */
export type CalibrationSource = "alb" | "emf";

/** How a bad release differs from its baseline. */
export interface Badness {
  /** Its errors, as a multiple of a healthy one's. @default 1 */
  readonly errorFactor?: number;
  /** Its latencies, likewise. @default 1 */
  readonly latencyFactor?: number;
}

/** A service whose releases are drawn. */
export interface Service {
  /** All releases together, mean over a day. Unit: requests per second. */
  readonly ratePerSecond: number;
  readonly source: CalibrationSource;
  /** Base error ratio. Unit: fraction. @default the rehearsal's */
  readonly baseFraction?: number;
  /** Spread of errors between minutes: shape of their gamma. @default the rehearsal's */
  readonly gammaShape?: number;
}

/** One wave's soak. */
export interface Soak {
  readonly openedAt: Instant;
  readonly fromPercent: number;
  readonly exposurePercent: number;
  /** Length of a window: whole minutes. Unit: seconds. */
  readonly windowSeconds: number;
}

type Side = "canary" | "baseline";

/** Draws windows of one soak, as far as they are asked for; a later look sees the earlier windows again. */
export class SoakTrace {
  readonly canary: SoakWindow[] = [];
  readonly baseline: SoakWindow[] = [];
  readonly #streams: Readonly<Record<Side | "common", RandomStream>>;
  readonly #service: Service;
  readonly #soak: Soak;
  readonly #badness: Badness;
  #drawnTo: Instant;
  #commonUntil = Number.NEGATIVE_INFINITY;

  constructor(stream: RandomStream, service: Service, soak: Soak, badness: Badness = {}) {
    this.#streams = {
      canary: stream.fork("canary"),
      baseline: stream.fork("baseline"),
      common: stream.fork("common"),
    };
    this.#service = service;
    this.#soak = soak;
    this.#badness = badness;
    this.#drawnTo = soak.openedAt;
  }

  /** Draws on until a window would end after `to`. */
  drawTo(to: Instant): void {
    const windowMs = this.#soak.windowSeconds * 1_000;
    for (; this.#drawnTo + windowMs <= to; this.#drawnTo += windowMs) {
      const common = this.#commonTrouble(windowMs / minuteMs);
      this.#draw("canary", this.canary, common);
      this.#draw("baseline", this.baseline, common);
    }
  }

  /** Minutes of the window in which a dependency was ill. */
  #commonTrouble(minutes: number): number {
    const { startsPerDay, meanMinutes } = trouble.common;
    const stream = this.#streams.common;
    let ill = 0;
    for (let minute = 0; minute < minutes; minute += 1) {
      const at = this.#drawnTo + minute * minuteMs;
      if (at >= this.#commonUntil && stream.uniform() < startsPerDay / minutesPerDay) {
        const length = 1 + Math.floor(Math.log(1 - stream.uniform()) / Math.log(1 - 1 / meanMinutes));
        this.#commonUntil = at + length * minuteMs;
      }
      if (at < this.#commonUntil) ill += 1;
    }
    return ill;
  }

  #draw(side: Side, into: SoakWindow[], commonMinutes: number): void {
    const { windowSeconds, exposurePercent, fromPercent, openedAt } = this.#soak;
    const stream = this.#streams[side];
    const at = this.#drawnTo;
    const share = side === "canary" ? exposurePercent / 100 : 1 - exposurePercent / 100;
    const middle = at + windowSeconds * 500;
    const requests = stream.poisson(rateAt(middle, this.#service.ratePerSecond) * share * windowSeconds);
    if (requests === 0) return;
    const minutes = windowSeconds / 60;
    const ownMinutes = stream.binomial(minutes, trouble.own.startsPerDay / minutesPerDay);
    const { errorFactor = 1, latencyFactor = 1 } = side === "canary" ? this.#badness : {};
    const isOpening = side === "canary" && at === openedAt;
    const newShare = isOpening ? (exposurePercent - fromPercent) / exposurePercent : 0;
    const disturbedFraction = newShare * Math.min(1, traffic.blip.durationSeconds / windowSeconds);

    const { baseFraction = traffic.errors.baseFraction, gammaShape = traffic.errors.gammaShape } = this.#service;
    const calm = Math.max(0, minutes - commonMinutes - ownMinutes);
    const gammas = (count: number) => (count > 0 ? stream.gamma(gammaShape * count, 1 / gammaShape) : 0);
    const burst =
      gammas(calm) +
      trouble.common.errorMultiplier * gammas(commonMinutes) +
      trouble.own.errorMultiplier * gammas(Math.min(ownMinutes, minutes - commonMinutes));
    const ratio = (baseFraction * errorFactor * burst) / minutes + disturbedFraction * traffic.blip.errorFraction;
    const errors = stream.binomial(requests, Math.min(1, ratio));

    const drift = (Math.log1p(traffic.latency.jitterFraction) * stream.normal()) / Math.sqrt(minutes);
    const ill =
      1 +
      ((trouble.common.latencyMultiplier - 1) * commonMinutes + (trouble.own.latencyMultiplier - 1) * ownMinutes) /
        minutes;
    const logMedian = Math.log(traffic.latency.medianMs * latencyFactor * ill) + drift;
    const latency = { stream, requests, logMedian, disturbedFraction };
    into.push({
      at,
      requests,
      errors,
      ...(this.#service.source === "emf"
        ? { latencyCounts: drawCounts(latency) }
        : { latencyMilliseconds: drawPercentiles(latency) }),
    });
  }
}

interface Latency {
  readonly stream: RandomStream;
  readonly requests: number;
  /** Of the undisturbed requests. */
  readonly logMedian: number;
  readonly disturbedFraction: number;
}

/** Distribution of one window's latencies: lognormal, some of it disturbed by the opening. */
function cumulative({ logMedian, disturbedFraction }: Latency, logValue: number): number {
  const { sigma } = traffic.latency;
  const calm = normalCumulative((logValue - logMedian) / sigma);
  if (disturbedFraction === 0) return calm;
  const cold = normalCumulative((logValue - logMedian - Math.log(traffic.blip.latencyMultiplier)) / sigma);
  return (1 - disturbedFraction) * calm + disturbedFraction * cold;
}

function quantile(latency: Latency, fraction: number): number {
  const { sigma } = traffic.latency;
  const calm = latency.logMedian + sigma * normalQuantile(fraction);
  if (latency.disturbedFraction === 0) return Math.exp(calm);
  let low = calm;
  let high = calm + Math.log(traffic.blip.latencyMultiplier);
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (cumulative(latency, middle) < fraction) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** The order statistics at p50, p95 and p99: uniform spacings are gammas over their sum. */
function drawPercentiles(latency: Latency): Record<"p50" | "p95" | "p99", number> {
  const { stream, requests } = latency;
  const rank = (fraction: number) => Math.max(1, Math.ceil(fraction * requests));
  const [r50, r95, r99] = [rank(0.5), rank(0.95), rank(0.99)];
  const g50 = stream.gamma(r50, 1);
  const g95 = r95 > r50 ? stream.gamma(r95 - r50, 1) : 0;
  const g99 = r99 > r95 ? stream.gamma(r99 - r95, 1) : 0;
  const sum = g50 + g95 + g99 + stream.gamma(requests + 1 - r99, 1);
  return {
    p50: quantile(latency, g50 / sum),
    p95: quantile(latency, (g50 + g95) / sum),
    p99: quantile(latency, (g50 + g95 + g99) / sum),
  };
}

/** As `client/` bins them: 100 to the decade. */
const binsPerDecade = 100;
const farSigmas = 4.5;

function drawCounts(latency: Latency): [number, number][] {
  const { stream, requests, logMedian, disturbedFraction } = latency;
  const { sigma } = traffic.latency;
  const perBin = Math.LN10 / binsPerDecade;
  const reach = farSigmas * sigma;
  let bin = Math.floor((logMedian - reach) / perBin);
  const last = Math.ceil(
    (logMedian + reach + (disturbedFraction > 0 ? Math.log(traffic.blip.latencyMultiplier) : 0)) / perBin,
  );
  const counts: [number, number][] = [];
  let left = requests;
  let below = 0;
  for (; bin <= last && left > 0; bin += 1) {
    const upTo = bin === last ? 1 : cumulative(latency, (bin + 1) * perBin);
    const here = bin === last ? left : stream.binomial(left, Math.min(1, (upTo - below) / (1 - below)));
    if (here > 0) counts.push([Math.exp((bin + 1) * perBin), here]);
    left -= here;
    below = upTo;
  }
  return counts;
}
