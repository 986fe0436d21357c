/**
 * Rules in an order in which each can match. The lowest priority number wins: a tester rule that comes after the rule for its whole
 * host never sees a request, and nothing says so.
 */
import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { isGiven, known, numberAt, textAt } from "../known.ts";
import { albKind } from "../props-alb.ts";
import { conditionsOf, matchesAllOf } from "../props-conditions.ts";
import { message, referenceUrl } from "../props-message.ts";

interface PlacedRule {
  readonly resource: PolicyResource;
  /** Infinite where none is given: the provider takes the next one after all that the listener has. */
  readonly priority: number;
  readonly conditions: ReturnType<typeof conditionsOf>;
}

/** What tells a rule's listener from others: the listener in the program, or its ARN. */
function listenerOf(rule: PolicyResource, resources: readonly PolicyResource[]): string | undefined {
  const arn = textAt(known(rule.props), "listenerArn");
  const listeners = resources.filter(({ type }) => albKind(type) === "Listener");
  if (typeof arn === "string") {
    return listeners.find(({ props }) => textAt(known(props), "arn") === arn)?.urn ?? arn;
  }
  const madeFrom = (rule.propertyDependencies.listenerArn ?? []).filter(({ type }) => albKind(type) === "Listener");
  return madeFrom.length === 1 ? madeFrom[0]?.urn : undefined;
}

/** Rules of the program by listener, the one that is asked first in front. */
function byListener(resources: readonly PolicyResource[]): PlacedRule[][] {
  const rules = new Map<string, PlacedRule[]>();
  for (const resource of resources) {
    if (albKind(resource.type) !== "ListenerRule") continue;
    const props = known(resource.props);
    const priority = isGiven(props, "priority") ? numberAt(props, "priority") : Number.POSITIVE_INFINITY;
    const listener = listenerOf(resource, resources);
    if (typeof priority !== "number" || listener === undefined) continue;
    rules.set(listener, [...(rules.get(listener) ?? []), { resource, priority, conditions: conditionsOf(props) }]);
  }
  return [...rules.values()].map((ofOne) => ofOne.toSorted((left, right) => left.priority - right.priority));
}

export const rulePriorityOrder: StackValidationPolicy = {
  name: "rule-priority-order",
  description:
    "No two rules of a listener have the same priority, and none comes after a rule that takes all its requests.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["alb", "rules"],
  remediationSteps:
    "Give the narrower rule (the one with a header, a cookie or a longer path) the lower priority number.",
  url: referenceUrl("rule-priority-order"),
  validateStack: ({ resources }, report) => {
    for (const rules of byListener(resources)) {
      for (const [position, later] of rules.entries()) {
        // Those without a number come in an order that nobody knows, and never get the same one.
        const before = rules.slice(0, position).filter(({ priority }) => Number.isFinite(priority));
        const twin = before.find(({ priority }) => priority === later.priority);
        if (twin) {
          report(
            message({
              name: later.resource.name,
              wrong: `has the priority of ${twin.resource.name} on the same listener`,
              got: String(later.priority),
              expected: "a priority of its own",
              wayOut: "Give the narrower of the two the lower number",
            }),
            later.resource.urn,
          );
          continue;
        }
        const { conditions } = later;
        if (!conditions) continue;
        const swallower = before.find((earlier) => earlier.conditions && matchesAllOf(earlier.conditions, conditions));
        if (!swallower) continue;
        const hasNumber = Number.isFinite(later.priority);
        report(
          message({
            name: later.resource.name,
            wrong: `never matches, because ${swallower.resource.name} comes before it and takes every request of its`,
            got: `${hasNumber ? `priority ${later.priority}` : "no priority, which comes"} after ${swallower.priority}`,
            expected: `a priority below ${swallower.priority}`,
            wayOut: `${hasNumber ? "Swap the two" : "Give it that"}, or narrow the conditions of the one that comes first`,
          }),
          later.resource.urn,
        );
      }
    }
  },
};
