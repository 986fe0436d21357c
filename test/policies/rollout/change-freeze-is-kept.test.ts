import fc from "fast-check";
import { DateTime } from "luxon";
import { describe, expect, it } from "vitest";
import { readFreezes } from "../../../core/freeze-calendar.ts";
import { changeFreezeIsKeptAt } from "../../../policies/rollout/change-freeze-is-kept.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aServiceAfter } from "./a-service.ts";

const berlin = { timeZone: "Europe/Berlin" };
const weekend = { name: "weekend", ...berlin, from: "Fri 16:00", to: "Mon 08:00" };
const yearEnd = { name: "year end", ...berlin, from: "2026-12-18T16:00", to: "2027-01-04T08:00" };

const at = (instant: string) => changeFreezeIsKeptAt(() => new Date(instant));
/** Names of the freezes that hold, with their end. */
const held = (windows: unknown, instant: string): string[] => {
  const { problems, activeAt } = readFreezes(windows);
  expect(problems).toEqual([]);
  return activeAt(new Date(instant)).map(({ name, endsAt }) => `${name} until ${endsAt}`);
};

describe("rollout-change-freeze-is-kept", () => {
  const saturday = at("2026-11-21T10:00:00Z");
  const monday = at("2026-11-23T10:00:00Z");

  it("lets a raise through outside of every freeze [E1]", async () => {
    expect(await violationsOf(monday, [aServiceAfter("opening", 10, 25)], { windows: [weekend, yearEnd] })).toEqual([]);
    expect(await violationsOf(saturday, [aServiceAfter("opening", 10, 25)])).toEqual([]);
  });

  it("refuses a raise in a freeze, with its end in the freeze's own zone [E1]", async () => {
    expect(await violationsOf(saturday, [aServiceAfter("opening", 10, 25)], { windows: [yearEnd, weekend] })).toEqual([
      "checkout: rises in the change freeze weekend, got a raise before 2026-11-23 08:00 Europe/Berlin; expected none until then. Leave the wave as it is",
    ]);
  });

  it("counts a replaced baseline as a raise: an unproven release gets all traffic [E1]", async () => {
    expect(
      await violationsOf(saturday, [aServiceAfter("replace-baseline", 0, 0)], { windows: [weekend] }),
    ).toHaveLength(1);
  });

  it("lets lowering, idle, first and finishing ups through in a freeze [E1]", async () => {
    for (const [step, fromPercent, exposurePercent] of [
      ["lowering", 25, 0],
      ["lowering", 25, 10],
      ["none", 25, 25],
      ["first", 0, 0],
      ["finish", 100, 0],
    ] as const) {
      const service = aServiceAfter(step, fromPercent, exposurePercent);
      expect(await violationsOf(saturday, [service], { windows: [weekend] })).toEqual([]);
    }
  });

  it("refuses in a freeze what does not say whether it rises, and what a preview does not know [E1]", async () => {
    const text =
      "checkout: cannot be judged in the change freeze weekend, got nothing readable in step, fromPercent or exposurePercent; expected the outputs of ProgressiveService. Use program and policies of one version";
    const service = aServiceAfter("none", 25, 25);
    for (const props of [{}, { ...service.props, step: notKnownYet }, { ...service.props, exposurePercent: "25" }]) {
      expect(await violationsOf(saturday, [{ ...service, props }], { windows: [weekend] })).toEqual([text]);
    }
  });

  it("refuses every up, an idle one too, while its own windows are wrong, and names every fault [E1]", async () => {
    const windows = [
      { name: "a", timeZone: "Europe/Berlyn", from: "Fri 16:00", to: "Mon 08:00" },
      { name: "b", ...berlin, from: "2026-12-18 16:00", to: "Mon 24:00" },
      { name: "c", ...berlin, from: "2026-12-18T16:00", to: "Mon 08:00" },
      { name: "d", ...berlin, from: "2027-01-04T08:00", to: "2026-12-18T16:00" },
      { name: "e", ...berlin, from: "Fri 16:00", to: "fri 16:00" },
      { name: "f", ...berlin, from: "2026-02-30T16:00", to: "2026-03-01T08:00", until: "x" },
      { ...weekend, timeZone: "+02:00" },
      weekend,
      weekend,
      "Fri",
    ];
    const place = "policy configuration of rollout-change-freeze-is-kept: windows";
    const times =
      "expected a local time such as 2026-12-18T16:00, or a time of the week such as Fri 16:00. No zone here";
    expect(await violationsOf(monday, [aServiceAfter("none", 25, 25)], { windows })).toEqual([
      `${place}[0].timeZone: no such zone, got "Europe/Berlyn"; expected an IANA name such as Europe/Berlin. Name one`,
      `${place}[1].from: not a time, got "2026-12-18 16:00"; ${times}`,
      `${place}[1].to: not a time, got "Mon 24:00"; ${times}`,
      `${place}[2]: mixes a date and a weekday, got from 2026-12-18T16:00, to Mon 08:00; expected both alike. Write two dates, or two weekdays`,
      `${place}[3].to: does not come after from, got 2026-12-18T16:00 after 2027-01-04T08:00; expected a later time. Swap them`,
      `${place}[4].to: the same as from, got fri 16:00; expected another time. A freeze for good is no window: pause instead`,
      `${place}[5].until: unknown, got "x"; expected name, timeZone, from, to. Remove it`,
      `${place}[6].timeZone: no such zone, got "+02:00"; expected an IANA name such as Europe/Berlin. Name one`,
      `${place}[8].name: named twice, got "weekend"; expected a name of its own. Rename it`,
      ...["name", "timeZone", "from", "to"].map(
        (key) => `${place}[9].${key}: missing, got nothing; expected a text. Write it`,
      ),
    ]);
    expect(await violationsOf(monday, [], { windows: { weekend } })).toHaveLength(1);
  });
});

describe("the freeze calendar", () => {
  it("begins with its first minute and has ended with its last [E1]", () => {
    expect(held([weekend], "2026-11-20T14:59:59Z")).toEqual([]);
    expect(held([weekend], "2026-11-20T15:00:00Z")).toEqual(["weekend until 2026-11-23 08:00 Europe/Berlin"]);
    expect(held([weekend], "2026-11-23T06:59:59Z")).toEqual(["weekend until 2026-11-23 08:00 Europe/Berlin"]);
    expect(held([weekend], "2026-11-23T07:00:00Z")).toEqual([]);
  });

  it("reads local times by the zone's offset of that day [E1]", () => {
    const summer = { name: "s", ...berlin, from: "2026-07-01T00:00", to: "2026-07-02T00:00" };
    expect(held([summer], "2026-06-30T21:59:59Z")).toEqual([]);
    expect(held([summer], "2026-06-30T22:00:00Z")).toHaveLength(1);
    expect(held([summer], "2026-07-01T21:59:59Z")).toHaveLength(1);
    expect(held([summer], "2026-07-01T22:00:00Z")).toEqual([]);
    const tokyo = { ...summer, timeZone: "Asia/Tokyo" };
    expect(held([tokyo], "2026-06-30T15:00:00Z")).toHaveLength(1);
    expect(held([tokyo], "2026-07-01T15:00:00Z")).toEqual([]);
  });

  it("reaches over the end of the week and over a change of clocks [E1]", () => {
    const shift = { name: "s", ...berlin, from: "Sun 22:00", to: "Sun 06:00" };
    expect(held([shift], "2026-11-25T12:00:00Z")).toHaveLength(1);
    expect(held([shift], "2026-11-22T12:00:00Z")).toEqual([]);
    // Clocks go back on Sunday 25 October 2026: the weekend has an hour more, and its ends stay where the clock says.
    expect(held([weekend], "2026-10-23T13:59:59Z")).toEqual([]);
    expect(held([weekend], "2026-10-23T14:00:00Z")).toHaveLength(1);
    expect(held([weekend], "2026-10-26T06:59:59Z")).toHaveLength(1);
    expect(held([weekend], "2026-10-26T07:00:00Z")).toEqual([]);
  });

  it("begins at the first and ends at the second of a local time that happens twice [E1]", () => {
    const [from, to] = ["2026-10-25T02:30", "2026-10-25T12:00"];
    // 02:30 is at 00:30Z and again at 01:30Z.
    expect(held([{ name: "n", ...berlin, from, to }], "2026-10-25T00:29:59Z")).toEqual([]);
    expect(held([{ name: "n", ...berlin, from, to }], "2026-10-25T00:30:00Z")).toHaveLength(1);
    const ends = { name: "n", ...berlin, from: "2026-10-24T12:00", to: from };
    expect(held([ends], "2026-10-25T01:29:59Z")).toHaveLength(1);
    expect(held([ends], "2026-10-25T01:30:00Z")).toEqual([]);
  });

  it("makes the longer of a local time that does not happen [E1]", () => {
    // Clocks go from 02:00 to 03:00 at 01:00Z; 02:30 would be 00:30Z by the later offset, 01:30Z by the earlier.
    const from = "2026-03-29T02:30";
    expect(held([{ name: "n", ...berlin, from, to: "2026-03-29T12:00" }], "2026-03-29T00:29:59Z")).toEqual([]);
    expect(held([{ name: "n", ...berlin, from, to: "2026-03-29T12:00" }], "2026-03-29T00:30:00Z")).toHaveLength(1);
    const ends = { name: "n", ...berlin, from: "2026-03-28T12:00", to: from };
    expect(held([ends], "2026-03-29T01:29:59Z")).toHaveLength(1);
    expect(held([ends], "2026-03-29T01:30:00Z")).toEqual([]);
  });

  it("takes the offset of the hour and not of the day on which clocks change [E1]", () => {
    const begins = { name: "n", ...berlin, from: "2026-10-25T23:00", to: "2026-10-27T12:00" };
    expect(held([begins], "2026-10-25T21:59:59Z")).toEqual([]);
    expect(held([begins], "2026-10-25T22:00:00Z")).toHaveLength(1);
    const ends = { name: "n", ...berlin, from: "2026-03-27T12:00", to: "2026-03-29T23:00" };
    expect(held([ends], "2026-03-29T20:59:59Z")).toHaveLength(1);
    expect(held([ends], "2026-03-29T21:00:00Z")).toEqual([]);
  });

  it("freezes every week exactly what a clock in the zone shows between its ends [E1]", () => {
    const zones = [
      "Europe/Berlin",
      "America/New_York",
      "Asia/Kolkata",
      "Australia/Lord_Howe",
      "America/St_Johns",
      "UTC",
    ];
    const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const minuteOfWeek = fc.integer({ min: 0, max: 7 * 1_440 - 1 });
    const text = (minute: number): string => {
      const [day, rest] = [Math.floor(minute / 1_440), minute % 1_440];
      return `${days[day]} ${String(Math.floor(rest / 60)).padStart(2, "0")}:${String(rest % 60).padStart(2, "0")}`;
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        minuteOfWeek,
        minuteOfWeek,
        fc.date({ min: new Date("2025-01-01T00:00:00Z"), max: new Date("2028-01-01T00:00:00Z"), noInvalidDate: true }),
        (timeZone, from, to, now) => {
          fc.pre(from !== to);
          const { activeAt } = readFreezes([{ name: "n", timeZone, from: text(from), to: text(to) }]);
          const clock = DateTime.fromJSDate(now, { zone: timeZone });
          const minute = (clock.weekday - 1) * 1_440 + clock.hour * 60 + clock.minute;
          const shown = from < to ? from <= minute && minute < to : minute >= from || minute < to;
          // A day on which clocks change may freeze more than the clock shows, never less.
          const frozen = activeAt(now).length > 0;
          const changes = [-2, 0, 2].some((hours) => clock.plus({ hours }).offset !== clock.offset);
          if (shown || !changes) expect(frozen).toBe(shown);
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });
});
