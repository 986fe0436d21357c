/**
 * Bad requests against false rollbacks, as a curve over each tool's threshold: same traces, same seeds, same exposure for all.
 *
 * Bad requests: 5xx that the canary answered from the incident's first second until its weight is 0 at the load balancer; where it was never
 * noticed, until the trace ends. False rollbacks: healthy canaries of a day that were ended.
 */
import { RandomStream } from "../../rehearsal/traffic/random.ts";
import { drawPropagationSeconds } from "../../rehearsal/traffic/traffic.ts";
import { actSeconds, firstFirings, highestLevel, type PeerRule } from "./rules.ts";
import { drawTrace, type PointSource, stepSeconds, type Trace } from "./trace.ts";

export const healthyHours = 24;
/** An incident begins after the opening's own noise, at any second of a minute that a step begins with. */
const calmSeconds = 1_800;
const incidentHours = 1.5;

/** One tool's curve at one traffic. */
export interface Curve {
  readonly rule: PeerRule;
  readonly points: PointSource;
  readonly thresholds: readonly number[];
  /** Of `healthyCount` healthy days, how many it ended, by threshold. */
  readonly falseRollbacks: readonly number[];
  readonly healthyCount: number;
  /** Mean bad requests of an incident, by size of the incident and threshold. */
  readonly badRequests: readonly (readonly number[])[];
}

export interface CurveOptions {
  /** Unit: requests per second, mean over a day. */
  readonly canaryRatePerSecond: number;
  readonly healthyCount: number;
  readonly incidentCount: number;
  /** Sizes of incidents. Unit: fraction, added to the error ratio. */
  readonly addedFractions: readonly number[];
}

/** Thresholds of a curve, ascending; the documented one among them. */
export function thresholdsOf({ unit, documented }: PeerRule): number[] {
  const grid =
    unit === "errors"
      ? Array.from({ length: 120 }, (_, count) => count + 0.5)
      : Array.from({ length: 451 }, (_, place) => Number((0.01 * 5_000 ** (place / 450)).toPrecision(3)));
  return [...new Set([...grid, documented])].sort((left, right) => left - right);
}

/** Curves of all tools on all sources; the traces are drawn once for all. */
export function curvesOf(tools: readonly { rule: PeerRule; points: PointSource }[], options: CurveOptions): Curve[] {
  const { canaryRatePerSecond, healthyCount, incidentCount, addedFractions } = options;
  const drawn = tools.map(({ rule, points }) => {
    const thresholds = thresholdsOf(rule);
    return {
      rule,
      points,
      thresholds,
      falseRollbacks: thresholds.map(() => 0),
      badRequests: addedFractions.map(() => thresholds.map(() => 0)),
    };
  });
  for (let seed = 1; seed <= healthyCount; seed += 1) {
    const trace = drawTrace(`healthy/${seed}`, { canaryRatePerSecond, hours: healthyHours });
    for (const { rule, points, thresholds, falseRollbacks } of drawn) {
      const level = highestLevel(rule, trace, points);
      thresholds.forEach((threshold, place) => {
        if (level > threshold) falseRollbacks[place] = (falseRollbacks[place] ?? 0) + 1;
      });
    }
  }
  addedFractions.forEach((addedFraction, size) => {
    for (let seed = 1; seed <= incidentCount; seed += 1) {
      const stream = new RandomStream(`incident/${seed}`);
      const fromSecond = calmSeconds + stepSeconds * Math.floor(6 * stream.uniform());
      const propagationSeconds = drawPropagationSeconds(stream);
      const trace = drawTrace(`incident/${seed}`, {
        canaryRatePerSecond,
        hours: incidentHours,
        incident: { fromSecond, addedFraction },
      });
      for (const { rule, points, thresholds, badRequests } of drawn) {
        const sums = badRequests[size] ?? [];
        firstFirings(rule, trace, points, fromSecond, thresholds).forEach((second, place) => {
          const until = second === undefined ? Number.POSITIVE_INFINITY : second + actSeconds + propagationSeconds;
          sums[place] = (sums[place] ?? 0) + errorsBetween(trace, fromSecond, until) / incidentCount;
        });
      }
    }
  });
  return drawn.map((curve) => ({ ...curve, healthyCount }));
}

/** 5xx between two seconds; within a step they fall evenly. */
function errorsBetween({ answered, steps }: Trace, from: number, to: number): number {
  const before = (second: number): number => {
    const place = Math.min(steps, second / stepSeconds);
    const whole = Math.floor(place);
    const [low, high] = [answered[whole] ?? 0, answered[Math.min(steps, whole + 1)] ?? 0];
    return low + (high - low) * (place - whole);
  };
  return before(to) - before(from);
}

/** Where a curve ends no more healthy days than `mostFalse`: its lowest threshold, which notices first. `undefined`: nowhere. */
export function placeAt({ falseRollbacks }: Curve, mostFalse: number): number | undefined {
  const place = falseRollbacks.findIndex((count) => count <= mostFalse);
  return place === -1 ? undefined : place;
}
