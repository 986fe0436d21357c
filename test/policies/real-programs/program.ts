/** What the ten public programs are described with. Every resource is written anew from what the program declares; no line is copied. */
import type { GivenResource } from "../policy-run.ts";

/** One public program, as far as its load balancer, its alarms and its roles go. */
export interface RealProgram {
  /** What it is, in words. */
  readonly likeThis: string;
  /** Public repository in which it can be read, with the file. */
  readonly readIn: string;
  readonly resources: readonly GivenResource[];
  /** What an SRE would say of it, and why. */
  readonly verdict: string;
  /** Every message, by policy; policies that are left out say nothing. */
  readonly refused: Readonly<Record<string, readonly string[]>>;
}

const account = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

export const arnOf = (group: string): string => `${account}:targetgroup/${group}/00000000000000aa`;
export const suffixOf = (group: string): string => `targetgroup/${group}/00000000000000aa`;
export const listenerArnOf = (balancer: string, listener: string): string =>
  `${account}:listener/app/${balancer}/1/${listener}`;

type Props = Readonly<Record<string, unknown>>;

export const group = (name: string, props: Props): GivenResource => ({
  type: "aws:lb/targetGroup:TargetGroup",
  name,
  props: { arn: arnOf(name), ...props },
});

export const listener = (name: string, props: Props): GivenResource => ({
  type: "aws:lb/listener:Listener",
  name,
  props: { arn: listenerArnOf("app", name), loadBalancerArn: `${account}:loadbalancer/app/app/1`, ...props },
});

export const rule = (name: string, props: Props, more: Partial<GivenResource> = {}): GivenResource => ({
  type: "aws:lb/listenerRule:ListenerRule",
  name,
  props,
  ...more,
});

export const alarm = (name: string, props: Props): GivenResource => ({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  name,
  props: { name, namespace: "AWS/ApplicationELB", evaluationPeriods: 2, period: 60, ...props },
});

/** One group has everything. */
export const allTo = (name: string): Props => ({ type: "forward", targetGroupArn: arnOf(name) });

/** Groups by weight. */
export const split = (weights: Readonly<Record<string, number>>, stickiness?: Props): Props => ({
  type: "forward",
  forward: {
    targetGroups: Object.entries(weights).map(([name, weight]) => ({ arn: arnOf(name), weight })),
    ...(stickiness ? { stickiness } : {}),
  },
});

export const host = (...values: string[]): Props => ({ hostHeader: { values } });
export const path = (...values: string[]): Props => ({ pathPattern: { values } });
