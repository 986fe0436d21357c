/**
 * Declares the CloudWatch alarms that watch one release: one for each objective, severity and window (D1, B3, B9). Which alarms there are is
 * `core/alarms.ts`; here they only become resources.
 *
 * Alarms belong to a release and not to a role. An alarm updated in place keeps its state, so one that moved from release to
 * release would roll back the next for the last one's sins. They act on nothing and tell nobody themselves: the hook hears of every state
 * change by the prefix of their names, and people by the composites of `ServiceAlarms`.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmSpec, alarmsFor, settleSeconds } from "../core/alarms.ts";
import { alarmName } from "../core/naming.ts";
import { indicators, type MetricSource, type Objective } from "../core/objectives.ts";
import type { WatchedAlarm } from "../core/record.ts";
import type { RuleContext, TargetKind, WatchRule } from "../core/watch-rules.ts";
import { alarmInputs, type MeasuredRelease, runbooksText, windowText } from "./alarm-inputs.ts";

export interface SloAlarmsArgs {
  /** Second part of every alarm's name. */
  readonly environment: string;
  /** Third part of every alarm's name. */
  readonly service: string;
  /** Readable version of the release, for descriptions. */
  readonly version: string;
  /** The release that the alarms watch and that the hook lowers for them. */
  readonly digest: string;
  /** The release in names; see `core/naming.ts`. */
  readonly releaseKey: string;
  /** Promises of the service; those without a bound have no alarm. */
  readonly objectives: readonly Objective[];
  /** Where the metrics come from; what it cannot measure has no alarm and is named in previews. */
  readonly source: MetricSource;
  /** Of the service; an objective may say otherwise. */
  readonly mode: "act" | "observe";
  /** The CloudWatch dimension `targetgroup/<name>/<id>`. */
  readonly targetGroupArnSuffix: pulumi.Input<string>;
  /** What is behind the target group. @default instances or IP addresses */
  readonly target?: TargetKind;
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** Where the release is the canary: its plan, exposure and figures, for bounds that no other release has. @default it is not the canary */
  readonly canary?: NonNullable<RuleContext["canary"]>;
  /** What the canary is compared with: its baseline, or the baseline's control. Needed where a bound is relative to it. */
  readonly comparedWith?: MeasuredRelease;
  /** URL or folder that descriptions link to. @default the product's own folder */
  readonly runbookBase?: string;
}

/** What the hook must know of each alarm of a release; plain data. */
export function watchedAlarmsOf(
  args: Pick<
    SloAlarmsArgs,
    "environment" | "service" | "digest" | "releaseKey" | "objectives" | "source" | "mode" | "target" | "canary"
  >,
): WatchedAlarm[] {
  return alarmsFor(args.objectives, args.source, args.target, args.canary).map((spec) => {
    const objective = args.objectives.find((candidate) => candidate.name === spec.objective);
    const { atPercents } = spec.rule;
    return {
      alarmName: alarmName(args.environment, args.service, args.releaseKey, spec.key),
      digest: args.digest,
      objective: spec.objective,
      indicator: spec.indicator,
      severity: spec.severity,
      response: spec.response,
      mode: objective?.mode ?? args.mode,
      disableAnyway: objective?.disableAnyway ?? false,
      settleSeconds: settleSeconds(spec, args.source),
      ...(atPercents ? { atPercents } : {}),
    };
  });
}

/** An alarm with what it was made of. */
export interface DeclaredAlarm {
  readonly spec: AlarmSpec;
  readonly alarm: aws.cloudwatch.MetricAlarm;
  /** Physical name. */
  readonly name: string;
}

/**
 * The alarms of one release.
 *
 * @example
 * ```ts
 * new SloAlarms("checkout-2-4-0-1a2b3c4d", {
 *   environment: "production",
 *   service: "checkout",
 *   version: "2.4.0",
 *   digest: "sha256:…",
 *   releaseKey: "2-4-0-1a2b3c4d",
 *   objectives: objectivePresets.web,
 *   source: "alb",
 *   mode: "act",
 *   targetGroupArnSuffix: group.arnSuffix,
 *   loadBalancerArnSuffix: loadBalancer.arnSuffix,
 * });
 * ```
 */
export class SloAlarms extends pulumi.ComponentResource {
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];
  /** The same, each with what it watches. */
  readonly declared: readonly DeclaredAlarm[];
  /** What the hook is told of them. */
  readonly watched: readonly WatchedAlarm[];
  /** Physical names of the metric alarms. */
  readonly alarmNames: readonly string[];

  /** @throws pulumi.ResourceError where a bound is relative and nothing to compare with is named */
  constructor(name: string, args: SloAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "tidegate:slo:SloAlarms",
      name,
      { service: args.service, release: args.releaseKey, source: args.source },
      opts,
    );
    const specs = alarmsFor(args.objectives, args.source, args.target, args.canary);
    this.watched = watchedAlarmsOf(args);
    this.alarmNames = this.watched.map((alarm) => alarm.alarmName);
    this.#refuseUncompared(args, specs);
    this.declared = specs.map((spec) => {
      const physicalName = alarmName(args.environment, args.service, args.releaseKey, spec.key);
      return { spec, name: physicalName, alarm: metricAlarm(this, name, physicalName, args, spec) };
    });
    this.alarms = this.declared.map(({ alarm }) => alarm);
    this.registerOutputs({ service: args.service, release: args.releaseKey, alarmNames: this.alarmNames });
  }

  #refuseUncompared({ comparedWith, service, version }: SloAlarmsArgs, specs: readonly AlarmSpec[]): void {
    if (comparedWith) return;
    const relative = specs.filter(({ metrics }) => metrics.some(({ release }) => release > 0)).map(({ key }) => key);
    if (relative.length === 0) return;
    throw new pulumi.ResourceError(
      `service ${service}, release ${version}: ${relative.join(", ")} relative to nothing; expected a release to compare with. ` +
        "Give comparedWith",
      this,
      true,
    );
  }
}

function metricAlarm(
  parent: SloAlarms,
  name: string,
  physicalName: string,
  args: SloAlarmsArgs,
  spec: AlarmSpec,
): aws.cloudwatch.MetricAlarm {
  const own: MeasuredRelease = { releaseKey: args.releaseKey, targetGroupArnSuffix: args.targetGroupArnSuffix };
  return new aws.cloudwatch.MetricAlarm(
    `${name}/${spec.key}`,
    {
      name: physicalName,
      alarmDescription: descriptionOf(args, spec),
      ...alarmInputs(spec, spec.objective, {
        service: args.service,
        loadBalancerArnSuffix: args.loadBalancerArnSuffix,
        releases: [own, ...(args.comparedWith ? [args.comparedWith] : [])],
      }),
      tags: {
        "tidegate:environment": args.environment,
        "tidegate:service": args.service,
        "tidegate:role": "alarm",
        "tidegate:release": args.releaseKey,
      },
    },
    { parent },
  );
}

/** What each response means, for people. */
export const responseWords: Readonly<Record<AlarmSpec["response"], string>> = {
  disable: "exposure goes to 0",
  halve: "exposure is halved",
  "previous-wave": "exposure goes back one wave",
  floor: "exposure goes to the floor",
  freeze: "exposure stays, advances stop, a person is paged",
  notify: "a person is told",
};

/** A bound in words: `error-rate above 2 percent`, `memory above 1.5 times the baseline's`. */
export function boundText({ indicator, comparison, threshold, reference, figureOf }: WatchRule): string {
  const { unit, badSide } = indicators[indicator];
  // An availability bound is watched as the error rate that it leaves room for.
  const what = comparison === badSide ? indicator : "error rate";
  const value = `${threshold} ${unit}`;
  if (reference?.kind === "growth") return `${what} growing by more than ${threshold} percent an hour`;
  if (reference?.kind === "baseline") {
    return reference.form === "factor"
      ? `${what} ${comparison} ${threshold} times the baseline's`
      : `${what} ${comparison} the baseline's by ${value}`;
  }
  return `${what} ${comparison} ${value}${figureOf === undefined ? "" : ` (measured against ${figureOf})`}`;
}

function descriptionOf(args: SloAlarmsArgs, spec: AlarmSpec): string {
  const { atPercents } = spec.rule;
  const where = atPercents ? ` at ${atPercents.join(", ")} % exposure` : "";
  return (
    `${args.service} ${args.version}: objective ${spec.objective}, ${spec.severity}${where}: ${boundText(spec.rule)} ` +
    `${windowText(spec)}. Response ${spec.response}: ${responseWords[spec.response]}. ` +
    runbooksText(args.runbookBase, [spec.indicator])
  );
}
