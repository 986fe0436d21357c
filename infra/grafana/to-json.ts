/** Dashboards as Grafana's JSON, through the Foundation SDK. */
import type * as cloudwatchSdk from "@grafana/grafana-foundation-sdk/cloudwatch";
import type * as dashboardSdk from "@grafana/grafana-foundation-sdk/dashboard";
import { alarmPrefix } from "../../core/naming.ts";
import { prometheusName } from "../../core/signals.ts";
import { hookMetricNamespace } from "../hook-alarms.ts";
import type { DashboardDefinition, DashboardsArgs } from "./dashboards.ts";
import type { FoundationSdk } from "./foundation-sdk.ts";
import {
  type BoundLines,
  type CloudWatchMath,
  type CloudWatchTarget,
  type PanelDefinition,
  serviceSelector,
  type Target,
} from "./panels.ts";

/** Grafana's grid is 24 wide; three panels fill a line. */
const panelWidth = 8;
const panelHeight = 8;
const colors = { warning: "orange", critical: "red", quiet: "transparent" } as const;

/** Data source variables: whoever looks may choose another one of the same kind. */
const cloudWatchSource = { type: "cloudwatch", uid: "$cloudwatch" } as const;
const prometheusSource = { type: "prometheus", uid: "$prometheus" } as const;

export function dashboardJson(sdk: FoundationSdk, definition: DashboardDefinition): string {
  const { args } = definition;
  const builder = new sdk.dashboard.DashboardBuilder(definition.title)
    .uid(definition.uid)
    .description(definition.description)
    .tags(["tidegate", args.environment])
    .refresh("1m")
    .time({ from: "now-3h", to: "now" })
    .timezone("browser")
    // One instant in all panels: the step in the exposure beside what came of it.
    .tooltip(sdk.dashboard.DashboardCursorSync.Crosshair)
    .readonly();
  for (const variable of variablesOf(sdk, args)) builder.withVariable(variable);
  for (const annotation of annotationsOf(sdk, args)) builder.annotation(annotation);
  for (const { title, url } of definition.links) {
    builder.link(new sdk.dashboard.DashboardLinkBuilder(title).url(url).type(sdk.dashboard.DashboardLinkType.Link));
  }
  definition.rows.forEach((row, index) => {
    builder.withRow(new sdk.dashboard.RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelOf(sdk, panel, args));
    // Beside the markers, so that it is seen without scrolling.
    if (index === 0) {
      builder.withPanel(
        new sdk.text.PanelBuilder()
          .title("bounds and runbooks")
          .description("Targets and bounds of this program's services for what is shown below. No unit.")
          .mode(sdk.text.TextMode.Markdown)
          .content(definition.notes)
          .span(panelWidth)
          .height(panelHeight),
      );
    }
  });
  return JSON.stringify(builder.build());
}

/**
 * Groups that the program makes for a service (core/naming.ts): the service, the version as far as it fits or `control`, a hash, and the
 * engine's suffix. `shop` and version `admin-2` is the same text as `shop-admin` and version `2`, so the version's first word must have a
 * digit, or be the single letter that was left of it. Of adopted groups only those of such a name are found.
 */
const groupsOfService =
  "/^targetgroup\\/$service-(?:(?:control|(?=[a-z]-|[a-z]*\\d)[a-z0-9-]+)-)?[0-9a-f]{8}(?:-[a-z0-9]+)?\\/.*/";

function variablesOf(sdk: FoundationSdk, args: DashboardsArgs) {
  const { QueryVariableBuilder, DatasourceVariableBuilder, VariableRefresh, VariableSort } = sdk.dashboard;
  const sourceVariable = (name: string, label: string, uid: string) =>
    new DatasourceVariableBuilder(name).label(label).type(name).current({ text: uid, value: uid });
  const dimension = (
    name: string,
    label: string,
    of: { readonly namespace: string; readonly metricName: string; readonly key: string },
    filters: Readonly<Record<string, string>>,
  ) =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(cloudWatchSource)
      .query({
        refId: "variable",
        queryType: "dimensionValues",
        region: args.region,
        namespace: of.namespace,
        metricName: of.metricName,
        dimensionKey: of.key,
        dimensionFilters: filters,
      })
      .refresh(VariableRefresh.OnDashboardLoad)
      .sort(VariableSort.AlphabeticalAsc);
  const balancer = { namespace: "AWS/ApplicationELB", metricName: "RequestCount" } as const;
  return [
    sourceVariable("cloudwatch", "CloudWatch", args.cloudWatchUid),
    ...(args.prometheusUid === undefined ? [] : [sourceVariable("prometheus", "Prometheus", args.prometheusUid)]),
    // Every service that has a record, whichever stack declares it.
    dimension(
      "service",
      "service",
      { namespace: hookMetricNamespace, metricName: "Decisions", key: "Service" },
      { Environment: args.environment },
    ),
    dimension(
      "release",
      "release",
      { namespace: "Tidegate", metricName: "Requests", key: "Release" },
      { Service: "$service" },
    )
      .multi(true)
      .includeAll(true)
      .current({ text: "All", value: "$__all" }),
    dimension("load_balancer", "load balancer", { ...balancer, key: "LoadBalancer" }, {}),
    dimension("target_group", "target group", { ...balancer, key: "TargetGroup" }, { LoadBalancer: "$load_balancer" })
      .regex(groupsOfService)
      .multi(true)
      .includeAll(true)
      .current({ text: "All", value: "$__all" }),
  ];
}

function annotationsOf(sdk: FoundationSdk, args: DashboardsArgs) {
  const ofAlarms = new sdk.dashboard.AnnotationQueryBuilder()
    .name("alarms of the service")
    .datasource(cloudWatchSource)
    .enable(true)
    .iconColor("red")
    .target(
      new sdk.cloudwatch.AnnotationQueryBuilder()
        .queryMode("Annotations" as cloudwatchSdk.QueryMode.Annotations)
        .refId("alarms")
        .region(args.region)
        .prefixMatching(true)
        .alarmNamePrefix(`${alarmPrefix(args.environment)}$service/`),
    );
  const requests = `${prometheusName("requests")}${serviceSelector(args.environment)}`;
  const ofReleases = new sdk.dashboard.AnnotationQueryBuilder()
    .name("a release begins to report")
    .datasource(prometheusSource)
    .enable(true)
    .iconColor("blue")
    .expr(`count by (release) (${requests}) unless count by (release) (${requests} offset 2m)`)
    .titleFormat("{{release}}")
    .textFormat("{{release}} begins to report")
    .step("60s");
  return args.prometheusUid === undefined ? [ofAlarms] : [ofAlarms, ofReleases];
}

function panelOf(sdk: FoundationSdk, panel: PanelDefinition, args: DashboardsArgs) {
  const builder = new sdk.timeseries.PanelBuilder()
    .title(panel.repeat === undefined ? panel.title : `${panel.title}: $${panel.repeat}`)
    .description(panel.description)
    .unit(panel.unit)
    .span(panelWidth)
    .height(panelHeight)
    .legend(
      new sdk.common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(sdk.common.LegendDisplayMode.List)
        .placement(sdk.common.LegendPlacement.Bottom),
    )
    .datasource(panel.targets.some(({ kind }) => kind === "prometheus") ? prometheusSource : cloudWatchSource);
  if (panel.repeat !== undefined)
    builder
      .repeat(panel.repeat)
      .repeatDirection("h")
      .maxPerRow(24 / panelWidth);
  for (const target of panel.targets) builder.withTarget(targetOf(sdk, target, args));
  if (panel.bounds) {
    builder
      .thresholds(
        new sdk.dashboard.ThresholdsConfigBuilder()
          .mode(sdk.dashboard.ThresholdsMode.Absolute)
          .steps(stepsOf(panel.bounds)),
      )
      .thresholdsStyle(
        new sdk.common.GraphThresholdsStyleConfigBuilder().mode(sdk.common.GraphThresholdsStyleMode.Dashed),
      );
  }
  return builder;
}

/** Each step's color holds from its value up; the first has no value. */
function stepsOf({ warning, critical, badSide }: BoundLines): dashboardSdk.Threshold[] {
  const lines = [
    ...(warning === undefined ? [] : [{ value: warning, color: colors.warning }]),
    ...(critical === undefined ? [] : [{ value: critical, color: colors.critical }]),
  ].sort((left, right) => left.value - right.value);
  if (badSide === "above") return [{ value: null, color: colors.quiet }, ...lines];
  // What is bad below a line has its color up to there.
  const below = [...lines.map(({ color }) => color), colors.quiet];
  return below.map((color, index) => ({ value: lines[index - 1]?.value ?? null, color }));
}

function targetOf(sdk: FoundationSdk, target: Target, args: DashboardsArgs) {
  if (target.kind !== "prometheus") return cloudWatchTargetOf(sdk, target, args);
  return new sdk.prometheus.DataqueryBuilder()
    .refId(target.id)
    .datasource(prometheusSource)
    .expr(target.expression)
    .legendFormat(target.label)
    .range();
}

function cloudWatchTargetOf(sdk: FoundationSdk, target: CloudWatchTarget | CloudWatchMath, args: DashboardsArgs) {
  const { MetricEditorMode } = sdk.cloudwatch;
  const query = new sdk.cloudwatch.MetricsQueryBuilder()
    .queryMode(sdk.cloudwatch.QueryMode.Metrics)
    .metricQueryType(sdk.cloudwatch.MetricQueryType.Search)
    .metricEditorMode(target.kind === "cloudwatch" ? MetricEditorMode.Builder : MetricEditorMode.Code)
    .refId(target.id)
    .id(target.id)
    .datasource(cloudWatchSource)
    .region(args.region);
  if (target.kind === "cloudwatch") {
    query
      .namespace(target.namespace)
      .metricName(target.metricName)
      .dimensions({ ...target.dimensions })
      .matchExact(true)
      .statistic(target.statistic);
  } else {
    query.expression(target.expression);
  }
  return query.period("60").label(target.label).hide(target.hidden);
}
