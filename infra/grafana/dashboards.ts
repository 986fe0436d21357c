/**
 * The five dashboards of an environment as Grafana's JSON (D2): rollouts, errors, performance, migration and SLO. One set for all services,
 * with the service as a variable; each system that services report to has its own row, and the rollout's markers are on top of each.
 *
 * Lines at the bounds are drawn where every service of the program that has the bound has the same one: a dashboard cannot know which
 * service somebody chooses in it. All bounds of all services are in a table beside them.
 */
import { type GrafanaDashboardName, grafanaDashboardNames, grafanaDashboardUid } from "../../core/grafana-names.ts";
import type { Indicator, Objective } from "../../core/objectives.ts";
import { indicators } from "../../core/objectives.ts";
import { serviceErrorExpression } from "../../core/promql.ts";
import { type Runbook, runbookLink } from "../../core/runbooks.ts";
import { foundationSdk } from "./foundation-sdk.ts";
import { environmentHookPanels, markerPanels, serviceHookPanels } from "./hook-panels.ts";
import {
  type BoundLines,
  indicatorPanel,
  type PanelDefinition,
  type PanelSource,
  type RowDefinition,
  requestsPanel,
  serviceSelector,
  sourceTitles,
} from "./panels.ts";
import { dashboardJson } from "./to-json.ts";

export interface DashboardsArgs {
  readonly environment: string;
  readonly region: string;
  /** Grafana's own URL, for links. */
  readonly url: string;
  /** Where runbooks are; a folder is named and not linked. */
  readonly runbookBase: string;
  readonly cloudWatchUid: string;
  /** @default no row for what releases report to Prometheus */
  readonly prometheusUid?: string;
  /** Services of the program, for bounds; others show without. */
  readonly services: readonly { readonly name: string; readonly objectives: readonly Objective[] }[];
}

interface Contents {
  readonly title: string;
  readonly description: string;
  readonly indicators: readonly Indicator[];
  readonly runbooks: readonly Runbook[];
}

const contents: Readonly<Record<GrafanaDashboardName, Contents>> = {
  rollouts: {
    title: "Rollout status",
    description: "Where each rollout stands, whether somebody watches it, and who answers.",
    indicators: ["healthy-hosts"],
    runbooks: ["hook-failing", "no-data", "no-healthy-hosts", "full-rollback"],
  },
  errors: {
    title: "Errors",
    description: "What fails, release beside release.",
    indicators: ["error-rate", "crashes", "rate-limit-reject-rate", "circuit-breaker-open"],
    runbooks: ["high-error-rate", "breaker-open", "dependency-outage", "edge-errors"],
  },
  performance: {
    title: "Performance",
    description: "How long answers take and what they cost, release beside release.",
    indicators: [
      "latency-p50",
      "latency-p95",
      "latency-p99",
      "throughput",
      "memory",
      "cpu",
      "cache-hit-ratio",
      "rate-limit-rejects",
      "circuit-breaker-recovery",
    ],
    runbooks: ["high-latency", "breaker-open"],
  },
  migration: {
    title: "Migration",
    description: "Whether the new implementation does what the old one did.",
    indicators: ["dual-run-failures", "fallback-rate", "flag-mismatches", "flag-coverage", "invariant-violations"],
    runbooks: ["invariant-violation", "full-rollback"],
  },
  slo: {
    title: "SLO",
    description: "What the service promises, and how fast its error budget goes.",
    indicators: ["availability", "success-rate"],
    runbooks: ["high-error-rate", "no-data"],
  },
};

/** All five, by name, as JSON text with its keys in a fixed order. */
export function grafanaDashboards(args: DashboardsArgs): Readonly<Record<GrafanaDashboardName, string>> {
  const sdk = foundationSdk();
  return Object.fromEntries(
    grafanaDashboardNames.map((name) => [name, dashboardJson(sdk, definitionOf(name, args))]),
  ) as Record<GrafanaDashboardName, string>;
}

/** A dashboard before it is Grafana's. */
export interface DashboardDefinition {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowDefinition[];
  /** Markdown. */
  readonly notes: string;
  readonly links: readonly { readonly title: string; readonly url: string }[];
  readonly args: DashboardsArgs;
}

export function definitionOf(name: GrafanaDashboardName, args: DashboardsArgs): DashboardDefinition {
  const { environment, services, prometheusUid } = args;
  const { title, description, indicators: shown, runbooks } = contents[name];
  const sources: readonly PanelSource[] = [
    "alb",
    "emf",
    ...(prometheusUid === undefined ? [] : ["prometheus" as const]),
  ];
  const bySource = sources.flatMap((source): RowDefinition[] => {
    const panels = shown.flatMap(
      (indicator) => indicatorPanel(indicator, source, environment, commonBounds(indicator, services)) ?? [],
    );
    const more = name === "slo" && source === "prometheus" ? [burnPanel(environment)] : [];
    const traffic = name === "rollouts" ? [requestsPanel(source, environment)] : [];
    const all = [...traffic, ...panels, ...more];
    return all.length === 0 ? [] : [{ title: `${title}, ${sourceTitles[source]}`, panels: all }];
  });
  return {
    uid: grafanaDashboardUid(environment, name),
    title: `Tidegate ${environment}: ${title}`,
    description,
    rows: [
      { title: "Rollout", panels: markerPanels(environment) },
      ...(name === "rollouts"
        ? [
            { title: "The hook on this service", panels: serviceHookPanels(environment) },
            { title: "The hook", panels: environmentHookPanels(environment) },
          ]
        : []),
      ...bySource,
    ],
    notes: notesOf(shown, args, runbooks),
    links: runbooks
      .map((runbook) => ({ title: `Runbook: ${runbook}`, url: runbookLink(args.runbookBase, runbook) }))
      .filter(({ url }) => /^https?:\/\//.test(url)),
    args,
  };
}

/** Windows that burn rates are judged in, drawn beside each other. */
function burnPanel(environment: string): PanelDefinition {
  const selector = serviceSelector(environment);
  return {
    title: "errors of the service, by window",
    description:
      "All releases together: what burn-rate rules compare with their thresholds, in each of their windows. Bad is above the budget. Unit: percent.",
    unit: "percent",
    targets: ["5m", "30m", "1h", "6h", "1d", "3d"].map((window) => ({
      kind: "prometheus",
      id: `w${window}`,
      expression: serviceErrorExpression(selector, window),
      label: window,
    })),
  };
}

/** Bounds that every service that has them agrees on; those measured against something are no lines. */
function commonBounds(indicator: Indicator, services: DashboardsArgs["services"]): BoundLines | undefined {
  const common = (severity: "warning" | "critical"): number | undefined => {
    const values = new Set(
      services.flatMap(({ objectives }) =>
        objectives.flatMap((objective) => {
          const bound = objective[severity];
          return objective.indicator === indicator && bound && !bound.reference ? [bound.value] : [];
        }),
      ),
    );
    const [only] = values;
    return values.size === 1 ? only : undefined;
  };
  const warning = common("warning");
  const critical = common("critical");
  if (warning === undefined && critical === undefined) return undefined;
  return {
    badSide: indicators[indicator].badSide,
    ...(warning === undefined ? {} : { warning }),
    ...(critical === undefined ? {} : { critical }),
  };
}

function boundText(objective: Objective, severity: "warning" | "critical"): string {
  const bound = objective[severity];
  if (!bound) return "";
  const { unit } = indicators[objective.indicator];
  const against = bound.reference ? ` (${bound.reference.kind})` : ` ${unit}`;
  return `${bound.value}${against}, ${bound.response}`;
}

function notesOf(
  shown: readonly Indicator[],
  { services, runbookBase }: DashboardsArgs,
  runbooks: readonly Runbook[],
): string {
  const rows = services.flatMap(({ name, objectives }) =>
    objectives
      .filter(({ indicator }) => shown.includes(indicator))
      .map((objective) => {
        const target =
          objective.target === undefined ? "" : `${objective.target} ${indicators[objective.indicator].unit}`;
        return `| ${name} | ${objective.name} | ${target} | ${boundText(objective, "warning")} | ${boundText(objective, "critical")} |`;
      }),
  );
  const table =
    rows.length === 0
      ? "No service of this program has a bound on what is shown here."
      : ["| service | objective | target | warning | critical |", "|---|---|---|---|---|", ...rows].join("\n");
  const links = runbooks.map((runbook) => {
    const link = runbookLink(runbookBase, runbook);
    return /^https?:\/\//.test(link) ? `[${runbook}](${link})` : `${runbook} (${link})`;
  });
  return `${table}\n\nRunbooks: ${links.join(", ")}`;
}
