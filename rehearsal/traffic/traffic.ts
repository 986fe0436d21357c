/**
 * Seeded traffic: how many requests each release gets in a step, how many go wrong and how long they take.
 *
 * Not tame on purpose: a daily rhythm, errors in bursts, latency that drifts, a blip at each opening. Every release draws from
 * streams of its own, so taking one away, or a fault on it, changes nothing about the others, and the same seed with the hook
 * off meets the same bursts. Every count is a whole number.
 */
import type { Instant } from "../../core/record.ts";
import { binsPerDecade, Histogram } from "../cloudwatch/histogram.ts";
import { traffic } from "./constants.ts";
import { drawLatencies } from "./latency.ts";
import type { RandomStream } from "./random.ts";
import { type OwnReport, OwnReports } from "./reported.ts";

/** What is wrong with one release during a step; several may hold at once, also on the same release. */
export type Fault = { readonly digest: string } & (
  | {
      readonly kind: "error-ratio";
      /** Added to the release's own ratio. Unit: fraction, 0 to 1. */
      readonly addedFraction: number;
      /** `answered`: the release sends 5xx; `unanswered`: connections to its targets fail. @default "answered" */
      readonly errors?: "answered" | "unanswered";
    }
  /** Every request takes this many times as long. Range: above 0. */
  | { readonly kind: "latency"; readonly multiplier: number }
  /** Violations a request commits on average. Range: 0 and up. */
  | { readonly kind: "invariant-violations"; readonly perRequest: number }
  /** It serves, and reports no metrics. */
  | { readonly kind: "metrics-outage" }
  /** It grows from `since` on, by so much an hour, compounded. */
  | { readonly kind: "memory-leak"; readonly percentPerHour: number; readonly since: Instant }
  /** It takes so many times as much as a healthy one. Range: above 0. */
  | { readonly kind: "memory-step" | "cpu-hot"; readonly factor: number }
  /** A circuit breaker opens at `since` and stays open. */
  | { readonly kind: "breaker-open"; readonly since: Instant }
  /** Its look-ups find so many times as much as a healthy one's. Range: 0 to 1. */
  | { readonly kind: "cache-cold"; readonly factor: number }
  /** On average, added; never more than there are requests. */
  | { readonly kind: "rejects" | "flag-mismatch" | "crash"; readonly perMinute: number }
  | { readonly kind: "dual-run-mismatch"; readonly perHour: number }
);

export interface TrafficStep {
  readonly from: Instant;
  readonly to: Instant;
  /** All releases together. Unit: requests per second. */
  readonly ratePerSecond: number;
  /** Share of the traffic by digest. Unit: fraction; those without traffic are 0 or left out. */
  readonly shares: Readonly<Record<string, number>>;
  /** Those that hold during this step. */
  readonly faults: readonly Fault[];
  /** By digest: the fraction of its requests that are new on it since an opening (see `blipFraction`). @default none */
  readonly blips?: Readonly<Record<string, number>>;
  /** Whether releases report of themselves; where nobody reads it, it is not drawn. @default true */
  readonly reportsOwn?: boolean;
}

/** What one release saw in one step. Overwritten by the next step: copy what is kept. */
export interface ReleaseTraffic {
  readonly digest: string;
  requests: number;
  /** 5xx that the release answered. */
  errors: number;
  /** Requests whose connection to a target failed. */
  connectionErrors: number;
  invariantViolations: number;
  /** Of the answered requests. Unit: milliseconds. */
  readonly latency: Histogram;
  /** What else the release reports of itself. */
  readonly own: Readonly<OwnReport>;
  /** False during a metrics outage. */
  reportsMetrics: boolean;
}

interface ReleaseState {
  readonly counts: RandomStream;
  readonly errors: RandomStream;
  readonly latencies: RandomStream;
  readonly bursts: RandomStream;
  readonly own: OwnReports;
  readonly result: ReleaseTraffic;
  burst: number;
  /** Gamma with mean 1. */
  burstFactor: number;
  jitterBins: number;
}

/** The traffic of one rehearsal: the seeded stream and what each release's bursts are at. */
export class TrafficStream {
  readonly #stream: RandomStream;
  readonly #releases = new Map<string, ReleaseState>();

  constructor(stream: RandomStream) {
    this.#stream = stream;
  }

  stateOf(digest: string): ReleaseState {
    let state = this.#releases.get(digest);
    if (!state) {
      const stream = this.#stream.fork(digest);
      const own = new OwnReports(digest, stream.fork("own"));
      state = {
        counts: stream.fork("requests"),
        errors: stream.fork("errors"),
        latencies: stream.fork("latencies"),
        bursts: stream.fork("bursts"),
        own,
        result: {
          digest,
          requests: 0,
          errors: 0,
          connectionErrors: 0,
          invariantViolations: 0,
          latency: new Histogram(),
          own: own.report,
          reportsMetrics: true,
        },
        burst: Number.NaN,
        burstFactor: 1,
        jitterBins: 0,
      };
      this.#releases.set(digest, state);
    }
    return state;
  }
}

function enterBurst(state: ReleaseState, at: Instant): void {
  const burst = Math.floor(at / (traffic.errors.burstSeconds * 1_000));
  if (burst === state.burst) return;
  state.burst = burst;
  const { gammaShape } = traffic.errors;
  state.burstFactor = state.bursts.gamma(gammaShape, 1 / gammaShape);
  const driftInDecades = Math.log10(1 + traffic.latency.jitterFraction) * state.bursts.normal();
  state.jitterBins = Math.round(driftInDecades * binsPerDecade);
}

/**
 * One step, usually 10 s, for every release with a share above 0, in the order of `shares`.
 * The results are the stream's own objects and hold until the next step.
 */
export function trafficStep(stream: TrafficStream, step: TrafficStep): readonly ReleaseTraffic[] {
  const results: ReleaseTraffic[] = [];
  const seconds = (step.to - step.from) / 1_000;
  for (const digest of Object.keys(step.shares)) {
    const share = step.shares[digest] ?? 0;
    if (!(share > 0)) continue;
    const state = stream.stateOf(digest);
    enterBurst(state, step.from);
    // Shares of a Poisson are Poisson, and independent.
    const requests = state.counts.poisson(step.ratePerSecond * share * seconds);
    serve(state, requests, step, step.blips?.[digest] ?? 0);
    results.push(state.result);
  }
  return results;
}

function serve(
  state: ReleaseState,
  requests: number,
  { from, to, faults, reportsOwn = true }: TrafficStep,
  blipFractionOfRequests: number,
): void {
  const { result } = state;
  let errorFraction = traffic.errors.baseFraction * state.burstFactor;
  let connectionFraction: number = traffic.errors.connectionFraction;
  let latencyMultiplier = 1;
  let violationsPerRequest = 0;
  let reportsMetrics = true;
  for (const fault of faults) {
    if (fault.digest !== result.digest) continue;
    switch (fault.kind) {
      case "error-ratio":
        if (fault.errors === "unanswered") connectionFraction += fault.addedFraction;
        else errorFraction += fault.addedFraction;
        break;
      case "latency":
        latencyMultiplier *= fault.multiplier;
        break;
      case "invariant-violations":
        violationsPerRequest += fault.perRequest;
        break;
      case "metrics-outage":
        reportsMetrics = false;
        break;
      case "memory-leak":
      case "memory-step":
      case "cpu-hot":
      case "breaker-open":
      case "cache-cold":
      case "rejects":
      case "flag-mismatch":
      case "crash":
      case "dual-run-mismatch":
        // Changes what the release reports of itself (`reported.ts`), not the requests.
        break;
      default: {
        const unknown: never = fault;
        throw new Error(`no such fault: ${JSON.stringify(unknown)}`);
      }
    }
  }

  const connectionErrors = state.errors.binomial(requests, connectionFraction);
  const answered = requests - connectionErrors;
  const disturbed = blipFractionOfRequests > 0 ? state.counts.binomial(answered, blipFractionOfRequests) : 0;
  const undisturbed = answered - disturbed;
  result.requests = requests;
  result.connectionErrors = connectionErrors;
  result.errors = state.errors.binomial(undisturbed, Math.min(1, errorFraction));
  if (disturbed > 0) {
    result.errors += state.errors.binomial(disturbed, Math.min(1, errorFraction + traffic.blip.errorFraction));
  }
  result.invariantViolations = violationsPerRequest > 0 ? state.errors.poisson(answered * violationsPerRequest) : 0;
  result.reportsMetrics = reportsMetrics;
  result.latency.clear();
  drawLatencies(state.latencies, undisturbed, latencyMultiplier, state.jitterBins, result.latency);
  if (disturbed > 0) {
    const multiplier = latencyMultiplier * traffic.blip.latencyMultiplier;
    drawLatencies(state.latencies, disturbed, multiplier, state.jitterBins, result.latency);
  }
  if (reportsOwn) state.own.step({ from, to, requests: answered, disturbed, faults });
}

/** The daily rhythm: the rate at an instant for a mean over the day. Unit: requests per second. */
export function rateAt(at: Instant, meanRatePerSecond: number = traffic.meanRatePerSecond): number {
  const hour = (at / 3_600_000) % 24;
  const { swingFraction, peakHour } = traffic.rhythm;
  return meanRatePerSecond * (1 + swingFraction * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI));
}

/** The part of a release's requests in a step that are new on it, after its share rose at `openedAt`. Unit: fraction. */
export function blipFraction(
  opening: { readonly openedAt: Instant; readonly fromPercent: number; readonly toPercent: number },
  step: { readonly from: Instant; readonly to: Instant },
): number {
  if (opening.toPercent <= opening.fromPercent) return 0;
  const endsAt = opening.openedAt + traffic.blip.durationSeconds * 1_000;
  const overlapMs = Math.min(step.to, endsAt) - Math.max(step.from, opening.openedAt);
  if (overlapMs <= 0) return 0;
  const newShare = (opening.toPercent - opening.fromPercent) / opening.toPercent;
  return newShare * (overlapMs / (step.to - step.from));
}

/** How long the load balancer keeps the old weights after one write. Unit: seconds. */
export function drawPropagationSeconds(stream: RandomStream): number {
  const { least, most } = traffic.weightPropagationSeconds;
  return least + (most - least) * stream.uniform();
}
