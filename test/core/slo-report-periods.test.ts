/** Weeks and quarters of reports: ISO weeks over year ends, leap days, and when each is due (D6). */
import { describe, expect, it } from "vitest";
import { daysOf, latestDue, periodNamed, weekOf } from "../../core/slo-report-periods.ts";

const iso = (at: number) => new Date(at).toISOString().slice(0, 16);
const shown = (period: ReturnType<typeof periodNamed>) =>
  period && [period.label, iso(period.from), iso(period.to), iso(period.dueAt), daysOf(period)];

describe("periods", () => {
  it.each([
    ["2026-W47", ["2026-W47", "2026-11-16T00:00", "2026-11-23T00:00", "2026-11-23T09:00", 7]],
    // 2026 has 53 weeks; the last ends in 2027.
    ["2026-W53", ["2026-W53", "2026-12-28T00:00", "2027-01-04T00:00", "2027-01-04T09:00", 7]],
    ["2027-W01", ["2027-W01", "2027-01-04T00:00", "2027-01-11T00:00", "2027-01-11T09:00", 7]],
    ["2028-W09", ["2028-W09", "2028-02-28T00:00", "2028-03-06T00:00", "2028-03-06T09:00", 7]],
    ["2028-Q1", ["2028-Q1", "2028-01-01T00:00", "2028-04-01T00:00", "2028-04-01T09:00", 91]],
    ["2026-Q4", ["2026-Q4", "2026-10-01T00:00", "2027-01-01T00:00", "2027-01-01T09:00", 92]],
  ])("%s begins, ends and is due [D6]", (label, expected) => {
    expect(shown(periodNamed(label))).toEqual(expected);
  });

  it.each(["2027-W53", "2026-W00", "2026-W54", "2026-Q5", "2026-Q0", "W47", "2026-47", ""])(
    "%s is none [D6]",
    (label) => {
      expect(periodNamed(label)).toBeUndefined();
    },
  );

  it("is the week before from Monday 09:00 on, and not a minute earlier [D6]", () => {
    const at = (time: string) => latestDue("week", Date.parse(time)).label;
    expect([at("2026-11-23T08:59:59Z"), at("2026-11-23T09:00:00Z"), at("2026-11-30T08:59:59Z")]).toEqual([
      "2026-W46",
      "2026-W47",
      "2026-W47",
    ]);
    expect([at("2027-01-04T09:00:00Z"), at("2027-01-03T23:00:00Z")]).toEqual(["2026-W53", "2026-W52"]);
  });

  it("is the quarter before from its first day 09:00 on [D6]", () => {
    const at = (time: string) => latestDue("quarter", Date.parse(time)).label;
    expect([at("2027-01-01T08:59:59Z"), at("2027-01-01T09:00:00Z"), at("2027-03-31T12:00:00Z")]).toEqual([
      "2026-Q3",
      "2026-Q4",
      "2026-Q4",
    ]);
  });

  it("finds the week of an instant, whatever its year [D6]", () => {
    const at = (time: string) => weekOf(Date.parse(time)).label;
    expect([at("2027-01-01T00:00:00Z"), at("2024-12-31T12:00:00Z"), at("2026-11-22T23:59:59Z")]).toEqual([
      "2026-W53",
      "2025-W01",
      "2026-W47",
    ]);
  });
});
