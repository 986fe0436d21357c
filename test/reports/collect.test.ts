/** Which times a report's figures are asked for, and how finely (D6). */
import { describe, expect, it } from "vitest";
import type { RolloutRecord } from "../../core/record.ts";
import { collectFacts } from "../../reports/collect.ts";
import { partsOf, type ReportSource } from "../../reports/sources/source.ts";
import { aFullRecord } from "../contract/a-record.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const noon = Date.UTC(2026, 10, 17, 12);

/** What the figures of a rollout are read in, as [from, to, seconds] that lie within it, its instants in hours since noon. */
async function partsOfRollout(from: number, to: number) {
  const { control: _control, retiredAt: _retired, ...full } = aFullRecord();
  const objectives = [{ name: "availability", indicator: "availability", target: 99.9 }] as const;
  const record: RolloutRecord = { ...full, promises: { objectives, budgetPeriodDays: 28 } };
  const asked: Parameters<ReportSource["counts"]>[0][] = [];
  const facts = await collectFacts(
    {
      records: { list: async () => [], read: async () => record, history: async () => [] },
      sourceOf: () => ({
        counts: async (wanted) => {
          asked.push(wanted);
          return [];
        },
        days: async () => ({ values: {}, gaps: ["p95: latency was never reported in this period"] }),
      }),
    },
    { kind: "rollout", label: "x", environment: "dev", service: record.service, from, to, now: to },
  );
  const parts = asked.flatMap(partsOf).filter((part) => part.to > from);
  return { facts, parts: parts.map((part) => [(part.from - noon) / hour, (part.to - noon) / hour, part.seconds]) };
}

describe("what a rollout is read in", () => {
  it("is five minutes throughout where it was short, and at both ends where it was long [D6]", async () => {
    const short = await partsOfRollout(noon + 12 * minute, noon + 2 * hour + 30 * minute);
    expect(short.parts.at(-1)).toEqual([0, 2.5, 300]);
    const long = await partsOfRollout(noon + 30 * minute, noon + 5 * day + 30 * minute);
    expect(long.parts.slice(-3)).toEqual([
      [0, 1, 300],
      [1, 114, 3_600],
      [114, 120.5, 300],
    ]);
  });

  it("comes with what the source could not say, and whose a hold is [D6]", async () => {
    const { facts } = await partsOfRollout(noon, noon + hour);
    const [service] = facts.services;
    expect(service?.gaps).toEqual(["p95: latency was never reported in this period"]);
    const record = aFullRecord();
    expect(service?.versions).toEqual(
      Object.fromEntries(Object.values(record.releases).map(({ digest, version }) => [digest, version])),
    );
  });
});

describe("the parts of a time", () => {
  it("leave nothing out and nothing in twice [D6]", () => {
    for (const [from, to] of [
      [noon, noon + day],
      [noon + 5 * minute, noon + 10 * minute],
      [noon + 5 * minute, noon + 61 * minute],
      [noon - 7 * minute, noon + 3 * hour + minute],
      [noon, noon],
    ] as const) {
      const parts = partsOf({ from, to, fine: [{ from: noon + 2 * hour, to: noon + 2 * hour + 1 }] });
      let next = from;
      for (const part of parts) {
        expect([part.from, part.to > part.from]).toEqual([next, true]);
        if (part.seconds === 3_600) expect([part.from % hour, part.to % hour]).toEqual([0, 0]);
        next = part.to;
      }
      expect(next).toBe(to);
    }
  });
});
