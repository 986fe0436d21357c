/**
 * Names of what the program makes in Grafana, fixed so that the stacks of services and the hook say the same as the stack that made it.
 * Uids are of the environment, at most 40 characters of letters, digits, `-` and `_`. Source: Grafana HTTP API, read 2026-11.
 */

/** Folder of dashboards and rules. */
export function grafanaFolderUid(environment: string): string {
  return `tidegate-${environment}`;
}

/** Data source that the program makes where none is adopted. */
export function grafanaDataSourceUid(environment: string, kind: "prometheus" | "cloudwatch"): string {
  return `tidegate-${environment}-${kind}`;
}

/** The five dashboards. */
export const grafanaDashboardNames = ["rollouts", "errors", "performance", "migration", "slo"] as const;
export type GrafanaDashboardName = (typeof grafanaDashboardNames)[number];

export function grafanaDashboardUid(environment: string, name: GrafanaDashboardName): string {
  return `tidegate-${environment}-${name}`;
}

/** Where a dashboard is looked at, with one service chosen. @param url Grafana's own */
export function grafanaDashboardUrl(
  url: string,
  environment: string,
  name: GrafanaDashboardName,
  service?: string,
): string {
  const chosen = service === undefined ? "" : `?var-service=${encodeURIComponent(service)}`;
  return `${url.replace(/\/+$/, "")}/d/${grafanaDashboardUid(environment, name)}${chosen}`;
}

/** Who is told: `hook` wakes the hook and nobody else; the others are for rules of a severity, and wake the hook, too. */
export const grafanaContactPoints = ["hook", "critical", "warning"] as const;
export type GrafanaContactPoint = (typeof grafanaContactPoints)[number];

export function grafanaContactPointName(environment: string, point: GrafanaContactPoint): string {
  return `tidegate-${environment}-${point}`;
}
