/** Which alarms watch which release: by the dimension of its target group, or by Tidegate's tags where metrics carry no target group. */
import type { PolicyResource } from "@pulumi/policy";
import { at, known, textAt, unknown } from "./known.ts";
import { type AlarmedMetric, acts, metricAlarmType, metricsOf, ringsAbove } from "./props-alarm.ts";
import { albKind, type Release, tagOf } from "./props-alb.ts";

/** What a release's alarms watch, of what an exposed release has to have watched. */
export interface Coverage {
  readonly errors: boolean;
  readonly latency: boolean;
}

/** How alarms are told apart. */
export interface AlarmSorts {
  readonly errorMetrics: readonly string[];
  readonly latencyMetrics: readonly string[];
  /** Names, physical or logical, of alarms that only warn. */
  readonly warningPattern: string;
  /** Whether a latency alarm has to be a critical one, too. */
  readonly criticalLatency: boolean;
}

/** An alarm that acts, as far as it matters here. */
interface ActingAlarm {
  readonly resource: PolicyResource;
  readonly suffixes: readonly string[];
  /** The release in Tidegate's tags, with service and environment. */
  readonly releaseTag: string | undefined;
  /** The same of every release that its metrics name: what applications report of themselves carries no target group. */
  readonly namedReleases: readonly string[];
  readonly serviceTag: string | undefined;
  readonly coverage: Coverage;
}

function serviceTagOf(resource: PolicyResource): string | undefined {
  const props = known(resource.props);
  const service = tagOf(props, "tidegate:service");
  return service === undefined ? undefined : `${tagOf(props, "tidegate:environment") ?? ""}/${service}`;
}

function releaseTagOf(resource: PolicyResource): string | undefined {
  const service = serviceTagOf(resource);
  const release = tagOf(known(resource.props), "tidegate:release");
  return service === undefined || release === undefined ? undefined : `${service}/${release}`;
}

/** Every metric alarm of the program that acts. */
export function actingAlarms(resources: readonly PolicyResource[], sorts: AlarmSorts): ActingAlarm[] {
  const warns = new RegExp(sorts.warningPattern, "i");
  return resources.flatMap((resource): ActingAlarm[] => {
    if (resource.type !== metricAlarmType || !acts(resource, resources)) return [];
    const props = known(resource.props);
    const metrics = metricsOf(props);
    const physical = textAt(props, "name");
    const critical = ![resource.name, typeof physical === "string" ? physical : ""].some((name) => warns.test(name));
    const reads = (names: readonly string[]) =>
      ringsAbove(props) && metrics.some(({ metricName }) => names.includes(metricName));
    return [
      {
        resource,
        suffixes: metrics.flatMap(({ dimensions }) => {
          const suffix = textAt(dimensions, "TargetGroup");
          return typeof suffix === "string" ? [suffix] : [];
        }),
        releaseTag: releaseTagOf(resource),
        namedReleases: metrics.flatMap(({ dimensions }) => {
          const [service, release] = [serviceTagOf(resource), textAt(dimensions, "Release")];
          return service !== undefined && typeof release === "string" ? [`${service}/${release}`] : [];
        }),
        serviceTag: serviceTagOf(resource),
        coverage: {
          errors: critical && reads(sorts.errorMetrics),
          latency: (critical || !sorts.criticalLatency) && reads(sorts.latencyMetrics),
        },
      },
    ];
  });
}

/** Whether the alarm's dimension is made from the release's target group; the engine knows it when the value is not known yet. */
function isMadeFrom(alarm: PolicyResource, release: Release): boolean {
  const { dimensions = [], metricQueries = [] } = alarm.propertyDependencies;
  const names = metricsOf(known(alarm.props)).some(
    ({ dimensions: given }) => given === unknown || at(given, "TargetGroup") === unknown,
  );
  return names && [...dimensions, ...metricQueries].some(({ urn }) => urn === release.resource?.urn);
}

function isBound(alarm: ActingAlarm, release: Release): boolean {
  return (
    (release.arnSuffix !== undefined && alarm.suffixes.includes(release.arnSuffix)) ||
    isMadeFrom(alarm.resource, release)
  );
}

function union(alarms: readonly ActingAlarm[]): Coverage {
  return {
    errors: alarms.some(({ coverage }) => coverage.errors),
    latency: alarms.some(({ coverage }) => coverage.latency),
  };
}

/**
 * What is watched of one release. Alarms bound to its target group count; so do those that carry the same release in Tidegate's tags
 * as the group itself or as an alarm that is bound to it.
 */
export function coverageOf(release: Release, alarms: readonly ActingAlarm[]): Coverage {
  const bound = alarms.filter((alarm) => isBound(alarm, release));
  const tags = new Set(
    [release.resource && releaseTagOf(release.resource), ...bound.map(({ releaseTag }) => releaseTag)].filter(
      (tag) => tag !== undefined,
    ),
  );
  const names = ({ releaseTag, namedReleases }: ActingAlarm) =>
    (releaseTag !== undefined && tags.has(releaseTag)) || namedReleases.some((tag) => tags.has(tag));
  return union(alarms.filter((alarm) => bound.includes(alarm) || names(alarm)));
}

/** Whether a release says by Tidegate's tags which it is. */
export function isTagged(release: Release): boolean {
  return release.resource !== undefined && releaseTagOf(release.resource) !== undefined;
}

/**
 * How many releases of a rule's service are wholly watched by alarms that name no target group and belong to no tagged group: an
 * application that measures itself, in front of adopted groups, which carry no tag of ours. Which is whose cannot be told; that there
 * are enough can.
 */
export function unboundReleases(
  rule: PolicyResource,
  alarms: readonly ActingAlarm[],
  resources: readonly PolicyResource[],
): number {
  const service = serviceTagOf(rule);
  if (service === undefined) return 0;
  const taken = new Set(resources.filter(({ type }) => albKind(type) === "TargetGroup").map(releaseTagOf));
  const byRelease = new Map<string, ActingAlarm[]>();
  for (const alarm of alarms) {
    const { releaseTag, serviceTag } = alarm;
    if (serviceTag !== service || releaseTag === undefined || taken.has(releaseTag)) continue;
    byRelease.set(releaseTag, [...(byRelease.get(releaseTag) ?? []), alarm]);
  }
  return [...byRelease.values()].filter((ofOne) => {
    const { errors, latency } = union(ofOne);
    return errors && latency && !ofOne.some(({ resource }) => metricsOf(known(resource.props)).some(namesGroup));
  }).length;
}

function namesGroup({ dimensions }: AlarmedMetric): boolean {
  return dimensions === unknown || at(dimensions, "TargetGroup") !== undefined;
}
