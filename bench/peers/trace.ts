/**
 * What a canary answered, in steps of 10 s, and what a metric source lets others see of it and when. The rehearsal's traffic without its
 * latencies: same rhythm, same bursts, same opening. Every tool of the comparison reads the same trace.
 */
import type { Instant } from "../../core/record.ts";
import { traffic } from "../../rehearsal/traffic/constants.ts";
import { RandomStream } from "../../rehearsal/traffic/random.ts";
import { blipFraction, rateAt } from "../../rehearsal/traffic/traffic.ts";

export const stepSeconds = 10;

/** A bad release: from `fromSecond` on, so much is added to its error ratio. */
export interface Incident {
  /** After the opening, a multiple of 10. Unit: seconds. */
  readonly fromSecond: number;
  /** Unit: fraction. */
  readonly addedFraction: number;
}

/** Sums since the opening, by step: place `i` holds everything before second `10 i`. */
export interface Trace {
  readonly steps: number;
  readonly requests: Float64Array;
  /** 5xx that the release answered. */
  readonly answered: Float64Array;
  /** Requests whose connection failed; the load balancer answers them. */
  readonly unanswered: Float64Array;
}

/** Any midnight; a trace opens at one of the hours after it. */
const epoch: Instant = Date.UTC(2026, 0, 5);

/** @param canaryRatePerSecond mean over a day, of the canary alone */
export function drawTrace(
  seed: string,
  { canaryRatePerSecond, hours, incident }: { canaryRatePerSecond: number; hours: number; incident?: Incident },
): Trace {
  const stream = new RandomStream(seed);
  const [counts, errors, bursts] = [stream.fork("requests"), stream.fork("errors"), stream.fork("bursts")];
  const openedAt = epoch + Math.floor(24 * stream.uniform()) * 3_600_000;
  const steps = (hours * 3_600) / stepSeconds;
  const trace: Trace = {
    steps,
    requests: new Float64Array(steps + 1),
    answered: new Float64Array(steps + 1),
    unanswered: new Float64Array(steps + 1),
  };
  const { baseFraction, gammaShape, burstSeconds, connectionFraction } = traffic.errors;
  let burst = 1;
  for (let step = 0; step < steps; step += 1) {
    const second = step * stepSeconds;
    const from = openedAt + second * 1_000;
    if (second % burstSeconds === 0) burst = bursts.gamma(gammaShape, 1 / gammaShape);
    const to = from + stepSeconds * 1_000;
    const requests = counts.poisson(rateAt(from, canaryRatePerSecond) * stepSeconds);
    const unanswered = errors.binomial(requests, connectionFraction);
    const cold = second < 60 ? blipFraction({ openedAt, fromPercent: 0, toPercent: 10 }, { from, to }) : 0;
    const added = incident && second >= incident.fromSecond ? incident.addedFraction : 0;
    const ratio = baseFraction * burst + cold * traffic.blip.errorFraction + added;
    const answered = errors.binomial(requests - unanswered, Math.min(1, ratio));
    trace.requests[step + 1] = (trace.requests[step] ?? 0) + requests;
    trace.answered[step + 1] = (trace.answered[step] ?? 0) + answered;
    trace.unanswered[step + 1] = (trace.unanswered[step] ?? 0) + unanswered;
  }
  return trace;
}

/** Points of the load balancer: a minute each, two minutes late. Or of the release itself: 10 s each, 10 s late. */
export type PointSource = "alb" | "emf";

/** The newest second of which something can be seen. */
export function visibleUntil(source: PointSource, second: number): number {
  const base = source === "alb" ? 60 : stepSeconds;
  return Math.floor((second - traffic.metricDelaySeconds[source]) / base) * base;
}

/** Requests and errors in a window, as far as they can be seen at `second`. */
export interface Seen {
  requests: number;
  errors: number;
}

/**
 * What a source shows of the seconds from `from` to `to` at `now`; `undefined`: no point.
 * @param withUnanswered whether failed connections are counted as errors, where the source knows them
 */
export function seenIn(
  trace: Trace,
  source: PointSource,
  { from, to, now }: { from: number; to: number; now: number },
  withUnanswered: boolean,
): Seen | undefined {
  const low = Math.max(0, from) / stepSeconds;
  const high = Math.min(to, visibleUntil(source, now)) / stepSeconds;
  if (high <= low) return undefined;
  const sum = (counts: Float64Array) => (counts[high] ?? 0) - (counts[low] ?? 0);
  const unanswered = sum(trace.unanswered);
  const requests = sum(trace.requests) - (source === "emf" ? unanswered : 0);
  if (requests === 0) return undefined;
  return { requests, errors: sum(trace.answered) + (withUnanswered && source === "alb" ? unanswered : 0) };
}
