/** Resources of a small, sound program: two releases behind one weighted rule, each watched. Tests break one field each. */
import { type GivenResource, notKnownYet } from "../policy-run.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

export const listenerArn = `${elb}:listener/app/shop/1/2`;

export function groupArn(name: string): string {
  return `${elb}:targetgroup/${name}/00000000000000aa`;
}

export function groupSuffix(name: string): string {
  return `targetgroup/${name}/00000000000000aa`;
}

type Props = Readonly<Record<string, unknown>>;

/** A target group that exists already: its ARN is known. */
export function aGroup(name: string, props: Props = {}): GivenResource {
  return {
    type: "aws:lb/targetGroup:TargetGroup",
    name,
    props: { arn: groupArn(name), port: 8080, protocol: "HTTP", targetType: "ip", ...props },
  };
}

/** Weights by name of the group, as a forward action. */
export function forwardTo(weights: Readonly<Record<string, unknown>>, more: Props = {}): Props {
  const targetGroups = Object.entries(weights).map(([name, weight]) => ({ arn: groupArn(name), weight }));
  return { type: "forward", forward: { targetGroups, ...more } };
}

/** A rule for a host that splits between groups. */
export function aRule(
  name: string,
  weights: Readonly<Record<string, unknown>>,
  props: Props = {},
  more: Partial<GivenResource> = {},
): GivenResource {
  return {
    type: "aws:lb/listenerRule:ListenerRule",
    name,
    props: {
      listenerArn,
      priority: 100,
      conditions: [{ hostHeader: { values: ["shop.example.com"] } }],
      actions: [forwardTo(weights)],
      ...props,
    },
    ...more,
  };
}

/** An alarm on one metric of a group, that tells somebody. */
export function anAlarm(name: string, group: string, metricName: string, props: Props = {}): GivenResource {
  return {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    name,
    props: {
      name,
      namespace: "AWS/ApplicationELB",
      metricName,
      dimensions: { LoadBalancer: "app/shop/1", TargetGroup: groupSuffix(group) },
      comparisonOperator: "GreaterThanThreshold",
      threshold: 10,
      treatMissingData: "notBreaching",
      alarmDescription: "What to do: https://runbooks.example.com/errors",
      alarmActions: ["arn:aws:sns:eu-west-1:123456789012:pages"],
      ...props,
    },
  };
}

/** Both alarms that an exposed release needs. */
export function alarmsOf(group: string): GivenResource[] {
  return [
    anAlarm(`${group}-errors`, group, "HTTPCode_Target_5XX_Count"),
    anAlarm(`${group}-latency`, group, "TargetResponseTime"),
  ];
}

/** A sound canary: 90 to 10, both watched. */
export function aCanary(): GivenResource[] {
  return [
    aGroup("blue"),
    aGroup("green"),
    aRule("split", { blue: 90, green: 10 }),
    ...alarmsOf("blue"),
    ...alarmsOf("green"),
  ];
}

/** The same program in the preview of its first `up`: no ARN is known, the engine only knows what is made from what. */
export function aFreshCanary(weights: Readonly<Record<string, number>>): GivenResource[] {
  const groups = Object.keys(weights);
  const fresh = { arn: notKnownYet, arnSuffix: notKnownYet };
  const targetGroups = Object.values(weights).map((weight) => ({ arn: notKnownYet, weight }));
  return [
    ...groups.map((name) => aGroup(name, fresh)),
    aRule(
      "split",
      {},
      { listenerArn: notKnownYet, actions: [{ type: "forward", forward: { targetGroups } }] },
      { from: { actions: groups } },
    ),
  ];
}

/** An alarm of which the group is not known yet. */
export function aFreshAlarm(name: string, group: string, metricName: string): GivenResource {
  return {
    ...anAlarm(name, group, metricName, { dimensions: { LoadBalancer: notKnownYet, TargetGroup: notKnownYet } }),
    from: { dimensions: [group] },
  };
}
