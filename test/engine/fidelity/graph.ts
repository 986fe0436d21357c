/**
 * What a stack is made of, in words that do not hang on who made the ids: the rehearsal's capture and the engine's state in one form. An id,
 * ARN or name that a provider made up is written as the resource that it is of, wherever it stands, also in the middle of a policy.
 */
import type { CapturedResource } from "../../../rehearsal/engine/capture.ts";
import { nameOf, type StateResource } from "../harness.ts";

/** A resource by its `type name`. */
export interface GraphNode {
  readonly parent: string;
  readonly custom: boolean;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly inputs: unknown;
}

export type Graph = Readonly<Record<string, GraphNode>>;

/** Inputs that are not compared, each with why. */
const exceptions: readonly { readonly type: string; readonly input: string; readonly why: string }[] = [
  {
    type: "aws:lambda/function:Function",
    input: "code",
    why: "the engine keeps an archive's hash, the rehearsal the folder; what is in it, the bundle's own tests tell",
  },
];

const stackType = "pulumi:pulumi:Stack";

/** Resources of the engine's that no program declares: the stack itself, and a default provider for each package. */
const isOfTheEngine = ({ type }: { readonly type: string }) =>
  type === stackType || type.startsWith("pulumi:providers:");

/** Outputs by which another resource, or a policy, names this one. */
const naming = [
  "arn",
  "arnSuffix",
  "name",
  "url",
  "keyId",
  "dnsName",
  "uid",
  "bucket",
  "integrationKey",
  "parameters",
  "version",
];
/** Shorter texts say nothing of where they come from. */
const shortest = 6;

interface Made {
  readonly key: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
};

/** Puts the resource in the place of every text that its provider made up. */
function namesOf(made: readonly Made[]): (value: unknown) => unknown {
  const names = new Map<string, string>();
  for (const { key, inputs, id, outputs } of made) {
    const given = new Set(textsIn(inputs));
    // A policy names rules below a listener by the end of its ARN alone.
    const end = /[0-9a-f]{16}$/.exec(id)?.[0] ?? "";
    const own = [id, end, ...naming.filter((name) => !(name in inputs)).flatMap((name) => textsIn(outputs[name]))];
    for (const text of own) {
      if (text.length >= shortest && !given.has(text) && !names.has(text)) names.set(text, `<${key}>`);
    }
  }
  const longestFirst = [...names.keys()].sort((left, right) => right.length - left.length || (left < right ? -1 : 1));
  const escaped = longestFirst.map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const any = escaped.length === 0 ? /(?!)/g : new RegExp(escaped.join("|"), "g");
  const rename = (value: unknown): unknown => {
    if (typeof value === "string") return value.replace(any, (text) => names.get(text) ?? text);
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [rename(key), rename(entry)]));
  };
  return rename;
}

function comparable(type: string, inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const left = new Set(exceptions.filter((exception) => exception.type === type).map(({ input }) => input));
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => !left.has(key) && !key.startsWith("__")));
}

/** The graph of a capture. */
export function graphOfCapture(resources: readonly CapturedResource[]): Graph {
  const rename = namesOf(resources.filter(({ custom }) => custom));
  return Object.fromEntries(
    resources.map(({ key, type, parent = "", custom, protect, retainOnDelete, inputs }): [string, GraphNode] => [
      key,
      // The stack itself is called otherwise in each.
      {
        parent: parent.startsWith(stackType) ? "" : parent,
        custom,
        protect,
        retainOnDelete,
        inputs: custom ? rename(comparable(type, inputs)) : {},
      },
    ]),
  );
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** Secrets opened, as the rehearsal has them. */
function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null) return value;
  const plaintext: unknown = secretSignature in value && "plaintext" in value ? value.plaintext : undefined;
  if (typeof plaintext === "string") return opened(JSON.parse(plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, opened(entry)]));
}

/** The graph of the engine's state. */
export function graphOfState(state: readonly StateResource[]): Graph {
  const declared = state.filter((resource) => !isOfTheEngine(resource));
  const keyOf = ({ type, urn }: StateResource) => `${type} ${nameOf(urn)}`;
  const keys = new Map(declared.map((resource) => [resource.urn, keyOf(resource)]));
  const made = declared.map((resource) => ({
    ...resource,
    key: keyOf(resource),
    id: resource.id ?? "",
    inputs: opened(resource.inputs ?? {}) as Record<string, unknown>,
    outputs: opened(resource.outputs ?? {}) as Record<string, unknown>,
  }));
  const rename = namesOf(made.filter(({ custom }) => custom));
  return Object.fromEntries(
    made.map(({ key, type, parent = "", custom, protect, retainOnDelete, inputs }): [string, GraphNode] => [
      key,
      {
        parent: keys.get(parent) ?? "",
        custom,
        protect: protect ?? false,
        retainOnDelete: retainOnDelete ?? false,
        inputs: custom ? rename(comparable(type, inputs)) : {},
      },
    ]),
  );
}

/** What one graph has and the other has not or has otherwise, in words; empty where they are the same. */
export function differences(captured: Graph, real: Graph): string[] {
  const keys = [...new Set([...Object.keys(captured), ...Object.keys(real)])].sort();
  return keys.flatMap((key) => {
    const [here, there] = [captured[key], real[key]];
    if (!here) return [`${key}: the engine has it, the rehearsal does not`];
    if (!there) return [`${key}: the rehearsal has it, the engine does not`];
    return differing(key, here, there);
  });
}

function differing(place: string, left: unknown, right: unknown): string[] {
  if (Object.is(left, right)) return [];
  const bothObjects = [left, right].every((value) => typeof value === "object" && value !== null);
  if (!bothObjects)
    return [`${place}: ${JSON.stringify(left)} in the rehearsal, ${JSON.stringify(right)} in the engine`];
  const [here, there] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(here), ...Object.keys(there)])].sort();
  return keys.flatMap((key) => differing(`${place}.${key}`, here[key], there[key]));
}
