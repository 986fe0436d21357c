/** The services of a stack, each with what was decided for it, on a foundation of this stack or another. */
import * as pulumi from "@pulumi/pulumi";
import {
  type DeclareWorkload,
  declareFlagStrategies,
  type GuardBinding,
  loadBalancerArnSuffix,
  ProgressiveService,
  type ServiceOutputs,
  type ServiceSurvey,
} from "../components/index.ts";
import type { Declaration } from "../core/declaration.ts";
import type { FinishedRelease } from "../core/gate/evidence.ts";
import type { EnvironmentConfig, ServiceConfig } from "./config.ts";
import { datadogFor } from "./datadog.ts";
import type { Surroundings } from "./declare-foundation.ts";
import { grafanaFor } from "./grafana.ts";
import { finishedIn } from "./ladder.ts";
import type { PlacedWorkload } from "./workloads.ts";

export interface DeclareServicesArgs {
  readonly config: EnvironmentConfig;
  /** One for each service of the config, in any order. */
  readonly declarations: readonly Declaration[];
  readonly guards: GuardBinding;
  /** Names the stack in leases: organisation, project, stack. */
  readonly stackId: string;
  /**
   * What declares the processes behind a service's releases (E6), asked for each service whose config has a workload.
   * @default nothing does, and a config with a workload is refused
   */
  readonly workloads?: (service: ServiceConfig) => DeclareWorkload | undefined;
  /** Where releases of a service were declared, asked once they are; see `prepareWorkloads`. @default nothing is told of it */
  readonly placeOf?: (service: string) => PlacedWorkload | undefined;
  /** What was found of what services adopt. @default nothing is adopted */
  readonly survey?: ServiceSurvey;
  /** Called with each service once it is declared, for messages that belong under it. */
  readonly onService?: (service: ProgressiveService, declaration: Declaration) => void;
}

/** What a stack tells of one service. */
export interface ToldService extends ServiceOutputs {
  /** Releases that finished here and count, as of the last commit: what the environment above asks for (A8). */
  readonly finished: pulumi.Output<readonly FinishedRelease[]>;
  /** Where its releases run, so that the next `up` sees when they would be moved. @default the program declares none */
  readonly workload?: PlacedWorkload;
}

/** A service of the config and what was decided for it. */
export type DecidedService = ReturnType<typeof pairServices>[number];

/** Declares every service. @returns what each tells, by its name */
export function declareServices(
  args: DeclareServicesArgs,
  pairs: readonly DecidedService[],
  around: Surroundings,
): Readonly<Record<string, ToldService>> {
  const { environment, region, takeOver = {} } = args.config;
  const outputs: Record<string, ToldService> = {};
  const flagStrategies = flagStrategiesOf(pairs, environment);
  for (const { settings, declaration } of pairs) {
    const takenOverFrom = takeOver[settings.name];
    const workloads = settings.workload && workloadOf(args, settings);
    const service = new ProgressiveService(settings.name, {
      environment,
      region,
      settings,
      declaration,
      listenerArn: around.listenerArn,
      loadBalancerArnSuffix: ownBalancer(settings) ?? around.loadBalancerArnSuffix,
      vpcId: around.vpcId,
      topics: around.topics,
      runbookBase: around.runbooks,
      hook: around.hook,
      takenBy: args.stackId,
      ...(takenOverFrom === undefined ? {} : { takenOverFrom }),
      peers: args.config.peers,
      ...(args.survey ? { found: args.survey } : {}),
      guards: args.guards,
      ...(workloads ? { workloads } : {}),
      ...(flagStrategies ? { flagStrategies } : {}),
      elsewhere: [...grafanaFor(args.config.alerting, around.grafana ?? []), ...datadogFor(args.config.alerting)],
    });
    args.onService?.(service, declaration);
    const place = args.placeOf?.(settings.name);
    outputs[settings.name] = {
      ...service.outputs,
      finished: service.opening.result.apply(finishedIn),
      ...(place ? { workload: place } : {}),
    };
  }
  return outputs;
}

/** One pair for all services of the stack: an account has 20. Source: AppConfig API reference, ServiceQuotaExceededException, read 2026-11. */
function flagStrategiesOf(pairs: readonly DecidedService[], environment: string) {
  if (!pairs.some(({ declaration }) => declaration.split?.flag !== undefined)) return undefined;
  return declareFlagStrategies("flags", { tags: { "tidegate:environment": environment } }, {});
}

/** Groups without the processes that the config asks for would be an outage at the first weight. */
function workloadOf({ workloads }: DeclareServicesArgs, service: ServiceConfig): DeclareWorkload {
  const declare = workloads?.(service);
  if (declare) return declare;
  throw new pulumi.RunError(
    `services.${service.name}.workload: nothing here declares it, got ${service.workload?.kind}; expected a function that does. ` +
      "This is a fault of the program, nothing was changed",
  );
}

/** The load balancer of a service that names a listener; all its routes are on one. */
function ownBalancer({ routes }: EnvironmentConfig["services"][number]): string | undefined {
  const listenerArn = routes.find((route) => route.listenerArn !== undefined)?.listenerArn;
  return listenerArn === undefined ? undefined : loadBalancerArnSuffix(listenerArn);
}

/**
 * Puts services and decisions together.
 * @throws pulumi.RunError when a service has no declaration, or a declaration no service
 */
export function pairServices({ config, declarations }: Pick<DeclareServicesArgs, "config" | "declarations">) {
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
