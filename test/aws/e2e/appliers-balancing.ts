/** Load balancer, listener, rules and target groups, on moto. */
import {
  type Action,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
  type RuleCondition,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Applier, Emulators } from "./emulator-provider.ts";
import type { Inputs } from "./inputs.ts";
import { query } from "./raw-aws.ts";

export function balancingAppliers({ elb, balancing }: Emulators): Readonly<Record<string, Applier>> {
  return {
    "aws:ec2/securityGroup:SecurityGroup": {
      async create(inputs, { outputs }) {
        const xml = await query(balancing, "ec2", {
          Action: "CreateSecurityGroup",
          GroupName: String(outputs.name),
          GroupDescription: inputs.text("description"),
          VpcId: inputs.text("vpcId"),
        });
        const id = /<groupId>([^<]+)<\/groupId>/.exec(xml)?.[1];
        if (id === undefined) throw new Error(`${inputs.place}: moto gave no id`);
        for (const [index, rule] of inputs.list("ingress").entries()) {
          await query(balancing, "ec2", {
            Action: "AuthorizeSecurityGroupIngress",
            GroupId: id,
            "IpPermissions.1.IpProtocol": rule.text("protocol"),
            "IpPermissions.1.FromPort": String(rule.number("fromPort")),
            "IpPermissions.1.ToPort": String(rule.number("toPort")),
            "IpPermissions.1.IpRanges.1.CidrIp": rule.texts("cidrBlocks")[0] ?? "",
            "IpPermissions.1.IpRanges.1.Description": `${rule.textIf("description") ?? "rule"} ${index}`,
          });
        }
        return { id };
      },
    },

    "aws:lb/loadBalancer:LoadBalancer": {
      async create(inputs) {
        const { LoadBalancers } = await elb.send(
          new CreateLoadBalancerCommand({
            Name: inputs.text("name"),
            Type: "application",
            Scheme: inputs.flag("internal") ? "internal" : "internet-facing",
            Subnets: inputs.texts("subnets"),
            SecurityGroups: inputs.texts("securityGroups"),
            Tags: inputs.tags,
          }),
        );
        const arn = given(inputs, LoadBalancers?.[0]?.LoadBalancerArn);
        const attributes = {
          "routing.http.drop_invalid_header_fields.enabled": inputs.flag("dropInvalidHeaderFields"),
          "deletion_protection.enabled": inputs.flag("enableDeletionProtection"),
        };
        await elb.send(
          new ModifyLoadBalancerAttributesCommand({
            LoadBalancerArn: arn,
            Attributes: Object.entries(attributes).map(([Key, value]) => ({ Key, Value: String(value) })),
          }),
        );
        return { arn };
      },
    },

    "aws:lb/listener:Listener": {
      async create(inputs) {
        const { Listeners } = await elb.send(
          new CreateListenerCommand({
            LoadBalancerArn: inputs.text("loadBalancerArn"),
            Protocol: inputs.text("protocol") as "HTTP",
            Port: inputs.number("port"),
            DefaultActions: inputs.list("defaultActions").map(actionOf),
            Tags: inputs.tags,
          }),
        );
        return { arn: given(inputs, Listeners?.[0]?.ListenerArn) };
      },
    },

    "aws:lb/targetGroup:TargetGroup": {
      async create(inputs, { outputs }) {
        const check = inputs.object("healthCheck");
        const { TargetGroups } = await elb.send(
          new CreateTargetGroupCommand({
            Name: String(outputs.name),
            Protocol: inputs.text("protocol") as "HTTP",
            Port: inputs.number("port"),
            VpcId: inputs.text("vpcId"),
            TargetType: inputs.text("targetType") as "ip",
            HealthCheckPath: check?.textIf("path"),
            HealthCheckIntervalSeconds: check?.numberIf("interval"),
            HealthCheckTimeoutSeconds: check?.numberIf("timeout"),
            HealthyThresholdCount: check?.numberIf("healthyThreshold"),
            UnhealthyThresholdCount: check?.numberIf("unhealthyThreshold"),
            Tags: inputs.tags,
          }),
        );
        const arn = given(inputs, TargetGroups?.[0]?.TargetGroupArn);
        await elb.send(
          new ModifyTargetGroupAttributesCommand({
            TargetGroupArn: arn,
            Attributes: [
              { Key: "deregistration_delay.timeout_seconds", Value: String(inputs.number("deregistrationDelay")) },
              { Key: "slow_start.duration_seconds", Value: String(inputs.numberIf("slowStart") ?? 0) },
            ],
          }),
        );
        // The service's own scheduler does this on AWS.
        await elb.send(
          new RegisterTargetsCommand({
            TargetGroupArn: arn,
            Targets: ["10.0.0.10", "10.0.0.11"].map((Id) => ({ Id, Port: inputs.number("port") })),
          }),
        );
        return { arn };
      },
    },

    "aws:lb/listenerRule:ListenerRule": {
      async create(inputs) {
        const { Rules } = await elb.send(
          new CreateRuleCommand({
            ListenerArn: inputs.text("listenerArn"),
            Priority: inputs.number("priority"),
            Conditions: inputs.list("conditions").map(conditionOf),
            Actions: inputs.list("actions").map(actionOf),
            Tags: inputs.tags,
          }),
        );
        return { arn: given(inputs, Rules?.[0]?.RuleArn) };
      },
      async update(inputs, { id }) {
        await elb.send(new ModifyRuleCommand({ RuleArn: id, Actions: inputs.list("actions").map(actionOf) }));
      },
    },
  };
}

function given(inputs: Inputs, arn: string | undefined): string {
  if (arn === undefined) throw new Error(`${inputs.place}: the emulator gave no ARN`);
  return arn;
}

function actionOf(action: Inputs): Action {
  const Type = action.text("type");
  const fixed = action.object("fixedResponse");
  if (Type === "fixed-response" && fixed) {
    const FixedResponseConfig = {
      StatusCode: fixed.text("statusCode"),
      ContentType: fixed.text("contentType"),
      MessageBody: fixed.text("messageBody"),
    };
    return { Type, FixedResponseConfig };
  }
  const forward = action.object("forward");
  if (Type !== "forward" || !forward)
    throw new Error(`${action.place}: action ${Type} is not applied to the emulators`);
  const sticky = forward.object("stickiness");
  return {
    Type,
    ForwardConfig: {
      TargetGroups: forward
        .list("targetGroups")
        .map((group) => ({ TargetGroupArn: group.text("arn"), Weight: group.number("weight") })),
      TargetGroupStickinessConfig:
        sticky === undefined
          ? { Enabled: false }
          : { Enabled: sticky.flag("enabled"), DurationSeconds: sticky.number("duration") },
    },
  };
}

function conditionOf(condition: Inputs): RuleCondition {
  const [kind] = condition.keys;
  const value = kind === undefined ? undefined : condition.object(kind);
  switch (kind) {
    case "hostHeader":
      return { Field: "host-header", HostHeaderConfig: { Values: value?.texts("values") } };
    case "pathPattern":
      return { Field: "path-pattern", PathPatternConfig: { Values: value?.texts("values") } };
    case "sourceIp":
      return { Field: "source-ip", SourceIpConfig: { Values: value?.texts("values") } };
    case "httpHeader":
      return {
        Field: "http-header",
        HttpHeaderConfig: { HttpHeaderName: value?.text("httpHeaderName"), Values: value?.texts("values") },
      };
  }
  throw new Error(`${condition.place}: condition ${kind} is not applied to the emulators`);
}
