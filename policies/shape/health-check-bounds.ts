/**
 * Health checks that find a dead target soon and do not throw out a living one. How long a dead target keeps its share of the traffic
 * is the interval times the unhealthy threshold.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { at, flagAt, type KnownMap, known, numberAt, settingsOf, textAt, unknown } from "../known.ts";
import { isApplicationGroup } from "../props-alb.ts";
import { type Finding, message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly maximumIntervalSeconds: number;
  readonly maximumUnhealthySeconds: number;
}

/** A dead target is out within three minutes: about as soon as the metrics show it. */
const defaults: Settings = { maximumIntervalSeconds: 60, maximumUnhealthySeconds: 180 };

/** What the provider takes where nothing is given. Source: aws.lb.TargetGroup, pulumi-aws 7.48. */
const providerDefaults = { interval: 30, timeout: 5, unhealthyThreshold: 3 } as const;

type Problem = Omit<Finding, "name">;

function outside(field: string, value: number, [least, most]: readonly [number, number], unit: string): Problem {
  return {
    wrong: `healthCheck.${field} is out of bounds`,
    got: `${value}${unit}`,
    expected: `${least} to ${most}${unit}`,
    wayOut: `Set healthCheck.${field} to a whole number in these bounds`,
  };
}

function problemsOf(props: KnownMap, settings: Settings): Problem[] {
  const number = (field: string) => numberAt(props, "healthCheck", field);
  const problems: Problem[] = [];
  const bounds = [
    ["interval", [5, settings.maximumIntervalSeconds], " seconds"],
    ["timeout", [2, 120], " seconds"],
    ["healthyThreshold", [2, 10], ""],
    ["unhealthyThreshold", [2, 10], ""],
  ] as const;
  for (const [field, range, unit] of bounds) {
    const value = number(field);
    // Written so that what is no number fails too.
    if (typeof value === "number" && !(Number.isInteger(value) && value >= range[0] && value <= range[1])) {
      problems.push(outside(field, value, range, unit));
    }
  }
  if (problems.length > 0) return problems;
  const interval = number("interval") ?? providerDefaults.interval;
  const timeout = number("timeout") ?? providerDefaults.timeout;
  if (interval === unknown) return [];
  if (timeout !== unknown && timeout >= interval) {
    problems.push({
      wrong: "healthCheck.timeout is not shorter than the interval",
      got: `${timeout} seconds at an interval of ${interval}`,
      expected: `less than ${interval} seconds`,
      wayOut: "Shorten the timeout",
    });
  }
  const threshold = number("unhealthyThreshold") ?? providerDefaults.unhealthyThreshold;
  if (threshold !== unknown && interval * threshold > settings.maximumUnhealthySeconds) {
    problems.push({
      wrong: "a dead target keeps its share of the traffic too long",
      got: `${interval * threshold} seconds (${threshold} checks, ${interval} seconds apart)`,
      expected: `at most ${settings.maximumUnhealthySeconds} seconds`,
      wayOut: "Shorten healthCheck.interval or lower healthCheck.unhealthyThreshold",
    });
  }
  return problems;
}

export const healthCheckBounds: ResourceValidationPolicy = {
  name: "health-check-bounds",
  description: "A target group checks its targets, often enough and not too eagerly.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["alb", "health-checks"],
  remediationSteps:
    "Set healthCheck.interval, timeout, healthyThreshold and unhealthyThreshold in the bounds; the timeout is shorter than the interval.",
  url: referenceUrl("health-check-bounds"),
  configSchema: {
    properties: {
      maximumIntervalSeconds: {
        type: "integer",
        minimum: 5,
        maximum: 300,
        default: defaults.maximumIntervalSeconds,
        description: "Longest time between two checks of a target, in seconds.",
      },
      maximumUnhealthySeconds: {
        type: "integer",
        minimum: 10,
        maximum: 3_000,
        default: defaults.maximumUnhealthySeconds,
        description: "Longest time until a dead target is out, interval times unhealthy threshold, in seconds.",
      },
    },
  },
  validateResource: (args, report) => {
    const props = known(args.props);
    if (!isApplicationGroup(args.type, props)) return;
    // A function is checked only on request: each check is an invocation that is paid for.
    const isFunction = textAt(props, "targetType") === "lambda";
    if (isFunction && (flagAt(props, "healthCheck", "enabled") === false || at(props, "healthCheck") === undefined)) {
      return;
    }
    if (flagAt(props, "healthCheck", "enabled") === false) {
      report(
        message({
          name: args.name,
          wrong: "health checks are off",
          got: "healthCheck.enabled false",
          expected: "health checks, without which a dead target keeps its traffic",
          wayOut: "Take healthCheck.enabled out",
        }),
      );
      return;
    }
    for (const problem of problemsOf(props, settingsOf(args, defaults))) {
      report(message({ name: args.name, ...problem }));
    }
  },
};
