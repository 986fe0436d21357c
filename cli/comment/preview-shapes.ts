/** What both forms of a preview share: the shape of a state, names out of URNs, messages without the engine's prefix. */
import { z } from "zod";
import type { Fields, PreviewMessage, PreviewStep } from "../preview-json.ts";

/** Inputs and outputs, each absent, null or a map. */
export const stateShape = z
  .looseObject({
    parent: z.string().optional(),
    inputs: z.record(z.string(), z.unknown()).nullish(),
    outputs: z.record(z.string(), z.unknown()).nullish(),
  })
  .nullish();
export type State = z.infer<typeof stateShape>;

const none: Fields = {};

export function stepOf(
  op: string,
  urn: string,
  provider: string | undefined,
  before: State,
  after: State,
): PreviewStep {
  const parent = after?.parent || before?.parent;
  return {
    op,
    urn,
    type: typeOf(urn),
    name: nameOf(urn),
    ...(parent ? { parent } : {}),
    isCustom: Boolean(provider),
    oldInputs: before?.inputs ?? none,
    oldOutputs: before?.outputs ?? none,
    newInputs: after?.inputs ?? none,
    newOutputs: after?.outputs ?? none,
  };
}

/** `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`; names may hold colons. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

export function stackOf(urn: string): string | undefined {
  return /^urn:pulumi:(.+?)::/.exec(urn)?.[1];
}

/**
 * A message that people see; `undefined` for the engine's own talk. What a program or a policy pack writes to its standard error comes as
 * `info#err`: often harmless (Node and SDKs warn there), and the only words where a pack does not load.
 */
export function messageOf(severity: string, urn: string | undefined, text: string): PreviewMessage | undefined {
  if (severity === "debug") return undefined;
  const shown = severity === "error" ? "error" : severity === "warning" || severity === "info#err" ? "warning" : "info";
  const said = text.replace(/^(?:error|warning): /, "").trim();
  return said === "" ? undefined : { severity: shown, ...(urn ? { urn } : {}), text: said };
}
