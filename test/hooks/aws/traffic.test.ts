import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  RuleNotFoundException,
  type TargetHealthStateEnum,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { elbTraffic } from "../../../hooks/aws/traffic.ts";

function scene() {
  const client = new ElasticLoadBalancingV2Client({ region: "eu-west-1" });
  return { mock: mockClient(client), traffic: elbTraffic(client) };
}

const gone = new RuleNotFoundException({ $metadata: {}, message: "One or more rules not found" });
const throttled = Object.assign(new Error("Rate exceeded"), { name: "Throttling" });
const ruleOf = (RuleArn: string) => ({
  RuleArn,
  Actions: [{ Type: "forward" as const, ForwardConfig: { TargetGroups: [{ TargetGroupArn: "group", Weight: 100 }] } }],
});

describe("traffic on ELBv2", () => {
  it("writes the whole action in one call, stickiness off said explicitly", async () => {
    const { mock, traffic } = scene();
    mock.on(ModifyRuleCommand).resolves({});
    await traffic.writeRule("rule", { weights: { a: 100, b: 0 } });
    expect(mock.calls()).toHaveLength(1);
    expect(mock.commandCalls(ModifyRuleCommand)[0]?.args[0].input).toEqual({
      RuleArn: "rule",
      Actions: [
        {
          Type: "forward",
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: "a", Weight: 100 },
              { TargetGroupArn: "b", Weight: 0 },
            ],
            TargetGroupStickinessConfig: { Enabled: false },
          },
        },
      ],
    });
  });

  it("writes stickiness with its duration", async () => {
    const { mock, traffic } = scene();
    mock.on(ModifyRuleCommand).resolves({});
    await traffic.writeRule("rule", { weights: { a: 1 }, stickinessSeconds: 3_600 });
    expect(
      mock.commandCalls(ModifyRuleCommand)[0]?.args[0].input.Actions?.[0]?.ForwardConfig?.TargetGroupStickinessConfig,
    ).toEqual({ Enabled: true, DurationSeconds: 3_600 });
  });

  it("refuses an action outside the limits with every problem at once, and sends nothing", async () => {
    const { mock, traffic } = scene();
    const weights = { a: 1_000, b: -1, c: 0.5, d: 1, e: 1, f: Number.NaN };
    const range = "expected a whole number from 0 to 999";
    await expect(traffic.writeRule("rule", { weights, stickinessSeconds: 604_801 })).rejects.toThrow(
      [
        "rule rule: 6 problem(s) in its forward action, nothing was written:",
        "  too many target groups, got 6; expected at most 5",
        `  weight of a is out of range, got 1000; ${range}`,
        `  weight of b is out of range, got -1; ${range}`,
        `  weight of c is out of range, got 0.5; ${range}`,
        `  weight of f is out of range, got NaN; ${range}`,
        "  stickiness is out of range, got 604801 s; expected a whole number from 1 to 604800, or none to turn it off",
      ].join("\n"),
    );
    await expect(traffic.writeRule("rule", { weights: {} })).rejects.toThrow(
      "  no target group, got {}; expected 1 to 5",
    );
    await expect(traffic.writeRule("rule", { weights: { a: 0 } })).rejects.toThrow(
      "  every weight is 0, so nobody would be served; expected at least one above 0",
    );
    expect(mock.calls()).toHaveLength(0);
  });

  it("throws throttling and every other failure of a write, with the rule", async () => {
    const { mock, traffic } = scene();
    mock.on(ModifyRuleCommand).rejectsOnce(throttled).rejectsOnce(gone);
    const write = () => traffic.writeRule("rule", { weights: { a: 1 } });
    await expect(write()).rejects.toThrow("rule rule: writing its weights failed, got Throttling: Rate exceeded");
    await expect(write()).rejects.toThrow(
      "rule rule: writing its weights failed, got RuleNotFoundException: One or more",
    );
  });

  it("reads rules 20 at a time, each once", async () => {
    const { mock, traffic } = scene();
    mock.on(DescribeRulesCommand).callsFake((input) => ({ Rules: input.RuleArns.map(ruleOf) }));
    const arns = Array.from({ length: 45 }, (_, index) => `rule-${index}`);
    const read = await traffic.readRules([...arns, "rule-0"]);
    expect(Object.keys(read)).toEqual(arns);
    expect(mock.commandCalls(DescribeRulesCommand).map((call) => call.args[0].input.RuleArns?.length)).toEqual([
      20, 20, 5,
    ]);
  });

  it("finds the rules that are gone by halving the batch that AWS refused", async () => {
    const { mock, traffic } = scene();
    const missing = ["rule-3", "rule-17"];
    mock.on(DescribeRulesCommand).callsFake((input) => {
      if (input.RuleArns.some((arn: string) => missing.includes(arn))) throw gone;
      return { Rules: input.RuleArns.map(ruleOf) };
    });
    const arns = Array.from({ length: 20 }, (_, index) => `rule-${index}`);
    expect(Object.keys(await traffic.readRules(arns))).toEqual(arns.filter((arn) => !missing.includes(arn)));
  });

  it("throws a failed read of rules: it never looks like rules that are gone", async () => {
    const { mock, traffic } = scene();
    mock.on(DescribeRulesCommand).rejects(throttled);
    await expect(traffic.readRules(["a", "b"])).rejects.toThrow(
      "rules a, b: reading them failed, got Throttling: Rate exceeded",
    );
  });

  it("reads the short form as everything on one group, and a missing weight as AWS's default of 1", async () => {
    const { mock, traffic } = scene();
    mock.on(DescribeRulesCommand).resolves({
      Rules: [
        { RuleArn: "short", Actions: [{ Type: "forward", TargetGroupArn: "a" }] },
        {
          RuleArn: "default",
          Actions: [
            {
              Type: "forward",
              ForwardConfig: {
                TargetGroups: [{ TargetGroupArn: "a" }, { TargetGroupArn: "b", Weight: 0 }],
                TargetGroupStickinessConfig: { Enabled: false, DurationSeconds: 60 },
              },
            },
          ],
        },
      ],
    });
    expect(await traffic.readRules(["short", "default"])).toEqual({
      short: { weights: { a: 1 } },
      default: { weights: { a: 1, b: 0 } },
    });
  });

  it.each([
    ["redirect", [{ Type: "redirect" as const }]],
    ["authenticate-oidc, forward", [{ Type: "authenticate-oidc" as const }, { Type: "forward" as const }]],
    ["no action", []],
    ["a forward action without a target group", [{ Type: "forward" as const }]],
    ["a forward action without a target group", [{ Type: "forward" as const, ForwardConfig: { TargetGroups: [] } }]],
    [
      "stickiness without a duration",
      [
        {
          Type: "forward" as const,
          ForwardConfig: {
            TargetGroups: [{ TargetGroupArn: "a", Weight: 1 }],
            TargetGroupStickinessConfig: { Enabled: true },
          },
        },
      ],
    ],
  ])("refuses to read a rule with %s by name", async (found, Actions) => {
    const { mock, traffic } = scene();
    mock.on(DescribeRulesCommand).resolves({ Rules: [{ RuleArn: "rule", Actions }] });
    await expect(traffic.readRules(["rule"])).rejects.toThrow(
      `rule rule: its action is not ours, got ${found}; expected one forward action. Someone else wrote this rule: give it back its weights, or remove it`,
    );
  });

  it("counts healthy targets, all but draining ones as there", async () => {
    const { mock, traffic } = scene();
    const states: TargetHealthStateEnum[] = [
      "healthy",
      "healthy",
      "initial",
      "unhealthy",
      "unused",
      "unavailable",
      "draining",
    ];
    mock.on(DescribeTargetHealthCommand).resolves({
      TargetHealthDescriptions: [...states.map((State) => ({ TargetHealth: { State } })), {}],
    });
    expect(await traffic.targetHealth("group")).toEqual({ healthyCount: 2, totalCount: 7 });
  });

  it("throws a failed health read: it never looks like no target", async () => {
    const { mock, traffic } = scene();
    mock.on(DescribeTargetHealthCommand).rejects(throttled);
    await expect(traffic.targetHealth("group")).rejects.toThrow(
      "target group group: reading its health failed, got Throttling: Rate exceeded",
    );
  });

  it("looks for main rules on every page of every listener, tags 20 at a time, default rules left out", async () => {
    const { mock, traffic } = scene();
    mock.on(DescribeLoadBalancersCommand).resolves({ LoadBalancers: [{ LoadBalancerArn: "balancer" }] });
    mock
      .on(DescribeListenersCommand)
      .resolvesOnce({ Listeners: [{ ListenerArn: "http" }], NextMarker: "more" })
      .resolvesOnce({ Listeners: [{ ListenerArn: "https" }] });
    const rules = (listener: string, from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ RuleArn: `${listener}-${from + index}` }));
    mock
      .on(DescribeRulesCommand)
      .resolvesOnce({ Rules: [{ RuleArn: "default", IsDefault: true }] })
      .resolvesOnce({ Rules: rules("https", 0, 21), NextMarker: "more" })
      .resolvesOnce({ Rules: rules("https", 21, 4) });
    const tag = (Key: string, Value: string) => ({ Key, Value });
    mock.on(DescribeTagsCommand).callsFake((input) => ({
      TagDescriptions: input.ResourceArns.map((ResourceArn: string) => ({
        ResourceArn,
        Tags: [
          tag("tidegate:environment", "production"),
          tag("tidegate:service", ResourceArn === "https-24" ? "checkout" : "search"),
          tag("tidegate:role", "main"),
        ],
      })),
    }));
    const listener = { loadBalancerName: "front" };
    expect(await traffic.findMainRules({ listener, environment: "production", service: "checkout" })).toEqual([
      "https-24",
    ]);
    expect(mock.calls().map((call) => call.args[0].constructor.name)).toEqual([
      "DescribeLoadBalancersCommand",
      "DescribeListenersCommand",
      "DescribeListenersCommand",
      "DescribeRulesCommand",
      "DescribeRulesCommand",
      "DescribeRulesCommand",
      "DescribeTagsCommand",
      "DescribeTagsCommand",
    ]);
    expect(mock.commandCalls(DescribeTagsCommand).map((call) => call.args[0].input.ResourceArns?.length)).toEqual([
      20, 5,
    ]);
  });

  it("throws a failed search at each of its steps: it never looks like no live rule", async () => {
    const search = (traffic: ReturnType<typeof elbTraffic>) =>
      traffic.findMainRules({
        listener: { loadBalancerName: "front" },
        environment: "production",
        service: "checkout",
      });
    const steps = [
      DescribeLoadBalancersCommand,
      DescribeListenersCommand,
      DescribeRulesCommand,
      DescribeTagsCommand,
    ] as const;
    for (const failing of steps) {
      const { mock, traffic } = scene();
      mock.on(DescribeLoadBalancersCommand).resolves({ LoadBalancers: [{ LoadBalancerArn: "balancer" }] });
      mock.on(DescribeListenersCommand).resolves({ Listeners: [{ ListenerArn: "https" }] });
      mock.on(DescribeRulesCommand).resolves({ Rules: [{ RuleArn: "rule" }] });
      mock.on(DescribeTagsCommand).resolves({ TagDescriptions: [] });
      mock.on(failing as typeof DescribeTagsCommand).rejects(throttled);
      await expect(search(traffic)).rejects.toThrow(/Throttling: Rate exceeded$/);
    }
  });

  it("counts a function without health checks as able to serve, and no other target that is unavailable [E7, B12]", async () => {
    const { mock, traffic } = scene();
    const target = (State: TargetHealthStateEnum, Reason?: "Target.HealthCheckDisabled" | "Elb.InternalError") => ({
      TargetHealth: { State, ...(Reason ? { Reason } : {}) },
    });
    mock.on(DescribeTargetHealthCommand).resolves({
      TargetHealthDescriptions: [target("unavailable", "Target.HealthCheckDisabled")],
    });
    expect(await traffic.targetHealth("function")).toEqual({ healthyCount: 1, totalCount: 1 });
    mock.on(DescribeTargetHealthCommand).resolves({
      TargetHealthDescriptions: [target("unavailable", "Elb.InternalError"), target("unavailable"), target("unused")],
    });
    expect(await traffic.targetHealth("hosts")).toEqual({ healthyCount: 0, totalCount: 3 });
    mock.on(DescribeTargetHealthCommand).resolves({ TargetHealthDescriptions: [] });
    expect(await traffic.targetHealth("a group without its function")).toEqual({ healthyCount: 0, totalCount: 0 });
  });
});
