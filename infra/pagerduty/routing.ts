/**
 * How pages reach people through PagerDuty (D4): a service of the environment's own, where critical wakes somebody and a warning does not;
 * one routing key for the hook; and CloudWatch's own way in, which does not need the hook at all.
 *
 * The hook's routing key belongs to an orchestration and not to the service: owners of dependencies can be added later without another key.
 * With another key every open incident would stay open, because what resolves it would no longer find it.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { redriveTo } from "../hook-events.ts";
import {
  AlertGroupingSetting,
  EventOrchestration,
  EventOrchestrationIntegration,
  EventOrchestrationRouter,
  EventOrchestrationService,
  PagerDutyService,
  pagerDutyVendor,
  ServiceIntegration,
} from "./resources.ts";
import { otherwise, ownerRules, severityRules } from "./rules.ts";

export interface PagerDutyRoutingArgs {
  readonly environment: string;
  /** Who is called, in which order: id of an escalation policy that exists. */
  readonly escalationPolicyId: string;
  /** Service ids of those who own what services depend on, by name. @default none: every page is the environment's own */
  readonly owners?: Readonly<Record<string, string>>;
  /** Whether alerts of one rollout become one incident. Not on every PagerDuty plan. @default true */
  readonly groupAlerts?: boolean;
  /** Topic of critical alarms. */
  readonly criticalTopicArn: pulumi.Input<string>;
  /** Where notifications end that PagerDuty did not take. */
  readonly deadLetterArn: pulumi.Input<string>;
  /** The environment's key. */
  readonly keyArn: pulumi.Input<string>;
}

/** The longest that PagerDuty groups by content. Unit: seconds. Source: provider docs, AlertGroupingSetting, read 2026-11. */
const groupingWindowSeconds = 86_400;

/**
 * PagerDuty for one environment. The provider takes its token from `pagerduty:token` or PAGERDUTY_TOKEN.
 *
 * @example
 * ```ts
 * const routing = new PagerDutyRouting("pages", {
 *   environment: "production",
 *   escalationPolicyId: "PABC123",
 *   owners: { payments: "PDEF456" },
 *   criticalTopicArn: topics.critical.arn,
 *   deadLetterArn: deadLetters.queue.arn,
 *   keyArn: key.arn,
 * });
 * ```
 */
export class PagerDutyRouting extends pulumi.ComponentResource {
  /** Id of the environment's service. */
  readonly serviceId: pulumi.Output<string>;
  /** ARN of the secret that holds the hook's routing key. */
  readonly routingKeySecretArn: pulumi.Output<string>;
  /** The key itself, a secret: for whoever else tells by the same way. */
  readonly routingKey: pulumi.Output<string>;

  constructor(name: string, args: PagerDutyRoutingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:PagerDutyRouting", name, { environment: args.environment }, opts);
    const { environment } = args;
    const child = { parent: this };
    const service = new PagerDutyService(
      `${name}-pagerduty`,
      {
        name: `Tidegate ${environment}`,
        description: "Rollouts that were lowered, frozen or need a person",
        escalationPolicy: args.escalationPolicyId,
        // A hold stands until somebody acknowledges it in Tidegate, which resolves the incident; time alone mends nothing.
        autoResolveTimeout: "null",
        // Acknowledged and forgotten: called again after half an hour, PagerDuty's own default, stated.
        acknowledgementTimeout: "1800",
        alertCreation: "create_alerts_and_incidents",
        incidentUrgencyRule: { type: "constant", urgency: "severity_based" },
      },
      child,
    );
    this.serviceId = service.id;
    new EventOrchestrationService(
      `${name}-pagerduty-severity`,
      {
        service: service.id,
        enableEventOrchestrationForService: true,
        sets: [{ id: "start", rules: severityRules }],
        catchAll: { actions: otherwise },
      },
      child,
    );
    if (args.groupAlerts ?? true) {
      new AlertGroupingSetting(
        `${name}-pagerduty-grouping`,
        {
          name: `Tidegate ${environment}: one incident a rollout`,
          type: "content_based",
          services: [service.id],
          // The hook's `group` is the rollout. Not the service: the next rollout's first page must not vanish in an incident that is known.
          config: { aggregate: "all", fields: ["group"], timeWindow: groupingWindowSeconds },
        },
        child,
      );
    }
    this.#alarmsWithoutTheHook(name, args, service);
    const routing = this.#hookRouting(name, args, service);
    this.routingKeySecretArn = routing.secretArn;
    this.routingKey = routing.key;
    this.registerOutputs({ serviceId: this.serviceId, routingKeySecretArn: this.routingKeySecretArn });
  }

  /** CloudWatch → SNS → PagerDuty: works when nothing of ours does. Alarms send their OK, too, which resolves. */
  #alarmsWithoutTheHook(name: string, args: PagerDutyRoutingArgs, service: PagerDutyService): void {
    const integration = new ServiceIntegration(
      `${name}-pagerduty-cloudwatch`,
      { name: "CloudWatch alarms", service: service.id, vendor: pagerDutyVendor("Cloudwatch", this) },
      { parent: this },
    );
    new aws.sns.TopicSubscription(
      `${name}-critical-pagerduty`,
      {
        topic: args.criticalTopicArn,
        protocol: "https",
        // Source: PagerDuty, "Amazon CloudWatch integration guide", read 2026-11; PagerDuty confirms by itself.
        endpoint: pulumi.interpolate`https://events.pagerduty.com/integration/${pulumi.secret(integration.integrationKey)}/enqueue`,
        endpointAutoConfirms: true,
        // Alarms alone: what hook and watchman publish says its environment, and is no message that this integration takes.
        filterPolicy: JSON.stringify({ environment: [{ exists: false }] }),
        redrivePolicy: redriveTo(args.deadLetterArn),
      },
      { parent: this },
    );
  }

  /** Orchestration, its key and who gets what; the key goes into a secret and nowhere else. */
  #hookRouting(
    name: string,
    args: PagerDutyRoutingArgs,
    service: PagerDutyService,
  ): { readonly secretArn: pulumi.Output<string>; readonly key: pulumi.Output<string> } {
    const child = { parent: this };
    const orchestration = new EventOrchestration(
      `${name}-pagerduty-orchestration`,
      { name: `Tidegate ${args.environment}`, description: "Whose page it is" },
      child,
    );
    new EventOrchestrationRouter(
      `${name}-pagerduty-router`,
      {
        eventOrchestration: orchestration.id,
        set: { id: "start", rules: ownerRules(args.owners ?? {}) },
        // Never PagerDuty's "unrouted": a page that nobody gets.
        catchAll: { actions: { routeTo: service.id } },
      },
      child,
    );
    const integration = new EventOrchestrationIntegration(
      `${name}-pagerduty-hook`,
      { eventOrchestration: orchestration.id, label: "Tidegate hook" },
      child,
    );
    const secret = new aws.secretsmanager.Secret(
      // Without a name of its own: a secret that is deleted keeps its name for as long as it can be restored.
      `${name}-pagerduty-key`,
      {
        description: `Tidegate ${args.environment}: PagerDuty routing key of the hook`,
        kmsKeyId: args.keyArn,
        tags: { "tidegate:environment": args.environment, "tidegate:role": "pagerduty-key" },
      },
      child,
    );
    new aws.secretsmanager.SecretVersion(
      `${name}-pagerduty-key-version`,
      // `@pulumi/aws` marks the text as a secret itself.
      { secretId: secret.id, secretString: integration.parameters.apply(routingKeyOf) },
      child,
    );
    return { secretArn: secret.arn, key: pulumi.secret(integration.parameters.apply(routingKeyOf)) };
  }
}

function routingKeyOf(parameters: readonly { readonly routingKey: string }[]): string {
  const [first] = parameters;
  if (first) return first.routingKey;
  throw new Error(
    "PagerDuty: the integration of the orchestration has no routing key; expected one. Run pulumi refresh",
  );
}
