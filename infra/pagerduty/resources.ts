/**
 * PagerDuty resources as the provider knows them, only those and only the properties that are used. Declared here because the newest
 * `@pulumi/pagerduty` that every registry carries knows no event orchestration; docs/decisions/0007. The engine loads the provider by
 * name and version, and needs no package for that.
 *
 * Names of types and properties: pulumi/pulumi-pagerduty, tag v4.34.0, read 2026-11.
 */
import * as pulumi from "@pulumi/pulumi";

/** The provider that these shapes are of. */
export const pagerDutyProviderVersion = "4.34.0";

type Options = pulumi.CustomResourceOptions;

const pinned = (opts: Options): Options => ({ ...opts, version: pagerDutyProviderVersion });

export interface PagerDutyServiceArgs {
  readonly name: string;
  readonly description: string;
  /** Id of the escalation policy. */
  readonly escalationPolicy: string;
  /** Unit: seconds, as text; "null" is never. */
  readonly autoResolveTimeout: string;
  /** Unit: seconds, as text; "null" is never. */
  readonly acknowledgementTimeout: string;
  readonly alertCreation: "create_alerts_and_incidents";
  readonly incidentUrgencyRule: {
    readonly type: "constant";
    readonly urgency: "high" | "low" | "severity_based";
  };
}

export class PagerDutyService extends pulumi.CustomResource {
  constructor(name: string, args: PagerDutyServiceArgs, opts: Options) {
    super("pagerduty:index/service:Service", name, { ...args }, pinned(opts));
  }
}

export interface ServiceIntegrationArgs {
  readonly name: string;
  /** Id of the service. */
  readonly service: pulumi.Input<string>;
  /** Id of the vendor; see `pagerDutyVendor`. */
  readonly vendor: pulumi.Input<string>;
}

export class ServiceIntegration extends pulumi.CustomResource {
  /** Whoever has it can open incidents. */
  declare readonly integrationKey: pulumi.Output<string>;

  constructor(name: string, args: ServiceIntegrationArgs, opts: Options) {
    const additionalSecretOutputs = ["integrationKey"];
    super(
      "pagerduty:index/serviceIntegration:ServiceIntegration",
      name,
      { ...args, integrationKey: undefined },
      { ...pinned(opts), additionalSecretOutputs },
    );
  }
}

/** Vendor by its name in PagerDuty's list. @returns its id */
export function pagerDutyVendor(name: string, parent: pulumi.Resource): pulumi.Output<string> {
  return pulumi.runtime
    .invokeOutput<{ readonly id: string }>(
      "pagerduty:index/getVendor:getVendor",
      { name },
      { parent, version: pagerDutyProviderVersion },
    )
    .apply(({ id }) => id);
}

export interface AlertGroupingSettingArgs {
  readonly name: string;
  readonly type: "content_based";
  /** Ids of services. */
  readonly services: readonly pulumi.Input<string>[];
  readonly config: {
    readonly aggregate: "all" | "any";
    readonly fields: readonly string[];
    /** Unit: seconds; 300 to 3,600, or 86,400. */
    readonly timeWindow: number;
  };
}

export class AlertGroupingSetting extends pulumi.CustomResource {
  constructor(name: string, args: AlertGroupingSettingArgs, opts: Options) {
    super("pagerduty:index/alertGroupingSetting:AlertGroupingSetting", name, { ...args }, pinned(opts));
  }
}

export interface EventOrchestrationArgs {
  readonly name: string;
  readonly description: string;
}

export class EventOrchestration extends pulumi.CustomResource {
  constructor(name: string, args: EventOrchestrationArgs, opts: Options) {
    super("pagerduty:index/eventOrchestration:EventOrchestration", name, { ...args }, pinned(opts));
  }
}

export interface EventOrchestrationIntegrationArgs {
  readonly eventOrchestration: pulumi.Input<string>;
  readonly label: string;
}

export class EventOrchestrationIntegration extends pulumi.CustomResource {
  /** The routing key is in the first. */
  declare readonly parameters: pulumi.Output<readonly { readonly routingKey: string; readonly type: string }[]>;

  constructor(name: string, args: EventOrchestrationIntegrationArgs, opts: Options) {
    const additionalSecretOutputs = ["parameters"];
    super(
      "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration",
      name,
      { ...args, parameters: undefined },
      { ...pinned(opts), additionalSecretOutputs },
    );
  }
}

/** A rule of an orchestration. Conditions are in PagerDuty's condition language, and one that holds is enough. */
export interface OrchestrationRule<Actions> {
  readonly label: string;
  readonly conditions: readonly { readonly expression: string }[];
  readonly actions: Actions;
}

/** Rules in their order: the first that matches acts. The set that events come to first is `start`. */
export interface OrchestrationSet<Actions> {
  readonly id: "start";
  readonly rules: readonly OrchestrationRule<Actions>[];
}

export interface RouteAction {
  /** Id of a service. */
  readonly routeTo: pulumi.Input<string>;
}

export interface EventOrchestrationRouterArgs {
  readonly eventOrchestration: pulumi.Input<string>;
  readonly set: OrchestrationSet<RouteAction>;
  readonly catchAll: { readonly actions: RouteAction };
}

export class EventOrchestrationRouter extends pulumi.CustomResource {
  constructor(name: string, args: EventOrchestrationRouterArgs, opts: Options) {
    super("pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter", name, { ...args }, pinned(opts));
  }
}

export interface SeverityAction {
  readonly severity: "critical" | "warning";
}

export interface EventOrchestrationServiceArgs {
  /** Id of the service. */
  readonly service: pulumi.Input<string>;
  readonly enableEventOrchestrationForService: true;
  readonly sets: readonly OrchestrationSet<SeverityAction>[];
  readonly catchAll: { readonly actions: SeverityAction };
}

export class EventOrchestrationService extends pulumi.CustomResource {
  constructor(name: string, args: EventOrchestrationServiceArgs, opts: Options) {
    super("pagerduty:index/eventOrchestrationService:EventOrchestrationService", name, { ...args }, pinned(opts));
  }
}
