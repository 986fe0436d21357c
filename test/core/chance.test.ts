/** Errors beyond chance, held against the probability itself, multiplied out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorsBeyondChance, isBeyondChance, requestsToSee, usualPercentOf } from "../../core/chance.ts";
import type { Objective } from "../../core/objectives.ts";
import { watchRules } from "../../core/watch-rules.ts";

/** Chance of at least so many errors where so many are expected, in geometric bursts. */
function tail(errors: number, expected: number): number {
  let chance = 1;
  for (let error = 0; error < errors; error += 1) chance *= expected / (1 + expected);
  return chance;
}

const bounds = fc.integer({ min: 1, max: 1_000 }).map((permille) => permille / 10);
const requestCounts = fc.integer({ min: 1, max: 200_000 });

describe("errors beyond chance", () => {
  it("take for usual what makes the bound itself as rare where traffic is endless [B9]", () => {
    expect([1, 2, 5, 10].map(usualPercentOf)).toEqual([0.0543, 0.109, 0.271, 0.543]);
    expect(Math.exp(-1 / 0.0543)).toBeCloseTo(1e-8, 9);
  });

  it("are more the more requests there are, and never fewer than one client's attempts and one more [B9]", () => {
    const needed = [1, 20, 50, 100, 300, 1_000, 6_000, 60_000].map((requests) => errorsBeyondChance(requests, 0.0543));
    expect(needed).toEqual([4, 5, 6, 7, 10, 18, 69, 610]);
    expect(errorsBeyondChance(0, 0.0543)).toBe(4);
  });

  it("come of a healthy release at most once in 100,000,000 windows, and one error fewer comes more often [B9]", () => {
    fc.assert(
      fc.property(bounds, requestCounts, (bound, requests) => {
        const usualPercent = usualPercentOf(bound);
        const expected = (usualPercent / 100) * requests;
        const needed = errorsBeyondChance(requests, usualPercent);
        expect(tail(needed, expected)).toBeLessThanOrEqual(1.000_001e-8);
        if (needed > 4) expect(tail(needed - 1, expected)).toBeGreaterThan(0.999_999e-8);
        expect(isBeyondChance(needed, requests, usualPercent)).toBe(true);
        expect(isBeyondChance(needed - 1, requests, usualPercent)).toBe(false);
      }),
    );
  });

  it("are always over the bound, too, but for the third digit of what is usual [B9]", () => {
    fc.assert(
      fc.property(bounds, requestCounts, (bound, requests) => {
        const needed = errorsBeyondChance(requests, usualPercentOf(bound));
        expect((100 * needed) / requests).toBeGreaterThan(0.995 * bound);
      }),
    );
  });

  it("say from what traffic on twice the bound is seen [B9]", () => {
    expect([1, 5].map(requestsToSee)).toEqual([734, 147]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (permille) => {
        const bound = permille / 10;
        const requests = requestsToSee(bound);
        const errorsAt = (count: number) => (Math.min(100, 2 * bound) * count) / 100;
        expect(isBeyondChance(errorsAt(requests), requests, usualPercentOf(bound))).toBe(true);
        expect(isBeyondChance(errorsAt(requests - 1), requests - 1, usualPercentOf(bound))).toBe(false);
      }),
    );
  });
});

describe("windows of a critical error ratio", () => {
  const windowsOf = (objective: Partial<Objective>, value = 1) =>
    watchRules(
      [{ name: "errors", indicator: "error-rate", critical: { value, response: "disable" }, ...objective }],
      "emf",
    ).rules.map(({ key, evaluationPeriods, datapointsToAlarm, requestFloor, errorFloor, usualPercent }) =>
      [key, `${datapointsToAlarm} of ${evaluationPeriods}`, requestFloor, errorFloor, usualPercent ?? "-"].join(" "),
    );

  it("speak at the first short window that is beyond chance; the long one has fixed floors [B9]", () => {
    expect(windowsOf({})).toEqual([
      "errors/critical/10s 1 of 1 0 4 0.0543",
      "errors/critical/60s 1 of 1 0 4 0.0543",
      "errors/critical/300s 1 of 2 100 10 -",
    ]);
  });

  it("keep the floors that a team states, and ask several windows then [B9]", () => {
    expect(windowsOf({ minimumRequests: 50 })).toEqual([
      "errors/critical/10s 2 of 2 50 10 -",
      "errors/critical/60s 2 of 3 50 10 -",
      "errors/critical/300s 1 of 2 50 10 -",
    ]);
    expect(windowsOf({ minimumErrors: 3 })[0]).toBe("errors/critical/10s 2 of 2 100 3 -");
  });

  it("take nothing for usual where no error at all is allowed [B9]", () => {
    expect(windowsOf({}, 0)[0]).toBe("errors/critical/10s 2 of 2 100 10 -");
  });

  it("reckon with what is missing of availability [B1, B9]", () => {
    const critical = { value: 99, response: "disable" } as const;
    expect(windowsOf({ indicator: "availability", critical })[0]).toBe("errors/critical/10s 1 of 1 0 4 0.0543");
  });
});
