/**
 * The program's second phase: resources out of the config and what was decided, nothing else. It reads no clock and no cloud of its own,
 * so the same arguments register the same resources; the rehearsal runs exactly this.
 */
import * as pulumi from "@pulumi/pulumi";
import { fullStackName } from "./config/foundation.ts";
import {
  type DeclareFoundationArgs,
  declareFoundation,
  type FoundationStackOutputs,
  surroundingsOf,
} from "./declare-foundation.ts";
import { type DeclareServicesArgs, declareServices, pairServices, type ToldService } from "./declare-services.ts";
import type { FoundationOutputs } from "./foundation.ts";

export { hookChangeWatchName } from "./declare-foundation.ts";

export interface DeclareEnvironmentArgs
  extends DeclareServicesArgs,
    Omit<DeclareFoundationArgs, "hookBundleFolder" | "watchmanBundleFolder"> {
  /** The foundation that another stack has. @default this one makes it, for which it needs the bundles */
  readonly foundation?: { readonly stack: string; readonly outputs: FoundationOutputs };
  /** The bundled hook; see `hooks/bundle.ts`. */
  readonly hookBundleFolder?: string;
  /** The bundled watchman; see `hooks/bundle.ts`. */
  readonly watchmanBundleFolder?: string;
}

/** What every stack tells: itself in the next `up`, and people. */
interface StackOutputs {
  readonly environment: string;
  readonly accountId: string;
  readonly region: string;
  readonly tableName: pulumi.Input<string>;
  /** By service name. */
  readonly services: Readonly<Record<string, ToldService>>;
  /** Full name of the stack of the environment below. @default this environment stands on none */
  readonly ladder?: string;
}

/** Of a stack that declares services beside a foundation. */
export interface ServiceStackOutputs extends StackOutputs {
  /** Full name of the stack that has the foundation. */
  readonly foundation: string;
}

/** What a stack tells others, and itself in the next `up`. */
export type EnvironmentOutputs = (StackOutputs & FoundationStackOutputs) | ServiceStackOutputs;

/**
 * Declares one stack: foundation and services, or services beside a foundation of another stack.
 * @throws pulumi.RunError when a service has no declaration, or a declaration no service
 */
export function declareEnvironment(
  args: DeclareEnvironmentArgs & { readonly foundation?: undefined },
): StackOutputs & FoundationStackOutputs;
export function declareEnvironment(args: DeclareEnvironmentArgs): EnvironmentOutputs;
export function declareEnvironment(args: DeclareEnvironmentArgs): EnvironmentOutputs {
  const pairs = pairServices(args);
  const { foundation, hookBundleFolder, watchmanBundleFolder, accountId, config, stackId } = args;
  const ladder = config.ladderBelow === undefined ? {} : { ladder: fullStackName(config.ladderBelow, stackId) };
  if (foundation) {
    const { stack, outputs } = foundation;
    const { environment, region, tableName } = outputs;
    const services = declareServices(args, pairs, surroundingsOf(outputs));
    return { foundation: stack, environment, accountId, region, tableName, services, ...ladder };
  }
  if (hookBundleFolder === undefined || watchmanBundleFolder === undefined) {
    throw new pulumi.RunError(
      "foundation: its functions were not bundled, got no folder; expected those of hook and watchman. This is a fault of the program, nothing was changed",
    );
  }
  const { surroundings, outputs } = declareFoundation({ ...args, hookBundleFolder, watchmanBundleFolder });
  return { ...outputs, services: declareServices(args, pairs, surroundings), ...ladder };
}
