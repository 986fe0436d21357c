/**
 * What every `Alarms` must do: tell states and values as they are, and set a state for a drill. How a state comes about is not
 * asked here.
 */
import { describe, expect, it } from "vitest";
import type { Instant } from "../../core/record.ts";
import type { AlarmValues } from "../../core/snapshot.ts";
import type { AlarmState, Alarms } from "../../hooks/ports.ts";

export interface AlarmsUnderTest {
  readonly alarms: Alarms;
  /** The back end's own time. */
  now(): Instant;
  makeAlarm(alarmName: string, kind: "metric" | "composite", actionsEnabled: boolean): Promise<void>;
  setState(alarmName: string, state: AlarmState["state"]): Promise<void>;
  /** An alarm on the per-minute sum of one metric that only this alarm has, or on metric math over two. */
  makeAlarmOn(alarmName: string, definition: AlarmDefinition): Promise<void>;
  /** Publishes one point of a metric of `makeAlarmOn`. */
  put(metric: AlarmMetric, at: Instant, value: number): Promise<void>;
  /** A recent minute border in the back end's time; points go up to ten minutes before it. */
  minuteBorder(): Instant;
  /** Names not used before: back ends keep alarms between tests. */
  freshName(): string;
}

/** A metric in namespace `Tidegate` with the dimensions `Service` and `Release`. */
export interface AlarmMetric {
  readonly metricName: string;
  readonly service: string;
}

export interface AlarmDefinition {
  readonly comparisonOperator:
    | "GreaterThanThreshold"
    | "GreaterThanOrEqualToThreshold"
    | "LessThanThreshold"
    | "LessThanOrEqualToThreshold";
  readonly threshold: number;
  /** Sums a minute by id; one without an expression is a plain alarm. */
  readonly metrics: Readonly<Record<string, AlarmMetric>>;
  readonly expression?: string;
}

/** What a back end can show; the titles name what it cannot. */
export interface ProvenAlarms {
  /** It computes metric math. */
  readonly metricMath: boolean;
}

const minute = 60_000;

/** Registers the suite. */
export function describeAlarmsContract(
  name: string,
  proven: ProvenAlarms,
  makeAlarms: () => Promise<AlarmsUnderTest>,
): void {
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

    it.each([
      ["GreaterThanThreshold", "above"],
      ["GreaterThanOrEqualToThreshold", "atLeast"],
      ["LessThanThreshold", "below"],
      ["LessThanOrEqualToThreshold", "atMost"],
    ] as const)(
      "tells the values of an alarm with %s, oldest first, empty periods left out [B6]",
      async (comparisonOperator, badWhen) => {
        const { alarms, makeAlarmOn, put, freshName, minuteBorder } = await makeAlarms();
        const alarmName = freshName();
        const metric = { metricName: "Errors", service: alarmName };
        await makeAlarmOn(alarmName, { comparisonOperator, threshold: 2.5, metrics: { errors: metric } });
        const end = minuteBorder();
        await put(metric, end - minute, 7);
        await put(metric, end - 4 * minute, 1);
        await put(metric, end - 4 * minute + 20_000, 2);
        await put(metric, end - 5 * minute, 100);
        const range = { from: end - 4 * minute + 59_999, to: end + 30_000 };
        expect(await alarms.values([alarmName], range)).toEqual([
          {
            alarmName,
            threshold: 2.5,
            badWhen,
            points: [
              { at: end - 4 * minute, value: 3 },
              { at: end - minute, value: 7 },
            ],
          },
        ] satisfies AlarmValues[]);
      },
    );

    it("leaves composites and missing alarms out of the values, and keeps alarms apart [B6]", async () => {
      const { alarms, makeAlarm, makeAlarmOn, put, freshName, minuteBorder } = await makeAlarms();
      const [composite, first, second] = [freshName(), freshName(), freshName()];
      await makeAlarm(composite, "composite", true);
      const end = minuteBorder();
      for (const [alarmName, value] of [
        [first, 1],
        [second, 2],
      ] as const) {
        const metric = { metricName: "Errors", service: alarmName };
        const comparisonOperator = "GreaterThanThreshold";
        await makeAlarmOn(alarmName, { comparisonOperator, threshold: value, metrics: { errors: metric } });
        await put(metric, end - minute, 10 * value);
      }
      const range = { from: end - 2 * minute, to: end };
      const told = await alarms.values([composite, second, freshName(), first, second], range);
      expect([...told].sort((left, right) => left.threshold - right.threshold)).toEqual([
        { alarmName: first, threshold: 1, badWhen: "above", points: [{ at: end - minute, value: 10 }] },
        { alarmName: second, threshold: 2, badWhen: "above", points: [{ at: end - minute, value: 20 }] },
      ]);
      expect(await alarms.values([], range)).toEqual([]);
      expect(await alarms.values([composite], range)).toEqual([]);
    });

    it.skipIf(!proven.metricMath)(
      `tells what metric math came to, not its parts [B6]${proven.metricMath ? "" : " (skipped: this back end computes no metric math; unit tests have the queries)"}`,
      async () => {
        const { alarms, makeAlarmOn, put, freshName, minuteBorder } = await makeAlarms();
        const alarmName = freshName();
        const errors = { metricName: "Errors", service: alarmName };
        const requests = { metricName: "Requests", service: alarmName };
        await makeAlarmOn(alarmName, {
          comparisonOperator: "GreaterThanThreshold",
          threshold: 2,
          metrics: { errors, requests },
          expression: "IF(requests >= 100, 100 * FILL(errors, 0) / requests, 0)",
        });
        const end = minuteBorder();
        await put(requests, end - 3 * minute, 200);
        await put(errors, end - 3 * minute, 8);
        await put(requests, end - 2 * minute, 99);
        await put(errors, end - 2 * minute, 99);
        await put(requests, end - minute, 100);
        expect(await alarms.values([alarmName], { from: end - 3 * minute, to: end })).toEqual([
          {
            alarmName,
            threshold: 2,
            badWhen: "above",
            points: [
              { at: end - 3 * minute, value: 4 },
              { at: end - 2 * minute, value: 0 },
              { at: end - minute, value: 0 },
            ],
          },
        ]);
      },
    );

    it("refuses a range of values that ends before it begins [B6]", async () => {
      const { alarms, makeAlarm, freshName, minuteBorder } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", true);
      const end = minuteBorder();
      await expect(alarms.values([alarmName], { from: end, to: end - minute })).rejects.toThrow(/range/);
    });

    it("sets a state by hand, and refuses an alarm that is not there [D4]", async () => {
      const { alarms, makeAlarm, freshName } = await makeAlarms();
      const alarmName = freshName();
      await makeAlarm(alarmName, "metric", true);
      for (const state of ["ALARM", "OK"] as const) {
        await alarms.setState(alarmName, state, "a drill");
        expect((await alarms.describe([alarmName])).map((alarm) => alarm.state)).toEqual([state]);
      }
      const missing = freshName();
      await expect(alarms.setState(missing, "ALARM", "a drill")).rejects.toThrow(missing);
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
