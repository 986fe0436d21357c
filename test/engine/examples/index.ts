/** Registers the resources of every example whose policy TIDEGATE_EXAMPLES names, by the names that `inOneProgram` gives them. */
import "../../../core/stack-traces.ts";
import * as pulumi from "@pulumi/pulumi";
import { type ExampleResource, isCustom, referenceIn } from "../../../policies/reference/example.ts";
import { inOneProgram } from "./in-one-program.ts";

type Made = pulumi.Resource & Readonly<Record<string, pulumi.Output<unknown>>>;

class AnyResource extends pulumi.CustomResource {
  constructor({ type, name }: ExampleResource, props: object, opts: pulumi.CustomResourceOptions) {
    // The output that others take: it must be named to be there.
    super(type, name, { arn: undefined, ...props }, opts);
  }
}

class AnyComponent extends pulumi.ComponentResource {
  constructor({ type, name, outputs }: ExampleResource, props: object, opts: pulumi.ComponentResourceOptions) {
    super(type, name, { ...props }, opts);
    this.registerOutputs({ ...outputs });
  }
}

const made = new Map<string, Made>();

function find(name: string): Made {
  const found = made.get(name);
  if (!found) throw new Error(`example: ${name} is not made yet`);
  return found;
}

/** References become outputs. */
function filled(value: unknown): unknown {
  if (typeof value === "string") {
    const reference = referenceIn(value);
    return reference ? find(reference.name)[reference.output] : value;
  }
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, filled(entry)]));
}

for (const { resources } of inOneProgram((process.env.TIDEGATE_EXAMPLES ?? "").split(","))) {
  for (const resource of resources) {
    const { name, props = {}, parent, ignoreChanges = [] } = resource;
    const opts = parent === undefined ? {} : { parent: find(parent) };
    const inputs = Object(filled(props));
    const declared = isCustom(resource)
      ? new AnyResource(resource, inputs, { ...opts, ignoreChanges: [...ignoreChanges] })
      : new AnyComponent(resource, inputs, opts);
    made.set(name, declared as unknown as Made);
  }
}
