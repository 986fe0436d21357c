/** Metric math of watch rules under missing points: an alarm never speaks because something is absent (B8, B9). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlarmSpec, alarmsFor, overfullAlarms, serviceAlarmsFor } from "../../core/alarms.ts";
import {
  type Indicator,
  indicators,
  type Objective,
  objectivePresetNames,
  objectivePresets,
} from "../../core/objectives.ts";
import { planPresetNames, planPresets } from "../../core/plans.ts";
import { hostTargets } from "../../core/watch-rules.ts";
import { compileExpression } from "../../rehearsal/cloudwatch/metric-math.ts";

const figures = [
  { of: "previous-wave", percent: 10, indicator: "error-rate", value: 0.2 },
  { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
] as const;

/** Bounds on every indicator beside the baseline, in either form, as far as two releases compare. */
const relative: readonly Objective[] = (Object.keys(indicators) as Indicator[]).flatMap((indicator) =>
  (["factor", "points"] as const).map((form): Objective => {
    const sign = indicators[indicator].badSide === "below" && form === "points" ? -1 : 1;
    const value = sign * (indicators[indicator].badSide === "below" && form === "factor" ? 0.9 : 1.5);
    return {
      name: `${indicator}-${form}`,
      indicator,
      critical: { value, reference: { kind: "baseline", form }, response: "disable" },
    };
  }),
);

/** Everything that watches a canary beside its baseline, expressions over one instant alone (growth looks back in time). */
const specs: readonly AlarmSpec[] = (["alb", "emf"] as const).flatMap((source) => {
  const canary = (plan: (typeof planPresetNames)[number]) => ({
    plan: planPresets[plan],
    exposurePercent: 25,
    figures,
  });
  return [
    ...objectivePresetNames.flatMap((name) =>
      planPresetNames.flatMap((plan) => alarmsFor(objectivePresets[name], source, hostTargets, canary(plan))),
    ),
    ...alarmsFor(relative, source, hostTargets, canary("steady")),
  ].filter(({ rule, expressions }) => rule.reference?.kind !== "growth" && expressions.length > 0);
});

/** Whether one point of an alarm is bad. `undefined` values are missing points. */
function speaks(spec: AlarmSpec, values: Readonly<Record<string, number | undefined>>): boolean {
  const ids = [...spec.metrics.map(({ id }) => id), ...spec.expressions.map(({ id }) => id)];
  const placeOf = new Map(ids.map((id, index) => [id, index]));
  const frame = new Float64Array(ids.length).fill(Number.NaN);
  for (const { id } of spec.metrics) frame[placeOf.get(id) ?? 0] = values[id] ?? Number.NaN;
  let result = Number.NaN;
  for (const { id, expression } of spec.expressions) {
    result = compileExpression(expression, placeOf, spec.key).evaluate(frame);
    frame[placeOf.get(id) ?? 0] = result;
  }
  if (Number.isNaN(result)) return false;
  return spec.comparison === "GreaterThanThreshold" ? result > spec.threshold : result < spec.threshold;
}

const level = fc.oneof(
  fc.constant(0),
  fc.constantFrom(1, 10, 99, 100, 1_000, 100_000),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
);

describe("alarms of a canary", () => {
  it("never speak of a difference to a baseline that is not measured, whatever of it is missing [B1, B8]", () => {
    const beside = specs.filter(({ metrics }) => metrics.some(({ release }) => release > 0));
    expect(new Set(beside.map(({ indicator }) => indicator)).size).toBeGreaterThan(8);
    fc.assert(
      fc.property(
        fc.constantFrom(...beside),
        fc.array(level, { minLength: 8, maxLength: 8 }),
        fc.nat(),
        (spec, drawn, which) => {
          const theirs = spec.metrics.filter(({ release }) => release > 0);
          // Errors are sparse: that there were none is no gap. Everything else of the baseline has to be there.
          const needed = theirs.filter(
            ({ metricName }) => !/5XX|Error|Hits|Misses|Rejects|Fallbacks|Evaluations/.test(metricName),
          );
          const one = needed[which % Math.max(1, needed.length)];
          const gone = new Set((one ? [one] : theirs).map(({ id }) => id));
          const values = Object.fromEntries(
            spec.metrics.map(({ id }, index) => [id, gone.has(id) ? undefined : drawn[index]]),
          );
          expect(speaks(spec, values)).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("never speak where nothing at all is measured of either release [B8]", () => {
    for (const spec of specs) expect([spec.key, speaks(spec, {})]).toEqual([spec.key, false]);
  });

  it("speak of errors though nobody published some of them, or a baseline has none [B1, B9]", () => {
    const spec = specs.find(({ key }) => key === "error-rate-factor/critical/300s/of-baseline");
    const values = { requests: 1_000, answered: 50, baselineRequests: 9_000 };
    expect(spec && speaks(spec, values)).toBe(true);
    expect(spec && speaks(spec, { ...values, baselineAnswered: 400 })).toBe(false);
    expect(spec && speaks(spec, { ...values, baselineRequests: 99 })).toBe(false);
  });

  it("speak where a gauge, a percentile or a throughput is worse than its baseline's by more than the bound [B1]", () => {
    const one = (key: string, values: Record<string, number>) => {
      const spec = specs.find((candidate) => candidate.key === key && candidate.metrics[0]?.namespace === "Tidegate");
      return spec && speaks(spec, values);
    };
    const memory = (own: number) =>
      one("memory-factor/critical/300s/of-baseline", { memoryMegabytes: own, baselineMemoryMegabytes: 100 });
    expect([memory(150), memory(151)]).toEqual([false, true]);
    const more = (own: number) =>
      one("memory-points/critical/300s/of-baseline", { memoryMegabytes: own, baselineMemoryMegabytes: 100 });
    expect([more(101.4), more(102)]).toEqual([false, true]);
    const slow = (latency: number) =>
      one("latency-p95-factor/critical/300s/of-baseline", {
        requests: 200,
        latency,
        baselineRequests: 200,
        baselineLatency: 100,
      });
    expect([slow(150), slow(151)]).toEqual([false, true]);
    const done = (itemsProcessed: number) =>
      one("throughput-factor/critical/300s/of-baseline", {
        itemsProcessed,
        processingSeconds: 10,
        baselineItemsProcessed: 1_000,
        baselineProcessingSeconds: 10,
      });
    expect([done(900), done(899)]).toEqual([false, true]);
  });
});

describe("alarms of a service", () => {
  it("name what reads too many metrics before anything is declared, and never emit it [B11]", () => {
    const lambda = { isLambda: true, hasHealthChecks: false };
    const three = [lambda, lambda, lambda];
    expect(overfullAlarms(objectivePresets.web, "alb", three)).toEqual([
      "alarm availability/warning/300s: reads too many metrics, got 12; expected at most 10. Watch fewer releases at once: leave the control out",
    ]);
    expect(() => serviceAlarmsFor(objectivePresets.web, "alb", three)).toThrow(RangeError);
    expect(overfullAlarms(objectivePresets.web, "alb", [hostTargets, lambda, hostTargets])).toEqual([]);
  });

  it("are those of what is left where a release has no point, high or low being bad [B8]", () => {
    const [cache] = serviceAlarmsFor(objectivePresets.web, "emf", [hostTargets, hostTargets]).filter(
      ({ objective }) => objective === "cache-hit-ratio",
    );
    const judge = (values: Record<string, number>) => cache && speaks(cache, values);
    const warm = { cacheHits: 80, cacheMisses: 20 };
    expect([judge(warm), judge({ ...warm, cacheHits1: 60, cacheMisses1: 40 })]).toEqual([false, true]);
    expect([judge({ cacheHits1: 60, cacheMisses1: 40 }), judge({ ...warm, cacheMisses1: 99 })]).toEqual([true, false]);
  });
});
