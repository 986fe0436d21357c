/** The stack config of the end-to-end tests: as `Pulumi.dev.yaml`, with one service. */
import { type EnvironmentConfig, parseConfig } from "../../../stacks/config.ts";
import { region } from "./places.ts";

export const dashboardUrl = "https://grafana.example.com/d/rollouts";

const imageOf = (digit: string) => `registry.example.com/shop/checkout@sha256:${digit.repeat(64)}`;

/** One service as a person writes it: 2.4.0 comes, 2.3.1 serves. */
export function serviceConfig(service: string): Record<string, unknown> {
  return {
    mode: "act",
    match: { hosts: [`${service}.example.com`], paths: ["/checkout/*"] },
    priority: 100,
    testers: { header: { name: "X-Tidegate-Canary", value: "on" } },
    stickinessSeconds: 3_600,
    baseline: { version: "2.3.1", image: imageOf("1") },
    canary: { version: "2.4.0", image: imageOf("2") },
    wave: 0,
    plan: { waves: [25, 50, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) },
    objectives: "batch",
    source: "alb",
  };
}

/** The environment around it: a load balancer of its own, mail, PagerDuty by a key that somebody stored. */
export function environmentConfig(args: {
  readonly environment: string;
  readonly network: { readonly vpcId: string; readonly subnetIds: readonly string[] };
  readonly routingKeySecretArn: string;
  readonly services: Readonly<Record<string, unknown>>;
}): EnvironmentConfig {
  const { environment, network, routingKeySecretArn, services } = args;
  return parseConfig({
    aws: { region },
    tidegate: {
      environment,
      network: { ...network, allowedCidrs: ["10.0.0.0/8"] },
      alerting: {
        email: ["sre@example.com"],
        dashboard: dashboardUrl,
        runbooks: "https://wiki.example.com/runbooks",
        pagerduty: { routingKeySecretArn },
      },
      services,
    },
  });
}
