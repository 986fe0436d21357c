/**
 * What the program declares in Datadog: monitors and SLO of services that report there, one dashboard for the environment; and whether its
 * provider acts on the very site that the hook asks (docs/datadog.md).
 */
import * as pulumi from "@pulumi/pulumi";
import { DatadogSlo, type DeclareElsewhere } from "../components/index.ts";
import { budgetDaysNotice, datadogBurnRules } from "../core/datadog-budget.ts";
import { datadogDashboard, hookEventsTopicName } from "../infra/index.ts";
import type { AlertingConfig, ServiceConfig } from "./config.ts";

/** Declares a service's monitors; of services with another source nothing in Datadog would be of this minute. */
export function datadogFor({ datadog, runbooks, dashboard }: AlertingConfig): readonly DeclareElsewhere[] {
  if (!datadog) return [];
  return [
    ({ name, parent, environment, settings, releases }) => {
      const { burnRate, objectives, source } = settings;
      if (source !== "datadog") return [];
      return new DatadogSlo(
        `${name}-datadog`,
        {
          environment,
          service: settings.name,
          objectives,
          ...(burnRate ? { burnRate } : {}),
          releases,
          notify: datadog.notify,
          hookTopicName: hookEventsTopicName(environment),
          runbookBase: runbooks,
          ...(dashboard === undefined ? {} : { dashboardUrl: dashboard }),
        },
        { parent },
      ).monitors;
    },
  ];
}

/** What people must know of a service beside Datadog, for the preview; empty where Datadog is not configured. */
export function datadogNotices(
  service: Pick<ServiceConfig, "name" | "source" | "objectives" | "burnRate">,
  { datadog }: AlertingConfig,
): string[] {
  if (!datadog) return [];
  const { name, source, objectives, burnRate } = service;
  if (source !== "datadog") {
    return [
      `${name}: not in Datadog, since its source is ${source}; its alarms are where its metrics are (docs/datadog.md)`,
    ];
  }
  if (!burnRate) return [];
  const { rules, unwatched } = datadogBurnRules(objectives, burnRate);
  const days = rules.length === 0 ? undefined : budgetDaysNotice(burnRate);
  return [
    ...(days === undefined ? [] : [days]),
    ...unwatched.map(({ key, why }) => `${key} is not watched: ${why}`),
  ].map((text) => `${name}: ${text}`);
}

/** Declares the environment's dashboard, where Datadog is configured. */
export function declareDatadog(environment: string, { datadog, runbooks }: AlertingConfig): void {
  if (datadog) datadogDashboard(environment, { environment, runbookBase: runbooks });
}

/** The provider's own default. Source: Datadog provider reference, `apiUrl`, read 2026-11. */
const defaultApiUrl = "https://api.datadoghq.com/";

/** What Datadog's provider is told; `undefined`: nothing, and it takes its default. */
export function datadogApiUrl(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return new pulumi.Config("datadog").get("apiUrl") ?? variables.DD_HOST ?? variables.DATADOG_HOST;
}

/** Why monitors would be made where the hook does not look for them; empty when they would not. */
export function datadogSiteProblems({ datadog }: AlertingConfig, apiUrl: string | undefined): string[] {
  if (!datadog) return [];
  const expected = `https://api.${datadog.site}/`;
  const got = apiUrl === undefined ? defaultApiUrl : `${apiUrl.replace(/\/+$/, "")}/`;
  if (got === expected) return [];
  const shown = apiUrl === undefined ? `${got} (its default)` : got;
  return [
    `datadog:apiUrl: another site than alerting.datadog.site, got ${shown}; expected ${expected}. pulumi config set datadog:apiUrl ${expected}`,
  ];
}
