/** The foundation of an environment, once: record table, hook and watchman, topics and channels, load balancer or adopted listener. */
import * as pulumi from "@pulumi/pulumi";
import { type GuardBinding, type HookReference, loadBalancerArnSuffix } from "../components/index.ts";
import {
  AlertTopics,
  DeadLetters,
  EnvironmentKey,
  edgeErrorAlarm,
  type HookSecrets,
  LoadBalancer,
  PagerDutyRouting,
  partitionOf,
  RollbackHook,
  RolloutTable,
  SlackChannels,
  SloReport,
  type SloReportArgs,
  Watchman,
} from "../infra/index.ts";
import { type AlertingConfig, type EnvironmentConfig, type PagerDutyConfig, sharedOf } from "./config.ts";
import { declareDatadog } from "./datadog.ts";
import { elsewhereOf } from "./elsewhere.ts";
import { contractVersion, type FoundationOutputs } from "./foundation.ts";
import { declareGrafana } from "./grafana.ts";

export interface DeclareFoundationArgs {
  readonly config: EnvironmentConfig;
  readonly guards: GuardBinding;
  /** The bundled hook; see `hooks/bundle.ts`. */
  readonly hookBundleFolder: string;
  /** The bundled watchman; see `hooks/bundle.ts`. */
  readonly watchmanBundleFolder: string;
  /** The bundled SLO report; needed where the config has one. */
  readonly reportBundleFolder?: string;
  /** The account that the program acts in, 12 digits. */
  readonly accountId: string;
}

/** What services need of a foundation, made here or by another stack. */
export interface Surroundings {
  readonly listenerArn: pulumi.Input<string>;
  /** The CloudWatch dimension `app/<name>/<id>` of the listener's load balancer. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  readonly vpcId: string;
  readonly topics: { readonly critical: pulumi.Input<string>; readonly warning: pulumi.Input<string> };
  readonly runbooks: string;
  readonly hook: HookReference;
  /** What this very program declares of Grafana, for rules to come after. @default nothing */
  readonly grafana?: readonly pulumi.Resource[];
}

/** Outputs that only resources know. */
type Made =
  | "tableName"
  | "hookFunctionName"
  | "hookAliasName"
  | "criticalTopicArn"
  | "warningTopicArn"
  | "listenerArn"
  | "loadBalancerArnSuffix";

/** Outputs of a stack that has a foundation: what service stacks read, and what people and other tools do. */
export type FoundationStackOutputs = Omit<FoundationOutputs, Made> & {
  readonly [Key in Made]: pulumi.Output<string>;
} & {
  /** ARN of the hook's alias. */
  readonly hookArn: pulumi.Output<string>;
  /** ARN of the topic by which Grafana and Datadog wake the hook. */
  readonly hookEventsTopicArn: pulumi.Output<string>;
};

/** Name of the hook on the hook's own function; it only remembers that the code changes in this `up`. */
export const hookChangeWatchName = "watch on the hook's function";

/** Declares the foundation. */
export function declareFoundation(args: DeclareFoundationArgs): {
  readonly surroundings: Surroundings;
  readonly outputs: FoundationStackOutputs;
} {
  const { config, guards, accountId } = args;
  const { environment, region, network } = config;
  const moreListenerArns = furtherListeners(config);
  const edge = new LoadBalancer(environment, { environment, ...network });
  const place = { accountId, region, partition: partitionOf(region) };
  const key = new EnvironmentKey(environment, { environment, ...place });
  const topics = new AlertTopics(environment, { environment, keyArn: key.arn, email: config.alerting.email });
  const deadLetters = new DeadLetters(environment, { environment, ...place });
  const { secrets, madeRoutingKey } = declareChannels(config, {
    partition: place.partition,
    keyArn: key.arn,
    topics,
    deadLetters,
  });
  const table = new RolloutTable(environment, { environment });
  let hookChanges = false;
  const functionHooks = guards.bind(hookChangeWatchName, async () => {
    hookChanges = true;
  });
  const shared = {
    environment,
    elsewhere: elsewhereOf(config.alerting, environment),
    tableName: table.name,
    tableArn: table.arn,
    criticalTopicArn: topics.critical.arn,
    keyArn: key.arn,
    ...linksOf(config.alerting),
  };
  const hook = new RollbackHook(environment, {
    ...shared,
    ...place,
    bundleFolder: args.hookBundleFolder,
    peers: config.peers,
    listenerArn: edge.listenerArn,
    moreListenerArns,
    warningTopicArn: topics.warning.arn,
    deadLetters: deadLetters.queue,
    secrets,
    ...(functionHooks ? { functionHooks } : {}),
  });
  const grafana = declareGrafana({
    config,
    eventsTopicArn: hook.eventsTopic.arn,
    ...(madeRoutingKey ? { madeRoutingKey } : {}),
  });
  declareDatadog(environment, config.alerting);
  new Watchman(environment, { ...shared, accountId, bundleFolder: args.watchmanBundleFolder });
  declareReport(args, { ...shared, ...place, warningTopicArn: topics.warning.arn });
  const balancerSuffix = edge.arn.apply(loadBalancerArnSuffix);
  edgeErrorAlarm(`${environment}-edge-5xx`, {
    environment,
    loadBalancerArnSuffix: balancerSuffix,
    topicArn: topics.warning.arn,
    runbookBase: config.alerting.runbooks,
  });
  for (const suffix of furtherBalancers(config, moreListenerArns)) {
    const further = suffix.split("/").slice(1).join("-");
    edgeErrorAlarm(`${environment}-edge-5xx-${further}`, {
      environment,
      loadBalancerArnSuffix: suffix,
      further,
      topicArn: topics.warning.arn,
      runbookBase: config.alerting.runbooks,
    });
  }
  const { runbooks, dashboard } = config.alerting;
  return {
    surroundings: {
      listenerArn: edge.listenerArn,
      loadBalancerArnSuffix: balancerSuffix,
      vpcId: network.vpcId,
      topics: { critical: topics.critical.arn, warning: topics.warning.arn },
      runbooks,
      hook: {
        functionName: hook.functionName,
        aliasName: hook.aliasName,
        deployment: { alias: hook.alias, changes: () => hookChanges },
      },
      grafana,
    },
    outputs: {
      contractVersion,
      foundation: "here",
      environment,
      accountId,
      region,
      tableName: table.name,
      hookFunctionName: hook.functionName,
      hookAliasName: hook.aliasName,
      hookArn: hook.arn,
      hookEventsTopicArn: hook.eventsTopic.arn,
      criticalTopicArn: topics.critical.arn,
      warningTopicArn: topics.warning.arn,
      listenerArn: edge.listenerArn,
      moreListenerArns: [...moreListenerArns],
      loadBalancerArnSuffix: balancerSuffix,
      vpcId: network.vpcId,
      runbooks,
      ...(dashboard === undefined ? {} : { dashboard }),
      ...(config.alerting.grafana ? { grafana: config.alerting.grafana } : {}),
      ...(config.alerting.datadog ? { datadog: config.alerting.datadog } : {}),
      peers: [...config.peers],
      dependencyOwners: [...sharedOf(config).dependencyOwners],
    },
  };
}

/** The same of a foundation that another stack made. Nothing here deploys the hook, so it cannot change in this `up`. */
export function surroundingsOf(outputs: FoundationOutputs): Surroundings {
  return {
    listenerArn: outputs.listenerArn,
    loadBalancerArnSuffix: outputs.loadBalancerArnSuffix,
    vpcId: outputs.vpcId,
    topics: { critical: outputs.criticalTopicArn, warning: outputs.warningTopicArn },
    runbooks: outputs.runbooks,
    hook: { functionName: outputs.hookFunctionName, aliasName: outputs.hookAliasName },
  };
}

/** Listeners beside the environment's own whose rules the hook may lower: named for other stacks, or by services of this one. */
export function furtherListeners({ network, services }: EnvironmentConfig): readonly string[] {
  const named = [
    ...(network.moreListenerArns ?? []),
    ...services.flatMap(({ routes }) => routes.flatMap((route) => route.listenerArn ?? [])),
  ];
  return [...new Set(named)].filter((arn) => arn !== network.listenerArn).sort();
}

/** Load balancers of those listeners, save the environment's own: an error that one makes itself is seen on it alone. */
function furtherBalancers({ network }: EnvironmentConfig, listenerArns: readonly string[]): readonly string[] {
  const own = network.listenerArn === undefined ? undefined : loadBalancerArnSuffix(network.listenerArn);
  return [...new Set(listenerArns.map(loadBalancerArnSuffix))].filter((suffix) => suffix !== own);
}

function linksOf({ runbooks, dashboard }: AlertingConfig) {
  return { runbookBase: runbooks, ...(dashboard === undefined ? {} : { dashboardUrl: dashboard }) };
}

/** The SLO report, where somebody is to get one. */
function declareReport(
  { config: { environment, alerting }, reportBundleFolder }: DeclareFoundationArgs,
  shared: Omit<SloReportArgs, "bundleFolder" | "email" | "webhookSecretArn">,
): void {
  const { report } = alerting;
  if (!report) return;
  if (reportBundleFolder === undefined) {
    throw new pulumi.RunError(
      "alerting.report: its function was not bundled, got no folder; expected one. This is a fault of the program, nothing was changed",
    );
  }
  const { sender, recipients, webhookSecretArn } = report;
  new SloReport(environment, {
    ...shared,
    bundleFolder: reportBundleFolder,
    ...(sender === undefined ? {} : { email: { sender, recipients } }),
    ...(webhookSecretArn === undefined ? {} : { webhookSecretArn }),
  });
}

interface ChannelSurroundings {
  readonly partition: string;
  readonly keyArn: pulumi.Output<string>;
  readonly topics: AlertTopics;
  readonly deadLetters: DeadLetters;
}

/** What the config names beside e-mail. @returns where the hook finds the secrets of its channels, and the key of what was made */
function declareChannels(
  { environment, alerting: { pagerduty, slack } }: EnvironmentConfig,
  around: ChannelSurroundings,
): { readonly secrets: HookSecrets; readonly madeRoutingKey?: pulumi.Output<string> } {
  const { critical, warning } = around.topics;
  if (slack?.chatbot) {
    new SlackChannels(environment, {
      environment,
      partition: around.partition,
      ...slack.chatbot,
      criticalTopicArn: critical.arn,
      warningTopicArn: warning.arn,
    });
  }
  const routing = pagerduty && declarePagerDuty(environment, pagerduty, around);
  return {
    secrets: {
      ...(routing ? { pagerDutyArn: routing.routingKeySecretArn } : {}),
      ...(slack?.webhookSecretArn === undefined ? {} : { slackArn: slack.webhookSecretArn }),
    },
    ...(routing?.routingKey ? { madeRoutingKey: routing.routingKey } : {}),
  };
}

/** @returns the secret with the hook's routing key, and the key where it was made here */
function declarePagerDuty(
  environment: string,
  pagerduty: PagerDutyConfig,
  { keyArn, topics, deadLetters }: ChannelSurroundings,
): { readonly routingKeySecretArn: pulumi.Input<string>; readonly routingKey?: pulumi.Output<string> } {
  if (pagerduty.kind === "own-key") return { routingKeySecretArn: pagerduty.routingKeySecretArn };
  const { kind: _kind, ...routing } = pagerduty;
  return new PagerDutyRouting(environment, {
    environment,
    ...routing,
    criticalTopicArn: topics.critical.arn,
    deadLetterArn: deadLetters.queue.arn,
    keyArn,
  });
}
