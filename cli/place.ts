/** Where a command is meant: a stack's file, or environment and region by flag; every problem at once, in the words of the flags. */
import { listenerArnPattern, regionPattern } from "../core/aws-patterns.ts";
import { BadInputError } from "../core/bad-input.ts";
import { isSlug, loadBalancerName, maximumEnvironmentLength, maximumServiceLength, slugRule } from "../core/naming.ts";
import type { ListenerRef } from "../hooks/ports.ts";
import type { Access, Outside } from "./outside.ts";
import { readStackPlace, type StackPlace, stackFile, stackProblem } from "./stack-file.ts";

/** Flags that say the place, as typed. */
export interface PlaceFlags {
  readonly stack?: string;
  readonly environment?: string;
  readonly region?: string;
  readonly profile?: string;
  /** Only `kill` has it. */
  readonly listener?: string;
}

export interface Place extends Access {
  /** Where the service's rules are, should no record say it. */
  readonly listener: ListenerRef;
}

/** The place, or `undefined` after a problem. */
export async function readPlace(
  flags: PlaceFlags,
  directory: string,
  outside: Outside,
  problems: string[],
): Promise<Place | undefined> {
  const before = problems.length;
  const stack = await readStack(flags, directory, problems);
  const environment = readEnvironment(flags, stack, problems);
  const region = await readRegion(flags, stack, outside, problems);
  const listenerArn = readListener(flags, stack, problems);
  if (problems.length > before || environment === undefined || region === undefined) return undefined;
  return {
    environment,
    region,
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    listener: listenerArn === undefined ? { loadBalancerName: loadBalancerName(environment) } : { arn: listenerArn },
  };
}

async function readStack(flags: PlaceFlags, directory: string, problems: string[]): Promise<StackPlace | undefined> {
  if (flags.stack === undefined) return undefined;
  const problem = stackProblem(flags.stack, directory);
  if (problem !== undefined) {
    problems.push(problem);
    return undefined;
  }
  try {
    return await readStackPlace(stackFile(flags.stack, directory));
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function readEnvironment(flags: PlaceFlags, stack: StackPlace | undefined, problems: string[]): string | undefined {
  if (flags.stack !== undefined && flags.environment !== undefined) {
    problems.push(
      `--environment: says the place a second time, got "${flags.environment}" beside --stack ${flags.stack}; expected one of them. Leave --environment out`,
    );
    return undefined;
  }
  if (flags.stack === undefined && flags.environment === undefined) {
    problems.push(
      "--stack: missing; expected the stack, or --environment and --region instead. Pages name environment and region",
    );
    return undefined;
  }
  if (flags.stack !== undefined && !stack) return undefined;
  const environment = stack ? stack.environment : flags.environment;
  if (typeof environment === "string" && isSlug(environment, maximumEnvironmentLength)) return environment;
  const source = stack ? `Pulumi.${flags.stack}.yaml: tidegate:environment` : "--environment";
  problems.push(
    `${source}: not an environment name, got ${shown(environment)}; expected at most ${maximumEnvironmentLength} characters: ${slugRule}`,
  );
  return undefined;
}

/** Flag, stack file, AWS_REGION, AWS_DEFAULT_REGION, the profile's: the AWS CLI's order, with the stack's own in second place. */
async function readRegion(
  flags: PlaceFlags,
  stack: StackPlace | undefined,
  outside: Outside,
  problems: string[],
): Promise<string | undefined> {
  if (stack && flags.region !== undefined && stack.region !== undefined && stack.region !== flags.region) {
    problems.push(
      `--region: not where stack ${flags.stack} lives, got "${flags.region}"; expected ${shown(stack.region)}. Leave --region out`,
    );
    return undefined;
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = outside.variables;
  const sources: readonly (readonly [string, unknown])[] = [
    ["--region", flags.region],
    [`Pulumi.${flags.stack}.yaml: aws:region`, stack?.region],
    ["AWS_REGION", AWS_REGION || undefined],
    ["AWS_DEFAULT_REGION", AWS_DEFAULT_REGION || undefined],
  ];
  const [source, region] = sources.find(([, value]) => value !== undefined) ?? [
    "region of the profile",
    await outside.profileRegion(flags.profile),
  ];
  if (region === undefined) {
    problems.push(
      "--region: missing, and no stack file, AWS_REGION, AWS_DEFAULT_REGION or profile says it; expected a region such as eu-west-1. Add --region",
    );
    return undefined;
  }
  if (typeof region === "string" && regionPattern.test(region)) return region;
  problems.push(`${source}: not a region, got ${shown(region)}; expected a region such as eu-west-1`);
  return undefined;
}

function readListener(flags: PlaceFlags, stack: StackPlace | undefined, problems: string[]): string | undefined {
  const written = flags.listener ?? stack?.listenerArn;
  if (typeof written === "string" && listenerArnPattern.test(written)) return written;
  if (flags.listener !== undefined) {
    problems.push(
      `--listener: not the ARN of an application load balancer's listener, got ${shown(flags.listener)}; expected arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<id>/<id>. Find it with aws elbv2 describe-listeners`,
    );
  }
  return undefined;
}

/** The service, or `undefined` after a problem. */
export function readServiceName(service: string | undefined, problems: string[]): string | undefined {
  if (service === undefined) {
    problems.push("--service: missing; expected the name of a service. npx tidegate status lists them");
    return undefined;
  }
  if (isSlug(service, maximumServiceLength)) return service;
  problems.push(
    `--service: not a service name, got ${shown(service)}; expected at most ${maximumServiceLength} characters: ${slugRule}`,
  );
  return undefined;
}

/** A value as messages show it; a list or a map only by its kind. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a map";
  return typeof value === "string"
    ? JSON.stringify(value.length > 140 ? `${value.slice(0, 139)}…` : value)
    : String(value);
}
