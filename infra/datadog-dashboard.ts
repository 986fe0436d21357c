/**
 * The environment's dashboard in Datadog, once, with variables for service and release (D3): what Grafana's five show, in five groups. It
 * shows what releases report there themselves (`core/signals.ts`), so only services whose source is `datadog` are on it. Datadog's copy of
 * CloudWatch's metrics, ten to twelve minutes late, is left out: beside numbers of this minute it would look like them.
 */
import { createRequire } from "node:module";
import type * as datadog from "@pulumi/datadog";
import type * as pulumi from "@pulumi/pulumi";
import { defaultRunbookBase, type Runbook, runbookLink } from "../core/runbooks.ts";
import { datadogName, type ReportedSignal } from "../core/signals.ts";

export interface DatadogDashboardArgs {
  readonly environment: string;
  /** URL or folder with the runbooks that groups link to. @default the product's own folder */
  readonly runbookBase?: string;
}

/** One query of a widget, as Datadog has it. */
interface Query {
  readonly data_source: "metrics";
  readonly name: string;
  readonly query: string;
}

/** A line of a widget: its queries, and what is made of them. */
interface Line {
  readonly queries: readonly Query[];
  readonly formula: string;
  readonly alias: string;
}

type Widget = { readonly definition: Readonly<Record<string, unknown>> };

/** Declares it. @returns the resource, whose `url` is the dashboard's path */
export function datadogDashboard(
  name: string,
  args: DatadogDashboardArgs,
  opts?: pulumi.CustomResourceOptions,
): datadog.DashboardJson {
  // Loaded here: no other preview waits for the package.
  const { DashboardJson } = createRequire(import.meta.url)("@pulumi/datadog") as typeof datadog;
  return new DashboardJson(`${name}-datadog`, { dashboard: JSON.stringify(dashboardOf(args)) }, opts);
}

/** The dashboard as Datadog's API has it; source: Datadog API reference, "Create a new dashboard", read 2026-11. */
export function dashboardOf({ environment, runbookBase = defaultRunbookBase }: DatadogDashboardArgs) {
  const panels = panelsIn(environment);
  return {
    title: `Tidegate ${environment}`,
    description: `Releases of the environment ${environment}, made by Tidegate; changes by hand are undone by its next up`,
    layout_type: "ordered",
    template_variables: [variable("service"), variable("release")],
    widgets: [
      group("Rollout status", ["full-rollback", "killed"], runbookBase, rolloutStatus(environment, panels)),
      group("Errors", ["high-error-rate", "breaker-open"], runbookBase, errors(panels)),
      group("Performance", ["high-latency"], runbookBase, performance(panels)),
      group("Migration", ["invariant-violation"], runbookBase, migration(panels)),
      group("Objectives and budgets", ["high-error-rate"], runbookBase, budgets(environment)),
    ],
  };
}

function variable(name: "service" | "release") {
  return { name, prefix: name, available_values: [], defaults: ["*"] };
}

function group(title: string, runbooks: readonly Runbook[], base: string, widgets: readonly Widget[]): Widget {
  const links = runbooks.map((runbook) => `[${runbook}](${runbookLink(base, runbook)})`).join(" · ");
  const note = { type: "note", content: `Runbooks: ${links}`, background_color: "white", font_size: "14" };
  return { definition: { type: "group", title, layout_type: "ordered", widgets: [{ definition: note }, ...widgets] } };
}

type Panels = ReturnType<typeof panelsIn>;

/** Queries by release and service, as the variables narrow them. */
function panelsIn(environment: string) {
  const metric = (aggregator: string, signal: ReportedSignal, suffix: string) =>
    `${aggregator}:${datadogName(signal)}{environment:${environment},$service,$release} by {service,release}${suffix}`;
  const query = (name: string, text: string): Query => ({ data_source: "metrics", name, query: text });
  const sum = (name: string, signal: ReportedSignal) => query(name, metric("sum", signal, ".as_count()"));
  return {
    count: (signal: ReportedSignal, alias: string): Line => ({ queries: [sum("a", signal)], formula: "a", alias }),
    /** Percent of one count in others. */
    share: (part: ReportedSignal, whole: readonly ReportedSignal[], alias: string): Line => ({
      queries: [sum("part", part), ...whole.map((signal, index) => sum(`whole${index}`, signal))],
      formula: `100 * part / (${whole.map((_, index) => `whole${index}`).join(" + ")})`,
      alias,
    }),
    quotient: (part: ReportedSignal, whole: ReportedSignal, alias: string): Line => ({
      queries: [sum("part", part), sum("whole", whole)],
      formula: "part / whole",
      alias,
    }),
    percentile: (percentile: number): Line => ({
      queries: [query("a", metric(`p${percentile}`, "latency", ""))],
      formula: "a",
      alias: `p${percentile}`,
    }),
    gauge: (aggregator: "avg" | "max", signal: ReportedSignal, alias: string): Line => ({
      queries: [query("a", metric(aggregator, signal, ""))],
      formula: "a",
      alias,
    }),
  };
}

/** @param unit stands in the title, so that nobody reads it off the axis */
function timeseries(title: string, unit: string, lines: readonly Line[], display: "line" | "area" = "line"): Widget {
  return {
    definition: {
      type: "timeseries",
      title: `${title} (${unit})`,
      show_legend: true,
      requests: lines.map(({ queries, formula, alias }) => ({
        response_format: "timeseries",
        queries,
        formulas: [{ formula, alias }],
        display_type: display,
      })),
    },
  };
}

function rolloutStatus(environment: string, { count }: Panels): Widget[] {
  return [
    {
      definition: {
        type: "manage_status",
        title: "What breaks its promise now",
        summary_type: "monitors",
        query: `tag:"tidegate_environment:${environment}"`,
        sort: "status,asc",
        display_format: "countsAndList",
        color_preference: "text",
        hide_zero_counts: true,
      },
    },
    timeseries("Traffic by release, which is the exposure", "requests", [count("requests", "requests")], "area"),
    timeseries("Processes that ended by an error", "count", [count("crashes", "crashes")]),
  ];
}

function errors({ count, share, gauge }: Panels): Widget[] {
  return [
    timeseries("Error rate", "percent", [share("errors", ["requests"], "errors")]),
    timeseries("Errors", "count", [count("errors", "errors")]),
    timeseries("Invariants found broken", "count", [count("invariant-violations", "violations")]),
    timeseries("Turned away by a rate limit", "count", [count("rate-limit-rejects", "rejects")]),
    timeseries("Turned away by a rate limit", "percent", [share("rate-limit-rejects", ["requests"], "rejects")]),
    timeseries("Circuit breaker open", "seconds", [
      gauge("max", "breaker-open-seconds", "open"),
      gauge("max", "breaker-recovery-seconds", "was open"),
    ]),
  ];
}

function performance({ percentile, gauge, share, quotient }: Panels): Widget[] {
  return [
    timeseries("Time to answer", "milliseconds", [percentile(50), percentile(95), percentile(99)]),
    timeseries("Memory of a process", "megabytes", [gauge("avg", "memory-megabytes", "memory")]),
    timeseries("Processor time of a process", "percent", [gauge("avg", "cpu-percent", "cpu")]),
    timeseries("Cache look-ups that found something", "percent", [
      share("cache-hits", ["cache-hits", "cache-misses"], "hits"),
    ]),
    timeseries("Items in a second of work", "per second", [quotient("items-processed", "processing-seconds", "items")]),
  ];
}

function migration({ count, share }: Panels): Widget[] {
  return [
    timeseries("Dual runs", "count", [count("dual-runs", "runs"), count("dual-run-failures", "differed")]),
    timeseries("Dual runs that differed", "percent", [share("dual-run-failures", ["dual-runs"], "differed")]),
    timeseries("Answered by the old implementation", "percent", [share("fallbacks", ["requests"], "fallbacks")]),
    timeseries("Requests that asked a feature flag", "percent", [share("flag-evaluations", ["requests"], "asked")]),
    timeseries("Flag and code path differed", "count", [count("flag-mismatches", "mismatches")]),
  ];
}

function budgets(environment: string): Widget[] {
  return [
    {
      definition: {
        type: "slo_list",
        title: "Error budgets, 30 days",
        requests: [
          {
            request_type: "slo_list",
            query: { query_string: `tidegate_environment:${environment}`, limit: 100, sort: [] },
          },
        ],
      },
    },
  ];
}
