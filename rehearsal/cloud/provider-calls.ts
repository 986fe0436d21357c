/** What an `up` asks of the provider, one call at a time, so that others can come between. */
import type { CapturedResource } from "../engine/capture.ts";
import type { Provider } from "../engine/engine.ts";
import type { UpStep } from "./types.ts";

/** What is asked of the provider, as it is asked. */
export interface ProviderCall {
  readonly op: "create" | "update" | "delete";
  readonly resource: CapturedResource;
}

/** The provider with somebody round each of its calls. */
export function aroundProvider(
  provider: Provider,
  around: (call: ProviderCall, carryOut: () => Promise<void>) => Promise<void>,
): Provider {
  return {
    refresh: (resource) => provider.refresh(resource),
    create: (resource) => around({ op: "create", resource }, () => provider.create(resource)),
    update: (resource, before) => around({ op: "update", resource }, () => provider.update(resource, before)),
    delete: (resource) => around({ op: "delete", resource }, () => provider.delete(resource)),
  };
}

/** The steps of an `up` that others can come between. */
export function stepOf({ op, resource: { type, inputs } }: ProviderCall): UpStep | undefined {
  if (type === "aws:lambda/invocation:Invocation" && op !== "delete") {
    return String(inputs.input).includes('"tidegate:opening"') ? "opening" : undefined;
  }
  if (type !== "aws:lb/listenerRule:ListenerRule" || op !== "update") return undefined;
  const tags = inputs.tags;
  return typeof tags === "object" && tags !== null && Reflect.get(tags, "tidegate:role") === "main"
    ? "rule"
    : undefined;
}
