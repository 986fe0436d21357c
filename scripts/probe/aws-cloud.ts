/** The probe's port on a scene in AWS. Writes are tried once: throttling is a finding and not a fault. */
import { type CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  type Action,
  CreateRuleCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { AwsScene } from "./aws-scene.ts";
import {
  type Answer,
  CallRefusedError,
  type ProbeAction,
  type ProbeCloud,
  type ProbeGroup,
  type ProbeRule,
  probeGroups,
  ThrottledError,
} from "./cloud.ts";

export interface AwsCloudArgs {
  readonly scene: AwsScene;
  readonly cloudWatch: CloudWatchClient;
  /** For everything but writes of weights. */
  readonly elb: ElasticLoadBalancingV2Client;
  /** For writes of weights: `maxAttempts: 1`, or throttling would be waited out unseen. */
  readonly elbOnce: ElasticLoadBalancingV2Client;
  readonly run: string;
  readonly ask: (path: string, cookie?: string) => Promise<Answer>;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** TEST-NET-1 (RFC 5737), as Tidegate's own anchor rule has it. */
const nobody = "192.0.2.1/32";

export function awsProbeCloud(args: AwsCloudArgs): ProbeCloud {
  const { scene, elb, elbOnce, cloudWatch } = args;
  let rules = 0;

  const forward = ({ weights, stickinessSeconds }: ProbeAction): Action => ({
    Type: "forward",
    ForwardConfig: {
      TargetGroups: probeGroups.flatMap((group) => {
        const Weight = weights[group];
        return Weight === undefined ? [] : [{ TargetGroupArn: scene.groupArns[group], Weight }];
      }),
      // Left out where off: that is the very thing that one belief is about.
      ...(stickinessSeconds === undefined
        ? {}
        : { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: stickinessSeconds } }),
    },
  });

  const groupOf = (arn: string | undefined): ProbeGroup | undefined =>
    probeGroups.find((group) => scene.groupArns[group] === arn);

  return {
    async makeRule(match, action, tags = {}): Promise<ProbeRule> {
      rules += 1;
      const path = `/probe-${rules}`;
      const made = await elb.send(
        new CreateRuleCommand({
          ListenerArn: scene.listenerArn,
          Priority: rules,
          Conditions: [
            match === "path"
              ? { Field: "path-pattern", Values: [path] }
              : { Field: "source-ip", SourceIpConfig: { Values: [nobody] } },
          ],
          Actions: [forward(action)],
          Tags: Object.entries({ ...tags, "tidegate:probe": args.run }).map(([Key, Value]) => ({ Key, Value })),
        }),
      );
      const arn = made.Rules?.[0]?.RuleArn;
      if (arn === undefined) throw new Error(`rule ${path}: no ARN in AWS's answer`);
      return { arn, path };
    },

    async writeRule(rule, action) {
      try {
        await elbOnce.send(new ModifyRuleCommand({ RuleArn: rule.arn, Actions: [forward(action)] }));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (/throttl|RequestLimitExceeded|TooManyRequests/i.test(error.name))
          throw new ThrottledError(error.message, { cause: error });
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
        if (status !== undefined && status >= 400 && status < 500 && status !== 403)
          throw new CallRefusedError(`${error.name}: ${error.message}`, { cause: error });
        throw error;
      }
    },

    async readRule(rule) {
      const answer = await elb.send(new DescribeRulesCommand({ RuleArns: [rule.arn] }));
      const config = answer.Rules?.[0]?.Actions?.[0]?.ForwardConfig;
      const weights: Partial<Record<ProbeGroup, number>> = {};
      for (const { TargetGroupArn, Weight } of config?.TargetGroups ?? []) {
        const group = groupOf(TargetGroupArn);
        if (group !== undefined && Weight !== undefined) weights[group] = Weight;
      }
      const sticky = config?.TargetGroupStickinessConfig;
      return sticky?.Enabled && sticky.DurationSeconds !== undefined
        ? { weights, stickinessSeconds: sticky.DurationSeconds }
        : { weights };
    },

    async tagsOf(rule) {
      const answer = await elb.send(new DescribeTagsCommand({ ResourceArns: [rule.arn] }));
      const tags = answer.TagDescriptions?.[0]?.Tags ?? [];
      return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
    },

    async targetStates(group) {
      const answer = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: scene.groupArns[group] }));
      return (answer.TargetHealthDescriptions ?? []).flatMap(({ TargetHealth }) => TargetHealth?.State ?? []);
    },

    async requestSum(group, minuteStart) {
      const arn = scene.groupArns[group];
      const answer = await cloudWatch.send(
        new GetMetricStatisticsCommand({
          Namespace: "AWS/ApplicationELB",
          MetricName: "RequestCount",
          Dimensions: [
            { Name: "TargetGroup", Value: arn.slice(arn.indexOf("targetgroup/")) },
            { Name: "LoadBalancer", Value: scene.loadBalancerSuffix },
          ],
          StartTime: new Date(minuteStart),
          EndTime: new Date(minuteStart + 60_000),
          Period: 60,
          Statistics: ["Sum"],
        }),
      );
      return answer.Datapoints?.[0]?.Sum;
    },

    ask: (rule, cookie) => args.ask(rule.path, cookie),
    now: args.now,
    sleep: args.sleep,
  };
}
