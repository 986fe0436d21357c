/** What the emulator does not answer: pages, full batches of tags, and what AWS has added since (E7). */
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  type Rule,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { awsSurveyor } from "../../../hooks/aws/survey.ts";

const listener = { ListenerArn: "listener", LoadBalancerArn: "balancer", Port: 443, Protocol: "HTTPS" as const };
const query = { listenerArns: ["listener"], targetGroupArns: [] };

function scene(...pages: Rule[][]) {
  const client = new ElasticLoadBalancingV2Client({ region: "eu-west-1" });
  const mock = mockClient(client);
  mock.on(DescribeListenersCommand).resolves({ Listeners: [listener] });
  mock.on(DescribeLoadBalancersCommand).resolves({
    LoadBalancers: [{ LoadBalancerArn: "balancer", LoadBalancerName: "web", VpcId: "vpc-1" }],
  });
  mock.on(DescribeTargetGroupsCommand).resolves({ TargetGroups: [] });
  mock.on(DescribeTagsCommand).resolves({ TagDescriptions: [] });
  pages.forEach((Rules, index) => {
    const asked = index === 0 ? { ListenerArn: "listener" } : { ListenerArn: "listener", Marker: `page ${index}` };
    const more = index + 1 < pages.length ? { NextMarker: `page ${index + 1}` } : {};
    mock.on(DescribeRulesCommand, asked).resolves({ Rules, ...more });
  });
  return { mock, surveyor: awsSurveyor(client) };
}

const rule = (at: number, change: Rule = {}): Rule => ({
  RuleArn: `rule ${at}`,
  Priority: String(at),
  Conditions: [{ Field: "path-pattern", Values: [`/${at}`] }],
  Actions: [{ Type: "forward", TargetGroupArn: "blue" }],
  ...change,
});
const last: Rule = {
  RuleArn: "default",
  Priority: "default",
  IsDefault: true,
  Actions: [{ Type: "forward", TargetGroupArn: "blue" }],
};

describe("a survey of ELBv2", () => {
  it("reads every page of rules, and their tags 20 at a time", async () => {
    const many = Array.from({ length: 45 }, (_, at) => rule(at + 1));
    const { mock, surveyor } = scene(many.slice(20), many.slice(0, 20), [last]);
    const { listeners } = await surveyor.survey(query);
    expect(listeners[0]?.rules.map(({ priority }) => priority)).toEqual([...many.map((_, at) => at + 1), "default"]);
    const asked = mock.commandCalls(DescribeTagsCommand).map(({ args }) => args[0].input.ResourceArns ?? []);
    // 45 rules, the listener and the load balancer; a default rule has no tags.
    expect(asked.map((arns) => arns.length)).toEqual([20, 20, 7]);
    expect(asked.flat()).not.toContain("default");
  });

  it("names what this version does not model, so that it can be refused [E7]", async () => {
    const strange = rule(1, {
      Conditions: [
        { Field: "path-pattern", PathPatternConfig: { RegexValues: ["^/v[0-9]+"] } },
        { Field: "host-header", RegexValues: ["^a"] },
        { Field: "moon-phase", Values: ["full"] },
      ],
      Transforms: [{ Type: "url-rewrite" }],
      Actions: [
        { Type: "forward", Order: 2, TargetGroupArn: "blue" },
        { Type: "jwt-validation", Order: 1 },
      ],
    });
    const { surveyor } = scene([strange, last]);
    const { listeners } = await surveyor.survey(query);
    expect(listeners[0]?.rules[0]).toEqual({
      arn: "rule 1",
      priority: 1,
      conditions: [
        { field: "path-pattern", values: [], regexValues: ["^/v[0-9]+"] },
        { field: "host-header", values: [], regexValues: ["^a"] },
        { field: "other", otherField: "moon-phase", values: ["full"] },
      ],
      transforms: ["url-rewrite"],
      actions: [{ type: "jwt-validation" }, { type: "forward", targetGroups: [{ arn: "blue", weight: 1 }] }],
    });
  });

  it("fails on what it cannot tell, and on any refusal but that there is no such thing [E7]", async () => {
    const { surveyor } = scene([rule(1, { Priority: "first" })]);
    await expect(surveyor.survey(query)).rejects.toThrow("rule rule 1: not a priority, got first; expected a number");
    const { mock, surveyor: denied } = scene([last]);
    mock.on(DescribeListenersCommand).rejects(Object.assign(new Error("no"), { name: "AccessDenied" }));
    await expect(denied.survey(query)).rejects.toThrow("listener listener: looking it up failed, got AccessDenied: no");
  });

  it("takes a Lambda group for unchecked unless AWS says otherwise", async () => {
    const { mock, surveyor } = scene([last]);
    mock.on(DescribeTargetGroupAttributesCommand).resolves({ Attributes: [] });
    const found = async (HealthCheckEnabled?: boolean) => {
      mock.on(DescribeTargetGroupsCommand).resolves({
        TargetGroups: [
          {
            TargetGroupArn: "fn",
            TargetType: "lambda",
            ...(HealthCheckEnabled === undefined ? {} : { HealthCheckEnabled }),
          },
        ],
      });
      return (await surveyor.survey({ listenerArns: [], targetGroupArns: ["fn"] })).targetGroups[0]
        ?.healthChecksEnabled;
    };
    mock.on(DescribeListenersCommand).resolves({ Listeners: [] });
    expect([await found(), await found(false), await found(true)]).toEqual([false, false, true]);
  });
});
