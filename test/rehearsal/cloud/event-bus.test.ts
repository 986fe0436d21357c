import { describe, expect, it } from "vitest";
import { cloud } from "../../../rehearsal/cloud/constants.ts";
import { EventBus } from "../../../rehearsal/cloud/event-bus.ts";
import { RandomStream } from "../../../rehearsal/traffic/random.ts";

const pattern = JSON.stringify({ source: ["aws.cloudwatch"], detail: { alarmName: [{ prefix: "tidegate/dev/" }] } });
const alias = "arn:aws:lambda:eu-west-1:123456789012:function:hook:live";

function wiredBus(): EventBus {
  const bus = new EventBus(new RandomStream(1));
  bus.putFunction("hook");
  bus.putAlias(alias, "hook", "live");
  bus.putRule("alarms", "arn:rule/alarms", pattern, undefined);
  bus.putPermission("alarms", { functionName: "hook", qualifier: "live", sourceArn: "arn:rule/alarms" });
  bus.putTarget("alarms-hook", "alarms", alias);
  return bus;
}

const alarmOf = (alarmName: string) => ({ source: "aws.cloudwatch", "detail-type": "any", detail: { alarmName } });

describe("the event bus", () => {
  it("delivers what a pattern matches, a little later [D1]", () => {
    const bus = wiredBus();
    bus.publish(alarmOf("tidegate/dev/checkout/x"), 1_000);
    expect(bus.nextDueAt()).toBe(1_000 + cloud.eventDeliverySeconds * 1_000);
    expect(bus.take()).toMatchObject({ attempt: 1, event: alarmOf("tidegate/dev/checkout/x") });
  });

  it.each([
    ["a name outside the prefix", alarmOf("tidegate-dev-hook-errors")],
    ["another source", { ...alarmOf("tidegate/dev/checkout/x"), source: "aws.ec2" }],
    ["an event without the field", { ...alarmOf("x"), detail: {} }],
  ])("does not deliver %s [D1]", (_what, event) => {
    const bus = wiredBus();
    bus.publish(event, 1_000);
    expect(bus.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ["its target", (bus: EventBus) => bus.deleteTarget("alarms-hook")],
    ["its permission", (bus: EventBus) => bus.deletePermission("alarms", "hook")],
    ["the alias", (bus: EventBus) => bus.deleteAlias(alias)],
    ["the function", (bus: EventBus) => bus.deleteFunction("hook")],
    ["the rule", (bus: EventBus) => bus.deleteRule("alarms")],
  ])("wakes nobody without %s [D1]", (_what, takeAway) => {
    const bus = wiredBus();
    takeAway(bus);
    bus.publish(alarmOf("tidegate/dev/checkout/x"), 1_000);
    expect(bus.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it("delivers some events twice, as often as its constant says [D1]", () => {
    const bus = wiredBus();
    for (let count = 0; count < 2_000; count += 1) bus.publish(alarmOf("tidegate/dev/checkout/x"), count);
    let taken = 0;
    while (bus.take()) taken += 1;
    expect(taken).toBeGreaterThan(2_000 * (1 + cloud.duplicateFraction * 0.7));
    expect(taken).toBeLessThan(2_000 * (1 + cloud.duplicateFraction * 1.3));
  });

  it("speaks every minute only where the schedule reaches a function [D1]", () => {
    const bus = wiredBus();
    expect(bus.schedules()).toEqual([]);
    bus.putRule("clock", "arn:rule/clock", undefined, "rate(1 minute)");
    bus.putTarget("clock-hook", "clock", alias);
    expect(bus.schedules()).toEqual([]);
    bus.putPermission("clock", { functionName: "hook", qualifier: "live", sourceArn: "arn:rule/clock" });
    const [schedule] = bus.schedules();
    expect(schedule).toMatchObject({
      id: "clock-hook",
      functionName: "hook",
      event: { source: "aws.events", "detail-type": "Scheduled Event" },
    });
    expect(schedule?.after(120_000, 7_000)).toBe(127_000);
    expect(schedule?.after(127_000, 7_000)).toBe(187_000);
  });

  it("wakes a second function by its own ARN, at a time of the week, with the input of its target [D4]", () => {
    const bus = wiredBus();
    bus.putFunction("watchman");
    bus.putRule("weekly", "arn:rule/weekly", undefined, "cron(0 9 ? * TUE *)");
    bus.putTarget("weekly", "weekly", "arn:aws:lambda:eu-west-1:123456789012:function:watchman", '{"kind":"x"}');
    bus.putPermission("weekly", { functionName: "watchman", sourceArn: "arn:rule/weekly" });
    const [schedule] = bus.schedules();
    expect(schedule).toMatchObject({ functionName: "watchman", event: { kind: "x" } });
    const monday = Date.UTC(2026, 0, 5, 12);
    const tuesday = Date.UTC(2026, 0, 6, 9);
    expect(schedule?.after(monday, 7_000)).toBe(tuesday);
    expect(schedule?.after(tuesday, 7_000)).toBe(Date.UTC(2026, 0, 13, 9));
  });

  it("speaks at whole parts of an hour, whatever second it was made at [D6]", () => {
    const bus = wiredBus();
    bus.putRule("clock", "arn:rule/clock", undefined, "cron(0/15 * * * ? *)");
    bus.putTarget("clock-hook", "clock", alias);
    bus.putPermission("clock", { functionName: "hook", qualifier: "live", sourceArn: "arn:rule/clock" });
    const [schedule] = bus.schedules();
    expect(schedule?.after(0, 7_000)).toBe(900_000);
    expect(schedule?.after(900_000, 7_000)).toBe(1_800_000);
    expect(() => bus.putRule("odd", "arn", undefined, "cron(0/7 * * * ? *)")).toThrow("cron(0/7 * * * ? *)");
  });

  it("refuses by name schedules and filters that are not modelled [E3]", () => {
    const bus = wiredBus();
    expect(() => bus.putRule("clock", "arn", undefined, "cron(0 9 1 * ? *)")).toThrow(
      'event rule clock: the schedule "cron(0 9 1 * ? *)"; expected rate(N minutes|hours|days), a time of the week like cron(0 9 ? * TUE *) or a part of the hour like cron(0/15 * * * ? *)',
    );
    const suffix = JSON.stringify({ detail: { alarmName: [{ suffix: "critical" }] } });
    expect(() => bus.putRule("alarms", "arn", suffix, undefined)).toThrow(
      'event rule alarms.detail.alarmName: the filter {"suffix":"critical"}; expected a text or { prefix }',
    );
  });
});
