/** How much worse than its baseline a canary may be, as config has it (C1, B11). */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, serviceProblems } from "./config-builders.ts";

const gateOf = (gate: unknown) => parseConfig(aConfig({}, { checkout: aService({ gate }) })).services[0]?.gate;
const known =
  "error-rate, success-rate, availability, latency-p50, latency-p95, latency-p99, healthy-hosts, invariant-violations, throughput, memory, cpu, cache-hit-ratio, rate-limit-rejects, rate-limit-reject-rate, circuit-breaker-open, circuit-breaker-recovery, dual-run-failures, fallback-rate, flag-mismatches, flag-coverage or crashes";
const documents = { latencyAllowancePercent: 10, errorAllowancePercent: 100, errorCeilingPercent: 1 };

describe("gate in config [C1]", () => {
  it("is the documents' own where it says nothing", () => {
    expect(gateOf(undefined)).toBeUndefined();
    expect(gateOf({})).toEqual(documents);
    expect(gateOf({ latencyAllowancePercent: 2.5, byHand: ["flag-coverage"] })).toEqual({
      ...documents,
      latencyAllowancePercent: 2.5,
      byHand: ["flag-coverage"],
    });
  });

  it("is refused out of range and for unknown words, all problems at once [B11]", () => {
    expect(
      serviceProblems({
        gate: {
          latencyAllowancePercent: 0,
          errorAllowancePercent: 10_001,
          errorCeilingPercent: "1%",
          byHand: ["flag-covrage", "memory", "memory", "toString"],
          latencyAllowance: 3,
        },
      }).map((problem) => problem.replace(/^.*?gate/, "gate")),
    ).toEqual([
      "gate.latencyAllowance: unknown key; expected latencyAllowancePercent, errorAllowancePercent, errorCeilingPercent or byHand",
      "gate.latencyAllowancePercent: must be a number of percent, got 0; expected above 0, to 1,000",
      "gate.errorAllowancePercent: must be a number of percent, got 10001; expected above 0, to 10,000",
      'gate.errorCeilingPercent: must be a number of percent, got "1%"; expected above 0, to 100',
      `gate.byHand[0]: unknown indicator, got "flag-covrage"; expected ${known}. Did you mean flag-coverage?`,
      'gate.byHand[2]: named twice, got "memory"; expected each once',
      `gate.byHand[3]: unknown indicator, got "toString"; expected ${known}`,
    ]);
  });

  it.each<[unknown, string]>([
    [null, "gate: missing; expected a map such as { latencyAllowancePercent: 10 }"],
    [10, "gate: must be a map, got 10; expected a map such as { latencyAllowancePercent: 10 }"],
    [
      { byHand: [] },
      "gate.byHand: names nothing, got an empty list; expected a list of indicators such as [flag-coverage]. Leave byHand out",
    ],
  ])("refuses %o [B11]", (gate, expected) => {
    expect(serviceProblems({ gate }).map((problem) => problem.replace(/^.*?gate/, "gate"))).toEqual([expected]);
  });
});
