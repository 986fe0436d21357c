/**
 * Programs that break one policy each, as data: the reference page shows the message that each gets, and a test has the real engine
 * refuse each.
 */
import type { JudgedResource } from "../evaluate.ts";

/** A resource of an example. In its properties a text `ref:name.property` stands for an output of another resource. */
export interface ExampleResource {
  readonly type: string;
  readonly name: string;
  /** Inputs. */
  readonly props?: Readonly<Record<string, unknown>>;
  /** What a component registers as its outputs. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Name of the component that it is in. */
  readonly parent?: string;
  readonly ignoreChanges?: readonly string[];
}

/** A program that one policy refuses. */
export interface Example {
  /** Name of the policy. */
  readonly policy: string;
  /** What is wrong with it, for a reader: the end of "A program that …". */
  readonly about: string;
  /** Parents and what outputs are taken from come first. */
  readonly resources: readonly ExampleResource[];
  /** Settings of the policy that it needs. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Whether a resource is one of a provider's, and no component. */
export function isCustom({ type }: Pick<ExampleResource, "type">): boolean {
  return !type.startsWith("tidegate:");
}

const reference = /^ref:([^.]+)\.(.+)$/;

/** The resource and the output that a text stands for. */
export function referenceIn(text: string): { readonly name: string; readonly output: string } | undefined {
  const [, name, output] = reference.exec(text) ?? [];
  return name === undefined || output === undefined ? undefined : { name, output };
}

/** Every reference in a value. */
export function referencesIn(value: unknown): { readonly name: string; readonly output: string }[] {
  if (typeof value === "string") {
    const found = referenceIn(value);
    return found ? [found] : [];
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}

/** The same example with other names, so that several fit into one program. */
export function renamed(example: Example, prefix: string): Example {
  const inside = (value: unknown): unknown => {
    if (typeof value === "string") return value.replace(reference, `ref:${prefix}$1.$2`);
    if (Array.isArray(value)) return value.map(inside);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, inside(entry)]));
  };
  return {
    ...example,
    resources: example.resources.map(({ name, parent, props, ...rest }) => ({
      ...rest,
      name: `${prefix}${name}`,
      ...(parent === undefined ? {} : { parent: `${prefix}${parent}` }),
      ...(props === undefined ? {} : { props: inside(props) as Readonly<Record<string, unknown>> }),
    })),
  };
}

/** The example's resources for `evaluatePolicies`, as in an `up`: what others are taken from is known. */
export function judged({ resources }: Example): JudgedResource[] {
  const keyOf = (name: string): string => {
    const found = resources.find((resource) => resource.name === name);
    if (!found) throw new Error(`example: no resource is called ${name}`);
    return `${found.type} ${found.name}`;
  };
  return resources.map((resource) => {
    const { type, name, props = {}, outputs = {}, parent, ignoreChanges = [] } = resource;
    const propertyDependencies = Object.fromEntries(
      Object.entries(props).flatMap(([property, value]) => {
        const keys = referencesIn(value).map((found) => keyOf(found.name));
        return keys.length === 0 ? [] : [[property, [...new Set(keys)]]];
      }),
    );
    return {
      key: `${type} ${name}`,
      type,
      name,
      custom: isCustom(resource),
      ...(parent === undefined ? {} : { parent: keyOf(parent) }),
      dependencies: [...new Set(Object.values(propertyDependencies).flat())],
      propertyDependencies,
      ignoreChanges,
      protect: false,
      inputs: props,
      outputs: isCustom(resource) ? { arn: `ref:${name}.arn`, ...outputs } : outputs,
    };
  });
}
