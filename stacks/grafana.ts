/** What the program declares in Grafana: dashboards and contact points once for the environment, rules for each service that reports to Prometheus. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type DeclareElsewhere, GrafanaSlo } from "../components/index.ts";
import { GrafanaDashboards, prometheusUidOf } from "../infra/index.ts";
import type { AlertingConfig, EnvironmentConfig } from "./config.ts";

/**
 * Declares a service's rule group; services with another source are watched by CloudWatch or Datadog, and have dashboards alone.
 * @param after what is declared of Grafana by this very program
 */
export function grafanaFor(
  { grafana, runbooks }: AlertingConfig,
  after: readonly pulumi.Resource[],
): readonly DeclareElsewhere[] {
  const prometheus = grafana?.prometheus;
  if (!grafana || !prometheus) return [];
  return [
    ({ name, parent, environment, settings, releases }) => {
      const { burnRate, objectives, source } = settings;
      if (source !== "prometheus") return [];
      const { group } = new GrafanaSlo(
        `${name}-grafana`,
        {
          environment,
          service: settings.name,
          objectives,
          ...(burnRate ? { burnRate } : {}),
          releases,
          grafana: { url: grafana.url, dataSourceUid: prometheusUidOf(environment, prometheus), after },
          runbookBase: runbooks,
        },
        { parent },
      );
      return [group];
    },
  ];
}

export interface DeclareGrafanaArgs {
  readonly config: EnvironmentConfig;
  /** Topic by which Grafana wakes the hook. */
  readonly eventsTopicArn: pulumi.Input<string>;
  /** Routing key of the PagerDuty service that the program makes. @default it makes none */
  readonly madeRoutingKey?: pulumi.Output<string>;
}

/** Declares the environment's part, where Grafana is configured. @returns what rules come after */
export function declareGrafana({ config, eventsTopicArn, madeRoutingKey }: DeclareGrafanaArgs): pulumi.Resource[] {
  const { environment, region, alerting, services } = config;
  const { grafana, runbooks, slack, pagerduty } = alerting;
  if (!grafana) return [];
  const webhookArn = grafana.contactPoints.slack ? slack?.webhookSecretArn : undefined;
  const pagerDutyKey = !grafana.contactPoints.pagerDuty
    ? undefined
    : pagerduty?.kind === "own-key"
      ? secretText(pagerduty.routingKeySecretArn)
      : madeRoutingKey;
  return [
    new GrafanaDashboards(environment, {
      environment,
      region,
      url: grafana.url,
      runbookBase: runbooks,
      services,
      ...(grafana.prometheus ? { prometheus: grafana.prometheus } : {}),
      cloudWatch: grafana.cloudWatch,
      eventsTopicArn,
      tells: {
        ...(webhookArn === undefined ? {} : { slackWebhook: secretText(webhookArn) }),
        ...(pagerDutyKey === undefined ? {} : { pagerDutyKey }),
      },
    }),
  ];
}

/** Whoever runs the program may read the secret; in the state it stays one. */
function secretText(secretArn: string): pulumi.Output<string> {
  return pulumi.secret(aws.secretsmanager.getSecretVersionOutput({ secretId: secretArn }).secretString);
}
