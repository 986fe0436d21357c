/**
 * Judges resources by the pack's policies without an engine: resources in, violations out. For the comment on a pull request and for the
 * rehearsal, which run the same policies.
 *
 * Properties come as the program gave them. A stack policy gets what the engine would give it: a resource's inputs with its outputs over
 * them, and of a component what it registered.
 */
import type {
  EnforcementLevel,
  PolicyResource,
  PolicyResourceOptions,
  ResourceValidationArgs,
  Severity,
} from "@pulumi/policy";
import * as proxy from "@pulumi/policy/proxy.js";
import { type AnyPolicy, allPolicies, defaultLevel } from "./all.ts";

/** The module's type declarations leave its internals out. */
const { unknownCheckingProxy } = proxy as unknown as {
  readonly unknownCheckingProxy: (props: object) => Record<string, unknown>;
};

/** A resource as a program registered it; what the rehearsal captures fits. */
export interface JudgedResource {
  /** Unique among the resources given. */
  readonly key: string;
  readonly type: string;
  readonly name: string;
  /** False for components. */
  readonly custom: boolean;
  /** Key of the parent. */
  readonly parent?: string | undefined;
  /** Keys of everything it is made from or waits for. */
  readonly dependencies: readonly string[];
  /** Keys by property. @default every dependency of which an output occurs in the property */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  readonly ignoreChanges: readonly string[];
  readonly protect: boolean;
  /** Pulumi's own marks for values not known in a preview are understood. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** What the cloud knows it by. @default none */
  readonly id?: string;
}

/** The pack's configuration, as Pulumi's `--policy-pack-config` file has it. */
export type PackConfig = Readonly<Record<string, EnforcementLevel | Readonly<Record<string, unknown>>>>;

export interface Violation {
  readonly policy: string;
  readonly level: "mandatory" | "advisory";
  readonly severity: Severity | undefined;
  readonly message: string;
  /** Key of the resource; absent where the whole stack is meant. */
  readonly resource?: string;
  readonly remediationSteps: string | undefined;
}

/**
 * What the policies say of these resources, policy by policy, in the order of the resources.
 * @throws whatever a policy throws: one that cannot run must not look like one that found nothing
 */
export async function evaluatePolicies(
  resources: readonly JudgedResource[],
  config: PackConfig = {},
  policies: readonly AnyPolicy[] = allPolicies,
): Promise<Violation[]> {
  const linked = link(resources);
  const violations: Violation[] = [];
  for (const policy of policies) {
    const { level, settings } = configured(policy, config);
    if (level === "disabled") continue;
    const report =
      (resource?: string) =>
      (message: string, urn?: string): void => {
        const meant = urn === undefined ? resource : linked.find(({ asOutputs }) => asOutputs.urn === urn)?.key;
        violations.push({
          policy: policy.name,
          level,
          severity: policy.severity,
          message,
          ...(meant === undefined ? {} : { resource: meant }),
          remediationSteps: policy.remediationSteps,
        });
      };
    const shared = { getConfig: <T extends object>() => ({ ...settings }) as T, notApplicable, stackTags: new Map() };
    if ("validateStack" in policy) {
      await applied(() =>
        policy.validateStack({ ...shared, resources: linked.map(({ asOutputs }) => asOutputs) }, report()),
      );
      continue;
    }
    for (const { key, asInputs } of linked) {
      for (const validate of [policy.validateResource ?? []].flat()) {
        await applied(() => validate({ ...shared, ...asInputs }, report(key)));
      }
    }
  }
  return violations;
}

class NotApplicable extends Error {}

function notApplicable(reason?: string): never {
  throw new NotApplicable(reason ?? "not applicable");
}

async function applied(run: () => Promise<void> | void): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error;
  }
}

function configured(
  policy: AnyPolicy,
  config: PackConfig,
): { level: "mandatory" | "advisory" | "disabled"; settings: Readonly<Record<string, unknown>> } {
  const own = config[policy.name];
  const all = config.all;
  const { enforcementLevel: ownLevel, ...settings } = typeof own === "string" ? { enforcementLevel: own } : (own ?? {});
  const level = ownLevel ?? (typeof all === "string" ? all : all?.enforcementLevel);
  return { level: acting(level ?? policy.enforcementLevel ?? defaultLevel, policy.name), settings };
}

/** None of ours remediates, and one that is told to blocks, as under the engine. */
function acting(level: unknown, policy: string): "mandatory" | "advisory" | "disabled" {
  switch (level) {
    case "mandatory":
    case "advisory":
    case "disabled":
      return level;
    case "remediate":
      return "mandatory";
    default:
      throw new RangeError(
        `policy configuration of ${policy}: unknown enforcementLevel, got ${JSON.stringify(level)}; expected mandatory, advisory or ` +
          "disabled. Mend the policy configuration",
      );
  }
}

type AsInputs = Omit<ResourceValidationArgs, "getConfig" | "notApplicable" | "stackTags">;

interface Linked {
  readonly key: string;
  readonly asInputs: AsInputs;
  readonly asOutputs: PolicyResource;
}

function link(resources: readonly JudgedResource[]): Linked[] {
  const byKey = new Map(resources.map((resource) => [resource.key, resource]));
  const urns = new Map(resources.map((resource) => [resource.key, urnOf(resource, byKey)]));
  const linked = new Map<string, Linked>();
  for (const resource of resources) {
    const { key, type, name, inputs, outputs } = resource;
    const isType = (resourceClass: unknown): boolean =>
      (resourceClass as { readonly __pulumiType?: string }).__pulumiType === type;
    const shared = { type, name, urn: urns.get(key) ?? key, opts: optionsOf(resource, urns), isType };
    linked.set(key, {
      key,
      asInputs: { ...shared, props: unknownCheckingProxy({ ...inputs }), asType: () => undefined },
      asOutputs: {
        ...shared,
        props: unknownCheckingProxy(resource.custom ? { ...inputs, ...outputs } : { ...outputs }),
        asType: () => undefined,
        dependencies: [],
        propertyDependencies: {},
      },
    });
  }
  const find = (key: string): PolicyResource[] => {
    const found = linked.get(key);
    return found ? [found.asOutputs] : [];
  };
  for (const resource of resources) {
    const { asOutputs } = linked.get(resource.key) ?? {};
    if (!asOutputs) continue;
    const [parent] = resource.parent === undefined ? [] : find(resource.parent);
    if (parent) asOutputs.parent = parent;
    asOutputs.dependencies = resource.dependencies.flatMap(find);
    asOutputs.propertyDependencies = Object.fromEntries(
      Object.entries(resource.propertyDependencies ?? guessed(resource, byKey)).map(([property, keys]) => [
        property,
        keys.flatMap(find),
      ]),
    );
  }
  return [...linked.values()];
}

/** As the engine makes them, parents' types included; policies find a child's component by it. */
function urnOf(resource: JudgedResource, byKey: ReadonlyMap<string, JudgedResource>): string {
  const types = [resource.type];
  for (let parent = parentOf(resource, byKey); parent; parent = parentOf(parent, byKey)) types.unshift(parent.type);
  const nested = types.filter((type) => type !== "pulumi:pulumi:Stack").join("$");
  return `urn:pulumi:stack::tidegate::${nested || resource.type}::${resource.name}`;
}

function parentOf(resource: JudgedResource, byKey: ReadonlyMap<string, JudgedResource>): JudgedResource | undefined {
  return resource.parent === undefined ? undefined : byKey.get(resource.parent);
}

function optionsOf(resource: JudgedResource, urns: ReadonlyMap<string, string>): PolicyResourceOptions {
  const parent = resource.parent === undefined ? undefined : urns.get(resource.parent);
  return {
    protect: resource.protect,
    ignoreChanges: [...resource.ignoreChanges],
    aliases: [],
    customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    additionalSecretOutputs: [],
    ...(parent === undefined ? {} : { parent }),
  };
}

/** What identifies a resource to those that are made from it. */
const identities = ["arn", "id", "arnSuffix", "name", "alarmName", "url"];

function guessed(
  { inputs, dependencies }: JudgedResource,
  byKey: ReadonlyMap<string, JudgedResource>,
): Record<string, string[]> {
  const sources = dependencies.flatMap((key) => {
    const { inputs: given = {}, outputs = {}, id = "" } = byKey.get(key) ?? {};
    const all: Readonly<Record<string, unknown>> = { ...given, id, ...outputs };
    const values = identities
      .flatMap((identity) => all[identity] ?? [])
      .filter((value) => typeof value === "string" && value !== "");
    return [{ key, values }];
  });
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([property, value]) => {
      const text = JSON.stringify(value) ?? "";
      const from = sources.filter(({ values }) =>
        values.some((known) => text.includes(JSON.stringify(known).slice(1, -1))),
      );
      return from.length === 0 ? [] : [[property, from.map(({ key }) => key)]];
    }),
  );
}
