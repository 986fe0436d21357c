import { describe, expect, it } from "vitest";
import { EventBus } from "../../../rehearsal/cloud/event-bus.ts";
import { LoadBalancers } from "../../../rehearsal/cloud/load-balancer.ts";
import { Notifications } from "../../../rehearsal/cloud/notifications.ts";
import { localProvider, withoutBehaviour } from "../../../rehearsal/cloud/provider.ts";
import { RecordTable } from "../../../rehearsal/cloud/record-table.ts";
import { CloudWatch } from "../../../rehearsal/cloudwatch/cloudwatch.ts";
import type { CapturedResource } from "../../../rehearsal/engine/capture.ts";
import type { PlainInputs } from "../../../rehearsal/engine/plain-inputs.ts";
import { RandomStream } from "../../../rehearsal/traffic/random.ts";

function aProvider() {
  return localProvider({
    balancers: new LoadBalancers({ now: () => 0, propagationSeconds: () => 0, onWrite: () => {} }),
    cloudWatch: new CloudWatch(),
    bus: new EventBus(new RandomStream(1)),
    table: new RecordTable(),
    notifications: new Notifications(),
    hostsPerGroup: 1,
    hostsReadyAfterSeconds: 0,
    now: () => 0,
    invoke: async () => {},
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
      aResource("aws:s3/bucket:Bucket", {}),
      "aws:s3/bucket:Bucket it: a resource type that the local cloud does not model",
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
        protocol: "https",
        endpoint: "https://x",
      }),
      'aws:sns/topicSubscription:TopicSubscription it: the protocol "https"; expected email',
    ],
    [
      "a permission for another service",
      aResource("aws:lambda/permission:Permission", {
        action: "lambda:InvokeFunction",
        principal: "sns.amazonaws.com",
        function: "hook",
      }),
      'aws:lambda/permission:Permission it: "lambda:InvokeFunction" for "sns.amazonaws.com" is not modelled; expected lambda:InvokeFunction for events.amazonaws.com',
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
