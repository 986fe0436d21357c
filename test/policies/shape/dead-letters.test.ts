import { describe, expect, it } from "vitest";
import { deadLetters } from "../../../policies/shape/dead-letters.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import { anAlarm } from "./builders.ts";

const arn = "arn:aws:lambda:eu-west-1:123456789012:function:lowerer";

const aFunction = (props: Record<string, unknown> = {}): GivenResource => ({
  type: "aws:lambda/function:Function",
  name: "lowerer",
  props: { name: "lowerer", arn, ...props },
});
const alias: GivenResource = {
  type: "aws:lambda/alias:Alias",
  name: "live",
  props: { arn: notKnownYet },
  from: { functionName: ["lowerer"] },
};
const eventRule = (props: Record<string, unknown>): GivenResource => ({
  type: "aws:cloudwatch/eventRule:EventRule",
  name: "changes",
  props: { name: "changes", ...props },
});
const target = (more: Partial<GivenResource>): GivenResource => ({
  type: "aws:cloudwatch/eventTarget:EventTarget",
  name: "target",
  props: { rule: "changes", arn: notKnownYet },
  from: { arn: ["lowerer"] },
  ...more,
});
const onEvents = [eventRule({ eventPattern: "{}" }), target({})];
const invokeConfig = (props: Record<string, unknown>, more: Partial<GivenResource> = {}): GivenResource => ({
  type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  name: "on-failure",
  props: { functionName: notKnownYet, destinationConfig: { onFailure: { destination: notKnownYet } }, ...props },
  from: { functionName: ["lowerer"] },
  ...more,
});

const check = (resources: readonly GivenResource[], config = {}) => violationsOf(deadLetters, resources, config);

const text = (waker: string) =>
  `lowerer: ${waker} wakes the function, and what it fails on is lost, got no deadLetterConfig and no destination on failure; ` +
  "expected one of them. Set deadLetterConfig.targetArn to a queue that an alarm watches";

describe("dead-letters", () => {
  it("lets a function pass that leaves its failures in a queue or at a destination [E1]", async () => {
    expect(await check([aFunction({ deadLetterConfig: { targetArn: notKnownYet } }), ...onEvents])).toEqual([]);
    expect(await check([aFunction(), invokeConfig({}), ...onEvents])).toEqual([]);
    expect(await check([aFunction(), invokeConfig({ functionName: "lowerer" }, { from: {} }), ...onEvents])).toEqual(
      [],
    );
  });

  it("refuses one that events wake and that leaves nothing [E1]", async () => {
    expect(await check([aFunction(), ...onEvents])).toEqual([text("target")]);
    expect(await check([aFunction(), invokeConfig({ destinationConfig: { onSuccess: {} } }), ...onEvents])).toEqual([
      text("target"),
    ]);
    expect(await check([aFunction(), invokeConfig({ functionName: "other" }, { from: {} }), ...onEvents])).toEqual([
      text("target"),
    ]);
  });

  it("finds an alarm that wakes it directly, by alias or by ARN [E1]", async () => {
    const byAlias = {
      ...anAlarm("watch", "blue", "RequestCount", { alarmActions: [notKnownYet] }),
      from: { alarmActions: ["live"] },
    };
    expect(await check([aFunction(), alias, byAlias])).toEqual([text("watch")]);
    const byArn = anAlarm("watch", "blue", "RequestCount", { alarmActions: ["arn:aws:sns:x", `${arn}:live`] });
    expect(await check([aFunction(), byArn])).toEqual([text("watch")]);
    const another = anAlarm("watch", "blue", "RequestCount", { alarmActions: [`${arn}-too`] });
    expect(await check([aFunction(), another])).toEqual([]);
  });

  it("finds a topic that wakes it, and leaves other subscriptions alone [E1]", async () => {
    const subscription = (protocol: string): GivenResource => ({
      type: "aws:sns/topicSubscription:TopicSubscription",
      name: "subscription",
      props: { protocol, endpoint: notKnownYet },
      from: { endpoint: ["lowerer"] },
    });
    expect(await check([aFunction(), subscription("lambda")])).toEqual([text("subscription")]);
    expect(await check([aFunction(), subscription("https")])).toEqual([]);
  });

  it("lets a function off that only a frequent schedule wakes, and no rarer one [E1]", async () => {
    const scheduled = (scheduleExpression: string) => [aFunction(), eventRule({ scheduleExpression }), target({})];
    expect(await check(scheduled("rate(1 minute)"))).toEqual([]);
    expect(await check(scheduled("rate(5 minutes)"))).toEqual([]);
    expect(await check(scheduled("rate(6 minutes)"))).toHaveLength(1);
    expect(await check(scheduled("rate(1 day)"))).toHaveLength(1);
    expect(await check(scheduled("cron(* * * * ? *)"))).toHaveLength(1);
    expect(await check(scheduled("rate(1 minute)"), { letOffScheduleMinutes: 0 })).toHaveLength(1);
  });

  it("finds a schedule of EventBridge Scheduler, by ARN and by reference, unless it comes often [E1]", async () => {
    const schedule = (targetArn: string, scheduleExpression: unknown): GivenResource => ({
      type: "aws:scheduler/schedule:Schedule",
      name: "nightly",
      props: { scheduleExpression, target: { arn: targetArn, roleArn: notKnownYet } },
    });
    expect(await check([aFunction(), schedule(arn, "rate(1 day)")])).toEqual([text("nightly")]);
    expect(await check([aFunction(), schedule(`${arn}:live`, "cron(0 3 * * ? *)")])).toEqual([text("nightly")]);
    expect(await check([aFunction(), schedule(arn, notKnownYet)])).toHaveLength(1);
    expect(await check([aFunction(), schedule(`${arn}-too`, "rate(1 day)")])).toEqual([]);
    expect(await check([aFunction(), schedule(arn, "rate(5 minutes)")])).toEqual([]);
    const fresh = { ...schedule(notKnownYet, "rate(1 day)"), from: { target: ["live"] } };
    expect(await check([aFunction(), alias, fresh])).toEqual([text("nightly")]);
    expect(await check([aFunction({ deadLetterConfig: { targetArn: notKnownYet } }), alias, fresh])).toEqual([]);
  });

  it("takes empty text for nothing, as the engine shows it after an up [E1]", async () => {
    const clock = eventRule({ scheduleExpression: "rate(1 minute)", eventPattern: "" });
    expect(await check([aFunction(), clock, target({})])).toEqual([]);
    expect(await check([aFunction({ deadLetterConfig: { targetArn: "" } }), ...onEvents])).toHaveLength(1);
    const nowhere = invokeConfig({ destinationConfig: { onFailure: { destination: "" } } });
    expect(await check([aFunction(), nowhere, ...onEvents])).toHaveLength(1);
  });

  it("finds the schedule by reference where its name is not known yet [E1]", async () => {
    const rule = eventRule({ name: notKnownYet, scheduleExpression: "rate(1 minute)" });
    const fresh = target({
      props: { rule: notKnownYet, arn: notKnownYet },
      from: { rule: ["changes"], arn: ["lowerer"] },
    });
    expect(await check([aFunction(), rule, fresh])).toEqual([]);
    expect(await check([aFunction(), rule, { ...fresh, from: { arn: ["lowerer"] } }])).toHaveLength(1);
  });

  it("does not let off a schedule that is not known yet [E1]", async () => {
    expect(await check([aFunction(), eventRule({ scheduleExpression: notKnownYet }), target({})])).toHaveLength(1);
  });

  it("leaves a function alone that nothing wakes [E1]", async () => {
    expect(await check([aFunction()])).toEqual([]);
  });
});
