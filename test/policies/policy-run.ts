/**
 * Runs one policy as the engine would: properties behind `@pulumi/policy`'s own proxy, which throws on values that a preview does not
 * know. A policy that lets that error out would turn into an advisory note under the engine; here it fails the test.
 */
import type {
  PolicyResource,
  PolicyResourceOptions,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import * as proxy from "@pulumi/policy/proxy.js";

/** The module's type declarations leave its internals out. */
const internals = proxy as unknown as {
  readonly unknownCheckingProxy: (props: object) => Record<string, unknown>;
  readonly unknownStringValue: string;
  readonly unknownObjectValue: string;
};

/** Put anywhere into properties: a value that the preview does not know. */
export const notKnownYet: string = internals.unknownStringValue;

/** A resource of a program under test; what is left out is empty. */
export interface GivenResource {
  readonly type: string;
  readonly name: string;
  readonly props?: Readonly<Record<string, unknown>>;
  readonly opts?: Partial<PolicyResourceOptions>;
  /** Name of its parent. */
  readonly parent?: string;
  /** Names of what each property is made from. */
  readonly from?: Readonly<Record<string, readonly string[]>>;
  /** Names of what it depends on besides. */
  readonly dependsOn?: readonly string[];
}

export type AnyPolicy = ResourceValidationPolicy | StackValidationPolicy;

export function urnOf(resource: Pick<GivenResource, "type" | "name">): string {
  return `urn:pulumi:test::project::${resource.type}::${resource.name}`;
}

function optionsOf(given: GivenResource, parentUrn: string | undefined): PolicyResourceOptions {
  return {
    protect: false,
    ignoreChanges: [],
    aliases: [],
    customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    additionalSecretOutputs: [],
    ...(parentUrn === undefined ? {} : { parent: parentUrn }),
    ...given.opts,
  };
}

class NotApplicable extends Error {}

const notApplicable = (): never => {
  throw new NotApplicable("not applicable");
};

/** The class carries its type token; `isType` compares that, as the engine's helper does. */
function isTypeOf(type: string, resourceClass: unknown): boolean {
  return (resourceClass as { readonly __pulumiType?: string }).__pulumiType === type;
}

/** Resources as a stack policy gets them, linked by name. @throws Error on a name that no resource has, or that two have */
function linked(given: readonly GivenResource[]): PolicyResource[] {
  const byName = new Map<string, PolicyResource>();
  for (const resource of given) {
    if (byName.has(resource.name)) throw new Error(`test input: two resources are called ${resource.name}`);
    const props = internals.unknownCheckingProxy({ ...resource.props });
    byName.set(resource.name, {
      type: resource.type,
      name: resource.name,
      urn: urnOf(resource),
      props,
      opts: optionsOf(resource, undefined),
      dependencies: [],
      propertyDependencies: {},
      isType: (resourceClass) => isTypeOf(resource.type, resourceClass),
      asType: () => undefined,
    });
  }
  const find = (name: string): PolicyResource => {
    const found = byName.get(name);
    if (!found) throw new Error(`test input: no resource is called ${name}`);
    return found;
  };
  for (const { name, parent, from = {}, dependsOn = [] } of given) {
    const resource = find(name);
    if (parent !== undefined) {
      resource.parent = find(parent);
      resource.opts.parent = find(parent).urn;
    }
    resource.propertyDependencies = Object.fromEntries(
      Object.entries(from).map(([property, names]) => [property, names.map(find)]),
    );
    // The engine lists what properties are made from among the dependencies, too.
    resource.dependencies = [...new Set([...Object.values(from).flat(), ...dependsOn])].map(find);
  }
  return [...byName.values()];
}

/**
 * What a policy reports of a program, in its order.
 * @param config the pack's configuration for this policy; what it leaves out is the policy's own default, as under a `pulumi` that
 * was given none
 * @throws Error when the policy touches an unknown value: the engine would turn it into an advisory note
 */
export async function violationsOf(
  policy: AnyPolicy,
  resources: readonly GivenResource[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const messages: string[] = [];
  const report = (message: string): void => {
    messages.push(message);
  };
  const shared = { getConfig: <T extends object>() => ({ ...config }) as T, notApplicable, stackTags: new Map() };
  const attempt = async (run: () => Promise<void> | void): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (error instanceof NotApplicable) return;
      if (error instanceof Error && error.constructor.name === "UnknownValueError") {
        throw new Error(`${policy.name}: falls to advisory in a preview: ${error.message}`, { cause: error });
      }
      throw error;
    }
  };
  if ("validateStack" in policy) {
    await attempt(() => policy.validateStack({ ...shared, resources: linked(resources) }, report));
    return messages;
  }
  const validations = [policy.validateResource ?? []].flat();
  for (const resource of linked(resources)) {
    const { type, name, urn, props, opts } = resource;
    const isType: ResourceValidationArgs["isType"] = (resourceClass) => isTypeOf(type, resourceClass);
    const asType: ResourceValidationArgs["asType"] = () => undefined;
    for (const validate of validations) {
      await attempt(() => validate({ ...shared, type, name, urn, props, opts, isType, asType }, report));
    }
  }
  return messages;
}
