/** What a checklist asks of the stack's config. */
import type { ChecklistConfig } from "../core/checklist.ts";
import type { EnvironmentConfig, ServiceConfig } from "../stacks/config.ts";

export function checklistConfig(config: EnvironmentConfig, service: ServiceConfig): ChecklistConfig {
  const { alerting, environment, foundation, ladderBelow } = config;
  return {
    service: service.name,
    environment,
    mode: service.mode,
    release: service.canary ?? service.baseline,
    attempt: service.attempt,
    plan: service.plan,
    approvals: service.approvals ?? [],
    checks: service.checks ?? [],
    keepsErrorBudget: service.burnRate !== undefined,
    ...(ladderBelow === undefined ? {} : { ladderBelow }),
    ...(foundation === "here"
      ? {
          reaches: {
            pages: alerting.pagerduty !== undefined || alerting.email.length > 0,
            chat: alerting.slack !== undefined,
            dashboard: alerting.dashboard !== undefined || alerting.grafana !== undefined,
          },
        }
      : {}),
  };
}
