import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { sizeFault } from "../../../rehearsal/run/fault-size.ts";
import type { Fault, FaultKind } from "../../../rehearsal/scenarios.ts";
import { healthyPercentileMs } from "../../../rehearsal/traffic/healthy.ts";

const web = { name: "checkout", objectives: objectivePresets.web, source: "emf" } as const;
const batch = { ...web, objectives: objectivePresets.batch };
const fault = (kind: FaultKind, times = 2): Fault<FaultKind> => ({
  kind,
  afterSeconds: 180,
  timesCriticalBound: times,
});

describe("the size of a fault", () => {
  it("makes the error ratio twice the critical bound, base errors included", () => {
    expect(sizeFault(fault("error-spike"), web, "d").magnitude).toBeCloseTo(0.02 - 0.0002, 10);
    expect(sizeFault(fault("error-spike"), batch, "d").magnitude).toBeCloseTo(0.1 - 0.0002, 10);
  });

  it("never asks for more errors than there are requests", () => {
    expect(sizeFault(fault("error-spike", 100), batch, "d").magnitude).toBeLessThanOrEqual(1);
  });

  it("makes the watched percentile twice its critical bound, or its warning bound where that is all there is", () => {
    const webFactor = sizeFault(fault("latency-regression"), web, "d").magnitude;
    expect(webFactor * healthyPercentileMs("latency-p95")).toBeCloseTo(6_000, 6);
    const batchFactor = sizeFault(fault("latency-regression"), batch, "d").magnitude;
    expect(batchFactor * healthyPercentileMs("latency-p99")).toBeCloseTo(1_000, 6);
  });

  it("takes a bound that is a multiple of the baseline's as that multiple of a healthy release", () => {
    const relative = { ...web, objectives: objectivePresets["canary-relative"] };
    expect(sizeFault(fault("latency-regression"), relative, "d").magnitude).toBeCloseTo(3, 10);
    const production = { ...web, objectives: objectivePresets.production };
    expect(sizeFault(fault("memory-step"), production, "d").magnitude).toBeCloseTo(4, 10);
    expect(sizeFault(fault("cpu-hot"), production, "d").magnitude).toBeCloseTo(3.6, 10);
  });

  it.each([
    ["memory-leak", "migration", 20],
    // Bounded by nothing there: twice what preset migration allows.
    ["memory-leak", "web", 20],
    ["memory-step", "migration", 4],
    ["cpu-hot", "migration", 8],
    ["cache-cold", "web", 35 / 90],
    ["rejects", "web", 20],
    ["dual-run-mismatch", "migration", 200],
    ["breaker-open", "web", 1],
    ["flag-mismatch", "migration", 6],
    ["crash", "migration", 1],
  ] as const)("sizes %s of %s by its own bound [E3]", (kind, preset, magnitude) => {
    const service = { ...web, objectives: objectivePresets[preset] };
    expect(sizeFault(fault(kind), service, "d").magnitude).toBeCloseTo(magnitude, 10);
  });

  it("refuses a fault that no bound of the service speaks of", () => {
    const bare = { ...web, objectives: objectivePresets.web.filter(({ indicator }) => indicator === "healthy-hosts") };
    expect(() => sizeFault(fault("latency-regression"), bare, "d")).toThrow(
      [
        "scenario has 1 problem:",
        "  services.checkout.objectives: no bound that latency-regression could pass; expected a warning or critical bound on latency-p50, latency-p95 or latency-p99. Rehearse another scenario",
      ].join("\n"),
    );
  });
});
