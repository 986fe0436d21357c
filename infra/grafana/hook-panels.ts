/** Panels of what the hook says of itself, in the namespace `Tidegate/Hook`: the markers of a rollout, and whether anybody watches. */
import { hookMetricNamespace } from "../hook-alarms.ts";
import type { PanelDefinition } from "./panels.ts";

function hookPanel(
  environment: string,
  metricName: string,
  shown: Pick<PanelDefinition, "title" | "description" | "unit"> & {
    readonly statistic: "Sum" | "Maximum" | "Average";
    /** Whether the metric has the service as a dimension. */
    readonly ofService: boolean;
  },
): PanelDefinition {
  const { statistic, ofService, ...rest } = shown;
  return {
    ...rest,
    targets: [
      {
        kind: "cloudwatch",
        id: "shown",
        namespace: hookMetricNamespace,
        metricName,
        dimensions: { Environment: environment, ...(ofService ? { Service: "$service" } : {}) },
        statistic,
        label: ofService ? "$service" : environment,
        hidden: false,
      },
    ],
  };
}

/** Openings and rollbacks of the chosen service, minute by minute; on top of every dashboard. */
export function markerPanels(environment: string): PanelDefinition[] {
  return [
    hookPanel(environment, "ExposurePercent", {
      title: "exposure",
      description:
        "What the canary has of the traffic, live. A step up is an opening, a step down a rollback or a kill. Unit: percent.",
      unit: "percent",
      statistic: "Maximum",
      ofService: true,
    }),
    hookPanel(environment, "Decisions", {
      title: "decisions",
      description:
        "What the hook wrote into the service's history: openings, breaches, holds, recoveries. Unit: count.",
      unit: "short",
      statistic: "Sum",
      ofService: true,
    }),
  ];
}

/** The rest of what the hook says of one service. */
export function serviceHookPanels(environment: string): PanelDefinition[] {
  return [
    hookPanel(environment, "CanaryErrorRatePercent", {
      title: "canary error rate",
      description:
        "Errors of the canary in the last minutes, as the hook read them from the service's own source. Unit: percent.",
      unit: "percent",
      statistic: "Maximum",
      ofService: true,
    }),
    hookPanel(environment, "RollbackMilliseconds", {
      title: "time to lower",
      description: "From the decision to lower until every rule was written. Unit: milliseconds.",
      unit: "ms",
      statistic: "Maximum",
      ofService: true,
    }),
    hookPanel(environment, "ReconcileFailed", {
      title: "looks that failed",
      description:
        "Looks at the service in which something could not be read or written; anything above 0 wants a person. Unit: count.",
      unit: "short",
      statistic: "Sum",
      ofService: true,
    }),
  ];
}

/** Whether anybody watches the environment. */
export function environmentHookPanels(environment: string): PanelDefinition[] {
  const count = { unit: "short", ofService: false } as const;
  return [
    hookPanel(environment, "ReconcileFinished", {
      ...count,
      title: "looks that finished",
      description: "One a minute over all services; none for five minutes is a dead hook. Unit: count.",
      statistic: "Sum",
    }),
    hookPanel(environment, "ReconcileMilliseconds", {
      title: "time of a look",
      description: "How long one look over all services takes; Lambda ends it after 60 s. Unit: milliseconds.",
      unit: "ms",
      statistic: "Maximum",
      ofService: false,
    }),
    hookPanel(environment, "WatchmanFindings", {
      ...count,
      title: "findings of the watchman",
      description: "What the hook should have done and has not; anything above 0 pages. Unit: count.",
      statistic: "Maximum",
    }),
    hookPanel(environment, "DrillArrived", {
      ...count,
      title: "drills that arrived",
      description: "The weekly try of the path from alarm to page. Unit: count.",
      statistic: "Sum",
    }),
  ];
}
