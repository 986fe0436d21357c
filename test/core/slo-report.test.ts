/** The report's figures and judgements, facts in and a plain model out (D6). */
import { describe, expect, it } from "vitest";
import { sloReport } from "../../core/slo-report.ts";
import { periodNamed } from "../../core/slo-report-periods.ts";
import { halfAWeek, someFacts } from "../reports/a-report.ts";

const only = (facts = someFacts()) => {
  const [service] = sloReport(facts).services;
  if (!service) throw new Error("no service in the report");
  return service;
};
const [found] = someFacts().services;
if (!found) throw new Error("no service in the facts");

describe("the SLO report", () => {
  it("holds each objective against its target: ratios over the period, the rest by the worst day [D6]", () => {
    expect(
      only().objectives.map(({ name, value, basis, met, daysMet, daysMeasured }) => [
        name,
        value,
        basis,
        met,
        daysMet,
        daysMeasured,
      ]),
    ).toEqual([
      ["error-rate", 0.0706, "period", true, 7, 7],
      ["latency-p95", 2140, "worst-day", false, 6, 7],
      ["availability", 99.9294, "period", false, 6, 7],
      ["circuit-breaker-open", null, "worst-day", null, 0, 0],
      ["circuit-breaker-recovery", 8, "worst-day", true, 7, 7],
      ["cache-hit-ratio", 86, "worst-day", true, 7, 7],
      ["rate-limit-reject-rate", 0.3, "worst-day", true, 7, 7],
    ]);
  });

  it("counts rollouts, their success, MTTR and criticals in time [D6]", () => {
    expect(only().figures).toEqual({
      openings: 5,
      finished: 1,
      rolledBack: 1,
      successRatePercent: 50,
      meanCanaryMinutes: 60.675,
      restore: { meanMinutes: 0.0167, met: true },
      criticals: 1,
      criticalsHandledInTime: 1,
      openIncidents: 0,
    });
  });

  it("burns the budget down day by day over its own window, not the week's [C2, D6]", () => {
    const { budget } = only();
    expect([budget?.from, budget?.to, budget?.burnDown.length]).toEqual([
      "2026-10-26T00:00:00.000Z",
      "2026-11-23T00:00:00.000Z",
      29,
    ]);
    expect(budget?.burnDown[0]?.leftFraction).toBe(1);
    expect(budget?.burnDown.at(-1)?.leftFraction).toBeCloseTo(budget?.leftFraction ?? 0, 4);
    const left = budget?.burnDown.map(({ leftFraction }) => leftFraction) ?? [];
    expect(left).toEqual(left.toSorted((one, other) => other - one));
  });

  it("looks at a quarter as one budget [D6]", () => {
    const quarter = periodNamed("2026-Q4");
    if (!quarter) throw new Error("no such quarter");
    const { budget } = only(
      someFacts({ kind: "quarter", label: quarter.label, from: quarter.from, to: quarter.to, now: quarter.dueAt }),
    );
    expect([budget?.periodDays, budget?.knownSince, budget?.burnDown.length]).toEqual([
      92,
      "2026-10-26T00:00:00.000Z",
      93,
    ]);
  });

  it("never takes silence for health: nothing read is null, a gap, and advice [D6]", () => {
    const { promises, service } = found;
    const silent = only(
      someFacts({
        services: [
          { service, ...(promises ? { promises } : {}), history: [], holds: [], gaps: ["requests and errors: denied"] },
        ],
      }),
    );
    expect(silent.objectives.every(({ value, met }) => value === null && met === null)).toBe(true);
    expect([silent.budget, silent.figures.successRatePercent, silent.figures.restore.met]).toEqual([null, null, null]);
    expect(silent.gaps[0]).toBe("requests and errors: denied");
    expect(silent.recommendations).toEqual(["Something could not be read, see below; do not take silence for health."]);
  });

  it("knows nothing of a service without a request: no share left, no picture, no good day [D6]", () => {
    const hour = { at: Date.UTC(2026, 10, 17), seconds: 3_600, requests: 0, errors: 0 };
    for (const counts of [[], [hour]]) {
      const quiet = only(someFacts({ services: [{ ...found, counts, days: {} }] }));
      expect(quiet.objectives.every(({ value, met, daysMet }) => value === null && met === null && daysMet === 0)).toBe(
        true,
      );
      const { budget } = quiet;
      expect([budget?.status, budget?.leftFraction, budget?.spentFraction, budget?.spentMinutes]).toEqual([
        "no-traffic",
        null,
        null,
        null,
      ]);
      expect(budget?.burnDown).toEqual([]);
      expect(quiet.forecast).toBe("No request was counted; nothing can be said of the error budget.");
    }
  });

  it("names what was measured on some days only, and never takes half a week for one [D6]", () => {
    const half = only(halfAWeek());
    expect(half.gaps).toEqual([
      "not measured in this period: circuit-breaker-open",
      "measured on fewer than the 7 days of this period: error-rate on 4, latency-p95 on 4, availability on 4, circuit-breaker-recovery on 4, cache-hit-ratio on 4, rate-limit-reject-rate on 4",
    ]);
    const availability = half.objectives.find(({ name }) => name === "availability");
    expect([availability?.value, availability?.daysMeasured, availability?.daysInPeriod]).toEqual([100, 4, 7]);
    expect([half.budget?.projected, half.budget?.knownSince]).toEqual([true, "2026-11-16T00:00:00.000Z"]);
    expect(half.recommendations.at(-1)).toBe("Something could not be read, see below; do not take silence for health.");
  });

  it("reckons the budget of a period that is not over until now, and of a quarter until today [C2, D6]", () => {
    const facts = someFacts();
    const now = facts.from + 3.5 * 86_400_000;
    const soFar = only({ ...facts, now }).budget;
    expect([soFar?.to, soFar?.projected, soFar?.burnDown.at(-1)?.at]).toEqual([
      "2026-11-19T12:00:00.000Z",
      true,
      "2026-11-19T12:00:00.000Z",
    ]);
    expect(soFar?.burns.day).not.toBeNull();
    const quarter = periodNamed("2026-Q4");
    if (!quarter) throw new Error("no such quarter");
    const { budget } = only({ ...facts, kind: "quarter", from: quarter.from, to: quarter.to, now });
    expect([budget?.periodDays, budget?.to]).toEqual([50, "2026-11-19T12:00:00.000Z"]);
  });

  it("names counts that are none, and a record without targets, as gaps [C2, D6]", () => {
    const bad = only(
      someFacts({
        services: [
          { ...found, counts: [{ at: Date.UTC(2026, 10, 17), seconds: 3_600, requests: Number.NaN, errors: 0 }] },
        ],
      }),
    );
    expect([bad.budget, bad.gaps[0]]).toEqual([
      null,
      "counts from 2026-11-17T00:00:00.000Z on: not a count, got NaN requests and 0 errors; expected 0 or more",
    ]);
    const { promises: _promises, ...without } = found;
    expect(only(someFacts({ services: [without] })).gaps).toEqual([
      "its targets are not in the record; they come with its next up",
    ]);
  });

  it("keeps an incident open until somebody or something ends it, and judges MTTR by 15 minutes [D6]", () => {
    const start = Date.UTC(2026, 10, 18, 8);
    const line = (minute: number, kind: string, message: string) => ({
      at: start + minute * 60_000,
      kind,
      message,
      exposurePercent: 5,
    });
    const breach = line(0, "breach", "error-rate (critical) of 2.5.0 at 5 %: halve to 2 %");
    const open = only(someFacts({ services: [{ ...found, history: [breach] }] })).figures;
    expect([open.openIncidents, open.criticals, open.criticalsHandledInTime, open.restore.met]).toEqual([
      1,
      1,
      0,
      null,
    ]);
    const late = only(
      someFacts({ services: [{ ...found, history: [breach, line(15, "lowered", "2.5.0 from 5 % to 2 %")] }] }),
    );
    expect([late.figures.restore, late.figures.criticalsHandledInTime]).toEqual([{ meanMinutes: 15, met: false }, 1]);
    const tooLate = only(
      someFacts({ services: [{ ...found, history: [breach, line(30, "lowered", "2.5.0 from 5 % to 2 %")] }] }),
    );
    expect(tooLate.figures.criticalsHandledInTime).toBe(0);
  });

  it("names a rollout in every week that it spans, and counts each opening in its own week [D6]", () => {
    const line = (at: string, message: string) => ({
      at: Date.parse(at),
      kind: "commit",
      message,
      exposurePercent: 5,
    });
    const history = [
      line("2026-11-06T08:00:00Z", "2.5.0 from 0 % to 5 %"),
      line("2026-11-13T08:00:00Z", "2.5.0 from 5 % to 25 %"),
      line("2026-11-27T08:00:00Z", "2.5.0 from 25 % to 100 %"),
      line("2026-11-28T08:00:00Z", "2.5.0 is the baseline at 100 %, 2.4.0 stays armed"),
    ];
    const weeks = ["2026-W44", "2026-W45", "2026-W46", "2026-W47", "2026-W48", "2026-W49"].map((label) => {
      const week = periodNamed(label);
      if (!week) throw new Error("no such week");
      const { rollouts, figures } = only(
        someFacts({ label, from: week.from, to: week.to, services: [{ ...found, history }] }),
      );
      return [label, rollouts.map(({ outcome, openings }) => [outcome, openings]), figures.openings, figures.finished];
    });
    expect(weeks).toEqual([
      ["2026-W44", [], 0, 0],
      ["2026-W45", [["running", 1]], 1, 0],
      ["2026-W46", [["running", 2]], 1, 0],
      ["2026-W47", [["running", 2]], 0, 0],
      ["2026-W48", [["finished", 3]], 1, 1],
      ["2026-W49", [], 0, 0],
    ]);
  });

  it("keeps the day in which a rollout began, and names days that nothing tells of [D6]", () => {
    const [from, to] = [Date.UTC(2026, 10, 17, 8), Date.UTC(2026, 10, 19, 9)];
    const days = { "latency-p95": [17, 19, 20].map((date) => ({ at: Date.UTC(2026, 10, date), value: 100 * date })) };
    const report = only(someFacts({ kind: "rollout", label: "x", from, to, services: [{ ...found, days }] }));
    const latency = report.objectives.find(({ name }) => name === "latency-p95");
    expect([latency?.value, latency?.daysMeasured]).toEqual([1_900, 2]);
    expect(report.gaps).toContain("measured on fewer than the 3 days of this period: latency-p95 on 2");
  });

  it("says why nothing is known where the source said it, once [D6]", () => {
    const gap = "cache-hit-ratio: cache-hits, cache-misses were never reported in this period";
    const { "cache-hit-ratio": _gone, ...days } = found.days ?? {};
    expect(only(someFacts({ services: [{ ...found, days, gaps: [gap] }] })).gaps).toEqual([
      gap,
      "not measured in this period: circuit-breaker-open",
    ]);
  });

  it("counts a kill as an incident, and not in MTTR [D6]", () => {
    const at = Date.UTC(2026, 10, 18, 8);
    const hold = {
      id: `kill-${at}`,
      scope: "service",
      digest: "sha256:x",
      at,
      cause: "kill",
      detail: "killed",
      response: "disable",
      targetPercent: 0,
      attempt: 1,
    } as const;
    const history = [{ at, kind: "rollback", message: "2.5.0 from 5 % to 0 %", exposurePercent: 0 }];
    const report = only(someFacts({ services: [{ ...found, history, holds: [hold] }] }));
    expect(report.incidents.map(({ kind, restoredAt }) => [kind, restoredAt])).toEqual([
      ["kill", "2026-11-18T08:00:00.000Z"],
    ]);
    expect([report.figures.restore.meanMinutes, report.figures.criticals]).toEqual([null, 0]);
  });
});
