/** The traffic contract on ELBv2, as moto has it. */
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { elbTraffic } from "../../hooks/aws/traffic.ts";
import type { ForwardAction } from "../../hooks/ports.ts";
import { describeTrafficContract, type ListenerUnderTest, type TrafficUnderTest } from "../contract/traffic.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

const endpoint = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
// Setting the scene may take as long as moto wants (its first call loads EC2); only the adapter's calls have our limits.
const client = new ElasticLoadBalancingV2Client({ region: access.region });
const traffic = elbTraffic(new ElasticLoadBalancingV2Client(clientSettings(access)));
let priority = 0;

/** moto's default VPC and two of its subnets; asked in EC2's plain protocol, because nothing else here needs an EC2 client. */
async function defaultNetwork(): Promise<{ vpcId: string; subnetIds: string[] }> {
  const scope = `20260101/${access.region}/ec2/aws4_request`;
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=testing/${scope}, SignedHeaders=host, Signature=none` },
    body: new URLSearchParams({ Action: "DescribeSubnets", Version: "2016-11-15" }),
  });
  const text = await response.text();
  const subnetIds = [...text.matchAll(/<subnetId>([^<]+)</g)].map((match) => match[1] ?? "");
  const vpcId = /<vpcId>([^<]+)</.exec(text)?.[1];
  if (vpcId === undefined || subnetIds.length < 2)
    throw new Error(`moto: no default VPC with two subnets, got ${text}`);
  return { vpcId, subnetIds: subnetIds.slice(0, 2) };
}

async function makeTargetGroup(healthyTargets: number): Promise<string> {
  const { vpcId } = await defaultNetwork();
  const made = await client.send(
    new CreateTargetGroupCommand({
      Name: freshName("tg"),
      Protocol: "HTTP",
      Port: 80,
      VpcId: vpcId,
      TargetType: "ip",
    }),
  );
  const TargetGroupArn = made.TargetGroups?.[0]?.TargetGroupArn ?? "";
  const Targets = Array.from({ length: healthyTargets }, (_, index) => ({ Id: `10.0.0.${index + 1}`, Port: 80 }));
  if (Targets.length > 0) await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
  return TargetGroupArn;
}

async function makeListener(): Promise<ListenerUnderTest> {
  const loadBalancerName = freshName("lb");
  const { subnetIds } = await defaultNetwork();
  const balancer = await client.send(new CreateLoadBalancerCommand({ Name: loadBalancerName, Subnets: subnetIds }));
  const LoadBalancerArn = balancer.LoadBalancers?.[0]?.LoadBalancerArn;
  const DefaultActions = [{ Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "404" } }];
  const made = await client.send(
    new CreateListenerCommand({ LoadBalancerArn, Protocol: "HTTP", Port: 80, DefaultActions }),
  );
  return { arn: made.Listeners?.[0]?.ListenerArn ?? "", loadBalancerName };
}

/** Written out here, not by the adapter, so that reading is tested against a rule that someone else made. */
async function makeRule(
  listener: ListenerUnderTest,
  action: ForwardAction,
  tags: Readonly<Record<string, string>>,
): Promise<string> {
  priority += 1;
  const TargetGroups = Object.entries(action.weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight }));
  const made = await client.send(
    new CreateRuleCommand({
      ListenerArn: listener.arn,
      Priority: priority,
      Conditions: [{ Field: "path-pattern", Values: [`/${priority}/*`] }],
      Actions: [{ Type: "forward", ForwardConfig: { TargetGroups } }],
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  return made.Rules?.[0]?.RuleArn ?? "";
}

async function makeTraffic(): Promise<TrafficUnderTest> {
  return {
    traffic,
    makeListener,
    makeTargetGroup,
    makeRule,
    async deleteRule(ruleArn) {
      await client.send(new DeleteRuleCommand({ RuleArn: ruleArn }));
    },
    goneArn(kind) {
      const path = {
        rule: "listener-rule/app/none/0123456789abcdef/0123456789abcdef/0123456789abcdef",
        listener: "listener/app/none/0123456789abcdef/0123456789abcdef",
        targetgroup: "targetgroup/none/0123456789abcdef",
      }[kind];
      return `arn:aws:elasticloadbalancing:${access.region}:123456789012:${path}`;
    },
  };
}

describeTrafficContract("ELBv2 on moto", { unhealthyTargets: false, unknownTargetGroup: true }, makeTraffic);
