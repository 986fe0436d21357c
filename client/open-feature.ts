/**
 * Flags as an OpenFeature provider, for applications that ask through `@openfeature/server-sdk`: boolean flags, with the targeting key as id.
 *
 * Reasons and error codes are those of OpenFeature, read 2026-11 (https://openfeature.dev/specification/types): `SPLIT` for an id's bucket,
 * `DISABLED`, `STATIC` for a variable that forces, `STALE` while the source cannot be read. After an error the SDK answers with the application's
 * default; with `true` a flag would be on for everybody while nothing is known, so that is warned of.
 *
 * The types are the part of the SDK that is used; nothing is imported. Errors are thrown with their code, as the SDK's own are.
 */
import type { Because, Flags, FlagsChange } from "./flags.ts";

/** What is used of the SDK's evaluation context. */
export interface OpenFeatureContext {
  readonly targetingKey?: string;
}

/** What the SDK's `ResolutionDetails` has in it. */
export interface OpenFeatureResolution {
  readonly value: boolean;
  readonly reason: "SPLIT" | "DISABLED" | "STATIC" | "STALE";
}

/** What a handler of the SDK's is told. */
export interface OpenFeatureDetails {
  readonly providerName: string;
  readonly message?: string;
  readonly flagsChanged?: string[];
  readonly [name: string]: unknown;
}
type Handler = (details?: OpenFeatureDetails) => unknown;

/** An evaluation without a result. */
export class FlagResolutionError extends Error {
  override readonly name = "FlagResolutionError";
  /** One of OpenFeature's error codes. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const providerName = "tidegate";

/** What the SDK asks of a provider's emitter, which it brings as a class of its own otherwise. */
class ProviderEvents {
  readonly #handlers = new Map<string, Handler[]>();

  emit(event: string, details: { readonly message?: string; readonly flagsChanged?: string[] } = {}): void {
    for (const handler of this.getHandlers(event)) handler({ providerName, ...details });
  }

  addHandler(event: string, handler: Handler): void {
    this.#handlers.set(event, [...this.getHandlers(event), handler]);
  }

  removeHandler(event: string, handler: Handler): void {
    this.#handlers.set(
      event,
      this.getHandlers(event).filter((other) => other !== handler),
    );
  }

  removeAllHandlers(event?: string): void {
    if (event === undefined) this.#handlers.clear();
    else this.#handlers.delete(event);
  }

  getHandlers(event: string): Handler[] {
    return this.#handlers.get(event) ?? [];
  }

  /** Nothing is logged: what is wrong is a process warning. */
  setLogger(): this {
    return this;
  }
}

/**
 * A provider that asks these flags. It is ready when the first document is in force; until then the SDK answers with the application's defaults,
 * and it goes on trying. Closing the provider leaves the flags as they are: they are the application's.
 *
 * @example
 * ```ts
 * await OpenFeature.setProviderAndWait(openFeatureProvider(rollout));
 * const isOn = await OpenFeature.getClient().getBooleanValue("batch-patches-v1", false, { targetingKey: user.id });
 * ```
 */
export function openFeatureProvider(flags: Flags): OpenFeatureFlags {
  return new OpenFeatureFlags(flags);
}

export class OpenFeatureFlags {
  readonly metadata = { name: providerName } as const;
  readonly runsOn = "server";
  readonly events = new ProviderEvents();
  readonly #flags: Flags;
  #forget = () => {};

  constructor(flags: Flags) {
    this.#flags = flags;
  }

  /** @throws FlagResolutionError while there is no document */
  async initialize(): Promise<void> {
    this.#forget();
    await this.#flags.refresh();
    // The SDK tells of the outcome of this itself.
    this.#forget = this.#flags.onChange((change) => this.#tell(change));
    const ready = this.#flags.ready();
    if (!ready.isReady) throw new FlagResolutionError("PROVIDER_NOT_READY", ready.because);
  }

  async onClose(): Promise<void> {
    this.#forget();
  }

  #tell({ state, previous, changedFlags }: FlagsChange): void {
    if (state !== previous) {
      const ready = this.#flags.ready();
      if (!ready.isReady) this.events.emit("PROVIDER_ERROR", { message: ready.because });
      else if (state === "stale") this.events.emit("PROVIDER_STALE", { message: this.#flags.status().failure ?? "" });
      else this.events.emit("PROVIDER_READY");
    }
    if (changedFlags.length > 0)
      this.events.emit("PROVIDER_CONFIGURATION_CHANGED", { flagsChanged: [...changedFlags] });
  }

  /** @throws FlagResolutionError when there is no result */
  async resolveBooleanEvaluation(
    flagKey: string,
    defaultValue: boolean,
    { targetingKey }: OpenFeatureContext,
  ): Promise<OpenFeatureResolution> {
    if (defaultValue) {
      this.#flags.warnOnce(
        "open-feature default",
        `openFeatureProvider: ${JSON.stringify(flagKey).slice(0, 60)}: its default is true; expected false. It is on for everybody while nothing is known`,
      );
    }
    const { isOn, because } = this.#flags.evaluate(flagKey, targetingKey ?? "");
    return { value: isOn, reason: this.#reason(flagKey, because, targetingKey) };
  }

  #reason(flagKey: string, because: Because, targetingKey: unknown): OpenFeatureResolution["reason"] {
    switch (because) {
      case "override":
        return "STATIC";
      case "split":
        return this.#flags.state() === "stale" ? "STALE" : "SPLIT";
      case "disabled":
        return this.#flags.state() === "stale" ? "STALE" : "DISABLED";
      case "not-ready":
      case "expired": {
        const ready = this.#flags.ready();
        throw new FlagResolutionError(
          because === "not-ready" ? "PROVIDER_NOT_READY" : "GENERAL",
          ready.isReady ? "the document has only just come" : ready.because,
        );
      }
      case "unknown-flag":
        throw new FlagResolutionError("FLAG_NOT_FOUND", `there is no flag ${JSON.stringify(flagKey)}`);
      case "no-exposure":
        throw new FlagResolutionError("PARSE_ERROR", `flag ${JSON.stringify(flagKey)} has no exposurePercent`);
      case "no-id":
        throw targetingKey === undefined || targetingKey === ""
          ? new FlagResolutionError("TARGETING_KEY_MISSING", "a flag is on for ids; expected targetingKey")
          : new FlagResolutionError("INVALID_CONTEXT", "targetingKey is not a text; expected one that is not empty");
    }
  }

  async resolveStringEvaluation(flagKey: string): Promise<never> {
    throw mismatch(flagKey, "a text");
  }

  async resolveNumberEvaluation(flagKey: string): Promise<never> {
    throw mismatch(flagKey, "a number");
  }

  async resolveObjectEvaluation(flagKey: string): Promise<never> {
    throw mismatch(flagKey, "an object");
  }
}

function mismatch(flagKey: string, asked: string): FlagResolutionError {
  return new FlagResolutionError(
    "TYPE_MISMATCH",
    `flag ${JSON.stringify(flagKey)} is on or off, and was asked for ${asked}; expected a boolean`,
  );
}
