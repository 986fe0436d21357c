import { describe, expect, it } from "vitest";
import { hookIsNotSilenced } from "../../../policies/rollout/hook-is-not-silenced.ts";
import { hookIsWired } from "../../../policies/rollout/hook-is-wired.ts";
import { openingCallsTheHook } from "../../../policies/rollout/opening-calls-the-hook.ts";
import { somebodyIsTold } from "../../../policies/rollout/somebody-is-told.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import { changed, foundation, service, without } from "./a-foundation.ts";

describe("rollout-hook-is-wired", () => {
  const whole = [...foundation, ...service];
  const judge = (resources: readonly GivenResource[]): Promise<string[]> => violationsOf(hookIsWired, resources);

  it("lets the whole foundation through while no ARN is known, and with known ones [E1]", async () => {
    expect(await judge(whole)).toEqual([]);
    const applied = changed(changed(whole, "hook-live", { arn: "arn:live" }), "opening", { qualifier: "live" });
    const targets = ["hook-alarms", "hook-clock", "hook-drill"].reduce(
      (all, name) =>
        changed(changed(all, name, { name }), `${name}-target`, { rule: name, arn: "arn:live" }, { from: {} }),
      applied,
    );
    expect(await judge(targets)).toEqual([]);
  });

  it("lets stacks without any of ours, and a service stack beside a foundation, through [E1]", async () => {
    expect(await judge([])).toEqual([]);
    expect(await judge(changed(without(service, "hook-live"), "opening", { qualifier: "live" }))).toEqual([]);
  });

  it.each([
    ["a function", ["hook-function"], ["hook: has no function, got none; expected a Lambda function. Put it back"]],
    [
      "the alias acknowledge",
      ["hook-acknowledge"],
      ["hook: has no alias acknowledge, got none; expected an alias acknowledge on a published version. Put it back"],
    ],
    [
      "the event rule",
      ["hook-alarms", "hook-alarms-target", "hook-alarms-permission"],
      ["hook: is not woken by state changes of its alarms, got none; expected an EventBridge rule for it. Put it back"],
    ],
    [
      "the clock",
      ["hook-clock", "hook-clock-target", "hook-clock-permission"],
      ["hook: is not woken by a clock of one minute, got none; expected an EventBridge rule for it. Put it back"],
    ],
    [
      "the drill",
      ["hook-drill", "hook-drill-target", "hook-drill-permission"],
      ["hook: is not woken by the weekly drill, got none; expected an EventBridge rule for it. Put it back"],
    ],
    [
      "a rule's target",
      ["hook-alarms-target"],
      [
        "hook: is not woken by state changes of its alarms, got none; expected a target from hook-alarms to the alias live. Put it back",
      ],
    ],
    [
      "a rule's permission",
      ["hook-clock-permission"],
      ["hook: may not be woken by a clock of one minute, got none; expected a permission for hook-clock. Put it back"],
    ],
    [
      "the alarm on its heartbeat",
      ["hook-ReconcileFinished"],
      [
        "hook: nobody is told that its heartbeat stopped, got none; expected an alarm with actions on ReconcileFinished. Put it back",
      ],
    ],
    [
      "the watchman",
      ["watchman", "watchman-function", "watchman-clock", "watchman-clock-target", "watchman-clock-permission"],
      ["hook: nobody looks whether the hook acts, got none; expected a Watchman beside the RollbackHook. Put it back"],
    ],
    [
      "the watchman's clock",
      ["watchman-clock"],
      [
        "watchman: does not look every minute, got none; expected a clock of one minute with a target to its function. Put it back",
      ],
    ],
    [
      "an opening",
      ["commit", "opening"],
      ["checkout: commits no opening, got none; expected a WaveOpening that invokes the hook. Put it back"],
    ],
  ])("refuses a foundation without %s [E1]", async (_what, names, texts) => {
    expect(await judge(without(whole, ...names))).toEqual(texts);
  });

  it("refuses a record without a hook [E1]", async () => {
    const [table] = foundation;
    expect(await judge(table ? [table] : [])).toEqual([
      "table: a record and no hook that writes it, got none; expected a RollbackHook beside the RolloutTable. Put it back",
      "table: nobody looks whether the hook acts, got none; expected a Watchman beside the RollbackHook. Put it back",
    ]);
  });

  it.each([
    [
      "an alarm that tells nobody",
      "hook-Errors",
      { alarmActions: [] },
      "hook: nobody is told that it fails, got none; expected an alarm with actions on Errors. Put it back",
    ],
    [
      "a target without dead letters",
      "hook-alarms-target",
      { deadLetterConfig: undefined },
      "hook: loses state changes of its alarms that could not be handed on, got none; expected deadLetterConfig on hook-alarms-target. Put it back",
    ],
    [
      "a function without dead letters",
      "hook-function",
      { deadLetterConfig: undefined },
      "hook: what it gives up on is lost, got none; expected deadLetterConfig on its function. Put it back",
    ],
    [
      "an alias on untested code",
      "hook-live",
      { functionVersion: "$LATEST" },
      "hook: the alias live leads to untested code ($LATEST), got none; expected a published version. Put it back",
    ],
    [
      "a rule for another environment's alarms",
      "hook-alarms",
      { eventPattern: '{"detail":{"alarmName":[{"prefix":"tidegate/prod/"}]}}' },
      "hook: is not woken by state changes of its alarms, got none; expected an EventBridge rule for it. Put it back",
    ],
  ])("refuses %s [E1]", async (_what, name, props, text) => {
    expect(await judge(changed(whole, name, props))).toEqual([text]);
  });

  it("refuses a target that wakes something else, and an opening that comes from something else [E1]", async () => {
    const elsewhere = changed(
      whole,
      "hook-clock-target",
      {},
      { from: { rule: ["hook-clock"], arn: ["hook-acknowledge"] } },
    );
    expect(await judge(elsewhere)).toEqual([
      "hook: is not woken by a clock of one minute, got none; expected a target from hook-clock to the alias live. Put it back",
    ]);
    expect(await judge(changed(whole, "opening", {}, { from: { qualifier: ["hook-acknowledge"] } }))).toEqual([
      "checkout: opening calls something else than the hook, got none; expected the alias live as its qualifier. Put it back",
    ]);
  });
});

describe("rollout-opening-calls-the-hook", () => {
  const opening = (props: object, parent = "urn:pulumi:dev::tidegate::tidegate:rollout:WaveOpening::checkout") => ({
    type: "aws:lambda/invocation:Invocation",
    name: "checkout-opening",
    props: { functionName: "tidegate-dev-hook", qualifier: "live", lifecycleScope: "CRUD", ...props },
    opts: { parent },
  });

  it("refuses another function, of another environment too where that is known [E1]", async () => {
    const text = (got: string, hook = "tidegate-<environment>-hook") => [
      `checkout-opening: calls another function than the hook, got functionName ${got}; expected ${hook}. Give it RollbackHook's functionName`,
    ];
    const judge = (props: object) => violationsOf(openingCallsTheHook, [opening(props)]);
    expect(await judge({ functionName: "yes-man" })).toEqual(text('"yes-man"'));
    expect(await judge({ functionName: undefined })).toEqual(text("nothing"));
    expect(await judge({ functionName: "tidegate-hook" })).toEqual(text('"tidegate-hook"'));
    const input = JSON.stringify({ environment: "prod" });
    expect(await judge({ input })).toEqual(text('"tidegate-dev-hook"', "tidegate-prod-hook"));
    expect(await judge({ input, functionName: "tidegate-prod-hook" })).toEqual([]);
    const arn = "arn:aws:lambda:eu-west-1:123456789012:function:";
    expect(await judge({ input, functionName: `${arn}tidegate-prod-hook` })).toEqual([]);
    expect(await judge({ functionName: `${arn}yes-man` })).toHaveLength(1);
    expect(await judge({ functionName: notKnownYet, input })).toEqual([]);
    expect(await judge({ input: notKnownYet })).toEqual([]);
  });

  it("lets the alias through, and one that is not known yet [E1]", async () => {
    expect(await violationsOf(openingCallsTheHook, [opening({})])).toEqual([]);
    expect(await violationsOf(openingCallsTheHook, [opening({ qualifier: notKnownYet })])).toEqual([]);
    expect(await violationsOf(openingCallsTheHook, [opening({ qualifier: "1" }, "urn:x::y::other:Thing::z")])).toEqual(
      [],
    );
  });

  it("refuses another alias, no alias, and a call that comes only once [E1]", async () => {
    const text = (got: string) =>
      `checkout-opening: does not call the hook that tested itself, got qualifier ${got}; expected live. Give it the alias's name`;
    expect(await violationsOf(openingCallsTheHook, [opening({ qualifier: "acknowledge" })])).toEqual([
      text('"acknowledge"'),
    ]);
    expect(await violationsOf(openingCallsTheHook, [opening({ qualifier: undefined })])).toEqual([text("nothing")]);
    expect(await violationsOf(openingCallsTheHook, [opening({ lifecycleScope: "CREATE_ONLY" })])).toEqual([
      'checkout-opening: tells the hook of the first opening alone, got lifecycleScope "CREATE_ONLY"; expected CRUD. Leave it as WaveOpening sets it',
    ]);
  });
});

describe("rollout-hook-is-not-silenced", () => {
  const tags = { "tidegate:environment": "dev" };
  const types = {
    rule: "aws:cloudwatch/eventRule:EventRule",
    schedule: "aws:scheduler/schedule:Schedule",
    metric: "aws:cloudwatch/metricAlarm:MetricAlarm",
    composite: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    function: "aws:lambda/function:Function",
    invoke: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  };
  const judge = (type: keyof typeof types, props: object): Promise<string[]> =>
    violationsOf(hookIsNotSilenced, [{ type: types[type], name: "it", props: { ...props } }]);

  it.each([
    ["rule", { tags, state: "ENABLED" }],
    ["rule", { tags, state: notKnownYet }],
    ["metric", { tags }],
    ["metric", { tags: notKnownYet, actionsEnabled: true }],
    ["function", { tags, reservedConcurrentExecutions: 1 }],
    ["function", { tags, reservedConcurrentExecutions: -1 }],
    ["invoke", { functionName: "tidegate-dev-hook", maximumEventAgeInSeconds: 60 }],
    ["rule", { name: "somebody-elses", state: "DISABLED" }],
    ["metric", { name: "somebody-elses", actionsEnabled: false }],
  ] as const)("lets a %s with %j through [E1]", async (type, props) => {
    expect(await judge(type, props)).toEqual([]);
  });

  const pause = "To hold a rollout use npx tidegate pause";
  it.each([
    ["rule", { tags, state: "DISABLED" }, `wakes nobody, got state DISABLED; expected a rule that is on. ${pause}`],
    [
      "rule",
      { name: "tidegate-dev-hook-clock", isEnabled: false },
      `wakes nobody, got state DISABLED; expected a rule that is on. ${pause}`,
    ],
    [
      "schedule",
      { name: "tidegate-dev-x", state: "DISABLED" },
      `wakes nobody, got state DISABLED; expected a schedule that is on. ${pause}`,
    ],
    [
      "metric",
      { name: "tidegate/dev/checkout/x", actionsEnabled: false },
      "tells nobody, got actionsEnabled false; expected an alarm with its actions on. Snooze the page where it is received",
    ],
    [
      "composite",
      { alarmName: "tidegate/dev/checkout/x", actionsEnabled: false, tags: notKnownYet },
      "tells nobody, got actionsEnabled false; expected an alarm with its actions on. Snooze the page where it is received",
    ],
    [
      "function",
      { tags, reservedConcurrentExecutions: 0 },
      "may not run, got reservedConcurrentExecutions 0; expected none, or at least 1. Take the reservation out",
    ],
    [
      "invoke",
      {
        functionName: "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-dev-hook",
        maximumEventAgeInSeconds: 30,
      },
      "gives up on events too soon, got maximumEventAgeInSeconds 30; expected at least 60. Lengthen it",
    ],
  ] as const)("refuses a %s with %j [E1]", async (type, props, text) => {
    expect(await judge(type, props)).toEqual([`it: ${text}`]);
  });
});

describe("rollout-somebody-is-told", () => {
  const topics: GivenResource[] = [
    { type: "tidegate:foundation:AlertTopics", name: "dev" },
    { type: "aws:sns/topic:Topic", name: "critical", parent: "dev", props: { name: "tidegate-dev-critical" } },
    { type: "aws:sns/topic:Topic", name: "warnings", parent: "dev", props: { name: "tidegate-dev-warnings" } },
  ];
  const subscribed = (topic: string): GivenResource => ({
    type: "aws:sns/topicSubscription:TopicSubscription",
    name: "subscription",
    props: { topic: notKnownYet, protocol: "email" },
    from: { topic: [topic] },
  });
  const chat: GivenResource = {
    type: "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    name: "slack",
    props: { snsTopicArns: [notKnownYet, notKnownYet] },
    from: { snsTopicArns: ["critical", "warnings"] },
  };
  const hookWith = (variables: object): GivenResource => ({
    type: "aws:lambda/function:Function",
    name: "hook",
    props: { environment: { variables } },
  });
  const acting: GivenResource = {
    type: "tidegate:rollout:ProgressiveService",
    name: "checkout",
    props: { mode: "act" },
  };
  const text = (way: string) =>
    `dev: nobody is told when a service is lowered, got no subscription of the topic that pages; expected an e-mail, PagerDuty ${way}. Add one to the stack's alerting`;

  it("is content with e-mail, chat, or a channel of the hook's own, known or not [E1]", async () => {
    for (const heard of [subscribed("critical"), chat, hookWith({ TIDEGATE_PAGERDUTY_SECRET: notKnownYet })]) {
      expect(await violationsOf(somebodyIsTold, [...topics, acting, heard])).toEqual([]);
    }
  });

  it("refuses topics with nobody behind the one that pages [E1]", async () => {
    expect(await violationsOf(somebodyIsTold, [...topics, acting])).toEqual([text("or Slack")]);
    expect(await violationsOf(somebodyIsTold, [...topics, acting, subscribed("warnings")])).toEqual([text("or Slack")]);
    expect(await violationsOf(somebodyIsTold, [...topics, acting, hookWith({ TIDEGATE_TABLE: "t" })])).toHaveLength(1);
  });

  it("holds a foundation without services to the same: those of other stacks act by it [E1]", async () => {
    expect(await violationsOf(somebodyIsTold, topics)).toEqual([text("or Slack")]);
  });

  it("needs nobody where every service says that it only observes [E1]", async () => {
    const observing = { ...acting, props: { mode: "observe" } };
    expect(await violationsOf(somebodyIsTold, [...topics, observing])).toEqual([]);
    const silent = { ...acting, name: "basket", props: {} };
    expect(await violationsOf(somebodyIsTold, [...topics, observing, silent])).toHaveLength(1);
  });

  it("asks for a channel beside the hook where the configuration does [E1]", async () => {
    const hook = hookWith({ TIDEGATE_SLACK_SECRET: "arn" });
    expect(await violationsOf(somebodyIsTold, [...topics, acting, hook], { alarmsToo: true })).toEqual([
      text("by escalationPolicyId or Slack by chatbot"),
    ]);
    expect(await violationsOf(somebodyIsTold, [...topics, acting, chat], { alarmsToo: true })).toEqual([]);
  });

  it("has nothing to say of a stack of services alone [E1]", async () => {
    expect(await violationsOf(somebodyIsTold, [acting])).toEqual([]);
  });
});
