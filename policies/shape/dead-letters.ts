/**
 * A function that alarms, events or schedules wake leaves somewhere what it failed on. Lambda tries such a call three times and then drops it; an
 * alarm rings only once, so what is dropped is a rollback that never happens.
 *
 * Functions that only a frequent schedule wakes are let off: the next run is as good.
 */
import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { isGiven, type KnownMap, known, listAt, settingsOf, textAt, unknown } from "../known.ts";
import { compositeAlarmType, metricAlarmType } from "../props-alarm.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly letOffScheduleMinutes: number;
}

const defaults: Settings = { letOffScheduleMinutes: 5 };

const functionType = "aws:lambda/function:Function";
const aliasType = "aws:lambda/alias:Alias";
const alarmActions = ["alarmActions", "okActions", "insufficientDataActions"] as const;

/** A waker and the property in which it names what it wakes. */
interface Waker {
  readonly resource: PolicyResource;
  readonly property: string;
  /** Where in it the ARN stands. @default the property itself */
  readonly path?: readonly string[];
}

function wakersIn(resources: readonly PolicyResource[], letOffMinutes: number): Waker[] {
  return resources.flatMap((resource): Waker[] => {
    switch (resource.type) {
      case "aws:cloudwatch/eventTarget:EventTarget":
        return isFrequent(resource, resources, letOffMinutes) ? [] : [{ resource, property: "arn" }];
      case "aws:scheduler/schedule:Schedule":
        return isOften(known(resource.props), letOffMinutes) ? [] : [{ resource, property: "target", path: ["arn"] }];
      case "aws:sns/topicSubscription:TopicSubscription":
        return textAt(known(resource.props), "protocol") === "lambda" ? [{ resource, property: "endpoint" }] : [];
      case metricAlarmType:
      case compositeAlarmType:
        return alarmActions.map((property) => ({ resource, property }));
      default:
        return [];
    }
  });
}

/** Whether a target's rule comes again so soon that a lost call does not matter. */
function isFrequent(target: PolicyResource, resources: readonly PolicyResource[], letOffMinutes: number): boolean {
  const name = textAt(known(target.props), "rule");
  const rule =
    target.propertyDependencies.rule?.find(({ type }) => type === "aws:cloudwatch/eventRule:EventRule") ??
    resources.find(
      ({ type, props }) =>
        type === "aws:cloudwatch/eventRule:EventRule" && name !== unknown && textAt(known(props), "name") === name,
    );
  if (!rule) return false;
  const props = known(rule.props);
  return !isGiven(props, "eventPattern") && isOften(props, letOffMinutes);
}

/** Whether something's schedule is a rate() of at most so many minutes. */
function isOften(props: KnownMap, letOffMinutes: number): boolean {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(textAt(props, "scheduleExpression") ?? ""));
  if (!rate) return false;
  const minutes = { minute: 1, hour: 60, day: 1_440 }[rate[2] ?? ""] ?? Number.POSITIVE_INFINITY;
  return Number(rate[1]) * minutes <= letOffMinutes;
}

/** The functions among what a property is made from, an alias standing for its function. */
function functionsBehind(madeFrom: readonly PolicyResource[]): PolicyResource[] {
  return madeFrom.flatMap((resource) => {
    if (resource.type === functionType) return [resource];
    if (resource.type !== aliasType) return [];
    return (resource.propertyDependencies.functionName ?? []).filter(({ type }) => type === functionType);
  });
}

/** Whether text names a function, by its ARN or by that of a version or an alias. */
function names(text: unknown, functionArn: unknown): boolean {
  return (
    typeof text === "string" &&
    typeof functionArn === "string" &&
    (text === functionArn || text.startsWith(`${functionArn}:`))
  );
}

function wakes({ resource, property, path = [] }: Waker, woken: PolicyResource): boolean {
  if (functionsBehind(resource.propertyDependencies[property] ?? []).some(({ urn }) => urn === woken.urn)) return true;
  const arn = textAt(known(woken.props), "arn");
  const given = listAt(known(resource.props), property, ...path);
  return given !== unknown && given.some((value) => names(value, arn));
}

function leavesFailures(woken: PolicyResource, props: KnownMap, resources: readonly PolicyResource[]): boolean {
  if (isGiven(props, "deadLetterConfig", "targetArn")) return true;
  const identities = [textAt(props, "name"), textAt(props, "arn")].filter((value) => typeof value === "string");
  return resources.some((config) => {
    if (config.type !== "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig") return false;
    const configProps = known(config.props);
    if (!isGiven(configProps, "destinationConfig", "onFailure", "destination")) return false;
    const named = textAt(configProps, "functionName");
    return (
      functionsBehind(config.propertyDependencies.functionName ?? []).some(({ urn }) => urn === woken.urn) ||
      (typeof named === "string" && identities.includes(named))
    );
  });
}

export const deadLetters: StackValidationPolicy = {
  name: "dead-letters",
  description:
    "A function that alarms, events or schedules wake has a dead-letter queue or a destination for failures.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["lambda", "alarms"],
  remediationSteps:
    "Set deadLetterConfig.targetArn on the function, or declare an aws.lambda.FunctionEventInvokeConfig with destinationConfig.onFailure, and an alarm on the queue.",
  url: referenceUrl("dead-letters"),
  configSchema: {
    properties: {
      letOffScheduleMinutes: {
        type: "integer",
        minimum: 0,
        maximum: 1_440,
        default: defaults.letOffScheduleMinutes,
        description:
          "A function that is woken only by a rate() of at most this many minutes needs none; 0: every one does.",
      },
    },
  },
  validateStack: (args, report) => {
    const wakers = wakersIn(args.resources, settingsOf(args, defaults).letOffScheduleMinutes);
    for (const woken of args.resources) {
      if (woken.type !== functionType) continue;
      const waker = wakers.find((candidate) => wakes(candidate, woken));
      if (!waker || leavesFailures(woken, known(woken.props), args.resources)) continue;
      report(
        message({
          name: woken.name,
          wrong: `${waker.resource.name} wakes the function, and what it fails on is lost`,
          got: "no deadLetterConfig and no destination on failure",
          expected: "one of them",
          wayOut: "Set deadLetterConfig.targetArn to a queue that an alarm watches",
        }),
        woken.urn,
      );
    }
  },
};
