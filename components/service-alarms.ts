/**
 * Declares the CloudWatch alarms of a service as a whole, which tell people and lower nothing (D1, D4): bounds that only notify, on the
 * worst of the live releases; how fast the error budget burns, in pairs of windows; and one composite a severity over these and over the
 * alarms of the releases, so that one breach is one message.
 *
 * Their names are outside the prefix that wakes the hook. A wave's own alarms are in no composite: off their wave they may be in ALARM
 * without meaning anything, and on it the hook pages for them.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmSpec, mostTogether, overfullAlarms, serviceAlarmsFor } from "../core/alarms.ts";
import { type BurnAlarm, burnAlarmsOf, overfullBurn } from "../core/burn-alarms.ts";
import { type BurnRule, type BurnSettings, burnRules } from "../core/burn-rate.ts";
import { compositeAlarmName, serviceAlarmName } from "../core/naming.ts";
import { type Indicator, type MetricSource, type Objective, type Severity, severities } from "../core/objectives.ts";
import { hostTargets, type TargetKind, watchedIn } from "../core/watch-rules.ts";
import {
  type AlertTopicArns,
  alarmInputs,
  type MeasuredRelease,
  type MeasuredService,
  runbooksText,
  windowText,
} from "./alarm-inputs.ts";
import { boundText, type DeclaredAlarm } from "./slo-alarms.ts";

/** A live release, or the baseline's control. */
export interface WatchedTogether extends MeasuredRelease {
  /** What is behind its target group. @default instances or IP addresses */
  readonly target?: TargetKind;
  /** It has traffic, or is about to: it is watched whatever that takes. Others have errors of nobody, and may be left out. */
  readonly hasTraffic: boolean;
}

export interface ServiceAlarmsArgs {
  readonly environment: string;
  readonly service: string;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  /** How the error budget is watched. @default it is not */
  readonly burnRate?: BurnSettings;
  /** Every live release and the control, in any order. */
  readonly releases: readonly WatchedTogether[];
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** Where the composites tell people. */
  readonly topics: AlertTopicArns;
  /** The alarms of every live release. */
  readonly releaseAlarms: readonly DeclaredAlarm[];
  /** URL or folder that descriptions link to. @default the product's own folder */
  readonly runbookBase?: string;
}

/** Longest rule of a composite alarm. Unit: characters. Source: CloudWatch API reference, PutCompositeAlarm, read 2026-11. */
const longestRule = 10_240;
/** Most alarms that a composite may name. Source: as above. */
const mostChildren = 100;

/** One part of a composite's rule, and what it is about. */
interface Term {
  readonly severity: Severity;
  readonly indicator: Indicator;
  readonly names: readonly string[];
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];
}

/**
 * The alarms of one service.
 *
 * @example
 * ```ts
 * new ServiceAlarms("checkout", {
 *   environment: "production",
 *   service: "checkout",
 *   objectives: objectivePresets.web,
 *   source: "alb",
 *   burnRate: defaultBurnSettings,
 *   releases: [{ releaseKey: "2-4-0-1a2b3c4d", targetGroupArnSuffix: group.arnSuffix, hasTraffic: true }],
 *   loadBalancerArnSuffix: loadBalancer.arnSuffix,
 *   topics: { critical: criticalTopic.arn, warning: warningsTopic.arn },
 *   releaseAlarms: alarms.declared,
 * });
 * ```
 */
export class ServiceAlarms extends pulumi.ComponentResource {
  /** Of bounds and of burn rates. */
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];
  readonly composites: readonly aws.cloudwatch.CompositeAlarm[];
  /** Physical names, composites included. */
  readonly alarmNames: readonly string[];

  /** @throws pulumi.ResourceError where an alarm would read more metrics than CloudWatch allows */
  constructor(name: string, args: ServiceAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:slo:ServiceAlarms", name, { service: args.service, source: args.source }, opts);
    const { objectives, source } = args;
    const releases = this.#together(args);
    const targets = releases.map(targetOf);
    const of: MeasuredService = {
      service: args.service,
      loadBalancerArnSuffix: args.loadBalancerArnSuffix,
      releases,
    };
    const declare = (key: string, inputs: Omit<aws.cloudwatch.MetricAlarmArgs, "name" | "tags">) => {
      const physicalName = serviceAlarmName(args.environment, args.service, key);
      const alarm = new aws.cloudwatch.MetricAlarm(
        `${name}/${key}`,
        { ...inputs, name: physicalName, tags: tagsOf(args, "service-alarm") },
        { parent: this },
      );
      return { alarm, name: physicalName };
    };
    const bounds = serviceAlarmsFor(objectives, source, targets).map((spec) => ({
      spec,
      ...declare(spec.key, {
        alarmDescription: boundDescription(args, spec),
        ...alarmInputs(spec, spec.objective, of),
      }),
    }));
    const pairs = burnRulesOf(args, targets).map((rule) => ({
      rule,
      windows: burnAlarmsOf(rule, source, targets).map((spec) =>
        declare(spec.key, {
          alarmDescription: burnDescription(args, spec),
          ...alarmInputs(spec, spec.key, of),
        }),
      ),
    }));
    const terms: Term[] = [
      // By name: a release that changes its role changes no composite.
      ...[...[...args.releaseAlarms].sort((left, right) => byText(left.name, right.name)), ...bounds]
        .filter(({ spec }) => !spec.rule.atPercents)
        .map(({ spec, alarm, name: child }) => ({
          severity: spec.severity,
          indicator: spec.indicator,
          names: [child],
          alarms: [alarm],
        })),
      ...pairs.map(({ rule, windows }): Term => {
        return {
          severity: rule.severity,
          indicator: "error-rate",
          names: windows.map((window) => window.name),
          alarms: windows.map(({ alarm }) => alarm),
        };
      }),
    ];
    this.alarms = [...bounds.map(({ alarm }) => alarm), ...pairs.flatMap(({ windows }) => windows.map((w) => w.alarm))];
    const composites = severities.flatMap((severity) =>
      inParts(terms.filter((term) => term.severity === severity)).map((part, index) => ({ severity, part, index })),
    );
    this.composites = composites.map(({ severity, part, index }) =>
      compositeAlarm(this, name, args, severity, part, index + 1),
    );
    this.alarmNames = [
      ...bounds.map((bound) => bound.name),
      ...pairs.flatMap(({ windows }) => windows.map((window) => window.name)),
      ...composites.map(({ severity, index }) =>
        compositeAlarmName(args.environment, args.service, severity, index + 1),
      ),
    ];
    this.registerOutputs({ service: args.service, alarmNames: this.alarmNames });
  }

  /** The releases that are watched, by name: a release that changes its role changes no alarm. */
  #together(args: ServiceAlarmsArgs): readonly WatchedTogether[] {
    const ordered = [...args.releases].sort(
      (left, right) => Number(right.hasTraffic) - Number(left.hasTraffic) || byText(left.releaseKey, right.releaseKey),
    );
    const needed = ordered.filter(({ hasTraffic }) => hasTraffic).length;
    const problemsWith = (targets: readonly TargetKind[]) => serviceAlarmProblems(args, targets);
    const count = mostTogether(ordered.map(targetOf), needed, problemsWith);
    const watched = ordered.slice(0, count);
    const problems = problemsWith(watched.map(targetOf));
    if (problems.length > 0) {
      throw new pulumi.ResourceError(`service ${args.service}: ${problems.join("; ")}`, this, true);
    }
    return watched.sort((left, right) => byText(left.releaseKey, right.releaseKey));
  }
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function targetOf({ target }: WatchedTogether): TargetKind {
  return target ?? hostTargets;
}

type Promised = Pick<ServiceAlarmsArgs, "objectives" | "source" | "burnRate">;

/** The budget is watched by CloudWatch where its source is; another system has rules of its own. */
function burnRulesOf({ objectives, source, burnRate }: Promised, targets: readonly TargetKind[]): readonly BurnRule[] {
  if (!burnRate || watchedIn({ indicator: "error-rate" }, source) !== "cloudwatch") return [];
  return burnRules(objectives, source, burnRate, targets[0]).rules;
}

/** Every alarm of a service that CloudWatch would refuse; empty: none. For a config to be refused before anything is declared. */
export function serviceAlarmProblems(service: Promised, targets: readonly TargetKind[]): string[] {
  return [
    ...overfullAlarms(service.objectives, service.source, targets),
    ...burnRulesOf(service, targets).flatMap((rule) => overfullBurn(rule, service.source, targets) ?? []),
  ];
}

function tagsOf({ environment, service }: ServiceAlarmsArgs, role: string): Record<string, string> {
  return { "tidegate:environment": environment, "tidegate:service": service, "tidegate:role": role };
}

function boundDescription(args: ServiceAlarmsArgs, spec: AlarmSpec): string {
  return (
    `${args.service}: objective ${spec.objective}, ${spec.severity}: ${boundText(spec.rule)} ${windowText(spec)}, ` +
    `on the worst of its releases. People are told, nothing is lowered. ${runbooksText(args.runbookBase, [spec.indicator])}`
  );
}

function burnDescription(args: ServiceAlarmsArgs, { rule, window, periodSeconds }: BurnAlarm): string {
  return (
    `${args.service}: the error budget of ${rule.objective} (${rule.periodDays} days) burns ${rule.factor} times too fast: ` +
    `errors above ${rule.thresholdPercent} percent in ${periodSeconds} s, the ${window} window. It counts only together with ` +
    `the other one. ${runbooksText(args.runbookBase, ["error-rate"])}`
  );
}

/** A pair speaks when both windows do. */
function termText(names: readonly string[]): string {
  const each = names.map((name) => `ALARM("${name}")`).join(" AND ");
  return names.length === 1 ? each : `(${each})`;
}

/** As many terms as one composite may have; more of them in further composites. */
function inParts(terms: readonly Term[]): Term[][] {
  const parts: Term[][] = [];
  let length = 0;
  let children = 0;
  for (const term of terms) {
    const added = termText(term.names).length + " OR ".length;
    const last = parts.at(-1);
    if (last && length + added <= longestRule && children + term.names.length <= mostChildren) {
      last.push(term);
      length += added;
      children += term.names.length;
    } else {
      parts.push([term]);
      length = added;
      children = term.names.length;
    }
  }
  return parts;
}

function compositeAlarm(
  parent: ServiceAlarms,
  name: string,
  args: ServiceAlarmsArgs,
  severity: Severity,
  terms: readonly Term[],
  part: number,
): aws.cloudwatch.CompositeAlarm {
  const topic = args.topics[severity];
  return new aws.cloudwatch.CompositeAlarm(
    `${name}/${part === 1 ? severity : `${severity}-${part}`}`,
    {
      alarmName: compositeAlarmName(args.environment, args.service, severity, part),
      alarmDescription:
        `${args.service}: any ${severity} objective of a live release or of the service is breached. ` +
        runbooksText(
          args.runbookBase,
          terms.map(({ indicator }) => indicator),
        ),
      // Out of the children's names as outputs: CloudWatch refuses a composite whose children do not exist yet.
      alarmRule: pulumi
        .all(terms.map((term) => pulumi.all(term.alarms.map((alarm) => alarm.name))))
        .apply((names) => names.map(termText).join(" OR ")),
      alarmActions: [topic],
      okActions: [topic],
      tags: tagsOf(args, "composite-alarm"),
    },
    { parent },
  );
}
