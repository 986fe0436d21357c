/** The error budget: what was spent, what is left, how fast it goes, and what is no count (C2). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorBudget } from "../../core/burn-rate.ts";
import {
  type BudgetState,
  budgetText,
  type CountedInterval,
  pausesAdvances,
  reckonBudget,
} from "../../core/error-budget.ts";
import type { SoakEvidence } from "../../core/gate/evidence.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { said } from "./gate/said.ts";

const hour = 3_600_000;
const day = 24 * hour;
const to = Date.UTC(2026, 10, 30);
const budget: ErrorBudget = {
  objective: "availability",
  indicator: "availability",
  budgetPercent: 0.05,
  minimumRequests: 100,
  minimumErrors: 10,
};

/** One interval an hour over so many days, the newest last. */
function hours(days: number, of: (index: number) => { requests: number; errors: number }): CountedInterval[] {
  return Array.from({ length: days * 24 }, (_, index) => ({
    at: to - days * day + index * hour,
    seconds: 3_600,
    ...of(index),
  }));
}
const steady = (errors: number) => hours(30, () => ({ requests: 10_000, errors }));

describe("the error budget", () => {
  it("is 21.6 minutes of 30 days at 99.95 %, and half spent by half the errors that it allows [C2]", () => {
    const intervals = hours(30, (index) => ({ requests: 10_000, errors: index < 360 ? 5 : 0 }));
    expect(reckonBudget(budget, 30, intervals, to)).toEqual({
      objective: "availability",
      targetPercent: 99.95,
      periodDays: 30,
      from: to - 30 * day,
      to,
      projected: false,
      requests: 7_200_000,
      errors: 1_800,
      allowedErrors: 3_600,
      spentFraction: 0.5,
      leftFraction: 0.5,
      budgetMinutes: 21.6,
      spentMinutes: 10.8,
      burns: { hour: 0, day: 0 },
      status: "left",
    });
  });

  it("says when the rest is spent at the burn of the last day: left × period / burn [C2]", () => {
    // Twice as fast as allowed in the last day, nothing before: 1/15 is spent.
    const intervals = hours(30, (index) => ({ requests: 10_000, errors: index >= 29 * 24 ? 10 : 0 }));
    const state = reckonBudget(budget, 30, intervals, to);
    expect(state.burns).toEqual({ hour: 2, day: 2 });
    expect(state.leftFraction).toBeCloseTo(14 / 15, 12);
    expect(state.depletesAt).toBe(to + 14 * day);
    expect(budgetText(state)).toBe(
      "93.3 % of the error budget left (availability 99.95 % over 30 d): 240 errors of 3600 allowed, burning 2 times as fast as allowed over 24 h, what is left is spent by 2026-12-14 at that",
    );
    // Beyond the period there is no date: what was spent has left by then.
    expect(reckonBudget(budget, 30, steady(1), to).depletesAt).toBeUndefined();
  });

  it("tells the newest quarter of an hour only from counts that are fine enough [C2]", () => {
    const fine = Array.from({ length: 12 }, (_, index) => ({
      at: to - hour + index * 300_000,
      seconds: 300,
      requests: 1_000,
      errors: index >= 9 ? 5 : 0,
    }));
    expect(reckonBudget(budget, 28, fine, to).burns).toEqual({ now: 10, hour: 2.5, day: 2.5 });
    const coarse = [{ at: to - 6 * hour, seconds: 21_600, requests: 1_000, errors: 5 }];
    expect(reckonBudget(budget, 28, coarse, to).burns).toEqual({ day: 10 });
  });

  it("is untouched without traffic, and its text says so [C2]", () => {
    const state = reckonBudget(budget, 28, [], to);
    expect([state.status, state.leftFraction, state.burns, pausesAdvances(state)]).toEqual([
      "no-traffic",
      1,
      {},
      false,
    ]);
    expect(budgetText(state)).toBe("error budget untouched (availability 99.95 % over 28 d): no request was counted");
  });

  it("goes below nothing when more was spent than there was [C2]", () => {
    const state = reckonBudget(budget, 30, steady(10), to);
    expect([state.status, state.leftFraction, state.depletesAt, pausesAdvances(state)]).toEqual([
      "spent",
      -1,
      undefined,
      true,
    ]);
  });

  it("pauses below a tenth and not at it [C1, C2]", () => {
    const spending = (errors: number) => {
      const intervals = hours(30, (index) => ({ requests: 10_000, errors: index === 0 ? errors : 0 }));
      return reckonBudget(budget, 30, intervals, to).status;
    };
    expect([spending(3_240), spending(3_241), spending(3_600)]).toEqual(["left", "low", "spent"]);
  });

  it("pauses nothing on few requests or few errors [B9, C2]", () => {
    const known = (requests: number, errors: number) =>
      reckonBudget(budget, 28, [{ at: to - 28 * day, seconds: 3_600, requests, errors }], to).status;
    expect([known(99, 50), known(10_000, 9), known(100, 10)]).toEqual(["too-few", "too-few", "spent"]);
    const young = reckonBudget(budget, 28, [{ at: to - hour, seconds: 3_600, requests: 99, errors: 50 }], to);
    expect([young.projected, young.status]).toEqual([true, "too-few"]);
  });

  it("knows a young service for as long as it was counted, and gaps as no traffic [C2]", () => {
    const state = reckonBudget(
      budget,
      28,
      hours(3, (index) => ({ requests: index % 5 === 0 ? 0 : 1_000, errors: 0 })),
      to,
    );
    expect(new Date(state.knownSince ?? 0).toISOString()).toBe("2026-11-27T01:00:00.000Z");
    expect([state.status, state.requests, state.projected]).toEqual(["left", 57_000, true]);
    const whole = reckonBudget(budget, 28, steady(0), to);
    expect([whole.knownSince, whole.projected]).toEqual([undefined, false]);
  });

  it("is the whole period's for a young service, its requests projected from what is known, and says so [C2]", () => {
    // Three days of 28: 720,000 requests become 6,720,000, of which 3,360 may fail.
    const three = reckonBudget(
      budget,
      28,
      hours(3, () => ({ requests: 10_000, errors: 7 })),
      to,
    );
    expect([three.requests, three.errors, three.projected]).toEqual([720_000, 504, true]);
    expect(three.allowedErrors).toBeCloseTo(3_360, 6);
    expect(three.leftFraction).toBeCloseTo(0.85, 9);
    expect(budgetText(three)).toBe(
      "85 % of the error budget left (availability 99.95 % over 28 d, projected from what is known since 2026-11-27 00:00 UTC): 504 errors of 3360 allowed, burning 1.4 times as fast as allowed over 24 h, what is left is spent by 2026-12-17 at that",
    );
  });

  it("takes minutes of known time for an hour, and a period of which a day is missing at most for known [C2]", () => {
    const allowed = (ageMs: number) =>
      reckonBudget(budget, 28, [{ at: to - ageMs, seconds: 300, requests: 1_000, errors: 0 }], to).allowedErrors;
    expect(allowed(hour / 12)).toBe(allowed(hour));
    expect(allowed(hour)).toBeCloseTo(0.5 * 28 * 24, 9);
    expect(allowed(2 * hour)).toBeCloseTo(0.5 * 14 * 24, 9);
    expect(allowed(27 * day)).toBeCloseTo((0.5 * 28) / 27, 9);
    expect(allowed(27 * day + 1)).toBe(0.5);
    expect(allowed(28 * day)).toBe(0.5);
  });

  /** Five minutes each, the newest so many minutes of everything failing. */
  const outage = (ageMinutes: number, failingMinutes: number): BudgetState => {
    const steps = Array.from({ length: ageMinutes / 5 }, (_, index) => index);
    const failingFrom = to - failingMinutes * 60_000;
    return reckonBudget(
      budget,
      28,
      steps.map((step) => {
        const at = to - ageMinutes * 60_000 + step * 300_000;
        return { at, seconds: 300, requests: 15_000, errors: at >= failingFrom ? 15_000 : 0 };
      }),
      to,
    );
  };

  it.each([35, 60, 24 * 60, 10 * 24 * 60, 28 * 24 * 60])(
    "pauses after one outage of 30 minutes in a service of %d minutes, and not after one of ten [C2]",
    (ageMinutes) => {
      expect([outage(ageMinutes, 30).status, pausesAdvances(outage(ageMinutes, 30))]).toEqual(["spent", true]);
      expect(pausesAdvances(outage(ageMinutes, 10))).toBe(false);
    },
  );

  it("is not spent by the errors of one rollback in a service of half an hour [C2]", () => {
    const state = reckonBudget(budget, 28, [{ at: to - 34 * 60_000, seconds: 300, requests: 122_000, errors: 75 }], to);
    expect([state.status, state.projected]).toEqual(["left", true]);
  });

  it("counts what failed without being a request, and nothing outside its window [C2]", () => {
    const refused = { at: to - hour, seconds: 3_600, requests: 0, errors: 20 };
    const outside = [to - 28 * day - 1, to].map((at) => ({ at, seconds: 3_600, requests: 7, errors: 7 }));
    const state = reckonBudget(budget, 28, [refused, ...outside], to);
    expect([state.requests, state.errors]).toEqual([20, 20]);
  });

  it.each([
    [Number.NaN, 0, "NaN requests and 0 errors"],
    [5, -1, "5 requests and -1 errors"],
    [Number.POSITIVE_INFINITY, 0, "Infinity requests and 0 errors"],
  ])("refuses %d requests with %d errors by name [C2]", (requests, errors, words) => {
    expect(() => reckonBudget(budget, 28, [{ at: to - hour, seconds: 3_600, requests, errors }], to)).toThrow(
      `counts from 2026-11-29T23:00:00.000Z on: not a count, got ${words}; expected 0 or more`,
    );
  });

  it("leaves and spends one whole, never rises by an error, and does not mind the order [C2]", () => {
    const interval = fc.record({
      at: fc.integer({ min: to - 30 * day, max: to - 1 }),
      seconds: fc.constant(3_600),
      requests: fc.integer({ min: 1, max: 1e6 }),
      errors: fc.integer({ min: 0, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 40 }), fc.nat(), (intervals, more) => {
        const state = reckonBudget(budget, 30, intervals, to);
        expect(state.spentFraction + state.leftFraction).toBeCloseTo(1, 9);
        expect(reckonBudget(budget, 30, intervals.toReversed(), to)).toEqual(state);
        const worse = intervals.map((each, index) =>
          index === more % intervals.length && each.errors < each.requests
            ? { ...each, errors: each.errors + 1 }
            : each,
        );
        expect(reckonBudget(budget, 30, worse, to).leftFraction).toBeLessThanOrEqual(state.leftFraction);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the gate", () => {
  const { paused: _paused, lease: _lease, retiredAt: _retired, ...full } = aFullRecord();
  const record = { ...full, breaches: {}, holds: {}, alarms: [] };
  const quiet: SoakEvidence = { canaryRequests: 5_000, watchedFraction: 1, fellSilent: false, alarmsInAlarm: [] };
  const ask = (errorBudget: SoakEvidence["errorBudget"], reason?: string) =>
    said(record, "sha256:another", { ...quiet, ...(errorBudget ? { errorBudget } : {}) }, to, reason);

  it("waits for the budget even before the first wave, and says what is left [C1, C2]", () => {
    const intervals = hours(30, (index) => ({ requests: 10_000, errors: index === 0 ? 3_300 : 0 }));
    expect(ask(reckonBudget(budget, 30, intervals, to))).toEqual({
      kind: "monitor",
      reasons: [
        "8.3 % of the error budget left (availability 99.95 % over 30 d): 3300 errors of 3600 allowed, burning 0 times as fast as allowed over 24 h; expected at least 10 %, until then advances pause",
      ],
    });
  });

  it("cannot tell where the budget cannot be read, and asks nothing where none is kept [C2]", () => {
    expect(ask({ unreadable: "no answer" })).toEqual({
      kind: "cannot-tell",
      measured: "nothing",
      reasons: ["the error budget could not be read (no answer)"],
    });
    expect(ask(undefined).kind).toBe("promote");
    // Young, 30 of its 60 minutes failing.
    const failing = [to - hour, to - hour / 2].map((at, index) => ({
      at,
      seconds: 1_800,
      requests: 90_000,
      errors: index * 90_000,
    }));
    expect(ask(reckonBudget(budget, 28, failing, to))).toEqual({
      kind: "monitor",
      reasons: [
        "-48.8 % of the error budget left (availability 99.95 % over 28 d, projected from what is known since 2026-11-29 23:00 UTC): 90000 errors of 60480 allowed, burning 1000 times as fast as allowed over 24 h; expected at least 10 %, until then advances pause",
      ],
    });
    expect(ask(reckonBudget(budget, 30, steady(1), to)).kind).toBe("promote");
  });

  it("lets a person override it with a reason [C1, C2]", () => {
    expect(ask({ unreadable: "no answer" }, "hotfix").kind).toBe("promote");
    expect(ask(reckonBudget(budget, 30, steady(10), to), "hotfix").kind).toBe("promote");
  });
});
