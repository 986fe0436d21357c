/** Once per environment, the foundation: load balancer, record table, alert topics, hook. */
export { AlertTopics, type AlertTopicsArgs } from "./alert-topics.ts";
export { type EdgeErrorAlarmArgs, edgeErrorAlarm, LoadBalancer, type LoadBalancerArgs } from "./load-balancer.ts";
export { hookAliasName, RollbackHook, type RollbackHookArgs } from "./rollback-hook.ts";
export { RolloutTable, type RolloutTableArgs } from "./rollout-table.ts";
