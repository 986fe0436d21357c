import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { healthyPercentileMs, sizeFault } from "../../../rehearsal/run/fault-size.ts";
import type { Fault, FaultKind } from "../../../rehearsal/scenarios.ts";

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
