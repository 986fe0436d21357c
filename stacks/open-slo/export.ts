/**
 * OpenSLO v1 out (B1): the objectives of a service as a stream of documents that `import.ts` reads as the same ones. What other tools can use
 * is in the words of the specification; what it has no words for is in annotations, so that nothing is lost.
 */
import { stringify } from "yaml";
import {
  type BurnSettings,
  type BurnWindow,
  burnFactor,
  defaultBudgetPeriodDays,
  errorBudgetOf,
} from "../../core/burn-rate.ts";
import { indicators, type Objective, type Severity, severities } from "../../core/objectives.ts";
import { measureOf } from "../../core/watch-rules.ts";
import type { ServiceConfig } from "../config/model.ts";
import { writtenObjective } from "../config/objective-list.ts";
import { durationText, readable } from "../config/units.ts";
import { pairsOf, severityNames, targetNames } from "./burn.ts";
import { annotations, apiVersion } from "./documents.ts";
import { type Labels, latencyUnitMilliseconds, sliOf } from "./metrics.ts";

/** What of a service is exported. */
export type Exported = Pick<ServiceConfig, "name" | "objectives" | "source" | "burnRate">;

type Document = Readonly<Record<string, unknown>>;

/** OpenSLO's own limit. Unit: characters. */
const maximumNameLength = 63;

/** The target of an objective as OpenSLO has it; `undefined` where it cannot be said. */
function targetOf({ indicator, target }: Objective, source: Exported["source"]): Document | undefined {
  if (target === undefined) return undefined;
  const measure = measureOf(indicator, source);
  if (measure.kind === "percentile") {
    const value = readable(target / latencyUnitMilliseconds(source));
    // What is rounded away would come back as another target.
    return readable(value * latencyUnitMilliseconds(source)) === target
      ? { op: "lte", value, targetPercent: measure.percentile }
      : undefined;
  }
  const targetPercent = indicators[indicator].badSide === "above" ? readable(100 - target) : target;
  return targetPercent >= 0 && targetPercent < 100 ? { targetPercent } : undefined;
}

function policy(pair: BurnWindow, { periodDays }: BurnSettings, prefix: string): Document {
  const severity = severityNames[pair.severity];
  const long = durationText(pair.longSeconds);
  return {
    kind: "AlertPolicy",
    metadata: { name: `${prefix}-${long}` },
    spec: {
      alertWhenBreaching: true,
      alertWhenResolved: true,
      alertWhenNoData: false,
      conditions: [
        {
          kind: "AlertCondition",
          metadata: {
            name: `${prefix}-${long}-burn`,
            annotations: { [annotations.shortWindow]: durationText(pair.shortSeconds) },
          },
          spec: {
            severity,
            condition: {
              kind: "burnrate",
              op: "gt",
              threshold: burnFactor(pair, periodDays),
              lookbackWindow: long,
              alertAfter: "0m",
            },
          },
        },
      ],
      notificationTargets: [{ targetRef: targetNames[pair.severity] }],
    },
  };
}

/** The SLO of one objective; `undefined` where OpenSLO cannot say what it aims for. */
function slo(
  objective: Objective,
  index: number,
  { name, objectives, source, burnRate }: Exported,
  labels: Labels,
): Document | undefined {
  const target = targetOf(objective, source);
  const sli = sliOf(objective.indicator, source, labels);
  if (!target || !sli) return undefined;
  const { target: _target, ...rest } = writtenObjective(objective);
  const isBudget = errorBudgetOf(objectives)?.objective === objective.name;
  const long = `${name}-${objective.name}`;
  // Room for what the names of its parts end in.
  const sloName = long.length <= maximumNameLength - 8 ? long : `${name}-objective-${index + 1}`;
  return {
    apiVersion,
    kind: "SLO",
    metadata: { name: sloName, annotations: { [annotations.objective]: JSON.stringify(rest) } },
    spec: {
      service: name,
      indicator: { metadata: { name: `${sloName}-sli` }, spec: sli },
      timeWindow: [{ duration: `${burnRate?.periodDays ?? defaultBudgetPeriodDays}d`, isRolling: true }],
      budgetingMethod: "Occurrences",
      objectives: [target],
      ...(isBudget && burnRate
        ? { alertPolicies: pairsOf(burnRate.windows).map((pair) => policy(pair, burnRate, sloName)) }
        : {}),
    },
  };
}

function notificationTarget(severity: Severity): Document {
  const description = `whom the environment tells of what is ${severity}`;
  return {
    apiVersion,
    kind: "AlertNotificationTarget",
    metadata: { name: targetNames[severity] },
    spec: { description, target: targetNames[severity] },
  };
}

/** All documents of some services of one environment. */
export function openSloDocuments(environment: string, services: readonly Exported[]): readonly Document[] {
  const ofServices = services.flatMap((service) => {
    const { name, objectives, source, burnRate } = service;
    const slos = objectives.map((objective, index) => slo(objective, index, service, { environment, service: name }));
    const listed = objectives.map((objective, index) => (slos[index] ? objective.name : writtenObjective(objective)));
    const isOff = burnRate === undefined && errorBudgetOf(objectives) !== undefined;
    return [
      {
        apiVersion,
        kind: "Service",
        metadata: {
          name,
          annotations: {
            [annotations.source]: source,
            [annotations.objectives]: JSON.stringify(listed),
            ...(isOff ? { [annotations.burnRate]: "off" } : {}),
          },
        },
        spec: {},
      },
      ...slos.filter((document) => document !== undefined),
    ];
  });
  const told = severities.filter((severity) =>
    services.some(({ burnRate }) => burnRate && pairsOf(burnRate.windows).some((pair) => pair.severity === severity)),
  );
  return [...ofServices, ...told.map(notificationTarget)];
}

/** The same as YAML, in which readers of version 1.1 too find texts where there are texts: `off` would be a switch. */
export function openSloText(environment: string, services: readonly Exported[]): string {
  return openSloDocuments(environment, services)
    .map((document) => stringify(document, { lineWidth: 0, compat: "yaml-1.1" }))
    .join("---\n");
}
