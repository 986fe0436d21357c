/** Regions that share holds: one goes away, one speaks before it goes. */
import { describe, expect, it } from "vitest";
import { planPresets } from "../../../core/plans.ts";
import { builtInScenarios, type RehearsalOptions, type RehearsalReport, rehearse } from "../../../rehearsal/index.ts";
import { peersFor } from "../../../rehearsal/run/regions.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";
import { parseScenario } from "../../../rehearsal/scenario-file.ts";

const patience = { timeout: 60_000 };
const seeds = [1, 2, 3, 4];

function run(name: keyof typeof builtInScenarios, changed: Partial<RehearsalOptions> = {}): Promise<RehearsalReport> {
  const base = { config: rehearsalConfig, stack: "dev", scenario: builtInScenarios[name], aftermath: false };
  return rehearse({ ...base, compareWithoutHook: false, ...changed });
}

/** For runs that do not ask for how long the gate waits to have seen enough. */
const opened = { overrideReason: "what the gate has seen is not asked here" };
const at = (text: string | null | undefined): number => Date.parse(text ?? "");
const messages = (report: RehearsalReport) => report.timeline.map(({ message }) => message);
const told = (report: RehearsalReport, start: string) =>
  report.timeline.find(({ message }) => message.startsWith(start));

describe("a region that goes away", patience, () => {
  it.each(seeds)(
    "doubles the traffic, forbids the next wave by name, and a breach here lowers as ever (seed %i) [B5, C1]",
    async (seed) => {
      const report = await run("region-failover", { ...opened, seed });
      expect(report).toMatchObject({
        outcome: "rolled-back",
        hold: { cause: "breach", targetPercent: 0 },
        falseRollback: false,
      });
      expect(messages(report)).toContain("the stack names no peers; rehearsed as if tidegate:peers were [us-east-1]");
      expect(messages(report)).toContain(
        "us-east-1 goes away: nothing there answers, and its users come here (2 times as many)",
      );
      expect(report.timeline.filter(({ kind }) => kind === "opening").map((entry) => entry.exposurePercent)).toEqual([
        5, 25,
      ]);
      const [refused] = report.refused;
      expect([refused?.asked, ...(refused?.reasons ?? [])]).toEqual([
        "sets wave: 100 and runs pulumi up",
        "checkout: peer us-east-1: its record cannot be read (region us-east-1 does not answer), so nobody knows whether it holds this release; no opening before it answers. To go on without that region take it out of tidegate:peers with an up that raises nothing; the one after may open",
      ]);
      // As fast as without peers: the alarms' own time, and the load balancer's.
      const decided = told(report, "error-rate (critical) of 2.4.0 at 25 %: disable");
      expect(at(report.exposureZeroAt) - at(decided?.at)).toBeLessThanOrEqual(10_000);
      const notTold = report.pages.find(({ summary }) => summary.includes("WAS NOT TOLD"));
      expect(notTold?.summary).toMatch(/^checkout: us-east-1 WAS NOT TOLD of hold error-rate-critical-\d+, error-rate/);
      expect(at(notTold?.at) - at(decided?.at)).toBeLessThanOrEqual(240_000);
      expect(new Set(report.pages.map(({ dedupKey }) => dedupKey)).size).toBe(1);
    },
  );

  it("sends its users here from the moment it is gone [E3]", async () => {
    const scenario = parseScenario({ name: "lost", faults: [{ kind: "region-lost", at: { wave: 10 } }] }, "here");
    // An hour at 10 %, of which the last 57 minutes are doubled.
    const span = { plan: planPresets.steady, endAt: Date.UTC(2026, 0, 5, 9, 55) };
    const alone = await run("healthy", span);
    const doubled = await run("healthy", { ...span, scenario });
    expect(doubled.requests / alone.requests).toBeGreaterThan(1.9);
    expect(doubled.requests / alone.requests).toBeLessThan(2);
  });

  it("leaves the fault to be found by its alarms: without them nothing is lowered [E3]", async () => {
    const report = await run("region-failover", {
      withoutAlarms: (name) => /\/(error-rate|availability)\//.test(name),
    });
    expect(report).toMatchObject({ detectedAt: null, exposureZeroAt: null });
  });

  it("is told of the hold when it is back, and the next attempt waits for nobody then [B5]", async () => {
    const report = await run("region-failover", { aftermath: true });
    const back = told(report, "us-east-1 was told of hold error-rate-critical-");
    const mended = report.timeline.find(({ kind }) => kind === "fault-over");
    expect(back?.message).toMatch(/: held there$/);
    expect(at(back?.at) - at(mended?.at)).toBeLessThanOrEqual(60_000);
    expect(report.timeline.at(-2)).toMatchObject({ kind: "commit", message: "2.4.0 from 0 % to 5 %" });
  });

  it("asks nobody where the stack's own peers answer: a healthy rollout goes through [C1]", async () => {
    const report = await run("healthy", {
      ...opened,
      config: { ...rehearsalConfig, peers: ["ap-southeast-2", "us-east-1"] },
    });
    expect(report).toMatchObject({ outcome: "completed", refused: [], pages: [] });
  });
});

describe("a region that holds the release and goes away", patience, () => {
  it.each(seeds)(
    "is followed within a minute, with one page, though no alarm speaks here (seed %i) [B5, D4]",
    async (seed) => {
      const report = await run("peer-hold", { seed });
      expect(report).toMatchObject({
        outcome: "rolled-back",
        detectedAt: null,
        hold: { cause: "peer", response: "disable", targetPercent: 0, scope: "digest" },
      });
      const hold = report.timeline.find(({ kind }) => kind === "hold");
      expect(at(report.exposureZeroAt) - at(hold?.at)).toBeLessThanOrEqual(70_000);
      expect(report.pages.map(({ severity, summary }) => [severity, summary])).toEqual([
        [
          "critical",
          "checkout: HELD by us-east-1, 2.4.0 goes from 25 % to 0 % within a minute; there: error-rate (critical) of 2.4.0 at 25 %",
        ],
      ]);
    },
  );

  it("keeps the next attempt waiting until it is acknowledged there too [B5]", async () => {
    const report = await run("peer-hold", { aftermath: true });
    // It went away, and acknowledging there needs it back.
    const gone = told(report, "us-east-1 goes away:");
    const back = told(report, "us-east-1 answers again, and its users go back there");
    expect(back?.kind).toBe("fault-over");
    expect(at(back?.at)).toBeGreaterThan(at(gone?.at));
    const last = report.refused.at(-1);
    expect(last?.asked).toBe("sets attempt: 2 and wave: 5");
    expect(last?.reasons[0]).toMatch(
      /peer us-east-1: hold error-rate-critical-\d+ stands there \(error-rate \(critical\) of 2\.4\.0 at 25 %\); acknowledge it there first/,
    );
  });
});

describe("the region of a scenario", () => {
  const of = (region: string, peers: string[], name: keyof typeof builtInScenarios) =>
    peersFor({ region, peers }, builtInScenarios[name]);

  it("is the stack's own peer, or another one where it has none and the scenario needs one", () => {
    expect(of("eu-west-1", ["ap-southeast-2"], "region-failover")).toEqual(["ap-southeast-2"]);
    expect(of("eu-west-1", [], "region-failover")).toEqual(["us-east-1"]);
    expect(of("us-east-1", [], "peer-hold")).toEqual(["eu-west-1"]);
    expect(of("eu-west-1", [], "error-spike")).toEqual([]);
  });
});
