/** The survey on ELBv2, as moto has it: everything that adoption asks about, and the names of those who write it. */
import {
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
  type RuleCondition,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { beforeAll, describe, expect, it } from "vitest";
import type { Survey } from "../../core/survey.ts";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { awsSurveyor } from "../../hooks/aws/survey.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

const endpoint = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
const client = new ElasticLoadBalancingV2Client({ region: access.region });
const surveyor = awsSurveyor(new ElasticLoadBalancingV2Client(clientSettings(access)));

async function defaultNetwork(): Promise<{ vpcId: string; subnetIds: string[] }> {
  const scope = `20260101/${access.region}/ec2/aws4_request`;
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=testing/${scope}, SignedHeaders=host, Signature=none` },
    body: new URLSearchParams({ Action: "DescribeSubnets", Version: "2016-11-15" }),
  });
  const text = await response.text();
  const subnetIds = [...text.matchAll(/<subnetId>([^<]+)</g)].map((match) => match[1] ?? "");
  return { vpcId: /<vpcId>([^<]+)</.exec(text)?.[1] ?? "", subnetIds: subnetIds.slice(0, 2) };
}

async function makeGroup(name: string, vpcId: string): Promise<string> {
  const made = await client.send(
    new CreateTargetGroupCommand({
      Name: freshName(name),
      Protocol: "HTTP",
      Port: 8080,
      VpcId: vpcId,
      TargetType: "ip",
    }),
  );
  return made.TargetGroups?.[0]?.TargetGroupArn ?? "";
}

async function makeLambdaGroup(): Promise<string> {
  const made = await client.send(new CreateTargetGroupCommand({ Name: freshName("fn"), TargetType: "lambda" }));
  return made.TargetGroups?.[0]?.TargetGroupArn ?? "";
}

const forward = (arn: string) => [{ Type: "forward" as const, TargetGroupArn: arn }];
const allConditions: RuleCondition[] = [
  { Field: "host-header", HostHeaderConfig: { Values: ["shop.example.com"] } },
  { Field: "path-pattern", PathPatternConfig: { Values: ["/checkout/*"] } },
  { Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "x-plan", Values: ["gold"] } },
  { Field: "http-request-method", HttpRequestMethodConfig: { Values: ["GET"] } },
  { Field: "query-string", QueryStringConfig: { Values: [{ Key: "v", Value: "1" }] } },
];

describe("a survey", { timeout: 120_000 }, () => {
  let arns: Record<"balancer" | "listener" | "blue" | "green" | "lambda" | "rule" | "tagged" | "split", string>;
  let found: Survey;

  beforeAll(async () => {
    const { vpcId, subnetIds } = await defaultNetwork();
    const made = await client.send(new CreateLoadBalancerCommand({ Name: freshName("lb"), Subnets: subnetIds }));
    const balancer = made.LoadBalancers?.[0]?.LoadBalancerArn ?? "";
    const [blue, green, lambda] = [
      await makeGroup("blue", vpcId),
      await makeGroup("green", vpcId),
      await makeLambdaGroup(),
    ];
    const listening = await client.send(
      new CreateListenerCommand({
        LoadBalancerArn: balancer,
        Protocol: "HTTP",
        Port: 80,
        DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
      }),
    );
    const listener = listening.Listeners?.[0]?.ListenerArn ?? "";
    const rule = async (Priority: number, Conditions: RuleCondition[], Actions: ReturnType<typeof forward>) => {
      const created = await client.send(
        new CreateRuleCommand({ ListenerArn: listener, Priority, Conditions, Actions }),
      );
      return created.Rules?.[0]?.RuleArn ?? "";
    };
    // The higher one first: the survey puts them in order.
    const tagged = await rule(60, [{ Field: "path-pattern", Values: ["/tagged"] }], forward(blue));
    const theirs = await rule(50, allConditions, forward(blue));
    const split = await client.send(
      new CreateRuleCommand({
        ListenerArn: listener,
        Priority: 70,
        Conditions: [{ Field: "source-ip", SourceIpConfig: { Values: ["10.0.0.0/8"] } }],
        Actions: [
          {
            Type: "forward",
            ForwardConfig: {
              TargetGroups: [
                { TargetGroupArn: blue, Weight: 90 },
                { TargetGroupArn: green, Weight: 10 },
              ],
              TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 600 },
            },
          },
        ],
      }),
    );
    await client.send(
      new AddTagsCommand({
        ResourceArns: [tagged],
        Tags: [
          { Key: "tidegate:environment", Value: "production" },
          { Key: "tidegate:service", Value: "search" },
          { Key: "tidegate:role", Value: "main" },
        ],
      }),
    );
    await client.send(
      new ModifyTargetGroupAttributesCommand({
        TargetGroupArn: green,
        Attributes: [
          { Key: "stickiness.enabled", Value: "true" },
          { Key: "stickiness.type", Value: "lb_cookie" },
        ],
      }),
    );
    const splitArn = split.Rules?.[0]?.RuleArn ?? "";
    arns = { balancer, listener, blue, green, lambda, rule: theirs, tagged, split: splitArn };
    found = await surveyor.survey({ listenerArns: [listener], targetGroupArns: [blue, green, lambda] });
  }, 120_000);

  it("finds rules in order with all their conditions, the default last [E7]", () => {
    expect(found.listeners).toHaveLength(1);
    const [listener] = found.listeners;
    expect(listener).toMatchObject({ arn: arns.listener, loadBalancerArn: arns.balancer, port: 80, protocol: "HTTP" });
    expect(listener?.rules.slice(0, 3)).toEqual([
      {
        arn: arns.rule,
        priority: 50,
        conditions: [
          { field: "host-header", values: ["shop.example.com"] },
          { field: "path-pattern", values: ["/checkout/*"] },
          { field: "http-header", httpHeaderName: "x-plan", values: ["gold"] },
          { field: "http-request-method", values: ["GET"] },
          { field: "query-string", values: [], queryStrings: [{ key: "v", value: "1" }] },
        ],
        actions: [{ type: "forward", targetGroups: [{ arn: arns.blue, weight: 1 }] }],
      },
      {
        arn: arns.tagged,
        priority: 60,
        conditions: [{ field: "path-pattern", values: ["/tagged"] }],
        actions: [{ type: "forward", targetGroups: [{ arn: arns.blue, weight: 1 }] }],
        ours: { environment: "production", service: "search", role: "main" },
      },
      {
        arn: arns.split,
        priority: 70,
        conditions: [{ field: "source-ip", values: ["10.0.0.0/8"] }],
        actions: [
          {
            type: "forward",
            targetGroups: [
              { arn: arns.blue, weight: 90 },
              { arn: arns.green, weight: 10 },
            ],
            stickinessSeconds: 600,
          },
        ],
      },
    ]);
    expect(listener?.rules.at(-1)).toMatchObject({
      priority: "default",
      conditions: [],
      actions: [{ type: "fixed-response", statusCode: "404" }],
    });
    expect(listener?.rules).toHaveLength(4);
  });

  it("finds groups with type, load balancer and stickiness of their own, Lambda's without health checks [E7]", () => {
    expect(found.targetGroups).toEqual([
      expect.objectContaining({
        arn: arns.blue,
        targetType: "ip",
        port: 8080,
        protocol: "HTTP",
        loadBalancerArns: [arns.balancer],
        healthChecksEnabled: true,
      }),
      expect.objectContaining({ arn: arns.green, stickinessType: "lb_cookie" }),
      expect.objectContaining({ arn: arns.lambda, targetType: "lambda", healthChecksEnabled: false }),
    ]);
    expect(found.targetGroups[0]).not.toHaveProperty("stickinessType");
  });

  it("counts what hangs on the load balancer [E7]", () => {
    expect(found.loadBalancers).toEqual([expect.objectContaining({ arn: arns.balancer, ruleCount: 3 })]);
    expect([...(found.loadBalancers[0]?.targetGroupArns ?? [])].sort()).toEqual([arns.blue, arns.green].sort());
    expect(found.loadBalancers[0]).not.toHaveProperty("managedBy");
  });

  it("leaves out what does not exist [E7]", async () => {
    const gone = (arn: string) => `${arn.slice(0, -8)}00000000`;
    const survey = await surveyor.survey({ listenerArns: [gone(arns.listener)], targetGroupArns: [gone(arns.blue)] });
    expect(survey).toEqual({ loadBalancers: [], listeners: [], targetGroups: [] });
  });

  it("names the controller that writes load balancer, listener, rule or group [E7]", async () => {
    const tag = (ResourceArns: string[], Key: string, Value: string) =>
      client.send(new AddTagsCommand({ ResourceArns, Tags: [{ Key, Value }] }));
    await tag([arns.balancer, arns.rule, arns.blue], "elbv2.k8s.aws/cluster", "shop");
    const cluster = await surveyor.survey({ listenerArns: [arns.listener], targetGroupArns: [arns.blue] });
    // A mark of the cluster alone makes a load balancer its own, and no group: bindings register targets in anybody's.
    expect(cluster.loadBalancers[0]?.managedBy).toBe("EKS cluster shop");
    expect(cluster.targetGroups[0]).not.toHaveProperty("managedBy");
    for (const key of ["stack", "resource"]) {
      await tag([arns.balancer, arns.rule, arns.blue], `ingress.k8s.aws/${key}`, "default/web");
    }
    await tag([arns.listener], "ingress.eks.amazonaws.com/stack", "default/auto");
    const survey = await surveyor.survey({ listenerArns: [arns.listener], targetGroupArns: [arns.blue] });
    expect([
      survey.loadBalancers[0]?.managedBy,
      survey.listeners[0]?.managedBy,
      survey.listeners[0]?.rules[0]?.managedBy,
      survey.targetGroups[0]?.managedBy,
    ]).toEqual([
      "EKS cluster shop, ingress default/web",
      "an EKS cluster, ingress default/auto",
      "EKS cluster shop, ingress default/web",
      "EKS cluster shop, ingress default/web",
    ]);
  });
});
