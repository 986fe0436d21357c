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

/** For runs that ask what alarms see, and not what the gate sees beside them. */
const opened = { overrideReason: "what the gate has seen is not asked here" };
const at = (text: string | null | undefined): number => Date.parse(text ?? "");
const ofKind = (report: RehearsalReport, ...kinds: string[]) =>
  report.timeline.filter((entry) => kinds.includes(entry.kind));
const reasonsOf = (report: RehearsalReport) => [...new Set(report.refused.flatMap(({ reasons }) => reasons))];
const notes = (report: RehearsalReport) => ofKind(report, "note").map(({ message }) => message);

describe("a slow burn", patience, () => {
  it.each(seeds)(
    "passes the waves that are too small to see it, and is not finished while the availability warning of the service rings: nothing lowers it (seed %i) [C1, D1, B9]",
    async (seed) => {
      const report = await run("slow-burn", { ...opened, seed });
      expect(report).toMatchObject({
        outcome: "held",
        hold: null,
        detectedAt: null,
        falseRollback: false,
        pages: [],
      });
      expect(reasonsOf(report)).toEqual([
        "checkout: finishing 2.4.0: alarm tidegate-slo/dev/checkout/availability/warning/300s is in ALARM",
      ]);
      expect(ofKind(report, "opening").map(({ exposurePercent }) => exposurePercent)).toEqual([5, 25, 100]);
      const told = ofKind(report, "notice").filter(({ exposurePercent }) => exposurePercent === 100);
      expect(told.length).toBeGreaterThan(0);
      for (const { message } of told) {
        expect(message).toMatch(
          /^people are told: availability is 0\.\d+ % errors in the 5 minutes that end here, over the bound of 0\.1 % errors$/,
        );
      }
      // About 0.17 % of what it had since the fault.
      expect(report.badRequests / report.requests).toBeGreaterThan(0.0005);
      expect(report.badRequests / report.requests).toBeLessThan(0.0025);
    },
  );

  it("says by name what is spent, what cannot be seen, and what it would take to see it [B9]", async () => {
    const report = await run("slow-burn");
    expect(notes(report).slice(-2)).toEqual([
      "0.15 % errors spend the budget of availability (99.95 %) 3 times as fast as it comes, for as long as they last; bounds do not count what was spent: no burn-rate alarm of the service would see it either",
      "at 25 % this fault cannot be seen here: error-rate needs 10 errors in 300 s; 25 % of 50/s gives 3,750, 5.63 of them errors",
    ]);
  });

  it.each(seeds)("is never seen by bounds that lie above it: the release finishes (seed %i) [D1]", async (seed) => {
    const report = await run("slow-burn", {
      ...opened,
      seed,
      objectives: objectivePresets.batch,
      source: "alb",
    });
    expect(report).toMatchObject({ outcome: "completed", detectedAt: null, hold: null, pages: [] });
    expect(notes(report)).toContain(
      "0.75 % errors spend the budget of availability (99.9 %) 7.5 times as fast as it comes, for as long as they last; bounds do not count what was spent: burn/availability/6h would tell people, once it lasts and the whole service has it",
    );
  });

  it("does not get past the gate where no bound sees it [C1]", async () => {
    const report = await run("slow-burn", { objectives: objectivePresets.batch, source: "alb" });
    expect(report).toMatchObject({ outcome: "held", detectedAt: null, hold: null, pages: [] });
    expect(ofKind(report, "opening").map(({ exposurePercent }) => exposurePercent)).toEqual([5, 25]);
    expect(reasonsOf(report).at(-2)).toMatch(
      /^checkout\.wave: 25 to 100 refused, roll-back: 0\.\d+ % errors \(\d+ of \d+\) of the canary beside 0\.0\d+ % errors /,
    );
  });

  it("is told to nobody once the alarm that told of it is taken away [E3]", async () => {
    const report = await run("slow-burn", {
      ...opened,
      withoutAlarms: (name) => name.includes("/availability/warning/"),
    });
    expect(report).toMatchObject({ outcome: "completed", detectedAt: null, pages: [] });
    expect(ofKind(report, "notice")).toEqual([]);
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

  it.each(seeds)(
    "under bounds that only warn are told, and no wave opens and none is finished while it rings (seed %i) [C1]",
    async (seed) => {
      const report = await run("flapping", { ...opened, seed });
      expect(report).toMatchObject({ exposureZeroAt: null, hold: null, pages: [] });
      expect(ofKind(report, "notice").length).toBeGreaterThan(0);
      // Whether it is quiet when somebody asks is chance.
      expect(["held", "completed"]).toContain(report.outcome);
      const rings = "alarm tidegate-slo/dev/checkout/availability/warning/300s is in ALARM";
      const reasons = reasonsOf(report);
      expect(reasons).toContain(`checkout.wave: 25 to 100 refused, roll-back: ${rings}`);
      for (const reason of reasons) expect(reason.endsWith(rings)).toBe(true);
    },
  );

  it("are not seen once the error-rate alarms are taken away [E3]", async () => {
    const report = await run("flapping", { ...batch, withoutAlarms: (name) => name.includes("/error-rate/") });
    expect(report).toMatchObject({ detectedAt: null, hold: null, pages: [] });
  });
});
