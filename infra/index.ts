/** Once per environment, the foundation: load balancer, record table, alert topics, hook and its watchman, who is told. */
export { AlertTopics, type AlertTopicsArgs } from "./alert-topics.ts";
export { type DatadogDashboardArgs, datadogDashboard } from "./datadog-dashboard.ts";
export { DeadLetters, type DeadLettersArgs } from "./dead-letters.ts";
export { EnvironmentKey, type EnvironmentKeyArgs } from "./environment-key.ts";
export { GrafanaDashboards, type GrafanaDashboardsArgs, prometheusUidOf } from "./grafana-dashboards.ts";
export { hookEventsTopicName } from "./hook-events.ts";
export { type EdgeErrorAlarmArgs, edgeErrorAlarm, LoadBalancer, type LoadBalancerArgs } from "./load-balancer.ts";
export { PagerDutyRouting, type PagerDutyRoutingArgs } from "./pagerduty/routing.ts";
export { type Place, partitionOf } from "./place.ts";
export { type HookSecrets, RollbackHook, type RollbackHookArgs } from "./rollback-hook.ts";
export { RolloutTable, type RolloutTableArgs } from "./rollout-table.ts";
export { SlackChannels, type SlackChannelsArgs } from "./slack-channels.ts";
export { SloReport, type SloReportArgs } from "./slo-report.ts";
export { Watchman, type WatchmanArgs } from "./watchman.ts";
