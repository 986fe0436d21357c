/** Once per service: components for a Pulumi program of your own, one file each; `ProgressiveService` composes them. */
export type { AlertTopicArns, MeasuredRelease } from "./alarm-inputs.ts";
export { ArnInvalidError, loadBalancerArnSuffix, targetGroupArnSuffix } from "./arn.ts";
export { DatadogSlo, type DatadogSloArgs } from "./datadog-slo.ts";
export type { DeclareElsewhere, ServiceElsewhere } from "./declare-elsewhere.ts";
export { type DeclareWorkload, type WorkloadAsk, withVariables } from "./declare-workload.ts";
export { type ClusterCheck, clusterProblems, type LookUpCluster, lookUpCluster } from "./ecs/cluster.ts";
export { declareOnEcs, EcsRelease, type EcsReleaseArgs } from "./ecs-release.ts";
export {
  declareFlagStrategies,
  FlagDocument,
  type FlagDocumentArgs,
  type FlagStrategies,
} from "./flag-document.ts";
export { GrafanaSlo, type GrafanaSloArgs, grafanaRulesOf } from "./grafana-slo.ts";
export { KubernetesRelease, type KubernetesReleaseArgs, kubernetesReleaseProblems } from "./kubernetes-release.ts";
export {
  type HookReference,
  ProgressiveService,
  type ProgressiveServiceArgs,
  type ServiceOutputs,
} from "./progressive-service.ts";
export type { ReleaseGroup } from "./release-groups.ts";
export { type DeclaredForward, RuleShapeError, readForward } from "./rule-shapes.ts";
export {
  ServiceAlarms,
  type ServiceAlarmsArgs,
  serviceAlarmProblems,
  type WatchedTogether,
} from "./service-alarms.ts";
export { describeService, type ServiceDescriptionArgs } from "./service-description.ts";
export {
  nothingAdopted,
  type Route,
  type RouteMatch,
  type ServiceSettings,
  type ServiceSurvey,
  type TargetGroupSettings,
  type Testers,
} from "./settings.ts";
export { type DeclaredAlarm, SloAlarms, type SloAlarmsArgs, watchedAlarmsOf } from "./slo-alarms.ts";
export {
  type ReleaseElsewhere,
  releasesElsewhere,
  rulesElsewhere,
  watchedElsewhere,
} from "./watched-elsewhere.ts";
export { WaveOpening, type WaveOpeningArgs } from "./wave-opening.ts";
export { type RouterGuard, WaveRouter, type WaveRouterArgs } from "./wave-router.ts";
export {
  type Guard,
  type GuardBinding,
  type GuardContext,
  type GuardedRule,
  guardedWriteFrom,
  guardHookName,
  type HookCallback,
  type RuleWriteArgs,
} from "./write-guard.ts";
