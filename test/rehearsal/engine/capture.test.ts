import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Declaration } from "../../../core/declaration.ts";
import { declare } from "../../../core/declare.ts";
import { releaseKey, targetGroupLogicalName } from "../../../core/naming.ts";
import { type Capture, capture, dependenciesFirst } from "../../../rehearsal/engine/capture.ts";
import { captureEnvironment } from "../../../rehearsal/engine/environment-capture.ts";
import { type EnvironmentConfig, intentOf } from "../../../stacks/config.ts";
import { stackConfig } from "../cloud/scene.ts";

const options = { organization: "rehearsal", project: "tidegate", stack: "test", region: "eu-west-1" };

function firstDeclarations(config: EnvironmentConfig): Declaration[] {
  return config.services.map((service) => declare(intentOf(config, service), { kind: "first" }, 0));
}

function countsOf({ resources }: Capture): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of resources) counts[type] = (counts[type] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1)));
}

const foundation = {
  // Alarms, clock and drill wake the hook, a clock the watchman.
  "aws:cloudwatch/eventRule:EventRule": 4,
  "aws:cloudwatch/eventTarget:EventTarget": 4,
  "aws:cloudwatch/logGroup:LogGroup": 2,
  "aws:dynamodb/table:Table": 1,
  "aws:iam/role:Role": 2,
  "aws:iam/rolePolicy:RolePolicy": 2,
  "aws:kms/key:Key": 1,
  "aws:lambda/alias:Alias": 2,
  "aws:lambda/function:Function": 2,
  "aws:lambda/permission:Permission": 5,
  "aws:sns/topic:Topic": 3,
  "aws:sns/topicSubscription:TopicSubscription": 3,
  "aws:sqs/queue:Queue": 1,
  "aws:sqs/queuePolicy:QueuePolicy": 1,
  "tidegate:foundation:AlertTopics": 1,
  "tidegate:foundation:DeadLetters": 1,
  "tidegate:foundation:EnvironmentKey": 1,
  "tidegate:foundation:LoadBalancer": 1,
  "tidegate:foundation:RollbackHook": 1,
  "tidegate:foundation:RolloutTable": 1,
  "tidegate:foundation:Watchman": 1,
};
const oneService = {
  // Its opening, and the hook's self-test.
  "aws:lambda/invocation:Invocation": 2,
  "tidegate:rollout:ProgressiveService": 1,
  "tidegate:rollout:WaveOpening": 1,
  "tidegate:slo:ServiceAlarms": 1,
  "tidegate:slo:SloAlarms": 2,
  // One a severity, of the service.
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": 2,
  "tidegate:traffic:WaveRouter": 1,
};

describe("a capture of the program", () => {
  it("holds every resource of the stack that makes its own load balancer [E3]", async () => {
    const config = stackConfig("dev");
    const captured = await captureEnvironment(config, firstDeclarations(config), { cached: false });
    expect(countsOf(captured)).toEqual({
      ...foundation,
      ...oneService,
      // Two releases of 6 alarms each, five warnings and four of the budget once for the service; the edge's, five on the hook, the
      // drill's, and three on the watchman.
      "aws:cloudwatch/metricAlarm:MetricAlarm": 31,
      "aws:ec2/securityGroup:SecurityGroup": 1,
      "aws:lb/listener:Listener": 1,
      "aws:lb/listenerRule:ListenerRule": 3,
      "aws:lb/loadBalancer:LoadBalancer": 1,
      "aws:lb/targetGroup:TargetGroup": 2,
    });
    expect(captured.adopted).toEqual([]);
  });

  it("holds every resource of the stack that adopts all it can [E3]", async () => {
    const config = stackConfig("prod");
    const captured = await captureEnvironment(config, firstDeclarations(config), { cached: false });
    expect(countsOf(captured)).toEqual({
      ...foundation,
      ...oneService,
      // Two releases of 5 alarms each, no warning of the service's own, else as above.
      "aws:cloudwatch/metricAlarm:MetricAlarm": 24,
      "aws:lb/listenerRule:ListenerRule": 2,
    });
    expect(captured.adopted.map((arn) => arn.split(":")[5]?.split("/").slice(0, 2).join("/"))).toEqual([
      "listener/app",
      "targetgroup/checkout-blue",
      "targetgroup/checkout-green",
    ]);
  });

  it("takes PagerDuty, Slack and their secrets, and opens no secret but where it belongs [D4]", async () => {
    const config: EnvironmentConfig = {
      ...stackConfig("dev"),
      alerting: {
        email: [],
        runbooks: "docs/runbooks",
        pagerduty: { kind: "made", escalationPolicyId: "PABC123", owners: { payments: "PDEF456" }, groupAlerts: true },
        slack: { chatbot: { workspaceId: "T0", criticalChannelId: "C0", warningsChannelId: "C1" } },
      },
    };
    const captured = await captureEnvironment(config, firstDeclarations(config), { cached: false });
    expect(countsOf(captured)).toMatchObject({
      "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": 2,
      "aws:secretsmanager/secret:Secret": 1,
      "aws:secretsmanager/secretVersion:SecretVersion": 1,
      "aws:sns/topicSubscription:TopicSubscription": 2,
      "pagerduty:index/alertGroupingSetting:AlertGroupingSetting": 1,
      "pagerduty:index/eventOrchestration:EventOrchestration": 1,
      "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration": 1,
      "pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter": 1,
      "pagerduty:index/eventOrchestrationService:EventOrchestrationService": 1,
      "pagerduty:index/service:Service": 1,
      "pagerduty:index/serviceIntegration:ServiceIntegration": 1,
    });
    expect(captured.adopted).toEqual([]);
    const { inputs } = captured.resources.find(({ name }) => name === "dev-function") ?? {};
    expect(inputs?.environment).toMatchObject({
      variables: { TIDEGATE_PAGERDUTY_SECRET: expect.stringMatching(/^arn:aws:secretsmanager:eu-west-1:/) },
    });
  });

  it("is the same whether it comes out of the cache or not [E3]", async () => {
    for (const stack of ["dev", "prod"] as const) {
      const config = stackConfig(stack);
      const declarations = firstDeclarations(config);
      const cached = await captureEnvironment(config, declarations);
      // What is left out of the cache's key must change nothing.
      const told = declarations.map((declaration) => ({ ...declaration, notices: [], revision: 7 }));
      expect(await captureEnvironment(config, told)).toBe(cached);
      expect(await captureEnvironment(config, told, { cached: false })).toEqual(cached);
      expect(JSON.parse(JSON.stringify(cached))).toEqual(cached);
    }
  });

  it("keeps guards as data: which write they are asked about, and nothing that could be called [E3]", async () => {
    const config = stackConfig("dev");
    const captured = await captureEnvironment(config, firstDeclarations(config));
    const guarded = captured.resources.flatMap(({ name, hooks }) =>
      hooks.map((hook) => [name, hook.kind, hook.hookName]),
    );
    expect(guarded).toEqual([
      ["dev-function", "hook-change-watch", "watch on the hook's function"],
      ["checkout-main", "guard", "hold check for checkout"],
      ["checkout-tester", "guard", "hold check for checkout testers"],
    ]);
  });

  it("names things as AWS does [E3]", async () => {
    const config = stackConfig("dev");
    const { resources } = await captureEnvironment(config, firstDeclarations(config));
    const ids = Object.fromEntries(resources.map(({ name, id }) => [name, id]));
    const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    const canary = config.services[0]?.canary;
    const group = targetGroupLogicalName("checkout", canary ? releaseKey(canary) : "");
    const made = resources.find(({ type, name }) => type === "aws:lb/targetGroup:TargetGroup" && name === group);
    expect(made?.id).toMatch(new RegExp(`^${elb}:targetgroup/${group}-[0-9a-f]{7}/[0-9a-f]{16}$`));
    expect(ids["dev-listener"]).toMatch(new RegExp(`^${elb}:listener/app/tidegate-dev/[0-9a-f]{16}/[0-9a-f]{16}$`));
    expect(ids["checkout-main"]).toMatch(
      new RegExp(`^${elb}:listener-rule/app/tidegate-dev/[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{16}$`),
    );
  });

  it("puts everything after what it depends on, in one order [E3]", async () => {
    const config = stackConfig("dev");
    const { resources } = await captureEnvironment(config, firstDeclarations(config));
    const seen = new Set<string>();
    for (const { key, dependencies } of resources) {
      for (const dependency of dependencies) expect(seen).toContain(dependency);
      seen.add(key);
    }
    expect(dependenciesFirst([...resources].reverse())).toEqual(resources);
  });
});

describe("a program that cannot be captured", () => {
  it("fails with its own error, and the next run is clean", async () => {
    const failing = capture(options, async () => {
      throw new pulumi.RunError("config is wrong");
    });
    await expect(failing).rejects.toThrow("config is wrong");
    const next = await capture(options, async () => {
      new aws.sns.Topic("pages", { name: "pages" });
    });
    expect(next.resources.map(({ key }) => key)).toEqual(["aws:sns/topic:Topic pages"]);
  });

  it("is refused by name for a type that is not modelled [E3]", async () => {
    const failing = capture(options, async () => {
      new aws.ecr.Repository("logs");
    });
    await expect(failing).rejects.toThrow(
      "aws:ecr/repository:Repository logs: a resource type that the rehearsal does not model",
    );
  });

  it("is refused by name for a look-up that is not modelled [E3]", async () => {
    const failing = capture(options, async () => {
      await aws.ec2.getVpc({ id: "vpc-1" });
    });
    await expect(failing).rejects.toThrow("aws:ec2/getVpc:getVpc: a look-up that the rehearsal does not model");
  });

  it("fails with what an apply throws", async () => {
    const failing = capture(options, async () => {
      const topic = new aws.sns.Topic("pages", { name: "pages" });
      topic.arn.apply(() => {
        throw new Error("the apply went wrong");
      });
    });
    await expect(failing).rejects.toThrow("the apply went wrong");
  });

  it("is refused by name for a hook that is no guard [E3]", async () => {
    const failing = capture(options, async (guards) => {
      const hooks = guards.bind("a nap", async () => {});
      new aws.sns.Topic("pages", { name: "pages" }, hooks ? { hooks } : {});
    });
    await expect(failing).rejects.toThrow(
      'aws:sns/topic:Topic pages: hook "a nap" asks no guard; only guards are modelled',
    );
  });
});
