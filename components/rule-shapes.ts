/**
 * The shape of listener rules as plain data, apart from any resource: which conditions a service's rules have, what a forward
 * action looks like, and how to read one back. Program, guard and rehearsal all say it through here.
 */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { conditionsOf, conditionUse, unmodelled } from "../core/rule-conditions.ts";
import type { SurveyedCondition } from "../core/survey.ts";
import type { RouteMatch, ServiceSurvey, Testers } from "./settings.ts";

/** ALB quotas, not adjustable. Source: "Quotas for your Application Load Balancers", ALB user guide, read 2026-11. */
export const maximumConditionValues = 5;
export const maximumGroupsPerAction = 5;

export type RuleCondition = aws.types.input.lb.ListenerRuleCondition;

/** Conditions of the main rule: hosts and paths, or those of the adopted rule, to the letter. */
export function mainConditions(match: RouteMatch, { conditions }: ServiceSurvey): RuleCondition[] {
  return (match.ruleArn === undefined ? conditionsOf(match) : (conditions[match.ruleArn] ?? [])).map(ruleCondition);
}

/** @throws RuleShapeError on what cannot be repeated in a rule of ours; `core/adoption.ts` refuses it before */
function ruleCondition(condition: SurveyedCondition): RuleCondition {
  const strange = unmodelled([condition]);
  if (strange.length > 0) throw new RuleShapeError(`adopted rule: ${strange.join(" and ")} is not supported`);
  const values = [...condition.values];
  switch (condition.field) {
    case "host-header":
      return { hostHeader: { values } };
    case "path-pattern":
      return { pathPattern: { values } };
    case "http-request-method":
      return { httpRequestMethod: { values } };
    case "source-ip":
      return { sourceIp: { values } };
    case "http-header":
      return { httpHeader: { httpHeaderName: condition.httpHeaderName ?? "", values } };
    case "query-string":
      return {
        queryStrings: (condition.queryStrings ?? []).map(({ key, value }) => ({
          ...(key === undefined ? {} : { key }),
          value,
        })),
      };
    case "other":
      throw new RuleShapeError("adopted rule: a condition that is not supported");
  }
}

/**
 * Conditions of the tester rule: the same requests, marked. A cookie is one among several in its header, so the pattern has
 * stars on both sides; a longer cookie name that ends in ours would match too.
 */
export function testerConditions(match: RouteMatch, found: ServiceSurvey, testers: Testers): RuleCondition[] {
  const mark =
    "header" in testers
      ? { httpHeaderName: testers.header.name, values: [testers.header.value] }
      : { httpHeaderName: "Cookie", values: [`*${testers.cookie.name}=${testers.cookie.value}*`] };
  return [...mainConditions(match, found), { httpHeader: mark }];
}

/** How many of a rule's five condition values a route uses up; `undefined`: the adopted rule is not known. */
export function conditionValueCount(
  match: RouteMatch,
  { conditions }: ServiceSurvey,
  testers: Testers | undefined,
): number | undefined {
  const own = match.ruleArn === undefined ? conditionsOf(match) : conditions[match.ruleArn];
  return own && conditionUse(own).values + (testers ? 1 : 0);
}

/** A group's weight in a forward action. */
export interface WeightedGroup {
  readonly arn: pulumi.Input<string>;
  /** Range: 0 to 999; ours are percents. */
  readonly weight: number;
}

/** Group stickiness of a forward action. */
export interface GroupStickiness {
  readonly enabled: boolean;
  readonly seconds: number;
}

/**
 * A forward action over weighted groups.
 *
 * A service that has stickiness always says so, off included: the provider takes a missing block for "as it was" and would leave
 * clients pinned to a release that is being lowered. Source: terraform-provider-aws, elbv2/listener_rule.go,
 * SuppressMissingOptionalConfigurationBlock on `stickiness`, read 2026-11.
 */
export function forward(
  groups: readonly WeightedGroup[],
  stickiness?: GroupStickiness,
): aws.types.input.lb.ListenerRuleAction {
  return {
    type: "forward",
    forward: {
      targetGroups: groups.map(({ arn, weight }) => ({ arn, weight })),
      ...(stickiness ? { stickiness: { enabled: stickiness.enabled, duration: stickiness.seconds } } : {}),
    },
  };
}

/** A forward action as read back from a rule's inputs. */
export interface DeclaredForward {
  /** Weight by target group ARN. */
  readonly weights: Readonly<Record<string, number>>;
  /** Absent: off. */
  readonly stickinessSeconds?: number;
}

/** A rule's inputs are not of the shape that Tidegate declares, or not known yet. */
export class RuleShapeError extends Error {
  override readonly name = "RuleShapeError";
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/**
 * Reads the one forward action out of resolved rule inputs, as a resource hook or a mock gets them.
 * @throws RuleShapeError on anything but exactly one forward action with known ARNs and weights
 */
export function readForward(inputs: unknown): DeclaredForward {
  const actions = field(inputs, "actions");
  if (!Array.isArray(actions) || actions.length !== 1 || field(actions[0], "type") !== "forward") {
    throw new RuleShapeError(
      `rule inputs: expected exactly one action of type forward, got ${JSON.stringify(actions)}`,
    );
  }
  const groups = field(field(actions[0], "forward"), "targetGroups");
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new RuleShapeError(`rule inputs: no target group in the forward action, got ${JSON.stringify(groups)}`);
  }
  const weights: Record<string, number> = {};
  for (const group of groups) {
    const arn = field(group, "arn");
    const weight = field(group, "weight");
    if (typeof arn !== "string" || typeof weight !== "number") {
      throw new RuleShapeError(`rule inputs: ARN or weight not known, got ${JSON.stringify(group)}`);
    }
    weights[arn] = weight;
  }
  const stickiness = field(field(actions[0], "forward"), "stickiness");
  const seconds = field(stickiness, "duration");
  return field(stickiness, "enabled") === true && typeof seconds === "number"
    ? { weights, stickinessSeconds: seconds }
    : { weights };
}
