/**
 * Makes captured resources real in the local cloud, type by type. A type is either modelled here, or on the list (`known-types.ts`) of
 * those that change nothing in a rehearsal and why; any other, and any property that is not known, is refused by name.
 */
import { readForward } from "../../components/rule-shapes.ts";
import type { Instant } from "../../core/record.ts";
import { stableJson } from "../../core/stable-json.ts";
import type { ForwardAction } from "../../hooks/ports.ts";
import { drillMetricName } from "../../infra/hook-alarms.ts";
import type { CloudWatch } from "../cloudwatch/cloudwatch.ts";
import type { CapturedResource } from "../engine/capture.ts";
import type { Provider } from "../engine/engine.ts";
import { NotRehearsedError, ProviderRefusedError } from "../engine/errors.ts";
import { type PlainInputs, type PlainValue, textField } from "../engine/plain-inputs.ts";
import type { Autoscaling } from "../workloads/autoscaling.ts";
import { processesType } from "../workloads/declare.ts";
import type { EventBus } from "./event-bus.ts";
import type { FlagDocuments } from "./flags.ts";
import { known, withoutBehaviour } from "./known-types.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import { refuseUnpublished } from "./metrics-feed.ts";
import type { Notifications } from "./notifications.ts";
import type { RecordTable } from "./record-table.ts";
import { surveyedConditions } from "./surveyor.ts";

export interface ProviderParts {
  readonly balancers: LoadBalancers;
  readonly cloudWatch: CloudWatch;
  readonly bus: EventBus;
  readonly table: RecordTable;
  readonly flags: FlagDocuments;
  readonly notifications: Notifications;
  /** @default processes are not modelled, and refused */
  readonly autoscaling?: Autoscaling;
  readonly hostsPerGroup: number;
  /** Unit: seconds. */
  readonly hostsReadyAfterSeconds: number;
  readonly now: () => Instant;
  /** Invokes the hook with an opening's input or a version's self-test; throws what the hook throws. */
  readonly invoke: (input: string, action: "create" | "update" | "delete") => Promise<void>;
}

type Write = (resource: CapturedResource, before: PlainInputs | undefined) => void | Promise<void>;

interface Handler {
  readonly write: Write;
  readonly delete: (resource: CapturedResource) => void | Promise<void>;
}

const ruleType = "aws:lb/listenerRule:ListenerRule";

/** The provider over the parts of one local cloud. */
export function localProvider(parts: ProviderParts): Provider {
  const handlers = handlersOf(parts);
  const handlerFor = (resource: CapturedResource): Handler => {
    const handler = handlers[resource.type];
    if (handler) return handler;
    if (resource.type in withoutBehaviour) return { write: () => {}, delete: () => {} };
    throw new NotRehearsedError(`${resource.key}: a resource type that the local cloud does not model`);
  };
  const refuseUnknown = (resource: CapturedResource): void => {
    const unknown = Object.keys(resource.inputs).filter((key) => known[resource.type]?.includes(key) === false);
    if (unknown.length > 0)
      throw new NotRehearsedError(`${resource.key}: the properties ${unknown.join(", ")} are not modelled`);
  };
  return {
    refresh: (resource) => refreshOf(parts, resource),
    create: async (resource) => {
      refuseUnknown(resource);
      await handlerFor(resource).write(resource, undefined);
    },
    update: async (resource, before) => {
      refuseUnknown(resource);
      await handlerFor(resource).write(resource, before);
    },
    delete: async (resource) => {
      await handlerFor(resource).delete(resource);
    },
  };
}

/** Rules and alarms are what others change; the rest is as it was written. */
function refreshOf({ balancers, cloudWatch }: ProviderParts, resource: CapturedResource): PlainInputs | undefined {
  if (resource.type === ruleType) {
    const live = balancers.rule(resource.id)?.action;
    if (!live) return undefined;
    const written = readForward(resource.inputs);
    return stableJson(written) === stableJson(live)
      ? resource.inputs
      : { ...resource.inputs, actions: [plainForward(live)] };
  }
  if (resource.type.endsWith("Alarm")) {
    return cloudWatch.describe([resource.id]).length === 0 ? undefined : resource.inputs;
  }
  return resource.inputs;
}

function plainForward({ weights, stickinessSeconds }: ForwardAction): PlainValue {
  return {
    type: "forward",
    forward: {
      targetGroups: Object.entries(weights).map(([arn, weight]) => ({ arn, weight })),
      ...(stickinessSeconds === undefined ? {} : { stickiness: { enabled: true, duration: stickinessSeconds } }),
    },
  };
}

function handlersOf(parts: ProviderParts): Readonly<Record<string, Handler>> {
  return {
    ...balancing(parts),
    ...watching(parts),
    ...waking(parts),
    ...keeping(parts),
    ...flagging(parts),
    ...running(parts),
  };
}

function balancing({ balancers, now, hostsPerGroup, hostsReadyAfterSeconds }: ProviderParts): Record<string, Handler> {
  return {
    "aws:lb/targetGroup:TargetGroup": {
      write: (resource, before) => {
        const stickiness = resource.inputs.stickiness;
        if (typeof stickiness === "object" && stickiness !== null && Reflect.get(stickiness, "enabled") === true) {
          throw new NotRehearsedError(`${resource.key}: stickiness of a target group's own is not modelled`);
        }
        if (!before) balancers.addTargetGroup(resource.id, hostsPerGroup, now() + hostsReadyAfterSeconds * 1_000);
      },
      delete: (resource) => balancers.deleteTargetGroup(resource.id),
    },
    "aws:lb/loadBalancer:LoadBalancer": {
      write: (resource) => balancers.addLoadBalancer(textField(resource.inputs, "name", resource.key), resource.id),
      delete: (resource) => {
        if (resource.inputs.enableDeletionProtection === true) {
          throw new ProviderRefusedError(`${resource.key}: deletion protection is on; turn it off first`);
        }
        balancers.deleteLoadBalancer(textField(resource.inputs, "name", resource.key));
      },
    },
    "aws:lb/listener:Listener": {
      write: (resource, before) => {
        if (!before) balancers.addListener(resource.id, textField(resource.inputs, "loadBalancerArn", resource.key));
      },
      delete: (resource) => balancers.deleteListener(resource.id),
    },
    [ruleType]: {
      write: (resource, before) => {
        const { inputs, id: arn, key } = resource;
        const action = readForward(inputs);
        const priority = Number(inputs.priority);
        const tags = textFields(inputs.tags, `${key}: tags`);
        const conditions = surveyedConditions(inputs.conditions);
        if (before) balancers.modifyRule(arn, { priority, tags, conditions, ...changedAction(before, action) }, "up");
        else {
          const listenerArn = textField(inputs, "listenerArn", key);
          balancers.createRule({ arn, listenerArn, priority, tags, conditions, action });
        }
      },
      delete: (resource) => balancers.deleteRule(resource.id),
    },
  };
}

function changedAction(before: PlainInputs, action: ForwardAction): { action?: ForwardAction } {
  return stableJson(readForward(before)) === stableJson(action) ? {} : { action };
}

function watching({ cloudWatch, notifications, now }: ProviderParts): Record<string, Handler> {
  const remove = (resource: CapturedResource): void => {
    if (cloudWatch.describe([resource.id]).length > 0) cloudWatch.deleteAlarm(resource.id);
  };
  return {
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
      write: (resource) => {
        const { inputs, key } = resource;
        // The drill's alarm is on a metric that nobody publishes, as on AWS; it rings only when it is set by hand.
        const isDrill = inputs.metricName === drillMetricName;
        if (inputs.metricQueries === undefined && !isDrill) {
          refuseUnpublished(key, inputs.namespace, inputs.metricName);
        }
        for (const query of Array.isArray(inputs.metricQueries) ? inputs.metricQueries : []) {
          const metric: unknown =
            typeof query === "object" && query !== null ? Reflect.get(query, "metric") : undefined;
          if (typeof metric !== "object" || metric === null) continue;
          refuseUnpublished(key, Reflect.get(metric, "namespace"), Reflect.get(metric, "metricName"));
        }
        cloudWatch.putMetricAlarm(inputs, now());
      },
      delete: remove,
    },
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
      write: (resource) => cloudWatch.putCompositeAlarm(resource.inputs, now()),
      delete: remove,
    },
    "aws:sns/topic:Topic": {
      write: (resource) => notifications.putTopic(resource.id),
      delete: (resource) => notifications.deleteTopic(resource.id),
    },
    "aws:sns/topicSubscription:TopicSubscription": {
      write: ({ inputs, id, key }) => {
        refuseFilter(inputs, key);
        notifications.putSubscription(id, textField(inputs, "topic", key), recipientOf(inputs, key));
      },
      delete: (resource) => notifications.deleteSubscription(resource.id),
    },
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": {
      write: ({ inputs, id, key }) => {
        const [topic, ...more] = Array.isArray(inputs.snsTopicArns) ? inputs.snsTopicArns : [];
        if (typeof topic !== "string" || more.length > 0) {
          throw new NotRehearsedError(`${key}: snsTopicArns: expected one topic a channel`);
        }
        notifications.putSubscription(id, topic, `Slack channel ${textField(inputs, "slackChannelId", key)}`);
      },
      delete: (resource) => notifications.deleteSubscription(resource.id),
    },
  };
}

/** Topics carry alarms here, which have no attributes: what only asks for the absence of some lets every one of them through. */
function refuseFilter({ filterPolicy }: PlainInputs, key: string): void {
  if (filterPolicy === undefined) return;
  const fields: unknown = typeof filterPolicy === "string" ? JSON.parse(filterPolicy) : undefined;
  const wanted = typeof fields === "object" && fields !== null ? Object.values(fields) : [undefined];
  if (wanted.every((value) => stableJson(value) === '[{"exists":false}]')) return;
  throw new NotRehearsedError(
    `${key}: the filter ${String(filterPolicy)} is not modelled; expected {"<attribute>":[{"exists":false}]}`,
  );
}

/** Who a subscription tells. Of a URL only the host: what follows may be a key. */
function recipientOf(inputs: PlainInputs, key: string): string {
  const endpoint = textField(inputs, "endpoint", key);
  switch (inputs.protocol) {
    case "email":
    case "lambda":
      return endpoint;
    case "https":
      return new URL(endpoint).host;
    default:
      throw new NotRehearsedError(
        `${key}: the protocol ${JSON.stringify(inputs.protocol)}; expected email, https or lambda`,
      );
  }
}

/** Who may be let invoke a function. */
const wakers = ["events.amazonaws.com", "sns.amazonaws.com"];

function waking({ bus, invoke }: ProviderParts): Record<string, Handler> {
  return {
    "aws:cloudwatch/eventRule:EventRule": {
      write: ({ inputs, id, outputs, key }) =>
        bus.putRule(id, textField(outputs, "arn", key), inputs.eventPattern, inputs.scheduleExpression),
      delete: (resource) => bus.deleteRule(resource.id),
    },
    "aws:cloudwatch/eventTarget:EventTarget": {
      write: ({ inputs, id, key }) => {
        const input = inputs.input === undefined ? [] : [textField(inputs, "input", key)];
        bus.putTarget(id, textField(inputs, "rule", key), textField(inputs, "arn", key), ...input);
      },
      delete: (resource) => bus.deleteTarget(resource.id),
    },
    "aws:lambda/function:Function": {
      write: (resource) => bus.putFunction(textField(resource.inputs, "name", resource.key)),
      delete: (resource) => bus.deleteFunction(textField(resource.inputs, "name", resource.key)),
    },
    "aws:lambda/alias:Alias": {
      write: ({ inputs, id, key }) =>
        bus.putAlias(id, textField(inputs, "functionName", key), textField(inputs, "name", key)),
      delete: (resource) => bus.deleteAlias(resource.id),
    },
    "aws:lambda/permission:Permission": {
      write: ({ inputs, id, key }) => {
        if (!wakers.includes(String(inputs.principal)) || inputs.action !== "lambda:InvokeFunction") {
          throw new NotRehearsedError(
            `${key}: ${JSON.stringify(inputs.action)} for ${JSON.stringify(inputs.principal)} is not modelled; ` +
              `expected lambda:InvokeFunction for ${wakers.join(" or ")}`,
          );
        }
        bus.putPermission(id, {
          functionName: textField(inputs, "function", key),
          ...(inputs.qualifier === undefined ? {} : { qualifier: textField(inputs, "qualifier", key) }),
          sourceArn: textField(inputs, "sourceArn", key),
        });
      },
      delete: (resource) => bus.deletePermission(resource.id, textField(resource.inputs, "function", resource.key)),
    },
    "aws:lambda/invocation:Invocation": {
      write: async ({ inputs, key }, before) => {
        const functionName = textField(inputs, "functionName", key);
        const qualifier = textField(inputs, "qualifier", key);
        if (!bus.hasFunction(functionName, qualifier)) {
          throw new ProviderRefusedError(`${key}: function ${functionName}:${qualifier} not found`);
        }
        isOnce(inputs, key);
        await invoke(textField(inputs, "input", key), before ? "update" : "create");
      },
      // One that was made once is gone without a word.
      delete: async ({ inputs, key }) => {
        if (!isOnce(inputs, key)) await invoke(textField(inputs, "input", key), "delete");
      },
    },
  };
}

/** Whether an invocation is sent once, as a version's self-test is; else it lives as long as its service. */
function isOnce({ lifecycleScope, triggers }: PlainInputs, key: string): boolean {
  if (lifecycleScope === undefined && triggers !== undefined) return true;
  if (lifecycleScope === "CRUD") return false;
  throw new NotRehearsedError(
    `${key}: lifecycleScope ${JSON.stringify(lifecycleScope)}; expected CRUD, or none with triggers`,
  );
}

function running({ autoscaling, now }: ProviderParts): Record<string, Handler> {
  if (!autoscaling) return {};
  return {
    [processesType]: {
      write: ({ inputs, key }) => {
        const bounds = { minimumCount: Number(inputs.minimumCount), maximumCount: Number(inputs.maximumCount) };
        autoscaling.put(textField(inputs, "targetGroupArn", key), bounds, now());
      },
      delete: ({ inputs, key }) => autoscaling.remove(textField(inputs, "targetGroupArn", key)),
    },
  };
}

function keeping({ table, notifications }: ProviderParts): Record<string, Handler> {
  return {
    "aws:dynamodb/table:Table": {
      write: (resource) => {
        table.tableName = textField(resource.inputs, "name", resource.key);
      },
      delete: () => {
        table.tableName = undefined;
      },
    },
    "aws:sqs/queue:Queue": {
      write: (resource) => notifications.putQueue(textField(resource.inputs, "name", resource.key)),
      delete: () => notifications.deleteQueue(),
    },
  };
}

function flagging({ flags }: ProviderParts): Record<string, Handler> {
  return {
    "aws:appconfig/application:Application": {
      write: ({ id, inputs, key }) =>
        flags.putApplication(id, textFields(inputs.tags, `${key}: tags`)["tidegate:service"]),
      delete: ({ id }) => flags.deleteApplication(id),
    },
    "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion": {
      write: ({ inputs, outputs, key }) =>
        flags.putVersion(
          textField(inputs, "applicationId", key),
          String(outputs.versionNumber),
          textField(inputs, "content", key),
        ),
      delete: () => {},
    },
    "aws:appconfig/deployment:Deployment": {
      write: ({ inputs, key }) =>
        flags.deploy(textField(inputs, "applicationId", key), textField(inputs, "configurationVersion", key)),
      delete: () => {},
    },
  };
}

function textFields(value: PlainValue | undefined, place: string): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NotRehearsedError(`${place}: no map, got ${JSON.stringify(value)}`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}
