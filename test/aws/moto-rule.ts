/** One listener rule on moto with two target groups, for tests of code that lowers it. */
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { motoNetwork } from "../engine/moto-network.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

export interface MotoRule {
  readonly arn: string;
  readonly groups: { readonly stable: string; readonly next: string };
  /** Weights above 0 as ELBv2 has them now, by the names of the groups here. */
  weights(): Promise<Readonly<Record<string, number>>>;
}

/** A listener of its own with one rule; each group has one healthy target. */
export async function makeMotoRule(weights: { readonly stable: number; readonly next: number }): Promise<MotoRule> {
  const client = new ElasticLoadBalancingV2Client({ region: access.region });
  const network = await motoNetwork(emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"), access.region);
  const group = async (): Promise<string> => {
    const made = await client.send(
      new CreateTargetGroupCommand({
        Name: freshName("tg"),
        Protocol: "HTTP",
        Port: 80,
        VpcId: network.vpcId,
        TargetType: "ip",
      }),
    );
    const TargetGroupArn = made.TargetGroups?.[0]?.TargetGroupArn ?? "";
    await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: "10.0.0.1", Port: 80 }] }));
    return TargetGroupArn;
  };
  const groups = { stable: await group(), next: await group() };
  const balancer = await client.send(
    new CreateLoadBalancerCommand({ Name: freshName("lb"), Subnets: [...network.subnetIds] }),
  );
  const listener = await client.send(
    new CreateListenerCommand({
      LoadBalancerArn: balancer.LoadBalancers?.[0]?.LoadBalancerArn,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
    }),
  );
  const made = await client.send(
    new CreateRuleCommand({
      ListenerArn: listener.Listeners?.[0]?.ListenerArn,
      Priority: 1,
      Conditions: [{ Field: "path-pattern", Values: ["/*"] }],
      Actions: [
        {
          Type: "forward",
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: groups.stable, Weight: weights.stable },
              { TargetGroupArn: groups.next, Weight: weights.next },
            ],
          },
        },
      ],
    }),
  );
  const arn = made.Rules?.[0]?.RuleArn ?? "";
  return {
    arn,
    groups,
    weights: async () => {
      const found = await client.send(new DescribeRulesCommand({ RuleArns: [arn] }));
      const tuples = found.Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
      return Object.fromEntries(
        tuples
          .filter(({ Weight = 0 }) => Weight > 0)
          .map(({ TargetGroupArn, Weight = 0 }) => [TargetGroupArn === groups.stable ? "stable" : "next", Weight]),
      );
    },
  };
}
