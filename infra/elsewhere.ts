/**
 * What a deployed function needs to ask the systems that watch beside CloudWatch: where they are, and where the secret is kept that they
 * are asked with. The ARN and never the secret: variables are read by everyone who may look at the function.
 */

export interface ElsewhereAccess {
  /** Prometheus through Grafana's data source proxy. @default none */
  readonly prometheus?: { readonly url: string; readonly dataSourceUid: string; readonly tokenSecretArn: string };
  /** @default none */
  readonly datadog?: { readonly site: string; readonly keysSecretArn: string };
}

/** Environment variables of the function. */
export function elsewhereVariables({ prometheus, datadog }: ElsewhereAccess = {}): Record<string, string> {
  return {
    ...(prometheus
      ? {
          TIDEGATE_GRAFANA_URL: prometheus.url,
          TIDEGATE_GRAFANA_DATA_SOURCE: prometheus.dataSourceUid,
          TIDEGATE_GRAFANA_SECRET: prometheus.tokenSecretArn,
        }
      : {}),
    ...(datadog ? { TIDEGATE_DATADOG_SITE: datadog.site, TIDEGATE_DATADOG_SECRET: datadog.keysSecretArn } : {}),
  };
}

/** Secrets that the function's role may read for it. */
export function elsewhereSecretArns({ prometheus, datadog }: ElsewhereAccess = {}): string[] {
  return [...(prometheus ? [prometheus.tokenSecretArn] : []), ...(datadog ? [datadog.keysSecretArn] : [])];
}
