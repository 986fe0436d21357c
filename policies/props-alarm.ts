/** Reads CloudWatch alarms as any program declares them: what they measure, of which target group, and whether anybody is told. */
import type { PolicyResource } from "@pulumi/policy";
import { at, flagAt, isGiven, type Known, type KnownMap, known, listAt, textAt, unknown } from "./known.ts";
import { alarmsThatRing } from "./props-alarm-rule.ts";

export const metricAlarmType = "aws:cloudwatch/metricAlarm:MetricAlarm";
export const compositeAlarmType = "aws:cloudwatch/compositeAlarm:CompositeAlarm";

/** One metric that an alarm reads. */
export interface AlarmedMetric {
  readonly namespace: string | undefined;
  readonly metricName: string;
  /** By name; values may not be known yet. */
  readonly dimensions: Known;
}

function metricOf(value: Known): AlarmedMetric[] {
  const metricName = textAt(value, "metricName");
  const namespace = textAt(value, "namespace");
  if (typeof metricName !== "string" || metricName === "") return [];
  return [
    {
      metricName,
      namespace: typeof namespace === "string" ? namespace : undefined,
      dimensions: at(value, "dimensions"),
    },
  ];
}

/** Whether an alarm computes what it watches, by metric math. */
export function isComputed(props: KnownMap): boolean {
  const queries = listAt(props, "metricQueries");
  return queries !== unknown && queries.some((query) => isGiven(query, "expression"));
}

/** Every metric that an alarm reads, directly or through metric math, as far as they are known. */
export function metricsOf(props: KnownMap): AlarmedMetric[] {
  const queries = listAt(props, "metricQueries");
  return [
    ...metricOf(props),
    ...(queries === unknown ? [] : queries.flatMap((query) => metricOf(at(query, "metric")))),
  ];
}

/** Whether going into ALARM does anything by itself. An action that is not known yet is one. */
export function hasActions(props: KnownMap): boolean {
  const actions = listAt(props, "alarmActions");
  return flagAt(props, "actionsEnabled") !== false && (actions === unknown || actions.length > 0);
}

/**
 * Whether an alarm rings when its metric is too high, by a threshold or by the upper side of an anomaly band; a comparison that is not
 * known yet may.
 */
export function ringsAbove(props: KnownMap): boolean {
  const comparison = textAt(props, "comparisonOperator");
  return comparison === unknown || (comparison?.includes("GreaterThan") ?? false);
}

/** Composite alarms of the program that have actions and whose rule names the alarm, whatever for. */
export function actingComposites(alarm: PolicyResource, resources: readonly PolicyResource[]): PolicyResource[] {
  const name = textAt(known(alarm.props), "name");
  return resources.filter((composite) => {
    if (composite.type !== compositeAlarmType) return false;
    const props = known(composite.props);
    if (!hasActions(props)) return false;
    if (composite.propertyDependencies.alarmRule?.some(({ urn }) => urn === alarm.urn)) return true;
    const rule = textAt(props, "alarmRule");
    // Names stand in quotes, or bare between brackets; an ARN ends in the name.
    return (
      typeof rule === "string" &&
      typeof name === "string" &&
      [`"${name}"`, `(${name})`, `:alarm:${name}"`, `:alarm:${name})`].some((written) => rule.includes(written))
    );
  });
}

/** Whether a composite alarm that names an alarm rings because of it; one of which rule or name are not known yet does. */
function ringsWith(composite: PolicyResource, alarm: PolicyResource): boolean {
  const rule = textAt(known(composite.props), "alarmRule");
  const name = textAt(known(alarm.props), "name");
  if (typeof rule !== "string" || typeof name !== "string") return true;
  return [...alarmsThatRing(rule)].some((named) => named === name || named.endsWith(`:alarm:${name}`));
}

/** Whether somebody is told or something is done when the alarm rings: by itself, or through a composite alarm. */
export function acts(alarm: PolicyResource, resources: readonly PolicyResource[]): boolean {
  const props = known(alarm.props);
  return hasActions(props) || actingComposites(alarm, resources).some((composite) => ringsWith(composite, alarm));
}
