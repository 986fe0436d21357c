/**
 * Panels as plain data, before they are Grafana's: what a panel asks of which system, and where it belongs. Measures come from
 * `core/watch-rules.ts` and names from `core/signals.ts`, as those of the alarms do, so a panel shows what an alarm watches.
 */
import { type AlarmMetric, measured } from "../../core/alarm-metrics.ts";
import { type Indicator, indicators, isMeasurable, type MetricSource } from "../../core/objectives.ts";
import { measureExpression, selectorOf } from "../../core/promql.ts";
import { errorSignals, type Measure, measureOf } from "../../core/watch-rules.ts";

/** One metric of CloudWatch. */
export interface CloudWatchTarget {
  readonly kind: "cloudwatch";
  readonly id: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly label: string;
  /** Asked for an expression alone. */
  readonly hidden: boolean;
}

/** Metric math over targets beside it. */
export interface CloudWatchMath {
  readonly kind: "cloudwatch-math";
  readonly id: string;
  readonly expression: string;
  readonly label: string;
  readonly hidden: boolean;
}

export interface PrometheusTarget {
  readonly kind: "prometheus";
  readonly id: string;
  readonly expression: string;
  readonly label: string;
}

export type Target = CloudWatchTarget | CloudWatchMath | PrometheusTarget;

/** Lines at the objectives' bounds. */
export interface BoundLines {
  readonly warning?: number;
  readonly critical?: number;
  readonly badSide: "above" | "below";
}

export interface PanelDefinition {
  readonly title: string;
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly targets: readonly Target[];
  /** One panel for each chosen value of this variable: metric math knows no "for each". */
  readonly repeat?: "release" | "target_group";
  readonly bounds?: BoundLines;
}

/** Panels of one system, under one heading. */
export interface RowDefinition {
  readonly title: string;
  readonly panels: readonly PanelDefinition[];
}

/** Systems that panels read, by the source of the services whose metrics are there. */
export type PanelSource = Extract<MetricSource, "alb" | "emf" | "prometheus">;

export const sourceTitles: Readonly<Record<PanelSource, string>> = {
  alb: "as the load balancer counts (every service)",
  emf: "as releases report to CloudWatch (source emf)",
  prometheus: "as releases report to Prometheus (source prometheus)",
};

/** Unit of an indicator as Grafana names it. Source: Grafana's value formats, read 2026-11. */
const grafanaUnits: Readonly<Record<string, string>> = {
  percent: "percent",
  milliseconds: "ms",
  megabytes: "decmbytes",
  count: "short",
  seconds: "s",
  "per second": "cps",
  "per minute": "cpm",
  "per hour": "short",
};

/** Labels of everything that one service reports; the variable is Grafana's. */
export function serviceSelector(environment: string): string {
  return selectorOf({ environment, service: "$service" });
}

const dimensionsOf: Readonly<Record<AlarmMetric["dimensions"], Readonly<Record<string, string>>>> = {
  "target-group-and-load-balancer": { TargetGroup: "$target_group", LoadBalancer: "$load_balancer" },
  "service-and-release": { Service: "$service", Release: "$release" },
};

function cloudWatchTargets(measure: Measure, source: "alb" | "emf", label: string, isComplement: boolean): Target[] {
  const valued = measured(measure, source, { release: 0 });
  // Points of a panel are of a minute.
  const perSeconds = measure.kind === "sum" ? (measure.perSeconds ?? 60) : 60;
  const scaled = perSeconds === 60 ? valued.value : `(${valued.value}) * ${perSeconds} / 60`;
  const value = isComplement ? `100 - ${scaled}` : scaled;
  const metrics = valued.metrics.map(
    ({ id, namespace, metricName, dimensions, statistic }): CloudWatchTarget => ({
      kind: "cloudwatch",
      id,
      namespace,
      metricName,
      dimensions: dimensionsOf[dimensions],
      statistic,
      label,
      hidden: id !== value,
    }),
  );
  if (metrics.some(({ id }) => id === value)) return metrics;
  return [
    ...metrics,
    ...valued.expressions.map(
      ({ id, expression }): CloudWatchMath => ({ kind: "cloudwatch-math", id, expression, label, hidden: true }),
    ),
    { kind: "cloudwatch-math", id: "shown", expression: value, label, hidden: false },
  ];
}

/**
 * The panel of one indicator on one source; `undefined` where the source does not measure it.
 * @param bounds lines to draw, where every service of the program has the same ones
 */
export function indicatorPanel(
  indicator: Indicator,
  source: PanelSource,
  environment: string,
  bounds?: BoundLines,
): PanelDefinition | undefined {
  const isOfBalancer = indicator === "healthy-hosts";
  if (!isMeasurable(indicator, source) || (isOfBalancer && source !== "alb")) return undefined;
  const { unit, badSide } = indicators[indicator];
  const isComplement = indicator === "success-rate" || indicator === "availability";
  const shared = {
    title: indicator.replaceAll("-", " "),
    description: `${describe(indicator, source)} Bad is ${badSide} its bound. Unit: ${unit}.`,
    unit: grafanaUnits[unit] ?? "short",
    ...(bounds ? { bounds } : {}),
  };
  if (source === "prometheus") {
    const expression = measureExpression(
      measureOf(indicator, source),
      serviceSelector(environment),
      "$__rate_interval",
    );
    return {
      ...shared,
      targets: [
        {
          kind: "prometheus",
          id: "shown",
          expression: isComplement ? `100 - (${expression})` : expression,
          label: "{{release}}",
        },
      ],
    };
  }
  const repeat = source === "alb" ? "target_group" : "release";
  const targets = cloudWatchTargets(measureOf(indicator, source), source, `$${repeat}`, isComplement);
  return { ...shared, repeat, targets };
}

/** Who answers how much: what everything else is a share of. */
export function requestsPanel(source: PanelSource, environment: string): PanelDefinition {
  const measure: Measure = { kind: "sum", signals: ["requests"], perSeconds: 60 };
  const shared = {
    title: "requests",
    description: "Requests that each release answered. Unit: per minute.",
    unit: "cpm",
  };
  if (source === "prometheus") {
    const expression = measureExpression(measure, serviceSelector(environment), "$__rate_interval");
    return { ...shared, targets: [{ kind: "prometheus", id: "shown", expression, label: "{{release}}" }] };
  }
  const repeat = source === "alb" ? "target_group" : "release";
  return { ...shared, repeat, targets: cloudWatchTargets(measure, source, `$${repeat}`, false) };
}

function describe(indicator: Indicator, source: PanelSource): string {
  const measure = measureOf(indicator, source);
  const isErrors = ["error-rate", "success-rate", "availability"].includes(indicator);
  switch (measure.kind) {
    case "ratio":
      return isErrors
        ? `Of each release: ${errorSignals(source).join(" and ")} beside its requests.`
        : `Of each release: ${measure.part.join(" and ")} beside ${measure.whole.join(" and ")}.`;
    case "quotient":
      return `Of each release: ${measure.part} for each of ${measure.whole}.`;
    case "percentile":
      return `Of each release: what ${measure.percentile} % of its requests are answered within.`;
    case "sum":
      return `Of each release: ${measure.signals.join(" and ")}, counted.`;
    case "gauge":
      return `Of each release: ${measure.signal}, ${measure.statistic} of its processes.`;
  }
}
