/**
 * Where record table, hook, topics and listener are: in this stack (`foundation: here`), or in another one beside which this one declares
 * services alone. What belongs to the foundation is then refused here by name, and taken from there.
 */
import { z } from "zod";
import type { AlertingConfig, NetworkConfig } from "./model.ts";
import { check, isMap, leaf, type Path, type Problems, unknownWord } from "./problems.ts";
import type { ReadService } from "./service.ts";

/** What a service stack has of its foundation's config. */
export interface Shared {
  readonly environment: string;
  readonly region: string;
  readonly network: NetworkConfig;
  readonly alerting: AlertingConfig;
  readonly peers: readonly string[];
  /** Owners of dependencies whom the foundation routes pages to; empty: not known, everybody is. */
  readonly dependencyOwners: readonly string[];
}

const segment = "[A-Za-z0-9_.-]{1,100}";
const fullNamePattern = new RegExp(`^${segment}/${segment}/${segment}$`);
/** A stack of this project, or a full name. */
export const stackNamePattern = new RegExp(`^${segment}(?:/${segment}/${segment})?$`);

const foundationName = leaf(z.string().regex(stackNamePattern), {
  wrong: "not the name of a stack",
  expected: "here, <stack> or <organisation>/<project>/<stack>",
  wayOut: "Leave it out, and this stack makes its own record table and hook",
});

/** Reads the name as written; `here` where nothing is. */
export function readFoundationName(raw: unknown, problems: Problems): string | undefined {
  return raw === undefined ? "here" : check(foundationName, raw, ["foundation"], problems);
}

/** `organisation/project/stack` of a foundation's name in the config of another stack. */
export function fullStackName(name: string, ownStackId: string): string {
  if (name.includes("/")) return name;
  return [...ownStackId.split("/").slice(0, 2), name].join("/");
}

/** Names what a service stack may not say itself. */
export function refuseFoundations(
  name: string,
  fields: Readonly<Partial<Record<"network" | "alerting" | "peers", unknown>>>,
  problems: Problems,
): void {
  for (const [key, value] of Object.entries(fields)) {
    if (isEmpty(value)) continue;
    problems.add([key], {
      wrong: "the foundation's, and this stack declares services beside one",
      expected: "no such setting",
      wayOut: `Set it in stack ${name}, or take foundation out`,
    });
  }
}

/** Nothing, or the default that Pulumi.yaml puts in its place. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isMap(value) && Object.keys(value).length === 0;
}

/** Environment and region are the foundation's; said again so that a stack file tells where it acts, and checked so that it is true. */
export function checkPlace(
  name: string,
  own: { readonly environment?: string; readonly region?: string },
  shared: Shared,
  problems: Problems,
): void {
  const pairs = [
    [["environment"], own.environment, shared.environment],
    [["aws:region"], own.region, shared.region],
  ] as const;
  for (const [place, got, expected] of pairs) {
    if (got === undefined || got === expected) continue;
    problems.add(
      place,
      {
        wrong: `not where its foundation is (${name})`,
        expected,
        wayOut: "Correct it, or name that environment's foundation",
      },
      got,
    );
  }
}

/** A page for an owner whom nobody routes would look as if it had gone to the owner. */
export function checkSharedOwners(services: readonly ReadService[], shared: Shared, problems: Problems): void {
  if (shared.dependencyOwners.length === 0) return;
  for (const { path, dependencyOwner } of services) {
    if (dependencyOwner === undefined || shared.dependencyOwners.includes(dependencyOwner)) continue;
    const complaint = unknownWord(dependencyOwner, shared.dependencyOwners, "none of the foundation's owners");
    problems.add([...path, "dependencyOwner"], complaint, dependencyOwner);
  }
}

/** A rule that the hook may not lower would keep its traffic in a rollback. */
export function checkSharedListeners(services: readonly ReadService[], shared: Shared, problems: Problems): void {
  const { listenerArn, moreListenerArns = [] } = shared.network;
  const known = [...(listenerArn === undefined ? [] : [listenerArn]), ...moreListenerArns];
  for (const { path, config } of services) {
    for (const [index, route] of (config?.routes ?? []).entries()) {
      if (route.listenerArn === undefined || known.includes(route.listenerArn)) continue;
      problems.add(
        [...path, ...(index === 0 ? [] : ["moreRoutes", index - 1]), "listenerArn"],
        {
          wrong: "a listener that the foundation's hook may not lower rules of",
          expected: known.join(" or ") || "the foundation's own",
          wayOut: "Add it to network.moreListenerArns of the foundation's stack, and run pulumi up there first",
        },
        route.listenerArn,
      );
    }
  }
}

const previousOwner = leaf(z.string().regex(fullNamePattern), {
  wrong: "not the full name of a stack",
  expected: "<organisation>/<project>/<stack>",
  wayOut: "The refusal without takeOver names it",
});

/** Reads which services come from which other stack. */
export function readTakeOver(
  raw: unknown,
  names: readonly string[],
  problems: Problems,
): Readonly<Record<string, string>> | undefined {
  const path: Path = ["takeOver"];
  if (isEmpty(raw)) return undefined;
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: "a map from service name to the stack it comes from" }, raw);
    return undefined;
  }
  const owners: Record<string, string> = {};
  for (const [service, written] of Object.entries(raw)) {
    if (!names.includes(service)) problems.add([...path, service], unknownWord(service, names, "not a service here"));
    const owner = check(previousOwner, written, [...path, service], problems);
    if (owner !== undefined) owners[service] = owner;
  }
  return owners;
}
