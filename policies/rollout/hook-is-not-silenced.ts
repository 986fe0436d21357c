/** What wakes the hook, lets it run and tells of its death stays switched on: a hook that sleeps lowers nothing, and nobody hears of it. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { at, flagAt, type KnownMap, known, numberAt, shown, textAt } from "../known.ts";

interface Silence {
  readonly wrong: string;
  readonly got: string;
  readonly expected: string;
  readonly wayOut: string;
}

const silences: Readonly<Record<string, (props: KnownMap) => Silence | undefined>> = {
  "aws:cloudwatch/eventRule:EventRule": (props) => {
    const off = textAt(props, "state") === "DISABLED" || flagAt(props, "isEnabled") === false;
    return off
      ? {
          wrong: "wakes nobody",
          got: "state DISABLED",
          expected: "a rule that is on",
          wayOut: "To hold a rollout use npx tidegate pause",
        }
      : undefined;
  },
  "aws:scheduler/schedule:Schedule": (props) =>
    textAt(props, "state") === "DISABLED"
      ? {
          wrong: "wakes nobody",
          got: "state DISABLED",
          expected: "a schedule that is on",
          wayOut: "To hold a rollout use npx tidegate pause",
        }
      : undefined,
  "aws:cloudwatch/metricAlarm:MetricAlarm": mutedAlarm,
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": mutedAlarm,
  "aws:lambda/function:Function": (props) => {
    const reserved = numberAt(props, "reservedConcurrentExecutions");
    return reserved === 0
      ? {
          wrong: "may not run",
          got: "reservedConcurrentExecutions 0",
          expected: "none, or at least 1",
          wayOut: "Take the reservation out",
        }
      : undefined;
  },
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (props) => {
    const seconds = numberAt(props, "maximumEventAgeInSeconds");
    return typeof seconds === "number" && seconds < 60
      ? {
          wrong: "gives up on events too soon",
          got: `maximumEventAgeInSeconds ${shown(seconds)}`,
          expected: "at least 60",
          wayOut: "Lengthen it",
        }
      : undefined;
  },
};

function mutedAlarm(props: KnownMap): Silence | undefined {
  return flagAt(props, "actionsEnabled") === false
    ? {
        wrong: "tells nobody",
        got: "actionsEnabled false",
        expected: "an alarm with its actions on",
        wayOut: "Snooze the page where it is received",
      }
    : undefined;
}

export const hookIsNotSilenced: ResourceValidationPolicy = {
  name: "rollout-hook-is-not-silenced",
  displayName: "The hook stays awake",
  description:
    "Nothing of Tidegate's own is switched off: the rules and schedules that wake the hook, its alarms, and its right to run.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-hook-is-not-silenced",
  remediationSteps:
    "Switch it on again. To hold a rollout use `npx tidegate pause`, to stop it `npx tidegate kill`; both leave the hook awake.",
  validateResource: (args, report) => {
    const judge = silences[args.type];
    if (!judge) return;
    const props = known(args.props);
    if (!isOurs(props)) return;
    const silence = judge(props);
    if (!silence) return;
    const { wrong, got, expected, wayOut } = silence;
    report(`${args.name}: ${wrong}, got ${got}; expected ${expected}. ${wayOut}`);
  },
};

/** By our tag, or by the names that we give. */
function isOurs(props: KnownMap): boolean {
  if (at(props, "tags", "tidegate:environment") !== undefined) return true;
  return ["name", "alarmName", "functionName"].some((key) => {
    const name = textAt(props, key);
    return typeof name === "string" && /(?:^|:)tidegate[-/]/.test(name);
  });
}
