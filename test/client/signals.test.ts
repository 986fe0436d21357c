import { describe, expect, it } from "vitest";
import { longestMilliseconds } from "../../client/latency-bins.ts";
import { longest } from "../../client/options.ts";
import * as client from "../../client/signals.ts";
import * as naming from "../../core/naming.ts";
import { objectivePresets } from "../../core/objectives.ts";
import * as core from "../../core/signals.ts";

const signals = Object.keys(core.reportedSignals) as core.ReportedSignal[];

describe("what the client reports", () => {
  it("is what the program watches, signal by signal [B1]", () => {
    expect(client.reportedSignals).toEqual(core.reportedSignals);
    expect(client.reportedNamespace).toBe(core.reportedNamespace);
    expect(client.latencyBucketsMilliseconds).toEqual(core.latencyBucketsMilliseconds);
  });

  it("has the names that the program asks for [B1]", () => {
    expect(signals.map(client.cloudWatchName)).toEqual(signals.map(core.cloudWatchName));
    expect(signals.map(client.datadogInstrument)).toEqual(signals.map(core.datadogName));
    expect(signals.map((signal) => client.prometheusInstrument(signal))).toEqual(
      signals.map((signal) => core.prometheusName(signal).replace(/_total$/, "")),
    );
  });

  it("knows every counter, and which of them an application counts itself [B1]", () => {
    const counters = signals.filter((signal) => core.reportedSignals[signal].kind === "counter");
    expect(client.counters).toEqual(counters);
    const withCalls = [
      "requests",
      "errors",
      "crashes",
      "dual-runs",
      "dual-run-failures",
      "flag-evaluations",
      "flag-mismatches",
    ];
    expect([...client.plainCounters, ...withCalls].sort()).toEqual([...counters].sort());
  });

  it("takes names as long as the program gives them [E7]", () => {
    const key = naming.releaseKey({ version: "9".repeat(200), digest: "sha256:00" });
    expect(longest).toEqual({
      environment: naming.maximumEnvironmentLength,
      service: naming.maximumServiceLength,
      release: key.length,
    });
  });

  it("keeps latencies beyond every preset's bound [B1]", () => {
    const bounds = Object.values(objectivePresets)
      .flat()
      .filter(({ indicator }) => indicator.startsWith("latency"))
      .flatMap(({ warning, critical }) => [warning?.value ?? 0, critical?.value ?? 0]);
    expect(Math.max(...bounds)).toBeLessThan(longestMilliseconds);
  });
});
