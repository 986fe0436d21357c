/** Firings beside labelled windows: false ones, delays, windows that nobody learnt of (E4). */
import { describe, expect, it } from "vitest";
import { judgeFirings, mostMean, together, weekMs } from "../../core/backtest/firings.ts";

const minute = 60_000;
const period = { from: 0, to: 2 * weekMs };

describe("what an alarm did", () => {
  it("is judged by where each firing began: in a window with its delay, or false [E4]", () => {
    const windows = [
      { from: 100 * minute, to: 200 * minute },
      { from: 1_000 * minute, to: 1_100 * minute },
      { from: 2_000 * minute, to: 2_100 * minute },
    ];
    const firings = [
      { from: 50 * minute, to: 60 * minute },
      { from: 130 * minute, to: 140 * minute },
      { from: 203 * minute, to: 210 * minute },
      { from: 900 * minute, to: 1_050 * minute },
    ];
    expect(judgeFirings(firings, windows, period, 5 * minute, weekMs)).toEqual({
      firings: [firings[0], { ...firings[1], window: 0 }, { ...firings[2], window: 0 }, firings[3]],
      falseAlarms: 2,
      outsideWeeks: 1,
      aWeek: 2,
      atMostAWeek: mostMean(2),
      windows: [{ kind: "seen", delaySeconds: 1_800 }, { kind: "rang-before" }, { kind: "missed" }],
    });
  });

  it("says nothing of a week where no time outside the windows was measured [E4]", () => {
    expect(judgeFirings([], [], period, 0, 0)).toEqual({ firings: [], falseAlarms: 0, outsideWeeks: 0, windows: [] });
  });

  it("has the bound of a Poisson count that tables have: 3.00, 4.74, 6.30, 18.21 for 0, 1, 2, 11 [E4]", () => {
    expect([0, 1, 2, 11].map((count) => mostMean(count).toFixed(2))).toEqual(["3.00", "4.74", "6.30", "18.21"]);
  });

  it("is one firing where alarms overlap, and an open end stays open [E4]", () => {
    expect(
      together([
        [{ from: 1, to: 5 }, { from: 20 }],
        [
          { from: 3, to: 9 },
          { from: 30, to: 31 },
        ],
        [{ from: 12, to: 13 }],
      ]),
    ).toEqual([{ from: 1, to: 9 }, { from: 12, to: 13 }, { from: 20 }]);
  });
});
