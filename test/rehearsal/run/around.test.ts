/** Scenarios in which something around the release goes wrong, and the order of calls on the traces of all scenarios. */
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { makeLocalCloud } from "../../../rehearsal/cloud/local-cloud.ts";
import { orderProblems } from "../../../rehearsal/faults/api-order.ts";
import { Trace } from "../../../rehearsal/faults/trace.ts";
import {
  builtInScenarioNames,
  builtInScenarios,
  type RehearsalOptions,
  type RehearsalReport,
  rehearse,
  rehearseInFull,
} from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { parseScenario } from "../../../rehearsal/scenario-file.ts";
import type { EnvironmentConfig } from "../../../stacks/config.ts";

const patience = { timeout: 60_000 };
const config: EnvironmentConfig = {
  ...rehearsalConfig,
  alerting: { ...rehearsalConfig.alerting, email: ["checkout-team@example.com"] },
};

function options(name: keyof typeof builtInScenarios, changed: Partial<RehearsalOptions> = {}): RehearsalOptions {
  return { config, stack: "dev", scenario: builtInScenarios[name], seed: 1, ...changed };
}

const at = (text: string | null | undefined): number => Date.parse(text ?? "");
const exposures = (report: RehearsalReport, kind: string) =>
  report.timeline.filter((entry) => entry.kind === kind).map((entry) => entry.exposurePercent);
const messages = (report: RehearsalReport) => report.timeline.map(({ message }) => message);

describe("a hook that fails while the canary goes bad", patience, () => {
  it("is told of by the release's alarm and the hook's own, and a person ends it by hand [B4, D4]", async () => {
    const report = await rehearse(options("hook-failure"));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      detectedAt: null,
      hold: { cause: "kill", targetPercent: 0 },
    });
    const awake = report.timeline.find(({ message }) => message.startsWith("the person on call is awake"));
    const killed = report.timeline.find(({ message }) => message === "the person on call kills by hand");
    expect(at(killed?.at) - at(awake?.at)).toBeGreaterThanOrEqual(300_000);
    expect(at(killed?.at) - at(awake?.at)).toBeLessThanOrEqual(320_000);
    expect(at(report.exposureZeroAt) - at(killed?.at)).toBeLessThanOrEqual(10_000);
    expect(report.badRequests).toBeLessThan(report.badRequestsWithoutHook ?? 0);
    expect(messages(report)).toContain("from now on every run of the hook fails");
  });

  it("is found by the watchman and by the missing heartbeat where nothing reaches the hook at all [D4]", async () => {
    const scenario = parseScenario(
      { name: "unreachable", killAfter: "20m", faults: [{ kind: "hook-unreachable" }, { kind: "error-spike" }] },
      "here",
    );
    const report = await rehearse({ ...options("healthy"), scenario, compareWithoutHook: false });
    expect(report.hold).toMatchObject({ cause: "kill" });
    expect(report.pages.map(({ summary }) => summary)).toContain("checkout: nobody has looked at it for 5 min");
    expect(report.pages.some(({ summary }) => summary.includes("STILL EXPOSED at 25 %"))).toBe(true);
  });
});

describe("an up that races a rollback", patience, () => {
  it("fails, its late write stands for at most a minute, and nothing raises the release again [B5]", async () => {
    const report = await rehearse(options("racing-up"));
    expect(report).toMatchObject({ outcome: "rolled-back", hold: { cause: "breach", targetPercent: 0 } });
    expect(exposures(report, "zero")).toEqual([0, 0]);
    const raised = report.timeline.findLast(
      ({ kind, exposurePercent }) => kind === "opening" && exposurePercent === 100,
    );
    expect(at(report.exposureZeroAt) - at(raised?.at)).toBeLessThanOrEqual(70_000);
    const raced = report.refused.find(({ asked }) => asked.includes("wave: 100"));
    expect(raced?.reasons.join(" ")).toContain("was set meanwhile");
  });
});

describe("a sick baseline", patience, () => {
  it("freezes and pages, and leaves a healthy canary alone [B12]", async () => {
    const report = await rehearse(options("baseline-sick"));
    expect(report).toMatchObject({
      outcome: "held",
      exposureZeroAt: null,
      hold: { cause: "no-other-release", response: "freeze" },
    });
    expect(exposures(report, "lowered")).toEqual([]);
    expect(report.pages.some(({ severity, summary }) => severity === "critical" && summary.includes("FROZEN"))).toBe(
      true,
    );
  });

  it("that has lost its hosts keeps the canary's traffic where it is, until they are back [B12]", async () => {
    const report = await rehearse(options("baseline-scaled-in"));
    expect(report).toMatchObject({ outcome: "rolled-back", hold: { targetPercent: 0 } });
    const back = report.timeline.find(({ message }) => message === "hosts-lost stops by itself");
    const frozen = report.timeline.find(({ message }) => message.startsWith("hold receiver-lost"));
    const rolledBack = report.timeline.find(({ kind }) => kind === "rollback");
    expect(at(frozen?.at)).toBeLessThan(at(back?.at));
    expect(at(rolledBack?.at) - at(back?.at)).toBeGreaterThanOrEqual(0);
    expect(at(rolledBack?.at) - at(back?.at)).toBeLessThanOrEqual(60_000);
  });
});

describe("an outage of what both releases need", patience, () => {
  it("freezes instead of rolling back, and the rollout goes on when it is over [B10]", async () => {
    const report = await rehearse(options("dependency-outage"));
    expect(report).toMatchObject({ outcome: "held", exposureZeroAt: null });
    expect(messages(report).some((message) => message.startsWith("hold dependency-"))).toBe(true);
    expect(exposures(report, "rollback")).toEqual([]);
    expect(exposures(report, "opening")).toEqual([5, 25, 100]);
  });

  it("ends in a rollback of a canary that stays bad when the dependency is back [B10]", async () => {
    const scenario = parseScenario(
      {
        name: "stays-bad",
        faults: [
          { kind: "error-spike", on: "both", duration: "10m", times: 50 },
          { kind: "error-spike", times: 10 },
        ],
      },
      "here",
    );
    const report = await rehearse({ ...options("healthy"), scenario, aftermath: false, compareWithoutHook: false });
    expect(report.outcome).toBe("rolled-back");
  });
});

describe("the order of calls", patience, () => {
  it.each(builtInScenarioNames)("is safe on the trace of %s, with stickiness on [B4, B12]", async (name) => {
    let now = () => 0;
    const trace = new Trace(() => now());
    const [service] = config.services;
    if (!service) throw new Error("no service");
    // What a preset does not promise cannot be broken.
    const objectives = name === "dual-run-mismatch" ? objectivePresets.migration : service.objectives;
    const sticky = { ...config, services: [{ ...service, objectives, stickinessSeconds: 600 }] };
    await rehearseInFull({ ...options(name), config: sticky, compareWithoutHook: false }, (given) => {
      const cloud = makeLocalCloud(given, {
        portsOf: (ports, run) => trace.asked(trace.effects(ports, run), run),
        onProviderCall: async (call, carryOut) => {
          await carryOut();
          trace.wrote(call);
        },
      });
      now = () => cloud.now();
      cloud.onEvent((event) => {
        if (event.kind === "up")
          trace.add({ kind: "up-ended", run: trace.upRun, actor: "up", result: event.result.kind });
      });
      return cloud;
    });
    const entries = trace.entries;
    expect(entries.filter((entry) => entry.kind === "rule" && entry.role === "main").length).toBeGreaterThan(1);
    expect(orderProblems(entries)).toEqual([]);
  });
});
