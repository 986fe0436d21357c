/** Reads how a stack's resources hang together, also in a preview, where ARNs are not known but what they come from is. */
import type { PolicyResource } from "@pulumi/policy";
import { at, type Known, known, textAt, unknown } from "../known.ts";

/** The resources of a type under a component. */
export function childrenOf(
  component: PolicyResource,
  resources: readonly PolicyResource[],
  type: string,
): PolicyResource[] {
  return resources.filter((resource) => resource.type === type && resource.parent?.urn === component.urn);
}

/** Whether a property is made from a resource: by what the engine says it comes from, or by an equal value. */
export function comesFrom(resource: PolicyResource, property: string, source: PolicyResource): boolean {
  if (resource.propertyDependencies[property]?.some(({ urn }) => urn === source.urn)) return true;
  const value = at(known(resource.props), property);
  if (typeof value !== "string") return false;
  return ["arn", "id", "name", "alarmName"].some((key) => at(known(source.props), key) === value);
}

/** Whether a property is there at all, known or not. */
export function isGiven(resource: PolicyResource, ...path: readonly string[]): boolean {
  const value: Known = at(known(resource.props), ...path);
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== "";
}

/** A text property; `undefined` where it is absent or not known yet. */
export function textOf(resource: PolicyResource, ...path: readonly string[]): string | undefined {
  const value = textAt(known(resource.props), ...path);
  return value === unknown ? undefined : value;
}
