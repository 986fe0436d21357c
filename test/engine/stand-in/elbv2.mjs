// With STAND_IN_ELBV2_ENDPOINT set, the load balancer's resources are real ones at an emulator (moto), so that the hook under test and
// the program see the same rules. A refresh looks at actions, conditions, priority and existence, nothing else.
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";
import {
  healthCheck,
  liveActions,
  liveConditions,
  loadBalancerAttributes,
  lookedUpActions,
  refuseUnmirrored,
  targetGroupAttributes,
  toActions,
  toConditions,
} from "./elbv2-shapes.mjs";
import { arnSuffixOf, DEFAULT_REGION, lbOutputs } from "./resources.mjs";
import { Refused } from "./wire.mjs";

const NOT_FOUND = /^(LoadBalancer|TargetGroup|Listener|Rule)NotFound(Exception)?$/;

export function elbv2Mirror(endpoint, region = DEFAULT_REGION) {
  const client = new elb.ElasticLoadBalancingV2Client({
    endpoint,
    region,
    credentials: { accessKeyId: "stand-in", secretAccessKey: "stand-in" },
  });
  const send = (Command, input) => client.send(new Command(input));
  const tagsOf = (inputs) => {
    const tags = Object.entries(inputs.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
    return tags.length ? { Tags: tags } : {};
  };

  async function retag(arn, inputs, oldInputs) {
    const gone = Object.keys(oldInputs.tags ?? {}).filter((key) => !(key in (inputs.tags ?? {})));
    if (gone.length) await send(elb.RemoveTagsCommand, { ResourceArns: [arn], TagKeys: gone });
    if (inputs.tags) await send(elb.AddTagsCommand, { ResourceArns: [arn], ...tagsOf(inputs) });
  }

  const lb = {
    async create(inputs, name) {
      refuseUnmirrored("loadBalancer", inputs);
      const { LoadBalancers } = await send(elb.CreateLoadBalancerCommand, {
        Name: name,
        Type: inputs.loadBalancerType ?? "application",
        Scheme: inputs.internal ? "internal" : "internet-facing",
        Subnets: inputs.subnets,
        SecurityGroups: inputs.securityGroups,
        IpAddressType: inputs.ipAddressType,
        ...tagsOf(inputs),
      });
      await lb.setAttributes(LoadBalancers[0].LoadBalancerArn, inputs);
      return lb.answer(LoadBalancers[0], inputs);
    },
    answer: (live, inputs) => ({
      id: live.LoadBalancerArn,
      outputs: { ...lbOutputs(live.LoadBalancerArn, live.LoadBalancerName, inputs, live.DNSName), vpcId: live.VpcId },
    }),
    async setAttributes(id, inputs) {
      const Attributes = loadBalancerAttributes(inputs);
      if (Attributes.length) await send(elb.ModifyLoadBalancerAttributesCommand, { LoadBalancerArn: id, Attributes });
    },
    async read(id, inputs) {
      const { LoadBalancers } = await send(elb.DescribeLoadBalancersCommand, { LoadBalancerArns: [id] });
      return { inputs, outputs: lb.answer(LoadBalancers[0], inputs).outputs };
    },
    async update(id, inputs, changed) {
      refuseUnmirrored("loadBalancer", inputs);
      await lb.setAttributes(id, inputs);
      if (changed.includes("subnets"))
        await send(elb.SetSubnetsCommand, { LoadBalancerArn: id, Subnets: inputs.subnets });
      if (changed.includes("securityGroups"))
        await send(elb.SetSecurityGroupsCommand, { LoadBalancerArn: id, SecurityGroups: inputs.securityGroups });
      if (changed.includes("ipAddressType")) throw new Refused("mirroring a changed loadBalancer.ipAddressType");
    },
    delete: (id) => send(elb.DeleteLoadBalancerCommand, { LoadBalancerArn: id }),
  };

  const targetGroup = {
    async create(inputs, name) {
      refuseUnmirrored("targetGroup", inputs);
      const { TargetGroups } = await send(elb.CreateTargetGroupCommand, {
        Name: name,
        Port: inputs.port,
        Protocol: inputs.protocol,
        ProtocolVersion: inputs.protocolVersion,
        VpcId: inputs.vpcId,
        TargetType: inputs.targetType,
        IpAddressType: inputs.ipAddressType,
        ...healthCheck(inputs.healthCheck),
        ...tagsOf(inputs),
      });
      await targetGroup.setAttributes(TargetGroups[0].TargetGroupArn, inputs);
      return targetGroup.answer(TargetGroups[0]);
    },
    answer: (live) => {
      const arn = live.TargetGroupArn;
      const outputs = { arn, arnSuffix: arnSuffixOf(arn), name: live.TargetGroupName, targetType: live.TargetType };
      return { id: arn, outputs: { ...outputs, loadBalancerArns: live.LoadBalancerArns ?? [] } };
    },
    async setAttributes(id, inputs) {
      const Attributes = targetGroupAttributes(inputs);
      if (Attributes.length) await send(elb.ModifyTargetGroupAttributesCommand, { TargetGroupArn: id, Attributes });
    },
    async read(id, inputs) {
      const { TargetGroups } = await send(elb.DescribeTargetGroupsCommand, { TargetGroupArns: [id] });
      return { inputs, outputs: targetGroup.answer(TargetGroups[0]).outputs };
    },
    async update(id, inputs, changed) {
      refuseUnmirrored("targetGroup", inputs);
      await targetGroup.setAttributes(id, inputs);
      if (changed.includes("healthCheck"))
        await send(elb.ModifyTargetGroupCommand, { TargetGroupArn: id, ...healthCheck(inputs.healthCheck) });
    },
    delete: (id) => send(elb.DeleteTargetGroupCommand, { TargetGroupArn: id }),
  };

  const listenerInput = (inputs) => ({
    Port: inputs.port,
    Protocol: inputs.protocol,
    SslPolicy: inputs.sslPolicy,
    Certificates: inputs.certificateArn ? [{ CertificateArn: inputs.certificateArn }] : undefined,
    DefaultActions: toActions(inputs.defaultActions),
  });
  const listener = {
    async create(inputs) {
      refuseUnmirrored("listener", inputs);
      const { Listeners } = await send(elb.CreateListenerCommand, {
        LoadBalancerArn: inputs.loadBalancerArn,
        ...listenerInput(inputs),
        ...tagsOf(inputs),
      });
      return {
        id: Listeners[0].ListenerArn,
        outputs: { arn: Listeners[0].ListenerArn, protocol: Listeners[0].Protocol },
      };
    },
    async read(id, inputs) {
      const { Listeners } = await send(elb.DescribeListenersCommand, { ListenerArns: [id] });
      const defaultActions = liveActions(inputs.defaultActions, Listeners[0].DefaultActions);
      const answered = { ...inputs, loadBalancerArn: Listeners[0].LoadBalancerArn, defaultActions };
      return { inputs: answered, outputs: { ...answered, arn: id, protocol: Listeners[0].Protocol } };
    },
    async update(id, inputs) {
      refuseUnmirrored("listener", inputs);
      await send(elb.ModifyListenerCommand, { ListenerArn: id, ...listenerInput(inputs) });
    },
    delete: (id) => send(elb.DeleteListenerCommand, { ListenerArn: id }),
  };

  const listenerRule = {
    async create(inputs) {
      refuseUnmirrored("listenerRule", inputs);
      if (!inputs.priority) throw new Refused("mirroring a listenerRule without priority");
      const { Rules } = await send(elb.CreateRuleCommand, {
        ListenerArn: inputs.listenerArn,
        Priority: inputs.priority,
        Actions: toActions(inputs.actions),
        Conditions: toConditions(inputs.conditions),
        ...tagsOf(inputs),
      });
      return { id: Rules[0].RuleArn, outputs: { arn: Rules[0].RuleArn, priority: inputs.priority } };
    },
    async read(id, inputs) {
      const { Rules } = await send(elb.DescribeRulesCommand, { RuleArns: [id] });
      const answered = {
        ...inputs,
        priority: Number(Rules[0].Priority),
        actions: liveActions(inputs.actions, Rules[0].Actions),
        conditions: liveConditions(inputs.conditions, Rules[0].Conditions),
      };
      return { inputs: answered, outputs: { ...answered, arn: id } };
    },
    async update(id, inputs, changed) {
      refuseUnmirrored("listenerRule", inputs);
      // Only what changed is sent, as the real provider does: a changed tag must not write weights.
      const parts = {};
      if (changed.includes("actions")) parts.Actions = toActions(inputs.actions);
      if (changed.includes("conditions")) parts.Conditions = toConditions(inputs.conditions);
      if (Object.keys(parts).length) await send(elb.ModifyRuleCommand, { RuleArn: id, ...parts });
      if (changed.includes("priority"))
        await send(elb.SetRulePrioritiesCommand, { RulePriorities: [{ RuleArn: id, Priority: inputs.priority }] });
    },
    delete: (id) => send(elb.DeleteRuleCommand, { RuleArn: id }),
  };

  const kinds = {
    "aws:lb/loadBalancer:LoadBalancer": lb,
    "aws:lb/targetGroup:TargetGroup": targetGroup,
    "aws:lb/listener:Listener": listener,
    "aws:lb/listenerRule:ListenerRule": listenerRule,
  };
  const unlessGone = async (call) => {
    try {
      return await call();
    } catch (error) {
      if (NOT_FOUND.test(error.name)) return null;
      throw error;
    }
  };

  return {
    has: (type) => type in kinds,
    create: (type, inputs, name) => kinds[type].create(inputs, name),
    read: (type, id, inputs) => unlessGone(() => kinds[type].read(id, inputs)),
    async update(type, id, inputs, oldInputs, changed) {
      await kinds[type].update(id, inputs, changed);
      if (changed.includes("tags")) await retag(id, inputs, oldInputs);
    },
    delete: (type, id) => unlessGone(() => kinds[type].delete(id)),
    /** The look-ups answer from the emulator too; what it does not return keeps the stand-in's answer (`fallback`). */
    async lookUp(token, args, fallback) {
      const asked = (arns, names) => (args.arn ? { [arns]: [args.arn] } : { [names]: [args.name] });
      if (token === "aws:lb/getLoadBalancer:getLoadBalancer") {
        const { LoadBalancers } = await send(elb.DescribeLoadBalancersCommand, asked("LoadBalancerArns", "Names"));
        const { id, outputs } = lb.answer(LoadBalancers[0], {});
        const { AvailabilityZones = [], SecurityGroups = [] } = LoadBalancers[0];
        return {
          ...fallback,
          ...outputs,
          id,
          subnets: AvailabilityZones.map((zone) => zone.SubnetId),
          securityGroups: SecurityGroups,
        };
      }
      if (token === "aws:lb/getTargetGroup:getTargetGroup") {
        const { TargetGroups } = await send(elb.DescribeTargetGroupsCommand, asked("TargetGroupArns", "Names"));
        const { id, outputs } = targetGroup.answer(TargetGroups[0]);
        const { Port, Protocol, ProtocolVersion, VpcId } = TargetGroups[0];
        return {
          ...fallback,
          ...outputs,
          id,
          port: Port,
          protocol: Protocol,
          protocolVersion: ProtocolVersion,
          vpcId: VpcId,
        };
      }
      if (token !== "aws:lb/getListener:getListener") return fallback;
      const query = args.arn ? { ListenerArns: [args.arn] } : { LoadBalancerArn: args.loadBalancerArn };
      const { Listeners } = await send(elb.DescribeListenersCommand, query);
      const found = Listeners.find((one) => args.arn || one.Port === args.port);
      if (!found) throw new Error(`no listener on port ${args.port} of ${args.loadBalancerArn}`);
      const { ListenerArn: arn, LoadBalancerArn: loadBalancerArn, Port: port, Protocol: protocol } = found;
      return {
        ...fallback,
        id: arn,
        arn,
        loadBalancerArn,
        port,
        protocol,
        defaultActions: lookedUpActions(found.DefaultActions),
      };
    },
  };
}
