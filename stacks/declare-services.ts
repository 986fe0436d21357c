/** The services of a stack, each with what was decided for it, on a foundation of this stack or another. */
import * as pulumi from "@pulumi/pulumi";
import {
  type GuardBinding,
  loadBalancerArnSuffix,
  ProgressiveService,
  type ServiceOutputs,
  type ServiceSurvey,
} from "../components/index.ts";
import type { Declaration } from "../core/declaration.ts";
import type { FinishedRelease } from "../core/gate/evidence.ts";
import type { EnvironmentConfig } from "./config.ts";
import { datadogFor } from "./datadog.ts";
import type { Surroundings } from "./declare-foundation.ts";
import { grafanaFor } from "./grafana.ts";
import { finishedIn } from "./ladder.ts";

export interface DeclareServicesArgs {
  readonly config: EnvironmentConfig;
  /** One for each service of the config, in any order. */
  readonly declarations: readonly Declaration[];
  readonly guards: GuardBinding;
  /** Names the stack in leases: organisation, project, stack. */
  readonly stackId: string;
  /** What was found of what services adopt. @default nothing is adopted */
  readonly survey?: ServiceSurvey;
  /** Called with each service once it is declared, for messages that belong under it. */
  readonly onService?: (service: ProgressiveService, declaration: Declaration) => void;
}

/** What a stack tells of one service. */
export interface ToldService extends ServiceOutputs {
  /** Releases that finished here and count, as of the last commit: what the environment above asks for (A8). */
  readonly finished: pulumi.Output<readonly FinishedRelease[]>;
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
  for (const { settings, declaration } of pairs) {
    const takenOverFrom = takeOver[settings.name];
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
      elsewhere: [...grafanaFor(args.config.alerting, around.grafana ?? []), ...datadogFor(args.config.alerting)],
    });
    args.onService?.(service, declaration);
    outputs[settings.name] = { ...service.outputs, finished: service.opening.result.apply(finishedIn) };
  }
  return outputs;
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
