/**
 * Declares what Grafana watches of one service: one rule group with a rule for each bound of each live release and of the service as a whole,
 * for its burn rates, and for silence (D2). Only for services whose source is `prometheus`; the queries are `core/promql.ts`.
 *
 * A query has a result exactly while its rule is bad, so for Grafana "no data" is the healthy case and counts as OK. That nothing is
 * measured is a rule of its own (`silence`), which has a result when everything else has none; and the hook counts the load balancer's
 * requests against it. A query that fails is an error of its own, told to the same people, and not taken for either.
 *
 * Rules name their contact points themselves (`notificationSettings`), so that the notification policy, which is one for all of Grafana and
 * somebody else's, stays as it is. Each name its service for the hook, which then looks; that is faster than its own minute and no surer.
 * Bounds of one wave wake the hook and tell nobody: off their wave they mean nothing, and on it the hook pages for them.
 */
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import type * as grafana from "@pulumiverse/grafana";
import { type BurnRule, type BurnSettings, burnRules } from "../core/burn-rate.ts";
import {
  type GrafanaContactPoint,
  type GrafanaDashboardName,
  grafanaContactPointName,
  grafanaDashboardUrl,
  grafanaFolderUid,
} from "../core/grafana-names.ts";
import { alarmName, serviceAlarmName } from "../core/naming.ts";
import type { Indicator, Objective } from "../core/objectives.ts";
import { burnExpression, ruleExpression, silenceExpression } from "../core/promql.ts";
import { defaultRunbookBase, type Runbook, runbookLink, runbookOf } from "../core/runbooks.ts";
import { serviceRules, type WatchRule, watchedIn } from "../core/watch-rules.ts";
import { boundText } from "./slo-alarms.ts";
import { queryOf, type ReleaseElsewhere, rulesElsewhere } from "./watched-elsewhere.ts";

/** Grafana as rules need it. */
export interface GrafanaReference {
  /** Grafana's own URL, for links. */
  readonly url: string;
  /** Data source with what services report. */
  readonly dataSourceUid: pulumi.Input<string>;
  /** What must be there first: folder, data source, contact points. @default nothing of this program */
  readonly after?: readonly pulumi.Resource[];
}

export interface GrafanaSloArgs {
  /** The label `environment`. */
  readonly environment: string;
  /** The label `service`. */
  readonly service: string;
  /** Promises of the service; those without a bound have no rule. */
  readonly objectives: readonly Objective[];
  /** How the error budget is watched. @default it is not */
  readonly burnRate?: BurnSettings;
  /** Every live release, in any order. */
  readonly releases: readonly ReleaseElsewhere[];
  readonly grafana: GrafanaReference;
  /** URL or folder that annotations link to. @default the product's own folder */
  readonly runbookBase?: string;
}

/** A rule of the group, before it is one of Grafana's. */
export interface GrafanaRule {
  /** Unique in the group, and the name that an alarm would have. */
  readonly name: string;
  readonly expression: string;
  readonly severity: "critical" | "warning";
  readonly contactPoint: GrafanaContactPoint;
  readonly summary: string;
  readonly runbook: Runbook;
  readonly dashboard: GrafanaDashboardName;
  /** Absent: of the service as a whole. */
  readonly releaseKey?: string;
}

/** Grafana's own least, and what the delays of `core/alarms.ts` assume. Unit: seconds. Source: Grafana docs, `min_interval`, read 2026-11. */
const intervalSeconds = 10;
/** A few scrapes; a restart of Prometheus is over by then. Unit: seconds. */
const silenceSeconds = 600;

const load = createRequire(import.meta.url);

/** Grafana's package, loaded where there is a Grafana alone: it takes tens of milliseconds of every preview. */
export function grafanaPackage(): typeof grafana {
  return load("@pulumiverse/grafana");
}

function dashboardOf(indicator: Indicator): GrafanaDashboardName {
  if (indicator === "error-rate" || indicator === "success-rate" || indicator === "availability") return "errors";
  return /^(?:dual-run|fallback|flag|memory)/.test(indicator) ? "migration" : "performance";
}

/** Every rule of a service, in the order of the group. */
export function grafanaRulesOf(args: Omit<GrafanaSloArgs, "grafana" | "runbookBase">): GrafanaRule[] {
  const { environment, service, objectives, burnRate } = args;
  const bound = (rule: WatchRule): Pick<GrafanaRule, "severity" | "summary" | "runbook" | "dashboard"> => ({
    severity: rule.severity,
    summary: `${service}: ${rule.objective} ${rule.severity}: ${boundText(rule)}`,
    runbook: runbookOf(rule.indicator),
    dashboard: dashboardOf(rule.indicator),
  });
  const ofReleases = args.releases.flatMap((release) =>
    rulesElsewhere({ objectives, source: "prometheus" }, release).map((rule): GrafanaRule => {
      const { summary, ...rest } = bound(rule);
      const where = rule.atPercents ? ` at ${rule.atPercents.join(", ")} % exposure` : "";
      return {
        ...rest,
        name: alarmName(environment, service, release.releaseKey, rule.key),
        expression: queryOf(environment, service, release, rule),
        contactPoint: rule.atPercents ? "hook" : rule.severity,
        summary: `${summary}${where} (${release.version})`,
        releaseKey: release.releaseKey,
      };
    }),
  );
  const place = { environment, service, releaseKey: "" };
  const ofService = serviceRules(objectives, "prometheus")
    .filter((rule) => watchedIn(rule, "prometheus") === "prometheus")
    .map(
      (rule): GrafanaRule => ({
        ...bound(rule),
        name: serviceAlarmName(environment, service, rule.key),
        expression: ruleExpression(rule, place),
        contactPoint: rule.severity,
      }),
    );
  const burns = burnRate ? burnRules(objectives, "prometheus", burnRate).rules : [];
  return [
    ...ofReleases,
    ...ofService,
    ...burns.map((rule) => burnRuleOf(args, rule)),
    {
      name: serviceAlarmName(environment, service, "silence"),
      expression: silenceExpression(place, silenceSeconds),
      severity: "warning",
      contactPoint: "warning",
      summary: `${service}: nothing was measured for ${silenceSeconds / 60} min, so no other rule can speak`,
      runbook: "no-data",
      dashboard: "rollouts",
    },
  ];
}

function burnRuleOf(
  { environment, service }: Pick<GrafanaSloArgs, "environment" | "service">,
  rule: BurnRule,
): GrafanaRule {
  return {
    name: serviceAlarmName(environment, service, rule.key),
    expression: burnExpression(rule, { environment, service }),
    severity: rule.severity,
    contactPoint: rule.severity,
    summary: `${service}: the error budget of ${rule.objective} burns ${rule.factor} times too fast: errors above ${rule.thresholdPercent} % over ${rule.longSeconds / 60} and ${rule.shortSeconds / 60} min`,
    runbook: "high-error-rate",
    dashboard: "slo",
  };
}

/**
 * The rule group of one service.
 *
 * @example
 * ```ts
 * new GrafanaSlo("checkout-grafana", {
 *   environment: "production",
 *   service: "checkout",
 *   objectives: objectivePresets.web,
 *   burnRate: defaultBurnSettings,
 *   releases: releasesElsewhere(declaration, plan),
 *   grafana: { url: "https://grafana.example.com", dataSourceUid: "prometheus" },
 * });
 * ```
 */
export class GrafanaSlo extends pulumi.ComponentResource {
  readonly group: grafana.alerting.RuleGroup;
  /** Names of the rules, in the group's order. */
  readonly ruleNames: readonly string[];

  constructor(name: string, args: GrafanaSloArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:slo:GrafanaSlo", name, { service: args.service, environment: args.environment }, opts);
    const rules = grafanaRulesOf(args);
    this.ruleNames = rules.map((rule) => rule.name);
    this.group = new (grafanaPackage().alerting.RuleGroup)(
      name,
      {
        name: `tidegate ${args.service}`,
        folderUid: grafanaFolderUid(args.environment),
        intervalSeconds,
        rules: rules.map((rule) => ruleInputs(args, rule)),
      },
      { parent: this, dependsOn: [...(args.grafana.after ?? [])] },
    );
    this.registerOutputs({ service: args.service, ruleNames: this.ruleNames });
  }
}

function ruleInputs(args: GrafanaSloArgs, rule: GrafanaRule): grafana.types.input.alerting.RuleGroupRule {
  const { environment, service, grafana: where, runbookBase = defaultRunbookBase } = args;
  const relativeTimeRange = { from: 600, to: 0 };
  return {
    name: rule.name,
    condition: "bad",
    datas: [
      {
        refId: "value",
        datasourceUid: where.dataSourceUid,
        relativeTimeRange,
        model: JSON.stringify({
          refId: "value",
          expr: rule.expression,
          instant: true,
          range: false,
          intervalMs: 1_000,
          maxDataPoints: 43_200,
        }),
      },
      {
        refId: "bad",
        datasourceUid: "__expr__",
        relativeTimeRange: { from: 0, to: 0 },
        // Any value is bad, 0 too: a cache without a hit.
        model: JSON.stringify({ refId: "bad", type: "math", expression: "is_number($value)" }),
      },
    ],
    // Windows and counts of bad ones are in the query.
    for: "0s",
    noDataState: "OK",
    execErrState: "Error",
    labels: {
      tidegate_environment: environment,
      tidegate_service: service,
      severity: rule.severity,
      ...(rule.releaseKey === undefined ? {} : { tidegate_release: rule.releaseKey }),
    },
    annotations: {
      summary: rule.summary,
      runbook_url: runbookLink(runbookBase, rule.runbook),
      dashboard_url: grafanaDashboardUrl(where.url, environment, rule.dashboard, service),
    },
    notificationSettings: {
      contactPoint: grafanaContactPointName(environment, rule.contactPoint),
      // Grafana wants the first two; the third lets every message name one service, as the hook needs it.
      groupBies: ["grafana_folder", "alertname", "tidegate_service"],
      groupWait: "0s",
      groupInterval: "1m",
      repeatInterval: "4h",
    },
  };
}
