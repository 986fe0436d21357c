/** Errors that are no emergency at any moment: a few that last, and some that come and go. */
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { builtInScenarios, type RehearsalOptions, type RehearsalReport, rehearse } from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";

const patience = { timeout: 60_000 };
const seeds = [1, 2, 3, 4];

function run(name: keyof typeof builtInScenarios, changed: Partial<RehearsalOptions> = {}): Promise<RehearsalReport> {
  const base = { config: rehearsalConfig, stack: "dev", scenario: builtInScenarios[name], source: "emf" } as const;
  return rehearse({ ...base, aftermath: false, compareWithoutHook: false, ...changed });
}

const at = (text: string | null | undefined): number => Date.parse(text ?? "");
const ofKind = (report: RehearsalReport, ...kinds: string[]) =>
  report.timeline.filter((entry) => kinds.includes(entry.kind));
const notes = (report: RehearsalReport) => ofKind(report, "note").map(({ message }) => message);

describe("a slow burn", patience, () => {
  it.each(seeds)(
    "passes the canary's waves unseen, and is seen by an availability warning once it has all traffic: told, not lowered (seed %i) [D1, B9]",
    async (seed) => {
      const report = await run("slow-burn", { seed });
      expect(report).toMatchObject({ outcome: "held", hold: null, exposureZeroAt: null, falseRollback: false });
      expect(ofKind(report, "opening").map(({ exposurePercent }) => exposurePercent)).toEqual([5, 25, 100]);
      // Errors come in bursts: it may recover and speak again, in one incident.
      const seen = new Set(ofKind(report, "detected").map(({ message }) => message));
      expect([...seen]).toEqual(["availability (warning) of 2.4.0 at 100 %: notify"]);
      expect(report.pages[0]).toMatchObject({
        severity: "warning",
        summary: "checkout: availability (warning) of 2.4.0 at 100 %",
      });
      expect(report.pages.map(({ severity }) => severity)).not.toContain("critical");
      expect(new Set(report.pages.map(({ dedupKey }) => dedupKey)).size).toBe(1);
      // An hour and a half at the whole traffic: about 0.17 % of it.
      expect(report.badRequests / report.requests).toBeGreaterThan(0.001);
      expect(report.badRequests / report.requests).toBeLessThan(0.0025);
      expect(report.refused.flatMap(({ reasons }) => reasons)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^checkout: finishing 2\.4\.0: breach of availability \(warning\)/),
        ]),
      );
    },
  );

  it("says by name what is spent, what cannot be seen, and what it would take to see it [B9]", async () => {
    const report = await run("slow-burn");
    expect(notes(report).slice(-2)).toEqual([
      "0.15 % errors spend the budget of availability (99.95 %) 3 times as fast as it comes, for as long as they last; alarms here have bounds, none counts what was spent: it takes a burn-rate alarm on availability to see it",
      "at 25 % this fault cannot be seen here: error-rate needs 10 errors in 300 s; 25 % of 50/s gives 3,750, 5.63 of them errors",
    ]);
  });

  it.each(seeds)("is never seen by bounds that lie above it: the release finishes (seed %i) [D1]", async (seed) => {
    const report = await run("slow-burn", { seed, objectives: objectivePresets.batch, source: "alb" });
    expect(report).toMatchObject({ outcome: "completed", detectedAt: null, hold: null, pages: [] });
    expect(notes(report)).toContain(
      "0.75 % errors spend the budget of availability (99.9 %) 7.5 times as fast as it comes, for as long as they last; alarms here have bounds, none counts what was spent: it takes a burn-rate alarm on availability to see it",
    );
  });

  it("is not seen once the alarm that saw it is taken away [E3]", async () => {
    const report = await run("slow-burn", { withoutAlarms: (name) => name.includes("/availability/warning/") });
    expect(report).toMatchObject({ outcome: "completed", detectedAt: null, pages: [] });
  });
});

describe("flapping errors", patience, () => {
  const batch = { objectives: objectivePresets.batch };

  it.each(seeds)(
    "are one incident: lowered step by step with a settle time between, never raised (seed %i) [B2, D4]",
    async (seed) => {
      const report = await run("flapping", { ...batch, seed });
      const lowered = ofKind(report, "lowered", "zero");
      const steps = lowered.map(({ exposurePercent }) => exposurePercent);
      // Halved, then the floor; and should it go on there, out.
      expect([
        [12, 10],
        [12, 10, 0],
      ]).toContainEqual(steps);
      // The shortest settle time of those alarms that can speak here: five minutes of one-minute points, and the source's delay.
      const settleMs = 310_000;
      const starts = [...ofKind(report, "lowered", "rollback")].map((entry) => at(entry.at));
      for (const [index, start] of starts.entries()) {
        if (index > 0) expect(start - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(settleMs);
      }
      const from = report.timeline.findIndex(({ kind }) => kind === "lowered");
      const after = report.timeline.slice(from).map(({ exposurePercent }) => exposurePercent);
      expect(after).toEqual([...after].sort((left, right) => right - left));
      expect(new Set(report.pages.map(({ dedupKey }) => dedupKey)).size).toBe(1);
      expect(report.pages).toHaveLength(steps.length);
      expect(ofKind(report, "recovered").length).toBeGreaterThan(2);
      expect(ofKind(report, "opening").map(({ exposurePercent }) => exposurePercent)).toEqual([5, 25]);
    },
  );

  it.each(seeds)("under bounds that only warn stop every opening while they go on (seed %i) [B2, C1]", async (seed) => {
    const report = await run("flapping", { seed });
    expect(report).toMatchObject({ outcome: "held", exposureZeroAt: null, hold: null });
    expect(report.pages.map(({ severity }) => severity)).not.toContain("critical");
    expect(new Set(report.pages.map(({ dedupKey }) => dedupKey)).size).toBe(1);
    expect(ofKind(report, "opening").map(({ exposurePercent }) => exposurePercent)).toEqual([5, 25]);
  });

  it("are not seen once the error-rate alarms are taken away [E3]", async () => {
    const report = await run("flapping", { ...batch, withoutAlarms: (name) => name.includes("/error-rate/") });
    expect(report).toMatchObject({ detectedAt: null, hold: null, pages: [] });
  });
});
