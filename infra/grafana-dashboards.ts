/**
 * What Grafana has of an environment, once: folder, data sources where none are adopted, contact points, and the five dashboards (D2). Rules
 * are each service's own (`GrafanaSlo`).
 *
 * The notification policy is not touched: it is one for all of Grafana, and rules name their contact points themselves.
 */
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import type * as grafana from "@pulumiverse/grafana";
import {
  type GrafanaContactPoint,
  type GrafanaDashboardName,
  grafanaContactPointName,
  grafanaContactPoints,
  grafanaDashboardNames,
  grafanaDataSourceUid,
  grafanaFolderUid,
} from "../core/grafana-names.ts";
import { type DashboardsArgs, grafanaDashboards } from "./grafana/dashboards.ts";

/** A data source that is there, or what one is to be made of. */
export type GrafanaPrometheus = { readonly uid: string } | { readonly url: string };

export interface GrafanaDashboardsArgs
  extends Pick<DashboardsArgs, "environment" | "region" | "url" | "runbookBase" | "services"> {
  /** Data source of what services report to Prometheus. @default none: no panels for it */
  readonly prometheus?: GrafanaPrometheus;
  /** Data source of CloudWatch; `make`: with the sign-in that Grafana itself runs under. */
  readonly cloudWatch: { readonly uid: string } | "make";
  /** Topic by which Grafana wakes the hook; see `hook-events.ts`. */
  readonly eventsTopicArn: pulumi.Input<string>;
  /** Whom Grafana tells beside the hook. Both are secrets, and stay such in the state. */
  readonly tells: {
    /** URL of a Slack webhook. @default Slack is not told */
    readonly slackWebhook?: pulumi.Input<string>;
    /** Routing key of PagerDuty's Events v2. @default nobody is called */
    readonly pagerDutyKey?: pulumi.Input<string>;
  };
}

const load = createRequire(import.meta.url);

/** What the SNS message says: all that the hook reads of it. Every group of alerts is of one service. */
const messageForHook = '{"tidegate_service": "{{ .CommonLabels.tidegate_service }}", "status": "{{ .Status }}"}';

/**
 * Grafana of an environment.
 *
 * @example
 * ```ts
 * new GrafanaDashboards("production", {
 *   environment: "production",
 *   region: "eu-west-1",
 *   url: "https://grafana.example.com",
 *   runbookBase: "https://wiki.example.com/tidegate",
 *   services: [],
 *   prometheus: { uid: "prometheus" },
 *   cloudWatch: "make",
 *   eventsTopicArn: hook.eventsTopic.arn,
 *   tells: {},
 * });
 * ```
 */
export class GrafanaDashboards extends pulumi.ComponentResource {
  readonly folder: grafana.oss.Folder;
  readonly contactPoints: Readonly<Record<GrafanaContactPoint, grafana.alerting.ContactPoint>>;
  readonly dashboards: Readonly<Record<GrafanaDashboardName, grafana.oss.Dashboard>>;

  constructor(name: string, args: GrafanaDashboardsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:GrafanaDashboards", name, { environment: args.environment }, opts);
    // Loaded here: tens of milliseconds that no environment without a Grafana shall wait for.
    const { alerting, oss }: typeof grafana = load("@pulumiverse/grafana");
    const { environment } = args;
    const child = { parent: this };
    this.folder = new oss.Folder(
      `${name}-grafana-folder`,
      {
        uid: grafanaFolderUid(environment),
        title: `Tidegate ${environment}`,
        // Rules of services in other stacks are in it, too.
        preventDestroyIfNotEmpty: true,
      },
      child,
    );
    this.#dataSources(name, args, oss);
    this.contactPoints = Object.fromEntries(
      grafanaContactPoints.map((point) => [
        point,
        new alerting.ContactPoint(
          `${name}-grafana-${point}`,
          { name: grafanaContactPointName(environment, point), ...receiversOf(point, args) },
          child,
        ),
      ]),
    ) as Record<GrafanaContactPoint, grafana.alerting.ContactPoint>;
    const texts = grafanaDashboards({
      environment,
      region: args.region,
      url: args.url,
      runbookBase: args.runbookBase,
      services: args.services,
      cloudWatchUid: args.cloudWatch === "make" ? grafanaDataSourceUid(environment, "cloudwatch") : args.cloudWatch.uid,
      ...(args.prometheus ? { prometheusUid: prometheusUidOf(environment, args.prometheus) } : {}),
    });
    this.dashboards = Object.fromEntries(
      grafanaDashboardNames.map((dashboard) => [
        dashboard,
        new oss.Dashboard(
          `${name}-grafana-${dashboard}`,
          {
            folder: this.folder.uid,
            configJson: texts[dashboard],
            message: "made by Tidegate; changes by hand are overwritten",
            overwrite: true,
          },
          child,
        ),
      ]),
    ) as Record<GrafanaDashboardName, grafana.oss.Dashboard>;
    this.registerOutputs({ folderUid: this.folder.uid });
  }

  #dataSources(name: string, args: GrafanaDashboardsArgs, oss: typeof grafana.oss): void {
    const { environment, prometheus, cloudWatch, region } = args;
    const child = { parent: this };
    if (prometheus && "url" in prometheus) {
      new oss.DataSource(
        `${name}-grafana-prometheus`,
        {
          type: "prometheus",
          uid: grafanaDataSourceUid(environment, "prometheus"),
          name: `Tidegate ${environment}: Prometheus`,
          url: prometheus.url,
          // Queries are longer than a URL may be.
          jsonDataEncoded: JSON.stringify({ httpMethod: "POST", timeInterval: "15s" }),
        },
        child,
      );
    }
    if (cloudWatch === "make") {
      new oss.DataSource(
        `${name}-grafana-cloudwatch`,
        {
          type: "cloudwatch",
          uid: grafanaDataSourceUid(environment, "cloudwatch"),
          name: `Tidegate ${environment}: CloudWatch`,
          jsonDataEncoded: JSON.stringify({ authType: "default", defaultRegion: region }),
        },
        child,
      );
    }
  }
}

/** The data source that rules and panels read. */
export function prometheusUidOf(environment: string, prometheus: GrafanaPrometheus): string {
  return "uid" in prometheus ? prometheus.uid : grafanaDataSourceUid(environment, "prometheus");
}

/** A warning calls nobody (D4). */
function receiversOf(
  point: GrafanaContactPoint,
  { eventsTopicArn, tells: { slackWebhook, pagerDutyKey } }: GrafanaDashboardsArgs,
): Omit<grafana.alerting.ContactPointArgs, "name"> {
  return {
    sns: [{ topic: eventsTopicArn, authProvider: "default", messageFormat: "text", body: messageForHook }],
    ...(slackWebhook !== undefined && point !== "hook" ? { slacks: [{ url: pulumi.secret(slackWebhook) }] } : {}),
    ...(pagerDutyKey !== undefined && point === "critical"
      ? { pagerduties: [{ integrationKey: pulumi.secret(pagerDutyKey), severity: "critical" }] }
      : {}),
  };
}
