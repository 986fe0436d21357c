/**
 * What every `Alarms` must do: tell states as they are. How a state comes about is not asked here.
 */
import { describe, expect, it } from "vitest";
import type { Instant } from "../../core/record.ts";
import type { AlarmState, Alarms } from "../../hooks/ports.ts";

export interface AlarmsUnderTest {
  readonly alarms: Alarms;
  /** The back end's own time. */
  now(): Instant;
  makeAlarm(alarmName: string, kind: "metric" | "composite", actionsEnabled: boolean): Promise<void>;
  setState(alarmName: string, state: AlarmState["state"]): Promise<void>;
  /** Names not used before: back ends keep alarms between tests. */
  freshName(): string;
}

/** Registers the suite. */
export function describeAlarmsContract(name: string, makeAlarms: () => Promise<AlarmsUnderTest>): void {
  describe(`alarms contract: ${name} (states are set, not evaluated)`, () => {
    it("tells each state, with the time it was reached", async () => {
      const { alarms, makeAlarm, setState, freshName, now } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", true);
      for (const state of ["ALARM", "OK", "INSUFFICIENT_DATA"] as const) {
        const before = now();
        await setState(alarmName, state);
        const [told, ...rest] = await alarms.describe([alarmName]);
        expect(rest).toEqual([]);
        expect(told).toEqual({ alarmName, state, updatedAt: told?.updatedAt, actionsEnabled: true });
        // Back ends round to a second.
        expect(told?.updatedAt).toBeGreaterThanOrEqual(before - 1_000);
        expect(told?.updatedAt).toBeLessThanOrEqual(now() + 1_000);
      }
    });

    it("says INSUFFICIENT_DATA of an alarm that has seen no data", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", true);
      expect((await alarms.describe([alarmName])).map((alarm) => alarm.state)).toEqual(["INSUFFICIENT_DATA"]);
    });

    it("tells composite alarms like metric alarms", async () => {
      const { alarms, makeAlarm, setState, freshName } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "composite", true);
      await setState(alarmName, "ALARM");
      const told = await alarms.describe([alarmName]);
      expect(told.map(({ state, actionsEnabled }) => ({ state, actionsEnabled }))).toEqual([
        { state: "ALARM", actionsEnabled: true },
      ]);
    });

    it("says when an alarm's actions are off", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", false);
      expect((await alarms.describe([alarmName])).map((alarm) => alarm.actionsEnabled)).toEqual([false]);
    });

    it("leaves a missing alarm out, and one asked for twice is told once", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", true);
      const told = await alarms.describe([freshName(), alarmName, alarmName, `${alarmName}/longer`]);
      expect(told.map((alarm) => alarm.alarmName)).toEqual([alarmName]);
      expect(await alarms.describe([freshName()])).toEqual([]);
    });

    it("tells nothing when asked for nothing", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      await makeAlarm(freshName(), "metric", true);
      expect(await alarms.describe([])).toEqual([]);
    });

    it("tells more than a hundred alarms", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      const names = Array.from({ length: 103 }, freshName);
      for (const alarmName of names) await makeAlarm(alarmName, "metric", true);
      const told = await alarms.describe(names);
      expect(told.map((alarm) => alarm.alarmName).sort()).toEqual([...names].sort());
    });
  });
}
