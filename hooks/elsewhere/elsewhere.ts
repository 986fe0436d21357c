/**
 * The systems beside CloudWatch that an environment has rules in, put together for one account: functions take them out of their environment
 * variables, the program out of its config. Nothing is asked, and no secret read, before somebody asks for a state.
 */
import type { AwsAccess } from "../aws/clients.ts";
import { managedSecret } from "../aws/secrets.ts";
import type { Ports } from "../ports.ts";
import { datadogElsewhere, datadogKeys, datadogKeysIn } from "./datadog.ts";
import { grafanaToken, prometheusElsewhere } from "./prometheus.ts";

export interface ElsewhereSettings {
  /** Prometheus through Grafana's data source proxy. */
  readonly prometheus?: {
    /** Grafana's own URL. */
    readonly url: string;
    readonly dataSourceUid: string;
    /** Secret whose whole string is a service account token that may query the data source. */
    readonly tokenSecretArn: string;
  };
  /** Datadog's monitors. */
  readonly datadog?: {
    /** `datadoghq.eu`. */
    readonly site: string;
    /** Secret whose whole string is `{"apiKey": …, "appKey": …}`. */
    readonly keysSecretArn: string;
  };
}

export interface ElsewhereParts extends AwsAccess {
  readonly now: () => number;
  /** Hears each secret before anyone uses it, so that logs know what to leave out. */
  readonly onSecret: (value: string) => void;
}

/** The ports; a system without settings is absent. */
export function elsewherePorts({ prometheus, datadog }: ElsewhereSettings, parts: ElsewhereParts): Ports["elsewhere"] {
  const { now, onSecret, ...access } = parts;
  return {
    ...(prometheus
      ? {
          prometheus: prometheusElsewhere({
            url: prometheus.url,
            dataSourceUid: prometheus.dataSourceUid,
            token: managedSecret({
              ...access,
              secretArn: prometheus.tokenSecretArn,
              kind: grafanaToken,
              now,
              onValue: onSecret,
            }),
            now,
          }),
        }
      : {}),
    ...(datadog
      ? {
          datadog: datadogElsewhere({
            site: datadog.site,
            keys: managedSecret({
              ...access,
              secretArn: datadog.keysSecretArn,
              kind: datadogKeys,
              now,
              onValue: (value) => {
                const pair = datadogKeysIn(value);
                // Logs are searched for each key, not for the document that both are in.
                for (const secret of pair ? [pair.apiKey, pair.appKey] : [value]) onSecret(secret);
              },
            }),
            now,
          }),
        }
      : {}),
  };
}
