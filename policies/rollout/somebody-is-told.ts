/** A hook that acts, tells: somebody must be behind the topic that pages. A topic takes a message with nobody behind it. */
import type { PolicyConfigSchema, PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { known, textAt } from "../known.ts";
import { serviceType } from "./facts.ts";
import { settings } from "./settings.ts";
import { childrenOf, comesFrom, isGiven } from "./wiring.ts";

const topicsType = "tidegate:foundation:AlertTopics";
const topicType = "aws:sns/topic:Topic";
const subscriptionType = "aws:sns/topicSubscription:TopicSubscription";
const chatType = "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration";
const functionType = "aws:lambda/function:Function";
/** Variables by which the hook finds its own channels. */
const channelVariables = ["TIDEGATE_PAGERDUTY_SECRET", "TIDEGATE_SLACK_SECRET"];

interface ToldSettings {
  readonly alarmsToo: boolean;
}

const configSchema: PolicyConfigSchema = {
  properties: {
    alarmsToo: {
      type: "boolean",
      default: false,
      description:
        "Whether a channel is needed that works while the hook is down (e-mail, PagerDuty by escalationPolicyId, Slack by chatbot), and not only the hook's own.",
    },
  },
};

export const somebodyIsTold: StackValidationPolicy = {
  name: "rollout-somebody-is-told",
  displayName: "Somebody is told",
  description:
    "An environment whose services act reaches a person: by a subscription of the topic that pages, or by a channel of the hook's own.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-somebody-is-told",
  remediationSteps:
    "Name somebody in the stack's alerting: email, pagerduty or slack. Services that only observe need nobody. This is a stack policy: it ends `pulumi up` at its preview phase, so do not run `up --skip-preview`.",
  configSchema,
  validateStack: (args, report) => {
    const { alarmsToo } = settings<ToldSettings>(args, configSchema);
    const { resources } = args;
    const services = resources.filter(({ type }) => type === serviceType);
    // Services of other stacks act by this foundation, too: without any of its own it is held to the same.
    if (services.length > 0 && services.every(observes)) return;
    for (const topics of resources.filter(({ type }) => type === topicsType)) {
      const critical = childrenOf(topics, resources, topicType).filter((topic) => !isWarnings(topic));
      const heard = resources.some((resource) => critical.some((topic) => listensTo(resource, topic)));
      const hookTells =
        !alarmsToo &&
        resources.some(
          (resource) =>
            resource.type === functionType &&
            channelVariables.some((variable) => isGiven(resource, "environment", "variables", variable)),
        );
      if (heard || hookTells) continue;
      report(
        `${topics.name}: nobody is told when a service is lowered, got no subscription of the topic that pages; expected an e-mail, ` +
          `PagerDuty${alarmsToo ? " by escalationPolicyId or Slack by chatbot" : " or Slack"}. Add one to the stack's alerting`,
        topics.urn,
      );
    }
  },
};

/** Only where its outputs say so. */
function observes(service: PolicyResource): boolean {
  return textAt(known(service.props), "mode") === "observe";
}

function isWarnings(topic: PolicyResource): boolean {
  const name = textAt(known(topic.props), "name");
  return typeof name === "string" && name.endsWith("-warnings");
}

function listensTo(resource: PolicyResource, topic: PolicyResource): boolean {
  if (resource.type === subscriptionType) return comesFrom(resource, "topic", topic);
  return resource.type === chatType && comesFrom(resource, "snsTopicArns", topic);
}
