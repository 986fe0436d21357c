/**
 * What ECS on Fargate cannot run, found before anything is declared: config says it at its path, and `EcsRelease` once more for programs of
 * one's own, which write their settings by hand.
 */
import type { EcsWorkload, WorkloadShape } from "../../core/workloads.ts";
import { fargateProblem } from "./fargate.ts";

/**
 * Time that Fargate gives a container between the stop signal and the kill. Unit: seconds.
 * Source: ECS API reference, ContainerDefinition `stopTimeout` ("valid values for Fargate are 2-120 seconds"), read 2026-11.
 */
const minimumStopSeconds = 2;
const maximumStopSeconds = 120;

/** Subnets and security groups of one service. Source: ECS API reference, AwsVpcConfiguration, read 2026-11. */
export const maximumSubnets = 16;
export const maximumSecurityGroups = 5;

/** The variable that says which release a process is; the program's own. */
export const releaseVariable = "TIDEGATE_RELEASE";

/** One complaint, in the words of config; `field` is the key that it is about. */
export interface LimitProblem {
  readonly field: keyof WorkloadShape | keyof EcsWorkload | keyof GroupLimits | "image";
  readonly got: string | number;
  readonly wrong: string;
  readonly expected: string;
  readonly wayOut?: string;
}

/** What the target group has to do with it. */
export interface GroupLimits {
  /** Unit: seconds. */
  readonly deregistrationDelaySeconds: number;
}

/** Everything that is wrong with how large it is, how it is asked whether it is well, and how it stops. */
export function shapeProblems(shape: WorkloadShape, group: GroupLimits): LimitProblem[] {
  const size = fargateProblem(shape);
  return [...(size ? [size] : []), ...pathProblems(shape), ...stopProblems(shape, group)];
}

/** The target group asks, and ECS starts a task anew that fails there: there is no second question (`container.ts`). */
function pathProblems({ livenessPath, readinessPath }: WorkloadShape): LimitProblem[] {
  if (livenessPath === readinessPath) return [];
  const wrong =
    "nobody would ask it: on ECS the target group's health check alone decides whether a task is started anew";
  const wayOut = "Leave it out, or set targetGroup.healthCheckPath to it";
  return [{ field: "livenessPath", got: livenessPath, wrong, expected: readinessPath, wayOut }];
}

/**
 * A task that goes by a deployment or by scaling is told to stop once its target has drained. One that goes for another reason, such as a
 * platform update, is told at once, with requests still under way until the delay is over: hence longer than it in any case.
 * Source: ECS developer guide, "Optimize load balancer connection draining parameters", read 2026-11.
 */
function stopProblems({ stopSeconds }: WorkloadShape, { deregistrationDelaySeconds }: GroupLimits): LimitProblem[] {
  const problems: LimitProblem[] = [];
  const shortest = Math.max(minimumStopSeconds, deregistrationDelaySeconds + 1);
  if (stopSeconds > maximumStopSeconds) {
    const expected = `at most ${maximumStopSeconds} seconds`;
    problems.push({
      field: "stopSeconds",
      got: stopSeconds,
      wrong: "longer than Fargate waits before it kills",
      expected,
    });
  }
  if (deregistrationDelaySeconds >= maximumStopSeconds) {
    problems.push({
      field: "deregistrationDelaySeconds",
      got: deregistrationDelaySeconds,
      wrong: `not shorter than the ${maximumStopSeconds} seconds after which Fargate kills, which would cut requests off`,
      expected: `at most ${maximumStopSeconds - 1} seconds`,
      wayOut: "Take a little more than the slowest request",
    });
  } else if (stopSeconds < shortest) {
    const cut = `not longer than the target group's deregistration of ${deregistrationDelaySeconds} seconds, which would cut requests off`;
    problems.push({
      field: "stopSeconds",
      got: stopSeconds,
      wrong: stopSeconds <= deregistrationDelaySeconds ? cut : "shorter than Fargate takes",
      expected: `${shortest} to ${maximumStopSeconds} seconds`,
    });
  }
  return problems;
}

/** Secrets and plain variables share the names of the environment; ECS refuses one that is in both. */
export function nameProblems(names: {
  readonly variables: Readonly<Record<string, string>>;
  readonly secretArns: Readonly<Record<string, string>>;
}): LimitProblem[] {
  const secrets = Object.keys(names.secretArns);
  const problems: LimitProblem[] = [];
  for (const [field, keys] of [
    ["variables", Object.keys(names.variables)] as const,
    ["secretArns", secrets] as const,
  ]) {
    if (!keys.includes(releaseVariable)) continue;
    const wrong = "a variable that the program sets itself";
    problems.push({ field, got: releaseVariable, wrong, expected: "another name" });
  }
  const both = secrets.filter((name) => Object.hasOwn(names.variables, name));
  if (both.length > 0) {
    const wrong = "plain variables and secrets of the same name";
    problems.push({ field: "secretArns", got: both.join(", "), wrong, expected: "each name in one of them" });
  }
  return problems;
}

/** One release as it is about to be declared. */
export interface ReleaseLimits extends GroupLimits {
  readonly workload: EcsWorkload;
  readonly image: string | undefined;
  /** What the config asks for, or more. */
  readonly minimumCount: number;
}

const imageWithDigest = /@sha256:[0-9a-f]{64}$/;

/** Everything that is wrong with a release; what config has checked finds nothing here. */
export function releaseProblems({ workload, image, minimumCount, ...group }: ReleaseLimits): LimitProblem[] {
  const { shape, subnetIds, securityGroupIds, secretArns = {}, runAsUserId } = workload;
  const problems = [...shapeProblems(shape, group), ...nameProblems({ variables: shape.variables, secretArns })];
  const count = (field: "subnetIds" | "securityGroupIds", ids: readonly string[], most: number) => {
    if (ids.length >= 1 && ids.length <= most) return;
    problems.push({ field, got: ids.length, wrong: "not as many as a service has", expected: `1 to ${most}` });
  };
  count("subnetIds", subnetIds, maximumSubnets);
  count("securityGroupIds", securityGroupIds, maximumSecurityGroups);
  if (!Number.isInteger(runAsUserId) || runAsUserId < 1) {
    problems.push({ field: "runAsUserId", got: runAsUserId, wrong: "root, or no user", expected: "a user id above 0" });
  }
  if (!Number.isInteger(minimumCount) || minimumCount < 1) {
    problems.push({ field: "minimumCount", got: minimumCount, wrong: "no number of tasks", expected: "1 or more" });
  }
  if (shape.minimumCount > shape.maximumCount) {
    const expected = `at most the maximum, ${shape.maximumCount}`;
    problems.push({ field: "minimumCount", got: shape.minimumCount, wrong: "above the maximum", expected });
  }
  if (image === undefined || !imageWithDigest.test(image)) {
    const wrong = "image without digest";
    problems.push({ field: "image", got: image ?? "nothing", wrong, expected: "<repository>@sha256:<64 hex>" });
  }
  return problems;
}

/** The complaint as a line of its own. */
export function limitText(place: string, { got, wrong, expected, wayOut }: LimitProblem): string {
  return `${place}: ${wrong}, got ${got}; expected ${expected}${wayOut === undefined ? "" : `. ${wayOut}`}`;
}
