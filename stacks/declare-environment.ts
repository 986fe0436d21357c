/**
 * The program's second phase: resources out of the config and what was decided, nothing else. It reads no clock and no cloud of its own,
 * so the same arguments register the same resources; the rehearsal runs exactly this.
 */
import * as pulumi from "@pulumi/pulumi";
import {
  type GuardBinding,
  loadBalancerArnSuffix,
  ProgressiveService,
  type ServiceOutputs,
} from "../components/index.ts";
import type { Declaration } from "../core/declaration.ts";
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
  Watchman,
} from "../infra/index.ts";
import type { AlertingConfig, EnvironmentConfig, PagerDutyConfig } from "./config.ts";

export interface DeclareEnvironmentArgs {
  readonly config: EnvironmentConfig;
  /** One for each service of the config, in any order. */
  readonly declarations: readonly Declaration[];
  readonly guards: GuardBinding;
  /** The bundled hook; see `hooks/bundle.ts`. */
  readonly hookBundleFolder: string;
  /** The bundled watchman; see `hooks/bundle.ts`. */
  readonly watchmanBundleFolder: string;
  /** Names the stack in leases: organisation, project, stack. */
  readonly stackId: string;
  /** The account that the program acts in, 12 digits. */
  readonly accountId: string;
  /** Called with each service once it is declared, for messages that belong under it. */
  readonly onService?: (service: ProgressiveService, declaration: Declaration) => void;
}

/** What the stack tells others, and itself in the next `up`. */
export interface EnvironmentOutputs {
  readonly accountId: string;
  readonly region: string;
  readonly tableName: pulumi.Output<string>;
  /** ARN of the hook's alias. */
  readonly hookArn: pulumi.Output<string>;
  /** ARN of the topic by which Grafana and Datadog wake the hook. */
  readonly hookEventsTopicArn: pulumi.Output<string>;
  readonly listenerArn: pulumi.Output<string>;
  /** By service name. */
  readonly services: Readonly<Record<string, ServiceOutputs>>;
}

/** Name of the hook on the hook's own function; it only remembers that the code changes in this `up`. */
export const hookChangeWatchName = "watch on the hook's function";

/**
 * Declares one environment.
 * @throws pulumi.RunError when a service has no declaration, or a declaration no service
 */
export function declareEnvironment(args: DeclareEnvironmentArgs): EnvironmentOutputs {
  const { config, guards, accountId, stackId } = args;
  const { environment, region, network } = config;
  const pairs = pair(args);

  const edge = new LoadBalancer(environment, { environment, ...network });
  const place = { accountId, region, partition: partitionOf(region) };
  const key = new EnvironmentKey(environment, { environment, ...place });
  const topics = new AlertTopics(environment, { environment, keyArn: key.arn, email: config.alerting.email });
  const deadLetters = new DeadLetters(environment, { environment, ...place });
  const secrets = declareChannels(config, { partition: place.partition, keyArn: key.arn, topics, deadLetters });
  const table = new RolloutTable(environment, { environment });
  let hookChanges = false;
  const functionHooks = guards.bind(hookChangeWatchName, async () => {
    hookChanges = true;
  });
  const shared = {
    environment,
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
    listenerArn: edge.listenerArn,
    warningTopicArn: topics.warning.arn,
    deadLetters: deadLetters.queue,
    secrets,
    ...(functionHooks ? { functionHooks } : {}),
  });
  new Watchman(environment, { ...shared, accountId, bundleFolder: args.watchmanBundleFolder });
  const balancerSuffix = edge.arn.apply(loadBalancerArnSuffix);
  edgeErrorAlarm(`${environment}-edge-5xx`, {
    environment,
    loadBalancerArnSuffix: balancerSuffix,
    topicArn: topics.warning.arn,
    runbookBase: config.alerting.runbooks,
  });

  const services: Record<string, ServiceOutputs> = {};
  for (const { settings, declaration } of pairs) {
    const service = new ProgressiveService(settings.name, {
      environment,
      region,
      settings,
      declaration,
      listenerArn: edge.listenerArn,
      loadBalancerArnSuffix: balancerSuffix,
      vpcId: network.vpcId,
      topics: { critical: topics.critical.arn, warning: topics.warning.arn },
      runbookBase: config.alerting.runbooks,
      hook: {
        functionName: hook.functionName,
        aliasName: hook.aliasName,
        deployment: { alias: hook.alias, changes: () => hookChanges },
      },
      takenBy: stackId,
      guards,
    });
    args.onService?.(service, declaration);
    services[settings.name] = service.outputs;
  }
  return {
    accountId,
    region,
    tableName: table.name,
    hookArn: hook.arn,
    hookEventsTopicArn: hook.eventsTopic.arn,
    listenerArn: edge.listenerArn,
    services,
  };
}

function linksOf({ runbooks, dashboard }: AlertingConfig) {
  return { runbookBase: runbooks, ...(dashboard === undefined ? {} : { dashboardUrl: dashboard }) };
}

interface ChannelSurroundings {
  readonly partition: string;
  readonly keyArn: pulumi.Output<string>;
  readonly topics: AlertTopics;
  readonly deadLetters: DeadLetters;
}

/** What the config names beside e-mail. @returns where the hook finds the secrets of its channels */
function declareChannels(
  { environment, alerting: { pagerduty, slack } }: EnvironmentConfig,
  around: ChannelSurroundings,
): HookSecrets {
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
  return {
    ...(pagerduty ? { pagerDutyArn: declarePagerDuty(environment, pagerduty, around) } : {}),
    ...(slack?.webhookSecretArn === undefined ? {} : { slackArn: slack.webhookSecretArn }),
  };
}

/** @returns ARN of the secret with the hook's routing key */
function declarePagerDuty(
  environment: string,
  pagerduty: PagerDutyConfig,
  { keyArn, topics, deadLetters }: ChannelSurroundings,
): pulumi.Input<string> {
  if (pagerduty.kind === "own-key") return pagerduty.routingKeySecretArn;
  const { kind: _kind, ...routing } = pagerduty;
  return new PagerDutyRouting(environment, {
    environment,
    ...routing,
    criticalTopicArn: topics.critical.arn,
    deadLetterArn: deadLetters.queue.arn,
    keyArn,
  }).routingKeySecretArn;
}

function pair({ config, declarations }: DeclareEnvironmentArgs) {
  const decided = new Map(declarations.map((declaration) => [declaration.service, declaration]));
  const strangers = declarations.filter(({ service }) => !config.services.some(({ name }) => name === service));
  const undecided = config.services.filter(({ name }) => !decided.has(name));
  if (strangers.length > 0 || undecided.length > 0) {
    const names = [...undecided.map(({ name }) => name), ...strangers.map(({ service }) => service)];
    throw new pulumi.RunError(
      `services: config and decisions do not match, got a difference in ${names.join(", ")}; expected one decision for each service. ` +
        "This is a fault of the program, nothing was changed",
    );
  }
  return config.services.flatMap((settings) => {
    const declaration = decided.get(settings.name);
    return declaration ? [{ settings, declaration }] : [];
  });
}
