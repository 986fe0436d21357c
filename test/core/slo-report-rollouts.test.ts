/** Rollouts and incidents read back out of the history that the real commit, reconcile and commands write (D6). */
import { describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../core/record.ts";
import { incidentsIn, rolloutsIn } from "../../core/slo-report-rollouts.ts";
import { v1, v2, World } from "../helpers/world.ts";

const day = 24 * 60;
const told = (world: World) =>
  rolloutsIn(world.cloud.history).map(({ version, outcome, openedAt, highestPercent, endedAt }) => [
    version,
    outcome,
    openedAt.length,
    highestPercent,
    endedAt !== undefined,
  ]);
const incidents = (world: World) => incidentsIn(world.cloud.history, Object.values(world.record.holds));

describe("rollouts out of a history", () => {
  it("run, finish, and are rolled back after the finish [D6]", async () => {
    const world = await new World().rolledOutTo(100);
    expect(told(world)).toEqual([["2.0.0", "running", 4, 100, false]]);
    await world.wait(7 * day);
    await world.must(world.up({ baseline: v2 }));
    expect(told(world)).toEqual([["2.0.0", "finished", 4, 100, true]]);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v1)).toBe(100);
    expect(told(world)).toEqual([["2.0.0", "rolled-back", 4, 100, true]]);
  });

  it("end by a rollback, with the breach that it restored [D6]", async () => {
    const world = await new World().rolledOutTo(25);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
    expect(told(world)).toEqual([["2.0.0", "rolled-back", 2, 25, true]]);
    const [incident, ...more] = incidents(world);
    expect(more).toEqual([]);
    expect(incident).toMatchObject({
      what: "error-rate (critical) of 2.0.0: disable",
      severity: "critical",
      kind: "breach",
    });
    expect(incident?.restoredAt).toBe(incident?.startedAt);
    expect(Object.keys(world.record.holds)).toEqual([incident?.id]);
  });
});

describe("rollouts out of lines", () => {
  const at = (minute: number, kind: string, message: string): HistoryEntry => ({
    at: minute * 60_000,
    kind,
    message,
    exposurePercent: 0,
  });

  it("abandoned, replaced, and another release in between [D6]", () => {
    const rollouts = rolloutsIn([
      at(0, "commit", "1.0.0 is the baseline at 100 %"),
      at(1, "commit", "2.0.0 stays at 0 %"),
      at(2, "commit", "2.0.0 from 0 % to 10 %"),
      at(9, "commit", "2.0.0 from 10 % to 0 %"),
      at(10, "commit", "3.0.0 is the baseline at 100 %, 1.0.0 stays armed"),
      at(11, "commit", "4.0.0 from 0 % to 12.5 %"),
      at(12, "commit", "5.0.0 from 0 % to 10 %"),
    ]);
    expect(rollouts.map(({ version, outcome, startedAt, endedAt }) => [version, outcome, startedAt, endedAt])).toEqual([
      ["2.0.0", "abandoned", 120_000, 540_000],
      ["3.0.0", "replaced", 600_000, 600_000],
      ["4.0.0", "abandoned", 660_000, 720_000],
      ["5.0.0", "running", 720_000, undefined],
    ]);
  });

  it("an incident ends by its own release's lowering, never by another's [D6]", () => {
    const lines = [
      at(0, "commit", "2.0.0 from 0 % to 10 %"),
      at(1, "breach", "latency-p95 (warning) of 2.0.0 at 10 %: freeze"),
      at(2, "commit", "2.0.0 from 10 % to 5 %"),
      at(3, "rollback", "3.0.0 from 10 % to 0 %"),
      at(4, "lowered", "3.0.0 from 10 % to 5 %"),
      at(5, "rollback", "3.0.0 to 0 %: all traffic returns to 2.0.0"),
    ];
    const hold = (digest: string, cause: "breach" | "kill") =>
      ({
        id: `${cause}-${digest}`,
        scope: "digest",
        digest,
        at: 60_000,
        cause,
        detail: "d",
        response: "freeze",
        targetPercent: 10,
        attempt: 1,
      }) as const;
    const restored = (more: readonly HistoryEntry[]) =>
      incidentsIn(
        [...lines, ...more],
        [hold("sha256:2", "breach"), hold("sha256:3", "breach"), hold("sha256:3", "kill")],
        { "sha256:3": "3.0.0" },
      ).map(({ id, restoredAt }) => [id, restoredAt]);
    expect(restored([])).toEqual([
      ["latency-p95-warning-60000", undefined],
      ["breach-sha256:2", undefined],
      ["breach-sha256:3", 180_000],
      ["kill-sha256:3", 180_000],
    ]);
    for (const own of [
      at(9, "rollback", "2.0.0 from 5 % to 0 %"),
      at(9, "commit", "2.0.0 from 5 % to 0 %"),
      at(9, "lowered", "2.0.0 from 5 % to 2 %"),
      at(9, "rollback", "2.0.0 to 0 %: all traffic returns to 1.0.0"),
    ]) {
      expect(restored([own]).slice(0, 2)).toEqual([
        ["latency-p95-warning-60000", 540_000],
        ["breach-sha256:2", 540_000],
      ]);
    }
  });

  it("a breach that comes back goes on, one that recovers is restored then, and words of people change nothing [D6]", () => {
    const found = incidentsIn(
      [
        at(1, "breach", "latency-p95 (warning) of 2.0.0 at 10 %: freeze"),
        at(2, "breach", "latency-p95 (warning) of 2.0.0 is back; hold latency-p95-warning-60000 goes on"),
        at(3, "pause", "paused by a: error-rate (critical) of 2.0.0: disable to 0 %"),
        at(4, "recovered", "error-rate (critical) of 2.0.0 is within bounds again"),
        at(5, "recovered", "latency-p95 (warning) of 2.0.0 is within bounds again"),
      ],
      [],
    );
    expect(found).toEqual([
      {
        id: "latency-p95-warning-60000",
        what: "latency-p95 (warning) of 2.0.0: freeze",
        severity: "warning",
        kind: "breach",
        startedAt: 60_000,
        restoredAt: 300_000,
        handledAt: 300_000,
      },
    ]);
  });
});
