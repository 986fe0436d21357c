/**
 * A load balancer as some team has it in production, made past Pulumi on the emulator: rules of every kind, weights, stickiness, tags,
 * attributes, registered targets. All of it can be dumped whole, so that "as it was found" is a comparison and not an impression.
 */
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  type CreateRuleCommandInput,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyLoadBalancerAttributesCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
  type Rule,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { ruleTags } from "../../hooks/aws/traffic.ts";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { motoNetwork } from "./moto-network.ts";

export interface ForeignEstate {
  readonly region: string;
  readonly vpcId: string;
  readonly loadBalancerArn: string;
  readonly listenerArn: string;
  /** By the short name that `groupNames` gives. */
  readonly groups: Readonly<Record<GroupName, string>>;
  /** ARNs of the rules, by priority. */
  readonly rules: Readonly<Record<number, string>>;
}

const groupNames = ["web", "checkout-blue", "checkout-green", "search", "api", "legacy"] as const;
export type GroupName = (typeof groupNames)[number];

const client = (region: string) => new ElasticLoadBalancingV2Client({ region });

/**
 * @param prefix keeps the names of two estates on one emulator apart
 * @param region other test files register targets with every group of theirs
 */
export async function buildEstate(prefix: string, region: string): Promise<ForeignEstate> {
  const elb = client(region);
  const network = await motoNetwork(emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"), region);
  const made = await elb.send(
    new CreateLoadBalancerCommand({
      Name: `${prefix}-shop`,
      Subnets: network.subnetIds,
      Tags: [{ Key: "team", Value: "shop" }],
    }),
  );
  const loadBalancerArn = made.LoadBalancers?.[0]?.LoadBalancerArn ?? "";
  await elb.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn: loadBalancerArn,
      Attributes: [
        { Key: "idle_timeout.timeout_seconds", Value: "75" },
        { Key: "routing.http.drop_invalid_header_fields.enabled", Value: "true" },
      ],
    }),
  );
  const groups: Partial<Record<GroupName, string>> = {};
  for (const [index, name] of groupNames.entries())
    groups[name] = await makeGroup(elb, `${prefix}-${name}`, network.vpcId, index);
  const all = groups as Record<GroupName, string>;
  const listener = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [{ Type: "forward", TargetGroupArn: all.web }],
      Tags: [{ Key: "team", Value: "shop" }],
    }),
  );
  const listenerArn = listener.Listeners?.[0]?.ListenerArn ?? "";
  const rules: Record<number, string> = {};
  for (const rule of rulesOf(all)) {
    const { Rules } = await elb.send(new CreateRuleCommand({ ListenerArn: listenerArn, ...rule }));
    rules[Number(rule.Priority)] = Rules?.[0]?.RuleArn ?? "";
  }
  return { region, vpcId: network.vpcId, loadBalancerArn, listenerArn, groups: all, rules };
}

async function makeGroup(
  elb: ElasticLoadBalancingV2Client,
  name: string,
  vpcId: string,
  index: number,
): Promise<string> {
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({
      Name: name,
      Protocol: "HTTP",
      Port: 8_080,
      VpcId: vpcId,
      TargetType: "ip",
      HealthCheckPath: "/ready",
      HealthCheckIntervalSeconds: 12,
      Tags: [{ Key: "team", Value: "shop" }],
    }),
  );
  const arn = TargetGroups?.[0]?.TargetGroupArn ?? "";
  await elb.send(
    new ModifyTargetGroupAttributesCommand({
      TargetGroupArn: arn,
      Attributes: [{ Key: "deregistration_delay.timeout_seconds", Value: String(45 + index) }],
    }),
  );
  await elb.send(
    new RegisterTargetsCommand({
      TargetGroupArn: arn,
      Targets: [1, 2].map((host) => ({ Id: `172.31.${index}.${host}`, Port: 8_080 })),
    }),
  );
  return arn;
}

type NewRule = Omit<CreateRuleCommandInput, "ListenerArn">;

/** Conditions of every kind, weights, stickiness, tags; rule 200 is the one that is adopted. */
function rulesOf(groups: Readonly<Record<GroupName, string>>): NewRule[] {
  const to = (arn: string) => [{ Type: "forward" as const, TargetGroupArn: arn }];
  const host = (...values: string[]) => ({ Field: "host-header", HostHeaderConfig: { Values: values } });
  const path = (...values: string[]) => ({ Field: "path-pattern", PathPatternConfig: { Values: values } });
  return [
    {
      Priority: 20,
      Conditions: [{ Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "X-Legacy", Values: ["yes*"] } }],
      Actions: to(groups.legacy),
      Tags: [{ Key: "owner", Value: "legacy-team" }],
    },
    {
      Priority: 100,
      Conditions: [
        host("shop.example.com"),
        path("/search/*"),
        { Field: "query-string", QueryStringConfig: { Values: [{ Key: "engine", Value: "next*" }] } },
      ],
      Actions: [
        {
          Type: "forward",
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: groups.search, Weight: 80 },
              { TargetGroupArn: groups.web, Weight: 20 },
            ],
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 600 },
          },
        },
      ],
      Tags: [
        { Key: "owner", Value: "search" },
        { Key: "ticket", Value: "S-17" },
      ],
    },
    {
      Priority: 200,
      Conditions: [host("shop.example.com"), path("/checkout/*", "/cart/*")],
      Actions: to(groups["checkout-blue"]),
    },
    {
      Priority: 201,
      Conditions: [
        host("shop.example.com"),
        { Field: "http-request-method", HttpRequestMethodConfig: { Values: ["POST"] } },
      ],
      Actions: to(groups.api),
    },
    {
      Priority: 300,
      Conditions: [path("/old/*"), { Field: "source-ip", SourceIpConfig: { Values: ["10.0.0.0/8"] } }],
      Actions: [
        { Type: "redirect", RedirectConfig: { Protocol: "HTTPS", Host: "#{host}", Path: "/", StatusCode: "HTTP_301" } },
      ],
    },
    {
      Priority: 400,
      Conditions: [path("/teapot")],
      Actions: [
        {
          Type: "fixed-response",
          FixedResponseConfig: { StatusCode: "418", ContentType: "text/plain", MessageBody: "no" },
        },
      ],
    },
  ];
}

/** Everything that can be read: what is theirs, to compare with another dump; what hangs where; and our own rules. */
export async function dumpEstate(estate: ForeignEstate) {
  const elb = client(estate.region);
  const rules = await allRules(elb, estate.listenerArn);
  const tags = await tagsOf(elb, [
    estate.loadBalancerArn,
    estate.listenerArn,
    ...Object.values(estate.groups),
    ...rules.map(({ RuleArn }) => RuleArn ?? ""),
  ]);
  const isOurs = (arn: string | undefined) => (tags[arn ?? ""] ?? []).some(({ Key }) => Key === ruleTags.service);
  const { Listeners } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: estate.loadBalancerArn }));
  const { LoadBalancers } = await elb.send(
    new DescribeLoadBalancersCommand({ LoadBalancerArns: [estate.loadBalancerArn] }),
  );
  const { Attributes } = await elb.send(
    new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: estate.loadBalancerArn }),
  );
  const groups: Record<string, unknown> = {};
  for (const [name, arn] of Object.entries(estate.groups)) groups[name] = await dumpGroup(elb, arn);
  const theirs = rules.filter(({ RuleArn }) => !isOurs(RuleArn));
  const theirThings = {
    loadBalancers: LoadBalancers,
    loadBalancerAttributes: Attributes,
    listeners: Listeners,
    rules: theirs,
    groups,
    tags: Object.fromEntries(Object.entries(tags).filter(([arn]) => !isOurs(arn))),
  };
  // A group hangs on the load balancer while any rule names it, ours too; the emulator's own field is never taken back.
  const attached = Object.keys(estate.groups).filter((name) =>
    JSON.stringify(rules.map(({ Actions }) => Actions)).includes(estate.groups[name as GroupName]),
  );
  return { theirs: theirThings, attached, ours: rules.filter(({ RuleArn }) => isOurs(RuleArn)) };
}

/** A group's own settings and targets, without what it hangs on. */
async function dumpGroup(elb: ElasticLoadBalancingV2Client, arn: string) {
  const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
  const { Attributes } = await elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn }));
  const { TargetHealthDescriptions } = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }));
  const { LoadBalancerArns: _, ...settings } = TargetGroups?.[0] ?? {};
  const targets = (TargetHealthDescriptions ?? []).map(({ Target }) => `${Target?.Id}:${Target?.Port}`).sort();
  return { settings, attributes: Attributes, targets };
}

/** All rules of the listener, in the order in which they are tried. */
export async function allRules(elb: ElasticLoadBalancingV2Client, listenerArn: string): Promise<Rule[]> {
  const { Rules } = await elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
  const place = ({ Priority }: Rule) => (Priority === "default" ? Number.POSITIVE_INFINITY : Number(Priority));
  return [...(Rules ?? [])].sort((left, right) => place(left) - place(right));
}

async function tagsOf(elb: ElasticLoadBalancingV2Client, arns: readonly string[]) {
  const found: Record<string, { Key?: string; Value?: string }[]> = {};
  for (let at = 0; at < arns.length; at += 20) {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ ResourceArns: arns.slice(at, at + 20) }));
    for (const { ResourceArn, Tags } of TagDescriptions ?? []) found[ResourceArn ?? ""] = Tags ?? [];
  }
  return found;
}
