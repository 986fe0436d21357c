import { describe, expect, it } from "vitest";
import type { Observed } from "../../../rehearsal/faults/cell.ts";
import { judge } from "../../../rehearsal/faults/oracle.ts";
import { openingSteps, rollbackSteps } from "../../../rehearsal/faults/steps.ts";

const second = 1_000;
const minute = 60 * second;
const write = (at: number, percent: number, by = "hook") => ({ at, servedFrom: at + 5 * second, percent, by });

function seen(of: "opening" | "rollback", change: Partial<Observed>): Observed {
  const step = (of === "opening" ? openingSteps : rollbackSteps)[1];
  if (!step) throw new Error("no step");
  return {
    cell: { of, step, kind: "throttle" },
    shares: [],
    woken: [],
    pages: [],
    errors: [],
    armedAt: 10 * minute,
    met: 3,
    mendedAt: 40 * minute,
    breachAt: 10 * minute,
    ups: [],
    byHand: [],
    record: JSON.stringify({ canary: { exposurePercent: 0 }, outbox: [] }),
    endAt: 60 * minute,
    trace: [],
    ...change,
  };
}

const page = { at: 12 * minute, by: "hook: checkout: ROLLED BACK" };
const rolledBack = { shares: [write(0, 25, "up"), write(12 * minute, 0)], woken: [page] };

describe("the oracle of a rollback", () => {
  it("is content with a rollback and a page, and counts from the breach to the last request", () => {
    expect(judge(seen("rollback", rolledBack))).toMatchObject({
      broken: [],
      secondsToTarget: 125,
      badSeconds: 125,
      highestAfterPercent: 0,
      pagedBy: ["hook"],
    });
  });

  it.each<[string, Partial<Observed>, string[]]>([
    [
      "exposure that stays",
      { shares: [write(0, 25, "up")], woken: [page] },
      ["exposure ends at 25 %", "live is 25 %, the record says 0 %"],
    ],
    ["nobody paged", { ...rolledBack, woken: [] }, ["nobody was paged"]],
    [
      "a page that comes only after the mending",
      { ...rolledBack, woken: [{ ...page, at: 41 * minute }] },
      ["nobody was paged"],
    ],
    [
      "a target that is reached only by the mending",
      { shares: [write(0, 25, "up"), write(41 * minute, 0)], woken: [page] },
      ["exposure came to its target only after the fault was mended"],
    ],
    [
      "a raise after the rollback",
      { shares: [...rolledBack.shares, write(45 * minute, 25, "up"), write(46 * minute, 0)], woken: [page] },
      ["exposure came to its target only after the fault was mended", "raised again after the rollback"],
    ],
    ["a page that still waits", { ...rolledBack, record: JSON.stringify({ outbox: [{}] }) }, ["1 pages still wait"]],
    [
      "a hook that goes on failing",
      { ...rolledBack, errors: [{ at: 59 * minute, message: "no" }] },
      ["the hook still fails: no"],
    ],
  ])("finds %s", (_what, change, broken) => {
    expect(judge(seen("rollback", change)).broken).toEqual(broken);
  });

  it("counts what comes back for a while", () => {
    const shares = [write(0, 25, "up"), write(12 * minute, 0), write(20 * minute, 25), write(21 * minute, 0)];
    expect(judge(seen("rollback", { shares, woken: [page] }))).toMatchObject({
      broken: [],
      highestAfterPercent: 25,
      badSeconds: 185,
      secondsToTarget: 665,
    });
  });
});

describe("the oracle of an opening", () => {
  const up = (at: number, result: "applied" | "failed") => ({
    at,
    result,
    reasons: result === "failed" ? ["no"] : [],
    warned: false,
  });
  const times = { armedAt: 10 * minute, mendedAt: 26 * minute, breachAt: 30 * minute };
  const end = write(31 * minute, 0);

  it("is content with an up that fails and one that goes through later", () => {
    const ups = [up(10 * minute, "failed"), up(27 * minute, "applied")];
    const shares = [write(0, 5, "up"), write(27 * minute, 25, "up"), end];
    expect(judge(seen("opening", { ...times, ups, shares })).broken).toEqual([]);
  });

  it("finds exposure that outlives its lease without being committed", () => {
    const ups = [up(10 * minute, "failed"), up(27 * minute, "applied")];
    const shares = [write(0, 5, "up"), write(10 * minute, 25, "up"), end];
    expect(judge(seen("opening", { ...times, ups, shares })).broken).toEqual([
      "exposure is above 5 % after the lease lapsed",
    ]);
  });

  it("finds more than was asked for, and a release that nobody watches any more", () => {
    const ups = [up(10 * minute, "applied")];
    const shares = [write(0, 5, "up"), write(10 * minute, 100, "up")];
    expect(
      judge(
        seen("opening", {
          ...times,
          ups,
          shares,
          record: JSON.stringify({ canary: { exposurePercent: 100 }, outbox: [] }),
        }),
      ).broken,
    ).toEqual([
      "exposure came to 100 %, more than was asked for",
      "exposure is above 25 % after the lease lapsed",
      "a later breach leaves it at 100 %",
    ]);
  });

  it("finds a rollout that no later up gets going", () => {
    const ups = [up(10 * minute, "failed"), up(27 * minute, "failed")];
    expect(judge(seen("opening", { ...times, ups, shares: [write(0, 5, "up"), end] })).broken).toEqual([
      "no later up goes through: no",
    ]);
  });
});
