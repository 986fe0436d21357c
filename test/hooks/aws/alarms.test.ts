import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { cloudWatchAlarms } from "../../../hooks/aws/alarms.ts";

function scene() {
  const client = new CloudWatchClient({ region: "eu-west-1" });
  return { mock: mockClient(client), alarms: cloudWatchAlarms(client) };
}

const at = Date.UTC(2026, 0, 5, 10);
const anAlarm = (AlarmName: string) => ({
  AlarmName,
  StateValue: "ALARM" as const,
  StateTransitionedTimestamp: new Date(at),
  StateUpdatedTimestamp: new Date(at + 60_000),
  ActionsEnabled: true,
});
const told = (alarmName: string) => ({ alarmName, state: "ALARM", updatedAt: at, actionsEnabled: true });

describe("alarm states from CloudWatch", () => {
  it("asks for metric and composite alarms, 100 names a call, each name once", async () => {
    const { mock, alarms } = scene();
    mock.on(DescribeAlarmsCommand).resolves({});
    const names = Array.from({ length: 205 }, (_, index) => `alarm-${index}`);
    await alarms.describe([...names, "alarm-0"]);
    const inputs = mock.commandCalls(DescribeAlarmsCommand).map((call) => call.args[0].input);
    expect(inputs.map((input) => input.AlarmNames?.length)).toEqual([100, 100, 5]);
    for (const input of inputs) {
      expect(input).toMatchObject({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"], MaxRecords: 100 });
    }
  });

  it("calls nothing for no name: to AWS that would mean every alarm", async () => {
    const { mock, alarms } = scene();
    expect(await alarms.describe([])).toEqual([]);
    expect(mock.calls()).toHaveLength(0);
  });

  it("follows every page", async () => {
    const { mock, alarms } = scene();
    mock
      .on(DescribeAlarmsCommand)
      .resolvesOnce({ MetricAlarms: [anAlarm("a")], NextToken: "more" })
      .resolvesOnce({ CompositeAlarms: [anAlarm("b")] });
    expect(await alarms.describe(["a", "b"])).toEqual([told("a"), told("b")]);
  });

  it("tells when the state changed, not when it was last confirmed", async () => {
    const { mock, alarms } = scene();
    const { StateTransitionedTimestamp: _, ...old } = anAlarm("old");
    mock.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [anAlarm("new"), old] });
    expect((await alarms.describe(["new", "old"])).map((alarm) => alarm.updatedAt)).toEqual([at, at + 60_000]);
  });

  it.each([
    ["no state", { StateValue: undefined }],
    ["a state unknown here", { StateValue: "MUTED" as "OK" }],
    ["no time", { StateTransitionedTimestamp: undefined, StateUpdatedTimestamp: undefined }],
    ["no word on actions", { ActionsEnabled: undefined }],
  ])("refuses an alarm with %s", async (_what, half) => {
    const { mock, alarms } = scene();
    mock.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [{ ...anAlarm("a"), ...half }] });
    await expect(alarms.describe(["a"])).rejects.toThrow(/^alarm a: DescribeAlarms answered half, got state /);
  });

  it("throws throttling: it never looks like missing alarms", async () => {
    const { mock, alarms } = scene();
    mock.on(DescribeAlarmsCommand).rejects(Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" }));
    await expect(alarms.describe(["a"])).rejects.toThrow(
      "alarms a: reading their states failed, got ThrottlingException: Rate exceeded",
    );
  });
});
