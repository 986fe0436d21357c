/** What of the config says how to ask the systems that watch beside CloudWatch; the program asks them as the hook does. */
import { grafanaDataSourceUid } from "../core/grafana-names.ts";
import type { ElsewhereSettings } from "../hooks/elsewhere/elsewhere.ts";
import type { AlertingConfig } from "./config.ts";

/** One system for each that is configured with what the hook is to ask it with. */
export function elsewhereOf({ grafana, datadog }: AlertingConfig, environment: string): ElsewhereSettings {
  return {
    ...(grafana?.prometheus && grafana.tokenSecretArn !== undefined
      ? {
          prometheus: {
            url: grafana.url,
            dataSourceUid:
              "uid" in grafana.prometheus ? grafana.prometheus.uid : grafanaDataSourceUid(environment, "prometheus"),
            tokenSecretArn: grafana.tokenSecretArn,
          },
        }
      : {}),
    ...(datadog?.keysSecretArn === undefined
      ? {}
      : { datadog: { site: datadog.site, keysSecretArn: datadog.keysSecretArn } }),
  };
}
