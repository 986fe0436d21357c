import { describe, expect, it } from "vitest";
import { EventBus } from "../../../rehearsal/cloud/event-bus.ts";
import { FlagDocuments } from "../../../rehearsal/cloud/flags.ts";
import { withoutBehaviour } from "../../../rehearsal/cloud/known-types.ts";
import { LoadBalancers } from "../../../rehearsal/cloud/load-balancer.ts";
import { Notifications } from "../../../rehearsal/cloud/notifications.ts";
import { localProvider, type ProviderParts } from "../../../rehearsal/cloud/provider.ts";
import { RecordTable } from "../../../rehearsal/cloud/record-table.ts";
import { CloudWatch } from "../../../rehearsal/cloudwatch/cloudwatch.ts";
import type { CapturedResource } from "../../../rehearsal/engine/capture.ts";
import type { PlainInputs } from "../../../rehearsal/engine/plain-inputs.ts";
import { RandomStream } from "../../../rehearsal/traffic/random.ts";

function aProvider(changes: Partial<ProviderParts> = {}) {
  return localProvider({
    balancers: new LoadBalancers({ now: () => 0, propagationSeconds: () => 0, onWrite: () => {} }),
    cloudWatch: new CloudWatch(),
    bus: new EventBus(new RandomStream(1)),
    table: new RecordTable(),
    flags: new FlagDocuments(() => {}),
    notifications: new Notifications(),
    hostsPerGroup: 1,
    hostsReadyAfterSeconds: 0,
    now: () => 0,
    invoke: async () => {},
    ...changes,
  });
}

function aResource(type: string, inputs: PlainInputs): CapturedResource {
  return {
    key: `${type} it`,
    type,
    name: "it",
    custom: true,
    parent: undefined,
    dependencies: [],
    ignoreChanges: [],
    protect: false,
    retainOnDelete: false,
    hooks: [],
    inputs,
    id: "it",
    outputs: {},
  };
}

const anAlarm = {
  name: "it",
  comparisonOperator: "GreaterThanThreshold",
  evaluationPeriods: 1,
  threshold: 1,
  period: 60,
  statistic: "Sum",
};

describe("the local provider refuses by name [E3]", () => {
  it.each([
    [
      "a type that it does not model",
      aResource("aws:s3/bucketPolicy:BucketPolicy", {}),
      "aws:s3/bucketPolicy:BucketPolicy it: a resource type that the local cloud does not model",
    ],
    [
      "a property that it does not know",
      aResource("aws:lb/targetGroup:TargetGroup", { loadBalancingAlgorithmType: "least_outstanding_requests" }),
      "aws:lb/targetGroup:TargetGroup it: the properties loadBalancingAlgorithmType are not modelled",
    ],
    [
      "stickiness of a target group's own",
      aResource("aws:lb/targetGroup:TargetGroup", { stickiness: { type: "lb_cookie", enabled: true } }),
      "aws:lb/targetGroup:TargetGroup it: stickiness of a target group's own is not modelled",
    ],
    [
      "an alarm on a metric that nobody publishes",
      aResource("aws:cloudwatch/metricAlarm:MetricAlarm", {
        ...anAlarm,
        namespace: "AWS/ApplicationELB",
        metricName: "ActiveConnectionCount",
      }),
      "aws:cloudwatch/metricAlarm:MetricAlarm it: the metric AWS/ApplicationELB ActiveConnectionCount, which nothing here publishes",
    ],
    [
      "a subscription by another protocol",
      aResource("aws:sns/topicSubscription:TopicSubscription", {
        topic: "arn",
        protocol: "sms",
        endpoint: "+44",
      }),
      'aws:sns/topicSubscription:TopicSubscription it: the protocol "sms"; expected email, https or lambda',
    ],
    [
      "a subscription that takes some messages only",
      aResource("aws:sns/topicSubscription:TopicSubscription", {
        topic: "arn",
        protocol: "email",
        endpoint: "sre@example.com",
        filterPolicy: '{"severity":["critical"]}',
      }),
      'aws:sns/topicSubscription:TopicSubscription it: the filter {"severity":["critical"]} is not modelled; expected {"<attribute>":[{"exists":false}]}',
    ],
    [
      "a permission for another service",
      aResource("aws:lambda/permission:Permission", {
        action: "lambda:InvokeFunction",
        principal: "s3.amazonaws.com",
        function: "hook",
      }),
      'aws:lambda/permission:Permission it: "lambda:InvokeFunction" for "s3.amazonaws.com" is not modelled; expected lambda:InvokeFunction for events.amazonaws.com or sns.amazonaws.com',
    ],
    [
      "an alarm on a metric of the hook's that it does not write",
      aResource("aws:cloudwatch/metricAlarm:MetricAlarm", {
        ...anAlarm,
        namespace: "Tidegate/Hook",
        metricName: "ReconcileFinnished",
      }),
      "aws:cloudwatch/metricAlarm:MetricAlarm it: the metric Tidegate/Hook ReconcileFinnished, which nothing here publishes",
    ],
    [
      "a Slack channel for two topics",
      aResource("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration", {
        slackChannelId: "C0",
        snsTopicArns: ["one", "two"],
      }),
      "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration it: snsTopicArns: expected one topic a channel",
    ],
    [
      "an invocation that lives in no known way",
      aResource("aws:lambda/invocation:Invocation", {
        functionName: "hook",
        qualifier: "live",
        lifecycleScope: "CREATE_ONLY",
        input: "{}",
      }),
      "aws:lambda/invocation:Invocation it: function hook:live not found",
    ],
    [
      "an invocation of a function that is not there",
      aResource("aws:lambda/invocation:Invocation", {
        functionName: "hook",
        qualifier: "live",
        lifecycleScope: "CRUD",
        input: "{}",
      }),
      "aws:lambda/invocation:Invocation it: function hook:live not found",
    ],
  ])("%s", async (_what, resource, message) => {
    await expect(aProvider().create(resource)).rejects.toThrow(message);
  });

  it("and gives a reason for every type that changes nothing", async () => {
    for (const [type, reason] of Object.entries(withoutBehaviour)) {
      expect(reason).not.toBe("");
      await expect(aProvider().create(aResource(type, {}))).resolves.toBeUndefined();
    }
  });
});

describe("the local provider", () => {
  const invocation = (inputs: PlainInputs) =>
    aResource("aws:lambda/invocation:Invocation", { functionName: "hook", input: "{}", ...inputs });
  const hook = aResource("aws:lambda/function:Function", { name: "hook" });

  it("lets a version test itself when it is made, and asks nothing when it goes [B4]", async () => {
    const asked: string[] = [];
    const provider = aProvider({
      invoke: async (input, action) => {
        asked.push(`${action} ${input}`);
      },
    });
    await provider.create(hook);
    const selfTest = invocation({ qualifier: "1", triggers: { version: "1" } });
    await provider.create(selfTest);
    await provider.delete(selfTest);
    expect(asked).toEqual(["create {}"]);
    const odd = invocation({ qualifier: "1", lifecycleScope: "CREATE_ONLY" });
    await expect(provider.create(odd)).rejects.toThrow(
      'aws:lambda/invocation:Invocation it: lifecycleScope "CREATE_ONLY"; expected CRUD, or none with triggers',
    );
  });

  it("fails where the hook fails its self-test, so that no alias moves [B4]", async () => {
    const provider = aProvider({
      invoke: async () => {
        throw new Error("self-test: records: table not found");
      },
    });
    await provider.create(hook);
    await expect(provider.create(invocation({ qualifier: "1", triggers: { version: "1" } }))).rejects.toThrow(
      "self-test: records: table not found",
    );
  });

  it("tells who reads a topic, and of a URL no more than its host [D4]", async () => {
    const notifications = new Notifications();
    const provider = aProvider({ notifications });
    const subscription = (id: string, protocol: string, endpoint: string) => ({
      ...aResource("aws:sns/topicSubscription:TopicSubscription", { topic: "it", protocol, endpoint }),
      id,
    });
    await provider.create(aResource("aws:sns/topic:Topic", { name: "pages" }));
    await provider.create(subscription("mail", "email", "oncall@example.com"));
    await provider.create(subscription("web", "https", "https://events.pagerduty.com/integration/s3cret/enqueue"));
    await provider.create({
      ...aResource("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration", {
        slackChannelId: "C0CRITICAL",
        snsTopicArns: ["it"],
      }),
      id: "slack",
    });
    expect(notifications.recipients("it")).toEqual([
      "Slack channel C0CRITICAL",
      "events.pagerduty.com",
      "oncall@example.com",
    ]);
    await provider.delete(subscription("web", "https", ""));
    expect(notifications.recipients("it")).toEqual(["Slack channel C0CRITICAL", "oncall@example.com"]);
  });

  it("takes the drill's alarm, though nobody publishes its metric [D4]", async () => {
    const cloudWatch = new CloudWatch();
    await aProvider({ cloudWatch }).create(
      aResource("aws:cloudwatch/metricAlarm:MetricAlarm", {
        ...anAlarm,
        namespace: "Tidegate/Hook",
        metricName: "DrillNeverEmitted",
      }),
    );
    expect(cloudWatch.alarmNames()).toEqual(["it"]);
  });
});
