/**
 * What the program is measured against: the same resources with the same inputs, straight from their classes, and nothing else. What one
 * takes from another is its output here, too, as anybody would write it.
 */
import "../../core/stack-traces.ts";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** A resource as it was captured. */
export interface ListedResource {
  readonly key: string;
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly parent?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

type ResourceClass = new (name: string, args: object, options: pulumi.CustomResourceOptions) => pulumi.Resource;

/** `aws:lb/listenerRule:ListenerRule` is `aws.lb.ListenerRule`. */
function classOf(type: string): ResourceClass {
  const [, module = "", name = ""] = type.split(":");
  const found: unknown = Reflect.get(Reflect.get(aws, module.split("/")[0] ?? "") ?? {}, name);
  if (typeof found !== "function") throw new Error(`bare: no class of ${type}`);
  return found as ResourceClass;
}

/** @param resources in an order in which everything comes after its parent */
export function bare(resources: readonly ListedResource[]): () => Promise<object> {
  return async () => {
    const made = new Map<string, pulumi.Resource>();
    for (const { key, type, name, custom, parent, inputs } of resources) {
      const above = parent === undefined ? undefined : made.get(parent);
      const options = above ? { parent: above } : {};
      made.set(
        key,
        custom ? new (classOf(type))(name, inputs, options) : new pulumi.ComponentResource(type, name, {}, options),
      );
    }
    return {};
  };
}
